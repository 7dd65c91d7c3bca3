"""Faults of the wire, of addresses and of robots.txt: what a host does, and how its URLs must end."""

import asyncio
import contextlib
import gzip
import os
import zlib
from dataclasses import dataclass, field

import brotli
import zstandard

from tests.spiders.origin import Asked, Origin, Raw, Reply, Route, moved

PAGE = Reply("<p>A page.</p>" * 100)
NONE = Reply(status=404)
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
DENY = Reply("User-agent: *\nDisallow: /\n", type="text/plain")


@dataclass(frozen=True)
class Fault:
    """One host that misbehaves: `route` at /a (a function of the origin where it needs addresses), `ends` of its URLs.

    An end is `page` or a word of `Outcome`; besides /a each host serves a good page at /b, which must be fetched
    (`good`) unless the fault is the whole host's.
    """

    what: str
    route: Route | None
    end: str
    robots: Route = NONE
    good: str = "page"
    attempts: int | None = None
    more: dict[str, Route] = field(default_factory=dict)


def raw(*parts: bytes, pause_s: float = 0.0, stay: bool = False) -> Raw:
    async def write(_: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            if pause_s:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(), pause_s)
                    return  # the client is gone
        if stay:
            await reader.read()

    return write


async def reset(_: Asked, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def endless(_: Asked, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def endless_chunks(_: Asked, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        await writer.drain()


def encoded(body: bytes, coding: str) -> Reply:
    return Reply(body, headers={"Content-Encoding": coding})


def early_hints(count: int, *last: bytes) -> Raw:
    return raw(b"HTTP/1.1 103 Early Hints\r\nLink: </x.css>; rel=preload\r\n\r\n" * count, *last)


async def hinting(_: Asked, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)
        await writer.drain()
        await asyncio.sleep(0.01)


def in_turn(*replies: Reply | Raw) -> Raw:
    """One answer after the other; the last again and again."""
    left = list(replies)

    async def write(asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reply = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(reply, Reply):
            writer.write(reply.render())
        else:
            await reply(asked, reader, writer)

    return write


class Forged(Reply):
    """An answer, and behind it one that nobody asked for."""

    def render(self) -> bytes:
        return super().render() + OK + b"Content-Length: 14\r\n\r\n<p>Forged.</p>"


def status(code: int, **headers: str) -> Reply:
    return Reply("no", status=code, headers={name.replace("_", "-"): value for name, value in headers.items()})


SILENT = raw(stay=True)
TEXT = b"<p>A page.</p>" * 100
LENGTH = b"Content-Length: %d\r\n" % len(TEXT)
GZIP = gzip.compress(TEXT)
RULES = b"User-agent: *\nDisallow: /a\n"
BOMB = bytes(64 << 20)

FAULTS: dict[str, Fault] = {
    # 1. The wire.
    "silent": Fault("1.1 accepts, never answers", SILENT, "timeout", attempts=2),
    "all-silent": Fault("1.1 answers nothing at all, robots.txt neither", SILENT, "robots_unreachable", SILENT, "robots_unreachable"),
    "drip": Fault("1.2 body at 5 bytes/s", raw(OK + b"Content-Length: 9999\r\n\r\n", *[b"x"] * 200, pause_s=0.2), "timeout"),
    "drip-head": Fault("1.2 header at 5 bytes/s", raw(b"HTTP/1.1 200 OK\r\nX: ", *[b"x"] * 200, pause_s=0.2), "timeout"),
    "endless": Fault("1.3 body without an end", endless, "too_large", attempts=1),
    "endless-chunks": Fault("1.3 chunks without an end", endless_chunks, "too_large"),
    "huge": Fault("1.3 Content-Length 99,999,999,999", raw(OK + b"Content-Length: 99999999999\r\n\r\nx"), "too_large"),
    "reset": Fault("1.4 reset before the answer", reset, "connection_failed", attempts=2),
    "empty": Fault("1.4 empty reply", raw(), "connection_failed"),
    "garbage": Fault("1.4 garbage for headers", raw(os.urandom(300) + b"\r\n\r\n"), "connection_failed"),
    "old": Fault("1.4 a body without any header", raw(b"<html>hello</html>"), "connection_failed"),
    "short": Fault("1.4 closed short of its length", raw(OK + b"Content-Length: 100\r\n\r\nshort"), "truncated", attempts=2),
    "chunk-cut": Fault("1.4 chunk cut", raw(OK + b"Transfer-Encoding: chunked\r\n\r\n64\r\nshort"), "truncated"),
    "chunked": Fault("1.4 chunks that end as they should", raw(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), "page"),
    "until-close": Fault("1.4 a body that ends with its connection", raw(OK + b"\r\nhello"), "page"),
    "bad-chunk": Fault("1.4 chunk size that is no number", raw(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n"), "connection_failed"),
    "two-lengths": Fault("1.4 two lengths that differ", raw(OK + b"Content-Length: 5\r\nContent-Length: 9\r\n\r\nhello"), "connection_failed"),
    "long-field": Fault("1.4 header of 10 MB", raw(OK + b"X: " + b"x" * (10 << 20) + b"\r\n\r\n"), "connection_failed"),
    "many-fields": Fault("1.4 100,000 headers", raw(OK + b"X: y\r\n" * 100_000 + b"\r\n"), "connection_failed"),
    "http-1-0": Fault("1.4 HTTP/1.0, without a length", raw(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" + TEXT), "page"),
    "length-twice": Fault("1.4 one length, said twice", raw(OK + LENGTH * 2 + b"\r\n" + TEXT), "connection_failed"),
    "length-below": Fault("1.4 a length below zero", raw(OK + b"Content-Length: -1\r\n\r\n" + TEXT), "connection_failed"),
    "length-and-chunks": Fault("1.4 a length and chunks", raw(OK + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n578\r\n" + TEXT + b"\r\n0\r\n\r\n"), "connection_failed"),
    "forged": Fault("1.4 an answer behind the answer, that nobody asked for", Forged(TEXT), "page"),
    "hints": Fault("1.4 10,000 early hints first", early_hints(10_000, OK + LENGTH + b"\r\n" + TEXT), "page"),
    "hinting": Fault("1.4 early hints without an end", hinting, "timeout"),
    "switching": Fault("1.4 101, another protocol", raw(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nx"), "http_error"),
    "no-type": Fault("1.4 no Content-Type", raw(b"HTTP/1.1 200\r\n" + LENGTH + b"\r\n" + TEXT), "page"),
    "odd-fields": Fault("1.4 fields beyond ASCII, folded, and 200 cookies", raw(OK + "X: Ü\r\nY: \xfc\r\n  z\r\n".encode() + b"Set-Cookie: a=b\r\n" * 200 + LENGTH + b"\r\n" + TEXT), "page"),
    "in-turn": Fault("1.4 a reset, then 500", in_turn(reset, status(500)), "server_error", attempts=2),
    "gzip-bomb": Fault("1.5 gzip bomb", encoded(gzip.compress(BOMB), "gzip"), "too_large"),
    "br-bomb": Fault("1.5 brotli bomb", encoded(brotli.compress(BOMB, quality=1), "br"), "too_large"),
    "zstd-bomb": Fault("1.5 zstd bomb", encoded(zstandard.compress(BOMB), "zstd"), "too_large"),
    "gzip-cut": Fault("1.6 gzip cut in the middle", encoded(gzip.compress(os.urandom(9000))[:5000], "gzip"), "truncated"),
    "odd-coding": Fault("1.6 unknown Content-Encoding", encoded(os.urandom(900), "rot13"), "undecodable"),
    "gzip-twice": Fault("1.5 gzip bomb in gzip", Reply(gzip.compress(gzip.compress(BOMB)), headers={"Content-Encoding": "gzip, gzip"}), "too_large"),
    "gzip-claimed": Fault("1.6 a readable body that only claims gzip", encoded(b"<p>A page.</p>" * 100, "gzip"), "page"),
    "gzip-rubbish": Fault("1.6 gzip in two members, rubbish behind", encoded(gzip.compress(TEXT[:700]) + gzip.compress(TEXT[700:]) + b"\0junk", "gzip"), "page"),
    "gzip-unsaid": Fault("1.6 gzip that no header names", Reply(GZIP), "page"),
    "gzip-of-gzip": Fault("1.6 gzip, gzip", encoded(gzip.compress(GZIP), "gzip, gzip"), "page"),
    "gzip-damaged": Fault("1.6 gzip with a wrong checksum", encoded(GZIP[:-8] + bytes(8), "gzip"), "undecodable"),
    "deflate-bare": Fault("1.6 deflate without its frame", encoded(zlib.compress(TEXT)[2:-4], "deflate"), "page"),
    "brotli-cut": Fault("1.6 brotli cut in the middle", encoded(brotli.compress(os.urandom(9000))[:5000], "br"), "truncated"),
    "status-401": Fault("1.9 401", status(401), "blocked", attempts=1),
    "status-403": Fault("1.9 403", status(403), "blocked"),
    "status-404": Fault("1.9 404", status(404), "gone", attempts=1),
    "status-410": Fault("1.9 410", status(410), "gone"),
    "status-429": Fault("1.9 429, Retry-After 1", status(429, Retry_After="1"), "rate_limited", attempts=2),
    "status-429-absurd": Fault("1.9 429, Retry-After 10^12", status(429, Retry_After="1000000000000"), "deferred", good="deferred"),
    "status-429-half": Fault("1.9 429, Retry-After 0.5", status(429, Retry_After="0.5"), "rate_limited"),
    "status-429-below": Fault("1.9 429, Retry-After -5", status(429, Retry_After="-5"), "rate_limited"),
    "status-206": Fault("1.9 206, a part that nobody asked for", status(206, Content_Range="bytes 0-1/9"), "http_error"),
    "status-408": Fault("1.9 408", status(408), "http_error"),
    "status-451": Fault("1.9 451", status(451), "blocked"),
    "status-500": Fault("1.9 500", status(500), "server_error", attempts=2),
    "status-501": Fault("1.9 501", status(501), "server_error"),
    "status-502": Fault("1.9 502", status(502), "server_error"),
    "status-503": Fault("1.9 503, Retry-After a past date", status(503, Retry_After="Mon, 23 Nov 2020 12:00:00 GMT"), "rate_limited"),
    "status-503-plain": Fault("1.9 503", status(503), "server_error"),
    "status-504": Fault("1.9 504", status(504), "server_error"),
    "status-999": Fault("1.9 999", status(999), "http_error"),
    "cookie": Fault("1.11 a redirect to itself until a cookie comes back", Reply(status=302, headers={"Location": "/a", "Set-Cookie": "seen=1"}), "redirect_limit"),
    "challenge": Fault("1.11 a bot challenge", status(403, cf_mitigated="challenge"), "blocked", attempts=1),
    "status-304": Fault("1.10 304 without our asking", Reply(status=304), "http_error"),
    # 1.8 Redirects.
    "self": Fault("1.8 redirect to itself", moved("/a"), "redirect_limit"),
    "loop": Fault("1.8 loop of two", moved("/c"), "redirect_limit", more={"/c": moved("/a")}),
    "chain": Fault("1.8 chain of 20", moved("/0"), "redirect_limit", more={f"/{n}": moved(f"/{n + 1}") for n in range(20)}),
    "nowhere": Fault("1.8 redirect without Location", Reply(status=302), "http_error"),
    "to-nothing": Fault("1.8 an empty Location", raw(b"HTTP/1.1 302 X\r\nLocation:\r\nContent-Length: 0\r\n\r\n"), "http_error"),
    "to-part": Fault("1.8 to a part of itself", moved("#part"), "redirect_limit"),
    "to-letters": Fault("1.8 Location in raw UTF-8, relative, with a space", raw("HTTP/1.1 302 X\r\nLocation: ü b\r\nContent-Length: 0\r\n\r\n".encode()), "page", more={"/%C3%BC%20b": PAGE}),
    "home": Fault("1.8 to the home page", moved("/"), "redirected_home"),
    "away": Fault("1.8 to another site", moved("http://elsewhere.localhost/"), "off_site"),
    "moved-301": Fault("1.8 301 to a page", moved("/c", 301), "page", more={"/c": PAGE}),
    "moved-303": Fault("1.8 303 to a page", moved("/c", 303), "page", more={"/c": PAGE}),
    "moved-307": Fault("1.8 307 to a page", moved("/c", 307), "page", more={"/c": PAGE}),
    "moved-308": Fault("1.8 308 to a page", moved("/c", 308), "page", more={"/c": PAGE}),
    # 2. Addresses.
    "to-file": Fault("2.1 redirect to file:", moved("file:///etc/hostname"), "refused_scheme"),
    "to-ftp": Fault("2.1 redirect to ftp:", moved("ftp://127.0.0.1/x"), "refused_scheme"),
    "to-data": Fault("2.1 redirect to data:", moved("data:text/html,x"), "refused_scheme"),
    "to-script": Fault("2.1 redirect to javascript:", moved("javascript:alert(1)"), "refused_scheme"),
    "to-decimal": Fault("2.2 redirect to http://2130706433/", moved("http://2130706433/x"), "off_site"),
    "to-metadata": Fault("2.2 redirect to 169.254.169.254", moved("http://169.254.169.254/latest"), "off_site"),
    "to-octal": Fault("2.2 redirect to http://0177.0.0.1/", moved("http://0177.0.0.1/x"), "off_site"),
    "to-mapped": Fault("2.2 redirect to http://[::ffff:10.0.0.1]/", moved("http://[::ffff:10.0.0.1]/x"), "off_site"),
    "to-user": Fault("2.3 redirect to a URL with a password", moved("http://u:p@to-user.localhost/x"), "bad_url"),
    "to-long": Fault("2.3 redirect to a URL of 12,000 characters", moved("/" + "x" * 12_000), "bad_url"),
    # 4. robots.txt and rights.
    "robots-500": Fault("4.1 robots.txt 500", PAGE, "robots_unreachable", status(500), "robots_unreachable"),
    "robots-503": Fault("4.1 robots.txt 503", PAGE, "robots_unreachable", status(503), "robots_unreachable"),
    "robots-429": Fault("4.1 robots.txt 429", PAGE, "robots_unreachable", status(429), "robots_unreachable"),
    "robots-reset": Fault("4.1 robots.txt reset", PAGE, "robots_unreachable", reset, "robots_unreachable"),
    "robots-drip": Fault("4.1 robots.txt at 5 bytes/s", PAGE, "robots_unreachable", raw(OK + b"Content-Length: 999\r\n\r\n", *[b"x"] * 99, pause_s=0.2), "robots_unreachable"),
    "robots-short": Fault("4.1 robots.txt closed short of its length", PAGE, "robots_unreachable", raw(OK + b"Content-Length: 999\r\n\r\nAllow: /"), "robots_unreachable"),
    "robots-206": Fault("4.1 robots.txt 206", PAGE, "robots", Reply(RULES, status=206)),
    "robots-404": Fault("4.2 robots.txt 404", PAGE, "page", status(404)),
    "robots-401": Fault("4.2 robots.txt 401", PAGE, "page", status(401)),
    "robots-403": Fault("4.2 robots.txt 403", PAGE, "page", status(403)),
    "robots-410": Fault("4.2 robots.txt 410", PAGE, "page", status(410)),
    "robots-loop": Fault("4.3 robots.txt redirects to itself", PAGE, "page", moved("/robots.txt")),
    "robots-moved": Fault("4.3 robots.txt redirected five times", PAGE, "robots", moved("/r1"), "robots",
        more={**{f"/r{n}": moved(f"/r{n + 1}") for n in range(1, 5)}, "/r5": DENY}),
    "robots-far": Fault("4.3 robots.txt redirected six times", PAGE, "page", moved("/r1"),
        more={**{f"/r{n}": moved(f"/r{n + 1}") for n in range(1, 6)}, "/r6": DENY}),
    "robots-file": Fault("4.3 robots.txt redirected to file:", PAGE, "robots_unreachable", moved("file:///etc/hostname"), "robots_unreachable"),
    "robots-gzip": Fault("4.4 robots.txt in gzip", PAGE, "robots", encoded(gzip.compress(RULES), "gzip")),
    "robots-gzip-unsaid": Fault("4.4 robots.txt in gzip that no header names", PAGE, "robots", Reply(gzip.compress(RULES))),
    "robots-gzip-claimed": Fault("4.4 robots.txt that only claims gzip", PAGE, "robots", encoded(RULES, "gzip")),
    "robots-bomb": Fault("4.4 robots.txt a gzip bomb", PAGE, "robots", encoded(gzip.compress(RULES + BOMB), "gzip")),
    "robots-utf-16": Fault("4.4 robots.txt in UTF-16", PAGE, "robots", Reply(RULES.decode().encode("utf-16"))),
    "robots-cr": Fault("4.4 robots.txt with a BOM, CR line ends, called a picture", PAGE, "robots", Reply(b"\xef\xbb\xbf" + RULES.replace(b"\n", b"\r"), type="image/png")),
    "robots-20mb": Fault("4.4 robots.txt of 20 MB", PAGE, "robots", Reply(b"User-agent: *\nDisallow: /a\n" + b"#" * (20 << 20))),
    "robots-html": Fault("4.4 an HTML page for robots.txt", PAGE, "page", Reply("<html>Disallow: /</html>")),
    "robots-endless": Fault("4.4 robots.txt without an end", PAGE, "page", endless),
    "robots-stars": Fault("4.4 patterns that explode", PAGE, "page", Reply("User-agent: *\n" + "Disallow: /*a*a*a*a*a*a*a*b$\n" * 9000)),
    "robots-delay": Fault("4.5 Crawl-delay -1", PAGE, "page", Reply("User-agent: *\nCrawl-delay: -1")),
    "robots-delay-day": Fault("4.5 Crawl-delay 86400, beyond the crawl's patience", PAGE, "deferred", Reply("User-agent: *\nCrawl-delay: 86400"), "deferred"),
    "robots-delay-half": Fault("4.5 Crawl-delay 0.5s", PAGE, "page", Reply("User-agent: *\nCrawl-delay: 0.5s")),
    "over": Fault("4.6 unavailable_after a day that is over", Reply("x", headers={"X-Robots-Tag": "unavailable_after: 25 Jun 2010 15:00:00 PST"}), "noindex"),
    "over-in-page": Fault("4.6 noindex in the page", Reply("<meta name=robots content='nofollow, NoIndex'>x"), "noindex"),
    "noindex": Fault("4.6 X-Robots-Tag: noindex", Reply("x", headers={"X-Robots-Tag": "noindex"}), "noindex"),
    "licence": Fault("4.6 an RSL licence is demanded", status(401, WWW_Authenticate="License"), "licence_required"),
}  # fmt: skip


def serve(origin: Origin) -> None:
    """Let the origin misbehave in all these ways, a host each."""
    for name, fault in FAULTS.items():
        host = f"{name}.localhost"
        assert fault.route is not None
        routes: dict[str, Route] = {"/robots.txt": fault.robots, "/a": fault.route, "/b": PAGE, **fault.more}
        if fault.robots is SILENT:
            routes["/b"] = SILENT
        origin.routes |= {host + path: route for path, route in routes.items()}
