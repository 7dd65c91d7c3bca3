"""The report of a run: its sums, its words, and that hostile text does nothing in it."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from flows.plain import plain
from flows.report import RunSummary, SiteSummary, count, duration, line, markdown, problems, table, together

HOSTILE = "[red]x[/] <script>alert(1)</script> | a | [link](javascript:x) ![i](http://h/i) `c` \x1b[31m\x07\u202e\nnext *b* $m$"


def summary(*sites: SiteSummary, **more: object) -> RunSummary:
    values = {
        "run_id": "20261123T043000Z-nightly-ab12",
        "kind": "nightly",
        "started_at": datetime(2026, 11, 23, 4, 30, tzinfo=UTC),
        "took": timedelta(seconds=8.24),
        "ended": "finished",
        "sites": sites,
    }
    return RunSummary(**{**values, **more})


HARBOUR = SiteSummary(
    site="harbour",
    title="The Harbour",
    outcomes={"loaded": 40, "unchanged": 1, "paywall": 1, "gone": 2, "robots": 1, "timeout": 3},
    fetched=44,
    extracted=41,
    new=39,
    versions=1,
)
DEAD = SiteSummary(site="dead", title="Dead", problems=("feed http://dead/ did not answer",))


def shown(run: RunSummary) -> str:
    console = Console(file=io.StringIO(), width=160, force_terminal=False)
    console.print(table(run))
    for sentence in problems(run):
        console.print(sentence)
    return console.file.getvalue()


def test_a_site_is_one_line_of_the_log() -> None:
    """Its figures, what was rejected and why, what stays open; a site of which nothing came says so first."""
    assert line(HARBOUR) == (
        "48 discovered, 44 fetched, 41 extracted; 39 new articles, 1 new version; "
        "2 gone, 1 paywall, 1 robots; open, for the next crawl: 3 timeout"
    )
    assert line(DEAD).startswith("failed: 0 discovered")


def test_each_url_is_counted_in_one_group() -> None:
    """What is in the store, what is refused and what is open sum to what was discovered."""
    in_store = 41
    assert HARBOUR.discovered == 48
    assert sum(HARBOUR.rejected.values()) + sum(HARBOUR.open.values()) + in_store == HARBOUR.discovered
    assert HARBOUR.rejected == {"gone": 2, "paywall": 1, "robots": 1}
    assert HARBOUR.open == {"timeout": 3}


def test_the_table_shows_the_figures_and_the_reasons() -> None:
    """Numbers, reasons with their counts, the failed site first, the sums last."""
    run = summary(*together([HARBOUR, DEAD]))
    text = shown(run)
    assert "39 new articles, 1 new version, 44 pages fetched from 2 sites in 8.2 s; 1 site failed: dead" in " ".join(
        text.split()
    )
    assert text.index("dead") < text.index("harbour")
    assert "2 gone, 1 paywall, 1 robots" in text
    assert "3 timeout" in text
    assert "feed http://dead/ did not answer" in text


def test_a_run_worked_if_one_site_did() -> None:
    """One dead site fails itself alone; a run of dead sites, of none, or with a problem of its own has failed."""
    assert summary(HARBOUR, DEAD).worked
    assert not summary(DEAD).worked
    assert not summary().worked
    assert not summary(HARBOUR, problem="the disk is full").worked


def test_hostile_text_is_inert_in_the_terminal() -> None:
    """A site's text cannot colour, move the cursor, open a second line or turn the direction of writing."""
    text = shown(summary(SiteSummary(site="s", title=HOSTILE, problems=(HOSTILE,), outcomes={"gone": 1})))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[red]x[/] <script>" in text


def test_hostile_text_is_inert_in_markdown() -> None:
    """A site's text makes no cell, link, picture, element or code in the artifact."""
    text = markdown(
        summary(SiteSummary(site="s", title="t", problems=(HOSTILE,), outcomes={"gone": 1}), problem=HOSTILE)
    )
    for mark in ("<script", "[link](", "![i]", "`c`", "*b*", "\x1b", "\u202e", " | a | "):
        assert mark not in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {9}


def test_long_text_is_cut() -> None:
    """A reason of a megabyte takes 200 characters."""
    assert len(plain("x" * 1_000_000)) == 200


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (8.24, "8.2 s"), (185, "3 min 5 s"), (7440, "2 h 4 min"), (59.99, "60.0 s")]
)
def test_durations_read_well(seconds: float, text: str) -> None:
    """Seconds below a minute, minutes below an hour, hours beyond."""
    assert duration(timedelta(seconds=seconds)) == text


def test_counts_agree_with_their_noun() -> None:
    """One page, two pages, thousands with a comma."""
    assert [count(n, "page") for n in (0, 1, 2, 1200)] == ["0 pages", "1 page", "2 pages", "1,200 pages"]
