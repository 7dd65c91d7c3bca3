"""Which charset a page is written in: its bytes decide, what header and meta say is evidence.

Declarations lie often: servers add `charset=iso-8859-1` to UTF-8 pages, templates keep a meta of another age. Bytes
beyond ASCII that are valid UTF-8 are UTF-8 in practice always, so they are read as such whatever is declared. Labels
mean what the Encoding Standard makes of them (latin-1 is windows-1252, gb2312 is gb18030, …). UTF-7 is never decoded:
it exists to smuggle markup.
"""

import codecs
import re
from dataclasses import dataclass
from typing import Final

#: How far a meta element is looked for, bytes: the standard says 1,024, real pages put it later.
_HEAD: Final = 8192
_META = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([\w:.+-]{2,40})", re.IGNORECASE)
_XML = re.compile(rb"<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([\w:.+-]{2,40})", re.IGNORECASE)
_LANGUAGE = re.compile(rb"<html[^>]{0,500}?\slang\s*=\s*[\"']?([A-Za-z]{2})", re.IGNORECASE)
_HEADER = re.compile(r"charset\s*=\s*[\"']?([\w:.+-]{2,40})", re.IGNORECASE)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

#: Labels whose Python codec knows less than the Encoding Standard's.
_WIDER: Final = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
_LATIN: Final = frozenset(
    "cp1250 cp1252 cp1254 cp1257 cp1258 mac-roman iso8859-2 iso8859-3 iso8859-4 iso8859-10 iso8859-13 iso8859-14"
    " iso8859-15 iso8859-16".split()
)
#: Python's codecs that decode to text and are no charset of pages.
_NO_CHARSETS: Final = frozenset(
    "utf-7 idna punycode unicode_escape raw_unicode_escape undefined rot13 base64 bz2 hex quopri uu zlib".split()
)
#: Languages that windows-1252 does not hold; the detector's word is taken for them.
_NOT_WESTERN: Final = frozenset("cs hr hu pl ro sk sl sq bs et lt lv tr mt vi az".split())
#: Bytes shown to the detector; it costs 1 to 40 ms on so many.
_SAMPLE: Final = 8000
#: Share of bytes beyond ASCII that a declared charset may fail on: one torn character must not lose the page.
_TOLERANCE: Final = 0.02

_BETWEEN_TAGS = re.compile(rb"[<>]")
_RUNS = re.compile(r"[^\x00-\x7f]+")
_TYPOGRAPHY: Final = frozenset("\u00a0«»°§·–—‘’‚“”„•…‹›€£©®™×")


@dataclass(frozen=True, slots=True, kw_only=True)
class Charset:
    """The charset used, whether to doubt it, and what was declared as (source, label) pairs."""

    name: str
    doubtful: bool = False
    declared: tuple[tuple[str, str], ...] = ()


def to_utf8(html: bytes, content_type: str | None = None) -> tuple[bytes, Charset]:
    """Return the page's bytes in UTF-8 without a byte order mark, and the charset they were in. Never raises.

    `content_type` is the header's value. Doubtful is what a detector guessed, what needed replacement, and what holds
    U+FFFD in the source already.
    """
    declared = _declared(html, content_type)
    for bom, name in _BOMS:
        if html.startswith(bom):
            return _mended(html[len(bom) :], declared) if name == "utf-8" else _recoded(html, name, declared)
    if wide := _wide(html):
        return _recoded(html, wide, declared)
    if not _is_utf8(html):
        return _legacy(html, declared)
    if b"\x1b$" in html and "iso2022_jp" in _codecs(declared):
        return _recoded(html, "iso2022_jp", declared)
    doubtful = b"\xef\xbf\xbd" in html or any("utf-7" in label.replace("_", "-") for _, label in declared)
    return html, Charset(name="utf-8", doubtful=doubtful, declared=declared)


def _is_utf8(html: bytes) -> bool:
    try:
        html.decode()
    except UnicodeDecodeError:
        return False
    return True


def _mended(html: bytes, declared: tuple[tuple[str, str], ...]) -> tuple[bytes, Charset]:
    """Keep UTF-8, reading stray bytes as windows-1252, which is what they are when a page mixes two sources."""
    text = html.decode("utf-8", "windows-1252-byte")
    utf8 = text.encode()
    return utf8, Charset(name="utf-8", doubtful=utf8 != html or "\ufffd" in text, declared=declared)


