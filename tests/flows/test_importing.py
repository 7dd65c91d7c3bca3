"""A corpus that somebody else extracted: cleaned, loaded with where it came from, once, and nothing passed over silently."""

import gzip
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from flows.commands.importing import run_import
from storage import takedown
from storage.database import connect

BODY = """The harbour of Saltmarsh opened a second basin on Monday, two years later than planned.

&lt;figcaption&gt;The new basin, seen from the church tower. Photo: A. Quay&lt;/figcaption&gt;

Fishermen said that the wait had cost them three seasons. The council answered that the mud had been deeper than drawn.

Newer articles
Ferry to sail twice a day
Reading scores rise at Old Quay Road
Swing bridge to close for six weeks"""


def record(number: int, **changes: object) -> dict[str, Any]:
    text = BODY.replace("two years", f"{number + 2} years")
    base = {"url": f"https://harbour.example/2019/basin-{number}", "title": f"Basin {number} opens", "maintext": text}
    return base | {"date_publish": "2019-05-06 07:00:00", "authors": ["Ada Quay"], "language": "en"} | changes


def write_lines(path: Path, *lines: object) -> Path:
    path.write_text(
        "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n", encoding="utf-8"
    )
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "nightdesk.toml").write_text("catalogue = false\n", encoding="utf-8")
    return tmp_path / "data"


def take(data: Path, *paths: Path, **options: str) -> int:
    return run_import(data, paths, **{"site": None, "extracted_by": None, "base_url": None} | options)


def ask(data: Path, query: str) -> list[tuple[Any, ...]]:
    with connect(data) as connection:
        return connection.execute(query).fetchall()


def test_boilerplate_goes_and_provenance_stays(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Texts that end in "Newer articles" and hold escaped captions are stored without them, and those are kept apart."""
    corpus = write_lines(tmp_path / "corpus.jsonl", *(record(n) for n in range(3)))
    assert take(data, corpus, extracted_by="news-please 1.5") == 0
    [(body, headline, site, file, line, by, capture)] = ask(
        data,
        """SELECT article_body, headline, site, source_file, source_line, extracted_by, capture_file
        FROM articles WHERE url LIKE '%basin-1'""",
    )
    assert body == "\n\n".join(BODY.replace("two years", "3 years").split("\n\n")[place] for place in (0, 2))
    assert (headline, site, file, line, by, capture) == (
        "Basin 1 opens", "harbour-example", str(corpus), 2, "news-please 1.5", None,
    )  # fmt: skip
    removed = ask(data, "SELECT DISTINCT kind, text FROM removed_blocks ORDER BY kind, text")
    assert ("related", "Newer articles") in removed
    assert ("related", "Ferry to sail twice a day") in removed
    assert any(kind in {"caption", "escaped_markup"} and "church tower" in text for kind, text in removed)
    assert ask(data, "SELECT date_published, authors, in_language FROM articles LIMIT 1")[0][1:] == (["Ada Quay"], "en")
    assert str(ask(data, "SELECT date_published FROM articles LIMIT 1")[0][0]) == "2019-05-06 07:00:00"
    assert ask(data, "SELECT kind, state FROM runs") == [("import", "finished")]
    assert "3 taken" in capsys.readouterr().out


def test_the_same_again_changes_nothing(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second import of the corpus, grown by one article, takes that one only; no row of the others is added."""
    corpus = write_lines(tmp_path / "corpus.jsonl", *(record(n) for n in range(3)))
    take(data, corpus)
    before = ask(data, "SELECT * FROM article_versions ORDER BY url_key")
    fetches = ask(data, "SELECT * FROM fetches ORDER BY url_key")
    with corpus.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record(7)) + "\n")
    take(data, corpus)
    assert "1 taken, 3 known already" in capsys.readouterr().out
    assert ask(data, "SELECT * FROM article_versions WHERE url NOT LIKE '%basin-7' ORDER BY url_key") == before
    assert ask(data, "SELECT * FROM fetches WHERE url NOT LIKE '%basin-7' ORDER BY url_key") == fetches


