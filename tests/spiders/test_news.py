"""Whole crawls by the real child process against a loopback origin: what is asked for, and how each URL ends."""

import asyncio
import gzip
import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType

from extraction.urls import url_key
from spiders.captures import closed_segments, read_journal, recover
from tests.spiders.conftest import Crawled, finish, start
from tests.spiders.origin import Asked, Origin, Raw, Reply, moved, zipped

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


def test_every_discovered_url_has_its_end(origin: Origin, crawl: Crawl) -> None:
    """Pages, refusals and answers of all kinds on one site: one end each, with a reason; only what may be is asked."""
    answers = {
        "/a/good": PAGE,
        "/a/plain": Reply("<p>x</p>", type="text/plain"),
        "/a/gone": Reply("no", status=404),
        "/a/gone2": Reply("no", status=410),
        "/a/blocked": Reply("no", status=403),
        "/a/broken": Reply("no", status=500),
        "/a/odd": Reply("no", status=999),
        "/a/noindex": Reply("<p>x</p>", headers={"X-Robots-Tag": "noindex"}),
        "/a/film": Reply(b"\x00" * 100, type="video/mp4"),
        "/a/304": Reply(status=304),
        "/a/moved": moved("/a/target"),
        "/a/target": PAGE,
        "/a/self": moved("/a/self"),
        "/a/loop1": moved("/a/loop2"),
        "/a/loop2": moved("/a/loop1"),
        "/a/home": moved("/"),
        "/a/away": moved("http://elsewhere.localhost/x"),
        "/a/file": moved("file:///etc/hostname"),
        "/a/twin": moved("/a/good"),
        "/a/to-private": moved("/private/y"),
        **{f"/chain/{n}": moved(f"/chain/{n + 1}") for n in range(20)},
    }
    origin.routes |= answers | {"/robots.txt": ROBOTS}
    listed = [path for path in answers if not path.startswith("/chain") and path not in {"/a/target", "/a/loop2"}]
    origin.routes["/feed"] = feed(*(origin.url(path) for path in [*listed, "/chain/0", "/private/x"]))
    crawled = crawl({"s": {"url": origin.url(), "sources": {"feeds": [origin.url("/feed")]}}})
    assert (crawled.code, crawled.errors) == (0, "")
    assert crawled.outcomes == {
        "/a/good": "page",
        "/a/plain": "page",
        "/a/gone": "gone",
        "/a/gone2": "gone",
        "/a/blocked": "blocked",
        "/a/broken": "server_error",
        "/a/odd": "http_error",
        "/a/noindex": "noindex",
        "/a/film": "not_html",
        "/a/304": "http_error",
        "/a/moved": "page",
        "/a/self": "redirect_limit",
        "/a/loop1": "redirect_limit",
        "/a/home": "redirected_home",
        "/a/away": "off_site",
        "/a/file": "refused_scheme",
        "/a/twin": "duplicate",
        "/a/to-private": "robots",
        "/chain/0": "redirect_limit",
        "/private/x": "robots",
    }
    crawled.assert_sums()
    assert all(crawled.reasons.values())
    assert origin.paths().count("/a/broken") == 2
    assert origin.paths().count("/a/gone") == 1
    assert not {"/private/x", "/private/y", "/"} & set(origin.paths())
    assert origin.asked[0].path == "/robots.txt"
    page = next(page for page in crawled.pages if page.discovery.url.endswith("/moved"))
    assert page.final_url == origin.url("/a/target")
    assert gzip.decompress(page.body) == b"<p>A paragraph.</p>" * 200
    assert dict(page.headers)["Content-Encoding"] == "gzip"
    assert page.rights == {"content_signal": "ai-train=no"}
    assert page.discovery.found_in == origin.url("/feed")
    assert origin.asked[0].headers["user-agent"] == "Nightdesk/test"
    assert crawled.events[-1] == {"event": "finished", "reason": "finished"}
    assert crawled.entries[-1]["kind"] == "finished"


