"""Wrong inputs of every kind, drawn from a seed: settings, flags, TOML, bars, series, folders.

Each is a command line with what its refusal must name. Settings are taken from the config's
own model, so that one added later is tried with the rest.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

import numpy as np
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from backtests.config.config import Config
from backtests.config.run_settings import Date
from tests.markets import coin_bars, index_bars, save_bars

RUNNING: Final = ("run", "study", "sweep", "walkforward")
# What is in no sentence for people.
SPELLINGS: Final = (
    r"Traceback|numpy|pandas|np\.|Timestamp|dtype|NaT\b|DataFrame|codec|pydantic|Errno|<class|"
    r"object at 0x|datetime\.|Arrow|tomllib|argparse|None\b|float64|iloc"
)


@dataclass(frozen=True, slots=True)
class Case:
    """A command line that is wrong, and what the line that refuses it must name."""

    command: str
    arguments: tuple[str, ...]
    named: str

    def __str__(self) -> str:
        return f"{self.command} {' '.join(self.arguments[-2:])[-90:]!r}"


class Kit:
    """A folder of good bars to spoil copies of, and a place for the copies."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.rng = random.Random(seed)  # noqa: S311 - no secret
        rng = np.random.default_rng(seed)
        self.good = folder / "good"
        save_bars(self.good, index_bars(rng.normal(0.0005, 0.01, 420)))
        save_bars(self.good, coin_bars("BTC", rng.normal(0.001, 0.03, 620)))
        days = (f"{year}-{month:02d}-01" for year in (2015, 2016) for month in range(1, 13))
        rows = "".join(f"{day},{100 + row}\n" for row, day in enumerate(days))
        (self.good / "FLOWS_series.csv").write_text(f"date,value\n{rows}")
        self._made = 0

    def place(self, suffix: str = "") -> Path:
        """Return a path that nothing is at."""
        self._made += 1
        return self.folder / f"{self._made:03d}{suffix}"

    def copy(self) -> Path:
        """Return a new folder with the good files."""
        folder = self.place()
        folder.mkdir()
        for path in self.good.iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        return folder

    def written(self, content: str | bytes, *, suffix: str = ".toml") -> Path:
        """Return a new file with this content."""
        path = self.place(suffix)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def usual(self, command: str, folder: Path | None = None) -> tuple[str, ...]:
        """Return arguments that are right, on a folder of bars."""
        axes = ("--set", "sweep.rules.hold_days=[5,20]")
        # as settings, so that a later one of the same name goes before them
        bars = ("--set", 'asset="BTC"', "--set", f'data.data_dir="{folder or self.good}"')
        return (*bars, *(axes if command in ("sweep", "walkforward") else ()))


# Settings: every key of the config with values its type or its range does not take.


WRONG: Final = {
    bool: ['"yes"', "1", "0.0", "true true"],
    int: ['"7"', "2.5", "true", "-1", "1979-05-27", "0x" + "f" * 5_000],
    float: ['"7"', "nan", "inf", "-inf", "true", "1979-05-27"],
    str: ["5", "true", "1.5", '[{a = "b"}]'],
}


def bad_settings(kit: Kit) -> Iterator[Case]:
    """Yield every setting with bad values, each to one of the commands."""
    for key, field in leaves(Config):
        # a study's own tables are no part of a sweep's plan, and are tried with the study
        commands = ("study",) if key.startswith("study.") else RUNNING
        for value in kit.rng.sample(bad_values(field), k=2):
            command = kit.rng.choice(commands)
            yield Case(command, (*kit.usual(command), "--set", f"{key}={value}"), f"`{key}`")