def test_bad_lines_are_named_and_counted(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each article that cannot be taken is named with file, line and mend; the good ones beside it are taken."""
    corpus = write_lines(
        tmp_path / "corpus.jsonl",
        record(0),
        "{not json",
        "[1, 2]",
        record(1, maintext=""),
        record(2, url="notes about nothing"),
        {"title": "No address", "text": "It stands nowhere. It is told anyway."},
        record(3, maintext="Newer articles\nAdvertisement"),
        record(4),
    )
    with corpus.open("ab") as file:
        file.write(b'{"url": "https://harbour.example/x", "text": "caf\xe9"}\n')
    assert take(data, corpus) == 0
    problems = ask(data, "SELECT source_line, outcome, reason FROM import_problems ORDER BY source_line")
    assert [(line, outcome) for line, outcome, _ in problems] == [
        (2, "bad_record"), (3, "bad_record"), (4, "bad_record"), (5, "bad_url"), (6, "bad_url"), (7, "empty"), (9, "bad_record"),
    ]  # fmt: skip
    mends = ["write one object a line", "write one article as an object", "no text", "mend the field url", "--base-url",
             "nothing is left", "iconv"]  # fmt: skip
    assert [mend for (_, _, reason), mend in zip(problems, mends, strict=True) if mend not in reason] == []
    shown = capsys.readouterr().out
    assert f"{corpus}:2: bad_record: not JSON" in shown
    assert "2 taken" in shown
    assert ask(data, "SELECT count(*) FROM articles") == [(2,)]


def test_one_article_a_file(data: Path, tmp_path: Path) -> None:
    """A folder of text files, some with fields at their top, some compressed, some JSON: each is an article."""
    folder = tmp_path / "old"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text(f'---\nurl: https://harbour.example/a\ntitle: "A\'s"\ndate: 6 May 2019\n---\n{BODY}')
    (folder / "deep" / "b.txt.gz").write_bytes(gzip.compress(BODY.encode()))
    (folder / "c.json").write_text(json.dumps([record(1), record(2)]))
    (folder / "notes.pdf").write_bytes(b"%PDF")
    os.utime(folder / "a.txt", (1_600_000_000, 1_600_000_000))
    assert take(data, folder, base_url="https://old.example/archive/", site="harbour") == 0
    rows = ask(data, "SELECT url, headline, site, source_line FROM articles ORDER BY url")
    assert rows == [
        ("https://harbour.example/2019/basin-1", "Basin 1 opens", "harbour", 1),
        ("https://harbour.example/2019/basin-2", "Basin 2 opens", "harbour", 2),
        ("https://harbour.example/a", "A's", "harbour", None),
        ("https://old.example/archive/b", None, "harbour", None),
    ]
    [(at, published)] = ask(data, "SELECT valid_from, date_published FROM articles WHERE url LIKE '%/a'")
    assert (str(at), str(published)) == ("2020-09-13 12:26:40", "2019-05-06 00:00:00")


def test_a_text_without_a_time_never_replaces_one_that_is_there(data: Path, tmp_path: Path) -> None:
    """Known articles stay as they are; a text with the time of its download takes its place in their history."""
    take(data, write_lines(tmp_path / "a.jsonl", record(0, date_download="2019-06-01 10:00:00")))
    take(
        data, write_lines(tmp_path / "b.jsonl", record(0, maintext="Another text of it. It is shorter than that one."))
    )
    assert ask(data, "SELECT count(*), max(version) FROM article_versions") == [(1, 1)]
    older = record(0, maintext="The basin will open soon. Nobody knows when.", date_download="2019-05-01 10:00:00")
    take(data, write_lines(tmp_path / "c.jsonl", older))
    found = ask(
        data, "SELECT version, valid_from::DATE::VARCHAR, article_body[:20] FROM article_versions ORDER BY version"
    )
    assert found == [(1, "2019-05-01", "The basin will open "), (2, "2019-06-01", "The harbour of Saltm")]


def test_what_was_taken_down_does_not_come_in_again(data: Path, tmp_path: Path) -> None:
    """An article that was taken down is refused, by name, and no row holds its text."""
    url = record(0)["url"]
    found = takedown.find(data, url)
    ordered = takedown.order(data, found, "asked")
    takedown.register(data, ordered)
    take(data, write_lines(tmp_path / "a.jsonl", record(0), record(1)))
    assert ask(data, "SELECT outcome FROM import_problems") == [("taken_down",)]
    assert ask(data, "SELECT url FROM articles") == [(record(1)["url"],)]


def test_a_killed_import_goes_on(data: Path, tmp_path: Path, nightdesk) -> None:
    """Rows that were written and not loaded are loaded by the next import, which counts them as known."""
    corpus = write_lines(tmp_path / "corpus.jsonl", *(record(n) for n in range(2500)))
    command = [str(Path(sys.executable).with_name("nightdesk")), "import", str(corpus), "--data", str(data)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    deadline = time.monotonic() + 300
    while not list(data.glob("extracted/*/a-00000")) and time.monotonic() < deadline:
        time.sleep(0.02)
    child.kill()
    child.communicate()
    done = nightdesk("import", str(corpus), data=data).stdout
    known = int(done.split(" known already")[0].rpartition(" ")[2].replace(",", ""))
    assert known >= 2000
    assert ask(data, "SELECT count(*), count(DISTINCT url_key) FROM article_versions") == [(2500, 2500)]
    assert ask(data, "SELECT count(*) FROM fetches") == [(2500,)]


def test_what_is_no_corpus_is_named(data: Path, tmp_path: Path, nightdesk) -> None:
    """A path that is not there or of an unknown kind ends with code 2 and says what is understood."""
    (tmp_path / "x.pdf").write_bytes(b"%PDF")
    assert ".jsonl" in nightdesk("import", str(tmp_path / "x.pdf"), data=data, expect=2).stderr
    assert "is not there" in nightdesk("import", str(tmp_path / "y.jsonl"), data=data, expect=2).stderr
