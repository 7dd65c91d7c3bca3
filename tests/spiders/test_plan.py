"""A plan: what the sources name of a span of days is written down, day by day, and no page is asked for."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.records import Discovery
from spiders.days import Span, day_in, month_of
from tests.spiders.conftest import Crawled
from tests.spiders.origin import Origin, Reply

BRUSSELS = ZoneInfo("Europe/Brussels")
SPAN = Span(date(2026, 11, 5), date(2026, 11, 7))
PAGES = {"https://x.org/2026/11/06/": date(2026, 11, 6)}


def found(url: str = "https://x.org/a", **more: object) -> Discovery:
    return Discovery(url=url, site="x", found_in="https://x.org/map.xml", found_by="sitemap", **more)


@pytest.mark.parametrize(
    ("discovery", "day", "may_be"),
    [
        (found(published_hint=datetime(2026, 11, 5, 22, 59, tzinfo=UTC)), date(2026, 11, 5), True),
        (found(published_hint=datetime(2026, 11, 4, 23, 0, tzinfo=UTC)), date(2026, 11, 5), True),  # midnight there
        (found(published_hint=datetime(2026, 11, 7, 23, 0, tzinfo=UTC)), None, False),
        (found("https://x.org/2026/11/06/title/", lastmod=datetime(2030, 1, 1, tzinfo=UTC)), date(2026, 11, 6), True),
        (found("https://x.org/2026/11/08/title/", lastmod=datetime(2026, 11, 6, tzinfo=UTC)), None, False),
        (found("https://x.org/2026/10/title/", lastmod=datetime(2026, 11, 6, tzinfo=UTC)), None, False),
        (found(lastmod=datetime(2026, 11, 6, 12, tzinfo=UTC)), date(2026, 11, 6), True),
        (found(lastmod=datetime(2026, 11, 8, 1, tzinfo=UTC)), date(2026, 11, 7), True),  # published before midnight?
        (found(lastmod=datetime(2026, 11, 8, 4, tzinfo=UTC)), None, True),
        (found(lastmod=datetime(2026, 11, 4, 12, tzinfo=UTC)), None, False),
        (found(), None, True),
    ],
)
def test_a_url_is_planned_for_its_day(discovery: Discovery, day: date | None, may_be: bool) -> None:
    """Publication as told decides; a change bounds it from above; a later change or no date leaves it open."""
    assert SPAN.day(discovery, BRUSSELS, PAGES) == (day, may_be)


def test_a_days_archive_page_tells_the_day() -> None:
    """A link without a date of its own has the day of the page that it stands on."""
    linked = Discovery(url="https://x.org/title", site="x", found_in="https://x.org/2026/11/06/", found_by="section")
    assert SPAN.day(linked, BRUSSELS, PAGES) == (date(2026, 11, 6), True)


@given(st.dates(min_value=date(1990, 1, 1), max_value=date(2099, 12, 31)))
def test_the_days_in_urls_are_read_in_each_form(day: date) -> None:
    """Folders with and without leading zeros, dashes at the start of a segment, eight digits."""
    forms = (f"{day:%Y/%m/%d}/slug", f"{day.year}/{day.month}/{day.day}/", f"{day:%Y-%m-%d}-slug.html", f"{day:%Y%m%d}")
    assert {day_in(f"https://x.org/news/{form}") for form in forms} == {day}


@pytest.mark.parametrize(
    "path", ["2026/13/05/x", "2026/02/30/x", "cup-2026-11-05", "article/20261105123", "1870/01/01", "v/12026/11/05/x"]
)
def test_what_is_no_day_is_not_taken_for_one(path: str) -> None:
    """Dates that do not exist, dates within a slug, long numbers."""
    assert day_in(f"https://x.org/{path}") is None


def test_a_month_in_the_path_is_read() -> None:
    """/2026/11/slug tells the month, /2026/1100/ does not."""
    assert month_of("https://x.org/2026/11/slug/") == (2026, 11)
    assert month_of("https://x.org/2026/1100/slug/") is None


def test_a_plan_asks_for_no_page(origin: Origin, crawl: Callable[..., Crawled], tmp_path: Path) -> None:
    """Sitemap, feed and the archive pages of the days are read, each URL of the span is a line once, nothing else is asked for."""
    urls = {
        path: origin.url(path) for path in ("/2026/11/06/one", "/2026/11/09/late", "/undated-title-of-a-story", "/b")
    }
    lastmod = "<lastmod>2026-11-07T10:00:00Z</lastmod>"
    origin.routes |= {
        "/map.xml": Reply(
            "<urlset>"
            + "".join(f"<url><loc>{urls[path]}</loc></url>" for path in ("/2026/11/06/one", "/2026/11/09/late"))
            + f"<url><loc>{urls['/b']}</loc>{lastmod}</url></urlset>"
        ),
        "/days/2026-11-05": Reply(f'<p><a href="{urls["/undated-title-of-a-story"]}">A story with a title</a></p>'),
        "/days/2026-11-06": Reply(f'<p><a href="{urls["/2026/11/06/one"]}">One</a></p>'),
        "/days/2026-11-07": Reply("<p>Nothing that day</p>"),
    }
    site = {
        "url": origin.url("/"),
        "sources": {
            "sitemaps": [origin.url("/map.xml")],
            "archive_pages": [origin.url("/days/{year}-{month}-{day}")],
        },
    }
    plan = tmp_path / "plan.jsonl"
    crawled = crawl({"a": site}, mode="backfill", first_day="2026-11-05", last_day="2026-11-07", plan=str(plan))
    assert crawled.code == 0, crawled.errors
    assert crawled.discovered == []
    assert sorted(set(origin.paths())) == [
        *("/days/2026-11-05", "/days/2026-11-06", "/days/2026-11-07", "/map.xml", "/robots.txt"),
    ]
    lines = [json.loads(line) for line in plan.read_text("utf-8").splitlines()]
    assert {line["url"]: line["day"] for line in lines} == {
        urls["/2026/11/06/one"]: "2026-11-06",
        urls["/undated-title-of-a-story"]: "2026-11-05",
        urls["/b"]: "2026-11-07",
    }
    assert {line["kind"] for line in lines} == {"planned"}
    assert len(lines) == 3


def test_a_plan_is_filled(origin: Origin, crawl: Callable[..., Crawled], tmp_path: Path) -> None:
    """The lines of a plan are fetched, found where their source named them, and no source is read."""
    origin.routes["/a"] = Reply("<p>A paragraph.</p>" * 50)
    plan = tmp_path / "plan.jsonl"
    line = {"url": origin.url("/a"), "site": "a", "found_in": origin.url("/map.xml"), "found_by": "sitemap"}
    plan.write_text(json.dumps(line) + "\n", "utf-8")
    site = {"url": origin.url("/"), "sources": {"sitemaps": [origin.url("/map.xml")]}}
    crawled = crawl({"a": site}, mode="backfill", fill=str(plan), discover=False)
    assert crawled.outcomes == {"/a": "page"}
    assert crawled.pages[0].discovery.found_in == origin.url("/map.xml")
    assert "/map.xml" not in origin.paths()


def test_archive_pages_are_no_business_of_the_night(origin: Origin, crawl: Callable[..., Crawled]) -> None:
    """A nightly crawl reads feeds and sitemaps; the archive is for backfills."""
    origin.routes["/feed"] = Reply(f"<rss><item><link>{origin.url('/a')}</link></item></rss>")
    origin.routes["/a"] = Reply("<p>A paragraph.</p>" * 50)
    sources = {"feeds": [origin.url("/feed")], "archive_pages": [origin.url("/days/{year}-{month}-{day}")]}
    crawled = crawl({"a": {"url": origin.url("/"), "sources": sources}})
    assert not [path for path in origin.paths() if path.startswith("/days/")]
    assert crawled.outcomes == {"/a": "page"}
    crawled.assert_sums()
