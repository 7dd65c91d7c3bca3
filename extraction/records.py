"""The records that pass between the rooms: parsed once at each edge, frozen, nothing adds keys on the way.

Every `datetime` here is timezone-aware and in UTC. Every text is Unicode NFC. Every URL is in the canonical form of
`extraction.urls` unless its name says otherwise (`requested_url` is as it was discovered).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """How a discovered URL ended: exactly one of these at any time, in the ledger (table `urls`) and in each report."""

    # still open
    PENDING = "pending"  # discovered, not yet tried
    DEFERRED = "deferred"  # not tried this time (cancelled, host's circuit open, Retry-After); the next crawl takes it
    OVER_LIMIT = "over_limit"  # not tried: a budget of this crawl was used up; the next crawl takes it
    # in the store
    LOADED = "loaded"  # an article: its first version or a new one
    UNCHANGED = "unchanged"  # fetched again, the same article
    DUPLICATE = "duplicate"  # the page is an article that another URL already holds (`article_key` says which)
    # fetched, and not an article: the page class that `extraction` gave
    INDEX = "index"
    LIVE = "live"
    GALLERY = "gallery"
    TEASER = "teaser"
    CONSENT_WALL = "consent_wall"
    PAYWALL = "paywall"
    ERROR_PAGE = "error_page"  # an error, login or challenge page at status 200 (soft 404)
    SCRIPT_ONLY = "script_only"  # nothing but a JavaScript shell
    EMPTY = "empty"
    NOT_HTML = "not_html"
    # fetched, and not readable
    TRUNCATED = "truncated"  # shorter than it said, or a compressed body cut in the middle
    UNDECODABLE = "undecodable"  # unknown or lying Content-Encoding
    TOO_LARGE = "too_large"
    EXTRACTION_TIMEOUT = "extraction_timeout"
    EXTRACTION_FAILED = "extraction_failed"  # an exception, or a worker's death, with the page's capture named
    # refused before or instead of fetching
    BAD_URL = "bad_url"
    REFUSED_SCHEME = "refused_scheme"
    REFUSED_ADDRESS = "refused_address"  # private, loopback, … and the site's own file does not allow it
    OFF_SITE = "off_site"
    EXCLUDED = "excluded"  # no article on the face of it (advertisement, file, …) or by the site's own patterns
    ROBOTS = "robots"  # disallowed by robots.txt
    ROBOTS_UNREACHABLE = "robots_unreachable"  # RFC 9309 2.3.1.4: unreachable means disallowed
    NOINDEX = "noindex"  # robots meta or X-Robots-Tag
    LICENCE_REQUIRED = "licence_required"  # an RSL licence is demanded
    TAKEN_DOWN = "taken_down"  # erased for good by `nightdesk takedown`, which says why
    # the site's answer
    GONE = "gone"  # 404, 410
    BLOCKED = "blocked"  # 401, 403, 451, challenge pages; never worked around
    RATE_LIMITED = "rate_limited"  # 429, or 503 with Retry-After
    HTTP_ERROR = "http_error"  # any other 4xx, or a status that is none
    SERVER_ERROR = "server_error"  # 5xx
    REDIRECT_LIMIT = "redirect_limit"  # too many, or a loop
    REDIRECTED_HOME = "redirected_home"  # an article's URL that lands on the home page
    # the wire
    TIMEOUT = "timeout"
    CONNECTION_FAILED = "connection_failed"
    DNS_FAILED = "dns_failed"
    TLS_FAILED = "tls_failed"
    # the captures
    CAPTURE_DAMAGED = "capture_damaged"  # a torn or flipped segment; fetched again


#: Outcomes with which a URL is asked for again by the next crawl that meets it (or that reads the pending list).
OPEN_OUTCOMES = frozenset(
    {
        Outcome.PENDING,
        Outcome.DEFERRED,
        Outcome.OVER_LIMIT,
        Outcome.ROBOTS_UNREACHABLE,
        Outcome.RATE_LIMITED,
        Outcome.SERVER_ERROR,
        Outcome.TIMEOUT,
        Outcome.CONNECTION_FAILED,
        Outcome.DNS_FAILED,
        Outcome.TRUNCATED,
        Outcome.CAPTURE_DAMAGED,
    }
)


class BlockKind(StrEnum):
    """What a block of an article's body is."""

    PARAGRAPH = "paragraph"
    SUBHEAD = "subhead"
    QUOTE = "quote"
    LIST_ITEM = "list_item"
    TABLE = "table"  # table or fact box, one row a line, cells parted by " | "
    LIVE_POST = "live_post"
    CODE = "code"


