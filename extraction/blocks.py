"""A page's text as blocks: one pass over the tree, each run of text between block-level boundaries is a block.

What a browser would show as separate lines stays separate, and what it shows as one line (drop caps, links and bold
words inside a sentence) stays one. Nothing is judged here: navigation and captions come out as blocks like any other,
with the facts on which `body` decides: how much of them is link text, and what the names of the elements around say.
"""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import cache
from typing import Final

from lxml.etree import _Element, iterwalk

from extraction.insets import BOX_TAGS, INLINE, is_block_box, is_box, is_note_mark, is_sign, left_out
from extraction.marks import NAMES, mark, marks_in
from extraction.signup import SIGN_UP, sign_up_boxes
from extraction.text import tidy

#: Deeper than this a subtree is read without its nesting. libxml2 itself stops at 256 levels unless told otherwise;
#: real news pages measure below 60.
MAX_DEPTH: Final = 200
#: More blocks than this and the rest of the page is not read: the longest real live blogs have about 5,000.
MAX_BLOCKS: Final = 20_000
#: Most characters of one block, well over the longest real paragraph; a longer run of text is parted at a space.
MAX_BLOCK_CHARS: Final = 100_000

#: Elements whose content is no text of the page.
SKIPPED: Final = frozenset(
    "script style template noscript svg iframe object embed audio video canvas map select option datalist textarea"
    " input button head title meta link img picture source math progress meter dialog area param track".split()
)
_BOLD: Final = frozenset(("b", "strong", "em", "i", "bold"))
_TEXT_TAGS: Final = frozenset(
    "p h1 h2 h3 h4 h5 h6 li blockquote pre dt dd figcaption tr td th summary caption address".split()
)
_HIDING_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


class Frame:
    """A block-level element around some text: what its names say (`own`) and the sizes of its texts, in characters.

    `prose` counts running text, `clean` running text outside of noise, and `noise` says that the element is, or lies
    in, one that holds no part of the article; `body` sets these two.
    """

    __slots__ = (
        "blocks",
        "chars",
        "clean",
        "depth",
        "element",
        "images",
        "link_chars",
        "noise",
        "own",
        "parent",
        "prose",
        "tag",
        "tags",
    )

    def __init__(self, element: _Element | None, tag: str, parent: "Frame | None", own: int) -> None:
        self.element = element
        self.tag = tag
        self.parent = parent
        self.own = own
        self.noise = False
        self.clean = 0
        self.blocks = self.images = 0
        self.tags: frozenset[str] = _with(parent.tags, tag) if parent else frozenset()
        self.depth: int = parent.depth + 1 if parent else 0
        self.chars = 0
        self.link_chars = 0
        self.prose = 0

    def path(self) -> Iterator["Frame"]:
        """The frame and all around it, outwards."""
        frame: Frame | None = self
        while frame is not None:
            yield frame
            frame = frame.parent


_TELLING_TAGS: Final = frozenset(
    "nav footer aside form header figure figcaption table ul ol dl li article main section blockquote address"
    " details a".split()
)


@cache
def _with(tags: frozenset[str], tag: str) -> frozenset[str]:
    """`tags` and `tag`, shared between all frames that have the same: only telling tags count, so they are few."""
    return tags | {tag} if tag in _TELLING_TAGS else tags


class RawBlock:
    """A run of text between block-level boundaries, not judged yet.

    `tag` is its nearest text element (p, li, h2, tr …) or, where there is none, its container. `link_chars` and
    `bold_chars` are characters of `text` inside `<a>` and inside emphasis; `own` are the marks of the nearest element;
    `images` counts the pictures since the block before. `insets` are texts within it that are none of its words, as
    (rule, text); `whole` is the text with them.
    """

    __slots__ = (
        "bold_chars",
        "frame",
        "images",
        "insets",
        "link_chars",
        "links",
        "own",
        "position",
        "tag",
        "text",
        "times",
        "whole",
    )

    def __init__(
        self, position: int, text: str, frame: Frame, own: int, counts: tuple[int, int, int, int, int]
    ) -> None:
        self.position = position
        self.text = self.whole = text
        self.insets: tuple[tuple[str, str], ...] = ()
        self.frame = frame
        self.tag = frame.tag
        self.own = own | frame.own
        self.link_chars, self.links, self.bold_chars, self.times, self.images = counts

    @property
    def link_share(self) -> float:
        """The part of the text that is link text, 0 to 1."""
        return min(1.0, self.link_chars / len(self.text))


