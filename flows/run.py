"""One run of the line: repair, crawl, ingest, summary. Free of Prefect: the flows make tasks of its methods."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from extraction.learned import Learned
from flows import old
from flows.crawl import Event, Finished, Log, Progress, Segment
from flows.desk import Desk, require_contact, require_writable
from flows.folder import naming
from flows.ingest import JOURNAL, Ingest, Tally, recover_all, segment_of, unextracted, unloaded
from flows.lease import hold_hosts
from flows.living import REQUEST, come_to_life, is_held
from flows.pool import Pool, cores
from flows.shards import crawl_all, parted
from flows.summary import UNFIT, unfinished_runs
from flows.watch import Board
from spiders.archives.oldnews import Source
from spiders.captures import closed_segments, recover
from spiders.job import Job
from spiders.site import Site
from storage import backfills, index, learned, runs
from storage.ledger import last_read, write_known, write_pending

OVERLAP = timedelta(days=2)  # lastmods are often local days, and some sites add to yesterday's sitemap
CANCELLED_S = 27.0  # for what a cancelled crawl fetched to reach the store (Prefect kills after 30 s); the rest waits
SHARD = "a"  # of a run with one spider, which serves all sites: politeness, not CPU, limits a site

T = TypeVar("T")
Say = Callable[[str, str | None, str], None]  # (level, site, message)
Kind = Literal["nightly", "backfill"]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is asked to do; kept as `run.json` beside its captures."""

    kind: Kind
    sites: tuple[str, ...] = ()  # empty: all enabled
    first_day: date | None = None
    last_day: date | None = None
    refetch: bool = False
    limit_pages: int | None = None
    # Of a backfill from sites' own archives:
    days: Literal["missing", "all"] = "missing"  # those that no backfill has finished, or all anew
    doubtful: bool = False  # also URLs whose day no source tells
    source: Source | None = None  # None: the sites themselves


