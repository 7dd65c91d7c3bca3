"""Web archives on this machine: a Wayback CDX server with replay, and a pywb index with WARC files as Common Crawl's.

They answer in the formats of the Wayback CDX server's README, pywb's CDXJ server API and Common Crawl's index; bounds
are small, so that a few captures need several answers.
"""

import gzip
import io
import json
import re
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, quote_plus, unquote_plus, urlsplit

from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

NAMES = ["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"]
PAGES_OF = 7  # captures a page of the pywb index


@dataclass(frozen=True)
class Held:
    """A capture that the archive holds."""

    url: str
    at: datetime
    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def stamp(self) -> str:
        return self.at.strftime("%Y%m%d%H%M%S")

    @property
    def surt(self) -> str:
        parts = urlsplit(self.url)
        host, _, port = parts.netloc.partition(":")
        reverse = ",".join(reversed(host.split(".")))
        return f"{reverse}:{port}){parts.path}"

    @property
    def mime(self) -> str:
        return {name.lower(): value for name, value in self.fields}.get("content-type", "-").partition(";")[0]

    @property
    def digest(self) -> str:
        import base64
        import hashlib

        return base64.b32encode(hashlib.sha1(self.body).digest()).decode()


@dataclass
class ArchiveServer:
    """Serves on a free port while entered. `faults` maps a part of a path to (status, headers, how often)."""

    held: list[Held]
    limit: int = 5  # captures an answer of the Wayback index
    robots: str = ""
    faults: dict[str, list[tuple[int, dict[str, str]]]] = field(default_factory=dict)
    text: bool = False  # answers in plain lines although JSON was asked for
    log: list[tuple[float, str]] = field(default_factory=list)
    moved: dict[str, str] = field(default_factory=dict)  # timestamp asked for -> timestamp that is replayed

    def __enter__(self) -> Self:
        self.held = sorted(self.held, key=lambda held: (held.surt, held.at))
        self._write_warc()
        archive = self

        class Handler(_Handler):
            server_archive = archive

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def asked(self) -> list[str]:
        """Paths asked for, robots.txt left out."""
        return [path for _, path in self.log if path != "/robots.txt"]

    @property
    def fetched(self) -> list[str]:
        """Captures asked for."""
        return [path for path in self.asked if path.startswith(("/web/", "/crawl-data/"))]

    def _write_warc(self) -> None:
        buffer = io.BytesIO()
        writer = WARCWriter(buffer, gzip=True)
        self.places: list[tuple[int, int]] = []
        for held in self.held:
            offset = buffer.tell()
            writer.write_record(
                writer.create_warc_record(
                    held.url,
                    "response",
                    payload=io.BytesIO(held.body),
                    http_headers=StatusAndHeaders(f"{held.status} OK", list(held.fields), protocol="HTTP/1.1"),
                    warc_headers_dict={"WARC-Date": held.at.strftime("%Y-%m-%dT%H:%M:%SZ")},
                )
            )
            self.places.append((offset, buffer.tell() - offset))
        self.warc = buffer.getvalue()

    def matching(self, asked: dict[str, list[str]]) -> list[int]:
        """The numbers of the captures that a query asks for."""
        url, kind = asked["url"][0], asked.get("matchType", ["exact"])[0]
        host = urlsplit(url if "//" in url else f"//{url}").hostname or ""
        found = []
        for number, held in enumerate(self.held):
            name = urlsplit(held.url).hostname or ""
            if not (name == host or (kind == "domain" and name.endswith(f".{host}"))):
                continue
            if held.stamp < asked.get("from", ["0"])[0].ljust(14, "0"):
                continue
            if held.stamp > asked.get("to", ["9"])[0].ljust(14, "9"):
                continue
            values = {"statuscode": str(held.status), "mimetype": held.mime}
            if all(re.fullmatch(f.partition(":")[2], values[f.partition(":")[0]]) for f in asked.get("filter", [])):
                found.append(number)
        if asked.get("collapse") == ["digest"]:
            found = [
                number
                for place, number in enumerate(found)
                if place == 0 or self.held[found[place - 1]].digest != self.held[number].digest
            ]
        return found


