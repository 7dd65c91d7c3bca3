"""A loopback origin that answers as it is told, also badly, and logs what it was asked: when, by whom, for what."""

import asyncio
import gzip
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from benchmarks.arrivals import ArrivalSocket, arrived_at


@dataclass(frozen=True)
class Asked:
    """A request as it came in: `at` and `until` are monotonic seconds, from when the kernel had it to its answer's end."""

    host: str
    path: str
    headers: Mapping[str, str]
    at: float
    until: float = 0.0


@dataclass(frozen=True)
class Reply:
    """An honest answer."""

    body: bytes | str = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    type: str = "text/html; charset=utf-8"
    delay_s: float = 0.0
    close: bool = False

    def render(self) -> bytes:
        body = self.body.encode() if isinstance(self.body, str) else self.body
        lines = [f"HTTP/1.1 {self.status} X", f"Content-Length: {len(body)}", f"Content-Type: {self.type}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += ["Connection: close"] if self.close else []
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


Raw = Callable[[Asked, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Route = Reply | Raw | Callable[[Asked], Reply]
MISSING = Reply("not here", status=404)


def moved(to: str, status: int = 302) -> Reply:
    return Reply(status=status, headers={"Location": to})


def zipped(text: str, **options: object) -> Reply:
    return Reply(gzip.compress(text.encode()), headers={"Content-Encoding": "gzip"}, **options)  # type: ignore[arg-type]


class Origin:
    """Serves `routes`, keyed by path or by host + path; a raw route writes to the socket itself and may do anything."""

    def __init__(self, addresses: Sequence[str] = ("127.0.0.1",), port: int = 0, ssl: object = None) -> None:
        self.routes: dict[str, Route] = {}
        self.asked: list[Asked] = []
        self.most_at_once: dict[str, int] = {}
        self._now: dict[str, int] = {}
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._ssl = ssl
        self._servers: list[asyncio.Server] = []
        self._addresses, self.port = addresses, port
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _end(self) -> None:
        """Drop the connections that are open still, so that nothing is left to the garbage collector."""
        for server in self._servers:
            server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def url(self, path: str = "/", host: str = "site.localhost") -> str:
        return f"http://{host}:{self.port}{path}"

    def paths(self, host: str | None = None) -> list[str]:
        return [asked.path for asked in self.asked if host is None or asked.host.split(":")[0] == host]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        self._ready.set()
        self._loop.run_forever()

    async def _listen(self) -> None:
        for address in self._addresses:
            server = await asyncio.start_server(
                self._serve,
                sock=ArrivalSocket.listening(address, self.port),
                limit=1 << 20,
                ssl=self._ssl,  # type: ignore[arg-type]
            )
            self._servers.append(server)
            self.port = self.port or server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        at = arrived_at(writer.transport)
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        asked = Asked(headers.get("host", ""), first.split(" ")[1], headers, at)
        name = asked.host.split(":")[0]
        self._now[name] = self._now.get(name, 0) + 1
        self.most_at_once[name] = max(self.most_at_once.get(name, 0), self._now[name])
        try:
            return await self._route(asked, reader, writer)
        finally:
            self._now[name] -= 1
            self.asked.append(Asked(asked.host, asked.path, headers, at, time.monotonic()))

    async def _route(self, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        route = self.routes.get(asked.host.split(":")[0] + asked.path, self.routes.get(asked.path, MISSING))
        if asyncio.iscoroutinefunction(route):
            await route(asked, reader, writer)
            return False
        reply = route if isinstance(route, Reply) else route(asked)  # type: ignore[operator]
        assert isinstance(reply, Reply)
        if reply.delay_s:
            await asyncio.sleep(reply.delay_s)
        writer.write(reply.render())
        await writer.drain()
        return not reply.close
