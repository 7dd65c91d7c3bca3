"""Who wrote it: names split, cleaned, and persons told from organisations.

A page's author fields hold persons, agencies, the site itself, e-mail addresses, handles and places, often several in
one string. Persons come out as persons; agencies and newsrooms as organisations; the rest not at all.
"""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from extraction.text import fold, tidy

#: Most names kept of one page, and most characters of one name.
MAX_AUTHORS: Final = 50
_MAX_NAME: Final = 100

_TAG = re.compile(r"<(script|style)\b.*?</\1\s*>|</?[a-zA-Z][^<>]{0,500}>", re.IGNORECASE | re.DOTALL)
#: What stands before a name, in the languages of the catalogue; "by:" and "By " alike.
_PREFIX = re.compile(
    r"(?:(?:(?:written|reported|posted|published|article|story|words|edited|compiled|updated|interview)\s+)?by\b(?!\s?line)[\s:]*"
    r"|(?:ein(?:e)?\s+)?(?:artikel|beitrag|kommentar|gastbeitrag|interview|analyse|reportage|protokoll)\s+von\s+"
    r"|(?:text|tekst|texte|texto|testo|foto|autor(?:in|en|ka|zy|i)?|auteurs?|autore|authors?|writer|reporter"
    r"|redakteur(?:in)?|författare|skribent|kirjoittaja|napisał|szerző|автори|автор|авторы|yazar|penulis|mwandishi|pisze|quelle|source|fuente|fonte|bron|kilde|källa)\s*:\s*"
    r"|(?:文|記者|责任编辑|责编|編集|取材)\s*[／/:：]\s*|από\s+(?:τον\s+|την\s+)?|od:\s*)",
    re.IGNORECASE,
)
#: The same where only a capital tells the word from a part of a name: "Von Anna Martel", but "von der Leyen".
_CASED_PREFIX = re.compile(r"By(?=[A-Z][a-z]+\s[A-Z])|(?:Von|Por|Par|Di|Door|Av|Af|Oleh|Przez|Автор)\s+(?=\S+\s+\S)")
#: Between the names of one string. A comma is looked at apart: "Doe, Jane" is one name where a field says so.
_BETWEEN = re.compile(
    r"\s*(?:;|\||•|·|、|／|\s/\s|\n|\s&\s|&amp;|\s\+\s|(?<=\w)\s+(?:and|und|et|y|e|i|en|og|och|ja|és|ve|dan|na|și|a|и|та|και|with|mit|avec|con)\s+(?=[^\W\d_]))\s*",
)
_COMMA = re.compile(r"\s*[,，]\s*(?:(?:and|und|et|y|e|og|och)\s+)?")
_CREDENTIAL = re.compile(
    r"[,\s]+(?:Ph\.?\s?D\.?|M\.?D\.?|M\.?S\.?c?|M\.?A\.?|B\.?A\.?|B\.?Sc|MPH|R\.?N\.?|RDN?|LD|J\.?D\.?|Esq\.?|MBA|CFP|CPA|FAHA|DDS|DVM|Psy\.?D\.?|Ed\.?D\.?)(?=$|[,\s])"
)
_BRACKETED = re.compile(r"\s*[(\[（][^()\[\]（）]{0,60}[)\]）]")
_ROLE = re.compile(
    r"^(?:(?:senior|chief|staff|deputy|political|foreign|associate|contributing|managing|executive|assistant|freelance|news|sports?|business)\s+)*"
    r"(?:reporter|editor|correspondent|writer|journalist|columnist|contributor|producer|photographer|author|analyst|fellow|redakteur(?:in)?|"
    r"korrespondent(?:in)?|autor(?:in)?|journaliste|rédacteur|rédactrice|periodista|redactora?|giornalista|dziennikarz|toimittaja|journalistin?)\b.*$"
    r"|^(?:in|aus|à|en|de)\s+[A-Z]\w+$|^.*\b(?:correspondent|korrespondent(?:in)?|reporter|editor|columnist)(?:\s+(?:in|for|at|of)\b.*)?$",
    re.IGNORECASE,
)
_NOT_A_NAME = re.compile(
    r"@|://|^www\.|^(?:by|von|par|por|and|und|et|og|och|y|e|follow|share|save|read.*|email|contact|bio|profile|comments?|min read)$|^https?|\.(?:html?|php|jpe?g|png)$|\d|^(?:admin(?:istrator)?|root|user|guest|author|unknown|anonymous|none|null|n/?a|undefined|test"
    r"|default|site|web|system|publish(?:er)?|newspublish|super ?user|wp|cms|api|feed|rss|updated?|published|more|image|photo|getty.*)$",
    re.IGNORECASE,
)
_AGENCIES: Final = frozenset(
    "dpa|afp|reuters|ap|apa|ansa|efe|tass|itar tass|xinhua|pti|ians|ani|kyodo|kyodo news|jiji|yonhap|belga|anp|ntb|tt|ritzau|stt|ctk|čtk|pap|mti|agerpres|lusa"
    "|aa|anadolu ajansı|anadolu agency|dha|i̇ha|iha|sid|kna|epd|kap|sda|keystone sda|pa|pa media|press association|upi|bloomberg|cp|aap|nzn|europa press|mbl"
    "|agence france presse|agence france-presse|associated press|the associated press|deutsche presse agentur|canadian press|the canadian press|dts|afx|dow jones"
    "|dpa afx|dpa infocom|bernama|antara|interfax|ria novosti|ukrinform|unian|hina|beta|tanjug|sita|tasr|btа|bta|elta|leta|bns|ats|keystone ats|telam|notimex|prensa latina"
    "|irna|isna|mena|wam|spa|kuna|petra|maannews|wafa|saba|apo|nan|news agency of nigeria|gna|pana|sapa|african news agency|bssnews|unb|app|agencies|wires|wire services"
    "|teletype|globe newswire|pr newswire|prnewswire|business wire|cnn|bbc|sky news|field level media|stats perform|opta|gracenote|imago|pressetext|presseportal|news aktuell".split("|")
)  # fmt: skip
_ORGANISATION = re.compile(
    r"\b(?:staff|team|desk|newsroom|editors|editorial|editorial board|redaktion|redaktionen|redaktionsteam|redacción|redaccion|rédaction|redazione|redação|redacao|redactie|toimitus"
    r"|redakcja|redakce|redakcia|redacția|редакция|редакція|news ?agency|agency|agencies|agentur|agence|agencia|agenzia|press|media|news|nachrichten|newspaper|zeitung|tageszeitung|magazine"
    r"|gazette|gmbh|inc|ltd|llc|corp|verlag|school|university|institute|foundation|association|online|digital|tv|radio|broadcasting|network|service|services|studios?|ministry|haber|ajansı)\b"
    r"|\w\.(?:com|de|at|ch|org|net|fr|it|es|nl|be|dk|se|no|fi|pl|cz|is|tr|co|uk|eu|info|tv|me|in|id|ru|ua|hr|rs|pt|br|mx|ar|jp|kr|cn)\b|新聞|新闻|日報|日报|通讯社|通信社|編集部|编辑部|デジタル|기자단|뉴스|통신",
    re.IGNORECASE,
)
_LETTERS = re.compile(r"[^\W\d_]")


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
    return (
        key in sites
        or key in _AGENCIES
        or bool(_ORGANISATION.search(name))
        or all(word in _AGENCIES for word in key.split())
    )


def _names(value: str, *, inverted: bool) -> list[str]:
    text = html.unescape(value[:5000])
    text = _TAG.sub(" ", html.unescape(text) if "&" in text else text)
    if inverted and text.count(",") == 1:
        last, _, first = text.partition(",")
        text = f"{first.strip()} {last.strip()}"
    text = _without_prefix(_BRACKETED.sub("", text).strip())
    text = _CREDENTIAL.sub("", text)
    return [name for part in _BETWEEN.split(text)[: MAX_AUTHORS * 2] for name in _listed(part)]


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
    if not 2 <= len(name) <= _MAX_NAME or not _LETTERS.search(name) or len(name.split()) > 8:
        return None
    if _NOT_A_NAME.search(name):
        return None
    return None if _ROLE.match(name) and not is_organisation(name) else name
