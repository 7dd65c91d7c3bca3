"""What the names that templates give to their elements say: class, id, role … as a bit set of marks."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Final

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NOT_WORD = re.compile(r"[^a-z0-9]+")
#: Names that speak of something else than what the element holds: a field's label, the canvas beside a menu (Drupal).
_BESIDE = re.compile(r"\b(?:field-+)?label-(?:hidden|above|inline|visually-hidden)\b|\bdialog-off-canvas-main-canvas\b")


@cache
def _vocabulary() -> tuple[dict[str, int], dict[str, int], dict[str, int], dict[str, list[tuple[str, int]]]]:
    """`rules/markup.toml` as look-ups: a mark's bit, marks of words, of prefixes, of phrases by their first word."""
    source = tomllib.loads((Path(__file__).parent / "rules" / "markup.toml").read_text("utf-8"))
    bits: dict[str, int] = {}
    words: dict[str, int] = {}
    prefixes: dict[str, int] = {}
    phrases: dict[str, list[tuple[str, int]]] = {}
    for place, (name, entries) in enumerate(source["marks"].items()):
        bit = bits[name] = 1 << place
        for entry in entries:
            where = prefixes if entry.endswith("*") else words
            joined = entry.rstrip("*").replace("-", "")
            where[joined] = where.get(joined, 0) | bit
            if "-" in entry:
                phrases.setdefault(entry.partition("-")[0], []).append((entry, bit))
    return bits, words, prefixes, phrases


@cache
def mark(name: str) -> int:
    """The bit of the mark called `name`."""
    return _vocabulary()[0][name]


def mark_names() -> tuple[str, ...]:
    """The names of all marks, in the order of their bits."""
    return tuple(_vocabulary()[0])


#: What names and their words say. Templates repeat theirs on every page, so nearly every look-up is a hit.
NAMES: dict[str, int] = {}
_words: dict[str, int] = {}
_SEEN_LIMIT: Final = 20_000


def _marks_of_word(word: str) -> int:
    known = _words.get(word)
    if known is None:
        _, words, prefixes, _ = _vocabulary()
        known = words.get(word, 0)
        for length in range(3, len(word) + 1):
            known |= prefixes.get(word[:length], 0)
        if len(_words) >= _SEEN_LIMIT:
            _words.clear()  # bounded, so that a worker stays flat over any number of sites
        _words[word] = known
    return known


def marks_in(names: str) -> int:
    """The marks that a class, id or role attribute carries, as a bit set."""
    known = NAMES.get(names)
    if known is None:
        plain = names[:500] if names.islower() else _CAMEL.sub("-", names[:500]).lower()
        words = _NOT_WORD.split(_BESIDE.sub("", plain) if "label-" in plain or "dialog-" in plain else plain)
        phrases = _vocabulary()[3]
        known = 0
        for place, word in enumerate(words):
            known |= _marks_of_word(word)
            for phrase, bit in phrases.get(word, ()):
                if "-".join(words[place : place + 4]).startswith(phrase):
                    known |= bit
        if len(NAMES) >= _SEEN_LIMIT:
            NAMES.clear()
        NAMES[names] = known
    return known
