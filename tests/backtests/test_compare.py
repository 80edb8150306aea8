"""The page of all runs and the comparison: what they show, refuse, and survive."""

import http.client
import io
import json
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from markupsafe import escape

import backtests.report.server as serving_module
from backtests.compare import main
from backtests.records.decision_journal import append
from backtests.records.saved_runs import BrokenRunError, chosen_folders, read_run, read_runs
from backtests.records.saved_searches import read_searches
from backtests.report.pages.chosen_runs import chosen_page
from backtests.report.pages.runs import COLUMNS, index_page, verdict_word
from backtests.report.server import MOST_CONNECTIONS, server
from backtests.report.words import notation as written
from backtests.report.words.differences import ABSENT, differences
from backtests.run import main as run

DECISION = {
    "as_of": "2024-06-02T00:00:00Z",
    "asset": "ETH",
    "config_hash": "0011",
    "config": '[data]\nsource = "sample"\n[rules]\nhold_days = 60\n',
    "decision": {"in_market": False, "order": None},
    "equity": 1_000.0,
    "bars": {},
}
HOSTILE = "<img src=x onerror=alert(1)>\"'&"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    for days in ("60", "90"):
        arguments = ["--asset", "ETH", "--source", "sample", "--set", f"rules.hold_days={days}"]
        assert (
            run(
                [
                    *arguments,
                    "--start",
                    "2022-01-01",
                    "--set",
                    "significance.draws=100",
                    "--out",
                    str(out),
                    "--quiet",
                ]
            )
            == 0
        )
    return out


@pytest.fixture
def results(made, tmp_path):
    shutil.copytree(made, tmp_path / "results")
    return tmp_path / "results"


def changed(folder, name, change):
    path = folder / name
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_index_shows_every_run_with_the_figures_of_its_metrics(results, capsys):
    assert main(["--out", str(results)]) == 0
    assert "2 runs, 0 folders" in capsys.readouterr().out
    text = (results / "index.html").read_text()
    runs, _ = read_runs(results)
    for record in runs:
        assert f'href="./{record.name}/tearsheet.html"' in text
        metrics = json.loads((results / record.name / "metrics.json").read_text())
        for account in ("strategy", "buy_and_hold"):
            assert f'data-sort="{metrics[account]["cagr"]!r}"' in text
    assert all(escape(heading) in text for heading, _ in COLUMNS)


def test_index_is_written_without_pandas(results):
    program = (
        "import sys\nfrom backtests.compare import main\n"
        f"main(['--out', {str(results)!r}, '--quiet'])\n"
        "print('pandas' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines()[-1] == "False"
    assert done.stdout.startswith("Index: ")


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (lambda f: (f / "metrics.json").unlink(), "metrics.json is missing"),
        (lambda f: (f / "metrics.json").write_text("{"), "metrics.json cannot be read"),
        (lambda f: (f / "metrics.json").write_text("[1]"), "metrics.json is not a table"),
        (lambda f: (f / "metrics.json").write_text("[" * 100_000), "metrics.json cannot be read"),
        (lambda f: (f / "metrics.json").write_bytes(b"\xff\xfe"), "is not UTF-8 text"),
        (lambda f: (f / "manifest.json").write_text("{}"), "manifest.json has no config"),
        (
            lambda f: changed(f, "metrics.json", lambda m: m.pop("strategy")),
            "metrics.json has no figures of strategy",
        ),
        (
            lambda f: changed(f, "metrics.json", lambda m: m["strategy"].update(cagr="<b>")),
            "cagr is not a number",
        ),
        (
            lambda f: changed(f, "metrics.json", lambda m: m["strategy"].pop("cagr")),
            "metrics.json has no strategy cagr",
        ),
    ],
)
def test_broken_folder_is_listed_with_the_reason(results, capsys, break_it, reason):
    folder = min(path for path in results.iterdir())
    break_it(folder)
    assert main(["--out", str(results)]) == 0
    out = capsys.readouterr().out
    assert "1 runs, 1 folders" in out
    assert reason in out
    assert reason.split(":")[0] in (results / "index.html").read_text()


def test_files_and_hidden_folders_are_no_runs(results):
    (results / "README.md").write_text("")
    (results / ".writing-x").mkdir()
    runs, broken = read_runs(results)
    assert (len(runs), broken) == (2, [])


def search(results, name, *, plan='asset = "ETH"\n[sweep]\n', **files):
    folder = results / name
    folder.mkdir()
    (folder / "sweep.toml").write_text(plan)
    for file, content in files.items():
        (folder / file.replace("_", ".")).write_text(content)
    return folder


