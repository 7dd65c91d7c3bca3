"""How near the ideal polite rate a crawl comes, and what 100,000 pending URLs cost.

Hosts are loopback addresses (127.0.x.y), URLs are given site by site, each host allows one request a second. The
origin's own log is the judge: the rate it saw and the smallest gap, by when the kernel had each request.

    python benchmarks/politeness.py [--json] [--seconds 20] [--hosts 50 300] [--pending 100000]
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[1]))

from benchmarks.arrivals import ArrivalSocket, arrived_at  # noqa: E402
from spiders.captures import closed_segments, read_journal, read_pages, recover, warc_of  # noqa: E402

PORT = 18_473
PAGE_BYTES = 26_000
# A request is surely answered after this time, on a busy machine too.
IN_FLIGHT_S = 1.0


def address(number: int) -> str:
    return f"127.0.{1 + number // 250}.{1 + number % 250}"


async def serve(hosts: int) -> None:
    """The origin: answers everything at once; at the end of its input it prints what it was asked."""
    body = os.urandom(PAGE_BYTES)
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(
        body
    )
    page += body
    none = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    log: list[tuple[str, float, str]] = []

    class Server(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            self.transport, self.rest = transport, b""
            self.host = transport.get_extra_info("sockname")[0]

        def data_received(self, data: bytes) -> None:
            *heads, self.rest = (self.rest + data).split(b"\r\n\r\n")
            for head in heads:
                path = head.split(b" ", 2)[1].decode()
                log.append((self.host, arrived_at(self.transport), path))
                self.transport.write(page if path.startswith("/news/") else none)

    loop = asyncio.get_running_loop()
    for number in range(hosts):
        await loop.create_server(Server, sock=ArrivalSocket.listening(address(number), PORT))
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    print(json.dumps(log), flush=True)


@contextmanager
def origin(hosts: int) -> Iterator[list[list[Any]]]:
    """Run the origin; the list is filled with (host, seconds, path) when it ends."""
    log: list[list[Any]] = []
    process = subprocess.Popen(
        [sys.executable, str(HERE), "--serve", str(hosts)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield log
    finally:
        process.stdin.close()
        log += json.loads(process.stdout.readline())
        process.wait()


def start(data: Path, hosts: int, run_id: str, **job: Any) -> subprocess.Popen[str]:  # noqa: ANN401
    folder = data / "sites"
    folder.mkdir(exist_ok=True)
    sites = []
    for number in range(hosts):
        site = folder / f"h{number}.toml"
        site.write_text(
            f'name = "h{number}"\ntitle = "H"\nurl = "http://{address(number)}:{PORT}/"\ncountry = "be"\n'
            'languages = ["en"]\ntime_zone = "Europe/Brussels"\n[politeness]\ndelay_s = 1.0\nbudget_pages = 100000\n'
            '[network]\nallow = ["127.0.0.0/8"]\n'
        )
        sites.append(str(site))
    spec = {
        "run_id": run_id,
        "shard": "s0",
        "data": str(data),
        "captures": str(data / "captures" / run_id),
        "sites": sites,
        "user_agent": "Nightdesk/benchmark",
        **job,
    }
    path = data / f"{run_id}.json"
    path.write_text(json.dumps(spec))
    return subprocess.Popen(
        [sys.executable, "-m", "spiders", str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=HERE.parents[1],
    )


def url(host: int, number: int) -> str:
    return f"http://{address(host)}:{PORT}/news/article-{number}"


def measure_rate(hosts: int, seconds: int) -> dict[str, float]:
    """Crawl `hosts` for a time and compare what the origin saw with one request a second and host."""
    urls = [[f"h{host}", url(host, number)] for host in range(hosts) for number in range(seconds + 60)]
    with tempfile.TemporaryDirectory() as folder, origin(hosts) as log:
        process = start(Path(folder), hosts, "rate", urls=urls)
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "progress" and sum(site["fetched"] for site in event["sites"].values()) > hosts:
                break
        drain(process)
        before, _ = usage(process.pid)
        began = time.monotonic()
        time.sleep(seconds)
        cpu, peak = usage(process.pid)
        ended = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait()
    times: dict[str, list[float]] = defaultdict(list)
    for host, at, _ in log:
        times[host].append(at)
    seen = sum(began <= at < ended for _, at, _ in log)
    gaps = [later - earlier for row in times.values() for earlier, later in pairwise(row)]
    return {
        "efficiency": round(seen / (hosts * (ended - began)), 4),
        "least_gap_s": round(min(gaps), 4),
        "cpu_ms_per_page": round((cpu - before) / max(1, seen) * 1000, 2),
        "peak_mb": round(peak, 1),
    }


def drain(process: subprocess.Popen[str]) -> None:
    """Read on, as a parent does."""
    assert process.stdout is not None
    threading.Thread(target=process.stdout.read, daemon=True).start()


def usage(pid: int) -> tuple[float, float]:
    """Return a process's CPU seconds and peak resident memory, MB."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    status = Path(f"/proc/{pid}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return ticks / os.sysconf("SC_CLK_TCK"), peak / 1024


