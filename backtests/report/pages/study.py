"""The pages of the studies: what is shown, in which words; the looks are in the templates."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from backtests.analysis.event_effects import LEVEL
from backtests.claims.answers import evidence
from backtests.claims.runner import AssetStudy, Judged, Study
from backtests.claims.verdicts import BEYOND_LUCK
from backtests.report.charts.effects import curve_chart, forest_chart
from backtests.report.charts.figure_dicts import Spec, UndrawableError
from backtests.report.charts.study import CHARTS
from backtests.report.charts.today import episodes_chart
from backtests.report.pages.page_base import mailable, render
from backtests.report.pages.page_parts import Banner, Panel
from backtests.report.pages.study_tables import (
    HORIZON_COLUMNS,
    bars_row,
    episode_rows,
    horizon_rows,
    rate_rows,
)
from backtests.report.words import notation as written
from backtests.report.words.claims import (
    INTERVAL,
    P_HEADING,
    among_all,
    curve_words,
    evidence_in_words,
    interval,
    mechanism_sentence,
    p_values,
    probability,
    reason,
    ruled_out,
    since_in_words,
    size,
    stated_in_words,
    tally,
)
from backtests.report.words.today import forebears_words
from feeds.instruments import SAMPLE_SOURCE

STYLES: Final = {"supported": "yes", BEYOND_LUCK: "yes", "ruled_out": "no"}


def claims_page(judged: list[Judged], studies: list[Study], *, library_file: str = "") -> str:
    """Return the page with a row per finding and a link to each claim's study."""
    tested = [one for one in judged if math.isfinite(one.adjusted_p)]
    readings = _first_readings(judged)
    content = {
        **_origin(studies),
        "number_columns": list(_numbers(judged[0])),
        "findings": len(judged),
        "claims": _claims(judged, readings),
        "take_home": _take_home(judged, studies),
        "since": _since(studies),
        "tested": len(tested),
        "low": sum(one.finding.hardest_p <= LEVEL for one in tested),
        "draws": studies[0].draws,
    }
    forest = _drawn_panel("forest", lambda: forest_chart(fairest(judged)))
    return render(
        "claims.html.j2",
        content,
        banner=_banner(studies),
        panels={"forest": forest},
        library_file=library_file,
    )


def study_page(
    study: Study,
    judged: list[Judged],
    *,
    claims_link: str = "",
    mechanism_link: str = "",
    library_file: str = "",
) -> str:
    """Return the page of one study: verdicts, charts and tables of each asset.

    Among many, `claims_link` leads to the page of all, `mechanism_link` to that of the mechanism
    behind the claim, and `library_file` draws the charts.
    """
    own = [one for one in judged if one.study == study.name]
    content = {
        **_origin([study]),
        "study": study,
        "rows": [_row(one) for one in own],
        "tally": tally([one.finding for one in own], noun="finding") if len(own) > 1 else "",
        "assets": [_asset(place, asset, study) for place, asset in enumerate(study.assets)],
        "horizon_columns": HORIZON_COLUMNS.values(),
        "curve": curve_words(study.curve),
        "claims_link": claims_link,
        "mechanism_link": mechanism_link,
        "since": _since([study]),
        "mechanism": _mechanism(study),
        "config": mailable(study.config).to_toml(),
    }
    panels = {
        f"{name}-{place}": _panel(f"{name}-{place}", name, asset, study)
        for place, asset in enumerate(study.assets)
        for name in CHARTS
    }
    for place, asset in enumerate(study.assets):
        draw = partial(episodes_chart, asset.forebears)
        panels[f"now-{place}"] = _drawn_panel(f"now-{place}", draw)
    if (curve := study.curve) is not None:
        panels["curve"] = _drawn_panel("curve", lambda: curve_chart(curve))
    return render(
        "study.html.j2",
        content,
        banner=_banner([study]),
        panels=panels,
        library_file=library_file,
    )


def _mechanism(study: Study) -> str:
    if not study.has_mechanism:
        return ""
    return mechanism_sentence(study.mechanism, published=study.claim.published)


def figures_row(one: Judged) -> dict[str, Any]:
    """Return a finding as plain values, for tables and JSON; undefined is NaN."""
    found, is_claim = one.finding, one.claim.is_claim
    return {
        "claim" if is_claim else "study": one.study,
        "statement": one.claim.statement,
        "asset": found.asset,
        **({"reading": found.reading, "published": one.claim.published} if is_claim else {}),
        "index": found.index,
        "event": found.event,
        "horizon_days": found.horizon_days,
        "figure": found.figure,
        **({"stated_figure": found.stated_figure} if is_claim else {}),
        "unit": found.unit,
        "effect": found.estimate,
        "low": found.low,
        "high": found.high,
        **({"claimed": found.claimed} if is_claim else {}),
        "detectable": found.detectable,
        "left_out": found.left_out,
        "episodes": found.episodes,
        "p": found.p_value,
        "p_era": found.p_era,
        "p_matched": found.p_matched,
        "p_all_counted": one.adjusted_p,
        **({"as_stated": found.as_stated, "evidence": evidence(found)} if is_claim else {}),
        "ruled_out_above": found.high,
        "verdict": one.verdict,
        "reason": written.hyphen_minus(reason(found)),
        "counted": among_all(found.hardest_p, one.adjusted_p, findings=one.tested),
    }


