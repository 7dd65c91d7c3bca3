"""A small synchronous fetcher for `sites add` and `sites check`: one request at a time, under the crawl's own rules.

The same guard, robots.txt, bounds and user agent as the spider's, without Scrapy's start-up. No proxy, no cookies.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpcore

from extraction.decoding import BodyError, decode_body
from extraction.records import Outcome
from extraction.urls import BadUrlError, authority, canonicalize, host
from spiders.guard import is_loopback_host, refuse_address
from spiders.robots import MOST_REDIRECTS, UNAVAILABLE, Robots
from spiders.robots import read as read_robots
from spiders.verdict import escaped

MAX_BYTES = 50 * 1024 * 1024  # the sitemap protocol's bound
TOTAL_S = 60.0  # of one request with its body
CONNECT_S = 10.0
IDLE_S = 20.0
MAX_REDIRECTS = 5
MAX_DELAY_S = 60.0

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """An answer, or why there is none: `outcome` is None for status 200, and `body` has its Content-Encoding undone."""

    url: str  # after redirects
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    outcome: Outcome | None = None
    reason: str = ""


Fetch = Callable[[str], Fetched]


class _RefusedError(Exception):
    """Raised inside to end a request with an outcome."""

    def __init__(self, outcome: Outcome, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.outcome, self.reason, self.status = outcome, reason, status


class Fetcher:
    """Fetches URLs politely: robots.txt first, `delay_s` (or its Crawl-delay) between requests to one host.

    `user_agent` bears the operator's contact; `allow` are the networks of the site's own file. Never raises.
    """

    def __init__(
        self,
        user_agent: str,
        *,
        allow: Sequence[str] = (),
        delay_s: float = 1.0,
        total_s: float = TOTAL_S,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._agent, self._delay_s, self._total_s, self._max_bytes = user_agent, delay_s, total_s, max_bytes
        backend = _GuardedBackend(tuple(allow), total_s)
        self._pool = httpcore.ConnectionPool(network_backend=backend, max_connections=2, max_keepalive_connections=0)
        self._robots: dict[str, Robots] = {}
        self._next: dict[str, float] = {}

    def __call__(self, url: str, headers: Mapping[str, str] | None = None, *, obey: bool = True) -> Fetched:
        """Fetch a URL, and up to five redirects from it.

        `headers` go with the request. Without `obey` robots.txt is not asked: for an interface made for programs, which
        somebody named.
        """
        try:
            for _ in range(MAX_REDIRECTS + 1):
                url = canonicalize(url)
                allowed = self._robots_of(url) if obey else UNAVAILABLE
                _check_allowed(allowed, url)
                fetched = self._ask(url, allowed.delay_s, headers)
                location = _header(fetched.headers, "location")
                if fetched.status not in _REDIRECTS or not location:
                    return fetched
                url = canonicalize(escaped(location), url)
        except BadUrlError as error:
            return Fetched(url=url, outcome=error.outcome, reason=str(error))
        except _RefusedError as refused:
            return Fetched(url=url, status=refused.status, outcome=refused.outcome, reason=refused.reason)
        return Fetched(url=url, outcome=Outcome.REDIRECT_LIMIT, reason=f"more than {MAX_REDIRECTS} redirects")

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def _robots_of(self, url: str) -> Robots:
        origin = f"{urlsplit(url).scheme}://{authority(url)}"
        if origin not in self._robots:
            self._robots[origin] = self._read_robots(f"{origin}/robots.txt")
        return self._robots[origin]

    def _read_robots(self, url: str) -> Robots:
        """RFC 9309 2.3.1: up to five redirects, also to other hosts; what cannot be reached disallows."""
        try:
            for _ in range(MOST_REDIRECTS + 1):
                fetched = self._ask(url, None)
                location = _header(fetched.headers, "location")
                if fetched.status not in _REDIRECTS or not location:
                    return read_robots(fetched.status or 0, fetched.body)
                url = canonicalize(escaped(location), url)
        except BadUrlError as error:
            return Robots(unreachable=f"robots.txt: {error}")
        except _RefusedError as refused:
            reason = f"robots.txt: {refused.reason}"
            return Robots(unreachable=reason, outcome=_of_unreachable(refused.outcome))
        return UNAVAILABLE

    def _ask(self, url: str, crawl_delay_s: float | None, headers: Mapping[str, str] | None = None) -> Fetched:
        """One request and its answer. Raises _RefusedError where there is none to use."""
        name = host(url)
        time.sleep(max(0.0, self._next.get(name, 0.0) - time.monotonic()))
        try:
            return self._exchange(url, headers or {})
        except httpcore.TimeoutException as error:
            raise _RefusedError(Outcome.TIMEOUT, f"no answer in time ({type(error).__name__})") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise _RefusedError(*_failure(error)) from error
        finally:
            delay = max(self._delay_s, min(crawl_delay_s or 0.0, MAX_DELAY_S))
            self._next[name] = time.monotonic() + delay

    def _exchange(self, url: str, more: Mapping[str, str]) -> Fetched:
        patience = min(IDLE_S, self._total_s)
        timeouts = {"connect": min(CONNECT_S, self._total_s), "read": patience, "write": patience, "pool": patience}
        headers = {
            "Host": authority(url),
            "User-Agent": self._agent,
            "Accept": "*/*",
            "Accept-Encoding": "gzip",
            **more,
        }
        with self._pool.stream("GET", url, headers=list(headers.items()), extensions={"timeout": timeouts}) as response:
            fields = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers)
            body = self._body(response.iter_stream(), response.status)
        outcome, reason = _of_status(response.status)
        try:
            body = decode_body(body, fields, max_bytes=self._max_bytes).body
        except BodyError as error:
            reason = reason or str(error)  # the body goes on as it came: whoever reads it takes what can be read
        return Fetched(url=url, status=response.status, headers=fields, body=body, outcome=outcome, reason=reason)

    def _body(self, chunks: Iterable[bytes], status: int) -> bytes:
        body = bytearray()
        for chunk in chunks:
            body += chunk
            if len(body) > self._max_bytes:
                raise _RefusedError(Outcome.TOO_LARGE, f"more than {self._max_bytes} bytes", status)
        return bytes(body)


class _GuardedBackend(httpcore.SyncBackend):
    """Connects only where the guard lets it: the check is of the address that is connected to, after its lookup."""

    def __init__(self, allow: tuple[str, ...], total_s: float) -> None:
        super().__init__()
        self._allow, self._total_s = allow, total_s

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of the host that is not refused and answers."""
        deadline = time.monotonic() + self._total_s
        last: Exception = _RefusedError(Outcome.DNS_FAILED, f"{host} has no address")
        for address in _addresses(host, port):
            if refusal := refuse_address(address, self._allow):
                last = _RefusedError(Outcome.REFUSED_ADDRESS, refusal)
                continue
            try:
                stream = super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
            else:
                return _DeadlineStream(stream, deadline)
        raise last


