"""CDX: the index of a web archive, asked over HTTP. Pure: which URL to ask, and what an answer says.

Formats: the Wayback CDX server (plain lines of seven fields; a JSON array whose first row names them; resumption key),
pywb's CDXJ server, which Common Crawl's index is (`urlkey timestamp {json}` or a JSON object a line; numbered pages);
the lines of CDX files with 9, 10 or 11 fields, with or without the header that names them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import unquote_plus, urlencode
from zoneinfo import ZoneInfo

import msgspec

from spiders.archives.oldnews import Days, WebArchive
from spiders.site import Site

#: Captures that one answer is asked for at most; the Wayback server's own bound is 150,000.
PER_ANSWER = 10_000

#: Names of fields as servers spell them, to ours (pywb's).
_NAMES = {
    "original": "url",
    "statuscode": "status",
    "mimetype": "mime",
    # of the header of CDX files
    "N": "urlkey",
    "b": "timestamp",
    "a": "url",
    "m": "mime",
    "s": "status",
    "k": "digest",
    "r": "redirect",
    "M": "robotflags",
    "S": "length",
    "V": "offset",
    "g": "filename",
}
_SEVEN = ("urlkey", "timestamp", "url", "mime", "status", "digest", "length")
_LINES = {
    7: _SEVEN,
    9: (*_SEVEN[:6], "redirect", "offset", "filename"),
    10: (*_SEVEN[:6], "redirect", "robotflags", "offset", "filename"),
    11: (*_SEVEN[:6], "redirect", "robotflags", "length", "offset", "filename"),
}
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A capture in an index: what it says of itself, unchecked. `filename`, `offset`, `length` are of its WARC file."""

    timestamp: str
    url: str
    mime: str = ""
    status: str = ""
    digest: str = ""
    filename: str = ""
    offset: int = -1
    length: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an index answered: captures, the key by which it goes on if there is more, lines that are none."""

    entries: list[Entry] = field(default_factory=list)
    resume_key: str | None = None
    unreadable: int = 0


def scopes(site: Site) -> Iterator[tuple[str, str]]:
    """Yield (url, matchType) for all that is on a site's hosts."""
    for pattern in site.hosts:
        yield (pattern[2:], "domain") if pattern.startswith("*.") else (pattern, "host")


def query(
    archive: WebArchive,
    site: Site,
    scope: tuple[str, str],
    days: Days,
    *,
    resume_key: str | None = None,
    page: int | None = None,
    count_pages: bool = False,
) -> str:
    """Return the URL that asks for the captures of HTML pages with status 200, of days in the site's time zone."""
    first, last = _bounds(site, days)
    asked = [("url", scope[0]), ("matchType", scope[1]), ("output", "json")]
    asked += [("from", first)] if first else []
    asked += [("to", last)] if last else []
    asked += [("filter", "statuscode:200"), ("filter", "mimetype:text/html")]  # names that pywb takes as well
    if archive.style == "wayback":
        asked += [("collapse", "digest"), ("limit", str(PER_ANSWER)), ("showResumeKey", "true")]
        asked += [("resumeKey", resume_key)] if resume_key else []
    elif count_pages:
        asked.append(("showNumPages", "true"))
    elif page is not None:
        asked.append(("page", str(page)))
    return f"{archive.index}{'&' if '?' in archive.index else '?'}{urlencode(asked)}"


def read_answer(body: bytes) -> Answer:
    """Read an answer in any of the formats, line by line: what is no capture is counted. Never raises."""
    text = body.decode("utf-8", "replace").lstrip("\ufeff \r\n\t")
    if text.startswith("["):
        return _read_table(text)
    entries: list[Entry] = []
    names: tuple[str, ...] = ()
    key, unreadable, blank = None, 0, False
    for line in text.splitlines():
        if not line.strip():
            blank = bool(entries)
        elif line.startswith((" CDX ", "CDX ")):
            names = tuple(_NAMES.get(letter, letter) for letter in line.split()[1:])
        elif blank and " " not in line.strip():
            key = unquote_plus(line.strip())
        elif (entry := _entry(_fields(line, names))) is not None:
            entries.append(entry)
        else:
            unreadable += 1
    return Answer(entries=entries, resume_key=key, unreadable=unreadable)


def read_pages(body: bytes) -> int | None:
    """Return the number of pages that a server says it has: `{"pages": 4, …}` or a bare number. None: neither."""
    try:
        told = _decode(body)
    except msgspec.DecodeError:
        return None
    pages = told.get("pages") if isinstance(told, dict) else told
    return pages if isinstance(pages, int) and pages >= 0 else None


def _read_table(text: str) -> Answer:
    """Read the Wayback server's JSON: rows, the names first, the resumption key last behind an empty row."""
    try:
        rows = _decode(text)
    except msgspec.DecodeError:
        return Answer(unreadable=1)
    rows = [row for row in rows if isinstance(row, list)] if isinstance(rows, list) else []
    key = None
    if len(rows) > 2 and rows[-2] == [] and len(rows[-1]) == 1:
        key = unquote_plus(str(rows[-1][0]))
        rows = rows[:-2]
    if not rows:
        return Answer()
    names = [_NAMES.get(str(name), str(name)) for name in rows[0]]
    entries = [_entry(dict(zip(names, row, strict=False))) for row in rows[1:]]
    read = [entry for entry in entries if entry is not None]
    return Answer(entries=read, resume_key=key, unreadable=len(entries) - len(read))


def _fields(line: str, names: tuple[str, ...]) -> dict[str, Any]:
    head, brace, _ = line.partition("{")
    if brace:
        try:
            told = _decode(line[len(head) :])
        except msgspec.DecodeError:
            return {}
        before = dict(zip(("urlkey", "timestamp"), head.split(), strict=False))
        return before | {_NAMES.get(name, name): value for name, value in told.items()}
    values = line.split()
    return dict(zip(names or _LINES.get(len(values), ()), values, strict=False))


def _entry(fields: dict[str, Any]) -> Entry | None:
    text = {name: str(value) for name, value in fields.items() if isinstance(value, str | int)}
    timestamp, url = text.get("timestamp", ""), text.get("url", "")
    if len(timestamp) != 14 or not timestamp.isascii() or not timestamp.isdigit() or not url or len(url) > 8192:
        return None
    return Entry(
        timestamp=timestamp,
        url=url,
        mime=text.get("mime-detected", "") or text.get("mime", ""),
        status=text.get("status", ""),
        digest=text.get("digest", "").removeprefix("sha1:"),
        filename=text.get("filename", ""),
        offset=_number(text.get("offset", "")),
        length=_number(text.get("length", "")),
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else -1


def _bounds(site: Site, days: Days) -> tuple[str | None, str | None]:
    """The days' first and last second as timestamps in UTC."""
    zone = ZoneInfo(site.time_zone)

    def stamp(day: date) -> datetime:
        return datetime.combine(day, time(), zone).astimezone(UTC)

    first = f"{stamp(days.first):%Y%m%d%H%M%S}" if days.first else None
    last = f"{stamp(days.last + timedelta(days=1)) - timedelta(seconds=1):%Y%m%d%H%M%S}" if days.last else None
    return first, last
