"""One run of the line without Prefect: what the crash tests start and kill.

Arguments: the data folder and, for a backfill, the first and the last day.
"""

import asyncio
import sys
from datetime import date
from pathlib import Path

from flows.desk import open_desk
from flows.run import Request, Run, side_by_side


def say(*words: object) -> None:
    sys.stderr.write(f"{words}\n")


async def main(data: Path, *days: str) -> None:
    request = Request(kind="nightly")
    if days:
        first_day, last_day = map(date.fromisoformat, days)
        request = Request(kind="backfill", first_day=first_day, last_day=last_day)
    run = Run(open_desk(data), request, say, lambda _: None)
    try:
        run.record("running")
        await run.repair()
        await side_by_side(run, run.crawl(), run.ingest())
        run.record("finished")
    finally:
        run.close()


asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
