"""Fill the cache ahead: `python -m feeds.download --assets BTC,ETH,ALTS --index russell2000`."""

import argparse
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from functools import partial
from typing import TYPE_CHECKING, Final

from feeds import instruments
from feeds.bars import Bars
from feeds.cache.updates import Cache
from feeds.checks import findings
from feeds.commands import Parser, complain, exit_code, progress_bar, run_command
from feeds.errors import ConfigError, InputError, NotServed, Unreachable
from feeds.folders import cache_folder
from feeds.history import source_in_words
from feeds.instruments import SERIES_NAME
from feeds.live import Live
from feeds.series_sources import LiveSeries, open_live_series
from feeds.sessions import BAR_LENGTHS
from feeds.sources import Request
from feeds.universe import altcoins
from feeds.vendors.registry import VENDORS, DownloadStep, Watcher, open_vendor

if TYPE_CHECKING:
    from rich.progress import Progress

BASKET: Final = "ALTS"
WORKERS: Final = 4

EXAMPLES: Final = """\
  python -m feeds.download --assets BTC,ETH,ALTS --index russell2000
  python -m feeds.download --assets BTC --timeframe 1h --source exchange
  python -m feeds.download --series NET_LIQUIDITY,VIX
  python -m feeds.download --universe binance --timeframe 1d
"""


def main(
    arguments: Sequence[str] | None = None,
    *,
    live: Live | None = None,
    live_series: LiveSeries | None = None,
) -> int:
    """Fetch what is asked for and return the exit code; tests bring their own sources."""
    return run_command(partial(_work, live=live, live_series=live_series), arguments)


def _work(
    arguments: Sequence[str] | None, *, live: Live | None, live_series: LiveSeries | None
) -> int:
    options = command_parser().parse_args(arguments)
    if options.universe or options.symbols:
        return _universe(options)
    requests, names = _requests(options), _series(options.series)
    with progress_bar(quiet=options.quiet) as progress:
        source = live or Live(
            Cache(cache_folder(options.cache_dir)),
            vendor=None if options.source == "auto" else options.source,
            open_vendor=partial(open_vendor, watch=_watcher(progress)),
        )
        outcomes = dict(_fetch(source, requests, anew=options.anew, progress=progress))
    failures: dict[object, InputError] = {}
    for request in requests:
        outcome = outcomes[request]
        if not isinstance(outcome, InputError):
            _report(request, outcome, quiet=options.quiet)
        elif request.is_optional and isinstance(outcome, NotServed):
            if not options.quiet:
                sys.stderr.write(f"left out of {BASKET}: {outcome}\n")
        else:
            failures[request] = outcome
    series = live_series or open_live_series(cache_dir=options.cache_dir)
    failures.update(_failed_series(series, names))
    return _failures(failures)


def _series(text: str) -> list[str]:
    """Return the names of series, each once."""
    names = [name.strip().upper() for name in text.split(",") if name.strip()]
    for name in names:
        if not re.fullmatch(SERIES_NAME, name):
            raise ConfigError(
                f"`--series` must name series by letters and digits, as M2SL, received {name!r}."
            )
    return list(dict.fromkeys(names))


def _failed_series(source: LiveSeries, names: Sequence[str]) -> dict[object, InputError]:
    """Fetch each series, say what it holds, and return what failed."""
    failures: dict[object, InputError] = {}
    for name in names:
        try:
            series = source.load(name)
        except InputError as error:
            failures[name] = error
            continue
        first, last = series.frame.index[0], series.frame.index[-1]
        sys.stdout.write(
            f"{name}: {len(series)} values of {series.source}, {first:%Y-%m-%d} to "
            f"{last:%Y-%m-%d}\n"
        )
    return failures


def _failures(failures: Mapping[object, InputError]) -> int:
    """Say what failed, a dead network once, and return the exit code."""
    unreached = {str(r): error for r, error in failures.items() if isinstance(error, Unreachable)}
    for error in failures.values():
        if not isinstance(error, Unreachable):
            complain(error)
    if unreached:
        complain(min(unreached.values(), key=lambda error: len(str(error))))
        sys.stderr.write(f"not fetched: {', '.join(unreached)}\n")
    return min(map(exit_code, failures.values()), default=0)


