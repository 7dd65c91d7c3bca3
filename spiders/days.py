"""The day of a URL: of publication as a source, the URL itself or its archive page tells it, else of the last change.

A day is the site's own: the calendar day in its time zone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from extraction.records import Discovery

# A date in the folders of a path, or at the start of a segment; later in a slug it is rather the story's than its day.
_DAY = re.compile(
    r"/((?:19|20)\d\d)(?:[/-](0?[1-9]|1[0-2])[/-](0?[1-9]|[12]\d|3[01])|(0[1-9]|1[0-2])([0-3]\d))(?=\D|$)"
)
_MONTH = re.compile(r"/((?:19|20)\d\d)[/-](0[1-9]|1[0-2])/")
_LATE = timedelta(hours=4)  # what is published in the evening is often changed after midnight


@dataclass(frozen=True, slots=True)
class Span:
    """The days that are wanted, both included."""

    first: date
    last: date

    def day(self, discovery: Discovery, zone: ZoneInfo, pages: Mapping[str, date]) -> tuple[date | None, bool]:
        """Return the day of these that a URL is planned for, and whether it may be of these days at all.

        No day, but maybe: nothing tells the day, or only a change that came later, which says nothing of publication.
        `pages` are the days of archive pages by their URL.
        """
        told = told_day(discovery, zone, pages)
        if told is not None:
            return (told, True) if self.first <= told <= self.last else (None, False)
        if (month := month_of(discovery.url)) is not None and not self._meets(month):
            return None, False
        if discovery.lastmod is None:
            return None, True
        changed = discovery.lastmod.astimezone(zone)
        if changed.date() < self.first:
            return None, False
        return (min(changed.date(), self.last), True) if (changed - _LATE).date() <= self.last else (None, True)

    def _meets(self, month: tuple[int, int]) -> bool:
        return (self.first.year, self.first.month) <= month <= (self.last.year, self.last.month)


def told_day(discovery: Discovery, zone: ZoneInfo, pages: Mapping[str, date]) -> date | None:
    """Return the day of publication where the source, the URL or the archive page that named it tells one."""
    if discovery.published_hint is not None:
        return discovery.published_hint.astimezone(zone).date()
    return day_in(discovery.url) or pages.get(discovery.found_in)


def day_in(url: str) -> date | None:
    """Return the day that a URL's path names, as /2026/11/05/slug, /2026-11-05-slug or /20261105 do."""
    for match in _DAY.finditer(urlsplit(url).path):
        try:
            return date(int(match[1]), int(match[2] or match[4]), int(match[3] or match[5]))
        except ValueError:
            continue
    return None


def month_of(url: str) -> tuple[int, int] | None:
    """Return year and month that a URL's path names, as /2026/11/slug does."""
    match = _MONTH.search(urlsplit(url).path)
    return (int(match[1]), int(match[2])) if match else None
