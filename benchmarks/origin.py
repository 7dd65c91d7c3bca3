# ruff: noqa: E501 - markup is written in the lines it has
"""An origin that costs next to nothing: news pages of a real one's size and make-up, zipped beforehand, from memory.

`python benchmarks/origin.py --hosts 20 --pages 1500` listens on 127.1.0.1 … 127.1.0.20, one port, prints one JSON line
when it does, and ends when its standard input ends. Each host lists its pages in /sitemap.xml.
"""

import argparse
import asyncio
import gzip
import html
import json
import math
import os
import random
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from newsroom.prose import Draft, draft, stock

CALENDAR = {"weekday": ("Monday", "Thursday"), "month": ("December",)}
PUBLISHED = datetime(2026, 11, 22, 6, tzinfo=UTC)

_TRACKED = [f"{kind}:{number:03}" for kind in ("module", "teaser", "region", "abtests") for number in range(0, 999, 37)]


@dataclass(frozen=True)
class Shape:
    """What a page is made of. The spread is that of 412 real news pages.

    Their medians, with the first and the last tenth in brackets: 206 KB (67 to 673), 869 elements (404 to 1,596), 142
    links (56 to 288), 81 KB of scripts (8 to 447), 61 KB of attributes (23 to 184), 31 elements of inline pictures (0
    to 161), 15 deep (11 to 22); 84% date themselves in JSON-LD, 50% in OpenGraph.
    """

    menu: int  # entries of each of two menus
    cards: int
    state: int  # entries of a single-page application's state
    icons: int
    depth: int  # boxes around the article and around each card's link
    drafts: int  # pieces of prose of about 190 words
    attributes: int  # characters of tracking data on each link and picture
    has_json_ld: bool
    has_open_graph: bool


def shape(dice: random.Random) -> Shape:
    """Draw the make-up of a page."""

    def spread(median: float, sigma: float, most: int) -> int:
        return min(most, round(median * math.exp(dice.gauss(0, sigma))))

    return Shape(
        menu=spread(52, 0.6, 200),
        cards=spread(34, 0.7, 150),
        state=spread(190, 1.5, 4000),
        icons=spread(18, 1.0, 90),
        depth=dice.randint(6, 14),
        drafts=1 + spread(2, 0.6, 12),
        attributes=spread(260, 0.8, 1200),
        has_json_ld=dice.random() < 0.84,
        has_open_graph=dice.random() < 0.5,
    )


def page(number: int, url: str) -> bytes:
    """One news page as a content-management system writes it: most of it is not the article."""
    dice = random.Random(number)
    made = shape(dice)
    source = stock("saltmarsh-courier")
    drafts = [draft(source, number * 12 + part, CALENDAR) for part in range(made.drafts)]
    title = html.escape(f"{drafts[0].headline} ({number})")
    at = (PUBLISHED - timedelta(minutes=number)).isoformat()
    data = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": f"{drafts[0].headline} ({number})",
        "datePublished": at,
        "author": [{"@type": "Person", "name": "Harriet Blythe"}],
        "url": url,
    }
    linked = f'<script type="application/ld+json">{json.dumps(data)}</script>' if made.has_json_ld else ""
    graph = f'<meta property="article:published_time" content="{at}">' if made.has_open_graph else ""
    body = "".join(
        _block(block.kind, html.escape(_mixed(dice, block.text))) for part in drafts for block in part.blocks
    )
    opened, closed = _boxes(dice, made.depth)
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} | Benchmark Gazette</title>'
        f'<link rel="canonical" href="{url}"><meta property="og:type" content="article"><meta property="og:title" content="{title}">'
        f"{graph}{linked}<style>{_style(dice)}</style></head><body>"
        f"{_menu(dice, made)}<main>{opened}<article><h1>{title}</h1><p class='byline'>By Harriet Blythe</p><time datetime='{at}'>today</time>"
        f"<figure><img src='/i/{number}.jpg' alt=''><figcaption>{html.escape(drafts[0].caption)}</figcaption></figure>"
        f"<div class='article-body'>{body}</div></article>{closed}{_cards(dice, drafts, made)}</main>"
        f"{_state(dice, made.state)}{_menu(dice, made)}</body></html>"
    )
    return text.encode()


def _mixed(dice: random.Random, text: str) -> str:
    """Words in another order: out of one stock of sentences, every page would be a copy of some other."""
    words = text.split()
    dice.shuffle(words)
    return " ".join(words)


def _block(kind: str, text: str) -> str:
    element = {"subhead": "h2", "quote": "blockquote", "list_item": "li"}.get(kind, "p")
    return f'<{element} class="c-{kind} c-body__text">{text}</{element}>'


def _boxes(dice: random.Random, depth: int) -> tuple[str, str]:
    opened = "".join(f'<div class="box box--{dice.randrange(40)} l-{dice.randrange(16**6):06x}">' for _ in range(depth))
    return opened, "</div>" * depth


