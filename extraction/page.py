"""A page parsed once: bytes to tree, within bounds that hold for hostile input."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final, cast

from lxml.etree import ElementDefaultClassLookup, LxmlError, XPath
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from extraction.charset import Charset, to_utf8
from extraction.records import Outcome

#: Most bytes of a page, decompressed. The largest of 400 real news pages has 2.9 MB.
MAX_PAGE_BYTES: Final = 16 << 20
#: Most tags of a page. The most of 400 real ones is 8,100; 10 MB of `<p>x</p>` has 1.7 million, 400 MB as a tree.
MAX_TAGS: Final = 200_000
#: Open elements from where on further ones are taken out, their text kept, on a page that passes libxml2's limit of
#: 2,048 (with its small limits off), below which it drops everything. Real pages measure up to 50. A fifth of that
#: limit, because elements whose end HTML implies are not counted: <table><tbody><tr><td> is one here.
MAX_DEPTH: Final = 400
#: Attributes of one tag from where on they are dropped: libxml2 compares each with each, 100,000 take it 113 s.
_MAX_ATTRIBUTES: Final = 2000
#: Bytes without a `>` that make a tag worth counting its attributes.
_GIANT: Final = 4 * _MAX_ATTRIBUTES
_QUOTED = re.compile(rb"\"[^\"]*\"|'[^']*'")

_MAGIC: Final = (
    (b"%PDF-", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"RIFF", "image, sound or video (RIFF)"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x1f\x8b", "gzip"),
    (b"ID3", "MP3"),
    (b"OggS", "Ogg"),
    (b"\x1aE\xdf\xa3", "Matroska"),
    (b"\xd0\xcf\x11\xe0", "office document"),
    (b"wOF", "font"),
    (b"\x7fELF", "program"),
    (b"MZ\x90", "program"),
    (b"{\\rtf", "RTF"),
)
_FEED = re.compile(
    rb"\s*(?:<\?xml[^>]*>|<!--.*?-->|<!DOCTYPE\s+(?!html)[^>]*>|\s)*<(rss|feed|rdf:RDF|urlset|sitemapindex|svg|opml|kml)\b",
    re.DOTALL,
)
_TAG = re.compile(rb"<(?:[a-z][a-z0-9]{0,15}[\s>/]|!doctype)", re.IGNORECASE)
_BINARY = bytes(set(range(0x20)) - {7, 8, 9, 10, 12, 13, 27})


#: One class for all elements: lxml.html would call Python for each to choose between it and those for forms.
_CLASSES: Final = ElementDefaultClassLookup(element=HtmlElement)


class UnreadablePageError(ValueError):
    """Raised for bytes that are no page; `outcome` is the word under which it ends."""

    outcome: ClassVar[Outcome] = Outcome.NOT_HTML


class NotHtmlError(UnreadablePageError):
    """Raised for an image, a PDF, JSON, a feed, plain text or other bytes without markup, whatever their type says."""


class EmptyPageError(UnreadablePageError):
    """Raised for no bytes, white space only, and markup without any element."""

    outcome = Outcome.EMPTY


class TooLargePageError(UnreadablePageError):
    """Raised for more than MAX_PAGE_BYTES or MAX_TAGS."""

    outcome = Outcome.TOO_LARGE


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedPage:
    """A page as a tree. The tree is shared by all that read it: copy before changing it.

    `tree` is the root element; comments and processing instructions are left out. `size` is in bytes before decoding,
    `tags` counts opening and closing tags. `flags` says what had to be mended or was lost while parsing:
    `doubtful_charset`, `giant_tag_cut`, `nesting_cut` (elements below MAX_DEPTH others were taken out, not their text).
    """

    url: str
    tree: HtmlElement
    charset: Charset
    size: int
    tags: int
    flags: tuple[str, ...] = ()

    @property
    def doubtful_charset(self) -> bool:
        """Whether the text may be wrong because the charset was guessed or damaged."""
        return self.charset.doubtful


def parse(html: bytes, url: str, content_type: str | None = None) -> ParsedPage:
    """Parse a page whose content codings are undone.

    Args:
        html: the bytes.
        url: where they came from, canonical.
        content_type: the header's value; evidence for the charset, never believed about what the bytes are.

    Raises:
        EmptyPageError, NotHtmlError, TooLargePageError: all UnreadablePageError, with the page's outcome.
    """
    if len(html) > MAX_PAGE_BYTES:
        raise TooLargePageError(f"page of {len(html)} bytes, more than {MAX_PAGE_BYTES}")
    if not html.strip(b" \t\r\n\f\0\xef\xbb\xbf"):
        raise EmptyPageError("no bytes but white space")
    utf8, charset = to_utf8(html, content_type)
    if what := _file_kind(html) or _text_kind(utf8):
        raise NotHtmlError(f"{what}, declared as {content_type[:80]!r}" if content_type else what)
    pieces = utf8.split(b"<")
    tags = len(pieces) - 1
    if tags > MAX_TAGS:
        raise TooLargePageError(f"{tags} tags, more than {MAX_TAGS}")
    if giants := _giant_tags(pieces):
        utf8 = _without_attributes(pieces, giants)
    tree, cut = _tree(utf8)
    if cut:
        tree, _ = _tree(_flattened(utf8.split(b"<") if giants else pieces))
    flags = (("doubtful_charset", charset.doubtful), ("giant_tag_cut", bool(giants)), ("nesting_cut", cut))
    return ParsedPage(
        url=url, tree=tree, charset=charset, size=len(html), tags=tags, flags=tuple(f for f, on in flags if on)
    )


def new_element(tag: str) -> HtmlElement:
    """Return an element of no page yet, of the class that pages' elements are of."""
    return cast("HtmlElement", _MAKER.makeelement(tag))