def test_sweeps_and_walk_forwards_are_listed_apart_with_their_pages(results, capsys):
    both = 'asset = "ETH"\n[sweep]\nasset = ["ETH", "BTC"]\n'
    search(
        results, "20250102T030405Z-sweep-ETH-1a2b3c4d", plan=both,
        manifest_json='{"trials": 6912}', sheet_html="",
    )  # fmt: skip
    search(
        results, "20250103T000000Z-walkforward-ETH-1a2b3c4d",
        walkforward_json='{"trials": 48}', walkforward_html="",
    )  # fmt: skip
    assert main(["--out", str(results)]) == 0
    out = capsys.readouterr().out
    assert "2 runs, 0 folders" in out
    assert "2 sweeps, walk-forwards and studies" in out
    walk, swept = read_searches(results)
    assert (walk.kind, walk.asset, walk.trials) == ("Walk-forward", "ETH", 48)
    assert (swept.kind, swept.asset, swept.trials) == ("Sweep", "ETH, BTC", 6912)
    assert (walk.made, swept.made) == ("2025-01-03 00:00", "2025-01-02 03:04")
    text = (results / "index.html").read_text()
    assert f'href="./{swept.name}/sheet.html" title="{swept.name}">sweep-ETH</a>' in text
    assert f'href="./{walk.name}/walkforward.html"' in text
    assert "6,912" in text
    assert "cannot be shown" not in text


@pytest.mark.parametrize("content", ["", "[[", "[1]", "\x00"])
def test_search_that_is_damaged_or_not_finished_is_still_listed(content, results):
    search(results, "<b>mine", plan=content, manifest_json=content)
    (record,) = read_searches(results)
    assert (record.kind, record.link, record.made) == ("Sweep", "", "")
    assert record.label == record.name
    page = index_page(*read_runs(results), searches=[record])
    assert "&lt;b&gt;mine, without its page: not finished" in page
    assert "<b>mine" not in page


def test_hostile_text_of_a_run_stays_text(results):
    folder = min(path for path in results.iterdir())
    changed(folder, "metrics.json", lambda m: m.update(verdict=HOSTILE, warnings=[HOSTILE]))
    changed(folder, "manifest.json", lambda m: m["config"].update(asset=HOSTILE))
    evil = results / "<svg onload=alert(2)>"
    folder.rename(evil)
    (results / "<i>broken").mkdir()
    page = index_page(*read_runs(results))
    assert "<img" not in page
    assert "<svg" not in page
    assert "<i>" not in page
    assert "&lt;img src=x" in page
    assert "%3Csvg%20onload" in page


def test_index_names_runs_marks_simulated_bars_and_keeps_every_fact(results):
    folder = min(path for path in results.iterdir())
    changed(folder, "manifest.json", lambda m: m.update(name="sixty days"))
    page = index_page(*read_runs(results))
    assert f'title="{folder.name}">sixty days</a>' in page
    assert page.count(">simulated</span>") == 2
    (coin,) = json.loads((folder / "manifest.json").read_text())["bars"][1:]
    assert f"{coin['rows']:,} daily bars, {coin['first'][:10]} to 2025-12-31, from sample" in page
    named, other = chosen_content(read_runs(results)[0])["runs"][::-1]
    assert (named["title"], other["title"]) == ("sixty days", "")


def chosen_content(runs):
    page = chosen_page(runs)
    return json.loads(page.partition('id="chosen-from">')[2].partition("</script>")[0])


def test_chosen_page_carries_of_every_run_what_its_files_say(results):
    runs, _ = read_runs(results)
    content = chosen_content(runs)
    assert [each["name"] for each in content["runs"]] == [record.name for record in runs]
    # both held the same coin over the same days: that is told once
    assert [each["hold"] for each in content["runs"]] == [0, 0]
    assert len(content["holds"]) == 1
    hold_days = next(each for each in content["settings"] if each["name"] == "rules.hold_days")
    assert [hold_days["texts"][place] for place in hold_days["of"]] == ["90", "60"]
    for record, told in zip(runs, content["runs"], strict=True):
        equity = pd.read_csv(results / record.name / "equity.csv", index_col="time")["equity"]
        made = equity.pct_change().iloc[1:]
        years = (1 + made).groupby(made.index.str[:4]).prod() - 1
        assert told["years"] == {year: written.percent(made) for year, made in years.items()}


