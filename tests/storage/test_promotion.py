# ruff: noqa: ANN401 -- a changed field can be of any type
"""Pages read again: the store is as if they had been read so from the beginning, and as before when that is taken back."""

import contextlib
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from extraction.records import Outcome
from storage import database
from storage.batches import SegmentRows
from storage.load import load
from storage.manifest import DamagedFolderError
from storage.promotion import PromotionError, Row, promote, record, roll_back
from storage.query import Session, cookbook
from storage.versions import compare, versions
from tests.storage.invariants import broken
from tests.storage.made import article, at, discovered, extraction, folder, outcome, page, rejection, stored

SITE = "https://harbour.example"
FERRY, PIER, FISH = (f"{SITE}/2026/{name}" for name in ("ferry-late", "pier-opens", "fish-market"))
SHORT = f"{SITE}/s?id=7&to=1"  # leads to the ferry's article

KILLS = int(os.environ.get("FAULT_KILLS", "6"))

#: All of a store but the numbers, names and times of loads and what is told of re-extractions themselves.
TABLES = {
    "urls": "*",
    "fetches": "*",
    "discoveries": "*",
    "article_versions": "* EXCLUDE (load_number)",
    "removed_blocks": "*",
    "segments": "run_id, segment, urls, fetches, articles",
}


def contents(data: Path) -> dict[str, list[tuple[Any, ...]]]:
    with stored(data) as store:
        return {
            table: store.execute(f"SELECT {columns} FROM {table} ORDER BY ALL").fetchall()
            for table, columns in TABLES.items()
        }


def asked(data: Path, sql: str) -> list[tuple[Any, ...]]:
    with database.connect(data) as store:
        assert broken(store) == []
        return store.execute(sql).fetchall()


def reread(data: Path, items: list[Any], name: str = "again") -> Path:
    """Write pages with what another extraction made of them, as a re-extraction leaves them, and tell the store of it."""
    home = data / "reextractions" / name
    for run in sorted({each.capture.file.split("/")[1] for each, _ in items}):
        rows = SegmentRows(run, "a-00001")
        for each, found in items:
            if each.capture.file.split("/")[1] == run:
                rows.add_page(each, found)
        rows.write(home / "rows" / run / "a-00001")
    record(data, row(name))
    return home


def row(name: str, **changes: Any) -> Row:
    fields = {
        "reextraction_id": name,
        "state": "compared",
        "started_at": at(5000),
        "compared_at": at(5001),
        "wanted": {},
        "extractor_version": "2",
        "version": "0.1",
        "pages": 1,
        "gone": 0,
        "verdict": "pass",
        "reasons": (),
    }
    return Row(**fields | changes)


def two(url: str, text: str, headline: str = "Ferry", *removed: str, **changes: Any) -> Any:
    return extraction(article(url, text, headline, extractor_version="2", **changes), *removed)


def test_versions_stay_and_their_texts_are_the_new_ones(newsdesk: Path) -> None:
    """Both versions of an edited article are read again: two versions, of the same times, with the new texts."""
    home = reread(
        newsdesk,
        [
            (page(FERRY, 1), two(FERRY, "The ferry is late.\n\nSo is the bus.", "Ferry", "Advertisement")),
            (page(FERRY, 1441, run="run-2"), two(FERRY, "The ferry sails.\n\nThe bus does not.", "Ferry sails")),
        ],
    )
    before = versions(newsdesk, FERRY)
    done = promote(newsdesk, "again", home)
    assert (done.articles, done.versions_before, done.versions_after, done.departed) == (1, 2, 2, 0)
    first, second = versions(newsdesk, FERRY)
    assert [(v.valid_from, v.valid_to) for v in (first, second)] == [(v.valid_from, v.valid_to) for v in before]
    assert first.article_body == "The ferry is late.\n\nSo is the bus."
    assert second.article_body == "The ferry sails.\n\nThe bus does not."
    rows = (
        "SELECT version, extractor_version, reextraction_id, run_id, characters FROM article_versions WHERE url = '{}'"
    )
    assert asked(newsdesk, rows.format(FERRY) + " ORDER BY version") == [
        (1, "2", "again", "run-1", 34),
        (2, "2", "again", "run-2", 35),
    ]
    assert asked(newsdesk, rows.format(PIER)) == [(1, "1", None, "run-1", 15)]
    removed = "SELECT text, url_key IN (SELECT url_key FROM articles WHERE headline = 'Pier') FROM removed_blocks"
    assert sorted(asked(newsdesk, removed)) == [("Advertisement", False), ("Newer articles", True)]
    assert "-The ferry is late.\n-So is the bus." in compare(newsdesk, FERRY)


