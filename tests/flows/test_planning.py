"""Which days are planned, what a plan says, and how chunks, gaps and calendars are shown: all pure."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.chunks import Advance, Pace, preview, preview_headline, report, shares, sparkline, time_for_all
from flows.gaps import Mend, headline, markdown, mends
from flows.heatmap import Day, heatmap
from flows.planning import FEEDS_ONLY, backfill_id, days_between, days_to_plan, index_problems, read_plan
from spiders import journal
from spiders.site import Site, Sources
from storage.backfills import Backfill, Chunk

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FIRST, SECOND, THIRD = (date(2026, 11, day) for day in (17, 18, 19))
HOSTILE = "<script>alert(1)</script>|[x](javascript:y)"
BACKFILL = Backfill(backfill_id="f1", sites=("harbour",), first_day=FIRST, last_day=THIRD, state="running")


def site(name: str = "harbour", **sources: tuple[str, ...]) -> Site:
    sources = sources or {"sitemaps": ("https://harbour.example/map.xml",)}
    return Site(
        name=name, title="T", url=f"https://{name}.example/", country="be", languages=("en",),
        time_zone="Europe/Brussels", sources=Sources(**sources),
    )  # fmt: skip


def chunk(day: date | None, **changes: object) -> Chunk:
    return Chunk(**{"site": "harbour", "day": day, "planned_at": NOW} | changes)


def test_days_without_a_plan_are_planned_and_finished_ones_taken_over() -> None:
    """Of three days one is planned by this backfill and one finished by another: the third is to be planned."""
    other = chunk(SECOND, state="finished", planned=4)
    wanted, taken = days_to_plan([site()], [FIRST, SECOND, THIRD], [chunk(FIRST)], [other])
    assert wanted == {"harbour": [THIRD]}
    assert taken == [other]


@pytest.mark.parametrize(
    "stale",
    [
        chunk(FIRST, planned_at=datetime(2026, 11, 17, 22, 59, tzinfo=UTC)),  # 23:59 in Brussels
        chunk(FIRST, whole=False),
    ],
)
def test_a_plan_that_can_lack_something_is_made_anew(stale: Chunk) -> None:
    """One that was made before its day was over, or while an index could not be read."""
    wanted, _ = days_to_plan([site()], [FIRST], [stale], [])
    assert wanted == {"harbour": [FIRST]}
    ended = chunk(FIRST, planned_at=datetime(2026, 11, 17, 23, 0, tzinfo=UTC))
    assert days_to_plan([site()], [FIRST], [ended], [])[0] == {}


def test_the_same_parameters_are_the_same_backfill() -> None:
    """The name depends on what is asked for and on nothing else."""
    parameters = {"sites": ("a", "b"), "days": (FIRST, SECOND), "refetch": False}
    assert backfill_id(parameters) == backfill_id(dict(reversed(parameters.items())))
    assert backfill_id(parameters) != backfill_id(parameters | {"refetch": True})


@pytest.fixture
def plan(tmp_path: Path) -> Callable[..., Path]:
    def write(*lines: dict) -> Path:
        path = tmp_path / "plan.jsonl"
        base = {"kind": "planned", "site": "harbour", "found_in": "m", "found_by": "sitemap", "known": False}
        text = [
            json.dumps(base | {"url": f"https://x/{n}", "url_key": f"{n:024}"} | line) for n, line in enumerate(lines)
        ]
        path.write_text("\n".join(text), "utf-8")
        return path

    return write


def test_a_plan_is_counted_by_day(plan: Callable[..., Path]) -> None:
    """Days of which nothing is named have their chunk, known URLs are not fetched, dayless ones and other days left out."""
    path = plan({"day": "2026-11-17"}, {"day": "2026-11-17", "known": True}, {"day": None}, {"day": "2026-11-01"})
    chunks, urls = read_plan(path, {"harbour": [FIRST, SECOND]}, {}, NOW, refetch=False, doubtful=False)
    assert [(c.day, c.state, c.planned, c.known, c.open) for c in chunks] == [
        (FIRST, "planned", 2, 1, 1),
        (SECOND, "planned", 0, 0, 0),
        (None, "left_out", 1, 0, 1),
    ]
    assert [url.url for url in urls] == ["https://x/0"]
    chunks, urls = read_plan(path, {"harbour": [FIRST]}, {"harbour": "cut"}, NOW, refetch=True, doubtful=True)
    assert [url.url for url in urls] == ["https://x/0", "https://x/1", "https://x/2"]
    assert {c.whole for c in chunks} == {False}


def test_an_index_that_was_not_read_whole_is_told(tmp_path: Path) -> None:
    """A sitemap that failed or was cut is a problem of its site, a feed that failed is none, and feeds alone are one."""
    at = NOW
    lines = [
        journal.source("https://a/map", "a", "sitemap", at, result="timeout", reason="no answer"),
        journal.source("https://b/map", "b", "sitemap", at, result="ok", bounded="entries"),
        journal.source("https://c/feed", "c", "feed", at, result="timeout"),
        journal.source("https://c/map", "c", "sitemap", at, result="ok"),
    ]
    (tmp_path / "plan-00001.journal.jsonl").write_bytes(b"".join(lines))
    sites = [site("a"), site("b"), site("c"), site("d", feeds=("https://d/feed",))]
    assert index_problems(tmp_path, "plan", sites) == {
        "a": "https://a/map: no answer",
        "b": "https://b/map: cut at entries",
        "d": FEEDS_ONLY,
    }


PACES = {"harbour": Pace(delay_s=2.0, budget_pages=10), "slow": Pace(delay_s=30.0, budget_pages=100)}


def test_a_preview_tells_cost_and_time() -> None:
    """Sites run side by side, so the slowest decides; what exceeds a site's budget says how many runs it takes."""
    chunks = [chunk(FIRST, planned=30, known=5, open=25), chunk(SECOND, site="slow", planned=4, open=4)]
    assert time_for_all(shares(chunks), PACES) == timedelta(seconds=120)
    assert preview_headline(chunks, PACES) == "34 URLs of 2 days and 2 sites: 5 known, 29 to fetch in about 2 min 0 s"
    text = preview(BACKFILL, chunks, PACES)
    assert "| harbour | 1 | 30 | 5 | 25 | 2 | 50.0 s | the site&#39;s budget is 10 pages a run: 3 runs |" in text
    assert "| 2026-11-17 | 30 | 0 | 30 | 5 |" in text


