"""A loopback origin, and crawls of it by the real child process."""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from extraction.records import Page
from spiders.captures import closed_segments, read_journal, read_pages, warc_of
from tests.spiders.origin import Origin

# A child that compiles Scrapy anew each time takes a second more of CPU.
_BYTECODE = {"PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / f"nightdesk-bytecode-{os.getuid()}")}

# Python that a spider runs first, to write its peak memory down as it ends (what the system tells of children is the
# largest of all so far): to be formatted with the file, which `peak_kb` reads.
NOTE_PEAK = (
    "import atexit, pathlib; atexit.register(lambda:"
    " pathlib.Path({0!r}).write_text(pathlib.Path('/proc/self/status').read_text()))"
)


@dataclass
class Crawled:
    """What a crawl left behind."""

    code: int
    events: list[dict[str, Any]]
    errors: str
    entries: list[dict[str, Any]] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    peak_kb: int = 0  # resident, of the spider, where a test had it noted

    @property
    def outcomes(self) -> dict[str, str]:
        """The end of each URL, by path and query: `page` or a word of `Outcome`."""
        return {_path(url): end for url, end in self.outcomes_by_url.items()}

    @property
    def outcomes_by_url(self) -> dict[str, str]:
        ends = {e["url"]: e["outcome"] for e in self.entries if e["kind"] == "outcome"}
        return ends | {page.discovery.url: "page" for page in self.pages}

    @property
    def reasons(self) -> dict[str, str]:
        return {_path(e["url"]): e["reason"] for e in self.entries if e["kind"] == "outcome"}

    @property
    def sources(self) -> dict[str, dict[str, Any]]:
        return {_path(e["url"]): e for e in self.entries if e["kind"] == "source"}

    @property
    def discovered(self) -> list[str]:
        return [_path(e["url"]) for e in self.entries if e["kind"] == "discovered"]

    @property
    def logged(self) -> list[str]:
        return [event["message"] for event in self.events if event["event"] == "log"]

    def assert_sums(self) -> None:
        """Each discovered URL has one end at most; the counts of the last progress event agree with the files."""
        keys = [e["url_key"] for e in self.entries if e["kind"] == "discovered"]
        assert len(keys) == len(set(keys)), [key for key, n in Counter(keys).items() if n > 1]
        ends = [e["url"] for e in self.entries if e["kind"] == "outcome"] + [p.discovery.url for p in self.pages]
        assert len(ends) == len(set(ends)), [url for url, n in Counter(ends).items() if n > 1]
        assert set(ends) <= {e["url"] for e in self.entries if e["kind"] == "discovered"}
        last = [event for event in self.events if event["event"] == "progress"][-1]["sites"].values()
        assert sum(site["discovered"] for site in last) == len(keys)
        assert sum(site["fetched"] for site in last) == len(self.pages)
        assert sum(sum(site["outcomes"].values()) for site in last) == len(ends) - len(self.pages)
        assert sum(site["pending"] for site in last) == len(keys) - len(ends)


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as served:
        yield served


@pytest.fixture
def crawl(tmp_path: Path) -> Callable[..., Crawled]:
    """Crawl with the real child process: `sites` maps a name to its keys; other arguments go into the job."""
    return lambda sites, run_id="r1", **job: finish(
        start(tmp_path, sites, run_id=run_id, **job), tmp_path, run_id=run_id
    )


def peak_kb(status: Path) -> int:
    """Return the peak of resident memory that NOTE_PEAK wrote down."""
    [peak] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(peak.split()[1])


def site_file(folder: Path, name: str, url: str, **tables: Mapping[str, Any]) -> Path:
    lines = [f'name = "{name}"', 'title = "T"', f"url = {json.dumps(url)}", 'country = "be"', 'languages = ["en"]']
    lines += ['time_zone = "Europe/Brussels"', "enabled = true"]
    tables = {"network": {"allow": ["127.0.0.0/8"]}, **tables}
    hosts = tables.pop("hosts", None)
    if hosts:
        lines.append(f"hosts = {json.dumps(hosts)}")
    for table, keys in tables.items():
        lines.append(f"[{table}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    path = folder / f"{name}.toml"
    path.write_text("\n".join(lines), "utf-8")
    return path


def start(
    data: Path,
    sites: Mapping[str, Mapping[str, Any]],
    *,
    run_id: str = "r1",
    preload: str = "",
    within: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    **job: object,
) -> subprocess.Popen[str]:
    """Start the child: `preload` is Python that it runs first, `within` a command that runs it, `env` all of its environment."""
    path = write_job(data, sites, run_id=run_id, **job)
    run = f"{preload}; import runpy, sys; sys.argv[0] = 'spiders'; runpy.run_module('spiders', run_name='__main__')"
    return subprocess.Popen(
        [*within, sys.executable, *(("-c", run) if preload else ("-m", "spiders")), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**(os.environ if env is None else env), **_BYTECODE, "PYTHONDONTWRITEBYTECODE": "1" if preload else ""},
    )


def write_job(data: Path, sites: Mapping[str, Mapping[str, Any]], *, run_id: str = "r1", **job: object) -> Path:
    """Write the sites' files and the job, and return its path."""
    folder = data / "sites"
    folder.mkdir(exist_ok=True)
    files = []
    for name, keys in sites.items():
        tables = {"politeness": {"delay_s": 0.02}, **keys}
        files.append(str(site_file(folder, name, tables.pop("url"), **tables)))
    spec = {
        "run_id": run_id,
        "shard": "s0",
        "data": str(data),
        "captures": str(data / "captures" / run_id),
        "sites": files,
        "user_agent": "Nightdesk/test",
        "timeout_s": 5,
        "patience_s": 5,
        **job,
    }
    path = data / f"{run_id}.json"
    path.write_text(json.dumps(spec), "utf-8")
    return path


def finish(process: subprocess.Popen[str], data: Path, *, run_id: str = "r1", timeout_s: float = 60) -> Crawled:
    # communicate() would close standard input, which tells the child that its parent is gone.
    held, process.stdin = process.stdin, None
    output, errors = process.communicate(timeout=timeout_s)
    assert held is not None
    held.close()
    return read_run(
        data, run_id, code=process.returncode, events=[json.loads(line) for line in output.splitlines()], errors=errors
    )


def read_run(
    data: Path, run_id: str = "r1", *, code: int = 0, events: Sequence[dict[str, Any]] = (), errors: str = ""
) -> Crawled:
    """Read the closed segments of a run."""
    crawled = Crawled(code, list(events), errors)
    folder = data / "captures" / run_id
    for journal in closed_segments(folder) if folder.exists() else ():
        crawled.entries += read_journal(journal)
        warc = warc_of(journal)
        crawled.pages += read_pages(warc, data=data) if warc else ()
    return crawled


def _path(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return "/" + rest.partition("/")[2] if scheme in {"http", "https"} and "localhost" in rest else url
