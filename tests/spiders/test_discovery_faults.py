"""Feeds and sitemaps as they are: broken, lying, hostile, huge. What can be read is read, the rest is told."""

import codecs
import gzip
import json
import time
import tracemalloc
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extraction.records import Outcome
from spiders.discovery import Parsed, parse_feed, parse_section, parse_sitemap, parse_source
from spiders.findings import MAX_ENTRIES
from spiders.site import Site
from spiders.sourcetext import MAX_BYTES

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


def items(count: int, title: str = "Größe {n}") -> str:
    return "".join(
        f"<item><title>{title.format(n=n)}</title><link>{HOME}a/{n}</link>"
        f"<pubDate>Mon, 23 Nov 2026 04:{n % 60:02}:00 GMT</pubDate></item>"
        for n in range(count)
    )


def rss(content: str, head: str = '<?xml version="1.0" encoding="utf-8"?>') -> str:
    return f'{head}<rss version="2.0"><channel><title>Blatt</title>{content}</channel></rss>'


def feed(body: str | bytes) -> Parsed:
    return parse_feed(body.encode() if isinstance(body, str) else body, HOME + "rss", SITE, now=NOW)


def numbers(parsed: Parsed) -> set[int]:
    """The entries that were found, by their numbers."""
    return {int(entry.url.rsplit("/", 1)[1]) for entry in parsed.discoveries}


WHOLE = rss(items(20))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("\ufeff" + WHOLE, None),
        ("\n\n  \t" + WHOLE, None),
        ("\n\n\ufeff" + WHOLE, None),
        ("<b>Warning</b>: mysqli_connect() in db.php on line 3\n" + WHOLE, None),
        (WHOLE + "\n<!-- 0.3 s -->\n<script>track()</script>", "broken XML"),
        (WHOLE.replace("Größe 3", "Größe & Maß"), "broken XML"),
        (WHOLE.replace("Größe 3", "Größe&nbsp;3 &mdash; &bogus; &#0; &#x1F;"), "broken XML"),
        (WHOLE.replace("Größe 3", "Größe\x0b\x00\x1b[31m 3"), "broken XML"),
        (WHOLE.replace("Größe 3", "3 < 4"), "broken XML"),
        (WHOLE.replace("Größe 3", "<![CDATA[<p>3 & 4</p>&nbsp;]]>"), None),
        (WHOLE.replace("<title>Größe 3</title>", "<media:title>Größe 3</media:title>"), None),
        (WHOLE.replace("<title>Größe 3</title>", "<title>Größe <b>3</title>"), "broken XML"),
        (WHOLE.replace("</item><item>", "<item>"), "broken XML"),
        (WHOLE.replace("</channel></rss>", ""), "broken XML"),
        (WHOLE.replace("</channel>", ""), "broken XML"),
        (WHOLE.replace('encoding="utf-8"', 'encoding="klingon"'), None),
        (WHOLE.replace('encoding="utf-8"', 'encoding="iso-8859-1"'), "declared as iso8859-1, is UTF-8"),
    ],
)
def test_a_broken_feed_yields_all_its_entries(body: str, problem: str | None) -> None:
    """None of twenty entries is lost to what feeds commonly have wrong, and the problem is named (FAULTS 3.1)."""
    parsed = feed(body)
    assert numbers(parsed) == set(range(20))
    assert (problem or "") in "; ".join(parsed.problems)
    assert bool(parsed.problems) is (problem is not None)
    assert parsed.outcome is None
    assert parsed.discoveries[-1].title_hint == "Größe 0"


