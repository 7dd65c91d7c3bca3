"""A line that no rule knows: a first crawl teaches it, the next takes it out, and a person can have it back."""

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import duckdb
import pytest

from storage import database
from tests.flows.world import run_line

Run = Callable[..., "subprocess.CompletedProcess[str]"]

#: Stands between paragraphs and reads as prose: nothing but its recurrence tells it from the articles' own.
RECURRING = (
    "The Breakwater Gazette counts every boat that comes in at night, and its readers count with it each morning."
)
QUOTE = "We sail when the tide says so, and not a minute before the tide says so."
SUBHEAD = "What the harbour office says"
THINGS = (
    "ferries",
    "lanterns",
    "nets",
    "anchors",
    "gulls",
    "barrels",
    "ropes",
    "maps",
    "bells",
    "oars",
    "sails",
    "flags",
)
PLACES = ("quay", "lock", "mole", "slipway", "beach", "dyke", "jetty", "market", "tower", "canal", "shed", "bridge")


def paragraphs(number: int) -> list[str]:
    thing, place = THINGS[number], PLACES[number]
    return [
        f"EASTMERE — The council has counted {number + 20} {thing} at the {place} and found {number + 3} of them broken.",
        f"A clerk of the {place} said on Tuesday that the {thing} had been bought {number + 2} years ago, and not cheaply.",
        f"Mending the {thing} will take until the end of May and cost the town about {number + 4} hundred crowns.",
        f"Whoever keeps a boat near the {place} has been asked to move it for {number + 5} days, so that men can work.",
        f"The next count of {thing} is planned for autumn, when the {place} will be closed for {number + 6} weeks.",
    ]


def story(number: int) -> str:
    first, second, third, fourth, last = paragraphs(number)
    title = f"Council counts the {THINGS[number]} at the {PLACES[number]}"
    body = (
        f"<p>{first}</p><p>{second}</p><p>{RECURRING}</p><blockquote><p>{QUOTE}</p></blockquote>"
        f"<h2>{SUBHEAD}</h2><p>{third}</p><p>{fourth}</p><p>{last}</p>"
    )
    told = {"@type": "NewsArticle", "headline": title, "datePublished": f"2026-11-{number + 1:02}T08:00:00Z"}
    return (
        f"<html lang=en><head><title>{title}</title><script type=application/ld+json>{json.dumps(told)}</script></head>"
        f"<body><main><article><h1>{title}</h1><div class=article-body>{body}</div></article></main></body></html>"
    )


class Gazette(ThreadingHTTPServer):
    """A site on loopback that has published so many stories."""

    daemon_threads = True

    def __init__(self) -> None:
        self.published = 0
        super().__init__(("127.0.0.1", 0), _Answer)

    @property
    def origin(self) -> str:
        return f"http://gazette.localhost:{self.server_address[1]}"

    def page(self, path: str) -> tuple[str, str] | None:
        if path == "/feed":
            items = "".join(
                f"<item><title>{n}</title><link>{self.origin}/2026/story-{n}-of-the-harbour</link></item>"
                for n in range(self.published)
            )
            return "application/rss+xml", f"<rss version='2.0'><channel><title>G</title>{items}</channel></rss>"
        if path.startswith("/2026/story-"):
            return "text/html; charset=utf-8", story(int(path.split("-")[1]))
        return None


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = self.server.page(self.path)
        kind, text = found or ("text/plain", "not here")
        body = text.encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def gazette() -> Iterator[Gazette]:
    with Gazette() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def site(origin: str) -> str:
    return (
        f'name = "gazette"\ntitle = "Breakwater Gazette"\nurl = "{origin}/"\ncountry = "gb"\nlanguages = ["en"]\n'
        f'time_zone = "Europe/London"\nenabled = true\n[sources]\nfeeds = ["{origin}/feed"]\n'
        '[politeness]\ndelay_s = 0.02\n[network]\nallow = ["127.0.0.0/8"]\n'
    )


def rows(data: Path, sql: str) -> list[tuple]:
    with duckdb.connect(data / "store" / "published.duckdb", read_only=True) as store:
        return store.execute(sql).fetchall()


def bodies(data: Path) -> dict[int, tuple[str, str | None]]:
    found = rows(data, "SELECT url, article_body, learned_version FROM articles")
    return {int(url.split("-")[1]): (body, version) for url, body, version in found}


def test_a_recurring_line_is_gone_from_what_is_fetched_next(gazette: Gazette, tmp_path: Path, nightdesk: Run) -> None:
    """Six stories teach it; the next two lose that line alone; revoked, it stays in the two behind them; read again, in all."""
    data = tmp_path / "data"
    (data / "sites").mkdir(parents=True)
    (data / "sites" / "gazette.toml").write_text(site(gazette.origin), encoding="utf-8")
    (data / "nightdesk.toml").write_text("catalogue = false\n", encoding="utf-8")

    gazette.published = 6
    run_line(data)
    first = bodies(data)
    assert sorted(first) == list(range(6))
    assert all(RECURRING in body and version is None for body, version in first.values()), "no rule knows the line"

    gazette.published = 8
    run_line(data)
    second = bodies(data)
    assert {number: second[number] for number in range(6)} == first, "what was fetched before is as it was"
    [(mark, text, pages, of_pages, version)] = rows(
        data, "SELECT fingerprint, text, pages, of_pages, learned_version FROM learned_lines"
    )
    assert (text, pages, of_pages) == (RECURRING, 6, 6)
    for number in (6, 7):
        body, used = second[number]
        assert used == version
        assert RECURRING not in body
        assert [line for line in (*paragraphs(number), QUOTE, SUBHEAD) if line not in body] == []
    taken = rows(data, "SELECT url_key, rule, text FROM removed_blocks WHERE kind = 'site_repeated'")
    assert [(rule, text) for _, rule, text in taken] == [("site.repeated", RECURRING)] * 2
    shown = nightdesk("explain", f"{gazette.origin}/2026/story-7-of-the-harbour", data=data).stdout
    assert "site.repeated" in shown

    assert mark in nightdesk("learned", "list", data=data).stdout
    nightdesk("learned", "revoke", "gazette", mark, data=data)
    gazette.published = 10
    run_line(data)
    third = bodies(data)
    assert all(RECURRING in third[number][0] and third[number][1] is None for number in (8, 9))
    assert RECURRING not in third[6][0]
    assert "revoked" in nightdesk("learned", "list", data=data).stdout
    nightdesk("learned", "restore", "gazette", mark, data=data)
    assert "revoked" not in nightdesk("learned", "list", data=data).stdout
    assert "nightdesk learned list" in nightdesk("learned", "revoke", "gazette", "0" * 16, data=data, expect=2).stderr

    # What is in the store already follows when its captures are read again; so does a word said in SQL.
    read_again(data, nightdesk)
    assert [number for number, (body, used) in bodies(data).items() if RECURRING in body or used != version] == []
    with database.writer(data) as store:
        store.execute("UPDATE learned_lines SET revoked = true")
    database.publish(data)
    read_again(data, nightdesk)
    assert [number for number, (body, used) in bodies(data).items() if RECURRING not in body or used] == []
    assert rows(data, "SELECT count(*), max(version) FROM article_versions") == [(10, 1)]


def read_again(data: Path, nightdesk: Run) -> None:
    """Read all captures again and promote that, over the gate: the line is more than a hundredth of these texts."""
    held = nightdesk("reextract", data=data, expect=1).stdout
    assert "of its text would be" in held
    name = held.split("--promote ")[1].split()[0]
    nightdesk("reextract", "--promote", name, "--despite-gate", data=data)
