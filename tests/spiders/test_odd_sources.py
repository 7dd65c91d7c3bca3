"""Feeds and sitemaps whose charset or markup is odd, though nothing is lost: all of it is read."""

from datetime import UTC, datetime

import pytest

from spiders.discovery import parse_feed, parse_sitemap, parse_source
from tests.spiders.test_discovery_faults import HOME, NOW, SITE, WHOLE

JAPANESE = f"<rss><channel><item><title>東京で火災</title><link>{HOME}a/0</link></item></channel></rss>"
RUSSIAN = JAPANESE.replace("東京で火災", "Пожар в порту города")


@pytest.mark.parametrize(
    ("body", "header", "title"),
    [
        ('<?xml version="1.0" encoding="iso-2022-jp"?>' + JAPANESE, "iso2022_jp", "東京で火災"),
        ("\ufeff" + JAPANESE, "utf-32", "東京で火災"),
        (RUSSIAN, "cp1251", "Пожар в порту города"),
        (RUSSIAN + "<!-- " + "x" * 100_000 + "-->", "cp1251", "Пожар в порту города"),
    ],
    ids=["ISO-2022-JP", "UTF-32", "the header says it", "a header and much behind"],
)
def test_titles_survive_charsets_that_ascii_hides(body: str, header: str, title: str) -> None:
    """Of seven bits, of four bytes, or named by the response's header alone."""
    kind = f"application/rss+xml; charset={header}"
    parsed = parse_source(body.encode(header), HOME + "rss", SITE, found_by="feed", now=NOW, content_type=kind)
    assert [entry.title_hint for entry in parsed.discoveries] == [title]


def test_a_stray_byte_costs_no_title_but_its_own() -> None:
    """A feed in UTF-8 with one byte of another charset stays in UTF-8."""
    parsed = parse_feed(
        WHOLE.encode().replace("Größe 3<".encode(), "Größe 3 – ".encode() + b"\xfc<"), HOME + "rss", SITE, now=NOW
    )
    assert {entry.title_hint for entry in parsed.discoveries} == {f"Größe {n}" for n in range(20) if n != 3} | {
        "Größe 3 – ü"
    }


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (f'<urlset xmlns="http://maps.example/any"><url><loc>{HOME}a/0</loc></url></urlset>', ["a/0"]),
        (f'<s:urlset xmlns:s="http://maps.example/any"><s:url><s:loc>{HOME}a/0</s:loc></s:url></s:urlset>', ["a/0"]),
        (f"<s:urlset><s:url><s:loc>{HOME}a/0</s:loc></s:url></s:urlset>", ["a/0"]),
        (f'<feed xmlns="https://www.w3.org/2005/atom"><entry><link href="{HOME}a/0"/></entry></feed>', ["a/0"]),
        ('<feed xml:base="/one/"><entry xml:base="two/"><link href="x"/></entry></feed>', ["one/two/x"]),
        (f'<feed xml:base="http://[bad"><entry><link href="{HOME}a/0"/></entry></feed>', ["a/0"]),
        (f"<rss version=2.0><item id=7><link>{HOME}a/0?b=1</link></item></rss>", ["a/0?b=1"]),
        (f"<urlset><url><loc><![CDATA[ {HOME}a/0?b=1&c=2 ]]></loc></url></urlset>", ["a/0?b=1&c=2"]),
        (f"{HOME}a/0\r{HOME}a/1\r", ["a/0", "a/1"]),
        ("<rss><item><link>a/0</link></item><item><link>//www.blatt-probe.org/a/1</link></item></rss>", ["a/0", "a/1"]),
    ],
    ids=[
        "foreign namespace",
        "foreign prefix",
        "undeclared prefix",
        "misspelt Atom",
        "nested bases",
        "bad base",
        "bare attributes",
        "CDATA",
        "CR line ends",
        "relative links",
    ],
)
def test_a_source_of_odd_markup_is_read_all_the_same(body: str, found: list[str]) -> None:
    """Namespaces that nobody declared or that are misspelt, bases within bases, attributes without quotes."""
    assert [
        entry.url.removeprefix(HOME) for entry in parse_feed(body.encode(), HOME + "rss", SITE, now=NOW).discoveries
    ] == found


@pytest.mark.parametrize(
    "start",
    [
        "<n:news>",
        '<n:news xmlns:n="http://www.sitemaps.org/schemas/sitemap-news/0.9">',
        '<n:news xmlns:n="https://www.google.com/schemas/sitemap-news/0.9">',
    ],
)
def test_news_elements_are_known_under_any_namespace(start: str) -> None:
    """Not declared, or declared wrongly, they are titles and dates of news."""
    news = f"{start}<n:publication_date>2026-11-23T04:30:00Z</n:publication_date><n:title>Größe</n:title></n:news>"
    [entry] = parse_sitemap(
        f"<urlset><url><loc>{HOME}a/0</loc>{news}</url></urlset>".encode(), HOME + "map.xml", SITE, now=NOW
    ).discoveries
    assert (entry.title_hint, entry.published_hint) == ("Größe", datetime(2026, 11, 23, 4, 30, tzinfo=UTC))