@pytest.mark.parametrize(
    "body",
    [
        codecs.BOM_UTF16_LE + WHOLE.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + WHOLE.replace("utf-8", "utf-16").encode("utf-16-be"),
        WHOLE.replace("utf-8", "utf-16").encode("utf-16-le"),
        WHOLE.replace("utf-8", "iso-8859-1").encode("latin-1"),
        WHOLE.replace("utf-8", "windows-1252").encode("cp1252"),
        WHOLE.encode("latin-1"),
        WHOLE.replace(' encoding="utf-8"', "").encode("cp1252"),
        WHOLE.replace("utf-8", "koi8-r").replace("Größe", "Größe").encode("utf-8"),
    ],
)
def test_titles_survive_every_charset(body: bytes) -> None:
    """Declared rightly, wrongly or not at all, the title is right: the bytes are believed first."""
    parsed = feed(body)
    assert numbers(parsed) == set(range(20))
    assert {entry.title_hint for entry in parsed.discoveries} == {f"Größe {n}" for n in range(20)}


def test_a_cut_feed_yields_what_came() -> None:
    """Cut anywhere, all entries before the cut are found and nothing is invented."""
    body = WHOLE.encode()
    for cut in range(200, len(body), 97):
        parsed = feed(body[:cut])
        whole = body[:cut].count(b"</item>")
        assert set(range(whole)) <= numbers(parsed) <= set(range(whole + 1))
        assert len(numbers(parsed)) <= body[:cut].count(b"</l")  # a link cut in the middle is another URL


@pytest.mark.parametrize(
    ("body", "outcome", "problem"),
    [
        (b"", Outcome.EMPTY, "nothing in it"),
        (b" \r\n\t ", Outcome.EMPTY, "nothing in it"),
        (codecs.BOM_UTF8, Outcome.EMPTY, "nothing in it"),
        (
            b"<!DOCTYPE html><html><body><a href='/a'>x</a></body></html>",
            Outcome.ERROR_PAGE,
            "an HTML page instead of a feed",
        ),
        (b"<html><head><title>Just a moment</title>", Outcome.ERROR_PAGE, "an HTML page"),
        (b"<!-- x --><HTML><body><rss></rss>", Outcome.ERROR_PAGE, "an HTML page"),
        (rss("").encode(), Outcome.EMPTY, ""),
        (b"<?xml version='1.0'?><opml><body/></opml>", Outcome.UNDECODABLE, "neither a feed nor a list of URLs"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, Outcome.UNDECODABLE, "neither"),
        (b"Not found", Outcome.UNDECODABLE, "neither"),
        (b'{"items": [', Outcome.UNDECODABLE, "not a JSON Feed"),
        (b'{"error": "rate"}', Outcome.EMPTY, ""),
        (b"[" * 100_000, Outcome.UNDECODABLE, "not a JSON Feed"),
        (b'{"items": {}}', Outcome.UNDECODABLE, "not a JSON Feed"),
        (b"<rss", Outcome.UNDECODABLE, "neither"),
    ],
)
def test_what_is_no_source_has_an_outcome(body: bytes, outcome: Outcome, problem: str) -> None:
    """An empty body, a page, a picture or an error in JSON is told apart and never a silent nothing."""
    parsed = feed(body)
    assert (parsed.entries, parsed.outcome) == (0, outcome)
    assert problem in "; ".join(parsed.problems)


@pytest.mark.parametrize(
    ("pack", "found", "problem", "bounded"),
    [
        (gzip.compress, 20, None, None),
        (lambda body: gzip.compress(gzip.compress(body)), 20, None, None),
        (lambda body: gzip.compress(body[:900]) + gzip.compress(body[900:]), 20, None, None),
        (lambda body: gzip.compress(body) + b"\0" * 64, 20, None, None),
        (lambda body: body, 20, None, None),
        (lambda body: gzip.compress(body)[:-30], 1, "gzip cut off", None),
        (lambda body: b"\x1f\x8b" + body, 0, "damaged gzip", None),
        (lambda body: gzip.compress(gzip.compress(gzip.compress(gzip.compress(body)))), 0, "3 layers", None),
        (lambda body: gzip.compress(body + b" " * MAX_BYTES), 20, None, "52428800 bytes"),
    ],
)
def test_gzip_is_told_by_its_bytes(pack: object, found: int, problem: str | None, bounded: str | None) -> None:
    """Twice, in members, with rubbish behind, or only in name; cut, it yields what came; a bomb is cut at 50 MB."""
    assert callable(pack)
    parsed = parse_sitemap(pack(WHOLE.encode()), HOME + "map.xml.gz", SITE, now=NOW)
    assert len(parsed.discoveries) == found if found != 1 else len(parsed.discoveries) >= 1
    assert (problem or "") in "; ".join(parsed.problems)
    assert parsed.bounded == bounded


