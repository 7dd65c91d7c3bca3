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

Damage = Callable[[int, str], None]


class _DamagedMemberError(Exception):
    """The bytes at an offset are no whole gzip member."""


def members(path: Path, damaged: Damage, *, largest: int = LARGEST_MEMBER) -> Iterator[tuple[int, bytes]]:
    """Yield (offset, content) of each whole member; `damaged(offset, reason)` is told of what is passed over."""
    if path.stat().st_size == 0:
        return
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        offset = 0
        while offset < len(data):
            try:
                end, content = _member(data, offset, largest)
            except _DamagedMemberError as error:
                damaged(offset, str(error))
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
            except _DamagedMemberError:
                end, content = next_member(data, offset + 1), None
            yield offset, end, content
            offset = end


def member(path: Path, offset: int, *, largest: int = LARGEST_MEMBER) -> bytes:
    """Return the content of the member at an offset. Raises OSError, or ValueError where there is no whole one."""
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        try:
            _, content = _member(data, offset, largest)
        except _DamagedMemberError as error:
            raise ValueError(str(error)) from error
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
            except _DamagedMemberError:
                # Damaged in the middle: readers pass over it, and nothing behind it is cut.
                offset = next_member(data, offset + 1)
            else:
                end, count = offset, count + 1
    return end, count


def _member(data: mmap, offset: int, largest: int) -> tuple[int, bytes | None]:
    """Decompress the member at `offset`: its end and content (None where that is too large)."""
    inflate = isal_zlib.decompressobj(wbits=31)
    parts: list[bytes] | None = []
    size = 0
    position = offset
    try:
        while not inflate.eof:
            # What max_length held back comes first; only then more of the file.
            chunk = inflate.unconsumed_tail
            if not chunk:
                chunk = data[position : position + _CHUNK]
                position += len(chunk)
                if not chunk:
                    raise _DamagedMemberError("the record is torn")
            part = inflate.decompress(chunk, 1 << 20)
            size += len(part)
            if size > largest:
                parts = None
            elif parts is not None:
                parts.append(part)
    except IsalError as error:  # type: ignore[misc]  # its stub says it is an instance of Exception
        raise _DamagedMemberError(f"the record is damaged ({error})") from error
    end = position - len(inflate.unused_data)
    return end, None if parts is None else b"".join(parts)


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
