"""The spider's child process: `python -m spiders JOB.json` (docs/design.md, "The spider's child process").

Exit code 0: ended by itself, by its limit or because it was told to; 1: the disk refused or a fault of ours, all
that was fetched is kept; 2: the job cannot be done as it is written.
"""

import asyncio
import contextlib
import functools
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spiders.captures import SegmentWriter
from spiders.child import do_job, watch_parent
from spiders.daycache import DayCache
from spiders.events import Events
from spiders.job import Job, load_job
from spiders.known import Known
from spiders.robots import RobotsCache, now_utc
from spiders.run import UNKEPT, Run
from spiders.site import Site
from spiders.turns import Turns

# Requests under way when we are told to stop have this long; the promise is 30 s in all.
_GRACE_S = 8.0
_log = logging.getLogger("spiders")


def main(arguments: list[str]) -> int:
    """Run the job whose file is the only argument; returns the exit code."""
    return do_job(arguments, "spiders", _crawl, what="the crawl")


def _crawl(path: Path, events: Events) -> int:
    job, sites = load_job(path)
    _give_way()
    return asyncio.run(_Child(job, sites, events).run())


class _Child:
    """One crawl with its signals, its parent's pipe and its clock."""

    def __init__(self, job: Job, sites: list[Site], events: Events) -> None:
        self._job, self._sites, self._events = job, sites, events
        self._run = Run(
            self._writer(job.shard),
            [site.name for site in sites],
            self._tell_segment,
            unkept=self._writer(job.shard + UNKEPT),
        )

    def _writer(self, shard: str) -> SegmentWriter:
        return SegmentWriter(
            Path(self._job.captures),
            shard,
            data=Path(self._job.data),
            software=self._job.agent(),
            max_bytes=self._job.segment_bytes,
            max_age_s=self._job.segment_s,
        )

    async def run(self) -> int:
        """Crawl until all is done or somebody says stop."""
        # Scrapy and aiohttp take 0.5 s of CPU to import: not before the job is known to be good.
        from scrapy.crawler import AsyncCrawlerRunner  # noqa: PLC0415

        from spiders.crawl import Crawl  # noqa: PLC0415
        from spiders.news import NewsSpider  # noqa: PLC0415
        from spiders.settings import settings  # noqa: PLC0415

        job = self._job
        known = Known(Path(job.known) if job.known else None)
        cache = RobotsCache(Path(job.data) / "robots")
        said = DayCache(Path(job.data) / "terms")
        turns = Turns(Path(job.data))
        self._crawl = Crawl(job, self._sites, run=self._run, known=known, cache=cache, said=said, turns=turns)
        runner = AsyncCrawlerRunner(settings(job))
        crawler = runner.create_crawler(NewsSpider)
        self._hurry: Callable[[], None] = functools.partial(_hurry, crawler)
        self._listen()
        ticking = asyncio.create_task(self._tick())
        try:
            self._crawl.plan()
            await crawler.crawl_async(crawl=self._crawl)
        finally:
            ticking.cancel()
            known.close()
            turns.close()
            await self._crawl.close()
        if self._crawl.broken is not None:
            raise self._crawl.broken
        reason = self._crawl.reason
        self._events.tell_last(self._run.progress())
        self._run.close(reason, now_utc())
        self._events.tell_last({"event": "finished", "reason": reason})
        return 0

    def _listen(self) -> None:
        """Stop at the first SIGTERM or SIGINT or when the parent is gone; end at once at the second signal."""
        loop = asyncio.get_running_loop()

        def told(name: str) -> None:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, os._exit, 130)
            self._stop(f"{name}: no more is asked for, what is under way may come in")

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, told, number.name)

        def gone(why: str) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: we ended first
                loop.call_soon_threadsafe(self._stop, why)

        watch_parent(gone)

    def _stop(self, why: str) -> None:
        _log.warning("%s", why)
        self._crawl.stop("cancelled")
        self._hurry()

    async def _tick(self) -> None:
        """Each second: rotate by age, tell how far we are."""
        while True:
            await asyncio.sleep(1)
            try:
                self._run.rotate_if_due()
            except OSError as error:
                self._crawl.break_off(error)
            self._events.tell(self._run.progress())

    def _tell_segment(self, journal: Path) -> None:
        self._events.tell({"event": "segment", "path": str(journal)})


def _give_way() -> None:
    """Let no answer interrupt whoever computes on this core: the extraction workers lose their caches each time.

    It waits until the kernel switches anyway, some milliseconds; worker and spider then cost a tenth less CPU a page.
    """
    if hasattr(os, "sched_setscheduler"):
        with contextlib.suppress(OSError):  # a sandbox that forbids it
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _hurry(crawler: Any) -> None:  # noqa: ANN401 - scrapy.crawler.Crawler, imported late
    if crawler.engine is not None:
        for handler in crawler.engine.downloader.handlers._handlers.values():  # noqa: SLF001 - no public way
            handler.hurry(_GRACE_S)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
