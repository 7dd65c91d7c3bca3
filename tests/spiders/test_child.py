"""The spider as a child process: told to stop, killed, unheard, out of disk, or given a job that cannot be done."""

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from spiders.captures import closed_segments, read_journal, recover
from tests.spiders.conftest import finish, start
from tests.spiders.origin import Asked, Origin, Reply
from tests.spiders.served import PAGE, until


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "parent gone"])
def test_told_to_stop_it_keeps_what_it_has(origin: Origin, tmp_path: Path, how: str) -> None:
    """It asks for nothing more within a second, closes its segment, exits 0; what was not asked for stays pending."""
    origin.routes |= {"/robots.txt": Reply(status=404)} | {f"/a/{n}": PAGE for n in range(500)}
    urls = [["s", origin.url(f"/a/{n}")] for n in range(500)]
    process = start(tmp_path, {"s": {"url": origin.url()}}, urls=urls)
    until(lambda: len(origin.asked) > 20)
    if how == "parent gone":
        assert process.stdin is not None
        process.stdin.close()
    else:
        process.send_signal(getattr(signal, how))
    told = time.monotonic()
    if how == "parent gone":
        process.wait(30)
        process.stdin = Path(os.devnull).open()  # noqa: SIM115 - finish() closes it
    crawled = finish(process, tmp_path)
    assert time.monotonic() - told < 10
    assert crawled.code == 0
    assert crawled.events[-1] == {"event": "finished", "reason": "cancelled"}
    assert max(asked.at for asked in origin.asked) < told + 1
    assert len(crawled.pages) == sum(path.startswith("/a/") for path in origin.paths())
    assert len(crawled.discovered) == 500
    assert set(crawled.outcomes.values()) == {"page"}
    crawled.assert_sums()


