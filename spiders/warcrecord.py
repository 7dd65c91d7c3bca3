"""One record of a WARC file: how a page becomes one, and one a page (WARC 1.1; docs/design.md, "A segment").

A page that a browser opened is two: the response as received, and a conversion of it, which is what is read back.
"""

import io
import re
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus

import msgspec
from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType
from isal import isal_zlib

from extraction.records import Capture, Discovery, Page
from spiders.journal import LONGEST_TEXT

# Longest HTTP or WARC header block that is read back, bytes; the spider itself takes 64 KiB of HTTP headers.
LONGEST_HEADERS = 256 << 10
# A body that came compressed is stored in its member as it is: deflating it again costs time and makes it larger.
# Others are deflated quickly.
STORED, QUICK = 0, 1


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """The header field WARC-JSON-Metadata: how the page was found."""

    site: str = ""
    requested_url: str = ""
    found_in: str = ""
    found_by: str = ""
    lastmod: datetime | None = None
    published_hint: datetime | None = None
    title_hint: str | None = None
    attempts: int = 1
    rights: dict[str, str] = {}
    rendered: bool = False  # of a response: the page that is read is the conversion behind it
    status: int = 0  # of a conversion: its response's
    validators: tuple[tuple[str, str], ...] = ()  # of a conversion: header fields of its response


_RENDERED_TYPE = "text/html; charset=utf-8"
_IS_PAGE = re.compile(rb"(?i)\A(?:[^\r\n]+\r\n)*?WARC-Type:[ \t]*(?:response|conversion)[ \t]*\r\n")
_IS_RENDERED = re.compile(rb'(?i)\A(?:[^\r\n]+\r\n)*?WARC-JSON-Metadata:[^\r\n]*"rendered":true')
_STATUS_LINE = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}


def holds_page(content: bytes) -> bool:
    """Whether the bytes of a record hold a page, by a look at its header only."""
    return bool(_IS_PAGE.search(content, 0, LONGEST_HEADERS)) and not _IS_RENDERED.search(content, 0, LONGEST_HEADERS)


def metadata_of(discovery: Discovery, attempts: int, rights: Mapping[str, str]) -> Metadata:
    """Describe how a page was found, for the header of its record."""
    return Metadata(
        site=discovery.site,
        requested_url=discovery.url,
        found_in=discovery.found_in,
        found_by=discovery.found_by,
        lastmod=discovery.lastmod,
        published_hint=discovery.published_hint,
        title_hint=discovery.title_hint[:LONGEST_TEXT] if discovery.title_hint else None,
        attempts=attempts,
        rights=dict(rights),
    )


def encode(metadata: Metadata) -> str:
    """Return it as the header field has it."""
    return msgspec.json.encode(metadata).decode()


def conversion_of(response: WarcRecord, metadata: Metadata, html: bytes) -> WarcRecord:
    """Return the record of what a browser made of a response."""
    record = WarcRecord()
    record.init_headers(WarcRecordType.conversion)
    for name in ("WARC-Date", "WARC-Target-URI"):
        record.headers[name] = response.headers[name]
    record.headers["WARC-Refers-To"] = response.headers["WARC-Record-ID"]
    record.headers["WARC-JSON-Metadata"] = encode(metadata)
    record.headers["Content-Type"] = _RENDERED_TYPE
    record.set_bytes_content(html)
    return record


def validators_of(headers: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the header fields by which a page can be asked for only if it changed."""
    return tuple((name, value) for name, value in headers if name.lower() in {"etag", "last-modified"})


def http_block(status: int, headers: Sequence[tuple[str, str]]) -> bytes:
    """Render the header block. The body is stored without its chunks, so the field that promises them is renamed, as
    Common Crawl's WARCs do, lest readers look for chunks.
    """  # noqa: D205
    lines = [_STATUS_LINE.get(status) or f"HTTP/1.1 {status} \r\n"]
    for name, value in headers:
        kept = f"X-Crawl-{name}" if name.lower() == "transfer-encoding" else name
        lines.append(f"{kept}: {value}\r\n")
    return ("".join(lines) + "\r\n").encode("latin-1", "replace")


def warcinfo(software: str) -> WarcRecord:
    """Return the first record of a file."""
    record = WarcRecord()
    record.init_headers(WarcRecordType.warcinfo)
    record.headers["Content-Type"] = "application/warc-fields"
    record.set_bytes_content(f"software: {software}\r\nformat: WARC File Format 1.1\r\nrobots: obey\r\n".encode())
    return record


def gzip_member(record: WarcRecord, level: int) -> bytes:
    """Return a record as a gzip member; `level` is zlib's."""
    buffer = io.BytesIO()
    record.write(buffer, checksum_data=True)
    # fastwarc's own writer takes twice as long to store; zlib ten times as long as isal to deflate
    pack = zlib.compress if level == STORED else isal_zlib.compress
    return pack(buffer.getbuffer(), level, wbits=31)


def page_of(content: bytes, capture: Capture) -> Page | None:
    """Read the page in `content`: a response, or the conversion of one; None if it is neither."""
    kinds = WarcRecordType.response | WarcRecordType.conversion
    found = ArchiveIterator(io.BytesIO(content), record_types=kinds, max_header_len=LONGEST_HEADERS, strict_mode=False)
    record = next(iter(found), None)
    if record is None:
        return None
    described = record.headers.get("WARC-JSON-Metadata")
    metadata = msgspec.json.decode(described, type=Metadata) if described else Metadata()
    http = record.http_headers
    is_conversion = record.record_type == WarcRecordType.conversion
    if metadata.rendered or (http is None and not (is_conversion and metadata.status)):
        return None
    final_url = (record.headers.get("WARC-Target-URI") or "").strip("<>")
    return Page(
        discovery=Discovery(
            url=metadata.requested_url or final_url,
            site=metadata.site,
            found_in=metadata.found_in,
            found_by=metadata.found_by,
            lastmod=metadata.lastmod,
            published_hint=metadata.published_hint,
            title_hint=metadata.title_hint,
        ),
        final_url=final_url,
        status=metadata.status if http is None else http.status_code or 0,
        headers=(("Content-Type", _RENDERED_TYPE), *metadata.validators) if http is None else http.to_tuples(),
        fetched_at=datetime.fromisoformat(record.headers.get("WARC-Date") or "").astimezone(UTC),
        body=record.reader.read(),
        capture=capture,
        attempts=metadata.attempts,
        rights=metadata.rights,
    )
