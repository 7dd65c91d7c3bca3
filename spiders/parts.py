"""What a page that is open in a browser asks for: each request is an ask like all others, and the page waits for it."""

import asyncio
from collections.abc import Callable

from extraction.records import Outcome
from spiders.asks import Ask, Kind
from spiders.politeness import Frontier
from spiders.site import Site
from spiders.verdict import REDIRECTS, Moved, follow, header
from spiders.wire import Answer, WireError


class Parts:
    """Hands the asks of open pages to the frontier, and the answers to the pages."""

    def __init__(self, frontier: Frontier, woke: Callable[[], None]) -> None:
        self._frontier, self._woke = frontier, woke
        self._waiting: dict[str, asyncio.Future[Answer]] = {}

    async def fetch(self, url: str, site: Site) -> Answer:
        """Ask for a canonical URL in its host's turn. Raises WireError where it cannot be had."""
        future = self._waiting.get(url)
        if future is None:
            future = self._waiting[url] = asyncio.get_running_loop().create_future()
            self._frontier.add(Ask(kind=Kind.PART, url=url, site=site), first=True)
            self._woke()
        return await asyncio.shield(future)

    def answered(self, ask: Ask, answer: Answer) -> None:
        """Take an answer; a redirect within the site is followed."""
        if answer.status in REDIRECTS and header(answer.fields, "location"):
            verdict = follow(ask, header(answer.fields, "location"))
            if isinstance(verdict, Moved) and ask.site.owns(verdict.url):
                self._frontier.add(ask.redirected(verdict.url), first=True)
                return
            self.failed(ask, WireError(Outcome.OFF_SITE, "redirected away"))
        elif (future := self._waiting.pop(ask.start, None)) is not None and not future.done():
            future.set_result(answer)

    def failed(self, ask: Ask, error: WireError) -> None:
        """Take that a part cannot be had: refused, or gone wrong."""
        if (future := self._waiting.pop(ask.start, None)) is not None and not future.done():
            future.set_exception(error)
            future.exception()  # its page may have been closed already: nobody asks then

    def let_go(self) -> None:
        """Let no page wait any more: nothing is asked for from now on."""
        error = WireError(Outcome.DEFERRED, "the crawl ends")
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(error)
                future.exception()
        self._waiting.clear()