def test_what_only_our_reading_changed_is_no_edit(newsdesk: Path) -> None:
    """A page that was fetched again, the same, and read otherwise by a newer program made a version; read again, none."""
    later = page(PIER, 3000, run="run-3")
    load(
        newsdesk, [folder(newsdesk, [(later, two(PIER, "The pier opens at noon.", "Pier"))], run="run-3")], publish=True
    )
    assert [v.version for v in versions(newsdesk, PIER)] == [1, 2]
    assert asked(newsdesk, "SELECT reading_changed FROM article_history WHERE version = 2 AND headline = 'Pier'") == [
        (True,)
    ]
    home = reread(newsdesk, [(each, two(PIER, "The pier opens at noon.", "Pier")) for each in (page(PIER, 2), later)])
    promote(newsdesk, "again", home)
    [only] = versions(newsdesk, PIER)
    assert (only.valid_from, only.valid_to, only.article_body) == (at(2), None, "The pier opens at noon.")
    assert asked(newsdesk, f"SELECT outcome FROM urls WHERE url = '{PIER}'") == [("unchanged",)]


def test_rejected_and_accepted_pages_change_places(newsdesk: Path) -> None:
    """An article that is none any more leaves the store with its removed blocks; a page that was none comes in."""
    front = f"{SITE}/news/"
    home = reread(
        newsdesk,
        [
            (page(PIER, 2), extraction(rejection(Outcome.TEASER))),
            (page(front, 3), two(front, "The harbour has a new list.", "The list", "Share")),
        ],
    )
    before = contents(newsdesk)
    done = promote(newsdesk, "again", home)
    assert done.departed == 1
    assert asked(newsdesk, "SELECT headline FROM articles ORDER BY ALL") == [("Ferry sails",), ("The list",)]
    assert asked(newsdesk, f"SELECT last_outcome, article_key FROM urls WHERE url = '{front}'")[0][0] == "loaded"
    # The pier's page was gone at the last try; what it had been is a fact of its fetch.
    assert asked(newsdesk, f"SELECT outcome, article_key FROM urls WHERE url = '{PIER}'") == [("gone", None)]
    assert asked(newsdesk, f"SELECT outcome, reason FROM fetches WHERE url = '{PIER}' ORDER BY ended_at")[0] == (
        "teaser",
        "It lists articles.",
    )
    assert asked(newsdesk, "SELECT text FROM removed_blocks") == [("Newer articles",), ("Advertisement",), ("Share",)]
    assert asked(newsdesk, "SELECT count(*) FROM departures") == [(1,)]
    roll_back(newsdesk, "again", home)
    assert contents(newsdesk) == before


def test_a_roll_back_brings_every_row_back(newsdesk: Path) -> None:
    """Texts, versions, removed blocks, fetches and the ledger are what they were; promoted again, what they became."""
    before = contents(newsdesk)
    home = reread(
        newsdesk,
        [
            (page(FERRY, 1), two(FERRY, "The ferry sails.", "Ferry sails", "New rubbish")),
            (page(FERRY, 1441, run="run-2"), two(FERRY, "The ferry sails.", "Ferry sails", "Other rubbish")),
            (page(PIER, 2), extraction(rejection())),
        ],
    )
    promote(newsdesk, "again", home)
    after = contents(newsdesk)
    assert len(after["article_versions"]) == 1
    assert after != before
    assert promote(newsdesk, "again", home).again
    roll_back(newsdesk, "again", home)
    assert contents(newsdesk) == before
    assert roll_back(newsdesk, "again", home).again
    promote(newsdesk, "again", home)
    assert contents(newsdesk) == after


