"""An installation: its data folder, its settings and its sites, read once at the start of whatever is done."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from extraction.rules import SiteRules
from extraction.urls import host
from flows.config import FILE_NAME, Settings, load_settings
from flows.folder import SettingsError, data_folder
from spiders import chromium
from spiders.guard import is_loopback_host
from spiders.site import Site, SiteError
from spiders.sitefiles import catalogue_folder, find_site, read_sites


@dataclass(frozen=True, slots=True)
class Desk:
    """The data folder with what its files say. `files` names the TOML file of each site.

    `broken` says why the file of a site cannot be used: that site fails in each run, the others do not mind.
    """

    data: Path
    settings: Settings
    sites: tuple[Site, ...]
    files: dict[str, Path]
    broken: Mapping[str, str] = field(default_factory=dict)

    def rules(self) -> dict[str, SiteRules]:
        """Return what each site's file changes of the cleaning rules."""
        return {
            site.name: SiteRules(
                rules_off=frozenset(site.extraction.rules_off), keep_classes=frozenset(site.extraction.keep_classes)
            )
            for site in self.sites
        }

    def chosen(self, names: Sequence[str] = ()) -> list[Site]:
        """Return the sites of these names, or all enabled ones, without those of `unfit`.

        Raises SiteError for an unknown name and where none is left.
        """
        held = _taken_down(self.data)
        for name in names:
            if name in held:
                raise SiteError(f"{name} was taken down: {held[name]}; `nightdesk takedown --lift ID` allows it again")
        unfit = self.unfit(names)
        if names and (found := [name for name in dict.fromkeys(names) if name not in unfit]):
            return [find_site(self.sites, name) for name in found]
        enabled = [site for site in self.sites if site.enabled and site.name not in {*held, *unfit}]
        if unfit and (names or not enabled):
            raise SiteError("; ".join(unfit.values()))
        if not enabled:
            where = f"{self.data / 'sites'}" + (" or the catalogue" if self.settings.catalogue else "")
            raise SiteError(
                f"no site is enabled in {where}; add one with `nightdesk sites add URL`,"
                " or set enabled = true in a site's file"
            )
        return enabled

    def unfit(self, names: Sequence[str] = ()) -> dict[str, str]:
        """Return which of these sites, or of all enabled ones, cannot be crawled here, and the mend.

        A broken file counts as enabled: it cannot say, and somebody wrote it for something.
        """
        missing = chromium.missing()
        open_ = [site.name for site in self.sites if site.fetch.browser and missing and (site.enabled or names)]
        reasons = {name: f"{self.files[name]}: [fetch] browser: {missing}" for name in open_} | dict(self.broken)
        return {name: reason for name, reason in reasons.items() if not names or name in names}


def open_desk(data: Path | None = None) -> Desk:
    """Read settings and site files of a data folder. Raises SettingsError; writes nothing."""
    folder = data_folder(data)
    settings = load_settings(folder)
    folders = site_folders(folder, settings)
    read = read_sites(folders)
    return Desk(folder, settings, read.sites, read.files, {name: str(error) for name, error in read.broken.items()})


def site_folders(data: Path, settings: Settings) -> list[Path]:
    """Return the folders with site files, the catalogue first: a user's file of the same name replaces one of its."""
    own = data / "sites"
    return ([catalogue_folder()] if settings.catalogue else []) + ([own] if own.exists() else [])


def require_contact(desk: Desk, sites: Iterable[Site]) -> None:
    """Raise SettingsError if a public site is to be asked and no contact is set: an operator must be reachable."""
    public = [site.name for site in sites if not _on_this_machine(site)]
    if public and not desk.settings.contact:
        raise SettingsError(
            f"{desk.data / FILE_NAME}: contact is not set, and {public[0]} is a public site; the user agent must say"
            ' who asks: write contact = "desk@example.org" (an e-mail or http address of yours)'
            " or set NIGHTDESK_CONTACT"
        )


def require_writable(data: Path) -> None:
    """Create the data folder if need be; raise SettingsError if nothing can be written in it."""
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"the data folder {data} cannot be made: {error.strerror}") from error
    if not os.access(data, os.W_OK | os.X_OK):
        raise SettingsError(f"the data folder {data} cannot be written to; name another with --data or NIGHTDESK_DATA")


def _taken_down(data: Path) -> dict[str, str]:
    """Return the sites that were taken down as a whole, and why."""
    if not (data / "takedowns").exists():
        return {}
    from storage.takedown import held_sites, takedowns  # noqa: PLC0415 - DuckDB, for the few that need it

    return {name: each.reason or "no reason given" for name, each in held_sites(takedowns(data)).items()}


def _on_this_machine(site: Site) -> bool:
    return all(is_loopback_host(name.removeprefix("*.")) for name in {*site.hosts, host(site.url)})
