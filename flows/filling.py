"""A backfill as a run of the line: plan the days that are missing, fetch what the plan names, in rounds.

A round is one spider over the sites that are free. It ends early when the nightly crawl wants one of its hosts; what
was fetched is loaded, and the next round goes on with what the store then says is missing.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from typing import Final

import msgspec

from flows.chunks import Advance, shares
from flows.crawl import Event, Finished, Progress, SiteProgress, crawl
from flows.desk import Desk
from flows.folder import naming
from flows.lease import hold_free, wanted
from flows.planning import backfill_id, days_between, days_to_plan, index_problems, now_utc, read_plan
from flows.run import SHARD, Request, Run, Say
from flows.watch import Board
from spiders.job import Job
from storage import backfills
from storage.backfills import Backfill, Chunk, PlannedUrl

PLAN: Final = "plan"  # the shard that reads the indexes
YIELDED: Final = "yielded"
LOOK_S: Final = 1.0  # between two looks whether the nightly crawl waits

_encode = msgspec.json.Encoder().encode


class Filling(Run):
    """A backfill from the sites' own archives."""

    def __init__(self, desk: Desk, request: Request, say: Say, show: Callable[[Board], None]) -> None:
        """Check the request and make the run's folder. Raises SettingsError or SiteError before anything is written."""
        assert request.first_day is not None, "a backfill has its days"
        assert request.last_day is not None, "a backfill has its days"
        super().__init__(desk, request, say, show)
        self.days = days_between(request.first_day, request.last_day)
        names = tuple(sorted(site.name for site in self.sites))
        self.backfill = Backfill(
            backfill_id=backfill_id(
                {
                    "sites": names,
                    "days": (request.first_day, request.last_day),
                    "refetch": request.refetch,
                    "doubtful": request.doubtful,
                }
            ),
            sites=names,
            first_day=request.first_day,
            last_day=request.last_day,
            state="running",
            parameters=msgspec.to_builtins(request),
            run_id=self.run_id,
        )
        self.tried: set[str] = set()  # sites whose URLs were all asked for in this run
        self.fetched = 0  # pages, in the rounds that are over
        self.live: dict[str, SiteProgress] = {}  # of this round
        self._round = 0
        self._base: dict[str, int] = {}  # URLs that had ended when the round began, by site
        self._began = 0.0
        # Connections of one process that overlap share a file: one that opens now would see what was published before
        # the other opened, and what has been loaded since would be fetched again.
        self._reading = threading.RLock()

    # Plan.

    async def plan(self) -> None:
        """Read the indexes of the days that no plan is there for, and write what they name into the store."""
        self.board.stage = "planning"
        days, taken = await asyncio.to_thread(self._days_to_plan)
        chunks = [replace(chunk, reason="filled before") for chunk in taken]
        urls: list[PlannedUrl] = []
        while days:
            names = sorted(days)
            self.say("info", f"reading the indexes of {', '.join(names[:5])}{' …' if len(names) > 5 else ''}")
            async with self._held(names) as (free, locks):
                path = self.folder / f"{PLAN}-{self._round}.jsonl"
                job = msgspec.structs.replace(
                    await asyncio.to_thread(self.job, free, PLAN),
                    plan=str(path),
                    limit_pages=None,
                    first_day=min(min(days[name]) for name in free),
                    last_day=max(max(days[name]) for name in free),
                    since={name: min(days[name]) for name in free},
                )
                ended = await self._spider(job, free, locks)
            self.collect()
            if ended.reason == YIELDED:
                continue
            sites = [site for site in self.sites if site.name in free]
            problems = index_problems(self.folder, PLAN, sites)
            for name, problem in problems.items():
                self.say("warning", f"{name}: its index is not whole: {problem}")
            read = read_plan(
                path,
                {name: days.pop(name) for name in free},
                problems,
                now_utc(),
                refetch=self.request.refetch,
                doubtful=self.request.doubtful,
            )
            chunks += read[0]
            urls += read[1]
        await asyncio.to_thread(backfills.record_plan, self.desk.data, self.backfill, chunks, urls)

    def _days_to_plan(self) -> tuple[dict[str, list[date]], list[Chunk]]:
        with self._reading:
            own = backfills.chunks(self.desk.data, self.backfill.backfill_id)
            done = [] if self.request.refetch else backfills.finished_days(self.desk.data, self.backfill.sites)
        if self.request.days == "all":
            own, done = [], []
        return days_to_plan(self.sites, self.days, own, done)

    def chunks(self) -> list[Chunk]:
        """Return the chunks as the published store counts them now."""
        with self._reading:
            return backfills.chunks(self.desk.data, self.backfill.backfill_id)

    # Fill.

    def left(self) -> list[str]:
        """Return the sites with URLs to fetch that this run has not asked for; none where its limit is reached."""
        limit = self.request.limit_pages
        if limit is not None and self.fetched >= limit:
            return []
        names = [name for name in self.backfill.sites if name not in self.tried]
        with self._reading:
            found = backfills.open_urls(self.desk.data, self.backfill.backfill_id, names)
        return sorted({url.site for url in found})

    async def crawl(self) -> Finished:
        """Fetch what is missing of the sites that are free: one round. Ends as `yielded` if the nightly crawl waits."""
        self.board.stage = "waiting for hosts"
        try:
            left = await asyncio.to_thread(self.left)
            free, locks = await self.leases.enter_async_context(self._held(left))
            await self.hold_everywhere(self._hosts(free))
            self.board.stage = "fetching"
            job = await asyncio.to_thread(self._fill_job, free)
            self._base = {share.site: share.done for share in shares(await asyncio.to_thread(self.chunks))}
            self._began = time.monotonic()
            ended = await self._spider(job, free, locks)
        finally:
            self.fetched += sum(site.fetched for site in self.live.values())
            self._add_segments()
            self.no_more_segments()
        if ended.reason != YIELDED:
            self.tried.update(free)
        return ended

    def _fill_job(self, names: Sequence[str]) -> Job:
        with self._reading:
            urls = backfills.open_urls(self.desk.data, self.backfill.backfill_id, names)
            job = self.job(names, SHARD)
        path = self.folder / f"fill-{self._round}.jsonl"
        lines = b"".join(_encode(_line(url)) + b"\n" for url in urls)
        with naming(path, len(lines)):
            path.write_bytes(lines)
        limit = self.request.limit_pages
        return msgspec.structs.replace(
            job,
            fill=str(path),
            discover=False,
            limit_pages=None if limit is None else limit - self.fetched,
        )

    async def _spider(self, job: Job, names: Sequence[str], locks: tuple[int, ...]) -> Finished:
        """Run a spider, and end it gently if somebody urgent waits for one of its hosts."""
        self._round += 1
        self.live = {}
        spider = asyncio.ensure_future(crawl(self.write_job(job), self.hear, inherit=locks))
        try:
            while not (await asyncio.wait([spider], timeout=LOOK_S))[0]:
                host = await asyncio.to_thread(wanted, self.desk.data, self._hosts(names))
                if host is not None:
                    self.say(
                        "warning", f"the nightly crawl waits for {host}: the backfill makes room and goes on after it"
                    )
                    break
        finally:
            if not spider.done():
                spider.cancel()
                await asyncio.wait([spider])
        return Finished(reason=YIELDED) if spider.cancelled() else spider.result()

    def hear(self, event: Event) -> None:
        """Take an event of the spider."""
        super().hear(event)
        if isinstance(event, Progress):
            self.live = dict(event.sites)

    @asynccontextmanager
    async def _held(self, names: Sequence[str]) -> AsyncIterator[tuple[tuple[str, ...], tuple[int, ...]]]:
        hosts = {site.name: site.hosts for site in self.sites if site.name in names}
        async with hold_free(
            self.desk.data, hosts, what="the backfill", run_id=self.run_id, say=lambda text: self.say("warning", text)
        ) as held:
            yield held

    def _hosts(self, names: Sequence[str]) -> list[str]:
        return [host for site in self.sites if site.name in names for host in site.hosts]

    # End.

    def advance(self, chunks: Sequence[Chunk]) -> tuple[Advance, dict[str, float]]:
        """Return how far the backfill is, and how many URLs a second each site has done in this round."""
        found = {share.site: share for share in shares(chunks)}
        ended = {site: live.fetched + sum(live.outcomes.values()) for site, live in self.live.items()}
        done = {
            site: min(share.to_fetch, max(share.done, self._base.get(site, 0) + ended.get(site, 0)))
            for site, share in found.items()
        }
        elapsed = max(0.001, time.monotonic() - self._began)
        advance = Advance(
            done=done,
            of={site: share.to_fetch for site, share in found.items()},
            pages_per_s=self.board.pages_per_s,
            now=now_utc(),
        )
        return advance, {site: number / elapsed for site, number in ended.items() if number}

    def settle(self, state: str, reason: str | None = None) -> None:
        """Write how the backfill stands into the store. Raises as the store does."""
        self.backfill = replace(self.backfill, state=state, reason=reason)
        backfills.settle(self.desk.data, self.backfill)

    def collect(self) -> None:
        """Let the segments of a plan (what its sources answered) go to the ingest of the next round."""
        with contextlib.suppress(OSError):
            self._add_segments()


def _line(url: PlannedUrl) -> dict[str, object]:
    return {name: getattr(url, name) for name in PlannedUrl.__slots__}
