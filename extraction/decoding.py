"""Content-Encoding undone, with a cap that holds while decompressing (RFC 9110 8.4; gzip, deflate, br, zstd)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from isal import isal_zlib
from isal.igzip_lib import IsalError

from extraction.records import Outcome

#: Codings stacked on one body. One is usual; more is a mistake of a proxy or an attack.
MAX_LAYERS = 3
#: RFC 9659: the largest window that a sender may use over HTTP.
_ZSTD_WINDOW = 8 << 20
#: Compressed bytes given to zstd at once: its worst case is 128 KiB out of 4 bytes, so one step stays under 16 MiB.
_ZSTD_STEP = 512


class BodyError(ValueError):
    """Raised for a body that cannot be read; `outcome` is the word under which the page ends."""

    outcome: ClassVar[Outcome] = Outcome.UNDECODABLE


class UndecodableError(BodyError):
    """Raised for an unknown Content-Encoding, a damaged body, or one that lies and is not readable as it stands."""


class TruncatedError(BodyError):
    """Raised for a body shorter than its Content-Length, or whose compressed form ends in the middle."""

    outcome = Outcome.TRUNCATED


class TooLargeError(BodyError):
    """Raised as soon as more than the allowed bytes come out."""

    outcome = Outcome.TOO_LARGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A body with its codings undone.

    `codings` are those that were undone, outermost first; `flags` says where the header lied: `undeclared_gzip`,
    `false_content_encoding` (the body is readable as it stands, and is used so).
    """

    body: bytes
    codings: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


def decode_body(body: bytes, headers: Sequence[tuple[str, str]], *, max_bytes: int) -> Decoded:
    """Undo the Content-Encoding of a response's body.

    Args:
        body: as received, transfer coding already undone.
        headers: of the response, names in any case.
        max_bytes: most bytes that any layer may have.

    Raises:
        TruncatedError: shorter than Content-Length, or cut inside a compressed stream.
        TooLargeError: more than `max_bytes` at any layer.
        UndecodableError: unknown or damaged coding, more than MAX_LAYERS of them.
    """
    if len(body) > max_bytes:
        raise TooLargeError(f"body of {len(body)} bytes, more than {max_bytes}")
    _check_length(body, headers)
    codings = [c for c in _tokens(headers, "content-encoding") if c not in {"identity", "none", "utf-8"}]
    if len(codings) > MAX_LAYERS:
        raise UndecodableError(f"{len(codings)} content codings, more than {MAX_LAYERS}")
    undone: list[str] = []
    flags: list[str] = []
    for coding in reversed(codings):
        try:
            body = _undo(coding, body, max_bytes)
        except UndecodableError:
            if not _readable(body):
                raise
            flags.append("false_content_encoding")
            break
        undone.append(coding)
    while body.startswith(b"\x1f\x8b\x08"):  # a .gz file, or compressed twice and declared once
        if len(undone) == MAX_LAYERS:
            raise UndecodableError(f"gzip inside {MAX_LAYERS} layers")
        body = _gunzip(body, max_bytes)
        undone.append("gzip")
        flags.append("undeclared_gzip")
    return Decoded(body=body, codings=tuple(undone), flags=tuple(dict.fromkeys(flags)))


def _tokens(headers: Sequence[tuple[str, str]], name: str) -> list[str]:
    """Return the comma-separated values of every header field of that name, lower case, in order."""
    values = (value for key, value in headers if key.lower() == name)
    return [token for value in values for part in value.split(",") if (token := part.strip().lower())]


def _check_length(body: bytes, headers: Sequence[tuple[str, str]]) -> None:
    """Compare with Content-Length, which a Transfer-Encoding overrides (RFC 9112 6.3)."""
    if _tokens(headers, "transfer-encoding"):
        return
    for length in _tokens(headers, "content-length"):
        if length.isascii() and length.isdigit() and len(body) < int(length[:18]):
            raise TruncatedError(f"{len(body)} of {length[:18]} bytes arrived")


