"""A browser for pages that are made by scripts: Chromium, driven by playwright (the extra `nightdesk[browser]`).

The browser never reaches the network itself. The page that it opens is the response that the crawl has already, and
what the page's scripts ask for is either handed to the crawl, as asks like all others (robots.txt, the host's delay,
addresses checked at the socket), or refused: other sites, images, styles, fonts, media, frames, sockets, all but GET.
"""

import asyncio
import contextlib
import logging
import os
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from extraction.decoding import BodyError, decode_body
from extraction.urls import BadUrlError, canonicalize
from spiders.chromium import chromium
from spiders.site import Site
from spiders.verdict import header
from spiders.wire import Answer, WireError

if TYPE_CHECKING:
    from playwright.async_api import Browser as Chromium
    from playwright.async_api import BrowserContext, Playwright, Request, Route

_log = logging.getLogger(__name__)

#: Pages open at once; seconds for one with all that it asks for; requests of one; bytes of them, and of the page made.
PAGES, PAGE_S, MOST_PARTS, MOST_BYTES = 2, 45.0, 40, 16 << 20
#: Scripts are the same on all pages of a site: kept in memory up to so many bytes.
KEPT_BYTES = 32 << 20
_CLOSE_S = 5.0  # a page whose script never ends cannot be closed: then the browser is
_PARTS = frozenset({"script", "fetch", "xhr"})
_ARGUMENTS = (
    # Whatever is not handed to the crawl finds no way out: names lead nowhere, and the proxy is a closed port.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=127.0.0.1:9",
    "--proxy-bypass-list=<-loopback>",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--renderer-process-limit=2",
    "--js-flags=--max-old-space-size=512",
)

Fetch = Callable[[str, Site], Awaitable[Answer]]


class BrowserError(Exception):
    """A page could not be opened or did not come to rest; the text says why."""


