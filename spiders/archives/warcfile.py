"""WARC files of others, read record by record and believed in nothing (ISO 28500; WARC 1.0 and 1.1).

A container (plain; gzip, a member a record or one for the whole file; zstd, with or without a dictionary) becomes
stretches of bytes without a gap. Records are cut out of these, and what a record says of its length is checked against
where the next one begins. What is damaged is told and passed over; what follows it is read.

Not fastwarc's iterator, which ends at the first damaged member and loses the records behind a wrong length.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Final

from spiders.archives.container import Part, container, is_linear
from spiders.members import PIECE, Damage

LARGEST_RECORD: Final = 64 << 20  # bytes of a block that is handed out; larger ones are passed over and told
LONGEST_HEADER: Final = 256 << 10
MOST_FIELDS: Final = 200
#: A record that says it is larger than this ends the reading: no page is, and a bomb of compressed zeros may be.
MOST_SKIPPED: Final = 8 << 30

_START = re.compile(rb"WARC/\d\.\d{1,2}\r?\n[A-Za-z][A-Za-z-]*[ \t]*:")
_LONGEST_START = 64  # bytes by which the beginning of a record is told
_END_OF_HEADER = re.compile(rb"\r?\n\r?\n")
_BETWEEN = re.compile(rb"[\r\n\0 ]*")


@dataclass(frozen=True, slots=True)
class Header:
    """What a record says of itself: `fields` by lower-case name, the first of each. Nothing of it has been checked.

    `number` counts the file's records from 1; `offset` is where in the file the record begins, bytes, or the compressed
    member or frame that it begins in. `length` is what it says is the size of its block, -1 where it says nothing.
    """

    number: int
    offset: int
    fields: dict[str, str]
    length: int

    @property
    def type(self) -> str:
        """`response`, `revisit`, `request`, …, lower case."""
        return self.fields.get("warc-type", "").lower()

    @property
    def uri(self) -> str:
        """What the record is of, as it stands there (some writers of WARC 1.0 put it in angle brackets)."""
        return self.fields.get("warc-target-uri", "").strip("<> ")


@dataclass(frozen=True, slots=True)
class Record:
    """A record. `block` is None where it was not wanted or cannot be had; then `fault` says why it cannot."""

    header: Header
    block: bytes | None = None
    fault: str | None = None
    too_large: bool = False


def read_records(
    path: Path, wants: Callable[[Header], bool], damaged: Damage, *, largest: int = LARGEST_RECORD, start: int = 0
) -> Iterator[Record]:
    """Yield each record of a file in its order, with the blocks of those that `wants` takes.

    With `start`, an offset that a header gave, from there on.

    `damaged(offset, reason)` is told of torn members and of bytes that are no record. Memory stays below three times
    `largest`. Raises WarcFileError for a file that is no WARC file, OSError where it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(16)
        parts_of = container(head, path.name)
        with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            yield from _Records(parts_of(data, start), wants, damaged, largest, linear=is_linear(parts_of)).read()


def read_record(data: bytes, name: str, *, largest: int = LARGEST_RECORD) -> Record | None:
    """Return the first record in some bytes of a WARC file, None if they hold none. Raises WarcFileError."""
    parts_of = container(data[:16], name)
    records = _Records(parts_of(data, 0), lambda _: True, lambda *_: None, largest, linear=is_linear(parts_of))
    return next(records.read(), None)


