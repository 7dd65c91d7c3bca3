"""The gate: may a re-extraction into the store by itself, or is it held for a person to look at? Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from storage.comparison import PRECIOUS, SiteChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """The most that a site may change, in percent: of its articles, or of the characters of their texts."""

    articles_lost: float
    articles_gained: float
    text_lost: float
    text_gained: float
    fields_lost: float


def hold(sites: Iterable[SiteChange], most: Thresholds) -> list[str]:
    """Return why a re-extraction is to be held, a sentence each, worst first by site; nothing if it passes."""
    reasons = [(share, text) for site in sites for share, text in _reasons(site, most)]
    return [text for _, text in sorted(reasons, reverse=True)]


def _reasons(site: SiteChange, most: Thresholds) -> Iterator[tuple[float, str]]:
    # Newly found articles were none before, so that they are no part of what can be lost.
    articles = site.articles - site.newly_article
    lost = site.newly_rejected + site.failed
    for number, of, what, limit in (
        (lost, articles, "of its articles would be lost or could not be read again", most.articles_lost),
        (site.newly_article, articles, "as many articles as it has would be new", most.articles_gained),
        (site.characters_lost, site.characters, "of its text would be lost", most.text_lost),
        (site.characters_gained, site.characters, "of its text would be added", most.text_gained),
        *(
            (site.fields_lost.get(name, 0), articles, f"of its articles would lose {_NAMES[name]}", most.fields_lost)
            for name in PRECIOUS
        ),
    ):
        percent = 100 * number / of if of else 100.0 * bool(number)
        if percent > limit:
            yield percent, f"{site.site}: {percent:.1f}% {what} ({number:,} of {of:,}; at most {limit:g}%)"


_NAMES = {
    "headline": "the headline",
    "authors": "the authors",
    "date_published": "the date",
    "in_language": "the language",
}
