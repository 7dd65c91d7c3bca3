"""The manifest of a folder of rows: the sizes and checksums that tell a whole folder from a torn or changed one.

Apart from `storage.batches`, which writes it, because a loader need not import pyarrow.
"""

import zlib
from pathlib import Path
from typing import Final

import msgspec

#: Version of the folders' format; the loader refuses any other by name.
FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
#: End of a folder's name while it is written.
PART: Final = ".part"
#: The tables of a folder, each a Parquet file of that name.
TABLES: Final = ("urls", "fetches", "articles", "removed_blocks", "sources")


class DamagedFolderError(ValueError):
    """Raised for a folder of rows that its manifest does not vouch for; the message names the file."""


class FileEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of a folder: its size in bytes, its CRC-32 and its rows."""

    bytes: int
    crc32: int
    rows: int


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a folder of rows says of itself."""

    format: int
    run_id: str
    segment: str
    written_at: str  # ISO 8601, UTC
    finished: str | None  # why the shard ended, on the last segment of a shard that ended by itself
    files: dict[str, FileEntry]


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a folder after holding each file against its size and checksum.

    Raises:
        DamagedFolderError: the manifest or a file is missing, torn, changed or of another format.
    """
    path = folder / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise DamagedFolderError(f"{path}: {error}") from error
    if manifest.format != FORMAT:
        raise DamagedFolderError(f"{path}: format {manifest.format}, this program reads {FORMAT}; extract it again")
    for name in TABLES:
        file, entry = folder / f"{name}.parquet", manifest.files.get(f"{name}.parquet")
        if entry is None or not file.is_file():
            raise DamagedFolderError(f"{file}: missing")
        if file.stat().st_size != entry.bytes:
            raise DamagedFolderError(f"{file}: {file.stat().st_size} bytes, should be {entry.bytes}")
        if checksum(file) != entry.crc32:
            raise DamagedFolderError(f"{file}: its checksum is not the one it was written with")
    return manifest


def checksum(path: Path) -> int:
    """Return the CRC-32 of a file: enough to notice a torn write or a flipped bit, at a GB a second."""
    crc = 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            crc = zlib.crc32(chunk, crc)
    return crc
