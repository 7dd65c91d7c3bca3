"""Extraction beside its peers: quality and CPU on the same pages in one run.

    python benchmarks/extraction.py [--data FOLDER] [--peers PYTHON] [--json]

FOLDER has `gold.jsonl` (id, url, body, title, date, authors, source) and `html/ID.html.gz`; without one, pages of
`planted.py` are used, so that it runs anywhere. The peers run in an environment of their own: PYTHON is its
interpreter,
`newspaper4k readability-lxml resiliparse news-please lxml_html_clean` are what it may have, and each is left out where
it is not installed. trafilatura runs in this one. Every page goes through all of them in turn, so that a busy machine
is as slow for one as for the other; CPU is of the call alone, in the process that makes it.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
from grams import WORD, Overlap, overlap, rates

Extractor = Callable[[bytes, str], dict[str, Any]]

#: Runs in the peers' environment: reads [path, url] a line, writes {"name", "cpu_s", "text", "title"} a peer and line.
PEERS = """
import gzip, json, sys, time, warnings, logging
warnings.filterwarnings("ignore"); logging.disable(logging.CRITICAL)
found = {}
try:
    import newspaper
    def news(html, url):
        a = newspaper.Article(url); a.download(input_html=html); a.parse()
        return a.text, a.title
    found["newspaper4k"] = news
except ImportError: pass
try:
    from readability import Document
    import lxml.html
    def read(html, url):
        d = Document(html); return lxml.html.fromstring(d.summary()).text_content(), d.short_title()
    found["readability-lxml"] = read
except ImportError: pass
try:
    from resiliparse.extract.html2text import extract_plain_text
    found["resiliparse"] = lambda html, url: (extract_plain_text(html, main_content=True), None)
except ImportError: pass
try:
    from newsplease import NewsPlease
    def please(html, url):
        a = NewsPlease.from_html(html, url=url); return a.maintext, a.title
    found["news-please"] = please
except ImportError: pass
print(json.dumps(sorted(found)), flush=True)
for line in sys.stdin:
    path, url = json.loads(line); html = gzip.open(path).read().decode("utf-8", "replace"); out = []
    for name in sorted(found):
        start = time.process_time()
        try: text, title = found[name](html, url)
        except Exception: text, title = None, None
        out.append({"name": name, "cpu_s": time.process_time() - start, "text": text or "", "title": title or ""})
    print(json.dumps(out), flush=True)
