"""Versions of an article and what changed between them."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from extraction.urls import BadUrlError, canonicalize, url_key
from storage.database import connect


class UnknownArticleError(LookupError):
    """Raised for an article or version that the store does not have; the message says which are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One text of an article. Times are aware, in UTC; `valid_to` is None for the current one."""

    url_key: str
    url: str
    version: int
    valid_from: datetime
    valid_to: datetime | None
    headline: str | None
    description: str | None
    article_body: str


def versions(data: Path, article: str) -> list[Version]:
    """Return all versions of an article, oldest first, from the published copy.

    Args:
        data: the data folder.
        article: its URL (any that led to it) or its url_key.

    Raises:
        UnknownArticleError: no such article is in the store.
        NotPublishedError: nothing has been published yet.
    """
    key = _key(article)
    with connect(data) as connection:
        rows = connection.execute(
            """SELECT url_key, url, version, valid_from, valid_to, headline, description, article_body
            FROM article_versions
            WHERE url_key IN (SELECT $key UNION ALL SELECT article_key FROM urls WHERE url_key = $key)
            ORDER BY url_key <> $key, url_key, version""",
            {"key": key},
        ).fetchall()
    found = [Version(**dict(zip(Version.__slots__, _aware(row), strict=True))) for row in rows]
    if not found:
        raise UnknownArticleError(f"{article}: no article of that URL or key is in the store")
    return [version for version in found if version.url_key == found[0].url_key]


def compare(data: Path, article: str, old: int | None = None, new: int | None = None) -> str:
    """Return the unified diff between two versions of an article; without numbers, of the last two.

    An empty text: the article has one version, or the two are equal. Raises as `versions` does.
    """
    known = versions(data, article)
    newer = _pick(known, new if new is not None else known[-1].version)
    older = _pick(known, old if old is not None else max(newer.version - 1, 1))
    return unified(older, newer)


def unified(old: Version, new: Version) -> str:
    """Return the unified diff of two versions, a line a block, headline and lead first; empty if they are equal."""
    lines = difflib.unified_diff(
        _lines(old), _lines(new), _title(old), _title(new), old.valid_from.isoformat(), new.valid_from.isoformat()
    )
    return "\n".join(line.removesuffix("\n") for line in lines)


def _lines(version: Version) -> list[str]:
    fields = [f"headline: {version.headline}"] if version.headline else []
    fields += [f"description: {version.description}"] if version.description else []
    return [line + "\n" for line in [*fields, *(line for line in version.article_body.splitlines() if line)]]


def _title(version: Version) -> str:
    return f"{version.url} version {version.version}"


def _pick(known: Sequence[Version], number: int) -> Version:
    for version in known:
        if version.version == number:
            return version
    raise UnknownArticleError(f"{known[0].url}: there is no version {number}; the store has 1 to {known[-1].version}")


def _key(article: str) -> str:
    if len(article) == 24 and not set(article) - set("0123456789abcdef"):
        return article
    try:
        return url_key(canonicalize(article))
    except BadUrlError as error:
        raise UnknownArticleError(f"{error}; give an article's URL or its url_key of 24 hexadecimal digits") from error


def _aware(row: tuple[Any, ...]) -> list[Any]:
    return [value.replace(tzinfo=UTC) if isinstance(value, datetime) else value for value in row]
