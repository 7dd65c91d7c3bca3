"""Exports hold exactly the articles that were asked for, can be read by others, and are written once."""

import gzip
import json
from datetime import date
from pathlib import Path

import duckdb
import pytest

from storage.export import ExportError, Wanted, export
from storage.load import load
from tests.storage.made import article, discovered, extraction, folder, page


@pytest.fixture
def data(newsdesk: Path) -> Path:
    """Two nights of one site, and an article of another in German without a date."""
    url = "https://bote.example/2026/hafen"
    german = article(url, "Der Hafen ist zu.", "Hafen zu")
    metadata = type(german.metadata)(headline="Hafen zu", in_language="de-AT")
    german = article(url, "Der Hafen ist zu.", "Hafen zu", metadata=metadata)
    rows = [
        discovered(url, 9000, site="bote"),
        (page(url, 9001, run="run-3", site="bote", rights={}), extraction(german)),
    ]
    load(newsdesk, [folder(newsdesk, rows, run="run-3")], publish=True)
    return newsdesk


def rows_of(target: Path) -> list[tuple[str, str, str, str]]:
    query = f"SELECT site, month, url, headline FROM read_parquet('{target}/**/*.parquet', hive_partitioning = true) ORDER BY url"
    return duckdb.sql(query).fetchall()


def test_parquet_is_parted_by_site_and_month(data: Path, tmp_path: Path) -> None:
    """Each article once, under its site and the month of its publication, with its columns."""
    target = tmp_path.parent / f"{tmp_path.name}-out"
    done = export(data, target, Wanted())
    assert (done.rows, done.written) == (3, True)
    assert rows_of(target) == [
        ("bote", "unknown", "https://bote.example/2026/hafen", "Hafen zu"),
        ("harbour", "2026-11", "https://harbour.example/2026/ferry-late", "Ferry sails"),
        ("harbour", "2026-11", "https://harbour.example/2026/pier-opens", "Pier"),
    ]
    assert sorted(path.name for path in target.iterdir()) == ["_export.json", "site=bote", "site=harbour"]


def test_lines_have_times_in_utc(data: Path, tmp_path: Path) -> None:
    """JSON lines, plain or compressed, one an article, times with a Z."""
    for name in ("out.jsonl", "out.jsonl.gz"):
        target = tmp_path.parent / f"{tmp_path.name}-{name}"
        assert export(data, target, Wanted(sites=["harbour"])).rows == 2
        raw = target.read_bytes()
        lines = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode().splitlines()
        found = {each["url"]: each for each in map(json.loads, lines)}
        ferry = found["https://harbour.example/2026/ferry-late"]
        assert ferry["article_body"] == "The ferry sails."
        assert ferry["date_published"] == "2026-11-20T03:30:00.000000Z"
        assert ferry["authors"] == ["Ada Quay", "Jo Pier"]
        assert len(found) == 2


@pytest.mark.parametrize(
    ("wanted", "urls"),
    [
        (Wanted(sites=["bote"]), ["hafen"]),
        (Wanted(language="de"), ["hafen"]),
        (Wanted(first_day=date(2026, 11, 20), last_day=date(2026, 11, 20)), ["ferry-late", "pier-opens"]),
        (Wanted(first_day=date(2026, 11, 21)), []),
        (Wanted(versions=True, sites=["harbour"]), ["ferry-late", "ferry-late", "pier-opens"]),
        (Wanted(rights="allowed"), []),
    ],
)
def test_only_what_is_asked_for(data: Path, tmp_path: Path, wanted: Wanted, urls: list[str]) -> None:
    """Site, language, days, rights and versions choose."""
    target = tmp_path.parent / f"{tmp_path.name}-{abs(hash(str(wanted)))}"
    assert export(data, target, wanted).rows == len(urls)
    assert [row[2].rpartition("/")[2] for row in (rows_of(target) if urls else [])] == urls


def test_the_same_again_writes_nothing(data: Path, tmp_path: Path) -> None:
    """An unchanged store: nothing is touched. A changed one: the export is what it is now, no more."""
    target = tmp_path.parent / f"{tmp_path.name}-again"
    export(data, target, Wanted())
    before = {path: path.stat().st_mtime_ns for path in target.rglob("*")}
    assert not export(data, target, Wanted()).written
    assert {path: path.stat().st_mtime_ns for path in target.rglob("*")} == before
    assert export(data, target, Wanted(sites=["bote"])).written
    assert [row[0] for row in rows_of(target)] == ["bote"]
    url = "https://bote.example/2026/neu"
    load(
        data,
        [folder(data, [(page(url, 9100, run="run-4", site="bote"), extraction(article(url)))], run="run-4")],
        publish=True,
    )
    assert export(data, target, Wanted(sites=["bote"])).rows == 2
    assert not list(target.parent.glob(f"{target.name}.*"))


def test_where_an_export_may_not_go(data: Path, tmp_path: Path) -> None:
    """Not into the data folder, which takedowns must clean, and not over what is no export."""
    with pytest.raises(ExportError, match="takedown"):
        export(data, data / "out", Wanted())
    other = tmp_path.parent / f"{tmp_path.name}-other"
    other.mkdir()
    (other / "thesis.tex").write_text("years of work")
    with pytest.raises(ExportError, match="no export of ours"):
        export(data, other, Wanted())
    assert (other / "thesis.tex").read_text() == "years of work"
    with pytest.raises(ExportError, match="is not there"):
        export(data, other / "deep" / "er", Wanted())
