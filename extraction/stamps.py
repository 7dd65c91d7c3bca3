"""Lines that are a date or a time and nothing else, in any language: when the article came out, not what it says."""

import re
from functools import cache
from pathlib import Path
from typing import Final

from extraction.months import calendars
from extraction.rules import phrases
from extraction.text import digit_count, fold

#: Longest such line, words: "Published on Tuesday, 3 February 2026 at 11:40, updated at 12:15".
MAX_WORDS: Final = 16
_CLOCK: Final = re.compile(r"\b\d{1,2}\s?(?:[:.h時时]\s?\d{2}|(?:a|p)\.?m\b|h\b|uhr\b)", re.IGNORECASE)
_YEAR: Final = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_NUMERIC: Final = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[./-]\d{1,2}[./-]\d{1,2}|\d{4}\s?[年년]")
_LONGEST_NUMBER: Final = 12  # "2026年2月3日"


@cache
def _months() -> frozenset[str]:
    return frozenset(word for names, _ in calendars() for name in names for word in fold(name).split())


@cache
def _small_words() -> frozenset[str]:
    """Days, particles, and what rules/phrases/timestamp.toml says before a date."""
    lines = (Path(__file__).parent / "rules" / "days.txt").read_text("utf-8").splitlines()
    words = {word for line in lines if not line.startswith("#") for word in fold(line).split()[1:]}
    rules = phrases()
    known = [(phrase, rule) for found in rules.starts.values() for phrase, rule in found] + list(rules.equals.items())
    words |= {word for phrase, rule in known if rule.name == "timestamp.words" for word in phrase.split()}
    return frozenset(words)


def is_stamp(text: str, folded: str) -> bool:
    """Whether a line holds a date or a time of day, and no word that is not part of one."""
    words = folded.split()
    if len(words) > MAX_WORDS or not digit_count(text):
        return False
    month = False
    for word in words:
        if word in _months():
            month = True
        elif word not in _small_words() and not (len(word) <= _LONGEST_NUMBER and word[0].isdigit()):
            return False
    return month or _NUMERIC.search(text) is not None or _CLOCK.search(text) is not None


def has_time(text: str) -> bool:
    """Whether a line names a time of day and a year, as no subhead of a chronicle does."""
    return _CLOCK.search(text) is not None and _YEAR.search(text) is not None
