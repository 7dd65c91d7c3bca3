"""What a source yields: URLs to fetch, further sitemaps to read, URLs refused with their outcome, what was wrong."""

import html
import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin

from extraction.records import Discovery, Outcome
from extraction.urls import BadUrlError, canonicalize, host
from spiders.site import Site

MAX_ENTRIES = 50_000  # the sitemap protocol's bound a file (sitemaps.org); what is beyond it is told as `bounded`
MAX_TITLE_CHARS = 300
MAX_RAW_URL_CHARS = 2000  # of a text that is no URL, kept for the ledger

_FILES = frozenset(
    "7z aac avi bmp css csv doc docx epub exe gif gz ico ics jpeg jpg js json m3u8 m4a mov mp3 mp4 mpeg mpg odt ogg pdf"
    " png ppt pptx rar rss svg tar tif tiff ttf txt wav webm webp woff woff2 xls xlsx xml zip avif".split()
)
_ADVERT_SEGMENTS = frozenset(
    "ad ads adv advert advertise advertisement advertisements advertorial advertorials anzeige anzeigen sponsored"
    " sponsored-content sponsored-post sponsor paid-content paid-post partner-content partnercontent partnerinhalt"
    " brandstudio brand-studio brandedcontent branded-content publireportage publirreportaje publi-redactionnel"
    " publicidad contenido-patrocinado werbung reklame reklama annons annonse annonsorinnehall promoted".split()
)
_ADVERT_TITLE = re.compile(
    r"\W{0,2}(?:anzeige|advertorial|sponsored(?: post| content)?|paid post|werbung|publireportage|publirreportaje"
    r"|publicité|publicidad|patrocinado|annonse?|reklam[ea]?|advertisement)\W{0,2}\s*[:|\]–—-]\s",
    re.IGNORECASE,
)
_INLINE = re.compile(
    r"</?(?:a|abbr|b|em|font|i|mark|q|small|span|strong|sub|sup|u)(?:\s[^<>]{0,1000})?>", re.IGNORECASE
)
_TAGS = re.compile(r"<[^<>]{0,1000}>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A sitemap that a sitemap index named. `lastmod` is UTC, None where the index said nothing that can be trusted."""

    url: str
    lastmod: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A URL that is not to be fetched: `discovery.url` is the raw text where that is no URL at all."""

    discovery: Discovery
    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """One source as read. Dates are UTC; discoveries stand newest first, those without a date after them.

    `kind` is what the bytes were (rss, rdf, feed, json, urlset, sitemapindex, text, section, html, empty).
    `outcome` is None for a source that yielded, else why it did not. `bounded` names a limit that cut it.
    `lastmod_trusted` is False where its lastmods lie: then none is kept, and a source must be read whole.
    """

    kind: str
    discoveries: tuple[Discovery, ...] = ()
    children: tuple[Child, ...] = ()
    refused: tuple[Refusal, ...] = ()
    problems: tuple[str, ...] = ()
    outcome: Outcome | None = None
    bounded: str | None = None
    lastmod_trusted: bool = True

    @property
    def entries(self) -> int:
        """How many distinct URLs the source named, of any kind."""
        return len(self.discoveries) + len(self.children) + len(self.refused)

    @property
    def newest(self) -> datetime | None:
        """The newest date that its entries bear."""
        dates = [date for entry in self.discoveries for date in (entry.lastmod, entry.published_hint) if date]
        return max([*dates, *(child.lastmod for child in self.children if child.lastmod)], default=None)


class Findings:
    """Gathers the entries of one source and judges each once, by site alone: nothing is fetched or looked up."""

    def __init__(self, url: str, site: Site, found_by: str, now: datetime | None = None) -> None:
        self.url, self.site, self.found_by = url, site, found_by
        self.now = now or datetime.now(UTC)
        self.latest = self.now + timedelta(days=1)  # later dates are none
        self._source_hosts = {host(url), *site.source_hosts()}
        self.discoveries: dict[str, Discovery] = {}
        self.children: dict[str, Child] = {}
        self.refused: dict[str, Refusal] = {}

    @property
    def full(self) -> bool:
        """Whether no more entries are taken."""
        return len(self.discoveries) + len(self.children) + len(self.refused) >= MAX_ENTRIES

    def add(
        self,
        text: str,
        *,
        base: str | None = None,
        lastmod: datetime | None = None,
        published: datetime | None = None,
        title: str | None = None,
    ) -> None:
        """Take a URL as the source wrote it, with what the source says of it."""
        title = clean_title(title)
        url, outcome, reason = _canonical(text, self._base(base))
        if url in self.discoveries or url in self.refused:
            return
        if outcome is None:
            outcome, reason = self._judge(url, title)
        entry = Discovery(
            url=url,
            site=self.site.name,
            found_in=self.url,
            found_by=self.found_by,
            lastmod=lastmod,
            published_hint=published if published and published <= self.latest else None,
            title_hint=title,
        )
        if outcome is None:
            self.discoveries[url] = entry
        else:
            self.refused[url] = Refusal(discovery=entry, outcome=outcome, reason=reason)

    def add_child(self, text: str, *, base: str | None = None, lastmod: datetime | None = None) -> None:
        """Take a sitemap that an index names: on the site's hosts, or on a host that its file or this index is on."""
        url, outcome, reason = _canonical(text, self._base(base))
        if outcome is None and not self.site.owns(url) and host(url) not in self._source_hosts:
            outcome = Outcome.OFF_SITE
            reason = f"a sitemap on {host(url)}, which is neither the site's nor that of one of its sources"
        if outcome is None:
            self.children.setdefault(url, Child(url=url, lastmod=lastmod))
        else:
            found = Discovery(url=url, site=self.site.name, found_in=self.url, found_by=self.found_by, lastmod=lastmod)
            self.refused.setdefault(url, Refusal(discovery=found, outcome=outcome, reason=reason))

    def refuse(self, url: str, outcome: Outcome, reason: str) -> None:
        """Turn a URL that was taken into a refused one."""
        if entry := self.discoveries.pop(url, None):
            self.refused[url] = Refusal(discovery=entry, outcome=outcome, reason=reason)

    def owned(self, text: str | None, base: str | None = None) -> bool:
        """Whether the text is a URL on one of the site's hosts."""
        try:
            return bool(text) and self.site.owns(canonicalize(text or "", self._base(base)))
        except BadUrlError:
            return False

    def _base(self, base: str | None) -> str:
        """What links are relative to: the source's URL, or an xml:base, which may itself be relative to that."""
        try:
            return urljoin(self.url, base) if base else self.url
        except ValueError:
            return self.url

    def parsed(self, kind: str, problems: list[str], *, bounded: str | None, outcome: Outcome | None = None) -> Parsed:
        """Close the source: judge its lastmods as a whole, order its entries."""
        lie = lying_lastmods(
            [(entry.lastmod, entry.published_hint) for entry in self.discoveries.values()]
            + [(child.lastmod, None) for child in self.children.values()],
            self.now,
        )
        discoveries = [
            replace(entry, lastmod=None) if entry.lastmod and (lie or entry.lastmod > self.latest) else entry
            for entry in self.discoveries.values()
        ]
        children = [
            replace(child, lastmod=None) if child.lastmod and (lie or child.lastmod > self.latest) else child
            for child in self.children.values()
        ]
        return Parsed(
            kind=kind,
            discoveries=tuple(sorted(discoveries, key=_age)),
            children=tuple(sorted(children, key=_child_age)),
            refused=tuple(self.refused.values()),
            problems=tuple([*problems, lie] if lie else problems),
            outcome=outcome if not (discoveries or children or self.refused) else None,
            bounded=bounded,
            lastmod_trusted=not lie,
        )

    def _judge(self, url: str, title: str | None) -> tuple[Outcome | None, str]:
        if not self.site.owns(url):
            return Outcome.OFF_SITE, f"{host(url)} is not a host of the site"
        why = no_article(url, title) or self.site.wants(url)
        return (Outcome.EXCLUDED, why) if why else (None, "")


def _age(entry: Discovery) -> float:
    date = entry.published_hint or entry.lastmod
    return -date.timestamp() if date else 1.0


def _child_age(child: Child) -> float:
    """Children that cannot be pruned come first: they may hold what is newest."""
    return -child.lastmod.timestamp() if child.lastmod else float("-inf")


def _canonical(text: str, base: str) -> tuple[str, Outcome | None, str]:
    """The canonical URL; of a text that is none, the text with its outcome and reason."""
    try:
        return canonicalize(text.replace("&amp;", "&"), base), None, ""
    except BadUrlError as error:
        raw = " ".join(text[:MAX_RAW_URL_CHARS].encode("utf-8", "replace").decode().split())
        return raw, error.outcome, str(error)


def no_article(url: str, title: str | None) -> str | None:
    """Why a canonical URL is no article on the face of it."""
    path, _, query = url.split("/", 3)[3].partition("?")
    if not path and not query:
        return "a home page"
    *folders, last = path.lower().split("/")
    _, dot, suffix = last.rpartition(".")
    if dot and suffix in _FILES:
        return f"a {suffix} file"
    if advert := _ADVERT_SEGMENTS.intersection(folders or [last]):
        return f"an advertisement (its path says {min(advert)})"
    return "an advertisement (its title says so)" if title and _ADVERT_TITLE.match(title) else None


def clean_title(text: str | None) -> str | None:
    """A title as one line of plain text: markup, control characters and double escapes out, NFC, bounded."""
    if not text:
        return None
    plain = text[: 8 * MAX_TITLE_CHARS]
    if "&" in plain or "<" in plain:
        plain = _TAGS.sub(" ", _INLINE.sub("", html.unescape(html.unescape(plain))))
    if not plain.isprintable():  # control, format, private, unassigned characters; separators other than the space
        plain = "".join(" " if char.isspace() or unicodedata.category(char) == "Cc" else char for char in plain)
        plain = "".join(char for char in plain if char.isprintable() or char in "\u200c\u200d")
    return unicodedata.normalize("NFC", " ".join(plain.split()))[:MAX_TITLE_CHARS].strip() or None


def lying_lastmods(dates: list[tuple[datetime | None, datetime | None]], now: datetime) -> str | None:
    """Why the lastmods of a source cannot be used to leave anything out; None if they can.

    `dates` are (lastmod, publication date) of each entry. A lastmod beside a publication date of the two days before it
    is vouched for: a news sitemap may well say one day everywhere.
    """
    given = [(lastmod, published) for lastmod, published in dates if lastmod]
    if not given:
        return None
    future = sum(lastmod > now + timedelta(days=1) for lastmod, _ in given)
    if future * 10 > len(given):
        return f"lastmod lies: in the future for {future} of {len(given)}"
    older = sum(published is not None and lastmod < published - timedelta(days=1) for lastmod, published in given)
    if older * 10 > len(given):
        return f"lastmod lies: older than the article for {older} of {len(given)}"
    alone = sorted(
        lastmod.timestamp()
        for lastmod, published in given
        if not (published and timedelta(0) <= lastmod - published <= timedelta(days=2))
    )
    if len(alone) >= 3:
        middle = alone[len(alone) // 2]
        same = sum(abs(stamp - middle) <= 60 for stamp in alone)
        if same * 10 >= len(given) * 9:
            return f"lastmod lies: the same for {same} of {len(given)}"
    return None


def index_lies(child: Child, read: Parsed) -> bool:
    """Whether a sitemap, now read, holds entries newer than the index's lastmod of it: then no child may be pruned."""
    newest = read.newest
    return child.lastmod is not None and newest is not None and newest > child.lastmod + timedelta(days=1)
