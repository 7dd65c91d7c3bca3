"""The journal of a segment: one JSON object a line, `kind` first, times in UTC (docs/design.md, "A segment")."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec

from extraction.records import Discovery, Outcome
from extraction.urls import url_key

# A line of ours stays far below this; whoever writes a longer one is not us.
LONGEST_LINE = 1 << 20
# A title or a reason is for people: more than this helps nobody and lets a hostile feed fill the disk.
LONGEST_TEXT = 500

_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class JournalError(ValueError):
    """A journal holds a line that is no JSON object; the text names file and line."""


def line(entry: Mapping[str, object]) -> bytes:
    """Encode one entry as one line."""
    return _encode(entry) + b"\n"


def discovered(discovery: Discovery, at: datetime, key: str | None = None) -> bytes:
    """A URL that is to be fetched or refused in this run; `key` is its `url_key`, where the caller knows it."""
    d = discovery
    return line(
        {
            "kind": "discovered",
            "at": at,
            "url": d.url,
            "url_key": key or url_key(d.url),
            "site": d.site,
            "found_in": d.found_in,
            "found_by": d.found_by,
            "lastmod": d.lastmod,
            "published_hint": d.published_hint,
            "title_hint": d.title_hint[:LONGEST_TEXT] if d.title_hint else None,
        }
    )


def planned(discovery: Discovery, at: datetime, key: str, *, day: date | None, known: bool) -> bytes:
    """A URL of a plan: `day` is the site's own, None where it is not told; `known` says that it needs no visit."""
    entry = _decode(discovered(discovery, at, key))
    return line({**entry, "kind": "planned", "day": day, "known": known})


def pages(offsets: Sequence[int]) -> bytes:
    """Where the pages of the segment begin in its WARC, bytes: its last line, written as the segment is closed."""
    return line({"kind": "pages", "offsets": offsets})


def outcome(
    discovery: Discovery,
    result: Outcome,
    reason: str,
    at: datetime,
    *,
    status: int | None = None,
    attempts: int = 0,
    final_url: str | None = None,
    rights: Mapping[str, str] | None = None,
) -> bytes:
    """A URL that ended without a page; `reason` is a sentence, `status` the HTTP status if there was an answer."""
    return line(
        {
            "kind": "outcome",
            "at": at,
            "url": discovery.url,
            "url_key": url_key(discovery.url),
            "site": discovery.site,
            "outcome": result.value,
            "reason": reason[:LONGEST_TEXT],
            "status": status,
            "attempts": attempts,
            "final_url": final_url,
            "found_in": discovery.found_in,
            "found_by": discovery.found_by,
            "rights": rights or {},
        }
    )


def source(
    url: str,
    site: str,
    found_by: str,
    at: datetime,
    *,
    result: str,
    reason: str | None = None,
    status: int | None = None,
    entries: int = 0,
    new: int = 0,
    known: int = 0,
    etag: str | None = None,
    last_modified: str | None = None,
    bounded: str | None = None,
) -> bytes:
    """A feed, sitemap or section page: `result` is "ok" or a word of `Outcome`, `bounded` names a limit hit."""
    return line(
        {
            "kind": "source",
            "at": at,
            "url": url,
            "site": site,
            "found_by": found_by,
            "status": status,
            "outcome": result,
            "entries": entries,
            "new": new,
            "known": known,
            "reason": reason[:LONGEST_TEXT] if reason else None,
            "etag": etag,
            "last_modified": last_modified,
            "bounded": bounded,
        }
    )


def finished(reason: str, at: datetime) -> bytes:
    """The last line of the last segment of a shard that ended by itself."""
    return line({"kind": "finished", "at": at, "reason": reason})


def read_journal(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the entries of a journal. A torn last line is left out; any other bad line raises JournalError."""
    with path.open("rb") as file:
        for number, text in enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), start=1):
            if not text.endswith(b"\n"):
                if file.read(1):
                    raise JournalError(f"{path}: line {number} is longer than {LONGEST_LINE} bytes")
                return
            try:
                yield _decode(text)
            except msgspec.DecodeError as error:
                raise JournalError(f"{path}: line {number} is no journal entry: {error}") from error
