"""How many connections this process may have: as many as there are file descriptors for."""

import resource
from pathlib import Path
from typing import NamedTuple

# Requests under way over all hosts: one a host, so this is the number of hosts asked at once.
MOST_AT_ONCE = 400
# Descriptors for what is no connection: segments, lists, caches, lookups of names.
_OTHERS = 16


class Room(NamedTuple):
    """Requests under way at most, and whether connections may be kept for a host's next request."""

    at_once: int
    keep: bool


def room(hosts: int) -> Room:
    """Raise the limit of open files as far as it goes, and return what that has room for. Changes the process's limit.

    Without this a crawl that is started with few descriptors takes its own poverty for the hosts' failing.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    taken = sum(1 for _ in Path("/proc/self/fd").iterdir()) + _OTHERS
    return divided(MOST_AT_ONCE + hosts if hard == resource.RLIM_INFINITY else hard - taken, hosts)


def divided(descriptors: int, hosts: int) -> Room:
    """Divide descriptors: one for each request under way, one for each host's kept connection where that fits too."""
    at_once = max(1, min(MOST_AT_ONCE, descriptors))
    return Room(at_once, keep=descriptors >= at_once + hosts)
