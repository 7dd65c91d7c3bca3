"""URL lists of a job: what the ledger holds as pending, and what somebody asked for by name."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import msgspec

from extraction.records import Discovery
from spiders.job import Job

_log = logging.getLogger(__name__)
# Found by these, a URL is asked for even where its source would not bring it again.
PENDING, LIST = "pending", "list"


class _Line(msgspec.Struct, frozen=True):
    url: str
    site: str
    lastmod: datetime | None = None
    published_hint: datetime | None = None
    title_hint: str | None = None
    found_in: str = PENDING
    found_by: str = PENDING


_decode = msgspec.json.Decoder(_Line).decode


def pending(path: Path) -> Iterator[Discovery]:
    """Yield the URLs of a pending list (JSONL of `discovered` lines). A bad line is warned of and passed over."""
    return map(_discovery, _lines(path))


def planned(path: Path) -> Iterator[Discovery]:
    """Yield the URLs of a plan as its sources named them. A bad line is warned of and passed over."""
    for line in _lines(path):
        yield replace(_discovery(line), found_in=line.found_in, found_by=line.found_by)


def asked_for(job: Job) -> Iterator[Discovery]:
    """Yield the explicit URLs of a job, as they were given."""
    for site, url in job.urls:
        yield Discovery(url=url, site=site, found_in=LIST, found_by=LIST)


def _lines(path: Path) -> Iterator[_Line]:
    with path.open("rb") as file:
        for number, text in enumerate(file, start=1):
            try:
                yield _decode(text)
            except msgspec.MsgspecError as error:
                _log.warning("%s: line %d is passed over: %s", path, number, error)


def _discovery(line: _Line) -> Discovery:
    return Discovery(
        url=line.url,
        site=line.site,
        found_in=PENDING,
        found_by=PENDING,
        lastmod=line.lastmod,
        published_hint=line.published_hint,
        title_hint=line.title_hint,
    )
