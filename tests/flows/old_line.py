"""One run of the line over WARC files, without Prefect: what the crash test starts and kills.

Arguments: the data folder, the files.
"""

import asyncio
import sys
from pathlib import Path

from flows.desk import open_desk
from flows.run import Request, Run, side_by_side
from spiders.archives.oldnews import WarcFiles


async def main(data: Path, *files: str) -> None:
    request = Request(kind="backfill", source=WarcFiles(files))
    run = Run(open_desk(data), request, lambda *_: None, lambda _: None)
    try:
        run.record("running")
        await run.repair()
        await side_by_side(run, run.crawl(), run.ingest())
        run.record("finished")
    finally:
        await run.release()
        run.close()


asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
