"""Pages that ask for no copy to be kept: their articles stay, the responses go as soon as those are in the store."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from storage.retention import why_dropped
from tests.flows.world import run_line, stored_articles
from tests.spiders.conftest import site_file
from tests.spiders.origin import Origin, Reply

TEXT = "".join(
    f"<p>Paragraph {n} of the report says that the ferry to the islands sails again from Monday, after {n} weeks of repairs"
    " in the yard, and that passengers may use their old tickets until the end of the year.</p>"
    for n in range(2, 9)
)
HEAD = (
    '<meta property="og:type" content="article"><meta property="article:published_time" content="2026-11-20T09:00:00Z">'
)


def article(title: str, robots: str = "") -> Reply:
    meta = f'<meta name="robots" content="{robots}">' if robots else ""
    return Reply(
        f"<html lang='en'><head><title>{title}</title>{HEAD}{meta}</head>"
        f"<body><article><h1>{title}</h1>{TEXT.replace('ferry', title)}</article></body></html>"
    )


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as served:
        served.routes |= {"/2026/kept-for-good": article("Kept"), "/2026/not-to-be-kept": article("Shy", "noarchive")}
        links = "".join(f"<item><link>{served.url(path)}</link></item>" for path in list(served.routes))
        served.routes["/feed"] = Reply(f"<rss><channel>{links}</channel></rss>", type="application/rss+xml")
        yield served


@pytest.mark.parametrize("setting", ["honour", "keep"])
def test_noarchive_is_honoured_unless_the_file_says_otherwise(origin: Origin, tmp_path: Path, setting: str) -> None:
    """Both articles are in the store; of the one that asks for it the response is gone, and the store says why."""
    (tmp_path / "sites").mkdir()
    (tmp_path / "nightdesk.toml").write_text("catalogue = false\n", encoding="utf-8")
    tables = {"sources": {"feeds": [origin.url("/feed")]}, "rights": {"noarchive": setting}}
    site_file(tmp_path / "sites", "harbour", origin.url(), politeness={"delay_s": 0}, **tables)
    run_line(tmp_path)
    assert stored_articles(tmp_path) == {origin.url("/2026/kept-for-good"), origin.url("/2026/not-to-be-kept")}
    with duckdb.connect(str(tmp_path / "store" / "published.duckdb"), read_only=True) as store:
        files = dict(store.execute("SELECT split_part(url, '/', -1), capture_file FROM fetches").fetchall())
    assert (tmp_path / files["kept-for-good"]).exists()
    assert (tmp_path / files["not-to-be-kept"]).exists() is (setting == "keep")
    assert ("noarchive" in (why_dropped(tmp_path, files["not-to-be-kept"]) or "")) is (setting == "honour")
    assert why_dropped(tmp_path, files["kept-for-good"]) is None
    assert not list(tmp_path.glob("captures/*/*.noarchive-*.warc.gz*"))
