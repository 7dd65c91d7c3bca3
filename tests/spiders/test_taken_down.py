"""What was taken down is not asked for again, by whatever way its URL comes up."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from extraction.urls import url_key
from tests.spiders.conftest import Crawled
from tests.spiders.origin import Origin, Reply

PAGE = Reply("<p>A paragraph.</p>" * 50)


def known_file(path: Path, url: str) -> str:
    """Write a file of known URLs in which this one was taken down."""
    with sqlite3.connect(path) as base:
        base.execute(
            "CREATE TABLE known(url_key TEXT PRIMARY KEY, fetched_at, outcome, etag, last_modified, next_visit)"
        )
        base.execute(
            "INSERT INTO known VALUES (?, '2020-01-01T00:00:00Z', 'taken_down', NULL, NULL, NULL)", [url_key(url)]
        )
    return str(path)


def test_a_url_that_was_taken_down_is_never_asked_for(
    origin: Origin, crawl: Callable[..., Crawled], tmp_path: Path
) -> None:
    """Named by a feed with a newer date, asked for by name, refetched, or redirected to: it is not fetched."""
    gone, shortened, good = origin.url("/a/gone"), origin.url("/s/1"), origin.url("/a/good")
    items = "".join(
        f"<item><link>{url}</link><pubDate>Fri, 20 Nov 2026 04:00:00 GMT</pubDate></item>"
        for url in (gone, shortened, good)
    )
    origin.routes |= {
        "/feed": Reply(f"<rss><channel>{items}</channel></rss>"),
        "/a/gone": PAGE,
        "/a/good": PAGE,
        "/s/1": Reply("", status=302, headers={"Location": "/a/gone"}),
    }
    site = {"a": {"url": origin.url("/"), "sources": {"feeds": [origin.url("/feed")]}}}
    known = known_file(tmp_path / "known.sqlite", gone)
    crawled = crawl(site, known=known, refetch=True, urls=[["a", gone]])
    assert crawled.code == 0, crawled.errors
    assert crawled.outcomes == {"/a/gone": "taken_down", "/s/1": "taken_down", "/a/good": "page"}
    assert "/a/gone" not in origin.paths()
    crawled.assert_sums()
