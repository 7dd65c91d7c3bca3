"""What a crawl reads to find URLs, and which of them it asks for: whole crawls by the real child process."""

import gzip
import json
from pathlib import Path

from fastwarc.warc import ArchiveIterator, WarcRecordType

from extraction.urls import url_key
from tests.spiders.origin import Origin, Reply
from tests.spiders.served import PAGE, Crawl, feed, known_file, sitemap


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