def leaves(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield each setting by its dotted key; filters are tried as a ready-made one."""
    for name, field in model.model_fields.items():
        kinds = (field.annotation, *get_args(field.annotation))
        section = next(
            (kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None
        )
        if name == "claim":  # no claim is whole without its words
            continue
        if get_origin(field.annotation) is dict and section:
            yield from leaves(section, f"{prefix}{name}.vix.")
        elif section:
            yield from leaves(section, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


def bad_values(field: FieldInfo) -> list[str]:
    """Return values, as TOML, that a setting does not take whatever its range is."""
    kind: Any = field.annotation
    choices = [f'"{name}s"' for name in get_args(kind)[:1]] if get_origin(kind) is Literal else []
    if kind is str and field.metadata and field.metadata[0] is get_args(Date)[1]:
        own = ['"soon"', '"2024-13-01"', "5", "true", '"20240101x"']
    elif get_origin(kind) in (Union, UnionType):  # a number or a word, or a name or nothing
        own = ["true", '[{a = "b"}]', "1979-05-27"]
    else:
        own = [*WRONG.get(kind, WRONG[str]), *choices]
    return ["{a = 1}", "[[1, 2], [3]]", "07:32:00", *own]


# Flags and overrides.

FLAGS: Final = (
    ("--frobnicate", "--frobnicate"),
    ("--asset=", "asset` must"),
    ("--asset=../../etc/passwd", "`asset`"),
    ("--asset=BTC,ETH", "`asset`"),
    ("--asset=BTC/USD", "`asset`"),
    ("--asset=\x1b[31mBTC", "`asset`"),
    ("--asset=" + "B" * 4_000, "`asset`"),
    ("--asset=NOPE", "`asset` NOPE"),
    ("--asset=ETH²", "`asset`"),
    ("--index=^NOPE", "`index.symbol`"),
    ("--index=..", "`index.symbol`"),
    ("--index=RUTT", "`index.symbol` RUTT"),
    ("--source=moon", "`data.source`"),
    ("--data-dir=", "--data-dir"),
    ("--data-dir=/no/such/folder", "`data.data_dir`"),
    ("--data-dir=/" + "x" * 300, "`data.data_dir`"),
    ("--data-dir=/dev/null", "`data.data_dir`"),
    ("--timeframe=1w", "`data.timeframe`"),
    ("--timeframe=1h", "1h"),
    ("--start=soon", "`data.start`"),
    ("--start=2024-02-30", "`data.start`"),
    ("--start=2035-01-01", "leave no bar"),
    ("--start=9999-12-31", "`data.start`"),
    ("--end=0001-01-01", "`data.end`"),
    ("--end=1999-01-01", "leave no bar"),
    ("--end=0000-01-01", "`data.end`"),
    ("--config=", "--config"),
    ("--config=/no/such.toml", "/no/such.toml"),
    ("--config=/", "`--config` /"),
    ("--config=/" + "y" * 300, "`--config`"),
    ("--config=eht", "`--config` eht"),
    ("--out=", "--out"),
    ("--out=/dev/null", "`--out`"),
    ("--out=/dev/null/x", "`--out`"),
    ("--out=/" + "z" * 300, "`--out`"),
    ("--set=", "`--set`"),
    ("--set==5", "`--set`"),
    ("--set=signal", "`--set`"),
    ("--set=sigal.lookback=5", "`sigal`"),
    ("--set=signal.lookbak=5", "The nearest is `signal.lookback`"),
    ("--set=signal..base=5", "`signal.`"),
    ("--set=.=5", "``"),
    ("--set=signal.base.x=5", "`signal.base`"),
    ("--set=asset.x.y=5", "`asset"),
    ("--set=a\nb=5", "`a b`"),
    ("--set=signal.base=[" + "[" * 3_000, "`signal.base`"),
    ("--set=filters.vixx={}", "The nearest is `filters.vix`"),
    ("--set=filters.nothing.window=5", "`filters.nothing`"),
    ("--set=filters=5", "`filters`"),
    ("--set=filters.x.series=../../etc/passwd", "`filters.x.series`"),
    ("--set=filters.x.series=FLOWZ", "The nearest is 'FLOWS'"),
    ("--set=filters.x.series=QQQQQQQQ", "QQQQQQQQ_series.csv"),
    ("--set=filters.x.series=FLOWS", "`lag_days`"),
    ("--set=filters.x.kind=serie", "The nearest is 'series'"),
    ("--set=claim.event=nonsense", "`claim.event`"),
    ("--set=idle.asset=../x", "`idle.asset`"),
    ("--set=basket.members=[\"../x\"]", "`basket.members`"),
    ("--set=data={source=\"files\"}", "`data.data_dir`"),
    ("--set=significance.tried=1" + "0" * 20, "`significance.tried`"),
)  # fmt: skip


def bad_flags(kit: Kit) -> Iterator[Case]:
    """Yield every bad flag to two of the commands."""
    for flag, named in FLAGS:
        for command in kit.rng.sample(RUNNING, k=2):
            # a claim belongs to studies, which bring the rest of it
            own = "study" if flag.startswith("--set=claim") else command
            # of a study's filters only that of the claim is read
            own = "run" if "filters.x.series" in flag else own
            yield Case(own, (*kit.usual(own), flag), named)


OWN_FLAGS: Final = (
    ("run", ("--from-trial", ""), "`--from-trial`"),
    ("run", ("--from-trial", "nowhere:3", "--asset", "BTC"), "`--from-trial`"),
    ("run", ("--from-trial", "nowhere:" + "9" * 5_000), "`--from-trial`"),
    ("run", ("--from-trial", "nowhere:-1"), "`--from-trial`"),
    ("run", ("--from-trial", "/dev/null:1"), "sweep.toml"),
    ("run", ("--from-trial", "x" * 300 + ":1"), "sweep.toml"),
    ("run", ("--engine", "quick"), "--engine"),
    ("study", ("--event", "nonsense"), "`--event`"),
    ("study", ("--event", ""), "`--event`"),
    ("study", ("--claim", ""), "`--claim`"),
    ("study", ("--claim", "new-high-bct"), "The nearest is 'new-high-btc'"),
    ("study", ("--claim", "/"), "`--claim` /"),
    ("study", ("--claim", "x" * 5_000), "`--claim`"),
    ("study", ("--claim", "breakout", "--all-claims"), "--all-claims"),
    ("study", ("--claim", "breakout", "--config", "eth"), "`--config`"),
    ("study", ("--horizons", "9,,9"), "`--horizons`"),
    ("study", ("--horizons", "0"), "`--horizons`"),
    ("study", ("--horizons", "1e3"), "`--horizons`"),
    ("study", ("--draws", "99"), "`--draws`"),
    ("study", ("--draws", "9" * 5_000), "`--draws`"),
    ("study", ("--draws", "1000000000"), "`study.draws`"),
    ("study", ("--seed", "-1"), "`--seed`"),
    ("study", ("--workers", "0"), "`--workers`"),
    ("study", ("--workers", "1000000"), "`--workers`"),
    ("study", ("--assets", ","), "`--assets`"),
    ("study", ("--assets", "../x"), "`claim.assets`"),
    ("sweep", ("--threads", "0"), "--threads"),
    ("sweep", ("--threads", "9" * 5_000), "--threads"),
    ("sweep", ("--workers", "100000"), "--workers"),
    ("sweep", ("--workers", "2", "--threads", "2"), "`--threads`"),
    ("sweep", ("--scheduler", ""), "`--scheduler`"),
    ("sweep", ("--resume", ""), "--resume"),
    ("sweep", ("--resume", "nowhere", "--asset", "BTC"), "`--resume`"),
    ("sweep", ("--set", "sweep=5"), "`sweep`"),
    ("sweep", ("--set", "sweep.rules.hold_days=[]"), "`sweep.rules.hold_days`"),
    ("sweep", ("--set", "sweep.rules.hold_days=[5,-5]"), "`rules.hold_days`"),
    ("sweep", ("--set", "sweep.rules.hold_days=[5,5]"), "`sweep.rules.hold_days`"),
    ("sweep", ("--set", "sweep.rules.stop_loss=[0.1,nan]"), "`rules.stop_loss`"),
    ("sweep", ("--set", "sweep.rules.hold_days={from=1,to=5}"), "`sweep.rules.hold_days`"),
    ("sweep", ("--set", "sweep.rules.hold_days={from=5,to=1,step=1}"), "`from`"),
    ("sweep", ("--set", "sweep.rules.hold_days={from=1,to=5,step=0}"), "`step`"),
    ("sweep", ("--set", "sweep.costs.initial_cash={from=1,to=1e308,step=1e-9}"), "`to`"),
    ("sweep", ("--set", "sweep.rules.stop_loss={from=0.0,to=0.5,count=1e9}"), "`count`"),
    ("sweep", ("--set", "sweep.rules.stop_loss={from=0.0,to=0.5,log=true,count=3}"), "`from`"),
    ("sweep", ("--set", "sweep.signal.base={from=1,to=10000,step=1}", "--set",
               "sweep.signal.confirm={from=1,to=10000,step=1}", "--set",
               "sweep.signal.window={from=1,to=10000,step=1}"), "trials"),
    ("sweep", ("--set", "sweep.search=gird"), "The nearest is 'grid'"),
    ("sweep", ("--set", "sweep.objective=luck"), "`sweep.objective`"),
    ("sweep", ("--set", "sweep.trial=5"), "The nearest is `sweep.trials`"),
    ("sweep", ("--set", "sweep.order=5"), "`sweep.order`"),
    ("sweep", ("--set", "sweep.chunk=0"), "`sweep.chunk`"),
    ("sweep", ("--set", "sweep.no_such_thing=[1,2]"), "`no_such_thing`"),
    ("sweep", ("--set", 'sweep.asset=["BTC","../x"]'), "`asset`"),
    ("walkforward", ("--train-days", "1"), "`--train-days`"),
    ("walkforward", ("--train-days", "x"), "--train-days"),
    ("walkforward", ("--test-days", "9" * 5_000), "--test-days"),
    ("walkforward", ("--embargo-days", "-1"), "`--embargo-days`"),
    ("walkforward", ("--set", "walkforward.train_dayz=5"), "`walkforward.train_days`"),
    ("walkforward", ("--set", "walkforward=5"), "`walkforward`"),
    ("walkforward", ("--train-days", "30000"), "`--train-days`"),
    ("walkforward", ("--set", "sweep.search=guided"), "`sweep.search`"),
    ("compare", ("--out", "/no/such"), "`--out`"),
    ("compare", ("--out", ""), "--out"),
    ("compare", ("--out", "/dev/null"), "`--out`"),
    ("compare", ("--out", "/" + "x" * 300), "`--out`"),
    ("compare", ("--port", "x"), "--port"),
    ("compare", ("--serve", "--port", "-1"), "`--port`"),
    ("compare", ("--serve", "--port", "99999"), "`--port`"),
    ("compare", ("one",), "received 1"),
    ("compare", ("one", "two"), "'one'"),
    ("compare", ("..", "."), "'..'"),
    ("compare", ("x" * 300, "y"), "is no run"),
    ("compare", ("\0", "y"), "is no run"),
    ("compare", tuple("abcdefghijklmn"), "received 14"),
    ("download", ("--assets", "", "--index", ""), "`--assets`"),
    ("download", ("--assets", "../x"), "`asset`"),
    ("download", ("--index", "../x"), "`index.symbol`"),
    ("download", ("--source", "moon"), "--source"),
    ("download", ("--timeframe", "1w"), "--timeframe"),
    ("download", ("--index-timeframe", "4h"), "--index-timeframe"),
    ("download", ("--frobnicate",), "--frobnicate"),
    ("cached", ("--frobnicate",), "--frobnicate"),
    ("cached", ("extra",), "extra"),
    ("doctor", ("--frobnicate",), "--frobnicate"),
    ("doctor", ("extra",), "extra"),
    ("rnu", ("--asset", "ETH"), "Did you mean run?"),
    ("completion", ("fish",), "`completion`"),
    ("download", ("--universe", "moon"), "--universe"),
    ("download", ("--series", "../x", "--assets", "", "--index", ""), "`--series`"),
    ("run", ("--source", "sample", "--set", "vendors.fred=gopher://x"), "fred"),
)  # fmt: skip


def own_flags(kit: Kit) -> Iterator[Case]:
    """Yield bad flags that only one command has."""
    for command, arguments, named in OWN_FLAGS:
        given = arguments
        if command in ("study", "sweep", "walkforward") and "--resume" not in arguments:
            given = (*kit.usual(command), *arguments)
        if command == "compare" and "--out" not in arguments:
            given = (*arguments, "--out", str(kit.good))
        yield Case(command, given, named)


# TOML files.

TOMLS: Final[tuple[tuple[str | bytes, str], ...]] = (
    ("asset = ETH\n", "not valid TOML"),
    ("asset = \"ETH\"\nasset = \"BTC\"\n", "not valid TOML"),
    (b"asset = \"ETH\"\x00\n", "not valid TOML"),
    (b"\x00" * 64, "not valid TOML"),
    ("asset = \"BTC\"\n".encode("utf-16"), "not UTF-8"),
    ("asset = \"caf\xe9\"\n".encode("latin-1"), "byte 13"),
    ("\ufeffsignal = 5\n", "`signal`"),
    ("a = " + "[" * 5_000, "nested too deeply"),
    ("a." * 5_000 + "b = 1", "is not a setting"),
    ("a = " + "9" * 5_000, "too many digits"),
    ("[rules]\nhold_days = 0x" + "f" * 5_000, "`rules.hold_days`"),
    ("asset = 2020-01-01\n", "received 2020-01-01"),
    ("asset = 07:32:00\n", "received 07:32:00"),
    ("asset = nan\n", "`asset`"),
    ("[asset]\n", "`asset`"),
    ("[[signal]]\nbase = 5\n", "`signal`"),
    ("[signal]\nbase = 5\n[signal]\n", "not valid TOML"),
    ("[data]\nstart = 2020-01-01T25:00:00\n", "not valid TOML"),
    ("[data]\nstart = 07:32:00\n", "`data.start`"),
    ("[data]\nstart = 0001-01-01T00:00:00+14:00\n", "`data.start`"),
    ("[data]\nstart = 2020-01-02\nend = 2019-01-01T00:00:00Z\n", "2020-01-02 and 2019-01-01"),
    ("[filters]\nvix = 3\n", "`filters.vix`"),
    ("[filters.vixx]\n", "The nearest is `filters.vix`"),
    ("[filters.\"../x\"]\nkind = \"series\"\n[filters.a]\n", "`filters"),
    ("[claim]\nevent = \"nonsense\"\n", "`claim.event`"),
    ("claim = 5\n", "`claim`"),
    ("[claim]\nstatement = \"s\"\n", "`claim.source`"),
    ("[sweep]\nrules = 5\n", "sweep"),
    ("[no_such_section]\na = 1\n", "`no_such_section`"),
    ("\"a\\nb\" = 3\n", "`a b`"),
    ("\"\\u001b[2J\" = 3\n", "is not a setting"),
    ("<html>404</html>", "not valid TOML"),
    ("asset,close\nETH,5\n", "not valid TOML"),
    ("{\"asset\": \"ETH\"}", "not valid TOML"),
)  # fmt: skip


def bad_tomls(kit: Kit) -> Iterator[Case]:
    """Yield every bad file to two of the commands."""
    for content, named in TOMLS:
        text = content if isinstance(content, str) else ""
        commands = ("study",) * 2 if "claim" in text else kit.rng.sample(RUNNING, k=2)
        commands = ("run", "sweep") if "[sweep]" in text else commands
        for command in commands:
            path = kit.written(content)
            bars = ("--data-dir", str(kit.good))
            yield Case(command, ("--config", str(path), *bars), named)


# Bars and series: one file of a good folder is spoiled.

Spoil = Callable[[list[str]], str | bytes]


def _cell(row: int, column: int, value: str) -> Spoil:
    def spoiled(lines: list[str]) -> str:
        cells = lines[row].split(",")
        cells[column] = value
        return "\n".join([*lines[:row], ",".join(cells), *lines[row + 1 :]])

    return spoiled


def _twice(lines: list[str]) -> str:
    return "\n".join([*lines, lines[-1].replace(",", ",1", 1)])


def _each(lines: list[str], form: str, hour: str = "") -> list[str]:
    """Return each row in a form, its date with an hour."""
    return [form.format(line.replace(",", f"{hour},", 1)) for line in lines[1:]]


def _hourly(lines: list[str]) -> list[str]:
    """Return the rows an hour apart."""
    rows = (line.partition(",")[2] for line in lines[1:])
    return [
        f"2015-01-{1 + row // 24:02d}T{row % 24:02d}:00:00Z,{values}"
        for row, values in zip(range(700), rows, strict=False)
    ]


SPOILED_BARS: Final[tuple[tuple[str, Spoil], ...]] = (
    ("empty", lambda lines: ""),
    ("a header only", lambda lines: lines[0]),
    ("no header", lambda lines: "\n".join(line.rpartition(",")[0] for line in lines[1:])),
    ("no close", lambda lines: "\n".join(line.rpartition(",")[0] for line in lines)),
    ("junk", lambda lines: b"\x89PNG\r\n\x1a\n\x00\x00\xff\xfe" * 40),
    ("NUL", lambda lines: "\n".join([*lines[:9], "\0" * 20, *lines[9:]])),
    ("a page", lambda lines: "<!doctype html><html><body>404</body></html>"),
    ("JSON", lambda lines: '{"error": "no such symbol"}'),
    ("text for a price", _cell(9, 4, "closed")),
    ("a negative price", _cell(9, 3, "-5")),
    ("an infinite price", _cell(9, 2, "inf")),
    ("a price without end", _cell(9, 2, "9" * 400)),
    ("a high below the low", _cell(9, 2, "0.01")),
    ("no date", _cell(9, 0, "yesterday")),
    ("a day there is none", _cell(9, 0, "2015-02-30")),
    ("a year mistyped", _cell(9, 0, "0020-08-05")),
    ("the year 9999", _cell(9, 0, "9999-12-31")),
    ("one day twice", _twice),
    ("a comma too many in each row", lambda lines: "\n".join([lines[0], *_each(lines, "{},")])),
    ("a bar a week", lambda lines: "\n".join([lines[0], *lines[1::7]])),
    ("a comma too many in one row", _cell(9, 4, "5,")),
    ("quotes without end", _cell(9, 0, '"2015-01-14')),
)
SPOILED_COINS: Final[tuple[tuple[str, Spoil], ...]] = (
    ("hours named days", lambda lines: "\n".join([lines[0], *_hourly(lines)])),
    ("noons", lambda lines: "\n".join([lines[0], *_each(lines, "{}", "T12:00:00Z")])),
)
SPOILED_SERIES: Final[tuple[tuple[str, Spoil], ...]] = (
    ("empty", lambda lines: ""),
    ("a header only", lambda lines: lines[0]),
    ("one column", lambda lines: "\n".join(line.partition(",")[0] for line in lines)),
    ("junk", lambda lines: b"\x00\xff\xfe" * 99),
    ("text for a value", _cell(5, 1, "many")),
    ("an infinite value", _cell(5, 1, "inf")),
    ("no date", _cell(5, 0, "later")),
    ("the year 9999", _cell(5, 0, "9999-12-31")),
)


def bad_files(kit: Kit) -> Iterator[Case]:
    """Yield every spoiled file, to the commands in turn."""
    for name in ("RUT_1d.csv", "BTC-USD_1d.csv"):
        for _, spoil in SPOILED_BARS:
            yield _on_spoiled(kit, name, spoil, ())
    for _, spoil in SPOILED_COINS:
        yield _on_spoiled(kit, "BTC-USD_1d.csv", spoil, ())
    for _, spoil in SPOILED_SERIES:
        gate = ("--set", "filters.flows.series=FLOWS", "--set", "filters.flows.lag_days=1")
        yield _on_spoiled(kit, "FLOWS_series.csv", spoil, gate)
    for name in ("RUT_1d", "BTC-USD_1d"):
        folder = kit.copy()
        (folder / f"{name}.csv").unlink()
        (folder / f"{name}.parquet").write_bytes(b"PAR1 and no more PAR1")
        yield Case("sweep", kit.usual("sweep", folder), name)
        folder = kit.copy()
        (folder / f"{name}.csv").unlink()
        yield Case("walkforward", kit.usual("walkforward", folder), "has no bars")
        folder = kit.copy()
        (folder / f"{name}.csv").unlink()
        (folder / f"{name}.csv").mkdir()
        yield Case("run", kit.usual("run", folder), name.partition("-")[0].removesuffix("_1d"))
        folder = kit.copy()
        (folder / f"{name}.parquet").write_bytes(b"older")
        yield Case("study", kit.usual("study", folder), f"{name}.parquet")


def _on_spoiled(kit: Kit, name: str, spoil: Spoil, gate: tuple[str, ...]) -> Case:
    folder = kit.copy()
    content = spoil((folder / name).read_text().splitlines())
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    # only a filter reads a series, and of a study's filters only the claim's
    command = kit.rng.choice([each for each in RUNNING if not gate or each != "study"])
    return Case(command, (*kit.usual(command, folder), *gate), name.partition(".")[0])


READ_FLAGS: Final = (
    (("--columns", "close"), "--columns"),
    (("--columns", "closing=Last"), "closing"),
    (("--date-format", "%Q"), "date"),
    (("--zone", "Mars/Olympus"), "Mars/Olympus"),
    (("--decimal", ";"), "--decimal"),
    (("--timeframe", "1w"), "--timeframe"),
    (("--asset", "../x"), "`asset`"),
    (("--index", "../x"), "`index.symbol`"),
    (("--asset", "BTC", "--index", "RUT"), "--index"),
    (("--write", "/dev/null/x"), "--write"),
)


def bad_readings(kit: Kit) -> Iterator[Case]:
    """Yield files and flags that `feeds.read` cannot use."""
    good = str(kit.good / "BTC-USD_1d.csv")
    for flags, named in READ_FLAGS:
        yield Case("read", (good, *flags), named)
    yield Case("read", (), "file")
    yield Case("list", ("singals",), "signals")
    yield Case("list", ("--plugin", good), "plugins")
    yield Case("audit", ("--set", "rules.trigger=newhigh"), "new_high")
    yield Case("today", ("--equity", "much"), "equity")
    yield Case("today", ("--review", "/no/such.jsonl"), "such.jsonl")
    for path in ("/no/such.csv", "/", "/dev/null", "x" * 300, str(kit.written(b"\x00\xff"))):
        yield Case("read", (path,), path.rpartition("/")[2][:90])


def all_cases(kit: Kit) -> list[Case]:
    """Return every case; the same seed gives the same."""
    makers = (bad_settings, bad_flags, own_flags, bad_tomls, bad_files, bad_readings)
    return [case for make in makers for case in make(kit)]
