"""What an answer for a page means: it is captured, it leads elsewhere, or the URL has come to an end. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from extraction.records import Outcome
from extraction.urls import BadUrlError, canonicalize
from spiders.asks import Ask, Kind
from spiders.rights import demands_licence, forbids_indexing
from spiders.robots import MOST_REDIRECTS

Fields = Sequence[tuple[str, str]]

# Redirects of one page that are followed; Fetch allows 20, nobody honest needs half of it.
MOST_HOPS = 10
# Retry-After beyond this is somebody's slip.
LONGEST_WAIT_S = 86_400.0
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BLOCKED = frozenset({401, 403, 451})


@dataclass(frozen=True, slots=True)
class Ended:
    """The URL has come to an end without a page; `reason` is a sentence."""

    outcome: Outcome
    reason: str
    final_url: str | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """The URL leads to another, canonical one, that may be asked for."""

    url: str


def judge_page(ask: Ask, status: int, fields: Fields, rights: Mapping[str, str]) -> Ended | Moved | None:
    """Say what the answer for a page means; None: it is to be captured."""
    if status == 200:
        if not ask.wants_body(status, header(fields, "content-type").partition(";")[0].strip().lower()):
            return Ended(Outcome.NOT_HTML, f"its type is {header(fields, 'content-type')[:80]}")
        if forbidden := forbids_indexing(rights):
            return Ended(Outcome.NOINDEX, forbidden)
        return None
    if status in REDIRECTS and header(fields, "location"):
        return follow(ask, header(fields, "location"))
    return Ended(*judge_status(ask, status, fields))


def follow(ask: Ask, location: str) -> Ended | Moved:
    """Say where a redirect leads, or why it is not followed."""
    try:
        target = canonicalize(escaped(location), base=ask.url)
    except BadUrlError as error:
        return Ended(error.outcome, f"redirected to what is not asked for: {error}")
    most = MOST_HOPS if ask.kind is Kind.PAGE else MOST_REDIRECTS
    if target == ask.url or target in ask.hops:
        return Ended(Outcome.REDIRECT_LIMIT, f"a redirect loop at {target}", target)
    if len(ask.hops) >= most:
        return Ended(Outcome.REDIRECT_LIMIT, f"more than {most} redirects", target)
    if ask.kind is Kind.PAGE:
        if not ask.site.owns(target):
            return Ended(Outcome.OFF_SITE, f"redirected to another site: {target}", target)
        if _is_home(ask, target) and not _is_home(ask, ask.start):
            return Ended(Outcome.REDIRECTED_HOME, f"redirected to the home page {target}", target)
    return Moved(target)


def escaped(location: str) -> str:
    """Return a Location with its bytes beyond ASCII percent-encoded, as browsers ask for them: most are raw UTF-8."""
    return re.sub(r"[\x80-\xff]", lambda byte: f"%{ord(byte[0]):02X}", location)


def retry_after_s(fields: Fields, now: datetime) -> float | None:
    """Return the seconds that a Retry-After asks us to wait (RFC 9110 10.2.3: seconds or a date), 0 to a day."""
    value = header(fields, "retry-after").strip()
    if re.fullmatch(r"\d+(?:\.\d*)?\s*s?", value):
        value = value.rstrip(" s")
        return min(float(value), LONGEST_WAIT_S)
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()), LONGEST_WAIT_S)


def header(fields: Fields, name: str) -> str:
    """Return the first value of a header field, empty if there is none."""
    return next((value for key, value in fields if key.lower() == name), "")


def judge_status(ask: Ask, status: int, fields: Fields) -> tuple[Outcome, str]:
    """Say what a status other than 200 means for the URL, and why."""
    said = f"status {status}{_phrase(status)}"
    if demands_licence(status, fields):
        return Outcome.LICENCE_REQUIRED, f"{said}: {header(fields, 'www-authenticate')[:200]}"
    if status == 304:
        return (
            (Outcome.UNCHANGED, said) if ask.headers else (Outcome.HTTP_ERROR, f"{said}, though it was not asked for")
        )
    if status in {404, 410}:
        return Outcome.GONE, said
    if status in _BLOCKED:
        return Outcome.BLOCKED, said
    if status == 429 or (status == 503 and header(fields, "retry-after")):
        wait = header(fields, "retry-after")
        return Outcome.RATE_LIMITED, f"{said}, Retry-After {wait[:60]}" if wait else said
    if 500 <= status < 600:
        return Outcome.SERVER_ERROR, said
    return Outcome.HTTP_ERROR, said


def _phrase(status: int) -> str:
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""


def _is_home(ask: Ask, url: str) -> bool:
    parts = urlsplit(url)
    return (parts.path in {"", "/"} and not parts.query) or url == ask.site.url