class Run:
    """A run of the line over one data folder. Its stages are to be called in their order, each once."""

    def __init__(self, desk: Desk, request: Request, say: Say, show: Callable[[Board], None]) -> None:
        """Check the request and make the run's folder. Raises SettingsError or SiteError before anything is written."""
        self.sites: list[Site] = desk.chosen(request.sites)
        self.unfit = desk.unfit(request.sites)  # sites that are not crawled at all, and the mend
        if old.asks(request.source):
            require_contact(desk, self.sites)
        require_writable(desk.data)
        self.desk, self.request = desk, request
        self.started_at = datetime.now(UTC)
        self.run_id = f"{self.started_at:%Y%m%dT%H%M%SZ}-{request.kind}-{secrets.token_hex(2)}"
        self.folder = desk.data / "captures" / self.run_id
        self._life = come_to_life(self.folder, msgspec.json.encode(request))
        self.board = Board()
        self.version = version("nightdesk")
        self.leases = contextlib.AsyncExitStack()
        #: Holds hosts against other machines too, where there are several.
        self.everywhere: Callable[[Iterable[str]], AbstractAsyncContextManager[None]] | None = None
        self._say, self._show = say, show
        self._pool = self._new_pool({})
        self.begin_again()
        for name, reason in self.unfit.items():
            say("error", name, reason)

    def record(self, state: str, reason: str | None = None) -> None:
        """Write the run's row, and at its start those of its sites, into the store. Raises as the store does.

        Published at the start too: a run that is killed is known to have been there.
        """
        begins = state == "running"
        row = runs.Run(
            run_id=self.run_id,
            kind=self.request.kind,
            state=state,
            started_at=self.started_at,
            finished_at=None if begins else datetime.now(UTC),
            reason=reason,
            parameters=msgspec.to_builtins(self.request) | ({UNFIT: self.unfit} if self.unfit else {}),
            version=self.version,
        )
        runs.record_run(self.desk.data, row, map(_site_row, self.sites) if begins else (), publish=True)

    async def repair(self) -> Tally:
        """Extract and load what earlier runs left, so that nothing is asked for again; learn from what is there."""
        self.board.stage = "repairing"
        await asyncio.to_thread(self._bury_the_dead)
        everywhere = [site.name for site in self.desk.sites]
        self._staff(await asyncio.to_thread(learned.stored, self.desk.data, everywhere))
        recover_all(self.desk.data, self.say)
        ingest = self._new_ingest()
        for segment in unextracted(self.desk.data):
            ingest.add(segment)
        ingest.add_rows(unloaded(self.desk.data))
        ingest.finish()
        tally = await _in_thread(ingest)
        if tally.segments:
            self.say("info", f"{tally.segments} segments of earlier runs were extracted and loaded first")
        self._staff(await asyncio.to_thread(learned.learn, self.desk.data, [site.name for site in self.sites]))
        return tally

    async def crawl(self) -> Finished:
        """Let the spider fetch; its closed segments go to the ingest as they come. Raises SpiderError.

        Its hosts are held until `release`: what it fetched is known to nobody before it is loaded.
        """
        self.board.stage = "waiting for hosts"
        hosts = old.leases(self.request.source, self.sites)
        what = f"the {self.request.kind} crawl"
        try:
            locks = await self.leases.enter_async_context(
                hold_hosts(
                    self.desk.data,
                    hosts,
                    what=what,
                    run_id=self.run_id,
                    wait=True,
                    urgent=self.request.kind == "nightly",
                    say=lambda text: self.say("warning", text),
                )
            )
            self.board.stage = "crawling"
            jobs = await asyncio.to_thread(self._write_jobs)
            return await crawl_all(jobs, self.hear, inherit=locks, module=old.child(self.request.source))
        finally:
            self._add_segments()
            self.no_more_segments()

    async def hold_everywhere(self, hosts: Iterable[str]) -> None:
        """Hold hosts against other machines, until `release`."""
        if self.everywhere is not None:
            await self.leases.enter_async_context(self.everywhere(hosts))

    async def release(self) -> None:
        """Let others crawl the hosts of this run."""
        await self.leases.aclose()

    async def ingest(self) -> Tally:
        """Extract and load the crawl's segments until the crawl is over and all is in the store."""
        return await _in_thread(self._ingest)

    async def index(self) -> None:
        """Bring the search index to what is published; without it, the next search does."""
        self.board.stage = "indexing"
        try:
            await asyncio.to_thread(index.update, self.desk.data)
        except Exception as error:  # noqa: BLE001 - articles are safe in the store: no index is a reason to fail
            self.say("warning", f"the search index is behind ({error}); the next search brings it up to date")
        self.board.stage = "done"

    def begin_again(self) -> None:
        """Make ready for a crawl: the first, or another after a spider died."""
        self._ingest = self._new_ingest()

    def no_more_segments(self) -> None:
        """Let the ingest end when it is through with what it has."""
        self._ingest.finish()

    def close(self) -> None:
        """End the extraction workers; this run is over."""
        self._pool.close()
        self._life.close()

    def _bury_the_dead(self) -> None:
        """Record as failed what the store still takes for running and whose process is gone."""
        for row in unfinished_runs(self.desk.data):
            if row.run_id != self.run_id and not is_held(self.desk.data / "captures" / row.run_id / REQUEST):
                reason = "its process was killed; the next run took up what it left"
                runs.record_run(self.desk.data, replace(row, state="failed", reason=reason))
                backfills.bury(self.desk.data, row.run_id, reason)
                self.say("warning", f"{row.run_id} did not end by itself; what it left is taken up now")

    def _staff(self, lines: Mapping[str, Learned]) -> None:
        """Take workers that know these recurring lines of sites."""
        self._pool.close()
        self._pool = self._new_pool(lines)
        self.begin_again()

    def _new_pool(self, lines: Mapping[str, Learned]) -> Pool:
        return Pool(self.desk.settings.workers or cores(), self.desk.rules(), lines, data=self.desk.data)

    def _new_ingest(self) -> Ingest:
        ingest = Ingest(self.desk.data, self._pool, self.say)
        self.board.tally = ingest.tally
        return ingest

    def say(self, level: str, message: str) -> None:
        """Tell the onlookers something that is about no site in particular."""
        self._say(level, None, message)

    def hear(self, event: Event) -> None:
        """Take an event of a spider."""
        if isinstance(event, Log):
            self._say(event.level, event.site, event.message)
        elif isinstance(event, Progress):
            self.board.sites, self.board.pages_per_s = event.sites, event.pages_per_s
            self._show(self.board)
        elif isinstance(event, Segment) and event.path.endswith(JOURNAL):
            self._ingest.add(segment_of(Path(event.path), self.desk.data))

    def _add_segments(self) -> None:
        """Take the segments of this run that no event told of: its spider may have died."""
        recover(self.folder)
        for journal in closed_segments(self.folder):
            self._ingest.add(segment_of(journal, self.desk.data))

    def _watermarks(self) -> dict[str, date]:
        """Return the day from which each site's sitemaps are to be read: what came since it was last read.

        Not "last night": a machine may have been off. A sitemap of years is no nightly task: see backfill.
        """
        first = (self.started_at - timedelta(days=self.desk.settings.first_crawl_days)).date()
        read = {} if self.request.refetch else last_read(self.desk.data, [site.name for site in self.sites])
        read = {name: at for name, at in read.items() if at <= self.started_at}  # a clock was wrong: days would be lost
        return {site.name: (read[site.name] - OVERLAP).date() if site.name in read else first for site in self.sites}

    def _write_jobs(self) -> list[Path]:
        names = [site.name for site in self.sites]
        if self.request.source is not None:
            return [self.write_job(old.job_of(self.job(names), self.request.source))]
        pending = self.desk.data / "known" / f"{self.run_id}.pending.jsonl"
        write_pending(self.desk.data, pending, names, revisits=self.request.kind == "nightly")
        job = msgspec.structs.replace(
            self.job(names),
            pending=str(pending),
            since=self._watermarks() if self.request.kind == "nightly" else {},
        )
        return [self.write_job(part) for part in parted(job, self.desk.settings.spiders)]

    def job(self, names: Sequence[str], shard: str = SHARD) -> Job:
        """Return a job of this run for some of its sites, with what the store knows of them."""
        known = self.desk.data / "known" / f"{self.run_id}.sqlite"
        write_known(self.desk.data, known, names)
        return Job(
            run_id=self.run_id,
            shard=shard,
            data=str(self.desk.data),
            captures=str(self.folder),
            sites=[str(self.desk.files[name]) for name in names],
            user_agent=f"Nightdesk/{self.version}",
            contact=self.desk.settings.contact or None,
            known=str(known),
            mode=self.request.kind,
            first_day=self.request.first_day,
            last_day=self.request.last_day,
            refetch=self.request.refetch,
            limit_pages=self.request.limit_pages,
        )

    def write_job(self, job: Job) -> Path:
        """Write a job for a spider; return its file."""
        path = self.folder / f"{job.shard}.job.json"
        text = msgspec.json.format(msgspec.json.encode(job))
        with naming(path, len(text)):
            path.write_bytes(text)
        return path


