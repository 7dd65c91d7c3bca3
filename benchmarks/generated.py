"""Generated articles for the store's benchmark: about 4 KB of text each, from 100,000 sentences over a Zipf vocabulary.

Batches come as the folders of rows that extraction writes, with a tenth as many pages that are no articles. The first
100,000 articles come through the loader, a tenth of them fetched twice, 2% of them edited. A larger store is filled in
SQL from those: each copy has a key, URL, day and text of its own, and takes a fourth of the time. A tenth of all
articles are made members of stories of four.
"""

import hashlib
import shutil
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
from storage.load import load
from storage.rows import ARTICLE
from storage.stories import cluster

BATCH = 20_000
FOLDERS = 10  # a batch comes as so many segments
SITES = 50
EPOCH = datetime(2024, 1, 1)  # noqa: DTZ001 -- UTC, as in the store
REMOVED_PER_ARTICLE = 8
SENTENCES = 28  # of an article
SOURCES = 200  # feeds and sitemaps that are read with each batch
LOADED = 100_000  # articles that come through the loader; a larger store's others are copies under their own keys
#: How pages end that are no articles, by turns.
OTHERS = ("gallery", "gone", "index", "paywall", "robots", "server_error", "live", "noindex", "timeout", "gallery")


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

    def batch(self, data: Path, run: str, articles: np.ndarray, versions: np.ndarray, ended: np.ndarray) -> list[Path]:
        """Write the articles of those numbers, each in that version of its text (0 the first), fetched at those times,
        as folders; return them.
        """  # noqa: D205
        written = []
        parts = zip(*(np.array_split(each, FOLDERS) for each in (articles, versions, ended)), strict=True)
        for part, (numbers, texts, times) in enumerate(parts):
            segment = f"a-{part:05}"
            tables = self._tables(run, segment, numbers, texts, [_moment(time) for time in times])
            tables["fetches"] = pa.concat_tables([tables["fetches"], _others(run, segment, numbers, times)])
            tables["sources"] = _sources(run, segment, part, times)
            written.append(write_folder(data / "extracted" / run / segment, run, segment, tables))
        return written

    def _tables(
        self, run: str, segment: str, numbers: np.ndarray, texts: np.ndarray, ended: list[datetime]
    ) -> dict[str, pa.Table]:
        count = len(numbers)
        bodies, places = self._bodies(numbers, texts)
        hashes = [_key(f"{n}/{v}") for n, v in zip(numbers, texts, strict=True)]
        sites = [f"site-{n % SITES:02}" for n in numbers]
        urls = [url("story", int(n)) for n in numbers]
        keys = [_key(url) for url in urls]
        published = [_moment(time) for time in published_at(numbers)]
        headlines = self._cut(numbers, 7)
        common = {"run_id": [run] * count, "segment": [segment] * count, "site": sites, "url_key": keys, "url": urls}
        event = common | {"ended_at": ended, "article_key": keys, "content_hash": hashes, "date_published": published}
        source = {"found_in": [f"https://{site}.example/feed" for site in sites], "found_by": ["feed"] * count}
        capture = f"captures/{run}/{segment}.warc.gz"
        rights = [_RIGHTS[n % SITES % len(_RIGHTS)] for n in numbers]
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
                "rights": rights,
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


#: What sites say of the use of their articles; a quarter of them allow training.
_RIGHTS = ('{"content_signal":"search=yes, ai-train=no"}', None, '{"content_signal":"search=yes, ai-train=yes"}', None)


def url(kind: str, number: int) -> str:
    """Return the address of an article (a `story`) or of another page of that number."""
    return f"https://site-{number % SITES:02}.example/2026/{kind}-{number}-of-the-day"


