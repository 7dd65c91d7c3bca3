"""The markup of feeds and sitemaps, which nobody trusts: bytes → records of text, repaired where broken, bounded.

No tree is built, so that a file of 50 MB costs its own size. Everything before the root element is cut off, the DOCTYPE
with it: without declarations there is no entity to expand and no file or host to ask (XXE, billion laughs).
"""

import codecs
import functools
import html
import re
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin

from lxml import etree

from spiders.sourcetext import CHUNK, MAX_BYTES, pieces, to_utf8

MAX_ELEMENTS = 1_000_000  # 50,000 URLs with 20 elements each
MAX_FIELDS = 400  # of one record; sitemaps may name 1,000 pictures a page, none of which we read
MAX_FIELD_CHARS = 20_000
MAX_GZIP_LAYERS = 3

GZIP = b"\x1f\x8b"
_XML_NAMESPACE = "{http://www.w3.org/XML/1998/namespace}"
_NEWS = "sitemap-news"  # stands in its namespace, however that is misspelt
_PREFIXES = {
    "http://purl.org/dc/elements/1.1/": "dc:",
    "http://purl.org/dc/terms/": "dc:",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner:",
}
_CORE = re.compile(
    r"http://(?:www\.w3\.org/2005/Atom|purl\.org/atom/|purl\.org/rss/1\.0|my\.netscape\.com/rdf/|channel\.netscape\.com/rdf/"
    r"|backend\.userland\.com/rss|www\.rssboard\.org/|www\.google\.com/schemas/sitemap/)"
    r"|https?://www\.sitemaps\.org/schemas/sitemap/",
    re.IGNORECASE,
)
_ROOT = re.compile(rb"<(?:[\w.-]+:)?(rss|RDF|feed|urlset|sitemapindex)(?=[\s>/])", re.IGNORECASE)
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE)
_RECORD_TAGS = {
    "rss": {"item"},
    "rdf": {"item"},
    "feed": {"entry"},
    "urlset": {"url", "sitemap"},
    "sitemapindex": {"url", "sitemap"},
}
# Fields that hold text alone: where one begins inside another, the other's end tag is missing.
_LEAVES = frozenset(
    "title link guid pubdate description summary id published updated issued modified loc lastmod priority".split()
)


@dataclass(slots=True)
class Field:
    """One element of a record: its name (with `news:`, `dc:` or `feedburner:` outside the core), attributes, text."""

    name: str
    attributes: dict[str, str]
    parts: list[str] = field(default_factory=list)
    size: int = 0

    @property
    def text(self) -> str:
        """The text inside, without the white space around it."""
        return "".join(self.parts).strip()


