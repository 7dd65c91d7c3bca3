"""The extraction workers: every page is answered, and a worker's end costs one page."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from extraction.records import Article, Capture, Discovery, Outcome, Page, Rejection
from flows.pool import Pool

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


@pytest.fixture
def pool() -> Iterator[Pool]:
    with Pool(2) as pool:
        yield pool


def test_each_page_is_answered_once_with_its_own_extraction(pool: Pool) -> None:
    """Forty pages over two workers: forty answers, each with the text of its page."""
    answers = {
        asked.capture.offset: extraction.result for asked, extraction in pool.extract(page(n) for n in range(40))
    }
    assert sorted(answers) == list(range(40))
    for number, article in answers.items():
        assert isinstance(article, Article)
        assert TEXT.format(n=f"{number} and 3") in article.article_body
    assert pool.restarts == 0


def test_a_large_page_does_not_block_the_others(pool: Pool) -> None:
    """Pages of a megabyte, larger than what a socket holds, pass beside small ones."""
    padding = b"<!-- " + b"x" * 1_000_000 + b" -->"
    pages = [page(n, (page(n).body + padding) if n % 3 == 0 else None) for n in range(12)]
    assert sorted(asked.capture.offset for asked, _ in pool.extract(pages)) == list(range(12))


def test_a_killed_worker_costs_one_page_at_most(pool: Pool) -> None:
    """SIGKILL amid the work: all pages are answered, at most those in work then are failed, with their capture named."""
    answers = []
    for answer in pool.extract(page(n) for n in range(60)):
        answers.append(answer)
        if len(answers) == 10:
            os.kill(pool.pids()[0], signal.SIGKILL)
    failed = [extraction.result for _, extraction in answers if isinstance(extraction.result, Rejection)]
    assert sorted(asked.capture.offset for asked, _ in answers) == list(range(60))
    assert len(failed) <= 1
    assert all(r.outcome is Outcome.EXTRACTION_FAILED and "SIGKILL" in r.reason for r in failed)
    assert all("captures/r/a-00000.warc.gz at byte" in r.reason for r in failed)
    assert pool.restarts == 1


def test_a_page_that_takes_too_long_is_an_outcome() -> None:
    """With a millisecond a page, every page is cut off by the kernel, says so, and the pool goes on."""
    with Pool(1, page_cpu_s=0.001) as pool:
        answers = [extraction.result for _, extraction in pool.extract(page(n) for n in range(2))]
    assert [r.outcome for r in answers if isinstance(r, Rejection)] == [Outcome.EXTRACTION_TIMEOUT] * 2


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
        answered.append(asked.capture.offset)
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
