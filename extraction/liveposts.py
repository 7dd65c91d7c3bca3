"""The posts of a live blog: which blocks make one post, and when it was written."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from extraction import dates
from extraction.blocks import Frame

#: Fewer elements with a time of their own are an article with a byline, not a stream of posts.
MIN_POSTS: Final = 3


def posts(frames: Sequence[Frame], language: str | None = None) -> list[tuple[Frame, datetime] | None]:
    """The post of each block of a live blog, as (the post's frame, its time in UTC); None for blocks outside of posts.

    A post is the outermost element that holds exactly one `<time datetime>` (HTML Living Standard): around several of
    them there is the stream, within one of them only parts.
    """
    known: dict[int, str | None] = {}
    found = [_post(frame, known) for frame in frames]
    times = {id(post): dates.read(raw, language=language) for post, raw in filter(None, found)}
    if len(times) < MIN_POSTS:
        return [None] * len(frames)
    return [
        (post[0], moment.at) if post is not None and (moment := times[id(post[0])]) is not None else None
        for post in found
    ]


def _post(frame: Frame, known: dict[int, str | None]) -> tuple[Frame, str] | None:
    outermost = None
    for outer in frame.path():
        if id(outer) not in known:
            known[id(outer)] = _only_time(outer)
        if (raw := known[id(outer)]) is not None:
            outermost = (outer, raw)
    return outermost


def _only_time(frame: Frame) -> str | None:
    stamps = (
        [raw for time in frame.element.iter("time") if (raw := time.get("datetime"))]
        if frame.element is not None
        else []
    )
    return str(stamps[0]) if len(stamps) == 1 else None
