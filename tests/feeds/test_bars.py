import numpy as np
import pandas as pd

from feeds.bars import Bars
from feeds.instruments import coin
from tests.scripted import days, frame_of

ETH = coin("ETH")


def bars_of(frame):
    return Bars(ETH, "1d", frame, "here", "memory")


def test_sha256_follows_the_rows_and_nothing_else():
    frame = frame_of(days("2024-01-01", "2024-01-31"))
    changed = frame.copy()
    changed.iloc[3, 3] = np.nextafter(changed.iloc[3, 3], 1e9)
    later = frame.set_axis(frame.index + pd.Timedelta(days=1))
    digest = bars_of(frame).sha256
    assert Bars(coin("BTC"), "1d", frame.copy(), "there", "file", ("a note",)).sha256 == digest
    assert digest not in {bars_of(changed).sha256, bars_of(later).sha256}
