"""One run of the line without Prefect: what the crash tests start and kill.

Arguments: the data folder and, for a backfill, the first and the last day, and the most pages to fetch.
"""

import asyncio
import sys
from datetime import date
from pathlib import Path

from flows.desk import open_desk
from flows.filling import Filling
from flows.run import Request, Run, side_by_side


def say(*words: object) -> None:
    sys.stderr.write(f"{words}\n")


async def nightly(data: Path) -> None:
    run = Run(open_desk(data), Request(kind="nightly"), say, lambda _: None)
    try:
        run.record("running")
        await run.repair()
        await side_by_side(run, run.crawl(), run.ingest())
        await run.index()
        run.record("finished")
    finally:
        run.close()


async def backfill(data: Path, first_day: date, last_day: date, limit_pages: int | None = None) -> None:
    request = Request(kind="backfill", first_day=first_day, last_day=last_day, limit_pages=limit_pages)
    run = Filling(open_desk(data), request, say, lambda _: None)
    try:
        run.record("running")
        await run.repair()
        await run.plan()
        run.no_more_segments()
        await run.ingest()
        while await asyncio.to_thread(run.left):
            run.begin_again()
            await side_by_side(run, run.crawl(), run.ingest())
        run.record("finished")
        run.settle("finished")
    finally:
        run.close()


folder, *days = sys.argv[1:]
if days:
    asyncio.run(backfill(Path(folder), *map(date.fromisoformat, days[:2]), *map(int, days[2:])))
else:
    asyncio.run(nightly(Path(folder)))
