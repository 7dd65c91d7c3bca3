# ruff: noqa: T201 -- it speaks to its parent on standard output
"""A process that takes a URL down until it is killed: `python -m tests.flows.takedown_child DATA [URL]`.

With a URL it orders the takedown; without one it finishes what was ordered.
"""

import sys
from pathlib import Path

from flows.takedown import carry_out
from storage import takedown


def main(data: Path, *urls: str) -> None:
    print("ready", flush=True)
    ordered = [takedown.order(data, takedown.find(data, url), "a test") for url in urls] or takedown.unfinished(data)
    for each in ordered:
        carry_out(data, each, print)
    print("done", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
