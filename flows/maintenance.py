"""The maintenance flow: finds gaps and says which backfills would fill them; with a setting, it starts them."""

import asyncio
import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from prefect import flow, get_client, get_run_logger
from prefect.artifacts import acreate_image_artifact, acreate_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_UI_URL
from prefect.states import Completed
from pydantic import Field

from flows import gaps
from flows.chunks import image
from flows.desk import open_desk
from flows.gaps import Mend
from storage.database import NotPublishedError


@flow(name="gaps", description="Find days of which articles are missing, and say which backfills would fill them.")
async def find_gaps(look_back_days: Annotated[int, Field(ge=1, le=3660)] = 30) -> State[Any]:
    """Find days of which articles are missing, and say which backfills would fill them.

    With `fill_gaps = true` in nightdesk.toml the backfills are started.

    Args:
        look_back_days: How many days back to look for gaps.
    """
    logger = get_run_logger()
    desk = open_desk()
    since = (datetime.now(UTC) - timedelta(days=look_back_days)).date()
    enabled = {site.name for site in desk.sites if site.enabled}
    rows = [row for row in await asyncio.to_thread(gaps.read_gaps, desk.data, since) if row[0] in enabled]
    found = gaps.mends(rows)
    deployment = await _backfill_deployment()
    ui = PREFECT_UI_URL.value()
    links = {mend: gaps.form_link(ui, str(deployment), mend) for mend in found} if deployment and ui else {}
    picture = ""
    try:
        svg = await asyncio.to_thread(gaps.calendar, desk.data)
        picture = image(svg, "a calendar of the days")
        url = f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
        await acreate_image_artifact(image_url=url, key="calendar", description="Articles a day")
    except NotPublishedError:
        logger.info("nothing is in the store yet")
    headline = gaps.headline(found)
    await acreate_markdown_artifact(
        key="gaps-report", markdown=gaps.markdown(found, picture, links), description=headline
    )
    logger.info("%s", headline)
    for mend in found:
        logger.info("to fill them: %s", mend.command())
    if desk.settings.fill_gaps and deployment is not None:
        await _start(deployment, found)
        headline += f"; {len(found)} backfills started"
    return Completed(message=headline)


async def _backfill_deployment() -> UUID | None:
    try:
        async with get_client() as client:
            return (await client.read_deployment_by_name("backfill/backfill")).id
    except ObjectNotFound:
        return None


async def _start(deployment: UUID, found: Sequence[Mend]) -> None:
    """Start the backfills; the same one is not started twice a day."""
    async with get_client() as client:
        for mend in found:
            key = f"gaps-{datetime.now(UTC):%Y%m%d}-{mend.first_day}-{mend.last_day}-{'-'.join(mend.sites)}"
            await client.create_flow_run_from_deployment(
                deployment, parameters=mend.parameters(), idempotency_key=key[:400], tags=["gaps"]
            )
