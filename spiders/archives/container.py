"""Containers of WARC files: plain; gzip, a member a record or one for the whole file; zstd, perhaps with a dictionary.

Each becomes stretches of bytes, and a gap where something is damaged.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from mmap import mmap
from typing import Final

from spiders.members import MAGIC, PIECE, DamagedMemberError, Unfolding, next_member

LARGEST_DICTIONARY: Final = 16 << 20
LARGEST_WINDOW: Final = 128 << 20  # of zstd: what its own command line takes without being asked

_ZSTD_STEP = 512  # as in extraction.decoding: at worst 128 KiB come out of 4 bytes
_ZSTD, _LZ4 = b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18"
_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")  # RFC 8878 3.1.2
_DICTIONARY = b"\x5d\x2a\x4d\x18"  # first frame of a .warc.zst that has one (IIPC, "Zstandard compression of WARC")

Data = mmap | bytes


class WarcFileError(ValueError):
    """Raised for a file that is no WARC file, or in a container that is not read; the text says the mend."""


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of a container and where in the file they, or their member, begin; or a `gap`: what is missing there."""

    data: bytes
    offset: int
    gap: str | None = None


#: Reads the bytes of a file from an offset on.
Container = Callable[[Data, int], Iterator[Part]]


def container(head: bytes, name: str) -> Container:
    """Return what reads a file that begins so. Raises WarcFileError."""
    if head.startswith(MAGIC):
        return _gunzipped
    if head.startswith(_ZSTD) or _SKIPPABLE.match(head):
        return _unzstd
    if head.startswith(b"WARC/"):
        return _plain
    what = f"it begins with {head[:8]!r}" if head else "it is empty"
    if head.startswith(_LZ4):
        what = "it is LZ4: unpack it first, lz4 -d"
    raise WarcFileError(f"{name}: no WARC file ({what}); give a .warc, .warc.gz or .warc.zst")


def is_linear(reader: Container) -> bool:
    """Whether an offset in what it yields is one in the file."""
    return reader is _plain


def _plain(data: Data, start: int) -> Iterator[Part]:
    for offset in range(start, len(data), PIECE):
        yield Part(data[offset : offset + PIECE], offset)


def _gunzipped(data: Data, start: int) -> Iterator[Part]:
    """Decompress member after member (RFC 1952), each checked by its CRC; a damaged one is a gap."""
    position = start
    while position < len(data):
        unfolding = Unfolding(data, position)
        try:
            yield from (Part(piece, position) for piece in unfolding)
            position = unfolding.end
        except DamagedMemberError as error:
            yield Part(b"", position, f"the gzip member is damaged: {error}")
            position = next_member(data, position + 1)


def _unzstd(data: Data, start: int) -> Iterator[Part]:
    """Decompress frame after frame (RFC 8878); the first can be the dictionary of all."""
    import zstandard  # noqa: PLC0415 - only where a file needs it

    dictionary = _dictionary(data)
    position = start
    while position < len(data):
        frame = position
        if _SKIPPABLE.match(data, position):
            position += 8 + int.from_bytes(data[position + 4 : position + 8], "little")
            continue
        inflate = zstandard.ZstdDecompressor(dict_data=dictionary, max_window_size=LARGEST_WINDOW).decompressobj()
        try:
            while not inflate.eof:
                step = data[position : position + _ZSTD_STEP]
                position += len(step)
                if not step:
                    break
                if piece := inflate.decompress(step):
                    yield Part(piece, frame)
            reason = None if inflate.eof else "it is cut off"
            position -= len(inflate.unused_data)
        except zstandard.ZstdError as error:
            reason = str(error)
        if reason is not None:
            yield Part(b"", frame, f"the zstd frame is damaged: {reason}")
            following = data.find(_ZSTD, frame + 1)
            position = following if following != -1 else len(data)


def _dictionary(data: Data) -> "zstandard.ZstdCompressionDict | None":  # type: ignore[name-defined]  # noqa: F821
    import zstandard  # noqa: PLC0415

    if data[:4] != _DICTIONARY:
        return None
    content = data[8 : 8 + int.from_bytes(data[4:8], "little")]
    try:
        if content.startswith(_ZSTD):
            content = zstandard.ZstdDecompressor().decompress(content, max_output_size=LARGEST_DICTIONARY)
        dictionary = zstandard.ZstdCompressionDict(content)
        zstandard.ZstdDecompressor(dict_data=dictionary).decompressobj()  # which looks into it
    except (zstandard.ZstdError, MemoryError, ValueError) as error:
        raise WarcFileError(f"its zstd dictionary cannot be read ({error}): fetch the file again") from error
    return dictionary
