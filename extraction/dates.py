"""Dates as pages write them: read exactly, or not at all.

A date is taken only if it names its day without doubt; 04/05/2024 without a known order names none. What cannot be a
publication (1970, 0000, 2099, tomorrow) is refused. The day is also kept as it was written: a moment in UTC can fall
on another day than the reader saw.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from extraction.months import calendars

#: Nothing on the web is older than its first newspapers' archives, and 1970-01-01 is an unset clock.
FIRST_YEAR: Final = 1800
#: How far ahead of the time of fetching a date may be: clocks differ, and a morning paper is dated ahead.
AHEAD: Final = timedelta(hours=14)
_MAX_CHARS: Final = 120

#: Hours from UTC of the abbreviations that news pages write; ambiguous ones as most of them mean it (IST: India).
_ZONES: Final = {
    "z": 0, "utc": 0, "gmt": 0, "wet": 0, "bst": 1, "west": 1, "cet": 1, "mez": 1, "wat": 1, "cest": 2,
    "mesz": 2, "eet": 2, "sast": 2, "cat": 2, "eest": 3, "msk": 3, "trt": 3, "eat": 3, "gst": 4, "pkt": 5,
    "ist": 5.5, "npt": 5.75, "wib": 7, "ict": 7, "hkt": 8, "sgt": 8, "pht": 8, "awst": 8, "wita": 8, "jst": 9,
    "kst": 9, "wit": 9, "acst": 9.5, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13, "brt": -3, "art": -3,
    "adt": -3, "ast": -4, "edt": -4, "est": -5, "cdt": -5, "cst": -6, "mdt": -6, "mst": -7, "pdt": -7, "pst":
    -8,
}  # fmt: skip
_PLACES: Final = {
    "et": "America/New_York",
    "ct": "America/Chicago",
    "mt": "America/Denver",
    "pt": "America/Los_Angeles",
}

_NUMBERS = re.compile(
    r"(?<!\d)(?P<year>\d{4})\s?[-/.年년]\s?(?P<month>\d{1,2})\s?[-/.月월]\s?(?P<day>\d{1,2})(?!\d)\s?[日일.]?(?P<rest>.*)",
    re.DOTALL,
)
_COMPACT = re.compile(
    r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)(?:[T ]?(?P<h>\d\d)(?P<m>\d\d)(?P<s>\d\d)?)?(?P<rest>(?:\D.*)?)"
)
_DAY_FIRST = re.compile(
    r"(?<!\d)(?P<one>\d{1,2})\s?[-/.]\s?(?P<two>\d{1,2})\s?[-/.]\s?(?P<year>\d{4})(?!\d)(?P<rest>.*)", re.DOTALL
)
_WORD = r"[^\s\d,;|()]{2,24}"
_NAMED_DAY_FIRST = re.compile(
    r"(?<!\d)(?P<day>\d{1,2})(?:st|nd|rd|th|er|º|ª|ος)?[.,]?[\s-]+(?:de\s|d['’]|of\s|d\W)?"
    rf"(?P<name>{_WORD})(?:,|[\s-]+(?:de\s|del\s|พ\.ศ\.\s)?)\s*(?P<year>\d{{4}})(?!\d)(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_NAMED_MONTH_FIRST = re.compile(
    rf"(?<!\w)(?P<name>{_WORD})\s*(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})(?!\d)(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_NAMED_YEAR_FIRST = re.compile(
    rf"(?<!\d)(?P<year>\d{{4}})[.,]?\s+(?:m\.\s+)?(?P<name>{_WORD})\s+(?P<day>\d{{1,2}})(?!\d)(?P<rest>.*)", re.DOTALL
)
_CLOCK = re.compile(
    r"(?:(?P<before>오전|오후|上午|下午|午前|午後|am|pm)\s?)?(?<![\d.:])(?P<h>\d{1,2})\s?"
    r"(?:[:.h時时시]\s?(?P<m>\d\d)(?!\d)(?:[:.분分]\s?(?P<s>\d\d)(?!\d)(?:[.,]\d+)?)?|[時时시]|(?=\s?[ap]\.?m))"
    r"\s?(?:분|分)?\s?(?P<after>[ap]\.?m\b\.?)?",
    re.IGNORECASE,
)
_OFFSET = re.compile(r"(?:utc|gmt)?\s?(?P<sign>[+−-])(?P<h>\d{1,2}):?(?P<m>\d\d)?(?!\d)", re.IGNORECASE)
_ABBREVIATION = re.compile(r"(?<![^\W\d_])([a-z]{1,5})(?![^\W\d_])", re.IGNORECASE)
_EPOCH = re.compile(r"\d{10}(?:\d{3})?(?:\.\d+)?")
_DIGITS: Final = str.maketrans(
    "٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹०१२३४५६७८९০১২৩৪৫৬৭৮৯๐๑๒๓๔๕๖๗๘๙０１２３４５６７８９：", "0123456789" * 6 + ":"
)
_URL_DAY = re.compile(
    r"[/_-]((?:19|20)\d\d)[/_-]?(0[1-9]|1[0-2]|(?<=/)[1-9])[/_-]?([0-2]\d|3[01]|(?<=/)[1-9])(?=[/_.-]|$)"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A date that was read: the moment in UTC, the day as written, and what the text did not say.

    Without a time it is midnight; without a zone UTC is assumed, and `zone_known` is False.
    """

    at: datetime
    day: date
    has_time: bool
    zone_known: bool


