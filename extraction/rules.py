"""The rules that name boilerplate by its words, and what a site's own file may change of them."""

import hashlib
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from extraction.records import PageClass, RemovedKind
from extraction.text import fold

_FOLDER: Final = Path(__file__).parent / "rules"

#: Rules that look at structure, not at words; each is a function or a branch of `boilerplate`, `body` or `learned`.
STRUCTURE_RULES: Final = frozenset(
    (
        "ad_label.call",
        "appeal.call",
        "byline.bio",
        "byline.call",
        "byline.head",
        "caption.box",
        "caption.credited",
        "caption.figure",
        "caption.set_off",
        "caption.style",
        "comments.call",
        "cookie.call",
        "credit.picture",
        "markup.escaped",
        "markup.shortcode",
        "model.block",
        "navigation.element",
        "newsletter.call",
        "newsletter.form",
        "note.box",
        "note.mark",
        "paywall.call",
        "related.link_list",
        "related.pointer_box",
        "related.tail",
        "site.repeated",
        "text.repeated",
        "timestamp.bare",
        "title.repeated",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRules:
    """What a site's own file changes: rules that are off there, and page classes that are kept although no article."""

    rules_off: frozenset[str] = frozenset()
    keep_classes: frozenset[PageClass] = frozenset()

    @property
    def version(self) -> str | None:
        """A name for these changes, equal for equal ones; None where nothing is changed."""
        if self == NO_CHANGES:
            return None
        said = "\n".join((*sorted(self.rules_off), "", *sorted(self.keep_classes)))
        return hashlib.blake2b(said.encode(), digest_size=6).hexdigest()


#: What a site changes whose file says nothing of extraction.
NO_CHANGES: Final = SiteRules()


@dataclass(frozen=True, slots=True)
class TextRule:
    """A rule on the words of a block: its name, the kind it finds, and the longest block it may take, in words."""

    name: str
    kind: RemovedKind
    max_words: int
    heads_list: bool


@dataclass(frozen=True, slots=True)
class Phrases:
    """All text rules as look-ups over folded text."""

    equals: dict[str, TextRule]
    starts: dict[str, tuple[tuple[str, TextRule], ...]]  # by the first two characters
    ends: tuple[tuple[str, TextRule], ...]
    contains: dict[str, tuple[tuple[str, TextRule], ...]]  # by the first word, if several; those of one word under ""
    contains_ascii: tuple[tuple[str, TextRule], ...]  # those under "" that a line in ASCII can hold


class RulesError(ValueError):
    """Raised when a file of rules says what no rule can mean; the message names file, rule and word."""


@cache
def phrases() -> Phrases:
    """The rules of `rules/phrases/*.toml`, one file a kind, its phrases by language."""
    equals: dict[str, TextRule] = {}
    starts: dict[str, list[tuple[str, TextRule]]] = {}
    ends: list[tuple[str, TextRule]] = []
    contains: dict[str, list[tuple[str, TextRule]]] = {}
    for path in sorted((_FOLDER / "phrases").glob("*.toml")):
        source = tomllib.loads(path.read_text("utf-8"))
        kind = RemovedKind(source["kind"])
        for name, entry in source["rules"].items():
            rule = TextRule(f"{path.stem}.{name}", kind, entry.get("max_words", 12), entry.get("heads_list", False))
            for how, phrase in _phrases_of(path, entry):
                if how == "equals":
                    equals.setdefault(phrase, rule)
                elif how == "starts":
                    starts.setdefault(phrase[:2], []).append((phrase, rule))
                elif how == "ends":
                    ends.append((phrase, rule))
                else:
                    contains.setdefault(phrase.partition(" ")[0] if " " in phrase else "", []).append((phrase, rule))
    begun, held = ({key: tuple(found) for key, found in filed.items()} for filed in (starts, contains))
    ascii_ = tuple((phrase, rule) for phrase, rule in contains[""] if phrase.isascii())
    return Phrases(equals, begun, tuple(ends), held, ascii_)


def _phrases_of(path: Path, entry: dict[str, object]) -> list[tuple[str, str]]:
    found = []
    for how in ("equals", "starts", "ends", "contains"):
        by_language = entry.get(how, {})
        if not isinstance(by_language, dict):
            raise RulesError(f"{path.name}: {how} must be a table of lists by language")
        for language, words in by_language.items():
            found += [(how, folded) for word in words if (folded := fold(word))]
            if language == "el":  # capitals are written without accents
                found += [(how, plain) for word in words if (plain := fold(_unaccented(word))) != fold(word)]
    return found


def _unaccented(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))


def rule_names() -> frozenset[str]:
    """Every rule that a site's file can switch off."""
    words = phrases()
    named = {rule.name for rule in words.equals.values()}
    named |= {rule.name for found in words.starts.values() for _, rule in found}
    named |= {rule.name for found in words.contains.values() for _, rule in found}
    named |= {rule.name for _, rule in words.ends}
    return STRUCTURE_RULES | named
