"""Shortcodes that a plug-in left in the text go; brackets of editors and words between shortcodes stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.article import extract
from extraction.plaintext import clean_text
from extraction.records import Article
from extraction.rules import SiteRules
from extraction.shortcodes import is_shortcode, parted

LINES = [
    '[button link="/shop" color="blue"]Order now[/button]',
    '[gallery ids="812,813,814" columns="3"]',
    "[gallery ids=”812,813″]",
    '[caption id="a1" align="left"]The red carpet has been rolled out.[/caption]',
    "[embed]https://clips.example/watch/12[/embed]",
    "[vc_row][vc_column]",
    "[/vc_column_text]",
    "[ad_1]",
    "[[embed:812]]",
    '[[{"fid":"812","view_mode":"default"}]]',
    "{{ page.title }}",
    "{% include box.html %}",
    '[[{"fid":"1"}]] [related ids="4,5" title="More on this"]',
]
KEPT = [
    "“He said it [sic] himself,” she wrote, and [laughs] left.",
    "[2]",
    "[laughs]",
    "[Editor's note: the report has been corrected since.]",
    "The mean of all plots [n = 25, sd = 3] was higher than in 1911.",
    'The word [gallery ids="1"] makes a row of pictures, the manual says.',
    "She wrote {two} lines and [[three]] more, a[0] = b[1].",
    "[…] and so the river rose [again].",
]


@pytest.mark.parametrize("line", LINES)
def test_line_of_shortcodes_goes(line: str) -> None:
    """A line that is nothing but what a plug-in should have replaced is no line of the article."""
    assert is_shortcode(line)
    cleaned = clean_text(f"The council voted on Thursday.\n{line}\nNobody spoke against it.")
    assert cleaned.text == "The council voted on Thursday.\nNobody spoke against it."
    assert [removed.rule for removed in cleaned.removed] == ["markup.shortcode"]


@pytest.mark.parametrize("line", KEPT)
def test_brackets_of_editors_stay(line: str) -> None:
    """Whatever an author or editor puts in brackets is text, and so is a shortcode that a sentence speaks of."""
    assert parted(line) == (line, ())


@pytest.mark.parametrize(
    ("line", "own"),
    [
        ("[ad_1] The council voted on Thursday.", "The council voted on Thursday."),
        ('The council voted. [gallery ids="1,2"]', "The council voted."),
        ("[dropcap]T[/dropcap]he council voted on Thursday.", "The council voted on Thursday."),
        ("[vc_row][vc_column_text]The council voted.[/vc_column_text][/vc_row]", "The council voted."),
        ("See [url=http://a.example/]the report of the board[/url] on it.", "See the report of the board on it."),
        ("[quote]It is over, he said.[/quote]", "It is over, he said."),
    ],
)
def test_words_between_shortcodes_stay(line: str, own: str) -> None:
    """What a shortcode stands around is the article's, unless its name says that it is a picture's or a box's."""
    assert parted(line)[0] == own


def test_page_says_what_was_taken_and_its_rule_can_be_switched_off() -> None:
    """On a page the shortcode is a removed block with its rule; a `<pre>` keeps its own, and so does a site's file."""
    code = '[gallery ids="812,813"]'
    texts = [
        "The council voted on Thursday to keep the old bridge, ending a dispute of almost three years over its costs.",
        "Engineers had warned that the piers would not last another winter unless the river bed was secured at once.",
        "Shopkeepers on both banks welcomed the vote, which they said had come late but in time for the summer months.",
    ]
    body = f"<p>[ad_1] {texts[0]}</p><p>{code}</p><p>{texts[1]}</p><pre>{code}</pre><p>{texts[2]}</p>"
    html = f"<html><body><article><h1>Bridge</h1>{body}</article></body></html>".encode()
    found = extract(html, "https://daily.example/a/bridge")
    assert isinstance(found.result, Article)
    assert [b.text for b in found.result.blocks if b.kind == "paragraph"] == texts
    assert [r.text for r in found.removed if r.rule == "markup.shortcode"] == ["[ad_1]", code]
    off = SiteRules(rules_off=frozenset({"markup.shortcode"}))
    kept = extract(html, "https://daily.example/a/bridge", rules=off)
    assert isinstance(kept.result, Article)
    assert kept.result.article_body.startswith("[ad_1] The council")


@given(st.text(alphabet='[]/{}%="ab_ .,', max_size=60))
def test_parting_a_parted_line_changes_nothing(line: str) -> None:
    """The words that are left hold no shortcode that would be taken the next time."""
    own, taken = parted(line)
    assert parted(own) == (own, ())
    assert taken or own == line
