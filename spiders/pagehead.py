"""What the head of an HTML page says of its use: robots meta, TDMRep's meta, an RSL licence linked or written in.

Only the first 64 KiB are looked at and nothing is parsed: what must be known before a page is kept costs a tenth of a
millisecond, where decoding and parsing it whole is extraction's work. Never raises.
"""

import html
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from extraction.urls import BadUrlError, canonicalize
from spiders.rights import RSL_TYPE

LOOKED_AT = 64 << 10
_STEP = 8 << 10
_LONGEST, _MOST_TAGS = 1000, 50
# Words without which a page or a tag says nothing here: looked for first, for most pages have none of them.
_HINTS = (b"robots", b"tdm-", b"rsl+xml", b"nightdesk")
_TAG = re.compile(rb"<(meta|link)\s([^<>]{1,4000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([a-z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_INLINE = re.compile(
    rb"""<script\s[^<>]{0,200}application/rsl\+xml[^<>]{0,200}>(.*?)</script""", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What was found: `robots` are lower-case directives, `licence` a canonical URL, `rsl` a document in the page."""

    robots: tuple[str, ...] = ()
    tdm: Mapping[str, str] = field(default_factory=dict)  # tdm_reservation, tdm_policy
    licence: str | None = None
    rsl: bytes | None = None


NOTHING = Head()


def read(body: bytes, fields: Sequence[tuple[str, str]], url: str, product: str = "nightdesk") -> Head:
    """Look at the head of a page whose body is as received, with these header fields, from that URL."""
    start = beginning(body, fields)
    lowered = start.lower()
    if b"<body" in lowered:
        start, lowered = start[: lowered.find(b"<body")], lowered[: lowered.find(b"<body")]
    if not any(hint in lowered for hint in _HINTS):
        return NOTHING
    inline = _INLINE.search(start) if b"rsl+xml" in lowered else None
    robots: list[str] = []
    tdm: dict[str, str] = {}
    licence = None
    for tag, attributes in _tags(start, lowered):
        name, content = attributes.get("name", "").lower(), attributes.get("content", "")
        if tag == "link":
            is_licence = "license" in attributes.get("rel", "").lower().split() and attributes.get("type") == RSL_TYPE
            licence = licence or (_url(attributes.get("href", ""), url) if is_licence else None)
        elif name in {"robots", product}:
            robots += [" ".join(word.split()) for word in content.lower()[:_LONGEST].split(",") if word.strip()]
        elif name in {"tdm-reservation", "tdm-policy"}:
            tdm.setdefault(name.replace("-", "_"), content.strip()[:_LONGEST])
    rsl = inline[1].strip() if inline else None
    return Head(robots=tuple(dict.fromkeys(robots)), tdm=tdm, licence=licence, rsl=rsl)


def beginning(body: bytes, fields: Sequence[tuple[str, str]], most: int = LOOKED_AT) -> bytes:
    """Return the first bytes of a body with its Content-Encoding undone; of one that cannot be undone, nothing."""
    codings = [value.strip().lower() for name, value in fields if name.lower() == "content-encoding"]
    if not codings or codings in (["identity"], ["none"]):
        return _gunzipped(body, most) if body.startswith(b"\x1f\x8b\x08") else body[:most]
    undo = _UNDO.get(codings[0]) if len(codings) == 1 else None
    try:
        return undo(body, most) if undo else b""
    except Exception:  # noqa: BLE001 - three libraries' errors; whoever reads the page whole tells what is wrong
        return body[:most] if body.lstrip()[:1] == b"<" else b""


def _tags(start: bytes, lowered: bytes) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the meta and link elements around the hints, in their order: (name, attributes)."""
    places = {start.rfind(b"<", 0, found.start()) for hint in _HINTS for found in re.finditer(re.escape(hint), lowered)}
    for place in sorted(places - {-1})[:_MOST_TAGS]:
        if match := _TAG.match(start, place):
            text = match[2].decode("utf-8", "replace")
            yield (
                match[1].decode().lower(),
                {m[1].lower(): html.unescape(m[2] or m[3] or m[4] or "") for m in _ATTRIBUTE.finditer(text)},
            )


def _url(text: str, base: str) -> str | None:
    try:
        return canonicalize(text, base)
    except BadUrlError:
        return None


def _gunzipped(body: bytes, most: int) -> bytes:
    """Undo gzip up to where the page's body begins: most heads are short."""
    stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
    start = stream.decompress(body[:most], _STEP)
    while len(start) < most and stream.unconsumed_tail and b"<body" not in start[-_STEP - 5 :]:
        start += stream.decompress(stream.unconsumed_tail, _STEP)
    return start


def _inflated(body: bytes, most: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(body, most)
    except zlib.error:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(body, most)


def _unbrotlied(body: bytes, most: int) -> bytes:
    import brotli  # noqa: PLC0415 - only where a body needs it

    return bytes(brotli.Decompressor().process(body[:most], output_buffer_limit=most)[:most])


def _unzstd(body: bytes, most: int) -> bytes:
    import zstandard  # noqa: PLC0415 - only where a body needs it

    stream = zstandard.ZstdDecompressor(max_window_size=8 << 20).stream_reader(body[:most])
    return bytes(stream.read(most))


_UNDO: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzipped,
    "x-gzip": _gunzipped,
    "deflate": _inflated,
    "br": _unbrotlied,
    "zstd": _unzstd,
}
