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
import os
import random
import sys
from datetime import UTC, datetime, timedelta

from newsroom.prose import Draft, draft, stock

CALENDAR = {"weekday": ("Monday", "Thursday"), "month": ("December",)}
PUBLISHED = datetime(2026, 11, 22, 6, tzinfo=UTC)
STORIES_A_PAGE = 4  # makes about 750 words, a news article's usual length


def page(number: int, url: str) -> bytes:
    """One news page of about 118 KB, as a content-management system writes it: most of it is not the article."""
    dice = random.Random(number)
    source = stock("saltmarsh-courier")
    drafts = [draft(source, number * STORIES_A_PAGE + part, CALENDAR) for part in range(STORIES_A_PAGE)]
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
    body = "".join(_block(block.kind, html.escape(block.text)) for part in drafts for block in part.blocks)
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} | Benchmark Gazette</title>'
        f'<link rel="canonical" href="{url}"><meta property="og:type" content="article"><meta property="og:title" content="{title}">'
        f'<script type="application/ld+json">{json.dumps(data)}</script><style>{_style(dice)}</style></head><body>'
        f"{_menu(dice)}<main><article><h1>{title}</h1><p class='byline'>By Harriet Blythe</p><time datetime='{at}'>today</time>"
        f"<figure><img src='/i/{number}.jpg' alt=''><figcaption>{html.escape(drafts[0].caption)}</figcaption></figure>"
        f"<div class='article-body'>{body}</div></article>{_cards(dice, drafts)}</main>{_state(dice)}{_menu(dice)}</body></html>"
    )
    return text.encode()


def _block(kind: str, text: str) -> str:
    element = {"subhead": "h2", "quote": "blockquote", "list_item": "li"}.get(kind, "p")
    return f'<{element} class="c-{kind} c-body__text">{text}</{element}>'


def _style(dice: random.Random) -> str:
    return "".join(
        f".c-{dice.randrange(16**6):06x}{{margin:{dice.randrange(40)}px {dice.randrange(40)}px;color:#{dice.randrange(16**6):06x};display:flex}}"
        for _ in range(220)
    )


def _menu(dice: random.Random) -> str:
    words = stock("saltmarsh-courier").words
    entries = "".join(
        f'<li class="menu__item menu__item--{dice.randrange(9)}"><a class="menu__link" href="/topic/{dice.randrange(10**6)}" data-track="nav|{dice.randrange(10**4)}">'
        f"<span>{dice.choice(words['street'])}</span></a></li>"
        for _ in range(110)
    )
    return f'<nav class="menu"><ul>{entries}</ul></nav>'


def _cards(dice: random.Random, drafts: list[Draft]) -> str:
    people = stock("saltmarsh-courier").words["person"]
    cards = "".join(
        f'<div class="card card--{dice.randrange(5)}" data-id="{dice.randrange(16**8):08x}"><a href="/news/{dice.randrange(10**7)}">'
        f'<picture><source srcset="/i/{dice.randrange(16**8):08x}-400.webp 400w, /i/{dice.randrange(16**8):08x}-800.webp 800w"><img loading="lazy" alt=""></picture>'
        f"<h3>{html.escape(dice.choice(drafts).headline)}</h3><span>{dice.choice(people)}</span></a></div>"
        for _ in range(55)
    )
    return f'<section class="related"><h2>More stories</h2>{cards}</section>'


def _state(dice: random.Random) -> str:
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
        for place in range(185)
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
