"""Discovery in a real crawl: archives of the days asked for, hostile sources beside a good one, trees that never end."""

import asyncio
import gzip
import time
from collections.abc import Callable
from pathlib import Path

import brotli
import pytest

from tests.spiders.conftest import NOTE_PEAK, Crawled, peak_kb
from tests.spiders.origin import Asked, Origin, Reply, moved

Crawl = Callable[..., Crawled]
PAGE = Reply("<p>A paragraph.</p>" * 50)


def urlset(*urls: str, tag: str = "url", root: str = "urlset") -> str:
    return f"<{root}>{''.join(f'<{tag}><loc>{url}</loc></{tag}>' for url in urls)}</{root}>"


def test_a_backfill_reads_the_archives_of_its_days(origin: Origin, crawl: Crawl) -> None:
    """Of a site's monthly sitemaps exactly those of the days are asked for, and their articles fetched."""
    for month in ("09", "10", "11"):
        origin.routes[f"/map-2026-{month}.xml"] = Reply(urlset(origin.url(f"/a/{month}")))
        origin.routes[f"/a/{month}"] = PAGE
    site = {"url": origin.url("/"), "sources": {"archives": [origin.url("/map-{year}-{month}.xml")]}}
    crawled = crawl({"a": site}, mode="backfill", first_day="2026-09-20", last_day="2026-10-02")
    assert crawled.code == 0, crawled.errors
    assert sorted(crawled.sources) == ["/map-2026-09.xml", "/map-2026-10.xml"]
    assert crawled.outcomes == {"/a/09": "page", "/a/10": "page"}
    assert "/map-2026-11.xml" not in origin.paths()
    crawled.assert_sums()


