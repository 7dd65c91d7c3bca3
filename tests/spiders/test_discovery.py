"""Feeds and sitemaps as they should be: each format's entries, dates, titles and links."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from extraction.records import Outcome
from spiders.discovery import Parsed, index_lies, parse_feed, parse_section, parse_sitemap, parse_source
from spiders.findings import Child
from spiders.site import Articles, Site, Sources

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOME = "https://www.blatt-probe.org/"
SITE = Site(
    name="blatt",
    title="Blatt",
    url=HOME,
    country="de",
    languages=("de",),
    time_zone="Europe/Berlin",
    hosts=("*.blatt-probe.org",),
)

RSS_2 = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/">
<channel><title>Blatt</title><link>https://www.blatt-probe.org/</link>
<atom:link rel="self" href="https://www.blatt-probe.org/rss"/>
<atom:link rel="hub" href="https://hub.elsewhere-probe.org/"/>
<item><title>R&#228;te &amp;amp; T&lt;b&gt;a&lt;/b&gt;ten</title>
  <media:content url="https://img.elsewhere-probe.org/1.jpg"><media:title>Not the title</media:title></media:content>
  <link>https://www.blatt-probe.org/politik/raete?utm_source=rss&amp;id=7</link>
  <pubDate>Mon, 23 Nov 2026 04:30:00 +0100</pubDate></item>
<item><title>Zweite</title><link><![CDATA[/politik/zweite?a=1&b=2]]></link><pubDate>Sun, 22 Nov 2026 23:00:00 GMT</pubDate></item>
</channel></rss>"""

RDF = """<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="https://www.blatt-probe.org/"><items><rdf:Seq><rdf:li rdf:resource="https://www.blatt-probe.org/a"/></rdf:Seq></items></channel>
<item rdf:about="https://www.blatt-probe.org/a"><title>Erste</title><dc:date>2026-11-23T04:30:00+01:00</dc:date></item>
</rdf:RDF>"""

RSS_09 = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://my.netscape.com/rdf/simple/0.9/">
<channel><title>Blatt</title></channel><item><title>Erste</title><link>https://www.blatt-probe.org/a</link></item></rdf:RDF>"""

ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://www.blatt-probe.org/base/">
<title>Blatt</title><link rel="self" href="/atom.xml"/><updated>2026-11-23T05:00:00Z</updated>
<entry><title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Erste <em>Meldung</em></div></title>
 <source><id>https://www.blatt-probe.org/not-this</id><link href="https://www.blatt-probe.org/nor-this"/></source>
 <link rel="enclosure" href="https://www.blatt-probe.org/a.mp3"/><link rel="alternate" type="text/html" href="erste"/>
 <id>tag:blatt-probe.org,2026:1</id><published>2026-11-23T03:30:00Z</published><updated>2026-11-23T04:00:00Z</updated></entry>
</feed>"""

JSON_FEED = msgspec.json.encode(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Blatt",
        "items": [
            {"id": "1", "url": HOME + "a", "title": "Erste", "date_published": "2026-11-23T04:30:00+01:00"},
            {"id": HOME + "b", "title": 7, "date_modified": "2026-11-22T00:00:00Z", "url": None},
            None,
        ],
    }
)

NEWS_SITEMAP = """<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"
 xmlns:image="http://www.google.com/schemas/sitemap-image/1.1" xmlns:xhtml="http://www.w3.org/1999/xhtml">
<url><image:image><image:loc>https://img.elsewhere-probe.org/1.jpg</image:loc></image:image>
 <xhtml:link rel="alternate" hreflang="en" href="https://en.elsewhere-probe.org/"/>
 <loc>https://www.blatt-probe.org/a</loc><lastmod>2026-11-23T05:00:00+01:00</lastmod>
 <news:news><news:publication><news:name>Blatt</news:name><news:language>de</news:language></news:publication>
 <news:publication_date>2026-11-23T04:30:00+01:00</news:publication_date><news:title>Erste</news:title></news:news></url>
