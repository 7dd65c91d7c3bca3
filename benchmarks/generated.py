"""Generated articles for the store's benchmark: about 4 KB of text each, from 100,000 sentences over a Zipf vocabulary.

Batches come as the folders of rows that extraction writes. A large store is filled in SQL from the first articles that
the loader took: each copy has a key, URL and text of its own, and takes 0.1 ms instead of 1.5.
"""

import hashlib
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # or extraction.py beside this file would be `extraction`

from storage import database
from storage.batches import SCHEMAS, write_folder
from storage.rows import ARTICLE

BATCH = 20_000
FOLDERS = 10  # a batch comes as so many segments
SITES = 50
EPOCH = datetime(2024, 1, 1)  # noqa: DTZ001 -- UTC, as in the store
REMOVED_PER_ARTICLE = 8
SENTENCES = 28  # of an article


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

    def texts(self, first: int, count: int) -> pa.Table:
        """Return the texts of so many articles, by number: other sentences in another order."""
        chosen = np.random.default_rng((first, 11)).integers(0, len(self.sentences), (count, SENTENCES))
        ends = pa.array(np.arange(0, chosen.size + 1, SENTENCES, dtype=np.int32))
        lists = pa.ListArray.from_arrays(ends, self.sentences.take(pa.array(chosen.ravel())))
        return pa.table({"n": np.arange(first, first + count), "article_body": pc.binary_join(lists, "\n\n")})

    def _bodies(self, numbers: np.ndarray, texts: np.ndarray) -> tuple[pa.Array, list[list[dict[str, Any]]]]:
        chosen = np.vstack(
            [np.random.default_rng((int(n), 7)).integers(0, len(self.sentences), SENTENCES) for n in numbers]
        )
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
_KEY = f"md5({_NUMBER}::VARCHAR)[:24]"
_HASH = f"md5({_NUMBER} || '/0')[:24]"
_LATER = "+ to_minutes($more)"
#: The loaded ones, by a time that the copies are beyond: so their row groups are passed over.
_FIRST = f"< TIMESTAMP '{EPOCH}' + to_minutes({LOADED})"
#: Table → statement that copies the loaded articles to numbers that are so many higher.
COPIES = {
    "article_versions": f"""INSERT INTO article_versions SELECT v.* REPLACE ({_KEY} AS url_key, {_KEY} AS requested_key,
        {_HASH} AS content_hash, {_URL} AS url, {_URL} AS requested_url, valid_from {_LATER} AS valid_from,
        date_published {_LATER} AS date_published, t.article_body AS article_body,
        length(t.article_body)::INTEGER AS characters,
        array_to_string(string_split(t.article_body, ' ')[:7], ' ') AS headline)
        FROM article_versions v JOIN texts t ON t.n = {_NUMBER} WHERE valid_from {_FIRST}""",
    "fetches": f"""INSERT INTO fetches SELECT * REPLACE ({_KEY} AS url_key, {_KEY} AS article_key, {_URL} AS url,
        {_HASH} AS content_hash, ended_at {_LATER} AS ended_at, run_id || $more AS run_id)
        FROM fetches WHERE ended_at {_FIRST}""",
    "discoveries": f"""INSERT INTO discoveries SELECT * REPLACE ({_KEY} AS url_key, {_URL} AS url,
        run_id || $more AS run_id, discovered_at {_LATER} AS discovered_at)
        FROM discoveries WHERE discovered_at {_FIRST}""",
    "removed_blocks": f"""INSERT INTO removed_blocks SELECT r.* REPLACE (md5(n::VARCHAR)[:24] AS url_key,
        md5(n || '/0')[:24] AS content_hash) FROM removed_blocks r
        JOIN (SELECT url_key, {_NUMBER} AS n FROM urls WHERE outcome_at {_FIRST}) u USING (url_key)
        WHERE r.rowid < {LOADED * REMOVED_PER_ARTICLE}""",
    "urls": f"""INSERT INTO urls SELECT * REPLACE ({_KEY} AS url_key, {_KEY} AS article_key, {_URL} AS url,
        outcome_at {_LATER} AS outcome_at, fetched_at {_LATER} AS fetched_at) FROM urls WHERE outcome_at {_FIRST}""",
}


def fill(newsroom: Newsroom, store: Path, rows: int) -> None:
    """Copy the loaded articles in a store until it has so many, each with a text of its own."""
    with database.open_store(store) as connection:
        for first in range(LOADED, rows, LOADED):
            connection.register("texts", newsroom.texts(first, LOADED))
            with database.transaction(connection):
                for statement in COPIES.values():
                    connection.execute(statement, {"more": first})
            connection.execute("CHECKPOINT store")
            connection.unregister("texts")
            print(f"\r{first + LOADED:,} articles", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
