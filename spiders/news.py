"""The one spider: carries asks out to Scrapy and answers in. All that is decided is in spiders/crawl.py."""

import logging
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

from scrapy import Request, Spider
from scrapy.core.scheduler import BaseScheduler
from scrapy.http import Response
from twisted.python.failure import Failure

from extraction.records import Outcome
from spiders.asks import Ask
from spiders.crawl import Crawl
from spiders.wire import Answer, WireError

_log = logging.getLogger(__name__)


class NewsSpider(Spider):
    """Serves all sites of a job in one process."""

    name = "news"

    def __init__(self, *, crawl: Crawl, **options: Any) -> None:  # noqa: ANN401 - Scrapy's own arguments
        super().__init__(**options)
        self.crawl = crawl

    async def start(self) -> AsyncIterator[Request]:
        """Yield a request whenever some host is free for one."""
        while (ask := await self._next()) is not None:
            yield Request(
                ask.url,
                callback=self.parse,
                errback=self.fail,
                dont_filter=True,
                meta={"ask": ask, "download_slot": f"{id(ask)}", "verbatim_url": True},
            )

    async def _next(self) -> Ask | None:
        with self._writing():
            return await self.crawl.next()
        return None

    async def parse(self, response: Response, **_: Any) -> None:  # noqa: ANN401 - Scrapy's signature
        """Hand an answer to the crawl."""
        assert isinstance(response, Answer)
        assert response.request is not None
        try:
            with self._writing():
                await self.crawl.answered(response.request.meta["ask"], response)
        finally:
            response.done()

    def fail(self, failure: Failure) -> Iterator[Any]:
        """Hand a failure to the crawl; one that the wire did not name is a fault of ours, and said as such."""
        request: Request = failure.request  # type: ignore[attr-defined]
        ask: Ask = request.meta["ask"]
        error = failure.value
        if not isinstance(error, WireError):
            _log.error("%s: %s: %s", ask.url, type(error).__name__, error, extra={"site": ask.site.name})
            error = WireError(Outcome.CONNECTION_FAILED, f"{type(error).__name__}: {error}"[:300])
        with self._writing():
            self.crawl.failed(ask, error)
        return iter(())

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """End the crawl where the disk refuses: to fetch what cannot be kept is no use to anybody."""
        try:
            yield
        except OSError as error:
            self.crawl.break_off(error)


class Handover(BaseScheduler):
    """Scrapy's scheduler, reduced to handing over: what `start` yields goes out at once."""

    def __init__(self) -> None:
        self._requests: deque[Request] = deque()

    def has_pending_requests(self) -> bool:
        """Whether a request is in hand."""
        return bool(self._requests)

    def enqueue_request(self, request: Request) -> bool:
        """Take a request."""
        self._requests.append(request)
        return True

    def next_request(self) -> Request | None:
        """Give the request that was taken first."""
        return self._requests.popleft() if self._requests else None
