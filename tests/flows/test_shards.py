"""A run with several spiders: each has sites of its own, and the whole is what one would have made of it."""

from pathlib import Path

from flows.crawl import Progress, SiteProgress
from flows.shards import parted, together
from spiders.captures import read_journal
from spiders.job import Job
from tests.flows.world import Served, run_line, stored_articles

JOB = Job(run_id="r", shard="a", data="d", captures="d/c", sites=["1", "2", "3", "4", "5"], user_agent="Nightdesk")


def test_a_job_is_parted_by_its_sites() -> None:
    """Every site once; no more shards than sites or wanted; a limit of pages keeps the job whole."""
    assert parted(JOB, 1) == [JOB]
    shards = parted(JOB, 2)
    assert [(job.shard, job.sites) for job in shards] == [("a", ["1", "3", "5"]), ("b", ["2", "4"])]
    assert len(parted(JOB, 26)) == 5
    limited = Job(**{name: getattr(JOB, name) for name in JOB.__struct_fields__} | {"limit_pages": 7})
    assert parted(limited, 3) == [limited]


def test_progress_is_heard_as_one() -> None:
    """The sites of all spiders, and the sum of their rates."""
    one = Progress(sites={"a": SiteProgress(discovered=3)}, pages_per_s=1.5)
    two = Progress(sites={"b": SiteProgress(discovered=4)}, pages_per_s=2.0)
    assert together([one, two]) == Progress(sites=one.sites | two.sites, pages_per_s=3.5)


def test_two_spiders_bring_what_one_would(own_newsroom: Served, tmp_path: Path) -> None:
    """All articles are there, each site is one spider's, and no URL was asked for twice."""
    data = own_newsroom.furnish(tmp_path / "data")
    with (data / "nightdesk.toml").open("a", encoding="utf-8") as settings:
        settings.write("spiders = 2\n")
    run_line(data)
    assert stored_articles(data) == {article.url for article in own_newsroom.truth().articles}
    shards: dict[str, set[str]] = {}
    for journal in data.glob("captures/*/*.journal.jsonl"):
        sites = {entry["site"] for entry in read_journal(journal) if "site" in entry}
        shards.setdefault(journal.name.split("-")[0].removesuffix(".noarchive"), set()).update(sites)
    assert set(shards) == {"a", "b"}
    assert not shards["a"] & shards["b"]
    pages = {url: times for url, times in own_newsroom.asked().items() if "/robots.txt" not in url}
    assert max(pages.values()) == 1
