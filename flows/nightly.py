"""The nightly crawl."""

from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import Field

from flows.choices import SiteName, names
from flows.report import RunSummary
from flows.run import Request
from flows.stages import carry_out


@flow(name="nightly", description="Fetch what is new on the sites, clean it, load it into the store.")
async def nightly(
    sites: list[SiteName] = [],  # noqa: B006 - Prefect renders it as the form's default, and nobody changes it
    refetch: bool = False,
    limit_pages: Annotated[int, Field(ge=0, le=1_000_000)] = 0,
) -> State[RunSummary]:
    """Fetch what is new on the sites, clean it, and load it into the store.

    What an earlier run left behind is mended first. A site that fails is reported and does not fail the others.

    Args:
        sites: The sites to crawl. None chosen: all that are enabled.
        refetch: Fetch pages again that the store knows already, and keep what changed as new versions.
        limit_pages: The most pages to fetch; the next run goes on with the rest. 0: no limit but the sites' own.
    """
    return await carry_out(
        Request(kind="nightly", sites=names(sites), refetch=refetch, limit_pages=limit_pages or None)
    )
