"""The pages of the studies: what is shown, in which words; the looks are in the templates."""

import math
from functools import cache
from importlib.resources import files
from typing import Any, Final

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from backtests.analysis.effects import LEVEL
from backtests.claims.runner import AssetStudy, Judged, Study
from backtests.claims.verdicts import BEYOND_LUCK, NOT_SUPPORTED, SUPPORTED, Finding
from backtests.report.charts import palette
from backtests.report.charts import study as charts
from backtests.report.pages.base import mailable
from backtests.report.words import notation as written
from backtests.report.words.claims import among_all, reason

UNITS: Final = {"growth": " %", "share": " points", "correlation": ""}
STYLES: Final = {SUPPORTED: "yes", BEYOND_LUCK: "yes", NOT_SUPPORTED: "no"}

HORIZON_COLUMNS: Final = {
    "horizon_days": "Days",
    "episodes": "Episodes",
    "independent": "Without overlap",
    "mean": "Mean",
    "mean_low": "low",
    "mean_high": "high",
    "median": "Median",
    "hit_rate": "Rose",
    "other_mean": "Other dates: mean",
    "other_median": "median",
    "other_hit_rate": "rose",
    "excess": "Effect",
    "excess_low": "low",
    "excess_high": "high",
    "p_value": "p",
    "p_holm": "p (all horizons)",
    "detectable": "Detectable",
    "left_out_low": "One left out: from",
    "left_out_high": "to",
    "adverse_mean": "Deepest low: mean",
    "adverse_worst": "worst",
}
COUNTS: Final = ("horizon_days", "episodes", "independent")


def claims_page(judged: list[Judged], studies: list[Study]) -> str:
    """Return the page with a row a finding and a link to each claim's study."""
    tested = [one for one in judged if math.isfinite(one.adjusted_p)]
    supported = [one for one in tested if one.verdict == SUPPORTED]
    tally: dict[str, int] = {}
    for one in judged:
        tally[one.verdict] = tally.get(one.verdict, 0) + 1
    lasting = sum(one.adjusted_p <= LEVEL for one in supported)
    if supported and lasting < len(supported):
        name = f"supported ({lasting or 'none'} of them once all are counted)"
        tally = {name if key == SUPPORTED else key: number for key, number in tally.items()}
    return _render(
        "claims.html.j2",
        rows=[_row(one) for one in judged],
        tally=tally,
        tested=len(tested),
        low=sum(one.finding.p_value <= LEVEL for one in tested),
        draws=studies[0].draws,
        bars=_bars(studies),
        notes=_notes(studies),
    )


def study_page(study: Study, judged: list[Judged], *, claims_link: str = "") -> str:
    """Return the page of one study: verdicts, pictures and tables of each asset."""
    return _render(
        "study.html.j2",
        study=study,
        rows=[_row(one) for one in judged if one.study == study.name],
        assets=[_asset(asset, study) for asset in study.assets],
        claims_link=claims_link,
        bars=_bars([study]),
        notes=_notes([study]),
        config=mailable(study.config).to_toml(),
    )


def figures_row(one: Judged) -> dict[str, Any]:
    """Return a finding as plain values, for tables and JSON; undefined is NaN."""
    found, is_claim = one.finding, one.claim.is_claim
    return {
        "claim" if is_claim else "study": one.study,
        "statement": one.claim.statement,
        "index": found.index,
        "event": found.event,
        "asset": found.asset,
        "horizon_days": found.horizon_days,
        "figure": found.figure,
        "unit": found.unit,
        "estimate": found.estimate,
        "low": found.low,
        "high": found.high,
        **({"claimed": found.claimed} if is_claim else {}),
        "detectable": found.detectable,
        "left_out": found.left_out,
        "episodes": found.episodes,
        "p_value": found.p_value,
        "p_adjusted": one.adjusted_p,
        "verdict": one.verdict,
        "reason": reason(found),
        "counted": among_all(found.p_value, one.adjusted_p, findings=one.tested),
    }


