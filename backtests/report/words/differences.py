"""What tells runs apart: the settings and bars in which they differ, and what each is called."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final

from backtests.records.runs import RunRecord
from backtests.records.searches import made_at
from backtests.report.words import notation as written

ABSENT: Final = "not set"
EMPTY: Final = '""'
LONGEST_LABEL: Final = 60
MOST_NAMED: Final = 2  # settings in a label
# what says where bars come from, and is no name for a rule
UNNAMED: Final = ("asset", "data.", "vendors.", "plugins", "significance.")
NAMED: Final = ("data.timeframe", "data.start", "data.end")
FACTS: Final = ("first bar", "last bar", "sources of bars")


def differences(configs: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    """Return each setting in which the configs differ, with every config's value."""
    sections = dict.fromkeys(name for config in configs for name in config)
    # thousands of configs share most sections: those need not be taken apart
    unlike = [name for name in sections if _is_mixed([config.get(name) for config in configs])]
    parts = [{name: config[name] for name in unlike if name in config} for config in configs]
    return _differing([dict(_settings(part)) for part in parts])


def differences_of(records: Sequence[RunRecord]) -> list[tuple[str, list[str]]]:
    """Return each setting in which the runs differ, and what differs in their bars."""
    return [*differences([run.config for run in records]), *_differing(list(map(_bars, records)))]


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

    The name that its maker gave it; without one the asset and the settings in which runs of one
    asset differ, at most `MOST_NAMED`, each of which tells others apart; where two are still
    alike, when it was made, and last its folder.
    """
    assets = [run.asset for run in records]
    told: dict[tuple[int, ...], tuple[str, list[str]]] = {}
    for name, values in differences([run.config for run in records]):
        if is_name(name) and _is_mixed_within(assets, values):
            told.setdefault(tuple(map(values.index, values)), (name, values))
    named = list(told.values())[:MOST_NAMED]
    described = [
        [
            run.asset or "?",
            *(f"{short_name(name)} {shown_value(values[place])}" for name, values in named),
        ]
        for place, run in enumerate(records)
    ]
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


def _is_mixed_within(groups: Sequence[str], values: Sequence[str]) -> bool:
    """Whether values differ within a group: between groups, these tell enough."""
    return len(set(zip(groups, values, strict=True))) > len(set(groups))


def _differing(flat: Sequence[dict[str, str]]) -> list[tuple[str, list[str]]]:
    names = dict.fromkeys(name for each in flat for name in each)
    rows = [(name, [each.get(name, ABSENT) for each in flat]) for name in names]
    return [(name, values) for name, values in rows if len(set(values)) > 1]


def _settings(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _settings(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value) or EMPTY
