"""When a page says that its article was published and changed.

JSON-LD, meta, microdata and time elements are read and weighed; the URL's day and htmldate, which guesses and costs
more than all the rest, are asked only where those say nothing.
"""

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from htmldate import find_date
from lxml.html import HtmlElement

from extraction import dates, jsonld
from extraction.dates import Moment
from extraction.declared import Declared
from extraction.evidence import Log

_PUBLISHED: Final = (
    "article:published_time og:article:published_time article:published datepublished date.published pubdate"
    " publishdate publish_date publish-date published_time published-date date_published cxenseparse:recs:publishtime"
    " cxenseparse:publishtime parsely-pub-date sailthru.date dcterms.issued dc.date.issued dcterms.created"
    " dc.date.created dcterms.date dc.date article.published article_date_original originalpublicationdate"
    " publication_date citation_publication_date citation_date rnews:datepublished vr:published_time bt:pubdate date"
    " created shareaholic:article_published_time article:create_time"
).split()
_MODIFIED: Final = (
    "article:modified_time og:article:modified_time og:updated_time article:modified datemodified last-modified lastmod"
    " dcterms.modified dc.date.modified article.updated modified_time date_modified updated_time lastmodified revised"
    " shareaholic:article_modified_time"
).split()
_PUBLISHED_CLASS = re.compile(
    r"publish|posted|pub-?date|entry-date|article[-_]*date|dateline|created|timestamp", re.IGNORECASE
)
_MODIFIED_CLASS = re.compile(r"modif|updat|aktualis|actualis|edited", re.IGNORECASE)
_ELSEWHERE = re.compile(
    r"related|teaser|sidebar|widget|recommend|popular|comment|footer|latest|promo|ticker|live-?post", re.IGNORECASE
)
#: A day at the end of the title element ("… | DW | 28.04.2023").
_IN_TITLE = re.compile(r"\s[|\-–—]\s(\d{1,2}\.\d{1,2}\.\d{4}|\d{4}-\d{2}-\d{2})\s*$")
#: Most time elements looked at: a page's own stand first, lists of other articles follow.
_MAX_TIMES: Final = 40
#: Tags and bytes of a page beyond which htmldate is not asked: it reads every one of them several times.
_MAX_GUESSED_TAGS: Final = 30_000
_MAX_GUESSED_BYTES: Final = 3 << 20
#: Two sources may differ by so much without disagreeing: time zones, and the minutes between draft and publication.
_SLACK: Final = timedelta(hours=26)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A date that was taken: the moment, the string it was read from, where that stood."""

    moment: Moment
    raw: str
    source: str

    @property
    def at(self) -> datetime:
        """The moment, UTC."""
        return self.moment.at


@dataclass(frozen=True, slots=True)
class Stamps:
    """Published and modified, and whether sources contradict each other by more than a time zone."""

    published: Stamp | None = None
    modified: Stamp | None = None
    disagree: bool = False


def read(says: Declared, language: str | None, seen: datetime | None, log: Log) -> Stamps:
    """Return the dates of a page. Impossible ones are noted in the evidence and not taken; none is invented."""
    published = _read("date_published", _published(says), language, seen, log)
    modified = _read("date_modified", _modified(says), language, seen, log)
    late = modified[0] if modified else None
    chosen = published[0] if published else _fallback(says, seen, log)
    moments = [stamp.at for stamp in published]
    disagree = bool(moments) and max(moments) - min(moments) > _SLACK
    if chosen and late and chosen.at - late.at > _SLACK:
        disagree = True
    return Stamps(published=chosen, modified=late, disagree=disagree)


def _read(
    name: str, candidates: Iterator[tuple[str, str]], language: str | None, seen: datetime | None, log: Log
) -> list[Stamp]:
    stamps: list[Stamp] = []
    for count, (source, raw) in enumerate(candidates):
        if count >= 8:
            break
        moment = dates.read(raw, language=language, seen=seen)
        log.add(name, source, raw, chosen=moment is not None and not stamps)
        if moment:
            stamps.append(Stamp(moment, raw[:100], source))
    return stamps


def _published(says: Declared) -> Iterator[tuple[str, str]]:
    for source, value in (*says.ld("datePublished"), *says.ld("dateCreated"), *says.ld("uploadDate")):
        if text := jsonld.text(value):
            yield source, text
    yield from says.meta(*_PUBLISHED)
    for name in ("datePublished", "dateCreated"):
        for element in says.items.get(name, [])[:2]:
            if text := _when(element):
                yield f"microdata:{name}", text
    for node in says.graph.nodes:
        if "WebPage" in jsonld.types(node) and (text := jsonld.text(node.get("datePublished"))):
            yield "json_ld:WebPage.datePublished", text
    yield from _times(says)
    for element in says.page.tree.iter("title"):
        if match := _IN_TITLE.search(element.text or ""):
            yield "title", match[1]
        return


def _modified(says: Declared) -> Iterator[tuple[str, str]]:
    for source, value in says.ld("dateModified"):
        if text := jsonld.text(value):
            yield source, text
    yield from says.meta(*_MODIFIED)
    for element in says.items.get("dateModified", [])[:2]:
        if text := _when(element):
            yield "microdata:dateModified", text


def _when(element: HtmlElement) -> str:
    return (element.get("content") or element.get("datetime") or str(element.text_content())[:100]).strip()


def _times(says: Declared) -> Iterator[tuple[str, str]]:
    """Yield the time elements that speak of the page's own article: named so, or the first near the h1."""
    named, first = [], None
    for _, element in zip(range(_MAX_TIMES), says.page.tree.iter("time"), strict=False):
        around = " ".join(filter(None, (e.get("class") for e in (element, *_near(element)))))
        if _MODIFIED_CLASS.search(around) or _ELSEWHERE.search(around) or not (text := _when(element)):
            continue
        if element.get("pubdate") is not None or _PUBLISHED_CLASS.search(around):
            named.append(("time[published]", text))
        elif first is None:
            first = ("time", text)
    yield from named[:1] or ([first] if first else [])


def _near(element: HtmlElement) -> Iterator[HtmlElement]:
    for _, ancestor in zip(range(4), element.iterancestors(), strict=False):
        if ancestor.tag in {"body", "main", "html"}:
            return
        yield ancestor


def _fallback(says: Declared, seen: datetime | None, log: Log) -> Stamp | None:
    """Read the URL's day, else ask htmldate what the visible page says."""
    if moment := dates.read_url(says.page.url, seen=seen):
        log.add("date_published", "url", str(moment.day), chosen=True)
        return Stamp(moment, str(moment.day), "url")
    if says.page.tags > _MAX_GUESSED_TAGS or says.page.size > _MAX_GUESSED_BYTES:
        return None
    guess = find_date(_undeclared(says.page.tree), original_date=True, extensive_search=True)
    moment = dates.read(guess, seen=seen) if guess else None
    if guess:
        log.add("date_published", "htmldate", guess, chosen=moment is not None)
    return Stamp(moment, guess, "htmldate") if moment and guess else None


def _undeclared(tree: HtmlElement) -> HtmlElement:
    """Return a copy without what was read already: htmldate would take a date of change for the publication."""
    copied = deepcopy(tree)
    for element in list(copied.iter("meta", "script")):
        name = (element.get("property") or element.get("name") or element.get("itemprop") or "").lower()
        if name in _MODIFIED or "ld+json" in (element.get("type") or ""):
            element.drop_tree()
    return copied
