"""What a site says of the use of its pages in the header of a response, and what of it we heed.

Recorded with each page and outcome as a flat object of strings; obeyed where it speaks of what we do (noindex,
noarchive, nofollow, a demanded licence). Sources: RFC 9309; X-Robots-Tag as Google documents it; Content-Signal
(contentsignals.org); TDM Reservation Protocol (W3C community report); Really Simple Licensing (rslstandard.org).
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from spiders.sourcedates import parse_date

RSL_TYPE = "application/rsl+xml"
# Longer than any honest value; bounded so that a hostile header cannot fill the store.
_LONGEST = 1000
_TEXTS = ("content-signal", "tdm-reservation", "tdm-policy", "content-usage")
# Its dates may have a comma behind the day of the week (RFC 822, 850), as directives have between them.
_UNTIL = re.compile(r"unavailable_after\s*:\s*([a-z]+,\s*[^,]+|[^,]+)")
_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[^;,\"]*(?:\"[^\"]*\")?)*)")
_LICENCE = re.compile(r"\brel\s*=\s*\"?(?:[^\";]*\s)?license(?:[\s\";]|$)", re.IGNORECASE)
_AGENT = re.compile(r"\s*([A-Za-z][A-Za-z0-9_-]*)\s*:\s*(.*)", re.DOTALL)
# Directives that carry a value after a colon: these names are no user agents.
_VALUED = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})


def header_rights(headers: Iterable[tuple[str, str]], product: str = "nightdesk") -> dict[str, str]:
    """Read the rights in response headers: x_robots_tag, content_signal, content_usage, tdm_reservation, tdm_policy,
    licence (a URL as written).
    """  # noqa: D205
    headers = tuple(headers)
    rights: dict[str, str] = {}
    directives: list[str] = []
    for name, value in headers:
        lowered = name.lower()
        if lowered == "x-robots-tag":
            directives += _directives(value, product)
        elif lowered in _TEXTS:
            rights.setdefault(lowered.replace("-", "_"), value.strip()[:_LONGEST])
    for target, _ in licence_links(headers)[:1]:
        rights["licence"] = target
    if directives:
        rights["x_robots_tag"] = ", ".join(dict.fromkeys(directives))[:_LONGEST]
    return rights


def licence_links(headers: Iterable[tuple[str, str]]) -> list[tuple[str, bool]]:
    """Return the licences that Link fields name (RFC 8288, relation `license`) as written, and whether each is RSL."""
    return [
        (target[:_LONGEST], RSL_TYPE in parameters.lower())
        for name, value in headers
        if name.lower() == "link"
        for target, parameters in _LINK.findall(value[: 4 * _LONGEST])
        if _LICENCE.search(parameters)
    ]


def forbids_indexing(rights: Mapping[str, str], now: datetime | None = None) -> str | None:
    """Return who says that the page is not to be kept (noindex, none, unavailable_after a past time), None: nobody."""
    return _who_says({"noindex", "none"}, rights) or _is_over(rights, now or datetime.now(UTC))


def forbids_following(rights: Mapping[str, str]) -> str | None:
    """Return who says that links in the page are not to be followed (nofollow, none), None if nobody does."""
    return _who_says({"nofollow", "none"}, rights)


def forbids_archiving(rights: Mapping[str, str]) -> bool:
    """Whether no copy of the page as it was received is to be kept (noarchive, nocache)."""
    return _who_says({"noarchive", "nocache"}, rights) is not None


def _is_over(rights: Mapping[str, str], now: datetime) -> str | None:
    for name, who in (("x_robots_tag", "X-Robots-Tag"), ("robots_meta", "robots meta")):
        for text in _UNTIL.findall(rights.get(name, "")):
            until = parse_date(text.strip().upper()) or parse_date(text.partition(",")[0].strip().upper())
            if until is not None and until < now:
                return f"{who} says unavailable_after {text.strip()}"
    return None


def _who_says(words: set[str], rights: Mapping[str, str]) -> str | None:
    for name, who in (("x_robots_tag", "X-Robots-Tag"), ("robots_meta", "robots meta")):
        if (said := rights.get(name)) and words & set(said.split(", ")):
            return f"{who} says {said}"
    return None


def demands_licence(status: int, headers: Iterable[tuple[str, str]]) -> bool:
    """Whether an answer asks for an RSL licence before the page is given (WWW-Authenticate: License)."""
    return status in {401, 402, 403} and any(
        name.lower() == "www-authenticate" and value.strip().lower().startswith("license") for name, value in headers
    )


def _directives(value: str, product: str) -> list[str]:
    """Return the directives of one X-Robots-Tag field that speak to all crawlers or to us, lower case."""
    match = _AGENT.fullmatch(value)
    if match and match[1].lower() not in _VALUED:
        if match[1].lower() != product.lower():
            return []
        value = match[2]
    return [word for part in value.lower().split(",") if (word := " ".join(part.split()))]
