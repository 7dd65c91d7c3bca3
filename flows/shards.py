"""Several spiders for one run, where one core is not enough: each has sites of its own, so a host has one spider."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from string import ascii_lowercase
from typing import Final

import msgspec

from flows.crawl import Event, Finished, Progress, SpiderError, crawl
from spiders.job import Job

MOST_SPIDERS: Final = len(ascii_lowercase)


def parted(job: Job, spiders: int) -> list[Job]:
    """Part a job by its sites into at most so many shards, a, b and so on.

    A job with a limit of pages stays whole: the limit is the run's.
    """
    number = 1 if job.limit_pages is not None else max(1, min(spiders, len(job.sites), MOST_SPIDERS))
    if number == 1:
        return [job]
    return [
        msgspec.structs.replace(job, shard=ascii_lowercase[shard], sites=job.sites[shard::number])
        for shard in range(number)
    ]


async def crawl_all(
    jobs: Sequence[Path], hear: Callable[[Event], None], *, inherit: Sequence[int] = (), module: str = "spiders"
) -> Finished:
    """Run a spider for each job, side by side; what they tell of their progress is heard as one.

    A spider that dies does not stop the others; then SpiderError is raised. Cancelled, all are told to stop.
    """
    so_far: dict[int, Progress] = {}

    def hear_of(shard: int) -> Callable[[Event], None]:
        def listen(event: Event) -> None:
            if isinstance(event, Progress):
                so_far[shard] = event
                event = together(list(so_far.values()))
            if not isinstance(event, Finished):
                hear(event)

        return listen

    spiders = (crawl(job, hear_of(shard), inherit=inherit, module=module) for shard, job in enumerate(jobs))
    ends = await asyncio.gather(*spiders, return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, SpiderError):
            raise end
    for end in ends:
        if isinstance(end, SpiderError):
            raise end
    reasons = {end.reason for end in ends if isinstance(end, Finished)}
    finished = Finished(reason=next((reason for reason in ("cancelled", "limit") if reason in reasons), "finished"))
    hear(finished)
    return finished


def together(parts: Sequence[Progress]) -> Progress:
    """Return the progress of several spiders as that of one."""
    return Progress(
        sites={name: site for part in parts for name, site in part.sites.items()},
        pages_per_s=sum(part.pages_per_s for part in parts),
    )
