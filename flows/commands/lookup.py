"""Commands that find articles in the store, and show what changed in one. Their texts are shown inert."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from rich.console import Console
from rich.text import Text

from flows.folder import data_folder
from flows.plain import plain
from storage.search import Found, Hit, search
from storage.versions import compare, versions

LONGEST_URL = 2000  # characters
COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def find(
    data: Path | None,
    query: str,
    *,
    sites: Sequence[str],
    language: str | None,
    days: tuple[date | None, date | None],
    limit: int,
) -> int:
    """Print the articles that a query finds, best first. `days`: the first and the last of publication, in UTC.

    Raises SearchError, NotPublishedError, and SiteError where nothing is found and a site is none.
    """
    folder = data_folder(data)
    first, last = days
    found = search(
        folder,
        query,
        sites=sites,
        language=language,
        published_from=_midnight(first) if first else None,
        published_to=_midnight(last) + timedelta(days=1) if last else None,
        limit=limit,
    )
    if not found.total:
        _require_sites(folder, sites)
    console = Console(highlight=False)
    for hit in found.hits:
        console.print(*_shown(hit), sep="\n", end="\n\n", soft_wrap=True)
    console.print(Text(_count(found), style="dim"))
    return 0


def diff(data: Path | None, article: str, old: int | None, new: int | None) -> int:
    """Print the unified diff of two versions of an article. Raises UnknownArticleError or NotPublishedError."""
    folder = data_folder(data)
    text = compare(folder, article, old, new)
    console = Console(highlight=False)
    for line in text.splitlines():
        console.print(Text(plain(line, len(line) + 1), style=COLOURS.get(line[0], "")), soft_wrap=True)
    if not text:
        console.print("no difference: " + _only(len(versions(folder, article))), soft_wrap=True)
    return 0


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _require_sites(folder: Path, names: Sequence[str]) -> None:
    """Nothing was found: raise SiteError, with the nearest right name, if that is for a site that there is not."""
    if names:
        from flows.desk import open_desk  # noqa: PLC0415 - reads all site files
        from spiders.sitefiles import find_site  # noqa: PLC0415

        known = open_desk(folder).sites
        for name in names:
            find_site(known, name)


def _shown(hit: Hit) -> tuple[Text, Text, Text, Text]:
    published = f"{hit.date_published:%Y-%m-%d %H:%M} UTC" if hit.date_published else "no date"
    facts = f"{published}  {hit.site}  {hit.in_language or 'no language'}"
    return (
        Text(plain(hit.headline or "(no headline)"), style="bold"),
        Text(plain(facts), style="dim"),
        Text(plain(hit.url, LONGEST_URL)),
        _marked(hit),
    )


def _marked(hit: Hit) -> Text:
    """Return the snippet with the words that were looked for in colour."""
    text, end = Text("    "), 0
    for start, stop in hit.marks:
        text.append(plain(hit.snippet[end:start], len(hit.snippet) + 1))
        text.append(plain(hit.snippet[start:stop], len(hit.snippet) + 1), style="bold yellow")
        end = stop
    return text.append(plain(hit.snippet[end:], len(hit.snippet) + 1))


def _count(found: Found) -> str:
    shown = len(found.hits)
    of_all = f" found; the best {shown}, --limit gives more" if shown < found.total else " found"
    return f"{found.total:,} article{'' if found.total == 1 else 's'}{of_all}"


def _only(number: int) -> str:
    return "the store has one version of it" if number == 1 else "those versions are equal"
