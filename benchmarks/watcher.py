"""What the processes of a measurement use: CPU and memory by what they are."""

import os
import re
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

TICK_S = os.sysconf("SC_CLK_TCK")


@dataclass
class Seen:
    """CPU seconds and peak resident megabytes by what the processes are."""

    cpu_s: dict[str, float] = field(default_factory=dict)
    peak_mb: dict[str, float] = field(default_factory=dict)


class Watcher(threading.Thread):
    """Looks at a process and all below it ten times a second, in /proc."""

    def __init__(self, pid: int, name: str) -> None:
        super().__init__(daemon=True)
        self._pid, self._name = pid, name
        self._cpu: dict[int, tuple[str, float]] = {}
        self._peak: dict[int, tuple[str, float]] = {}
        self._over = threading.Event()

    def run(self) -> None:
        """Look until `seen` is called."""
        while not self._over.wait(0.1):
            children: dict[int, list[int]] = defaultdict(list)
            stats = {int(path.name): path for path in Path("/proc").iterdir() if path.name.isdigit()}
            for pid, path in stats.items():
                if (fields := _stat(path)) is not None:
                    children[fields[0]].append(pid)
                    stats[pid] = path
            family = [self._pid]
            for pid in family:
                family += children[pid]
                self._note(pid)

    def _note(self, pid: int) -> None:
        path = Path(f"/proc/{pid}")
        fields = _stat(path)
        try:
            command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            peak = re.search(r"VmHWM:\s+(\d+) kB", (path / "status").read_text())
        except OSError:
            return
        if fields is not None and peak is not None:
            role = "spider" if "-m spiders" in command else "worker" if "flows.extractor" in command else self._name
            self._cpu[pid] = (role, fields[1])
            self._peak[pid] = (role, int(peak[1]) / 1024)

    def seen(self) -> Seen:
        """Stop, and tell: CPU is the sum over the processes of a role, memory the greatest of one of them."""
        self._over.set()
        self.join()
        result = Seen()
        for role, seconds in self._cpu.values():
            result.cpu_s[role] = result.cpu_s.get(role, 0.0) + seconds
        for role, megabytes in self._peak.values():
            result.peak_mb[role] = max(result.peak_mb.get(role, 0.0), megabytes)
        return result


def _stat(path: Path) -> tuple[int, float] | None:
    """Parent and CPU seconds of a process, None if it has gone."""
    try:
        fields = (path / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[1]), (int(fields[11]) + int(fields[12])) / TICK_S
