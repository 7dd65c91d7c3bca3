"""A backfill: the days of a span, from the sites' own archives."""

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from prefect import flow, get_client, task
from prefect.artifacts import acreate_markdown_artifact, acreate_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.actions import ArtifactUpdate
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed
from pydantic import Field
from rich.text import Text

from flows import chunks as shown
from flows.choices import SiteName, names
from flows.chunks import Advance, Pace
from flows.desk import open_desk
from flows.filling import Filling
from flows.machines import hold_everywhere
from flows.plain import plain
from flows.run import Request
from flows.sources import PagesFrom, resolve
from flows.span import check_span
from flows.stages import crawl_and_ingest, onlookers, repair
from flows.taking import read_own_again, take
from flows.watch import WATCH
from spiders.robots import RobotsCache
from storage.backfills import LEFT_OUT, Chunk

PROGRESS_S = 5.0  # between two updates of the progress artifacts: each is a request to the server
MOST_BARS = 12  # sites with a progress artifact of their own


@flow(name="backfill", description="Fetch the articles of past days from the sites' own archives.")
async def backfill(
    first_day: date,
    last_day: date,
    *,
    sites: list[SiteName] = [],  # noqa: B006 - Prefect renders it as the form's default, and nobody changes it
    preview_only: bool = False,
    days: Literal["missing", "all"] = "missing",
    refetch: bool = False,
    doubtful: bool = False,
    limit_pages: Annotated[int, Field(ge=0, le=1_000_000)] = 0,
    pages_from: PagesFrom = PagesFrom(),  # noqa: B008 - the form's default; frozen
) -> State[Any]:
    """Fetch the articles of past days from the sites' own archives: sitemaps and archive pages, pruned to these days.

    Started again with the same fields it goes on with what is missing: finished days cost nothing, and pages that the
    store knows are not fetched.

    Args:
        first_day: The first day to fill, in each site's own time zone.
        last_day: The last day to fill, the day itself included.
        sites: The sites to fill. None chosen: all that are enabled.
        preview_only: Read the sites' indexes, say what there is to fetch and how long it takes, and stop there.
        days: Missing: pass over days that a backfill has finished. All: look at every day again.
        refetch: Fetch pages again that the store knows already, and keep what changed as new versions.
        doubtful: Fetch also pages whose day no source tells: they may be of these days, or of any other.
        limit_pages: The most pages to fetch. 0: no limit but the sites' own.
        pages_from: Other places to take the pages from: WARC files, a web archive, a list of URLs, our own captures.
    """
    check_span(first_day, last_day)
    desk = open_desk()
    request = Request(
        kind="backfill",
        sites=names(sites),
        first_day=first_day,
        last_day=last_day,
        refetch=refetch,
        limit_pages=limit_pages or None,
        days=days,
        doubtful=doubtful,
        source=resolve(pages_from, desk, desk.chosen(names(sites))),
    )
    if pages_from.kind == "our own captures":
        return await read_own_again(request, preview_only=preview_only)
    if request.source is not None:
        return await take(request, preview_only=preview_only)
    return await fill_days(request, preview_only=preview_only)


@task(name="plan", cache_policy=NO_CACHE)
async def plan(run: Filling) -> None:
    """Read the indexes of the days that are missing, and store what they name."""
    await run.plan()
    run.no_more_segments()
    await run.ingest()


@task(name="fetch", cache_policy=NO_CACHE)
async def fetch(run: Filling) -> str:
    """Fetch what is missing of the sites that are free; return why it ended."""
    return (await run.crawl()).reason


@task(name="preview", cache_policy=NO_CACHE)
async def preview(run: Filling) -> tuple[str, list[Chunk]]:
    """Say in an artifact what the backfill would cost."""
    found, paces = await asyncio.to_thread(run.chunks), _paces(run)
    headline = shown.preview_headline(found, paces)
    text = shown.preview(run.backfill, found, paces)
    await acreate_markdown_artifact(key="backfill-preview", markdown=text, description=plain(headline))
    return headline, found


@task(name="report", cache_policy=NO_CACHE)
async def report(run: Filling) -> tuple[str, list[Chunk]]:
    """Say in an artifact what the backfill came to."""
    found = await asyncio.to_thread(run.chunks)
    headline = shown.headline(found)
    text = shown.report(run.backfill, found)
    await acreate_markdown_artifact(key="backfill-report", markdown=text, description=plain(headline))
    return headline, found


