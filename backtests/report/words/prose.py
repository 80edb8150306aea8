"""What the page says in sentences that judge nothing: the rule, the control, what they trade."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backtests.analysis.episodes import is_plain
from backtests.config.config import ALTS, Config
from backtests.engines.backtest import Run
from backtests.engines.baselines import DAYS_PER_SESSION, VOLATILITY_RATIO, control_config
from backtests.report.words import notation as written
from backtests.report.words.notation import RunFacts
from feeds.instruments import BY_SYMBOL, SAMPLE_SOURCE
from strategies.registry import is_own, trigger_parts


def is_sample(result: Run) -> bool:
    """Whether any of the bars are the bundled sample's simulated days."""
    return SAMPLE_SOURCE in (result.market.coin.source, result.market.index.source)


def index_title(result: Run) -> str:
    """Return what people call the index; its symbol where it has no other name here."""
    symbol = result.market.index.instrument.symbol
    return f"the {BY_SYMBOL[symbol].title}" if symbol in BY_SYMBOL else symbol


def traded_title(result: Run) -> str:
    """Return what people call what was traded."""
    return "the altcoin basket" if result.config.asset == ALTS else result.asset


def rule_in_words(result: Run) -> list[str]:
    """Return the rule as sentences a reader can check against the config."""
    config = result.config
    sentences = [
        _strategy(config),
        f"Buy {traded_title(result)} after {index_title(result)} {_trigger(config)}, "
        f"{_entry(config)}.",
        _holding(config),
        _opening(result),
        _stops(config),
        _filters(config),
        _size(config),
        _basket(result),
        _idle(config),
        _costs(config),
    ]
    return [sentence for sentence in sentences if sentence]


def _strategy(config: Config) -> str:
    """Return that something else decides than the rule that follows, and reads it or not."""
    if not config.strategy:
        return ""
    file, _, name = config.strategy.rpartition(":")
    return (
        f"{name} of {Path(file).name} decides when to buy and sell. What follows is what it is "
        "given, and what the control does; it may do otherwise."
    )


def run_facts(result: Run) -> RunFacts:
    """Return what the sentences that judge a run need beside its figures."""
    first = (
        result.others["first_members"].fills["symbol"] if "first_members" in result.others else ()
    )
    return RunFacts(
        traded=traded_title(result),
        days=result.days,
        bars=len(result.strategy.bars),
        untested=result.untested,
        first_members=tuple(map(written.coin, first)),
        idle=result.config.idle.asset.upper(),
        is_single=is_plain(result),
        is_open=bool(result.strategy.invested.iloc[-1]),
        pending=result.strategy.pending,
    )


def control_in_words(result: Run) -> str:
    """Return how the control differs from the rule."""
    fall, theirs = "", result.config
    if theirs.rules.index_drawdown:
        own_fall = control_config(theirs).rules.index_drawdown
        fall = f", its own fall of {written.percent(own_fall)} for the index's"
    filters = ", filters left out" if theirs.filters else ""
    return (
        f"The control is the same rule driven by {traded_title(result)}'s own price: "
        f"{_control_signals(theirs)}{fall}{filters}. It has an exposure of its own, so compare "
        "the two at equal exposure, below."
    )


def _control_signals(config: Config) -> str:
    """Return in what terms the control judges the signals that make the trigger."""
    own, signal = control_config(config).signal, config.signal
    unchanged = "functions of one's own read the coin's bars, their parameters as they are"
    parts = trigger_parts(config.rules.trigger)[1]
    are_own = [is_own("signal", part) for part in parts]
    if all(are_own):
        return unchanged
    days = [f"base {own.base} days", f"support confirmed in {own.confirm}"]
    if own.lookback != "all":
        days.insert(0, f"lookback {own.lookback:,} days")
    return (
        f"{DAYS_PER_SESSION:.2f} days for a session ({', '.join(days)}), and bounds for a coin "
        f"that swings {VOLATILITY_RATIO:g} times as much (tolerance "
        f"{written.percent(own.tolerance)} for {written.percent(signal.tolerance)})"
        f"{f'; {unchanged}' if any(are_own) else ''}"
    )