def test_a_page_without_capture_follows_one_of_the_same_text(newsdesk: Path) -> None:
    """An article's first capture is gone, a later one of the same text is read again: one version still, the new text."""
    home = reread(
        newsdesk, [(page(FERRY, 1600, run="run-3"), two(FERRY, "The ferry sails.\n\nIt does.", "Ferry sails"))]
    )
    same = (page(FERRY, 1600, run="run-3"), extraction(article(FERRY, "The ferry sails.", "Ferry sails")))
    load(newsdesk, [folder(newsdesk, [same], run="run-3")])
    before = contents(newsdesk)
    promote(newsdesk, "again", home)
    first, second = versions(newsdesk, FERRY)
    assert (first.article_body, first.valid_to) == ("The ferry is late.", at(1441))
    assert (second.article_body, second.valid_from, second.valid_to) == ("The ferry sails.\n\nIt does.", at(1441), None)
    roll_back(newsdesk, "again", home)
    assert contents(newsdesk) == before


def test_what_is_fetched_after_a_promotion_stays_after_its_roll_back(newsdesk: Path) -> None:
    """The newer version of an article outlives the roll-back of its older ones, and a same text makes no version."""
    new = "The pier opens at noon."
    home = reread(newsdesk, [(page(PIER, 2), two(PIER, new, "Pier"))])
    promote(newsdesk, "again", home)
    items = [
        (page(PIER, 3000, run="run-3"), two(PIER, new, "Pier")),
        (page(PIER, 4000, run="run-3"), two(PIER, "The pier is closed.", "Pier")),
    ]
    load(newsdesk, [folder(newsdesk, items, run="run-3")], publish=True)
    assert [v.article_body for v in versions(newsdesk, PIER)] == [new, "The pier is closed."]
    roll_back(newsdesk, "again", home)
    assert [v.article_body for v in versions(newsdesk, PIER)] == ["The pier opens.", "The pier is closed."]
    assert asked(newsdesk, "SELECT count(*) FROM article_history WHERE headline = 'Pier' AND reading_changed") == [(1,)]


def test_not_modified_means_what_the_page_is_now(newsdesk: Path) -> None:
    """A page that the server said is unchanged is in the store no more when the page itself is rejected; and back again."""
    told = outcome(PIER, 3000, Outcome.UNCHANGED, status=304, reason=None)
    load(newsdesk, [folder(newsdesk, [told], run="run-3")])
    before = contents(newsdesk)
    home = reread(newsdesk, [(page(PIER, 2), extraction(rejection(Outcome.TEASER)))])
    promote(newsdesk, "again", home)
    assert asked(newsdesk, f"SELECT outcome, reason FROM urls WHERE url = '{PIER}'") == [
        ("teaser", "not modified since it was read as: It lists articles.")
    ]
    roll_back(newsdesk, "again", home)
    assert contents(newsdesk) == before


def test_a_twin_without_capture_goes_with_its_article(newsdesk: Path) -> None:
    """A short link to an article was a duplicate, whose text nobody keeps: it ends with the article, and comes back."""
    twin = (page(SHORT, 3000, run="run-3"), extraction(article(PIER, "The pier opens. Share!", "Pier")))
    load(newsdesk, [folder(newsdesk, [twin], run="run-3")])
    before = contents(newsdesk)
    home = reread(newsdesk, [(page(PIER, 2), extraction(rejection(Outcome.TEASER)))])
    promote(newsdesk, "again", home)
    assert asked(newsdesk, f"SELECT outcome, article_key FROM urls WHERE url = '{SHORT}'") == [("teaser", None)]
    assert asked(newsdesk, "SELECT headline FROM articles") == [("Ferry sails",)]
    roll_back(newsdesk, "again", home)
    assert contents(newsdesk) == before


def test_an_article_can_move_to_another_address(newsdesk: Path) -> None:
    """Read again, a page names another canonical URL: the article stands there, and its old key has departed."""
    home = reread(newsdesk, [(page(PIER, 2), two(f"{PIER}-at-last", "The pier opens.", "Pier"))])
    before = contents(newsdesk)
    assert promote(newsdesk, "again", home).departed == 1
    assert asked(newsdesk, "SELECT url, requested_url FROM articles WHERE headline = 'Pier'") == [
        (f"{PIER}-at-last", PIER)
    ]
    roll_back(newsdesk, "again", home)
    assert contents(newsdesk) == before


