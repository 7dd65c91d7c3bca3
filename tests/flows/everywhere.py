"""Looks for bytes in every file of a folder: as they stand, and in whatever is compressed in it."""

import zlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import zstandard

GZIP, ZSTD = b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"


def files_with(folder: Path, text: str) -> list[str]:
    """Return the files that hold a text, in the open or compressed (gzip, zstd at any offset, Parquet)."""
    wanted = text.encode()
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [
        path.relative_to(folder).as_posix() for path in files if any(wanted in content for content in contents(path))
    ]


def contents(path: Path) -> Iterator[bytes]:
    raw = path.read_bytes()
    yield raw
    if path.suffix == ".parquet":
        yield str(pq.read_table(path).to_pylist()).encode()
        return
    for place in places(raw, GZIP):
        yield inflated(raw[place:])
    for place in places(raw, ZSTD):
        yield unfrozen(raw[place : place + (1 << 20)])


def places(raw: bytes, magic: bytes) -> Iterator[int]:
    place = raw.find(magic)
    while place != -1:
        yield place
        place = raw.find(magic, place + 1)


def inflated(data: bytes) -> bytes:
    """What can be had of a gzip member, however it ends."""
    inflate, out = zlib.decompressobj(wbits=31), bytearray()
    try:
        for start in range(0, len(data), 4096):
            out += inflate.decompress(data[start : start + 4096])
            if inflate.eof:
                break
    except zlib.error:
        pass
    return bytes(out)


def unfrozen(data: bytes) -> bytes:
    """What can be had of a zstd frame, however it ends."""
    thaw, out = zstandard.ZstdDecompressor().decompressobj(), bytearray()
    try:
        for start in range(0, len(data), 512):
            out += thaw.decompress(data[start : start + 512])
            if thaw.eof:
                break
    except zstandard.ZstdError:
        pass
    return bytes(out)