def entities(*, count: int) -> str:
    """Billion laughs: each entity is ten of the one before."""
    lines = [f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, count)]
    return '<!ENTITY e0 "ha">' + "".join(lines)


HOSTILE = {
    "file": '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    "http": '<!DOCTYPE rss [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]>',
    "parameter": '<!DOCTYPE rss [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p.dtd"> %p; <!ENTITY x "y">]>',
    "external": '<!DOCTYPE rss SYSTEM "http://127.0.0.1:9/rss.dtd" [<!ENTITY x "y">]>',
    "laughs": f"<!DOCTYPE rss [{entities(count=12)}<!ENTITY x '&e11;'>]>",
    "quadratic": f'<!DOCTYPE rss [<!ENTITY x "{"ha" * 50_000}">]>',
    "decoy": '<!DOCTYPE rss [<!ENTITY d "<rss><item>]>"><!ENTITY x SYSTEM "file:///etc/passwd">]>',
    "twice": '<!DOCTYPE a [<!ENTITY y "1">]><!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
}


@pytest.mark.parametrize("doctype", HOSTILE.values(), ids=list(HOSTILE))
@pytest.mark.parametrize("form", ["rss", "atom", "sitemap", "utf-16"])
def test_entities_are_never_expanded_and_cost_no_entry(doctype: str, form: str) -> None:
    """XXE, billion laughs and quadratic blowup leave their own entry's title as it stood, and every URL (FAULTS 3.2)."""
    uses = "&x;" * (500 if "quadratic" in form else 20)
    body = {
        "rss": rss(items(5) + f"<item><title>{uses}</title><link>{HOME}a/5</link></item>", head=doctype),
        "utf-16": rss(items(5) + f"<item><title>{uses}</title><link>{HOME}a/5</link></item>", head=doctype),
        "atom": doctype.replace("rss", "feed")
        + '<feed xmlns="http://www.w3.org/2005/Atom">'
        + "".join(f'<entry><title>{uses}</title><link href="{HOME}a/{n}"/></entry>' for n in range(6))
        + "</feed>",
        "sitemap": doctype.replace("rss", "urlset")
        + '<urlset xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">'
        + "".join(
            f"<url><loc>{HOME}a/{n}</loc><news:news><news:title>{uses}</news:title></news:news></url>" for n in range(6)
        )
        + "</urlset>",
    }[form]
    raw = codecs.BOM_UTF16_LE + body.encode("utf-16-le") if form == "utf-16" else body.encode()
    start = time.process_time()
    parsed = parse_source(raw, HOME + "x", SITE, found_by="feed", now=NOW)
    assert time.process_time() - start < 1
    assert numbers(parsed) == set(range(6))
    titles = " ".join(entry.title_hint or "" for entry in parsed.discoveries)
    assert "root:" not in titles
    assert "haha" not in titles
    assert len(titles) < 2000


def test_an_entity_in_a_url_makes_that_url_another_and_no_request() -> None:
    """A hidden address cannot be smuggled into a link."""
    head = '<!DOCTYPE rss [<!ENTITY x "@elsewhere-probe.org/">]>'
    parsed = feed(rss(f"<item><link>https://www.blatt-probe.org&x;a</link></item>{items(3)}", head=head))
    assert numbers(parsed) == {0, 1, 2}
    assert len(parsed.refused) == 1


