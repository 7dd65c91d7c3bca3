"""The crawl: which ask goes out next, and what each answer means. No Scrapy here: the spider carries asks out and in.

Every request of a crawl is an `Ask` and passes `next`: robots.txt, feeds, pages, redirects and retries alike, so
politeness holds for all of them. Every discovered URL ends in a page or in one outcome, or is left pending.
"""

import asyncio
import logging
import time
from pathlib import Path

from extraction.records import Outcome
from extraction.urls import url_key
from spiders import lists, pagehead, terms
from spiders.asks import ATTEMPTS, Ask, Kind, origin_of
from spiders.browser import Browser, BrowserError
from spiders.daycache import DayCache
from spiders.gate import Gate
from spiders.intake import TAKEN_DOWN, Intake
from spiders.job import Job
from spiders.known import Known
from spiders.parts import Parts
from spiders.politeness import Frontier, Host
from spiders.reading import Reading
from spiders.rights import forbids_archiving
from spiders.robots import RobotsCache, now_utc
from spiders.run import Run
from spiders.site import Site
from spiders.terms import Terms
from spiders.turns import Turns
from spiders.verdict import Ended, Moved, judge_page, retry_after_s
from spiders.wire import Answer, WireError

_log = logging.getLogger(__name__)

# Failures that lie with the URL and not with its host.
_URL_FAULTS = frozenset({Outcome.TOO_LARGE, Outcome.BAD_URL})