def elements(tree: HtmlElement, xpath: XPath) -> list[HtmlElement]:
    """Return the elements that an XPath selects: in C, where `iterfind` makes a Python object of every element."""
    return cast("list[HtmlElement]", xpath(tree))


def before(element: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the elements that end before this one, the nearest first (XPath's `preceding`, which finds all of them)."""
    for node in (element, *element.iterancestors()):
        for sibling in node.itersiblings(preceding=True):
            yield from reversed(list(sibling.iter()))


def after(element: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the elements that begin after this one ended, in order (XPath's `following`)."""
    for node in (element, *element.iterancestors()):
        for sibling in node.itersiblings():
            yield from sibling.iter()


def _tree(utf8: bytes) -> tuple[HtmlElement, bool]:
    """Return the tree of a page, and whether its nesting was too deep for libxml2 to read all of it."""
    parser = _parser()
    try:
        tree = document_fromstring(utf8, parser=parser)
    except (LxmlError, AssertionError, ValueError) as exc:
        if "unknown error" in str(exc):  # libxml2's only word where it got no memory
            raise MemoryError("no memory for the page's tree") from exc
        raise EmptyPageError(f"no element to be read ({exc})") from exc
    last = parser.error_log.last_error
    return tree, last is not None and "depth" in last.message.lower()


def _parser() -> HTMLParser:
    """Return a parser for one page: a shared one would keep the last page's error log alive.

    `huge_tree` lifts libxml2's limits of 10 MB a text and 256 levels, which lose the rest of a page silently.
    """
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False, huge_tree=True)
    parser.set_element_class_lookup(_CLASSES)
    return parser


_MAKER: Final = _parser()


def _file_kind(html: bytes) -> str | None:
    """Return what file begins with these bytes, or None."""
    if html[4:8] == b"ftyp":
        return "MP4"
    return next((name for magic, name in _MAGIC if html.startswith(magic)), None)


def _text_kind(body: bytes) -> str | None:
    """Return what text this is if it is no HTML ("JSON", "XML (rss)", "plain text", …), or None if it may be."""
    head = body[:1024].lstrip(b" \t\r\n\f")
    if match := _FEED.match(body[:4096]):
        return f"XML ({match[1].decode('ascii')})"
    if head[:1] in {b"{", b"["} and _is_json(body):
        return "JSON"
    if not _TAG.search(body):
        return "binary" if len(head) - len(head.translate(None, _BINARY)) > len(head) // 50 else "plain text"
    return None


def _is_json(body: bytes) -> bool:
    if not _TAG.search(body):
        return True
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _giant_tags(pieces: list[bytes]) -> list[int]:
    """Return which of the pieces between `<` are tags with more than _MAX_ATTRIBUTES, those inside scripts left out."""
    if max(map(len, pieces)) <= _GIANT:
        return []
    return [
        i
        for i, piece in enumerate(pieces)
        if len(piece) > _GIANT
        and piece[:1].isalpha()
        and piece.find(b">", 0, _GIANT) < 0
        and len(_QUOTED.sub(b"", piece).split(None, _MAX_ATTRIBUTES)) > _MAX_ATTRIBUTES
        and not _in_script(pieces[:i])
    ]


def _in_script(before: list[bytes]) -> bool:
    for piece in reversed(before):
        if piece[:7].lower() == b"/script":
            return False
        if piece[:6].lower() == b"script":
            return True
    return False


def _without_attributes(pieces: list[bytes], giants: list[int]) -> bytes:
    mended = list(pieces)
    for i in giants:
        mended[i] = mended[i].split(None, 1)[0] + b">" + mended[i].partition(b">")[2]
    return b"<".join(mended)


_NAME = re.compile(rb"/?([a-z][a-z0-9-]{0,20})", re.IGNORECASE)
#: Elements that have no end, or whose end HTML implies: they say nothing of the depth.
_UNCOUNTED: Final = frozenset(
    b"area base br col embed hr img input link meta source track wbr p li dt dd tr td th tbody thead tfoot option"
    b" optgroup rb rt rtc rp colgroup html head body".split()
)


def _flattened(pieces: list[bytes]) -> bytes:
    """Return the page without the tags of elements that stand in MAX_DEPTH others; their text stays."""
    out = [pieces[0]]
    opened: list[bytes] = []
    dropped: dict[bytes, int] = {}
    for piece in pieces[1:]:
        match = _NAME.match(piece)
        name = match[1].lower() if match else b""
        if not name or name in _UNCOUNTED or (opened and opened[-1] in _RAW and piece[:1] != b"/"):
            out.append(b"<" + piece)
        elif piece[:1] != b"/":
            if len(opened) < MAX_DEPTH or name in _RAW:
                opened.append(name)
                out.append(b"<" + piece)
            else:
                dropped[name] = dropped.get(name, 0) + 1
                out.append(b" " + piece.partition(b">")[2])
        elif dropped.get(name):
            dropped[name] -= 1
            out.append(b" " + piece.partition(b">")[2])
        else:
            if opened and opened[-1] == name:
                opened.pop()
            out.append(b"<" + piece)
    return b"".join(out)


_RAW: Final = frozenset((b"script", b"style", b"textarea", b"title"))
