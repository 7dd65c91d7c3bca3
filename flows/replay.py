"""Captures read again by the extraction workers, into folders of rows that no load looks for.

A folder a capture file, written as a whole; which files have none yet is asked of the disk, so a replay that was killed
goes on where it was.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from extraction.records import Capture, Page
from flows.pool import Pool
from storage.batches import SegmentRows
from storage.rereading import Planned

Heard = Callable[[int], object]  # pages that were answered since


@dataclass(slots=True)
class _Work:
    """A capture file whose pages are with the workers."""

    rows: SegmentRows
    folder: Path
    unanswered: int


def rows_folder(rows: Path, planned: Planned) -> Path:
    """Return where the new rows of a capture file stand."""
    return rows / planned.run_id / planned.segment


def replay(data: Path, plan: Sequence[Planned], rows: Path, pool: Pool, heard: Heard) -> None:
    """Read the pages of a plan again and write their rows below `rows`; files that have theirs are passed over.

    Pages whose captures are gone or cannot be read have no rows: who compares finds them missing. Raises WorkerError,
    and OSError where the rows cannot be written; what is written then stays.
    """
    work: dict[str, _Work] = {}
    for item, answer in pool.extract(_captures(data, plan, rows, work, heard)):
        capture = item.capture if isinstance(item, Page) else item
        file = work[capture.file]
        if not isinstance(answer, str):
            file.rows.add_rows(answer)
        file.unanswered -= 1
        if not file.unanswered:
            file.rows.write(file.folder)
            del work[capture.file]
        heard(1)


def _captures(
    data: Path, plan: Sequence[Planned], rows: Path, work: dict[str, _Work], heard: Heard
) -> Iterator[Capture]:
    for planned in plan:
        folder = rows_folder(rows, planned)
        if folder.exists() or planned.dropped or not (data / planned.capture_file).is_file():
            heard(len(planned.offsets))
            continue
        work[planned.capture_file] = _Work(SegmentRows(planned.run_id, planned.segment), folder, len(planned.offsets))
        for offset in planned.offsets:
            yield Capture(file=planned.capture_file, offset=offset)