def command_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(
        prog="python -m feeds.download",
        description="Fill the cache ahead of a run.",
        examples=EXAMPLES,
    )
    parser.add_argument(
        "--assets", help="coins, comma-separated (BTC,ETH); ALTS is a basket of them"
    )
    parser.add_argument("--index", help="indices, comma-separated (russell2000); empty for none")
    parser.add_argument(
        "--series",
        default="",
        help="for filters, comma-separated: NET_LIQUIDITY, VIX, DGS10, ETF_FLOWS, FEAR_GREED",
    )
    parser.add_argument(
        "--universe",
        choices=("binance",),
        help="every altcoin a venue ever listed, dead ones included, from its public archive",
    )
    parser.add_argument(
        "--symbols", default="", help="of the universe, comma-separated; to try it with a few"
    )
    lengths = tuple(BAR_LENGTHS)
    parser.add_argument("--timeframe", default="1d", choices=lengths, help="of the coins' bars")
    parser.add_argument(
        "--index-timeframe", default="1d", choices=("1d", "1h"), help="of the index bars"
    )
    parser.add_argument("--source", default="auto", choices=("auto", *VENDORS))
    parser.add_argument("--cache-dir", default="", help="default: the user's cache folder")
    parser.add_argument("--anew", action="store_true", help="fetch everything again in full")
    parser.add_argument(
        "--quiet", action="store_true", help="no progress and no remarks, only results"
    )
    return parser


def _universe(options: argparse.Namespace) -> int:
    """Fetch a universe; bars of single coins and indices are another call's."""
    from feeds.archive.download import download_universe
    from feeds.archive.folder import ArchiveFolder

    if not options.universe:
        raise ConfigError("`--symbols` limits a universe. Name it too: --universe binance.")
    if options.assets or options.index or options.series:
        raise ConfigError(
            "`--universe` is fetched by itself, received --assets, --index or --series as well. "
            "Fetch them with a second call."
        )
    if options.timeframe != "1d":
        raise ConfigError(
            f"`--timeframe` of a universe must be 1d, received {options.timeframe}: coins are "
            "ranked by the days they trade."
        )
    folder = ArchiveFolder(cache_folder(options.cache_dir), timeframe=options.timeframe)
    symbols = [name for name in options.symbols.split(",") if name.strip()]
    return download_universe(folder, symbols=symbols, anew=options.anew, quiet=options.quiet)


def _requests(options: argparse.Namespace) -> list[Request]:
    assets = "BTC,ETH" if options.assets is None else options.assets
    named = "russell2000" if options.index is None else options.index
    coins = [name.strip().upper() for name in assets.split(",") if name.strip()]
    indices = [name for name in named.split(",") if name.strip()]
    wanted = [
        *(Request(instruments.index(name), options.index_timeframe) for name in indices),
        *(Request(instruments.coin(name), options.timeframe) for name in coins if name != BASKET),
    ]
    if BASKET in coins:
        members = altcoins(options.source, data_dir="", timeframe=options.timeframe)
        there = {request.instrument for request in wanted}
        wanted += [Request(m, options.timeframe, True) for m in members if m not in there]
    if not wanted and not options.series:
        raise ConfigError("`--assets`, `--index` and `--series` are empty. Name what to fetch.")
    return list(dict.fromkeys(wanted))


def _watcher(progress: "Progress") -> Watcher:
    """Return what shows how far a long history has got, page by page."""

    def show(step: DownloadStep) -> None:
        text = f"{step.vendor} {step.symbol}: {step.reached:%Y-%m-%d}"
        for task in progress.task_ids:
            progress.update(task, description=text)

    return show


def _fetch(
    live: Live, requests: Sequence[Request], *, anew: bool, progress: "Progress"
) -> Iterator[tuple[Request, Bars | InputError]]:
    """Fetch from several vendors at once and yield each request as it is done or has failed."""
    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        task = progress.add_task("fetching", total=len(requests))
        running: dict[Future[Bars], Request] = {
            pool.submit(live.refresh, r.instrument, timeframe=r.timeframe, anew=anew): r
            for r in requests
        }
        try:
            for future in as_completed(running):
                progress.update(task, advance=1, description=str(running[future]))
                yield running[future], _outcome(future)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _outcome(future: Future[Bars]) -> Bars | InputError:
    try:
        return future.result()
    except InputError as error:
        return error


def _report(request: Request, bars: Bars, *, quiet: bool) -> None:
    first, last = bars.frame.index[0], bars.frame.index[-1]
    parts = f": {source_in_words(bars)}" if bars.spans else ""
    sys.stdout.write(
        f"{request}: {len(bars)} bars of {bars.source}, {first:%Y-%m-%d} to {last:%Y-%m-%d}"
        f"{parts}\n"
    )
    if quiet:
        return
    for note in (*bars.notes, *(finding.text for finding in findings(bars))):
        sys.stderr.write(f"{note}\n")


if __name__ == "__main__":
    sys.exit(main())