def big_sitemap(count: int) -> bytes:
    row = "<url><loc>{h}2026/11/{n}/ein-langer-titel-mit-vielen-worten</loc><lastmod>2026-11-{d:02}T04:30:00+01:00</lastmod></url>"
    rows = "".join(row.format(h=HOME, n=n, d=n % 22 + 1) for n in range(count))
    return f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</urlset>'.encode()


def test_fifty_thousand_urls_are_read_within_bounds() -> None:
    """The protocol's largest file is read whole, at under 0.2 ms a URL and 1.5 KB a URL beside the body."""
    body = big_sitemap(MAX_ENTRIES)
    start = time.process_time()
    parsed = parse_sitemap(body, HOME + "map.xml", SITE, now=NOW)
    spent = time.process_time() - start
    assert (len(parsed.discoveries), parsed.bounded, parsed.problems) == (MAX_ENTRIES, None, ())
    assert spent < 10
    tracemalloc.start()
    try:
        parse_sitemap(big_sitemap(2000), HOME + "map.xml", SITE, now=NOW)
        assert tracemalloc.get_traced_memory()[1] < 2000 * 1500 + 2 * len(big_sitemap(2000))
    finally:
        tracemalloc.stop()


def test_more_than_the_bound_is_cut_and_told() -> None:
    """Of 50,010 URLs the first 50,000 are taken, and the source says that it was cut."""
    parsed = parse_sitemap(big_sitemap(MAX_ENTRIES + 10), HOME + "map.xml", SITE, now=NOW)
    assert (len(parsed.discoveries), parsed.bounded) == (MAX_ENTRIES, "entries (50000 read)")


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (rss("<a/>" * 1_200_000 + items(3)), 0),
        (rss(items(3) + "<a>" * 200_000), 3),
        (rss(f"<item><title>{'x' * 9_000_000}</title><link>{HOME}a/0</link></item>"), 1),
        (rss(f"<item><title>{'<b>' * 200_000}</title></item>" + items(3)), 0),
        (rss("<item " + " ".join(f'a{n}="x"' for n in range(100_000)) + f"><link>{HOME}a/0</link></item>"), 1),
        (rss(f"<item>{'<category>x</category>' * 100_000}<link>{HOME}a/9</link></item>" + items(3)), 3),
        (rss(f"<item><link>{HOME}{'x' * 60_000}</link></item>" + items(3)), 3),
        (rss("<item>" + "<!--" + "-" * 5_000_000 + "--></item>" + items(3)), 3),
        (rss("&amp" * 1_000_000 + items(3)), 3),
        (rss("&" * 1_000_000 + items(3)), 3),
        (rss("<![CDATA[" * 200_000 + items(3)), 3),
        (rss("<![CDATA[&]]>" * 200_000 + items(3) + "&"), 3),
        (rss("\0" * 20_000_000 + items(3)), 3),
        ('{"items": [' + "{}," * 2_000_000 + "{}]}", 0),
    ],
    ids=[
        "elements",
        "depth",
        "text",
        "deep title",
        "attributes",
        "fields",
        "long URL",
        "comment",
        "half escapes",
        "ampersands",
        "CDATA",
        "closed CDATA",
        "NULs",
        "objects",
    ],
)
def test_hostile_masses_end_in_time(body: str, found: int) -> None:
    """Millions of elements, depths, attributes and half escapes cost under ten seconds and no exception."""
    start = time.process_time()
    parsed = feed(body)
    assert time.process_time() - start < 10
    assert len(parsed.discoveries) >= found
    assert parsed.discoveries or parsed.problems or parsed.bounded


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 2000), st.sampled_from(["feed", "news_sitemap", "sitemap", "section"]))
def test_no_bytes_raise(noise: bytes, at: int, found_by: str) -> None:
    """Any bytes, alone or in the middle of a good feed, give a Parsed whose URLs are the site's own."""
    body = WHOLE.encode()
    for raw in (noise, body[:at] + noise + body[at:]):
        parsed = parse_source(raw, HOME + "rss", SITE, found_by=found_by, now=NOW)
        assert all(SITE.owns(entry.url) for entry in parsed.discoveries)


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda kids: (
            st.lists(kids, max_size=4)
            | st.dictionaries(st.sampled_from(["items", "url", "id", "title", "date_published"]), kids, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_no_json_raises(value: object) -> None:
    """JSON of any shape is a JSON Feed, or told to be none."""
    parsed = feed(json.dumps({"items": value}))
    assert parsed.kind == "json"


def test_a_calendar_is_a_trap() -> None:
    """A page that links to itself under ever new queries, or to every day there is, is bounded (FAULTS 3.6)."""
    queries = "".join(f'<a href="/kalender-der-termine-fuer-alle?tag={n}">Tag</a>' for n in range(900))
    days = "".join(f'<a href="/2026/{n % 12 + 1:02}/{n}/x-{n}">Tag</a>' for n in range(900))
    parsed = parse_section(f"<html><body>{queries}{days}</body></html>".encode(), HOME, SITE, now=NOW)
    taken = [entry.url for entry in parsed.discoveries]
    assert sum("kalender" in url for url in taken) == 5
    assert sum("kalender" not in url for url in taken) == 300
    assert len(parsed.refused) == 900 - 5 + 900 - 300
    assert {refusal.outcome for refusal in parsed.refused} == {Outcome.EXCLUDED}


def test_articles_that_differ_by_their_number_in_the_query_are_no_trap() -> None:
    """Sites that address articles as ?id=1234567 keep them."""
    links = "".join(f'<a href="/artikel.php?id={n}">Artikel</a>' for n in range(1_000_000, 1_000_060))
    assert len(parse_section(f"<html>{links}</html>".encode(), HOME, SITE).discoveries) == 60


@pytest.mark.parametrize(
    "page",
    [
        "<div>" * 100_000 + '<a href="/2026/11/23/sturm-im-norden">x</a>',
        "<a href=/2026/11/23/sturm-im-norden>x</a>" * 200_000,
        '<a href="/2026/11/23/sturm-im-norden">x</a>' + "<a " * 500_000,
        "<div>" * 500 + "<a " * 500_000 + '><a href="/2026/11/23/sturm-im-norden">x</a>',
        "<a " + " ".join(f"b{n}=c" for n in range(200_000)) + '><a href="/2026/11/23/sturm-im-norden">x</a>',
        "<a " + "/".join(f"b{n}" for n in range(200_000)) + '><a href="/2026/11/23/sturm-im-norden">x</a>',
        "<p>" * 2_000_000 + '<a href="/2026/11/23/sturm-im-norden">x</a>',
        "\0\x1b" * 1000 + '<a href="/2026/11/23/sturm-im-norden">x</a>',
    ],
    ids=["deep", "links", "open tags", "deep open tags", "attributes", "slashes", "tags", "NUL"],
)
def test_a_hostile_page_still_yields_its_link_in_time(page: str) -> None:
    """Depth, masses of links and unclosed tags cost neither the article nor ten seconds."""
    start = time.process_time()
    parsed = parse_section(page.encode(), HOME, SITE, now=NOW)
    assert time.process_time() - start < 10
    assert HOME + "2026/11/23/sturm-im-norden" in [entry.url for entry in parsed.discoveries]


@pytest.mark.parametrize(
    ("body", "outcome"), [(b"", Outcome.EMPTY), (b"\xff\xfe\x00", Outcome.EMPTY), (b"%PDF-1.7", Outcome.EMPTY)]
)
def test_a_section_without_links_says_so(body: bytes, outcome: Outcome) -> None:
    """A section page that yields nothing is an outcome of the source."""
    parsed = parse_section(body, HOME, SITE)
    assert (parsed.entries, parsed.outcome) == (0, outcome)
    assert parsed.problems
