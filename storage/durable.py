"""Files that are to survive a loss of power: synced, and copied with a sync."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Bring a file's bytes to the disk; of a folder, the names in it, so that a rename is durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def copy(source: Path, target: Path) -> None:
    """Copy a file and sync the copy; on file systems that can, without copying its bytes."""
    with source.open("rb") as file, target.open("wb") as out:
        left = os.fstat(file.fileno()).st_size
        while left > 0:
            copied = os.copy_file_range(file.fileno(), out.fileno(), min(left, 1 << 30))
            if not copied:
                break
            left -= copied
        os.fsync(out.fileno())
