"""Lines that recur over a site's pages: how they are told from what its articles say, and how they are applied.

Words of no language are needed: a line that stands in many articles with different headlines is not theirs. What is
learned is a set of fingerprints a site; its version is a hash of the set, so the same set gives the same articles on
every machine, and a set that was revoked in part is another version.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from extraction.records import Block, BlockKind
from extraction.text import fold, word_count

#: Fewer articles than this say nothing.
MIN_PAGES: Final = 5
#: A line must stand under this many different headlines: one story told at three URLs is no proof.
MIN_HEADLINES: Final = 3
#: … and in this share of the site's articles, or in MANY of them whatever the share.
MIN_SHARE: Final = 0.2
MANY: Final = 8
#: Longer prose than this (words) needs more proof: a serial repeats its introduction.
LONG: Final = 40
LONG_SHARE: Final = 0.4
#: Shorter lines than this (words) are only learned where they stand at an article's edge: "No." and "Why?" recur in
#: interviews.
SHORT: Final = 4
EDGE: Final = 0.8
#: No article loses more than this share of its words to learned lines: then the lines, not the article, are wrong.
MAX_LOSS: Final = 0.5


def fingerprint(text: str) -> str:
    """16 hexadecimal digits for a line: equal where only case, punctuation and white space differ."""
    return hashlib.blake2b(fold(text).encode("utf-8", "replace"), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """How often one line was seen among the articles of a site.

    `pages` counts articles, `headlines` the different ones among their headlines; `edge_pages` those in which it stands
    among the first two or the last three blocks. `structural` says that it was ever a subhead, quote or table.
    """

    fingerprint: str
    text: str
    pages: int
    headlines: int
    edge_pages: int
    structural: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What was learned of one site: fingerprints of lines that are not its articles', and the version of the set."""

    version: str
    fingerprints: frozenset[str] = frozenset()

    @classmethod
    def of(cls, fingerprints: Iterable[str]) -> Self:
        """The set of these fingerprints, with the version that is theirs on every machine."""
        found = frozenset(fingerprints)
        digest = hashlib.blake2b("\n".join(sorted(found)).encode(), digest_size=6).hexdigest()
        return cls(version=digest, fingerprints=found)


def sightings(articles: Iterable[tuple[str, Sequence[Block]]]) -> list[Sighting]:
    """Count the lines of a site's articles, given as (headline, blocks): what `learn` decides on.

    A line counts once an article. In a store the same counts are one query over the blocks' fingerprints.
    """
    found: dict[str, _Count] = {}
    for headline, blocks in articles:
        title, last = fold(headline), len(blocks) - 3
        for place, block in enumerate(blocks):
            count = found.setdefault(fingerprint(block.text), _Count(block.text))
            count.structural |= block.kind in _STRUCTURE
            if count.last_article is not blocks:
                count.last_article = blocks
                count.pages += 1
                count.headlines.add(title)
                count.edge_pages += place < 2 or place >= last
    return [
        Sighting(
            fingerprint=key,
            text=count.text,
            pages=count.pages,
            headlines=len(count.headlines),
            edge_pages=count.edge_pages,
            structural=count.structural,
        )
        for key, count in found.items()
    ]


_STRUCTURE: Final = frozenset((BlockKind.SUBHEAD, BlockKind.QUOTE, BlockKind.TABLE, BlockKind.LIVE_POST))


@dataclass(slots=True)
class _Count:
    text: str
    pages: int = 0
    edge_pages: int = 0
    structural: bool = False
    headlines: set[str] = field(default_factory=set)
    last_article: Sequence[Block] | None = None


def learn(seen: Iterable[Sighting], pages: int, *, revoked: frozenset[str] = frozenset()) -> Learned:
    """Decide which lines of a site with `pages` articles are boilerplate; `revoked` fingerprints never are."""
    return Learned.of(s.fingerprint for s in seen if s.fingerprint not in revoked and is_boilerplate(s, pages))


def is_boilerplate(seen: Sighting, pages: int) -> bool:
    """Whether a line recurs as only boilerplate does.

    Subheads, quotes and tables may recur in good articles ("What happens next", a refrain, the same standings): those,
    and short lines, count only at an article's edge.
    """
    if pages < MIN_PAGES or seen.headlines < MIN_HEADLINES:
        return False
    words = word_count(seen.text)
    share = seen.pages / pages
    if words > LONG:
        return share >= LONG_SHARE
    if share < MIN_SHARE and seen.pages < MANY:
        return False
    at_edge = seen.edge_pages >= EDGE * seen.pages
    return at_edge or not (seen.structural or words < SHORT)


def recurring(blocks: Sequence[Block], learned: Learned | None) -> frozenset[int]:
    """The positions of the blocks that `learned` takes out of an article; none where it would take most of it."""
    if learned is None or not learned.fingerprints:
        return frozenset()
    hit = [block for block in blocks if fingerprint(block.text) in learned.fingerprints]
    lost, total = (sum(word_count(block.text) for block in found) for found in (hit, blocks))
    return frozenset(block.position for block in hit) if lost <= MAX_LOSS * total else frozenset()
