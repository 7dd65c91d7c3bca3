"""How each URL ends: whole crawls by the real child process, a page or an outcome for everything that was discovered."""

import asyncio
import gzip
import time

from tests.spiders.origin import Asked, Origin, Raw, Reply, moved
from tests.spiders.served import PAGE, ROBOTS, Crawl, feed


def test_every_discovered_url_has_its_end(origin: Origin, crawl: Crawl) -> None:
    """Pages, refusals and answers of all kinds on one site: one end each, with a reason; only what may be is asked."""
    answers = {
        "/a/good": PAGE,
        "/a/plain": Reply("<p>x</p>", type="text/plain"),
        "/a/gone": Reply("no", status=404),
        "/a/gone2": Reply("no", status=410),
        "/a/blocked": Reply("no", status=403),
        "/a/broken": Reply("no", status=500),
        "/a/odd": Reply("no", status=999),
        "/a/noindex": Reply("<p>x</p>", headers={"X-Robots-Tag": "noindex"}),
        "/a/film": Reply(b"\x00" * 100, type="video/mp4"),
        "/a/304": Reply(status=304),
        "/a/moved": moved("/a/target"),
        "/a/target": PAGE,
        "/a/self": moved("/a/self"),
        "/a/loop1": moved("/a/loop2"),
        "/a/loop2": moved("/a/loop1"),
        "/a/home": moved("/"),
        "/a/away": moved("http://elsewhere.localhost/x"),
        "/a/file": moved("file:///etc/hostname"),
        "/a/twin": moved("/a/good"),
        "/a/to-private": moved("/private/y"),
        **{f"/chain/{n}": moved(f"/chain/{n + 1}") for n in range(20)},
    }
    origin.routes |= answers | {"/robots.txt": ROBOTS}
    listed = [path for path in answers if not path.startswith("/chain") and path not in {"/a/target", "/a/loop2"}]
    origin.routes["/feed"] = feed(*(origin.url(path) for path in [*listed, "/chain/0", "/private/x"]))
    crawled = crawl({"s": {"url": origin.url(), "sources": {"feeds": [origin.url("/feed")]}}})
    assert (crawled.code, crawled.errors) == (0, "")
    assert crawled.outcomes == {
        "/a/good": "page",
        "/a/plain": "page",
        "/a/gone": "gone",
        "/a/gone2": "gone",
        "/a/blocked": "blocked",
        "/a/broken": "server_error",
        "/a/odd": "http_error",
        "/a/noindex": "noindex",
        "/a/film": "not_html",
        "/a/304": "http_error",
        "/a/moved": "page",
        "/a/self": "redirect_limit",
        "/a/loop1": "redirect_limit",
        "/a/home": "redirected_home",
        "/a/away": "off_site",
        "/a/file": "refused_scheme",
        "/a/twin": "duplicate",
        "/a/to-private": "robots",
        "/chain/0": "redirect_limit",
        "/private/x": "robots",
    }
    crawled.assert_sums()
    assert all(crawled.reasons.values())
    assert origin.paths().count("/a/broken") == 2
    assert origin.paths().count("/a/gone") == 1
    assert not {"/private/x", "/private/y", "/"} & set(origin.paths())
    assert origin.asked[0].path == "/robots.txt"
    page = next(page for page in crawled.pages if page.discovery.url.endswith("/moved"))
    assert page.final_url == origin.url("/a/target")
    assert gzip.decompress(page.body) == b"<p>A paragraph.</p>" * 200
    assert dict(page.headers)["Content-Encoding"] == "gzip"
    assert page.rights == {"content_signal": "ai-train=no"}
    assert page.discovery.found_in == origin.url("/feed")
    assert origin.asked[0].headers["user-agent"] == "Nightdesk/test"
    assert crawled.events[-1] == {"event": "finished", "reason": "finished"}
    assert crawled.entries[-1]["kind"] == "finished"


