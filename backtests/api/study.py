"""A study in Python: `study`, and the object it returns, with its tables as frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pandas as pd

from backtests.api.card import Card, Displayable
from backtests.api.request import Subject, named_index, own_bars, settings_tree
from backtests.claims.plans import claim_file, claim_plan, config_plan, require_event
from backtests.claims.runner import Judged, Study, judge, run_study
from backtests.report.pages.study import fairest, figures_row, study_page
from backtests.report.words.claims import (
    P_HEADING,
    STATED,
    evidence_in_words,
    interval,
    p_values,
    reason,
    size,
)
from feeds.bars import Bars
from feeds.errors import ConfigError

OWN_NAMES: Final = {
    "horizons": "study.horizons",
    "draws": "study.draws",
    "seed": "study.seed",
    "assets": "claim.assets",
    "horizon_days": "claim.horizon_days",
    "gap_sessions": "claim.gap_sessions",
}


@dataclass(frozen=True, repr=False, eq=False)
class StudyResult(Displayable):
    """What a study found, as frames; `study` holds everything behind them.

    Examples
    --------
    >>> import backtests as bt
    >>> found = bt.study("new_high", asset="BTC", source="sample", draws=100, horizons=[30, 90])
    >>> found.effects[["asset", "horizon_days"]].values.tolist()
    [['BTC', 30], ['BTC', 90]]
    >>> found.episodes.columns.tolist()[:3]
    ['asset', 'session', 'last_event']
    """

    study: Study
    judged: Sequence[Judged]

    @cached_property
    def effects(self) -> pd.DataFrame:
        """What followed the event against random dates, a row per asset and horizon.

        `mean` and `median` are the growth after the event's episodes, `excess` what it was
        beyond other dates, all simple fractions; `p_value` is the share of random dates that
        did as well, NaN where that cannot be said.
        """
        return self._join({one.events.asset: one.events.horizons for one in self.study.assets})

    @cached_property
    def episodes(self) -> pd.DataFrame:
        """The event's episodes, a row per asset and episode, with what followed each."""
        return self._join({one.events.asset: one.events.episodes for one in self.study.assets})

    @cached_property
    def paths(self) -> pd.DataFrame:
        """The mean path after the event and its bands, a row per asset and day since entry."""
        tables = {one.events.asset: one.events.path.reset_index() for one in self.study.assets}
        return self._join(tables)

    @property
    def findings(self) -> pd.DataFrame:
        """The findings with their verdicts, a row each, as in findings.csv or claims.csv."""
        return pd.DataFrame([figures_row(one) for one in self.judged])

    @property
    def verdict(self) -> str:
        """The verdict and its reason; a sentence per asset where there are several."""
        return " ".join(self._sentences())

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know of the bars and series."""
        return self.study.notes

    def page(self, path: str | Path) -> Path:
        """Write the page of the study, one self-contained file, and return its path."""
        from backtests.records.atomic_writing import write_page

        return write_page(Path(path), study_page(self.study, list(self.judged)))

    def card(self) -> Card:
        """Return the study in brief."""
        found = [one.finding for one in self.judged]
        rows = [
            {
                "effect": size(one.estimate, one.unit),
                "interval": interval(one),
                P_HEADING: p_values(one),
                "episodes": str(one.episodes),
            }
            for one in found
        ]
        claim = self.study.claim
        heading = f"{claim.statement.rstrip('.')} (over {claim.horizon_days} days)"
        table = pd.DataFrame(rows, index=[one.asset for one in found])
        return Card(heading, table, self._sentences(), self.warnings)

    def _sentences(self) -> list[str]:
        first = fairest(list(self.judged))
        said = [_answer(one) for one in first]
        if len(said) == 1:
            return said
        pairs = zip(first, said, strict=True)
        return [f"{one.finding.asset}: {sentence}" for one, sentence in pairs]

    def _join(self, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        named = [table.assign(asset=asset) for asset, table in tables.items()]
        if not named:
            return pd.DataFrame()
        joined = pd.concat(named, ignore_index=True)
        return joined[["asset", *joined.columns.drop("asset")]]


def _answer(one: Judged) -> str:
    """Return what is said of a finding: of a claim's both answers, of an event its verdict."""
    found = one.finding
    if not one.claim.is_claim:
        return f"{one.verdict.capitalize()}. {reason(found)}"
    stated = STATED[found.as_stated]
    return f"As stated: {stated}. As evidence: {evidence_in_words(found)}. {reason(found)}"


def study(
    event: str | None = None,
    *,
    claim: str | Path | None = None,
    config: Subject = None,
    index: Bars | str | None = None,
    coin: Bars | None = None,
    settings: Mapping[str, Any] | None = None,
    **keywords: Any,
) -> StudyResult:
    """Study what an asset did after an event of the index, or put a claim to the bars.

    Parameters
    ----------
    event
        "new_high", "breakout", "support_held", "support_lost" or "relative_high".
    claim
        A claim instead: a preset such as "three-earlier-highs", or a file with a table [claim].
    config
        A config the event is studied under: a TOML file or a `Config`.
    index, coin, settings, keywords
        As `backtest` has them. Here `asset` or `assets` say what is studied, `horizons` over
        how many days, and `draws` and `seed` how random dates are drawn.

    Raises
    ------
    InputError
        In one line: what is wrong, what was received, and what to do.

    Examples
    --------
    >>> import backtests as bt
    >>> found = bt.study("breakout", asset="ETH", source="sample", draws=100, horizons=[90])
    >>> len(found.judged), found.judged[0].finding.event
    (1, 'breakout')
    >>> bt.study(claim="new-high-eth", source="sample", draws=100, horizons=[90]).study.name
    'new-high-eth'
    """
    if claim is not None and (event is not None or config is not None):
        raise ConfigError("`claim` brings its own event and config. Leave the others out.")
    own = own_bars(index=index, coin=coin)
    given = _lists(keywords | named_index(index), own)
    path = None if claim is None else claim_file(str(claim), parameter="claim")
    subject = config if path is None else path
    tree = settings_tree(subject, settings=settings, keywords=given, own=own, first=OWN_NAMES)
    if path is not None:
        plan = claim_plan(tree, path=path)
    else:
        checked = None if event is None else require_event(event, parameter="event", tree=tree)
        plan = config_plan(tree, event=checked, name="claim")
    found = run_study(plan, own=own)
    return StudyResult(found, judge([found]))


def _lists(keywords: Mapping[str, Any], own: Sequence[Bars]) -> dict[str, Any]:
    """Return the keywords with lists where lists are meant: `assets` and `horizons`."""
    given = dict(keywords)
    if "asset" in given and "assets" in given:
        raise ConfigError("`asset` and `assets` say the same. Leave one out.")
    coins = [bars.instrument.label for bars in own if bars.instrument.kind == "coin"]
    named = given.get("assets", given.get("asset", coins or None))
    if named is not None:
        names = named.split(",") if isinstance(named, str) else list(named)
        given["assets"] = [str(name).strip().upper() for name in names]
    if isinstance(given.get("horizons"), int):
        given["horizons"] = [given["horizons"]]
    return given
