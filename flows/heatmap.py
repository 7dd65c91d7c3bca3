"""A calendar of days as an SVG picture: a strip of weeks a site, a cell a day. Pure, and safe to open anywhere.

Colours tell apart without hue alone: articles are blues that darken, what is missing bears an orange mark.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Final
from xml.sax.saxutils import escape

from flows.plain import plain

CELL: Final = 13  # px from one cell to the next
SIDE: Final = 11
WEEKS_A_STRIP: Final = 53
MOST_STRIPS: Final = 60
LEFT, TOP, HEAD, FOOT = 34, 0, 48, 46
BLUES: Final = ("#c9dff2", "#8fbde0", "#4a8fc7", "#1f5f99", "#0c3a66")
NOTHING, OUTSIDE, MISSING, INK, FAINT = "#eef0f2", "#ffffff", "#e8710a", "#24292f", "#6e7781"
FONT: Final = "font-family:system-ui,sans-serif"
WEEKDAYS: Final = ("Mon", "", "Wed", "", "Fri", "", "")


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a site: articles in the store (or planned), and URLs that are missing."""

    number: int = 0
    missing: int = 0


@dataclass(frozen=True, slots=True)
class _Strip:
    """Up to a year of one site."""

    site: str
    first: date
    last: date
    days: Mapping[date, Day]
    usual: float

    @property
    def weeks(self) -> int:
        return (self.last - _monday(self.first)).days // 7 + 1


def heatmap(sites: Mapping[str, Mapping[date, Day]], first: date, last: date, *, noun: str = "article") -> str:
    """Return the picture of the days from the first to the last of these sites, the latest year on top.

    `noun` names what is counted. Of very many sites and years the first strips are drawn, and the rest is told.
    """
    strips = [strip for site, days in sites.items() for strip in _strips(site, days, first, last)]
    drawn, left = strips[:MOST_STRIPS], len(strips) - MOST_STRIPS
    weeks = max((strip.weeks for strip in drawn), default=1)
    width = max(LEFT + weeks * CELL + 20, 470)
    height = TOP + len(drawn) * (HEAD + 7 * CELL) + FOOT
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' role="img"><title>{escape(noun.capitalize())}s a day, {first} to {last}</title>'
        f'<rect width="{width}" height="{height}" rx="8" fill="#ffffff"/>'
    )
    parts = [opening]
    for number, strip in enumerate(drawn):
        parts += _drawn(strip, TOP + number * (HEAD + 7 * CELL), noun, several_years=len(strips) > len(sites))
    parts += _legend(height - FOOT + 22, noun, f"{left} more strips are not drawn" if left > 0 else "")
    return "\n".join([*parts, "</svg>\n"])


def _strips(site: str, days: Mapping[date, Day], first: date, last: date) -> Iterator[_Strip]:
    counts = [day.number for day in days.values() if day.number]
    usual = median(counts) if counts else 1.0
    end = last
    while end >= first:
        start = max(first, _monday(end) - timedelta(weeks=WEEKS_A_STRIP - 1))
        yield _Strip(site, start, end, days, usual)
        end = start - timedelta(days=1)


def _drawn(strip: _Strip, top: int, noun: str, *, several_years: bool) -> Iterator[str]:
    total = sum(strip.days[day].number for day in _days(strip) if day in strip.days)
    years = f", {strip.first} to {strip.last}" if several_years else ""
    title = f"{plain(strip.site)}{years}: {total:,} {noun}{'' if total == 1 else 's'}"
    style = f"{FONT};font-size:12px;font-weight:600"
    yield f'<text x="{LEFT}" y="{top + 22}" fill="{INK}" style="{style}">{escape(title)}</text>'
    for row, name in enumerate(WEEKDAYS):
        if name:
            yield _text(4, top + HEAD + row * CELL + 9, name)
    monday = _monday(strip.first)
    labelled = -3
    for day in _days(strip):
        week = (day - monday).days // 7
        x, y = LEFT + week * CELL, top + HEAD + day.weekday() * CELL
        is_new = day == strip.first or (day.day <= 7 and day.weekday() == 0)
        if is_new and week - labelled >= 2:
            labelled = week
            yield _text(x, top + HEAD - 6, f"{day:%b}" + (f" {day.year}" if day.month == 1 else ""))
        what = strip.days.get(day, Day())
        told = f"{day:%a %Y-%m-%d}: {what.number} {noun}{'' if what.number == 1 else 's'}"
        told += f", {what.missing} missing" if what.missing else ""
        shade = _shade(what.number, strip.usual)
        yield from _cell(x, y, shade, escape(told), is_missing=what.missing > 0)


def _cell(x: int, y: int, shade: str, told: str, *, is_missing: bool) -> Iterator[str]:
    rectangle = f'<rect x="{x}" y="{y}" width="{SIDE}" height="{SIDE}" rx="2" fill="{shade}">'
    yield f"{rectangle}<title>{told}</title></rect>"
    if is_missing:
        yield f'<path d="M{x + SIDE} {y}v7l-7 -7z" fill="{MISSING}"/>'


def _shade(number: int, usual: float) -> str:
    """The usual number of a site is the middle blue; twice as many, the darkest."""
    if not number:
        return NOTHING
    return BLUES[min(len(BLUES) - 1, round(number / usual * (len(BLUES) // 2)))]


def _legend(y: int, noun: str, more: str) -> Iterator[str]:
    yield _text(LEFT, y + 9, "none")
    for place, colour in enumerate((NOTHING, *BLUES)):
        yield f'<rect x="{LEFT + 34 + place * CELL}" y="{y}" width="{SIDE}" height="{SIDE}" rx="2" fill="{colour}"/>'
    x = LEFT + 40 + (1 + len(BLUES)) * CELL
    yield _text(x, y + 9, f"more {noun}s than usual at the site")
    x += 190
    yield f'<rect x="{x}" y="{y}" width="{SIDE}" height="{SIDE}" rx="2" fill="{NOTHING}"/>'
    yield f'<path d="M{x + SIDE} {y}v7l-7 -7z" fill="{MISSING}"/>'
    yield _text(x + 18, y + 9, "something is missing")
    if more:
        yield _text(LEFT, y - 8, more)


def _text(x: int, y: int, text: str) -> str:
    return f'<text x="{x}" y="{y}" fill="{FAINT}" style="{FONT};font-size:10px">{escape(text)}</text>'


def _days(strip: _Strip) -> Iterator[date]:
    return map(date.fromordinal, range(strip.first.toordinal(), strip.last.toordinal() + 1))


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
