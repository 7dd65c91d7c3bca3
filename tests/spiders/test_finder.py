"""Finding a site's sources, checking them, and the fetcher under both: against a real origin on loopback."""

import asyncio
import gzip
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from extraction.records import Outcome
from spiders.fetcher import Fetcher
from spiders.finder import MAX_CANDIDATES, check_site, find_sources
from spiders.site import Articles, ExtractionKeys, Network, Politeness, Site, SiteError, Sources, load_site
from spiders.sitewriter import site_toml, write_site
from tests.spiders.origin import Asked, Origin, Reply, moved

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LOOPBACK = ("127.0.0.0/8",)
AGENT = "Nightdesk/0 (+https://operator.example)"


@pytest.fixture
def fetch() -> Iterator[Callable[..., Fetcher]]:
    """Make fetchers that may reach loopback and do not wait between requests."""
    made: list[Fetcher] = []

    def make(**options: object) -> Fetcher:
        made.append(Fetcher(AGENT, **{"allow": LOOPBACK, "delay_s": 0.0, **options}))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for fetcher in made:
        fetcher.close()


def paths(origin: Origin, count: int) -> list[str]:
    """What the origin was asked for, once it has logged so many requests: it logs after it has answered."""
    deadline = time.monotonic() + 5
    while len(origin.asked) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    return origin.paths()


def rss(origin: Origin, count: int = 3) -> Reply:
    items = "".join(
        f"<item><link>{origin.url(f'/a/{n}')}</link><pubDate>2026-11-2{n}T04:30:00Z</pubDate></item>"
        for n in range(count)
    )
    return Reply(f"<rss><channel>{items}</channel></rss>", type="application/rss+xml")


def sitemap(origin: Origin, *, news: bool = False, count: int = 4) -> Reply:
    hint = "<n:news><n:publication_date>2026-11-22T04:30:00Z</n:publication_date></n:news>" if news else ""
    rows = "".join(f"<url><loc>{origin.url(f'/a/{n}')}</loc>{hint}</url>" for n in range(count))
    return Reply(f'<urlset xmlns:n="http://www.google.com/schemas/sitemap-news/0.9">{rows}</urlset>', type="text/xml")


HOME = """<!doctype html><html lang="de-AT"><head><title>Start | Blatt</title><meta property="og:site_name" content="Das Blatt">
<link rel="alternate" type="application/rss+xml" href="/feeds/all"><link rel="alternate" hreflang="en" href="/en/">
<link rel="Alternate stylesheet" type="text/css" href="/x.css"><link rel="alternate" type="application/atom+xml" href="javascript:x">
</head><body>…</body></html>"""


def test_a_site_s_own_words_lead_to_its_sources(origin: Origin, fetch: Callable[..., Fetcher]) -> None:
    """rel=alternate and robots.txt name the sources; each is kept under the kind that it turns out to be."""
    origin.routes |= {
        "/": Reply(HOME),
        "/robots.txt": Reply(
            f"Sitemap: {origin.url('/maps/all.xml.gz')}\nSitemap: /maps/news.xml\nSitemap: :::\n", type="text/plain"
        ),
        "/feeds/all": rss(origin),
        "/maps/news.xml": sitemap(origin, news=True),
        "/maps/all.xml.gz": Reply(gzip.compress(sitemap(origin).body.encode()), type="application/gzip"),  # type: ignore[union-attr]
    }
    found = find_sources(origin.url("/"), fetch(), network_allow=LOOPBACK, now=NOW)
    assert found.site.sources == Sources(
        feeds=(origin.url("/feeds/all"),),
        news_sitemaps=(origin.url("/maps/news.xml"),),
        sitemaps=(origin.url("/maps/all.xml.gz"),),
    )
    assert (found.site.name, found.site.title, found.site.languages) == ("site", "Das Blatt", ("de-AT",))
    assert (found.site.country, found.site.time_zone) == ("at", "Europe/Vienna")
    assert [(report.found_by, report.articles) for report in found.reports] == [
        ("feed", 3),
        ("sitemap", 4),
        ("news_sitemap", 4),
    ]
    assert found.reports[0].newest == datetime(2026, 11, 22, 4, 30, tzinfo=UTC)


