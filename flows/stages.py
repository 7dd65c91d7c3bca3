"""The stages of a run as Prefect tasks, and their order: what nightly and backfill share."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from prefect import get_run_logger, task
from prefect.artifacts import acreate_markdown_artifact, acreate_progress_artifact, aupdate_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows import upkeep
from flows.crawl import SpiderError
from flows.desk import open_desk
from flows.machines import hold_everywhere
from flows.plain import plain
from flows.report import RunSummary, line, markdown
from flows.run import Request, Run, Say, side_by_side
from flows.summary import summarise
from flows.watch import WATCH, Board

SPIDER_STARTS = 2  # a spider that dies (a defect, an OOM kill) is started once more in the same run
PROGRESS_S = 10.0  # between two updates of the progress artifact: each is a request to the server

LEVELS = logging.getLevelNamesMapping()
R = TypeVar("R", bound=Run)


@task(name="repair", cache_policy=NO_CACHE)
async def repair(run: Run) -> None:
    """Extract and load what earlier runs left behind."""
    await run.repair()


@task(name="crawl", cache_policy=NO_CACHE)
async def crawl(run: Run) -> str:
    """Let the spider fetch; return why it ended."""
    progress = asyncio.ensure_future(_show_progress(run.board))
    try:
        return (await run.crawl()).reason
    finally:
        progress.cancel()


@task(name="ingest", cache_policy=NO_CACHE)
async def ingest(run: Run) -> None:
    """Extract and load what the spider fetches, while it does; then index it for the search."""
    await run.ingest()
    await run.index()


@task(name="report", cache_policy=NO_CACHE)
async def report(run: Run, ended: str, problem: str | None) -> RunSummary:
    """Record how the run ended and say in an artifact what it came to."""
    await asyncio.to_thread(run.record, "failed" if problem else ended, problem)
    summary = await asyncio.to_thread(_summary, run, ended, problem)
    await acreate_markdown_artifact(
        key=f"{run.request.kind}-report", markdown=markdown(summary), description=plain(summary.headline)
    )
    return summary


@task(name="tidy", cache_policy=NO_CACHE)
async def tidy(run: Run) -> None:
    """Drop captures past their time and finish takedowns; what fails here is tried again by the next run."""
    try:
        await asyncio.to_thread(upkeep.tidy, run.desk.data, run.desk.settings, lambda text: run.say("info", text))
    except Exception as error:  # noqa: BLE001 - the articles are safe, and the run is what it was
        run.say("error", f"tidying up failed: {error}")


def onlookers() -> tuple[Say, Callable[[Board], None]]:
    """Return what tells the run's page, and whoever watches, of a line and of the progress."""
    logger = get_run_logger()
    watch = WATCH.get()

    def say(level: str, site: str | None, message: str) -> None:
        logger.log(LEVELS.get(level.upper(), logging.INFO), "%s%s", f"{plain(site)}: " if site else "", plain(message))
        if watch is not None:
            watch.say(level, site, message)

    def show(board: Board) -> None:
        if watch is not None:
            watch.show(board)

    return say, show


async def carry_out(request: Request) -> State[RunSummary]:
    """Do a run from repair to report, and return the state that its flow run ends in.

    It is Failed where nothing worked for any site; errors of the store, the disk or the settings are raised.
    """
    logger = get_run_logger()
    watch = WATCH.get()
    say, show = onlookers()
    run = Run(open_desk(), request, say, show)
    run.everywhere = hold_everywhere if run.desk.settings.several_machines else None
    say("info", None, f"run {run.run_id} of {len(run.sites)} sites")
    try:
        await asyncio.to_thread(run.record, "running")
        await repair(run)
        ended, problem = await crawl_and_ingest(run, crawl)
    except asyncio.CancelledError:
        run.record("cancelled")
        raise
    except Exception as error:
        with contextlib.suppress(Exception):  # the store itself may be what failed; the first error is the one to tell
            run.record("failed", str(error))
        raise
    finally:
        run.close()
    summary = await report(run, ended, problem)
    await tidy(run)
    for site in summary.sites:  # a terminal has the table instead
        logger.log(logging.ERROR if site.failed else logging.INFO, "%s: %s", plain(site.site), line(site))
    say("info" if summary.worked else "error", None, summary.headline)
    if watch is not None:
        watch.summary = summary
    ending = Completed if summary.worked else Failed
    return ending(message=summary.headline, data=summary)


async def crawl_and_ingest(run: R, crawling: Callable[[R], Coroutine[Any, Any, str]]) -> tuple[str, str | None]:
    """Crawl with a spider that is started again if it dies; return why it ended, and what it died of."""
    for start in range(1, SPIDER_STARTS + 1):
        try:
            return await side_by_side(run, crawling(run), ingest(run)), None
        except SpiderError as error:
            problem = str(error)
            run.say("error", problem + ("; starting it again" if start < SPIDER_STARTS else ""))
            run.begin_again()
    return "failed", problem


def _summary(run: Run, ended: str, problem: str | None) -> RunSummary:
    return summarise(
        run.desk.data,
        run.run_id,
        run.request.kind,
        run.sites,
        run.started_at,
        ended=ended,
        problem=problem,
        unfit=run.unfit,
    )


async def _show_progress(board: Board) -> None:
    artifact = None
    while True:
        await asyncio.sleep(PROGRESS_S)
        done, all_ = board.done()
        percent = 100.0 * done / all_ if all_ else 0.0
        with contextlib.suppress(Exception):  # a picture of the progress must never end the crawl
            if artifact is None:
                artifact = await acreate_progress_artifact(percent, key="progress", description=board.line())
            else:
                await aupdate_progress_artifact(artifact, percent, description=board.line())
