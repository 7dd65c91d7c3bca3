"""What the child processes of the line have in common (docs/design.md, "The spider's child process").

The job is a file, the only argument; events go to standard output; standard input is a pipe from the parent.
"""

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from spiders.events import Events
from spiders.job import JobError
from spiders.site import SiteError

_log = logging.getLogger("spiders")


def do_job(arguments: list[str], module: str, work: Callable[[Path, Events], int], what: str = "it") -> int:
    """Do the job whose file is the only argument; return the exit code: 1 if the disk refused, 2 for a wrong job."""
    if len(arguments) != 1:
        print(f"usage: python -m {module} JOB.json", file=sys.stderr)  # noqa: T201
        return 2
    events = Events()
    logging.basicConfig(level=logging.WARNING, handlers=[events], force=True)
    _log.setLevel(logging.INFO)
    try:
        return work(Path(arguments[0]), events)
    except (JobError, SiteError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    except OSError as error:
        _log.error("%s ends: %s", what, error)
        print(f"{what} ends: {error}", file=sys.stderr)  # noqa: T201
        return 1
    finally:
        events.close()


def watch_parent(gone: Callable[[str], None]) -> None:
    """Tell `gone`, in a thread of its own, when the parent process has closed its end of standard input."""

    def watch() -> None:
        with contextlib.suppress(OSError):  # closed from the start: there is no parent to watch
            while os.read(0, 4096):  # not sys.stdin: its lock would be held at our own end
                pass
        gone("the parent process is gone")

    threading.Thread(target=watch, daemon=True, name="parent").start()
