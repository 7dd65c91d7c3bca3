"""What several of the spider's tests serve and read: sources, a file of known URLs, patience."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from tests.spiders.conftest import Crawled
from tests.spiders.origin import Reply, zipped

Crawl = Callable[..., Crawled]
ROBOTS = Reply("User-agent: *\nDisallow: /private/\nContent-Signal: ai-train=no\n", type="text/plain")
PAGE = zipped("<p>A paragraph.</p>" * 200)


def feed(*links: str) -> Reply:
    items = "".join(f"<item><title>T</title><link>{link}</link></item>" for link in links)
    return Reply(f'<rss version="2.0"><channel>{items}</channel></rss>', type="application/rss+xml")


def sitemap(*entries: tuple[str, str | None], index: bool = False) -> str:
    inner, outer = ("sitemap", "sitemapindex") if index else ("url", "urlset")
    body = "".join(
        f"<{inner}><loc>{url}</loc>{f'<lastmod>{lastmod}</lastmod>' if lastmod else ''}</{inner}>"
        for url, lastmod in entries
    )
    return f'<{outer} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{body}</{outer}>'


def known_file(path: Path, rows: list[tuple[str | None, ...]]) -> str:
    base = sqlite3.connect(path)
    base.execute(
        "CREATE TABLE known(url_key TEXT PRIMARY KEY, fetched_at TEXT, outcome TEXT, etag TEXT, last_modified TEXT,"
        " next_visit TEXT) WITHOUT ROWID"
    )
    base.executemany("INSERT INTO known VALUES (?, ?, ?, ?, ?, ?)", rows)
    base.commit()
    base.close()
    return str(path)


def until(what: Callable[[], bool], seconds: float = 20) -> None:
    last = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < last
        time.sleep(0.02)
