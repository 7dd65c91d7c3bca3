"""The wire: Scrapy's download handler for http and https, on aiohttp.

Bytes are handed on as received (no decompression). Each request has a deadline for its whole, a least rate, a bound on
its size, and a socket that refuses addresses (spiders/guard.py). No proxy, no cookies, no redirects, no silent retry:
what happened is an `Answer` or a `WireError`, and what to do about it is decided elsewhere.

Scrapy's own handlers leave open: the total deadline, the address, the header fields as received, and the kind of
failure. aiohttp costs 0.4 ms of CPU a page where Twisted's client costs 0.6.
"""

import asyncio
import functools
import io
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from scrapy import Request
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.crawler import Crawler
from scrapy.http import Response
from yarl import URL

from extraction.records import Outcome
from spiders.asks import Ask, Kind
from spiders.guard import RefusedAddressError, guarded_socket, is_loopback_host
from spiders.memory import SMALL, Memory

CONNECT_S = 10.0
HEADERS_S = 25.0
IDLE_S = 20.0
# After this time a body must come at this rate on the average: slower is a drip that holds a slot for nothing.
GRACE_S, LEAST_BYTES_PER_S = 10.0, 1000.0
# One header field; all of them (the parser of aiohttp counts them too).
LONGEST_FIELD, MOST_HEADERS = 16 << 10, 256
ACCEPT = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.5",
    "Accept-Encoding": "gzip, br, zstd",
}


class WireError(Exception):
    """No answer came that can be used. `outcome` says which kind of failure it was, `connected` how far it got."""

    def __init__(self, outcome: Outcome, reason: str, *, connected: bool = True) -> None:
        super().__init__(reason)
        self.outcome, self.reason, self.connected = outcome, reason, connected


class Answer(Response):
    """A response with its header fields as received, and when it went out and came in (monotonic seconds)."""

    fields: tuple[tuple[str, str], ...] = ()
    address: str | None = None
    sent_at: float = 0.0
    headed_at: float = 0.0
    done: Callable[[], None] = staticmethod(lambda: None)  # to be called when the body is needed no more


class WireHandler(BaseDownloadHandler):
    """Fetches `request.meta["ask"]`; one pooled session for each set of allowed networks, so that a connection that
    one site may make is never used for another.
    """  # noqa: D205

    lazy = False

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._agent: str = crawler.settings["USER_AGENT"]
        self._total: float = crawler.settings.getfloat("DOWNLOAD_TIMEOUT")
        self._keep: bool = crawler.settings.getbool("KEEP_CONNECTIONS")
        self._sessions: dict[tuple[str, ...], aiohttp.ClientSession] = {}
        self._deadlines: set[asyncio.Timeout] = set()
        self._memory = Memory()

    async def download_request(self, request: Request) -> Answer:
        """Fetch one URL. Raises WireError."""
        ask: Ask = request.meta["ask"]
        try:
            async with asyncio.timeout(self._total) as deadline:
                self._deadlines.add(deadline)
                try:
                    return await self._fetch(request, ask, deadline)
                finally:
                    self._deadlines.discard(deadline)
        except TimeoutError as error:
            raise WireError(Outcome.TIMEOUT, f"not done within {self._total:.0f} s") from error

    def hurry(self, seconds: float) -> None:
        """Let what is under way have this long and no longer."""
        latest = asyncio.get_running_loop().time() + seconds
        for deadline in self._deadlines:
            when = deadline.when()
            if when is None or when > latest:
                deadline.reschedule(latest)

    async def close(self) -> None:
        """Close all connections."""
        for session in self._sessions.values():
            await session.close()

    async def _fetch(self, request: Request, ask: Ask, deadline: asyncio.Timeout) -> Answer:
        session = self._session(tuple(ask.site.network.allow))
        try:
            async with asyncio.timeout(min(HEADERS_S, self._total)):
                response = await session.get(URL(request.url, encoded=True), headers=ask.headers, allow_redirects=False)
        except (aiohttp.ClientError, OSError, ValueError, asyncio.LimitOverrunError) as error:
            if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ClientError):
                raise WireError(Outcome.TIMEOUT, f"no answer within {min(HEADERS_S, self._total):.0f} s") from error
            raise _explained(error) from error
        headed_at = time.monotonic()
        try:
            return await self._read(request, ask, response, _Body(ask, self._memory, deadline, headed_at))
        except aiohttp.ClientPayloadError as error:
            raise WireError(Outcome.TRUNCATED, f"the body is shorter than it said: {_text(error)}") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _explained(error) from error
        finally:
            response.release()

    async def _read(self, request: Request, ask: Ask, response: aiohttp.ClientResponse, body: "_Body") -> Answer:
        if ask.wants_body(response.status, response.content_type):
            try:
                await body.read(response)
            except BaseException:  # a cancelled request too gives back what it spooled
                body.forget()
                raise
        else:
            response.close()
        answer = Answer(request.url, status=response.status, body=body.bytes)
        answer.fields = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.raw_headers)
        assert isinstance(response, _Reply)
        answer.address, answer.sent_at, answer.headed_at = response.peer, response.sent_at, body.headed_at
        answer.done = body.forget
        return answer

    def _session(self, allow: tuple[str, ...]) -> aiohttp.ClientSession:
        session = self._sessions.get(allow)
        if session is None:
            session = self._sessions[allow] = self._new_session(allow)
        return session

    def _new_session(self, allow: tuple[str, ...]) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,  # one request a host is under way: politeness bounds it
                resolver=_Resolver(),
                ttl_dns_cache=60,
                force_close=not self._keep,
                keepalive_timeout=30 if self._keep else None,
                socket_factory=functools.partial(guarded_socket, allow),
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            request_class=_Question,
            response_class=_Reply,
            headers={"User-Agent": self._agent, **ACCEPT},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=IDLE_S),
            trust_env=False,
            max_line_size=LONGEST_FIELD,
            max_field_size=LONGEST_FIELD,
            max_headers=MOST_HEADERS,
        )
        # A request that a kept connection swallowed would be sent again at once, past the host's delay.
        session._retry_connection = False  # noqa: SLF001 - aiohttp has no public name for it
        return session


