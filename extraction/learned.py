"""Lines that recur over the pages of a site: what is learned of them, and how it is applied."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What was learned of one site: fingerprints of lines that are not the article's, and the version of the set."""

    version: str
    fingerprints: frozenset[str] = frozenset()
