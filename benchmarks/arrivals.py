"""When a request arrived, by the kernel's clock: a busy origin reads late what came in time.

A socket that listens for asyncio and notes of each connection when the bytes that were read last had come in.
"""

import socket
import struct
import time
from typing import Self

SO_TIMESTAMPNS = 35  # asm-generic/socket.h; Python does not name it
_TIMESPEC = struct.Struct("qq")


class ArrivalSocket(socket.socket):
    """A TCP socket with `arrived_at`: monotonic seconds, as the kernel saw the last bytes that were read (Linux)."""

    arrived_at = 0.0

    @classmethod
    def listening(cls, address: str, port: int, *, backlog: int = 500) -> Self:
        """Listen; connections are of this class too."""
        listener = cls(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)  # its connections inherit it
        listener.bind((address, port))
        listener.listen(backlog)
        return listener

    def accept(self) -> tuple[Self, object]:
        """Accept a connection."""
        descriptor, address = self._accept()  # type: ignore[attr-defined]  # what socket.socket.accept() calls itself
        return type(self)(self.family, self.type, self.proto, fileno=descriptor), address

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Read, and note when it came."""
        data, notes, _, _ = self.recvmsg(size, socket.CMSG_SPACE(_TIMESPEC.size), flags)
        late = 0.0
        for level, kind, value in notes:
            if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                seconds, nanoseconds = _TIMESPEC.unpack(value)
                late = time.time() - (seconds + nanoseconds / 1e9)
        self.arrived_at = time.monotonic() - late
        return data


def arrived_at(transport: object) -> float:
    """Return when the bytes that a transport of asyncio read last had come in, monotonic seconds."""
    plain = getattr(transport.get_extra_info("socket"), "_sock", None)  # type: ignore[attr-defined]
    return plain.arrived_at if isinstance(plain, ArrivalSocket) else time.monotonic()