async def side_by_side(run: Run, crawling: Coroutine[Any, Any, T], ingesting: Coroutine[Any, Any, object]) -> T:
    """Await the crawl and the ingest of a run, and return what the crawl does.

    A crawl that fails or is cancelled fails only when what it fetched is loaded; an ingest that fails stops the crawl.
    """
    crawls, ingests = asyncio.ensure_future(crawling), asyncio.ensure_future(ingesting)
    try:
        await asyncio.wait([crawls, ingests], return_when=asyncio.FIRST_COMPLETED)
        if ingests.done():
            crawls.cancel()
        else:
            run.no_more_segments()
        await asyncio.wait([crawls, ingests])
    except asyncio.CancelledError:
        for each in (crawls, ingests):
            if not each.cancelling():  # a closing event loop has cancelled all tasks already; twice breaks clean-up
                each.cancel()
        await asyncio.wait([crawls, ingests])
        raise
    finally:
        await run.release()
    await ingests
    return await crawls


def _site_row(site: Site) -> runs.SiteRow:
    return runs.SiteRow(
        site=site.name,
        title=site.title,
        url=site.url,
        country=site.country,
        languages=site.languages,
        time_zone=site.time_zone,
        enabled=site.enabled,
    )


async def _in_thread(ingest: Ingest) -> Tally:
    """Run an ingest beside the event loop; when cancelled, let it load what it can in time, then cancel for good."""
    # A future of the executor, no task: when the loop is closed by a signal, all tasks are cancelled and threads go on.
    work = asyncio.get_running_loop().run_in_executor(None, ingest.run)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work], timeout=CANCELLED_S)
        ingest.stop()
        await asyncio.wait([work])
        raise
