"""The pictures of a study, each from one of its tables."""

import numpy as np
import pandas as pd
from markupsafe import Markup

from backtests.claims.runner import AssetStudy
from backtests.config.claims import ClaimSettings
from backtests.report.charts.svg import Axis, Band, Bars, Dots, Layer, Line, Mark, chart

GROWTH = "growth"
RANDOM_BINS = 48


def path_chart(study: AssetStudy) -> Markup:
    """Return the mean path with both bands and every episode behind it."""
    path, paths = study.events.path, study.events.paths
    days = path.index.to_numpy()
    layers: list[Layer] = [Band(days, path["random_low"], path["random_high"], "random")]
    layers += [Line(days, paths[name], "episode", title=str(name)) for name in paths]
    layers += [
        Line(days, path["random_mean"], "random-mean"),
        Line(days, path["mean"], "own"),
        Mark("now", x=0.0),
    ]
    return chart(
        layers,
        title=f"{study.events.asset}: average path around the events",
        x=Axis("days from the first tradable open"),
        y=Axis(GROWTH, is_growth=True),
        height=360,
    )


def horizon_chart(study: AssetStudy) -> Markup:
    """Return the effect against random dates at each horizon, with what could be detected."""
    table = study.events.horizons
    rows = np.arange(len(table), dtype=np.float64)
    titles = [
        f"{days} days: {excess * 100:+.0f} % beyond random dates, p {p_value:.3f}, "
        f"{episodes} episodes"
        for days, excess, p_value, episodes in zip(
            *(table[name].tolist() for name in ("horizon_days", "excess", "p_value", "episodes")),
            strict=True,
        )
    ]
    layers: list[Layer] = [
        Bars(rows, table["detectable"], "detectable", 0.7),
        Dots(rows, table["excess"], table["excess_low"], table["excess_high"], "own", titles),
    ]
    return chart(
        layers,
        title=f"{study.events.asset}: effect by horizon",
        x=Axis("horizon in days"),
        y=Axis(GROWTH, is_growth=True),
        x_texts=[(float(row), f"{days}") for row, days in enumerate(table["horizon_days"])],
    )


def placebo_chart(study: AssetStudy, claim: ClaimSettings) -> Markup:
    """Return how often random episodes did how well, and where the real ones stand."""
    if study.drawn.size == 0:
        return Markup("")
    counts, edges = np.histogram(study.drawn, bins=RANDOM_BINS)
    middles = (edges[:-1] + edges[1:]) / 2
    growth = Axis(f"mean growth over {claim.horizon_days} days", is_growth=True)
    marks = growth.ticks(float(edges[0]), float(edges[-1]))
    layers: list[Layer] = [
        Bars(middles, counts, "random-bar", float(edges[1] - edges[0]) * 0.92),
        Mark("now", x=study.actual),
    ]
    return chart(
        layers,
        title=f"{study.events.asset}: mean growth of random episodes",
        x=Axis(growth.label),
        y=Axis("draws"),
        height=240,
        x_texts=[(float(np.log1p(tick)), growth.text(tick)) for tick in marks],
    )


def delay_chart(study: AssetStudy) -> Markup:
    """Return the effect by entry delay; left of zero an entry knows the future."""
    table = study.delays
    days = table["delay_days"].to_numpy()
    future = table["uses_future"].to_numpy()
    layers: list[Layer] = [
        Band(days, table["excess_low"], table["excess_high"], "own-band"),
        Line(days[future], table["excess"][future], "future", title="uses the future"),
        Line(days[~future], table["excess"][~future], "own"),
        Mark("now", x=0.0),
    ]
    return chart(
        layers,
        title=f"{study.events.asset}: effect by entry delay",
        x=Axis("entry, days after the first tradable open"),
        y=Axis(GROWTH, is_growth=True),
    )


def lag_chart(study: AssetStudy) -> Markup:
    """Return the correlation of index and coin by lag."""
    table = study.lead_lag.table
    pairs = zip(table["lag"].tolist(), table["correlation"].tolist(), strict=True)
    titles = [f"lag {lag}: {correlation:+.2f}" for lag, correlation in pairs]
    low, high = table["correlation_low"], table["correlation_high"]
    return chart(
        [Dots(table["lag"], table["correlation"], low, high, "own", titles)],
        title=f"{study.events.asset}: correlation by lag",
        x=Axis("sessions the coin comes after the index"),
        y=Axis("correlation", decimals=1),
        height=260,
    )


def rolling_chart(study: AssetStudy) -> Markup:
    """Return the rolling correlation with its interval."""
    table = study.rolling
    if table.empty:
        return Markup("")
    dates = pd.DatetimeIndex(table.index)
    x = dates.year + (dates.day_of_year - 1) / 365.25
    return chart(
        [
            Band(x, table["correlation_low"], table["correlation_high"], "own-band"),
            Line(x, table["correlation"], "own"),
        ],
        title=f"{study.events.asset}: rolling correlation",
        x=Axis("last session of 252"),
        y=Axis("correlation", decimals=1),
        height=240,
    )