class _Walk:
    """The state of one pass over a tree. The inner loop of extraction: what looks unrolled here was measured."""

    __slots__ = (
        "blocks",
        "bold",
        "bold_chars",
        "boxes",
        "breaks",
        "buffer",
        "images",
        "inline",
        "insets",
        "length",
        "link_chars",
        "linked",
        "links",
        "off",
        "roles",
        "times",
    )

    def __init__(self, roles: dict[str, str], boxes: frozenset[_Element], off: AbstractSet[str]) -> None:
        self.roles = roles
        self.off = off
        self.boxes = boxes
        self.blocks: list[RawBlock] = []
        self.images = 0
        self.linked = self.bold = 0  # how many <a>, how many emphasising elements the walk is inside of
        self._clear()

    def _clear(self) -> None:
        self.buffer: list[str] = []
        self.link_chars = self.links = self.bold_chars = self.times = self.length = self.breaks = 0
        self.inline: list[tuple[int, int]] = []
        self.insets: list[tuple[int, int, str]] = []  # of `buffer`: from, to, and the rule that leaves them out

    def add(self, text: str) -> None:
        if text.isspace():
            if self.buffer and not self.breaks:
                self.buffer.append(" ")
            return
        self.breaks = 0
        self.buffer.append(text)
        length = len(text)
        self.length += length
        if self.linked:
            self.link_chars += length
        if self.bold:
            self.bold_chars += length

    def flush(self, frame: Frame) -> None:
        whole = tidy("".join(self.buffer))
        text, insets = left_out(self.buffer, self.insets) if self.insets else (whole, ())
        if text and len(self.blocks) < MAX_BLOCKS:
            own = 0
            for marks, length in self.inline:
                if length * 5 >= self.length * 4:
                    own |= marks
            parts = _parted(text)
            for part in parts:
                share = len(part) / len(text) if len(parts) > 1 else 1
                links, bold = int(self.link_chars * share), int(self.bold_chars * share)
                counts = (links, self.links, bold, self.times, self.images)
                self.blocks.append(RawBlock(len(self.blocks), part, frame, own, counts))
            if insets:
                self.blocks[-1].insets, self.blocks[-1].whole = insets, whole
            self.images = 0
        self._clear()

    def visit(self, element: _Element, frame: Frame, depth: int) -> None:
        text = element.text
        if text:
            self.add(text)
        roles = self.roles
        for child in element:
            tag = child.tag
            role = roles.get(tag, _BLOCK)
            if role is _BLOCK:
                if depth >= MAX_DEPTH:
                    self.visit_deep(child, frame)
                elif isinstance(tag, str):
                    own = _own_marks(child)
                    if own & _HIDING and self.buffer and self.is_inset(child):
                        continue
                    if self.buffer or self.inline or self.links:
                        self.flush(frame)
                    inner = Frame(child, tag, frame, own)
                    if self.boxes and child in self.boxes:
                        inner.tags |= {SIGN_UP}
                    self.visit(child, inner, depth + 1)
                    if self.buffer or self.inline or self.links:
                        self.flush(inner)
            elif role is _LINE:
                self.visit_inline(child, tag, frame, depth)
            elif role is _CELL:
                self.visit_cell(child, tag, frame, depth)
            elif role is _BREAK:
                self.break_line(frame)
            elif role is _IMAGE:
                self.images += 1
                for outer in frame.path():
                    outer.images += 1
            text = child.tail
            if text:
                self.add(text)

    def is_inset(self, child: _Element) -> bool:
        """Whether a block-level element is a box within a line, which is taken up as such; what follows it too."""
        if "note.box" in self.off or not is_block_box(child):
            return False
        start = len(self.buffer)
        self.buffer.append(" ".join(map(str, child.itertext("*"))))
        self.insets.append((start, len(self.buffer), "note.box"))
        if child.tail:
            self.add(child.tail)
        return True

    def visit_deep(self, top: _Element, frame: Frame) -> None:
        """A subtree below MAX_DEPTH: its blocks, as if all of them were children of `frame`."""
        inner, walk = frame, iterwalk(top, events=("start", "end"))
        for event, element in walk:
            role = self.roles.get(element.tag, _BLOCK)
            if role in (_BLOCK, _CELL):
                self.flush(inner)
                inner = Frame(element, str(element.tag), frame, _own_marks(element)) if event == "start" else frame
            elif role is _BREAK and event == "start":
                self.break_line(inner)
            if event == "start" and role in (_SKIP, _IMAGE):
                walk.skip_subtree()
            elif text := element.text if event == "start" else element.tail if element is not top else None:
                self.add(text)

    def break_line(self, frame: Frame) -> None:
        """A `<br>`: one is a space, two in a row end the block."""
        self.breaks += 1
        if self.breaks == 2:
            self.flush(frame)
        else:
            self.buffer.append("\n")

    def visit_inline(self, child: _Element, tag: str, frame: Frame, depth: int) -> None:
        if depth >= MAX_DEPTH:
            self.visit_deep(child, frame)
            return
        own = _own_marks(child)
        if own & _UNSEEN:
            return
        linked, bold = tag == "a", tag in _BOLD
        self.linked += linked
        self.bold += bold
        self.links += linked
        self.times += tag == "time"
        before, blocks = self.length, len(self.blocks)
        boxable = tag in BOX_TAGS
        if boxable:
            start, counts = len(self.buffer), (self.link_chars, self.bold_chars, self.times)
        # An inline element that holds block-level ones is a frame in all but name, so its marks are passed down as one.
        inner = Frame(child, frame.tag, frame, own) if own and len(child) else frame
        self.visit(child, inner, depth + 1)
        if len(self.blocks) == blocks:
            if boxable and before < self.length:
                size = self.length - before
                rule = is_note_mark(child, size, start) or is_sign(size, self.insets, start)
                rule = rule or is_box(child, own, self.buffer, start)
                if rule and rule not in self.off:
                    self.insets.append((start, len(self.buffer), rule))
                    self.length, (self.link_chars, self.bold_chars, self.times) = before, counts
            if own:
                self.inline.append((own, self.length - before))
        self.linked -= linked
        self.bold -= bold

    def visit_cell(self, child: _Element, tag: str, frame: Frame, depth: int) -> None:
        """A table's cell: parted from the one before by " | " within a row, unless it holds blocks of its own."""
        if frame.tag != "tr" or depth >= MAX_DEPTH or any(True for _ in child.iterchildren(*_CELL_BLOCKS)):
            self.flush(frame)
            inner = Frame(child, tag, frame, _own_marks(child))
            self.visit(child, inner, min(depth + 1, MAX_DEPTH))
            self.flush(inner)
            return
        if self.length:
            self.buffer.append(" | ")
        self.visit(child, frame, depth + 1)


