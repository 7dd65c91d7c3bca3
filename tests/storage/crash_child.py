# ruff: noqa: T201 -- it speaks to its parent on standard output
"""A process that works on a store until it is killed: `python -m tests.storage.crash_child DATA load|migrate|promote`."""

import contextlib
import sys
from pathlib import Path

from storage import database
from storage.load import load, pending_folders
from storage.promotion import PromotionError, promote, roll_back


def load_one_by_one(data: Path) -> None:
    """Load each segment that waits and publish."""
    for folder in pending_folders(data):
        load(data, [folder], publish=True)


def migrate_over_and_over(data: Path) -> None:
    """Create stores, so that a kill finds a migration half-way."""
    for number in range(10_000):
        with database.open_store(data / "store" / f"{number}.duckdb"):
            pass


def promote_and_roll_back(data: Path) -> None:
    """Take new readings into the store and out of it, over and over."""
    home = data / "reextractions" / "again"
    for _ in range(1000):
        for change in (promote, roll_back):
            with contextlib.suppress(PromotionError):  # it stands there already, or does not stand there yet
                change(data, "again", home)
            print(change.__name__, flush=True)


if __name__ == "__main__":
    print("ready", flush=True)
    work = {"load": load_one_by_one, "migrate": migrate_over_and_over, "promote": promote_and_roll_back}
    work[sys.argv[2]](Path(sys.argv[1]))
    print("done", flush=True)
