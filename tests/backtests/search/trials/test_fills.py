"""Trials of every kind against backtrader itself: each fill, equity on every bar, all figures."""

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import event, given
from hypothesis import strategies as st

from backtests.config.config import Config, load_config
from backtests.engines.account import Account
from backtests.engines.backtrader_engine import simulate
from backtests.market.inputs import Inputs
from backtests.market.market import Market, build_market
from backtests.search.parameter_space import column_of
from backtests.search.plan import with_values
from backtests.search.trials.evaluate import evaluate
from backtests.search.trials.kernel import FIGURES
from backtests.search.trials.routes import needs_account
from backtests.search.trials.trial_library import Library
from tests.backtests.drawn import drawn_times, flat, starts, walks
from tests.backtests.laid import LaidBatch, LaidTrial, account_figures

TREND = {"filters.index_trend.window": st.sampled_from([5, 20, 80])}
UNKNOWN = {"filters.index_trend.unknown": st.sampled_from(["pass", "block"])}
OTHER = {"filters.other.kind": st.just("moving_average"), "filters.other.window": st.just(9)}
EXITS = {"filters.index_trend.on_exit": st.just(True)}
PART = {"size.fraction": st.sampled_from([0.07, 0.5, 0.93])}
CASH = {"costs.cash_rate": st.sampled_from([0.0, 0.04, 0.2])}
VOLATILITY = {
    "size.mode": st.just("vol_target"),
    "size.vol_target": st.sampled_from([0.1, 0.5, 1.5]),
    "size.vol_lookback": st.sampled_from([3, 20]),
}
BOUNDS = {"size.rebalance_threshold": st.sampled_from([0.01, 0.05])}
SLICES = {"size.scale_in_days": st.sampled_from([2, 7, 30])}
CAP = {"size.max_weight": st.sampled_from([0.3, 0.8])}
IDLE = {"idle.asset": st.just("BTC")}
BASKET = {
    "asset": st.just("ALTS"),
    "basket.min_members": st.just(1),
    "basket.min_age_days": st.sampled_from([0, 20]),
    "basket.weights": st.sampled_from(["equal", "inverse_vol"]),
    "basket.weight_lookback_days": st.just(10),
    "basket.rebalance": st.sampled_from(["never", "weekly", "monthly"]),
}
ROUTES: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "all in or out": CASH,
    "entry filter": TREND | UNKNOWN | CASH,
    "exit filter": TREND | UNKNOWN | EXITS | CASH,
    "two filters": TREND | OTHER | EXITS | {"rules.filters": st.sampled_from(["all", "any"])},
    "fraction": PART | CASH,
    "filters, fraction": TREND | EXITS | PART | CASH,
    "max_weight": CAP | CASH,
    "vol target": VOLATILITY | CAP | CASH,
    "scale-in": SLICES | PART | CASH,
    "threshold": BOUNDS | PART | CASH,
    "vol target, slices, threshold": VOLATILITY | SLICES | BOUNDS,
    "idle": IDLE | CASH,
    "idle, exit filter": IDLE | TREND | EXITS | CASH,
    "basket": BASKET | CASH,
    "basket, vol target, threshold": BASKET | VOLATILITY | BOUNDS,
    "basket or idle": BASKET | IDLE | BOUNDS | TREND,
}
signal = st.fixed_dictionaries(
    {
        "lookback": st.sampled_from(["all", 5, 20, 60]),
        "min_history": st.just(20),
        "base": st.sampled_from([1, 5, 30]),
        "confirm": st.integers(1, 4),
    }
)
trigger = st.fixed_dictionaries(
    {
        "trigger": st.sampled_from(["new_high", "new_high", "support_held", "any"]),
        "entry_delay_days": st.sampled_from([0, 0, 0, 12]),
    }
)


def route_of(seed: int) -> str:
    """Return one of the routes, all as likely."""
    return list(ROUTES)[np.random.default_rng(seed).integers(len(ROUTES))]


def config_of(own: dict[str, Any], **parts: dict[str, Any]) -> Config:
    shared = {key: value for part, some in parts.items() for key, value in flat(part, some).items()}
    return load_config(None, flags={"asset": "AAA"} | shared | own)


