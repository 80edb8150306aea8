"""What the page says in sentences: the rule, its stops and costs, and how much to trust it."""

from typing import Final

import numpy as np

from backtests import format as written
from backtests.analysis.costs import CostSensitivity
from backtests.analysis.summary import Summary
from backtests.backtest import Result
from backtests.config import ALTS, Config

SAMPLE_SOURCE: Final = "sample"
INDEX_TITLES: Final = {
    "RUT": "the Russell 2000",
    "IWN": "the Russell 2000 Value",
    "SPX": "the S&P 500",
}


def is_sample(result: Result) -> bool:
    """Whether any of the bars are the bundled sample's simulated days."""
    return SAMPLE_SOURCE in (result.market.coin.source, result.market.index.source)


def index_title(result: Result) -> str:
    """Return what people call the index; its symbol where it has no other name here."""
    symbol = result.market.index.instrument.symbol
    return INDEX_TITLES.get(symbol, symbol)


def traded_title(result: Result) -> str:
    """Return what people call what was traded."""
    return "the altcoin basket" if result.config.asset == ALTS else result.asset


def rule_in_words(result: Result) -> list[str]:
    """Return the rule as sentences a reader can check against the config."""
    config = result.config
    sentences = [
        f"Buy {traded_title(result)} after {index_title(result)} {_trigger(config)}.",
        f"{_entry(config)} {_holding(config)}",
        _opening(result),
        _stops(config),
        _filters(config),
        _size(config),
        _basket(result),
        _idle(config),
        _costs(config),
    ]
    return [sentence for sentence in sentences if sentence]


def sample_size(result: Result, summary: Summary) -> str:
    """Return how many independent episodes the figures rest on, and how the run ended."""
    text = _episodes(summary)
    if result.strategy.pending:
        return f"{text} An order is due at the next open: {written.words(result.strategy.pending)}."
    if result.strategy.invested.iloc[-1]:
        return f"{text} The last position is still open and marked at the last close."
    return text


def break_even(costs: CostSensitivity, *, asset: str) -> str:
    """Return in words up to which costs the strategy is ahead of buy-and-hold."""
    bps = costs.break_even_bps
    if np.isnan(bps):
        return f"Even without any costs the strategy would be behind holding {asset}."
    if np.isinf(bps):
        return f"No costs within reason would put it behind holding {asset}."
    return f"It is ahead of holding {asset} as long as costs stay below {bps:,.0f} bps a side."


def _episodes(summary: Summary) -> str:
    if not summary.episodes:
        return "No trigger fell into the run: it says nothing about the idea."
    if summary.episodes == 1:
        return "All triggers belong to one episode: nothing can be concluded from a single case."
    return (
        f"The triggers fell into {written.count(summary.episodes)} separate episodes; the "
        f"strategy bought in {written.count(summary.episodes_traded)} of them. That, not the "
        "number of days, is the size of the sample: so few can neither prove nor refute the idea."
    )


def _trigger(config: Config) -> str:
    signal = config.signal
    lookback = "ever" if signal.lookback == "all" else f"in {signal.lookback:,} sessions"
    high = f"closes at its highest {lookback}"
    held = (
        f"holds a broken resistance (at least {signal.base} sessions old) as support for "
        f"{signal.confirm} sessions{' after a retest' if signal.retest else ''}"
    )
    return {
        "new_high": high,
        "breakout": f"breaks a resistance at least {signal.base} sessions old",
        "support_held": held,
        "any": f"{high}, or {held}",
    }[config.rules.trigger]


def _entry(config: Config) -> str:
    late = config.rules.entry_delay_days
    wait = f"{written.days(late)} days later, at" if late else "At"
    return f"{wait} the open of the first bar after that close is known."


def _holding(config: Config) -> str:
    rules = config.rules
    lost = "when a held support is lost" if rules.exit_on_support_lost else ""
    if not rules.hold_days:
        return f"Hold until {lost.removeprefix('when ') or 'a stop is hit'}."
    window = f"{rules.hold_days:,} days after the latest trigger"
    return f"Leave {window}{', or ' + lost if lost else ''}."


def _opening(result: Result) -> str:
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
    return f"Stops: {', '.join(active)}." if active else "No stops."


def _filters(config: Config) -> str:
    if not config.filters:
        return ""
    names = ", ".join(written.words(name) for name in config.filters)
    if len(config.filters) == 1:
        return f"Only while this filter lets it pass: {names}."
    return f"Only while {config.rules.filters} of these filters let it pass: {names}."


def _basket(result: Result) -> str:
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
            f"Stake: for {written.percent(size.vol_target)} volatility a year over "
            f"{size.vol_lookback} days, at most {written.percent(size.max_weight)} of equity."
        )
    return f"Stake: {written.percent(min(size.fraction, size.max_weight))} of equity."


def _costs(config: Config) -> str:
    costs = config.costs
    return (
        f"Costs a side: {costs.commission_bps:g} bps commission, {costs.slippage_bps:g} bps "
        f"slippage; cash earns {written.percent(costs.cash_rate)} a year."
    )