def read(raw: str, *, language: str | None = None, seen: datetime | None = None) -> Moment | None:
    """Read a date as pages and feeds write it, or return None where it names no possible day without doubt.

    Args:
        raw: ISO 8601 in any of its spellings, RFC 2822, Unix seconds or milliseconds, or a date in words or numbers.
        language: BCP 47 of the page; it orders 04/05/2024 (en-US: month first; en alone: unknown) and tells Buddhist
            years (th) and Persian ones (fa) from wrong ones.
        seen: when the page was fetched, UTC; what lies more than AHEAD after it is refused. None: now.
    """
    text = " ".join(raw[:_MAX_CHARS].translate(_DIGITS).split())
    moment = _read(text, (language or "").lower())
    if moment is None or moment.at.year < FIRST_YEAR or moment.day == date(1970, 1, 1):
        return None
    return moment if moment.at <= (seen or datetime.now(UTC)) + AHEAD else None


def read_url(url: str, *, seen: datetime | None = None) -> Moment | None:
    """Read the day that stands in an article's URL (/2024/04/28/, -20240428), or return None."""
    matches = _URL_DAY.findall(url)
    return read("-".join(matches[0]), seen=seen) if len(matches) == 1 else None


def _read(text: str, language: str) -> Moment | None:
    if _EPOCH.fullmatch(text):
        seconds = float(text) / (1000 if len(text.partition(".")[0]) == 13 else 1)
        return _moment(datetime.fromtimestamp(seconds, UTC), has_time=True)
    try:
        exact = datetime.fromisoformat(text)
    except ValueError:
        pass
    else:
        if exact.year >= FIRST_YEAR and not (language[:2] == "th" and exact.year > 2400):
            return _moment(exact, has_time=len(text) > 10 or "T" in text)
    if match := _NUMBERS.search(text):
        return _build(match, int(match["year"]), int(match["month"]), int(match["day"]), language)
    if match := _COMPACT.fullmatch(text):
        clock = f"{match['h']}:{match['m']}:{match['s'] or '00'}" if match["h"] else ""
        return _built(int(match["year"]), int(match["month"]), int(match["day"]), clock + match["rest"], language)
    if match := _DAY_FIRST.search(text):
        return _ordered(match, language)
    for pattern in (_NAMED_DAY_FIRST, _NAMED_MONTH_FIRST, _NAMED_YEAR_FIRST):
        if (match := pattern.search(text)) and (found := _month(match["name"])):
            number, persian = found
            year = int(match["year"])
            return _built(year, number, int(match["day"]), match["rest"], "fa" if persian and year < 1600 else language)
    if text[:1].isalpha():
        try:
            return _moment(parsedate_to_datetime(text), has_time=True)
        except (ValueError, TypeError, IndexError):
            return None
    return None


