"""Boxes that open over a word and numbers of footnotes: taken out of a sentence, which stays whole."""

import pytest

from extraction.article import extract
from extraction.records import Article, Extraction, RemovedKind
from extraction.rules import SiteRules

URL = "https://daily.example/2026/03/05/ferry"
BEFORE = "The last ferry of the old line will be scrapped in June, and the owners say that no yard would repair it."
AFTER = "A crew of nine has lost its work; two of them will be taken on by the pilots, the union said on Monday."
SENTENCE = "The hull of the ferry, built by hand in the yard at Marrow Quay, is to be sold as scrap to a smith."
NOTE = "Ferry: a ship that carries people and carts"


def read(line: str, rules: SiteRules | None = None) -> Extraction:
    paragraphs = f"<p>{BEFORE}</p><p>{line}</p><p>{AFTER}</p>"
    html = f"<html><head><title>Ferry goes</title></head><body><article><h1>Ferry goes</h1>{paragraphs}</article></body></html>"
    return extract(html.encode(), URL, rules=rules or SiteRules())


def texts(found: Extraction) -> list[str]:
    assert isinstance(found.result, Article)
    return [block.text for block in found.result.blocks]


def with_box(box: str, gap: str = "") -> str:
    return SENTENCE.replace("ferry,", f"ferry{gap}{box},")


@pytest.mark.parametrize(
    ("box", "gap"),
    [
        (f'<span class="q1">*<span class="q2">{NOTE}</span></span>', ""),
        (f'<span role="tooltip">{NOTE}</span>', ""),
        (f'<span class="x1"><span role="tooltip" id="t1">{NOTE}</span></span>', " "),
        (f'<span class="tooltiptext">{NOTE}</span>', " "),
        (f'<span class="hover-card"><span class="popover">{NOTE}</span></span>', " "),
        (f'<span class="invisible absolute group-hover:visible">{NOTE}</span>', " "),
        (f'<span class="q7"><span class="q8">{NOTE}</span></span>', ""),
        (f'<span class="people"><b>Ferry</b><a href="/1">{NOTE}</a> <a href="/2">Pilots fear for their work</a></span>', ""),
        (f'<span class="tip"><div class="tooltip-content"><p>{NOTE}</p></div></span>', " "),
    ],
    ids=("sign", "role", "role-inside", "name", "name-inside-name", "hover-class", "place-alone", "place-and-links", "block"),
)  # fmt: skip
def test_box_that_opens_over_a_word_goes_and_its_sentence_stays(box: str, gap: str) -> None:
    """Role, name or place tell such a box; the paragraph is one block without it, and the box is told as a note."""
    found = read(with_box(box, gap))
    assert texts(found) == [BEFORE, SENTENCE, AFTER]
    notes = [removed for removed in found.removed if removed.kind is RemovedKind.NOTE]
    assert [note.rule for note in notes] == ["note.box"]
    assert NOTE in notes[0].text


def test_box_stays_where_its_rule_is_switched_off() -> None:
    """A site's own file can keep what the rule would take."""
    off = SiteRules(rules_off=frozenset({"note.box"}))
    assert NOTE in texts(read(with_box(f'<span role="tooltip">{NOTE}</span>'), off))[1]


@pytest.mark.parametrize(
    "line",
    [
        SENTENCE.replace("ferry", '<span class="tooltip" data-tip="a ship">ferry</span>'),
        SENTENCE.replace("ferry", '<span class="has-popover" aria-describedby="n1">old ferry of the line</span>'),
        SENTENCE.replace("The hull", '<span class="cap">T</span>he hull'),
        SENTENCE.replace("The hull", 'The hu<span class="x">ll of the</span>'),
        SENTENCE.replace("built", '<b>NEW</b><span class="x"> and built</span>'),
        SENTENCE.replace("Marrow Quay", 'Marrow <span class="x">Quay and Long Island</span>'),
        SENTENCE.replace(" smith.", ' smith.<span class="x">The price was not told.</span>'),
        SENTENCE.replace("at Marrow Quay", 'at <span class="place">Marrow Quay by the sea</span>'),
        SENTENCE.replace("hull", "hull<sup>2</sup>").replace("ferry", 'ferry <a href="#pilots">pilots</a>'),
    ],
)
def test_words_of_the_sentence_stay_whatever_is_around_them(line: str) -> None:
    """Words that carry a box, drop caps, halves of words, sentences in elements of their own and exponents are text."""
    found = read(line)
    assert not [removed for removed in found.removed if removed.kind is RemovedKind.NOTE]
    assert len(texts(found)) == 3


def test_number_that_leads_to_a_footnote_goes() -> None:
    """A raised number that is a link to a place on the page is no word; "m²" and "[2]" are."""
    found = read(SENTENCE.replace("scrap", 'scrap<sup id="r1"><a href="#fn1">1</a></sup>'))
    assert texts(found)[1] == SENTENCE
    assert [(r.kind, r.rule, r.text) for r in found.removed if r.kind is RemovedKind.NOTE] == [
        ("note", "note.mark", "1")
    ]
    for kept in ("30 m<sup>2</sup> of", 'scrap <sup><a href="#n">[2]</a></sup>', 'x<sup><a href="/2">2</a></sup>'):
        assert not [r for r in read(SENTENCE.replace("scrap", kept)).removed if r.kind is RemovedKind.NOTE]
    off = SiteRules(rules_off=frozenset({"note.mark"}))
    assert "scrap1" in texts(read(SENTENCE.replace("scrap", 'scrap<sup><a href="#fn1">1</a></sup>'), off))[1]