def test_the_wire_may_do_what_it_wants(origin: Origin, crawl: Crawl) -> None:
    """Silence, drips, resets, lies about length, floods and bombs end in their own outcomes, in bounded time."""

    async def silent(_: Asked, reader: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        await reader.read()

    async def drip(_: Asked, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _n in range(1000):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.2)

    async def drip_head(_: Asked, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1000:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.2)

    async def endless(_: Asked, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    def raw(data: bytes) -> Raw:
        async def write(_: Asked, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(data)
            await writer.drain()

        return write

    async def reset(_: Asked, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    ok = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
    cases = {
        "silent": (silent, "timeout"),
        "drip": (drip, "timeout"),
        "drip-head": (drip_head, "timeout"),
        "endless": (endless, "too_large"),
        "huge": (raw(ok + b"Content-Length: 99999999999\r\n\r\nx"), "too_large"),
        "reset": (reset, "connection_failed"),
        "empty": (raw(b""), "connection_failed"),
        "garbage": (raw(b"\x00\x01\x02 nonsense\r\n\r\n"), "connection_failed"),
        "short": (raw(ok + b"Content-Length: 100\r\n\r\nshort"), "truncated"),
        "chunk-cut": (raw(ok + b"Transfer-Encoding: chunked\r\n\r\n64\r\nshort"), "truncated"),
        "long-field": (raw(ok + b"X: " + b"x" * (10 << 20) + b"\r\n\r\n"), "connection_failed"),
        "many-fields": (raw(ok + b"X: y\r\n" * 100_000 + b"\r\n"), "connection_failed"),
        "bomb": (Reply(gzip.compress(bytes(64 << 20)), headers={"Content-Encoding": "gzip"}), "page"),
        "odd-encoding": (Reply(b"x", headers={"Content-Encoding": "rot13"}), "page"),
        "chunked": (raw(ok + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), "page"),
        "until-close": (raw(ok + b"\r\nhello"), "page"),
    }
    sites = {}
    for name, (route, _) in cases.items():
        host = f"{name}.localhost"
        origin.routes |= {f"{host}/robots.txt": Reply(status=404), f"{host}/a": route, f"{host}/b": PAGE}
        sites[name] = {"url": origin.url(host=host)}
    urls = [[name, origin.url(path, f"{name}.localhost")] for name in cases for path in ("/a", "/b")]
    began = time.monotonic()
    crawled = crawl(sites, urls=urls, timeout_s=3)
    assert time.monotonic() - began < 40
    ends = {e["url"]: e["outcome"] for e in crawled.entries if e["kind"] == "outcome"}
    ends |= {page.discovery.url: "page" for page in crawled.pages}
    assert {name: ends[origin.url("/a", f"{name}.localhost")] for name in cases} == {
        name: outcome for name, (_, outcome) in cases.items()
    }
    assert {ends[origin.url("/b", f"{name}.localhost")] for name in cases} == {"page"}
    crawled.assert_sums()
    [chunked] = [page for page in crawled.pages if "chunked" in page.final_url and page.final_url.endswith("/a")]
    assert chunked.body == b"hello"


def test_hosts_that_cannot_be_reached_have_their_own_ends(origin: Origin, crawl: Crawl) -> None:
    """Refused connections, unknown names and addresses that the site does not open: distinct outcomes, nothing sent."""
    with Origin() as closed:
        port = closed.port
    secret = {"url": origin.url(host="127.0.0.1"), "network": {"allow": []}, "politeness": {"delay_s": 1}}
    named = {"url": origin.url(host="secret.localhost"), "network": {"allow": ["10.0.0.0/8"]}}
    crawled = crawl(
        {
            "closed": {"url": f"http://closed.localhost:{port}/"},
            "unknown": {"url": "http://no-such-name.invalid/", "politeness": {"delay_s": 1}},
            "secret": secret,
            "named": named,
        },
        contact="mailto:desk@example.org",
        urls=[
            ["closed", f"http://closed.localhost:{port}/a"],
            ["unknown", "http://no-such-name.invalid/a"],
            ["secret", origin.url("/a", "127.0.0.1")],
            ["named", origin.url("/a", "secret.localhost")],
            ["closed", "file:///etc/hostname"],
            ["closed", "http://elsewhere.localhost/"],
            ["closed", "http://[bad/"],
        ],
    )
    assert (crawled.code, crawled.errors) == (0, "")
    ends = {(e["site"], e["outcome"]) for e in crawled.entries if e["kind"] == "outcome"}
    assert ends == {
        ("closed", "connection_failed"),
        ("unknown", "dns_failed"),
        ("secret", "refused_address"),
        ("named", "refused_address"),
        ("closed", "refused_scheme"),
        ("closed", "off_site"),
        ("closed", "bad_url"),
    }
    assert origin.asked == []
    crawled.assert_sums()


def test_a_redirect_to_a_refused_address_is_refused_where_it_connects(origin: Origin, crawl: Crawl) -> None:
    """A page, a feed or a robots.txt that redirects to an address which the site does not open gets nothing there."""
    with Origin(addresses=("127.0.0.2",)) as inner:
        target = f"http://127.0.0.2:{inner.port}/secret"
        origin.routes |= {
            "open.localhost/robots.txt": Reply(status=404),
            "open.localhost/a": moved(target),
            "open.localhost/feed": moved(target),
            "walled.localhost/robots.txt": moved(target),
        }
        allow = {"network": {"allow": ["127.0.0.1/32"]}}
        crawled = crawl(
            {
                "open": {
                    "url": origin.url(host="open.localhost"),
                    "hosts": ["open.localhost", "127.0.0.2"],
                    "sources": {"feeds": [origin.url("/feed", "open.localhost")]},
                    **allow,
                },
                "walled": {"url": origin.url(host="walled.localhost"), **allow},
            },
            urls=[["open", origin.url("/a", "open.localhost")], ["walled", origin.url("/a", "walled.localhost")]],
        )
        assert inner.asked == []
    assert {e["site"]: e["outcome"] for e in crawled.entries if e["kind"] == "outcome"} == {
        "open": "refused_address",
        "walled": "robots_unreachable",
    }
    assert crawled.sources["/feed"]["outcome"] == "refused_address"


def test_robots_decides_by_its_status(origin: Origin, crawl: Crawl) -> None:
    """5xx, 429, resets and silence disallow all; 4xx and too many redirects allow all; a redirected file holds."""

    async def reset(_: Asked, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    cases = {
        "s500": (Reply(status=500), "robots_unreachable"),
        "s503": (Reply(status=503), "robots_unreachable"),
        "s429": (Reply(status=429), "robots_unreachable"),
        "reset": (reset, "robots_unreachable"),
        "s403": (Reply(status=403), "page"),
        "s404": (Reply(status=404), "page"),
        "html": (Reply("<html><p>Disallow: /"), "page"),
        "large": (Reply(b"User-agent: *\nDisallow: /a\n" + b"#" * (20 << 20), type="text/plain"), "robots"),
        "loop": (moved("/robots.txt"), "page"),
        "moved": (moved("/other"), "robots"),
        "other-host": (moved(origin.url("/rules", "rules.localhost")), "robots"),
    }
    origin.routes |= {
        "/a": PAGE,
        "/other": Reply("User-agent: *\nDisallow: /a", type="text/plain"),
        "/rules": Reply("User-agent: *\nDisallow: /a", type="text/plain"),
    }
    sites = {}
    for name, (route, _) in cases.items():
        origin.routes[f"{name}.localhost/robots.txt"] = route
        sites[name] = {"url": origin.url(host=f"{name}.localhost")}
    crawled = crawl(sites, urls=[[name, origin.url("/a", f"{name}.localhost")] for name in cases], patience_s=20)
    ends = {e["site"]: e["outcome"] for e in crawled.entries if e["kind"] == "outcome"}
    ends |= {page.discovery.site: "page" for page in crawled.pages}
    assert ends == {name: outcome for name, (_, outcome) in cases.items()}
    assert origin.paths("s500.localhost").count("/robots.txt") == 3
    crawled.assert_sums()


def test_robots_is_kept_for_a_day_and_beyond_while_unreachable(origin: Origin, tmp_path: Path) -> None:
    """The second crawl does not ask again; a stale copy holds while the file is unreachable."""
    origin.routes |= {"/robots.txt": ROBOTS, "/a": PAGE, "/b": PAGE}
    sites = {"s": {"url": origin.url()}}
    urls = [["s", origin.url("/a")], ["s", origin.url("/private/x")]]
    finish(start(tmp_path, sites, urls=urls), tmp_path)
    finish(start(tmp_path, sites, urls=urls, run_id="r2"), tmp_path, run_id="r2")
    assert origin.paths().count("/robots.txt") == 1
    [cached] = (tmp_path / "robots").iterdir()
    entry = json.loads(cached.read_bytes())
    cached.write_text(json.dumps({**entry, "fetched_at": "2020-01-01T00:00:00Z"}))
    origin.routes["/robots.txt"] = Reply(status=500)
    third = finish(start(tmp_path, sites, urls=urls, run_id="r3", patience_s=20), tmp_path, run_id="r3")
    assert third.outcomes == {"/a": "page", "/private/x": "robots"}
    assert origin.paths().count("/robots.txt") == 4


def test_sitemaps_are_read_to_their_ends(origin: Origin, crawl: Crawl) -> None:
    """Index of indexes, gz, a loop, too deep a nest, pruning by days; a dead one is told, the others count."""
    url = origin.url
    origin.routes |= {
        "/robots.txt": Reply(status=404),
        "/index.xml": Reply(
            sitemap(
                (url("/new.xml.gz"), "2026-11-23T05:00:00Z"),
                (url("/old.xml"), "2026-01-10T10:00:00Z"),
                (url("/index.xml"), None),
                (url("/deep/0"), None),
                (url("/dead.xml"), None),
                index=True,
            ),
            type="text/xml",
        ),
        "/new.xml.gz": Reply(
            gzip.compress(
                sitemap(
                    (url("/a/new"), "2026-11-19T10:00:00Z"),
                    (url("/a/late"), "2026-11-23T04:00:00Z"),
                    (url("/a/old"), "2026-02-19T10:00:00Z"),
                    (url("/a/undated"), None),
                ).encode()
            ),
            type="application/x-gzip",
        ),
        "/old.xml": Reply(sitemap((url("/a/older"), None)), type="text/xml"),
        "/a/new": PAGE,
        "/a/late": PAGE,
        "/a/undated": PAGE,
        "/deep/0": Reply(sitemap((url("/deep/1"), None), index=True)),
    }
    for n in range(1, 30):
        origin.routes[f"/deep/{n}"] = Reply(sitemap((url(f"/deep/{n + 1}"), None), index=True), type="text/xml")
    crawled = crawl(
        {"s": {"url": url(), "sources": {"sitemaps": [url("/index.xml")]}}},
        first_day="2026-11-01",
        last_day="2026-11-22",
        mode="backfill",
    )
    assert crawled.outcomes == {"/a/new": "page", "/a/late": "page", "/a/undated": "page"}
    assert "/old.xml" not in origin.paths()
    assert origin.paths().count("/index.xml") == 1
    assert crawled.sources["/dead.xml"]["outcome"] == "gone"
    [bounded] = [source["bounded"] for source in crawled.sources.values() if source["bounded"]]
    assert bounded.startswith("sitemaps nested")
    assert "/deep/6" not in origin.paths()
    assert crawled.sources["/new.xml.gz"]["entries"] == 4
    assert crawled.sources["/new.xml.gz"]["new"] == 3
    crawled.assert_sums()


def test_a_site_is_read_from_its_own_watermark_on(origin: Origin, crawl: Crawl) -> None:
    """`since` prunes a site's sitemaps in a nightly crawl, and leaves a site alone that it does not name."""

    def url(path: str) -> str:
        return origin.url(path)

    months = [(url("/2026-10.xml"), "2026-10-31T10:00:00Z"), (url("/2026-11.xml"), "2026-11-20T10:00:00Z")]
    origin.routes |= {
        "/robots.txt": Reply(status=404),
        "/index.xml": Reply(sitemap(*months, index=True), type="text/xml"),
        "/2026-10.xml": Reply(sitemap((url("/a/october-story"), "2026-10-20T10:00:00Z")), type="text/xml"),
        "/2026-11.xml": Reply(sitemap((url("/a/november-story"), "2026-11-20T10:00:00Z")), type="text/xml"),
        "/a/october-story": PAGE,
        "/a/november-story": PAGE,
    }
    site = {"s": {"url": url("/"), "sources": {"sitemaps": [url("/index.xml")]}}}
    late = crawl(site, since={"s": "2026-11-18"})
    assert late.outcomes == {"/a/november-story": "page"}
    assert "/2026-10.xml" not in origin.paths()
    assert crawl(site, since={"another": "2026-11-18"}).outcomes.keys() == {"/a/november-story", "/a/october-story"}


def test_sections_are_a_last_resort(origin: Origin, crawl: Crawl) -> None:
    """A section page is read only where feeds and sitemaps brought nothing."""
    origin.routes |= {
        "/robots.txt": Reply(status=404),
        "/news/": Reply(f'<a href="{origin.url("/2026/11/22/a-long-headline-of-some-words")}">A long headline</a>'),
        "/2026/11/22/a-long-headline-of-some-words": PAGE,
        "fed.localhost/feed": feed(origin.url("/x", "fed.localhost")),
        "shy.localhost/news/": Reply(
            '<a href="/2026/11/22/a-headline-of-words">A</a>', headers={"X-Robots-Tag": "nofollow"}
        ),
    }
    sources = lambda host, feeds: {"feeds": feeds, "sections": [origin.url("/news/", host)]}  # noqa: E731
    crawled = crawl(
        {
            "fed": {
                "url": origin.url(host="fed.localhost"),
                "sources": sources("fed.localhost", [origin.url("/feed", "fed.localhost")]),
            },
            "hungry": {
                "url": origin.url(host="site.localhost"),
                "sources": sources("site.localhost", [origin.url("/dead-feed")]),
            },
            "shy": {"url": origin.url(host="shy.localhost"), "sources": sources("shy.localhost", [])},
        }
    )
    assert "/news/" not in origin.paths("fed.localhost")
    assert [(page.discovery.site, page.discovery.found_by) for page in crawled.pages] == [("hungry", "section")]
    assert {
        e["site"]: e["outcome"] for e in crawled.entries if e["kind"] == "source" and e["found_by"] == "section"
    } == {
        "hungry": "ok",
        "shy": "robots",
    }


def test_what_the_store_knows_is_not_fetched_again(origin: Origin, crawl: Crawl, tmp_path: Path) -> None:
    """Known URLs rest, unless their end is open, their source says they changed, their time has come, or refetch."""
    paths = ["/a/known", "/a/open", "/a/due", "/a/same", "/a/new"]
    origin.routes |= dict.fromkeys(paths, PAGE) | {"/robots.txt": Reply(status=404)}
    origin.routes["/feed"] = feed(*map(origin.url, paths))
    origin.routes["/map"] = Reply(sitemap((origin.url("/a/changed"), "2026-11-20T10:00:00Z")), type="text/xml")
    origin.routes["/a/changed"] = PAGE
    origin.routes["/a/same"] = lambda asked: (
        Reply(status=304) if asked.headers.get("if-none-match") == '"v1"' else Reply("x", status=500)
    )
    at, old = "2026-11-19T10:00:00Z", "2026-11-01T00:00:00Z"
    known = known_file(
        tmp_path / "known.sqlite",
        [
            (url_key(origin.url("/a/known")), at, "loaded", None, None, None),
            (url_key(origin.url("/a/open")), at, "timeout", None, None, None),
            (url_key(origin.url("/a/due")), at, "unchanged", None, None, old),
            (url_key(origin.url("/a/same")), at, "loaded", '"v1"', None, old),
            (url_key(origin.url("/a/changed")), at, "loaded", None, None, None),
        ],
    )
    sites = {"s": {"url": origin.url(), "sources": {"feeds": [origin.url("/feed")], "sitemaps": [origin.url("/map")]}}}
    crawled = crawl(sites, known=known)
    assert crawled.outcomes == {
        "/a/open": "page",
        "/a/due": "page",
        "/a/same": "unchanged",
        "/a/new": "page",
        "/a/changed": "page",
    }
    assert crawled.sources["/feed"]["known"] == 1
    crawled.assert_sums()
    [warc] = (tmp_path / "captures" / "r1").glob("*.warc.gz")
    [revisit] = [r.headers.to_dict() for r in ArchiveIterator(str(warc)) if r.record_type == WarcRecordType.revisit]
    assert revisit["WARC-Target-URI"] == origin.url("/a/same")
    assert revisit["WARC-Profile"].endswith("server-not-modified")
    again = crawl(sites, known=known, refetch=True, run_id="r2")
    assert again.code == 0
    assert "/a/known" in origin.paths()


def test_pending_urls_and_limits(origin: Origin, crawl: Crawl, tmp_path: Path) -> None:
    """The ledger's pending URLs are taken up; budgets and the job's limit leave the rest over_limit."""
    origin.routes |= {"/robots.txt": Reply(status=404)} | {f"/a/{n}": PAGE for n in range(20)}
    pending = tmp_path / "pending.jsonl"
    lines = [{"url": origin.url(f"/a/{n}"), "site": "s", "found_by": "feed", "kind": "discovered"} for n in range(12)]
    pending.write_text("".join(json.dumps(line) + "\n" for line in lines) + "nonsense\n")
    budget = {"s": {"url": origin.url(), "politeness": {"delay_s": 0.01, "budget_pages": 5}}}
    crawled = crawl(budget, pending=str(pending))
    assert sorted(crawled.outcomes.values()) == ["over_limit"] * 7 + ["page"] * 5
    assert crawled.pages[0].discovery.found_by == "pending"
    assert any("line 13" in text for text in crawled.logged)
    crawled.assert_sums()
    limited = crawl({"s": {"url": origin.url()}}, pending=str(pending), limit_pages=3, run_id="r2")
    assert sorted(limited.outcomes.values()) == ["over_limit"] * 9 + ["page"] * 3
    assert limited.events[-1] == {"event": "finished", "reason": "limit"}


def test_the_whole_host_waits_as_it_asks_to(origin: Origin, crawl: Crawl) -> None:
    """After 429 with Retry-After nothing is asked for in that time; a wait beyond our patience defers the rest."""
    state = {"busy": True}

    def busy(_: Asked) -> Reply:
        first, state["busy"] = state["busy"], False
        return Reply(status=429, headers={"Retry-After": "2"}) if first else PAGE

    origin.routes |= {"/robots.txt": Reply(status=404), "/a/0": busy, "/a/1": PAGE}
    origin.routes |= {f"late.localhost/a/{n}": Reply(status=503, headers={"Retry-After": "3600"}) for n in range(5)}
    crawled = crawl(
        {"s": {"url": origin.url()}, "late": {"url": origin.url(host="late.localhost")}},
        urls=[
            *(["s", origin.url(f"/a/{n}")] for n in range(2)),
            *(["late", origin.url(f"/a/{n}", "late.localhost")] for n in range(5)),
        ],
    )
    times = [asked.at for asked in origin.asked if asked.host.startswith("site.") and asked.path.startswith("/a")]
    assert len(times) == 3
    assert times[1] - times[0] >= 2
    assert [page.attempts for page in crawled.pages if page.discovery.url.endswith("/0")] == [2]
    assert [path for path in origin.paths("late.localhost") if path != "/robots.txt"] == ["/a/0"]
    ends = [e["outcome"] for e in crawled.entries if e["kind"] == "outcome" and e["site"] == "late"]
    assert ends == ["deferred"] * 5
    crawled.assert_sums()


def test_crawl_delay_holds(origin: Origin, crawl: Crawl) -> None:
    """A Crawl-delay above the site's own delay is kept, seen from the origin."""
    origin.routes |= {"/robots.txt": Reply("User-agent: *\nCrawl-delay: 0.5", type="text/plain")}
    origin.routes |= {f"/a/{n}": PAGE for n in range(4)}
    crawl({"s": {"url": origin.url()}}, urls=[["s", origin.url(f"/a/{n}")] for n in range(4)])
    times = [asked.at for asked in origin.asked]
    assert len(times) == 5
    assert min(later - earlier for earlier, later in pairwise(times)) >= 0.5


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "parent gone"])
def test_told_to_stop_it_keeps_what_it_has(origin: Origin, tmp_path: Path, how: str) -> None:
    """It asks for nothing more within a second, closes its segment, exits 0; what was not asked for stays pending."""
    origin.routes |= {"/robots.txt": Reply(status=404)} | {f"/a/{n}": PAGE for n in range(500)}
    urls = [["s", origin.url(f"/a/{n}")] for n in range(500)]
    process = start(tmp_path, {"s": {"url": origin.url()}}, urls=urls)
    _until(lambda: len(origin.asked) > 20)
    if how == "parent gone":
        assert process.stdin is not None
        process.stdin.close()
    else:
        process.send_signal(getattr(signal, how))
    told = time.monotonic()
    if how == "parent gone":
        process.wait(30)
        process.stdin = Path(os.devnull).open()  # noqa: SIM115 - finish() closes it
    crawled = finish(process, tmp_path)
    assert time.monotonic() - told < 10
    assert crawled.code == 0
    assert crawled.events[-1] == {"event": "finished", "reason": "cancelled"}
    assert max(asked.at for asked in origin.asked) < told + 1
    assert len(crawled.pages) == len(origin.paths()) - 1
    assert len(crawled.discovered) == 500
    assert set(crawled.outcomes.values()) == {"page"}
    crawled.assert_sums()


def test_a_request_under_way_does_not_hold_up_the_end(origin: Origin, tmp_path: Path) -> None:
    """A hanging answer is cut off in time, and its URL stays pending."""

    async def silent(_: Asked, reader: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        origin.routes["seen"] = PAGE
        await reader.read()

    origin.routes |= {"/robots.txt": Reply(status=404), "/a": silent}
    process = start(tmp_path, {"s": {"url": origin.url()}}, urls=[["s", origin.url("/a")]], timeout_s=60)
    _until(lambda: "seen" in origin.routes)
    told = time.monotonic()
    process.send_signal(signal.SIGTERM)
    crawled = finish(process, tmp_path)
    assert crawled.code == 0
    assert time.monotonic() - told < 25
    assert crawled.outcomes == {}
    crawled.assert_sums()


def test_a_second_signal_ends_it_at_once(origin: Origin, tmp_path: Path) -> None:
    """Exit code 130 without waiting for anything; the segment is left to recovery."""

    async def silent(_: Asked, reader: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        origin.routes["seen"] = PAGE
        await reader.read()

    origin.routes |= {"/robots.txt": Reply(status=404), "/a": silent}
    process = start(tmp_path, {"s": {"url": origin.url()}}, urls=[["s", origin.url("/a")]], timeout_s=60)
    _until(lambda: "seen" in origin.routes)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert process.wait(5) == 130
    assert len(recover(tmp_path / "captures" / "r1")) == 1
    finish(process, tmp_path)


def test_a_parent_that_does_not_read_does_not_hold_up_the_crawl(origin: Origin, tmp_path: Path) -> None:
    """With a full pipe on standard output the pages go on coming in."""
    hosts = [f"h{n}.localhost" for n in range(60)]
    origin.routes |= {"/robots.txt": Reply(status=404)} | {f"/{n}": PAGE for n in range(4)}
    urls = [[f"h{n}", origin.url(f"/{k}", host)] for n, host in enumerate(hosts) for k in range(4)]
    polite = {"politeness": {"delay_s": 0.7}}  # beyond the first events of progress, 5 KB each
    sites = {f"h{n}": {"url": origin.url(host=host), **polite} for n, host in enumerate(hosts)}
    process = start(tmp_path, sites, urls=urls, preload="import fcntl; fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 4096)")
    _until(lambda: len(origin.asked) == 60 * 5, seconds=60)
    assert finish(process, tmp_path).events[-1]["event"] == "finished"


def test_killed_it_loses_nothing_that_was_written(origin: Origin, tmp_path: Path) -> None:
    """After SIGKILL each page that was answered and each discovery is in the recovered segment; the rest is pending."""
    origin.routes |= {"/robots.txt": Reply(status=404)} | {f"/a/{n}": PAGE for n in range(500)}
    urls = [["s", origin.url(f"/a/{n}")] for n in range(500)]
    process = start(tmp_path, {"s": {"url": origin.url()}}, urls=urls)
    _until(lambda: len(origin.asked) > 30)
    process.kill()
    process.wait()
    folder = tmp_path / "captures" / "r1"
    assert closed_segments(folder) == []
    assert len(recover(folder)) == 1
    crawled = finish(process, tmp_path)
    assert len(crawled.discovered) == 500
    asked = {path for path in origin.paths() if path != "/robots.txt"}
    assert len(asked - set(crawled.outcomes)) <= 1
    assert [e for e in crawled.entries if e["kind"] == "finished"] == []


def test_segments_close_while_the_crawl_goes_on(origin: Origin, tmp_path: Path) -> None:
    """Segments rotate by size and age; each is told as an event and holds what the others do not."""
    origin.routes |= {"/robots.txt": Reply(status=404)} | {f"/a/{n}": Reply("x" * 3000) for n in range(40)}
    urls = [["s", origin.url(f"/a/{n}")] for n in range(40)]
    crawled = finish(start(tmp_path, {"s": {"url": origin.url()}}, urls=urls, segment_bytes=20_000), tmp_path)
    told = [event["path"] for event in crawled.events if event["event"] == "segment"]
    assert told == [str(path) for path in closed_segments(tmp_path / "captures" / "r1")]
    assert len(told) >= 2
    assert len(crawled.pages) == 40
    assert [[e["kind"] for e in read_journal(Path(path))].count("finished") for path in told] == [0] * (
        len(told) - 1
    ) + [1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"contact": None, "sites": "public"}, ["no contact", "nightdesk.toml", "public site"]),
        ({"colour": "red"}, ["r1.json", "colour"]),
        ({"mode": "hourly"}, ["r1.json", "mode", "hourly"]),
        ({"first_day": "2026-02-30"}, ["r1.json", "first_day"]),
        ({"first_day": "2026-02-03", "last_day": "2026-02-01"}, ["last_day", "before"]),
        ({"captures": "/elsewhere"}, ["captures", "below data"]),
        ({"shard": "../x"}, ["shard"]),
        ({"limit_pages": 0}, ["limit_pages"]),
    ],
)
def test_a_job_that_cannot_be_done_is_one_clear_message(
    tmp_path: Path, change: dict[str, Any], words: list[str]
) -> None:
    """Exit code 2 and a line that names file, key and mend, before anything is asked for."""
    url = "https://www.politico.eu/" if change.pop("sites", None) else "http://site.localhost/"
    crawled = finish(start(tmp_path, {"s": {"url": url}}, **change), tmp_path)
    assert crawled.code == 2
    assert len(crawled.errors.strip().splitlines()) == 1
    for word in words:
        assert word in crawled.errors


def test_a_full_disk_ends_the_crawl_with_a_clear_error(origin: Origin, tmp_path: Path) -> None:
    """Exit code 1 and a line with path and bytes; what was written before is whole."""
    origin.routes |= {"/robots.txt": Reply(status=404)} | {f"/a/{n}": Reply("x" * 9000) for n in range(50)}
    urls = [["s", origin.url(f"/a/{n}")] for n in range(50)]
    preload = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (12000, 12000))"
    crawled = finish(start(tmp_path, {"s": {"url": origin.url()}}, urls=urls, preload=preload), tmp_path)
    assert crawled.code == 1
    assert "bytes more are needed" in crawled.errors
    assert "s0-00000" in crawled.errors
    [journal] = recover(tmp_path / "captures" / "r1") or closed_segments(tmp_path / "captures" / "r1")
    assert journal.exists()


def _until(what: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.02)
