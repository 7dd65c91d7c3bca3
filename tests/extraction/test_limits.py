"""A worker stays as it was: the same page gives the same result for ever, and memory stays flat."""

import ctypes
import gc
import sys
from pathlib import Path

import pytest

from extraction.article import extract
from extraction.limits import reset_caches

WORDS = "harbour minister budget railway school energy river court farm housing plan vote council bridge winter".split()


def page(number: int) -> bytes:
    """A page of about 15 kB whose words are like no other page's, without a declared date so that htmldate runs."""
    text = "".join(
        f"<p>{' '.join(f'{WORDS[(n * 7 + k) % 15]}{number * 31 + k}' for k in range(60))}.</p>" for n in range(16)
    )
    return (
        f"<html lang='en'><head><title>Story {number} - Daily</title></head><body><nav><a href='/'>Home</a></nav><article>"
        f"<h1>Story {number} about the {WORDS[number % 15]} and the {WORDS[number % 13]}</h1>{text}</article>"
        f"<p>Posted on 3 March 2021</p></body></html>"
    ).encode()


def resident_kib() -> int:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def settle() -> None:
    reset_caches()
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and trims glibc's heap")
def test_a_worker_that_never_ends_stays_flat_and_keeps_its_results() -> None:
    """The first page comes out the same after hundreds of others, and these leave less than 10 kB each behind."""
    first = extract(page(0), "https://daily.example/0")
    for number in range(60):
        extract(page(number), f"https://daily.example/{number}")
    settle()
    before = resident_kib()
    for number in range(60, 300):
        extract(page(number), f"https://daily.example/{number}")
    settle()
    assert resident_kib() - before < 240 * 10
    assert extract(page(0), "https://daily.example/0") == first


def test_emptying_the_caches_changes_no_result() -> None:
    """Four times the same page, with and without caches: nothing is dropped as a repetition."""
    results = []
    for _ in range(4):
        results.append(extract(page(7), "https://daily.example/7"))
        results.append(extract(page(7), "https://daily.example/7"))
        reset_caches()
    assert all(result == results[0] for result in results)
    assert len(results[0].result.blocks) == 16