def _key(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()[:24]


def published_at(numbers: np.ndarray) -> np.ndarray:
    """Return when articles were published: one a minute."""
    return np.datetime64(EPOCH, "us") + numbers * np.timedelta64(1, "m")


def fetched_at(numbers: np.ndarray, nights: int = 1) -> np.ndarray:
    """Return when articles were fetched: in the night after their publication, or so many nights after it."""
    night = published_at(numbers).astype("datetime64[D]") + np.timedelta64(nights, "D")
    return night.astype("datetime64[us]") + np.timedelta64(4, "h") + (numbers % 1440) * np.timedelta64(1, "s")


def edited(numbers: np.ndarray) -> np.ndarray:
    """Tell which articles of a built store were edited after their first night: 2%."""
    return numbers // SITES % 50 == 7


def seen_twice(numbers: np.ndarray) -> np.ndarray:
    """Tell which articles of a built store were fetched twice: the edited ones and 8% besides."""
    return edited(numbers) | (numbers // SITES % 50 < 4)


def _moment(time: np.datetime64) -> datetime:
    moment: datetime = time.astype("datetime64[us]").item()
    return moment


def _others(run: str, segment: str, numbers: np.ndarray, times: np.ndarray) -> pa.Table:
    """Return a tenth as many fetches of pages that are no articles."""
    picked, ended = numbers[::10], times[::10]
    urls = [url("page", int(n)) for n in picked]
    columns = {
        "run_id": [run] * len(urls),
        "segment": [segment] * len(urls),
        "site": [f"site-{n % SITES:02}" for n in picked],
        "url_key": [_key(each) for each in urls],
        "url": urls,
        "ended_at": [_moment(time) for time in ended],
        "outcome": [OTHERS[n // 10 % len(OTHERS)] for n in picked],
        "reason": [f"it is a page of {n % 90 + 10} words" for n in picked],
        "status": [410 if OTHERS[n // 10 % len(OTHERS)] == "gone" else 200 for n in picked],
        "attempts": [1] * len(urls),
        "found_by": ["feed"] * len(urls),
        "capture_file": [f"captures/{run}/{segment}.warc.gz"] * len(urls),
        "capture_offset": [int(n) * 26_500 for n in picked],
    }
    return _table(SCHEMAS["fetches"], columns)


def _sources(run: str, segment: str, part: int, times: np.ndarray) -> pa.Table:
    numbers = range(part, SOURCES, FOLDERS) if len(times) else range(0)
    columns = {
        "run_id": [run] * len(numbers),
        "segment": [segment] * len(numbers),
        "site": [f"site-{n % SITES:02}" for n in numbers],
        "url": [f"https://site-{n % SITES:02}.example/feed-{n}.xml" for n in numbers],
        "read_at": [_moment(times[0])] * len(numbers),
        "found_by": ["feed"] * len(numbers),
        "status": [200] * len(numbers),
        "outcome": ["ok" if n % 20 else "timeout" for n in numbers],
        "entries": [20 + n % 30 for n in numbers],
        "new": [n % 20 for n in numbers],
        "known": [20] * len(numbers),
    }
    return _table(SCHEMAS["sources"], columns)


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


_NUMBER = "(regexp_extract(url, '-([0-9]+)-', 1)::INTEGER + $more)"
_URL = f"regexp_replace(url, '-[0-9]+-', '-' || {_NUMBER} || '-')"
_KEY = f"md5({_URL})[:24]"
_HASH = "md5({number} || '/' || ({version}))[:24]"
_LATER = "+ to_minutes($more)"
#: The loaded ones, by a time that few copies are before: so their row groups are passed over.
_FIRST = "run_id LIKE 'build-%' AND {time} < " + f"TIMESTAMP '{EPOCH}' + to_minutes({LOADED}) + INTERVAL 3 DAY"
#: Table → statement that copies what the loaded articles brought to numbers that are so many higher. A run is a night.
COPIES = {
    "article_versions": f"""INSERT INTO article_versions SELECT v.* REPLACE ({_KEY} AS url_key, {_KEY} AS requested_key,
        {_HASH.format(number=_NUMBER, version="version - 1")} AS content_hash, {_URL} AS url, {_URL} AS requested_url,
        {_URL} AS canonical_url, valid_from {_LATER} AS valid_from, valid_to {_LATER} AS valid_to,
        date_first_seen {_LATER} AS date_first_seen, date_published {_LATER} AS date_published,
        strftime(valid_from {_LATER}, 'run-%Y-%m-%d') AS run_id,
        t.article_body || CASE version WHEN 1 THEN '' ELSE '\n\nUpdated.' END AS article_body,
        array_to_string(string_split(t.article_body, ' ')[:7], ' ') AS headline)
        FROM article_versions v JOIN texts t ON t.n = {_NUMBER} WHERE {_FIRST.format(time="valid_from")}""",
    "fetches": f"""INSERT INTO fetches SELECT * REPLACE ({_KEY} AS url_key, {_URL} AS url, {_URL} AS final_url,
        CASE WHEN article_key IS NOT NULL THEN {_KEY} END AS article_key, ended_at {_LATER} AS ended_at,
        CASE WHEN article_key IS NOT NULL THEN {
        _HASH.format(number=_NUMBER, version="(content_hash <> md5((" + _NUMBER + " - $more) || '/0')[:24])::INTEGER")
    } END AS content_hash,
        date_published {_LATER} AS date_published, strftime(ended_at {_LATER}, 'run-%Y-%m-%d') AS run_id)
        FROM fetches WHERE {_FIRST.format(time="ended_at")}""",
    "discoveries": f"""INSERT INTO discoveries SELECT * REPLACE ({_KEY} AS url_key, {_URL} AS url,
        strftime(discovered_at {_LATER}, 'run-%Y-%m-%d') AS run_id, discovered_at {_LATER} AS discovered_at,
        published_hint {_LATER} AS published_hint) FROM discoveries WHERE {_FIRST.format(time="discovered_at")}""",
    "removed_blocks": f"""INSERT INTO removed_blocks SELECT r.* REPLACE ({_KEY} AS url_key,
        {_HASH.format(number=_NUMBER, version="version - 1")} AS content_hash)
        FROM removed_blocks r JOIN (SELECT url_key, content_hash, url, version FROM article_versions
            WHERE {_FIRST.format(time="valid_from")}) u USING (url_key, content_hash)""",
    "source_reads": f"""INSERT INTO source_reads
        SELECT source_reads.* REPLACE (read_at {_LATER} + to_days(n * 5) AS read_at,
            strftime(read_at {_LATER} + to_days(n * 5), 'run-%Y-%m-%d') AS run_id)
        FROM source_reads, range(14) r(n) WHERE {_FIRST.format(time="read_at")}""",
    "urls": f"""INSERT INTO urls SELECT * REPLACE ({_KEY} AS url_key, {_URL} AS url, {_URL} AS final_url,
        CASE WHEN article_key IS NOT NULL THEN {_KEY} END AS article_key, outcome_at {_LATER} AS outcome_at,
        fetched_at {_LATER} AS fetched_at, article_at {_LATER} AS article_at, captured_at {_LATER} AS captured_at,
        first_seen_at {_LATER} AS first_seen_at, last_seen_at {_LATER} AS last_seen_at,
        date_published {_LATER} AS date_published, published_hint {_LATER} AS published_hint,
        strftime(outcome_at {_LATER}, 'run-%Y-%m-%d') AS run_id)
        FROM urls WHERE {_FIRST.format(time="outcome_at")}""",
    "text_sketches": f"""INSERT INTO text_sketches BY NAME SELECT s.* REPLACE ({_KEY} AS url_key,
        list_transform(range(32), lambda i: (hash({_KEY}, i) >> 37)::UINTEGER) AS sketch)
        FROM text_sketches s JOIN (SELECT url_key, version, url FROM article_versions
            WHERE {_FIRST.format(time="valid_from")}) u USING (url_key, version)""",
}
_FIRST_OF = f"'https://site-' || lpad((n % {SITES})::VARCHAR, 2, '0') || '.example/2026/story-' || n || '-of-the-day'"
#: Four of forty articles in a row are one story.
STORIES = f"""INSERT INTO story_members BY NAME
SELECT md5({_FIRST_OF})[:24] AS cluster_id, url_key, CASE place WHEN 0 THEN NULL ELSE cluster_id END AS nearest_key,
    CASE place WHEN 0 THEN NULL ELSE 0.9 END AS similarity, CASE place WHEN 0 THEN NULL ELSE 0.8 END AS resemblance,
    valid_from AS joined_at
FROM (SELECT *, m % 40 AS place, m - m % 40 AS n
    FROM (SELECT url_key, valid_from, regexp_extract(url, '-([0-9]+)-', 1)::INTEGER AS m
        FROM article_versions WHERE version = 1)
    WHERE m >= $first AND m % 40 < 4)"""


def build(newsroom: Newsroom, data: Path, rows: int) -> None:
    """Bring a store to so many articles, from what it has: up to 100,000 through the loader, then copies of those."""
    store = data / database.STORE
    with database.open_store(store) as connection:
        row = connection.execute("SELECT count(*) FROM articles").fetchone()
    have = row[0] if row else 0
    for first in range(have, min(rows, LOADED), BATCH):
        numbers = np.arange(first, min(first + BATCH, rows))
        again = numbers[seen_twice(numbers)]
        for run, some, nights in ((f"build-{first:09}", numbers, 1), (f"build-{first:09}-again", again, 2)):
            version = edited(some).astype(int) if nights > 1 else np.zeros_like(some)
            load(data, newsroom.batch(data, run, some, version, fetched_at(some, nights)))
            shutil.rmtree(data / "extracted" / run)
        with database.open_store(store) as connection:
            cluster(connection)
            connection.execute(STORIES, {"first": first})
            connection.execute("CHECKPOINT store")
    for first in range(max(have, LOADED), rows, LOADED):
        _copy(newsroom, store, first)


def _copy(newsroom: Newsroom, store: Path, first: int) -> None:
    """Copy the loaded articles in a store to the numbers from `first` on, each with a text of its own."""
    with database.open_store(store) as connection:
        connection.register("texts", newsroom.texts(first, LOADED))
        with database.transaction(connection):
            for statement in COPIES.values():
                connection.execute(statement, {"more": first})
            connection.execute(STORIES, {"first": first})
        connection.execute("CHECKPOINT store")
        connection.unregister("texts")
        print(f"\r{first + LOADED:,} articles", end="", file=sys.stderr, flush=True)