</urlset>"""

INDEX = """<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<sitemap><loc>https://www.blatt-probe.org/map-1.xml.gz</loc><lastmod>2026-10-31</lastmod></sitemap>
<sitemap><loc>https://www.blatt-probe.org/map-2.xml.gz</loc><lastmod>2026-11-23T04:30:00+01:00</lastmod></sitemap>
<sitemap><loc>https://www.blatt-probe.org/map-3.xml.gz</loc></sitemap>
<sitemap><loc>https://maps.elsewhere-probe.org/map.xml</loc></sitemap>
</sitemapindex>"""


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def feed(body: str | bytes, site: Site = SITE) -> Parsed:
    return parse_feed(body.encode() if isinstance(body, str) else body, HOME + "rss", site, now=NOW)


def sitemap(body: str | bytes, site: Site = SITE) -> Parsed:
    return parse_sitemap(body.encode() if isinstance(body, str) else body, HOME + "map.xml", site, now=NOW)


def test_rss_2_is_read_whole() -> None:
    """URLs absolute and canonical, titles plain text, dates in UTC; links of the channel and of media are none of its entries."""
    parsed = feed(RSS_2)
    first, second = parsed.discoveries
    assert (first.url, first.title_hint) == (HOME + "politik/raete?id=7", "Räte & Taten")
    assert first.published_hint == utc("2026-11-23T03:30:00")
    assert (first.site, first.found_in, first.found_by, first.lastmod) == ("blatt", HOME + "rss", "feed", None)
    assert second.url == HOME + "politik/zweite?a=1&b=2"
    assert (parsed.kind, parsed.problems, parsed.outcome, parsed.bounded, parsed.refused) == ("rss", (), None, None, ())
    assert parsed.newest == first.published_hint
    assert parsed.entries == 2


@pytest.mark.parametrize(
    ("body", "kind", "url", "published"),
    [
        (RDF, "rdf", HOME + "a", utc("2026-11-23T03:30:00")),
        (RSS_09, "rdf", HOME + "a", None),
        (
            RSS_2.replace('version="2.0"', 'version="0.91"'),
            "rss",
            HOME + "politik/raete?id=7",
            utc("2026-11-23T03:30:00"),
        ),
        (ATOM, "feed", HOME + "base/erste", utc("2026-11-23T03:30:00")),
        (
            ATOM.replace("http://www.w3.org/2005/Atom", "http://purl.org/atom/ns#").replace("published>", "issued>"),
            "feed",
            HOME + "base/erste",
            utc("2026-11-23T03:30:00"),
        ),
        (JSON_FEED.decode(), "json", HOME + "a", utc("2026-11-23T03:30:00")),
    ],
    ids=["RDF", "RSS 0.9", "RSS 0.91", "Atom", "Atom 0.3", "JSON Feed"],
)
def test_every_format_of_feed_is_read(body: str, kind: str, url: str, published: datetime | None) -> None:
    """The newest entry's URL and date come out of every format that feeds have had."""
    parsed = feed(body)
    assert (parsed.kind, parsed.discoveries[0].url, parsed.discoveries[0].published_hint) == (kind, url, published)
    assert parsed.problems == ()


def test_atom_tells_publication_from_update() -> None:
    """`published` hints at the date, `updated` is the lastmod, and markup in a title is text."""
    (entry,) = feed(ATOM).discoveries
    assert (entry.lastmod, entry.title_hint) == (utc("2026-11-23T04:00:00"), "Erste Meldung")


def test_json_feed_survives_wrong_types() -> None:
    """A number for a title and a null for an item cost that value alone; an id that is a URL stands in for one."""
    assert [(entry.url, entry.title_hint) for entry in feed(JSON_FEED).discoveries][1:] == [(HOME + "b", None)]


def test_a_news_sitemap_brings_titles_and_dates() -> None:
    """Of the page, that is: pictures and translations beside it are not discoveries."""
    parsed = parse_sitemap(NEWS_SITEMAP.encode(), HOME + "news.xml", SITE, found_by="news_sitemap", now=NOW)
    (entry,) = parsed.discoveries
    assert (entry.url, entry.title_hint, entry.found_by) == (HOME + "a", "Erste", "news_sitemap")
    assert (entry.published_hint, entry.lastmod) == (utc("2026-11-23T03:30:00"), utc("2026-11-23T04:00:00"))


def test_a_sitemap_index_names_its_children_newest_first() -> None:
    """Those without a date come first, for they cannot be left out; a bare day lasts to its end; foreign hosts are refused."""
    parsed = sitemap(INDEX)
    assert parsed.children == (
        Child(url=HOME + "map-3.xml.gz"),
        Child(url=HOME + "map-2.xml.gz", lastmod=utc("2026-11-23T03:30:00")),
        Child(url=HOME + "map-1.xml.gz", lastmod=utc("2026-10-31T22:59:59")),
    )
    assert [(refusal.discovery.url, refusal.outcome) for refusal in parsed.refused] == [
        ("https://maps.elsewhere-probe.org/map.xml", Outcome.OFF_SITE)
    ]