def test_hostile_text_in_chunks_is_inert() -> None:
    """A reason with a site's text makes no element, link or cell."""
    chunks = [chunk(FIRST, state="incomplete", whole=False, reason=HOSTILE, planned=1, in_store=1)]
    for text in (preview(BACKFILL, chunks, PACES), report(BACKFILL, chunks)):
        assert "<script" not in text
        assert "](javascript" not in text


def test_the_expected_end_follows_the_rate_else_the_pace() -> None:
    """A site that has begun goes on as it did, one that has not is taken at its pace; the last to end decides."""
    advance = Advance(done={"harbour": 10, "slow": 0}, of={"harbour": 20, "slow": 4}, pages_per_s=1.0, now=NOW)
    assert advance.left(PACES, {"harbour": 0.05}) == timedelta(seconds=200)
    assert advance.left(PACES, {"harbour": 1.0}) == timedelta(seconds=120)
    done = Advance(done={"harbour": 20}, of={"harbour": 20}, pages_per_s=1.0, now=NOW)
    assert done.left(PACES, {}) is None


def test_a_sparkline_has_a_mark_a_day_up_to_its_length() -> None:
    """Nothing is a dot, the most a full block; more numbers than room are drawn as means."""
    assert sparkline([0, 1, 8]) == "·▁█"
    assert len(sparkline(list(range(300)), 30)) == 30
    assert sparkline([]) == ""


@settings(deadline=None, max_examples=15)
@given(
    st.dictionaries(
        st.sampled_from(["a", "b", HOSTILE]),
        st.dictionaries(
            st.dates(date(2025, 10, 1), date(2026, 1, 1)), st.builds(Day, st.integers(0, 9), st.integers(0, 2))
        ),
        max_size=3,
    )
)
def test_a_calendar_has_a_cell_a_day(sites: dict[str, dict[date, Day]]) -> None:
    """Well-formed whatever the sites are called; each day of the span is one cell a site; a mark where something is missing."""
    first, last = date(2025, 11, 1), date(2026, 1, 15)
    tree = ET.fromstring(heatmap(sites, first, last))
    titles = [title.text for title in tree.iter("{http://www.w3.org/2000/svg}title")]
    assert sum(": " in title for title in titles) == len(sites) * len(days_between(first, last))
    missing = sum(bool(day.missing) for days in sites.values() for at, day in days.items() if first <= at <= last)
    assert sum(", " in title and "missing" in title for title in titles) == missing


def test_gaps_that_lie_together_are_one_backfill() -> None:
    """Neighbouring days are a span, sites that lack the same span share it, newest first."""
    gaps = [("a", FIRST, 2), ("a", SECOND, 0), ("b", FIRST, 1), ("b", SECOND, 0), ("a", date(2026, 11, 1), 3)]
    found = mends(gaps)
    assert found == [
        Mend(sites=("a", "b"), first_day=FIRST, last_day=SECOND, missing=3),
        Mend(sites=("a",), first_day=date(2026, 11, 1), last_day=date(2026, 11, 1), missing=3),
    ]
    assert headline(found) == "5 days of 2 sites lack articles, 6 URLs known of them"
    assert headline(mends(gaps[:1])) == "1 day of 1 site lacks articles, 2 URLs known of them"
    assert found[0].command() == "nightdesk backfill --first-day 2026-11-17 --last-day 2026-11-18 --site a --site b"
    text = markdown(found, "", {found[0]: "http://x/run"})
    assert "[open the form](http://x/run)" in text
    assert f"`{found[1].command()}`" in text
    assert mends([]) == []


@settings(deadline=None)
@given(st.sets(st.dates(date(2026, 1, 1), date(2026, 3, 1))))
def test_every_gap_is_in_exactly_one_backfill(days: set[date]) -> None:
    """The spans of a site cover its gaps, and no other day."""
    found = mends([("a", day, 0) for day in days])
    covered = [day for mend in found for day in days_between(mend.first_day, mend.last_day)]
    assert sorted(covered) == sorted(days)
