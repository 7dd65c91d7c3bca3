"""The files for the spider say what the ledger says."""

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine

from extraction.records import Outcome
from extraction.urls import url_key
from storage import ledger
from storage.load import load
from storage.query import Session
from storage.runs import Run, SiteRow, record_run, summarise
from tests.storage.made import at, discovered, extraction, folder, page, rejection, source

SITE = "https://harbour.example"


def test_known_holds_every_url_that_was_tried(newsdesk: Path) -> None:
    """Each tried URL of the sites asked for, with its last answer; untried ones and other sites are not there."""
    path = newsdesk / "known" / "run-3.sqlite"
    assert ledger.write_known(newsdesk, path, ["harbour", "other"]) == 4
    with sqlite3.connect(path) as file:
        rows = {row[0]: row[1:] for row in file.execute("SELECT * FROM known")}
    assert rows[url_key(f"{SITE}/2026/ferry-late")] == (
        "2026-11-21T04:31:00.000000Z",
        "loaded",
        '"1"',
        None,
        "2026-11-23T03:30:00.000000Z",
    )
    assert rows[url_key(f"{SITE}/2026/fish-market")][1] == "timeout"
    assert rows[url_key(f"{SITE}/2026/pier-opens")][:2] == ("2026-11-20T04:32:00.000000Z", "gone")
    assert url_key(f"{SITE}/2026/waiting") not in rows
    assert ledger.write_known(newsdesk, path, ["other"]) == 0


def test_pending_holds_every_open_url_as_a_journal_line(newsdesk: Path) -> None:
    """Untried URLs and ones whose outcome is open, in the journal's form; nothing that is settled."""
    path = newsdesk / "known" / "pending.jsonl"
    assert ledger.write_pending(newsdesk, path, ["harbour"]) == 2
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert {line["url"] for line in lines} == {f"{SITE}/2026/fish-market", f"{SITE}/2026/waiting"}
    [waiting] = [line for line in lines if line["url"].endswith("waiting")]
    assert datetime.fromisoformat(waiting.pop("at")).tzinfo == UTC
    assert waiting == {
        "kind": "discovered",
        "url": f"{SITE}/2026/waiting",
        "url_key": url_key(f"{SITE}/2026/waiting"),
        "site": "harbour",
        "found_in": f"{SITE}/feed",
        "found_by": "feed",
        "lastmod": None,
        "published_hint": "2026-11-20T03:30:00.000000Z",
        "title_hint": "Ferry",
    }


def test_a_nightly_crawl_is_told_of_the_visits_that_are_due(newsdesk: Path) -> None:
    """An article whose next visit is past is in the list, though its feed has dropped it; one whose time is not come is not."""
    path = newsdesk / "known" / "pending.jsonl"
    for moment, ferry in (("2026-11-23T03:29:00Z", False), ("2026-11-23T03:31:00Z", True)):
        with time_machine.travel(datetime.fromisoformat(moment), tick=False):
            ledger.write_pending(newsdesk, path, ["harbour"], revisits=True)
        urls = {json.loads(line)["url"] for line in path.read_text().splitlines()}
        assert urls >= {f"{SITE}/2026/fish-market", f"{SITE}/2026/waiting"}
        assert (f"{SITE}/2026/ferry-late" in urls) is ferry


@pytest.mark.parametrize("word", [Outcome.EXTRACTION_FAILED, Outcome.EXTRACTION_TIMEOUT])
def test_a_page_that_could_not_be_read_is_tried_again_a_few_times(newsdesk: Path, word: Outcome) -> None:
    """On the days on which articles are looked at again, counted from its discovery; then no more."""
    url = f"{SITE}/2026/hard"
    visits = []
    minutes = 0.0
    while minutes is not None and len(visits) < 9:
        lines = [discovered(url, minutes), (page(url, minutes + 1), extraction(rejection(word)))]
        load(newsdesk, [folder(newsdesk, lines, run=f"run-h{len(visits)}")], publish=True)
        with Session(newsdesk) as session:
            query = f"SELECT date_diff('minute', first_seen_at, next_visit) FROM urls WHERE url = '{url}'"
            [(minutes,)] = session.ask(query).rows
        visits.append(minutes)
    assert visits == [60, 360, 1440, 3 * 1440, 7 * 1440, None]