class _Records:
    """Cuts records out of parts. `_at` is where in `_buffer` reading stands; nothing before it is needed any more."""

    def __init__(
        self,
        parts: Iterator[Part],
        wants: Callable[[Header], bool],
        damaged: Damage,
        largest: int,
        *,
        linear: bool,
    ) -> None:
        self._parts, self._wants, self._damaged, self._largest, self._linear = parts, wants, damaged, largest, linear
        self._buffer = bytearray()
        self._at = self._base = 0  # the latter: bytes before the buffer
        self._marks: deque[tuple[int, int]] = deque()  # (byte of the stream, offset in the file), ascending
        self._gap: Part | None = None  # that ends this stretch
        self._ended = False
        self._number = 0

    def read(self) -> Iterator[Record]:
        while self._find():
            if (record := self._record()) is not None:
                yield record

    def _record(self) -> Record | None:
        """Read the record that begins here, and go behind it."""
        self._number += 1
        end = self._end_of_header()
        if end is None:
            self._damaged(self._offset(), "the header of the record has no end")
            self._at += 1
            return None
        fields = _fields(bytes(self._buffer[self._at : end.start()]))
        length = _length(fields)
        header = Header(self._number, self._offset(), fields, length)
        self._at = end.end()
        if length < 0:
            return Record(header, fault="it does not say how long it is")
        if length > self._largest:
            return self._large(header)
        if self._have(length) and self._ends_well(length):
            with memoryview(self._buffer) as view:
                block = bytes(view[self._at : self._at + length]) if self._wants(header) else None
            self._at += length
            return Record(header, block)
        return Record(header, fault=self._mend(length))

    def _mend(self, length: int) -> str:
        """Go to where reading can go on behind a record whose length is wrong; return what is wrong."""
        there = len(self._buffer) - self._at
        end = min(len(self._buffer), self._at + length)
        following = _START.search(self._buffer, self._at, end + _LONGEST_START)
        if following and following.start() < end:
            was = following.start() - self._at
            self._at = following.start()
            return f"it says {length} bytes, and after {was} the next record begins"
        self._at += min(length, there)
        return f"cut off after {there} of {length} bytes" if there < length else f"it is longer than its {length} bytes"

    def _large(self, header: Header) -> Record:
        self._have(self._largest)
        if _START.search(self._buffer, self._at):
            return Record(header, fault=self._mend(header.length))
        if header.length > MOST_SKIPPED:
            self._damaged(header.offset, f"a record of {header.length} bytes: the rest of the file is not read")
            self._ended, self._parts, self._at = True, iter(()), len(self._buffer)
        left = header.length
        while left and self._have(1):
            step = min(left, len(self._buffer) - self._at)
            self._at += step
            left -= step
            self._forget()
        return Record(header, fault=f"{header.length} bytes, {self._largest} are taken", too_large=True)

    def _find(self) -> bool:
        """Go to the next beginning of a record; tell what is passed over. False: the file has ended."""
        skipped, first = 0, 0
        while True:
            self._forget()
            if not skipped:
                self._skip_between()
                first = self._offset()
            self._have(_LONGEST_START)
            start = _START.search(self._buffer, self._at)
            if start and start.start() == self._at:
                break
            if start:
                skipped += start.start() - self._at
                self._at = start.start()
                break
            # No beginning in sight: all but what may be half of one is none.
            passed = max(0, len(self._buffer) - self._at - _LONGEST_START)
            skipped += passed
            self._at += passed
            if not self._fill():
                skipped += len(self._buffer) - self._at
                self._at = len(self._buffer)
                if skipped:
                    self._damaged(first, f"{skipped} bytes are no WARC record")
                if not self._cross_gap():
                    return False
                skipped = 0
        if skipped:
            self._damaged(first, f"{skipped} bytes are no WARC record")
        return True

    def _skip_between(self) -> None:
        while True:
            match = _BETWEEN.match(self._buffer, self._at)
            assert match is not None, "it can be empty"
            self._at = match.end()
            self._forget()  # where a member ends with its record nothing is left, and nothing is moved
            if self._at < len(self._buffer) or not self._fill():
                return

    def _end_of_header(self) -> re.Match[bytes] | None:
        looked = self._at
        while True:
            match = _END_OF_HEADER.search(self._buffer, looked, self._at + LONGEST_HEADER)
            if match or len(self._buffer) - self._at > LONGEST_HEADER:
                return match
            looked = max(self._at, len(self._buffer) - 4)
            if not self._fill():
                return None

    def _ends_well(self, length: int) -> bool:
        """Whether behind so many bytes stands what ends a record, the next one, or nothing."""
        self._have(length + 4)
        if self._buffer.startswith(b"\r\n\r\n", self._at + length):
            return True
        self._have(length + 4 + _LONGEST_START)
        between = _BETWEEN.match(self._buffer, self._at + length)
        assert between is not None, "it can be empty"
        return between.end() == len(self._buffer) or _START.match(self._buffer, between.end()) is not None

    def _have(self, size: int) -> bool:
        while len(self._buffer) - self._at < size:
            if not self._fill():
                return False
        return True

    def _fill(self) -> bool:
        """Take one part more; False at a gap and at the end."""
        if self._gap is not None or self._ended:
            return False
        part = next(self._parts, None)
        if part is None:
            self._ended = True
        elif part.gap is not None:
            self._gap = part
        else:
            if self._linear or not self._marks or self._marks[-1][1] != part.offset:
                self._marks.append((self._base + len(self._buffer), part.offset))
            self._buffer += part.data
            return True
        return False

    def _cross_gap(self) -> bool:
        """Begin the next stretch; False where there is none."""
        if self._gap is None:
            return False
        self._damaged(self._gap.offset, self._gap.gap or "")
        self._gap = None
        return True

    def _forget(self) -> None:
        """Let go of what has been read, now and then: not a memmove a record."""
        if self._at > PIECE or self._at == len(self._buffer):
            del self._buffer[: self._at]
            self._base += self._at
            self._at = 0
            while len(self._marks) > 1 and self._marks[1][0] <= self._base:
                self._marks.popleft()

    def _offset(self) -> int:
        """Where in the file reading stands."""
        here = self._base + self._at
        mark, offset = 0, 0
        for position, place in self._marks:
            if position > here:
                break
            mark, offset = position, place
        return offset + (here - mark if self._linear else 0)


def _fields(raw: bytes) -> dict[str, str]:
    lines: list[str] = []
    for line in raw.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")[1 : MOST_FIELDS + 1]:
        if line[:1] in {" ", "\t"} and lines:
            lines[-1] += " " + line.strip()
        else:
            lines.append(line)
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        fields.setdefault(name.strip().lower(), value.strip())
    return fields


def _length(fields: dict[str, str]) -> int:
    text = fields.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else -1
