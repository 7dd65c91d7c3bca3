# ruff: noqa: T201 -- it speaks to its parent on standard output
"""A process that works on a store until it is killed: `python -m tests.storage.crash_child DATA load|migrate`."""

import sys
from pathlib import Path

from storage import database
from storage.load import load, pending_folders


def load_one_by_one(data: Path) -> None:
    """Load each segment that waits and publish."""
    for folder in pending_folders(data):
        load(data, [folder], publish=True)


def migrate_over_and_over(data: Path) -> None:
    """Create stores, so that a kill finds a migration half-way."""
    for number in range(10_000):
        with database.open_store(data / "store" / f"{number}.duckdb"):
            pass


if __name__ == "__main__":
    print("ready", flush=True)
    {"load": load_one_by_one, "migrate": migrate_over_and_over}[sys.argv[2]](Path(sys.argv[1]))
    print("done", flush=True)