def test_chosen_page_of_hostile_runs_and_of_none_stays_inert(results):
    folder = min(path for path in results.iterdir())
    changed(folder, "manifest.json", lambda m: m.update(name=HOSTILE, course=HOSTILE))
    page = chosen_page(read_runs(results)[0])
    assert "<img" not in page
    assert chosen_content(read_runs(results)[0])["runs"][1]["course"] is None
    assert chosen_content([])["runs"] == []


def test_journals_are_listed_with_their_record_and_broken_ones_with_the_reason(tmp_path, capsys):
    tmp_path.joinpath("out").mkdir()
    for name in ("out/desk.jsonl", "elsewhere.jsonl"):
        append(tmp_path / name, DECISION)
    broken = tmp_path / "out" / "broken.jsonl"
    broken.write_text((tmp_path / "elsewhere.jsonl").read_text().replace("60", "61"))
    (tmp_path / "out" / "foreign.jsonl").write_text("[1]\n")
    named = ["--journal", str(tmp_path / "elsewhere.jsonl"), "--out", str(tmp_path / "out")]
    assert main(named) == 0
    said = capsys.readouterr().out
    assert "4 journals" in said
    assert "broken at line 1: its content is not what its hash says" in said
    page = (tmp_path / "out" / "index.html").read_text()
    rows = re.findall(r"<td[^>]*>(desk|elsewhere).jsonl</td>.*?in cash, nothing due.*?</tr>", page)
    assert rows == ["desk", "elsewhere"]
    record = page.partition("in cash, nothing due</td>")[2].partition("</tr>")[0]
    assert "0.0 %" in record  # nothing was held, while the coin moved
    assert "broken.jsonl" in page.partition("cannot be shown")[2]


def test_undefined_figures_sort_last_and_read_as_undefined(results):
    folder = min(path for path in results.iterdir())
    changed(folder, "metrics.json", lambda m: m["strategy"].update(cagr=None))
    record = read_run(folder)
    assert verdict_word(record) == "undefined"
    assert 'data-sort=""' in index_page([record], [])


def test_no_runs_say_how_to_make_one(tmp_path):
    assert main(["--out", str(tmp_path)]) == 0
    assert "No runs here yet" in (tmp_path / "index.html").read_text()


def test_comparison_shows_what_differs_and_both_curves(results, capsys):
    names = sorted(path.name for path in results.iterdir())
    assert main([*names, "--out", str(results)]) == 0
    path = capsys.readouterr().out.removeprefix("Comparison: ").strip()
    text = Path(path).read_text(encoding="utf-8")
    assert "rules.hold_days" in text
    assert "signal.base" not in text
    charts = json.loads(text.partition('id="charts">')[2].partition("</script>")[0])["figures"]
    assert [trace["name"] for trace in charts["equity"]["data"]] == [
        "ETH, hold days 60",
        "ETH, hold days 90",
        "Hold ETH",
    ]