class _DeadlineStream(httpcore.NetworkStream):
    """A stream that ends at a time, so that a drip of single bytes cannot go on for ever."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._left(timeout))
        return _DeadlineStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's signature
        return self._stream.get_extra_info(info)

    def _left(self, timeout: float | None) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the deadline of the whole request is past")
        return left if timeout is None else min(left, timeout)


def _addresses(host: str, port: int) -> list[str]:
    """The addresses of a host; *.localhost is this machine without asking anybody (RFC 6761 6.3)."""
    try:
        return [str(ip_address(host.strip("[]")))]
    except ValueError:
        pass
    if is_loopback_host(host):
        return ["127.0.0.1"]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise _RefusedError(Outcome.DNS_FAILED, f"{host}: {error.strerror or error}") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _header(headers: tuple[tuple[str, str], ...], name: str) -> str | None:
    return next((value for key, value in headers if key.lower() == name), None)


def _failure(error: Exception) -> tuple[Outcome, str]:
    """The outcome of a broken exchange."""
    if isinstance(error.__cause__ or error.__context__, ssl.SSLError):
        return Outcome.TLS_FAILED, str(error)
    return Outcome.CONNECTION_FAILED, str(error) or type(error).__name__


def _of_status(status: int) -> tuple[Outcome | None, str]:
    """The outcome of a status; None for 200 and for redirects, which are followed."""
    if status == 200 or status in _REDIRECTS:
        return None, ""
    outcomes = {404: Outcome.GONE, 410: Outcome.GONE, 429: Outcome.RATE_LIMITED}
    blocked = Outcome.BLOCKED if status in {401, 403, 451} else Outcome.HTTP_ERROR
    return outcomes.get(status, Outcome.SERVER_ERROR if 500 <= status < 600 else blocked), f"status {status}"


def _check_allowed(robots: Robots, url: str) -> None:
    if not robots.allows(url) and urlsplit(url).path != "/robots.txt":  # which is allowed always (RFC 9309 2.2.2)
        outcome = robots.outcome if robots.unreachable else Outcome.ROBOTS
        raise _RefusedError(outcome, robots.unreachable or "disallowed by robots.txt")


def _of_unreachable(outcome: Outcome) -> Outcome:
    """Why a page is disallowed whose robots.txt could not be read: a refused address stays one."""
    return outcome if outcome in {Outcome.REFUSED_ADDRESS, Outcome.DNS_FAILED} else Outcome.ROBOTS_UNREACHABLE
