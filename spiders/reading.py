"""Sources being read: feeds, sitemaps and section pages are asked for, and what they name goes to the intake."""

import logging
from collections.abc import Callable
from datetime import date
from pathlib import Path

from extraction.records import Outcome
from spiders import journal, pagehead, sources
from spiders.asks import ATTEMPTS, Ask
from spiders.intake import Intake
from spiders.job import Job
from spiders.known import Known
from spiders.plan import Plan
from spiders.politeness import Frontier
from spiders.rights import forbids_following, header_rights
from spiders.robots import now_utc
from spiders.run import Run
from spiders.site import Site
from spiders.verdict import REDIRECTS, Moved, follow, header, judge_status
from spiders.wire import Answer


class Reading:
    """The sources of a crawl. With a plan in the job, what they name is written there instead of being asked for."""

    def __init__(
        self,
        job: Job,
        sites: dict[str, Site],
        *,
        frontier: Frontier,
        intake: Intake,
        run: Run,
        known: Known,
        say: Callable[[int, Site, str], None],
    ) -> None:
        self._job, self._frontier, self._intake, self._run, self._say = job, frontier, intake, run, say
        self._progress = {name: sources.Progress() for name in sites}
        self._windows = {
            name: sources.Window.of(site, job.first_day_of(name), job.last_day) for name, site in sites.items()
        }
        spans = {name: job.span_of(name) for name in sites} if job.plan else {}
        self._plan = Plan(Path(job.plan), spans, known) if job.plan else None
        self.stopped = False  # nothing more is to be asked for: what a source names is left for the next crawl
        self._archive_pages: dict[str, dict[str, date]] = {}  # by site: the pages of one day each

    def begin(self, site: Site) -> None:
        """Let a site's sources wait for their hosts."""
        self._add(site, self._sources_of(site))

    def _sources_of(self, site: Site) -> list[Ask]:
        first, last = self._job.first_day_of(site.name), self._job.last_day
        asks = sources.asks_of(site, first, last)
        if self._plan is not None:
            span = self._job.span_of(site.name)
            pages = site.archive_pages(span.first, span.last)
            self._archive_pages[site.name] = {url: day for url, day in pages.items() if day}
            asks = sources.archive_pages_of(site, span.first, span.last) + asks
        return asks

    def _add(self, site: Site, asks: list[Ask]) -> None:
        progress = self._progress[site.name]
        for ask in asks:
            if ask.url not in progress.read:
                progress.read.add(ask.url)
                progress.open += 1
                self._frontier.add(ask)

    async def answered(self, ask: Ask, answer: Answer) -> None:
        """Judge the answer for a source."""
        if answer.status in REDIRECTS and header(answer.fields, "location"):
            verdict = follow(ask, header(answer.fields, "location"))
            if isinstance(verdict, Moved):
                self._frontier.add(ask.redirected(verdict.url), first=True)
            else:
                self.ended(ask, verdict.outcome.value, verdict.reason, answer.status)
        elif answer.status != 200:
            outcome, reason = judge_status(ask, answer.status, answer.fields)
            if ask.attempts + 1 < ATTEMPTS.get(outcome, 1):
                self._frontier.add(ask.again(), first=True)
            else:
                self.ended(ask, outcome.value, reason, answer.status)
        elif ask.found_by == "section" and (forbidden := _forbids_following(ask, answer)):
            self.ended(ask, Outcome.ROBOTS.value, f"its links are not to be followed: {forbidden}", 200)
        else:
            await self._read(ask, answer)

    async def _read(self, ask: Ask, answer: Answer) -> None:
        try:
            parsed = await sources.parse(ask, answer)
        except sources.BodyError as error:
            self.ended(ask, error.outcome.value, str(error), answer.status)
            return
        if self.stopped:
            return
        progress, window = self._progress[ask.site.name], self._windows[ask.site.name]
        room = max(0, sources.MOST_URLS - progress.urls)
        if self._plan is not None:
            wanted = list(parsed.discoveries)
            new, known = self._plan.take(ask.site, wanted[:room], self._archive_pages[ask.site.name])
        else:
            wanted = sources.in_window(parsed, ask, window, backfill=self._job.mode == "backfill")
            new, known = self._intake.admit(ask.site, wanted[:room])
            for refusal in parsed.refused:
                self._intake.refuse(refusal.discovery, refusal.outcome, refusal.reason)
        progress.urls += new
        progress.entries += len(parsed.discoveries) + len(parsed.children)
        below, bounded = sources.children(ask, parsed, window, progress)
        if len(wanted) > room:
            bounded = f"{sources.MOST_URLS} URLs a site"
        self._add(ask.site, below + sources.unpruned(ask, parsed, progress))
        self.ended(
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

    def ended(
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
        """Note how a source ended: `result` is ok or a word of `Outcome`."""
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
            self._add(ask.site, sources.sections_of(ask.site))


def _forbids_following(ask: Ask, answer: Answer) -> str | None:
    said = header_rights(answer.fields)
    if directives := pagehead.read(answer.body, answer.fields, ask.url).robots:
        said["robots_meta"] = ", ".join(directives)
    return forbids_following(said)
