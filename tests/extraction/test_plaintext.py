"""Cleaning texts that somebody else extracted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.learned import Learned, fingerprint
from extraction.plaintext import MAX_CHARS, TextTooLongError, clean_text
from extraction.rules import SiteRules

ARTICLE = """Old swing bridge stays

The harbour council voted on Thursday night to keep the bridge.
“We are keeping a street,” said Ines Calder.

Advertisement

Work is to start in March, when the boats have moved."""


def test_the_reported_text_loses_its_tail_and_nothing_else() -> None:
    """A text that ends in "Newer articles" and an escaped caption comes out without them, the article untouched."""
    text = (
        ARTICLE
        + "\n\nNewer articles\n\nFerry strike called off\nLighthouse sold\n\n<p>The red carpet has been rolled out.</p>\n"
    )
    cleaned = clean_text(text, title="Old swing bridge stays")
    assert cleaned.text == (
        "The harbour council voted on Thursday night to keep the bridge.\n“We are keeping a street,” said Ines Calder.\n\n"
        "Work is to start in March, when the boats have moved."
    )
    assert [(str(r.kind), r.text) for r in cleaned.removed] == [
        ("repeated_title", "Old swing bridge stays"),
        ("ad_label", "Advertisement"),
        ("related", "Newer articles"),
        ("related", "Ferry strike called off"),
        ("related", "Lighthouse sold"),
        ("escaped_markup", "<p>The red carpet has been rolled out.</p>"),
    ]


def test_article_that_goes_on_after_a_list_is_kept() -> None:
    """The list under a heading ends where running text begins again."""
    cleaned = clean_text("Read more\nFerry strike called off\n\nThe mayor said on Friday that the bridge would stay.\n")
    assert cleaned.text == "The mayor said on Friday that the bridge would stay."


def test_rules_can_be_switched_off_and_lines_be_learned() -> None:
    """A site's file and its learned lines count for texts as for pages."""
    text = "Advertisement\n\nGood to know you.\n\nThe end."
    rules = SiteRules(rules_off=frozenset({"advertising.label"}))
    learned = Learned(version="1", fingerprints=frozenset({fingerprint("GOOD to know you")}))
    assert clean_text(text, rules=rules, learned=learned).text == "Advertisement\n\nThe end."


@given(
    st.lists(
        st.one_of(
            st.text(max_size=60), st.sampled_from(["", "Newer articles", "Advertisement", "A line.", "<b>x</b> y"])
        )
    )
)
def test_cleaning_is_idempotent(lines: list[str]) -> None:
    """A cleaned text is clean."""
    once = clean_text("\n".join(lines)).text
    assert clean_text(once).text == once


def test_too_long_a_text_is_refused() -> None:
    """A text beyond the bound is an error that says so."""
    with pytest.raises(TextTooLongError, match="more than"):
        clean_text("x" * (MAX_CHARS + 1))