@dataclass(frozen=True, slots=True)
class Record:
    """An item, entry, url or sitemap element: its tag, the xml:base that holds in it, its fields in order."""

    tag: str
    base: str | None
    about: str | None  # rdf:about of RSS 1.0 and 0.9
    fields: list[Field]

    def first(self, *names: str) -> str | None:
        """The text of the first field of the first of `names` that has any."""
        for name in names:
            for entry in self.fields:
                if entry.name == name and (text := entry.text):
                    return text
        return None


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A body without its gzip layers. `problem` says what was wrong with them, `bounded` which limit cut it."""

    body: bytes
    problem: str | None = None
    bounded: str | None = None


Take = Callable[[Record], bool]


class _EnoughError(Exception):
    """Raised inside the parser to end it at a limit."""


def unpack(body: bytes, *, max_bytes: int = MAX_BYTES) -> Unpacked:
    """Undo gzip, told by its first bytes and never by a name: `.gz` that is none, and gzip inside gzip, are common."""
    problem = None
    for _ in range(MAX_GZIP_LAYERS):
        if not body.startswith(GZIP):
            break
        body, problem, full = _gunzip(body, max_bytes)
        if full:
            return Unpacked(body, problem, f"{max_bytes} bytes")
    else:
        if body.startswith(GZIP):
            return Unpacked(b"", f"more than {MAX_GZIP_LAYERS} layers of gzip")
    if len(body) > max_bytes:
        return Unpacked(body[:max_bytes], problem, f"{max_bytes} bytes")
    return Unpacked(body, problem)


def _gunzip(body: bytes, max_bytes: int) -> tuple[bytes, str | None, bool]:
    """Decompress all gzip members up to `max_bytes`: the bytes, what was wrong, whether the limit cut them."""
    out = bytearray()
    rest = body
    while rest.startswith(GZIP):
        member = zlib.decompressobj(wbits=31)
        try:
            out += member.decompress(rest, max_bytes + 1 - len(out))
        except zlib.error as error:
            return bytes(out), f"damaged gzip ({error})", False
        if len(out) > max_bytes:
            return bytes(out[:max_bytes]), None, True
        if not member.eof:
            return bytes(out), "gzip cut off in the middle", False
        rest = member.unused_data
    return bytes(out), None, False


def kind(body: bytes) -> str:
    """What the bytes are, by their beginning: rss, rdf, feed, urlset, sitemapindex, json, html, text or empty."""
    head = body[: 4 * CHUNK]
    if not head.strip(b"\x00\xef\xbb\xbf\xfe\xff \t\r\n"):
        return "empty"
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or b"\x00" in head[:4]:
        head = to_utf8(head)[0]
    page, root = _HTML.search(head), _ROOT.search(head)
    if root and not (page and page.start() < root.start()):
        return root[1].decode().lower()
    if page:
        return "html"
    return "json" if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")) else "text"


def read_records(
    body: bytes, begin: Callable[[], Take], content_type: str | None = None
) -> tuple[list[str], str | None]:
    """Read an XML body strictly; if it is broken, repair it and read it anew, recovering what can be.

    `begin` is called before each reading and returns what takes its records, until that returns False. The result is
    the problems found, and the limit that ended the reading (None: it was read to its end).
    """
    body, problem = to_utf8(body, content_type)
    problems = [problem] if problem else []
    root = _ROOT.search(body)
    if root is None:
        return [*problems, "neither a feed nor a sitemap"], None
    tags = _RECORD_TAGS[root[1].decode().lower()]
    broken, bounded = _parse(pieces(body, root.start()), _Records(begin(), tags), recover=False)
    if broken:
        problems.append(f"broken XML: {broken}")
        _, bounded = _parse(_repaired(body, root.start()), _Records(begin(), tags), recover=True)
    return problems, bounded


def _parse(pieces: Iterable[bytes], target: "_Records", *, recover: bool) -> tuple[str | None, str | None]:
    parser = etree.XMLParser(
        target=target,  # type: ignore[arg-type]  # the stubs say str | bytes; Python 3 gives str
        recover=recover,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        encoding="utf-8",
    )
    try:
        for piece in pieces:
            parser.feed(piece)
        parser.close()
        target.finish()
    except _EnoughError as enough:
        return None, str(enough)
    except etree.XMLSyntaxError as error:
        return str(error)[:200], None
    return None, None


class _Records:
    """The parser's target: gathers the fields of each record, hands it on, forgets it."""

    def __init__(self, take: Take, tags: Collection[str]) -> None:
        self.take = take
        self.tags = tags
        self.elements = 0
        self.base: str | None = None
        self.core: str | None = None  # the root's own namespace, whatever it is called
        self.record: Record | None = None
        self.open: list[Field | None] = []  # the elements open inside the record

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        if self.elements > MAX_ELEMENTS:
            raise _EnoughError(f"{MAX_ELEMENTS} elements")
        if self.core is None:
            self.core = tag.removeprefix("{").rpartition("}")[0]
        name = _name(tag, self.core)
        if name in self.tags:  # also inside a record: its end tag is missing
            self.flush()
            base = _base(attributes, self.base)
            about = next((value for key, value in attributes.items() if key.endswith("about")), None)
            self.record = Record(name, base, about, [])
        elif self.record is None:
            self.base = _base(attributes, self.base)
        else:
            self._start_field(name, attributes)

    def _start_field(self, name: str, attributes: dict[str, str]) -> None:
        assert self.record is not None
        if name in _LEAVES and self.open and (first := self.open[0]) and first.name in _LEAVES:
            self.open.clear()
        outer = self.open[-1] if self.open else None
        if self.open and (first := self.open[0]) and first.name in {"news", "news:news"} and ":" not in name:
            name = f"news:{name}"  # its prefix is declared nowhere
        is_field = name.startswith("news:") if self.open else not name.startswith("other:")
        if not is_field or len(self.record.fields) >= MAX_FIELDS:
            self.open.append(outer)  # the text of markup inside a field is the field's
            return
        named = {_name(key): value[:MAX_FIELD_CHARS] for key, value in attributes.items()} if attributes else {}
        entry = Field(name, named)
        self.record.fields.append(entry)
        self.open.append(entry)

    def end(self, tag: str) -> None:
        if self.record is None:
            return
        if _name(tag, self.core or "") == self.record.tag:
            self.flush()
        elif self.open:
            self.open.pop()

    def data(self, data: str) -> None:
        if self.open and (entry := self.open[-1]) is not None and entry.size < MAX_FIELD_CHARS:
            entry.parts.append(data[: MAX_FIELD_CHARS - entry.size])
            entry.size += len(data)

    def comment(self, text: str) -> None:
        """Comments are nothing."""

    def close(self) -> None:
        """The end of the parser's work; `finish` is called by hand, for a broken body never gets here."""

    def finish(self) -> None:
        """Take the last record of a cut body, without the field that the cut went through."""
        if self.record is not None:
            cut = [id(entry) for entry in self.open]
            self.record.fields[:] = [entry for entry in self.record.fields if id(entry) not in cut]
        self.flush()

    def flush(self) -> None:
        record, self.record, self.open = self.record, None, []
        if record is not None and not self.take(record):
            raise _EnoughError("entries")


