"""The text of feeds and sitemaps: bytes in any charset → UTF-8, in pieces: 50 MB cost little more than themselves."""

import codecs
import io
import re
from collections.abc import Iterator

from extraction.charset import to_utf8 as recode

MAX_BYTES = 50 * 1024 * 1024  # the sitemap protocol's bound, uncompressed (sitemaps.org)
CHUNK = 64 * 1024
DECLARED_IN = 1024  # first bytes in which a charset is declared

_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})["']""")


def to_utf8(body: bytes, content_type: str | None = None) -> tuple[bytes, str | None]:
    """The body as UTF-8, and what was wrong with the charset it claims. Bytes are believed before declarations.

    `content_type` is the header's value, which is believed where the body says nothing.
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    declared = _declared(body)
    bad = _first_bad(body)
    if bad is None and not (b"\x1b" in body and declared and declared.startswith("iso2022")):
        lies = declared not in {None, "utf-8", "ascii"} and not body.isascii()
        return body, f"declared as {declared}, is UTF-8" if lies else None
    telling = body[:DECLARED_IN] + body[bad or 0 : (bad or 0) + CHUNK]
    _, charset = recode(telling, content_type)
    problem = f"declared as {declared or 'nothing'}, read as {charset.name}" if charset.doubtful else None
    return _recoded(body, charset.name), problem


def _recoded(body: bytes, charset: str) -> bytes:
    """The body in UTF-8, without ever being one text in memory."""
    decoder = codecs.getincrementaldecoder(charset)("windows-1252-byte" if charset == "utf-8" else "replace")
    file = io.BytesIO()
    for piece in pieces(body):
        file.write(decoder.decode(piece).encode("utf-8", "replace"))
    file.write(decoder.decode(b"", final=True).encode("utf-8", "replace"))
    return file.getvalue().removeprefix(codecs.BOM_UTF8)


def pieces(body: bytes, start: int = 0) -> Iterator[bytes]:
    """Yield a body, from a byte on, in pieces that cost nothing."""
    for at in range(start, len(body), CHUNK):
        yield body[at : at + CHUNK]


def _declared(body: bytes) -> str | None:
    found = _DECLARED.search(body[:DECLARED_IN])
    try:
        return codecs.lookup(found[1].decode()).name if found else None
    except LookupError:
        return None


def is_utf8(body: bytes) -> bool:
    """Whether the bytes are UTF-8, told without decoding them into one text."""
    return _first_bad(body) is None


def _first_bad(body: bytes) -> int | None:
    """Where a body stops being UTF-8, to within a character; None if it is UTF-8 throughout."""
    if b"\x00" in body[:4]:
        return 0
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(body), CHUNK):
        try:
            decoder.decode(body[start : start + CHUNK], final=start + CHUNK >= len(body) < MAX_BYTES)
        except UnicodeDecodeError as error:
            return start + max(0, error.start - 3)
    return None  # a body cut at the limit may end inside a character
