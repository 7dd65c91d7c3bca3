"""One run of the line without Prefect over the data folder that is the argument: what the crash tests start and kill."""

import asyncio
import sys
from pathlib import Path

from flows.desk import open_desk
from flows.run import Request, Run, side_by_side


def say(*words: object) -> None:
    sys.stderr.write(f"{words}\n")


async def main(data: Path) -> None:
    run = Run(open_desk(data), Request(kind="nightly"), say, lambda _: None)
    try:
        run.record("running")
        await run.repair()
        await side_by_side(run, run.crawl(), run.ingest())
        run.record("finished")
    finally:
        run.close()


asyncio.run(main(Path(sys.argv[1])))
