"""A newsroom in its own process, and a reader of pages that shares no code with the templates."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

ANCHOR = date(2026, 11, 23)
STARTED = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)


@dataclass
class Running:
    """A newsroom that listens."""

    process: subprocess.Popen[str]
    port: int
    ready: dict[str, Any]
    log: Path

    def get(self, url: str, **headers: str) -> tuple[HTTPResponse, bytes]:
        """Ask for `url` without following anything; the name goes into the Host header."""
        host, _, path = url.removeprefix("http://").partition("/")
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            fields = {"Host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
            connection.request("GET", "/" + path, headers=fields)
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()


@contextmanager
def running(log: Path, *arguments: str) -> Iterator[Running]:
    command = [sys.executable, "-m", "newsroom", "--anchor", ANCHOR.isoformat(), "--started", STARTED.isoformat()]
    process = subprocess.Popen(
        [*command, "--log", str(log), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        yield Running(process, ready["port"], ready, log)
    finally:
        process.terminate()
        process.communicate(timeout=10)


@dataclass
class _Open:
    tag: str
    attributes: dict[str, str]
    text: list[str] = field(default_factory=list)


class PageText(HTMLParser):
    """The texts of a page's elements in order of their start, the links, the metas and the scripts."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[tuple[str, str]] = []  # tag, text with the text of its children
        self.links: list[str] = []
        self.metas: dict[str, list[str]] = {}
        self.json_ld: list[Any] = []
        self.properties: dict[str, list[str]] = {}  # microdata: name -> content, datetime or text
        self._open: list[tuple[_Open, int]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.links.append(attributes.get("href", ""))
        if tag == "meta":
            self.metas.setdefault(attributes.get("name") or attributes.get("property", ""), []).append(
                attributes.get("content", "")
            )
        if "itemprop" in attributes and ("content" in attributes or "datetime" in attributes):
            value = attributes.get("content") or attributes["datetime"]
            self.properties.setdefault(attributes["itemprop"], []).append(value)
        if tag not in {"meta", "link", "img", "input", "br"}:
            self.texts.append((tag, ""))
            self._open.append((_Open(tag, attributes), len(self.texts) - 1))

    def handle_data(self, data: str) -> None:
        for element, _ in self._open:
            element.text.append(data)

    def handle_endtag(self, tag: str) -> None:
        element, place = self._open.pop()
        assert element.tag == tag, f"<{element.tag}> closed by </{tag}>"
        text = " ".join("".join(element.text).split())
        self.texts[place] = (tag, text)
        if tag == "script" and element.attributes.get("type") == "application/ld+json":
            self.json_ld.append(json.loads(text))
        elif "itemprop" in element.attributes and "datetime" not in element.attributes:
            self.properties.setdefault(element.attributes["itemprop"], []).append(text)