def test_a_child_may_stand_on_a_host_that_the_site_names() -> None:
    """A sitemap's host that the site's own file lists is trusted with sitemaps, not with articles."""
    sources = Sources(sitemaps=("https://maps.elsewhere-probe.org/index.xml",))
    parsed = sitemap(INDEX, msgspec.structs.replace(SITE, sources=sources))
    assert "https://maps.elsewhere-probe.org/map.xml" in {child.url for child in parsed.children}


def test_a_list_of_urls_is_a_sitemap() -> None:
    """One URL a line, blank lines and a byte order mark besides (sitemaps.org)."""
    parsed = sitemap(f"\ufeff{HOME}a\r\n\r\n  {HOME}b \n")
    assert [entry.url for entry in parsed.discoveries] == [HOME + "a", HOME + "b"]
    assert parsed.kind == "text"


def test_a_source_is_read_as_what_it_is() -> None:
    """A feed where a sitemap was named, and the other way round, is read all the same."""
    assert len(sitemap(RSS_2).discoveries) == 2
    assert [entry.url for entry in feed(NEWS_SITEMAP).discoveries] == [HOME + "a"]


@pytest.mark.parametrize(
    ("item", "url"),
    [
        ("<link>https://count.elsewhere-probe.org/r/1</link><guid>https://www.blatt-probe.org/a</guid>", HOME + "a"),
        (
            "<link>https://count.elsewhere-probe.org/r/1</link><f:origLink>https://www.blatt-probe.org/a</f:origLink>",
            HOME + "a",
        ),
        ("<guid>https://www.blatt-probe.org/a</guid>", HOME + "a"),
        ('<link/><guid isPermaLink="true">https://www.blatt-probe.org/a</guid>', HOME + "a"),
        ("<LINK>https://www.blatt-probe.org/a</LINK>", HOME + "a"),
        ("<link>\n  https://www.blatt-probe.org/a\n</link>", HOME + "a"),
        ("<link>https://www.blatt-probe.org/a?x=1&amp;amp;y=2</link>", HOME + "a?x=1&y=2"),
    ],
)
def test_the_article_s_own_link_is_found(item: str, url: str) -> None:
    """Behind counting proxies, in the guid, in capitals, in white space, escaped twice."""
    body = f'<rss xmlns:f="http://rssnamespace.org/feedburner/ext/1.0"><channel><item>{item}</item></channel></rss>'
    parsed = feed(body)
    assert [entry.url for entry in parsed.discoveries] == [url]
    assert parsed.refused == ()


def test_an_entry_without_a_link_is_passed_over() -> None:
    """A guid that says it is no URL is none."""
    parsed = feed('<rss><item><guid isPermaLink="false">https://www.blatt-probe.org/?p=1</guid></item></rss>')
    assert (parsed.entries, parsed.outcome) == (0, Outcome.EMPTY)


def test_what_is_no_article_of_the_site_is_refused_with_its_outcome() -> None:
    """Off-site links, advertisements, files, home pages, other schemes and what the site's patterns exclude (FAULTS 3.4)."""
    site = msgspec.structs.replace(SITE, articles=Articles(exclude=(r"/rezepte/",)))
    links = {
        "https://shop.elsewhere-probe.org/x": Outcome.OFF_SITE,
        "https://www.blatt-probe.org.evil-probe.org/x": Outcome.OFF_SITE,
        HOME: Outcome.EXCLUDED,
        HOME + "sponsored/kur": Outcome.EXCLUDED,
        HOME + "bild.JPG": Outcome.EXCLUDED,
        HOME + "rezepte/suppe": Outcome.EXCLUDED,
        "file:///etc/passwd": Outcome.REFUSED_SCHEME,
        "javascript:alert(1)": Outcome.REFUSED_SCHEME,
        "ftp://www.blatt-probe.org/a": Outcome.REFUSED_SCHEME,
        "https://user:pw@www.blatt-probe.org/a": Outcome.BAD_URL,
        "https:///": Outcome.BAD_URL,
    }
    items = "".join(f"<item><link>{link}</link><title>T</title></item>" for link in links)
    parsed = feed(f"<rss>{items}<item><link>{HOME}b</link><title>Anzeige: Kur</title></item></rss>", site)
    assert parsed.discoveries == ()
    assert {refusal.discovery.url: refusal.outcome for refusal in parsed.refused} == {
        **links,
        HOME + "b": Outcome.EXCLUDED,
    }
    assert all(refusal.reason and refusal.discovery.site == "blatt" for refusal in parsed.refused)
    assert parsed.outcome is None