def test_a_late_segment_finds_the_new_readings(newsdesk: Path) -> None:
    """A segment that was repaired after a promotion makes the history be told anew: from the new readings."""
    home = reread(newsdesk, [(page(FERRY, 1441, run="run-2"), two(FERRY, "The ferry sails at six.", "Ferry sails"))])
    promote(newsdesk, "again", home)
    late = (page(FERRY, 700, segment="a-00002"), extraction(article(FERRY, "The ferry is very late.", "Ferry")))
    load(newsdesk, [folder(newsdesk, [late, discovered(FERRY, 699)], segment="a-00002")], publish=True)
    assert [v.article_body for v in versions(newsdesk, FERRY)] == [
        "The ferry is late.",
        "The ferry is very late.",
        "The ferry sails at six.",
    ]
    assert asked(newsdesk, "SELECT reextraction_id FROM articles WHERE headline = 'Ferry sails'") == [("again",)]


def test_promotions_are_taken_back_in_their_order(newsdesk: Path) -> None:
    """Only the last promotion can be rolled back; after it, the one before."""
    before = contents(newsdesk)
    homes = {
        name: reread(newsdesk, [(page(PIER, 2), two(PIER, f"The pier opens at {name}.", "Pier"))], name)
        for name in ("noon", "dusk")
    }
    for name, home in homes.items():
        promote(newsdesk, name, home)
    with pytest.raises(PromotionError, match="dusk was promoted after noon; roll that back first"):
        roll_back(newsdesk, "noon", homes["noon"])
    roll_back(newsdesk, "dusk", homes["dusk"])
    assert versions(newsdesk, PIER)[0].article_body == "The pier opens at noon."
    roll_back(newsdesk, "noon", homes["noon"])
    assert contents(newsdesk) == before


def test_what_cannot_be_promoted_is_refused(newsdesk: Path) -> None:
    """What the store does not know, what was discarded, and rows that are damaged: an error, and nothing changes."""
    before = contents(newsdesk)
    home = reread(newsdesk, [(page(PIER, 2), two(PIER, "The pier opens at noon.", "Pier"))])
    with pytest.raises(PromotionError, match="other is not in the store: run it again first"):
        promote(newsdesk, "other", home)
    with pytest.raises(PromotionError, match="only what is promoted can be rolled back"):
        roll_back(newsdesk, "again", home)
    record(newsdesk, row("again", state="discarded"))
    with pytest.raises(PromotionError, match="again is discarded"):
        promote(newsdesk, "again", home)
    record(newsdesk, row("again"))
    file = home / "rows" / "run-1" / "a-00001" / "articles.parquet"
    content = file.read_bytes()
    file.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    with pytest.raises(DamagedFolderError, match=r"articles\.parquet"):
        promote(newsdesk, "again", home)
    assert contents(newsdesk) == before
    file.write_bytes(content)
    promote(newsdesk, "again", home)
    shutil.rmtree(home / "before")
    with pytest.raises(PromotionError, match="is gone, with which the former readings could be brought back"):
        roll_back(newsdesk, "again", home)
    with pytest.raises(PromotionError, match="is promoted; roll it back first"):
        record(newsdesk, row("again"))


def test_only_pages_of_the_store_are_changed(newsdesk: Path) -> None:
    """Readings of a page that was taken down meanwhile come to nothing."""
    stranger = f"{SITE}/2026/taken-down"
    home = reread(newsdesk, [(page(stranger, 9), two(stranger, "Nobody may read this.", "Gone"))])
    before = contents(newsdesk)
    assert promote(newsdesk, "again", home).fetches == 0
    assert contents(newsdesk) == before


