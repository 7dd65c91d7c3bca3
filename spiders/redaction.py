"""What a takedown takes out of a segment: the records of its pages in the WARC, what the journal quotes of them.

A record's place is taken by one of equal length that says what was there, so every other record stays where the store
says it is (capture_offset).
"""

import io
import os
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, Any
from uuid import UUID, uuid4

import msgspec
from fastwarc.warc import ArchiveIterator

from extraction.urls import BadUrlError, canonicalize, url_key
from spiders.journal import line
from spiders.members import spans

PART = ".part"
#: (site, url_key) → whether it is to go.
Wanted = Callable[[str, str], bool]

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_LARGEST_STORED = 65_535  # bytes of a stored block (RFC 1951 3.2.4)
_FRAME = 18  # bytes of a gzip member without content: header and trailer (RFC 1952 2.3)
_EMPTY = b"\x03\x00"  # nothing, deflated
_HEADERS = 256 << 10


class _Described(msgspec.Struct, frozen=True):
    site: str = ""
    requested_url: str = ""


def erase_pages(warc: Path, wanted: Wanted, why: str) -> int:
    """Replace the records of the wanted pages in a WARC file and return how many there were.

    Damaged stretches are replaced too: nobody can say whose they are. The file is written anew and renamed, so a crash
    leaves the old or the new one; nothing is written where nothing is to go.

    Args:
        warc: the file.
        wanted: says of a record's site and URL key whether it goes.
        why: what stands in the record's place, one line.
    """
    places = [(start, end, content) for start, end, content in _records(warc, wanted)]
    if not places:
        return 0
    part = warc.with_name(warc.name + PART)
    with warc.open("rb") as source, part.open("wb") as target:
        end = 0
        for start, stop, _ in places:
            _copy(source, target, end, start)
            target.write(tombstone(stop - start, why))
            end = stop
        _copy(source, target, end, warc.stat().st_size)
        target.flush()
        os.fsync(target.fileno())
    part.rename(warc)
    _sync_folder(warc.parent)
    return sum(content is not None for _, _, content in places)


def holds_pages(warc: Path) -> bool:
    """Whether a WARC file holds any response still."""
    return any(content is not None and b"\r\nWARC-Type: response" in content[:4096] for _, _, content in spans(warc))


def erase_titles(journal: Path, wanted: Wanted) -> int:
    """Blank the titles that a journal, or a list of pending URLs, quotes of the wanted URLs; return how many.

    Lines that cannot be read go: they say nothing to anybody, and nobody knows what they quote.
    """
    lines = []
    count = bad = 0
    with journal.open("rb") as file:
        for text in file:
            try:
                entry = _decode(text)
            except msgspec.DecodeError:
                bad += 1
                continue
            if entry.get("title_hint") and wanted(str(entry.get("site")), str(entry.get("url_key"))):
                entry["title_hint"] = None
                count += 1
            lines.append(line(entry))
    if count or bad:
        part = journal.with_name(journal.name + PART)
        with part.open("wb") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        part.rename(journal)
        _sync_folder(journal.parent)
    return count


def tombstone(length: int, why: str) -> bytes:
    """Return a gzip member of exactly so many bytes: a WARC metadata record that says why.

    In less than some 300 bytes there is no room for one: an empty member, and below 20 bytes, zeros.
    """
    if length < _FRAME + len(_EMPTY):
        return b"\0" * length
    record = partial(_record, why, uuid4(), datetime.now(UTC))
    room = length - _FRAME - 1 - 5 * (length // _LARGEST_STORED + 1) - len(record(0))  # a byte for the comment
    content = record(room) if room >= 0 else record(0)
    blocks = _stored(content) if room >= 0 else zlib.compress(content, 9, wbits=-15)
    if _FRAME + len(blocks) > length:
        content, blocks = b"", _EMPTY
    return _member(content, blocks, length)


def _member(content: bytes, blocks: bytes, length: int) -> bytes:
    """Frame deflated content as a gzip member, with a comment that makes up the length (RFC 1952 2.3)."""
    rest = length - _FRAME - len(blocks)
    flags, comment = (b"\x10", b"-" * (rest - 1) + b"\0") if rest else (b"\0", b"")
    trailer = zlib.crc32(content).to_bytes(4, "little") + len(content).to_bytes(4, "little")
    return b"\x1f\x8b\x08" + flags + b"\0\0\0\0\0\xff" + comment + blocks + trailer


def _record(why: str, record_id: UUID, date: datetime, padding: int) -> bytes:
    body = f"erased: {why}\r\n".encode() + b" " * padding
    # The digits of the length may not change with the padding, or the record would outgrow its place.
    return (
        f"WARC/1.1\r\nWARC-Type: metadata\r\nWARC-Record-ID: <urn:uuid:{record_id}>\r\n"
        f"WARC-Date: {date:%Y-%m-%dT%H:%M:%SZ}\r\nContent-Type: application/warc-fields\r\n"
        f"Content-Length: {len(body):010d}\r\n\r\n"
    ).encode() + (body + b"\r\n\r\n")


def _stored(content: bytes) -> bytes:
    """Deflate without compression (RFC 1951 3.2.4): 5 bytes and up to 65,535 of content, over and over."""
    blocks = []
    for start in range(0, len(content), _LARGEST_STORED):
        block = content[start : start + _LARGEST_STORED]
        last = start + _LARGEST_STORED >= len(content)
        size = len(block)
        blocks.append(bytes([last]) + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + block)
    return b"".join(blocks)


def _records(warc: Path, wanted: Wanted) -> Iterator[tuple[int, int, bytes | None]]:
    for start, end, content in spans(warc):
        if content is None or _is_wanted(content, wanted):
            yield start, end, content


def _is_wanted(content: bytes, wanted: Wanted) -> bool:
    records = ArchiveIterator(io.BytesIO(content), max_header_len=_HEADERS, strict_mode=False, parse_http=False)
    record = next(iter(records), None)
    if record is None:
        return False
    described = record.headers.get("WARC-JSON-Metadata")
    try:
        metadata = msgspec.json.decode(described, type=_Described) if described else _Described()
    except msgspec.MsgspecError:
        metadata = _Described()
    urls = {metadata.requested_url, (record.headers.get("WARC-Target-URI") or "").strip("<>")}
    return any(wanted(metadata.site, key) for key in map(_key, urls))


def _key(url: str) -> str:
    try:
        return url_key(canonicalize(url)) if url else ""
    except BadUrlError:
        return ""


def _copy(source: IO[bytes], target: IO[bytes], start: int, end: int) -> None:
    source.seek(start)
    while start < end:
        chunk = source.read(min(1 << 20, end - start))
        if not chunk:
            return
        target.write(chunk)
        start += len(chunk)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
