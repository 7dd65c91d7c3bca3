"""Drawn faults: a seed is a crawl of twenty sites whose robots.txt, feeds and pages answer in any way at all."""

import gzip
import random
from collections.abc import Iterator
from typing import Any

from tests.faults.cases import NONE, OK, SILENT, endless, endless_chunks, raw, reset
from tests.spiders.origin import Origin, Reply, Route, moved

SITES, URLS = 20, 6  # a seed
PAGE = Reply("<p>A page of few words, which costs little to read.</p>")


def lay_out(origin: Origin, seed: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Let the origin serve a seed's sites; yield the name and the keys of each."""
    chance = random.Random(seed)
    for number in range(SITES):
        name = f"s{seed}-{number}"
        host = f"{name}.localhost"
        paths = [f"/{page}" for page in range(URLS)]
        origin.routes |= {host + path: route(chance, origin, seed) for path in paths}
        origin.routes[f"{host}/robots.txt"] = chance.choice([NONE, NONE, NONE, route(chance, origin, seed)])
        source = chance.choice([_feed, _feed, _sitemap])(*(origin.url(path, host) for path in paths))
        origin.routes[f"{host}/source"] = chance.choice([source] * 4 + [route(chance, origin, seed)])
        kind = "feeds" if source.body.startswith("<rss") else "sitemaps"  # type: ignore[arg-type]
        yield (
            name,
            {
                "url": origin.url(host=host),
                "politeness": {"delay_s": 0.01},
                "sources": {kind: [origin.url("/source", host)]},
            },
        )


def route(chance: random.Random, origin: Origin, seed: int) -> Route:
    """Any status, delay, cut, coding, redirect or body."""
    body = chance.randbytes(chance.randrange(3000))
    text = "<p>Some words of a page.</p>" * chance.choice([1, 2, 3, 100])
    neighbour = f"http://s{seed}-{chance.randrange(SITES)}.localhost:{origin.port}/{chance.randrange(URLS)}"
    choices: list[Route] = [
        Reply(body, status=chance.choice([200, 204, 301, 304, 400, 401, 403, 404, 410, 418, 429, 451, 500, 502, 503, 999])),
        Reply(text, delay_s=chance.random() / 2),
        Reply(body, headers={"Content-Encoding": chance.choice(["gzip", "br", "zstd", "x", "gzip, gzip"])}),
        Reply(gzip.compress(text.encode())[: chance.randrange(1, 200)], headers={"Content-Encoding": "gzip"}),
        Reply(text, headers={"X-Robots-Tag": chance.choice(["noindex", "nofollow", "none", "\x7f"])}),
        Reply(body, type=chance.choice(["", "text/plain", "image/png", "application/pdf", "x" * 200])),
        Reply(body, status=chance.choice([429, 503]), headers={"Retry-After": chance.choice(["0", "1", "100000", "x", "-1"])}),
        moved(chance.choice(["/1", "/", "//", "http://[", "ftp://x/", "/robots.txt", "?", neighbour, neighbour]), chance.choice([301, 302, 303, 307, 308])),
        raw(OK + b"Content-Length: %d\r\n\r\n" % chance.randrange(5000), body),
        raw(OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n" % chance.randrange(3000), body),
        raw(OK + b"Set-Cookie: a=b\r\n" * chance.choice([1, 300]) + b"\r\n", body),
        raw(body, pause_s=0.1),
        raw(OK + b"\r\n", body),
        reset,
        *(chance.choice([endless, endless_chunks]) if chance.random() < 0.01 else PAGE for _ in range(3)),
        SILENT if chance.random() < 0.2 else PAGE,
    ]  # fmt: skip
    return chance.choice(choices)


def _feed(*links: str) -> Reply:
    items = "".join(f"<item><link>{link}</link></item>" for link in links)
    return Reply(f"<rss version='2.0'><channel>{items}</channel></rss>", type="text/xml")


def _sitemap(*links: str) -> Reply:
    return Reply(f"<urlset>{''.join(f'<url><loc>{link}</loc></url>' for link in links)}</urlset>", type="text/xml")
