"""What is measured of a block before it is judged: the numbers that the block model reads.

All are shares, small counts or yes/no, so that they mean the same on a page of any size, language and template. None
names a host, and words count only through the rules' vocabularies.
"""

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from extraction.blocks import Frame, RawBlock, is_prose
from extraction.boilerplate import Line, Verdict
from extraction.marks import mark_names
from extraction.records import Metadata
from extraction.stamps import is_stamp
from extraction.text import capital_count, digit_count, ends_sentence, fold

_TAGS: Final = {
    "p": 1, "li": 2, "dd": 2, "h1": 3, "h2": 4, "h3": 5, "h4": 6, "h5": 6, "h6": 6, "blockquote": 7, "tr": 8, "td": 8,
    "th": 8, "figcaption": 9, "figure": 9, "dt": 10, "summary": 10, "pre": 11,
}  # fmt: skip
HEADINGS: Final = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_FRAME_TAGS: Final = (
    "nav", "footer", "aside", "form", "header", "figure", "figcaption", "table", "li", "ul", "article", "main",
    "section", "blockquote", "a",
)  # fmt: skip
_PUNCTUATION: Final = re.compile(r"[.!?…。！？।؟]")
_COMMAS: Final = re.compile(r"[,;:،、，]")
_QUOTED: Final = re.compile(r"^[\"'“„«‘「『”]")
_MARKS: Final = mark_names()


class Candidate:
    """A block of the article's surroundings with what is known of it.

    `engine` says whether trafilatura keeps it, `verdict` what the rules say, `score` what the block model says
    (probability that it belongs to the body); `style_share`,
    `prose_before` and `from_h1` are measurements of that name.
    """

    __slots__ = (
        "above",
        "engine",
        "from_h1",
        "in_area",
        "line",
        "own",
        "prose",
        "prose_before",
        "raw",
        "score",
        "style_share",
        "verdict",
    )

    def __init__(self, raw: RawBlock, line: Line, area: Frame, *, engine: bool) -> None:
        self.raw = raw
        self.line = line
        self.engine = engine
        self.prose = is_prose(raw)
        self.verdict: Verdict | None = None
        self.score = 0.0
        self.style_share = self.prose_before = self.from_h1 = 0.0
        self.own, self.above, self.in_area = _marks(raw, area)


def _marks(raw: RawBlock, area: Frame) -> tuple[int, int, bool]:
    """What the names near the block say (two elements up), what those above say, and whether the area holds it."""
    own, above, steps = raw.own, 0, 0
    frame: Frame | None = raw.frame
    while frame is not None and frame is not area:
        if steps <= 2:
            own |= frame.own
        else:
            above |= frame.own
        frame = frame.parent
        steps += 1
    return own, above, frame is area


#: Names of the features, in the order of the numbers.
FEATURES: Final = (
    "words", "chars", "ends_sentence", "sentences", "commas", "digit_share", "upper_share", "starts_upper",
    "starts_quote", "link_share",
    "links", "bold_share", "times", "images", "images_after", "colon_end", "non_ascii",
    "tag", *(f"in_{tag}" for tag in _FRAME_TAGS),
    *(f"own_{name}" for name in _MARKS), *(f"above_{name}" for name in _MARKS),
    "in_area", "depth_below_area", "noise", "engine", "engine_near", "prose", "verdict", "heads_list",
    "frame_blocks", "frame_link_share", "frame_share", "parent_share", "siblings_prose", "style_prose",
    "style_blocks", "style_link_share",
    "parent_style_prose",
    "from_h1", "before_h1", "prose_before", "prose_after", "place", "from_first_engine", "after_last_engine",
    "prev_words", "prev_link_share", "prev_same_frame", "prev_prose", "prev_verdict", "prev_heading", "prev_engine",
    "next_words", "next_link_share", "next_same_frame", "next_prose", "next_verdict", "next_heading", "next_engine",
    "prev2_prose", "next2_prose", "prev2_words", "next2_words", "run_links", "heading_verdict",
    "title_overlap", "lead_overlap", "names_author", "repeats",
    "page_prose", "page_engine", "page_blocks",
    "picture_box", "picture_box_blocks", "picture_box_prose", "stamp", "address", "names_site", "capitals",
    "from_first_prose", "box_blocks", "box_words", "box_links",
)  # fmt: skip


def frame_style(frame: Frame) -> tuple[object, ...]:
    """What elements of one kind on a page have in common: tag, meaning of their names, and class."""
    return (frame.tag, frame.own, frame.element.get("class") if frame.element is not None else None)


def _capitals(text: str) -> float:
    """The share of a line's words that begin with a capital."""
    words = text.split()
    return sum(word[0].isupper() for word in words) / len(words)


