"""The command: sentences, JSON, exit codes, page, journal, review, notifications."""

import json
import multiprocessing
from pathlib import Path

import pytest

from backtests.records.decision_journal import append, read
from backtests.today import main
from feeds.errors import DataError

SAMPLE = ("--source", "sample")
QUIET = (*SAMPLE, "--asset", "ETH", "--end", "2025-12-31")


def test_today_first_line_is_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(QUIET) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("ETH: in the market since 2025-")
    assert first.endswith("nothing to do at the next open.")


def test_today_of_bars_that_end_in_the_past_is_stale(capsys: pytest.CaptureFixture[str]) -> None:
    assert main((*SAMPLE, "--asset", "ETH")) == 3
    assert "cannot be told, bars are missing: RUT lacks" in capsys.readouterr().out


def test_today_json_has_every_key_and_one_object_per_config(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main((*QUIET, "--json")) == 0
    one = json.loads(capsys.readouterr().out)
    assert {
        "asset", "as_of", "in_market", "since", "window_end", "order", "next_high_at", "support",
        "gates", "stale",
    } <= one.keys()  # fmt: skip
    assert one["as_of"] == "2026-01-01T00:00:00Z"
    assert (
        main((*SAMPLE, "--config", "eth", "--config", "btc", "--end", "2025-12-31", "--json")) == 0
    )
    assert [each["asset"] for each in json.loads(capsys.readouterr().out)] == ["ETH", "BTC"]


def test_today_order_due_is_exit_code_10_with_units_for_the_equity(
    capsys: pytest.CaptureFixture[str],
) -> None:
    # the day before the sample's account buys
    arguments = (*SAMPLE, "--asset", "ETH", "--json", "--end")
    due = next(day for day in _days("2016-11-10", 12) if main((*arguments, day)) == 10)
    capsys.readouterr()
    main((*arguments, due, "--equity", "1,000"))
    small = json.loads(capsys.readouterr().out)["order"]
    main((*arguments, due, "--equity", "250_000"))
    large = json.loads(capsys.readouterr().out)["order"]
    assert (small["side"], small["reason"]) == ("buy", "new_high")
    assert large["units"] == pytest.approx(250 * small["units"])


def _days(first: str, count: int) -> list[str]:
    import pandas as pd

    return [f"{day:%Y-%m-%d}" for day in pd.date_range(first, periods=count)]


@pytest.mark.parametrize("given", ["0", "-5", "much", "1e16", "nan", ""])
def test_today_refuses_an_equity_that_is_no_money(
    given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main((*QUIET, f"--equity={given}")) == 2
    assert "`--equity` must be an amount of money above 0" in capsys.readouterr().err


def test_today_page_is_written_and_refreshed_in_place(tmp_path: Path) -> None:
    for _ in range(2):
        assert main((*QUIET, "--page", "--out", str(tmp_path / "new"))) == 0
    (page,) = (tmp_path / "new").iterdir()
    text = page.read_text(encoding="utf-8")
    assert page.name == "today.html"
    assert "Sample data: not a verdict on the idea" in text
    assert "ETH: in the market since" in text.replace("\N{NO-BREAK SPACE}", " ")


def test_journal_is_chained_says_each_evening_once_and_is_reviewed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = tmp_path / "desk.jsonl"
    for end in ("2025-12-30", "2025-12-31", "2025-12-31"):
        assert main((*SAMPLE, "--end", end, "--journal", str(journal))) == 0
    lines = read(journal)
    assert [line.content["as_of"][:10] for line in lines] == ["2025-12-31", "2026-01-01"]
    assert lines[1].content["previous"] == lines[0].content["hash"]
    capsys.readouterr()
    assert main(("--review", str(journal), *SAMPLE)) == 0
    told = capsys.readouterr().out
    assert "2 decisions written down in advance, the chain unbroken" in told
    assert told.count("the same") >= 2


def test_journal_tampered_with_in_any_byte_is_found_and_named_by_line(tmp_path: Path) -> None:
    journal = tmp_path / "desk.jsonl"
    for number in range(3):
        append(journal, {"config_hash": "a", "as_of": str(number), "decision": {}, "bars": {}})
    whole = journal.read_bytes()
    for place, byte in enumerate(whole):
        journal.write_bytes(whole[:place] + bytes([byte ^ 1]) + whole[place + 1 :])
        with pytest.raises(DataError, match=r"the journal .* (is broken at line [123]|cannot be)"):
            read(journal)
    for cut in (whole.splitlines(keepends=True)[1:], whole.splitlines(keepends=True)[::-1]):
        journal.write_bytes(b"".join(cut))
        with pytest.raises(DataError, match="broken at line 1"):
            read(journal)


def _append_many(journal: Path, name: str) -> None:
    for number in range(20):
        append(journal, {"config_hash": name, "as_of": str(number), "decision": {}, "bars": {}})


def test_journal_of_two_processes_loses_no_line(tmp_path: Path) -> None:
    journal = tmp_path / "desk.jsonl"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_append_many, args=(journal, name)) for name in "ab"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    lines = read(journal)
    assert [line.line for line in lines] == list(range(1, 41))
    assert sorted(line.content["config_hash"] for line in lines) == ["a"] * 20 + ["b"] * 20


def test_notify_tells_a_change_once_and_a_failure_hides_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import apprise

    sent: list[str] = []
    answers = iter([False, True])

    def notify(self: object, *, title: str, body: str) -> bool:
        del self, title
        sent.append(body)
        return next(answers)

    monkeypatch.setattr(apprise.Apprise, "notify", notify)
    told = (*QUIET, "--cache-dir", str(tmp_path), "--notify", "json://localhost/hook")
    for expected in ("not everybody could be told", "", ""):
        assert main(told) == 0
        out, err = capsys.readouterr()
        assert out.startswith("ETH: in the market since")
        assert ("not everybody could be told" in err) is bool(expected)
    assert len(sent) == 2
    assert main((*told, "--dry-run", "--end", "2025-06-30")) in (0, 10)
    assert "would tell 1: ETH: " in capsys.readouterr().err
    assert len(sent) == 2


def test_notify_refuses_an_address_of_no_service(capsys: pytest.CaptureFixture[str]) -> None:
    assert main((*QUIET, "--notify", "nowhere://x")) == 2
    assert (
        "`--notify` address 1 (nowhere:...) is none that Apprise knows" in capsys.readouterr().err
    )


def test_today_all_claims_tells_each_as_its_event_would_trade(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ("--data-dir", str(shared_data / "deep"), "--end", "2025-12-10")
    assert main(("--all-claims", *folder, "--json")) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["fund-flows"] is None
    one = found["new-high-btc"]
    assert (one["in_market"], one["since"]) == (True, "2025-09-19T00:00:00Z")
    assert main(("--all-claims", *folder)) == 0
    assert "BTC: in the market since 2025-09-19 (new high)" in capsys.readouterr().out


def test_journal_that_cannot_be_written_is_refused_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = tmp_path / "nowhere" / "desk.jsonl"
    assert main((*QUIET, "--journal", str(nowhere))) == 2
    said = capsys.readouterr().err
    assert f"`--journal` {nowhere} cannot be written: No such file or directory." in said
