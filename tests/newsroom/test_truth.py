"""The truth that is told equals what is served."""

import gzip
import itertools
import json
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsroom.edition import build
from newsroom.truth import Truth, expected
from tests.newsroom.reader import PageText, Running


@pytest.fixture(scope="module")
def truth(first: Running, anchor: date) -> Truth:
    return expected(anchor, 1, first.port)


@pytest.fixture(scope="module")
def pages(first: Running, truth: Truth) -> dict[str, PageText]:
    """Every article's page as fetched over HTTP and read by the standard library's parser."""
    return {article.url: PageText(first.get(article.url)[1].decode()) for article in truth.articles}


TAGS = {"paragraph": "p", "subhead": "h2", "quote": "blockquote", "list_item": "li"}


def test_every_block_stands_in_its_page_in_order(truth: Truth, pages: dict[str, PageText]) -> None:
    """A page holds each block of the expected body as an element of its kind, in the expected order."""
    for article in truth.articles:
        texts = iter(pages[article.url].texts)
        for block in article.blocks:
            assert (TAGS[block.kind], block.text) in texts, f"{article.url}: {block.text}"


def test_nothing_but_body_and_planted_lines_is_in_a_page(truth: Truth, pages: dict[str, PageText]) -> None:
    """A paragraph, list item or subhead of a page is of the body, or planted, or one of the page's few plain words."""
    plain = {"Filed under", "Accept all", "Sign up", "Front page"}
    for article in truth.articles:
        known = {*article.paragraphs, article.lead, article.section, article.headline}
        lines = [line for _, line in article.planted]
        for tag, text in pages[article.url].texts:
            if tag not in {"p", "li", "h2", "h3", "h4", "figcaption"} or text in known:
                continue
            rest = text
            for line in sorted([*lines, *plain], key=len, reverse=True):
                rest = rest.replace(line, "")
            assert len(re.sub(r"\W", "", rest)) <= 40, f"{article.url}: {text}"


def test_every_planted_line_stands_in_its_page_and_in_no_body(truth: Truth, pages: dict[str, PageText]) -> None:
    """Each planted line can be read on its page, and no lead or body holds it, not even inside a sentence."""
    for article in truth.articles:
        whole = " ".join(text for tag, text in pages[article.url].texts if tag == "body")
        body = "\n".join([article.lead, *article.paragraphs])
        assert len({kind for kind, _ in article.planted}) >= 10
        for kind, line in article.planted:
            assert line in whole, f"{article.url}: {kind} {line}"
            assert line not in body, f"{article.url}: {kind} {line}"


def test_metadata_of_the_pages_is_the_expected(truth: Truth, pages: dict[str, PageText]) -> None:
    """Each site says headline, time and authors in its own way: JSON-LD, microdata and OpenGraph, plain meta elements."""
    for article in truth.articles:
        page = pages[article.url]
        if article.site == "saltmarsh-courier":
            (news,) = [part for part in page.json_ld[0]["@graph"] if part["@type"] == "NewsArticle"]
            assert news["headline"] == article.headline
            assert datetime.fromisoformat(news["datePublished"]) == article.date_published
            assert datetime.fromisoformat(news["dateModified"]) == article.date_modified
            assert tuple(who["name"] for who in news["author"] if who["@type"] == "Person") == article.authors
        elif article.site == "lindenauer-bote":
            assert page.properties["headline"] == [article.headline]
            assert page.metas["og:title"] == [article.headline]
            assert datetime.fromisoformat(page.properties["datePublished"][0]) == article.date_published
            assert tuple(page.properties["name"]) == article.authors
            assert page.properties["isAccessibleForFree"] == [str(article.is_accessible_for_free)]
        else:
            assert page.json_ld == []
            assert ("h1", article.headline) in page.texts
            assert datetime.fromisoformat(page.metas["date"][0]) == article.date_published
            names = article.authors or ("Northwire News Agency",)
            assert page.metas["author"] == [(" et " if article.language == "fr" else " and ").join(names)]


