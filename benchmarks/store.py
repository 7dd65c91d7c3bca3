"""The store under load: nightly batches against a bare INSERT … SELECT, publishing against a file copy, the cookbook.

    python benchmarks/store.py --rows 100000 1000000 3000000 [--parts load queries …] [--json] [--keep FOLDER]

A store is built (`generated.py`), the larger from the smaller. Then nightly batches of 20,000 (88% new, 10% known, 2%
edited; nine of ten of those of the week before, the others of any age) are loaded, each
beside a bare insert of the same Parquet files into a copy of the same store. Ratios are of CPU seconds, which other
programs on the machine disturb less than wall clock; both are printed.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # or extraction.py beside this file would be `extraction`

from benchmarks.generated import BATCH, Newsroom, build, edited, fetched_at
from storage import database
from storage.batches import SCHEMAS
from storage.index import update
from storage.load import load, pending_folders
from storage.query import Session, cookbook
from storage.search import search

MILLION = 1_000_000
PARTS = ["load", "publish", "queries", "size", "search"]
# What a bare insert of the same files is: each into the table of its columns, then a checkpoint, nothing else.
BARE = """BEGIN;
INSERT INTO article_versions BY NAME
SELECT * EXCLUDE (segment, ended_at, article_key) FROM read_parquet(getvariable('articles'));
INSERT INTO fetches BY NAME FROM read_parquet(getvariable('fetches'));
INSERT INTO discoveries BY NAME FROM read_parquet(getvariable('urls'));
INSERT INTO removed_blocks BY NAME
SELECT * EXCLUDE (run_id, segment, ended_at, article_key) FROM read_parquet(getvariable('removed_blocks'));
INSERT INTO source_reads BY NAME FROM read_parquet(getvariable('sources'));
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
    """Do it in a process of its own, after another that took as much memory and gave it back: see `publishing`."""
    subprocess.run([sys.executable, "-c", f"b'1' * {1500 << 20}"], check=True)
    command = [sys.executable, __file__, "--child", what, str(data), run]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def nights(
    newsroom: Newsroom, data: Path, rows: int, count: int, known_of: str
) -> list[tuple[dict[str, float], dict[str, float]]]:
    """Load nightly batches, each beside a bare insert of the same files into a copy of the same store."""
    chance = np.random.default_rng(2)
    measured = []
    store, bare = data / database.STORE, data / "store" / "bare.duckdb"
    changed = np.empty(0, int)
    for night in range(count):
        # As in `clusters.py`, nine of ten of the last week's, for articles are visited again until they are a week old.
        week = max(0, rows - 7 * BATCH) if known_of == "week" else 0
        young = week + chance.permutation(rows - week)[: BATCH // 5]
        known = np.setdiff1d(np.concatenate([young, chance.choice(rows, BATCH // 60)]), changed)
        known = chance.permutation(known)[: BATCH * 12 // 100]
        changing = known[: BATCH * 2 // 100]
        changed = np.concatenate([changed, changing])
        new = np.arange(rows + night * BATCH, rows + night * BATCH + BATCH * 88 // 100)
        numbers = np.concatenate([known, new])
        version = np.where(np.isin(numbers, changing), 9, edited(numbers) & (numbers < rows))
        ended = np.full(len(numbers), fetched_at(np.array([rows]), 10 + night)[0]) + np.arange(len(numbers)) * 1000
        run = f"night-{night}"
        newsroom.batch(data, run, numbers, version, ended)
        database.copy(store, bare)
        order = ("load", "bare") if night % 2 else ("bare", "load")
        seconds = {what: in_child(what, data, run) for what in order}
        measured.append((seconds["load"], seconds["bare"]))
    bare.unlink()
    return measured


def publishing(data: Path, rounds: int = 4) -> dict[str, float]:
    """Return the best times, wall and CPU, of a publication and of a plain copy with sync that replaces a copy.

    The best, because writeback of what others wrote falls on whoever syncs next; in turns for the same reason. Each
    time after an untimed copy that is removed at once: a virtual machine that gives free memory back to its host pays
    some 15 µs a page to get it again, 8 s of CPU for 2 GB, which would fall on the one or the other.
    """
    plain, scratch = data / "store" / "plain", data / "store" / "scratch"

    def copy() -> None:
        fresh = plain.with_suffix(".part")
        shutil.copyfile(data / database.STORE, fresh)
        with fresh.open("rb+") as file:
            os.fsync(file.fileno())
        fresh.rename(plain)

    timed: dict[str, list[tuple[float, float]]] = {"publish": [], "copy": []}
    both = [("copy", copy), ("publish", lambda: database.publish(data))]
    for turn in range(rounds + 1):
        for name, work in both if turn % 2 else reversed(both):
            shutil.copyfile(data / database.STORE, scratch)
            scratch.unlink()
            wall, cpu = time.monotonic(), time.process_time()
            work()
            if turn:  # the first time there is nothing to replace
                timed[name].append((time.monotonic() - wall, time.process_time() - cpu))
    plain.unlink()
    best = {name: (min(wall for wall, _ in times), min(cpu for _, cpu in times)) for name, times in timed.items()}
    return {
        "publish_s": round(best["publish"][0], 2),
        "publish_ratio": round(best["publish"][0] / best["copy"][0], 2),
        "publish_cpu_ratio": round(best["publish"][1] / best["copy"][1], 2),
    }


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
    new = np.arange(10**7, 10**7 + BATCH)
    newsroom.batch(data, "indexed", new, np.zeros_like(new), fetched_at(new))
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


def _short(rows: int) -> str:
    return f"{rows // 1_000_000}m" if rows % 1_000_000 == 0 else f"{rows // 1000}k"


def measure(newsroom: Newsroom, data: Path, rows: int, asked: argparse.Namespace) -> dict[str, Any]:
    """Measure a store of so many articles, in the order of the parts: the nights make it grow."""
    report: dict[str, Any] = {}
    parts = asked.parts
    if "load" in parts:
        report |= loading(nights(newsroom, data, rows, asked.nights, asked.known), rows)
    if "publish" in parts:
        report |= publishing(data)
    if "queries" in parts:
        database.publish(data)
        answers = questions(data)
        report["worst_query"] = worst = max(answers, key=answers.__getitem__)
        report["worst_query_s"] = round(answers[worst], 3)
        report["queries_s"] = {name: round(seconds, 3) for name, seconds in answers.items()}
    if "size" in parts:
        size = (data / database.STORE).stat().st_size
        report |= {"file_mb": round(size / 1e6), "file_ratio": round(size / best_size(data), 3)}
    if "search" in parts:
        database.publish(data)
        report |= searching(newsroom, data)
    return report


def loading(measured: list[tuple[dict[str, float], dict[str, float]]], rows: int) -> dict[str, Any]:
    """Sum up nights."""

    def middle(place: int, name: str) -> float:
        return round(statistics.median(night[place][name] for night in measured), 2)

    walls = [load["wall_s"] for load, _ in measured]
    return {
        f"load_ratio_{_short(rows)}": round(
            statistics.median(load["cpu_s"] / bare["cpu_s"] for load, bare in measured), 2
        ),
        "load_wall_ratio": round(statistics.median(load["wall_s"] / bare["wall_s"] for load, bare in measured), 2),
        "load_cpu_s": middle(0, "cpu_s"),
        "bare_cpu_s": middle(1, "cpu_s"),
        "load_wall_s": middle(0, "wall_s"),
        "bare_wall_s": middle(1, "wall_s"),
        "slowest_load_to_median": round(max(walls) / statistics.median(walls), 2),
        "peak_mb": round(max(load["peak_mb"] for load, _ in measured)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--rows", type=int, nargs="+", default=[100_000], help="articles in the store before the nights"
    )
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=PARTS, help="measure only these; none: build")
    parser.add_argument("--nights", type=int, default=5, help="batches to load")
    parser.add_argument(
        "--known",
        choices=["week", "any"],
        default="week",
        help="known articles: nine of ten of the last week, or of any age",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--keep", type=Path, help="keep the built stores in this folder, and use those that are there")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        what, data, run = arguments.child
        print(json.dumps(child(what, Path(data), run)))
        return
    report: dict[str, Any] = {"duckdb": duckdb.__version__}
    newsroom = Newsroom()
    with tempfile.TemporaryDirectory(dir=arguments.keep) as folder:
        for rows in sorted(arguments.rows):
            base = (arguments.keep or Path(folder)) / f"{_short(rows)}.duckdb"
            data = Path(folder) / "data"
            (data / "store").mkdir(parents=True)
            if base.exists():
                database.copy(base, data / database.STORE)
            else:
                smaller = [
                    path for each in arguments.rows if each < rows and (path := base.with_stem(_short(each))).exists()
                ]
                if smaller:
                    database.copy(smaller[-1], data / database.STORE)
                build(newsroom, data, rows)
                database.copy(data / database.STORE, base)
            measured = measure(newsroom, data, rows, arguments)
            # The plain names are those of a million articles; of another size if it is the only one.
            report |= (
                measured
                if len(arguments.rows) == 1 or rows == MILLION
                else {
                    name if name.startswith("load_ratio") else f"{name}_{_short(rows)}": value
                    for name, value in measured.items()
                }
            )
            shutil.rmtree(data)
    print(json.dumps(report) if arguments.json else "\n".join(f"{name:24} {value}" for name, value in report.items()))


if __name__ == "__main__":
    main()
