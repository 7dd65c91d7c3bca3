"""What a line says of itself: rules on words, in some thirty languages, for blocks of pages and lines of texts alike.

A rule takes a line for what it is as a whole, never for a word within it: "Advertisement" alone is a label, a sentence
on advertisement is news. The words are data (`rules/phrases/*.toml`); what must stand around them is here.
"""

import re
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from extraction.calls import MAX_WORDS as CALL_WORDS
from extraction.calls import call_of
from extraction.escaped import is_element
from extraction.records import RemovedKind
from extraction.rules import TextRule, phrases
from extraction.shortcodes import is_shortcode
from extraction.stamps import MAX_WORDS as STAMP_WORDS
from extraction.stamps import has_time, is_stamp
from extraction.text import ends_sentence, fold, word_count

#: After a label: "Photo: …", "Read more – …", "Read also | …".
_SEPARATOR: Final = re.compile(r"^\s*[:：|–—\-›»→▶>/&©]")
_NAME_JOINERS: Final = frozenset(
    "and und et y e en och og ja i a и та і ve in for from de del della di da do dos van von der den la le al bin el"
    " ter zu with mit avec con com med".split()
)
_CLOCK: Final = re.compile(
    r"\d{1,2}[:.h]\d{2}|\d{4}|\d{1,2}[./\-]\d{1,2}|\d+\s*[年月日시분]|\d+\s*(?:ago|hours?|min)", re.IGNORECASE
)
_DIGITS: Final = re.compile(r"\d")
_UNCASED: Final = re.compile("[\u0590-\u08ff\u0900-\u0fff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_COPYRIGHT: Final = re.compile(r"^\s*(?:©|\(c\)\s|&copy;)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """A line to be judged: `text` tidy, `folded` its words, `link_share` 0 to 1, `heading` if marked up as one."""

    text: str
    folded: str
    words: int
    link_share: float = 0.0
    heading: bool = False

    @classmethod
    def of(cls, text: str, link_share: float = 0.0, *, heading: bool = False) -> "Line":
        """The line of `text`, tidy already."""
        return cls(text, fold(text), word_count(text), link_share, heading)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A line is boilerplate: its kind and the rule's name.

    `heads_list`: the links listed after it go with it. `certain`: the rule decides alone; else it is one of the facts
    that the block model weighs.
    """

    kind: RemovedKind
    rule: str
    heads_list: bool = False
    certain: bool = True


_LONGEST: Final = 120  # words; no rule takes a longer line, so no time is spent on one


def by_words(line: Line, off: AbstractSet[str] = frozenset()) -> Verdict | None:
    """The verdict of the rules on words that are not switched `off`, None where none of them speaks."""
    if not line.folded:
        return None
    if escaped := _escaped(line):
        return None if escaped.rule in off else escaped
    if line.words > _LONGEST:
        return None
    known = phrases()
    if (rule := known.equals.get(line.folded)) and rule.name not in off:
        return Verdict(rule.kind, rule.name, rule.heads_list)
    if line.words <= _LABEL_WORDS and (verdict := _labelled(line, off)):
        return verdict
    # Phrases are filed under their first two characters; a phrase of one character ("文") under that one.
    for phrase, rule in (*known.starts.get(line.folded[:2], ()), *known.starts.get(line.folded[:1], ())):
        if (
            line.words <= rule.max_words
            and rule.name not in off
            and _starts(line, phrase)
            and _FITS[rule.kind](line, phrase, rule)
        ):
            return Verdict(rule.kind, rule.name)
    if verdict := _heads_itself(line, off):
        return verdict
    if line.words <= 60:
        for phrase, rule in _held(line.folded):
            if phrase in line.folded and line.words <= rule.max_words and rule.name not in off and _short_or_call(line):
                return Verdict(rule.kind, rule.name)
    if line.words <= CALL_WORDS and (kind := call_of(line.text, line.folded)) and f"{kind}.call" not in off:
        return Verdict(kind, f"{kind}.call")
    if line.words <= STAMP_WORDS and _is_bare_stamp(line) and "timestamp.bare" not in off:
        return Verdict(RemovedKind.TIMESTAMP, "timestamp.bare")
    if line.words <= 14:
        if _COPYRIGHT.search(line.text) and "credit.picture" not in off:
            return Verdict(RemovedKind.CREDIT, "credit.picture")
        for phrase, rule in known.ends:
            if line.folded.endswith(phrase) and not ends_sentence(line.text) and rule.name not in off:
                return Verdict(rule.kind, rule.name)
    return None


def _held(folded: str) -> Iterator[tuple[str, TextRule]]:
    """The phrases that a line can hold: those that begin with one of its words, and those of one word or no spaces."""
    known = phrases()
    yield from known.contains_ascii if folded.isascii() else known.contains[""]
    for word in folded.split():
        yield from known.contains.get(word, ())


#: Longest line that an ad label may open, words: "Advertisement - scroll to continue".
_LABEL_WORDS: Final = 8
#: Share of links from where on a line is a list of them.
_LINKED: Final = 0.6
_PARTS: Final = re.compile(r"\s[-–—|•·/]\s|:\s")


def _labelled(line: Line, off: AbstractSet[str]) -> Verdict | None:
    """An ad label with a word to the reader after it."""
    rule = _label_of(line)
    if rule is None or rule.kind is not RemovedKind.AD_LABEL or rule.name in off:
        return None
    return Verdict(rule.kind, rule.name)


def _heads_itself(line: Line, off: AbstractSet[str]) -> Verdict | None:
    """A list's heading with its links on the same line: "Newer articles: … | …"."""
    rule = _label_of(line) if line.link_share >= _LINKED else None
    return Verdict(rule.kind, rule.name) if rule is not None and rule.heads_list and rule.name not in off else None


def _label_of(line: Line) -> TextRule | None:
    """The rule that takes what stands before a line's first colon or dash."""
    label, *rest = _PARTS.split(line.text, maxsplit=1)
    return phrases().equals.get(fold(label)) if rest else None


def _is_bare_stamp(line: Line) -> bool:
    """A date and a time of day: a date alone may head a part of a chronicle."""
    return not line.heading and has_time(line.text) and is_stamp(line.text, line.folded)


def _escaped(line: Line) -> Verdict | None:
    """Markup that stands in the text as text: `<p>The red carpet …</p>`, `[gallery ids="1,2"]`."""
    if is_element(line.text):
        return Verdict(RemovedKind.ESCAPED_MARKUP, "markup.escaped")
    return Verdict(RemovedKind.ESCAPED_MARKUP, "markup.shortcode") if is_shortcode(line.text) else None


#: Words of a headline, at most, that asks or exclaims.
_QUESTION_WORDS: Final = 15


def is_headline(text: str) -> bool:
    """Whether a line reads as a headline in a list: no statement, though it may ask, exclaim or trail off."""
    return not ends_sentence(text) or is_question(text)


def is_question(text: str) -> bool:
    """Whether a line asks or exclaims, as headlines do and interviewers do."""
    return text.rstrip("\"'”’»」』)")[-1:] in "?!？！؟…" and word_count(text) <= _QUESTION_WORDS


def _starts(line: Line, phrase: str) -> bool:
    folded = line.folded
    if not folded.startswith(phrase):
        return False
    after = folded[len(phrase) : len(phrase) + 1]
    return after in ("", " ") or _UNCASED.match(phrase) is not None


def _rest(line: Line, phrase: str) -> str:
    """What follows the phrase in the line's own spelling."""
    if line.folded == phrase:
        return ""
    wanted, seen = len(phrase.replace(" ", "")), 0
    for place, char in enumerate(line.text):
        if seen >= wanted:
            return line.text[place:]
        # fold() drops what is no word character and may widen a letter (ß → ss)
        seen += len(fold(char)) if not char.isspace() else 0
    return ""


def _separated(line: Line, phrase: str) -> bool:
    return line.folded == phrase or _SEPARATOR.match(_rest(line, phrase)) is not None


def _short_or_call(line: Line) -> bool:
    """Not a long paragraph of several sentences, which would be the article speaking of such things itself."""
    return line.words <= 45 or line.link_share > 0.3


def _pointer(line: Line, phrase: str, rule: TextRule) -> bool:
    if rule.name.endswith(".label"):
        return line.link_share >= 0.6 and line.words <= 25
    return line.link_share >= 0.5 or _separated(line, phrase)


def _credit(line: Line, phrase: str, _rule: TextRule) -> bool:
    return (
        _separated(line, phrase)
        or (" " in phrase and line.words <= 9 and not ends_sentence(line.text))
        or "©" in line.text
    )


def _caption(line: Line, phrase: str, _rule: TextRule) -> bool:
    return " " in phrase or _UNCASED.match(phrase) is not None or _separated(line, phrase)


def _call(line: Line, phrase: str, rule: TextRule) -> bool:
    """An invitation: a phrase of one word may open a sentence of the article, so only a short line is taken for it."""
    if line.words > 45:
        return line.link_share > 0.3
    if (" " in phrase or _UNCASED.match(phrase)) and not rule.name.endswith(".label"):
        return True
    return line.words <= 3 or _separated(line, phrase) or (line.words <= 8 and not ends_sentence(line.text))


def _comments(line: Line, phrase: str, _rule: TextRule) -> bool:
    if " " in phrase:
        return line.words <= 14 or line.link_share > 0.3
    if _UNCASED.match(phrase):
        return line.words <= 16 and not (line.words > 8 and ends_sentence(line.text))
    return line.words <= 4 or (_separated(line, phrase) and line.words <= 8)


_BRACKETED: Final = re.compile(r"[(（\[].*[)）\]]\.?")


def _byline(line: Line, phrase: str, rule: TextRule) -> bool:
    """Nothing but names after the word: "By Jane Doe and John Roe", not "By Monday the strike had ended"."""
    if rule.name.endswith(".bio"):
        return _separated(line, phrase)
    if rule.name.endswith(".desk"):
        return _BRACKETED.fullmatch(line.text) is not None
    rest = _rest(line, phrase).strip(" :：-–—|•·,.")
    if not rest or line.heading:
        return not rest and " " in phrase
    if _UNCASED.search(rest):
        return line.words <= 8 and (_separated(line, phrase) or len(phrase) > 2) and not ends_sentence(line.text)
    words = re.findall(r"[\w'’.\-]+", rest)
    names = [word for word in words if word.casefold() not in _NAME_JOINERS]
    return 1 <= len(names) <= 9 and len(names) >= 2 and all(word[0].isupper() or word[0].isdigit() for word in names)


def _timestamp(line: Line, phrase: str, rule: TextRule) -> bool:
    if rule.name.endswith(".reading_time"):
        return True
    rest = _rest(line, phrase)
    if not _DIGITS.search(rest) or not _CLOCK.search(rest):
        return False
    letters = [word for word in fold(rest).split() if not _DIGITS.search(word)]
    # "Le 14 juillet 2026 : la fête sans feu" is a subhead: after a mere preposition little but the date may follow.
    limit = 3 if len(phrase) <= 3 or ends_sentence(line.text) else 6
    return len(letters) <= limit


def _tags(line: Line, phrase: str, _rule: TextRule) -> bool:
    return line.link_share >= 0.6 or (_separated(line, phrase) and not ends_sentence(line.text))


def _always(_line: Line, _phrase: str, _rule: TextRule) -> bool:
    return True


_FITS: Final[dict[RemovedKind, Callable[[Line, str, TextRule], bool]]] = {
    RemovedKind.RELATED: _pointer,
    RemovedKind.CREDIT: _credit,
    RemovedKind.CAPTION: _caption,
    RemovedKind.NEWSLETTER: _call,
    RemovedKind.PAYWALL: _call,
    RemovedKind.APPEAL: _call,
    RemovedKind.COMMENTS: _comments,
    RemovedKind.BYLINE: _byline,
    RemovedKind.TIMESTAMP: _timestamp,
    RemovedKind.TAG: _tags,
    RemovedKind.COOKIE: _always,
    RemovedKind.SHARE: _always,
    RemovedKind.AD_LABEL: _always,
}
