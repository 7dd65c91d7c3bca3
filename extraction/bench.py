"""The callable that benchmarks of extractors ask for: bytes and URL in, text, title, authors and date out."""

from typing import Any

from extraction.article import read_parts, render_text


def extract(html: bytes, url: str) -> dict[str, Any]:
    """The article of a page as a plain dict, also of pages that `article.extract` rejects by their class.

    Returns:
        `text` (running text of the body), `title`, `authors`,
        and `date` as YYYY-MM-DD of the time as the page wrote it.
    """
    metadata, body = read_parts(html, url)
    date = metadata.date_published
    return {
        "text": render_text(body.blocks),
        "title": metadata.headline,
        "authors": [*metadata.authors, *metadata.author_organisations],
        "date": (metadata.date_published_raw or "")[:10]
        if date is None
        else written_day(metadata.date_published_raw, date.date().isoformat()),
    }


def written_day(raw: str | None, utc_day: str) -> str:
    """The calendar day that the page wrote, which near midnight is not the day in UTC."""
    start = (raw or "")[:10]
    return start if len(start) == 10 and start[4] == "-" and start[:4].isdigit() and start[5:7].isdigit() else utc_day
