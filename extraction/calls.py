"""Lines that speak to the reader instead of telling the news: subscribe, accept cookies, have your say, follow me.

Every site words them anew, so no list of phrases holds them all. What they share is that they address the reader and
speak of the same few things (`rules/calls.toml`); the news rarely does both in one short line, unless it quotes
somebody.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from extraction.records import RemovedKind
from extraction.text import fold

#: Longest call, in words: longer ones are terms and conditions, or an article on such things.
MAX_WORDS: Final = 32
#: Languages whose words are not parted by spaces, or carry what follows them as endings: matched anywhere in a line.
_UNPARTED: Final = frozenset(("zh", "ja", "ko"))
_UNPARTED_TEXT: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_QUOTED: Final = re.compile('["“”„«»「」『』‹›]|(?:^|\\s)[–—-]\\s')
#: A name in quotation marks, of a newsletter or a button: nobody says so few words.
_NAMED: Final = re.compile(r"[\"“„«「『]\s?[\w'’-]+(?:[ ,]{1,2}[\w'’-]+){0,3}\s?[\"”“»」』]")
#: Kinds that are what they are whatever marks stand in their lines: a dash is no speech there.
_UNQUOTED: Final = frozenset(("byline", "ad_label"))
_READER: Final = "reader"
_OPENING: Final = "opening"
_FIRST_WORD: Final = re.compile(r"(?:^|[.!?:]\s+)(\w+)")


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of `rules/calls.toml`: what each says, as (language, kind, strong)."""

    exact: dict[str, tuple[tuple[str, str, bool], ...]]
    prefixes: dict[str, tuple[tuple[str, str, bool], ...]]
    phrases: tuple[tuple[str, tuple[str, str, bool]], ...]  # of several words, or of unparted languages
    first: frozenset[str]  # the first words of the phrases


@cache
def _words() -> _Words:
    source = tomllib.loads((Path(__file__).parent / "rules" / "calls.toml").read_text("utf-8"))
    exact: dict[str, tuple[tuple[str, str, bool], ...]] = {}
    prefixes: dict[str, tuple[tuple[str, str, bool], ...]] = {}
    phrases: list[tuple[str, tuple[str, str, bool]]] = []
    for kind, part in source.items():
        lists = {kind: part} if kind in (_READER, _OPENING) else part
        for strength, by_language in lists.items():
            for language, entries in by_language.items():
                says = (language, kind, strength == "strong")
                for entry in entries.split():
                    word = fold(entry)
                    if language in _UNPARTED or " " in word:
                        phrases.append((word, says))
                    else:
                        where = prefixes if entry.endswith("*") else exact
                        where[word] = (*where.get(word, ()), says)
    return _Words(exact, prefixes, tuple(phrases), frozenset(p.split(" ")[0] for p, _ in phrases if " " in p))


#: What words say. A site's furniture is the same on every page, so nearly every look-up is a hit.
_known: dict[str, tuple[tuple[str, str, bool], ...]] = {}
_KNOWN_LIMIT: Final = 20_000
#: "And", "by", "for", "like", "so" are written as the first letter of the next word.
_ARABIC_PARTICLES: Final = "وبلكف"


def _meanings(word: str) -> tuple[tuple[str, str, bool], ...]:
    found = _known.get(word)
    if found is None:
        words = _words()
        found = words.exact.get(word, ())
        for length in range(2, len(word) + 1):
            found += words.prefixes.get(word[:length], ())
        if not found and word[0] in _ARABIC_PARTICLES and len(word) > 4:
            found = _meanings(word[1:])
        if len(_known) >= _KNOWN_LIMIT:
            _known.clear()  # bounded, so that a worker stays flat over any number of pages
        _known[word] = found
    return found


def call_of(text: str, folded: str) -> RemovedKind | None:
    """What a line of at most MAX_WORDS words asks of its reader, None where it asks nothing or quotes somebody."""
    words = folded.split()
    counts: dict[tuple[str, str], list[int]] = {}
    readers: set[str] = set()
    openings = {language for language, kind, _ in _said(fold(" ".join(_FIRST_WORD.findall(text)))) if kind == _OPENING}
    for language, kind, strong in _said(folded):
        if kind == _READER:
            readers.add(language)
        elif kind == _OPENING:
            readers |= openings
        else:
            count = counts.setdefault((language, kind), [0, 0])
            count[0] += strong
            count[1] += 1
    calls = [
        (every, kind)
        for (language, kind), (strong, every) in counts.items()
        if strong and _asks(kind, every, text, len(words), addressed=language in readers)
    ]
    if not calls:
        return None
    kind = max(calls)[1]
    return None if kind not in _UNQUOTED and has_quotes(text) else RemovedKind(kind)


def speaks_of_author(folded: str) -> bool:
    """Whether a line has a word of those that say what an author does and where to reach them."""
    return any(kind == "byline" for _, kind, _ in _said(folded))


def has_quotes(text: str) -> bool:
    """Whether a line quotes somebody: more than a name in quotation marks, or speech after a dash."""
    return _QUOTED.search(_NAMED.sub("", text)) is not None


def _asks(kind: str, every: int, text: str, size: int, *, addressed: bool) -> bool:
    """Whether a line with `every` words of a kind is a call of that kind."""
    if kind == "ad_label":
        return every >= _AD_WORDS and size <= _AD_LINE
    if kind == "byline":  # speaks of its author in the third person, so an address is proof too
        return every > 1 and (size <= _BIO_WORDS if addressed else _ADDRESS.search(text) is not None)
    if kind == "comments" and size <= _LABEL_WORDS and (every > 1 or any(map(str.isdigit, text))):
        return True  # a button
    return every > 1 and (addressed or (kind in ("cookie", "newsletter") and every > _NOTICE_WORDS))


#: Words of an ad label that says where the text goes on, at least, and of its line, at most.
_AD_WORDS: Final = 3
_AD_LINE: Final = 10
_BIO_WORDS: Final = 20
_LABEL_WORDS: Final = 6
_NOTICE_WORDS: Final = 4
_ADDRESS: Final = re.compile(r"\w@\w[\w-]*\.\w")


def _said(folded: str) -> list[tuple[str, str, bool]]:
    """What the words of a line say, each different word once."""
    words = folded.split()
    found = [says for word in dict.fromkeys(words) for says in _meanings(word)]
    known = _words()
    if not known.first.isdisjoint(words) or _UNPARTED_TEXT.search(folded):
        padded = f" {folded} "
        found += [
            says
            for phrase, says in known.phrases
            if (phrase in folded if says[0] in _UNPARTED else f" {phrase} " in padded)
        ]
    return found