def _trigger(config: Config) -> str:
    signal = config.signal
    lookback = "ever" if signal.lookback == "all" else f"in {signal.lookback:,} sessions"
    high = f"closes at its highest {lookback}"
    held = (
        f"holds a broken resistance (at least {signal.base} sessions old) as support for "
        f"{signal.confirm} sessions{' after a retest' if signal.retest else ''}"
    )
    known = {
        "new_high": high,
        "breakout": f"breaks a resistance at least {signal.base} sessions old",
        "support_held": held,
    }
    how, names = trigger_parts(config.rules.trigger)
    said = [known.get(name) or _own_signal(config, name) for name in names]
    return f"{' and ' if how == 'all' else ', or '}".join(said)


def _own_signal(config: Config, name: str) -> str:
    return f"gives the signal {_with_parameters(name, config.signal.parameters(name))}"


def _with_parameters(name: str, own: Mapping[str, Any]) -> str:
    """Return an own function's name in words, with the parameters it has."""
    given = ", ".join(f"{written.words(key)} {value}" for key, value in own.items())
    return f"{written.words(name)}{f' ({given})' if given else ''}"


def _entry(config: Config) -> str:
    late = config.rules.entry_delay_days
    wait = f"{written.count_noun(late, 'day')} later, " if late else ""
    return f"{wait}at the open of the first bar after that close is known"


def _holding(config: Config) -> str:
    rules = config.rules
    lost = "when a held support is lost" if rules.exit_on_support_lost else ""
    if not rules.hold_days:
        return f"Hold until {lost.removeprefix('when ') or 'a stop is hit'}."
    window = f"{rules.hold_days:,} days after the latest trigger"
    return f"Leave {window}{', or ' + lost if lost else ''}."


def _opening(result: Run) -> str:
    """Return that the run began in the market, if it did: nothing fired on its own bars then."""
    fills = result.strategy.fills
    if not (fills["time"] == result.market.traded_bars.index[0]).any() or result.config.idle.asset:
        return ""
    return "A window was live when the run began, so it bought at the first open."


def _stops(config: Config) -> str:
    rules = config.rules
    stops = {
        "below the entry price": rules.stop_loss,
        "below the highest close since entry": rules.trailing_stop,
        "off the index's high since entry": rules.index_drawdown,
    }
    active = [f"{written.percent(size)} {what}" for what, size in stops.items() if size]
    own = [_with_parameters(name, rules.parameters(name)) for name in rules.exits or ()]
    left = f"Leave when the exit {' or '.join(own)} asks for it." if own else ""
    stopped = f"Stops: {', '.join(active)}." if active else "No stops."
    return f"{stopped} {left}".strip()


def _filters(config: Config) -> str:
    if not config.filters:
        return ""
    names = ", ".join(written.words(name) for name in config.filters)
    if len(config.filters) == 1:
        return f"Only while this filter lets it pass: {names}."
    return f"Only while {config.rules.filters} of these filters let it pass: {names}."


def _basket(result: Run) -> str:
    basket = result.config.basket
    if result.config.asset != ALTS:
        return ""
    coins = written.count(len(result.market.inputs.coins))
    chosen = "all" if basket.select == "all" else f"the top {basket.top} by {basket.select}"
    often = "never rebalanced" if basket.rebalance == "never" else f"rebalanced {basket.rebalance}"
    return (
        f"Basket: {written.words(chosen)} of {coins} coins, "
        f"{written.words(basket.weights)} weights, {often}."
    )


def _idle(config: Config) -> str:
    idle = config.idle
    if not idle.asset:
        return ""
    return (
        f"While the signal is off, {written.percent(idle.weight)} of equity is in "
        f"{idle.asset.upper()}."
    )


def _size(config: Config) -> str:
    size = config.size
    if size.mode == "vol_target":
        return (
            f"Stake: for {written.percent(size.vol_target)} volatility per year over "
            f"{size.vol_lookback} days, at most {written.percent(size.max_weight)} of equity."
        )
    if size.mode != "fraction":
        named = _with_parameters(size.mode, size.parameters(size.mode))
        return f"Stake: as {named} says, at most {written.percent(size.max_weight)} of equity."
    return f"Stake: {written.percent(min(size.fraction, size.max_weight))} of equity."


def _costs(config: Config) -> str:
    costs = config.costs
    impact = (
        f", impact of {costs.impact_coefficient:g} x daily volatility x the root of the order's "
        "share of the day's volume"
    )
    return (
        f"Costs per side: {costs.commission_bps:g} bps commission, {costs.slippage_bps:g} bps "
        f"slippage{impact if costs.impact_factor else ''}; "
        f"cash earns {written.percent(costs.cash_rate)} per year."
    )
