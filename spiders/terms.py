"""Terms of use that stand in files of their own: an origin's tdmrep.json and the RSL licences that it names.

`Terms` holds them as read, and says of a page what its site says of use, the most particular word first: the page's
own head, then its response's header, then the origin's files. Nothing is fetched here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from extraction.decoding import BodyError, decode_body
from extraction.urls import BadUrlError, canonicalize
from spiders import pagehead, rsl, tdmrep
from spiders.daycache import DayCache
from spiders.pagehead import Head
from spiders.rights import header_rights, licence_links
from spiders.robots import Robots

LARGEST_DECODED = 2 << 20

Fields = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One file as read; `unread` says why a licence says nothing."""

    tdm: tuple[tdmrep.Rule, ...] = ()
    contents: tuple[rsl.Content, ...] = ()
    unread: str | None = None


class Terms:
    """What the origins of a crawl say of use."""

    def __init__(self, cache: DayCache) -> None:
        self._cache = cache
        self._documents: dict[str, Document] = {}
        self._whole: set[str] = set()  # origins of which no file is missing

    def missing(self, origin: str, robots: Robots, now: datetime) -> list[str]:
        """Return the URLs of an origin's files that have to be asked for before its pages are."""
        if origin in self._whole:
            return []
        missing = [url for url in (origin + tdmrep.PATH, *licences_of(origin, robots)) if not self.knows(url, now)]
        if not missing:
            self._whole.add(origin)
        return missing

    def knows(self, url: str, now: datetime) -> bool:
        """Whether a file was read in this crawl, or within a day before it."""
        if url not in self._documents and (kept := self._cache.fresh(url, now)) is not None:
            self._documents[url] = parse(url, kept.status, kept.body)
        return url in self._documents

    def take(self, url: str, status: int, fields: Fields, body: bytes, now: datetime) -> None:
        """Take the answer for a file."""
        try:
            body = decode_body(body, fields, max_bytes=LARGEST_DECODED).body
        except BodyError as error:
            self.give_up(url, str(error))
            return
        if status == 200 or (400 <= status < 500 and status != 429):
            self._cache.keep(url, status, body, now)
            self._documents[url] = parse(url, status, body)
        else:
            self.give_up(url, f"status {status}")

    def give_up(self, url: str, reason: str) -> None:
        """Go by the last answer that is kept, else by none."""
        kept = self._cache.stale(url)
        self._documents[url] = parse(url, kept.status, kept.body) if kept else Document(unread=reason)

    def licence_of(self, url: str, fields: Fields, head: Head) -> str | None:
        """Return the URL of the licence file that a page itself names, None if it names none or holds its terms."""
        if head.rsl is not None:
            return None
        linked = next((target for target, is_rsl in licence_links(fields) if is_rsl), None)
        named = head.licence or linked
        return _canonical(named, url) if named else None

    def of_page(
        self, url: str, robots: Robots | None, fields: Fields = (), head: Head = pagehead.NOTHING
    ) -> dict[str, str]:
        """Return what was said of a page's use, a flat object of strings (docs/fetching.md, "Rights")."""
        origin, path = _parts(url)
        document = self._documents.get(origin + tdmrep.PATH)
        said = {name: text for name, text in (robots.rights if robots else {}).items() if name != "licence"}
        said |= tdmrep.said_of(document.tdm, path) if document else {}
        said |= header_rights(fields) | dict(head.tdm)
        if head.robots:
            said["robots_meta"] = ", ".join(head.robots)
        return said | self._licence(url, origin, robots, fields, head)

    def _licence(self, url: str, origin: str, robots: Robots | None, fields: Fields, head: Head) -> dict[str, str]:
        if head.rsl is not None:
            return _terms(url, url, _read(head.rsl))
        if own := self.licence_of(url, fields, head):
            return _terms(url, own, self._documents.get(own, Document(unread="not asked for")))
        for licence in licences_of(origin, robots) if robots else ():
            if said := _terms(url, licence, self._documents.get(licence, Document(unread="not asked for"))):
                return said
        return {}


def demand(rights: dict[str, str]) -> str | None:
    """Say why a page is not to be had without a licence: its RSL terms do not give what we do (keep it and find it
    again, `search` in RSL's words) for nothing. None if they do, or say nothing of it.
    """  # noqa: D205
    use = rights.get("licence_search")
    if use is None or use == "yes":
        return None
    wanted = {
        "no": "do not permit search",
        "server": "are to be asked for at a licence server",
        "limited": "are for some users or countries only",
    }.get(use, f"ask for payment ({use})")
    return f"the terms of {rights.get('licence', 'its licence')[:200]} {wanted}"


def parse(url: str, status: int, body: bytes) -> Document:
    """Read the answer for a file. Never raises."""
    if url.endswith(tdmrep.PATH):
        return Document(tdm=tdmrep.read(body) if status == 200 else ())
    return _read(body) if status == 200 else Document(unread=f"status {status}")


def licences_of(origin: str, robots: Robots) -> list[str]:
    """Return the URLs of the licences that an origin's robots.txt names."""
    found = (_canonical(text, f"{origin}/") for text in robots.licences)
    return [url for url in dict.fromkeys(found) if url]


def _read(body: bytes) -> Document:
    try:
        return Document(contents=rsl.read(body))
    except rsl.LicenceError as error:
        return Document(unread=str(error))


def _terms(page: str, licence: str, document: Document) -> dict[str, str]:
    """Return the rights by a licence; a licence that could not be read is there, and reserves training."""
    if document.unread:
        return {"licence": licence, "licence_train": "unread", "licence_terms": f"unread: {document.unread}"[:500]}
    said = rsl.terms_of(document.contents, page)
    return {"licence": licence, **said} if said else {}


def _canonical(text: str, base: str) -> str | None:
    try:
        return canonicalize(text, base)
    except BadUrlError:
        return None


def _parts(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}", parts.path + (f"?{parts.query}" if parts.query else "")
