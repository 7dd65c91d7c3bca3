"""Loads: what segments hold comes into the store once, whole, and in the order of its times."""

import shutil
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from extraction.records import Outcome
from extraction.urls import url_key
from storage import batches, database
from storage.load import load, pending_folders
from tests.storage.made import article, at, discovered, extraction, folder, outcome, page, rejection, source

FERRY = "https://harbour.example/2026/ferry-late"
LIST = "https://harbour.example/news/"
DEAD = "https://harbour.example/2026/gone"
WAITING = "https://harbour.example/2026/waiting"


def naive(minutes: float) -> datetime:
    """The store's times are UTC without a zone."""
    return at(minutes).replace(tzinfo=None)


def rows(data: Path, sql: str) -> list[tuple]:
    database.publish(data)
    with database.connect(data) as connection:
        return connection.execute(sql).fetchall()


def first_segment() -> list:
    return [
        discovered(FERRY, 0),
        discovered(LIST, 0),
        discovered(DEAD, 0),
        discovered(WAITING, 0),
        (page(FERRY, 1), extraction(article(FERRY), "Newer articles", "Also read: the pier")),
        (page(LIST, 2), extraction(rejection())),
        outcome(DEAD, 3),
        source("https://harbour.example/feed", 0),
        {"kind": "finished", "at": "2026-11-20T04:40:00Z", "reason": "finished"},
    ]


def test_an_article_is_stored_with_all_its_fields(tmp_path: Path) -> None:
    """What extraction said of the page stands in `articles`, with where and when it was fetched."""
    result = load(tmp_path, [folder(tmp_path, first_segment())])
    assert (result.fetches, result.new_articles, result.new_versions) == (3, 1, 0)
    database.publish(tmp_path)
    with database.connect(tmp_path) as connection:
        cursor = connection.execute("SELECT * FROM articles")
        [row] = [dict(zip([d[0] for d in cursor.description], r, strict=True)) for r in cursor.fetchall()]
    assert row["headline"] == "Ferry"
    assert row["article_body"] == "The ferry is late."
    assert row["authors"] == ["Ada Quay", "Jo Pier"]
    assert row["author_organisations"] == ["Harbour Press Agency"]
    assert row["keywords"] == ["sea", "ferry"]
    assert row["date_published"] == naive(-60)
    assert row["date_downloaded"] == row["date_first_seen"] == row["valid_from"] == naive(1)
    assert row["images"] == [{"url": "https://harbour.example/1.jpg", "caption": "The quay", "credit": "A. Quay"}]
    assert row["blocks"] == [{"kind": "paragraph", "level": 0, "position": 0, "start": 0, "length": 18, "time": None}]
    assert row["evidence"] == '[{"field":"headline","source":"h1","value":"Ferry","chosen":true}]'
    assert row["rights"] == '{"Content-Signal":"ai-train=no"}'
    assert (row["capture_file"], row["capture_offset"]) == ("captures/run-1/a-00001.warc.gz", 100)
    assert (row["url_key"], row["requested_key"], row["requested_url"]) == (url_key(FERRY), url_key(FERRY), FERRY)
    assert (row["site"], row["version"], row["run_id"]) == ("harbour", 1, "run-1")


def test_rows_that_an_older_program_extracted_are_loaded_beside_new_ones(tmp_path: Path) -> None:
    """Folders that wait while the program is updated lack a column; both kinds come in with one load, in any order."""
    urls = [FERRY, LIST, DEAD]
    for number, url in enumerate(urls):
        segment = f"a-0000{number}"
        written = folder(tmp_path, [(page(url, 1, segment=segment), extraction(article(url)))], segment=segment)
        if url != LIST:
            tables = {name: pq.read_table(written / f"{name}.parquet") for name in batches.SCHEMAS}
            tables["articles"] = tables["articles"].drop_columns(["author_organisations"])
            shutil.rmtree(written)
            batches.write_folder(written, "run-1", segment, tables)
    load(tmp_path, pending_folders(tmp_path))
    people = ["Ada Quay", "Jo Pier"]
    known = rows(tmp_path, "SELECT url, author_organisations, authors FROM articles ORDER BY capture_file")
    assert known == [(FERRY, None, people), (LIST, ["Harbour Press Agency"], people), (DEAD, None, people)]


def test_each_discovered_url_has_one_outcome(tmp_path: Path) -> None:
    """Loaded, rejected, refused and not yet tried URLs all stand in the ledger, and sum to what was discovered."""
    load(tmp_path, [folder(tmp_path, first_segment())])
    assert rows(tmp_path, "SELECT url, outcome, status, tries FROM urls ORDER BY url") == [
        (FERRY, "loaded", 200, 1),
        (DEAD, "gone", 404, 1),
        (WAITING, "pending", None, 0),
        (LIST, "index", 200, 1),
    ]
    [(discovered_, fetched, loaded, opened, rejected, reasons)] = rows(
        tmp_path, "SELECT discovered, fetched, loaded, open, rejected, reasons FROM run_summary"
    )
    assert (discovered_, fetched, loaded, opened, rejected) == (4, 2, 1, 1, 2)
    assert reasons == {"gone": 1, "index": 1, "pending": 1}
    assert rows(tmp_path, "SELECT outcome, reason FROM missed ORDER BY outcome") == [
        ("gone", "The site says it is gone (404)."),
        ("index", "It lists articles."),
        ("pending", "pending"),
    ]


