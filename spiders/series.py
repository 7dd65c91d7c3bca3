"""Sitemaps that an index names by their time: `sitemap-2026-11.xml` beside `sitemap-2026-10.xml`, with no lastmod.

A name alone proves little (`sitemap-2019.xml` may be the two thousand and nineteenth part), so only a series counts:
several names that are the same but for the date, all of whose numbers are dates.
"""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from urllib.parse import urlsplit

LEAST = 3  # periods that make a series
#: What is written under a month's name may have been changed, or filed, so much later.
MARGIN = timedelta(days=31)
_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)(?:([-_/.]?)(0[1-9]|1[0-2])(?:\2([0-2]\d|3[01]))?)?(?!\d)")
_OLDEST_YEAR = 1990


def last_days(urls: Iterable[str], today: date) -> dict[str, date]:
    """Return the last day of each sitemap that is one of a series by year, month or day, by its URL."""
    groups: dict[str, dict[str, date | None]] = {}
    for url in urls:
        skeleton = re.sub(r"\d+([-_/.]?\d+)*", "#", urlsplit(url)._replace(query="").geturl())
        groups.setdefault(skeleton, {})[url] = _last_day(url, today)
    found: dict[str, date] = {}
    for group in groups.values():
        dated = {url: day for url, day in group.items() if day is not None}
        if len(dated) == len(group) and len(set(dated.values())) >= LEAST:
            found |= dated
    return found


def _last_day(url: str, today: date) -> date | None:
    """Return the last day of the year, month or day in a URL's path; None if none is there that could be meant."""
    matches = list(_DATE.finditer(urlsplit(url).path))
    if len(matches) != 1:
        return None
    year, month, day = (int(part) if part else None for part in matches[0].group(1, 3, 4))
    assert year is not None
    if not _OLDEST_YEAR <= year <= today.year + 1:
        return None
    try:
        if day is not None:
            return date(year, month or 1, day)
    except ValueError:
        return None
    return date(year + (month in {None, 12}), 1 if month is None else month % 12 + 1, 1) - timedelta(days=1)
