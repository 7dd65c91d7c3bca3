"""Pages that ask for no copy to be kept: their articles stay, the responses go as soon as those are in the store."""

from pathlib import Path

import duckdb

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


PATHS = {"/2026/kept-for-good": article("Kept"), "/2026/not-to-be-kept": article("Shy", "noarchive")}


def test_noarchive_is_honoured_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    """All articles are in the store; of the one that asks for it the response is gone, and the store says why."""
    (tmp_path / "sites").mkdir()
    (tmp_path / "nightdesk.toml").write_text("catalogue = false\n", encoding="utf-8")
    with Origin() as origin:
        for setting in ("honour", "keep"):
            host = f"{setting}.localhost"
            links = "".join(f"<item><link>{origin.url(path, host)}</link></item>" for path in PATHS)
            feed = Reply(f"<rss><channel>{links}</channel></rss>", type="application/rss+xml")
            origin.routes |= {f"{host}/feed": feed} | {host + path: reply for path, reply in PATHS.items()}
            tables = {"sources": {"feeds": [origin.url("/feed", host)]}, "rights": {"noarchive": setting}}
            site_file(tmp_path / "sites", setting, origin.url(host=host), politeness={"delay_s": 0}, **tables)
        run_line(tmp_path)
        wanted = {origin.url(path, f"{setting}.localhost") for path in PATHS for setting in ("honour", "keep")}
    assert stored_articles(tmp_path) == wanted
    with duckdb.connect(str(tmp_path / "store" / "published.duckdb"), read_only=True) as store:
        query = "SELECT site || ' ' || split_part(url, '/', -1), capture_file FROM fetches"
        files = dict(store.execute(query).fetchall())
    for page, file in files.items():
        goes = page == "honour not-to-be-kept"
        assert (tmp_path / file).exists() is not goes, page
        assert ("noarchive" in (why_dropped(tmp_path, file) or "")) is goes, page
    assert len(files) == 4
    assert not list(tmp_path.glob("captures/*/*.noarchive-*.warc.gz*"))
