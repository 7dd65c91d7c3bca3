"""The whole line over real pages of many publishers, where they are at hand (they are not ours to ship)."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from extraction.records import OPEN_OUTCOMES, Outcome

PAGES = Path(__file__).parents[3] / "shared" / "bench" / "dev"

SITE = """\
name = "real-pages"
title = "Real pages"
url = "http://real-pages.localhost:{port}/"
country = "be"
languages = ["en"]
time_zone = "UTC"
enabled = true
[sources]
sitemaps = ["http://real-pages.localhost:{port}/sitemap.xml"]
[politeness]
delay_s = 0.0
[network]
allow = ["127.0.0.0/8"]
"""


@contextmanager
def served(pages: dict[str, bytes]) -> Iterator[int]:
    """Serve the pages, with a sitemap of them all, on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            port = self.server.server_address[1]
            if self.path == "/sitemap.xml":
                locs = "".join(f"<url><loc>http://real-pages.localhost:{port}/{name}</loc></url>" for name in pages)
                ns = "http://www.sitemaps.org/schemas/sitemap/0.9"
                status, kind, body = 200, "application/xml", f'<urlset xmlns="{ns}">{locs}</urlset>'.encode()
            elif self.path[1:] in pages:
                status, kind, body = 200, "text/html", pages[self.path[1:]]
            else:
                status, kind, body = 404, "text/plain", b"no such page"
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.prefect
@pytest.mark.skipif(not PAGES.is_dir(), reason="the measuring set of real pages is not beside the checkout")
def test_every_real_page_ends_in_an_outcome_and_none_in_an_exception(tmp_path: Path, nightdesk) -> None:
    """Of some four hundred real pages each one is an article or is rejected for what it is; nothing fails."""
    ids = [json.loads(line)["id"] for line in (PAGES / "gold.jsonl").read_text(encoding="utf-8").splitlines()]
    pages = {f"news/{i}.html": gzip.decompress((PAGES / "html" / f"{i}.html.gz").read_bytes()) for i in ids}
    with served(pages) as port:
        (tmp_path / "sites").mkdir()
        (tmp_path / "sites" / "real-pages.toml").write_text(SITE.format(port=port), encoding="utf-8")
        (tmp_path / "nightdesk.toml").write_text("catalogue = false\n", encoding="utf-8")
        nightdesk("crawl", data=tmp_path)
    counts = {
        row["outcome"]: row["n"]
        for row in json.loads(
            nightdesk("sql", "--json", "select outcome, count(*) as n from urls group by all", data=tmp_path).stdout
        )
    }
    assert sum(counts.values()) == len(pages)
    assert not {Outcome.EXTRACTION_FAILED, Outcome.EXTRACTION_TIMEOUT, *OPEN_OUTCOMES} & set(counts), counts
    # Every page of the set is an article by hand-made gold; a few carry the canonical URL of another one.
    assert counts["loaded"] + counts.get("duplicate", 0) >= 0.97 * len(pages), counts
