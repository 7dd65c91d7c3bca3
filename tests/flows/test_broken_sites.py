"""A site's file that cannot be used stops its own site: the run goes on, and says which file, which key and the mend."""

import subprocess
from pathlib import Path

import pytest

from flows.desk import open_desk
from flows.summary import summarise_past
from spiders.site import SiteError
from tests.flows.world import NIGHTDESK, Served, run_line, stored_articles


@pytest.fixture
def data(newsroom: Served, tmp_path: Path) -> Path:
    folder = newsroom.furnish(tmp_path / "data")
    for name in sorted(path.stem for path in (folder / "sites").glob("*.toml"))[1:]:
        (folder / "sites" / f"{name}.toml").unlink()
    (folder / "sites" / "broken.toml").write_text('name = "broken"\ntitle = 7\n', encoding="utf-8")
    return folder


def test_the_run_goes_on_and_the_site_has_failed(data: Path) -> None:
    """The other site's articles are in the store; the report has the broken one as failed, with file, line and mend."""
    run_line(data)
    assert stored_articles(data)
    summary = summarise_past(data)
    assert summary.worked
    [broken] = [site for site in summary.sites if site.failed]
    assert broken.site == "broken"
    assert broken.problems[0].startswith(f"{data / 'sites' / 'broken.toml'}, line 2: title: 7 was read; allowed: text")
    assert "1 site failed: broken" in summary.headline


def test_the_commands_name_it(data: Path) -> None:
    """`sites list` shows it, `sites check` fails with its reason, `doctor` too; a run of nothing else is refused."""
    path = str(data / "sites" / "broken.toml")
    for command, code in ((["sites", "list"], 0), (["sites", "check", "broken"], 1), (["doctor"], 1)):
        done = subprocess.run([NIGHTDESK, *command, "--data", str(data)], check=False, capture_output=True, text=True)
        assert done.returncode == code, done.stderr
        assert path in (done.stdout + done.stderr).replace("\n", ""), command
    desk = open_desk(data)
    with pytest.raises(SiteError, match="title: 7 was read"):
        desk.chosen(["broken"])
    assert [site.name for site in desk.chosen()] == [site.name for site in desk.sites]


def test_a_site_for_a_browser_fails_where_there_is_none(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only that site: its file, its key and the mend are named."""
    good = open_desk(data).sites[0].name
    path = data / "sites" / f"{good}.toml"
    path.write_text(path.read_text(encoding="utf-8") + "\n[fetch]\nbrowser = true\n", encoding="utf-8")
    monkeypatch.setenv("CHROME_BIN", "no-such-program")
    reason = open_desk(data).unfit()[good]
    assert reason.startswith(f"{path}: [fetch] browser: ")
    assert "apt install chromium" in reason or "nightdesk[browser]" in reason
