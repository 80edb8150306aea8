"""Ask every vendor one small question: `python -m feeds.doctor`.

Says who answers and how fast, whether the answer has the shape we rely on, how far the
sources of one coin are apart, and what to do where something is wrong. All are asked at once,
and whoever has not answered in time counts as silent, so that it takes ten seconds at most.
"""

import json
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from statistics import median
from typing import Any, Final, Literal

import pandas as pd

from feeds.bars import Bars
from feeds.commands import Parser, as_invoked, run_command
from feeds.errors import InputError, NotServed, Unreachable
from feeds.message_text import share_text
from feeds.series import Series
from feeds.sessions import Clock, utc_now
from feeds.vendors.probes import Need, OpenPatient, VendorQuestion, all_questions
from feeds.vendors.registry import one_line, reading
from feeds.vendors.request_policy import ADDRESSES, PassingError, Patience, address_of

State = Literal["answers", "not served", "unreachable", "silent", "another shape"]

SECONDS: Final = 6.5
NEEDED: Final[tuple[Need, ...]] = ("index", "coin")
FAR_APART: Final = 0.01
EXAMPLES: Final = """\
  python -m feeds.doctor
  python -m feeds.doctor --json
"""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """How one vendor answered its question; `seconds` is how long it took.

    `detail` is what came, or why nothing did; `closes` are the days' closes of bars.
    """

    vendor: str
    subject: str
    need: Need
    state: State
    seconds: float
    detail: str
    remedy: str = ""
    closes: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """The closes of one coin on one day by source; `worst` is the largest relative distance."""

    date: str
    closes: dict[str, float]
    worst: float


def main(
    arguments: Sequence[str] | None = None,
    *,
    open_vendor: OpenPatient | None = None,
    clock: Clock = utc_now,
    seconds: float = SECONDS,
) -> int:
    """Print how the vendors are and return 0 if a default run has what it needs, else 1."""
    work = partial(_work, open_vendor=open_vendor, clock=clock, seconds=seconds)
    return run_command(work, arguments)


def _work(
    arguments: Sequence[str] | None,
    *,
    open_vendor: OpenPatient | None,
    clock: Clock,
    seconds: float,
) -> int:
    options = command_parser().parse_args(arguments)
    address_of(next(iter(ADDRESSES)))  # a mirror that cannot be used is said before all else
    started = time.monotonic()
    asked = all_questions(_hasty(seconds), clock=clock, open_vendor=open_vendor)
    # on a busy machine importing the vendors' libraries takes seconds, too
    left = max(seconds / 2, seconds - (time.monotonic() - started))
    found = diagnoses(asked, seconds=left)
    compared = comparison(found)
    enough = is_enough(found)
    if options.json:
        sys.stdout.write(_as_json(found, compared, enough=enough))
    else:
        _print(found, compared, enough=enough)
    return 0 if enough else 1


def diagnoses(asked: Sequence[VendorQuestion], *, seconds: float) -> list[Diagnosis]:
    """Ask all questions at once and return how each was answered within `seconds`."""
    found: dict[VendorQuestion, Diagnosis] = {}
    started = time.monotonic()

    def ask(question: VendorQuestion) -> None:
        found[question] = _diagnosis(question)

    threads = [threading.Thread(target=ask, args=(each,), daemon=True) for each in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, started + seconds - time.monotonic()))
    return [found.get(each) or _silent(each, seconds) for each in asked]


def comparison(found: Sequence[Diagnosis]) -> Comparison | None:
    """Compare the coin's closes on the last day that most sources have, None for under two."""
    by_day: dict[str, dict[str, float]] = {}
    for each in found:
        for day, close in each.closes if each.need != "index" else ():
            by_day.setdefault(day, {})[each.vendor] = close
    if not by_day:
        return None
    date = max(by_day, key=lambda day: (len(by_day[day]), day))
    closes = by_day[date]
    middle = median(closes.values())
    worst = max(abs(close / middle - 1) for close in closes.values())
    return Comparison(date, closes, worst) if len(closes) > 1 else None


def is_enough(found: Sequence[Diagnosis]) -> bool:
    """Return whether a run with the default settings finds an index and a coin."""
    served = {each.need for each in found if each.state == "answers"}
    return set(NEEDED) <= served


def command_parser() -> Parser:
    """Return the parser of this command."""
    parser = Parser(
        prog="python -m feeds.doctor",
        description="Ask every vendor one small question and say what works from here.",
        examples=EXAMPLES,
    )
    parser.add_argument("--json", action="store_true", help="the same as JSON")
    return parser


def _hasty(seconds: float) -> Patience:
    """Return bounds with one try: a user waits, and running it again is the second one."""
    return Patience(
        connect_timeout=seconds / 2,
        read_timeout=seconds * 0.8,
        request_seconds=seconds * 0.9,
        fetch_seconds=seconds,
        attempts=1,
        connect_attempts=1,
    )


