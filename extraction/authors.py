"""Who wrote it: names split, cleaned, and persons told from organisations.

A page's author fields hold persons, agencies, the site itself, e-mail addresses, handles and places, often several in
one string. Persons come out as persons; agencies and newsrooms as organisations; the rest not at all.
"""

import html
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from extraction.text import fold, tidy

#: Most names kept of one page, and most characters of one name.
MAX_AUTHORS: Final = 50
_MAX_NAME: Final = 100

_TAG = re.compile(r"<(script|style)\b.*?</\1\s*>|</?[a-zA-Z][^<>]{0,500}>", re.IGNORECASE | re.DOTALL)


@cache
def _words(name: str) -> tuple[str, ...]:
    """Return a list of rules/authors.toml."""
    source = tomllib.loads((Path(__file__).parent / "rules" / "authors.toml").read_text("utf-8"))
    return tuple(word for line in source[name].splitlines() for part in line.split("|") if (word := part.strip()))


def _any(name: str) -> str:
    """Return a pattern for any word of a list, the longest first."""
    return "|".join(re.escape(word) for word in sorted(_words(name), key=len, reverse=True))


#: What stands before a name; "by:" and "By " alike.
_PREFIX = re.compile(
    r"(?!photo|image|picture)(?:[a-z]+\s+){0,2}by\b(?!\s?line)[\s:]*"
    r"|(?:eine?\s+)?(?:artikel|beitrag|kommentar|gastbeitrag|interview|analyse|reportage|protokoll)\s+von\s+"
    rf"|(?:{_any('labels')})\s*:\s*"
    r"|(?:文|記者|责任编辑|责编|編集|取材)\s*[／/:：]\s*|από\s+(?:τον\s+|την\s+)?|od:\s*",
    re.IGNORECASE,
)
#: The same where only a capital tells the word from a part of a name: "Von Anna Martel", but "von der Leyen".
_CASED_PREFIX = re.compile(r"By(?=[A-Z][a-z]+\s[A-Z])|(?:Von|Por|Par|Di|Door|Av|Af|Oleh|Przez|Автор)\s+(?=\S+\s+\S)")
#: Between the names of one string.
_BETWEEN = re.compile(
    r"\s*(?:;|\||•|·|、|／|\s/\s|\n|\s&\s|\s\+\s|\sas told to\s"
    r"|\s(?:and|und|et|og|och|ja|és|ve|dan|și|та|και|with|mit|avec)\s)\s*"
)
#: The same where it may also be a part of a name: "Ana Lima e Rui Costa", but "Maria João e Silva", "Ortega y Gasset".
_MAYBE_BETWEEN = re.compile(r"\s(?:y|e|i|en|a|и|na|con)\s")
_COMMA = re.compile(r"\s*[,，]\s*(?:(?:and|und|et|y|e|og|och)\s+)?")
_CREDENTIAL = re.compile(
    r"[,\s]+(?:Ph\.?\s?D\.?|M\.?D\.?|M\.?S\.?c?|M\.?A\.?|B\.?A\.?|B\.?Sc|MPH|R\.?N\.?|RDN?|LD|J\.?D\.?|Esq\.?|MBA|CFP"
    r"|CPA|FAHA|DDS|DVM|Psy\.?D\.?|Ed\.?D\.?)(?=$|[,\s])"
)
_BRACKETED = re.compile(r"\s*[(\[（][^()\[\]（）]{0,60}[)\]）]")
_ROLE = re.compile(
    rf"(?:(?:{_any('role_prefixes')})\s+)*(?:{_any('roles')})\b.*|(?:in|aus|à)\s+[A-Z]\w+"
    rf"|.*\b(?:{_any('roles')})(?:\s+(?:in|for|at|of)\b.*)?",
    re.IGNORECASE,
)
_NOT_A_NAME = re.compile(r"@|://|\bwww\.|\.(?:html?|php|jpe?g|png)$|\d|^getty\b|admin", re.IGNORECASE)
_ORGANISATION = re.compile(
    rf"\b(?:{_any('organisations')})\b"
    r"|\w\.(?:com|de|at|ch|org|net|fr|it|es|nl|be|dk|se|no|fi|pl|cz|is|tr|co|uk|eu|info|tv|in|ru|ua|hr|rs|pt|br|mx|ar|jp|kr|cn)\b"
    r"|新聞|新闻|日報|日报|通讯社|通信社|編集部|编辑部|デジタル|뉴스|통신",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Byline:
    """The names of a page: persons, and organisations that are named as author."""

    persons: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.persons or self.organisations)


