"""Printing to PDF: with the browser there is, and what is said where there is none."""

import shutil

import pytest

from backtests.report import pdf
from backtests.run import main
from feeds.errors import ConfigError

ARGUMENTS = ("--source", "sample", "--start", "2024-01-01", "--quiet", "--pdf")


def test_pdf_without_a_browser_exits_2_before_any_work(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    out = tmp_path / "results"
    assert main([*ARGUMENTS, "--out", str(out)]) == 2
    assert "`--pdf` needs Chromium or Chrome" in capsys.readouterr().err
    assert not out.exists()


def test_browser_that_prints_nothing_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(pdf, "require_browser", lambda: shutil.which("false"))
    with pytest.raises(OSError, match="the PDF was not printed"):
        pdf.print_pdf(tmp_path / "tearsheet.html")


def test_require_browser_says_what_to_install(monkeypatch):
    monkeypatch.setattr(pdf, "BROWSERS", ())
    with pytest.raises(ConfigError, match="apt-get install chromium"):
        pdf.require_browser()


@pytest.mark.skipif(pdf.find_browser() is None, reason="no Chromium here")
def test_pdf_is_printed_next_to_the_page(tmp_path):
    page = tmp_path / "tearsheet.html"
    page.write_text("<!doctype html><title>t</title><h1>One</h1><p>text<h2>Two</h2>")
    printed = pdf.print_pdf(page).read_bytes()
    assert printed.startswith(b"%PDF-")
    assert b"/Outlines" in printed  # the contents a reader of PDFs shows beside the page