seeded = st.integers(0, 100_000).flatmap(
    lambda seed: st.tuples(
        st.just(seed),
        st.builds(
            config_of,
            own=st.fixed_dictionaries(ROUTES[route_of(seed)]),
            signal=signal,
            rules=trigger,
            data=starts,
        ),
    )
)
own_numbers = st.fixed_dictionaries(
    {
        "rules.hold_days": st.sampled_from([0, 1, 7, 30, 90]),
        "rules.exit_on_support_lost": st.booleans(),
        "rules.stop_loss": st.sampled_from([0.0, 0.0, 0.05, 0.2]),
        "rules.trailing_stop": st.sampled_from([0.0, 0.0, 0.1, 0.3]),
        "rules.index_drawdown": st.sampled_from([0.0, 0.0, 0.03]),
        "costs.commission_bps": st.sampled_from([0.0, 10.0, 80.0]),
        "costs.slippage_bps": st.sampled_from([5.0, 50.0]),
        "costs.initial_cash": st.sampled_from([1.0, 1e5, 1e9]),
    }
)


def assert_same_fills(laid: LaidTrial, account: Account, market: Market) -> None:
    fills, coins = account.fills, list(market.traded.coins)
    signs = np.where(fills["side"] == "buy", 1.0, -1.0)
    theirs = np.column_stack(
        [
            market.traded.times.get_indexer(fills["time"]),
            [coins.index(symbol) for symbol in fills["symbol"]],
            fills["units"] * signs,
            fills["price"],
        ]
    )
    ours = np.array(laid.fills).reshape(-1, 4)
    ours, theirs = (each[np.lexsort((each[:, 1], each[:, 0]))] for each in (ours, theirs))
    np.testing.assert_array_equal(ours[:, :2], theirs[:, :2], err_msg="bars and coins of fills")
    np.testing.assert_allclose(ours[:, 2], theirs[:, 2], rtol=1e-9, err_msg="units")
    np.testing.assert_allclose(ours[:, 3], theirs[:, 3], rtol=1e-12, err_msg="prices")
    np.testing.assert_allclose(laid.equity, account.equity, rtol=1e-9, err_msg="equity")


@drawn_times(8)
@given(
    seeded_config=seeded,
    trials=st.lists(own_numbers, min_size=3, max_size=3),
    is_halting=st.booleans(),
)
def test_trials_of_every_route_make_the_fills_of_backtrader(
    seeded_config: tuple[int, Config], trials: list[dict[str, Any]], is_halting: bool
) -> None:
    seed, base = seeded_config
    inputs = walks(seed, base)
    if not is_halting:
        inputs = replace(inputs, coins=inputs.coins[:2])
    for laid in laid_and_compared(base, trials, inputs):
        event(f"{route_of(seed)}: {'whole account' if laid is None else 'laid out'}")
        if laid is not None:
            event("fills compared", len(laid.fills))
            event("sales that left something over", laid.left_over)


def laid_and_compared(
    base: Config, trials: list[dict[str, Any]], inputs: Inputs
) -> list[LaidTrial | None]:
    """Hold trials against backtrader, and return them; None for those of a whole account."""
    library, found = Library(load=lambda _: inputs), []
    columns = {key: column_of([own[key] for own in trials]) for key in trials[0]}
    evaluated = evaluate(base, columns, library=library)
    assert evaluated.failures == [None] * len(trials)
    batch = LaidBatch(base, library)
    keeps_accounts = needs_account(base, batch.positions)
    for own, figures in zip(trials, evaluated.figures, strict=True):
        config = with_values(base, own)
        market = build_market(config, inputs)
        account = simulate(market.traded, config)
        expected = account_figures(account, market, config)
        wanted = [expected[each] for each in FIGURES]
        np.testing.assert_allclose(figures, wanted, rtol=1e-9, atol=1e-11)
        found.append(None if keeps_accounts else batch.laid_out(own))
        if found[-1] is not None:
            assert_same_fills(found[-1], account, market)
    return found


def test_sales_while_a_coin_is_halted_are_followed_until_it_is_sold() -> None:
    base = config_of(
        {"asset": "ALTS", "basket.min_members": 1, "basket.min_age_days": 0},
        signal={"lookback": 20, "min_history": 20},
        rules={"trigger": "new_high"},
    )
    trials = [{"rules.hold_days": days} for days in (1, 3, 4)]
    sold_whole, entered_before, sold_later = laid_and_compared(base, trials, walks(3, base))
    assert sold_whole is not None
    assert sold_whole.left_over == 0
    assert entered_before is None  # the coin trades again only after the next entry
    assert sold_later is not None
    assert sold_later.left_over == 1
