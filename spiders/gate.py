"""The gate before each origin: its robots.txt, and the files in which it says what its pages may be used for.

Every ask passes here. A file that is not known yet is asked for first, like anything else by the politeness of its
host, and what needs it waits; so no page is asked for before its site could say no.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from typing import Protocol

from extraction.decoding import BodyError, TooLargeError, UndecodableError, decode_body
from extraction.records import Outcome
from spiders import pagehead, robots, terms
from spiders.asks import ATTEMPTS, Ask, Kind, origin_of
from spiders.markup import GZIP
from spiders.pagehead import Head
from spiders.politeness import Frontier
from spiders.robots import Robots, RobotsCache, now_utc
from spiders.site import Site
from spiders.terms import Terms
from spiders.verdict import REDIRECTS, Moved, follow, header, judge_status
from spiders.wire import Answer, WireError

_log = logging.getLogger(__name__)

ROBOTS_ATTEMPTS = 3
LARGEST_ROBOTS = 4 << 20  # bytes after its content coding is undone, of which the first 500 KiB count
#: A page in hand waits so long for the licence that it names itself; then the licence counts as unread.
LICENCE_WAIT_S = 60.0
# Failures before any connection stood: they say nothing of robots.txt, and everything of the host.
_UNCONNECTED = frozenset({Outcome.DNS_FAILED, Outcome.TLS_FAILED, Outcome.REFUSED_ADDRESS, Outcome.CONNECTION_FAILED})


class End(Protocol):
    """Notes the end of an ask that is not let through."""

    def __call__(self, ask: Ask, outcome: Outcome, reason: str, *, rights: dict[str, str] | None = None) -> None:
        """Note it."""


class Gate:
    """What the origins of a crawl allow. `end` is told of each ask that is refused, `say` what people should know."""

    def __init__(
        self,
        frontier: Frontier,
        cache: RobotsCache,
        said: Terms,
        *,
        end: End,
        say: Callable[[int, Site, str], None],
        woke: Callable[[], None],
    ) -> None:
        self._frontier, self._cache, self._terms, self._end, self._say = frontier, cache, said, end, say
        self._woke = woke  # to be called when an ask is added while nothing came in
        self._robots: dict[str, Robots | None] = {}  # by origin; None while it is asked for
        self._waiting: dict[str, list[Ask]] = {}  # by the URL of the file that they wait for
        self._in_hand: dict[str, asyncio.Future[None]] = {}  # licences that pages in hand wait for

    def passes(self, ask: Ask) -> Ask | None:
        """Return what may go out now in an ask's place: itself, or a file that it needs; None: nothing."""
        if ask.kind is Kind.ROBOTS:
            return ask
        origin = origin_of(ask.url)
        if origin not in self._robots:
            cached = self._cache.fresh(origin, now_utc())
            if cached is None:
                self._robots[origin] = None
                self._waiting[_robots_of(origin)] = [ask]
                return Ask(kind=Kind.ROBOTS, url=_robots_of(origin), site=ask.site, origin=origin)
            self._take_rules(origin, ask.site, cached)
        rules = self._robots[origin]
        if rules is None:
            self._waiting[_robots_of(origin)].append(ask)
        elif rules.unreachable:
            self._refuse(ask, rules.outcome, rules.unreachable)
        elif not rules.allows(ask.url):
            self._refuse(ask, Outcome.ROBOTS, f"robots.txt of {origin} disallows it")
        elif ask.kind is not Kind.PAGE:
            return ask
        else:
            return self._passes_terms(ask, origin, rules)
        return None

    def _passes_terms(self, ask: Ask, origin: str, rules: Robots) -> Ask | None:
        if missing := self._terms.missing(origin, rules, now_utc()):
            self._ask_for(missing[0], ask.site, ask)
            return None
        if not (rules.licences and ask.site.rights.heeds_licences):
            return ask
        said = self._terms.of_page(ask.url, rules)
        if (demand := terms.demand(said)) is None:
            return ask
        self._end(ask, Outcome.LICENCE_REQUIRED, demand, rights=said)
        return None

    def _ask_for(self, url: str, site: Site, *waiting: Ask) -> None:
        """Ask for a file of terms, once; what waits for it comes back to the frontier afterwards."""
        if url not in self._waiting:
            self._waiting[url] = []
            self._frontier.add(Ask(kind=Kind.TERMS, url=url, site=site), first=True)
        self._waiting[url] += waiting

    async def rights_of(self, ask: Ask, answer: Answer, head: Head) -> dict[str, str]:
        """Return what was said of the use of a page that is in hand; a licence that it names is read first."""
        licence = self._terms.licence_of(ask.url, answer.fields, head)
        if licence is not None and not self._terms.knows(licence, now_utc()):
            future = self._in_hand.setdefault(licence, asyncio.get_running_loop().create_future())
            self._ask_for(licence, ask.site)
            self._woke()
            await asyncio.wait([future], timeout=LICENCE_WAIT_S)
        return self._terms.of_page(ask.url, self._robots.get(origin_of(ask.url)), answer.fields, head)

    def let_go(self) -> None:
        """Let the pages in hand wait for no licence any more: nothing is asked for from now on."""
        for future in self._in_hand.values():
            if not future.done():
                future.set_result(None)

    # What comes in.

    def answered(self, ask: Ask, answer: Answer) -> None:
        """Take the answer for a robots.txt or a file of terms."""
        if answer.status in REDIRECTS and header(answer.fields, "location"):
            verdict = follow(ask, header(answer.fields, "location"))
            if isinstance(verdict, Moved):
                self._frontier.add(ask.redirected(verdict.url), first=True)
            elif ask.kind is Kind.TERMS:
                self._terms_failed(ask, verdict.reason)
            elif verdict.outcome is Outcome.REDIRECT_LIMIT:  # RFC 9309 2.3.1.2: may be taken as unavailable
                self._take_rules(ask.origin, ask.site, robots.UNAVAILABLE)
            else:
                self._robots_failed(ask, WireError(Outcome.ROBOTS_UNREACHABLE, verdict.reason))
        elif ask.kind is Kind.TERMS:
            self._terms.take(ask.start, answer.status, answer.fields, answer.body, now_utc())
            if answer.status not in {200, 404, 410}:
                self._tell_unread(ask, judge_status(ask, answer.status, answer.fields)[1])
            self._settle(ask.start)
        else:
            self._robots_answered(ask, answer)

    def failed(self, ask: Ask, error: WireError) -> None:
        """Take that a robots.txt or a file of terms could not be had."""
        if ask.kind is Kind.TERMS:
            self._terms_failed(ask, error.reason)
        else:
            self._robots_failed(ask, error)

    def drop(self, ask: Ask) -> list[Ask]:
        """Give up a file that is not asked for any more in this crawl; return what waited for it."""
        if ask.kind is Kind.ROBOTS:
            self._robots.pop(ask.origin)
            return self._waiting.pop(_robots_of(ask.origin))
        return self._waiting.pop(ask.start, [])

    def _refuse(self, ask: Ask, outcome: Outcome, reason: str) -> None:
        if ask.kind is Kind.TERMS:
            self._terms_failed(ask, reason)
        else:
            self._end(ask, outcome, reason)

    def _terms_failed(self, ask: Ask, reason: str) -> None:
        self._terms.give_up(ask.start, reason)
        self._tell_unread(ask, reason)
        self._settle(ask.start)

    def _tell_unread(self, ask: Ask, reason: str) -> None:
        self._say(logging.WARNING, ask.site, f"{ask.start}: terms of use that cannot be read: {reason}")

    def _settle(self, url: str) -> None:
        """Let what waited for a file come again."""
        for ask in self._waiting.pop(url, ()):
            self._frontier.add(ask, first=True)
        if (future := self._in_hand.pop(url, None)) is not None and not future.done():
            future.set_result(None)

    def _robots_answered(self, ask: Ask, answer: Answer) -> None:
        try:
            body = _robots_body(answer)
        except BodyError as error:
            self._robots_failed(ask, WireError(Outcome.ROBOTS_UNREACHABLE, f"robots.txt cannot be read: {error}"))
            return
        rules = robots.read(answer.status, body)
        if rules.unreachable:
            self._robots_failed(ask, WireError(Outcome.ROBOTS_UNREACHABLE, rules.unreachable))
        else:
            self._cache.keep(ask.origin, answer.status, body, now_utc())
            self._take_rules(ask.origin, ask.site, rules)

    def _robots_failed(self, ask: Ask, error: WireError) -> None:
        """Ask again, else go by the last good file, else all is disallowed (RFC 9309 2.3.1.4)."""
        unconnected = error.outcome in _UNCONNECTED and not error.connected
        attempts = ATTEMPTS.get(error.outcome, 1) if unconnected else ROBOTS_ATTEMPTS
        if ask.attempts + 1 < attempts:
            self._frontier.add(ask.again(), first=True)
            return
        unconnected = unconnected and not ask.hops  # else it was another host's fault
        stale = None if unconnected else self._cache.stale(ask.origin)
        outcome = error.outcome if unconnected else Outcome.ROBOTS_UNREACHABLE
        rules = stale or Robots(unreachable=f"robots.txt: {error.reason}", outcome=outcome)
        self._say(logging.WARNING, ask.site, f"{ask.origin}/robots.txt: {error.reason}")
        self._take_rules(ask.origin, ask.site, rules)

    def _take_rules(self, origin: str, site: Site, rules: Robots) -> None:
        self._robots[origin] = rules
        self._frontier.host(f"{origin}/").slow_to(rules.delay_s or 0.0)
        for note in rules.notes:
            self._say(logging.WARNING, site, f"{origin}/robots.txt: {note}")
        self._settle(_robots_of(origin))


def _robots_body(answer: Answer) -> bytes:
    """Return the text of a robots.txt, as far as it counts. Raises BodyError."""
    body, coded = answer.body, header(answer.fields, "content-encoding")
    if not coded and not body.startswith(GZIP):
        return body
    try:
        return decode_body(body, answer.fields, max_bytes=LARGEST_ROBOTS).body
    except TooLargeError:
        return pagehead.beginning(body, answer.fields, robots.MOST_BYTES + 1)
    except UndecodableError:
        if re.fullmatch(rb"[\t\r\n\x20-\x7e]+", body[:200]):
            return body  # plain text all the same
        raise


def _robots_of(origin: str) -> str:
    return f"{origin}/robots.txt"
