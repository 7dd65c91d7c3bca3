"""Where on a page the article stands: the innermost element around most of the running text."""

from collections.abc import Iterable, Sequence
from typing import Final

from extraction.blocks import Frame, RawBlock, is_prose
from extraction.features import frame_style
from extraction.marks import mark

#: Elements that hold no part of an article, unless most of the page's prose is in them.
_NOISE_TAGS: Final = frozenset(("nav", "footer", "aside", "form", "dialog", "address"))
_NOISE_MARKS: Final = ("comments", "related", "newsletter", "cookie", "navigation", "share", "advertising")
#: A container with more than this share of the page's prose is a wrapper, whatever it is called.
_WRAPPER_SHARE: Final = 0.4
#: The article's area is the innermost element that holds this share of the prose.
_AREA_SHARE: Final = 0.8


def find_area(blocks: Sequence[RawBlock]) -> Frame:
    """The innermost frame around most of the page's running text; marks what is noise on the way."""
    root = blocks[0].frame
    while root.parent is not None:
        root = root.parent
    children: dict[int, list[Frame]] = {}
    seen: set[int] = set()
    noise_marks = sum(mark(name) for name in _NOISE_MARKS)
    for frame in _frames(blocks, seen):
        if frame.parent is not None:
            children.setdefault(id(frame.parent), []).append(frame)
            named = frame.tag in _NOISE_TAGS or frame.own & noise_marks
            frame.noise = frame.parent.noise or bool(named and frame.prose < _WRAPPER_SHARE * root.prose)
    for block in blocks:
        if not block.frame.noise and is_prose(block):
            frame_: Frame | None = block.frame
            while frame_ is not None:
                frame_.clean += len(block.text)
                frame_ = frame_.parent
    area = root
    while inner := next((f for f in children.get(id(area), ()) if f.clean >= _AREA_SHARE * root.clean > 0), None):
        area = inner
    return _widened(area, children, {id(f) for b in blocks if b.tag == "h1" for f in b.frame.path()})


def _widened(area: Frame, children: dict[int, list[Frame]], headed: set[int]) -> Frame:
    """The element around the area and its twins, where a body is split over several of the same name.

    A twin with a headline of its own is another article, as on pages that load the next one on scrolling.
    """
    frame = area
    for _ in range(3):
        if frame.parent is None:
            break
        style = frame_style(frame)
        twins = (f for f in children[id(frame.parent)] if f is not frame and f.clean and id(f) not in headed)
        if frame.tag != "article" and any(frame_style(twin) == style for twin in twins):
            area = frame.parent
        frame = frame.parent
    return area


def _frames(blocks: Sequence[RawBlock], seen: set[int]) -> Iterable[Frame]:
    """All frames around the blocks, outer ones first."""
    for block in blocks:
        path = []
        frame: Frame | None = block.frame
        while frame is not None and id(frame) not in seen:
            seen.add(id(frame))
            path.append(frame)
            frame = frame.parent
        yield from reversed(path)


def inside(frame: Frame | None, area: Frame) -> bool:
    """Whether a frame is the area or lies in it."""
    while frame is not None:
        if frame is area:
            return True
        frame = frame.parent
    return False
