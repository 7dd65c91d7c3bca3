"""What is installed from a wheel is whole: no file of the checkout is missed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAIN = "import sys; from flows.cli import main; sys.argv[0] = 'nightdesk'; main()"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages of a wheel built from this checkout, and nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    target = folder / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run(pip, check=True, capture_output=True)
    return target


def run(installed: Path, cwd: Path, *args: str) -> "subprocess.CompletedProcess[str]":
    """Run the installed packages, and not those of the checkout, in a folder of its own."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "NO_COLOR": "1"}
    environment.pop("NIGHTDESK_DATA", None)
    command = [sys.executable, "-P", "-c", MAIN, *args]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=240)


@pytest.mark.prefect
def test_the_demo_runs_from_a_wheel_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    """`nightdesk demo` needs no checkout: it crawls the newsroom into ./demo-data, and the answers are there."""
    done = run(installed, tmp_path, "demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["demo-data"]
    asked = run(installed, tmp_path, "sql", "--data", "demo-data", "--json", "select count(*) as n from articles")
    [row] = json.loads(asked.stdout)
    assert row["n"] >= 120


def test_a_wheel_holds_the_catalogue_and_the_deployments(installed: Path, tmp_path: Path) -> None:
    """What is no Python file is there too: sites, migrations, queries, rules, prefect.yaml; and nothing of the tests."""
    assert len(list((installed / "spiders" / "sites").glob("*.toml"))) == len(
        list((ROOT / "spiders/sites").glob("*.toml"))
    )
    for folder in ("storage", "flows", "extraction", "newsroom"):
        data = {
            p.relative_to(ROOT) for p in (ROOT / folder).rglob("*") if p.suffix in {".sql", ".toml", ".txt", ".json"}
        }
        assert {path for path in data if not (installed / path).exists()} == set()
    assert (installed / "flows" / "prefect.yaml").read_bytes() == (ROOT / "prefect.yaml").read_bytes()
    assert not (installed / "tests").exists()
    shown = run(installed, tmp_path, "sites", "list", "--all")
    assert "politico-europe" in shown.stdout, shown.stderr