def test_the_usual_places_are_tried_where_a_site_says_nothing(origin: Origin, fetch: Callable[..., Fetcher]) -> None:
    """A page without hints, a robots.txt that is missing: /feed/ is none, /rss moves to the feed, /sitemap.xml is there."""
    origin.routes |= {
        "/": Reply("<html><title>Blatt</title></html>"),
        "/feed/": Reply("<html><body>All our feeds</body></html>"),
        "/rss": moved("/the/feed.xml", 301),
        "/the/feed.xml": rss(origin),
        "/rss.xml": rss(origin),
        "/sitemap.xml": sitemap(origin),
    }
    found = find_sources(origin.url("/"), fetch(), now=NOW)
    assert found.site.sources == Sources(feeds=(origin.url("/the/feed.xml"),), sitemaps=(origin.url("/sitemap.xml"),))
    assert any(line.startswith(f"{origin.url('/feed/')}: error_page") for line in found.tried)
    assert any(line.startswith(f"{origin.url('/news-sitemap.xml')}: gone") for line in found.tried)
    assert "/rss.xml" not in origin.paths()


def test_a_page_of_many_feeds_is_asked_within_bounds(origin: Origin, fetch: Callable[..., Fetcher]) -> None:
    """Of two hundred feeds that a page names, forty are tried, and the rest is told."""
    links = "".join(f'<link rel="alternate" type="application/rss+xml" href="/f/{n}">' for n in range(200))
    origin.routes |= {"/": Reply(f"<html>{links}</html>")}
    found = find_sources(origin.url("/"), fetch(), now=NOW)
    assert len(origin.paths()) <= MAX_CANDIDATES + 3
    assert sum("not tried" in line for line in found.tried) >= 160


def test_a_site_without_feeds_gets_its_sections(origin: Origin, fetch: Callable[..., Fetcher]) -> None:
    """Where neither feed nor sitemap is found, the pages of its menu that link to articles are its sources."""
    articles = "".join(f'<a href="/politik/ein-titel-mit-worten-{n}">x</a>' for n in range(4))
    menu = (
        '<a href="/politik/">P</a><a href="/impressum">I</a><a href="/politik/tief/drin">T</a><a href="/wetter">W</a>'
    )
    origin.routes |= {
        "/": Reply(f"<html><title>Start | Site</title>{menu}{articles}</html>"),
        "/politik/": Reply(f"<html>{articles}</html>"),
        "/wetter": Reply("<html>Regen</html>"),
    }
    found = find_sources(origin.url("/"), fetch(), now=NOW)
    assert found.site.sources == Sources(sections=(origin.url("/politik/"),))
    assert found.site.title == "Site"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://site.localhost/", "scheme 'ftp' is not http or https"),
        ("", "without a host"),
        ("http://site.localhost:1/", "robots_unreachable"),
    ],
)
def test_a_url_that_is_no_site_is_refused(url: str, words: str, fetch: Callable[..., Fetcher]) -> None:
    """What cannot be fetched ends in a sentence that names it."""
    with pytest.raises(SiteError, match=words):
        find_sources(url, fetch())


def test_a_found_site_can_be_written_and_read(origin: Origin, fetch: Callable[..., Fetcher], tmp_path: Path) -> None:
    """The file that `add` writes is the site that was found, and no second one takes its place."""
    origin.routes |= {"/": Reply(HOME), "/feeds/all": rss(origin)}
    found = find_sources(origin.url("/"), fetch(), name="das-blatt", network_allow=LOOPBACK, now=NOW)
    path = write_site(found.site, tmp_path / "sites")
    assert load_site(path) == found.site
    assert [entry.name for entry in path.parent.iterdir()] == ["das-blatt.toml"]
    with pytest.raises(SiteError, match="exists already"):
        write_site(found.site, tmp_path / "sites")


