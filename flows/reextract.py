"""A re-extraction as a flow: captures are read again, compared with the store, and promoted if that is wished."""

import asyncio
import logging
import threading
from datetime import date
from typing import Annotated, Literal

from prefect import flow, get_run_logger, task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import Field

from flows import reextraction
from flows.choices import SiteName, names
from flows.desk import Desk, open_desk
from flows.plain import plain
from flows.reextraction import Report
from flows.reextraction_report import headline, markdown
from flows.span import SpanError
from storage.rereading import Wanted

FIRST = date(1970, 1, 1)
LAST = date(2999, 12, 31)
LEVELS = logging.getLevelNamesMapping()


@flow(name="reextract", description="Read captures again, compare with the store, and promote what passes the gate.")
async def reextract(
    sites: list[SiteName] = [],  # noqa: B006 - Prefect renders it as the form's default, and nobody changes it
    first_day: date = FIRST,
    last_day: date = LAST,
    limit_pages: Annotated[int, Field(ge=0, le=100_000_000)] = 0,
    promote: Literal["never", "if the gate lets it pass"] = "never",
) -> State[str]:
    """Read captured pages again with the present program, rules and learned lines; nothing is fetched.

    What would change is shown in an artifact, worst first. Killed or cancelled, the same run goes on where it was.

    Args:
        sites: The sites to read again. None chosen: all.
        first_day: The first day of publication, in each site's own time zone.
        last_day: The last day of publication, the day itself included.
        limit_pages: The most pages to read, newest articles first, for a trial. 0: no limit.
        promote: Whether the result comes into the store by itself. It can be promoted later, and rolled back.
    """
    if last_day < first_day:
        raise SpanError(f"last_day {last_day} is before first_day {first_day}; swap them")
    desk = open_desk()
    wanted = Wanted(
        sites=names(sites),
        first_day=None if first_day == FIRST else first_day,
        last_day=None if last_day == LAST else last_day,
        limit_pages=limit_pages,
    )
    report = await read_again(desk, wanted)
    if promote != "never" and report.dossier.passes and report.state != "promoted":
        report = await into_the_store(desk, report)
    await acreate_markdown_artifact(
        key="reextract-report", markdown=markdown(report), description=plain(headline(report))
    )
    held = "; held by the gate" if report.dossier.reasons else f"; {report.state.replace('_', ' ')}"
    return Completed(message=headline(report) + held, data=report.dossier.reextraction_id)


@task(name="read again", cache_policy=NO_CACHE)
async def read_again(desk: Desk, wanted: Wanted) -> Report:
    """Read the captures again in worker processes and compare."""
    logger = get_run_logger()
    stop = threading.Event()

    def say(level: str, message: str) -> None:
        logger.log(LEVELS.get(level.upper(), logging.INFO), "%s", plain(message))

    def work() -> Report:
        return reextraction.carry_out(desk, wanted, say, lambda _done, _of: None, stopped=stop.is_set)

    # A future of the executor, no task: when the loop is closed by a signal, all tasks are cancelled and threads go on.
    working = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([working])
        raise


@task(name="promote", cache_policy=NO_CACHE)
async def into_the_store(desk: Desk, report: Report) -> Report:
    """Bring what was read into the store."""
    name = report.dossier.reextraction_id
    _, done = await asyncio.to_thread(reextraction.promote, desk, name)
    get_run_logger().info("promoted: %d articles told anew, %d left the store", done.articles, done.departed)
    return await asyncio.to_thread(reextraction.show, desk, name)
