"""`python -m newsroom`: serve three small news sites on this machine until told to stop.

Prints one JSON line when it listens. Ends at SIGTERM or SIGINT and, with --watch-parent, when its standard input ends.
"""

import argparse
import json
import os
import signal
import sys
import threading
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path

from newsroom.edition import DAYS, build
from newsroom.server import listening


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    options = _parser().parse_args(arguments)
    with ExitStack() as stack:
        log = stack.enter_context(options.log.open("a", encoding="utf-8")) if options.log else None
        try:
            server = stack.enter_context(listening(options.port, log))
            server.edition = build(
                options.anchor, options.edition, server.port, days=options.days, started=options.started
            )
        except (OSError, ValueError) as error:
            sys.stderr.write(f"newsroom: {error}\n")
            return 2
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        threading.Thread(target=server.serve_forever, daemon=True).start()
        if options.watch_parent:
            threading.Thread(target=_wait_for_end, args=(stop,), daemon=True).start()
        ready = {
            "ready": True,
            "port": server.port,
            "edition": options.edition,
            "anchor": options.anchor.isoformat(),
            "days": options.days,
            "started": options.started.isoformat(),
            "sites": {house.name: house.origin + "/" for house in server.edition.houses},
        }
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        stop.wait()
        server.shutdown()
    return 0


def _wait_for_end(stop: threading.Event) -> None:
    """Set `stop` when whoever holds the other end of standard input has gone."""
    while os.read(0, 4096):
        pass
    stop.set()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m newsroom", description="Three small news sites on this machine.")
    parser.add_argument("--port", type=int, default=0, help="TCP port on 127.0.0.1; 0 (default) takes a free one")
    parser.add_argument("--edition", type=int, choices=(1, 2), default=1, help="2 adds three articles and edits one")
    parser.add_argument(
        "--anchor",
        type=date.fromisoformat,
        default=datetime.now(UTC).date(),
        help="the day after the newest articles, YYYY-MM-DD; default: today (UTC)",
    )
    parser.add_argument("--days", type=int, default=DAYS, help=f"days of articles before the anchor; default {DAYS}")
    parser.add_argument(
        "--started",
        type=_moment,
        default=datetime.now(UTC).replace(microsecond=0),
        help="time at which edition 2 was edited, ISO 8601 with zone; default: now",
    )
    parser.add_argument("--log", type=Path, help="append the access log here, one JSON object a line")
    parser.add_argument("--watch-parent", action="store_true", help="end when standard input ends")
    return parser


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text}: name the time zone, as in 2026-11-05T04:30:00+00:00")
    return moment.astimezone(UTC)


if __name__ == "__main__":
    raise SystemExit(main())
