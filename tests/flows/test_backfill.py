"""A backfill fills the days that were asked for, goes on where it was, makes room for the night, and costs nothing twice."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import duckdb
import pytest

from newsroom.truth import ExpectedArticle
from tests.flows.world import ANCHOR, Served, descendants, kill, run_line, serving, start_line, wait_for

FIRST, LAST = ANCHOR - timedelta(days=9), ANCHOR - timedelta(days=5)
ZONES = {"la-lanterne": "Europe/Paris", "lindenauer-bote": "Europe/Berlin", "saltmarsh-courier": "Europe/London"}
SPAN = (FIRST.isoformat(), LAST.isoformat())


def day(article: ExpectedArticle) -> date:
    return article.date_published.astimezone(ZoneInfo(ZONES[article.site])).date()


def rows(data: Path, query: str) -> list[tuple]:
    with duckdb.connect(str(data / "store" / "published.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def a_day(data: Path) -> Counter[tuple[str, date]]:
    """The articles in the store by site and day, each day the site's own."""
    query = """select site, (date_published at time zone 'UTC' at time zone time_zone)::date as day, count(*)
        from articles join sites using (site) group by all"""
    return Counter({(site, d): n for site, d, n in rows(data, query)})


@pytest.fixture(scope="module")
def quarter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A newsroom of 90 days."""
    with serving(tmp_path_factory.mktemp("quarter") / "access.jsonl", days=90) as served:
        yield served


@pytest.mark.crash
def test_ninety_days_of_three_sites_are_filled_exactly(quarter: Served, tmp_path: Path) -> None:
    """Killed amid it and started again: each day has as many articles as the origin published, each fetched once; the same again asks for nothing."""
    data = quarter.furnish(tmp_path / "data")
    span = ((ANCHOR - timedelta(days=90)).isoformat(), (ANCHOR - timedelta(days=1)).isoformat())
    articles = quarter.truth().articles
    process = start_line(data, *span)
    wait_for(lambda: sum(quarter.asked()[a.url] for a in articles) > 60, 120, "the backfill fetches")
    kill({process.pid, *descendants(process.pid)})
    process.communicate()
    run_line(data, *span)

    assert a_day(data) == Counter((article.site, day(article)) for article in articles)
    assert {url for (url,) in rows(data, "select url from articles")} == {article.url for article in articles}
    asked = quarter.asked()
    twice = [article.url for article in articles if asked[article.url] > 1]
    assert len(twice) <= 6, twice  # three hosts, one request under way on each, and what was being written
    assert rows(data, "select state, count(*) from backfill_chunks where day is not null group by 1") == [
        ("finished", 270)
    ]
    assert rows(data, "select count(*) from backfill_urls where day is not null") == [(0,)]
    assert rows(data, "select state from runs where kind = 'backfill' order by started_at") == [
        ("failed",),
        ("finished",),
    ]

    before = quarter.asked()
    run_line(data, *span)
    assert quarter.asked() == before


def test_only_these_days_are_fetched(own_newsroom: Served, tmp_path: Path, nightdesk) -> None:
    """Of five days amid the archive nothing else is fetched; a longer span then fetches only what is new in it."""
    data = own_newsroom.furnish(tmp_path / "data")
    run_line(data, *SPAN)
    wanted = Counter((a.site, day(a)) for a in own_newsroom.truth().articles if FIRST <= day(a) <= LAST)
    assert wanted
    assert a_day(data) == wanted
    run_line(data, (FIRST - timedelta(days=1)).isoformat(), LAST.isoformat())
    asked = own_newsroom.asked()
    fetched = {a.url: asked[a.url] for a in own_newsroom.truth().articles if asked[a.url]}
    assert set(fetched.values()) == {1}
    assert len(fetched) == sum(FIRST - timedelta(days=1) <= day(a) <= LAST for a in own_newsroom.truth().articles)
    assert rows(data, "select count(*) from backfill_chunks where reason = 'filled before'") == [(15,)]

    nightdesk("report", "--calendar", str(tmp_path / "days.svg"), data=data)
    titles = ET.parse(tmp_path / "days.svg").getroot().iter("{http://www.w3.org/2000/svg}title")
    told = sum(int(title.text.split(": ")[1].split()[0]) for title in titles if ": " in title.text)
    assert told == sum(a_day(data).values())
    assert "no gaps" in nightdesk("gaps", "--look-back", "3000", data=data).stdout


def test_a_limit_leaves_days_open_that_the_next_start_takes_up(own_newsroom: Served, tmp_path: Path) -> None:
    """Ten pages are fetched, the newest days first; the chunks tell what is open and why; then the rest comes, no index read again."""
    data = own_newsroom.furnish(tmp_path / "data")
    run_line(data, *SPAN, "10")
    assert sum(a_day(data).values()) == 10
    opened = rows(data, "select sum(open), any_value(reason) from backfill_chunks where open > 0 and day is not null")
    assert opened[0][0] > 0
    assert "over limit" in opened[0][1]
    oldest_filled = min(d for site, d in a_day(data) if site == "saltmarsh-courier")
    indexes = {url: n for url, n in own_newsroom.asked().items() if "sitemap" in url}
    assert oldest_filled > FIRST
    run_line(data, *SPAN)
    assert a_day(data) == Counter((a.site, day(a)) for a in own_newsroom.truth().articles if FIRST <= day(a) <= LAST)
    assert {url: n for url, n in own_newsroom.asked().items() if "sitemap" in url} == indexes
    assert {own_newsroom.asked()[a.url] for a in own_newsroom.truth().articles} == {0, 1}


def test_a_backfill_makes_room_for_the_nightly_crawl(own_newsroom: Served, tmp_path: Path) -> None:
    """The nightly crawl starts amid a slow backfill and ends before it; the backfill goes on, and nothing is fetched twice."""
    data = own_newsroom.furnish(tmp_path / "data")
    for path in (data / "sites").glob("*.toml"):
        path.write_text(re.sub(r"delay_s = .*", "delay_s = 0.25", path.read_text("utf-8")), "utf-8")
    span = ((ANCHOR - timedelta(days=32)).isoformat(), (ANCHOR - timedelta(days=1)).isoformat())
    articles = own_newsroom.truth().articles
    slow = start_line(data, *span)
    wait_for(lambda: sum(own_newsroom.asked()[a.url] for a in articles) > 5, 120, "the backfill fetches")
    run_line(data)  # 45 days of its sitemaps: it wants the same pages
    assert slow.poll() is None
    _, said = slow.communicate(timeout=120)
    assert slow.returncode == 0, said
    assert "makes room" in said
    assert {own_newsroom.asked()[a.url] for a in articles} == {1}
    assert a_day(data) == Counter((a.site, day(a)) for a in articles)
    assert rows(data, "select distinct state from backfill_chunks where day is not null") == [("finished",)]
