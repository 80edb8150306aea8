import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from strategies.rule_settings import SignalSettings
from strategies.signals import index_signals, prior_high

FIELDS = (
    "prior_high",
    "resistance_age",
    "new_high",
    "breakout",
    "support_level",
    "support_held",
    "support_lost",
)

# small whole prices, so that closes repeat and levels are met exactly
closes = arrays(np.float64, st.integers(1, 80), elements=st.integers(90, 110).map(float))
settings_drawn = st.builds(
    SignalSettings,
    lookback=st.one_of(st.just("all"), st.integers(1, 12)),
    min_history=st.integers(1, 8),
    base=st.integers(1, 6),
    tolerance=st.sampled_from([0.0, 0.02, 0.05]),
    confirm=st.integers(1, 4),
    window=st.integers(1, 10),
    retest=st.booleans(),
    clearance=st.sampled_from([0.0, 0.02, 0.04]),
)


def brute_force(close, low, s):
    """Read DESIGN's definitions session by session, looking each thing up anew."""
    n = len(close)
    out = {name: [] for name in FIELDS}
    level, since, held, cleared, touched, streak = None, 0, False, False, False, 0
    for t in range(n):
        before = close[:t] if s.lookback == "all" else close[max(0, t - s.lookback) : t]
        needed = s.min_history if s.lookback == "all" else s.lookback
        high = max(before) if len(before) >= needed else np.nan
        age = np.nan
        if len(before) >= needed:
            age = t - max(j for j in range(t - len(before), t) if close[j] == high)
        new = close[t] > high
        lost_now = held_now = False
        if level is not None:
            if close[t] < level * (1 - s.tolerance):
                lost_now = held
                level = None
            elif not held:
                since += 1
                cleared = cleared or close[t] >= level * (1 + s.clearance)
                touched = touched or (cleared and low[t] <= level * (1 + s.tolerance))
                counting = touched or not s.retest
                streak = streak + 1 if counting and close[t] >= level else 0
                if streak == s.confirm:
                    held = held_now = True
                elif since >= s.window:
                    level = None
        broke = bool(new and age >= s.base)
        if broke:
            level, since, held, cleared, touched, streak = high, 0, False, False, False, 0
        row = (high, age, new, broke, np.nan if level is None else level, held_now, lost_now)
        for name, value in zip(FIELDS, row, strict=True):
            out[name].append(value)
    return out


@given(close=closes, drop=st.floats(0, 0.05), settings=settings_drawn)
def test_signals_any_prices_equal_brute_force(close, drop, settings):
    low = close * (1 - drop)
    fast = index_signals(close=close, low=low, settings=settings)
    slow = brute_force(close, low, settings)
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(fast, name), slow[name], err_msg=name)


@given(close=closes, settings=settings_drawn, data=st.data())
def test_signals_prefix_is_invariant(close, settings, data):
    cut = data.draw(st.integers(1, close.size))
    whole = index_signals(close=close, low=close, settings=settings)
    part = index_signals(close=close[:cut], low=close[:cut], settings=settings)
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[:cut])


@given(close=closes, settings=settings_drawn)
def test_signals_scaled_prices_fire_the_same(close, settings):
    # a power of two scales floats exactly
    one = index_signals(close=close, low=close, settings=settings)
    four = index_signals(close=close * 4, low=close * 4, settings=settings)
    for name in ("new_high", "breakout", "support_held", "support_lost"):
        np.testing.assert_array_equal(getattr(one, name), getattr(four, name))


def test_prior_high_rolling_agrees_with_pandas():
    close = np.random.default_rng(1).normal(100, 5, 500)
    high, _ = prior_high(close, lookback=63)
    expected = pd.Series(close).rolling(63).max().shift(1).to_numpy()
    np.testing.assert_array_equal(high, expected)


def test_prior_high_shorter_than_history_is_undefined():
    high, age = prior_high(np.arange(1.0, 101.0), lookback="all", min_history=252)
    assert np.isnan(high).all()
    assert np.isnan(age).all()


