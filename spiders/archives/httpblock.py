"""The HTTP message in a WARC record of somebody else's: status, fields and body, as far as it is one.

Taken as found: HTTP/2 status lines without a reason, header blocks with bare line feeds, chunked bodies that were
stored with their chunks (RFC 9112 7.1), and ones whose chunks are gone although the header still promises them.
"""

import re
from dataclasses import dataclass
from typing import Final

#: The spider itself takes 64 KiB of HTTP header.
LONGEST_HEADER: Final = 256 << 10
MOST_FIELDS: Final = 1000

_STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})(?!\d)[^\r\n]*(?:\r?\n|$)")
_END = re.compile(rb"\r?\n\r?\n")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]{0,1000})?\r?\n")


@dataclass(frozen=True, slots=True)
class HttpMessage:
    """An answer: `fields` in their order, names as written; `body` without transfer coding, content coding kept."""

    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes


def read_message(block: bytes) -> HttpMessage | None:
    """Read the message of a `response` record; None if the block is none: no status line, or a header without end.

    Where the chunks of the body are undone, or were undone before, the field that promises them is renamed, as in our
    own captures. A chunked body that is cut off is kept up to there, with a Content-Length that it does not reach.
    """
    start = _STATUS_LINE.match(block)
    if start is None:
        return None
    end = _END.search(block, start.end() - 2, LONGEST_HEADER)
    if end is None:
        return None
    fields = _fields(block[start.end() : end.start()])
    body = block[end.end() :]
    if not any(name.lower() == "transfer-encoding" and "chunked" in value.lower() for name, value in fields):
        return HttpMessage(int(start[1]), fields, body)
    renamed = tuple((f"X-Crawl-{n}" if n.lower() == "transfer-encoding" else n, v) for n, v in fields)
    joined, whole = _join_chunks(body)
    if joined is None:
        return HttpMessage(int(start[1]), renamed, body)
    kept = tuple((n, v) for n, v in renamed if n.lower() != "content-length")
    lacking = () if whole else (("Content-Length", str(len(joined) + 1)),)
    return HttpMessage(int(start[1]), kept + lacking, joined)


def _fields(raw: bytes) -> tuple[tuple[str, str], ...]:
    fields: list[tuple[str, str]] = []
    for line in raw.replace(b"\r\n", b"\n").split(b"\n")[:MOST_FIELDS]:
        text = line.decode("latin-1")
        if text[:1] in {" ", "\t"} and fields:  # obsolete line folding, RFC 9112 5.2
            fields[-1] = (fields[-1][0], f"{fields[-1][1]} {text.strip()}")
            continue
        name, colon, value = text.partition(":")
        if colon and name.strip():
            fields.append((name.strip(), value.strip()))
    return tuple(fields)


def _join_chunks(body: bytes) -> tuple[bytes | None, bool]:
    """Return the chunks joined and whether the last one is there; None for a body that is not chunked."""
    parts: list[bytes] = []
    at = 0
    while size := _CHUNK_SIZE.match(body, at):
        length = int(size[1], 16)
        if length == 0:
            return b"".join(parts), True
        parts.append(body[size.end() : size.end() + length])
        at = size.end() + length
        if at >= len(body):
            return b"".join(parts), False
        if not body.startswith((b"\r\n", b"\n"), at):
            break
        at += 2 if body.startswith(b"\r\n", at) else 1
    if at >= len(body) and parts:
        return b"".join(parts), False
    return None, False
