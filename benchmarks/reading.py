"""Reading: an index and ten coins from exports of eleven kinds, against our own form.

python -m benchmarks.reading

Seeded random walks, the same bars in both folders; the median of some rounds. `table` is
from bytes to typed columns, `bars` is with everything a run asks of bars.
"""

import statistics
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from feeds.files import Files, bar_files
from feeds.instruments import Instrument
from feeds.reading import read_bars
from feeds.sessions import sessions_between

ROUNDS = 9
LAST = pd.Timestamp("2025-12-31")


def walk(dates: pd.DatetimeIndex, seed: int) -> pd.DataFrame:
    noise = np.random.default_rng(seed)
    close = np.round(1_000 * np.exp(np.cumsum(noise.normal(0.0002, 0.02, len(dates)))), 2) + 5.01
    prices = {"open": close, "high": close + 1.5, "low": close - 1.5, "close": close}
    volume = np.round(noise.uniform(1e3, 9e6, len(dates)), -1)
    return pd.DataFrame({"date": dates, **prices, "volume": volume}).round(2)


def own(bars: pd.DataFrame) -> str:
    return bars.assign(date=bars["date"].dt.strftime("%Y-%m-%d")).to_csv(index=False)


def yahoo(bars: pd.DataFrame) -> str:
    table = bars.set_axis(bars.columns.str.title(), axis=1)
    table.insert(5, "Adj Close", table["Close"] * 0.99)
    return table.to_csv(index=False)


def investing(bars: pd.DataFrame) -> str:
    table = bars.iloc[::-1]
    columns = {"Date": table["date"].dt.strftime("%b %d, %Y")}
    for title, name in (("Price", "close"), ("Open", "open"), ("High", "high"), ("Low", "low")):
        columns[title] = table[name].map("{:,.2f}".format)
    columns["Vol."] = (table["volume"] / 1e3).map("{:.2f}K".format)
    return pd.DataFrame({**columns, "Change %": "0.25%"}).to_csv(index=False)


def nasdaq(bars: pd.DataFrame) -> str:
    dollars = {name: bars[name].map("${:.2f}".format) for name in ("open", "high", "low", "close")}
    table = bars.assign(date=bars["date"].dt.strftime("%m/%d/%Y"), **dollars).iloc[::-1]
    names = {"date": "Date", "close": "Close/Last", "volume": "Volume"}
    names |= {"open": "Open", "high": "High", "low": "Low"}
    return table[list(names)].rename(columns=names).to_csv(index=False)


def semicolons(bars: pd.DataFrame) -> str:
    table = bars.assign(date=bars["date"].dt.strftime("%d.%m.%Y"))
    return table.to_csv(index=False, sep=";", decimal=",")


def tradingview(bars: pd.DataFrame) -> str:
    seconds = bars["date"].astype("datetime64[s]").astype("int64")
    return bars.assign(date=seconds).rename(columns={"date": "time"}).to_csv(index=False)


def zoned(bars: pd.DataFrame) -> str:
    table = bars.assign(date=bars["date"].dt.strftime("%Y-%m-%dT00:00:00Z"))
    return table.rename(columns={"date": "time"}).to_csv(index=False)


def coinmarketcap(bars: pd.DataFrame) -> str:
    times = bars["date"].dt.strftime('"%Y-%m-%dT00:00:00.000Z"')
    table = bars.assign(timeOpen=times, timeClose=times, marketCap=1e12).drop(columns="date")
    return "\ufeff" + table.iloc[::-1].to_csv(index=False, sep=";", quoting=3, quotechar="'")


def download(bars: pd.DataFrame) -> str:
    seconds = bars["date"].astype("datetime64[ms]").astype("int64")
    text = bars["date"].dt.strftime("%Y-%m-%d %H:%M:%S")
    table = bars.assign(unix=seconds, date=text, symbol="C/USD")
    table = table.rename(columns={"volume": "Volume C"}).assign(**{"Volume USD": 1.5})
    return "https://www.CryptoDataDownload.com\n" + table.iloc[::-1].to_csv(index=False)


def klines(bars: pd.DataFrame) -> str:
    opens = bars["date"].astype("datetime64[ms]").astype("int64")
    table = bars.assign(date=opens, end=opens + 86_399_999, quote=1.5, n=9, a=1.0, b=1.5, c=0)
    return table.to_csv(index=False, header=False)


def kraken(bars: pd.DataFrame) -> str:
    seconds = bars["date"].astype("datetime64[s]").astype("int64")
    return bars.assign(date=seconds, trades=7).to_csv(index=False, header=False)


COINS = (
    *(yahoo, investing, semicolons, tradingview, zoned),
    *(coinmarketcap, download, klines, kraken, yahoo),
)

ZIPPED = f"C{COINS.index(klines)}-USD"


def fill(exports: Path, plain: Path) -> None:
    sessions = sessions_between(pd.Timestamp("1987-09-10"), LAST)
    days = pd.date_range(end=LAST, periods=round(8 * 365.25))
    tables = {"RUT": (walk(sessions, 0), nasdaq)}
    tables |= {f"C{at}-USD": (walk(days, at + 1), form) for at, form in enumerate(COINS)}
    for symbol, (bars, form) in tables.items():
        plain.joinpath(f"{symbol}_1d.csv").write_text(own(bars))
        text = form(bars).replace("C/USD", symbol.replace("-", "/"))
        if form is klines:
            write_months(exports, symbol.replace("-USD", "USDT"), bars)
        else:
            exports.joinpath(f"{symbol}.csv").write_text(text)


def write_months(folder: Path, pair: str, bars: pd.DataFrame) -> None:
    """Write a zip per month, as Binance's archive has them."""
    for month, rows in bars.groupby(bars["date"].dt.strftime("%Y-%m")):
        stem = f"{pair}-1d-{month}"
        with zipfile.ZipFile(folder / f"{stem}.zip", "w") as archive:
            archive.writestr(f"{stem}.csv", klines(rows))


def medians(works: Sequence[Callable[[], object]]) -> list[float]:
    """Return the median milliseconds of each, measured in turn so that a busy machine is fair."""
    rounds = [[_milliseconds(work) for work in works] for _ in range(ROUNDS)]
    return [statistics.median(taken) for taken in zip(*rounds, strict=True)]


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1e3


def table_of(folder: Path, instrument: Instrument) -> None:
    paths = [file.path for file in bar_files(folder) if file.instrument == instrument]
    read_bars(paths, instrument=instrument, timeframe="1d")


def bars_of(folder: Path, instruments: Sequence[Instrument]) -> None:
    files = Files(folder)
    for instrument in instruments:
        files.load(instrument, timeframe="1d")


def print_row(name: str, works: Sequence[Callable[[], object]]) -> None:
    exports, plain = medians(works)
    print(f"{name:16} {exports:9.1f} ms {plain:9.1f} ms {exports / plain:7.2f}x", flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as exports, tempfile.TemporaryDirectory() as plain:
        folders = [Path(exports), Path(plain)]
        fill(*folders)
        instruments = sorted({f.instrument for f in bar_files(Path(plain))}, key=lambda i: i.symbol)
        print(f"{'':16} {'exports':>12} {'our own form':>12} {'ratio':>7}")
        single = [one for one in instruments if one.symbol != ZIPPED]
        for name, chosen in (("bars, all", instruments), ("bars, no zips", single)):
            print_row(name, [partial(bars_of, folder, chosen) for folder in folders])
        for instrument in instruments:
            works = [partial(table_of, folder, instrument) for folder in folders]
            print_row(f"table, {instrument.symbol}", works)


if __name__ == "__main__":
    main()
