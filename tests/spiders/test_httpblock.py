"""HTTP answers in records of others are read as far as they are such, and no cut body passes for a whole one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.decoding import TruncatedError, decode_body
from spiders.archives.httpblock import read_message

PAGE = b"<p>News</p>"


@pytest.mark.parametrize(
    "start",
    [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200\r\n", b"HTTP/2 200\r\n", b"HTTP/2.0 200 \r\n", b"HTTP/1.1 200 \xff\r\n"],
)
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_status_lines_and_line_ends_of_all_kinds_are_read(start: bytes, end: bytes) -> None:
    """HTTP/2 in the style of browsers, no reason, bare line feeds, folded fields."""
    block = (start + b"A: 1\r\nB: one\r\n two\r\n\r\n").replace(b"\r\n", end) + PAGE
    message = read_message(block)
    assert message is not None
    assert (message.status, message.fields, message.body) == (200, (("A", "1"), ("B", "one two")), PAGE)


def test_an_answer_without_fields_is_one() -> None:
    """A status line, an empty line, a body."""
    message = read_message(b"HTTP/1.1 200 OK\r\n\r\n" + PAGE)
    assert message is not None
    assert (message.fields, message.body) == ((), PAGE)


@pytest.mark.parametrize(
    "block", [b"", PAGE, b"HTTP/1.1 2000 OK\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: 1"]
)
def test_what_is_no_answer_is_none(block: bytes) -> None:
    """Markup alone, a request, a header without an end."""
    assert read_message(block) is None


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    body = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body + end


def test_chunks_that_were_stored_are_joined() -> None:
    """The body is what the chunks hold, and no field promises chunks any more."""
    message = read_message(chunked(b"<p>Ne", b"ws</p>"))
    assert message is not None
    assert (message.body, message.fields) == (PAGE, (("X-Crawl-Transfer-Encoding", "chunked"),))


def test_chunks_that_are_gone_already_are_not_looked_for() -> None:
    """A body without chunks under a field that promises them stays as it is."""
    message = read_message(chunked(end=PAGE))
    assert message is not None
    assert message.body == PAGE


@pytest.mark.parametrize("cut", [1, 5, 8, 12])
def test_chunks_that_are_cut_off_are_no_whole_page(cut: int) -> None:
    """The part that is there is kept, and reading it as a page says that it is truncated."""
    message = read_message(chunked(PAGE * 3, PAGE * 3)[: -cut - 4])
    assert message is not None
    with pytest.raises(TruncatedError):
        decode_body(message.body, message.fields, max_bytes=1000)


@given(st.binary(max_size=400))
def test_no_block_whatever_raises(data: bytes) -> None:
    """Anything can stand in a record."""
    read_message(data)
    read_message(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + data)
