"""A backfill fills the days that were asked for, and costs nothing a second time."""

from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from newsroom.truth import ExpectedArticle
from tests.flows.world import ANCHOR, Served, run_line

FIRST, LAST = ANCHOR - timedelta(days=9), ANCHOR - timedelta(days=5)
ZONES = {"la-lanterne": "Europe/Paris", "lindenauer-bote": "Europe/Berlin", "saltmarsh-courier": "Europe/London"}


def day(article: ExpectedArticle) -> date:
    return article.date_published.astimezone(ZoneInfo(ZONES[article.site])).date()


def test_the_days_asked_for_are_filled(own_newsroom: Served, tmp_path: Path) -> None:
    """Every article of those days, counted in its site's own time zone, is in the store; again, none is fetched."""
    data = own_newsroom.furnish(tmp_path / "data")
    run_line(data, FIRST.isoformat(), LAST.isoformat())
    wanted = {article.url for article in own_newsroom.truth().articles if FIRST <= day(article) <= LAST}
    with duckdb.connect(str(data / "store" / "published.duckdb"), read_only=True) as connection:
        held = {url for (url,) in connection.execute("select url from articles").fetchall()}
    assert wanted
    assert wanted - held == set()
    before = own_newsroom.asked()
    run_line(data, FIRST.isoformat(), LAST.isoformat())
    after = own_newsroom.asked()
    assert [url for url in held if after[url] > before[url]] == []


def test_days_outside_are_left_alone_where_the_source_tells_dates(own_newsroom: Served, tmp_path: Path) -> None:
    """The courier's sitemaps say when each article was changed: a backfill of five days fetches far fewer than all."""
    data = own_newsroom.furnish(tmp_path / "data")
    run_line(data, FIRST.isoformat(), LAST.isoformat())
    courier = [article for article in own_newsroom.truth().articles if article.site == "saltmarsh-courier"]
    asked = own_newsroom.asked()
    fetched = [article for article in courier if asked[article.url]]
    inside = [article for article in courier if FIRST <= day(article) <= LAST]
    assert len(inside) <= len(fetched) < len(courier) / 2