@functools.lru_cache(maxsize=1024)
def _name(tag: str, core: str = "") -> str:
    """The local name in lower case, with a prefix for a namespace outside the core of feeds and sitemaps."""
    uri, brace, local = tag.removeprefix("{").rpartition("}")
    local = local.lower()
    if not brace or uri == core or _CORE.match(uri):
        return local
    if _NEWS in uri:
        return f"news:{local}"
    return f"{_PREFIXES.get(uri, 'other:')}{local}"


def _base(attributes: dict[str, str], outer: str | None) -> str | None:
    """The xml:base that holds in an element; a relative one is relative to that around it."""
    own = attributes.get(f"{_XML_NAMESPACE}base")
    try:
        return outer if own is None else urljoin(outer or "", own)
    except ValueError:
        return outer


_ENTITY = rb"(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{0,31});"
_ENTITIES = re.compile(rb"&" + _ENTITY)
_BARE_AMPERSAND = re.compile(rb"&(?!" + _ENTITY + rb")")
_BARE_LESS_THAN = re.compile(rb"<(?![A-Za-z_/?]|!--)")  # a declaration inside the root is text too
_TAG = re.compile(rb"<[A-Za-z_][^<>]{0,4000}>")
_UNQUOTED = re.compile(rb"""("[^"]*"|'[^']*')|=\s*([^\s"'<>=]+)(?=[\s>])""")
_CONTROLS = bytes({*range(0x20)} - set(b"\t\n\r"))
_SPACED = bytes.maketrans(_CONTROLS, b" " * len(_CONTROLS))
_CDATA = b"<![CDATA["


def _repaired(body: bytes, at: int) -> Iterator[bytes]:
    """Mend what breaks XML most: bare ampersands and less-than signs, entities and attributes as in HTML, controls.

    Text in CDATA sections stays; one that is never closed is opened no more. Linear in the length of the body, and in
    small pieces: a substitution over all of it takes ninety times its memory.
    """
    while (start := body.find(_CDATA, at)) >= 0 and (end := body.find(b"]]>", start)) >= 0:
        yield from _mended(body, at, start)
        yield from (piece.translate(_SPACED) for piece in pieces(body[start : end + 3]))
        at = end + 3
    yield from _mended(body, at, len(body))


def _mended(body: bytes, at: int, end: int) -> Iterator[bytes]:
    while at < end:
        cut = min(at + CHUNK, end)
        if cut < end:  # not inside a tag or an entity
            cut = max(body.rfind(b"<", at + 1, cut), 0) or max(body.rfind(b"&", max(at + 1, cut - 40), cut), 0) or cut
        yield _mend(body[at:cut].translate(_SPACED).replace(_CDATA, b""))
        at = cut


def _mend(text: bytes) -> bytes:
    text = _TAG.sub(_quoted, text)
    text = _BARE_AMPERSAND.sub(b"&amp;", text)
    return _ENTITIES.sub(_resolved, _BARE_LESS_THAN.sub(b"&lt;", text))


def _quoted(match: re.Match[bytes]) -> bytes:
    """A tag with quotes around the attributes that lack them."""
    return _UNQUOTED.sub(lambda found: found[1] or b'="' + found[2] + b'"', match[0]) if b"=" in match[0] else match[0]


def _resolved(match: re.Match[bytes]) -> bytes:
    """The character of an entity of HTML, escaped for XML; the text of one that is none."""
    if match[0] in {b"&amp;", b"&lt;", b"&gt;", b"&quot;", b"&apos;"}:
        return match[0]
    text = html.unescape(match[0].decode())
    return html.escape(text).encode("utf-8", "replace") if text.isprintable() or text.isspace() else b" "
