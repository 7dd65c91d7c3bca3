"""robots.txt after RFC 9309: what an answer means, what may be asked for, how fast, and what the file says of rights.

protego does the matching (longest match, allow wins a tie, `*` and `$` without regular expressions, groups of one agent
merged); the meaning of status codes, the bounds, the cache and the rest are here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from protego import Protego

from extraction.records import Outcome
from spiders.daycache import DayCache

#: RFC 9309 2.5: at least 500 KiB are parsed; nothing beyond is read.
MOST_BYTES = 500 << 10
#: RFC 9309 2.3.1.2.
MOST_REDIRECTS = 5
#: Longer crawl delays are capped, else one line in a file stops a site for ever.
LONGEST_DELAY_S = 60.0
PRODUCT = "Nightdesk"
#: License lines that are followed; one is usual.
MOST_LICENCES = 3

_AGENT_LINE = re.compile(r"^\s*user-?agent\s*:\s*([^\s#]*)", re.IGNORECASE)
_FIELD = re.compile(r"^\s*([A-Za-z-]+)\s*:\s*([^#]*)")
_DELAY = re.compile(r"\s*(\d{1,9}(?:\.\d{1,6})?)\s*(?:s|sec|seconds)?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Robots:
    """What a site's robots.txt lets us do; `unreachable` says why it could not be asked, and all is disallowed."""

    rules: Protego | None = None
    unreachable: str | None = None
    outcome: Outcome = Outcome.ROBOTS_UNREACHABLE  # of what is disallowed because it is unreachable
    delay_s: float | None = None
    rights: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()  # URLs of licence files (RSL), as written

    def allows(self, url: str) -> bool:
        """Whether RFC 9309 lets us ask for the URL."""
        if self.unreachable:
            return False
        return self.rules is None or bool(self.rules.can_fetch(url, PRODUCT))


#: RFC 9309 2.3.1.3: an unavailable file (4xx) forbids nothing.
UNAVAILABLE = Robots()


def read(status: int, body: bytes) -> Robots:
    """Say what an answer for robots.txt (after redirects) means, by RFC 9309 2.3.1. Never raises."""
    if 200 <= status < 300:
        return parse(body)
    if status == 429 or status >= 500 or status < 200:
        return Robots(unreachable=f"robots.txt answered with status {status}")
    return UNAVAILABLE


def parse(body: bytes) -> Robots:
    """Parse the first 500 KiB of a robots.txt; text that is none of it has no rules."""
    lines = tuple(_lines(body))
    group = _our_group(lines)
    delay, note = _delay(group)
    notes = tuple(
        text for text in (note, "only its first 500 KiB count" if len(body) > MOST_BYTES else None) if text is not None
    )
    rights = {
        name.replace("-", "_"): value for name, value in group if name in {"content-signal", "content-usage"} and value
    }
    fields = [match.groups() for line in lines if (match := _FIELD.match(line))]
    licences = tuple(value.strip()[:1000] for name, value in fields if name.lower() == "license")[:MOST_LICENCES]
    if licences:
        rights["licence"] = licences[0]
    sitemaps = tuple(value.strip() for name, value in fields if name.lower() == "sitemap")[:100]
    return Robots(
        Protego.parse("\n".join(lines)),
        delay_s=delay,
        rights=rights,
        notes=notes,
        sitemaps=sitemaps,
        licences=licences,
    )


class RobotsCache:
    """The last answers for robots.txt, by origin, good for 24 hours (longer only while unreachable)."""

    def __init__(self, folder: Path) -> None:
        self._answers = DayCache(folder)

    def fresh(self, origin: str, now: datetime) -> Robots | None:
        """Return what the cached answer means if it is younger than 24 hours (RFC 9309 2.4)."""
        kept = self._answers.fresh(origin, now)
        return read(kept.status, kept.body) if kept else None

    def stale(self, origin: str) -> Robots | None:
        """Return the last good answer of any age: what holds while the site is unreachable (RFC 9309 2.3.1.4)."""
        kept = self._answers.stale(origin)
        return read(kept.status, kept.body) if kept else None

    def keep(self, origin: str, status: int, body: bytes, now: datetime) -> None:
        """Keep an answer, unless it means unreachable. A folder that cannot be written costs the cache only."""
        if status != 429 and 200 <= status < 500:
            self._answers.keep(origin, status, body[: MOST_BYTES + 1], now)


def _lines(body: bytes) -> Iterator[str]:
    """Yield the lines of what counts, any line end, any of the encodings that people save it in; agent lines cut to the
    product token (RFC 9309 2.2.1), for "User-agent: Nightdesk/1.0" means us.
    """  # noqa: D205
    counted = body[:MOST_BYTES]
    if counted.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = counted.decode("utf-16", "replace")
    else:
        text = counted.decode("utf-8-sig", "replace")
    for raw in re.split(r"[\r\n]+", text.replace("\x00", "")):
        line = raw[:8192]  # RFC 9309 sets no bound; a longer line is no path of anybody
        agent = _AGENT_LINE.match(line)
        if agent and agent[1] != "*":
            token = re.match(r"[A-Za-z_-]*", agent[1])
            yield f"User-agent: {token[0] if token and token[0] else 'none'}"
        else:
            yield line


def _our_group(lines: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the (lower-case name, value) of the fields of the groups that are ours: named, else those of `*`."""
    named: list[tuple[str, str]] = []
    everybody: list[tuple[str, str]] = []
    found = False
    agents: set[str] = set()
    in_rules = True
    for line in lines:
        match = _FIELD.match(line)
        if not match:
            continue
        name, value = match[1].lower(), match[2].strip()
        if name in {"user-agent", "useragent"}:
            if in_rules:
                agents, in_rules = set(), False
            agents.add(value.lower())
            found = found or value.lower() == PRODUCT.lower()
            continue
        in_rules = True
        if PRODUCT.lower() in agents:
            named.append((name, value[:1000]))
        if "*" in agents:
            everybody.append((name, value[:1000]))
    return named if found else everybody


def _delay(group: list[tuple[str, str]]) -> tuple[float | None, str | None]:
    """Return the longest Crawl-delay of our groups, capped, and a note where it is not taken as it stands."""
    delays = []
    note = None
    for name, value in group:
        if name != "crawl-delay":
            continue
        match = _DELAY.fullmatch(value)
        if not match:
            note = f"Crawl-delay {value[:40]!r} is no number of seconds: ignored"
            continue
        seconds = float(match[1])
        if seconds > LONGEST_DELAY_S:
            note = f"Crawl-delay {value[:40]} is capped at {LONGEST_DELAY_S:.0f} s"
        delays.append(min(seconds, LONGEST_DELAY_S))
    return max(delays, default=None), note


def now_utc() -> datetime:
    """Return the time, UTC."""
    return datetime.now(UTC)