@pytest.mark.faults
def test_hostile_sources_cost_a_good_one_nothing(origin: Origin, crawl: Crawl, tmp_path: Path) -> None:
    """Bombs, entities, pages and lies in a site's sources: each has its outcome, every good URL is fetched, memory is bounded (FAULTS 3)."""
    laughs = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE rss [<!ENTITY e0 "ha">{laughs}]><rss><item><title>&e11;</title><link>{origin.url("/a/bomb")}</link></item></rss>'
    xxe = f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{origin.url("/stolen")}">]><rss><item><title>&x;</title><link>{origin.url("/a/xxe")}</link></item></rss>'
    mixed = "".join(
        f"<item><link>{link}</link></item>"
        for link in (
            "file:///etc/passwd",
            "https://elsewhere-probe.org/x",
            origin.url("/sponsored/kur"),
            origin.url("/bild.jpg"),
            origin.url("/a/good"),
        )
    )
    rows = urlset(*(origin.url(f"/a/{n}") for n in range(40)))
    prefixed = f"<s:urlset xmlns:s='http://sitemaps.example/any'><s:url><s:loc>{origin.url('/a/prefixed')}</s:loc></s:url></s:urlset>"
    russian = f"<rss><item><title>Пожар в порту</title><link>{origin.url('/a/russian')}</link></item></rss>"

    async def endless(_: Asked, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n" + rows.removesuffix("</urlset>").encode())
        while True:
            writer.write(b"<url/>" * 100_000)
            await writer.drain()

    origin.routes |= {f"/a/{n}": PAGE for n in range(40)} | {"/a/prefixed": PAGE, "/a/russian": PAGE}
    origin.routes |= {
        "/bomb": Reply(bomb),
        "/xxe": Reply(xxe),
        "/html": Reply("<html><body>moved</body></html>"),
        "/empty": Reply(""),
        "/noise": Reply(b"\x89PNG\x00" * 50),
        "/mixed": Reply(f"<rss>{mixed}<item><link>{origin.url('/a/cut')}"),
        "/cut.gz": Reply(gzip.compress(rows.encode())[:-9], type="application/gzip"),
        "/cut-coded": Reply(gzip.compress(rows.encode())[:-9], headers={"Content-Encoding": "gzip"}),
        "/gz-bomb": Reply(gzip.compress(rows.encode() + b" " * (60 << 20)), headers={"Content-Encoding": "gzip"}),
        "/nul-bomb": Reply(gzip.compress(b"<rss>" + bytes(60 << 20)), headers={"Content-Encoding": "gzip"}),
        "/br-bomb": Reply(brotli.compress(b" " * (60 << 20), quality=1), headers={"Content-Encoding": "br"}),
        "/endless": endless,
        "/prefixed": Reply(prefixed, type="text/xml"),
        "/russian": Reply(russian.encode("cp1251"), type="application/rss+xml; charset=windows-1251"),
        "/mixed-bytes": Reply(russian.encode() + "<!-- Größe -->".encode("cp1252"), type="text/xml"),
        "/to-file": moved("file:///etc/hostname"),
        "/to-itself": moved("/to-itself"),
        "/unasked": Reply(status=304),
        "/a/good": PAGE,
        "/a/bomb": PAGE,
        "/a/xxe": PAGE,
    }
    sources = [
        "bomb",
        "xxe",
        "html",
        "empty",
        "noise",
        "mixed",
        "absent",
        "cut.gz",
        "cut-coded",
        "gz-bomb",
        "br-bomb",
        "nul-bomb",
    ]
    sources += ["endless", "prefixed", "russian", "mixed-bytes", "to-file", "to-itself", "unasked"]
    site = {"url": origin.url("/"), "sources": {"feeds": [origin.url(f"/{name}") for name in sources]}}
    crawled = crawl({"a": site}, preload=NOTE_PEAK.format(str(tmp_path / "peak")))
    assert crawled.code == 0, crawled.errors
    assert 0 < peak_kb(tmp_path / "peak") < 400 * 1024
    assert crawled.outcomes == {
        **{f"/a/{n}": "page" for n in range(40)},
        "/a/prefixed": "page",
        "/a/russian": "page",
        "/a/good": "page",
        "/a/bomb": "page",
        "/a/xxe": "page",
        "file:///etc/passwd": "refused_scheme",
        "https://elsewhere-probe.org/x": "off_site",
        "/sponsored/kur": "excluded",
        "/bild.jpg": "excluded",
    }
    assert {path: source["outcome"] for path, source in crawled.sources.items()} == {
        "/bomb": "ok",
        "/xxe": "ok",
        "/html": "error_page",
        "/empty": "empty",
        "/noise": "undecodable",
        "/mixed": "ok",
        "/absent": "gone",
        **dict.fromkeys(
            ["/cut.gz", "/cut-coded", "/gz-bomb", "/endless", "/prefixed", "/russian", "/mixed-bytes"], "ok"
        ),
        "/br-bomb": "too_large",
        "/nul-bomb": "undecodable",
        "/to-file": "refused_scheme",
        "/to-itself": "redirect_limit",
        "/unasked": "http_error",
    }
    assert {path for path, source in crawled.sources.items() if source["bounded"]} == {
        "/gz-bomb",
        "/nul-bomb",
        "/endless",
    }
    assert "gzip cut off in the middle" in crawled.sources["/cut.gz"]["reason"]
    [read] = [page for page in crawled.pages if page.final_url.endswith("/russian")]
    assert read.discovery.title_hint == "Пожар в порту"
    assert "broken XML" in crawled.sources["/mixed"]["reason"]
    assert {"/stolen", "/sponsored/kur", "/bild.jpg"}.isdisjoint(origin.paths())
    crawled.assert_sums()


@pytest.mark.faults
def test_a_tree_of_sitemaps_that_never_ends_is_bounded_and_told(origin: Origin, crawl: Crawl) -> None:
    """An index that lists itself and two new ones at each level ends in time, with its bound reported (FAULTS 3.3)."""

    def index(asked: Asked) -> Reply:
        deeper = [origin.url(f"{asked.path}{side}") for side in "ab"]
        return Reply(urlset(origin.url(asked.path), *deeper, tag="sitemap", root="sitemapindex"))

    for depth in range(12):
        for path in range(2 ** min(depth, 6)):
            origin.routes["/i/" + f"{path:b}".zfill(depth).replace("0", "a").replace("1", "b") * bool(depth)] = index
    origin.routes |= {"/feed": Reply(f"<rss><item><link>{origin.url('/a/1')}</link></item></rss>"), "/a/1": PAGE}
    site = {"url": origin.url("/"), "sources": {"sitemaps": [origin.url("/i/")], "feeds": [origin.url("/feed")]}}
    start = time.monotonic()
    crawled = crawl({"a": site})
    assert time.monotonic() - start < 60
    assert crawled.code == 0, crawled.errors
    assert crawled.outcomes == {"/a/1": "page"}
    asked = [path for path in origin.paths() if path.startswith("/i/")]
    assert len(asked) == len(set(asked))
    assert 8 < len(asked) < 64
    assert any(source["bounded"] for source in crawled.sources.values())


def test_no_more_than_a_thousand_sitemaps_of_a_site_are_read(origin: Origin, crawl: Crawl) -> None:
    """One index names more than the bound: a thousand files are read, the bound is told, and the feed's page is fetched."""
    names = [origin.url(f"/m/{n}") for n in range(1200)]
    origin.routes |= {"/index": Reply(urlset(*names, tag="sitemap", root="sitemapindex"))}
    origin.routes |= {f"/m/{n}": Reply(urlset(), type="text/xml") for n in range(1200)}
    origin.routes |= {"/feed": Reply(f"<rss><item><link>{origin.url('/a/1')}</link></item></rss>"), "/a/1": PAGE}
    sources = {"sitemaps": [origin.url("/index")], "feeds": [origin.url("/feed")]}
    crawled = crawl({"a": {"url": origin.url("/"), "politeness": {"delay_s": 0}, "sources": sources}})
    assert crawled.outcomes == {"/a/1": "page"}
    assert crawled.sources["/index"]["bounded"] == "1000 sitemaps a site"
    assert sum(path.startswith("/m/") for path in origin.paths()) == 1000 - 2
