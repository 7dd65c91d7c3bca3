"""Backfills as objects: what was planned, what the ledger says has become of it, what is left."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from extraction.records import Outcome
from extraction.urls import url_key
from storage.backfills import (
    Backfill,
    Chunk,
    PlannedUrl,
    bury,
    chunks,
    find,
    finished_days,
    open_urls,
    record_plan,
    settle,
)
from storage.database import publish
from storage.load import load
from storage.query import Session
from tests.storage.made import article, at, discovered, extraction, folder, outcome, page

FIRST, SECOND = date(2026, 11, 1), date(2026, 11, 2)
URLS = {FIRST: ("https://harbour.example/a", "https://harbour.example/b"), SECOND: ("https://harbour.example/c",)}
PLANNED_AT = at(0)


def backfill(**changes: object) -> Backfill:
    values = {"backfill_id": "f1", "sites": ("harbour",), "first_day": FIRST, "last_day": SECOND, "state": "planned"}
    return Backfill(**values | {"parameters": {"refetch": False}} | changes)


def planned(day: date | None, url: str) -> PlannedUrl:
    return PlannedUrl(
        site="harbour",
        day=day,
        url_key=url_key(url),
        url=url,
        found_in="https://harbour.example/map",
        found_by="sitemap",
    )


def chunk(day: date | None, number: int, **changes: object) -> Chunk:
    return Chunk(**{"site": "harbour", "day": day, "planned": number, "planned_at": PLANNED_AT} | changes)


def plan(data: Path, **changes: object) -> None:
    urls = [planned(day, url) for day, of_day in URLS.items() for url in of_day]
    record_plan(data, backfill(**changes), [chunk(FIRST, 2), chunk(SECOND, 1)], urls)


def fetch(data: Path, *ends: tuple[str, Outcome | None], minutes: float = 10, run: str = "run-1") -> None:
    """Let a run load these URLs as articles (None) or with an outcome."""
    entries = [discovered(url, minutes) for url, _ in ends]
    for number, (url, end) in enumerate(ends):
        when = minutes + number / 10
        entries.append(
            outcome(url, when, end) if end else (page(url, when, run=run), extraction(article(url, f"Of {url}")))
        )
    load(data, [folder(data, entries, run=run)], publish=True)


def states(data: Path) -> list[tuple[date | None, str, int, int, int]]:
    return [(c.day, c.state, c.in_store, c.rejected, c.open) for c in chunks(data, "f1")]


def test_a_backfill_is_found_as_it_was_planned(tmp_path: Path) -> None:
    """Its parameters, its chunks with their counts, and each URL as its source named it, the newest day first."""
    assert find(tmp_path, "f1") is None
    plan(tmp_path)
    assert find(tmp_path, "f1") == backfill()
    assert states(tmp_path) == [(FIRST, "planned", 0, 0, 2), (SECOND, "planned", 0, 0, 1)]
    left = open_urls(tmp_path, "f1", ["harbour"])
    assert [url.url for url in left] == [*URLS[SECOND], *sorted(URLS[FIRST], key=url_key)]
    assert {url.found_in for url in left} == {"https://harbour.example/map"}
    assert open_urls(tmp_path, "f1", ["other"]) == []


def test_chunks_follow_the_ledger_whoever_fetched(tmp_path: Path) -> None:
    """What a run of any kind fetched counts; an outcome that may pass leaves its URL open, one that is final does not."""
    plan(tmp_path)
    a, b = URLS[FIRST]
    fetch(tmp_path, (a, None), (b, Outcome.TIMEOUT), (URLS[SECOND][0], Outcome.GONE))
    assert states(tmp_path) == [(FIRST, "open", 1, 0, 1), (SECOND, "finished", 0, 1, 0)]
    assert chunks(tmp_path, "f1")[0].reason == "most of what is open: timeout"
    assert [url.url for url in open_urls(tmp_path, "f1", ["harbour"])] == [b]
    fetch(tmp_path, (b, None), minutes=20, run="run-2")
    assert states(tmp_path) == [(FIRST, "finished", 2, 0, 0), (SECOND, "finished", 0, 1, 0)]
    assert open_urls(tmp_path, "f1", ["harbour"]) == []


def test_a_finished_chunk_stays_finished_and_lets_its_urls_go(tmp_path: Path) -> None:
    """Its counts are kept when its URLs have left the plan, and its day is told to later backfills."""
    plan(tmp_path)
    fetch(tmp_path, *((url, None) for url in URLS[FIRST]))
    settle(tmp_path, backfill(state="incomplete", reason="stopped"))
    assert states(tmp_path) == [(FIRST, "finished", 2, 0, 0), (SECOND, "planned", 0, 0, 1)]
    assert [(c.day, c.planned_at) for c in finished_days(tmp_path, ["harbour", "other"])] == [(FIRST, PLANNED_AT)]
    assert find(tmp_path, "f1").state == "incomplete"
    settle(tmp_path, backfill(state="running", run_id="run-7"))
    bury(tmp_path, "run-6", "killed")
    publish(tmp_path)
    assert find(tmp_path, "f1").state == "running"
    bury(tmp_path, "run-7", "killed")
    publish(tmp_path)
    assert (find(tmp_path, "f1").state, find(tmp_path, "f1").reason) == ("failed", "killed")
    with Session(tmp_path) as session:
        assert list(session.ask("SELECT url FROM backfill_urls").rows) == [(URLS[SECOND][0],)]
        assert list(session.ask("SELECT day, missing FROM gaps").rows) == [(SECOND, 1)]


def test_planning_a_day_anew_leaves_the_others(tmp_path: Path) -> None:
    """The chunk of the day is replaced with its URLs; nothing stands twice."""
    plan(tmp_path)
    other = "https://harbour.example/d"
    record_plan(tmp_path, backfill(), [chunk(SECOND, 1)], [planned(SECOND, other)])
    assert states(tmp_path) == [(FIRST, "planned", 0, 0, 2), (SECOND, "planned", 0, 0, 1)]
    assert {url.url for url in open_urls(tmp_path, "f1", ["harbour"])} == {*URLS[FIRST], other}


def test_a_refetch_is_done_when_it_was_fetched_again(tmp_path: Path) -> None:
    """What was fetched before the plan is open until it is fetched after it."""
    url = URLS[SECOND][0]
    fetch(tmp_path, (url, None), minutes=-60)
    record_plan(tmp_path, backfill(parameters={"refetch": True}), [chunk(SECOND, 1)], [planned(SECOND, url)])
    assert states(tmp_path) == [(SECOND, "planned", 0, 0, 1)]
    fetch(tmp_path, (url, None), minutes=60, run="run-2")
    assert states(tmp_path) == [(SECOND, "finished", 1, 0, 0)]


@pytest.mark.parametrize(
    ("changes", "state", "reason"),
    [
        ({}, "finished", None),
        ({"whole": False, "reason": "the sitemap did not answer"}, "incomplete", "the sitemap did not answer"),
        ({"state": "left_out", "open": 3, "planned": 3, "reason": "no day"}, "left_out", "no day"),
    ],
)
def test_a_day_of_which_nothing_is_named(tmp_path: Path, changes: dict, state: str, reason: str | None) -> None:
    """It is finished if the indexes could be read, and says so if not; what was left out stays left out."""
    day = None if "state" in changes else FIRST
    record_plan(
        tmp_path, backfill(), [chunk(day, **{"number": 0} | {k: v for k, v in changes.items() if k != "planned"})], []
    )
    found = chunks(tmp_path, "f1")[0]
    assert (found.state, found.reason) == (state, reason)


def test_coverage_tells_what_is_missing_of_a_plan(tmp_path: Path) -> None:
    """A URL that was planned and never tried is expected and missing; rejected ones are told by their outcome."""
    plan(tmp_path)
    a, b = URLS[FIRST]
    record_plan(tmp_path, backfill(backfill_id="f2"), [chunk(FIRST, 2)], [planned(FIRST, a), planned(FIRST, b)])
    with Session(tmp_path) as session:
        query = "SELECT day, expected, discovered, in_store, missing FROM coverage ORDER BY day"
        assert list(session.ask(query).rows) == [(FIRST, 2, 0, 0, 2), (SECOND, 1, 0, 0, 1)]
    fetch(tmp_path, (a, None), (b, Outcome.GONE))
    with Session(tmp_path) as session:
        query = "SELECT expected, discovered, in_store, missing, rejected FROM coverage WHERE discovered > 0"
        assert list(session.ask(query).rows) == [(2, 2, 1, 0, {"gone": 1})]


def test_a_silent_day_that_was_looked_at_is_no_gap(tmp_path: Path) -> None:
    """Days without an article between two that have some are gaps, until a backfill finds that nothing is named of them."""
    published = [at(0) - timedelta(days=days) for days in (4, 0)]
    for number, moment in enumerate(published):
        url = f"https://harbour.example/{number}"
        entry = (page(url, 10 + number), extraction(article(url, f"Text {number}", metadata=_published(moment))))
        load(tmp_path, [folder(tmp_path, [entry], run=f"run-{number}")], publish=True)
    with Session(tmp_path) as session:
        days = [row[0] for row in session.ask("SELECT day FROM gaps ORDER BY day").rows]
    assert days == [date(2026, 11, day) for day in (17, 18, 19)]
    record_plan(tmp_path, backfill(), [chunk(date(2026, 11, 18), 0)], [])
    with Session(tmp_path) as session:
        assert [row[0].day for row in session.ask("SELECT day FROM gaps ORDER BY day").rows] == [17, 19]


def _published(moment: object) -> object:
    from extraction.records import Metadata

    return Metadata(headline="H", date_published=moment)


def test_a_plan_of_many_urls_is_written_in_seconds(tmp_path: Path) -> None:
    """20,000 URLs of 500 days: written, counted and read back within 10 s of CPU."""
    import time

    days = [FIRST + timedelta(days=n) for n in range(500)]
    urls = [planned(days[n % 500], f"https://harbour.example/{n}") for n in range(20_000)]
    began = time.process_time()
    record_plan(tmp_path, backfill(), [chunk(day, 40) for day in days], urls)
    assert len(open_urls(tmp_path, "f1", ["harbour"])) == 20_000
    assert sum(c.open for c in chunks(tmp_path, "f1")) == 20_000
    assert time.process_time() - began < 10