def test_no_question_takes_our_reading_for_an_edit(newsdesk: Path) -> None:
    """Until it is read again, a version that only another reading made is neither an edit nor changed overnight."""
    later = page(PIER, 3000, run="run-3")
    load(
        newsdesk, [folder(newsdesk, [(later, two(PIER, "The pier opens at noon.", "Pier"))], run="run-3")], publish=True
    )
    with Session(newsdesk) as session:
        answers = {
            recipe.name: list(session.ask(recipe.sql).rows)
            for recipe in cookbook()
            if recipe.name in ("edited", "overnight")
        }
    assert [row[:3] for row in answers["edited"]] == [(1, "harbour", "Ferry sails")]
    assert [row[:4] for row in answers["overnight"]] == [("harbour", "read otherwise", 2, "Pier")]


@pytest.mark.parametrize("change", [promote, roll_back])
def test_done_again_it_clusters_what_a_kill_left(newsdesk: Path, change: Callable[..., Any]) -> None:
    """Killed after its commit, a promotion or roll-back has yet to cluster its texts; the repeated one does that."""
    home = reread(newsdesk, [(page(PIER, 2), two(PIER, "The pier opens at noon.", "Pier"))])
    promote(newsdesk, "again", home)
    if change is roll_back:
        roll_back(newsdesk, "again", home)
    sketches = asked(newsdesk, "SELECT url_key, load_number FROM text_sketches ORDER BY ALL")
    with database.writer(newsdesk, publish=True) as connection:  # as the store is between the commit and the clusters
        connection.execute("UPDATE story_state SET load_number = load_number - 1")
        connection.execute("DELETE FROM text_sketches WHERE load_number > (SELECT load_number FROM story_state)")
    assert asked(newsdesk, "SELECT url_key, load_number FROM text_sketches ORDER BY ALL") != sketches
    assert change(newsdesk, "again", home).again
    assert asked(newsdesk, "SELECT url_key, load_number FROM text_sketches ORDER BY ALL") == sketches


@pytest.mark.crash
def test_killed_at_any_moment_of_a_promotion_all_or_nothing_is_there(newsdesk: Path) -> None:
    """After each SIGKILL amid promotions and roll-backs, readers and the loader see the one state or the other, whole."""
    home = reread(
        newsdesk,
        [
            (page(FERRY, 1), two(FERRY, "The ferry is late.\n\nSo is the bus.", "Ferry", "Advertisement")),
            (page(FERRY, 1441, run="run-2"), two(FERRY, "The ferry sails.", "Ferry sails")),
            (page(PIER, 2), extraction(rejection())),
        ],
    )
    before = contents(newsdesk)
    promote(newsdesk, "again", home)
    after = contents(newsdesk)
    published = {before_or_after(newsdesk)}
    chance = random.Random(3)
    kills = 0
    for _ in range(KILLS):
        child = start(newsdesk)
        assert child.stdout is not None
        for _ in range(1 + kills % 2):  # a promotion, or that and a roll-back, is done; the next is under way
            child.stdout.readline()
        time.sleep(chance.uniform(0, 0.5))
        kills += child.poll() is None
        child.kill()
        child.communicate()
        published.add(before_or_after(newsdesk))
        with database.writer(newsdesk):  # what the kill left in the log comes into the file
            pass
        assert contents(newsdesk) in (before, after)
    assert kills == KILLS
    assert published == {"pier is in", "pier is out"}
    with contextlib.suppress(PromotionError):
        promote(newsdesk, "again", home)
    assert contents(newsdesk) == after
    roll_back(newsdesk, "again", home)
    assert contents(newsdesk) == before


def start(data: Path) -> "subprocess.Popen[str]":
    """A process that promotes and rolls back until it is killed."""
    command = [sys.executable, "-m", "tests.storage.crash_child", str(data), "promote"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def before_or_after(data: Path) -> str:
    """Which of the two states a reader sees; anything else fails."""
    seen = asked(data, "SELECT version, headline, article_body FROM article_versions ORDER BY ALL")
    if len(seen) == 2:
        assert seen == [(1, "Ferry", "The ferry is late.\n\nSo is the bus."), (2, "Ferry sails", "The ferry sails.")]
        return "pier is out"
    assert [row[2] for row in seen] == ["The ferry is late.", "The pier opens.", "The ferry sails."]
    return "pier is in"
