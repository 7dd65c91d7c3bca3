"""The three sites of the newsroom: who they are and how their addresses look."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """One news site. `origin` is `http://<name>.localhost:<port>` (RFC 6761: such names mean this machine)."""

    name: str
    title: str
    origin: str
    country: str  # ISO 3166 alpha-2, lower case
    languages: tuple[str, ...]  # BCP 47, the site's own first
    time_zone: str
    sections: dict[str, str]  # name -> path of its page
    stories_in_two_days: int
    joint_bylines: float  # share of stories that two people sign
    essays: bool
    path_of: Callable[[str, int, datetime, str], str]  # slug, number, local time, section -> path
    feeds: tuple[str, ...] = ()
    news_sitemaps: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    section_sources: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """Name and port, as in a Host header."""
        return self.origin.partition("//")[2]


COURIER, BOTE, LANTERNE = "saltmarsh-courier", "lindenauer-bote", "la-lanterne"

_COURIER_SECTIONS = {
    "Harbour": "/harbour/",
    "Town Hall": "/town-hall/",
    "Schools": "/schools/",
    "Weather": "/weather/",
    "Sport": "/sport/",
    "Health": "/health/",
    "Business": "/business/",
    "Arts": "/arts/",
}
_BOTE_SECTIONS = {
    "Lokales": "/lokales/",
    "Bildung": "/bildung/",
    "Sport": "/sport/",
    "Wirtschaft": "/wirtschaft/",
    "Gesundheit": "/gesundheit/",
    "Kultur": "/kultur/",
    "Umwelt": "/umwelt/",
}
_LANTERNE_SECTIONS = {
    "Sciences": "/sciences/",
    "Culture": "/culture/",
    "Idées": "/idees/",
    "Voyages": "/voyages/",
    "In English": "/in-english/",
}


def houses(port: int) -> tuple[House, House, House]:
    """The three sites as served on `port`."""
    return (_courier(port), _bote(port), _lanterne(port))


def _courier(port: int) -> House:
    return House(
        name=COURIER,
        title="The Saltmarsh Courier",
        origin=f"http://{COURIER}.localhost:{port}",
        country="gb",
        languages=("en",),
        time_zone="Europe/London",
        sections=_COURIER_SECTIONS,
        stories_in_two_days=4,
        joint_bylines=0.2,
        essays=False,
        path_of=lambda slug, number, _, section: f"{_COURIER_SECTIONS[section]}{slug}-{number}/",
        feeds=("/feed.rss",),
        news_sitemaps=("/news-sitemap.xml",),
        sitemaps=("/sitemap-index.xml",),
    )


def _bote(port: int) -> House:
    return House(
        name=BOTE,
        title="Lindenauer Bote",
        origin=f"http://{BOTE}.localhost:{port}",
        country="de",
        languages=("de",),
        time_zone="Europe/Berlin",
        sections=_BOTE_SECTIONS,
        stories_in_two_days=3,
        joint_bylines=0.15,
        essays=False,
        path_of=lambda slug, number, _, section: f"{_BOTE_SECTIONS[section]}{slug}-id{number}.html",
        feeds=("/atom.xml", "/feed.json"),
        sitemaps=("/sitemap.xml",),
    )


def _lanterne(port: int) -> House:
    return House(
        name=LANTERNE,
        title="La Lanterne",
        origin=f"http://{LANTERNE}.localhost:{port}",
        country="fr",
        languages=("fr", "en"),
        time_zone="Europe/Paris",
        sections=_LANTERNE_SECTIONS,
        stories_in_two_days=2,
        joint_bylines=0.1,
        essays=True,
        path_of=lambda slug, _, moment, __: f"/{moment:%Y/%m/%d}/{slug}/",
        section_sources=tuple(_LANTERNE_SECTIONS.values()),
    )
