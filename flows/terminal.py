"""Flows run from a terminal: without a standing server, live to watch, with the report at the end."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console

from flows.desk import open_desk, require_contact, require_writable
from flows.origin import Origin
from flows.prefect_home import prefect_home, require_room
from flows.report import RunSummary, problems, table
from flows.server import connect_to_server
from flows.sources import resolve
from flows.span import check_span
from flows.watch import Board, watching

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

FAILED = 1
STOPPED = 130  # as shells have it for Ctrl-C

T = TypeVar("T")


def run_nightly(data: Path | None, sites: list[str], *, refetch: bool, limit_pages: int) -> int:
    """Run the nightly flow here and now; return the exit code. Raises SettingsError or SiteError before it starts."""

    async def run() -> "State[Any]":
        from flows.nightly import nightly  # noqa: PLC0415 - Prefect: 2.5 s

        return await nightly(sites=sites, refetch=refetch, limit_pages=limit_pages, return_state=True)

    return _run(data, sites, run)


def run_backfill(
    data: Path | None,
    sites: list[str],
    first_day: date,
    last_day: date,
    *,
    origin: Origin,
    **more: Any,  # noqa: ANN401 - those of the flow
) -> int:
    """Run the backfill flow here and now; return the exit code. Raises as `run_nightly`, SpanError and OriginError.

    `more` are the flow's other parameters, by name.
    """
    check_span(first_day, last_day)
    pages_from = origin.pages_from()
    desk = open_desk(data)
    resolve(pages_from, desk, desk.chosen(sites))  # what cannot work is refused before anything slow is started

    async def run() -> "State[Any]":
        from flows.backfill import backfill  # noqa: PLC0415 - Prefect: 2.5 s

        return await backfill(first_day, last_day, sites=sites, pages_from=pages_from, **more, return_state=True)

    return _run(data, sites, run, asks=origin.asks_sites)


def run_up(data: Path | None, port: int | None) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    from flows.up import up  # noqa: PLC0415

    desk = open_desk(data)
    console = Console(highlight=False)

    try:
        asyncio.run(_until_told(up(desk, console.print, port)))
    except asyncio.CancelledError:
        console.print("stopped")
    return 0


def _run(
    data: Path | None, sites: list[str], flow: Callable[[], Coroutine[Any, Any, "State[Any]"]], *, asks: bool = True
) -> int:
    """Run a flow under the eyes of the terminal and show its report; return the exit code.

    What cannot work is refused before anything slow is started.
    """
    desk = open_desk(data)
    chosen = desk.chosen(sites)
    if asks:
        require_contact(desk, chosen)
    require_writable(desk.data)
    console = Console(stderr=True, highlight=False)
    with watching(console) as watch:
        watch.show(Board(stage="starting Prefect"))
        wait_for_server = connect_to_server(desk.data)
        import prefect  # noqa: F401, PLC0415 - 2.5 s, while its server starts

        wait_for_server()
        try:
            state = asyncio.run(_until_told(flow()))
        except asyncio.CancelledError:
            console.print("stopped; what was fetched is kept, and the next run goes on from there")
            return STOPPED
        except Exception:
            require_room(prefect_home(desk.data))  # a disk that is full by now says so, instead of Prefect's traceback
            raise
    if watch.shown:
        for answer in watch.shown:
            Console(highlight=False).print(answer)
    elif watch.summary is None:
        asyncio.run(_raise(state))
    else:
        show_summary(watch.summary)
    return 0 if state.is_completed() else FAILED


def show_summary(summary: RunSummary) -> None:
    """Print a run's report on standard output."""
    console = Console(highlight=False)
    console.print(table(summary))
    for line in problems(summary):
        console.print(line)


async def _until_told(work: Coroutine[Any, Any, T]) -> T:
    """Await the work; Ctrl-C and SIGTERM cancel it, also where a shell has us started with SIGINT ignored (`… &`)."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await work


async def _raise(state: "State[Any]") -> None:
    """Raise the exception that a flow ended with."""
    await state.aresult(raise_on_failure=True)
