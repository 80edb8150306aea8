"""What the page says in sentences: the rule, its stops and costs, and how much to trust it."""

from typing import Final

from backtests.analysis.summary import Summary
from backtests.backtest import Result
from backtests.config import Config
from backtests.report import format as written

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


def unbroken(text: str) -> str:
    """Return text in which no line can break between a number and its percent sign."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def rule_in_words(result: Result) -> list[str]:
    """Return the rule as sentences a reader can check against the config."""
    config = result.config
    return [
        f"Buy {result.asset} after {index_title(result)} {_trigger(config)}.",
        f"{_entry(config)} {_holding(config)}",
        _stops(config),
        _size(config),
        _costs(config),
    ]


def sample_size(result: Result, summary: Summary) -> str:
    """Return how many independent episodes the figures rest on, and how the run ended."""
    traded = "episode" if summary.episodes == 1 else "episodes"
    text = (
        f"The triggers fell into {written.count(summary.episodes)} separate {traded}; the "
        f"strategy bought in {written.count(summary.episodes_traded)} of them. That, not the "
        "number of days, is the size of the sample: so few can neither prove nor refute the idea."
    )
    if result.strategy.pending:
        return f"{text} An order is due at the next open: {written.words(result.strategy.pending)}."
    if result.strategy.bars["units"].iloc[-1]:
        return f"{text} The last position is still open and marked at the last close."
    return text


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


def _stops(config: Config) -> str:
    rules = config.rules
    stops = {
        "below the entry price": rules.stop_loss,
        "below the highest close since entry": rules.trailing_stop,
        "off the index's high since entry": rules.index_drawdown,
    }
    active = [f"{written.percent(size)} {what}" for what, size in stops.items() if size]
    return f"Stops: {', '.join(active)}." if active else "No stops."


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
