"""Leases: a host belongs to one process at a time, for as long as its spider lives."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from flows.lease import HostBusyError, hold_free, hold_hosts, wanted


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


def test_who_is_in_a_hurry_is_seen_by_the_holder(tmp_path: Path) -> None:
    """While an urgent one waits the host is wanted, also by two; once it has the host, or has given up, it is not."""

    async def scenario() -> None:
        hurry = {"what": "the nightly crawl", "wait": True, "say": say_nothing, "urgent": True}
        async with hold_hosts(tmp_path, ["a.org"], what="the backfill", run_id="r1", wait=False, say=say_nothing):
            assert wanted(tmp_path, ["a.org", "b.org"]) is None
            both = [asyncio.ensure_future(taken(tmp_path, run_id=name, **hurry)) for name in ("r2", "r3")]
            await asyncio.sleep(0.2)
            assert wanted(tmp_path, ["b.org", "a.org"]) == "a.org"
            both[1].cancel()
            await asyncio.wait(both[1:])
            assert wanted(tmp_path, ["a.org"]) == "a.org"
        assert await asyncio.wait_for(both[0], 5) == 1
        assert wanted(tmp_path, ["a.org"]) is None

    async def taken(data: Path, **more: object) -> int:
        async with hold_hosts(data, ["a.org"], **more) as held:
            return len(held)

    asyncio.run(scenario())


def test_a_patient_one_takes_the_sites_that_are_free(tmp_path: Path) -> None:
    """Of three sites one is crawled and one wanted: the third is taken, whole; when nothing is free, it waits."""
    sites = {"one": ["a.org", "b.org"], "two": ["c.org"], "three": ["d.org"]}
    said: list[str] = []

    def patient(names: tuple[str, ...]) -> object:
        chosen = {name: sites[name] for name in names}
        return hold_free(tmp_path, chosen, what="the backfill", run_id="r2", say=said.append)

    async def scenario() -> None:
        nightly = {"what": "the nightly crawl", "run_id": "r1", "say": say_nothing}
        async with hold_hosts(tmp_path, ["b.org", "d.org"], wait=False, **nightly):
            urgent = asyncio.ensure_future(asyncio.wait_for(queue(nightly), 20))
            await asyncio.sleep(0.2)
            async with patient(("one", "two", "three")) as (free, descriptors):
                assert free == ("two",)
                assert len(descriptors) == 1
            waiting = asyncio.ensure_future(first(patient(("one", "three"))))
            await asyncio.sleep(0.7)
            assert not waiting.done()
            assert len(said) == 1
            assert "nightly crawl" in said[0]
        await urgent
        assert await asyncio.wait_for(waiting, 5) in {("one",), ("one", "three")}

    async def queue(nightly: dict) -> None:
        async with hold_hosts(tmp_path, ["d.org"], wait=True, urgent=True, **nightly):
            await asyncio.sleep(1)

    async def first(patience: object) -> tuple[str, ...]:
        async with patience as (free, _):
            return free

    asyncio.run(scenario())