def _named(first: Running) -> set[str]:
    """All URLs that the sources name, read as a crawler would."""
    site = "http://{}.localhost:" + str(first.port)
    courier, bote, lanterne = (site.format(name) for name in ("saltmarsh-courier", "lindenauer-bote", "la-lanterne"))
    feed = ET.fromstring(first.get(courier + "/feed.rss")[1])
    named = {str(item.findtext("link")) for item in feed.iter("item")}
    children = _locs(first.get(courier + "/sitemap-index.xml")[1])
    assert sum(child.endswith(".gz") for child in children) == 1
    for child in [*children, courier + "/news-sitemap.xml", bote + "/sitemap.xml"]:
        body = first.get(child)[1]
        named |= set(_locs(gzip.decompress(body) if child.endswith(".gz") else body))
    atom = ET.fromstring(first.get(bote + "/atom.xml")[1])
    name = "{http://www.w3.org/2005/Atom}"
    named |= {str(link.get("href")) for entry in atom.iter(name + "entry") for link in entry.iter(name + "link")}
    named |= {item["url"] for item in json.loads(first.get(bote + "/feed.json")[1])["items"]}
    for section in ("sciences", "culture", "idees", "voyages", "in-english"):
        links = PageText(first.get(f"{lanterne}/{section}/")[1].decode()).links
        named |= {lanterne + link for link in links if re.match(r"/\d{4}/\d\d/\d\d/", link)}
    return named


def _locs(body: bytes) -> list[str]:
    return [str(loc.text) for loc in ET.fromstring(body).iter() if loc.tag.endswith("}loc")]


def test_sources_name_exactly_what_is_told(first: Running, truth: Truth) -> None:
    """What the sources name is the articles, their other names and the URLs that end otherwise, and nothing else."""
    told = {article.url for article in truth.articles} | set(truth.outcomes) | set(truth.aliases)
    assert _named(first) == told


def test_pages_that_are_no_articles_answer_as_their_outcome_says(first: Running, truth: Truth) -> None:
    """Statuses, headers and marks on which each expected outcome rests are there."""
    answers = {word: first.get(url) for url, word in truth.outcomes.items()}
    assert {word: answer[0].status for word, answer in answers.items()} == {
        **dict.fromkeys(["live", "script_only", "index", "robots", "off_site", "paywall", "gallery", "noindex"], 200),
        "duplicate": 301,
        "gone": 410,
    }
    assert answers["duplicate"][0].headers["Location"] in {article.url for article in truth.articles}
    assert answers["noindex"][0].headers["X-Robots-Tag"] == "noindex"
    assert b"LiveBlogPosting" in answers["live"][1]
    assert b'<div id="root"></div>' in answers["script_only"][1]
    (robots,) = [url for url, word in truth.outcomes.items() if word == "robots"]
    assert "/members/" in robots
    assert b"Disallow: /members/" in first.get(f"http://saltmarsh-courier.localhost:{first.port}/robots.txt")[1]
    (dead,) = [url for url, word in truth.outcomes.items() if word == "gone" and "saltmarsh" in url]
    assert first.get(dead)[0].status == 404


def test_there_are_enough_articles_and_none_is_of_the_future(truth: Truth, anchor: date) -> None:
    """At least 120 articles over at least 30 days, all before the anchor day; in three languages; each 5-12 blocks long."""
    assert len(truth.articles) >= 120
    assert len({article.date_published.date() for article in truth.articles}) >= 30
    assert max(article.date_published for article in truth.articles) < datetime(2026, 11, 23, tzinfo=UTC)
    assert {article.language for article in truth.articles} == {"en", "de", "fr"}
    assert all(5 <= len(article.blocks) <= 12 for article in truth.articles)
    assert Counter(article.is_accessible_for_free for article in truth.articles)[False] == 1


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = text.lower().split()
    return {tuple(words[place : place + 5]) for place in range(len(words) - 4)}