async def fill_days(request: Request, *, preview_only: bool) -> State[Any]:
    """Plan and fill the days of a request, and return the state that the flow run ends in.

    It is Failed where nothing could be had; errors of the store, the disk or the settings are raised.
    """
    say, show = onlookers()
    run = Filling(open_desk(), request, say, show)
    run.everywhere = hold_everywhere if run.desk.settings.several_machines else None
    say("info", None, f"run {run.run_id}: backfill {run.backfill.backfill_id} of {len(run.sites)} sites")
    try:
        await asyncio.to_thread(run.record, "running")
        await repair(run)
        await plan(run)
        problem = None if preview_only else await _fill(run)
    except asyncio.CancelledError:
        run.record("cancelled")
        run.settle("cancelled", "stopped; started again with the same fields it goes on")
        raise
    except Exception as error:
        with contextlib.suppress(Exception):  # the store itself may be what failed; the first error is the one to tell
            run.record("failed", str(error))
            run.settle("failed", str(error))
        raise
    finally:
        run.close()
    return await _end(run, problem, preview_only=preview_only)


async def _fill(run: Filling) -> str | None:
    """Fetch in rounds until nothing is left to be asked for; return what the spider died of, if it did."""
    looking = asyncio.ensure_future(_show_progress(run, _paces(run)))
    try:
        while await asyncio.to_thread(run.left):
            run.begin_again()
            _, problem = await crawl_and_ingest(run, fetch)
            if problem is not None:
                return problem
    finally:
        looking.cancel()
        await asyncio.wait([looking])
    return None


async def _end(run: Filling, problem: str | None, *, preview_only: bool) -> State[Any]:
    await asyncio.to_thread(run.record, "failed" if problem else "finished", problem)
    if preview_only:
        await asyncio.to_thread(run.settle, "planned")
        headline, found = await preview(run)
        failed = all(not chunk.whole and not chunk.planned for chunk in found)
    else:
        state = "finished" if all(chunk.finished for chunk in run.chunks() if chunk.state != LEFT_OUT) else "incomplete"
        await asyncio.to_thread(run.settle, "failed" if problem else state, problem)
        headline, found = await report(run)
        failed = not any(chunk.finished or chunk.in_store + chunk.known + chunk.rejected for chunk in found)
    if (watch := WATCH.get()) is not None:
        paces = _paces(run)
        watch.shown += [Text(headline, "bold"), shown.table(found, paces if preview_only else None)]
        watch.shown += shown.remarks(found, paces)
    run.say("error" if problem or failed else "info", headline)
    return Failed(message=problem or headline) if problem or failed else Completed(message=headline, data=headline)


def _paces(run: Filling) -> Mapping[str, Pace]:
    """Return how fast each site may be asked: by its file, and by its robots.txt where that is known."""
    cache = RobotsCache(run.desk.data / "robots")
    paces = {}
    for site in run.sites:
        parts = urlsplit(site.url)
        rules = cache.stale(f"{parts.scheme}://{parts.netloc}")
        delay_s = max(site.politeness.delay_s, (rules.delay_s if rules else None) or 0.0)
        paces[site.name] = Pace(delay_s=delay_s, budget_pages=site.politeness.budget_pages)
    return paces


async def _show_progress(run: Filling, paces: Mapping[str, Pace]) -> None:
    """Show how far the backfill is: a bar a site, and a table that grows. It must never end the crawl."""
    bars: dict[str, UUID] = {}
    table: UUID | None = None
    while True:
        with contextlib.suppress(Exception):
            found = await asyncio.to_thread(run.chunks)
            advance, rates = run.advance(found)
            left = advance.left(paces, rates)
            text, line = shown.progress(found, advance, left, paces), shown.advance_line(advance, left)
            if table is None:
                table = await acreate_markdown_artifact(key="backfill-progress", markdown=text, description=line)
            else:
                await _update(table, text, line)
            for site in sorted(advance.of)[:MOST_BARS]:
                await _show_bar(bars, site, advance)
        await asyncio.sleep(PROGRESS_S)


async def _show_bar(bars: dict[str, UUID], site: str, advance: Advance) -> None:
    done, of = advance.done[site], advance.of[site]
    percent = 100.0 * done / of if of else 100.0
    line = f"{site}: {done:,} of {of:,} URLs"
    if site in bars:
        await _update(bars[site], percent, line)
    else:
        bars[site] = await acreate_progress_artifact(percent, key=f"progress-{site}", description=line)


async def _update(artifact: UUID, data: str | float, description: str) -> None:
    async with get_client() as client:
        await client.update_artifact(artifact, ArtifactUpdate(data=data, description=description))
