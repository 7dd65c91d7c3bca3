"""What a value in a site's file may be: each rule returns the value's normal form or raises BadValueError."""

import difflib
import functools
import ipaddress
import re
import unicodedata
import zoneinfo
from collections.abc import Iterable
from datetime import date
from importlib import resources

from extraction.urls import BadUrlError, authority, canonicalize, host, registrable_domain

_DATE_FIELDS = ("{year}", "{month}", "{day}")
MAX_PATTERN_CHARS = 500  # with the bound on the path, a bound on what one match can cost


class BadValueError(ValueError):
    """A value that a rule refuses: what is allowed, and the mend."""

    def __init__(self, allowed: str, mend: str) -> None:
        super().__init__(allowed)
        self.allowed, self.mend = allowed, mend


def name(value: str, *, stem: str) -> str:
    """A site's name: what its file is called, what commands and rows call it."""
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?", value):
        raise BadValueError("1 to 64 of a-z, 0-9 and - (no - at the ends)", "for example politico-europe")
    if value != stem:
        raise BadValueError(
            f"the file's own name, {stem!r}", f"write name = {stem!r} or rename the file to {value}.toml"
        )
    return value


def title(value: str) -> str:
    """A title that a terminal can show."""
    if not value.strip() or len(value) > 200 or any(unicodedata.category(char) == "Cc" for char in value):
        raise BadValueError("1 to 200 printable characters", "write the site's name as its readers know it")
    return value


def web_url(value: str) -> str:
    """An http(s) URL in its canonical form."""
    try:
        canonical = canonicalize(value)
    except BadUrlError as error:
        raise BadValueError("an absolute http or https URL", f"mend the URL ({error})") from error
    if not canonical.startswith(("http://", "https://")):
        raise BadValueError("an absolute http or https URL", "begin it with https://")
    return canonical


@functools.cache
def _zone_table(name: str) -> tuple[tuple[str, ...], ...]:
    """A table of the tz database (from the tzdata package: some machines have none): the fields of each line."""
    text = resources.files("tzdata").joinpath("zoneinfo", name).read_text(encoding="utf-8")
    return tuple(tuple(line.split("\t")) for line in text.splitlines() if line and not line.startswith("#"))


def countries() -> dict[str, str]:
    """ISO 3166 alpha-2 codes in lower case and the countries' English names (the tz database's iso3166.tab)."""
    return {code.lower(): name for code, name in _zone_table("iso3166.tab")}


def zones(country: str) -> list[str]:
    """Return the time zones of a country (lower-case alpha-2), mostly the most populous first."""
    return [fields[2] for fields in _zone_table("zone.tab") if fields[0].lower() == country]


def archive(value: str) -> str:
    """An http(s) URL with {year} and, if wanted, {month} and {day} in it, else in its canonical form."""
    for field in re.findall(r"\{[^}]*\}?", value) or [""]:
        if field not in _DATE_FIELDS or "{year}" not in value:
            raise BadValueError(
                "URLs with {year} and, of two digits each, {month} and {day}", "name a sitemap under sitemaps"
            )
    stand_ins = {field: f"year0{field[1:-1]}" for field in _DATE_FIELDS}
    for field, stand_in in stand_ins.items():
        value = value.replace(field, stand_in)
    value = web_url(value)
    for field, stand_in in stand_ins.items():
        value = value.replace(stand_in, field)
    return value


def of_day(archive: str, day: date) -> str:
    """The URL of an archive's sitemap that holds a day."""
    if "{year}" not in archive:
        return archive
    fields = {"{year}": f"{day.year:04}", "{month}": f"{day.month:02}", "{day}": f"{day.day:02}"}
    for field, text in fields.items():
        archive = archive.replace(field, text)
    return archive


def country(value: str) -> str:
    """An ISO 3166 alpha-2 code in lower case."""
    if value not in countries():
        hint = {"uk": "the United Kingdom is gb", "eu": "take the country where the site is edited"}.get(value.lower())
        lower = f"write {value.lower()!r}" if value.lower() in countries() else "for example be"
        raise BadValueError("an ISO 3166 alpha-2 code in lower case", hint or lower)
    return value


def language(value: str) -> str:
    """A well-formed BCP 47 tag (RFC 5646 2.1, without grandfathered tags): language, script, region, variants."""
    pattern = r"[a-zA-Z]{2,3}(-[a-zA-Z]{4})?(-(?:[a-zA-Z]{2}|\d{3}))?(-(?:[a-zA-Z0-9]{5,8}|\d[a-zA-Z0-9]{3}))*"
    if not re.fullmatch(pattern, value):
        raise BadValueError("BCP 47 tags", 'for example "de", "pt-BR" or "zh-Hant"')
    return value


def zone(value: str) -> str:
    """A name of the tz database."""
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        mend = nearest(value, zoneinfo.available_timezones())
        raise BadValueError(
            "a name of the tz database, like Europe/Brussels", mend.strip() or "take one of them"
        ) from error
    return value


def host_pattern(value: str) -> str:
    """A host, or `*.` and a domain."""
    star = "*." if value.startswith("*.") else ""
    bare = value.removeprefix(star)
    try:
        url = canonicalize(f"http://{bare}/")
    except BadUrlError:
        url = ""
    if not url or url != f"http://{authority(url)}/" or authority(url).strip("[]") != host(url):
        allowed = "host names without scheme, port or path, or *.domain for a domain and all below it"
        raise BadValueError(allowed, "for example www.politico.eu or *.politico.eu")
    return star + host(url)


def whole_domain(url: str) -> str:
    """Return a pattern for all of the URL's registrable domain; an address and *.localhost stand for themselves."""
    name = host(url)
    domain = registrable_domain(url)
    alone = name == "localhost" or name.endswith(".localhost") or _is_address(name) or not domain
    return name if alone else f"*.{domain}"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def network(value: str) -> str:
    """A network as CIDR."""
    try:
        return str(ipaddress.ip_network(value))
    except ValueError as error:
        raise BadValueError("networks as CIDR", f"for example 127.0.0.0/8 or ::1/128 ({error})") from error


def pattern(value: str) -> str:
    """A regular expression that compiles."""
    if not 1 <= len(value) <= MAX_PATTERN_CHARS:
        raise BadValueError(f"regular expressions of 1 to {MAX_PATTERN_CHARS} characters", "part it into several")
    try:
        compiled(value)
    except (re.error, RecursionError, OverflowError) as error:
        raise BadValueError("Python regular expressions", f"mend it ({error})") from error
    return value


@functools.lru_cache(maxsize=4096)
def compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern once (a site with many of them would flush re's own cache)."""
    return re.compile(pattern)


def choice(value: str, *, of: tuple[str, ...]) -> str:
    """One of some words."""
    if value not in of:
        words = " or ".join(f'"{word}"' for word in of)
        raise BadValueError(words, nearest(value, of).strip() or f'"{of[0]}" is the default')
    return value


def rule_name(value: str) -> str:
    """The name of a cleaning rule."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.:-]{0,63}", value):
        raise BadValueError("names of rules as `nightdesk explain` shows them", "copy the name from there")
    return value


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ` did you mean X or Y?`, or nothing if no name is near."""
    names = [str(name) for name in known]
    found = difflib.get_close_matches(word, names, n=3, cutoff=0.6) or difflib.get_close_matches(
        word.lower(), [name for name in names if name.lower().startswith(word.lower()[:3])], n=3, cutoff=0.4
    )
    return f" did you mean {' or '.join(found)}?" if found else ""
