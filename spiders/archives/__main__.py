"""The child process that takes old news over: `python -m spiders.archives JOB.json`, by the spider's own protocol.

Standard input is watched, SIGTERM and SIGINT stop it, events go to standard output (docs/design.md, "The spider's child
process"). The work is a thread's: what it waits for cannot keep the process from closing its segment in time.
"""

import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path

from spiders.archives.harvest import Harvest
from spiders.archives.oldnews import Days, OldJob, WarcFiles, load_old_job
from spiders.captures import SegmentWriter
from spiders.child import do_job, watch_parent
from spiders.events import Events
from spiders.known import Known, KnownUrl
from spiders.site import Site

# What is under way when we are told to stop has this long; the promise is 30 s in all.
GRACE_S = 8.0
_log = logging.getLogger("spiders")


def main(arguments: list[str]) -> int:
    """Do the job whose file is the only argument; exit codes as the spider's."""
    return do_job(arguments, "spiders.archives", _take_over)


def _take_over(path: Path, events: Events) -> int:
    job, sites = load_old_job(path)
    return _Child(job, sites, events).run()


class _Child:
    """One harvest with its signals, its parent's pipe and its clock."""

    def __init__(self, job: OldJob, sites: list[Site], events: Events) -> None:
        self._job, self._sites, self._events = job, sites, events
        writer = SegmentWriter(
            Path(job.captures),
            job.shard,
            data=Path(job.data),
            software=job.agent(),
            max_bytes=job.segment_bytes,
            max_age_s=job.segment_s,
        )
        self._harvest = Harvest(
            writer,
            sites,
            Days(job.first_day, job.last_day),
            known=self._find,
            refetch=job.refetch,
            limit=job.limit_pages,
            closed=lambda journal: events.tell({"event": "segment", "path": str(journal)}),
        )
        self._done = threading.Event()
        self._reason = "cancelled"
        self._broken: Exception | None = None

    def run(self) -> int:
        """Work until all is taken over or somebody says stop."""
        self._listen()
        began = time.monotonic()
        threading.Thread(target=self._work, daemon=True, name="harvest").start()
        stopped_at: float | None = None
        while not self._done.wait(1.0):
            self._events.tell(self._progress(began))
            if self._harvest.stopping.is_set():
                stopped_at = stopped_at or time.monotonic()
                if time.monotonic() - stopped_at > GRACE_S:
                    break
        if self._broken is not None:
            raise self._broken
        self._harvest.close(self._reason)
        self._events.tell_last(self._progress(began))
        self._events.tell_last({"event": "finished", "reason": self._reason})
        return 0

    def _work(self) -> None:
        try:
            self._known = Known(Path(self._job.known) if self._job.known else None)  # SQLite's are of one thread
            self._reason = self._take_over()
        except Exception as error:  # noqa: BLE001 - carried to the main thread, which raises it
            self._broken = error
        finally:
            self._done.set()

    def _find(self, key: str) -> KnownUrl | None:
        return self._known.find(key)

    def _take_over(self) -> str:
        source = self._job.source
        if isinstance(source, WarcFiles):
            from spiders.archives.warcsource import harvest_warcs  # noqa: PLC0415

            return harvest_warcs(self._job, self._sites, source.files, self._harvest)
        from spiders.archives.cdxsource import harvest_cdx  # noqa: PLC0415 - brings the HTTP client

        return harvest_cdx(self._job, self._sites, source, self._harvest)

    def _progress(self, began: float) -> dict[str, object]:
        return self._harvest.progress(self._harvest.pages / max(0.001, time.monotonic() - began))

    def _listen(self) -> None:
        """Stop at the first SIGTERM or SIGINT or when the parent is gone; end at once at the second signal."""

        def told(number: int, _frame: object) -> None:
            for each in (signal.SIGTERM, signal.SIGINT):
                signal.signal(each, lambda *_: os._exit(130))
            self._stop(f"{signal.Signals(number).name}: no more is taken over")

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, told)

        watch_parent(self._stop)

    def _stop(self, why: str) -> None:
        if not self._done.is_set():
            _log.warning("%s", why)
        self._harvest.stopping.set()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