@pytest.mark.parametrize("day", [date(2026, 11, 23), date(2027, 2, 1), date(2025, 6, 15), date(2026, 3, 30)])
def test_bodies_differ_but_for_the_wire_copy(day: date) -> None:
    """Whatever the day, no two bodies share 45% of their runs of five words, except the text that two sites print."""
    truth = expected(day, 1, 8100)
    sets = [(article.url, _shingles(" ".join(article.paragraphs))) for article in truth.articles]
    alike = [
        (one, other, len(a & b) / len(a | b))
        for (one, a), (other, b) in itertools.combinations(sets, 2)
        if len(a & b) >= 0.45 * len(a | b)
    ]
    assert [
        (round(likeness, 2), "drowned-forest" in one and "drowned-forest" in other) for one, other, likeness in alike
    ] == [(1.0, True)]


def test_no_line_of_a_body_recurs_as_boilerplate_does(truth: Truth) -> None:
    """On no site does a block of text, digits aside, stand in three articles or more."""
    for site in {article.site for article in truth.articles}:
        counts = Counter(
            text
            for article in truth.articles
            if article.site == site
            for text in {re.sub(r"\d", "0", block.text) for block in article.blocks}
        )
        assert [text for text, count in counts.items() if count > 2] == []


def test_an_edition_is_a_function_of_its_arguments(anchor: date) -> None:
    """The same date, edition and port give the same bytes at every address; more days add pages and change no body."""
    one, again = build(anchor, 1, 8100), build(anchor, 1, 8100)
    assert one.pages == again.pages
    assert one.planted == again.planted
    longer = {article.url: article.blocks for article in expected(anchor, 1, 8100, days=90).articles}
    assert len(longer) >= 360
    for article in expected(anchor, 1, 8100).articles:
        assert longer[article.url] == article.blocks


def test_second_edition_adds_three_and_edits_one(anchor: date, started: datetime) -> None:
    """Edition 2 has one more article a site, and one whose paragraph differs and whose headline does not."""
    before = {article.url: article for article in expected(anchor, 1, 8100).articles}
    after = {article.url: article for article in expected(anchor, 2, 8100, started=started).articles}
    added = [after[url] for url in after.keys() - before.keys()]
    assert sorted(article.site for article in added) == ["la-lanterne", "lindenauer-bote", "saltmarsh-courier"]
    assert before.keys() <= after.keys()
    (url,) = [url for url in before if before[url].blocks != after[url].blocks]
    assert after[url].headline == before[url].headline
    assert after[url].date_modified == started
    assert sum(a != b for a, b in zip(before[url].blocks, after[url].blocks, strict=True)) == 1
    sitemap = build(anchor, 2, 8100, started=started).pages["saltmarsh-courier.localhost"]["/sitemaps/2026-11.xml"].body
    assert f"<loc>{url}</loc><lastmod>2026-11-23T08:30:00+00:00</lastmod>".encode() in sitemap


def test_ninety_days_can_be_asked_for_by_day(anchor: date) -> None:
    """Every one of 90 days has two or more articles of the three sites, and each month its archive page."""
    made = build(anchor, 1, 8100, days=90)
    days = Counter(story.local.date() for story in made.stories)
    assert all(days[anchor - timedelta(days=back)] >= 2 for back in range(1, 91))
    for host in ("saltmarsh-courier.localhost", "lindenauer-bote.localhost", "la-lanterne.localhost"):
        assert {"/archive/2026/11/", "/archive/2026/10/", "/archive/2026/09/"} <= made.pages[host].keys()


@given(day=st.dates(date(2024, 1, 1), date(2030, 1, 1)))
@settings(max_examples=15, deadline=None)
def test_any_day_can_be_the_anchor(day: date) -> None:
    """Whatever the day: addresses differ, headlines of a site differ, the second edition has three articles more."""
    before, after = expected(day, 1, 8100).articles, expected(day, 2, 8100).articles
    assert len(after) == len(before) + 3
    assert len({article.url for article in after}) == len(after)
    assert len({(article.site, article.headline) for article in after}) == len(after)
    assert all(article.date_published.date() < day for article in after)


@pytest.mark.parametrize(("edition", "days"), [(0, 32), (3, 32), (1, 13), (1, 4001)])
def test_an_edition_that_cannot_be_is_refused(anchor: date, edition: int, days: int) -> None:
    """A wrong edition or number of days is an error that names what was read."""
    with pytest.raises(ValueError, match=str(edition) if edition != 1 else str(days)):
        build(anchor, edition, 8100, days=days)
