# ruff: noqa: T201 -- it speaks to its parent on standard output
"""A process that opens the published copy and asks, over and over, until its standard input closes.

`python -m tests.storage.reader_child DATA` prints one JSON object at its end: the errors, the invariants that it saw
broken, and for each look when it began, how long it took, and how many loads it found.
"""

import json
import sys
import threading
import time
from pathlib import Path

from storage import database
from tests.storage.invariants import broken


def main(data: Path) -> None:
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    report = {"errors": [], "broken": [], "looks": []}
    while not ended.is_set() or not report["looks"]:
        began = time.time()
        try:
            with database.connect(data) as connection:
                report["broken"] += broken(connection)
                [(loads,)] = connection.execute("SELECT count(*) FROM loads").fetchall()
            report["looks"].append((began, time.time() - began, loads))
        except Exception as error:  # noqa: BLE001 -- the test asks for any error at all
            report["errors"].append(repr(error))
    print(json.dumps(report))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
