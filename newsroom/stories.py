"""What a site publishes: the stories of each day, and the hand-written ones that a crawl has to take care with."""

import random
import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from newsroom.houses import House
from newsroom.prose import Block, Draft, draft, stock

_DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "de": ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
}
MONTHS = {
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    "de": (
        *("Januar", "Februar", "März", "April", "Mai", "Juni"),
        *("Juli", "August", "September", "Oktober", "November", "Dezember"),
    ),
    "fr": (
        *("janvier", "février", "mars", "avril", "mai", "juin"),
        *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    ),
}

# Letters that Unicode does not take apart, as German addresses write them.
_PLAIN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ı": "i"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """A member of a site's staff."""

    name: str
    bio: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One article of one site; times are UTC. `access` is free, metered (the page holds the text) or closed (it does not)."""

    house: House
    number: int
    path: str
    section: str
    tags: tuple[str, ...]
    headline: str
    lead: str
    blocks: tuple[Block, ...]
    authors: tuple[Author, ...]
    published: datetime
    modified: datetime | None
    language: str
    caption: str
    credit: str
    agency: str | None = None
    access: str = "free"
    escaped_caption: str | None = None  # markup that a careless editor pasted as text, at the end of the body
    hidden: bool = False  # in no list of the site's own pages
    noindex: bool = False  # asks not to be taken up

    @property
    def url(self) -> str:
        """The address at which it lives."""
        return self.house.origin + self.path

    @property
    def local(self) -> datetime:
        """Time of publication on the site's own clock."""
        return self.published.astimezone(ZoneInfo(self.house.time_zone))


def daily(house: House, first: date, last: date) -> list[Story]:
    """The ordinary stories of the days `first`-`last`, newest first: a story depends on its own day only."""
    days = (last - timedelta(days=back) for back in range((last - first).days + 1))
    return [story for day in days for story in _of_day(house, day)]


def late(house: House, day: date) -> Story:
    """The story that comes out after the others of its day, with the second edition."""
    return replace(_story(house, day, slot=9, hour=22), modified=None)


def _of_day(house: House, day: date) -> list[Story]:
    count = house.stories_in_two_days // 2 + (house.stories_in_two_days % 2 and day.toordinal() % 2)
    return [_story(house, day, slot=slot, hour=17 - 8 * slot) for slot in range(count)]


def _story(house: House, day: date, *, slot: int, hour: int) -> Story:
    number = day.toordinal() * house.stories_in_two_days // 2 + slot
    essay = house.essays and slot == 0 and day.toordinal() % 9 == 0
    turn = day.toordinal() // 9 if essay else number
    language = "en" if essay else house.languages[0]
    text = draft(stock(house.name), turn, _calendar(day, language), "essay" if essay else None)
    dice = random.Random(f"{house.name} {day.isoformat()} {slot}")
    moment = datetime.combine(day, time(hour, dice.randrange(60), dice.randrange(60)), ZoneInfo(house.time_zone))
    return compose(house, text, number=number * 10 + slot, moment=moment, language=language, dice=dice)


def compose(house: House, text: Draft, *, number: int, moment: datetime, language: str, dice: random.Random) -> Story:
    """Give a draft its place in a site: address, authors, a picture's credit, and now and then a careless editor."""
    published = moment.astimezone(UTC)
    words = stock(house.name).words
    staff = staff_of(house, "staff_en" if "staff_en" in words and language == "en" else "staff")
    authors = tuple(dice.sample(staff, 2 if len(staff) > 1 and dice.random() < house.joint_bylines else 1))
    return Story(
        house=house,
        number=number,
        path=house.path_of(slug(text.headline), number, moment, text.section),
        section=text.section,
        tags=text.tags,
        headline=text.headline,
        lead=text.lead,
        blocks=text.blocks,
        authors=authors,
        published=published,
        modified=published + timedelta(minutes=dice.randrange(20, 200)) if dice.random() < 0.25 else None,
        language=language,
        caption=text.caption,
        credit=dice.choice(words["credit"]),
        escaped_caption=text.caption if number % 5 == 0 else None,
    )


def staff_of(house: House, name: str = "staff") -> list[Author]:
    """The people who sign a site's articles."""
    pairs = (entry.split("|") for entry in stock(house.name).words[name])
    return [Author(name=name, bio=bio) for name, bio in pairs]


def _calendar(day: date, language: str) -> dict[str, tuple[str, ...]]:
    names = _DAYS[language]
    return {
        "weekday": (names[day.weekday()], names[(day.weekday() + 2) % 7]),
        "month": (MONTHS[language][day.month % 12],),
    }


def slug(headline: str) -> str:
    """A headline as part of an address: ASCII words joined by hyphens, 70 characters at most."""
    german = headline.lower().translate(_PLAIN)
    plain = unicodedata.normalize("NFKD", german).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:70].strip("-")


def edited(story: Story, *, position: int, text: str, at: datetime) -> Story:
    """The story with one block written anew; the headline stays."""
    blocks = list(story.blocks)
    blocks[position] = replace(blocks[position], text=text)
    return replace(story, blocks=tuple(blocks), modified=at)