def test_every_key_survives_being_written(tmp_path: Path) -> None:
    """Quotes, backslashes, other scripts and every table come back as they went."""
    site = Site(
        name="probe",
        title='Das "Blatt" \\ 新聞 ☂',
        url="https://www.blatt-probe.org/",
        country="de",
        languages=("de", "sr-Latn"),
        time_zone="Europe/Berlin",
        enabled=True,
        hosts=("*.blatt-probe.org", "127.0.0.1"),
        sources=Sources(
            feeds=("https://a.example/1", "https://a.example/2"), archives=("https://a.example/{year}.xml",)
        ),
        articles=Articles(include=(r"^/\d{4}/",), exclude=("'\"",)),
        politeness=Politeness(delay_s=0.0, budget_pages=9),
        network=Network(allow=LOOPBACK),
        extraction=ExtractionKeys(rules_off=("related.list",)),
    )
    (tmp_path / "probe.toml").write_text(site_toml(site), encoding="utf-8")
    assert load_site(tmp_path / "probe.toml") == site


def test_check_says_what_each_source_yields_now(origin: Origin, fetch: Callable[..., Fetcher]) -> None:
    """Entries, newest date, refusals and problems, each source apart, whatever the others do (FAULTS 3.1)."""
    broken = str(rss(origin).body).replace("<item>", "<item><title>A & B</title>") + "<rubbish"
    foreign = "<rss><item><link>https://elsewhere-probe.org/x</link></item></rss>"
    origin.routes |= {
        "/good": rss(origin),
        "/broken": Reply(broken),
        "/foreign": Reply(foreign),
        "/html": Reply("<html>moved</html>"),
        "/empty": Reply(""),
        "/old": moved("/good"),
        "/private": Reply("x", status=403),
        "/index": Reply(f"<sitemapindex><sitemap><loc>{origin.url('/m.xml')}</loc></sitemap></sitemapindex>"),
        "/robots.txt": Reply("User-agent: *\nDisallow: /forbidden\n"),
    }
    feeds = ("good", "broken", "foreign", "html", "empty", "old", "private", "forbidden", "absent")
    site = Site(
        name="blatt",
        title="Blatt",
        url=origin.url("/"),
        country="de",
        languages=("de",),
        time_zone="Europe/Berlin",
        hosts=("site.localhost",),
        sources=Sources(feeds=tuple(origin.url(f"/{name}") for name in feeds), sitemaps=(origin.url("/index"),)),
    )
    reports = dict(zip((*feeds, "index"), check_site(site, fetch(), now=NOW), strict=True))
    told = {
        name: (report.outcome, report.articles, report.sitemaps, report.refused) for name, report in reports.items()
    }
    assert told == {
        "good": (None, 3, 0, 0),
        "broken": (None, 3, 0, 0),
        "foreign": (None, 0, 0, 1),
        "html": (Outcome.ERROR_PAGE, 0, 0, 0),
        "empty": (Outcome.EMPTY, 0, 0, 0),
        "old": (None, 3, 0, 0),
        "private": (Outcome.BLOCKED, 0, 0, 0),
        "forbidden": (Outcome.ROBOTS, 0, 0, 0),
        "absent": (Outcome.GONE, 0, 0, 0),
        "index": (None, 0, 1, 0),
    }
    assert reports["good"].newest == datetime(2026, 11, 22, 4, 30, tzinfo=UTC)
    assert reports["broken"].problems[0].startswith("broken XML")
    assert reports["old"].problems == (f"moved to {origin.url('/good')}",)
    assert "/forbidden" not in origin.paths()


def test_the_fetcher_says_who_asks_and_reads_robots_once(origin: Origin, fetch: Callable[..., Fetcher]) -> None:
    """The operator's contact goes with every request, and robots.txt is asked for once a host."""
    origin.routes |= {"/a": Reply("A"), "/b": Reply("B")}
    fetcher = fetch()
    assert [fetcher(origin.url(path)).body for path in ("/a", "/b")] == [b"A", b"B"]
    assert paths(origin, 3) == ["/robots.txt", "/a", "/b"]
    assert {asked.headers["user-agent"] for asked in origin.asked} == {AGENT}


