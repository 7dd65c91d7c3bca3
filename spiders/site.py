"""A site: one strict TOML file says where its news is and how it wants to be asked. `docs/sites.md` names all keys."""

import functools
import math
import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec

from extraction.records import PageClass
from extraction.urls import host
from spiders import sitevalues as values
from spiders.sitevalues import BadValueError, nearest

MAX_FILE_BYTES = 256 * 1024
MAX_SOURCES = 1000  # the greatest in the catalogue has 607 yearly sitemaps
MAX_DAYS = 36_600  # of archives, newest first: a hundred years
MAX_PATTERNS = 50
MAX_PATH_CHARS = 2000  # of a path and query that patterns are searched in
LEAST_PUBLIC_DELAY_S = 0.5

Rule = Callable[[str], str]  # returns the normal form, raises BadValueError

_TYPE_NAMES = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}


class SiteError(ValueError):
    """Raised for a site's file that cannot be used: names file, line, key, what was read, what is allowed, the mend."""


class Sources(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where URLs are found: feeds and news sitemaps name what is new, sitemaps all, sections are a last resort.

    `archives` are sitemaps by year, month or day: URLs with {year} and, of two digits each, {month} and {day} in them.
    `archive_pages` are pages of links of the same kind, which backfills read: what one of a day names is of that day.
    """

    feeds: tuple[str, ...] = ()
    news_sitemaps: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    archives: tuple[str, ...] = ()
    archive_pages: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()


class Articles(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Regular expressions searched for in a URL's path and query; no `include` takes all, `exclude` wins."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


class Politeness(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`delay_s`: least seconds between two requests to one host. `budget_pages`: most pages asked for in a run."""

    delay_s: float = 1.0
    budget_pages: int = 2000


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Networks (CIDR) that are refused otherwise and that this site may be on."""

    allow: tuple[str, ...] = ()


class Rights(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the site's words on use are taken where an agreement with it says otherwise.

    `licence`: "honour" its RSL terms and demands, or "held": you have a licence, and they are recorded only.
    `noarchive`: "honour" it (the response is dropped once its article is in the store), or "keep" the response.
    """

    licence: str = "honour"
    noarchive: str = "honour"

    @property
    def heeds_licences(self) -> bool:
        """Whether a demand for a licence ends a URL."""
        return self.licence == "honour"

    @property
    def heeds_noarchive(self) -> bool:
        """Whether responses that ask for it are dropped."""
        return self.noarchive == "honour"


class Fetch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`browser`: pages are opened in a browser (the extra nightdesk[browser]) because their text is made by scripts."""

    browser: bool = False


class ExtractionKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Cleaning rules switched off for the site, and page classes kept though they are no `article`."""

    rules_off: tuple[str, ...] = ()
    keep_classes: tuple[PageClass, ...] = ()


class Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One news site. Its URLs are canonical; `hosts` are host names or `*.domain`, never empty once loaded."""

    name: str
    title: str
    url: str
    country: str
    languages: tuple[str, ...]
    time_zone: str
    enabled: bool = False
    hosts: tuple[str, ...] = ()
    sources: Sources = Sources()
    articles: Articles = Articles()
    politeness: Politeness = Politeness()
    network: Network = Network()
    fetch: Fetch = Fetch()
    rights: Rights = Rights()
    extraction: ExtractionKeys = ExtractionKeys()

    def owns(self, url: str) -> bool:
        """Whether the canonical `url` is on one of the site's hosts."""
        return self.owns_host(host(url))

    def owns_host(self, name: str) -> bool:
        """Whether the host (lower case, no port) is the site's; `*.politico.eu` takes `politico.eu` and all below."""
        return any(
            name == pattern or (pattern.startswith("*.") and f".{name}".endswith(pattern[1:])) for pattern in self.hosts
        )

    def wants(self, url: str) -> str | None:
        """Why the site's `[articles]` patterns refuse a canonical URL; None if it may be an article."""
        if not (self.articles.include or self.articles.exclude):
            return None
        parts = urlsplit(url)
        path = (parts.path + (f"?{parts.query}" if parts.query else ""))[:MAX_PATH_CHARS]
        for pattern in self.articles.exclude:
            if values.compiled(pattern).search(path):
                return f"excluded by the site's pattern {pattern!r}"
        if self.articles.include and not any(
            values.compiled(pattern).search(path) for pattern in self.articles.include
        ):
            return "none of the site's include patterns is in its path"
        return None

    def seeds(self, first_day: date | None = None, last_day: date | None = None) -> Iterator[tuple[str, str]]:
        """Each source as (found_by, url), of the archives those of the inclusive days in the site's zone, newest first.

        Without a last day that is today; without a first day it is two days before the last.
        """
        for found_by, urls in (
            ("feed", self.sources.feeds),
            ("news_sitemap", self.sources.news_sitemaps),
            ("sitemap", self.sources.sitemaps),
        ):
            yield from ((found_by, url) for url in urls)
        if self.sources.archives:
            last = last_day or datetime.now(ZoneInfo(self.time_zone)).date()
            first = first_day or last - timedelta(days=min(2, last.toordinal() - 1))
            days = [date.fromordinal(day) for day in range(last.toordinal(), first.toordinal() - 1, -1)[:MAX_DAYS]]
            for template in self.sources.archives:
                urls = tuple(dict.fromkeys(values.of_day(template, day) for day in days))
                yield from (("sitemap", url) for url in urls)
        yield from (("section", url) for url in self.sources.sections)

    def archive_pages(self, first_day: date, last_day: date) -> dict[str, date | None]:
        """Return the archive pages of the inclusive days in the site's zone, newest first, with the day of each.

        A page of a month or year has none.
        """
        ordinals = range(last_day.toordinal(), first_day.toordinal() - 1, -1)[:MAX_DAYS]
        return {
            values.of_day(template, day): day if "{day}" in template else None
            for template in self.sources.archive_pages
            for day in map(date.fromordinal, ordinals)
        }

    def source_hosts(self) -> frozenset[str]:
        """The hosts that the file names its sources on, whether they are the site's or not."""
        return frozenset(
            host(values.of_day(url, date.min)) for urls in msgspec.structs.astuple(self.sources) for url in urls
        )


def load_site(path: Path) -> Site:
    """Read one site's file. Raises SiteError, whose text is fit for the person who wrote the file."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise SiteError(f"{path}: cannot be read ({error.strerror}); give a readable file NAME.toml") from error
    if len(raw) > MAX_FILE_BYTES:
        raise SiteError(
            f"{path}: larger than {MAX_FILE_BYTES} bytes; a site's file holds a few dozen lines: shorten it"
        )
    try:
        text = raw.decode("utf-8-sig")
        table = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SiteError(f"{path}, line {line}: byte {error.start} is not UTF-8; save the file as UTF-8") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SiteError(f"{path}: not TOML: {error}; see docs/sites.md for a whole example") from error
    return _Reader(path, text).site(table)


class _Reader:
    """Turns one file's table into a Site; knows the file so that each error can name file, line and key."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.lines = text.splitlines()

    def site(self, table: dict[str, Any]) -> Site:
        self._check_keys(table, Site, ())
        try:
            site = msgspec.convert(table, Site)
        except msgspec.ValidationError as error:  # pragma: no cover - _check_keys finds these with a better text
            raise SiteError(f"{self.path}: {error}; see docs/sites.md") from error
        self._check_facts(site)
        rules = dict.fromkeys(site.sources.__struct_fields__, values.web_url)
        rules |= dict.fromkeys(("archives", "archive_pages"), values.archive)
        sources = Sources(
            **{name: self._each(("sources", name), getattr(site.sources, name), rule) for name, rule in rules.items()}
        )
        return msgspec.structs.replace(
            site,
            title=unicodedata.normalize("NFC", site.title),
            url=self._check(("url",), site.url, values.web_url),
            time_zone=self._check(("time_zone",), site.time_zone, values.zone),
            languages=self._each(("languages",), site.languages, values.language),
            hosts=self._hosts(site),
            sources=sources,
            network=Network(allow=self._each(("network", "allow"), site.network.allow, values.network)),
        )

    def _hosts(self, site: Site) -> tuple[str, ...]:
        """The hosts of the file and the URL's own; of a file without any, the whole domain of the URL."""
        url = self._check(("url",), site.url, values.web_url)
        listed = self._each(("hosts",), site.hosts, values.host_pattern)
        if not listed:
            return (values.whole_domain(url),)
        return listed if msgspec.structs.replace(site, hosts=listed).owns(url) else (host(url), *listed)

    def _check_facts(self, site: Site) -> None:
        self._check(("name",), site.name, functools.partial(values.name, stem=self.path.stem))
        self._check(("title",), site.title, values.title)
        self._check(("country",), site.country, values.country)
        if not site.languages:
            self._refuse(("languages",), [], "at least one language tag", 'write languages = ["en"]')
        for name in ("include", "exclude"):
            patterns = getattr(site.articles, name)
            if len(patterns) > MAX_PATTERNS:
                self._refuse(
                    ("articles", name), f"{len(patterns)} patterns", f"at most {MAX_PATTERNS}", "join some by |"
                )
            self._each(("articles", name), patterns, values.pattern)
        for name in site.sources.__struct_fields__:
            if len(getattr(site.sources, name)) > MAX_SOURCES:
                self._refuse(
                    ("sources", name),
                    f"{len(getattr(site.sources, name))} URLs",
                    f"at most {MAX_SOURCES}",
                    "name the sitemap index instead",
                )
        self._each(("extraction", "rules_off"), site.extraction.rules_off, values.rule_name)
        self._check(("rights", "licence"), site.rights.licence, functools.partial(values.choice, of=("honour", "held")))
        self._check(
            ("rights", "noarchive"), site.rights.noarchive, functools.partial(values.choice, of=("honour", "keep"))
        )
        self._check_politeness(site)

    def _check_politeness(self, site: Site) -> None:
        delay, budget = site.politeness.delay_s, site.politeness.budget_pages
        least = 0.0 if site.network.allow else LEAST_PUBLIC_DELAY_S
        if not (math.isfinite(delay) and least <= delay <= 3600):
            mend = "1.0 is a good start (only a site with [network] allow may go below 0.5)"
            self._refuse(("politeness", "delay_s"), delay, f"seconds from {least} to 3600", mend)
        if not 1 <= budget <= 1_000_000:
            self._refuse(("politeness", "budget_pages"), budget, "1 to 1000000", "2000 is the default")

    def _check_keys(self, table: dict[str, Any], struct: type[msgspec.Struct], at: tuple[str, ...]) -> None:
        """Unknown and missing keys and wrong types, each told with the nearest right name."""
        known = get_type_hints(struct)
        for key, value in table.items():
            if key not in known:
                self._refuse_key((*at, key), known)
            self._check_type((*at, key), value, known[key])
        for field in msgspec.structs.fields(struct):
            if field.required and field.name not in table:
                self._refuse(
                    (*at, field.name), None, _type_name(known[field.name]), f"add {field.name} = …", missing=True
                )

    def _check_type(self, at: tuple[str, ...], value: Any, kind: Any) -> None:  # noqa: ANN401 - TOML's, and a hint
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            if not isinstance(value, dict):
                self._refuse(at, value, "a table", f"write [{'.'.join(at)}] on a line of its own and its keys below")
            self._check_keys(value, kind, at)
        elif get_origin(kind) is tuple:
            if not isinstance(value, list):
                self._refuse(at, value, _type_name(kind), f"write {at[-1]} = [{_literal(value)}]")
            for entry in value:
                self._check_type(at, entry, get_args(kind)[0])
        elif isinstance(kind, type) and issubclass(kind, PageClass):
            if value not in list(PageClass):
                self._refuse(at, value, f"one of {', '.join(PageClass)}", nearest(str(value), PageClass).strip())
        elif type(value) is not kind and not (kind is float and type(value) is int):
            self._refuse(at, value, _type_name(kind), f"write {at[-1]} as {_type_name(kind)}")

    def _check(self, at: tuple[str, ...], value: str, rule: Rule) -> str:
        try:
            return rule(value)
        except BadValueError as bad:
            self._refuse(at, value, bad.allowed, bad.mend)

    def _each(self, at: tuple[str, ...], entries: tuple[str, ...], rule: Rule) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._check(at, entry, rule) for entry in entries))

    def _refuse_key(self, at: tuple[str, ...], known: Iterable[str]) -> None:
        where = f"[{'.'.join(at[:-1])}] " if at[:-1] else ""
        raise SiteError(
            f"{self._place(at)}: {where}{at[-1]}: unknown key; allowed here: {', '.join(known)};"
            f"{nearest(at[-1], known)} correct or delete the line"
        )

    def _refuse(
        self, at: tuple[str, ...], value: object, allowed: str, mend: str, *, missing: bool = False
    ) -> NoReturn:
        where = f"[{'.'.join(at[:-1])}] " if at[:-1] else ""
        read = "is missing" if missing else f"{_literal(value)} was read"
        place = str(self.path) if missing else self._place(at)
        raise SiteError(f"{place}: {where}{at[-1]}: {read}; allowed: {allowed}; {mend}")

    def _place(self, at: tuple[str, ...]) -> str:
        """`file, line N` of a key, as far as a simple reading of the lines finds it."""
        table: tuple[str, ...] = ()
        for number, line in enumerate(self.lines, start=1):
            if found := re.match(r"\s*\[\[?\s*([\w.\"'-]+)\s*\]", line):
                table = tuple(part.strip("\"'") for part in found[1].split("."))
                if table == at:
                    return f"{self.path}, line {number}"
            elif (found := re.match(r"\s*[\"']?([\w.-]+)[\"']?\s*=", line)) and (*table, *found[1].split(".")) == at:
                return f"{self.path}, line {number}"
        return str(self.path)


def _type_name(kind: Any) -> str:  # noqa: ANN401 - a type hint
    if get_origin(kind) is tuple:
        return f"a list of {_type_name(get_args(kind)[0])}"
    return _TYPE_NAMES.get(kind, "a table")


def _literal(value: object) -> str:
    shown = "true" if value is True else "false" if value is False else repr(value)
    return shown if len(shown) <= 120 else f"{shown[:117]}…"
