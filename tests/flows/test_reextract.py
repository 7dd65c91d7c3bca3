# ruff: noqa: ANN401 -- what is wanted can be of any type
"""Captures read again: what would change is told, promoted as a whole, taken back as a whole, and survives any kill."""

import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from extraction.records import Extraction, Outcome, Rejection
from flows import reextraction
from flows.desk import open_desk
from flows.reextraction import Report
from flows.reextraction_report import headline, markdown
from spiders.captures import read_pages
from storage.batches import SegmentRows
from storage.comparison import Verdict
from storage.load import load
from storage.rereading import Wanted
from tests.flows.world import NIGHTDESK

Run = Callable[..., "subprocess.CompletedProcess[str]"]

pytestmark = pytest.mark.prefect  # the demo's data are made by a real run

ROOT = Path(__file__).parents[2]
TABLES = {
    "urls": "*",
    "fetches": "*",
    "article_versions": "* EXCLUDE (load_number)",
    "removed_blocks": "*",
}


@pytest.fixture
def data(demo_data: Path, tmp_path: Path) -> Path:
    """The demo's data after a first run, to be changed by one test."""
    return Path(shutil.copytree(demo_data, tmp_path / "data"))


def again(data: Path, **wanted: Any) -> Report:
    return reextraction.carry_out(open_desk(data), Wanted(**wanted), lambda *_: None, lambda *_: None)


def promote(data: Path, report: Report, **how: bool) -> None:
    reextraction.promote(open_desk(data), report.dossier.reextraction_id, **how)


