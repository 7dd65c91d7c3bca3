"""What a site says of the use of its pages, read where the spider sees it: robots.txt and response headers.

Recorded with each page and outcome as a flat object of strings; obeyed where it speaks of what we do (noindex; a
demanded licence). Sources: RFC 9309; X-Robots-Tag as Google documents it; Content-Signal (contentsignals.org);
TDM Reservation Protocol (W3C community report); Really Simple Licensing (rslstandard.org).
"""

import re
from collections.abc import Iterable, Mapping

# Longer than any honest value; bounded so that a hostile header cannot fill the store.
_LONGEST = 1000
_TEXTS = ("content-signal", "tdm-reservation", "tdm-policy", "content-usage")
_AGENT = re.compile(r"\s*([A-Za-z][A-Za-z0-9_-]*)\s*:\s*(.*)", re.DOTALL)
# Directives that carry a value after a colon: these names are no user agents.
_VALUED = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})


def header_rights(headers: Iterable[tuple[str, str]], product: str = "nightdesk") -> dict[str, str]:
    """Read the rights in response headers: keys x_robots_tag, content_signal, tdm_reservation, tdm_policy, licence."""
    rights: dict[str, str] = {}
    directives: list[str] = []
    for name, value in headers:
        lowered = name.lower()
        if lowered == "x-robots-tag":
            directives += _directives(value, product)
        elif lowered in _TEXTS:
            rights.setdefault(lowered.replace("-", "_"), value.strip()[:_LONGEST])
        elif lowered == "link" and "license" in value.lower():
            rights.setdefault("licence", value.strip()[:_LONGEST])
    if directives:
        rights["x_robots_tag"] = ", ".join(dict.fromkeys(directives))[:_LONGEST]
    return rights


def forbids_indexing(rights: Mapping[str, str]) -> bool:
    """Whether X-Robots-Tag says that the page is not to be kept (noindex, none)."""
    return bool({"noindex", "none"} & set(rights.get("x_robots_tag", "").split(", ")))


def forbids_following(rights: Mapping[str, str]) -> bool:
    """Whether X-Robots-Tag says that links in the page are not to be followed (nofollow, none)."""
    return bool({"nofollow", "none"} & set(rights.get("x_robots_tag", "").split(", ")))


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
