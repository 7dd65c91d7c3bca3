"""Golden cases: one folder a case, its page and what extraction must make of it."""

import json
from pathlib import Path

import pytest

from extraction.article import extract
from extraction.records import Article
from tests.extraction.regenerate_cases import CASES, outcome

FOLDERS = sorted(CASES.iterdir())
CAPTION = "The red carpet has been rolled out"


@pytest.mark.parametrize("case", FOLDERS, ids=lambda case: case.name)
def test_page_gives_its_expected_article(case: Path) -> None:
    """The blocks kept and removed, their kinds and rules are those that were reviewed."""
    assert outcome(case) == json.loads((case / "expected.json").read_text("utf-8"))


@pytest.mark.parametrize("case", FOLDERS, ids=lambda case: case.name)
def test_no_case_leaks_the_reported_lines(case: Path) -> None:
    """Neither "Newer articles" nor an escaped caption nor an ad label reaches any body, whatever the golden says."""
    result = extract((case / "page.html").read_bytes(), "https://courier.example/a").result
    assert isinstance(result, Article)
    for line in (
        "Newer articles",
        "Neuere Artikel",
        CAPTION,
        "<p>",
        "&lt;",
        "Advertisement",
        "Anzeige",
        "関連記事",
        "Lighthouse keeper",
    ):
        assert line not in result.article_body, line


def test_split_body_keeps_every_paragraph() -> None:
    """A body in four containers with link-heavy paragraphs comes out whole and in order."""
    result = extract(
        (CASES / "body-in-several-containers" / "page.html").read_bytes(), "https://courier.example/a"
    ).result
    assert isinstance(result, Article)
    starts = [
        "Marrow Quay's council",
        "The harbour council",
        "Engineers had",
        "Councillors referred",
        "“We are not",
        "The vote was",
        "The ministry of",
        "Work is to",
        "A second study",
    ]
    assert [block.text[: len(start)] for block, start in zip(result.blocks, starts, strict=True)] == starts


def test_captions_are_data() -> None:
    """A caption is with its picture, not in the body."""
    result = extract((CASES / "figure-captions" / "page.html").read_bytes(), "https://courier.example/a").result
    assert isinstance(result, Article)
    assert [(i.url, i.caption, i.credit) for i in result.images] == [
        ("https://courier.example/a.jpg", "The bridge at low tide, seen from the customs house.", "Photo: Lea Brandt"),
        (
            "https://courier.example/b.jpg",
            "Councillors counting the votes by hand after the display failed.",
            "Quay Pictures",
        ),
    ]