def _row(one: Judged) -> dict[str, Any]:
    found = one.finding
    return {
        **figures_row(one),
        "figure": written.true_minus(found.figure),
        "stated_figure": written.true_minus(found.stated_figure),
        "reason": reason(found),
        "numbers": _numbers(one),
        "cards": _cards(one),
        "style": STYLES.get(evidence(found) if one.claim.is_claim else one.verdict, "open"),
        "reading": found.reading,
        "stated": stated_in_words(found),
        "is_untested": math.isnan(found.estimate),
        "answer": evidence_in_words(found) if one.claim.is_claim else one.verdict,
        "sizes": ruled_out(found),
        "dates": ", ".join(found.dates),
    }


def _claims(judged: list[Judged], readings: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return each claim with the findings of its fairest reading, and of all others."""
    claims: dict[str, dict[str, Any]] = {}
    for one in judged:
        is_fairest = one.finding.reading == readings[one.study]
        of_claim = claims.setdefault(one.study, {"fairest": [], "others": []})
        of_claim["fairest" if is_fairest else "others"].append(
            _row(one) | {"is_fairest": is_fairest}
        )
    return list(claims.values())


def fairest(judged: list[Judged]) -> list[Judged]:
    """Return the findings of each claim's first reading, which is the fairest."""
    first = _first_readings(judged)
    return [one for one in judged if one.finding.reading == first[one.study]]


def _first_readings(judged: list[Judged]) -> dict[str, str]:
    return {one.study: one.finding.reading for one in reversed(judged)}


def _take_home(judged: list[Judged], studies: list[Study]) -> str:
    """Return the one line over all claims, each by its fairest reading and first asset."""
    first = {one.study: one for one in reversed(judged)}
    followed = [next(iter(study.since.values()), None) for study in studies]
    known = [one for one in followed if one is not None]
    days = max((one.days for one in known), default=0.0)
    ups = [one.value > 0 for one in known]
    return tally([one.finding for one in first.values()], noun="claim", ups=ups, days=days)


def _since(studies: list[Study]) -> list[str]:
    """Return what followed each claim, each asset and day of publication once."""
    texts = [
        since_in_words(name, study.claim, since)
        for study in studies
        for name, since in study.since.items()
    ]
    return [text for text in dict.fromkeys(texts) if text]


def _numbers(one: Judged) -> dict[str, str]:
    """Return a finding's numbers by the columns of the table of all."""
    cards = _cards(one)
    return {
        "Effect": cards["Effect"],
        INTERVAL: cards[INTERVAL],
        "Detectable": cards["Detectable"],
        P_HEADING: cards[P_HEADING],
        "All counted": probability(one.adjusted_p),
        "Episodes": cards["Episodes"],
    }


def _cards(one: Judged) -> dict[str, str]:
    found = one.finding
    return {
        "Effect": size(found.estimate, found.unit),
        INTERVAL: interval(found),
        P_HEADING: p_values(found),
        "Episodes": written.count(found.episodes) if found.episodes else written.UNDEFINED,
        "Detectable": size(found.detectable, found.unit),
    }


def _panel(panel_name: str, chart_name: str, asset: AssetStudy, study: Study) -> Panel:
    return _drawn_panel(panel_name, lambda: CHARTS[chart_name](asset, study.claim))


def _drawn_panel(name: str, draw: Callable[[], Spec]) -> Panel:
    try:
        return Panel(name, draw())
    except UndrawableError as error:
        return Panel(name, reason=str(error))


def _asset(place: int, asset: AssetStudy, study: Study) -> dict[str, Any]:
    own = asset.events
    lead = asset.lead_lag
    return {
        "place": place,
        "name": own.asset,
        "event": written.words(own.event),
        "horizons": horizon_rows(own.horizons),
        "rates": rate_rows(own.asset, study),
        "episodes": episode_rows(own.episodes),
        "returns": [
            f"{str(name)[7:-1]} days" for name in own.episodes if str(name).startswith("return_")
        ],
        "leader": lead.leader,
        "forebears": _this_time(asset),
        "asymmetry": lead.asymmetry,
    }


def _this_time(asset: AssetStudy) -> list[str]:
    """Return how the present episode compares; nothing where none is running."""
    found = asset.forebears
    return forebears_words(found) if found is not None and found.is_running else []


def _origin(studies: list[Study]) -> dict[str, Any]:
    """Return the bars read, each once, and what is remarkable about them."""
    found = {str(bars["symbol"]): bars for study in studies for bars in study.bars}
    return {
        "bars": [bars_row(found[symbol]) for symbol in sorted(found)],
        "notes": list(dict.fromkeys(note for study in studies for note in study.notes)),
    }


def _banner(studies: list[Study]) -> Banner:
    is_sample = any(bars["source"] == SAMPLE_SOURCE for study in studies for bars in study.bars)
    return Banner(is_sample, tuple(dict.fromkeys(one for each in studies for one in each.leaks)))
