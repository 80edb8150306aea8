"""Whatever the bytes are: a table, or one line that says what is wrong with them."""

import random
import zipfile
from io import BytesIO

import pandas as pd
import pytest

from feeds.errors import DataError
from feeds.instruments import coin, index
from feeds.reading import Choices, read_bars, read_series

OWN = b"date,open,high,low,close,volume\n2024-01-02,10,12,9,11,5\n2024-01-03,11,12,10,12,\n"
SPLICES = (
    *(b"", b"\x00", b"\xff", b'"', b",", b";", b"\n", b"\r", b"\xef\xbb\xbf", b"\xff\xfe"),
    *(b"9" * 400, b"-", b"1e999", b"nan", b"inf", b"0020-08-05", b"9999-12-31", b"13/13/2024"),
    *(b"99999999999999999999", b"1.234", b"1,234", "٣".encode(), "é".encode(), b"%", b"$", b"(1)"),
)


def seeds(shared_data, tmp_path):
    """Return the bytes of every export there is, and of Parquet and archives."""
    folder = shared_data.parent / "exports"
    texts = [path.read_bytes()[:3_000] for path in sorted(folder.iterdir()) if path.suffix != ".md"]
    frame = pd.read_csv(BytesIO(OWN), parse_dates=["date"])
    parquet, archive = BytesIO(), BytesIO()
    frame.to_parquet(parquet)
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("BTCUSDT-1d-2024-01.csv", OWN)
    return [OWN, parquet.getvalue(), archive.getvalue(), *texts]


def mutated(data, draw):
    for _ in range(draw.choice((1, 1, 2))):
        at, size = draw.randint(0, len(data)), draw.choice((0, 1, 1, 4))
        data = data[:at] + draw.choice(SPLICES) + data[at + size :]
    return data if draw.random() < 0.9 else data[: draw.randint(0, len(data))]


@pytest.mark.parametrize("part", range(2))
def test_damaged_bytes_are_a_table_or_one_line(shared_data, tmp_path, part):
    path, originals = tmp_path / "file.csv", seeds(shared_data, tmp_path)
    read = 0
    for seed in range(part, 500, 2):
        draw = random.Random(seed)  # noqa: S311
        path.write_bytes(mutated(draw.choice(originals), draw))
        instrument = draw.choice((coin("BTC"), index("RUT")))
        choices = draw.choice((Choices(), Choices({"close": "Open"}, "%d/%m/%Y", "UTC", ",")))
        try:
            if draw.random() < 0.8:
                timeframe = draw.choice(("1d", "1h"))
                read_bars(path, instrument=instrument, timeframe=timeframe, choices=choices)
            else:
                read_series(path, name="M2SL", choices=choices)
            read += 1
        except DataError as error:
            message = str(error)
            assert message.isprintable(), (seed, message)
            assert message.startswith("file.csv"), (seed, message)
            assert len(message) < 700, (seed, message)
            for foreign in ("numpy", "pandas", "pyarrow", "np.", "Arrow", "Traceback", "dtype"):
                assert foreign not in message, (seed, message)
    assert read > 8
