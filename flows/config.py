"""The settings of one data folder: `<data>/nightdesk.toml`, and `NIGHTDESK_<KEY>` in the environment, which wins.

msgspec, not pydantic-settings: its import alone costs more CPU than `nightdesk sql` may (docs/decisions/settings.md).
"""

import os
import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from flows.folder import DATA_VARIABLE, SettingsError
from storage import place

FILE_NAME = "nightdesk.toml"
PREFIX = "NIGHTDESK_"

#: An address that a site's operator can write to: an e-mail address or a web page.
CONTACT = re.compile(r"(mailto:)?[^@\s]+@[^@\s]+\.[^@\s]+|https?://[^\s]+")
CRON_FIELDS = 5


Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator decides for the whole installation. Every key has a default that works."""

    contact: str = ""  # e-mail or web page in the user agent; must be set before a public site is crawled
    catalogue: bool = True  # read the site files that are shipped with the program, besides <data>/sites
    spiders: Annotated[int, msgspec.Meta(ge=1, le=26)] = 1  # processes that fetch; one serves 300 hosts on one core
    workers: Annotated[int, msgspec.Meta(ge=0, le=256)] = 0  # extraction processes; 0: one a core
    time_zone: str = "UTC"  # IANA name, of the nightly schedule and of the times in reports
    nightly_cron: str = ""  # when the nightly crawl starts, in `time_zone`; empty: as prefect.yaml says (04:30)
    first_crawl_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 45  # of its sitemaps, when a site is crawled first
    keep_captures_days: Annotated[int, msgspec.Meta(ge=0, le=36500)] = 0  # captures that are older go; 0: never
    keep_captures_gb: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0  # the oldest go beyond so much; 0: never
    # What the gate of a re-extraction lets pass, in percent of a site's articles or of their text (docs/reextract.md).
    gate_articles_lost: Percent = 1.0
    gate_articles_gained: Percent = 5.0
    gate_text_lost: Percent = 1.0
    gate_text_gained: Percent = 5.0
    gate_fields_lost: Percent = 1.0
    several_machines: bool = False  # others share the Prefect server: hosts are held by its global concurrency limits
    lake_catalogue: str = ""  # of a store of several machines: "postgres:host=… dbname=… user=…" (several-machines.md)
    lake_data: str = ""  # where the rows of that store are: "s3://bucket/folder/", or a folder that all machines share
    fill_gaps: bool = False  # the nightly look for gaps also starts the backfills that it proposes
    file_roots: tuple[str, ...] = ()  # folders that a backfill's form may name files in, besides <data>/inbox
    archive_networks: tuple[str, ...] = ()  # networks (CIDR) refused otherwise that a web archive may be on
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 4200  # of the user interface that `nightdesk up` serves

    @property
    def zone(self) -> ZoneInfo:
        """The zone that `time_zone` names."""
        return ZoneInfo(self.time_zone)


def load_settings(data: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read `<data>/nightdesk.toml`, if there is one, and the environment over it; raise SettingsError."""
    path = data / FILE_NAME
    settings = _convert(_read_toml(path), str(path))
    # A variable at a time, so that the message can name it.
    for key, text in sorted(_variables(environment).items()):
        where = f"the environment variable {PREFIX}{key.upper()}"
        settings = _convert({**msgspec.to_builtins(settings), key: _scalar(key, text)}, where, only=key)
    if wrong := place.mistake(settings.lake_catalogue, settings.lake_data):  # a pair: one can come from either place
        raise SettingsError(f"{path}: {wrong}")
    return settings


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not a TOML file: {error}") from error
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error


def _variables(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(PREFIX).lower(): text
        for name, text in environment.items()
        if name.startswith(PREFIX) and name != DATA_VARIABLE
    }


def _scalar(key: str, text: str) -> object:
    """The text of a variable as the TOML value that its key takes."""
    kind = Settings.__annotations__.get(key)
    if kind is bool:
        return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(text.lower(), text)
    if kind is str:
        return text
    if kind == tuple[str, ...]:
        return [part for part in text.split(os.pathsep if os.pathsep in text else ",") if part]
    if kind is Percent and re.fullmatch(r"\d{1,3}\.\d{1,9}", text):
        return float(text)
    return int(text) if re.fullmatch(r"-?\d{1,9}", text) else text


def _convert(values: dict[str, Any], where: str, *, only: str | None = None) -> Settings:
    for key in values:
        if key not in Settings.__struct_fields__:
            nearest = get_close_matches(key, Settings.__struct_fields__, n=1, cutoff=0.5)
            hint = f"did you mean {nearest[0]!r}?" if nearest else f"known: {', '.join(Settings.__struct_fields__)}"
            raise SettingsError(f"{where}: unknown setting {key!r}; {hint}")
    try:
        settings = msgspec.convert(values, Settings)
    except msgspec.ValidationError as error:
        key = only or str(error).rpartition("$.")[2].rstrip("`")
        raise SettingsError(f"{where}: {key} = {values.get(key)!r}: {str(error).partition(' - at')[0]}") from error
    _check(settings, where)
    return settings


def _check(settings: Settings, where: str) -> None:
    """What a type cannot say."""
    if settings.contact and not CONTACT.fullmatch(settings.contact):
        raise SettingsError(
            f"{where}: contact = {settings.contact!r}: write an e-mail address or an http(s) address"
            ' that a site\'s operator can use, e.g. contact = "desk@example.org"'
        )
    if settings.time_zone not in available_timezones():
        nearest = get_close_matches(settings.time_zone, available_timezones(), n=1)
        hint = f"did you mean {nearest[0]!r}?" if nearest else 'use an IANA name such as "Europe/Brussels"'
        raise SettingsError(f"{where}: time_zone = {settings.time_zone!r}: no such time zone; {hint}")
    for network in settings.archive_networks:
        try:
            ip_network(network)
        except ValueError as error:
            raise SettingsError(f'{where}: archive_networks: {error}; write "10.1.0.0/16" or the like') from error
    if settings.nightly_cron and (mistake := cron_mistake(settings.nightly_cron)):
        raise SettingsError(
            f"{where}: nightly_cron = {settings.nightly_cron!r}: {mistake};"
            ' write minute hour day month weekday, e.g. "30 4 * * *"'
        )


_CRON_BOUNDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
_CRON_PART = re.compile(r"(?:\*|(?P<low>\d{1,2})(?:-(?P<high>\d{1,2}))?)(?:/(?P<step>\d{1,2}))?")


def cron_mistake(text: str) -> str | None:
    """What is wrong with a five-field cron line of numbers, `*`, ranges, lists and steps; None if nothing is."""
    fields = text.split()
    if len(fields) != CRON_FIELDS:
        return f"{len(fields)} fields instead of {CRON_FIELDS}"
    for value, (name, least, most) in zip(fields, _CRON_BOUNDS, strict=True):
        for part in value.split(","):
            match = _CRON_PART.fullmatch(part)
            if match is None:
                return f"{part!r} is no {name}"
            numbers = [int(number) for number in (match["low"], match["high"]) if number]
            if any(not least <= number <= most for number in numbers) or numbers != sorted(numbers):
                return f"{part!r} is no {name} ({least} to {most})"
            if match["step"] is not None and int(match["step"]) == 0:
                return f"{part!r} has a step of 0"
    return None