def _moment(when: datetime, *, has_time: bool) -> Moment | None:
    known = when.tzinfo is not None
    try:
        return Moment((when if known else when.replace(tzinfo=UTC)).astimezone(UTC), when.date(), has_time, known)
    except (OverflowError, ValueError):
        return None


def _ordered(match: re.Match[str], language: str) -> Moment | None:
    """Read two numbers before a year: by their size, else by the language's order, else not at all."""
    one, two = int(match["one"]), int(match["two"])
    dotted = "." in match[0][: match.start("rest") - match.start()]
    if one > 12 or one == two or (two <= 12 and (dotted or _puts_day_first(language))):
        day, month = one, two
    elif two > 12 or language[:5] == "en-us":
        day, month = two, one
    else:
        return None
    return _build(match, int(match["year"]), month, day, language)


def _puts_day_first(language: str) -> bool:
    """Tell whether a language, if it is known, writes the day before the month: all but American English do."""
    return bool(language) and language not in {"en", "en-us", "en-ph"}


def _build(match: re.Match[str], year: int, month: int, day: int, language: str) -> Moment | None:
    return _built(year, month, day, match["rest"], language)


def _built(year: int, month: int, day: int, rest: str, language: str) -> Moment | None:
    """Join a day with the clock and zone that follow it."""
    try:
        on = _civil(year, month, day, language)
    except ValueError:
        return None
    clock = _CLOCK.search(rest[:60])
    hour, minute, second = _time(clock) if clock else (0, 0, 0)
    try:
        when = datetime(on.year, on.month, on.day, hour, minute, second)  # noqa: DTZ001 - its zone is read next
        zone = _zone(rest[clock.end() :] if clock else "", when)
        return _moment(when.replace(tzinfo=zone), has_time=clock is not None)
    except ValueError:
        return None


def _time(clock: re.Match[str]) -> tuple[int, int, int]:
    hour = int(clock["h"])
    half = (clock["after"] or clock["before"] or "").lower()
    if half.startswith("p") or half in {"오후", "下午", "午後"}:
        hour = hour % 12 + 12
    elif half and hour == 12:
        hour = 0
    return hour, int(clock["m"] or 0), int(clock["s"] or 0)


def _zone(rest: str, when: datetime) -> timezone | ZoneInfo | None:
    rest = rest[:30]
    if match := _OFFSET.search(rest):
        minutes = int(match["h"]) * 60 + int(match["m"] or 0)
        return (
            timezone(timedelta(minutes=-minutes if match["sign"] != "+" else minutes)) if minutes <= 14 * 60 else None
        )
    for match in _ABBREVIATION.finditer(rest):
        name = match[1].lower()
        if name in _ZONES:
            return timezone(timedelta(hours=_ZONES[name]))
        if name in _PLACES:
            return timezone(ZoneInfo(_PLACES[name]).utcoffset(when) or timedelta())
    return None


def _civil(year: int, month: int, day: int, language: str) -> date:
    """Return the Gregorian day; Buddhist years (Thai) are 543 ahead, Persian ones are solar years from 622."""
    if language[:2] == "th" and 2400 < year < 2700:
        year -= 543
    if language[:2] == "fa" and 1200 < year < 1600:
        return _from_persian(year, month, day)
    return date(year, month, day)


def _from_persian(year: int, month: int, day: int) -> date:
    """Convert a Persian date (Birashk's 33-year rule, exact from 1799 to 2256)."""
    if not (1 <= month <= 12 and 1 <= day <= 31):
        raise ValueError("no Persian date")
    before = 365 * (year - 1) + (8 * (year - 1) + 29) // 33 + (31 * (month - 1) if month <= 7 else 30 * (month - 1) + 6)
    return date(622, 3, 20) + timedelta(days=before + day)


@cache
def _names() -> dict[str, tuple[int, bool]]:
    """Return the months' names of rules/months.txt: number, and whether Persian."""
    names: dict[str, tuple[int, bool]] = {}
    for calendar, persian in calendars():
        for number, name in enumerate(calendar, 1):
            names.setdefault(name, (number, persian))
    return names


def _month(name: str) -> tuple[int, bool] | None:
    return _names().get(name.rstrip(".").casefold())