def _recoded(
    html: bytes, codec: str, declared: tuple[tuple[str, str], ...], *, doubtful: bool = False
) -> tuple[bytes, Charset]:
    text = html.decode(codec, "replace")
    charset = Charset(name=codec, doubtful=doubtful or "\ufffd" in text, declared=declared)
    return text.removeprefix("\ufeff").encode("utf-8", "replace"), charset


def _declared(html: bytes, content_type: str | None) -> tuple[tuple[str, str], ...]:
    """Return what meta, XML declaration and header claim, in the order in which they deserve belief."""
    head = html[:_HEAD]
    found = [
        (source, match[1].decode("ascii", "replace").lower())
        for source, match in (("meta", _META.search(head)), ("xml", _XML.search(head)))
        if match
    ]
    if content_type and (match := _HEADER.search(content_type)):
        label = match[1].lower()
        # A server's default is latin-1 or UTF-8; anything else was set by someone who knew.
        found.insert(len(found) if _codec(label) in {"cp1252", "utf-8"} else 0, ("header", label))
    return tuple(found)


def _codec(label: str) -> str | None:
    """Return Python's codec for a label, or None for an unknown one and for what is no charset of text."""
    try:
        info = codecs.lookup(label)
    except (LookupError, ValueError):
        return None
    if info.name in _NO_CHARSETS:
        return None
    return _WIDER.get(info.name, info.name)


def _codecs(declared: tuple[tuple[str, str], ...]) -> list[str]:
    return [codec for _, label in declared if (codec := _codec(label))]


def _wide(html: bytes) -> str | None:
    """Recognise UTF-16 without a byte order mark by where its zero bytes stand."""
    head = html[:512]
    low, high = head[1::2].count(0), head[::2].count(0)
    if low + high < max(2, len(head) // 8) or min(low, high) > (low + high) // 8:
        return None
    return "utf-16-le" if low > high else "utf-16-be"


def _legacy(html: bytes, declared: tuple[tuple[str, str], ...]) -> tuple[bytes, Charset]:
    """Read bytes that are not valid UTF-8."""
    text = html.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    good = sum(map(len, _RUNS.findall(text))) - bad
    if good > 3 * bad:
        return _mended(html, declared)
    for codec in dict.fromkeys(_codecs(declared)):
        if codec not in {"utf-8", "utf-16", "utf-32", "utf-16-le", "utf-16-be"} and _plausible(
            html.decode(codec, "replace"), codec
        ):
            return _recoded(html, codec, declared)
    return _recoded(html, _detected(html), declared, doubtful=True)


def _plausible(text: str, codec: str) -> bool:
    """Tell whether a decoding looks like writing: few failures, and letters as languages use them."""
    runs = _RUNS.findall(text)
    beyond = "".join(runs)
    size = len(beyond)
    if beyond.count("\ufffd") > _TOLERANCE * size or sum("\x80" <= c <= "\x9f" for c in beyond) > _TOLERANCE * size:
        return False
    if codec in _LATIN:
        # Latin scripts set one accented letter among plain ones: long runs are another script's bytes.
        return size <= 2.5 * len(runs)
    letters = sum(c.isalpha() for c in beyond)
    capitals = sum(c.isupper() for c in beyond)  # koi8 read as windows-1251 swaps the cases
    return letters + sum(c in _TYPOGRAPHY or c > "\u2fff" for c in beyond) >= 0.6 * size and capitals <= 0.6 * size


def _detected(html: bytes) -> str:
    """Ask charset-normalizer, shown the stretches with bytes beyond ASCII, as the rest tells nothing."""
    from charset_normalizer import from_bytes  # noqa: PLC0415 - 40 ms, and few pages need it

    best = from_bytes(_telling(html)).best()
    codec = _codec(best.encoding) if best else None
    language = _LANGUAGE.search(html[:_HEAD])
    western = language is None or language[1].decode().lower() not in _NOT_WESTERN
    if codec is None or codec == "utf-8" or (codec in _LATIN and western):
        return "cp1252"
    return codec


def _telling(html: bytes) -> bytes:
    """Return up to _SAMPLE bytes of the texts between tags that are not plain ASCII."""
    out = bytearray()
    for piece in _BETWEEN_TAGS.split(html):
        if not piece.isascii():
            out += piece[: _SAMPLE // 4] + b"\n"
            if len(out) > _SAMPLE:
                break
    return bytes(out)


def _windows_1252_byte(error: UnicodeError) -> tuple[str, int]:
    """Decode the bytes that UTF-8 cannot hold as windows-1252; what even that does not know is U+FFFD."""
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("windows-1252-byte", _windows_1252_byte)
