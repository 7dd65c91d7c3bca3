"""What a run came to, as the store tells it afterwards."""

from pathlib import Path

from flows.summary import summarise_past
from storage.load import load
from storage.runs import Run, record_run
from tests.storage.made import at, folder, source

FEED, MAP, SMALL = (f"https://harbour.example/{name}" for name in ("feed", "map.xml", "small"))


def test_a_source_that_falls_silent_or_bursts_is_a_problem_of_the_run(tmp_path: Path) -> None:
    """After three readings that knew better; a source of a few URLs, and one that is new, may do as they like."""
    for number, entries in enumerate([(30, 40, 1), (31, 41, 2), (29, 39, 1), (0, 500, 0)]):
        run = f"run-{number}"
        lines = [
            source(url, 60 * number + 1, entries=count) for url, count in zip((FEED, MAP, SMALL), entries, strict=True)
        ]
        load(tmp_path, [folder(tmp_path, [*lines, source(f"{MAP}{number}", 60 * number + 2, entries=0)], run=run)])
        record_run(
            tmp_path, Run(run_id=run, kind="nightly", state="finished", started_at=at(60 * number)), publish=True
        )
    [site] = summarise_past(tmp_path, "run-3").sites
    assert site.problems == (
        f"feed {FEED}: names nothing, where it usually names 30 URLs",
        f"feed {MAP}: names 500 URLs, where it usually names 40",
    )
    [before] = summarise_past(tmp_path, "run-2").sites
    assert before.problems == ()
