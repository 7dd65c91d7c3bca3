"""The command as people use it: what it answers, what its mistakes say, what it costs."""

import csv
import io
import json
import os
import pty
import resource
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pytest

from tests.flows.world import Served, run_line

Run = Callable[..., "subprocess.CompletedProcess[str]"]
NIGHTDESK = str(Path(sys.executable).with_name("nightdesk"))


@pytest.fixture(scope="session")
def filled(newsroom: Served, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder after one run over the newsroom."""
    data = newsroom.furnish(tmp_path_factory.mktemp("filled"))
    run_line(data)
    return data


def cpu_seconds(*args: str, data: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [NIGHTDESK, *args, "--data", str(data)] if args[0] != "--help" else [NIGHTDESK, *args],
        check=True,
        capture_output=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


@pytest.mark.parametrize("args", [("--help",), ("sql", "select 1")])
def test_it_starts_fast(args: tuple[str, ...], filled: Path) -> None:
    """Help and a small query need no Prefect and no Scrapy: under 0.7 s of CPU, the best of five on a shared machine."""
    assert min(cpu_seconds(*args, data=filled) for _ in range(5)) < 0.7


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["crawl", "--site", "lindenauer-bot"], "did you mean lindenauer-bote?"),
        (["crawl", "--sitte", "x"], "--sitte"),
        (["craw"], "craw"),
        (["backfill", "--first-day", "2026-13-01", "--last-day", "2026-11-02"], "'2026-13-01': no date"),
        (["backfill", "--first-day", "2026-11-03", "--last-day", "2026-11-02"], "swap them"),
        (["backfill", "--first-day", "2026-11-03", "--last-day", "2999-11-02"], "in the future"),
        (["sites", "show", "saltmarsh"], "saltmarsh-courier"),
        (["sites", "add", "http://saltmarsh-courier.localhost:1/"], "belongs to site 'saltmarsh-courier' already"),
        (["sites", "add", "https://example.org/"], "contact is not set"),
        (["report", "no-such-run"], "the latest are"),
        (["queries", "volum"], "did you mean 'volume'?"),
        (["search", "("], "parentheses"),
        (["search", "stadt:halle"], "between quotation marks"),
        (["search", "ferry", "--site", "lindenauer-bot"], "did you mean lindenauer-bote?"),
        (["search", "ferry", "--first-day", "2026-11-31"], "'2026-11-31': no date"),
        (["search", "ferry", "--first-day", "2026-11-03", "--last-day", "2026-11-02"], "swap them"),
        (["search", "ferry", "--limit", "0"], "from 1 to 1000"),
        (["diff", "https://nowhere.example/"], "no article of that URL or key"),
        (["diff", "not a url"], "url_key of 24"),
        (["sql", "selct 1"], "syntax error"),
        (["sql", "select * from artcles"], "articles"),
        (["sql", "delete from article_versions"], "read-only"),
        (["sql", "select * from read_text('/etc/passwd')"], "disabled"),
        (["sql", "attach 'x.duckdb'"], "disabled"),
        (["sql", "copy articles to 'x.csv'"], "disabled"),
    ],
)
def test_a_mistake_has_exit_code_2_and_one_message(args: list[str], says: str, filled: Path, nightdesk: Run) -> None:
    """No traceback: what was wrong, and the nearest right thing."""
    done = nightdesk(*args, data=filled, expect=None)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_is_named(tmp_path: Path, nightdesk: Run) -> None:
    """An unknown key stops every command that reads the settings, with file, key and nearest name."""
    (tmp_path / "nightdesk.toml").write_text('contcat = "a@b.org"\n', encoding="utf-8")
    said = nightdesk("status", data=tmp_path, expect=2).stderr
    assert "nightdesk.toml: unknown setting 'contcat'; did you mean 'contact'?" in said


def test_without_contact_no_public_site_is_asked(tmp_path: Path, nightdesk: Run) -> None:
    """The shipped catalogue is public: a crawl without contact ends before anything is started or written."""
    said = nightdesk("crawl", data=tmp_path / "data", expect=2).stderr
    assert "contact is not set" in said
    assert not (tmp_path / "data").exists()


def test_an_empty_folder_says_what_fills_it(tmp_path: Path, nightdesk: Run) -> None:
    """Before the first crawl, `sql` names the command to run, and `status` says so and is well."""
    assert "nightdesk crawl" in nightdesk("sql", "select 1", data=tmp_path, expect=2).stderr
    assert "nothing is in it yet" in nightdesk("status", data=tmp_path).stdout


def test_answers_come_as_table_json_and_csv(filled: Path, nightdesk: Run) -> None:
    """The same rows in all three; JSON and CSV are read back by their own parsers."""
    query = "select site, count(*) as n from articles group by all order by site"
    as_json = json.loads(nightdesk("sql", "--json", query, data=filled).stdout)
    as_csv = list(csv.DictReader(io.StringIO(nightdesk("sql", "--csv", query, data=filled).stdout)))
    table = nightdesk("sql", query, data=filled).stdout
    assert [row["site"] for row in as_json] == ["la-lanterne", "lindenauer-bote", "saltmarsh-courier"]
    assert [(row["site"], str(row["n"])) for row in as_json] == [(row["site"], row["n"]) for row in as_csv]
    assert all(row["site"] in table and str(row["n"]) in table for row in as_json)


def test_hostile_text_is_inert(filled: Path, nightdesk: Run) -> None:
    """No escape sequence reaches the terminal from a table, no formula a spreadsheet from CSV."""
    query = "select '[red]' || chr(27) || '[31mboo' || chr(8238) || chr(7) as a, '=HYPERLINK(1)' as b"
    table = nightdesk("sql", query, data=filled).stdout
    assert "\x1b" not in table
    assert "\u202e" not in table
    assert "[red][31mboo" in table
    assert "'=HYPERLINK(1)" in nightdesk("sql", "--csv", query, data=filled).stdout


def test_a_closed_pipe_is_no_error(filled: Path) -> None:
    """`… | head -1` ends quietly."""
    command = (
        f"{NIGHTDESK} sql --csv --data {filled} 'select range, repeat(chr(120), 100) from range(200000)' | head -1"
    )
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    assert done.stdout == 'range,"repeat(chr(120), 100)"\n'
    assert done.returncode == 0


class Terminal:
    """A person at a terminal: types, and reads until something shows."""

    def __init__(self, *args: str) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [NIGHTDESK, *args], stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        self.seen = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def types(self, text: str) -> None:
        os.write(self._master, text.encode())

    def reads(self, words: str, seconds: float = 30) -> str:
        deadline = time.monotonic() + seconds
        while words not in self.seen:
            assert time.monotonic() < deadline, f"{words!r} never showed: {self.seen[-2000:]}"
            if select.select([self._master], [], [], 0.2)[0]:
                self.seen += os.read(self._master, 65536).decode("utf-8", "replace")
        before, _, self.seen = self.seen.partition(words)
        return before


def test_the_prompt_takes_queries_over_several_lines_and_survives_mistakes(filled: Path) -> None:
    """A query ends with its semicolon; a mistake is told and the prompt comes back; .quit leaves."""
    with Terminal("sql", "--csv", "--data", str(filled)) as terminal:
        terminal.reads("nightdesk> ")
        terminal.types("select 40\n+ 2 as answer;\n")
        terminal.reads("answer\r\n42")
        terminal.types("selct;\n")
        terminal.reads("syntax error")
        terminal.types(".schema urls\n")
        terminal.reads("url_key")
        terminal.types(".quit\n")
        assert terminal.process.wait(20) == 0


def test_ctrl_c_stops_a_query_and_not_the_prompt(filled: Path) -> None:
    """A query that would run for hours ends at Ctrl-C, and the next one is answered."""
    with Terminal("sql", "--csv", "--data", str(filled)) as terminal:
        terminal.reads("nightdesk> ")
        terminal.types("select sum(a.range * b.range) from range(10000000) a, range(10000000) b;\n")
        time.sleep(2)
        os.kill(terminal.process.pid, 2)
        terminal.reads("stopped")
        terminal.types("select 40 + 2 as answer;\n")
        terminal.reads("answer\r\n42")
        terminal.types(".quit\n")
        assert terminal.process.wait(20) == 0


def test_report_status_and_doctor_speak_of_the_run(filled: Path, nightdesk: Run) -> None:
    """The report has each site, the status its articles, and the doctor finds nothing wrong."""
    report = nightdesk("report", data=filled).stdout
    assert all(site in report for site in ("la-lanterne", "lindenauer-bote", "saltmarsh-courier"))
    assert "articles" in nightdesk("status", data=filled).stdout
    assert "wrong" not in nightdesk("doctor", data=filled).stdout


def test_the_cookbook_is_listed_and_asked(filled: Path, nightdesk: Run) -> None:
    """Each query of the cookbook has its question and runs."""
    names = [line.split()[0] for line in nightdesk("queries", data=filled).stdout.splitlines()]
    assert len(names) >= 8
    assert "la-lanterne" in nightdesk("queries", "volume", data=filled).stdout


def test_sites_are_listed_added_and_checked(newsroom: Served, tmp_path: Path, nightdesk: Run) -> None:
    """`add` finds the courier's feed and sitemaps by itself and writes a file that `check` finds sound."""
    (tmp_path / "nightdesk.toml").write_text("catalogue = false\n", encoding="utf-8")
    home = f"http://saltmarsh-courier.localhost:{newsroom.port}/"
    added = nightdesk("sites", "add", home, "--name", "courier", data=tmp_path).stdout
    assert "is written and enabled" in added
    assert "courier" in nightdesk("sites", "list", data=tmp_path).stdout
    assert "sitemap" in nightdesk("sites", "show", "courier", data=tmp_path).stdout
    assert "ok" in nightdesk("sites", "check", "courier", data=tmp_path).stdout