def test_removed_blocks_are_kept_with_the_rule_that_took_them(tmp_path: Path) -> None:
    """Each block that was removed from a loaded article stands in the store, with kind, rule and place."""
    load(tmp_path, [folder(tmp_path, first_segment())])
    assert rows(tmp_path, 'SELECT kind, rule, text, "position" FROM removed_blocks ORDER BY 4') == [
        ("related", "related-heading", "Newer articles", 9),
        ("related", "related-heading", "Also read: the pier", 10),
    ]


def test_the_same_segment_is_taken_once(tmp_path: Path) -> None:
    """A second load of a folder changes nothing."""
    path = folder(tmp_path, first_segment())
    first = load(tmp_path, [path])
    again = load(tmp_path, [path, path])
    assert (first.loaded, again.loaded, again.known, again.load_id) == ((path,), (), (path,), None)
    assert rows(tmp_path, "SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM fetches)") == [(1, 3)]


def test_an_edited_article_gets_a_second_version(tmp_path: Path) -> None:
    """A fetch with another text closes the current version and opens the next; one with the same text does not."""
    load(tmp_path, [folder(tmp_path, first_segment())])
    load(tmp_path, [folder(tmp_path, [(page(FERRY, 60), extraction(article(FERRY)))], segment="a-00002")])
    edited = article(FERRY, "The ferry is cancelled.\n\nBuses run.")
    result = load(tmp_path, [folder(tmp_path, [(page(FERRY, 90), extraction(edited))], segment="a-00003")])
    assert (result.new_articles, result.new_versions) == (0, 1)
    assert rows(
        tmp_path, "SELECT version, valid_from, valid_to, article_body FROM article_versions ORDER BY version"
    ) == [
        (1, naive(1), naive(90), "The ferry is late."),
        (2, naive(90), None, "The ferry is cancelled.\n\nBuses run."),
    ]
    assert rows(tmp_path, "SELECT outcome FROM fetches WHERE article_key IS NOT NULL ORDER BY ended_at") == [
        ("loaded",),
        ("unchanged",),
        ("loaded",),
    ]
    assert rows(tmp_path, "SELECT version, date_first_seen FROM articles") == [(2, naive(1))]
    assert rows(tmp_path, "SELECT version FROM article_as_of(TIMESTAMP '2026-11-20 05:00')") == [(1,)]
    assert rows(tmp_path, "SELECT text FROM article_blocks WHERE current ORDER BY position") == [
        ("The ferry is cancelled.",),
        ("Buses run.",),
    ]
    assert rows(
        tmp_path, "SELECT version, characters, characters_more, headline_changed FROM article_history ORDER BY 1"
    ) == [
        (1, 18, None, False),
        (2, 35, 17, False),
    ]


def test_a_version_that_our_reading_made_can_be_told_from_an_edit(tmp_path: Path) -> None:
    """`reading_changed` is true where another extraction, or other learned lines, read the page than before."""
    readings = [
        ("One.", "1", None),
        ("Two.", "1", None),
        ("Three.", "2", None),
        ("Four.", "2", "a"),
        ("Five.", "2", "a"),
    ]
    items = [
        (page(FERRY, n), extraction(article(FERRY, text, extractor_version=extractor, learned_version=learned)))
        for n, (text, extractor, learned) in enumerate(readings)
    ]
    load(tmp_path, [folder(tmp_path, items)])
    assert rows(tmp_path, "SELECT version, reading_changed FROM article_history ORDER BY version") == [
        (1, False),
        (2, False),
        (3, True),
        (4, True),
        (5, False),
    ]


def test_a_second_url_of_an_article_is_a_duplicate(tmp_path: Path) -> None:
    """Once an article's own URL was fetched, another URL that leads to it makes no version, whatever its text."""
    other = "https://harbour.example/story?id=77&lang=en"
    load(tmp_path, [folder(tmp_path, first_segment())])
    load(
        tmp_path,
        [folder(tmp_path, [(page(other, 9), extraction(article(FERRY, "Short text.")))], segment="a-00002")],
    )
    assert rows(tmp_path, f"SELECT outcome, article_key FROM urls WHERE url = '{other}'") == [
        ("duplicate", url_key(FERRY))
    ]
    assert rows(tmp_path, "SELECT version, article_body FROM article_versions") == [(1, "The ferry is late.")]