def test_differences_name_settings_that_one_config_lacks():
    first, second = {"a": 1, "filters": {"vix": {"level": 20}}}, {"a": 1, "filters": {}}
    assert differences([first, second]) == [("filters.vix.level", ["20", ABSENT])]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--out", "/no/such"), "must be a folder of results"),
        (("one",), "Give 2 to 12 runs, received 1"),
        (("one", "two"), "'one' is no run"),
        (("..", "."), "'..' is no run"),
        (("../../etc", "two"), "'../../etc' is no run"),
        (("--serve", "one"), "`--serve` takes no runs"),
        (("--serve", "--port", "99999"), "`--port` must be a free port"),
        (("--frobnicate",), "unrecognized arguments"),
    ],
)
def test_wrong_input_exits_2_with_one_line(arguments, message, results, capsys):
    out = () if "--out" in arguments else ("--out", str(results))
    assert main([*arguments, *out]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_comparison_of_a_broken_run_names_it(results, capsys):
    names = sorted(path.name for path in results.iterdir())
    (results / names[0] / "equity.csv").unlink()
    assert main([*names, "--out", str(results)]) == 2
    assert f"{names[0]}: equity.csv is missing" in capsys.readouterr().err


def test_chosen_folders_refuses_what_is_outside(results):
    with pytest.raises(BrokenRunError):
        chosen_folders(results, ["..", "."])


@pytest.fixture
def address(results):
    with server(results, port=0) as serving:
        thread = threading.Thread(target=serving.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()


def get(url, **headers):
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - our own server
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        return answer.read().decode()


def test_served_index_is_fresh_on_every_reload(address, results):
    assert "2 runs" in get(address + "/")
    shutil.rmtree(min(path for path in results.iterdir()))
    assert "1 run<" in get(address + "/index.html")


def test_served_index_lists_searches_and_their_pages_open(address, results):
    name = "20250102T030405Z-sweep-ETH-1a2b3c4d"
    search(results, name, sheet_html="the sheet")
    assert f'href="./{name}/sheet.html"' in get(f"{address}/")
    assert get(f"{address}/{name}/sheet.html") == "the sheet"


def test_server_serves_tearsheets_and_comparisons(address, results):
    names = sorted(path.name for path in results.iterdir())
    assert "Does ETH follow" in get(f"{address}/{names[0]}/tearsheet.html")
    assert "2 runs side by side" in get(f"{address}/compare?run={names[0]}&run={names[1]}")


@pytest.mark.parametrize(
    ("path", "headers", "code"),
    [
        ("/../../../etc/passwd", {}, 404),
        ("/%2e%2e/%2e%2e/etc/passwd", {}, 404),
        ("/no-such/tearsheet.html", {}, 404),
        ("/compare?run=a&run=b", {}, 400),
        ("/", {"Host": "evil.example:80"}, 403),
    ],
)
def test_server_refuses_what_is_not_a_result(address, path, headers, code):
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(address + path, **headers)
    assert refused.value.code == code
    refused.value.close()


@pytest.mark.parametrize(
    "path",
    [
        "/%00",
        "/" + "a" * 5_000,
        "/%ed%a0%80",
        "/.hidden/tearsheet.html",
        "/.hidden/",
        "/%2ehidden/tearsheet.html",
        "/a/..%2f.hidden/tearsheet.html",
        "//[",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_server_answers_impossible_and_hidden_names_with_not_found(address, results, path, method):
    (results / ".hidden").mkdir()
    (results / ".hidden" / "tearsheet.html").write_text("secret")
    status, _, body = raw(address, method, path)
    assert status == 404
    assert b"secret" not in body


def test_server_checks_head_like_get(address, results):
    name = min(path.name for path in results.iterdir())
    for path in ("/", f"/{name}/tearsheet.html", f"/{name}/equity.csv", "/no/such"):
        got, headers, body = raw(address, "GET", path)
        asked, same, nothing = raw(address, "HEAD", path)
        assert (asked, same["Content-Length"]) == (got, headers["Content-Length"])
        assert nothing == b""
        assert len(body) == int(headers["Content-Length"])
    assert raw(address, "HEAD", "/", host="evil.example:80")[0] == 403


@pytest.mark.parametrize("path", ["/", "/no/such", "/compare?run=a&run=b"])
def test_server_sends_security_headers_with_every_answer(address, path):
    _, headers, _ = raw(address, "GET", path)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "Python" not in headers["Server"]


def test_server_closes_connections_beyond_its_limit_and_recovers(address):
    port = int(address.rpartition(":")[2])
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(MOST_CONNECTIONS)]
    assert eventually(lambda: http_status(port) is None)
    for one in silent:
        one.close()
    assert eventually(lambda: http_status(port) == 200)


def test_server_lets_a_silent_client_go(address, monkeypatch):
    monkeypatch.setattr(serving_module._Handler, "timeout", 0.1)
    with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))) as silent:
        silent.settimeout(5)
        assert silent.recv(1) == b""


def eventually(condition, *, within=5.0):
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def raw(address, method, path, *, host=None):
    """Send a request exactly as written; return status, headers and body."""
    port = int(address.rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host or f"127.0.0.1:{port}")
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, answer.headers, body


def http_status(port):
    """Return the status of a request for the index, None where the connection is closed."""
    try:
        return raw(f"http://127.0.0.1:{port}", "HEAD", "/")[0]
    except (ConnectionError, http.client.HTTPException):
        return None


def test_index_reads_two_small_files_of_each_run(made, tmp_path, monkeypatch):
    folder = min(path for path in made.iterdir() if path.is_dir())
    for number in range(100):
        target = tmp_path / f"{number:04d}"
        target.mkdir()
        for name in ("metrics.json", "manifest.json"):
            (target / name).write_bytes((folder / name).read_bytes())
    opened, open_file = [], io.open

    def counting(file, *arguments, **options):
        opened.append(Path(file).name)
        return open_file(file, *arguments, **options)

    monkeypatch.setattr(io, "open", counting)
    page = index_page(*read_runs(tmp_path))
    monkeypatch.undo()
    assert page.count("<tr data-run=") == 100
    of_runs = Counter(name for name in opened if name.endswith(".json"))
    assert of_runs == {"metrics.json": 100, "manifest.json": 100}
