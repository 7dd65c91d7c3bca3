"""Flows run from a terminal: without a standing server, live to watch, with the report at the end."""

import asyncio
import signal
from collections.abc import Coroutine
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from flows.config import data_folder
from flows.desk import Desk, open_desk, require_contact, require_writable
from flows.prefect_home import set_terminal_environment
from flows.report import RunSummary, problems, table
from flows.watch import watching

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

FAILED = 1


def run_nightly(data: Path | None, sites: list[str], *, refetch: bool, limit_pages: int) -> int:
    """Run the nightly flow here and now; return the exit code. Raises SettingsError or SiteError before it starts."""
    prepared(data, sites)

    async def run() -> "State[Any]":
        from flows.nightly import nightly  # noqa: PLC0415 - Prefect: 2.5 s

        return await nightly(sites=sites, refetch=refetch, limit_pages=limit_pages, return_state=True)

    return finish(run())


def run_backfill(
    data: Path | None, sites: list[str], first_day: date, last_day: date, *, refetch: bool, limit_pages: int
) -> int:
    """Run the backfill flow here and now; return the exit code. Raises as `run_nightly`, and SpanError."""
    from flows.span import check_span  # noqa: PLC0415

    check_span(first_day, last_day)
    prepared(data, sites)

    async def run() -> "State[Any]":
        from flows.backfill import backfill  # noqa: PLC0415 - Prefect: 2.5 s

        return await backfill(
            first_day, last_day, sites=sites, refetch=refetch, limit_pages=limit_pages, return_state=True
        )

    return finish(run())


def run_up(data: Path | None, port: int | None) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    from flows.up import up  # noqa: PLC0415

    desk = open_desk(data)
    console = Console(highlight=False)

    async def serve() -> None:
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
        await up(desk, console.print, port)

    try:
        asyncio.run(serve())
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("stopped")
    return 0


def prepared(data: Path | None, sites: list[str]) -> Desk:
    """Refuse what cannot work before anything slow is started, then point Prefect to the data folder."""
    desk = open_desk(data_folder(data))
    require_contact(desk, desk.chosen(sites))
    require_writable(desk.data)
    set_terminal_environment(desk.data)
    return desk


def finish(run: Coroutine[Any, Any, "State[Any]"]) -> int:
    """Run a flow under the eyes of the terminal and show its report; return the exit code."""
    console = Console(stderr=True, highlight=False)
    with watching(console) as watch:
        state = asyncio.run(_ended(run))
    if watch.summary is None:
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


async def _ended(run: Coroutine[Any, Any, "State[Any]"]) -> "State[Any]":
    """Await the flow; SIGTERM ends it as Ctrl-C does."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await run


async def _raise(state: "State[Any]") -> None:
    """Raise the exception that a flow ended with."""
    await state.aresult(raise_on_failure=True)
