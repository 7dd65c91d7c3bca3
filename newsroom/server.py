"""Serves an edition over HTTP/1.1 on loopback: sites by Host header, gzip, validators, an access log of JSON lines."""

import gzip
import hashlib
import json
import socket
import threading
import time
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TextIO

from newsroom.edition import Edition, Resource

_UNKNOWN_HOST = Resource(body=b"<!doctype html><title>Nobody here</title><p>No site of that name.", status=421)


class Server(ThreadingHTTPServer):
    """One edition on `127.0.0.1:port`; port 0 takes a free one, and then the edition is made for it afterwards."""

    daemon_threads = True
    request_queue_size = 128
    edition: Edition

    def __init__(self, port: int, log: TextIO | None = None) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self._log = log
        self._log_lock = threading.Lock()

    @cached_property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])

    def note(self, entry: dict[str, object]) -> None:
        """Write a line of the access log, whole and at once."""
        if self._log is not None:
            with self._log_lock:
                self._log.write(json.dumps(entry, ensure_ascii=False) + "\n")
                self._log.flush()

    def find(self, host: str, path: str) -> Resource:
        """What `host` (a Host header) answers for `path` with its query."""
        name = host.partition(":")[0].lower().removesuffix(".")
        name = "localhost" if name in {"127.0.0.1", ""} else name
        if name not in self.edition.pages:
            return _UNKNOWN_HOST
        missing = self.edition.missing.get(name, Resource(body=b"Nothing here.", status=404))
        return self.edition.pages[name].get(path, missing)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "Newsroom"
    sys_version = ""
    timeout = 60  # seconds a connection may be silent
    wbufsize = -1  # headers and body leave together
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        started = time.monotonic()
        at = datetime.now(UTC)
        host = self.headers.get("Host", "")
        resource = self.server.find(host, self.path)
        status, body = self._answer(resource)
        self.server.note(
            {
                "at_monotonic": round(started, 6),
                "at": at.isoformat(),
                "host": host,
                "method": self.command,
                "path": self.path,
                "status": status,
                "user_agent": self.headers.get("User-Agent", ""),
                "ms": round((time.monotonic() - started) * 1000, 3),
            }
        )
        self.end_headers()  # only now: who has the answer finds it in the log
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    do_HEAD = do_GET  # noqa: N815 - the base class's name

    def _answer(self, resource: Resource) -> tuple[int, bytes]:
        """Write the status and the headers, but for the line that ends them; gives the status and the body."""
        tag = f'"{hashlib.blake2b(resource.body, digest_size=10).hexdigest()}"'
        fresh = resource.status == 200 and self._has(tag, resource.last_modified)
        status = 304 if fresh else resource.status
        body = b"" if fresh else resource.body
        self.send_response(status)
        self.send_header("ETag", tag)
        self.send_header("Vary", "Accept-Encoding")
        if resource.last_modified:
            self.send_header("Last-Modified", format_datetime(resource.last_modified, usegmt=True))
        for name, value in resource.headers:
            self.send_header(name, value)
        if not fresh:
            if "gzip" in self.headers.get("Accept-Encoding", "") and not resource.content_type.endswith("gzip"):
                body = gzip.compress(body, 6, mtime=0)
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Type", resource.content_type)
            self.send_header("Content-Length", str(len(body)))
        return status, body

    def _has(self, tag: str, last_modified: datetime | None) -> bool:
        """Whether the client's copy is this one (RFC 9110 13.2.2: If-None-Match goes before If-Modified-Since)."""
        if tags := self.headers.get("If-None-Match"):
            return tags.strip() == "*" or tag in [part.strip().removeprefix("W/") for part in tags.split(",")]
        if (since := self.headers.get("If-Modified-Since")) and last_modified:
            try:
                return last_modified.replace(microsecond=0) <= parsedate_to_datetime(since)
            except (ValueError, TypeError):
                return False
        return False

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """The access log says it all; nothing goes to standard error."""


def listening(port: int, log: TextIO | None = None) -> Server:
    """A server bound to `port`, without an edition yet. Raises OSError if the port is taken."""
    server = Server(port, log)
    server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return server
