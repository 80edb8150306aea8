"""Nothing a run does may depend on a bar that comes later, and this notices when it would."""

from dataclasses import replace

import numpy as np
import pytest
from markets import coin_walk, index_walk

from backtests import market as market_module
from backtests.backtest import run_on
from backtests.config import load_config

CONFIGS = {
    "any": {},
    "new high, stops": {
        "rules.trigger": "new_high",
        "rules.trailing_stop": 0.1,
        "rules.stop_loss": 0.1,
        "rules.index_drawdown": 0.02,
    },
    "breakout, delayed": {"rules.trigger": "breakout", "rules.entry_delay_days": 3},
    "support, retest": {"rules.trigger": "support_held", "signal.retest": True},
    "rolling high, vol target": {"signal.lookback": 40, "size.mode": "vol_target"},
}
SMALL = {"signal.min_history": 20, "signal.base": 10, "rules.hold_days": 15}


def markets():
    return index_walk(260, seed=11, end="2018-12-31"), coin_walk(240, seed=12, start="2018-03-01")


def first(bars, rows):
    return replace(bars, frame=bars.frame.iloc[:rows])


def until(index, coin):
    """Cut the index to what was known when the coin's last bar ended."""
    end = coin.frame.index[-1].tz_localize(None)
    return replace(index, frame=index.frame.loc[:end])


def outcome(config, index, coin):
    result = run_on(config, index=index, coin=coin)
    accounts = [result.strategy, result.control, result.buy_and_hold]
    # the lines too: what the rule sees at the last bar shows in no account yet
    seen = np.column_stack(list(result.market.traded_lines.values()))
    return [seen, *(account.bars.to_numpy() for account in accounts)], [a.fills for a in accounts]


def assert_cut_changes_nothing(config, *, every=9):
    index, coin = markets()
    whole, whole_fills = outcome(config, index, coin)
    for rows in range(60, len(coin), every):
        cut = first(coin, rows)
        part, part_fills = outcome(config, until(index, cut), cut)
        for before, after in zip(part, whole, strict=True):
            np.testing.assert_array_equal(before, after[: len(before)])
        for fills, later in zip(part_fills, whole_fills, strict=True):
            kept = later[later["time"] <= cut.frame.index[-1]]
            assert fills.equals(kept.reset_index(drop=True))


@pytest.mark.parametrize("name", CONFIGS)
def test_run_cut_at_any_bar_leaves_the_past_unchanged(name):
    every = 1 if name == "any" else 9
    assert_cut_changes_nothing(load_config(None, flags=SMALL | CONFIGS[name]), every=every)


@pytest.mark.parametrize("name", CONFIGS)
def test_run_last_bar_changed_leaves_everything_before_identical(name):
    config = load_config(None, flags=SMALL | CONFIGS[name])
    index, coin = markets()
    index = until(index, coin)
    bent = []
    for bars in (index, coin):
        frame = bars.frame.copy()
        frame.iloc[-1] *= 3
        bent.append(replace(bars, frame=frame))
    plain, plain_fills = outcome(config, index, coin)
    changed, changed_fills = outcome(config, *bent)
    for before, after in zip(plain, changed, strict=True):
        np.testing.assert_array_equal(before[:-1], after[:-1])
    last = coin.frame.index[-1]
    for before, after in zip(plain_fills, changed_fills, strict=True):
        earlier = [fills[fills["time"] < last].reset_index(drop=True) for fills in (before, after)]
        assert earlier[0].equals(earlier[1])


def test_planted_leak_of_one_bar_is_noticed(monkeypatch):
    honest = market_module.latest_known

    def leaking(available_at, *, at):
        # as if each session were known a day before its close
        return honest(available_at - 86_400_000_000_000, at=at)

    monkeypatch.setattr(market_module, "latest_known", leaking)
    config = load_config(None, flags=SMALL | {"rules.index_drawdown": 0.02})
    with pytest.raises(AssertionError):
        assert_cut_changes_nothing(config)


def test_planted_signal_leak_is_noticed(monkeypatch):
    honest = market_module.index_signals

    def leaking(*, close, low, settings):
        found = honest(close=close, low=low, settings=settings)
        return replace(found, new_high=np.append(found.new_high[1:], False))

    monkeypatch.setattr(market_module, "index_signals", leaking)
    with pytest.raises(AssertionError):
        assert_cut_changes_nothing(load_config(None, flags=SMALL))