def test_the_fetcher_keeps_its_distance(origin: Origin, fetch: Callable[..., Fetcher]) -> None:
    """At least the delay lies between two requests to a host, and a longer Crawl-delay is kept."""
    origin.routes |= {"/robots.txt": Reply("User-agent: *\nCrawl-delay: 0.4\n"), "/a": Reply("A"), "/b": Reply("B")}
    fetcher = fetch(delay_s=0.2)
    fetcher(origin.url("/a"))
    fetcher(origin.url("/b"))
    assert paths(origin, 3) == ["/robots.txt", "/a", "/b"]
    at = [asked.at for asked in origin.asked]
    assert at[1] - at[0] >= 0.19
    assert at[2] - at[1] >= 0.39


@pytest.mark.parametrize("status", [500, 503, 429])
def test_robots_that_cannot_be_read_disallow(origin: Origin, fetch: Callable[..., Fetcher], status: int) -> None:
    """RFC 9309 2.3.1.4: unreachable means disallowed."""
    origin.routes |= {"/robots.txt": Reply("x", status=status), "/a": Reply("A")}
    fetched = fetch()(origin.url("/a"))
    assert (fetched.outcome, fetched.body) == (Outcome.ROBOTS_UNREACHABLE, b"")
    assert paths(origin, 1) == ["/robots.txt"]


def test_an_address_that_the_site_does_not_allow_is_refused_at_the_socket(origin: Origin) -> None:
    """Without the site's own word no loopback, by any spelling or by redirect; the origin never hears of it."""
    fetcher = Fetcher(AGENT, delay_s=0.0)
    for host in ("site.localhost", "127.0.0.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "localhost"):
        fetched = fetcher(f"http://{host}:{origin.port}/a")
        assert fetched.outcome is Outcome.REFUSED_ADDRESS, host
    assert origin.asked == []


def test_a_redirect_out_of_the_allowed_network_is_refused(fetch: Callable[..., Fetcher]) -> None:
    """127.0.0.2 may not be reached by a site that is allowed on 127.0.0.1 alone."""
    with Origin(addresses=("127.0.0.1", "127.0.0.2")) as origin:
        origin.routes |= {
            "/a": moved(f"http://127.0.0.2:{origin.port}/b"),
            "/b": Reply("B"),
            "/c": moved("file:///etc/passwd"),
        }
        fetcher = fetch(allow=("127.0.0.1/32",))
        assert fetcher(origin.url("/a", "127.0.0.1")).outcome is Outcome.REFUSED_ADDRESS
        assert fetcher(origin.url("/c", "127.0.0.1")).outcome is Outcome.REFUSED_SCHEME
        assert origin.paths("127.0.0.2") == []


def test_a_loop_of_redirects_ends(origin: Origin, fetch: Callable[..., Fetcher]) -> None:
    """Five redirects are followed, no more."""
    origin.routes |= {"/a": moved("/a")}
    assert fetch()(origin.url("/a")).outcome is Outcome.REDIRECT_LIMIT
    assert paths(origin, 7).count("/a") == 6


async def _drip_head(asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.02)


async def _drip_body(asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(10_000):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def _endless(asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def _cut(asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort")
    await writer.drain()


async def _garbage(asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\x01 not http\r\n\r\n")
    await writer.drain()


@pytest.mark.parametrize(
    ("route", "outcome"),
    [
        (_drip_head, Outcome.TIMEOUT),
        (_drip_body, Outcome.TIMEOUT),
        (_endless, Outcome.TOO_LARGE),
        (_cut, Outcome.CONNECTION_FAILED),
        (_garbage, Outcome.CONNECTION_FAILED),
        (Reply("x", status=500), Outcome.SERVER_ERROR),
        (Reply("x", status=410), Outcome.GONE),
        (Reply("x", status=429), Outcome.RATE_LIMITED),
        (Reply("x", status=418), Outcome.HTTP_ERROR),
    ],
)
def test_a_bad_answer_has_an_outcome_in_time(
    origin: Origin, fetch: Callable[..., Fetcher], route: object, outcome: Outcome
) -> None:
    """Drips, floods, cuts and garbage end within the deadline of the whole request."""
    origin.routes |= {"/a": route}  # type: ignore[dict-item]
    start = time.monotonic()
    assert fetch(total_s=1.5, max_bytes=1_000_000)(origin.url("/a")).outcome is outcome
    assert time.monotonic() - start < 10
    while "/a" not in origin.paths() and time.monotonic() - start < 15:
        time.sleep(0.05)  # the origin's own end of it
