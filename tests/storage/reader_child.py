# ruff: noqa: T201 -- it speaks to its parent on standard output
"""A process that opens the published copy and asks, over and over, until its standard input closes.

`python -m tests.storage.reader_child DATA` prints one JSON object at its end: how often it asked, the errors, the
invariants that it saw broken, and how many loads each look found.
"""

import json
import sys
import threading
from pathlib import Path

from storage import database
from tests.storage.invariants import broken


def main(data: Path) -> None:
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    report = {"looks": 0, "errors": [], "broken": [], "loads": []}
    while not ended.is_set() or not report["looks"]:
        try:
            with database.connect(data) as connection:
                for _ in range(3):
                    report["broken"] += broken(connection)
                report["loads"].append(connection.execute("SELECT count(*) FROM loads").fetchone()[0])
        except Exception as error:  # noqa: BLE001 -- the test asks for any error at all
            report["errors"].append(repr(error))
        report["looks"] += 1
    print(json.dumps(report))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
