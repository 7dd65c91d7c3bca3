"""Cleaning texts that somebody else extracted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import extraction
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


BODY = """The harbour council voted on Thursday night to keep the bridge.

“We are keeping a street,” said Ines Calder.

Work is to start in March, when the boats have moved."""
CAPTION = "The red carpet has been rolled out on the quay. | Lea Brandt / Quay Pictures"
HEADLINES = ("Ferry strike called off", "Why did the herring come back?", "Lighthouse sold!", "“I stay” – the keeper")
LINES = "\n".join(HEADLINES)
TAILS = {
    "lines": f"\n\nNewer articles\n{LINES}",
    "paragraphs": "\n\nNewer articles\n\n" + "\n\n".join(HEADLINES),
    "bullets": "\n\nNewer articles\n\n" + "\n".join(f"- {headline}" for headline in HEADLINES),
    "bullets-with-heading": "\n\n" + "\n".join(f"* {line}" for line in ("Newer articles", *HEADLINES)),
    "numbers": "\n\n## Newer articles\n\n" + "\n".join(f"{n}. {line}" for n, line in enumerate(HEADLINES, 1)),
    "markdown-links": "\n\n**Newer articles**\n\n" + "\n".join(f"- [{line}](https://x.example/)" for line in HEADLINES),
    "bullets-with-stops": "\n\nNewer articles\n" + "\n".join(f"• {line}." for line in HEADLINES),
    "colon": f"\n\nNewer articles:\n{LINES}",
    "capitals": f"\n\nNEWER ARTICLES\n{LINES}",
    "hard-space-and-crlf": "\r\n\r\nNewer\u00a0articles\r\n" + "\r\n".join(f"\t{line}" for line in HEADLINES),
    "heading-alone": "\n\nNewer articles →",
    "caption": f"\n\n<p>{CAPTION}</p>",
    "caption-with-class": f'\n\n<p class="caption"><em>{CAPTION}</em></p>',
    "caption-in-figure": f"\n\n<figure><figcaption>{CAPTION}</figcaption></figure>",
    "caption-in-span": f"\n\n<span>{CAPTION}</span>",
    "caption-without-end": f"\n\n<p>{CAPTION}",
    "caption-in-entities": f"\n\n&lt;p&gt;{CAPTION}&lt;/p&gt;",
    "caption-escaped-twice": f"\n\n&amp;lt;p&amp;gt;{CAPTION}&amp;lt;/p&amp;gt;",
    "caption-in-json": f'\n\n"\\u003cp\\u003e{CAPTION}\\u003c/p\\u003e"',
    "caption-in-json-slash": f'\n\n"<p>{CAPTION}<\\/p>"',
    "caption-on-the-last-line": f" <p>{CAPTION}</p>",
    "caption-on-the-last-line-in-entities": f" &lt;p&gt;{CAPTION}&lt;/p&gt;",
    "caption-on-several-lines": "\n\n<p>\n" + CAPTION.replace(" on ", "\non ") + "\n</p>",
    "both": f"\n\nNewer articles\n{LINES}\n\n<p>{CAPTION}</p>",
    "both-the-other-way-round": f"\n\n<p>{CAPTION}</p>\n\nNewer articles\n{LINES}",
}


@pytest.mark.parametrize("tail", TAILS)
def test_the_reported_tail_goes_in_all_its_forms(tail: str) -> None:
    """However "Newer articles" and an escaped caption are written, they go, are named, and the article stays whole."""
    cleaned = extraction.clean_text(BODY + TAILS[tail])
    assert cleaned.text == BODY
    assert {str(removed.kind) for removed in cleaned.removed} <= {"related", "escaped_markup"}
    assert cleaned.removed


def test_a_text_that_is_markup_as_a_whole_is_read_not_removed() -> None:
    """Where every paragraph stands in tags, the tags go and the paragraphs stay."""
    assert clean_text("\n".join(f"<p>{line}</p>" for line in BODY.split("\n\n"))).text == BODY
    assert clean_text("".join(f"&lt;p&gt;{line}&lt;/p&gt;" for line in BODY.split("\n\n"))).text == BODY


def test_an_interviewers_question_after_a_pointer_is_kept() -> None:
    """A question that running text answers is no headline of a list."""
    text = (
        "Read more\n\nFerry strike called off\n\nWhy did you wait so long?\n\nWe waited for the report, said the mayor."
    )
    assert clean_text(text).text == "Why did you wait so long?\n\nWe waited for the report, said the mayor."


def test_emphasis_that_stands_as_text_loses_its_tags_only() -> None:
    """Tags within a line are taken out of it, and a sign that is none stays."""
    assert clean_text("The bridge <em>stays</em>, 3 < 4 & 5 > 2.").text == "The bridge stays, 3 < 4 & 5 > 2."


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
            st.text(max_size=60),
            st.sampled_from(
                ["", "Newer articles", "Advertisement", "A line.", "Why?", "<b>x</b> y", "&lt;p&gt;x", "</p>", "<p>"]
            ),
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
