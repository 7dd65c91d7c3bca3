"""The evidence for a page's metadata, while it is collected."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from extraction.records import Evidence
from extraction.text import tidy

#: Most candidates kept of one page, and most characters of one value: evidence is to be read by people.
MAX_ENTRIES: Final = 60
MAX_QUOTE: Final = 300


@dataclass(slots=True)
class Log:
    """Candidates in the order in which they were looked at."""

    entries: list[Evidence] = field(default_factory=list)

    def add(self, name: str, source: str, value: str, *, chosen: bool) -> None:
        """Note one candidate for a field."""
        if len(self.entries) < MAX_ENTRIES:
            quote = tidy(value[: MAX_QUOTE * 4])[:MAX_QUOTE]
            self.entries.append(Evidence(field=name, source=source, value=quote, chosen=chosen))

    def first(self, name: str, candidates: Iterable[tuple[str, str]], most: int = 4) -> str | None:
        """Note up to `most` (source, value) candidates and return the first one's value, None if there are none."""
        chosen: str | None = None
        for count, (source, value) in enumerate(candidates):
            if count >= most:
                break
            self.add(name, source, value, chosen=count == 0)
            chosen = value if count == 0 else chosen
        return chosen
