"""Several machines that share one Prefect server: one host by one of them at a time, by Prefect's global limits.

A machine's own processes hold lock files (flows/lease.py), which the kernel releases at once. A slot on the server is
released when its holder ends, and, of a machine that died, when its lease runs out.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final

from prefect import get_client
from prefect.concurrency.asyncio import concurrency

LEASE_S: Final = 60.0  # Prefect's least; renewed while its holder lives


def limit_name(host: str) -> str:
    """Return the name of the global concurrency limit of a host."""
    return f"nightdesk {host}".replace("*", "all of").replace("/", " ")


@asynccontextmanager
async def hold_everywhere(hosts: Iterable[str]) -> AsyncIterator[None]:
    """Hold these hosts against the other machines of the server: all of them, waited for together."""
    names = sorted(limit_name(host) for host in set(hosts))
    async with get_client() as client:
        for name in names:
            await client.upsert_global_concurrency_limit_by_name(name, 1)
    held, released = asyncio.Event(), asyncio.Event()
    # In a task of its own: what Prefect enters has to be left by the task that entered it.
    holding = asyncio.ensure_future(_hold(names, held, released))
    asked = asyncio.ensure_future(held.wait())
    try:
        await asyncio.wait([holding, asked], return_when=asyncio.FIRST_COMPLETED)
        if holding.done():
            holding.result()  # raises
        yield
    finally:
        asked.cancel()
        released.set()
        if not held.is_set():
            holding.cancel()
        await asyncio.wait([holding])


async def _hold(names: list[str], held: asyncio.Event, released: asyncio.Event) -> None:
    async with concurrency(names, occupy=1, lease_duration=LEASE_S, strict=True):
        held.set()
        await released.wait()
