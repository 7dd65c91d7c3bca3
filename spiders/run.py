"""What one run of the spider has seen and how it ended: the journal, the captures and the counts beside them."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from extraction.records import Discovery, Outcome
from spiders import journal
from spiders.captures import SegmentWriter
from spiders.robots import now_utc

#: Ends the name of a shard whose captures are dropped once they are in the store (docs/design.md, "A segment").
UNKEPT = ".noarchive"

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Counts:
    """What became of a site's URLs so far."""

    discovered: int = 0
    fetched: int = 0
    asked: int = 0  # for pages, each attempt and redirect counted
    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def pending(self) -> int:
        """URLs that were discovered and have not ended."""
        return self.discovered - self.fetched - self.outcomes.total()


class Run:
    """Notes each discovery, page and outcome, once a URL; `closed(path)` is told of each closed segment's journal.

    Raises OSError where the disk refuses.
    """

    def __init__(
        self,
        writer: SegmentWriter,
        sites: Sequence[str],
        closed: Callable[[Path], None],
        *,
        unkept: SegmentWriter | None = None,
    ) -> None:
        """`unkept` takes the pages of which no copy is to stay: its files go when their rows are in the store."""
        self._writer, self._closed = writer, closed
        self._unkept = unkept or writer
        self._seen: set[bytes] = set()
        self.counts = {name: Counts() for name in sites}
        self.pages = 0
        self._began = time.monotonic()

    def has_seen(self, key: str) -> bool:
        """Whether the URL of that key, or a twin of it, was discovered in this run."""
        return bytes.fromhex(key) in self._seen

    def discovered(self, found: Mapping[str, Discovery]) -> None:
        """Note URLs, by their keys, that are to be fetched or refused, before either: one write."""
        at = now_utc()
        for key, discovery in found.items():
            self._seen.add(bytes.fromhex(key))
            self.counts[discovery.site].discovered += 1
        self._writer.note(b"".join(journal.discovered(discovery, at, key) for key, discovery in found.items()))

    def ended(
        self,
        discovery: Discovery,
        outcome: Outcome,
        reason: str,
        *,
        status: int | None = None,
        attempts: int = 0,
        final_url: str | None = None,
        rights: Mapping[str, str] | None = None,
    ) -> None:
        """Note a URL that ended without a page."""
        self.counts[discovery.site].outcomes[outcome.value] += 1
        self._writer.note(
            journal.outcome(
                discovery,
                outcome,
                reason,
                now_utc(),
                status=status,
                attempts=attempts,
                final_url=final_url,
                rights=rights,
            )
        )

    def revisited(
        self, discovery: Discovery, *, final_url: str, headers: Sequence[tuple[str, str]], address: str | None
    ) -> None:
        """Write that the server says a page has not changed; its outcome is to be noted besides."""
        self._writer.write_revisit(
            discovery, final_url=final_url, status=304, headers=headers, fetched_at=now_utc(), address=address
        )

    def captured(
        self,
        discovery: Discovery,
        *,
        final_url: str,
        status: int,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        attempts: int,
        address: str | None,
        rights: Mapping[str, str],
        keep: bool = True,
        rendered: bytes | None = None,
    ) -> None:
        """Write a page; without `keep`, where its copy is dropped once its rows are in the store.

        `rendered` is what a browser made of it.
        """
        self.counts[discovery.site].fetched += 1
        self.pages += 1
        writer = self._writer if keep else self._unkept
        writer.write(
            discovery,
            final_url=final_url,
            status=status,
            headers=headers,
            body=body,
            fetched_at=now_utc(),
            attempts=attempts,
            address=address,
            rights=rights,
            rendered=rendered,
        )
        self.rotate_if_due()

    def note(self, lines: bytes) -> None:
        """Append lines to the journal."""
        self._writer.note(lines)

    def rotate_if_due(self) -> None:
        """Close the segments that are large or old enough."""
        for writer in {self._writer, self._unkept}:
            if writer.is_due:
                self._rotate(writer)

    def close(self, reason: str, at: datetime) -> None:
        """Write the last line and close the last segments."""
        if self._unkept is not self._writer:
            self._rotate(self._unkept)
        self._writer.note(journal.finished(reason, at))
        self._rotate(self._writer)

    def progress(self) -> dict[str, object]:
        """Return the event that tells how far the run is."""
        return {
            "event": "progress",
            "sites": {
                name: {
                    "discovered": counts.discovered,
                    "fetched": counts.fetched,
                    "outcomes": dict(counts.outcomes),
                    "pending": counts.pending,
                }
                for name, counts in self.counts.items()
            },
            "pages_per_s": round(self.pages / max(0.001, time.monotonic() - self._began), 2),
        }

    def _rotate(self, writer: SegmentWriter) -> None:
        path = writer.rotate()
        if path is not None:
            self._closed(path)
