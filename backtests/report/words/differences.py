"""What tells runs apart: the settings and bars in which they differ, and what each is called."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final

from backtests.records.saved_runs import RunRecord
from backtests.records.saved_searches import made_at
from backtests.report.words import notation as written

ABSENT: Final = "not set"
EMPTY: Final = '""'
LONGEST_LABEL: Final = 60
MOST_NAMED: Final = 2  # settings in a label
# what says where bars come from, and is no name for a rule
UNNAMED: Final = ("asset", "data.", "vendors.", "plugins", "significance.")
NAMED: Final = ("data.timeframe", "data.start", "data.end")
FACTS: Final = ("first bar", "last bar", "sources of bars")
FILTERS: Final = "filters"
NO_FILTER: Final = "none"
AT_RELEASE: Final = ", known at its release"
LEVEL_RULES: Final = ("above", "below")

# a setting and every run's value of it
Difference = tuple[str, list[str]]


def differences(configs: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """Return each setting in which the configs differ, with every config's value."""
    sections = dict.fromkeys(name for config in configs for name in config)
    # thousands of configs share most sections: those need not be taken apart
    unlike = [name for name in sections if _is_mixed([config.get(name) for config in configs])]
    parts = [{name: config[name] for name in unlike if name in config} for config in configs]
    return _differing([dict(_settings(part)) for part in parts])


def differences_of(records: Sequence[RunRecord]) -> list[Difference]:
    """Return each setting in which the runs differ, and what differs in their bars."""
    return [*differences([run.config for run in records]), *_differing(list(map(_bars, records)))]


def filters_of_some(configs: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """Return each filter that not all configs have, with what it asks of an entry in words."""
    tables = [found if isinstance(found := each.get(FILTERS), dict) else {} for each in configs]
    names = dict.fromkeys(name for table in tables for name in table)
    rows = [(f"{FILTERS}.{name}", [_filter(table.get(name)) for table in tables]) for name in names]
    return [(name, values) for name, values in rows if NO_FILTER in values]


def fold_filters(
    rows: Sequence[Difference], filters: Sequence[Difference]
) -> tuple[list[Difference], list[Difference]]:
    """Return what differs with one row per filter that some lack, and the settings of these."""
    shown: list[Difference] = []
    folded: list[Difference] = []
    for row in rows:
        owner = next((each for each in filters if row[0].startswith(f"{each[0]}.")), None)
        if owner is not None:
            folded.append(row)
        if (told := owner or row) not in shown:
            shown.append(told)
    return shown, folded


def _filter(table: Any) -> str:
    """Return what a filter asks for, such as "VIX below 20.0, known at its release"."""
    if not isinstance(table, dict):
        return NO_FILTER
    if table.get("kind") != "series":
        window = f", window {table['window']}" if "window" in table else ""
        return f"{written.words(str(table.get('kind', '')))}{window}"
    rule, measure, lag = (str(table.get(key, "")) for key in ("rule", "measure", "lag_days"))
    counted = "" if measure == "level" else f" {written.words(measure)}"
    bound = table.get("level", "") if rule in LEVEL_RULES else f"over {table.get('window', '')}"
    known = AT_RELEASE if lag == "release" else f", lag of {lag} days"
    return f"{table.get('series', '')}{counted} {written.words(rule)} {bound}{known}"


def is_like_for_like(records: Sequence[RunRecord]) -> bool:
    """Whether all runs trade the same over the same days of the same kind of bars."""
    return len(set(map(coverage, records))) == 1


def coverage(run: RunRecord) -> tuple[str, ...]:
    """Return what two runs must share for their figures to be compared: asset, days, bars."""
    lengths = dict.fromkeys(each.timeframe for each in run.bars)
    return (run.asset, run.first, run.last, "simulated" if run.is_sample else "real", *lengths)


def is_name(setting: str) -> bool:
    """Whether a setting's value may stand in the name of a run."""
    return setting in NAMED or (not setting.startswith(UNNAMED) and setting not in FACTS)


def shown_value(text: str) -> str:
    """Return a setting's value as pages show it: of an absolute path only the last name."""
    if text == EMPTY:
        return "none"
    path = PurePath(text)
    return f".../{path.name}" if path.is_absolute() else text


def run_labels(records: Sequence[RunRecord]) -> list[str]:
    """Return what each run is called beside the others, no two alike.

    The name that its maker gave it; without one the asset and the settings in which it differs
    from another run of that asset, at most `MOST_NAMED`, each of which tells others apart; where
    two are still alike, when it was made, and last its folder.
    """
    assets = [run.asset for run in records]
    configs = [run.config for run in records]
    filters = filters_of_some(configs)
    shown, _ = fold_filters(differences(configs), filters)
    rows = [row for row in shown if is_name(row[0])]
    described = []
    for place, asset in enumerate(assets):
        peers = [other for other, traded in enumerate(assets) if traded == asset]
        told = _telling(rows, peers)[:MOST_NAMED]
        described.append([asset or "?", *(_label_text(row, place, row in filters) for row in told)])
    labels = [
        _cut(run.title or ", ".join(words)) for run, words in zip(records, described, strict=True)
    ]
    for more in (lambda run: made_at(run.name), lambda run: run.name):
        often = Counter(labels)
        labels = [
            label if often[label] == 1 else f"{label}, {more(run)}"
            for label, run in zip(labels, records, strict=True)
        ]
    return labels


def _label_text(row: Difference, place: int, is_filter: bool) -> str:
    name, values = row
    if not is_filter:
        return f"{short_name(name)} {shown_value(values[place])}"
    without = f"no {short_name(name)}"
    return without if values[place] == NO_FILTER else values[place].removesuffix(AT_RELEASE)


def short_name(setting: str) -> str:
    """Return what a setting is called in a label: the last part of its key, in words.

    A filter's is called after the filter, and its kind by that name alone; the asset held while the
    signal is off is "idle".
    """
    if setting == "idle.asset":
        return "idle"
    section, _, rest = setting.partition(".")
    own = rest.removesuffix(".kind") if section == "filters" else setting.rpartition(".")[2]
    return written.words(own.replace(".", " "))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_LABEL else f"{text[:LONGEST_LABEL]}..."


def _bars(run: RunRecord) -> dict[str, str]:
    sources = dict.fromkeys(source for each in run.bars for source in each.sources)
    facts = zip(FACTS, (run.first, run.last, ", ".join(sources)), strict=True)
    return {name: value for name, value in facts if value}


def _is_mixed(values: Sequence[Any]) -> bool:
    return any(value != values[0] for value in values)


def _telling(rows: Sequence[Difference], places: Sequence[int]) -> list[Difference]:
    """Return the rows that tell runs at these places apart, one of those that part them alike."""
    found: dict[tuple[int, ...], Difference] = {}
    for name, values in rows:
        own = [values[place] for place in places]
        if _is_mixed(own):
            found.setdefault(tuple(map(own.index, own)), (name, values))
    return list(found.values())


def _differing(flat: Sequence[dict[str, str]]) -> list[Difference]:
    names = dict.fromkeys(name for each in flat for name in each)
    rows = [(name, [each.get(name, ABSENT) for each in flat]) for name in names]
    return [(name, values) for name, values in rows if len(set(values)) > 1]


def _settings(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _settings(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value) or EMPTY