@lru_cache(4096)
def _mark_flags(marks: int) -> tuple[float, ...]:
    return tuple(float(marks >> bit & 1) for bit in range(len(_MARKS)))


@lru_cache(1024)
def _tag_flags(tags: frozenset[str]) -> tuple[float, ...]:
    return tuple(float(tag in tags) for tag in _FRAME_TAGS)


class Surroundings:
    """The candidates of a page with the sums over all of them that the numbers of one are set against."""

    def __init__(self, candidates: Sequence[Candidate], area: Frame, metadata: Metadata) -> None:
        self.candidates = candidates
        self.area = area
        self.title = frozenset(fold(metadata.headline or "").split())
        self.lead_folded = fold(metadata.description or "")
        self.lead = frozenset(self.lead_folded.split())
        self.site = fold(metadata.publisher) if metadata.publisher and len(metadata.publisher) > 3 else ""
        self.authors = [name for name in map(fold, metadata.authors) if len(name) > 3]
        self.total = max(1, sum(len(c.raw.text) for c in candidates if c.prose and not c.raw.frame.noise))
        self.engine_share = sum(len(c.raw.text) for c in candidates if c.engine) / max(
            1, sum(len(c.raw.text) for c in candidates)
        )
        self._sum_styles()
        self._sum_positions()

    def _sum_styles(self) -> None:
        self.siblings: dict[int, int] = {}
        self.styles: dict[object, list[int]] = {}
        self.parent_styles: dict[object, int] = {}
        self.keys: list[tuple[object, object]] = []
        self.counts: dict[str, int] = {}
        cached: dict[int, tuple[object, object]] = {}
        for c in self.candidates:
            frame = c.raw.frame
            parent = frame.parent
            keys = cached.get(id(frame))
            if keys is None:
                own = frame_style(frame)
                keys = cached[id(frame)] = (own, (own, frame_style(parent) if parent else None))
            self.keys.append(keys)
            style = self.styles.setdefault(keys[1], [0, 0, 0, 0])
            style[1] += 1
            style[2] += c.raw.link_chars
            style[3] += len(c.raw.text)
            if c.prose:
                size = len(c.raw.text)
                self.siblings[id(parent)] = self.siblings.get(id(parent), 0) + size
                style[0] += size
                self.parent_styles[keys[0]] = self.parent_styles.get(keys[0], 0) + size
            self.counts[c.line.folded] = self.counts.get(c.line.folded, 0) + 1

    def _sum_positions(self) -> None:
        self.h1 = next((i for i, c in enumerate(self.candidates) if c.raw.tag == "h1"), -1)
        kept = [i for i, c in enumerate(self.candidates) if c.engine and c.prose]
        self.first, self.last = (kept[0], kept[-1]) if kept else (0, len(self.candidates))
        self.first_prose = next(
            (i for i, c in enumerate(self.candidates) if i > self.h1 and c.prose and c.engine), self.first
        )
        self.before: list[int] = []
        self.engine_sum: list[int] = [0]
        self.size_sum: list[int] = [0]
        self.heading_verdicts: list[int] = []
        prose = heading = 0
        for c in self.candidates:
            self.before.append(prose)
            size = len(c.raw.text)
            if c.prose and not c.raw.frame.noise:
                prose += size
            self.engine_sum.append(self.engine_sum[-1] + (size if c.engine else 0))
            self.size_sum.append(self.size_sum[-1] + size)
            if c.line.heading or (c.verdict is not None and c.verdict.heads_list):
                heading = 2 if c.verdict is not None and c.verdict.heads_list else 1 if c.verdict else 0
            self.heading_verdicts.append(heading)

    def _engine_near(self, place: int) -> float:
        low, high = max(0, place - 3), min(len(self.candidates), place + 4)
        size = self.size_sum[high] - self.size_sum[low]
        return (self.engine_sum[high] - self.engine_sum[low]) / size if size else 0.0

    def row(self, place: int) -> list[float]:
        """The numbers of the candidate at `place`, in the order of FEATURES."""
        c = self.candidates[place]
        raw, line, frame = c.raw, c.line, c.raw.frame
        text = raw.text
        size = len(text)
        start = text[:200]
        parent = frame.parent or frame
        style = self.styles[self.keys[place][1]]
        words = frozenset(line.folded.split())
        row = [
            math.log2(1 + line.words), math.log2(size), float(ends_sentence(text)),
            math.log2(1 + len(_PUNCTUATION.findall(text))),
            math.log2(1 + len(_COMMAS.findall(text))), digit_count(start) / len(start),
            capital_count(start) / len(start),
            float(text[0].isupper()), float(_QUOTED.match(text) is not None), raw.link_share, float(min(raw.links, 10)),
            min(1.0, raw.bold_chars / size), float(min(raw.times, 2)), float(min(raw.images, 3)),
            float(min(self.candidates[place + 1].raw.images, 3)) if place + 1 < len(self.candidates) else 0.0,
            float(text[-1] in ":："), float(not text.isascii()),
            float(_TAGS.get(raw.tag, 0)), *_tag_flags(frame.tags), *_mark_flags(c.own), *_mark_flags(c.above),
        ]  # fmt: skip
        row += [
            float(c.in_area), float(frame.depth - self.area.depth), float(frame.noise), float(c.engine),
            self._engine_near(place),
            float(c.prose), float(c.verdict is not None), float(c.verdict is not None and c.verdict.heads_list),
            float(min(frame.blocks, 50)), frame.link_chars / max(1, frame.chars), min(1.0, frame.prose / self.total),
            min(1.0, parent.prose / self.total), self.siblings.get(id(frame.parent), 0) / self.total,
            style[0] / self.total,
            float(min(style[1], 50)), style[2] / max(1, style[3]), self.parent_styles.get(self.keys[place][0],
            0) / self.total,
            float(max(-20, min(40, place - self.h1))) if self.h1 >= 0 else 50.0, float(place < self.h1),
            self.before[place] / self.total, 1.0 - (self.before[place] + (size if c.prose else 0)) / self.total,
            place / len(self.candidates), float(max(-20, min(20, place - self.first))), float(max(-20, min(20,
            place - self.last))),
        ]  # fmt: skip
        row += self._neighbour(place - 1, frame)
        row += self._neighbour(place + 1, frame)
        row += [*self._far(place - 2, place + 2), *self._runs(place)]
        row += [
            len(words & self.title) / max(1, len(words | self.title)) if self.title else 0.0, self._lead(line, words),
            float(any(name in line.folded for name in self.authors)), float(min(self.counts[line.folded], 5)),
            math.log2(1 + self.total), self.engine_share, math.log2(1 + len(self.candidates)),
        ]  # fmt: skip
        row += self._picture(frame, size)
        row += [
            float(is_stamp(text, line.folded)), float("@" in text), float(bool(self.site) and self.site in line.folded),
            _capitals(text) if line.words <= 14 else -1.0, float(max(-20, min(20, place - self.first_prose))),
        ]  # fmt: skip
        row += self._box(frame)
        return row

    def _picture(self, frame: Frame, size: int) -> list[float]:
        """The smallest element around the block that holds a picture: its text, its blocks, whether any is prose."""
        steps = 0
        box: Frame | None = frame
        while box is not None and box is not self.area and steps < 5:
            if box.images:
                return [
                    min(6.0, math.log2(max(1.0, box.chars / size))),
                    float(min(box.blocks, 10)),
                    float(box.prose > 0),
                ]
            box, steps = box.parent, steps + 1
        return [-1.0, -1.0, -1.0]

    def _box(self, frame: Frame) -> list[float]:
        """The outermost element below the area that stands between the block and a tenth of the page's prose."""
        box, outer = frame, frame.parent
        while outer is not None and outer is not self.area and outer.prose < 0.1 * self.total:
            box, outer = outer, outer.parent
        return [float(min(box.blocks, 30)), math.log2(1 + box.chars), box.link_chars / max(1, box.chars)]

    def _lead(self, line: Line, words: frozenset[str]) -> float:
        if not self.lead_folded:
            return -1.0
        if line.folded == self.lead_folded:
            return 1.0
        return len(words & self.lead) / max(1, len(words | self.lead))

    def _neighbour(self, place: int, frame: Frame) -> list[float]:
        if not 0 <= place < len(self.candidates):
            return [-1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
        c = self.candidates[place]
        same = 2.0 if c.raw.frame is frame else 1.0 if c.raw.frame.parent is frame.parent else 0.0
        return [
            math.log2(1 + c.line.words), c.raw.link_share, same, float(c.prose), float(c.verdict is not None),
            float(c.line.heading), float(c.engine),
        ]  # fmt: skip

    def _far(self, before: int, after: int) -> list[float]:
        prev = self.candidates[before] if before >= 0 else None
        foll = self.candidates[after] if after < len(self.candidates) else None
        return [
            float(prev is not None and prev.prose), float(foll is not None and foll.prose),
            math.log2(1 + prev.line.words) if prev else -1.0, math.log2(1 + foll.line.words) if foll else -1.0,
        ]  # fmt: skip

    def _runs(self, place: int) -> list[float]:
        """Link text in the seven blocks around, and whether the last heading before is one of boilerplate."""
        low, high = max(0, place - 3), min(len(self.candidates), place + 4)
        links = sum(c.raw.link_chars for c in self.candidates[low:high])
        return [links / max(1, self.size_sum[high] - self.size_sum[low]), float(self.heading_verdicts[place])]
