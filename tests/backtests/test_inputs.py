"""What a run reads, from a cache filled by scripted vendors."""

import pytest

from backtests import inputs
from backtests.config import load_config
from backtests.inputs import load_inputs
from feeds.cache.updates import Cache
from feeds.errors import DataError
from feeds.instruments import coin, index
from feeds.live import Live
from feeds.universe import USUAL
from feeds.vendors.reach import Reach
from tests.scripted import Clock, Scripted, days, frame_of, sessions

ALIVE = [name for name in USUAL if name not in {"FTT", "LUNC"}]


@pytest.fixture
def cache(tmp_path):
    """A cache folder with RUT, VIX and every usual altcoin but two that died."""
    clock = Clock("2024-03-10 00:05")
    frames = {
        (f"{name}-USD", "1d"): frame_of(days("2023-01-01", "2024-03-09"), seed=seed)
        for seed, name in enumerate(ALIVE)
    }
    for name in ("RUT", "VIX"):
        frames[name, "1d"] = frame_of(sessions("2021-01-04", "2024-03-08"))
    vendor = Scripted(frames, clock, name="yahoo", source="yahoo")
    live = Live(
        Cache(tmp_path, clock=clock),
        vendor="yahoo",
        open_vendor=lambda _: vendor,
        reach=Reach(),
        clock=clock,
    )
    for symbol, _ in frames:
        name = coin(symbol) if symbol.endswith("-USD") else index(symbol)
        live.load(name, timeframe="1d")
    return tmp_path


def configured(cache, **values):
    flags = {key.replace("__", "."): value for key, value in values.items()}
    fixed = {"data.source": "yahoo", "data.cache_dir": str(cache), "data.offline": True}
    return load_config(None, flags=fixed | flags)


def test_load_inputs_leaves_a_coin_that_nobody_serves_out_of_the_basket(cache):
    found = load_inputs(configured(cache, asset="ALTS"))
    assert [bars.instrument.label for bars in found.coins] == sorted(ALIVE)
    left_out, made_today = found.notes
    assert left_out == "left out of ALTS, because no bars were to be had: FTT, LUNC"
    assert made_today.startswith("LIST MADE TODAY: ")
    assert "`python -m feeds.download --universe binance --timeframe 1d`" in made_today


def test_load_inputs_basket_without_its_dead_is_warned_of_as_survivors(cache):
    from backtests.backtest import backtest

    warnings = backtest(configured(cache, asset="ALTS")).warnings
    assert any(note.startswith(f"SURVIVORS: none of the {len(ALIVE)} coins") for note in warnings)
    assert any(note.startswith("left out of ALTS") for note in warnings)


def test_load_inputs_member_named_by_the_user_must_be_there(cache):
    config = configured(cache, asset="ALTS", basket__members=["SOL", "FTT"])
    with pytest.raises(DataError, match=r"`basket.members` names FTT, without bars: .* Take it"):
        load_inputs(config)


def test_load_inputs_basket_without_any_coin_is_an_error(cache, monkeypatch):
    monkeypatch.setattr(inputs, "altcoins", lambda *args, **options: [coin("FTT"), coin("LUNC")])
    with pytest.raises(DataError, match=r"no coin of the basket has bars, the first: `asset` FTT"):
        load_inputs(configured(cache, asset="ALTS"))


def test_load_inputs_finds_vix_live_and_notes_a_series_that_is_not_there(cache):
    config = configured(cache, asset="SOL", filters__vix={}, filters__etf_flows={})
    found = load_inputs(config)
    assert list(found.series) == ["VIX"]
    (note,) = found.notes
    assert note.startswith("filter etf_flows is unknown throughout and blocks every entry: ")