class Crawl:
    """The state of one crawl. Single-threaded: everything but the parsing of large sources runs on the event loop."""

    def __init__(
        self, job: Job, sites: list[Site], *, run: Run, known: Known, cache: RobotsCache, said: DayCache, turns: Turns
    ) -> None:
        self._job, self._run, self._turns = job, run, turns
        self._sites = {site.name: site for site in sites}
        self._frontier = Frontier()
        self._changed = asyncio.Event()
        self._gate = Gate(self._frontier, cache, Terms(said), end=self._end, say=_say, woke=self._changed.set)
        self._intake = Intake(self._frontier, run, known, self._sites, refetch=job.refetch)
        self._reading = Reading(
            job, self._sites, frontier=self._frontier, intake=self._intake, run=run, known=known, say=_say
        )
        self._parts = Parts(self._frontier, self._changed.set)
        self._browser = Browser(job.agent(), self._parts.fetch)
        self._held: list[Ask] = []  # pages beyond the job's limit
        self._under_way = self._pages_under_way = 0
        self._stopping: str | None = None
        self._limited = False
        self.broken: OSError | None = None

    @property
    def reason(self) -> str:
        """Why the crawl ended: finished, limit, or what `stop` was told."""
        return self._stopping or ("limit" if self._limited else "finished")

    async def close(self) -> None:
        """End the browser, if one was needed."""
        await self._browser.close()

    # What goes out.

    def plan(self) -> None:
        """Let the job's sources, pending URLs and explicit URLs wait for their hosts. Raises OSError for the list."""
        if self._job.pending:
            self._intake.admit_listed(lists.pending(Path(self._job.pending)), known=False)
        self._intake.admit_listed(lists.asked_for(self._job), known=not self._job.refetch)
        if self._job.fill:
            self._intake.admit_listed(lists.planned(Path(self._job.fill)), known=not self._job.refetch)
        if self._job.discover:
            for site in self._sites.values():
                self._reading.begin(site)

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
        self._reading.stopped = True
        self._gate.let_go()
        self._parts.let_go()
        self._changed.set()

    def break_off(self, error: OSError) -> None:
        """Stop because the disk refused; `broken` tells it."""
        self.broken = self.broken or error
        self.stop("broken")

    def _take(self, now: float) -> Ask | None:
        while (ask := self._frontier.take(now)) is not None:
            host = self._frontier.host(ask.url)
            passed = self._gate.passes(ask) if ask.kind is not Kind.PAGE or self._has_room(ask) else None
            if passed is not None:
                wait_s = self._turns.take(host.name, host.gap_s)
                if not wait_s:
                    self._run.counts[ask.site.name].asked += passed.kind is Kind.PAGE
                    return passed
                host.free_at = now + wait_s  # another spider asks it
                self._frontier.add(passed, first=True)
            self._frontier.release(host)
        return None

    def _release(self, host: Host) -> None:
        """Give the host's turn back. To others it leaves the delay; what else the host asked for, it will tell them."""
        self._turns.give(host.name, min(host.free_at, time.monotonic() + host.gap_s))
        self._frontier.release(host)

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
            if ask.kind in {Kind.ROBOTS, Kind.TERMS}:
                self._gate.answered(ask, answer)
            elif ask.kind is Kind.PART:
                self._parts.answered(ask, answer)
            elif ask.kind is Kind.SOURCE:
                await self._reading.answered(ask, answer)
            else:
                await self._page_answered(ask, answer)
        finally:
            self._came_in(ask)

    def failed(self, ask: Ask, error: WireError) -> None:
        """Judge a request that no usable answer came for."""
        host, now = self._frontier.host(ask.url), time.monotonic()
        if error.outcome in _URL_FAULTS:
            host.answered(now, now, now)
        else:
            host.failed(now)
        self._release(host)
        try:
            if self._stopping:
                return  # cut off by the stop: still pending
            if ask.kind in {Kind.ROBOTS, Kind.TERMS}:
                self._gate.failed(ask, error)
            elif ask.kind is Kind.PART:
                self._parts.failed(ask, error)
            elif not self._retried(ask, error.outcome, error.reason):
                self._end(ask.again(), error.outcome, error.reason)
        finally:
            self._came_in(ask)

    def _pace(self, ask: Ask, answer: Answer) -> None:
        """Let the host's next turn follow from its answer."""
        host, now = self._frontier.host(ask.url), time.monotonic()
        wait_s = retry_after_s(answer.fields, now_utc())
        if answer.status == 429 or (answer.status == 503 and wait_s is not None):
            host.told_to_wait(now, wait_s)
            _say(logging.WARNING, ask.site, f"{host.name} asks us to wait {host.free_at - now:.0f} s")
        elif answer.status >= 500:
            host.failed(now)
        else:
            host.answered(answer.sent_at, answer.headed_at, now)
        self._release(host)

    def _came_in(self, ask: Ask) -> None:
        self._under_way -= 1
        if ask.kind is Kind.PAGE:
            self._pages_under_way -= 1
            limit = self._job.limit_pages
            if self._held and limit is not None and self._run.pages + self._pages_under_way < limit:
                self._frontier.add(self._held.pop(0), first=True)
        self._changed.set()

    def _retried(self, ask: Ask, outcome: Outcome, reason: str) -> bool:
        if ask.attempts + 1 >= ATTEMPTS.get(outcome, 1):
            return False
        self._frontier.add(ask.again(f"{outcome.value}: {reason}"), first=True)
        return True

    # Pages.

    async def _page_answered(self, ask: Ask, answer: Answer) -> None:
        assert ask.discovery is not None
        head = pagehead.read(answer.body, answer.fields, ask.url) if answer.status == 200 else pagehead.NOTHING
        rights = await self._gate.rights_of(ask, answer, head)
        verdict = judge_page(ask, answer.status, answer.fields, rights)
        if verdict is None and ask.site.rights.heeds_licences and (demand := terms.demand(rights)):
            verdict = Ended(Outcome.LICENCE_REQUIRED, demand)
        if isinstance(verdict, Moved):
            self._move(ask, verdict.url)
        elif isinstance(verdict, Ended):
            if verdict.outcome is Outcome.UNCHANGED:
                self._run.revisited(ask.discovery, final_url=ask.url, headers=answer.fields, address=answer.address)
            if not self._retried(ask, verdict.outcome, verdict.reason):
                self._end(
                    ask,
                    verdict.outcome,
                    verdict.reason,
                    status=answer.status,
                    final_url=verdict.final_url,
                    rights=rights,
                )
        else:
            await self._capture(ask, answer, rights)

    async def _capture(self, ask: Ask, answer: Answer, rights: dict[str, str]) -> None:
        """Write a page; where the site needs a browser, with what its scripts have made of it."""
        assert ask.discovery is not None
        rendered = None
        if ask.site.fetch.browser:
            try:
                rendered = await self._browser.render(ask.url, answer, ask.site)
            except BrowserError as error:
                if not self._stopping:
                    self._end(ask, Outcome.DEFERRED, f"the browser: {error}", status=answer.status, rights=rights)
                return
        self._run.captured(
            ask.discovery,
            final_url=ask.url,
            status=answer.status,
            headers=answer.fields,
            body=answer.body,
            attempts=ask.attempts + 1,
            address=answer.address,
            rights=rights,
            keep=not (ask.site.rights.heeds_noarchive and forbids_archiving(rights)),
            rendered=rendered,
        )

    def _move(self, ask: Ask, target: str) -> None:
        """Go where a redirect leads, unless that URL is seen to already."""
        if self._intake.is_taken_down(target):
            self._end(ask, Outcome.TAKEN_DOWN, TAKEN_DOWN, final_url=target)
        elif url_key(target) != url_key(ask.start) and self._intake.is_cared_for(target):
            self._end(ask, Outcome.DUPLICATE, f"redirected to {target}, which stands for itself", final_url=target)
        else:
            self._frontier.add(ask.redirected(target), first=True)

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
        """Note the end of a page's URL, of a source, or of a part of a page."""
        if ask.kind is Kind.SOURCE:
            self._reading.ended(ask, outcome.value, reason, status)
        elif ask.kind is Kind.PART:
            self._parts.failed(ask, WireError(outcome, reason))
        elif ask.discovery is not None:
            final = final_url or (ask.url if ask.hops else None)
            attempts = ask.attempts + (status is not None)
            if ask.failed:
                reason = f"{reason} (before: {ask.failed})"
            self._run.ended(
                ask.discovery, outcome, reason, status=status, attempts=attempts, final_url=final, rights=rights
            )

    def _defer_all(self) -> None:
        """End what waits for hosts that want more patience than this crawl has."""
        dropped = list(self._frontier.drop_all())
        while dropped:
            ask = dropped.pop(0)
            if ask.kind in {Kind.ROBOTS, Kind.TERMS}:
                dropped += self._gate.drop(ask)
            else:
                self._end(ask, Outcome.DEFERRED, f"{origin_of(ask.url)} is to be asked later")

    def _end_held(self) -> None:
        self._limited = bool(self._held)
        for ask in self._held:
            self._end(ask, Outcome.OVER_LIMIT, f"the limit of {self._job.limit_pages} pages is used up")
        self._held.clear()


def _say(level: int, site: Site, text: str) -> None:
    _log.log(level, "%s", text, extra={"site": site.name})
