"""Pages of every class in many templates and languages: articles stay, and little else is taken for one."""

from collections import Counter

import pytest

from benchmarks.pageclasses import CLASSES, Specimen, specimens, taken_for

#: Pages of other classes that are taken for articles, at most, of 888; and articles that are not, of 279.
TAKEN, REFUSED = 56, 3


@pytest.fixture(scope="module")
def judged() -> list[tuple[Specimen, str]]:
    return [(specimen, taken_for(specimen)[0]) for specimen in specimens()]


def test_articles_stay_articles(judged: list[tuple[Specimen, str]]) -> None:
    """Also those that are about cookies, error 404 and paywalls, or stand under /video/ and beside an offer."""
    articles = [(specimen.name, taken) for specimen, taken in judged if specimen.page_class == "article"]
    refused = [(name, taken) for name, taken in articles if taken != "article"]
    assert len(articles) > 250
    assert len(refused) <= REFUSED, refused


def test_little_else_is_taken_for_an_article(judged: list[tuple[Specimen, str]]) -> None:
    """Of no class more than a third, of indexes, error pages, shells and empty pages next to none."""
    others = [specimen for specimen, _ in judged if specimen.page_class != "article"]
    taken = Counter(specimen.page_class for specimen, as_ in judged if as_ == "article" != specimen.page_class)
    assert len(others) > 800
    assert sum(taken.values()) <= TAKEN, taken
    assert all(3 * taken[name] <= count for name, count in Counter(s.page_class for s in others).items()), taken
    assert taken["index"] + taken["error_page"] + taken["script_only"] + taken["empty"] <= 2
    assert {specimen.page_class for specimen in others} == set(CLASSES[1:])