def _parted(text: str) -> list[str]:
    """The text in parts of at most MAX_BLOCK_CHARS, parted at spaces where there are any."""
    parts, start = [], 0
    while len(text) - start > MAX_BLOCK_CHARS:
        end = text.rfind(" ", start, start + MAX_BLOCK_CHARS) + 1 or start + MAX_BLOCK_CHARS
        parts.append(text[start:end].rstrip())
        start = end
    return [*parts, text[start:]] if parts else [text]


_BLOCK, _LINE, _CELL, _BREAK, _IMAGE, _SKIP = "block", "line", "cell", "break", "image", "skip"
_ROLES: Final = {
    **dict.fromkeys(INLINE, _LINE), **dict.fromkeys((*SKIPPED, "nav"), _SKIP), **dict.fromkeys(("img", "picture",
    "amp-img", "video"), _IMAGE),
    "td": _CELL, "th": _CELL, "br": _BREAK,
}  # fmt: skip
_CELL_BLOCKS: Final = ("p", "div", "table", "ul", "h2", "h3", "section")
_UNSEEN, _HIDING = mark("unseen"), mark("hidden")


def segment(body: _Element, *, navigation: bool = False, off: AbstractSet[str] = frozenset()) -> list[RawBlock]:
    """The blocks of `body` in reading order, at most MAX_BLOCKS of them. The tree is not changed.

    `<nav>` holds a third of an average page's blocks and next to never any of its article, so it is left out unless
    `navigation` asks for it. `off` are rules that are not to leave anything out.
    """
    roles = {tag: role for tag, role in _ROLES.items() if tag != "nav"} if navigation else _ROLES
    walk = _Walk(roles, sign_up_boxes(body), off)
    # What <body> is called speaks of the whole template ("has-sidebar comments-open"), not of any text.
    root = Frame(body, str(body.tag), None, 0)
    walk.visit(body, root, 0)
    walk.flush(root)
    for block in walk.blocks:
        _account(block)
    return walk.blocks


_NAMING: Final = frozenset(("class", "id", "role", "itemprop", "data-component", "data-testid", "aria-label"))


def _own_marks(element: _Element) -> int:
    tag = str(element.tag)
    own = marks_in(tag) if "-" in tag else 0  # a custom element's name says what a class says elsewhere
    for name, value in element.items():
        if name in _NAMING:
            known = NAMES.get(str(value))
            own |= marks_in(str(value)) if known is None else known
        elif (name == "style" and "n" in value and _HIDING_STYLE.search(str(value))) or name == "hidden":
            own |= _UNSEEN
    return own


def _account(block: RawBlock) -> None:
    """Add the block's sizes to every frame around it."""
    chars, links = len(block.text), block.link_chars
    prose = chars if is_prose(block) else 0
    frame: Frame | None = block.frame
    while frame is not None:
        frame.chars += chars
        frame.link_chars += links
        frame.prose += prose
        frame.blocks += 1
        frame = frame.parent


_SENTENCE = re.compile(r"[.!?…。！？।۔؟։။。,;:，、،]")


def is_prose(block: RawBlock) -> bool:
    """Whether the block reads as running text: some length, punctuation, and mostly not links."""
    text = block.text
    size = len(text)
    # Scripts without spaces say in 30 characters what Latin ones say in 60; they take three bytes a character.
    long_enough = size >= 60 or (size >= 30 and not text.isascii() and len(text.encode("utf-8", "replace")) >= 90)
    return long_enough and block.link_chars * 2 <= size and _SENTENCE.search(text) is not None