"""


@dataclass
class Score:
    """What one extractor did on the pages of one source."""

    overlaps: list[Overlap] = field(default_factory=list)
    titles: list[bool] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    errors: int = 0

    def row(self) -> dict[str, float]:
        """The figures of one line of the table; times in milliseconds of CPU."""
        p, r, f = rates(self.overlaps)
        times = sorted(self.cpu_s)
        return {
            "f1": round(f, 4), "precision": round(p, 4), "recall": round(r, 4),
            "title": round(sum(self.titles) / len(self.titles), 3) if self.titles else float("nan"),
            "ms": round(1000 * sum(times) / len(times), 2),
            "ms_p95": round(1000 * times[int(0.95 * (len(times) - 1))], 1),
            "ms_max": round(1000 * times[-1], 1), "errors": self.errors, "pages": len(times),
        }  # fmt: skip


def plain(text: str) -> str:
    return " ".join(WORD.findall(unicodedata.normalize("NFKC", text or "").casefold()))


def trafilatura_as(**options: bool) -> Extractor:
    from trafilatura import bare_extraction

    def run(html: bytes, url: str) -> dict[str, Any]:
        found = bare_extraction(
            html.decode("utf-8", "replace"), url=url, with_metadata=True, include_comments=False, **options
        )
        return {"text": getattr(found, "text", ""), "title": getattr(found, "title", "")}

    return run


def own() -> dict[str, Extractor]:
    from extraction.bench import extract

    return {
        "nightdesk": extract,
        "trafilatura": trafilatura_as(),
        "trafilatura precision": trafilatura_as(favor_precision=True),
        "trafilatura fast": trafilatura_as(fast=True),
    }


class Peers:
    """The peers' process, asked page by page; names nobody where no interpreter is given."""

    def __init__(self, python: str | None) -> None:
        # Some peers look things up on the net while they parse; a closed proxy makes them go on without.
        offline = {**os.environ, "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
        self.process = (
            subprocess.Popen(
                [python, "-c", PEERS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=offline
            )
            if python
            else None
        )
        self.names: list[str] = self._read() if self.process else []

    def _read(self) -> Any:  # noqa: ANN401 - JSON
        assert self.process
        assert self.process.stdout
        return json.loads(self.process.stdout.readline() or "[]")

    def ask(self, path: Path, url: str) -> list[dict[str, Any]]:
        """What each peer makes of a page."""
        if not self.process:
            return []
        assert self.process.stdin
        self.process.stdin.write(json.dumps([str(path), url]) + "\n")
        self.process.stdin.flush()
        found: list[dict[str, Any]] = self._read()
        return found


def timed(run: Extractor, html: bytes, url: str) -> tuple[dict[str, Any], float, bool]:
    start = time.process_time()
    try:
        return run(html, url), time.process_time() - start, False
    except Exception:  # noqa: BLE001 - a peer's crash is its result
        return {}, time.process_time() - start, True


def pages(folder: Path) -> Iterator[tuple[dict[str, Any], Path]]:
    for line in (folder / "gold.jsonl").read_text("utf-8").splitlines():
        gold = json.loads(line)
        yield gold, folder / "html" / f"{gold['id']}.html.gz"


def measure(folder: Path, peers: Peers) -> dict[tuple[str, str], Score]:
    """Scores by (source, extractor)."""
    scores: dict[tuple[str, str], Score] = {}
    extractors = own()
    for warm, path in list(pages(folder))[:3]:
        for run in extractors.values():
            timed(run, gzip.decompress(path.read_bytes()), warm["url"])
    order = list(extractors)
    for gold, path in pages(folder):
        html = gzip.decompress(path.read_bytes())
        order.append(order.pop(0))  # the first on a page finds the caches cold, so each is first in its turn
        results = [(name, *timed(extractors[name], html, gold["url"])) for name in order]
        results += [(peer["name"], peer, peer["cpu_s"], not peer["text"]) for peer in peers.ask(path, gold["url"])]
        for name, out, cpu_s, failed in results:
            score = scores.setdefault((gold["source"], name), Score())
            score.overlaps.append(overlap(gold["body"], out.get("text") or ""))
            score.cpu_s.append(cpu_s)
            score.errors += failed
            if gold.get("title"):
                score.titles.append(plain(out.get("title") or "") == plain(gold["title"]))
    return scores


def table(scores: dict[tuple[str, str], Score]) -> str:
    lines = [
        "| set | extractor | F1 | precision | recall | title | CPU ms a page | p95 | × trafilatura |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for (source, name), score in sorted(scores.items(), key=lambda item: (item[0][0], -rates(item[1].overlaps)[2])):
        row, reference = score.row(), scores[source, "trafilatura"].row()
        title = f"{row['title']:.3f}" if score.titles else "–"
        lines.append(
            f"| {source} ({row['pages']}) | {name} | {row['f1']:.4f} | {row['precision']:.4f} | {row['recall']:.4f} "
            f"| {title} | {row['ms']:.1f} | {row['ms_p95']:.0f} | {reference['ms'] / row['ms']:.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path)
    arguments.add_argument("--peers", metavar="PYTHON")
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as made:
        if given.data is None:
            from planted import pages as planted_pages
            from planted import write

            write(Path(made), planted_pages(600, 4))
        scores = measure(given.data or Path(made), Peers(given.peers))
    if given.json:
        print(json.dumps({f"{source} {name}": score.row() for (source, name), score in scores.items()}, indent=1))
    else:
        print(table(scores))


if __name__ == "__main__":
    main()