def measure_pending(count: int, hosts: int) -> dict[str, float]:
    """Take up many pending URLs, kill the spider, start again with what has no end yet."""
    with tempfile.TemporaryDirectory() as folder, origin(hosts) as log:
        data = Path(folder)
        everything = {url(number % hosts, number): f"h{number % hosts}" for number in range(count)}
        pending = pending_file(data, everything)
        began = time.monotonic()
        process = start(data, hosts, "one", pending=pending, patience_s=600)
        ready_s, peak = wait_ready(process, began)
        drain(process)
        time.sleep(3)
        killed = time.monotonic()
        process.kill()
        process.wait()
        recover(data / "captures" / "one")
        ended = ends(data / "captures" / "one", data)
        rest = {known: site for known, site in everything.items() if known not in ended}
        again = start(data, hosts, "two", pending=pending_file(data, rest), patience_s=600)
        wait_ready(again, time.monotonic())
        drain(again)
        time.sleep(3)
        again.send_signal(signal.SIGTERM)
        again.wait()
        taken_up = {
            e["url"]
            for j in closed_segments(data / "captures" / "two")
            for e in read_journal(j)
            if e["kind"] == "discovered"
        }
    asked: dict[str, list[float]] = defaultdict(list)
    for host, at, path in log:
        if path.startswith("/news/"):
            asked[f"http://{host}:{PORT}{path}"].append(at)
    twice = [min(times) for times in asked.values() if len(times) > 1]
    return {
        "pending_peak_mb": round(peak, 1),
        "pending_ready_s": round(ready_s, 2),
        "lost": len(set(everything) - ended - taken_up),
        "fetched_twice": sum(at < killed - IN_FLIGHT_S for at in twice),
        "in_flight_at_kill": sum(at >= killed - IN_FLIGHT_S for at in twice),
    }


def pending_file(data: Path, urls: dict[str, str]) -> str:
    path = data / "pending.jsonl"
    path.write_text("".join(json.dumps({"url": known, "site": site}) + "\n" for known, site in urls.items()))
    return str(path)


def wait_ready(process: subprocess.Popen[str], began: float) -> tuple[float, float]:
    """Wait until pages come in; returns the seconds that took and the peak memory, MB."""
    assert process.stdout is not None
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "progress" and any(site["fetched"] for site in event["sites"].values()):
            return time.monotonic() - began, usage(process.pid)[1]
    raise RuntimeError("the spider ended before its first page")


def ends(folder: Path, data: Path) -> set[str]:
    """Return the URLs that have a page or an outcome in a run's folder."""
    found: set[str] = set()
    for journal in closed_segments(folder):
        found |= {entry["url"] for entry in read_journal(journal) if entry["kind"] == "outcome"}
        if warc := warc_of(journal):
            found |= {page.discovery.url for page in read_pages(warc, data=data)}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--hosts", type=int, nargs="*", default=[50, 300])
    parser.add_argument("--pending", type=int, default=100_000)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.serve))
        return
    result: dict[str, float] = {}
    for hosts in options.hosts:
        result |= {f"hosts{hosts}_{name}": value for name, value in measure_rate(hosts, options.seconds).items()}
    if options.pending:
        name = f"pending{options.pending // 1000}k"
        measured = measure_pending(options.pending, 500)
        result |= {key.replace("pending", name): value for key, value in measured.items()}
    if options.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:32} {value}")


if __name__ == "__main__":
    main()