@pytest.mark.parametrize(
    ("title", "taken"),
    [
        ("Anzeigenkrise: Was tun?", True),
        ("Reklame im Wandel", True),
        ("[Advertorial] - Kur", False),
        ("Sponsored Post | Kur", False),
    ],
)
def test_only_a_label_makes_a_title_an_advertisement(title: str, *, taken: bool) -> None:
    """An article about advertising stays an article."""
    parsed = feed(f"<rss><item><link>{HOME}a</link><title>{title}</title></item></rss>")
    assert bool(parsed.discoveries) is taken


def test_a_url_is_named_once() -> None:
    """The same article under tracking parameters and fragments is one discovery, with what the first entry said."""
    items = "".join(f"<item><link>{HOME}a?utm_source={n}#x{n}</link><title>T{n}</title></item>" for n in range(5))
    assert [(entry.url, entry.title_hint) for entry in feed(f"<rss>{items}</rss>").discoveries] == [(HOME + "a", "T0")]


def test_discoveries_stand_newest_first() -> None:
    """So that a budget that runs out leaves the oldest, and what has no date stands after what has one."""
    days = {"c": "2026-11-20", "a": "2026-11-22", "b": "2026-11-21"}
    items = "".join(f"<item><link>{HOME}{name}</link><pubDate>{day}</pubDate></item>" for name, day in days.items())
    parsed = feed(f"<rss><item><link>{HOME}none</link></item>{items}</rss>")
    assert [entry.url.removeprefix(HOME) for entry in parsed.discoveries] == ["a", "b", "c", "none"]


def test_titles_are_one_harmless_line() -> None:
    """Markup, control characters, bidirectional overrides and lines are gone, the text is NFC and bounded."""
    title = "&lt;script&gt;x&lt;/script&gt; A\u0308rger\u202e \u200b im\nHaus&#x85;" + "ha" * 400
    (entry,) = feed(f"<rss><item><link>{HOME}a</link><title>{title}</title></item></rss>").discoveries
    assert entry.title_hint is not None
    assert entry.title_hint.startswith("x Ärger im Haus haha")
    assert len(entry.title_hint) == 300


def urls_with(dates: list[str]) -> str:
    rows = "".join(f"<url><loc>{HOME}{n}</loc><lastmod>{day}</lastmod></url>" for n, day in enumerate(dates))
    return f"<urlset>{rows}</urlset>"


@pytest.mark.parametrize(
    ("dates", "lie"),
    [
        ([f"2026-11-{day:02}" for day in range(1, 23)], None),
        ([f"2026-11-23T11:59:{n:02}" for n in range(40)], "the same for 40 of 40"),
        (["2026-11-23"] * 40, "the same for 40 of 40"),
        (["2027-01-01", "2027-02-01", *(f"2026-11-{day:02}" for day in range(1, 9))], "in the future for 2 of 10"),
        (["2026-11-22", "2026-11-22"], None),
    ],
)
def test_a_lastmod_that_lies_is_told_and_not_kept(dates: list[str], lie: str | None) -> None:
    """In the future, or the same everywhere: no entry keeps it, so that nothing is left out for it (FAULTS 3.5)."""
    parsed = sitemap(urls_with(dates))
    assert parsed.lastmod_trusted is (lie is None)
    assert [entry.lastmod is not None for entry in parsed.discoveries] == [lie is None] * len(dates)
    assert (lie or "") in "; ".join(parsed.problems)
    assert len(parsed.discoveries) == len(dates)


def test_one_entry_of_the_future_costs_only_its_own_date() -> None:
    """A slip in one of many is mended in place."""
    parsed = sitemap(urls_with(["2031-01-01", *(f"2026-11-{day:02}" for day in range(1, 20))]))
    assert parsed.lastmod_trusted
    assert [entry.url for entry in parsed.discoveries if entry.lastmod is None] == [HOME + "0"]


def test_a_news_sitemap_of_one_day_does_not_lie() -> None:
    """Forty articles of today with today's lastmod are what they say, for their publication dates vouch for it."""
    row = "<url><loc>{home}{n}</loc><lastmod>2026-11-23</lastmod><news:news><news:publication_date>2026-11-23T0{h}:00:00+01:00</news:publication_date></news:news></url>"
    rows = "".join(row.format(home=HOME, n=n, h=n % 10) for n in range(40))
    parsed = sitemap(f'<urlset xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">{rows}</urlset>')
    assert parsed.lastmod_trusted
    assert all(entry.lastmod for entry in parsed.discoveries)