def test_a_segment_that_comes_late_takes_its_place_in_time(tmp_path: Path) -> None:
    """A fetch that is loaded after later ones becomes the version between them."""
    texts = {1: "First.", 50: "Second.", 99: "First."}
    paths = {
        minutes: folder(
            tmp_path, [(page(FERRY, minutes), extraction(article(FERRY, text)))], segment=f"a-000{minutes:02}"
        )
        for minutes, text in texts.items()
    }
    for minutes in (99, 1, 50):
        load(tmp_path, [paths[minutes]])
    assert rows(
        tmp_path, "SELECT version, valid_from, valid_to, article_body, capture_offset FROM article_versions ORDER BY 1"
    ) == [
        (1, naive(1), naive(50), "First.", 100),
        (2, naive(50), naive(99), "Second.", 5000),
        (3, naive(99), None, "First.", 9900),
    ]
    assert rows(tmp_path, "SELECT outcome FROM fetches ORDER BY ended_at") == [("loaded",)] * 3


def test_a_discovery_after_the_last_try_is_pending(tmp_path: Path) -> None:
    """A URL that is to be visited again is open until it is, and keeps what is known of it."""
    load(tmp_path, [folder(tmp_path, first_segment())])
    load(tmp_path, [folder(tmp_path, [discovered(FERRY, 30)], segment="a-00002")])
    assert rows(tmp_path, f"SELECT outcome, last_outcome, fetched_at, article_key FROM urls WHERE url = '{FERRY}'") == [
        ("pending", "loaded", naive(1), url_key(FERRY))
    ]


def test_an_answer_not_modified_is_unchanged(tmp_path: Path) -> None:
    """A 304 moves the time of the last fetch and keeps article, validators and capture."""
    load(tmp_path, [folder(tmp_path, first_segment())])
    line = outcome(FERRY, 120, Outcome.UNCHANGED, status=304, reason=None)
    load(tmp_path, [folder(tmp_path, [line], segment="a-00002")])
    assert rows(
        tmp_path,
        f"SELECT outcome, fetched_at, article_key, etag, capture_offset, tries FROM urls WHERE url = '{FERRY}'",
    ) == [("unchanged", naive(120), url_key(FERRY), '"1"', 100, 2)]
    assert rows(tmp_path, "SELECT count(*) FROM article_versions") == [(1,)]


def test_an_article_is_visited_again_while_it_is_young(tmp_path: Path) -> None:
    """Next visits come at 1 h, 6 h, 1, 3 and 7 days of age, and no more after that; rejected pages get none."""
    old = "https://harbour.example/2026/old-story"
    ancient = article(old)
    ancient = article(old, metadata=type(ancient.metadata)(headline="Old", date_published=at(-20000)))
    items = [*first_segment(), discovered(old, 0), (page(old, 1), extraction(ancient))]
    load(tmp_path, [folder(tmp_path, items)])
    visits = dict(rows(tmp_path, "SELECT url, next_visit FROM urls"))
    assert visits[FERRY] == naive(-60 + 6 * 60)  # published an hour before the first minute, so past its first visit
    assert visits[old] is None
    assert visits[LIST] is None


def test_a_damaged_folder_is_set_aside_and_named(tmp_path: Path) -> None:
    """A flipped bit, a torn file or a missing one keeps that folder out, by name; the others are loaded."""
    good = folder(tmp_path, first_segment())
    flipped = folder(tmp_path, [(page(DEAD, 5), extraction(article(DEAD)))], segment="a-00002")
    torn = folder(tmp_path, [(page(LIST, 5), extraction(article(LIST)))], segment="a-00003")
    file = flipped / "articles.parquet"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    (torn / "fetches.parquet").write_bytes((torn / "fetches.parquet").read_bytes()[:-20])
    result = load(tmp_path, pending_folders(tmp_path))
    assert result.loaded == (good,)
    assert {path.name: reason.split(":")[0].rsplit("/", 1)[-1] for path, reason in result.damaged} == {
        "a-00002.damaged": "articles.parquet",
        "a-00003.damaged": "fetches.parquet",
    }
    assert not flipped.exists()
    assert rows(tmp_path, "SELECT count(*) FROM articles") == [(1,)]
    assert pending_folders(tmp_path) == [good]


def test_sources_show_their_last_reading(tmp_path: Path) -> None:
    """A feed has one row with its last state and what is usual for it."""
    feed = "https://harbour.example/feed"
    items = [
        source(feed, 0, entries=20),
        source(feed, 60, entries=30),
        source(feed, 90, status=500, outcome="server_error", entries=0),
    ]
    load(tmp_path, [folder(tmp_path, items)])
    assert rows(tmp_path, "SELECT url, readings, status, outcome, usual_entries, last_ok_at FROM sources") == [
        (feed, 3, 500, "server_error", 25.0, naive(60))
    ]


def test_nothing_is_left_of_a_load_that_fails(tmp_path: Path) -> None:
    """If a load cannot keep its keys unique, the store stays as it was and the error says which key."""
    load(tmp_path, [folder(tmp_path, first_segment())])
    with database.writer(tmp_path) as connection:
        connection.execute("INSERT INTO urls SELECT * FROM urls")
    edited = folder(tmp_path, [(page(FERRY, 90), extraction(article(FERRY, "New.")))], segment="a-00002")
    with pytest.raises(duckdb.ConstraintException, match=url_key(FERRY)):
        load(tmp_path, [edited])
    assert rows(tmp_path, "SELECT article_body FROM articles") == [("The ferry is late.",)]