def size(value: float, unit: str) -> str:
    """Return an effect in its unit, with a sign."""
    if not math.isfinite(value):
        return written.UNDEFINED
    if unit == "correlation":
        return f"{value:+.2f}"
    return f"{value * 100:+.0f}{UNITS[unit]}"


def interval(found: Finding) -> str:
    """Return the bounds of an effect, the unit named once."""
    if not math.isfinite(found.low):
        return written.UNDEFINED
    low = size(found.low, found.unit).removesuffix(UNITS[found.unit])
    return f"{low} to {size(found.high, found.unit)}"


def probability(value: float) -> str:
    """Return a p-value with the digits it has."""
    if not math.isfinite(value):
        return written.UNDEFINED
    return f"{value:.4f}" if value < 0.01 else f"{value:.2f}"


def _row(one: Judged) -> dict[str, Any]:
    found = one.finding
    p_value, counted = probability(found.p_value), probability(one.adjusted_p)
    return {
        **figures_row(one),
        "source": one.claim.source,
        "support": one.claim.support,
        "effect": size(found.estimate, found.unit),
        "interval": interval(found),
        "p": p_value,
        "p_both": f"{p_value} ({counted})" if math.isfinite(one.adjusted_p) else p_value,
        "detectable": size(found.detectable, found.unit),
        "episodes": found.episodes or written.UNDEFINED,
        "style": STYLES.get(one.verdict, "open"),
    }


def _asset(asset: AssetStudy, study: Study) -> dict[str, Any]:
    own = asset.events
    lead = asset.lead_lag
    return {
        "name": own.asset,
        "event": written.words(own.event),
        "path": charts.path_chart(asset),
        "horizon": charts.horizon_chart(asset),
        "placebo": charts.placebo_chart(asset, study.claim),
        "delay": charts.delay_chart(asset),
        "lag": charts.lag_chart(asset),
        "rolling": charts.rolling_chart(asset),
        "horizons": _horizon_rows(own.horizons),
        "episodes": _episode_rows(own.episodes),
        "returns": [name for name in own.episodes if str(name).startswith("return_")],
        "leader": lead.leader,
        "asymmetry": lead.asymmetry,
    }


def _horizon_rows(table: pd.DataFrame) -> list[list[str]]:
    rows = []
    for record in table.to_dict("records"):
        cells = []
        for name in HORIZON_COLUMNS:
            value = float(record[name])
            if name in COUNTS:
                cells.append(written.count(value))
            elif name.startswith("p_"):
                cells.append(probability(value))
            else:
                cells.append(written.percent_number(value))
        rows.append(cells)
    return rows


def _episode_rows(table: pd.DataFrame) -> list[list[str]]:
    rows = []
    for record in table.to_dict("records"):
        cells = [written.date(record[name]) for name in ("session", "last_event", "entry_time")]
        cells.insert(2, written.count(record["events"]))
        returns = [value for name, value in record.items() if str(name).startswith("return_")]
        rows.append(cells + [written.percent_number(float(value)) for value in returns])
    return rows


def _bars(studies: list[Study]) -> list[dict[str, Any]]:
    found = {str(bars["symbol"]): bars for study in studies for bars in study.bars}
    return [found[symbol] for symbol in sorted(found)]


def _notes(studies: list[Study]) -> list[str]:
    return list(dict.fromkeys(note for study in studies for note in study.notes))


def _render(name: str, **content: Any) -> str:
    template = _environment().get_template(name)
    colours = {"light": palette.LIGHT, "dark": palette.DARK}
    return template.render(**content, **colours, columns=HORIZON_COLUMNS, css=_style_sheet())


@cache
def _style_sheet() -> Markup:
    text = files("backtests.report").joinpath("templates/study.css").read_text("utf-8")
    return Markup(text)  # noqa: S704 - our own file


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("backtests.report"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
