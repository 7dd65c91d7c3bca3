"""Forks spiders that have all their modules already: `JOB` starts one and tells its id, an empty line waits until it is gone.

A spider is a process of its own, with a file of standard input that stays open, as under a living parent.
"""

import os
import sys

import spiders.crawl
import spiders.news  # noqa: F401 - what costs a second of each start
from spiders.__main__ import main


def spawn(job: str) -> int:
    """Fork a spider."""
    read, _ = os.pipe()  # the end that is kept open says that its parent lives
    pid = os.fork()
    if pid:
        return pid
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(read, 0)
    os.dup2(nothing, 1)
    os._exit(main([job]))


running = 0
for line in sys.stdin:
    if job := line.strip():
        running = spawn(job)
        print(running, flush=True)  # noqa: T201 - the answer
    else:
        print(os.waitpid(running, 0)[1], flush=True)  # noqa: T201 - the answer
