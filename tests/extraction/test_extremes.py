"""Pages as no publisher writes them, with an article in them: its text comes out, within the bounds of time."""

import time

import pytest

from extraction.article import extract
from extraction.records import Article

URL = "https://news.example/2026/bridge-is-rebuilt"
SENTENCE = "The council voted on Tuesday to rebuild the bridge, and the mayor said that work would begin in spring. "
WORDS = SENTENCE.lower().replace(",", "").replace(".", "")
PARAGRAPHS = [f"{number} {SENTENCE}{SENTENCE}".strip() for number in range(6)]
BODY = "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)


def article(body: str) -> Article:
    page = f"<html><head><title>Bridge is rebuilt</title></head><body><h1>Bridge is rebuilt</h1>{body}</body></html>"
    start = time.process_time()
    result = extract(page.encode(), URL).result
    assert time.process_time() - start < 10
    assert isinstance(result, Article), result
    return result


@pytest.mark.parametrize(
    "body",
    [
        f"<p>{SENTENCE * 100_000}</p>",
        SENTENCE * 100_000,
        f"<div>{WORDS * 100_000}</div>",
        f"<table><tr><td>{SENTENCE * 100_000}</td></tr></table>",
        f"<p>{'市议会周二投票决定重建大桥，市长表示工程将于春季开工。' * 100_000}</p>",
    ],
    ids=["paragraph", "bare", "without-punctuation", "layout-table", "cjk"],
)
def test_a_line_of_ten_megabytes_is_kept_to_its_last_word(body: str) -> None:
    """One endless line of text is an article of that text: nothing is cut off, and none of it is furniture."""
    text = article(body).article_body
    wanted = body.removeprefix("<p>").removesuffix("</p>")
    assert len(text) > 0.99 * len(wanted.replace("<table><tr><td>", "").replace("</td></tr></table>", ""))


@pytest.mark.parametrize("levels", [300, 2_000, 4_000, 20_000])
@pytest.mark.parametrize("tag", ["div", "span", "blockquote", "b", "center", "x-box"])
def test_text_below_thousands_of_levels_is_kept_paragraph_by_paragraph(tag: str, levels: int) -> None:
    """Nesting, however deep, hides no paragraph and joins no two: libxml2 alone drops all below its 2,048th level."""
    found = article(f"<{tag}>" * levels + BODY + f"</{tag}>" * levels)
    assert [block.text for block in found.blocks] == PARAGRAPHS
    assert ("nesting_cut" in found.flags) == (levels > 2_048)


def test_text_after_a_deep_subtree_is_kept() -> None:
    """A trap of empty elements takes nothing away from the page after it."""
    found = article(f"<p>{PARAGRAPHS[0]}</p>" + "<div>" * 6_000 + "</div>" * 6_000 + BODY)
    assert [block.text for block in found.blocks] == [PARAGRAPHS[0], *PARAGRAPHS]


def test_tables_in_tables_in_tables_end_in_time() -> None:
    """The engine, cubic in nested tables, is not asked of a thousand of them."""
    start = time.process_time()
    found = article("<table><tr><td>" * 1_000 + BODY + "</td></tr></table>" * 1_000)
    assert [block.text for block in found.blocks] == PARAGRAPHS
    assert time.process_time() - start < 2


def test_a_page_without_a_single_stop_or_comma_is_no_empty_page() -> None:
    """A transcript or a poem has no sentences to be known by; it is kept where nothing else on the page is text."""
    verse = (WORDS * 6).strip()
    found = article(f"<div>{verse}</div><div><a href='/a'>Politics</a> <a href='/b'>Sport</a></div>")
    assert [block.text for block in found.blocks] == [verse]


def test_a_word_of_ten_megabytes_takes_nothing_of_the_article_with_it() -> None:
    """Data that stands in a page as text is no reason to lose the text."""
    found = article(BODY + f"<div>{'QUJD' * 2_500_000}</div>")
    assert [block.text for block in found.blocks] == PARAGRAPHS
