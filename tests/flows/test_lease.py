"""Leases: a host belongs to one process at a time, for as long as its spider lives."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from flows.lease import HostBusyError, hold_hosts


def say_nothing(_: str) -> None:
    pass


async def hold(data: Path, *hosts: str, wait: bool = False, said: list[str] | None = None) -> int:
    async with hold_hosts(
        data, hosts, what="the test", run_id="r2", wait=wait, say=say_nothing if said is None else said.append
    ) as held:
        return len(held)


def test_a_host_is_held_once_and_free_again_afterwards(tmp_path: Path) -> None:
    """A second holder is refused with the name of the first; other hosts are free; after the end all are."""

    async def scenario() -> None:
        async with hold_hosts(
            tmp_path, ["a.org", "b.org"], what="the nightly crawl", run_id="r1", wait=False, say=say_nothing
        ):
            with pytest.raises(HostBusyError, match=r"b\.org is being crawled by the nightly crawl r1 \(process \d+"):
                await hold(tmp_path, "b.org", "c.org")
            assert await hold(tmp_path, "c.org") == 1
        assert await hold(tmp_path, "a.org", "b.org") == 2

    asyncio.run(scenario())


def test_who_waits_is_told_once_for_whom_and_goes_on_afterwards(tmp_path: Path) -> None:
    """The second waits, says for whom, and has the host when the first is done."""
    said: list[str] = []

    async def scenario() -> int:
        async with hold_hosts(tmp_path, ["a.org"], what="the backfill", run_id="r1", wait=False, say=say_nothing):
            second = asyncio.ensure_future(hold(tmp_path, "a.org", wait=True, said=said))
            await asyncio.sleep(1.2)
            assert not second.done()
        return await asyncio.wait_for(second, 5)

    assert asyncio.run(scenario()) == 1
    assert len(said) == 1
    assert "the backfill r1" in said[0]


def test_a_host_stays_taken_while_a_child_that_inherited_it_lives(tmp_path: Path) -> None:
    """When the parent is gone and its spider is not, the host is still the spider's."""

    async def scenario() -> "subprocess.Popen[bytes]":
        async with hold_hosts(tmp_path, ["a.org"], what="the crawl", run_id="r1", wait=False, say=say_nothing) as held:
            return subprocess.Popen(  # noqa: ASYNC220 - it outlives the loop on purpose
                [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, pass_fds=held
            )

    child = asyncio.run(scenario())
    with pytest.raises(HostBusyError):
        asyncio.run(hold(tmp_path, "a.org"))
    child.communicate()
    assert asyncio.run(hold(tmp_path, "a.org")) == 1
