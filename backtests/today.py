"""Is the signal on, and what is due at the next open: python -m backtests.today."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from backtests.options import Parser, add_run_options, flags, given_path, run_command
from feeds.errors import ConfigError

if TYPE_CHECKING:
    from backtests.analysis.episodes import Forebears
    from backtests.config.config import Config
    from backtests.desk.today import Evening
    from feeds.sources import Memory

NOTHING, DUE, STALE = 0, 10, 3
PAGE: Final = "today.html"
EXAMPLES: Final = """\
  python -m backtests.today --asset ETH
  python -m backtests.today --config eth.toml --config btc.toml --equity 250000 --json
  python -m backtests.today --asset BTC --end 2020-11-13 --data-dir DIR
  python -m backtests.today --journal desk.jsonl --notify tgram://TOKEN/CHAT
  python -m backtests.today --review desk.jsonl
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the answer; return 0 if nothing is to do, 10 if an order is due, 3 if bars lack."""
    answers: list[int] = []
    code = run_command(lambda given: answers.append(_work(given)), arguments)
    return code or _gravest(answers)


def command_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(
        prog="python -m backtests.today",
        description="As of the last complete bars: is the signal on, since when and why, until "
        "when, what is due at the next open, what would change it, and how this time compares. "
        "Exit code 0: nothing to do, 10: an order is due, 3: bars are missing.",
        examples=EXAMPLES,
    )
    output = add_run_options(parser, configs=True)
    output.add_argument("--json", action="store_true", help="print JSON, a list if several")
    output.add_argument("--page", action="store_true", help=f"write {PAGE} into --out as well")
    more = parser.add_argument_group("the desk")
    more.add_argument(
        "--all-claims", action="store_true", help="every claim, as if its event were traded"
    )
    more.add_argument("--equity", metavar="MONEY", help="what to trade for; default: the config's")
    more.add_argument(
        "--journal", type=given_path, metavar="FILE", help="append the decision to a chained file"
    )
    more.add_argument(
        "--review", type=given_path, metavar="FILE", help="compare a journal with today's bars"
    )
    more.add_argument(
        "--notify", action="append", default=[], metavar="URL", help="tell a change, once; Apprise"
    )
    more.add_argument("--dry-run", action="store_true", help="show what --notify would tell")
    return parser


def _work(arguments: Sequence[str] | None) -> int:
    options = command_parser().parse_args(arguments)
    if options.review is not None:
        return _review(options)
    equity = _money(options.equity)
    if options.all_claims:
        return _all_claims(options, equity)
    configs = _configs(options)
    if options.notify:
        from backtests.desk.messages import require_urls

        require_urls(options.notify)
    found = list(_evenings(configs, equity))
    _print(found, options)
    if options.page:
        _write_page(found, options.out)
    if options.journal:
        _record(found, options.journal)
    if options.notify:
        _notify(found, options)
    return _gravest(evening.exit_code for evening, _ in found)


def _configs(options: argparse.Namespace) -> "list[Config]":
    from backtests.config.config import load_config

    given = flags(options)
    files = options.config or [None]
    return [load_config(file, overrides=options.set, flags=given) for file in files]


def _all_claims(options: argparse.Namespace, equity: float | None) -> int:
    """Print what trading each claim's event would do this evening."""
    from backtests.claims.plans import claim_configs
    from backtests.desk.messages import evening_json
    from backtests.report.terminal.today import show_claims

    if options.config:
        raise ConfigError("`--config` does not fit `--all-claims`. Leave one out.")
    pairs = claim_configs(overrides=tuple(options.set), given=flags(options))
    configs = dict(pairs)
    told_of = iter(_evenings(filter(None, configs.values()), equity))
    found = {name: None if one is None else next(told_of)[0] for name, one in configs.items()}
    if options.json:
        told = {name: one and evening_json(one) for name, one in found.items()}
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
    else:
        show_claims(found)
    return _gravest(evening.exit_code for evening in found.values() if evening is not None)


def _gravest(codes: Iterable[int]) -> int:
    return max(codes, key=(NOTHING, DUE, STALE).index, default=NOTHING)


def _money(given: str | None) -> float | None:
    if given is None:
        return None
    try:
        money = float(given.replace(",", "").replace("_", ""))
    except ValueError:
        money = -1.0
    if not 0 < money < 1e15:
        raise ConfigError(
            f"`--equity` must be an amount of money above 0, such as 250000, received {given!r}."
        )
    return money


def _evenings(
    configs: "Iterable[Config]", equity: float | None
) -> "Iterator[tuple[Evening, Forebears | None]]":
    """Yield each config's evening; bars that several read are read once."""
    from backtests.desk.today import evening_of, forebears_of
    from backtests.market.inputs import load_inputs

    memories: dict[str, Memory] = {}
    for config in configs:
        memory = memories.setdefault(config.vendors.model_dump_json(), {})
        evening = evening_of(config, load_inputs(config, memory=memory), equity=equity)
        yield evening, forebears_of(evening.market, config)


def _print(found: "list[tuple[Evening, Forebears | None]]", options: argparse.Namespace) -> None:
    if not options.json:
        from backtests.report.terminal.today import show

        show(found)
        return
    from backtests.desk.messages import evening_json

    content: Any = [evening_json(*each) for each in found]
    sys.stdout.write(json.dumps(content if len(content) > 1 else content[0], indent=2) + "\n")


def _write_page(found: "list[tuple[Evening, Forebears | None]]", out: Path) -> None:
    from backtests.records.atomic_writing import require_writable, write_page
    from backtests.report.pages.today import today_page
    from feeds.sessions import utc_now

    require_writable(out)
    out.mkdir(parents=True, exist_ok=True)
    page = write_page(out / PAGE, today_page(found, made=f"{utc_now():%Y-%m-%d %H:%M} UTC"))
    sys.stderr.write(f"Page: {page}\n")


def _record(found: "list[tuple[Evening, Forebears | None]]", journal: Path) -> None:
    from backtests.desk.messages import journal_content
    from backtests.records.decision_journal import append
    from feeds.sessions import utc_now

    for evening, _ in found:
        append(journal, journal_content(evening, now=utc_now()))


def _notify(found: "list[tuple[Evening, Forebears | None]]", options: argparse.Namespace) -> None:
    """Tell what has changed since it was told last; a failure is said on stderr and no more."""
    from backtests.desk.messages import Told, tell
    from backtests.report.words.today import headline

    evenings = [evening for evening, _ in found]
    told = Told(evenings[0].config.data.cache_dir)
    news = [evening for evening in evenings if told.is_news(evening)]
    if not news:
        return
    text = "\n".join(headline(evening) for evening in news)
    if options.dry_run:
        sys.stderr.write(f"would tell {len(options.notify)}: {text}\n")
        return
    if failure := tell(options.notify, title="Russell and crypto", text=text):
        sys.stderr.write(f"WARNING: {failure}\n")
    else:
        told.keep(news)


def _review(options: argparse.Namespace) -> int:
    from backtests.desk.review import review
    from backtests.report.terminal.today import show_review

    given = {key.removeprefix("data."): value for key, value in flags(options).items()
             if key.startswith("data.") and key != "data.end"}  # fmt: skip
    show_review(review(options.review, data=given), path=options.review)
    return NOTHING


if __name__ == "__main__":
    sys.exit(main())
