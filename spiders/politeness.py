"""Politeness: when each host may be asked next, and by what. Pure: the time (monotonic seconds) is always passed in.

One request at a time to a host, whatever it is for (robots.txt, feed, page, redirect, retry), and never two closer than
the host's delay. Hosts come round in the order in which they are free.
"""

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from extraction.urls import host as host_of
from spiders.asks import Ask, Kind

# The delay counts from the moment the last request was surely at the host: its answer's first byte. A host that takes
# longer than this to answer, seconds and part of the delay, is taken to have had it then: else slow hosts would be
# asked less often than they allow.
SLACK_S = SLACK = 0.04
# After a failure the delay is stretched by this factor, at most so far, and relaxes with each good answer.
STRETCH, MOST_STRETCH, RELAX = 2.0, 32.0, 0.8
# Answers this many times slower than the host's usual, and slower than this many seconds, count as a sign of trouble.
SLOW_FACTOR, SLOW_S = 4.0, 1.0
# The circuit opens after so many failures in a row, for so long, doubled each time it opens again.
OPEN_AFTER, OPEN_S, LONGEST_OPEN_S = 4, 15.0, 900.0
# A pause after a failure even where no delay is set.
LEAST_PAUSE_S = 0.1


@dataclass(slots=True, eq=False)
class Host:
    """What is known of a host and what waits for it."""

    name: str
    delay_s: float = 0.0
    asks: list[tuple[int, float, int, Ask]] = field(default_factory=list)  # heap: kind, newest first, order of arrival
    busy: bool = False
    free_at: float = 0.0
    stretch: float = 1.0
    failures: int = 0
    opened: int = 0  # how often the circuit opened without a good answer since
    usual_s: float = 0.0
    late_s: float = 0.0  # how long after it was free it was asked: our own slowness, not the host's
    entry: int = 0  # number of its valid entry in the frontier's heap

    @property
    def gap_s(self) -> float:
        """Seconds between two requests, now."""
        return self.delay_s if self.stretch <= 1.0 else max(self.delay_s, LEAST_PAUSE_S) * self.stretch

    def slow_to(self, delay_s: float) -> None:
        """Raise the delay, from the last request on: robots.txt is read when the next is due already."""
        if delay_s > self.delay_s:
            self.free_at += delay_s - self.delay_s
            self.delay_s = delay_s

    def answered(self, sent_at: float, headed_at: float, done_at: float) -> None:
        """Note a good answer: when it was asked for, begun and whole."""
        self.failures = self.opened = 0
        took = headed_at - sent_at
        if self.usual_s and took > SLOW_S and took > SLOW_FACTOR * self.usual_s and self.late_s < took / 4:
            self.stretch = min(self.stretch * STRETCH, MOST_STRETCH)
        else:
            self.stretch = max(1.0, self.stretch * RELAX)
        self.usual_s = took if not self.usual_s else 0.9 * self.usual_s + 0.1 * took
        self._next(min(headed_at, sent_at + max(SLACK_S, SLACK * self.gap_s)), done_at)

    def failed(self, now: float) -> None:
        """Note an answer that means trouble (5xx, timeout, reset): slow down, and open the circuit after several."""
        self.failures += 1
        self.stretch = min(max(self.stretch, 1.0) * STRETCH, MOST_STRETCH)
        self._next(now, now)
        if self.failures >= OPEN_AFTER:
            self.free_at = max(self.free_at, now + min(OPEN_S * 2**self.opened, LONGEST_OPEN_S))
            self.opened += 1

    def told_to_wait(self, now: float, seconds: float | None) -> None:
        """Note a 429 or a Retry-After: the whole host waits."""
        self.stretch = min(max(self.stretch, 1.0) * STRETCH, MOST_STRETCH)
        self._next(now, now)
        if seconds is not None:
            self.free_at = max(self.free_at, now + seconds)

    def _next(self, counted_from: float, done_at: float) -> None:
        self.busy = False
        self.free_at = max(counted_from + self.gap_s, done_at)


class Frontier:
    """The asks that wait, by host. Newest first within a kind; hosts in the order in which they are free."""

    def __init__(self) -> None:
        self._hosts: dict[str, Host] = {}
        self._due: list[tuple[float, int, Host]] = []
        self._order = itertools.count(1)
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def host(self, url: str) -> Host:
        """Return the host of a canonical URL."""
        name = host_of(url)
        found = self._hosts.get(name)
        if found is None:
            found = self._hosts[name] = Host(name)
        return found

    def add(self, ask: Ask, *, first: bool = False) -> None:
        """Let an ask wait for its host; `first` puts it before all others of its kind (retries, redirects)."""
        found = self.host(ask.url)
        found.delay_s = max(found.delay_s, ask.site.politeness.delay_s)
        age = float("-inf") if first else -_newness(ask)
        heapq.heappush(found.asks, (ask.kind, age, next(self._order), ask))
        self._waiting += 1
        if not found.busy and len(found.asks) == 1:
            self._schedule(found)

    def take(self, now: float) -> Ask | None:
        """Take the first ask of a host that is free; that host is busy until `release`."""
        found = self._first()
        if found is None or found.free_at > now:
            return None
        heapq.heappop(self._due)
        found.busy = True
        found.late_s = now - found.free_at
        self._waiting -= 1
        return heapq.heappop(found.asks)[3]

    def release(self, found: Host) -> None:
        """Let a host be asked again when its time comes; to be called once its answer was noted on it."""
        found.busy = False
        if found.asks:
            self._schedule(found)

    def wait_s(self, now: float) -> float | None:
        """Return the seconds until some host is free for an ask that waits, None if none waits on a free host."""
        found = self._first()
        return None if found is None else max(0.0, found.free_at - now)

    def drop(self, found: Host) -> list[Ask]:
        """Take out all that waits for a host."""
        dropped = [ask for _, _, _, ask in sorted(found.asks, key=lambda item: item[:3])]
        self._waiting -= len(dropped)
        found.asks.clear()
        return dropped

    def drop_all(self) -> Iterator[Ask]:
        """Take out everything."""
        for found in self._hosts.values():
            yield from self.drop(found)

    def hosts(self) -> Iterator[Host]:
        """Yield all hosts that were ever met."""
        yield from self._hosts.values()

    def _first(self) -> Host | None:
        """Return the host that is free first and has something waiting; stale entries are cleared away."""
        while self._due:
            free_at, entry, found = self._due[0]
            if entry == found.entry and not found.busy and found.asks and free_at >= found.free_at:
                return found
            heapq.heappop(self._due)
            if entry == found.entry and not found.busy and found.asks:
                self._schedule(found)  # it was told to wait longer meanwhile
        return None

    def _schedule(self, found: Host) -> None:
        found.entry = next(self._order)
        heapq.heappush(self._due, (found.free_at, found.entry, found))


def _newness(ask: Ask) -> float:
    """Return the time that orders the asks of a kind, POSIX seconds; what has none comes behind what has."""
    if ask.kind is not Kind.PAGE or ask.discovery is None:
        return 0.0
    known = ask.discovery.published_hint or ask.discovery.lastmod
    if known is not None:
        return known.timestamp()
    return float("inf") if ask.discovery.found_by == "feed" else 0.0
