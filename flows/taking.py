"""A backfill from elsewhere than the sites' own archives: its preview, and its run."""

import asyncio
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed
from rich import box
from rich.table import Table
from rich.text import Text

from flows.desk import Desk, open_desk
from flows.plain import plain
from flows.run import Request
from flows.stages import carry_out
from flows.watch import WATCH
from spiders.archives.oldnews import Days, UrlList, WarcFiles, WebArchive
from spiders.known import Known
from spiders.site import Site
from storage.ledger import write_known

PAGES_PER_S = 40.0  # that are extracted, on two cores: only for the estimate
MOST_ROWS = 200  # of a preview's table

#: How many captures of a site and day there are, and how many of them are news to the store.
Counts = dict[tuple[str, date], tuple[int, int]]


async def take(request: Request, *, preview_only: bool) -> State[Any]:
    """Take the pages of a request's source over, or only say what there is."""
    if preview_only:
        return await _previewed(request)
    return await carry_out(request)


async def read_own_again(request: Request, *, preview_only: bool) -> State[Any]:
    """Read our own captures again (docs/reextract.md): a preview compares only, else it is promoted if it may be."""
    from flows.reextract import reextract  # noqa: PLC0415 - only where it is asked for

    assert request.first_day is not None
    assert request.last_day is not None
    state: State[Any] = await reextract(
        sites=list(request.sites),
        first_day=request.first_day,
        last_day=request.last_day,
        limit_pages=request.limit_pages or 0,
        promote="never" if preview_only else "if the gate lets it pass",
        return_state=True,
    )
    return state


@task(name="preview", cache_policy=NO_CACHE)
async def survey(request: Request) -> Counts:
    """Count what the source has; of an archive only the index is asked, of files only the headers are read."""
    return await asyncio.to_thread(counted, open_desk(), request)


async def _previewed(request: Request) -> State[Any]:
    counts = await survey(request)
    new = sum(fresh for _, fresh in counts.values())
    all_ = sum(captures for captures, _ in counts.values())
    seconds = new * request.source.delay_s if isinstance(request.source, WebArchive) else new / PAGES_PER_S
    headline = f"{all_:,} captures, {new:,} of them news to the store: about {_duration(seconds)}"
    await acreate_markdown_artifact(
        key="backfill-preview", markdown=_table(headline, counts), description=plain(headline)
    )
    if (watch := WATCH.get()) is not None:
        watch.shown += [Text(headline, "bold"), _terminal_table(counts)]
    return Completed(message=headline)


def counted(desk: Desk, request: Request) -> Counts:
    """Return what `survey` does, of an installation."""
    from spiders.archives.cdxsource import survey_cdx  # noqa: PLC0415 - the HTTP client
    from spiders.archives.harvest import Sieve  # noqa: PLC0415
    from spiders.archives.warcsource import survey_warcs  # noqa: PLC0415

    sites = desk.chosen(request.sites)
    days = Days(request.first_day, request.last_day)
    path = desk.data / "known" / "preview.sqlite"
    write_known(desk.data, path, [site.name for site in sites])
    known = Known(path)
    try:
        sieve = Sieve(sites, days, known=known.find, refetch=request.refetch)
        source = request.source
        captures: Counter[tuple[str, date]] = Counter()
        fresh: Counter[tuple[str, date]] = Counter()
        if isinstance(source, WarcFiles):
            found = survey_warcs(source.files, sieve)
        elif isinstance(source, WebArchive):
            found = survey_cdx(source, f"Nightdesk (+{desk.settings.contact})", sites, days, sieve)
        else:
            found = iter(())
            today = datetime.now().astimezone().date()
            for name, _ in source.urls if isinstance(source, UrlList) else ():
                captures[name, today] += 1
                fresh[name, today] += 1
        for site, at, is_news in found:
            captures[site.name, _day(site, at)] += 1
            fresh[site.name, _day(site, at)] += is_news
    finally:
        known.close()
        Path(path).unlink(missing_ok=True)
    return {key: (number, fresh[key]) for key, number in captures.items()}


def _day(site: Site, at: datetime) -> date:
    return at.astimezone(ZoneInfo(site.time_zone)).date()


def _table(headline: str, counts: Counts) -> str:
    """The counts by site and day, and the sums by site."""
    lines = [f"**{headline}**", "", "| site | day of capture | captures | news |", "|---|---|---:|---:|"]
    rows = sorted(counts.items())
    lines += [f"| {site} | {day} | {all_:,} | {new:,} |" for (site, day), (all_, new) in rows[:MOST_ROWS]]
    if len(rows) > MOST_ROWS:
        lines.append(f"| … | {len(rows) - MOST_ROWS} more | | |")
    for name in sorted({site for site, _ in counts}):
        sums = [pair for (site, _), pair in rows if site == name]
        lines.append(f"| **{name}** | **all** | **{sum(a for a, _ in sums):,}** | **{sum(n for _, n in sums):,}** |")
    return "\n".join(lines)


def _terminal_table(counts: Counts) -> Table:
    table = Table("site", "first day", "last day", "captures", "news", box=box.SIMPLE_HEAD)
    for name in sorted({site for site, _ in counts}):
        days = [day for site, day in counts if site == name]
        sums = [pair for (site, _), pair in counts.items() if site == name]
        news = f"{sum(n for _, n in sums):,}"
        table.add_row(name, str(min(days)), str(max(days)), f"{sum(a for a, _ in sums):,}", news)
    return table


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
