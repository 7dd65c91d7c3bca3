"""A backfill: the days of a span, from the sites' own archives."""

from datetime import date
from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import Field

from flows.choices import SiteName, names
from flows.report import RunSummary
from flows.run import Request
from flows.span import check_span
from flows.stages import carry_out


@flow(name="backfill", description="Fetch the articles of past days from the sites' own archives.")
async def backfill(
    first_day: date,
    last_day: date,
    sites: list[SiteName] = [],  # noqa: B006 - Prefect renders it as the form's default, and nobody changes it
    refetch: bool = False,
    limit_pages: Annotated[int, Field(ge=0, le=1_000_000)] = 0,
) -> State[RunSummary]:
    """Fetch the articles of past days from the sites' own archives: sitemaps, pruned to these days.

    Started again with the same days it goes on with what is missing: pages that the store knows are not fetched.

    Args:
        first_day: The first day to fill, in each site's own time zone.
        last_day: The last day to fill, the day itself included.
        sites: The sites to fill. None chosen: all that are enabled.
        refetch: Fetch pages again that the store knows already, and keep what changed as new versions.
        limit_pages: The most pages to fetch. 0: no limit but the sites' own.
    """
    check_span(first_day, last_day)
    return await carry_out(
        Request(
            kind="backfill",
            sites=names(sites),
            first_day=first_day,
            last_day=last_day,
            refetch=refetch,
            limit_pages=limit_pages or None,
        )
    )
