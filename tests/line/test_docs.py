"""What README and docs/ tell people to type works: every command is run, every query asked, every link followed."""

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")

# These run until they are stopped, or need the outside world; their own tests run them for real. Here: their options exist.
LONG = {"demo", "up", "crawl", "backfill", "reextract", "export", "import", "backup", "restore"}
OUTSIDE = {("sites", "add"), ("sites", "check")}
ANY_ARTICLE = "https://www.example.org/2026/an-article"  # in the docs it stands for an article of the reader's


def fences(language: str) -> list[object]:
    found = []
    for page in PAGES:
        for number, match in enumerate(FENCE.finditer(page.read_text(encoding="utf-8"))):
            if match[1] == language:
                found.append(pytest.param(match[3], match[2], id=f"{page.relative_to(ROOT)}#{number}"))
    return found


def commands(block: str) -> list[list[str]]:
    """The `nightdesk …` lines of a shell block, comments and paths to the program taken off."""
    lines = block.replace("\\\n", " ").splitlines()
    words = [shlex.split(line, comments=True) for line in lines if "nightdesk" in line]
    stripped = [[w for w in line if "=" not in w.split("/")[0] or w.startswith("-")] for line in words]
    return [line[1:] for line in stripped if line and Path(line[0]).name == "nightdesk"]


@pytest.mark.parametrize(("block", "info"), fences("sql"))
@pytest.mark.prefect
def test_every_query_in_the_docs_gives_rows(block: str, info: str, demo_data: Path, nightdesk) -> None:
    """A query that people are shown answers something over the demo's store (unless marked `empty`)."""
    for query in filter(None, (q.strip() for q in block.split(";"))):
        lines = nightdesk("sql", "--csv", query, data=demo_data).stdout.strip().splitlines()
        assert len(lines) > 1 or "empty" in info, query


@pytest.mark.parametrize(("block", "info"), fences("sh"))
@pytest.mark.prefect
def test_every_command_in_the_docs_runs(block: str, info: str, demo_data: Path, nightdesk, tmp_path: Path) -> None:
    """A command that people are shown ends well over the demo's store; a long one at least has those options."""
    for make in re.findall(r"^make (\w+)", block, re.MULTILINE):
        assert re.search(rf"^{make}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE), make
    if ANY_ARTICLE in block:
        urls = nightdesk("sql", "--csv", "SELECT url FROM articles ORDER BY url LIMIT 1", data=demo_data).stdout
        block = block.replace(ANY_ARTICLE, urls.split()[1])
    for words in commands(block):
        if words and (words[0] in LONG or tuple(words[:2]) in OUTSIDE):
            shown = nightdesk(*words[: 2 if tuple(words[:2]) in OUTSIDE else 1], "--help", data=demo_data).stdout
            for option in (w.split("=")[0] for w in words if w.startswith("--")):
                assert option in shown, (words, option)
        else:
            nightdesk(*words, data=demo_data, cwd=tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    """A relative link in the docs names a file that is there."""
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_every_command_is_documented(nightdesk, tmp_path: Path) -> None:
    """Each command that `nightdesk --help` names is told of in README or docs/."""
    shown = nightdesk("--help", data=tmp_path).stdout
    names = re.findall(r"^[│ ]+([a-z][a-z-]+) {2,}\S", shown, re.MULTILINE)
    assert len(names) >= 8, shown
    told = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [name for name in names if f"nightdesk {name}" not in told] == []
