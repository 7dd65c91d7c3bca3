"""The gzip members of a file, one by one: a WARC file is a row of them, one a record (RFC 1952 2.2, WARC 1.1 annex D).

Reading member by member keeps a torn or flipped one from hiding those after it: the checksum of each is checked.
"""

from collections.abc import Callable, Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path

from isal import isal_zlib
from isal.igzip_lib import IsalError

MAGIC = b"\x1f\x8b\x08"
# A captured page is at most 16 MiB; room for other people's records. Larger ones are reported and passed over.
LARGEST_MEMBER = 64 << 20
_CHUNK = 64 << 10
PIECE = 1 << 20  # bytes that are decompressed at once

Damage = Callable[[int, str], None]


class DamagedMemberError(Exception):
    """The bytes at an offset are no whole gzip member; the text says why."""


def members(path: Path, damaged: Damage, *, largest: int = LARGEST_MEMBER) -> Iterator[tuple[int, bytes]]:
    """Yield (offset, content) of each whole member; `damaged(offset, reason)` is told of what is passed over."""
    if path.stat().st_size == 0:
        return
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        offset = 0
        while offset < len(data):
            try:
                end, content = _member(data, offset, largest)
            except DamagedMemberError as error:
                damaged(offset, _said(error))
                offset = next_member(data, offset + 1)
                continue
            if content is None:
                damaged(offset, f"the record is larger than {largest} bytes")
            else:
                yield offset, content
            offset = end


def spans(path: Path, *, largest: int = LARGEST_MEMBER) -> Iterator[tuple[int, int, bytes | None]]:
    """Yield (offset, end, content) of each member, so that no byte of the file is left out.

    The content is None of what is damaged, torn or too large to be a record.
    """
    if path.stat().st_size == 0:
        return
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        offset = 0
        while offset < len(data):
            try:
                end, content = _member(data, offset, largest)
            except DamagedMemberError:
                end, content = next_member(data, offset + 1), None
            yield offset, end, content
            offset = end


def member(path: Path, offset: int, *, largest: int = LARGEST_MEMBER) -> bytes:
    """Return the content of the member at an offset. Raises OSError, or ValueError where there is no whole one."""
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        try:
            _, content = _member(data, offset, largest)
        except DamagedMemberError as error:
            raise ValueError(_said(error)) from error
    if content is None:
        raise ValueError(f"the record is larger than {largest} bytes")
    return content


def last_whole_member(path: Path) -> tuple[int, int]:
    """Return where the last whole member ends and how many there are: what follows is a torn tail."""
    end = count = 0
    if path.stat().st_size == 0:
        return end, count
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        offset = 0
        while offset < len(data):
            try:
                offset, _ = _member(data, offset, LARGEST_MEMBER)
            except DamagedMemberError:
                # Damaged in the middle: readers pass over it, and nothing behind it is cut.
                offset = next_member(data, offset + 1)
            else:
                end, count = offset, count + 1
    return end, count


def _said(error: DamagedMemberError) -> str:
    return f"the record is damaged: {error}"


class Unfolding:
    """The content of the gzip member at an offset, piece by piece; `end` is where it ends, once it was read through.

    Raises DamagedMemberError amid the pieces.
    """

    def __init__(self, data: mmap | bytes, offset: int) -> None:
        self._data, self.end = data, offset

    def __iter__(self) -> Iterator[bytes]:
        inflate = isal_zlib.decompressobj(wbits=31)
        try:
            while not inflate.eof:
                # What the last step held back comes first; only then more of the file.
                chunk = inflate.unconsumed_tail
                if not chunk:
                    chunk = self._data[self.end : self.end + _CHUNK]
                    self.end += len(chunk)
                    if not chunk:
                        raise DamagedMemberError("it is cut off")
                if piece := inflate.decompress(chunk, PIECE):
                    yield piece
        except IsalError as error:  # type: ignore[misc]  # its stub says it is an instance of Exception
            raise DamagedMemberError(str(error)) from error
        self.end -= len(inflate.unused_data)


def _member(data: mmap, offset: int, largest: int) -> tuple[int, bytes | None]:
    """Decompress the member at `offset`: its end and content (None where that is too large)."""
    parts: list[bytes] | None = []
    size = 0
    unfolding = Unfolding(data, offset)
    for piece in unfolding:
        size += len(piece)
        if size > largest:
            parts = None
        elif parts is not None:
            parts.append(piece)
    return unfolding.end, None if parts is None else b"".join(parts)


def next_member(data: mmap | bytes, start: int) -> int:
    """Return the offset of the next member that begins a WARC record, else the end of the file."""
    while (offset := data.find(MAGIC, start)) != -1:
        try:
            if isal_zlib.decompressobj(wbits=31).decompress(data[offset : offset + 1024], 5) == b"WARC/":
                return offset
        except IsalError:  # type: ignore[misc]  # its stub says it is an instance of Exception
            pass
        start = offset + 1
    return len(data)