class RemovedKind(StrEnum):
    """Why a block does not belong to the body."""

    RELATED = "related"  # "Newer articles", "Read more", link lists
    CAPTION = "caption"
    CREDIT = "credit"
    AD_LABEL = "ad_label"
    NEWSLETTER = "newsletter"
    SHARE = "share"
    BYLINE = "byline"  # byline, author's bio
    TIMESTAMP = "timestamp"
    TAG = "tag"  # tags, kicker, section name
    COOKIE = "cookie"
    PAYWALL = "paywall"
    COMMENTS = "comments"
    REPEATED_TITLE = "repeated_title"
    ESCAPED_MARKUP = "escaped_markup"
    SITE_REPEATED = "site_repeated"  # learned: recurs over the site's pages
    NAVIGATION = "navigation"
    APPEAL = "appeal"  # asks for support, to follow a channel, to tell of a mistake
    NOTE = "note"  # a box that opens over a word, a footnote's number
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """A URL that a source named.

    `lastmod` and `published_hint` are what the source said (UTC), None where it said nothing usable.
    """

    url: str
    site: str
    found_in: str  # URL of the feed, sitemap or section page; "list" for an explicit list, "pending" for the ledger's
    found_by: str  # feed | news_sitemap | sitemap | section | list | pending
    lastmod: datetime | None = None
    published_hint: datetime | None = None
    title_hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """Where a response stands: a WARC file (path relative to the data folder) and the offset of its record, bytes."""

    file: str
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A captured response, body as the server sent it (Content-Encoding not undone)."""

    discovery: Discovery
    final_url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    fetched_at: datetime
    body: bytes
    capture: Capture
    attempts: int = 1
    rights: Mapping[str, str] = field(default_factory=dict)  # what the site said of use when it was fetched


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block of the body, in reading order. `level` is a subhead's 1-6 or a list item's depth, else 0.

    `position` is the block's place among all blocks of the page, kept and removed ones together.
    """

    kind: BlockKind
    text: str
    position: int
    level: int = 0
    time: datetime | None = None  # a live post's time


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A block that was taken out of the body: its kind, the name of the rule that took it, its place."""

    kind: RemovedKind
    rule: str
    text: str
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture of the article. Caption and credit are data, never body."""

    url: str
    caption: str | None = None
    credit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One candidate for a metadata field: where it stood, what it said, and whether it was taken."""

    field: str
    source: str  # e.g. json_ld:NewsArticle.datePublished, meta:article:published_time, time[itemprop], htmldate
    value: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a page says of its article (names of schema.org NewsArticle), each field with its evidence.

    A date is UTC; `*_raw` is the string it was read from; `*_zone_known` is False where the string named no zone and
    UTC was assumed. A missing date is None, and date_published is never filled from date_modified.
    """

    headline: str | None = None
    alternative_headline: str | None = None
    description: str | None = None
    authors: tuple[str, ...] = ()  # persons
    author_organisations: tuple[str, ...] = ()  # agencies, newsrooms, the site itself where it is named as author
    date_published: datetime | None = None
    date_published_raw: str | None = None
    date_published_source: str | None = None
    date_published_zone_known: bool | None = None
    date_modified: datetime | None = None
    date_modified_raw: str | None = None
    date_modified_source: str | None = None
    date_modified_zone_known: bool | None = None
    dates_disagree: bool = False
    in_language: str | None = None  # BCP 47
    publisher: str | None = None
    article_section: str | None = None
    keywords: tuple[str, ...] = ()
    main_image: str | None = None
    canonical_url: str | None = None  # as the page said, made absolute and canonical; trust is the caller's
    is_accessible_for_free: bool | None = None
    article_type: str | None = None  # schema.org @type
    robots: tuple[str, ...] = ()  # directives of robots meta (noindex, noarchive, noai, …)
    evidence: tuple[Evidence, ...] = ()


class PageClass(StrEnum):
    """What a page is. All but `article` are rejections, unless a site's own file keeps the class (`keep_classes`)."""

    ARTICLE = "article"
    LIVE = "live"
    GALLERY = "gallery"
    INDEX = "index"
    TEASER = "teaser"
    CONSENT_WALL = "consent_wall"
    PAYWALL = "paywall"
    ERROR_PAGE = "error_page"
    SCRIPT_ONLY = "script_only"
    EMPTY = "empty"
    NOT_HTML = "not_html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """An article as extraction sees it: true of the page alone, without where and when it was fetched.

    `url` is where the article lives: the page's canonical URL if it is trusted (same site), else the final URL.
    `article_body` is the text rendered from `blocks`, blocks parted by a blank line.
    `content_hash` is of the normalised headline, lead and body: equal for cosmetic edits.
    """

    url: str
    metadata: Metadata
    page_class: PageClass
    blocks: tuple[Block, ...]
    article_body: str
    images: tuple[Image, ...] = ()
    dateline: str | None = None
    content_hash: str
    extractor_version: str
    learned_version: str | None = None
    rules_version: str | None = None  # of what the site's own file changes; None if it changes nothing
    flags: tuple[str, ...] = ()  # e.g. doubtful_charset, title_cut, dates_disagree


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Why a page is not stored as an article, in the words of `Outcome`."""

    outcome: Outcome
    reason: str  # a sentence a person understands
    metadata: Metadata | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """The result for one page: an article or a rejection, and what was removed either way."""

    result: Article | Rejection
    removed: tuple[Removed, ...] = field(default=())
