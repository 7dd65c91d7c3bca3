"""Sitemaps that are named by their time: which are a series, and that a crawl leaves out those that are long over."""

from datetime import date

import pytest

from spiders.series import last_days
from tests.spiders.origin import Origin, Reply
from tests.spiders.served import PAGE, Crawl, sitemap

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("names", "days"),
    [
        (["sitemap-2026-09.xml", "sitemap-2026-10.xml", "sitemap-2026-12.xml"], ["2026-09-30", "2026-10-31", "2026-12-31"]),
        (["2023.xml.gz", "2024.xml.gz", "2025.xml.gz"], ["2023-12-31", "2024-12-31", "2025-12-31"]),
        (["a/20240228.xml", "a/20240229.xml", "a/20240301.xml"], ["2024-02-28", "2024-02-29", "2024-03-01"]),
        (["2026/09/map.xml", "2026/10/map.xml", "2026/11/map.xml"], ["2026-09-30", "2026-10-31", "2026-11-30"]),
    ],
    ids=["months", "years", "days", "folders"],
)  # fmt: skip
def test_names_that_differ_by_their_date_are_a_series(names: list[str], days: list[str]) -> None:
    """Each is over with the last day of its year, month or day."""
    found = last_days([f"https://a.example/{name}" for name in names], TODAY)
    assert [str(found[f"https://a.example/{name}"]) for name in names] == days


@pytest.mark.parametrize(
    "names",
    [
        ["map-2017.xml", "map-2018.xml", "map-2019.xml", "map-7.xml"],
        ["map-1998.xml", "map-1999.xml", "map-2000.xml", "map-2100.xml"],
        ["map-2026-1.xml", "map-2026-2.xml", "map-2026-3.xml"],
        ["map-2025-12.xml", "map-2025-13.xml", "map-2025-11.xml"],
        ["map-2025-10.xml", "map-2025-11.xml"],
        ["2024-02-30.xml", "2024-02-28.xml", "2024-02-27.xml", "2024-02-26.xml"],
        ["pages.xml", "news.xml", "tags.xml"],
    ],
    ids=["parts among them", "a year to come", "parts of a year", "a 13th", "too few", "no such day", "words"],
)
def test_what_may_be_a_number_is_no_date(names: list[str]) -> None:
    """One name that is no date makes the others' numbers doubtful: none of them is left out."""
    assert last_days([f"https://a.example/{name}" for name in names], TODAY) == {}


def test_a_sitemap_that_is_over_by_its_name_is_not_read(origin: Origin, crawl: Crawl) -> None:
    """Of an index without any lastmod, the months long before the days that are asked for; the month before them is read."""
    url = origin.url
    months = [f"2026-{month:02}" for month in range(5, 12)]
    index = sitemap(*((url(f"/map-{month}.xml"), None) for month in months), (url("/map.xml"), None), index=True)
    origin.routes |= {"/robots.txt": Reply(status=404), "/index.xml": Reply(index, type="text/xml")}
    for month in [*months, ""]:
        file = f"/map-{month}.xml" if month else "/map.xml"
        origin.routes[file] = Reply(sitemap((url(f"/a/{month}"), None)), type="text/xml")
        origin.routes[f"/a/{month}"] = PAGE
    site = {"url": url(), "sources": {"sitemaps": [url("/index.xml")]}}
    crawled = crawl({"s": site}, first_day="2026-11-10", last_day="2026-11-20", mode="backfill")
    assert set(crawled.sources) == {"/index.xml", "/map.xml", "/map-2026-10.xml", "/map-2026-11.xml"}
    assert set(crawled.outcomes) == {"/a/2026-10", "/a/2026-11", "/a/"}
