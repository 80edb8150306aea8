"""A run in Python: the `Result` that `backtest` returns, and its page."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from backtests.analysis.cost_sensitivity import CostSensitivity, cost_sensitivity
from backtests.analysis.exposure import compared_equity, with_start
from backtests.analysis.run_figures import Summary, summarise
from backtests.analysis.run_significance import Significance, significance
from backtests.api.card import Card, Displayable
from backtests.config.config import Config
from backtests.engines.backtest import Run
from backtests.engines.cost_runs import cost_runs
from backtests.records.atomic_writing import require_name, require_writable, write_page
from backtests.records.run_files import drawdowns_table
from backtests.report.terminal.run import headline
from backtests.report.words.judgement import RunJudgement, judge_run
from backtests.report.words.labels import FIGURES, columns_of, figure_text
from backtests.report.words.prose import run_facts
from feeds.errors import ConfigError
from feeds.sessions import BAR_LENGTHS

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from backtests.report.pyfolio_sheets.process import SheetWorker

BRIEF = ("total_return", "cagr", "sharpe_ratio", "max_drawdown", "time_in_market", "trades")
BRIEF_COLUMNS = ("strategy", "buy_and_hold")


@dataclass(frozen=True, repr=False, eq=False)
class Result(Displayable):
    """What a backtest found, as frames; each is worked out when it is first asked for.

    `run` is what the engine left: the config, the market, every account.

    Examples
    --------
    >>> import backtests as bt
    >>> result = bt.backtest("ETH", source="sample", start="2023-01-01", hold_days=90)
    >>> result.figures.loc[["cagr", "max_drawdown"], ["strategy", "buy_and_hold"]].shape
    (2, 2)
    >>> bool(result.equity["strategy"].iloc[0] == result.config.costs.initial_cash)
    True
    >>> [data.name for data in result.plot().data][:2]
    ['Strategy', 'Hold ETH']
    """

    run: Run

    @property
    def config(self) -> Config:
        """Every setting of the run."""
        return self.run.config

    @cached_property
    def equity(self) -> pd.DataFrame:
        """Equity of the strategy and of all it is compared with, in money, from one start.

        A column each, by the names in `figures`; a row per bar (index `time`: the bar's open,
        UTC) with the equity at its end. The row before the first bar is the starting cash, so
        that the change from row to row is the return of each bar, the first one's too. These are
        the curves of `equity.csv`, where the strategy's is called `equity`.
        """
        curves = pd.DataFrame({"strategy": self.run.strategy.equity, **compared_equity(self.run)})
        length = BAR_LENGTHS[self.run.market.coin.timeframe]
        table = with_start(curves, self.run.strategy.initial_cash, length=length)
        return table.set_index("time")[self._columns]

    @cached_property
    def returns(self) -> pd.DataFrame:
        """Simple returns per bar, fractions, with the columns of `equity`; costs are in them."""
        returns = self.equity.pct_change(fill_method=None).iloc[1:]
        # an account that lost all has nothing left to move: its returns are 0 from there on
        return returns.assign(
            strategy=self.run.strategy.returns, buy_and_hold=self.run.buy_and_hold.returns
        )

    @property
    def figures(self) -> pd.DataFrame:
        """All figures, a row each and a column per account; fractions, money or counts.

        Those of metrics.json, under the same names; NaN where a figure is undefined.
        """
        every = pd.DataFrame(self.summary.figures).astype("float64")
        return every.loc[[name for name in FIGURES if name in every.index], self._columns]

    @property
    def trades(self) -> pd.DataFrame:
        """The strategy's round trips, a row each, as in trades.csv; the last may be open."""
        return self.summary.trades

    @property
    def fills(self) -> pd.DataFrame:
        """Every fill of the strategy, as in fills.csv."""
        return self.run.strategy.fills

    @property
    def drawdowns(self) -> pd.DataFrame:
        """Every drawdown of strategy and buy-and-hold, deepest first, as in drawdowns.csv."""
        return drawdowns_table(self.summary)

    @property
    def warnings(self) -> tuple[str, ...]:
        """All to know before trusting a figure, gravest first."""
        return self.run.warnings

    @property
    def verdict(self) -> str:
        """The headline: what the rule earned beside holding, and at equal exposure."""
        return self.judgement.verdict

    @property
    def conclusion(self) -> str:
        """What may be said of chance."""
        return self.judgement.conclusion

    def plot(self) -> "Figure":
        """Return a plotly figure: equity beside holding in log scale, and below it drawdowns."""
        from backtests.report.charts.equity_and_drawdown import run_figure

        return run_figure(self.run, self.summary)

    def tearsheet(self, path: str | Path) -> Path:
        """Write the page that the command leaves, one self-contained file, and return its path.

        A file of that name is replaced.
        """
        from backtests.report.save_run import run_page

        place = _html_place(path)
        return write_page(place, run_page(*self._parts))

    def save(
        self,
        out: str | Path = "results",
        *,
        name: str = "",
        worker: "SheetWorker | None" = None,
    ) -> Path:
        """Leave a results folder under `out`, as the command does, and return it.

        `name` is what the run is called in legends and lists. `worker` is a process that draws
        pyfolio's pages meanwhile; without it one is started.
        """
        from backtests.report.save_run import write_run

        shown = require_name(name) if name else ""
        require_writable(Path(out))
        return write_run(*self._parts, out=Path(out), name=shown, worker=worker)

    def export(self, folder: str | Path, *, to: str = "excel") -> list[Path]:
        """Write returns, positions, trades and figures for another tool into `folder`.

        `to` is "quantstats" (returns.csv: daily returns of strategy and benchmark), "excel"
        (run.xlsx, a sheet per table) or "parquet" (a file per table). Times are of UTC, without
        a zone. Files of these names are replaced; returned are those written.
        """
        from backtests.records.exports import hand_over_run, require_formats, write_tables

        require_formats([to], parameter="to")
        return write_tables(hand_over_run(self.run, self.summary), Path(folder), formats=[to])

    def card(self) -> Card:
        """Return the run in brief."""
        headings = {name: columns_of(self.run)[name] for name in BRIEF_COLUMNS}
        figures = self.summary.figures
        table = pd.DataFrame(
            {
                heading: {
                    FIGURES[row].label: figure_text(row, figures[name].get(row)) for row in BRIEF
                }
                for name, heading in headings.items()
            }
        )
        said = (self.verdict, self.conclusion)
        return Card(headline(self.run), table, said, self.warnings)

    @property
    def _columns(self) -> list[str]:
        return list(columns_of(self.run))

    @property
    def _parts(self) -> tuple[Run, Summary, Significance, RunJudgement, CostSensitivity]:
        return self.run, self.summary, self.significance, self.judgement, self.costs

    @cached_property
    def summary(self) -> Summary:
        """The figures of every account, the trades, the drawdowns, as one value."""
        return summarise(self.run)

    @cached_property
    def significance(self) -> Significance:
        """Whether it could be luck: intervals, probabilities and the same rule at random times."""
        return significance(self.run)

    @cached_property
    def costs(self) -> CostSensitivity:
        """The run at other costs, and up to which costs the rule is ahead of holding."""
        return cost_sensitivity(self.run, cost_runs(self.run))

    @cached_property
    def judgement(self) -> RunJudgement:
        """What may be said of the run, in sentences."""
        return judge_run(run_facts(self.run), self.summary, self.significance)


def tearsheet(result: Result, path: str | Path = "tearsheet.html") -> Path:
    """Write a result's page, one self-contained file, and return its path.

    Examples
    --------
    >>> import backtests as bt
    >>> result = bt.backtest("ETH", source="sample", start="2025-01-01")
    >>> bt.tearsheet(result, "eth.html").name
    'eth.html'
    """
    if not isinstance(result, Result):
        raise ConfigError(
            f"`result` must be what bt.backtest(...) returns, received {type(result).__name__}."
        )
    return result.tearsheet(path)


def _html_place(path: str | Path) -> Path:
    place = Path(path)
    if place.is_dir() or not place.parent.is_dir():
        raise ConfigError(
            f"`path` must be a file in a folder that is there, received {str(path)!r}. Name one "
            'such as "tearsheet.html".'
        )
    return place
