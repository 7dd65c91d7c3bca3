"""How fast the whole line is, beside its own extraction alone, the usual way, and a bare fetch loop.

Everything on this machine and in one run: an origin on loopback (benchmarks/origin.py), asked by

- line: `flows.run.Run` without Prefect: spider, segments, extraction workers, rows, load, published copy; the search
  index, which comes after it, is told apart;
- extraction_only: the same extraction workers on the ready segments of that line; no rows, no load;
- inline: the usual way, trafilatura in the callback of a Scrapy spider with default settings, items to JSON lines;
- fetch: a bare aiohttp loop that throws the bytes away;
- spider: `python -m spiders` alone; with few pages and with all, so that its start is told from its cost a page.

The stages take turns in every round; figures are medians over the rounds, ratios medians of the rounds' own ratios.
Start-up of the spider and of the workers is inside the line's and the extraction's time, the interpreter's is not.
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from extraction.records import Capture

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # or extraction.py beside this file would stand for the package of that name

from benchmarks.watcher import Seen, Watcher  # noqa: E402

STAGES = ("line", "extraction_only", "inline", "fetch")
FEW_PAGES = 60  # of the spider's run that measures its start


# What runs in a process of its own.


@dataclass(frozen=True)
class Done:
    """What a stage has to say: its pages, and CPU seconds of what came after its clock had stopped."""

    pages: int
    seconds: float
    after_cpu_s: float = 0.0


def line(data: Path, _origin: dict[str, Any]) -> Done:
    """Crawl, extract, load and publish, until the published store has the articles; then index them for the search."""
    began = time.monotonic()
    from flows.desk import open_desk
    from flows.run import Request, Run
    from storage.database import connect

    async def both(run: Run) -> None:
        run.record("running")
        await run.repair()
        await asyncio.gather(run.crawl(), run.ingest())
        run.record("finished")

    run = Run(open_desk(data), Request(kind="nightly"), lambda *_: None, lambda _: None)
    try:
        asyncio.run(both(run))
        seconds, cpu_s = time.monotonic() - began, time.process_time()
        asyncio.run(run.index())
    finally:
        run.close()
    indexing = time.process_time() - cpu_s
    with connect(data) as connection:
        row = connection.execute("SELECT count(*) FROM articles").fetchone()
    return Done(row[0] if row else 0, seconds, indexing)


def extraction_only(data: Path, _origin: dict[str, Any]) -> Done:
    """Extract all pages of the ready segments; return the number of articles."""
    began = time.monotonic()
    from flows.pool import Pool, cores
    from spiders.captures import closed_segments, read_journal, records, warc_of

    def damaged(offset: int, reason: str) -> None:
        raise ValueError(f"a record at byte {offset} {reason}")

    def places() -> "Iterator[Capture]":
        for run in sorted((data / "captures").iterdir()):
            for journal in closed_segments(run):
                told = [entry["offsets"] for entry in read_journal(journal) if entry["kind"] == "pages"]
                if (warc := warc_of(journal)) is not None:
                    yield from records(warc, data=data, damaged=damaged, offsets=told[0] if told else None)

    with Pool(cores(), data=data) as pool:
        done = sum(not isinstance(rows, str) and rows.article is not None for _, rows in pool.extract(places()))
        return Done(done, time.monotonic() - began)


def inline(data: Path, origin: dict[str, Any]) -> Done:
    """Do it the usual way; return the number of items written."""
    began = time.monotonic()
    import scrapy
    import trafilatura
    from scrapy.crawler import CrawlerProcess

    class Usual(scrapy.Spider):  # type: ignore[misc]  # Scrapy ships no types
        name = "usual"

        async def start(self):  # type: ignore[no-untyped-def]  # noqa: ANN202
            for url in urls(origin):
                yield scrapy.Request(url)

        def parse(self, response):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            document = trafilatura.bare_extraction(response.text, url=response.url, with_metadata=True)
            if document is not None:
                yield {"url": response.url, "title": document.title, "date": document.date, "text": document.text}

    items = data / "items.jsonl"
    settings = {"FEEDS": {str(items): {"format": "jsonlines"}}, "LOG_LEVEL": "ERROR", "DOWNLOAD_DELAY": 0}
    process = CrawlerProcess(settings)
    process.crawl(Usual)
    process.start()
    seconds = time.monotonic() - began
    return Done(sum(1 for _ in items.open(encoding="utf-8")), seconds)


def fetch(_data: Path, origin: dict[str, Any]) -> Done:
    """Fetch every page, one request a host at a time as the spider does; return how many came."""
    began = time.monotonic()
    import aiohttp

    async def host(session: aiohttp.ClientSession, own: list[str]) -> int:
        came = 0
        for url in own:
            async with session.get(url) as response:
                came += bool(await response.read())
        return came

    async def all_hosts() -> int:
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            everything = urls(origin)
            groups = [everything[place :: len(origin["hosts"])] for place in range(len(origin["hosts"]))]
            return sum(await asyncio.gather(*(host(session, group) for group in groups)))

    return Done(asyncio.run(all_hosts()), time.monotonic() - began)


def urls(origin: dict[str, Any]) -> list[str]:
    """All URLs of the origin, hosts in turn."""
    hosts, port = origin["hosts"], origin["port"]
    return [
        f"http://{hosts[number % len(hosts)]}:{port}/2026/11/{22 - number % 20:02}/story-{number:06}.html"
        for number in range(origin["pages"])
    ]


# What is measured.


@dataclass
class Measured:
    """One stage of one round."""

    pages: int
    seconds: float
    seen: Seen
    after_cpu_s: float = 0.0

    @property
    def rate(self) -> float:
        """Pages a second."""
        return self.pages / self.seconds

    def cpu_ms(self, role: str | None = None) -> float:
        """CPU ms a page of the processes of a role, or of all."""
        seconds = sum(self.seen.cpu_s.values()) if role is None else self.seen.cpu_s.get(role, 0.0)
        return 1000 * seconds / self.pages


def measure(stage: str, data: Path, origin: dict[str, Any]) -> Measured:
    """Run a stage in its own process and watch it. Raises RuntimeError if it does not end with all pages."""
    command = [sys.executable, __file__, "--stage", stage, "--data", str(data), "--origin", json.dumps(origin)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    watcher = Watcher(child.pid, stage)
    watcher.start()
    said, _ = child.communicate(timeout=1800)
    seen = watcher.seen()
    if child.returncode != 0:
        raise RuntimeError(f"{stage} ended with {child.returncode}")
    answer = json.loads(said.splitlines()[-1])
    if answer["pages"] < 0.99 * origin["pages"]:
        raise RuntimeError(f"{stage}: {answer['pages']} of {origin['pages']} pages")
    if stage in seen.cpu_s:
        seen.cpu_s[stage] -= answer["after_cpu_s"]
    return Measured(origin["pages"], answer["seconds"], seen, answer["after_cpu_s"])


def spider_alone(data: Path, pages: int | None) -> tuple[int, float, float]:
    """Run the spider's process alone; return (pages fetched, CPU seconds, peak MB), by its own rusage."""
    captures = data / "captures" / "alone"
    captures.mkdir(parents=True)
    job = {
        "run_id": "alone",
        "shard": "a",
        "data": str(data),
        "captures": str(captures),
        "sites": [str(path) for path in sorted((data / "sites").glob("*.toml"))],
        "user_agent": "Nightdesk/benchmark",
        "limit_pages": pages,
    }
    path = data / "job.json"
    path.write_text(json.dumps(job))
    with subprocess.Popen(
        [sys.executable, "-m", "spiders", str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        events = [json.loads(text) for text in child.stdout]
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise RuntimeError(f"the spider ended with {child.returncode}")
    progress = [event for event in events if event["event"] == "progress"][-1]
    fetched = sum(site["fetched"] for site in progress["sites"].values())
    return fetched, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


# The run.


@contextmanager
def serving(hosts: int, pages: int) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
    """The origin in its own process, ended when done."""
    command = [sys.executable, str(HERE / "origin.py"), "--hosts", str(hosts), "--pages", str(pages)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield json.loads(process.stdout.readline()), process
        process.stdin.close()


def new_data(folder: Path, origin: dict[str, Any]) -> Path:
    """A data folder whose only sites are the origin's hosts."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "sites").mkdir(parents=True)
    (folder / "nightdesk.toml").write_text("catalogue = false\n")
    for place, host in enumerate(origin["hosts"], 1):
        url = f"http://{host}:{origin['port']}/"
        (folder / "sites" / f"gazette-{place}.toml").write_text(
            f'name = "gazette-{place}"\ntitle = "Gazette {place}"\nurl = "{url}"\ncountry = "gb"\nlanguages = ["en"]\n'
            f'time_zone = "Europe/London"\nenabled = true\n[sources]\nsitemaps = ["{url}sitemap.xml"]\n'
            '[politeness]\ndelay_s = 0.0\nbudget_pages = 100000\n[network]\nallow = ["127.0.0.0/8"]\n'
        )
    return folder


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure all rounds and sum them up."""
    rounds: list[dict[str, Measured]] = []
    spiders: list[tuple[float, float, float]] = []
    with (
        tempfile.TemporaryDirectory(dir=options.folder) as scratch,
        serving(options.hosts, options.pages) as (origin, _),
    ):
        data = Path(scratch) / "line"
        for number in range(options.rounds):
            order = [STAGES[(place + number) % len(STAGES)] for place in range(len(STAGES))]
            if number == 0 or order.index("extraction_only") < order.index("line"):
                order.sort(key=lambda stage: stage == "extraction_only")  # it needs the segments of this round's line
            this: dict[str, Measured] = {}
            for stage in order:
                folder = data if stage in {"line", "extraction_only"} else Path(scratch) / stage
                this[stage] = measure(stage, folder if stage == "extraction_only" else new_data(folder, origin), origin)
                say(f"round {number + 1}: {stage} {this[stage].rate:.0f} pages/s")
            rounds.append(this)
            spiders.append(_spider(Path(scratch) / "alone", origin))
            say(f"round {number + 1}: spider {spiders[-1][0]:.2f} ms of CPU a page, {spiders[-1][2]:.0f} MB")
    return _summary(options, origin, rounds, spiders)


def _spider(folder: Path, origin: dict[str, Any]) -> tuple[float, float, float]:
    """CPU ms a page without the start, CPU s of the start, peak MB of the long run."""
    few, few_cpu, _ = spider_alone(new_data(folder, origin), FEW_PAGES)
    many, many_cpu, peak = spider_alone(new_data(folder, origin), None)
    each = (many_cpu - few_cpu) / (many - few)
    return 1000 * each, few_cpu - few * each, peak


def _summary(
    options: argparse.Namespace,
    origin: dict[str, Any],
    rounds: list[dict[str, Measured]],
    spiders: list[tuple[float, float, float]],
) -> dict[str, Any]:
    def middle(values: list[float], digits: int = 1) -> float:
        return round(statistics.median(values), digits)

    roles = (("spider", "line"), ("worker", "line"), ("line", "line"), ("inline", "inline"), ("fetch", "fetch"))
    return {
        **{f"{stage}_pages_per_s": middle([each[stage].rate for each in rounds]) for stage in STAGES},
        "line_to_extraction_only": middle([each["line"].rate / each["extraction_only"].rate for each in rounds], 3),
        "line_to_inline": middle([each["line"].rate / each["inline"].rate for each in rounds], 2),
        # The same ratios in CPU: what they would be on cores that nobody else uses.
        "line_to_extraction_only_cpu": middle(
            [each["extraction_only"].cpu_ms() / each["line"].cpu_ms() for each in rounds], 3
        ),
        "line_to_inline_cpu": middle([each["inline"].cpu_ms() / each["line"].cpu_ms() for each in rounds], 2),
        "spider_cpu_ms_per_page": middle([each[0] for each in spiders], 2),
        "spider_start_cpu_s": middle([each[1] for each in spiders], 2),
        "spider_peak_mb": middle([each[2] for each in spiders]),
        "cpu_ms_per_page": {
            **{role: middle([each[stage].cpu_ms(role) for each in rounds], 2) for role, stage in roles},
            "extraction_only_worker": middle([each["extraction_only"].cpu_ms("worker") for each in rounds], 2),
        },
        "peak_mb": {
            role: middle([each[stage].seen.peak_mb.get(role, 0.0) for each in rounds]) for role, stage in roles
        },
        "index_cpu_ms_per_page": middle([1000 * each["line"].after_cpu_s / each["line"].pages for each in rounds], 2),
        "pages": options.pages,
        "hosts": options.hosts,
        "page_bytes": origin["page_bytes"],
        "zipped_bytes": origin["zipped_bytes"],
        "rounds": options.rounds,
        "cores": len(os.sched_getaffinity(0)),
        "load_average": round(os.getloadavg()[0], 1),
    }


def say(text: str) -> None:
    """Tell how far it is, out of the way of --json."""
    print(text, file=sys.stderr, flush=True)


def table(result: dict[str, Any]) -> str:
    """The result for people."""
    sizes = f"{result['page_bytes'] / 1000:.0f} KB ({result['zipped_bytes'] / 1000:.0f} KB zipped)"
    start = f"{result['spider_start_cpu_s']:.2f} s to start, {result['spider_peak_mb']:.0f} MB"
    lines = [
        f"{result['pages']} pages of {sizes}, {result['hosts']} hosts, {result['cores']} cores",
        f"medians of {result['rounds']} rounds, load average at the end {result['load_average']}",
        "",
        *(f"{stage:<16} {result[stage + '_pages_per_s']:>8.1f} pages/s" for stage in STAGES),
        "",
        "                          by time  by CPU",
        *(
            f"line / {stage:<18} {result[f'line_to_{stage}']:>8.2f} {result[f'line_to_{stage}_cpu']:>7.2f}"
            for stage in ("extraction_only", "inline")
        ),
        f"spider alone              {result['spider_cpu_ms_per_page']:.2f} ms CPU a page, {start}",
        "",
        "CPU ms a page:  " + ", ".join(f"{role} {value}" for role, value in result["cpu_ms_per_page"].items()),
        f"search index:   {result['index_cpu_ms_per_page']} CPU ms a page, after the line",
        "peak MB:        " + ", ".join(f"{role} {value}" for role, value in result["peak_mb"].items()),
    ]
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark, or one stage of it in this process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=4000)
    parser.add_argument("--hosts", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to keep the data meanwhile; default: the temporary folder")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--origin", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each start would compile all modules again
    if options.stage:
        print(json.dumps(asdict(globals()[options.stage](options.data, options.origin))))
        return
    result = run(options)
    print(json.dumps(result) if options.json else table(result))


if __name__ == "__main__":
    main()
