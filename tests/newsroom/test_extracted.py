"""What extraction makes of the newsroom's pages is what their writers meant."""

from datetime import date

import pytest

from extraction.article import extract
from extraction.records import Article, Extraction
from newsroom.edition import build
from newsroom.truth import ExpectedArticle, Truth, expected

PORT = 8100
SITES = ("saltmarsh-courier", "lindenauer-bote", "la-lanterne")
# Told by the page's text; the others by the spider, before or instead of a page.
CLASSES = {"live", "script_only", "index", "paywall", "gallery"}


@pytest.fixture(scope="module")
def truth(anchor: date) -> Truth:
    return expected(anchor, 1, PORT)


@pytest.fixture(scope="module")
def extracted(anchor: date, truth: Truth) -> dict[str, Extraction]:
    pages = build(anchor, 1, PORT).pages

    def body(url: str) -> bytes:
        host, _, path = url.removeprefix("http://").partition("/")
        return pages[host.partition(":")[0]]["/" + path].body

    told = [url for url, word in truth.outcomes.items() if word in CLASSES]
    return {url: extract(body(url), url) for url in [*(article.url for article in truth.articles), *told]}


def _pairs(truth: Truth, extracted: dict[str, Extraction], site: str) -> list[tuple[ExpectedArticle, Article]]:
    pairs = [(article, extracted[article.url].result) for article in truth.articles if article.site == site]
    rejected = [(article.url, result) for article, result in pairs if not isinstance(result, Article)]
    assert rejected == []
    return [(article, result) for article, result in pairs if isinstance(result, Article)]


@pytest.mark.parametrize("site", SITES)
def test_bodies_are_whole_and_clean(truth: Truth, extracted: dict[str, Extraction], site: str) -> None:
    """A body's blocks are the expected ones with their kinds, in order; a lead that the page shows may come first."""
    wrong = []
    for article, result in _pairs(truth, extracted, site):
        got = [(block.kind.value, block.text) for block in result.blocks]
        if article.lead_shown and got and got[0][1] == article.lead:
            got = got[1:]
        want = [(block.kind, block.text) for block in article.blocks]
        if got != want:
            wrong.append((article.url, [b for b in want if b not in got], [b for b in got if b not in want]))
    assert wrong == []


@pytest.mark.parametrize("site", SITES)
def test_no_body_holds_a_planted_line(truth: Truth, extracted: dict[str, Extraction], site: str) -> None:
    """Not one of the lines around the articles is in a body, whole or as a part."""
    leaks = [
        (article.url, kind, line)
        for article, result in _pairs(truth, extracted, site)
        for kind, line in article.planted
        if line in result.article_body
    ]
    assert leaks == []


@pytest.mark.parametrize("site", SITES)
def test_metadata_is_as_written(truth: Truth, extracted: dict[str, Extraction], site: str) -> None:
    """Headline, authors, times, language and access are those that the newsroom gave the article."""
    for article, result in _pairs(truth, extracted, site):
        read = result.metadata
        assert (result.url, read.headline, read.authors) == (article.url, article.headline, article.authors)
        assert (read.date_published, read.date_published_zone_known) == (article.date_published, True)
        assert read.date_modified == article.date_modified
        assert (read.in_language or "")[:2] == article.language
        assert (read.is_accessible_for_free is False) == (not article.is_accessible_for_free)


def test_pages_that_are_no_articles_are_told(truth: Truth, extracted: dict[str, Extraction]) -> None:
    """A live blog, an index, a gallery, a wall and a script's shell are rejected under their own names."""
    told = {url: word for url, word in truth.outcomes.items() if word in CLASSES}
    assert {url: getattr(extracted[url].result, "outcome", "article") for url in told} == told