def test_a_lastmod_older_than_the_article_lies() -> None:
    """An article cannot have been changed last before it was published."""
    row = "<url><loc>{home}{n}</loc><lastmod>2026-10-{d:02}</lastmod><news:news><news:publication_date>2026-11-20</news:publication_date></news:news></url>"
    rows = "".join(row.format(home=HOME, n=n, d=n + 1) for n in range(20))
    parsed = sitemap(f'<urlset xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">{rows}</urlset>')
    assert not parsed.lastmod_trusted
    assert "older than the article for 20 of 20" in parsed.problems[0]


def test_an_index_whose_children_all_say_the_same_keeps_no_date() -> None:
    """An index written anew each night would have every old month read, or none: its dates are not kept."""
    rows = "".join(
        f"<sitemap><loc>{HOME}{n}.xml</loc><lastmod>2026-11-23T04:00:00Z</lastmod></sitemap>" for n in range(5)
    )
    parsed = sitemap(f"<sitemapindex>{rows}</sitemapindex>")
    assert [child.lastmod for child in parsed.children] == [None] * 5
    assert not parsed.lastmod_trusted


def test_an_index_is_caught_by_a_child_that_is_newer_than_it_says() -> None:
    """A child read that holds news of after its lastmod proves that the index cannot be pruned by."""
    child = Child(url=HOME + "map.xml", lastmod=NOW - timedelta(days=9))
    assert index_lies(child, sitemap(urls_with(["2026-11-20", "2026-11-21"])))
    assert not index_lies(child, sitemap(urls_with(["2026-11-13", "2026-11-14"])))
    assert not index_lies(Child(url=HOME + "map.xml"), sitemap(urls_with(["2026-11-20"])))


PAGE = """<!doctype html><html><head><title>Politik</title></head><body>
<nav><a href="/">Start</a><a href="/politik/">Politik</a><a href="/tag/wahl-in-drei-laendern">Wahl</a><a href="/impressum">Impressum</a></nav>
<a href="politik/haushalt-steht-nach-langer-nacht">Der Haushalt steht nach langer Nacht</a>
<a href="/2026/11/23/sturm">mehr</a>
<a href="/artikel/1234567">Streik im Hafen geht weiter</a>
<a href="/politik/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8">Eine Meldung aus der Nachbarschaft</a>
<a href="https://www.elsewhere-probe.org/2026/11/23/fremd">Fremd</a><a href="mailto:a@blatt-probe.org">Post</a>
<a href="javascript:void(0)">x</a><a href="/2026/11/23/sturm#kommentare">7 Kommentare</a><a href="/bilder/2026/11/sturm.jpg">Bild</a>
</body></html>"""


def test_a_section_page_yields_the_links_that_look_like_articles() -> None:
    """A date, a long number, a slug of several words or of another script; menus, tags and foreign sites are passed over."""
    parsed = parse_section(PAGE.encode(), HOME, SITE, now=NOW)
    assert {entry.url.removeprefix(HOME): entry.title_hint for entry in parsed.discoveries} == {
        "politik/haushalt-steht-nach-langer-nacht": "Der Haushalt steht nach langer Nacht",
        "2026/11/23/sturm": None,
        "artikel/1234567": "Streik im Hafen geht weiter",
        "politik/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8": "Eine Meldung aus der Nachbarschaft",
    }
    assert [refusal.discovery.url.removeprefix(HOME) for refusal in parsed.refused] == ["bilder/2026/11/sturm.jpg"]
    assert {entry.found_by for entry in parsed.discoveries} == {"section"}


def test_a_site_s_own_patterns_decide_on_section_links() -> None:
    """With `include`, exactly the links that match are taken, whatever they look like."""
    site = msgspec.structs.replace(SITE, articles=Articles(include=("^/politik/$", "^/artikel/")))
    parsed = parse_source(PAGE.encode(), HOME, site, found_by="section", now=NOW)
    assert {entry.url.removeprefix(HOME) for entry in parsed.discoveries} == {"politik/", "artikel/1234567"}


def test_a_section_page_s_base_is_obeyed() -> None:
    """Relative links are relative to the page's base element."""
    page = '<base href="/alt/"><a href="streik-im-hafen-geht-weiter">x</a>'
    assert [entry.url for entry in parse_section(page.encode(), HOME, SITE).discoveries] == [
        HOME + "alt/streik-im-hafen-geht-weiter"
    ]