def test_a_request_under_way_does_not_hold_up_the_end(origin: Origin, tmp_path: Path) -> None:
    """A hanging answer is cut off in time, and its URL stays pending."""

    async def silent(_: Asked, reader: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        origin.routes["seen"] = PAGE
        await reader.read()

    origin.routes |= {"/robots.txt": Reply(status=404), "/a": silent}
    process = start(tmp_path, {"s": {"url": origin.url()}}, urls=[["s", origin.url("/a")]], timeout_s=60)
    until(lambda: "seen" in origin.routes)
    told = time.monotonic()
    process.send_signal(signal.SIGTERM)
    crawled = finish(process, tmp_path)
    assert crawled.code == 0
    assert time.monotonic() - told < 25
    assert crawled.outcomes == {}
    crawled.assert_sums()


def test_a_second_signal_ends_it_at_once(origin: Origin, tmp_path: Path) -> None:
    """Exit code 130 without waiting for anything; the segment is left to recovery."""

    async def silent(_: Asked, reader: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        origin.routes["seen"] = PAGE
        await reader.read()

    origin.routes |= {"/robots.txt": Reply(status=404), "/a": silent}
    process = start(tmp_path, {"s": {"url": origin.url()}}, urls=[["s", origin.url("/a")]], timeout_s=60)
    until(lambda: "seen" in origin.routes)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert process.wait(5) == 130
    assert len(recover(tmp_path / "captures" / "r1")) == 1
    finish(process, tmp_path)


def test_a_parent_that_does_not_read_does_not_hold_up_the_crawl(origin: Origin, tmp_path: Path) -> None:
    """With a full pipe on standard output the pages go on coming in."""
    hosts = [f"h{n}.localhost" for n in range(60)]
    origin.routes |= {"/robots.txt": Reply(status=404)} | {f"/{n}": PAGE for n in range(4)}
    urls = [[f"h{n}", origin.url(f"/{k}", host)] for n, host in enumerate(hosts) for k in range(4)]
    polite = {"politeness": {"delay_s": 0.7}}  # beyond the first events of progress, 5 KB each
    sites = {f"h{n}": {"url": origin.url(host=host), **polite} for n, host in enumerate(hosts)}
    process = start(tmp_path, sites, urls=urls, preload="import fcntl; fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 4096)")
    until(lambda: sum(asked.path in {"/0", "/1", "/2", "/3"} for asked in origin.asked) == 60 * 4, seconds=60)
    assert finish(process, tmp_path).events[-1]["event"] == "finished"


def test_killed_it_loses_nothing_that_was_written(origin: Origin, tmp_path: Path) -> None:
    """After SIGKILL each page that was answered and each discovery is in the recovered segment; the rest is pending."""
    origin.routes |= {"/robots.txt": Reply(status=404)} | {f"/a/{n}": PAGE for n in range(500)}
    urls = [["s", origin.url(f"/a/{n}")] for n in range(500)]
    process = start(tmp_path, {"s": {"url": origin.url()}}, urls=urls)
    until(lambda: len(origin.asked) > 30)
    process.kill()
    process.wait()
    folder = tmp_path / "captures" / "r1"
    assert closed_segments(folder) == []
    assert len(recover(folder)) == 1
    crawled = finish(process, tmp_path)
    assert len(crawled.discovered) == 500
    asked = {path for path in origin.paths() if path.startswith("/a/")}
    assert len(asked - set(crawled.outcomes)) <= 1
    assert [e for e in crawled.entries if e["kind"] == "finished"] == []


def test_segments_close_while_the_crawl_goes_on(origin: Origin, tmp_path: Path) -> None:
    """Segments rotate by size and age; each is told as an event and holds what the others do not."""
    origin.routes |= {"/robots.txt": Reply(status=404)} | {f"/a/{n}": Reply("x" * 3000) for n in range(40)}
    urls = [["s", origin.url(f"/a/{n}")] for n in range(40)]
    crawled = finish(start(tmp_path, {"s": {"url": origin.url()}}, urls=urls, segment_bytes=20_000), tmp_path)
    told = [event["path"] for event in crawled.events if event["event"] == "segment"]
    assert told == [str(path) for path in closed_segments(tmp_path / "captures" / "r1")]
    assert len(told) >= 2
    assert len(crawled.pages) == 40
    assert [[e["kind"] for e in read_journal(Path(path))].count("finished") for path in told] == [0] * (
        len(told) - 1
    ) + [1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"contact": None, "sites": "public"}, ["no contact", "nightdesk.toml", "public site"]),
        ({"colour": "red"}, ["r1.json", "colour"]),
        ({"mode": "hourly"}, ["r1.json", "mode", "hourly"]),
        ({"first_day": "2026-02-30"}, ["r1.json", "first_day"]),
        ({"first_day": "2026-02-03", "last_day": "2026-02-01"}, ["last_day", "before"]),
        ({"captures": "/elsewhere"}, ["captures", "below data"]),
        ({"shard": "../x"}, ["shard"]),
        ({"limit_pages": 0}, ["limit_pages"]),
    ],
)
def test_a_job_that_cannot_be_done_is_one_clear_message(
    tmp_path: Path, change: dict[str, Any], words: list[str]
) -> None:
    """Exit code 2 and a line that names file, key and mend, before anything is asked for."""
    url = "https://www.politico.eu/" if change.pop("sites", None) else "http://site.localhost/"
    crawled = finish(start(tmp_path, {"s": {"url": url}}, **change), tmp_path)
    assert crawled.code == 2
    assert len(crawled.errors.strip().splitlines()) == 1
    for word in words:
        assert word in crawled.errors


def test_a_full_disk_ends_the_crawl_with_a_clear_error(origin: Origin, tmp_path: Path) -> None:
    """Exit code 1 and a line with path and bytes; what was written before is whole."""
    origin.routes |= {"/robots.txt": Reply(status=404)} | {f"/a/{n}": Reply("x" * 9000) for n in range(50)}
    urls = [["s", origin.url(f"/a/{n}")] for n in range(50)]
    preload = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (12000, 12000))"
    crawled = finish(start(tmp_path, {"s": {"url": origin.url()}}, urls=urls, preload=preload), tmp_path)
    assert crawled.code == 1
    assert "bytes more are needed" in crawled.errors
    assert "s0-00000" in crawled.errors
    [journal] = recover(tmp_path / "captures" / "r1") or closed_segments(tmp_path / "captures" / "r1")
    assert journal.exists()
