"""pyfolio's own sheets, drawn in a process of their own.

pyfolio takes over a second to import and reads its annualisation from globals of two
libraries. A separate process hides the first behind the backtest and keeps the second, and
matplotlib's settings, out of everything else.
"""

import json
import os
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

import backtests
from backtests.backtest import Result
from backtests.engine import Account

WORKER: Final = "backtests.report.pyfolio_worker"
TIME_LIMIT_SECONDS: Final = 60
SHEETS: Final = {
    "returns": "Returns and rolling figures",
    "drawdowns": "Drawdowns",
    "months": "Months and years",
    "round_trips": "Round trips and exposure",
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One picture as base64 PNG, or the reason there is none."""

    title: str
    png: str = ""
    reason: str = ""


class SheetWorker:
    """A process that loads pyfolio at once and draws when it is told what.

    Start it before other work and the import costs no time of its own.
    """

    def __init__(self) -> None:
        root = str(Path(backtests.__file__).resolve().parents[1])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(  # noqa: S603 - our own module, no outside text
            [sys.executable, "-W", "ignore", "-m", WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path, "MPLBACKEND": "Agg"},
        )

    def submit(self, request: dict[str, Any]) -> "Future[list[Sheet]]":
        """Send what to draw and return at once; the future never raises, a sheet says why."""
        pool = ThreadPoolExecutor(max_workers=1)
        future = pool.submit(self._drawn, json.dumps(request))
        pool.shutdown(wait=False)
        return future

    def close(self) -> None:
        """End a process that was started and will not be asked."""
        self._process.kill()
        self._process.communicate()

    def _drawn(self, request: str) -> list[Sheet]:
        try:
            answer, errors = self._process.communicate(request.encode(), timeout=TIME_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.close()
            return _none(f"pyfolio did not finish within {TIME_LIMIT_SECONDS} seconds")
        if self._process.returncode:
            last = errors.decode(errors="replace").strip().splitlines()[-1:]
            return _none(f"pyfolio could not be run ({' '.join(last) or 'no message'})")
        drawn = json.loads(answer)
        return [Sheet(title, **drawn[name]) for name, title in SHEETS.items()]


def sheet_request(result: Result) -> dict[str, Any]:
    """Return what pyfolio draws from: daily returns, positions in money, and round lots."""
    bars = result.strategy.bars
    value = (bars["units"] * result.market.traded_bars["close"]).resample("1D").last()
    returns = _daily_returns(result.strategy)
    return {
        "days": pd.DatetimeIndex(returns.index).strftime("%Y-%m-%d").tolist(),
        "returns": returns.tolist(),
        "benchmark": _daily_returns(result.buy_and_hold).tolist(),
        "benchmark_name": f"Hold {result.asset}",
        "symbol": result.asset,
        "value": value.ffill().tolist(),
        "cash": bars["cash"].resample("1D").last().ffill().tolist(),
        "lots": _lots(result.strategy.fills),
    }


def _daily_returns(account: Account) -> pd.Series:
    """Return one return a day: pyfolio knows no other bars, and counts 365 of them a year."""
    equity = account.equity.resample("1D").last().ffill()
    before = np.concatenate(([account.initial_cash], equity.to_numpy()[:-1]))
    # nothing can be earned on nothing: after a total loss the return is 0
    ratio = np.divide(equity, before, out=np.ones(len(equity)), where=before > 0)
    return pd.Series(ratio - 1, index=equity.index)


LOTS: Final = 1_000


def _lots(fills: pd.DataFrame) -> list[tuple[str, int, float]]:
    """Return each fill as day, signed lots and money a lot.

    pyfolio cuts amounts to whole units and lists every unit, so half a coin would vanish and
    a billion would fill the memory. A buy of `LOTS` lots and the sale of all of them keep
    each trade's profit exact.
    """
    lots: list[tuple[str, int, float]] = []
    bought = 0.0
    for fill in fills.to_dict("records"):
        is_buy = fill["side"] == "buy"
        bought = fill["units"] if is_buy else bought
        amount = max(1, round(fill["units"] / bought * LOTS))
        money = fill["units"] * fill["price"] / amount
        lots.append((f"{fill['time']:%Y-%m-%d}", amount if is_buy else -amount, money))
    return lots


def _none(reason: str) -> list[Sheet]:
    return [Sheet(title, reason=reason) for title in SHEETS.values()]
