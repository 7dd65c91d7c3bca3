"""Story clusters: how right they are on a labelled set, and what a night costs over stores of several sizes.

    python benchmarks/clusters.py [--families 600] [--seed 7] [--rows 10000 100000] [--json]

The labelled set (`reuse.py`) is made from our own prose: a story, three of fourteen kinds of copies of it (verbatim,
restyled, rewritten lightly, cut, with an addition, …), and three of seven kinds of lookalikes (same paper's frames,
updates that end in the same background, correction notices, roundups, …). All texts are clustered as nights are, in
four loads drawn at random; two articles count as copies if they are in one cluster. Thresholds were chosen on seed 1.

A store for the cost is of so many articles of 300 random words; a night is 20,000 new ones, of which 10% are copies:
nine of ten of articles of the last nights, the tenth of any.
"""

import argparse
import json
import random
import resource
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from reuse import Family, families

from storage import database
from storage.stories import cluster

BATCH = 20_000
COPIES = 2_000
START = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)


def rightness(made: list[Family], seed: int) -> dict[str, Any]:
    """Load the families' texts and compare the clusters with what the makers of the texts say."""
    dice = random.Random(seed)
    rows = [
        (f"{place:08}-{number}", text.body, family.language)
        for place, family in enumerate(made)
        for number, text in enumerate(family.texts)
    ]
    dice.shuffle(rows)
    with tempfile.TemporaryDirectory() as folder, database.open_store(Path(folder) / "store.duckdb") as store:
        quarter = -(-len(rows) // 4)
        for load in range(4):
            _insert(store, rows[load * quarter : (load + 1) * quarter], load + 1)
            cluster(store)
        found = dict(store.execute("SELECT url_key, cluster_id FROM story_members").fetchall())
        sizes = [row[0] for row in store.execute("SELECT count(*) FROM story_members GROUP BY cluster_id").fetchall()]
    wrong: dict[str, list[bool]] = {}
    judged = {True: [0, 0], False: [0, 0]}  # label → said not, said so
    for place, family in enumerate(made):
        for (one, other), label in family.pairs.items():
            keys = [found.get(f"{place:08}-{number}", number) for number in (one, other)]
            said = keys[0] == keys[1]
            judged[label][said] += 1
            kind = f"{family.texts[other].made_by} ({'copy' if label else 'not'})"
            for name in (kind, f"language {family.language} ({'copies' if label else 'lookalikes'})"):
                wrong.setdefault(name, []).append(said == label)
    across = sum(len({key.partition("-")[0] for key in members}) - 1 for members in _members(found).values())
    return {
        "pairs": sum(map(sum, judged.values())),
        "copies": sum(judged[True]),
        "lookalikes": sum(judged[False]),
        "precision": round(judged[True][1] / (judged[True][1] + judged[False][1]), 4),
        "recall": round(judged[True][1] / sum(judged[True]), 4),
        "clusters_over_families": across,
        "largest_cluster": max(sizes),
        "right_by_kind": {name: round(statistics.mean(right), 3) for name, right in sorted(wrong.items())},
    }


def _members(found: dict[str, str]) -> dict[str, list[str]]:
    members: dict[str, list[str]] = {}
    for key, name in found.items():
        members.setdefault(name, []).append(key)
    return members


def _insert(store: duckdb.DuckDBPyConnection, rows: list[tuple[str, str, str]], load: int) -> None:
    store.execute(
        """INSERT INTO article_versions BY NAME
        SELECT key AS url_key, 1 AS version, body AS article_body, length(body) AS characters, language AS in_language,
            'site-' || key[-1] AS site, $load AS load_number, $at + to_seconds(place) AS valid_from
        FROM (SELECT unnest($keys) AS key, unnest($bodies) AS body, unnest($languages) AS language,
            unnest(range($count)) AS place)""",
        {
            "keys": [row[0] for row in rows],
            "bodies": [row[1] for row in rows],
            "languages": [row[2] for row in rows],
            "count": len(rows),
            "load": load,
            "at": START + timedelta(days=load),
        },
    )
    store.execute("INSERT INTO loads BY NAME SELECT $load AS number", {"load": load})


WORDS = "(SELECT list(md5(i::VARCHAR)[: 3 + i % 7] ORDER BY i) FROM range(8000) r(i))"
#: So many articles of 300 words drawn by their number, or 270 by the number of an older one.
MADE = f"""INSERT INTO article_versions BY NAME
SELECT md5(n::VARCHAR)[:24] AS url_key, 1 AS version, 'site-' || n % 50 AS site, $load AS load_number,
    1800 AS characters, TIMESTAMP '2026-01-01' + to_seconds(n) AS valid_from, array_to_string(list_transform(range(300),
        lambda k: words[(hash(CASE WHEN k < 270 THEN text ELSE n END, k) % 8000)::INTEGER + 1]), ' ') AS article_body
FROM (SELECT n, coalesce(CASE
        WHEN n >= $copies THEN NULL WHEN n % 10 = 0 THEN (hash(n) % $first)::BIGINT
        ELSE greatest($first - 1 - (hash(n) % 60000)::BIGINT, 0) END, n) AS text
    FROM range($first, $first + $count) r(n)), (SELECT {WORDS} AS words)"""


def cost(rows: int) -> dict[str, Any]:
    """Return what clustering a night costs over a store of so many articles (median of three), and what it found."""
    with tempfile.TemporaryDirectory() as folder, database.open_store(Path(folder) / "store.duckdb") as store:
        for first in range(0, rows, 100_000):
            _make(store, first, min(100_000, rows - first), 1, copies=0)
        began = time.process_time()
        cluster(store)
        built = time.process_time() - began
        nights = []
        for night in range(3):
            first = rows + night * BATCH
            _make(store, first, BATCH, 2 + night, copies=first + COPIES)
            before = _count(store)
            wall, cpu = time.monotonic(), time.process_time()
            cluster(store)
            nights.append((time.monotonic() - wall, time.process_time() - cpu, _count(store) - before))
        store.execute("CHECKPOINT store")
    return {
        "wall_s": round(statistics.median(night[0] for night in nights), 2),
        "cpu_s": round(statistics.median(night[1] for night in nights), 2),
        "copies_found": [night[2] for night in nights],
        "build_cpu_s_per_100k": round(built / rows * 1e5, 1),
    }


def _make(store: duckdb.DuckDBPyConnection, first: int, count: int, load: int, copies: int) -> None:
    store.execute(MADE, {"first": first, "count": count, "load": load, "copies": copies})
    store.execute("DELETE FROM loads WHERE number = $load", {"load": load})
    store.execute("INSERT INTO loads BY NAME SELECT $load AS number", {"load": load})
    store.execute("CHECKPOINT store")


def _count(store: duckdb.DuckDBPyConnection) -> int:
    row = store.execute("SELECT count(nearest_key) FROM story_members").fetchone()
    assert row is not None
    return int(row[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", type=int, default=600, help="stories of the labelled set")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rows", type=int, nargs="*", default=[10_000, 100_000], help="articles in the store")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    report: dict[str, Any] = (
        rightness(families(arguments.seed, arguments.families), arguments.seed) if arguments.families else {}
    )
    for rows in arguments.rows:
        report[f"night_at_{rows}"] = cost(rows)
    report["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
    if arguments.json:
        print(json.dumps(report))
    else:
        for name, value in report.items():
            print(
                name,
                *(f"\n    {key:40} {part}" for key, part in value.items()) if isinstance(value, dict) else (value,),
            )


if __name__ == "__main__":
    main()
