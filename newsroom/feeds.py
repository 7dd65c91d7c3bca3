"""The sources in which the sites name their articles: RSS 2.0, Atom, JSON Feed, sitemaps, a Google-News sitemap."""

import gzip
import json
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape

from newsroom.houses import House
from newsroom.stories import Story

_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"


def moment(story: Story) -> datetime:
    """When the story last changed, UTC."""
    return story.modified or story.published


def rss(house: House, stories: Sequence[Story], *, tagged: Story, advertisement: str) -> str:
    """RSS 2.0. The link of `tagged` carries tracking parameters, and one item is an advertisement on another site."""
    items = [_rss_item(story, story.url + (TRACKING if story is tagged else "")) for story in stories]
    items.insert(
        3,
        f"<item><title>Spring sale at the chandlery (advertisement)</title><link>{escape(advertisement)}</link></item>",
    )
    return (
        f'{_XML}<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>{escape(house.title)}</title>'
        f"<link>{house.origin}/</link><description>All the news of the harbour town</description>"
        f"<language>en-gb</language>{''.join(items)}</channel></rss>"
    )


TRACKING = "?utm_source=rss&utm_medium=feed&utm_campaign=courier"


def _rss_item(story: Story, link: str) -> str:
    names = "".join(f"<dc:creator>{escape(author.name)}</dc:creator>" for author in story.authors)
    return (
        f"<item><title>{escape(story.headline)}</title><link>{escape(link)}</link>"
        f'<guid isPermaLink="false">{story.number}</guid><pubDate>{format_datetime(story.published, usegmt=True)}</pubDate>'
        f"{names}<category>{escape(story.section)}</category><description>{escape(story.lead)}</description></item>"
    )


def atom(house: House, stories: Sequence[Story]) -> str:
    """Atom (RFC 4287)."""
    entries = "".join(
        f"<entry><title>{escape(story.headline)}</title>"
        f'<link rel="alternate" type="text/html" href="{escape(story.url)}"/><id>tag:{house.name},2026:{story.number}</id>'
        f"<published>{story.local.isoformat()}</published><updated>{moment(story).isoformat()}</updated>"
        + "".join(f"<author><name>{escape(author.name)}</name></author>" for author in story.authors)
        + f"<summary>{escape(story.lead)}</summary></entry>"
        for story in stories
    )
    updated = max(moment(story) for story in stories).isoformat()
    return (
        f'{_XML}<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{house.languages[0]}"><title>{escape(house.title)}</title>'
        f'<id>{house.origin}/</id><updated>{updated}</updated><link rel="self" href="{house.origin}/atom.xml"/>{entries}</feed>'
    )


def json_feed(house: House, stories: Sequence[Story]) -> str:
    """JSON Feed 1.1."""
    items = [
        {
            "id": str(story.number),
            "url": story.url,
            "title": story.headline,
            "summary": story.lead,
            "date_published": story.local.isoformat(),
            "authors": [{"name": author.name} for author in story.authors],
            "tags": list(story.tags),
            "language": story.language,
        }
        for story in stories
    ]
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": house.title,
        "home_page_url": house.origin + "/",
        "feed_url": house.origin + "/feed.json",
        "language": house.languages[0],
        "items": items,
    }
    return json.dumps(feed, ensure_ascii=False, indent=1)


def sitemap(pages: Sequence[tuple[str, datetime | None]]) -> str:
    """A sitemap of (URL, time of the last change)."""
    entries = "".join(f"<url><loc>{escape(url)}</loc>{_lastmod(at)}</url>" for url, at in pages)
    return f'{_XML}<urlset xmlns="{_SITEMAP}">{entries}</urlset>'


def sitemap_index(children: Sequence[tuple[str, datetime]]) -> str:
    """A sitemap of sitemaps."""
    entries = "".join(f"<sitemap><loc>{escape(url)}</loc>{_lastmod(at)}</sitemap>" for url, at in children)
    return f'{_XML}<sitemapindex xmlns="{_SITEMAP}">{entries}</sitemapindex>'


def news_sitemap(house: House, stories: Sequence[Story]) -> str:
    """A Google-News sitemap: the stories of the last two days."""
    entries = "".join(
        f"<url><loc>{escape(story.url)}</loc><news:news><news:publication><news:name>{escape(house.title)}</news:name>"
        f"<news:language>{story.language}</news:language></news:publication>"
        f"<news:publication_date>{story.local.isoformat()}</news:publication_date>"
        f"<news:title>{escape(story.headline)}</news:title></news:news></url>"
        for story in stories
    )
    return f'{_XML}<urlset xmlns="{_SITEMAP}" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">{entries}</urlset>'


def zipped(text: str) -> bytes:
    """A gzip file whose bytes depend on the text alone."""
    return gzip.compress(text.encode(), mtime=0)


def _lastmod(at: datetime | None) -> str:
    return f"<lastmod>{at.isoformat(timespec='seconds')}</lastmod>" if at else ""