def _undo(coding: str, body: bytes, max_bytes: int) -> bytes:
    undo = _CODECS.get(coding)
    if undo is None:
        raise UndecodableError(f"unknown content coding {coding[:40]!r}")
    return undo(body, max_bytes) if body else body


def _inflate(body: bytes, max_bytes: int, window_bits: int) -> tuple[bytes, bytes]:
    """Return what one zlib stream holds, and what follows it."""
    stream = isal_zlib.decompressobj(window_bits)
    try:
        out = stream.decompress(body, max_bytes + 1)
    except IsalError as exc:  # type: ignore[misc]  # its stub says it is an instance of Exception
        raise UndecodableError(f"damaged or falsely declared: {exc}") from exc
    if len(out) > max_bytes:
        raise TooLargeError(f"more than {max_bytes} bytes when decompressed")
    if not stream.eof:
        raise TruncatedError("compressed body ends in the middle")
    return out, stream.unused_data


def _gunzip(body: bytes, max_bytes: int) -> bytes:
    """Join the members of a gzip body (RFC 1952); what is no member after the first is padding."""
    out, rest = _inflate(body, max_bytes, 16 + isal_zlib.MAX_WBITS)
    members = [out]
    room = max_bytes - len(out)
    while rest.startswith(b"\x1f\x8b"):
        out, rest = _inflate(rest, room, 16 + isal_zlib.MAX_WBITS)
        members.append(out)
        room -= len(out)
    return b"".join(members)


def _undeflate(body: bytes, max_bytes: int) -> bytes:
    """Undo `deflate`, which is zlib by RFC 9110 and a bare stream with some servers."""
    try:
        return _inflate(body, max_bytes, isal_zlib.MAX_WBITS)[0]
    except UndecodableError:
        return _inflate(body, max_bytes, -isal_zlib.MAX_WBITS)[0]


def _unbrotli(body: bytes, max_bytes: int) -> bytes:
    import brotli  # noqa: PLC0415 - only where a body needs it

    stream = brotli.Decompressor()
    try:
        out = bytearray(stream.process(body, output_buffer_limit=max_bytes + 1))
        while len(out) <= max_bytes and not stream.is_finished() and not stream.can_accept_more_data():
            out += stream.process(b"", output_buffer_limit=max_bytes + 1 - len(out))
    except brotli.error as exc:
        raise UndecodableError(f"damaged or falsely declared brotli: {exc}") from exc
    if len(out) > max_bytes:
        raise TooLargeError(f"more than {max_bytes} bytes when decompressed")
    if not stream.is_finished():
        raise TruncatedError("compressed body ends in the middle")
    return bytes(out)


def _unzstd(body: bytes, max_bytes: int) -> bytes:
    """Undo zstd, all frames (RFC 8878); the window is bounded as RFC 9659 says."""
    import zstandard  # noqa: PLC0415 - only where a body needs it

    out = bytearray()
    rest = body
    try:
        while rest:
            stream = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
            at = 0
            while at < len(rest) and not stream.eof:
                out += stream.decompress(rest[at : at + _ZSTD_STEP])
                at += _ZSTD_STEP
                if len(out) > max_bytes:
                    raise TooLargeError(f"more than {max_bytes} bytes when decompressed")
            if not stream.eof:
                raise TruncatedError("compressed body ends in the middle")
            rest = stream.unused_data + rest[at:]
    except zstandard.ZstdError as exc:
        raise UndecodableError(f"damaged or falsely declared zstd: {exc}") from exc
    return bytes(out)


_CODECS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _undeflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}

_TEXT_BYTES = bytes({7, 8, 9, 10, 12, 13, 27} | set(range(0x20, 0x100)) - {0x7F})


def _readable(body: bytes) -> bool:
    """Tell whether a body that was said to be compressed is markup or text as it stands."""
    head = body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    return head[:1] in {b"<", b"{", b"["} and not head.translate(None, _TEXT_BYTES)