def test_without_a_store_both_files_are_empty(tmp_path: Path) -> None:
    """The first crawl knows nothing, and that is no error."""
    assert ledger.write_known(tmp_path, tmp_path / "known.sqlite", ["harbour"]) == 0
    assert ledger.write_pending(tmp_path, tmp_path / "pending.jsonl", ["harbour"]) == 0
    with sqlite3.connect(tmp_path / "known.sqlite") as file:
        assert file.execute("SELECT count(*) FROM known").fetchone() == (0,)
    assert (tmp_path / "pending.jsonl").read_text() == ""


def test_a_run_is_recorded_and_its_end_replaces_its_start(newsdesk: Path) -> None:
    """A run has one row, with its times in UTC and its parameters as JSON, and its sites theirs."""
    site = SiteRow(
        site="harbour",
        title="Harbour",
        url=SITE,
        country="be",
        languages=("en",),
        time_zone="Europe/Brussels",
        enabled=True,
    )
    started = Run(
        run_id="run-2", kind="nightly", state="running", started_at=at(1440), parameters={"sites": ["harbour"]}
    )
    record_run(newsdesk, started, [site])
    ended = Run(
        run_id="run-2",
        kind="nightly",
        state="finished",
        started_at=at(1440),
        finished_at=at(1450),
        parameters={"sites": ["harbour"]},
    )
    record_run(newsdesk, ended, [site], publish=True)
    with Session(newsdesk) as session:
        [row] = session.ask(
            "SELECT state, finished_at - started_at = INTERVAL 10 MINUTE, parameters->>'$.sites[0]' FROM runs"
        ).rows
        assert row == ("finished", True, "harbour")
        assert list(session.ask("SELECT site, time_zone, languages FROM sites").rows) == [
            ("harbour", "Europe/Brussels", ["en"])
        ]


def test_a_runs_summary_sums_to_what_it_discovered(newsdesk: Path) -> None:
    """Each run's URLs by site, each counted once."""
    [first] = summarise(newsdesk, "run-1")
    assert (first.site, first.discovered, first.fetched) == ("harbour", 5, 3)
    assert (first.loaded, first.unchanged, first.duplicate, first.open, first.rejected) == (2, 0, 0, 2, 1)
    assert first.reasons == {"index": 1, "pending": 1, "timeout": 1}
    [second] = summarise(newsdesk, "run-2")
    assert (second.discovered, second.loaded, second.rejected, second.reasons) == (2, 1, 1, {"gone": 1})
    assert summarise(newsdesk, "no-such-run") == []


def test_a_site_counts_as_read_where_a_whole_crawl_got_an_answer_from_all_its_sources(newsdesk: Path) -> None:
    """Neither a crawl that was cut short nor one in which a sitemap failed moves the watermark, nor a backfill."""

    def night(number: int, minutes: float, state: str, *, kind: str = "nightly", failing: bool = False) -> None:
        run = f"run-{number}"
        entries = [source(f"{SITE}/feed", minutes)]
        if failing:
            entries.append(source(f"{SITE}/sitemap.xml", minutes, outcome="timeout"))
        load(newsdesk, [folder(newsdesk, entries, run=run)])
        record_run(newsdesk, Run(run_id=run, kind=kind, state=state, started_at=at(minutes)), publish=True)

    assert ledger.last_read(newsdesk, ["harbour"]) == {}
    night(3, 3000, "finished")
    night(4, 4000, "cancelled")
    night(5, 5000, "finished", failing=True)
    night(6, 6000, "finished", kind="backfill")
    assert ledger.last_read(newsdesk, ["harbour", "other"]) == {"harbour": at(3000)}
