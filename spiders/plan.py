"""A plan: the URLs that sources name of a span of days, as lines of a file, instead of pages that are asked for."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from extraction.records import Discovery
from extraction.urls import url_key
from spiders import journal
from spiders.days import Span
from spiders.known import Known
from spiders.robots import now_utc
from spiders.site import Site


class Plan:
    """Writes each URL of the span once, as it is found: a line of journal kind `planned`.

    Its fields are those of `discovered` with `day` (null: the day is not told) and `known` (it needs no visit).
    """

    def __init__(self, path: Path, spans: Mapping[str, Span], known: Known) -> None:
        self._path, self._spans, self._known = path, spans, known
        self._seen: set[bytes] = set()
        path.touch()

    def take(self, site: Site, found: Iterable[Discovery], pages: Mapping[str, date]) -> tuple[int, int]:
        """Write what may be of the span; return how many URLs are new to the plan and are to be fetched, and known.

        Raises OSError where the disk refuses.
        """
        zone, span, now = ZoneInfo(site.time_zone), self._spans[site.name], now_utc()
        lines = []
        known = 0
        for discovery in found:
            day, may_be = span.day(discovery, zone, pages)
            key = url_key(discovery.url)
            if not may_be or bytes.fromhex(key) in self._seen:
                continue
            self._seen.add(bytes.fromhex(key))
            is_known = self._is_known(key, discovery, now)
            known += is_known
            lines.append(journal.planned(discovery, now, key, day=day, known=is_known))
        with self._path.open("ab") as file:
            file.write(b"".join(lines))
        return len(lines) - known, known

    def _is_known(self, key: str, discovery: Discovery, now: datetime) -> bool:
        row = self._known.find(key)
        return row is not None and not row.wants_visit(discovery, now)