def _diagnosis(question: VendorQuestion) -> Diagnosis:
    started = time.monotonic()

    def told(state: State, detail: str, **more: Any) -> Diagnosis:
        took = time.monotonic() - started
        return Diagnosis(
            question.vendor, question.subject, question.need, state, took, detail, **more
        )

    try:
        with reading(question.vendor, "Update the package, or tell its makers."):
            answer = question.ask()
    except (InputError, PassingError) as error:
        return told(_state(error), _reason(error), remedy=question.remedy)
    return told("answers", _describe(answer), closes=_closes(answer))


def _silent(question: VendorQuestion, seconds: float) -> Diagnosis:
    detail = f"no answer in {seconds:.1f} seconds"
    return Diagnosis(
        question.vendor,
        question.subject,
        question.need,
        "silent",
        seconds,
        detail,
        question.remedy,
    )


def _state(error: Exception) -> State:
    if isinstance(error, Unreachable):
        return "unreachable"
    if isinstance(error, NotServed):
        return "not served"
    return "another shape"


def _reason(error: Exception) -> str:
    """Return the reason in an error's message: its subject and remedy stand beside it."""
    text = one_line(error, 300)
    return text.partition(": ")[2].partition(". ")[0].rstrip(".") or text


def _describe(answer: Bars | Series | str) -> str:
    if isinstance(answer, str):
        return answer
    noun = "bar" if isinstance(answer, Bars) else "value"
    plural = "" if len(answer) == 1 else "s"
    return f"{len(answer)} {noun}{plural} to {answer.frame.index[-1]:%Y-%m-%d}"


def _closes(answer: Bars | Series | str) -> tuple[tuple[str, float], ...]:
    if not isinstance(answer, Bars):
        return ()
    days = pd.DatetimeIndex(answer.frame.index).strftime("%Y-%m-%d")
    return tuple(zip(days, map(float, answer.frame["close"]), strict=True))


def _as_json(found: Sequence[Diagnosis], compared: Comparison | None, *, enough: bool) -> str:
    vendors = [{k: v for k, v in asdict(each).items() if k != "closes"} for each in found]
    told = {
        "enough": enough,
        "vendors": vendors,
        "coin": asdict(compared) if compared is not None else None,
    }
    return json.dumps(told, indent=2) + "\n"


def _print(found: Sequence[Diagnosis], compared: Comparison | None, *, enough: bool) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console.width = 100
    table = Table(box=box.SIMPLE, pad_edge=False)
    for head in ("vendor", "asked for", "", "seconds", "what came"):
        table.add_column(head, justify="right" if head == "seconds" else "left")
    for each in found:
        state = Text(each.state, style="green" if each.state == "answers" else "red")
        table.add_row(
            each.vendor, each.subject, state, f"{each.seconds:.1f}", Text(_answer_text(each.detail))
        )
    console.print(table)
    for line in (*_agreement(compared), *_advice(found, enough=enough)):
        console.print(Text(as_invoked(line)))


def _answer_text(detail: str) -> str:
    return detail.removesuffix(" (tried once)")


def _agreement(compared: Comparison | None) -> list[str]:
    if compared is None:
        return []
    prices = ", ".join(f"{name} {close:,.2f}" for name, close in compared.closes.items())
    judged = "one of them is wrong" if compared.worst > FAR_APART else "as near as they should be"
    return [
        f"BTC closed {compared.date} at {prices}.",
        f"The farthest is {share_text(compared.worst, decimals=2)} from the middle: {judged}.",
    ]


def _advice(found: Sequence[Diagnosis], *, enough: bool) -> list[str]:
    if all(each.state in ("unreachable", "silent") for each in found):
        return [
            "Nobody can be reached from here. Check the network, or set HTTPS_PROXY where a proxy "
            "is needed. Until then --offline, --data-dir and --source sample work."
        ]
    remedies = dict.fromkeys(each.remedy for each in found if each.remedy)
    lines = [f"{_names(found, remedy)}: {remedy}" for remedy in remedies]
    if enough:
        return [*lines, "A run with the default settings finds what it needs."]
    served = {each.need for each in found if each.state == "answers"}
    lacking = " and ".join(
        f"{'an' if need == 'index' else 'a'} {need}" for need in NEEDED if need not in served
    )
    return [*lines, f"A run with the default settings lacks {lacking}: do what stands above."]


def _names(found: Sequence[Diagnosis], remedy: str) -> str:
    return ", ".join(dict.fromkeys(each.vendor for each in found if each.remedy == remedy))


if __name__ == "__main__":
    sys.exit(main())