class Browser:
    """Opens pages, a few at a time, each in a context of its own. Started by the first page.

    `fetch` asks for a part of a page: a canonical URL of the site. It raises WireError.
    """

    def __init__(self, agent: str, fetch: Fetch) -> None:
        self._agent, self._fetch = agent, fetch
        self._turn = asyncio.Semaphore(PAGES)
        self._starting = asyncio.Lock()
        self._playwright: Playwright | None = None
        self._chromium: Chromium | None = None
        self._scripts = _Scripts()

    async def render(self, url: str, answer: Answer, site: Site) -> bytes:
        """Return the page as its scripts have made it, HTML in UTF-8. Raises BrowserError."""
        try:
            body = decode_body(answer.body, answer.fields, max_bytes=MOST_BYTES).body
        except BodyError as error:
            raise BrowserError(str(error)) from error
        async with self._turn:
            context = await self._context(site)
            try:
                async with asyncio.timeout(PAGE_S):
                    text = await _Opened(context, self._part, url, site).read(
                        body, header(answer.fields, "content-type")
                    )
            except TimeoutError as error:
                raise BrowserError(f"the page did not come to rest within {PAGE_S:.0f} s") from error
            except _playwright_error() as error:
                raise BrowserError(" ".join(str(error).split())[:200]) from error
            finally:
                await self._close(context)
        rendered = text.encode("utf-8", "replace")
        if len(rendered) > MOST_BYTES:
            raise BrowserError(f"the page made itself larger than {MOST_BYTES} bytes")
        return rendered

    async def close(self) -> None:
        """End the browser."""
        await self._quit()
        if self._playwright is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._playwright.stop(), _CLOSE_S)

    async def _part(self, url: str, site: Site, kind: str) -> Answer:
        kept = self._scripts.get(url) if kind == "script" else None
        if kept is None:
            kept = await self._fetch(url, site)
            if kind == "script" and kept.status == 200:
                self._scripts.keep(url, kept)
        return kept

    async def _context(self, site: Site) -> "BrowserContext":
        try:
            async with self._starting:
                if self._chromium is None or not self._chromium.is_connected():
                    self._chromium = await self._start()
            return await self._chromium.new_context(
                user_agent=self._agent,
                locale=site.languages[0],
                service_workers="block",
                accept_downloads=False,
                offline=False,
            )
        except _playwright_error() as error:
            raise BrowserError(f"the browser does not start: {' '.join(str(error).split())[:200]}") from error

    async def _start(self) -> "Chromium":
        from playwright.async_api import async_playwright  # noqa: PLC0415 - an extra, and half a second

        if self._playwright is None:
            self._playwright = await async_playwright().start()
        # As root (in a container) Chromium's sandbox does not work.
        arguments = [*_ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        return await self._playwright.chromium.launch(
            executable_path=chromium(), args=arguments, handle_sigint=False, handle_sigterm=False, handle_sighup=False
        )

    async def _close(self, context: "BrowserContext") -> None:
        try:
            await asyncio.wait_for(context.close(), _CLOSE_S)
        except Exception:  # noqa: BLE001 - of whatever kind: this browser is not to be trusted any more
            await self._quit()

    async def _quit(self) -> None:
        browser, self._chromium = self._chromium, None
        if browser is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(browser.close(), _CLOSE_S)


class _Opened:
    """One page that is open: what it may ask for, and how much."""

    def __init__(
        self, context: "BrowserContext", part: Callable[[str, Site, str], Awaitable[Answer]], url: str, site: Site
    ) -> None:
        self._context, self._part, self._url, self._site = context, part, url, site
        self._parts = self._bytes = 0

    async def read(self, body: bytes, content_type: str) -> str:
        """Open the page, wait until its scripts ask for nothing more, and return its HTML."""
        await self._context.route("**/*", lambda route, request: self._answer(route, request, body, content_type))
        await self._context.route_web_socket("**", lambda socket: socket.close())
        page = await self._context.new_page()
        page.on("dialog", lambda dialog: dialog.dismiss())
        await page.goto(self._url, wait_until="domcontentloaded", timeout=0)
        await page.wait_for_load_state("networkidle", timeout=0)
        return await page.content()

    async def _answer(self, route: "Route", request: "Request", body: bytes, content_type: str) -> None:
        """Answer a request of the page's, or refuse it."""
        with contextlib.suppress(_playwright_error()):  # the page may be closed by now
            if request.is_navigation_request():
                # Once the page itself; frames and pages that a script goes on to are none of this article.
                if request.url.partition("#")[0] == self._url and not request.frame.parent_frame and not self._parts:
                    self._parts = 1
                    await route.fulfill(status=200, content_type=content_type or "text/html", body=body)
                else:
                    await route.abort()
                return
            answer = await self._allowed(request)
            if answer is None:
                await route.abort()
            else:
                plain, kind = answer
                await route.fulfill(status=200, content_type=kind, body=plain)

    async def _allowed(self, request: "Request") -> tuple[bytes, str] | None:
        if request.method != "GET" or request.resource_type not in _PARTS or self._parts > MOST_PARTS:
            return None
        try:
            url = canonicalize(request.url)
            if not self._site.owns(url):
                return None
            self._parts += 1
            answer = await self._part(url, self._site, request.resource_type)
            plain = decode_body(answer.body, answer.fields, max_bytes=MOST_BYTES).body
        except (BadUrlError, WireError, BodyError):
            return None
        self._bytes += len(plain)
        if answer.status != 200 or self._bytes > MOST_BYTES:
            return None
        return plain, header(answer.fields, "content-type") or "application/octet-stream"


class _Scripts:
    """Scripts in memory, those used last."""

    def __init__(self) -> None:
        self._answers: OrderedDict[str, Answer] = OrderedDict()
        self._bytes = 0

    def get(self, url: str) -> Answer | None:
        if url in self._answers:
            self._answers.move_to_end(url)
        return self._answers.get(url)

    def keep(self, url: str, answer: Answer) -> None:
        if url not in self._answers:
            self._answers[url] = answer
            self._bytes += len(answer.body)
        while self._bytes > KEPT_BYTES:
            _, dropped = self._answers.popitem(last=False)
            self._bytes -= len(dropped.body)


def _playwright_error() -> Any:  # noqa: ANN401 - a class of the extra, imported late
    from playwright.async_api import Error  # noqa: PLC0415

    return Error
