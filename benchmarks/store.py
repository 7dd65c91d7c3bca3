"""The store under load: nightly batches against a bare INSERT … SELECT, publishing against a file copy, the cookbook.

    python benchmarks/store.py --rows 100000 [--json] [--keep FOLDER]

Articles are generated (about 4 KB of text each, from 100,000 sentences over a Zipf vocabulary). The first 100,000 are
loaded through the real loader in batches of 20,000; a larger store's others are copied from them in the store, under
the keys they would have. Then nightly batches of 20,000 (88% new, 10% known, 2% edited) are loaded, each
beside a bare insert of the same Parquet files into a copy of the same store. Ratios are of CPU seconds, which other
programs on the machine disturb less than wall clock; both are printed.
"""

import argparse
import hashlib
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # or extraction.py beside this file would be `extraction`

from storage import database
from storage.batches import SCHEMAS, write_folder
from storage.load import load, pending_folders
from storage.query import Session, cookbook
from storage.rows import ARTICLE
from storage.search import search, update

BATCH = 20_000
FOLDERS = 10  # a batch comes as so many segments
SITES = 50
EPOCH = datetime(2024, 1, 1)  # noqa: DTZ001 -- UTC, as in the store
REMOVED_PER_ARTICLE = 8


class Newsroom:
    """Makes batches of rows as extraction would: deterministic, by numpy and pyarrow."""

    def __init__(self) -> None:
        chance = np.random.default_rng(1)
        letters = np.array(list("etaoinshrdlucmfwypvbgkjqxz"))
        lengths = chance.integers(2, 11, 30_000)
        words = np.array(["".join(chance.choice(letters[: 8 + n % 18], n)) for n in lengths])
        ranks = np.minimum(chance.zipf(1.15, (100_000, 22)), len(words)) - 1
        self.sentences = pa.array([" ".join(words[row]).capitalize() + "." for row in ranks])
        self.words = words

    def batch(self, data: Path, run: str, articles: np.ndarray, version: np.ndarray, at: datetime) -> list[Path]:
        """Write the articles of those numbers, each in that version of its text, as folders; return them."""
        written = []
        for part, (numbers, texts) in enumerate(
            zip(np.array_split(articles, FOLDERS), np.array_split(version, FOLDERS), strict=True)
        ):
            segment = f"a-{part:05}"
            tables = self._tables(run, segment, numbers, texts, at + timedelta(minutes=part))
            written.append(write_folder(data / "extracted" / run / segment, run, segment, tables))
        return written

    def _tables(
        self, run: str, segment: str, numbers: np.ndarray, texts: np.ndarray, at: datetime
    ) -> dict[str, pa.Table]:
        count = len(numbers)
        bodies, places = self._bodies(numbers, texts)
        keys = [_key(str(n)) for n in numbers]
        hashes = [_key(f"{n}/{v}") for n, v in zip(numbers, texts, strict=True)]
        sites = [f"site-{n % SITES:02}" for n in numbers]
        urls = [f"https://{site}.example/2026/story-{n}-of-the-day" for n, site in zip(numbers, sites, strict=True)]
        ended = [at + timedelta(milliseconds=3 * n) for n in range(count)]
        published = [EPOCH + timedelta(minutes=int(n)) for n in numbers]
        headlines = self._cut(numbers, 7)
        common = {"run_id": [run] * count, "segment": [segment] * count, "site": sites, "url_key": keys, "url": urls}
        event = common | {"ended_at": ended, "article_key": keys, "content_hash": hashes, "date_published": published}
        source = {"found_in": [f"https://{site}.example/feed" for site in sites], "found_by": ["feed"] * count}
        capture = f"captures/{run}/{segment}.warc.gz"
        rights = '{"Content-Signal":"search=yes, ai-train=no"}'
        fetches = (
            event
            | source
            | {
                "outcome": [ARTICLE] * count,
                "status": [200] * count,
                "attempts": [1] * count,
                "final_url": urls,
                "content_type": ["text/html; charset=utf-8"] * count,
                "body_bytes": [26_000] * count,
                "etag": [f'"{key[:12]}"' for key in hashes],
                "rights": [rights] * count,
                "capture_file": [capture] * count,
                "capture_offset": [n * 26_500 for n in range(count)],
            }
        )
        evidence = '[{"field":"headline","source":"json_ld:NewsArticle.headline","value":"%s","chosen":true}]'
        article = event | {
            "canonical_url": urls,
            "headline": headlines,
            "description": self._cut(numbers + 1, 24),
            "article_body": bodies,
            "blocks": places,
            "images": [[]] * count,
            "authors": [[f"{self.words[n % 997].title()} {self.words[n % 7919].title()}"] for n in numbers],
            "date_published_raw": [moment.isoformat() for moment in published],
            "date_published_source": ["json_ld:NewsArticle.datePublished"] * count,
            "date_published_zone_known": [True] * count,
            "dates_disagree": [False] * count,
            "in_language": ["en"] * count,
            "publisher": sites,
            "article_section": [self.words[n % 12] for n in numbers],
            "keywords": [[str(self.words[n % 500]), str(self.words[n % 301])] for n in numbers],
            "main_image": [f"{url}.jpg" for url in urls],
            "article_type": ["NewsArticle"] * count,
            "page_class": ["article"] * count,
            "robots": [[]] * count,
            "flags": [[]] * count,
            "evidence": [evidence % text for text in headlines],
            "extractor_version": ["1"] * count,
        }
        removed = {name: [value for value in event[name] for _ in range(REMOVED_PER_ARTICLE)] for name in event} | {
            "kind": ["related", "caption", "ad_label", "share"] * (count * REMOVED_PER_ARTICLE // 4),
            "rule": ["related-heading", "figcaption", "ad-label", "share-bar"] * (count * REMOVED_PER_ARTICLE // 4),
            "text": [text for n in numbers for text in self._labels(int(n))],
            "position": list(range(REMOVED_PER_ARTICLE)) * count,
        }
        found = (
            common
            | source
            | {
                "discovered_at": [moment - timedelta(seconds=30) for moment in ended],
                "published_hint": published,
                "title_hint": headlines,
            }
        )
        columns = {"urls": found, "fetches": fetches, "articles": article, "removed_blocks": removed, "sources": {}}
        return {name: _table(SCHEMAS[name], columns[name]) for name in SCHEMAS}

    def _bodies(self, numbers: np.ndarray, texts: np.ndarray) -> tuple[pa.Array, list[list[dict[str, Any]]]]:
        chosen = np.vstack([np.random.default_rng((int(n), 7)).integers(0, len(self.sentences), 28) for n in numbers])
        chosen[:, 5] = (chosen[:, 5] + texts * 4099) % len(self.sentences)  # an edit is another sentence
        lists = pa.ListArray.from_arrays(
            pa.array(np.arange(0, chosen.size + 1, chosen.shape[1], dtype=np.int32)),
            self.sentences.take(pa.array(chosen.ravel())),
        )
        lengths = pc.utf8_length(self.sentences).to_numpy()[chosen]
        starts = np.cumsum(lengths + 2, axis=1) - lengths - 2
        places = [
            [
                {"kind": "paragraph", "level": 0, "position": p, "start": int(s), "length": int(n)}
                for p, (s, n) in enumerate(zip(a, b, strict=True))
            ]
            for a, b in zip(starts, lengths, strict=True)
        ]
        return pc.binary_join(lists, "\n\n"), places

    def _cut(self, numbers: np.ndarray, words: int) -> list[str]:
        picked = self.sentences.take(pa.array((numbers * 7907) % len(self.sentences))).to_pylist()
        return [" ".join(text.split()[:words]) for text in picked]

    def _labels(self, number: int) -> list[str]:
        sentence = self.sentences[number % len(self.sentences)].as_py()
        return ["Newer articles", sentence, "Advertisement", "Share this"] * (REMOVED_PER_ARTICLE // 4)


def _key(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()[:24]


def _table(schema: pa.Schema, columns: dict[str, Any]) -> pa.Table:
    count = len(next(iter(columns.values()))) if columns else 0
    arrays = [
        pa.nulls(count, field.type)
        if field.name not in columns
        else columns[field.name]
        if isinstance(columns[field.name], pa.Array)
        else pa.array(columns[field.name], field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


LOADED = 100_000  # articles that come through the loader; a larger store's others are copies under their own keys
_NUMBER = "(regexp_extract(url, 'story-([0-9]+)-', 1)::INTEGER + $more)"
_URL = f"'https://' || site || '.example/2026/story-' || {_NUMBER} || '-of-the-day'"
_FIRST = f"regexp_extract(url, 'story-([0-9]+)-', 1)::INTEGER < {LOADED}"
_KEY = f"md5({_NUMBER}::VARCHAR)[:24]"
_HASH = f"md5({_NUMBER} || '/0')[:24]"
_LATER = "+ to_minutes($more)"
#: Table → statement that copies the loaded articles to numbers that are so many higher.
COPIES = {
    "article_versions": f"""INSERT INTO article_versions SELECT * REPLACE ({_KEY} AS url_key, {_KEY} AS requested_key,
        {_HASH} AS content_hash, {_URL} AS url, {_URL} AS requested_url, valid_from {_LATER} AS valid_from,
        date_published {_LATER} AS date_published) FROM article_versions WHERE {_FIRST}""",
    "fetches": f"""INSERT INTO fetches SELECT * REPLACE ({_KEY} AS url_key, {_KEY} AS article_key, {_URL} AS url,
        {_HASH} AS content_hash, ended_at {_LATER} AS ended_at, run_id || $more AS run_id)
        FROM fetches WHERE {_FIRST}""",
    "discoveries": f"""INSERT INTO discoveries SELECT * REPLACE ({_KEY} AS url_key, {_URL} AS url,
        run_id || $more AS run_id, discovered_at {_LATER} AS discovered_at)
        FROM discoveries WHERE {_FIRST}""",
    "removed_blocks": f"""INSERT INTO removed_blocks SELECT r.* REPLACE (md5(n::VARCHAR)[:24] AS url_key,
        md5(n || '/0')[:24] AS content_hash) FROM removed_blocks r
        JOIN (SELECT url_key, {_NUMBER} AS n FROM urls WHERE {_FIRST}) u USING (url_key)""",
    "urls": f"""INSERT INTO urls SELECT * REPLACE ({_KEY} AS url_key, {_KEY} AS article_key, {_URL} AS url,
        outcome_at {_LATER} AS outcome_at, fetched_at {_LATER} AS fetched_at) FROM urls WHERE {_FIRST}""",
}

# What a bare insert of the same files is: each into the table of its columns, then a checkpoint, nothing else.
BARE = """BEGIN;
INSERT INTO article_versions BY NAME
SELECT * EXCLUDE (segment, ended_at, article_key) FROM read_parquet(getvariable('articles'));
INSERT INTO fetches BY NAME FROM read_parquet(getvariable('fetches'));
INSERT INTO discoveries BY NAME FROM read_parquet(getvariable('urls'));
INSERT INTO removed_blocks BY NAME
SELECT * EXCLUDE (run_id, segment, ended_at, article_key) FROM read_parquet(getvariable('removed_blocks'));
COMMIT; CHECKPOINT store;"""


def child(what: str, data: Path, run: str) -> dict[str, float]:
    """Load a run's folders, the one way or the other, in this process; say seconds and peak memory."""
    folders = [folder for folder in pending_folders(data) if folder.parent.name == run]
    if what == "load":
        wall, cpu = time.monotonic(), time.process_time()
        load(data, folders)
    else:
        with database.open_store(data / "store" / "bare.duckdb") as connection:
            for name in SCHEMAS:
                connection.execute(
                    f"SET VARIABLE {name} = ?", [[str(folder / f"{name}.parquet") for folder in folders]]
                )
            wall, cpu = time.monotonic(), time.process_time()
            connection.execute(BARE)
    return {
        "wall_s": time.monotonic() - wall,
        "cpu_s": time.process_time() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
    }


def in_child(what: str, data: Path, run: str) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", what, str(data), run]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def build(newsroom: Newsroom, data: Path, rows: int) -> None:
    """Load the first articles, a batch a run; then copy them in the store under the keys of the next ones."""
    for first in range(0, min(rows, LOADED), BATCH):
        run = f"build-{first:09}"
        numbers = np.arange(first, min(first + BATCH, rows))
        folders = newsroom.batch(data, run, numbers, np.zeros_like(numbers), EPOCH + timedelta(minutes=first))
        load(data, folders)
        shutil.rmtree(data / "extracted" / run)
    with database.open_store(data / database.STORE) as connection:
        for first in range(LOADED, rows, LOADED):
            with database.transaction(connection):
                for statement in COPIES.values():
                    connection.execute(statement, {"more": first})
            connection.execute("CHECKPOINT store")
            print(f"\r{first + LOADED:,} articles", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def nights(newsroom: Newsroom, data: Path, rows: int, count: int) -> list[tuple[dict[str, float], dict[str, float]]]:
    """Load nightly batches, each beside a bare insert of the same files into a copy of the same store."""
    chance = np.random.default_rng(2)
    measured = []
    store, bare = data / database.STORE, data / "store" / "bare.duckdb"
    for night in range(count):
        known = chance.choice(rows, BATCH * 12 // 100, replace=False)
        edited = known[: BATCH * 2 // 100]
        new = np.arange(rows + night * BATCH, rows + night * BATCH + BATCH * 88 // 100)
        numbers = np.concatenate([known, new])
        version = np.where(np.isin(numbers, edited), night + 1, 0)
        run = f"night-{night}"
        newsroom.batch(data, run, numbers, version, EPOCH + timedelta(days=2000 + night))
        database.copy(store, bare)
        order = ("load", "bare") if night % 2 else ("bare", "load")
        seconds = {what: in_child(what, data, run) for what in order}
        measured.append((seconds["load"], seconds["bare"]))
    bare.unlink()
    return measured


def publishing(data: Path, rounds: int = 5) -> tuple[float, float]:
    """Return the median seconds of a publication and of a plain copy with sync of the same file."""
    plain, published = [], []
    for _ in range(rounds):
        began = time.monotonic()
        shutil.copyfile(data / database.STORE, data / "store" / "plain")
        with (data / "store" / "plain").open("rb+") as file:
            database.os.fsync(file.fileno())
        plain.append(time.monotonic() - began)
        began = time.monotonic()
        database.publish(data)
        published.append(time.monotonic() - began)
    (data / "store" / "plain").unlink()
    return statistics.median(published), statistics.median(plain)


def questions(data: Path) -> dict[str, float]:
    """Return the best of two times of each recipe of the cookbook, seconds."""
    seconds = {}
    for recipe in cookbook():
        times = []
        for _ in range(2):
            with Session(data) as session:
                began = time.monotonic()
                list(session.ask(recipe.sql).rows)
                times.append(time.monotonic() - began)
        seconds[recipe.name] = min(times)
    return seconds


def searching(newsroom: Newsroom, data: Path) -> dict[str, float]:
    """Index the store, then one more nightly batch; return seconds of that batch and the 95th percentile of queries."""
    update(data)
    new = np.arange(10**8, 10**8 + BATCH)
    newsroom.batch(data, "indexed", new, np.zeros_like(new), EPOCH + timedelta(days=3000))
    in_child("load", data, "indexed")
    database.publish(data)
    wall, cpu = time.monotonic(), time.process_time()
    assert update(data) == BATCH
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    chance = np.random.default_rng(4)
    times = []
    for _ in range(100):
        common, rare, other = (
            str(newsroom.words[int(rank)]) for rank in chance.integers((0, 2000, 50), (50, 20_000, 3000))
        )
        for query in (rare, f"{common} {other}", f'"{common} {other}"', f"{common} {rare} OR {other}"):
            began = time.monotonic()
            search(data, query)
            times.append((time.monotonic() - began) * 1000)
    return {
        "index_batch_s": round(wall, 2),
        "index_batch_cpu_s": round(cpu, 2),
        "search_ms_median": round(statistics.median(times), 1),
        "search_ms_p95": round(statistics.quantiles(times, n=20)[-1], 1),
    }


def best_size(data: Path) -> int:
    """Return the size of the same rows written by DuckDB into a new file in one go, bytes."""
    target = data / "store" / "best.duckdb"
    with database.open_store(data / database.STORE) as connection:
        connection.execute(f"ATTACH '{target}' AS best (STORAGE_VERSION '{database.STORAGE_VERSION}')")
        connection.execute("COPY FROM DATABASE store TO best; DETACH best")
    size = target.stat().st_size
    target.unlink()
    return size


def measure(data: Path, rows: int) -> dict[str, Any]:
    newsroom = Newsroom()
    began = time.process_time()
    build(newsroom, data, rows)
    built = time.process_time() - began
    measured = nights(newsroom, data, rows, 5)
    published, plain = publishing(data)
    answers = questions(data)
    worst = max(answers, key=answers.__getitem__)
    ratio = statistics.median(load["cpu_s"] / bare["cpu_s"] for load, bare in measured)
    walls = [load["wall_s"] for load, _ in measured]
    size = (data / database.STORE).stat().st_size
    return {
        f"load_ratio_{rows // 1000}k": round(ratio, 2),
        "load_cpu_s": round(statistics.median(load["cpu_s"] for load, _ in measured), 2),
        "bare_cpu_s": round(statistics.median(bare["cpu_s"] for _, bare in measured), 2),
        "load_wall_s": round(statistics.median(walls), 2),
        "bare_wall_s": round(statistics.median(bare["wall_s"] for _, bare in measured), 2),
        "slowest_load_to_median": round(max(walls) / statistics.median(walls), 2),
        "peak_mb": round(max(load["peak_mb"] for load, _ in measured)),
        "publish_s": round(published, 2),
        "publish_ratio": round(published / plain, 2),
        "file_mb": round(size / 1e6),
        "file_ratio": round(size / best_size(data), 3),
        "worst_query": worst,
        "worst_query_s": round(answers[worst], 3),
        "queries_s": {name: round(seconds, 3) for name, seconds in answers.items()},
        "build_cpu_s": round(built),
        **searching(newsroom, data),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--rows", type=int, nargs="+", default=[100_000], help="articles in the store before the nights"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--keep", type=Path, help="keep the stores in this folder")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        what, data, run = arguments.child
        print(json.dumps(child(what, Path(data), run)))
        return
    report: dict[str, Any] = {"duckdb": duckdb.__version__}
    for rows in arguments.rows:
        with tempfile.TemporaryDirectory() as folder:
            data = (arguments.keep or Path(folder)) / f"store-{rows}"
            data.mkdir(parents=True, exist_ok=True)
            report |= measure(data, rows)
    print(json.dumps(report) if arguments.json else "\n".join(f"{name:24} {value}" for name, value in report.items()))


if __name__ == "__main__":
    main()
