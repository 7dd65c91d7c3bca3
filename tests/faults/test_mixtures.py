"""Drawn mixtures of faults, a crawl of twenty sites a seed: whatever happens, the ledger sums to what was discovered.

`FAULT_SEEDS=1000 pytest tests/faults/test_mixtures.py` tries more; up to fifty seeds share a spider.
"""

import os
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from flows.ingest import Ingest, unextracted
from flows.pool import Pool
from tests.faults.mixture import SITES, lay_out
from tests.spiders.conftest import finish, start
from tests.spiders.origin import Origin

pytestmark = pytest.mark.faults
SEEDS, FIRST = int(os.environ.get("FAULT_SEEDS", "5")), int(os.environ.get("FAULT_FIRST", "0"))
BATCHES = [range(n, min(n + 50, FIRST + SEEDS)) for n in range(FIRST, FIRST + SEEDS, 50)]


@pytest.mark.parametrize("seeds", BATCHES, ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}")
def test_any_mixture_of_faults_sums(tmp_path: Path, seeds: range) -> None:
    """Each URL that a seed discovered has one end in the journal and one row with one outcome in the store, and no site is passed over."""
    with Origin() as origin:
        sites = dict(site for seed in seeds for site in lay_out(origin, seed))
        process = start(tmp_path, sites, timeout_s=1.5, patience_s=2)
        crawled = finish(process, tmp_path, timeout_s=400)
    assert (crawled.code, crawled.errors) == (0, "")
    assert not [e for e in crawled.events if e["event"] == "log" and e["level"] == "error"]
    crawled.assert_sums()
    assert {e["site"] for e in crawled.entries if e["kind"] == "source"} == set(sites)
    discovered = Counter(e["site"] for e in crawled.entries if e["kind"] == "discovered")
    ended = Counter(e["site"] for e in crawled.entries if e["kind"] == "outcome")
    ended += Counter(page.discovery.site for page in crawled.pages)
    assert ended == discovered
    assert ledger(tmp_path) == discovered
    for seed in seeds:
        assert sum(discovered[f"s{seed}-{n}"] for n in range(SITES)) > 40


def ledger(data: Path) -> Counter[str]:
    """Extract and load what was captured; count the store's URLs that have an outcome, by site."""
    said: list[str] = []
    with Pool(1, data=data) as pool:
        ingest = Ingest(data, pool, lambda level, message: said.append(f"{level}: {message}"))
        for segment in unextracted(data):
            ingest.add(segment)
        ingest.finish()
        ingest.run()
    assert said == []
    with duckdb.connect(str(data / "store" / "published.duckdb"), read_only=True) as connection:
        rows = connection.execute("SELECT site, outcome FROM urls").fetchall()
    assert "pending" not in {outcome for _, outcome in rows}
    return Counter(site for site, _ in rows)
