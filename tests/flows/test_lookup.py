"""`nightdesk search` and `nightdesk diff`: what they find and show, and that no text of a site owns the terminal."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from storage import index, search
from storage.load import load
from tests.flows.world import ANCHOR, Served, run_line
from tests.storage.made import article, extraction, folder, page

Run = Callable[..., "subprocess.CompletedProcess[str]"]
NIGHTDESK = str(Path(sys.executable).with_name("nightdesk"))
FERRY = "https://harbour.example/2026/ferry-late"


@pytest.fixture(scope="module")
def filled(newsroom: Served, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder after one run over the newsroom."""
    data = newsroom.furnish(tmp_path_factory.mktemp("filled"))
    run_line(data)
    return data


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An article of two versions whose texts try to take hold of a terminal."""
    data = tmp_path_factory.mktemp("hostile")
    texts = ("The ferry [red]sails\x1b[31m late.", "The ferry \u202esails\x1b]0;owned\x07 at noon.")
    for minute, text in enumerate(texts):
        made = article(FERRY, text, "Ferry\x1b[2J news")
        load(data, [folder(data, [(page(FERRY, minute), extraction(made))], run=f"run-{minute}")], publish=True)
    return data


def in_terminal(*args: str, data: Path) -> str:
    """What the command writes to a terminal with colours."""
    master, slave = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | {"TERM": "xterm"}
    done = subprocess.run([NIGHTDESK, *args, "--data", str(data)], stdout=slave, env=environment, check=True)
    os.close(slave)
    seen = b""
    while True:
        try:
            seen += os.read(master, 65536)
        except OSError:  # read to its end
            os.close(master)
            assert done.returncode == 0
            return seen.decode()


def test_a_run_leaves_the_index_where_the_store_is(filled: Path) -> None:
    """After a run nothing is left for a search to catch up with, and the run's articles are found."""
    assert index.update(filled) == 0
    assert search.search(filled, "ferry OR Fähre OR bac").total > 3


def test_an_index_that_cannot_be_written_fails_no_run(newsroom: Served, tmp_path: Path) -> None:
    """With something else where its lock should be the run ends well, with all articles; the search mends it later."""
    data = newsroom.furnish(tmp_path / "data")
    (data / index.LOCK).mkdir(parents=True)
    run_line(data)
    (data / index.LOCK).rmdir()
    assert index.update(data) == len(newsroom.truth().articles)


def test_a_search_is_narrowed_by_site_language_and_days(filled: Path, nightdesk: Run) -> None:
    """Each filter leaves exactly what it says: the others' sites, languages and days are not there."""
    everywhere = nightdesk("search", "ferry OR Gemeinde OR commune", "--limit", "1000", data=filled).stdout
    assert {"saltmarsh-courier", "lindenauer-bote", "la-lanterne"} <= set(everywhere.split())
    german = nightdesk("search", "Gemeinde OR ferry", "--language", "de", "--limit", "1000", data=filled).stdout
    assert "lindenauer-bote" in german
    assert "saltmarsh-courier" not in german
    courier = nightdesk("search", "ferry OR Gemeinde", "--site", "saltmarsh-courier", data=filled).stdout
    assert "lindenauer-bote" not in courier
    first, last = ANCHOR - timedelta(days=6), ANCHOR - timedelta(days=4)
    days = ("--first-day", first.isoformat(), "--last-day", last.isoformat(), "--limit", "1000")
    shown = nightdesk("search", "the", "--site", "saltmarsh-courier", *days, data=filled).stdout
    told = [line.split()[0] for line in shown.splitlines() if " UTC  " in line]
    assert told
    assert {first, last} <= set(map(date.fromisoformat, told)) <= {first + timedelta(days=n) for n in range(3)}


def test_a_search_says_how_much_there_is(filled: Path, nightdesk: Run) -> None:
    """So many hits as asked for, and the number of all."""
    shown = nightdesk("search", "the", "--limit", "2", data=filled).stdout
    assert shown.count("http://") == 2
    assert "articles found; the best 2" in shown
    assert nightdesk("search", "zyzzyva", data=filled).stdout == "0 articles found\n"


def test_the_words_are_highlighted_in_a_terminal_alone(hostile: Path, nightdesk: Run) -> None:
    """Colour marks the word in a terminal; in a pipe there is none."""
    assert "\x1b[1;33mferry\x1b[0m" in in_terminal("search", "ferry", data=hostile)
    assert "\x1b" not in nightdesk("search", "ferry", data=hostile).stdout


def test_a_diff_shows_what_changed(hostile: Path, nightdesk: Run) -> None:
    """The lines that went and came, by URL or key, with colours in a terminal; equal versions are said to be equal."""
    shown = nightdesk("diff", FERRY, data=hostile).stdout.splitlines()
    assert [line for line in shown if line.startswith("-The")] == ["-The ferry [red]sails[31m late."]
    assert [line for line in shown if line.startswith("+The")] == ["+The ferry sails]0;owned at noon."]
    assert "\x1b[32m+The" in in_terminal("diff", FERRY, data=hostile)
    same = nightdesk("diff", FERRY, "--old", "2", "--new", "2", data=hostile).stdout
    assert same == "no difference: those versions are equal\n"
    assert "the store has 1 to 2" in nightdesk("diff", FERRY, "--new", "3", data=hostile, expect=2).stderr


@pytest.mark.parametrize("command", [("search", "ferry"), ("diff", FERRY)])
def test_hostile_text_is_inert(command: tuple[str, ...], hostile: Path, nightdesk: Run) -> None:
    """No escape sequence, bell or override of a site's text reaches the terminal; what looks like markup is shown."""
    shown = in_terminal(*command, data=hostile)
    assert [part for part in ("\x07", "\u202e", "\x1b[2J", "\x1b[31m late", "\x1b]0;") if part in shown] == []
    assert "at noon" in shown
