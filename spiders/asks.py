"""An ask: one request that is to be made, as plain data, from the moment it is planned until its answer is judged."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum
from urllib.parse import urlsplit

from extraction.records import Discovery, Outcome
from spiders.robots import MOST_BYTES
from spiders.site import Site

# As received; the largest of 3,985 real article pages has 3 MB decoded.
LARGEST_PAGE = 16 << 20
# Feeds and sitemaps: the sitemap protocol's bound, for some are served as they are; what is beyond is not read.
LARGEST_SOURCE = 50 << 20
# tdmrep.json and RSL files: the largest honest one lists a rule a section.
LARGEST_TERMS = 512 << 10
# A script or an answer for one, of a page that needs a browser.
LARGEST_PART = 8 << 20
# Attempts for one URL, by what went wrong; anything else is final at once.
ATTEMPTS = {
    Outcome.TIMEOUT: 2,
    Outcome.CONNECTION_FAILED: 2,
    Outcome.DNS_FAILED: 2,
    Outcome.TRUNCATED: 2,
    Outcome.SERVER_ERROR: 2,
    Outcome.RATE_LIMITED: 2,
}
_MEDIA = ("image/", "video/", "audio/", "font/")
_NO_PAGES = frozenset({"application/pdf", "application/zip", "application/epub+zip", "application/x-shockwave-flash"})


class Kind(IntEnum):
    """What is asked for; the lower goes first on its host."""

    ROBOTS = 0
    TERMS = 1  # what the site says of use, in a file of its own
    PART = 2  # what a page that is open in a browser asks for
    SOURCE = 3
    PAGE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request: `url` is where it goes now, `hops` the URLs that redirected to it."""

    kind: Kind
    url: str
    site: Site
    discovery: Discovery | None = None  # of a page
    found_by: str = ""  # of a source: its kind, as in Discovery
    origin: str = ""  # of a robots.txt: whose it is
    depth: int = 0  # of a sitemap in its index
    lastmod: datetime | None = None  # of a sitemap, as its index says
    attempts: int = 0  # made so far, this hop's only
    failed: str = ""  # outcome and reason of the attempt before, where it has to be made again
    hops: tuple[str, ...] = ()
    headers: dict[str, str] | None = field(default=None)  # conditional ones

    @property
    def largest(self) -> int:
        """Most bytes taken of the body."""
        return (MOST_BYTES + 1, LARGEST_TERMS, LARGEST_PART, LARGEST_SOURCE, LARGEST_PAGE)[self.kind]

    @property
    def cut(self) -> bool:
        """Whether a larger body is cut there instead of refused."""
        return self.kind in {Kind.ROBOTS, Kind.SOURCE}

    @property
    def start(self) -> str:
        """The URL that was first asked for."""
        return self.hops[0] if self.hops else self.url

    def wants_body(self, status: int, content_type: str) -> bool:
        """Whether the body is of any use; only a page at 200 is kept, and no film is fetched to be thrown away."""
        if self.kind is Kind.ROBOTS:
            return 200 <= status < 300  # RFC 9309 2.3.1.1
        if status != 200:
            return False
        if self.kind is not Kind.PAGE:
            return True
        return not content_type.startswith(_MEDIA) and content_type not in _NO_PAGES

    def again(self, failed: str | None = None) -> "Ask":
        """Return the same ask after one attempt more; `failed` says how that one ended."""
        return replace(self, attempts=self.attempts + 1, failed=self.failed if failed is None else failed)

    def redirected(self, url: str) -> "Ask":
        """Return the ask for where a redirect leads."""
        return replace(self, url=url, hops=(*self.hops, self.url), attempts=0, headers=None)


def origin_of(url: str) -> str:
    """Return scheme and authority of a canonical URL: what a robots.txt speaks of (RFC 9309 2.3)."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
