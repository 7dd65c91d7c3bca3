"""Bytes become a tree within bounds, or an outcome with its reason."""

import json
import resource
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extraction.page import EmptyPageError, NotHtmlError, TooLargePageError, UnreadablePageError, parse
from extraction.records import Outcome

URL = "https://news.example/a"
AFTER = b"<p>What follows is still there.</p>"


def text(html: bytes, content_type: str | None = None) -> str:
    return parse(html, URL, content_type).tree.text_content()


@pytest.mark.parametrize("html", [b"", b" \r\n\t", b"\xef\xbb\xbf \n", b"\0\0\0"])
def test_nothing_is_empty(html: bytes) -> None:
    with pytest.raises(EmptyPageError) as raised:
        parse(html, URL)
    assert raised.value.outcome is Outcome.EMPTY


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"%PDF-1.7\n%\xe2\xe3<p >", "PDF"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "JPEG"),
        (b"GIF89a<html>", "GIF"),
        (b"\x00\x00\x00\x20ftypisom", "MP4"),
        (b"PK\x03\x04....", "ZIP"),
        (json.dumps({"headline": "x"}).encode(), "JSON"),
        (json.dumps([{"html": "<p>text</p>"}]).encode(), "JSON"),
        (b'<?xml version="1.0"?>\n<!-- c -->\n<rss version="2.0"><channel></channel></rss>', "XML (rss)"),
        (b'<?xml version="1.0"?><urlset xmlns="x"><url/></urlset>', "XML (urlset)"),
        (b"<svg xmlns='x'><p >a</p></svg>", "XML (svg)"),
        (b"Just words, no markup at all. 1 < 2.", "plain text"),
        (bytes(range(1, 32)) * 20, "binary"),
    ],
)
def test_what_is_no_html_is_named_whatever_its_type_says(body: bytes, what: str) -> None:
    """A PDF called text/html is a PDF, and the message says what it was declared as."""
    with pytest.raises(NotHtmlError, match=what.replace("(", r"\(").replace(")", r"\)")) as raised:
        parse(body, URL, "text/html")
    assert raised.value.outcome is Outcome.NOT_HTML
    assert "text/html" in str(raised.value)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/pdf", "image/png", "application/octet-stream", "nonsense", ""]
)
def test_html_of_a_wrong_type_is_still_read(content_type: str) -> None:
    assert "still there" in text(b"<html><body>" + AFTER, content_type)


@pytest.mark.parametrize(
    "html",
    [
        b"<!doctype html><p>a",
        b"\xef\xbb\xbf<?xml version='1.0' encoding='iso-8859-1'?><!DOCTYPE html><html><body>x",
        b"{ not json <p>a</p> }",
        b"plain words first <p>a</p>",
        b"<p >a",
        b"<!-- a comment --><html><body>x</body></html>",
    ],
)
def test_sloppy_html_is_html(html: bytes) -> None:
    """Markup anywhere makes a page."""
    assert parse(html, URL).tree.tag == "html"


def test_a_thousand_levels_lose_nothing() -> None:
    """libxml2's usual 256 levels would drop the rest of the page silently."""
    html = b"<html><body>" + b"<div>" * 1000 + b"<p>Deep.</p>" + b"</div>" * 1000 + AFTER
    assert "Deep." in text(html)
    assert "still there" in text(html)


def test_nesting_beyond_the_limit_is_flagged() -> None:
    page = parse(b"<html><body>" + b"<div>" * 100_000 + AFTER, URL)
    assert "still there" in str(page.tree.text_content())
    assert page.flags == ("nesting_cut",)


def test_an_error_in_the_markup_is_not_taken_for_cut_nesting() -> None:
    assert parse(b"<p><b><p></i></table>" + AFTER, URL).flags == ()


@pytest.mark.parametrize(
    "hostile",
    [
        b"<p>" + b"word " * 2_000_000,
        b"<p>" + b"w" * 10_000_000,
        b"<p title='" + b"w" * 10_000_000 + b"'>x",
        b"<script>var x='" + b"a" * 5_000_000 + b"'</script>",
        b"<img src='data:image/png;base64," + b"QUJD" * 1_250_000 + b"'>",
        b"<p " + b" ".join(b"a%d=1" % i for i in range(100_000)) + b">",
        b"<p " + b" ".join(b"a%d" % i for i in range(100_000)) + b">",
    ],
    ids=["line", "word", "attribute", "script", "base64", "attributes", "bare-attributes"],
)
def test_big_pieces_are_read_to_the_end_in_seconds(hostile: bytes) -> None:
    """What follows 10 MB of anything is kept, for under two seconds of CPU (100,000 attributes alone took 113 s)."""
    start = time.process_time()
    assert "still there" in text(b"<html><body>" + hostile + AFTER)
    assert time.process_time() - start < 2


def test_a_tag_of_many_attributes_is_cut_and_flagged_but_not_a_script_or_a_quoted_value() -> None:
    many = b" ".join(b"a%d=1" % i for i in range(5000))
    assert parse(b"<p " + many + b">" + AFTER, URL).flags == ("giant_tag_cut",)
    quoted = parse(b"<p data-x='" + many + b"'>" + AFTER, URL)
    assert (quoted.flags, len(quoted.tree.xpath("//p/@data-x")[0])) == ((), len(many))
    script = parse(b"<script>if(a<b " + many + b"){}</script>" + AFTER, URL)
    assert (script.flags, len(script.tree.xpath("//script")[0].text)) == ((), len(many) + 10)


@pytest.mark.parametrize(
    "hostile", [b"<p>small</p>" * 850_000, b"<a href='/x'>link</a> " * 200_000, b"<br>" * 2_000_000]
)
def test_too_many_tags_are_refused_before_a_tree_is_built(hostile: bytes) -> None:
    """10 MB of small paragraphs end as too_large at once, without the 400 MB that their tree takes."""
    start, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(TooLargePageError, match="tags") as raised:
        parse(hostile, URL)
    assert raised.value.outcome is Outcome.TOO_LARGE
    assert time.process_time() - start < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 250 * 1024


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(TooLargePageError, match="bytes"):
        parse(b"<p>" + b"w" * (17 << 20), URL)


def test_unclosed_everything_is_read() -> None:
    assert "still there" in text(b"<html><body><div><p>un<b>closed <i>x <table><tr><td>" * 100 + AFTER)


def test_control_characters_do_not_end_the_text() -> None:
    """A NUL ends a C string; the page goes on behind it."""
    assert "still there" in text(b"<p>a\0b\x1b[2Jc&#0;&#x1b;&#xD800;d</p>" + AFTER)


@settings(deadline=None)  # other processes share the machine
@given(st.one_of(st.binary(max_size=400), st.text(alphabet="<>/ab=\"'! -&#;pdiv\0\x1b", max_size=200).map(str.encode)))
def test_any_bytes_become_a_page_or_an_outcome(html: bytes) -> None:
    """Nothing but UnreadablePageError leaves the parser."""
    try:
        page = parse(html, URL)
    except UnreadablePageError:
        return
    assert page.tree.tag == "html"