def test_the_wire_may_do_what_it_wants(origin: Origin, crawl: Crawl) -> None:
    """Silence, drips, resets, lies about length, floods and bombs end in their own outcomes, in bounded time."""

    async def silent(_: Asked, reader: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        await reader.read()

    async def drip(_: Asked, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _n in range(1000):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.2)

    async def drip_head(_: Asked, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1000:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.2)

    async def endless(_: Asked, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    def raw(data: bytes) -> Raw:
        async def write(_: Asked, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(data)
            await writer.drain()

        return write

    async def reset(_: Asked, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    ok = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
    cases = {
        "silent": (silent, "timeout"),
        "drip": (drip, "timeout"),
        "drip-head": (drip_head, "timeout"),
        "endless": (endless, "too_large"),
        "huge": (raw(ok + b"Content-Length: 99999999999\r\n\r\nx"), "too_large"),
        "reset": (reset, "connection_failed"),
        "empty": (raw(b""), "connection_failed"),
        "garbage": (raw(b"\x00\x01\x02 nonsense\r\n\r\n"), "connection_failed"),
        "short": (raw(ok + b"Content-Length: 100\r\n\r\nshort"), "truncated"),
        "chunk-cut": (raw(ok + b"Transfer-Encoding: chunked\r\n\r\n64\r\nshort"), "truncated"),
        "long-field": (raw(ok + b"X: " + b"x" * (10 << 20) + b"\r\n\r\n"), "connection_failed"),
        "many-fields": (raw(ok + b"X: y\r\n" * 100_000 + b"\r\n"), "connection_failed"),
        "bomb": (Reply(gzip.compress(bytes(64 << 20)), headers={"Content-Encoding": "gzip"}), "page"),
        "odd-encoding": (Reply(b"x", headers={"Content-Encoding": "rot13"}), "page"),
        "chunked": (raw(ok + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), "page"),
        "until-close": (raw(ok + b"\r\nhello"), "page"),
    }
    sites = {}
    for name, (route, _) in cases.items():
        host = f"{name}.localhost"
        origin.routes |= {f"{host}/robots.txt": Reply(status=404), f"{host}/a": route, f"{host}/b": PAGE}
        sites[name] = {"url": origin.url(host=host)}
    urls = [[name, origin.url(path, f"{name}.localhost")] for name in cases for path in ("/a", "/b")]
    began = time.monotonic()
    crawled = crawl(sites, urls=urls, timeout_s=3)
    assert time.monotonic() - began < 40
    ends = {e["url"]: e["outcome"] for e in crawled.entries if e["kind"] == "outcome"}
    ends |= {page.discovery.url: "page" for page in crawled.pages}
    assert {name: ends[origin.url("/a", f"{name}.localhost")] for name in cases} == {
        name: outcome for name, (_, outcome) in cases.items()
    }
    assert {ends[origin.url("/b", f"{name}.localhost")] for name in cases} == {"page"}
    crawled.assert_sums()
    [chunked] = [page for page in crawled.pages if "chunked" in page.final_url and page.final_url.endswith("/a")]
    assert chunked.body == b"hello"


def test_hosts_that_cannot_be_reached_have_their_own_ends(origin: Origin, crawl: Crawl) -> None:
    """Refused connections, unknown names and addresses that the site does not open: distinct outcomes, nothing sent."""
    with Origin() as closed:
        port = closed.port
    secret = {"url": origin.url(host="127.0.0.1"), "network": {"allow": []}, "politeness": {"delay_s": 1}}
    named = {"url": origin.url(host="secret.localhost"), "network": {"allow": ["10.0.0.0/8"]}}
    crawled = crawl(
        {
            "closed": {"url": f"http://closed.localhost:{port}/"},
            "unknown": {"url": "http://no-such-name.invalid/", "politeness": {"delay_s": 1}},
            "secret": secret,
            "named": named,
        },
        contact="mailto:desk@example.org",
        urls=[
            ["closed", f"http://closed.localhost:{port}/a"],
            ["unknown", "http://no-such-name.invalid/a"],
            ["secret", origin.url("/a", "127.0.0.1")],
            ["named", origin.url("/a", "secret.localhost")],
            ["closed", "file:///etc/hostname"],
            ["closed", "http://elsewhere.localhost/"],
            ["closed", "http://[bad/"],
        ],
    )
    assert (crawled.code, crawled.errors) == (0, "")
    ends = {(e["site"], e["outcome"]) for e in crawled.entries if e["kind"] == "outcome"}
    assert ends == {
        ("closed", "connection_failed"),
        ("unknown", "dns_failed"),
        ("secret", "refused_address"),
        ("named", "refused_address"),
        ("closed", "refused_scheme"),
        ("closed", "off_site"),
        ("closed", "bad_url"),
    }
    assert origin.asked == []
    crawled.assert_sums()


def test_a_redirect_to_a_refused_address_is_refused_where_it_connects(origin: Origin, crawl: Crawl) -> None:
    """A page, a feed or a robots.txt that redirects to an address which the site does not open gets nothing there."""
    with Origin(addresses=("127.0.0.2",)) as inner:
        target = f"http://127.0.0.2:{inner.port}/secret"
        origin.routes |= {
            "open.localhost/robots.txt": Reply(status=404),
            "open.localhost/a": moved(target),
            "open.localhost/feed": moved(target),
            "walled.localhost/robots.txt": moved(target),
        }
        allow = {"network": {"allow": ["127.0.0.1/32"]}}
        crawled = crawl(
            {
                "open": {
                    "url": origin.url(host="open.localhost"),
                    "hosts": ["open.localhost", "127.0.0.2"],
                    "sources": {"feeds": [origin.url("/feed", "open.localhost")]},
                    **allow,
                },
                "walled": {"url": origin.url(host="walled.localhost"), **allow},
            },
            urls=[["open", origin.url("/a", "open.localhost")], ["walled", origin.url("/a", "walled.localhost")]],
        )
        assert inner.asked == []
    assert {e["site"]: e["outcome"] for e in crawled.entries if e["kind"] == "outcome"} == {
        "open": "refused_address",
        "walled": "robots_unreachable",
    }
    assert crawled.sources["/feed"]["outcome"] == "refused_address"