def _style(dice: random.Random) -> str:
    return "".join(
        f".c-{dice.randrange(16**6):06x}{{margin:{dice.randrange(40)}px {dice.randrange(40)}px;color:#{dice.randrange(16**6):06x};display:flex}}"
        for _ in range(220)
    )


def _track(dice: random.Random, length: int) -> str:
    """What a tracker wants to know: few words in many orders, so that it zips as well as on real pages."""
    return f'data-track="{" ".join(dice.choices(_TRACKED, k=length // 12))}"'


def _menu(dice: random.Random, made: Shape) -> str:
    words = stock("saltmarsh-courier").words
    icons = "".join(
        f'<svg class="icon" viewBox="0 0 24 24"><path d="M{dice.randrange(24)} {dice.randrange(24)}l{dice.getrandbits(160)}z"/></svg>'
        for _ in range(made.icons // 2)
    )
    entries = "".join(
        f'<li class="menu__item menu__item--{dice.randrange(9)}"><a class="menu__link" href="/topic/{dice.randrange(10**6)}" {_track(dice, made.attributes)}>'
        f"<span>{dice.choice(words['street'])}</span></a></li>"
        for _ in range(made.menu)
    )
    return f'<nav class="menu">{icons}<ul>{entries}</ul></nav>'


def _cards(dice: random.Random, drafts: list[Draft], made: Shape) -> str:
    people = stock("saltmarsh-courier").words["person"]
    opened, closed = _boxes(dice, made.depth // 3)
    cards = "".join(
        f'<div class="card card--{dice.randrange(5)}" {_track(dice, made.attributes)}>{opened}<a href="/news/{dice.randrange(10**7)}">'
        f'<picture><source srcset="/i/{dice.randrange(16**8):08x}-400.webp 400w, /i/{dice.randrange(16**8):08x}-800.webp 800w"><img loading="lazy" alt="" {_track(dice, made.attributes)}></picture>'
        f"<h3>{html.escape(dice.choice(drafts).headline)}</h3><span>{dice.choice(people)}</span></a>{closed}</div>"
        for _ in range(made.cards)
    )
    return f'<section class="related"><h2>More stories</h2>{cards}</section>'


def _state(dice: random.Random, size: int) -> str:
    """The state that a single-page application carries along as JSON."""
    people = stock("saltmarsh-courier").words["person"]
    entries = {
        f"node:{place}": {
            "id": f"{dice.randrange(16**32):032x}",
            "revision": f"{dice.randrange(16**72):072x}",
            "type": "ContentTeaserArticle",
            "author": dice.choice(people),
            "flags": {"isPaid": False, "isLive": False, "showComments": True, "breakpoints": ["s", "m", "l", "xl"]},
        }
        for place in range(size)
    }
    return f'<script id="__STATE__" type="application/json">{json.dumps(entries)}</script>'


class _Origin(asyncio.Protocol):
    """Answers GET by a table of whole responses; keeps connections alive; knows nothing else of HTTP."""

    def __init__(self, table: dict[bytes, bytes]) -> None:
        self._table = table
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while (end := self._waiting.find(b"\r\n\r\n")) >= 0:
            path = self._waiting[: self._waiting.find(b"\r\n")].split(b" ")[1]
            self._waiting = self._waiting[end + 4 :]
            self._transport.write(self._table.get(path, _NOT_FOUND))


_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n"


def response(body: bytes, content_type: bytes) -> bytes:
    """A whole HTTP response with a zipped body."""
    zipped = gzip.compress(body, 6, mtime=0)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    return head % (content_type, len(zipped)) + zipped


async def _serve(hosts: int, pages: int) -> None:
    loop = asyncio.get_running_loop()
    tables: list[dict[bytes, bytes]] = [{} for _ in range(hosts)]
    servers = []
    port = 0
    for place, table in enumerate(tables, 1):
        server = await loop.create_server(lambda table=table: _Origin(table), f"127.1.0.{place}", port, backlog=512)
        port = server.sockets[0].getsockname()[1]
        servers.append(server)
    sizes = [0, 0]
    urls: list[str] = []
    for number in range(pages):
        place = number % hosts
        path = f"/2026/11/{22 - number % 20:02}/story-{number:06}.html"
        url = f"http://127.1.0.{place + 1}:{port}{path}"
        body = page(number, url)
        tables[place][path.encode()] = answer = response(body, b"text/html; charset=utf-8")
        urls.append(url)
        sizes[0] += len(body)
        sizes[1] += len(answer)
    for place, table in enumerate(tables):
        entries = "".join(f"<url><loc>{url}</loc></url>" for url in urls[place::hosts])
        text = f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>'
        table[b"/sitemap.xml"] = response(text.encode(), b"application/xml")
    ready = {
        "port": port,
        "hosts": [f"127.1.0.{place}" for place in range(1, hosts + 1)],
        "pages": pages,
        "page_bytes": round(sizes[0] / pages),
        "zipped_bytes": round(sizes[1] / pages),
    }
    print(json.dumps(ready), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    os._exit(0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=20)
    parser.add_argument("--pages", type=int, default=1500)
    options = parser.parse_args()
    asyncio.run(_serve(options.hosts, options.pages))
