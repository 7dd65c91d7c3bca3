"""The crawl: which ask goes out next, and what each answer means. No Scrapy here: the spider carries asks out and in.

Every request of a crawl is an `Ask` and passes `next`: robots.txt, feeds, pages, redirects and retries alike, so
politeness holds for all of them. Every discovered URL ends in a page or in one outcome, or is left pending.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from extraction.decoding import BodyError, decode_body
from extraction.records import Discovery, Outcome
from extraction.urls import BadUrlError, canonicalize, url_key
from spiders import journal, lists, robots, sources
from spiders.asks import Ask, Kind
from spiders.job import Job
from spiders.known import Known
from spiders.plan import Plan
from spiders.politeness import Frontier
from spiders.rights import forbids_following, header_rights
from spiders.robots import Robots, RobotsCache, now_utc
from spiders.run import Run
from spiders.site import Site
from spiders.verdict import REDIRECTS, Ended, Moved, follow, header, judge_page, judge_status, retry_after_s
from spiders.wire import Answer, WireError

_log = logging.getLogger(__name__)

# Attempts for one URL, by what went wrong; anything else is final at once.
ATTEMPTS = {
    Outcome.TIMEOUT: 2,
    Outcome.CONNECTION_FAILED: 2,
    Outcome.DNS_FAILED: 2,
    Outcome.TRUNCATED: 2,
    Outcome.SERVER_ERROR: 2,
    Outcome.RATE_LIMITED: 2,
}
ROBOTS_ATTEMPTS = 3
LARGEST_ROBOTS = 4 << 20  # bytes after its content coding is undone, of which the first 500 KiB count
_TAKEN_DOWN = "it was taken down: `nightdesk takedown --list` says why"
# Failures that lie with the URL and not with its host.
_URL_FAULTS = frozenset({Outcome.TOO_LARGE, Outcome.BAD_URL})
# Failures before any connection stood: they say nothing of robots.txt, and everything of the host.
_UNCONNECTED = frozenset({Outcome.DNS_FAILED, Outcome.TLS_FAILED, Outcome.REFUSED_ADDRESS, Outcome.CONNECTION_FAILED})


class Crawl:
    """The state of one crawl. Single-threaded: everything but the parsing of large sources runs on the event loop."""

    def __init__(self, job: Job, sites: list[Site], *, run: Run, known: Known, cache: RobotsCache) -> None:
        self._job, self._run, self._known, self._cache = job, run, known, cache
        self._sites = {site.name: site for site in sites}
        self._frontier = Frontier()
        self._robots: dict[str, Robots | None] = {}  # by origin; None while it is asked for
        self._gated: dict[str, list[Ask]] = {}  # asks that wait for the robots.txt of their origin
        self._held: list[Ask] = []  # pages beyond the job's limit
        self._progress = {site.name: sources.Progress() for site in sites}
        self._windows = {
            site.name: sources.Window.of(site, job.first_day_of(site.name), job.last_day) for site in sites
        }
        self._plan = self._new_plan()
        self._archive_pages: dict[str, dict[str, date]] = {}  # by site: the pages of one day each
        self._under_way = self._pages_under_way = 0
        self._changed = asyncio.Event()
        self._stopping: str | None = None
        self._limited = False
        self.broken: OSError | None = None

    @property
    def reason(self) -> str:
        """Why the crawl ended: finished, limit, or what `stop` was told."""
        return self._stopping or ("limit" if self._limited else "finished")

    # What goes out.

    def plan(self) -> None:
        """Let the job's sources, pending URLs and explicit URLs wait for their hosts. Raises OSError for the list."""
        if self._job.pending:
            self._admit_listed(lists.pending(Path(self._job.pending)), known=False)
        self._admit_listed(lists.asked_for(self._job), known=not self._job.refetch)
        if self._job.fill:
            self._admit_listed(lists.planned(Path(self._job.fill)), known=not self._job.refetch)
        if self._job.discover:
            for site in self._sites.values():
                self._add_sources(site, self._sources_of(site))

    def _new_plan(self) -> Plan | None:
        if self._job.plan is None:
            return None
        spans = {name: self._job.span_of(name) for name in self._sites}
        return Plan(Path(self._job.plan), spans, self._known)

    def _sources_of(self, site: Site) -> list[Ask]:
        first, last = self._job.first_day_of(site.name), self._job.last_day
        asks = sources.asks_of(site, first, last)
        if self._plan is not None:
            span = self._job.span_of(site.name)
            pages = site.archive_pages(span.first, span.last)
            self._archive_pages[site.name] = {url: day for url, day in pages.items() if day}
            asks = sources.archive_pages_of(site, span.first, span.last) + asks
        return asks

    async def next(self) -> Ask | None:
        """Wait until some host is free for an ask and return it; None when there is nothing more to ask for."""
        while not self._stopping:
            self._changed.clear()
            now = time.monotonic()
            ask = self._take(now)
            if ask is not None:
                self._under_way += 1
                self._pages_under_way += ask.kind is Kind.PAGE
                return ask
            wait_s = self._frontier.wait_s(now)
            if wait_s is not None and wait_s > self._job.patience_s and not self._under_way:
                self._defer_all()
            elif wait_s is None and not self._under_way:
                self._end_held()
                return None
            else:
                await self._until_changed(wait_s)
        return None

    async def _until_changed(self, wait_s: float | None) -> None:
        """Wait until an answer came in or this time is over. A timer, not wait_for: that makes a task each time."""
        timer = None if wait_s is None else asyncio.get_running_loop().call_later(wait_s, self._changed.set)
        await self._changed.wait()
        if timer is not None:
            timer.cancel()

    def stop(self, reason: str) -> None:
        """Ask for nothing more; what is under way may still come in. What waits is left pending."""
        self._stopping = self._stopping or reason
        self._changed.set()

    def break_off(self, error: OSError) -> None:
        """Stop because the disk refused; `broken` tells it."""
        self.broken = self.broken or error
        self.stop("broken")

    def _take(self, now: float) -> Ask | None:
        while (ask := self._frontier.take(now)) is not None:
            passed = self._gate(ask)
            if passed is not None:
                return passed
            self._frontier.release(self._frontier.host(ask.url))
        return None

    def _gate(self, ask: Ask) -> Ask | None:
        """Return what may go out now in an ask's place: itself, or the robots.txt that it needs; None: nothing."""
        if ask.kind is Kind.ROBOTS:
            return ask
        if ask.kind is Kind.PAGE and not self._has_room(ask):
            return None
        origin = _origin(ask.url)
        if origin not in self._robots:
            cached = self._cache.fresh(origin, now_utc())
            if cached is None:
                self._robots[origin] = None
                self._gated[origin] = [ask]
                return Ask(kind=Kind.ROBOTS, url=f"{origin}/robots.txt", site=ask.site, origin=origin)
            self._take_rules(origin, ask.site, cached)
        rules = self._robots[origin]
        if rules is None:
            self._gated[origin].append(ask)
            return None
        if rules.unreachable:
            self._end(ask, rules.outcome, rules.unreachable)
            return None
        if not rules.allows(ask.url):
            self._end(ask, Outcome.ROBOTS, f"robots.txt of {origin} disallows it")
            return None
        if ask.kind is Kind.PAGE:
            self._run.counts[ask.site.name].asked += 1
        return ask

    def _has_room(self, ask: Ask) -> bool:
        """Whether the budgets let a page be asked for; else it is held or ended."""
        if self._run.counts[ask.site.name].asked >= ask.site.politeness.budget_pages:
            self._end(
                ask, Outcome.OVER_LIMIT, f"the site's budget of {ask.site.politeness.budget_pages} pages is used up"
            )
            return False
        limit = self._job.limit_pages
        if limit is not None and self._run.pages + self._pages_under_way >= limit:
            self._held.append(ask)
            return False
        return True

    # What comes in.

    async def answered(self, ask: Ask, answer: Answer) -> None:
        """Judge an answer."""
        self._pace(ask, answer)
        try:
            if ask.kind is Kind.ROBOTS:
                self._robots_answered(ask, answer)
            elif ask.kind is Kind.SOURCE:
                await self._source_answered(ask, answer)
            else:
                self._page_answered(ask, answer)
        finally:
            self._came_in(ask)

    def failed(self, ask: Ask, error: WireError) -> None:
        """Judge a request that no usable answer came for."""
        host, now = self._frontier.host(ask.url), time.monotonic()
        if error.outcome in _URL_FAULTS:
            host.answered(now, now, now)
        else:
            host.failed(now)
        self._frontier.release(host)
        try:
            if self._stopping:
                return  # cut off by the stop: still pending
            if ask.kind is Kind.ROBOTS:
                self._robots_failed(ask, error)
            elif not self._retried(ask, error.outcome):
                self._end(ask, error.outcome, error.reason)
        finally:
            self._came_in(ask)

    def _pace(self, ask: Ask, answer: Answer) -> None:
        """Let the host's next turn follow from its answer."""
        host, now = self._frontier.host(ask.url), time.monotonic()
        wait_s = retry_after_s(answer.fields, now_utc())
        if answer.status == 429 or (answer.status == 503 and wait_s is not None):
            host.told_to_wait(now, wait_s)
            self._say(logging.WARNING, ask.site, f"{host.name} asks us to wait {host.free_at - now:.0f} s")
        elif answer.status >= 500:
            host.failed(now)
        else:
            host.answered(answer.sent_at, answer.headed_at, now)
        self._frontier.release(host)

    def _came_in(self, ask: Ask) -> None:
        self._under_way -= 1
        if ask.kind is Kind.PAGE:
            self._pages_under_way -= 1
            limit = self._job.limit_pages
            if self._held and limit is not None and self._run.pages + self._pages_under_way < limit:
                self._frontier.add(self._held.pop(0), first=True)
        self._changed.set()

    def _retried(self, ask: Ask, outcome: Outcome) -> bool:
        if ask.attempts + 1 >= ATTEMPTS.get(outcome, 1):
            return False
        self._frontier.add(ask.again(), first=True)
        return True

    # Pages.

    def _page_answered(self, ask: Ask, answer: Answer) -> None:
        assert ask.discovery is not None
        rights = self._rights(ask, answer)
        verdict = judge_page(ask, answer.status, answer.fields, rights)
        if isinstance(verdict, Moved):
            self._move(ask, verdict.url)
        elif isinstance(verdict, Ended):
            if verdict.outcome is Outcome.UNCHANGED:
                self._run.revisited(ask.discovery, final_url=ask.url, headers=answer.fields, address=answer.address)
            if not self._retried(ask, verdict.outcome):
                self._end(
                    ask,
                    verdict.outcome,
                    verdict.reason,
                    status=answer.status,
                    final_url=verdict.final_url,
                    rights=rights,
                )
        else:
            self._run.captured(
                ask.discovery,
                final_url=ask.url,
                status=answer.status,
                headers=answer.fields,
                body=answer.body,
                attempts=ask.attempts + 1,
                address=answer.address,
                rights=rights,
            )

    def _move(self, ask: Ask, target: str) -> None:
        """Go where a redirect leads, unless that URL is seen to already."""
        if self._is_taken_down(target):
            self._end(ask, Outcome.TAKEN_DOWN, _TAKEN_DOWN, final_url=target)
        elif url_key(target) != url_key(ask.start) and self._is_cared_for(target):
            self._end(ask, Outcome.DUPLICATE, f"redirected to {target}, which stands for itself", final_url=target)
        else:
            self._frontier.add(ask.redirected(target), first=True)

    def _is_cared_for(self, url: str) -> bool:
        key = url_key(url)
        known = self._known.find(key)
        return self._run.has_seen(key) or (known is not None and known.outcome in {Outcome.LOADED, Outcome.UNCHANGED})

    def _is_taken_down(self, url: str) -> bool:
        known = self._known.find(url_key(url))
        return known is not None and known.outcome == Outcome.TAKEN_DOWN

    def _rights(self, ask: Ask, answer: Answer) -> dict[str, str]:
        rules = self._robots.get(_origin(ask.url))
        return {**(rules.rights if rules else {}), **header_rights(answer.fields)}

    def _end(
        self,
        ask: Ask,
        outcome: Outcome,
        reason: str,
        *,
        status: int | None = None,
        final_url: str | None = None,
        rights: dict[str, str] | None = None,
    ) -> None:
        """Note the end of a page's URL, or of a source."""
        if ask.kind is Kind.SOURCE:
            self._source_ended(ask, outcome.value, reason, status)
        elif ask.discovery is not None:
            final = final_url or (ask.url if ask.hops else None)
            attempts = ask.attempts + (status is not None)
            self._run.ended(
                ask.discovery, outcome, reason, status=status, attempts=attempts, final_url=final, rights=rights
            )

    def _defer_all(self) -> None:
        """End what waits for hosts that want more patience than this crawl has."""
        for ask in self._frontier.drop_all():
            if ask.kind is Kind.ROBOTS:
                self._robots.pop(ask.origin)
                for gated in self._gated.pop(ask.origin):
                    self._end(gated, Outcome.DEFERRED, f"{_origin(ask.url)} is to be asked later")
            else:
                self._end(ask, Outcome.DEFERRED, f"{_origin(ask.url)} is to be asked later")

    def _end_held(self) -> None:
        self._limited = bool(self._held)
        for ask in self._held:
            self._end(ask, Outcome.OVER_LIMIT, f"the limit of {self._job.limit_pages} pages is used up")
        self._held.clear()

    # robots.txt.

    def _robots_answered(self, ask: Ask, answer: Answer) -> None:
        if answer.status in REDIRECTS and header(answer.fields, "location"):
            verdict = follow(ask, header(answer.fields, "location"))
            if isinstance(verdict, Moved):
                self._frontier.add(ask.redirected(verdict.url), first=True)
            else:  # RFC 9309 2.3.1.2: too many may be taken as unavailable
                self._take_rules(ask.origin, ask.site, robots.UNAVAILABLE)
            return
        try:  # we ask for gzip, and nothing undoes it before us
            coded = header(answer.fields, "content-encoding")
            body = decode_body(answer.body, answer.fields, max_bytes=LARGEST_ROBOTS).body if coded else answer.body
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
        for ask in self._gated.pop(origin, ()):
            self._frontier.add(ask, first=True)

    # Sources.

    def _add_sources(self, site: Site, asks: list[Ask]) -> None:
        progress = self._progress[site.name]
        for ask in asks:
            if ask.url not in progress.read:
                progress.read.add(ask.url)
                progress.open += 1
                self._frontier.add(ask)

    async def _source_answered(self, ask: Ask, answer: Answer) -> None:
        if answer.status in REDIRECTS and header(answer.fields, "location"):
            verdict = follow(ask, header(answer.fields, "location"))
            if isinstance(verdict, Moved):
                self._frontier.add(ask.redirected(verdict.url), first=True)
            else:
                self._source_ended(ask, verdict.outcome.value, verdict.reason, answer.status)
        elif answer.status != 200:
            outcome, reason = judge_status(ask, answer.status, answer.fields)
            if not self._retried(ask, outcome):
                self._source_ended(ask, outcome.value, reason, answer.status)
        elif ask.found_by == "section" and forbids_following(header_rights(answer.fields)):
            self._source_ended(
                ask, Outcome.ROBOTS.value, "X-Robots-Tag says that its links are not to be followed", 200
            )
        else:
            await self._read_source(ask, answer)

    async def _read_source(self, ask: Ask, answer: Answer) -> None:
        try:
            parsed = await sources.parse(ask, answer)
        except sources.BodyError as error:
            self._source_ended(ask, error.outcome.value, str(error), answer.status)
            return
        if self._stopping:
            return
        progress, window = self._progress[ask.site.name], self._windows[ask.site.name]
        room = max(0, sources.MOST_URLS - progress.urls)
        if self._plan is not None:
            wanted = list(parsed.discoveries)
            new, known = self._plan.take(ask.site, wanted[:room], self._archive_pages[ask.site.name])
        else:
            wanted = sources.in_window(parsed, ask, window, backfill=self._job.mode == "backfill")
            new, known = self.admit(ask.site, wanted[:room])
            for refusal in parsed.refused:
                self._refuse(refusal.discovery, refusal.outcome, refusal.reason)
        progress.urls += new
        progress.entries += len(parsed.discoveries) + len(parsed.children)
        below, bounded = sources.children(ask, parsed, window, progress)
        if len(wanted) > room:
            bounded = f"{sources.MOST_URLS} URLs a site"
        self._add_sources(ask.site, below + sources.unpruned(ask, parsed, progress))
        self._source_ended(
            ask,
            parsed.outcome.value if parsed.outcome else "ok",
            "; ".join(parsed.problems) or None,
            answer.status,
            entries=parsed.entries,
            new=new,
            known=known,
            bounded=bounded or parsed.bounded,
            etag=header(answer.fields, "etag")[:200] or None,
            last_modified=header(answer.fields, "last-modified")[:60] or None,
        )

    def _source_ended(
        self,
        ask: Ask,
        result: str,
        reason: str | None,
        status: int | None,
        *,
        entries: int = 0,
        new: int = 0,
        known: int = 0,
        bounded: str | None = None,
        etag: str | None = None,
        last_modified: str | None = None,
    ) -> None:
        self._run.note(
            journal.source(
                ask.start,
                ask.site.name,
                ask.found_by,
                now_utc(),
                result=result,
                reason=reason,
                status=status,
                entries=entries,
                new=new,
                known=known,
                bounded=bounded,
                etag=etag,
                last_modified=last_modified,
            )
        )
        if result != "ok" or bounded:
            self._say(logging.WARNING, ask.site, f"{ask.start}: {result}: {bounded or reason}")
        progress = self._progress[ask.site.name]
        progress.open -= 1
        if not progress.open and not progress.entries:
            self._add_sources(ask.site, sources.sections_of(ask.site))

    # URLs.

    def admit(self, site: Site, found: Iterable[Discovery], *, known: bool = True) -> tuple[int, int]:
        """Let new URLs of a site wait for their turn; returns how many are new and how many the store knows well."""
        fresh: dict[str, Discovery] = {}
        validators: dict[str, dict[str, str]] = {}
        skipped = 0
        now = now_utc()
        for discovery in found:
            key = url_key(discovery.url)
            if key in fresh or self._run.has_seen(key):
                continue
            row = self._known.find(key)
            if row is not None and row.outcome == Outcome.TAKEN_DOWN:
                skipped += 1
                continue
            if row is not None and not self._job.refetch:
                if known and not row.wants_visit(discovery, now):
                    skipped += 1
                    continue
                if fields := row.validators():
                    validators[key] = fields
            fresh[key] = discovery
        self._run.discovered(fresh)
        for key, discovery in fresh.items():
            headers = validators.get(key)
            self._frontier.add(Ask(kind=Kind.PAGE, url=discovery.url, site=site, discovery=discovery, headers=headers))
        self._changed.set()
        return len(fresh), skipped

    def _admit_listed(self, listed: Iterable[Discovery], *, known: bool) -> None:
        """Let listed URLs wait; what is no URL of the site ends at once."""
        good: dict[str, list[Discovery]] = {}
        for discovery in listed:
            site = self._sites.get(discovery.site)
            if site is None:
                continue
            try:
                url = canonicalize(discovery.url)
            except BadUrlError as error:
                self._refuse(discovery, error.outcome, str(error))
                continue
            if self._is_taken_down(url):
                self._refuse(replace(discovery, url=url), Outcome.TAKEN_DOWN, _TAKEN_DOWN)
            elif site.owns(url):
                good.setdefault(site.name, []).append(
                    discovery if url == discovery.url else replace(discovery, url=url)
                )
            else:
                self._refuse(replace(discovery, url=url), Outcome.OFF_SITE, "its host is not the site's")
        for name, discoveries in good.items():
            self.admit(self._sites[name], discoveries, known=known)

    def _refuse(self, discovery: Discovery, outcome: Outcome, reason: str) -> None:
        key = url_key(discovery.url)
        if not self._run.has_seen(key):
            self._run.discovered({key: discovery})
            self._run.ended(discovery, outcome, reason)

    def _say(self, level: int, site: Site, text: str) -> None:
        _log.log(level, "%s", text, extra={"site": site.name})


def _origin(url: str) -> str:
    """Return scheme and authority: what a robots.txt speaks of (RFC 9309 2.3)."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