def read(
    values: Iterable[str], *, sites: frozenset[str] = frozenset(), organisation: bool = False, inverted: bool = False
) -> Byline:
    """Return the names in some author strings.

    Args:
        values: as the page has them, entities and tags included.
        sites: folded names of the site and its publisher (`extraction.text.fold`): those are organisations.
        organisation: the page itself says that these are organisations.
        inverted: "Doe, Jane" is one name, as citation metadata writes it.
    """
    persons: dict[str, str] = {}
    organisations: dict[str, str] = {}
    for value in values:
        for name in _names(value, inverted=inverted):
            key = fold(name)
            if organisation or is_organisation(name, sites):
                organisations.setdefault(key, name)
            else:
                persons.setdefault(key, name)
        if len(persons) + len(organisations) >= MAX_AUTHORS:
            break
    return Byline(tuple(persons.values())[:MAX_AUTHORS], tuple(organisations.values())[:MAX_AUTHORS])


def is_site(name: str, sites: frozenset[str]) -> bool:
    """Tell whether a name is the site's or its publisher's own."""
    return fold(name) in sites


def is_organisation(name: str, sites: frozenset[str] = frozenset()) -> bool:
    """Tell whether a name is an agency, a newsroom or the site rather than a person."""
    key = fold(name)
    agencies = _words("agencies")
    if key in sites or key in agencies or all(word in agencies for word in key.split()) or _ORGANISATION.search(name):
        return True
    # "CNN Business" on CNN, "Business Insider" on Business Insider Deutschland
    return any(site.startswith(f"{key} ") or key.startswith(f"{site} ") for site in sites if len(site) > 2)


def _names(value: str, *, inverted: bool) -> list[str]:
    text = html.unescape(value[:5000])
    text = _TAG.sub(" ", html.unescape(text) if "&" in text else text)
    if inverted and text.count(",") == 1:
        last, _, first = text.partition(",")
        text = f"{first.strip()} {last.strip()}"
    text = _without_prefix(_BRACKETED.sub("", text).strip())
    text = _CREDENTIAL.sub("", text)
    return [
        name for part in _BETWEEN.split(text)[: MAX_AUTHORS * 2] for half in _halves(part) for name in _listed(half)
    ]


def _halves(part: str) -> list[str]:
    """Split at a word that may also be a part of a name, if what it parts are names of about one length."""
    halves = _MAYBE_BETWEEN.split(part)
    sizes = [len(half.split()) for half in halves]
    return halves if min(sizes) > 1 or max(sizes) == 1 else [part]


def _listed(part: str) -> list[str]:
    """Split at commas; a single word behind a full name ("Anna Martel, Nairobi") is a place, unless it is an agency."""
    names = [name for piece in _COMMA.split(part)[: MAX_AUTHORS * 2] if (name := _name(piece))]
    if not names or not (" " in names[0] or is_organisation(names[0])):
        return names
    return [name for name in names if " " in name or not name.isascii() or is_organisation(name)]


def _without_prefix(text: str) -> str:
    for _ in range(3):
        match = _PREFIX.match(text) or _CASED_PREFIX.match(text)
        shorter = text[match.end() :].lstrip(" :–-") if match else text
        if shorter == text or not shorter:
            break
        text = shorter
    return text


def _name(part: str) -> str | None:
    name = _without_prefix(tidy(part).strip(' ,;:|–—-*"“”„«»').removesuffix("."))
    if not 2 <= len(name) <= _MAX_NAME or not any(c.isalpha() for c in name) or len(name.split()) > 8:
        return None
    if _NOT_A_NAME.search(name) or fold(name) in _words("no_names"):
        return None
    return None if _ROLE.fullmatch(name) and not is_organisation(name) else name
