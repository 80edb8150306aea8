"""The whole run as it can be asked again: what is known, wanted and held when each bar ends."""

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from backtests.config.config import Config
from backtests.engines.baselines import Simulate
from backtests.market.asked import Asked
from backtests.market.inputs import Inputs
from backtests.market.lookahead import Looked, look_at, same
from backtests.market.market import Market, build_market
from feeds.arrays import Floats
from feeds.errors import InputError

CUTS: Final = 40
LINES: Final = (
    "session", "index_close", "trigger_session", "trigger_kind", "lost_session", "weight", "gate",
    "leave", "rebalance",
)  # fmt: skip
# those that change on every bar say nothing of where a decision falls
DECISIONS: Final = ("trigger_session", "lost_session", "gate", "leave", "rebalance", "on_weight")
COIN_LINES: Final = ("alive", "on_weight", "idle_weight", "impact")
HELD: Final = ("units", "cash")


class WholeRun:
    """A config's run, asked for all that it knows and does, a row per bar."""

    def __init__(self, config: Config, inputs: Inputs, *, simulate: Simulate) -> None:
        self.config, self.inputs, self._simulate = config, inputs, simulate
        market = build_market(config, inputs)
        self._symbols = tuple(market.tape.coins)
        self._names = [
            *LINES,
            *(f"{line} of {coin}" for coin in self._symbols for line in (*COIN_LINES, "units")),
            "cash",
        ]
        whole = self.table(inputs)
        decides = [name.partition(" of ")[0] in DECISIONS for name in self._names]
        self.asked = Asked(
            "run",
            config,
            inputs,
            self.table,
            whole,
            market.tape.ends,
            pd.DatetimeIndex(market.tape.times),
            "bar",
            first=market.tradable.start + 2,  # a run needs two bars
            decided=whole[:, decides],
        )

    def look(self, *, cuts: int = CUTS) -> Looked:
        """Return what cuts and other futures show; a leak says which of its lines changed."""
        found = look_at(self.asked, cuts=cuts)
        named = (replace(leak, name=f"run ({self._change(leak.row)})") for leak in found.leaks)
        return replace(found, leaks=tuple(named))

    def table(self, inputs: Inputs) -> Floats:
        """Return the lines of the tape and of the account, shape (bars, columns)."""
        market = build_market(self.config, inputs)
        lines = [market.tape.lines[name] for name in LINES]
        bars, (units, cash) = len(market.tape), self._account(market)
        for place, symbol in enumerate(self._symbols):
            own = market.tape.coins.get(symbol)
            lines += [np.zeros(bars) if own is None else own[name] for name in COIN_LINES]
            lines.append(units[:, place])
        # a basket ends with its coins, which is no decision
        return np.column_stack([*lines, cash])[: market.tradable.stop]

    def _account(self, market: Market) -> tuple[Floats, Floats]:
        """Return units, shape (bars, coins), and cash at each bar's end, 0 before the run."""
        account, traded = self._simulate(market.traded, self.config), market.tradable
        units = np.zeros((len(market.tape), len(self._symbols)))
        held = account.positions.reindex(columns=list(self._symbols), fill_value=0.0)
        units[traded] = held.to_numpy(np.float64)
        cash = np.zeros(len(market.tape))
        cash[traded] = account.bars["cash"].to_numpy(np.float64)
        return units, cash

    def _change(self, row: pd.Timestamp) -> str:
        """Return the lines that change at a row when what comes after it is cut."""
        place = int(self.asked.rows.get_indexer(pd.DatetimeIndex([row]))[0])
        try:
            found = self.table(self.asked.world(place))[place]
        except (InputError, IndexError):  # too little history to run at all
            return "its start"
        changed = [
            name
            for name, one, other in zip(self._names, found, self.asked.whole[place], strict=True)
            if not same(np.array([one]), np.array([other]))[0]
        ]
        return ", ".join(changed[:3]) or "what it does"