# close, what happens with confirm 2, tolerance 2 %, base 3, window 4; level is 100
TAPE = [
    (100.0, "high"),
    (95.0, ""),
    (96.0, ""),
    (101.0, "breakout"),  # 3 sessions after the high
    (99.0, "testing"),  # below 100 but within 2 %
    (100.0, "testing"),  # first close at the level
    (100.5, "held"),  # second in a row
    (98.5, "support"),
    (97.9, "lost"),  # below 98
    (90.0, ""),
]


def test_support_tape_held_then_lost():
    close = np.array([row[0] for row in TAPE])
    found = index_signals(
        close=close,
        low=close,
        settings=SignalSettings(min_history=1, base=3, confirm=2, window=4),
    )
    said = [row[1] for row in TAPE]
    assert np.flatnonzero(found.breakout).tolist() == [said.index("breakout")]
    assert np.flatnonzero(found.support_held).tolist() == [said.index("held")]
    assert np.flatnonzero(found.support_lost).tolist() == [said.index("lost")]
    assert found.support_level[3:8].tolist() == [100.0] * 5
    assert np.isnan(found.support_level[8:]).all()


@pytest.mark.parametrize(
    ("lows", "held_at"),
    [
        # cleared 103 at t=4; the touch needs a low at 102 or less from then on
        ([100, 95, 96, 101, 104, 103, 102.5, 103, 103], []),
        ([100, 95, 96, 101, 104, 103, 102.0, 103, 103], [7]),
        ([100, 95, 96, 101, 102.0, 103, 104, 103, 103], [5]),
    ],
)
def test_support_retest_waits_for_the_touch(lows, held_at):
    close = np.array([100.0, 95, 96, 101, 104, 104, 104, 104, 104])
    settings = SignalSettings(min_history=1, base=3, confirm=2, window=20, retest=True)
    found = index_signals(close=close, low=np.array(lows, dtype=float), settings=settings)
    assert np.flatnonzero(found.support_held).tolist() == held_at


def test_support_unconfirmed_in_window_lapses():
    close = np.array([100.0, 95, 96, 101, 99, 99, 99, 100.5, 100.5, 100.5])
    settings = SignalSettings(min_history=1, base=3, confirm=2, window=3)
    found = index_signals(close=close, low=close, settings=settings)
    assert not found.support_held.any()
    assert np.isnan(found.support_level[6:]).all()


@pytest.fixture(scope="module")
def russell(shared_data):
    return pd.read_csv(shared_data / "RUT_1d.csv", parse_dates=["date"], index_col="date")


@pytest.fixture(scope="module")
def russell_signals(russell):
    return index_signals(
        close=russell["close"].to_numpy(), low=russell["low"].to_numpy(), settings=SignalSettings()
    )


@pytest.mark.parametrize(
    ("name", "dates"),
    [
        (
            "support_held",
            ["2013-01-09", "2016-11-21", "2018-05-23", "2020-11-20", "2021-11-09", "2025-10-08"],
        ),
        ("support_lost", ["2018-10-10", "2021-11-26", "2025-11-13"]),
    ],
)
def test_support_on_real_russell_gives_known_dates(russell, russell_signals, name, dates):
    found = russell.index[getattr(russell_signals, name)]
    assert found[found >= "2013"].strftime("%Y-%m-%d").tolist() == dates


def test_new_high_on_real_russell_2025_gives_nine(russell, russell_signals):
    found = russell.index[russell_signals.new_high]
    found = found[found.year == 2025]
    assert len(found) == 9
    assert found[0] == pd.Timestamp("2025-09-18")


@pytest.mark.parametrize("lookback", ["all", 252])
def test_signals_on_real_russell_equal_brute_force(russell, lookback):
    recent = russell.iloc[-2500:]
    close, low = recent["close"].to_numpy(), recent["low"].to_numpy()
    settings = SignalSettings(lookback=lookback)
    fast = index_signals(close=close, low=low, settings=settings)
    slow = brute_force(close, low, settings)
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(fast, name), slow[name], err_msg=name)