class _Handler(BaseHTTPRequestHandler):
    server_archive: ArchiveServer

    def do_GET(self) -> None:
        archive = self.server_archive
        archive.log.append((time.monotonic(), self.path))
        for part, faults in archive.faults.items():
            if part in self.path and faults:
                status, fields = faults.pop(0)
                self._answer(status, b"trouble", fields)
                return
        parts = urlsplit(self.path)
        asked = parse_qs(parts.query)
        if parts.path == "/robots.txt":
            self._answer(200 if archive.robots else 404, archive.robots.encode(), {"Content-Type": "text/plain"})
        elif parts.path == "/cdx/search/cdx":
            self._wayback(asked)
        elif parts.path == "/CC-TEST-index":
            self._pywb(asked)
        elif parts.path.startswith("/web/"):
            self._replay()
        elif parts.path.startswith("/crawl-data/"):
            self._range()
        else:
            self._answer(404, b"", {})

    def _wayback(self, asked: dict[str, list[str]]) -> None:
        archive = self.server_archive
        numbers = archive.matching(asked)
        start = int(unquote_plus(asked["resumeKey"][0]).rpartition("!")[2]) if "resumeKey" in asked else 0
        limit = min(int(asked.get("limit", ["150000"])[0]), archive.limit)
        some = numbers[start : start + limit]
        key = quote_plus(f"surt) 2026!{start + limit}") if start + limit < len(numbers) else None
        rows = [
            [h.surt, h.stamp, h.url, h.mime, str(h.status), h.digest, str(len(h.body))]
            for h in (archive.held[number] for number in some)
        ]
        if asked.get("output") == ["json"] and not archive.text:
            table: list[list[str]] = [NAMES, *rows] if rows else []
            table += [[], [key]] if key and "showResumeKey" in asked else []
            body = ("[" + ",\n ".join(json.dumps(row) for row in table) + "]\n").encode()
        else:
            lines = [" ".join(row) for row in rows] + (["", key] if key and "showResumeKey" in asked else [])
            body = ("\n".join(lines) + "\n").encode()
        self._answer(200, gzip.compress(body), {"Content-Type": "application/json", "Content-Encoding": "gzip"})

    def _pywb(self, asked: dict[str, list[str]]) -> None:
        archive = self.server_archive
        numbers = archive.matching(asked)
        pages = max(1, -(-len(numbers) // PAGES_OF))
        if "showNumPages" in asked:
            body = json.dumps({"pages": pages, "pageSize": PAGES_OF, "blocks": pages}) + "\n"
            self._answer(200, body.encode(), {"Content-Type": "text/x-ndjson"})
            return
        page = int(asked.get("page", ["0"])[0])
        some = numbers[page * PAGES_OF : (page + 1) * PAGES_OF]
        if not some:
            self._answer(404, b'{"message": "No Captures found for: x"}\n', {"Content-Type": "text/x-ndjson"})
            return
        lines = []
        for number in some:
            held, (offset, length) = archive.held[number], archive.places[number]
            told = {"url": held.url, "mime": held.mime, "mime-detected": held.mime, "status": str(held.status)}
            told |= {"digest": held.digest, "length": str(length), "offset": str(offset)}
            told |= {"filename": "crawl-data/CC-TEST/segments/1/warc/CC-TEST-00000.warc.gz"}
            lines.append(json.dumps({"urlkey": held.surt, "timestamp": held.stamp, **told}))
        self._answer(200, ("\n".join(lines) + "\n").encode(), {"Content-Type": "text/x-ndjson"})

    def _replay(self) -> None:
        archive = self.server_archive
        match = re.fullmatch(r"/web/(\d{14})id_/(.+)", self.path)
        held = [h for h in archive.held if match and h.url == match[2]]
        if not match or not held:
            self._answer(404, b"not in archive", {})
            return
        stamp = archive.moved.get(match[1], match[1])
        if stamp != match[1]:
            self._answer(302, b"", {"Location": f"/web/{stamp}id_/{match[2]}"})
            return
        exact = next((h for h in held if h.stamp == stamp), None)
        if exact is None:
            self._answer(404, b"not in archive", {})
            return
        fields = {f"X-Archive-Orig-{name}": value for name, value in exact.fields}
        fields |= {"Memento-Datetime": exact.at.strftime("%a, %d %b %Y %H:%M:%S GMT"), "Content-Type": exact.mime}
        coding = {n.lower(): v for n, v in exact.fields}.get("content-encoding")
        self._answer(200, exact.body, fields | ({"Content-Encoding": coding} if coding else {}))

    def _range(self) -> None:
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if match is None:
            self._answer(200, self.server_archive.warc, {})
            return
        part = self.server_archive.warc[int(match[1]) : int(match[2]) + 1]
        self._answer(206, part, {"Content-Type": "application/octet-stream"})

    def _answer(self, status: int, body: bytes, fields: dict[str, str]) -> None:
        self.send_response_only(status)
        for name, value in {**fields, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@dataclass
class Archive:
    """A WARC file that warcio writes."""

    path: Path
    buffer: io.BytesIO = field(default_factory=io.BytesIO)

    def __post_init__(self) -> None:
        self.writer = WARCWriter(self.buffer, gzip=True)

    def response(
        self, url: str, at: datetime, status: int, fields: list[tuple[str, str]], body: bytes
    ) -> ArcWarcRecord:
        made = self.writer.create_warc_record(
            url,
            "response",
            payload=io.BytesIO(body),
            http_headers=StatusAndHeaders(f"{status} OK", fields, protocol="HTTP/1.1"),
            warc_headers_dict={"WARC-Date": at.strftime("%Y-%m-%dT%H:%M:%SZ")},
        )
        self.writer.write_record(made)
        return made

    def save(self) -> Path:
        self.path.write_bytes(self.buffer.getvalue())
        return self.path