def ask(data: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(data / "store" / "published.duckdb", read_only=True) as store:
        return store.execute(sql).fetchall()


def contents(data: Path) -> dict[str, list[tuple[Any, ...]]]:
    return {table: ask(data, f"SELECT {columns} FROM {table} ORDER BY ALL") for table, columns in TABLES.items()}


def extraction_of(data: Path, site: str, rules: str) -> None:
    """Write a site's [extraction] table anew."""
    path = data / "sites" / f"{site}.toml"
    path.write_text(path.read_text(encoding="utf-8").partition("\n[extraction]")[0] + rules, encoding="utf-8")


def of(report: Report, site: str) -> Any:
    [found] = [each for each in report.dossier.sites if each.site == site]
    return found


def test_the_same_program_and_rules_change_nothing(data: Path) -> None:
    """Each captured page is read again, rejected ones too; all is the same, and asked again nothing is read at all."""
    [(captured,)] = ask(data, "SELECT count(*) FROM fetches WHERE capture_file IS NOT NULL")
    report = again(data)
    assert sum(each.pages for each in report.dossier.sites) == captured == report.dossier.pages > 140
    assert sum(each.same for each in report.dossier.sites) == captured
    assert (report.state, report.cases, report.dossier.passes) == ("compared", (), True)
    assert "nothing changes" in headline(report)
    rows = ask(data, "SELECT reextraction_id, state, verdict, pages, gone FROM reextractions")
    assert rows == [(report.dossier.reextraction_id, "compared", "pass", captured, 0)]
    assert ask(data, "SELECT sum(pages), sum(same) FROM reextraction_sites") == [(captured, captured)]
    assert again(data).dossier == report.dossier


def test_days_sites_and_a_limit_choose_whole_articles(data: Path) -> None:
    """Only what was published on those days at that site is read again, newest first, up to the limit."""
    [(site, day, count)] = ask(data, "SELECT site, day, fetched FROM coverage ORDER BY fetched DESC, site, day LIMIT 1")
    found = again(data, sites=(site,), first_day=day, last_day=day)
    assert [(each.site, each.pages) for each in found.dossier.sites] == [(site, count)]
    assert again(data, limit_pages=7).dossier.pages == 7
    with pytest.raises(reextraction.ReextractionError, match="no captured page is of these sites and days"):
        again(data, sites=(site,), last_day=day.replace(year=1999))


def test_other_rules_are_told_promoted_and_taken_back(data: Path) -> None:
    """A rule that is switched off gives blocks back, each with the rule that had taken it; no edit arises from that."""
    before = contents(data)
    extraction_of(data, "lindenauer-bote", '\n[extraction]\nrules_off = ["related.heading"]\n')
    report = again(data)
    site = of(report, "lindenauer-bote")
    assert (site.text_changed, site.blocks_lost, site.newly_rejected) == (16, 0, 0)
    assert sum(each.text_changed for each in report.dossier.sites) == 16
    assert {(each.text, each.kind, each.rule) for case in report.cases for each in case.gained} >= {
        ("Neuere Artikel", "related", "related.heading")
    }
    assert contents(data) == before
    promote(data, report)
    told = "article_body LIKE '%Neuere Artikel%', rules_version IS NOT NULL, reextraction_id IS NOT NULL"
    assert ask(
        data, f"SELECT {told}, count(*) FROM articles WHERE site = 'lindenauer-bote' GROUP BY ALL ORDER BY 1"
    ) == [
        (False, True, True, 33),
        (True, True, True, 16),
    ]
    assert ask(data, "SELECT count(*) FROM article_versions WHERE version > 1") == [(0,)]
    valid = "SELECT url, valid_from, valid_to, run_id, date_first_seen FROM article_versions ORDER BY ALL"
    after = ask(data, valid)
    assert again(data).state == "promoted"

    extraction_of(data, "lindenauer-bote", "")  # the rule is on again: what it takes is lost, and told with its rule
    report = again(data)
    assert of(report, "lindenauer-bote").blocks_lost >= 16
    assert {(each.text, each.rule) for case in report.cases for each in case.lost} >= {
        ("Neuere Artikel", "related.heading")
    }
    reextraction.discard(open_desk(data), report.dossier.reextraction_id)
    first = ask(data, "SELECT reextraction_id FROM reextractions WHERE state = 'promoted'")[0][0]
    reextraction.roll_back(open_desk(data), first)
    assert contents(data) == before
    assert ask(data, valid) == after
    assert ask(data, "SELECT state FROM reextractions ORDER BY started_at") == [("rolled_back",), ("discarded",)]


def test_what_loses_articles_is_held(data: Path) -> None:
    """A class that a site keeps brings articles; given up again it would lose them, which the gate holds until overruled."""
    extraction_of(data, "saltmarsh-courier", '\n[extraction]\nkeep_classes = ["live"]\n')
    report = again(data, sites=("saltmarsh-courier",))
    assert (of(report, "saltmarsh-courier").newly_article, report.dossier.passes) == (1, True)
    promote(data, report)
    [(live, key)] = ask(data, "SELECT url, url_key FROM articles WHERE page_class = 'live'")
    assert ask(data, f"SELECT outcome FROM urls WHERE url_key = '{key}'") == [("loaded",)]

    extraction_of(data, "saltmarsh-courier", "")
    (data / "nightdesk.toml").write_text("catalogue = false\ngate_articles_lost = 0.5\n", encoding="utf-8")
    report = again(data, sites=("saltmarsh-courier",))
    assert [(case.verdict, case.url) for case in report.cases] == [(Verdict.NEWLY_REJECTED, live)]
    assert not report.dossier.passes
    [reason] = report.dossier.reasons
    assert reason.startswith("saltmarsh-courier: 1.5% of its articles would be lost")
    with pytest.raises(reextraction.ReextractionError, match=r"the gate holds it: saltmarsh-courier: 1\.5%"):
        promote(data, report)
    promote(data, report, despite_gate=True)
    assert ask(data, f"SELECT outcome, article_key FROM urls WHERE url_key = '{key}'") == [("live", None)]
    assert ask(data, f"SELECT count(*) FROM articles WHERE url_key = '{key}'") == [(0,)]


def test_a_page_that_failed_is_tried_again(data: Path, tmp_path: Path) -> None:
    """Pages that no worker could finish are articles once they are read again; the gate has a person look at so many."""
    fresh = tmp_path / "fresh"
    for folder in ("captures", "sites"):
        shutil.copytree(data / folder, fresh / folder)
    (fresh / "nightdesk.toml").write_text("catalogue = false\n", encoding="utf-8")
    died = Rejection(outcome=Outcome.EXTRACTION_FAILED, reason="the extraction worker ended with SIGKILL")
    warc = min(fresh.glob("captures/*/*.warc.gz"), key=lambda path: path.stat().st_size)
    rows = SegmentRows(warc.parent.name, warc.name.removesuffix(".warc.gz"))
    for page in read_pages(warc, data=fresh):
        rows.add_page(page, Extraction(result=died))
    load(fresh, [rows.write(fresh / "extracted" / rows.run_id / rows.segment)], publish=True)
    assert [outcome for (outcome,) in ask(fresh, "SELECT DISTINCT outcome FROM urls")] == ["extraction_failed"]

    report = again(fresh)
    assert not report.dossier.passes
    promote(fresh, report, despite_gate=True)
    assert ask(fresh, "SELECT count(*) FROM urls WHERE outcome = 'extraction_failed'") == [(0,)]
    columns = "url, headline, article_body, authors, date_published, valid_from"
    whole = set(map(str, ask(data, f"SELECT {columns} FROM articles")))
    some = set(map(str, ask(fresh, f"SELECT {columns} FROM articles")))
    assert some
    assert some <= whole


def test_captures_that_are_not_here_leave_their_rows(data: Path) -> None:
    """A flipped record and a deleted WARC file are counted and named, and what the store has of their pages stays."""
    before = contents(data)
    [(file, offset)] = ask(data, "SELECT capture_file, capture_offset FROM articles ORDER BY url LIMIT 1")
    with (data / file).open("rb+") as warc:
        warc.seek(offset + 300)
        byte = warc.read(1)
        warc.seek(offset + 300)
        warc.write(bytes([byte[0] ^ 0xFF]))
    report = again(data)
    assert [(each.capture_file, each.pages) for each in report.dossier.gone] == [(file, 1)]
    assert report.dossier.passes
    assert f"`{file}`: 1 page" in markdown(report)
    assert "or it stands on another machine" in markdown(report)
    promote(data, report)
    assert ask(data, "SELECT reextraction_id IS NULL AS kept, count(*) FROM articles GROUP BY ALL ORDER BY ALL") == [
        (False, 148),
        (True, 1),
    ]
    reextraction.roll_back(open_desk(data), report.dossier.reextraction_id)
    assert contents(data) == before
    (data / file).unlink()
    report = again(data, sites=("lindenauer-bote",))
    site = of(report, "lindenauer-bote")
    assert (site.pages, site.gone, [each.pages for each in report.dossier.gone]) == (0, 51, [51])
    assert contents(data) == before


def test_a_raised_version_stands_on_every_row(data: Path, tmp_path: Path, nightdesk: Run) -> None:
    """Another extraction (its version raised) reads all: the command tells, `--yes` promotes."""
    shutil.copytree(ROOT / "extraction", tmp_path / "newer" / "extraction")
    door = tmp_path / "newer" / "extraction" / "article.py"
    text = door.read_text(encoding="utf-8")
    door.write_text(text.replace('EXTRACTOR_VERSION: Final = "', 'EXTRACTOR_VERSION: Final = "next-'), encoding="utf-8")
    newer = {**os.environ, "PYTHONPATH": str(tmp_path / "newer"), "NIGHTDESK_DATA": str(data), "COLUMNS": "140"}
    done = subprocess.run(
        [NIGHTDESK, "reextract", "--yes"],
        env=newer,
        cwd=tmp_path,  # a worker looks for its packages there first
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing changes" in done.stdout
    [(version, count)] = ask(data, "SELECT DISTINCT extractor_version, count(*) FROM article_versions GROUP BY ALL")
    assert (version.startswith("next-"), count) == (True, 149)
    name = ask(data, "SELECT reextraction_id FROM reextractions")[0][0]
    assert (
        f"promoted; back with: nightdesk reextract --roll-back {name}"
        in nightdesk("reextract", "--show", name, data=data).stdout
    )
    assert "promoted" in nightdesk("reextract", "--list", data=data).stdout
    refused = nightdesk("reextract", "--discard", name, data=data, expect=2).stderr
    assert f"--roll-back {name}" in refused
    assert "rolled back: 149 articles" in nightdesk("reextract", "--roll-back", name, data=data).stdout
    assert [v for (v,) in ask(data, "SELECT DISTINCT extractor_version FROM articles")] == [
        version.removeprefix("next-")
    ]
    assert "one at a time" in nightdesk("reextract", "--list", "--show", name, data=data, expect=2).stderr


def test_hostile_texts_are_inert_in_the_report(data: Path) -> None:
    """A headline full of markup and escapes is text in the artifact, whatever it says."""
    extraction_of(data, "lindenauer-bote", '\n[extraction]\nrules_off = ["related.heading"]\n')
    report = again(data, limit_pages=60)
    from dataclasses import replace

    case = replace(
        report.cases[0], headline="<script>alert(1)</script> | **x** \x1b[31m", url="http://a.b/](javascript:x)"
    )
    shown = markdown(replace(report, cases=(case,)))
    assert "<script" not in shown
    assert "\x1b" not in shown
    assert "](javascript" not in shown
    assert "**x**" not in shown


def test_what_was_promoted_but_not_published_is_published(data: Path, nightdesk: Run) -> None:
    """Killed between the two, the same command lets readers see the promotion."""
    extraction_of(data, "lindenauer-bote", '\n[extraction]\nrules_off = ["related.heading"]\n')
    published = (data / "store" / "published.duckdb").read_bytes()
    promote(data, again(data))
    after = contents(data)
    (data / "store" / "published.duckdb").write_bytes(published)
    assert contents(data) != after
    nightdesk("reextract", "--yes", data=data)
    assert contents(data) == after


@pytest.mark.crash
def test_killed_at_any_moment_the_same_command_goes_on(data: Path, tmp_path: Path) -> None:
    """SIGKILL while it reads, compares or promotes: nothing half is in the store, and the command said again ends as unkilled."""
    extraction_of(data, "lindenauer-bote", '\n[extraction]\nrules_off = ["related.heading"]\n')
    before = contents(data)
    unhurt = Path(shutil.copytree(data, tmp_path / "unhurt"))
    environment = {**os.environ, "NIGHTDESK_DATA": str(data)}
    began = time.monotonic()
    subprocess.run([NIGHTDESK, "reextract", "--yes"], env={**environment, "NIGHTDESK_DATA": str(unhurt)}, check=True)
    whole_s = time.monotonic() - began
    hidden = "* EXCLUDE (load_number, reextraction_id)"
    after = ask(unhurt, f"SELECT {hidden} FROM article_versions ORDER BY ALL")
    chance = random.Random(5)
    kills = 0
    for _ in range(12):
        child = subprocess.Popen(
            [NIGHTDESK, "reextract", "--yes"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(chance.uniform(0.3, 0.95) * whole_s)
        kills += child.poll() is None
        child.kill()
        child.wait()
        now = ask(data, f"SELECT {hidden} FROM article_versions ORDER BY ALL")
        assert now == after or contents(data)["article_versions"] == before["article_versions"]
        if now == after:
            break
    assert kills > 0
    done = subprocess.run(
        [NIGHTDESK, "reextract", "--yes"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert ask(data, f"SELECT {hidden} FROM article_versions ORDER BY ALL") == after
    assert ask(data, "SELECT count(*) FROM reextractions WHERE state = 'promoted'") == [(1,)]
    assert not list(data.glob("reextractions/*/*.part"))
    reextraction.roll_back(open_desk(data), ask(data, "SELECT reextraction_id FROM reextractions")[0][0])
    assert contents(data) == before
