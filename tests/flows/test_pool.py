"""The extraction workers: every page is answered, and a worker's end costs one page."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from extraction.records import Capture, Discovery, Outcome, Page
from flows.pool import Item, Pool
from spiders.captures import SegmentWriter, records, warc_of
from storage.rows import ARTICLE, ARTICLE_COLUMNS, FETCH, PageRows

TEXT = "The harbour office said on Tuesday that {n} boats had come in before the storm, and that none was missing."


def page(number: int, body: bytes | None = None) -> Page:
    url = f"http://pool.localhost/news/{number}"
    paragraphs = "".join(f"<p>{TEXT.format(n=f'{number} and {i}')}</p>" for i in range(6))
    html = f"<html><head><title>Boats {number}</title></head><body><article><h1>Boats {number}</h1>{paragraphs}</article></body></html>"
    return Page(
        discovery=Discovery(url=url, site="pool", found_in="list", found_by="list"),
        final_url=url,
        status=200,
        headers=(("Content-Type", "text/html; charset=utf-8"),),
        fetched_at=datetime(2026, 11, 23, tzinfo=UTC),
        body=html.encode() if body is None else body,
        capture=Capture(file="captures/r/a-00000.warc.gz", offset=number),
    )


def place(item: Item) -> int:
    return item.capture.offset if isinstance(item, Page) else item.offset


def fetch(rows: PageRows | str) -> dict[str, Any]:
    assert isinstance(rows, PageRows)
    return dict(zip(FETCH, rows.fetch, strict=True))


def article(rows: PageRows | str) -> dict[str, Any]:
    assert isinstance(rows, PageRows)
    assert rows.article is not None
    return dict(zip(ARTICLE_COLUMNS, rows.article, strict=True))


@pytest.fixture
def pool() -> Iterator[Pool]:
    with Pool(2) as pool:
        yield pool


def test_each_page_is_answered_once_with_its_own_extraction(pool: Pool) -> None:
    """Forty pages over two workers: forty answers, each with the text of its page."""
    answers = {place(asked): rows for asked, rows in pool.extract(page(n) for n in range(40))}
    assert sorted(answers) == list(range(40))
    for number, rows in answers.items():
        assert TEXT.format(n=f"{number} and 3") in article(rows)["article_body"]
    assert pool.restarts == 0


def test_a_page_in_a_capture_gives_the_same_rows_as_the_page_itself(tmp_path: Path) -> None:
    """The worker reads the record; what it answers is what it answers to the page that was captured."""
    writer = SegmentWriter(tmp_path / "captures" / "r", "a", data=tmp_path, software="test")
    pages = [page(n) for n in range(5)]
    for each in pages:
        writer.write(
            each.discovery,
            final_url=each.final_url,
            status=200,
            headers=each.headers,
            body=each.body,
            fetched_at=each.fetched_at,
        )
    journal = writer.rotate()
    assert journal is not None
    warc = warc_of(journal)
    assert warc is not None
    with Pool(1, data=tmp_path) as pool:
        captured = list(pool.extract(records(warc, data=tmp_path, damaged=refuse)))
        given = [rows for _, rows in pool.extract(pages)]
    assert len(captured) == 5
    for (_, rows), own in zip(captured, given, strict=True):
        assert article(rows) == article(own)
        assert article(rows)["date_published"] is None
        assert fetch(rows)["ended_at"] == datetime(2026, 11, 23, tzinfo=UTC)
        assert fetch(rows)["body_bytes"] == fetch(own)["body_bytes"]


def test_a_record_that_cannot_be_read_is_told_with_its_reason(tmp_path: Path) -> None:
    """No worker dies of a capture that is gone or torn: the answer says why."""
    (tmp_path / "torn.warc.gz").write_bytes(b"\x1f\x8b\x08 and no more")
    items = [Capture(file="gone.warc.gz", offset=0), Capture(file="torn.warc.gz", offset=0)]
    with Pool(1, data=tmp_path) as pool:
        gone, torn = (answer for _, answer in pool.extract(items))
        assert pool.restarts == 0
    assert isinstance(gone, str)
    assert "No such file" in gone
    assert isinstance(torn, str)
    assert "torn" in torn or "damaged" in torn


def refuse(offset: int, reason: str) -> None:
    raise AssertionError(f"{offset}: {reason}")


def test_a_large_page_does_not_block_the_others(pool: Pool) -> None:
    """Pages of a megabyte, larger than what a socket holds, pass beside small ones."""
    padding = b"<!-- " + b"x" * 1_000_000 + b" -->"
    pages = [page(n, (page(n).body + padding) if n % 3 == 0 else None) for n in range(12)]
    assert sorted(place(asked) for asked, _ in pool.extract(pages)) == list(range(12))


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGSEGV, signal.SIGBUS], ids=lambda death: death.name)
def test_a_killed_worker_costs_one_page_at_most(death: signal.Signals) -> None:
    """Dead of a fault in C code amid the work: all pages are answered, the one in work is failed, with its capture named. SIGKILL says nothing of a page: that one is tried again."""
    answers = []
    with Pool(1) as pool:
        for answer in pool.extract(page(n) for n in range(30)):
            answers.append(answer)
            if len(answers) == 10:
                os.kill(pool.pids()[0], death)
        assert pool.restarts == 1
    failed = [fetch(rows) for _, rows in answers if fetch(rows)["outcome"] != ARTICLE]
    assert sorted(place(asked) for asked, _ in answers) == list(range(30))
    assert len(failed) == (death != signal.SIGKILL)
    assert all(each["outcome"] == Outcome.EXTRACTION_FAILED and death.name in each["reason"] for each in failed)
    assert all("captures/r/a-00000.warc.gz at byte" in each["reason"] for each in failed)


def test_a_page_under_which_two_workers_are_killed_is_an_outcome() -> None:
    """As where the kernel ends whoever takes all memory: the page is tried twice and then failed, and the page behind it is read."""
    slow = page(0, b"<html><body><article>" + b"<p>The <b>boats</b> came in, and none was lost in it.</p>" * 45_000)
    with Pool(1) as pool, ThreadPoolExecutor(1) as executioner:
        killed = executioner.submit(kill_two_at_work, pool)
        answers = [(place(asked), fetch(rows)["outcome"]) for asked, rows in pool.extract([slow, page(1)])]
        assert len(killed.result()) == pool.restarts == 2
    assert answers == [(0, Outcome.EXTRACTION_FAILED), (1, ARTICLE)]


def kill_two_at_work(pool: Pool) -> set[int]:
    """Kill two workers, each when it has computed for longer than any takes to start."""
    killed: set[int] = set()
    deadline = time.monotonic() + 60
    while len(killed) < 2 and time.monotonic() < deadline:
        for pid in set(pool.pids()) - killed:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            if (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") > 1.6:
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
        time.sleep(0.01)
    return killed


def test_a_page_that_takes_too_long_is_an_outcome() -> None:
    """With a millisecond a page, every page is cut off by the kernel, says so, and the pool goes on."""
    with Pool(1, page_cpu_s=0.001) as pool:
        answers = [fetch(rows)["outcome"] for _, rows in pool.extract(page(n) for n in range(2))]
    assert answers == [Outcome.EXTRACTION_TIMEOUT] * 2


def test_a_page_that_takes_all_memory_costs_itself_alone() -> None:
    """A page whose tree does not fit into the worker's memory is an outcome; the pages before and behind it are read."""
    hungry = b"<html><body><article>" + b"<p><b>a</b> word</p>" * 45_000 + b"</article></body></html>"
    pages = [page(0), page(1, hungry), page(2)]
    with Pool(1, memory_bytes=64 << 20) as pool:
        answers = {place(asked): fetch(rows) for asked, rows in pool.extract(pages)}
    assert (answers[1]["outcome"], "memory" in answers[1]["reason"].lower()) == (Outcome.EXTRACTION_FAILED, True)
    assert [answers[number]["outcome"] for number in (0, 2)] == [ARTICLE, ARTICLE]


def test_nothing_at_the_moment_does_not_hold_back_answers(pool: Pool) -> None:
    """While the source has no page, the answers to earlier ones come; the source is asked again."""
    seen_before_end = threading.Event()

    def pages() -> Iterator[Page | None]:
        yield page(1)
        deadline = time.monotonic() + 30
        while not seen_before_end.is_set() and time.monotonic() < deadline:
            yield None
        yield page(2)

    answered = []
    for asked, _ in pool.extract(pages()):
        answered.append(place(asked))
        seen_before_end.set()
    assert answered == [1, 2]


def test_workers_end_with_the_pool(pool: Pool) -> None:
    """No process is left behind."""
    list(pool.extract([page(1)]))
    pids = pool.pids()
    assert pids
    pool.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
