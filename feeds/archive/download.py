"""Fill the cache with a whole universe, and say what came of it."""

import difflib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import pandas as pd

from feeds.archive.client import Client
from feeds.archive.folder import ArchiveFolder, ArchiveState
from feeds.archive.pair_table import QUOTE, base_of
from feeds.archive.universe import Universe, name_of
from feeds.archive.update import Archive, Update
from feeds.commands import complain, exit_code, progress_bar
from feeds.errors import ConfigError, DataError, InputError, Unreachable
from feeds.sessions import Clock, utc_now
from feeds.universe import reason_against

MEGABYTE: Final = 1e6
LINES_SHOWN: Final = 20

Outcome = Update | InputError


def download_universe(
    folder: ArchiveFolder,
    *,
    symbols: Sequence[str] = (),
    anew: bool = False,
    quiet: bool = False,
    client: Client | None = None,
    clock: Clock = utc_now,
) -> int:
    """Bring the pairs up to date, put them into one file, and return the exit code.

    With `symbols` only those coins are asked for. What was interrupted goes on where it was.

    Raises
    ------
    InputError
        If the archive cannot be listed, or a symbol is not in it.
    """
    with folder.writing():
        started = clock()
        archive = Archive(folder.pairs, timeframe=folder.timeframe, client=client, clock=clock)
        listed = archive.pairs()
        if not listed:
            raise DataError(
                f"the archive lists no pair in {QUOTE}. Check the address `binance_listing`."
            )
        wanted = _choose(listed, symbols)
        outcomes: dict[str, Outcome] = {}
        try:
            outcomes.update(_watch(archive.updates(wanted, anew=anew), len(wanted), quiet))
        finally:
            folder.write_state(_known_values(folder.state(), listed, outcomes, started))
        folder.build()
    if not quiet:
        _report(outcomes.values())
    code = _failures(outcomes)
    sys.stdout.write(_summary(Universe(folder), folder, outcomes.values()))
    return code


def _choose(listed: Sequence[str], symbols: Sequence[str]) -> list[str]:
    wanted = []
    for symbol in symbols:
        coin = symbol.strip().upper().removesuffix(QUOTE)
        if f"{coin}{QUOTE}" not in listed:
            near = difflib.get_close_matches(coin, [base_of(pair) for pair in listed], n=1)
            against = reason_against(coin, listed=[base_of(pair) for pair in listed])
            reason = against or "the archive has no such pair in USDT"
            hint = f"The nearest is {near[0]}." if near else "Leave it out."
            raise ConfigError(f"`--symbols` names {symbol}: {reason}. {hint}")
        wanted.append(f"{coin}{QUOTE}")
    return list(dict.fromkeys(wanted)) or list(listed)


def _watch(
    updates: Iterator[tuple[str, Outcome]], total: int, quiet: bool
) -> Iterator[tuple[str, Outcome]]:
    with progress_bar(quiet=quiet) as progress:
        task = progress.add_task("listing", total=total)
        for pair, outcome in updates:
            progress.update(task, advance=1, description=pair)
            yield pair, outcome


def _known_values(
    before: ArchiveState,
    listed: Sequence[str],
    outcomes: Mapping[str, Outcome],
    started: pd.Timestamp,
) -> ArchiveState:
    """Return what is known after a run: a pair that failed stands where it stood."""
    done = {pair for pair, outcome in outcomes.items() if isinstance(outcome, Update)}
    refused = {pair: reason for pair, reason in before.refused.items() if pair not in done}
    refused |= {
        pair: str(outcome)
        for pair, outcome in outcomes.items()
        if type(outcome) is DataError
    }  # fmt: skip
    checked = dict(before.checked) | dict.fromkeys(done, started.isoformat())
    return ArchiveState(tuple(listed), checked, refused)


def _report(outcomes: Iterable[Outcome]) -> None:
    """Say on stderr what was repaired and what is not there."""
    updates = sorted(
        (each for each in outcomes if isinstance(each, Update)), key=lambda each: each.pair
    )
    notes = [note for update in updates for note in update.notes]
    holes = [f"{update.pair} {', '.join(update.holes)}" for update in updates if update.holes]
    if holes:
        notes.append(f"the archive has no file of these months in between: {name_of(holes)}")
    for note in notes[:LINES_SHOWN]:
        sys.stderr.write(f"{note}\n")
    if len(notes) > LINES_SHOWN:
        sys.stderr.write(f"and {len(notes) - LINES_SHOWN} notes more\n")


def _failures(outcomes: Mapping[str, Outcome]) -> int:
    """Say what failed, a dead network once, and return the exit code."""
    silent = {pair: each for pair, each in outcomes.items() if isinstance(each, Unreachable)}
    errors = [each for each in outcomes.values() if isinstance(each, InputError)]
    lines = [str(each) for each in errors if not isinstance(each, Unreachable)]
    lines += [
        line for each in outcomes.values() if isinstance(each, Update) for line in each.failures
    ]
    for line in sorted(lines)[:LINES_SHOWN]:
        complain(line)
    if len(lines) > LINES_SHOWN:
        complain(f"{len(lines) - LINES_SHOWN} more files could not be had")
    if silent:
        complain(min(map(str, silent.values()), key=len))
        sys.stderr.write(f"not brought up to date: {name_of(sorted(silent))}\n")
    return 1 if lines else min(map(exit_code, errors), default=0)


def _summary(universe: Universe, folder: ArchiveFolder, outcomes: Iterable[Outcome]) -> str:
    updates = [each for each in outcomes if isinstance(each, Update)]
    return (
        f"{universe.summary()}; {sum(each.fetched for each in updates):,} files fetched, "
        f"{sum(each.size for each in updates) / MEGABYTE:.1f} MB; "
        f"{folder.size / MEGABYTE:.1f} MB held in {folder.root}\n"
    )