class _Body:
    """A body as it comes in, within its bounds of size, rate and memory."""

    def __init__(self, ask: Ask, memory: Memory, deadline: asyncio.Timeout, headed_at: float) -> None:
        self._ask, self._memory, self._deadline, self.headed_at = ask, memory, deadline, headed_at
        self._file = io.BytesIO()  # gives its bytes without a copy
        self._held = 0
        self._waited_s = 0.0

    @property
    def bytes(self) -> bytes:
        return self._file.getvalue()

    async def read(self, response: aiohttp.ClientResponse) -> None:
        """Read it. Raises WireError where it is beyond a bound."""
        ask, declared = self._ask, response.content_length or 0
        if declared > ask.largest and not ask.cut:
            response.close()
            raise WireError(Outcome.TOO_LARGE, f"{declared} bytes announced, {ask.largest} taken")
        async for part in response.content.iter_any():
            self._file.write(part)
            size = self._file.tell()
            if size > ask.largest:
                response.close()
                if ask.cut:
                    break
                raise WireError(Outcome.TOO_LARGE, f"more than {ask.largest} bytes")
            spent = time.monotonic() - self.headed_at - self._waited_s
            if spent > GRACE_S and size < LEAST_BYTES_PER_S * spent:
                response.close()
                raise WireError(Outcome.TIMEOUT, f"{size} bytes in {spent:.0f} s: too slow")
            if size > SMALL and not self._held and ask.kind in {Kind.SOURCE, Kind.PAGE}:
                await self._take(min(declared, ask.largest) or ask.largest)

    async def _take(self, size: int) -> None:
        """Wait for room for a large body. The time is none of the host's: the deadline stands still."""
        began, when = time.monotonic(), self._deadline.when()
        self._deadline.reschedule(None)
        await self._memory.take(size)
        self._held = size
        waited_s = time.monotonic() - began
        self._waited_s += waited_s
        if self._deadline.when() is None and when is not None:  # else we were told to hurry meanwhile
            self._deadline.reschedule(when + waited_s)

    def forget(self) -> None:
        """Drop what was read and give its room back: the traceback of an error would keep it for long."""
        self._file = io.BytesIO()
        held, self._held = self._held, 0
        if held:
            self._memory.give(held)


class _Question(aiohttp.ClientRequest):
    """Notes when it was sent. Tracing would tell it too, by a dozen calls a request."""

    async def send(self, conn: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        response = await super().send(conn)
        assert isinstance(response, _Reply)
        response.sent_at = time.monotonic()
        return response


class _Reply(aiohttp.ClientResponse):
    """Keeps the server's address, which is gone with the connection once the body has been read."""

    peer: str | None = None
    sent_at = 0.0

    async def start(self, connection: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        if connection.transport is not None:
            peer: Sequence[Any] | None = connection.transport.get_extra_info("peername")
            self.peer = str(peer[0]) if peer else None
        return await super().start(connection)


class _Resolver(AbstractResolver):
    """The system's resolver, but *.localhost is this machine without asking anybody (RFC 6761 6.3)."""

    def __init__(self) -> None:
        self._system = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if is_loopback_host(host):
            loopback = ResolveResult(
                hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=socket.AI_NUMERICHOST
            )
            return [loopback]
        return await self._system.resolve(host, port, family)

    async def close(self) -> None:
        await self._system.close()


def _explained(error: Exception) -> WireError:
    """Name the kind of failure."""
    text = _text(error)
    if RefusedAddressError.PHRASE in text:
        return WireError(Outcome.REFUSED_ADDRESS, text, connected=False)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return WireError(Outcome.DNS_FAILED, text, connected=False)
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return WireError(Outcome.TLS_FAILED, text, connected=False)
    if isinstance(error, aiohttp.ServerTimeoutError | TimeoutError):
        return WireError(Outcome.TIMEOUT, text or "no byte for too long")
    if isinstance(error, aiohttp.InvalidURL):
        return WireError(Outcome.BAD_URL, text, connected=False)
    if isinstance(error, aiohttp.ClientConnectorError):
        return WireError(Outcome.CONNECTION_FAILED, text, connected=False)
    return WireError(Outcome.CONNECTION_FAILED, text or type(error).__name__)


def _text(error: BaseException) -> str:
    text = str(error)
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.strerror:
        text = f"{error.host}:{error.port}: {error.os_error.strerror}"
    return " ".join(text.split())[:300]
