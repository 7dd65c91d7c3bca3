"""Really Simple Licensing 1.0 (rslstandard.org/rsl): what a licence file lets us do with a page, and for what. Pure.

How it is read: a usage is granted by a licence that does not prohibit it and, where it lists permitted usages, lists
it; several licences of one content are alternatives. A grant asks for nothing only if its payment is free or
attribution, it names no kind of user and no country (we cannot know whether the operator is one of them), and its
content names no licence server: who names one wants to be asked, also for a free licence.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml import etree

from spiders.pathpattern import LONGEST, matches

NAMESPACE = "https://rslstandard.org/rsl"
MOST_CONTENTS, MOST_LICENCES = 1000, 20
#: Payments by which nothing is owed before the use.
_FREE = frozenset({"free", "attribution"})
#: The words of 1.0 and of its drafts that take in a usage of ours.
_SEARCH = frozenset({"all", "search"})
_TRAIN = frozenset({"all", "ai-all", "ai-train", "train-ai"})
_TRAIN_IN_PART = _TRAIN | {"train-genai"}  # enough to forbid it, not to allow it


class LicenceError(ValueError):
    """Raised for bytes that are no RSL document, or one with a document type declaration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """One licence. Empty `permits` means that it names none: all but what it prohibits."""

    permits: frozenset[str] = frozenset()
    prohibits: frozenset[str] = frozenset()
    limited: bool = False  # to kinds of users or to countries
    payment: str = "free"

    def grants(self, permitting: frozenset[str], prohibiting: frozenset[str]) -> str | None:
        """Say what a usage, known by these words, takes: yes, limited or a payment type; None: not by this licence."""
        if self.prohibits & prohibiting or (self.permits and not self.permits & permitting):
            return None
        if self.limited:
            return "limited"
        return "yes" if self.payment in _FREE else self.payment


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a document says of the pages that `url` (a URL or a path, with * and $; empty: all) matches."""

    url: str
    server: str | None = None
    licences: tuple[Licence, ...] = ()

    def is_about(self, page: str) -> bool:
        """Whether a canonical URL is among those pages."""
        here, there = urlsplit(page), urlsplit(self.url)
        if there.netloc and there.netloc.lower() != here.netloc:
            return False
        path = here.path + (f"?{here.query}" if here.query else "")
        pattern = there.path + (f"?{there.query}" if there.query else "") if there.netloc else self.url
        return matches(pattern or "/", path)

    def use(self, permitting: frozenset[str], prohibiting: frozenset[str]) -> str | None:
        """Say what a usage takes: yes, no, server, limited or a payment type; None: the content says nothing."""
        if not self.licences:
            return "server" if self.server else None
        grants = [grant for each in self.licences if (grant := each.grants(permitting, prohibiting))]
        if not grants:
            return "no"
        if self.server:
            return "server"
        return "yes" if "yes" in grants else grants[0]


def read(body: bytes) -> tuple[Content, ...]:
    """Read a licence file, or an RSS feed with the RSL module. Raises LicenceError.

    No entity is expanded and nothing is fetched: a document type declaration is refused, for no licence has one.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise LicenceError(f"no XML ({' '.join(str(error).split())[:120]})") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise LicenceError("it has a document type declaration, which no licence needs")
    contents = tuple(_contents(root))
    if not contents:
        raise LicenceError("no <content> of RSL in it")
    return contents


def terms_of(contents: tuple[Content, ...], page: str) -> dict[str, str]:
    """Return the rights (licence_search, licence_train, licence_terms) of a page; empty: the document is not about it.

    The longest matching pattern decides, as in robots.txt. Values: yes, no, server, limited or a payment type.
    """
    found = max((each for each in contents if each.is_about(page)), key=lambda each: len(each.url), default=None)
    if found is None:
        return {}
    uses = {"licence_search": found.use(_SEARCH, _SEARCH), "licence_train": found.use(_TRAIN, _TRAIN_IN_PART)}
    return {name: use for name, use in uses.items() if use} | {"licence_terms": _sentence(found)}


def _contents(root: etree._Element) -> Iterator[Content]:
    for _, element in zip(range(MOST_CONTENTS), _named(root, "content"), strict=False):
        licences = [_licence(each) for _, each in zip(range(MOST_LICENCES), _named(element, "license"), strict=False)]
        yield Content(
            url=(element.get("url") or "").strip()[:LONGEST],
            server=(element.get("server") or "").strip()[:LONGEST] or None,
            licences=tuple(licences),
        )


def _licence(element: etree._Element) -> Licence:
    said: dict[tuple[str, str], set[str]] = {}
    for name in ("permits", "prohibits"):
        for each in _named(element, name):
            words = (each.text or "").lower().replace(",", " ").split()
            said.setdefault((name, (each.get("type") or "usage").lower()), set()).update(words)
    payments = [(each.get("type") or "free").strip().lower()[:40] for each in _named(element, "payment")]
    dear = [payment for payment in payments if payment not in _FREE]
    return Licence(
        permits=frozenset(said.get(("permits", "usage"), ())),
        prohibits=frozenset(said.get(("prohibits", "usage"), ())),
        limited=any(kind != "usage" and words for (_, kind), words in said.items()),
        payment=(dear or payments or ["free"])[0],
    )


def _named(root: etree._Element, name: str) -> Iterator[etree._Element]:
    """Yield the elements of that name, in RSL's namespace or, as drafts had it, in none."""
    yield from root.iter(f"{{{NAMESPACE}}}{name}", name)


def _sentence(content: Content) -> str:
    licences = [
        "; ".join(
            filter(
                None,
                (
                    f"permits {', '.join(sorted(each.permits))}" if each.permits else "",
                    f"prohibits {', '.join(sorted(each.prohibits))}" if each.prohibits else "",
                    "for some users or countries" if each.limited else "",
                    f"payment {each.payment}",
                ),
            )
        )
        for each in content.licences
    ]
    return (" | ".join(licences or ["no licence"]) + (f"; ask {content.server}" if content.server else ""))[:500]
