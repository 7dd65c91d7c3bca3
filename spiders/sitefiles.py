"""The files of sites in folders: the catalogue's and the user's. One that cannot be used stops its own site alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from spiders.site import Site, SiteError, load_site
from spiders.sitevalues import nearest


@dataclass(frozen=True, slots=True)
class SiteFiles:
    """What the folders hold: `sites` by name, `files` of all of them, and why those in `broken` cannot be used."""

    sites: tuple[Site, ...]
    files: dict[str, Path]
    broken: dict[str, SiteError]


def catalogue_folder() -> Path:
    """The folder of the sites that ship with Nightdesk."""
    return Path(__file__).parent / "sites"


def read_sites(folders: Sequence[Path]) -> SiteFiles:
    """Read all files NAME.toml; one in a later folder replaces one of the same name in an earlier.

    Of two sites that claim one host, the one in the later folder, else with the later name, cannot be used.
    Raises SiteError for a missing folder.
    """
    files: dict[str, Path] = {}
    for folder in folders:
        if not folder.is_dir():
            what = "is a file, not a folder" if folder.exists() else "does not exist"
            raise SiteError(f"{folder}: {what}; name a folder that holds NAME.toml files")
        files.update({path.stem: path for path in sorted(folder.glob("*.toml"))})
    sites: list[Site] = []
    broken: dict[str, SiteError] = {}
    claims = _Claims(files)
    for name, path in sorted(files.items(), key=lambda item: (list(folders).index(item[1].parent), item[0])):
        try:
            site = load_site(path)
            claims.add(site)
            sites.append(site)
        except SiteError as error:
            broken[name] = error
    return SiteFiles(tuple(sorted(sites, key=lambda site: site.name)), files, broken)


def load_sites(folders: Sequence[Path]) -> list[Site]:
    """All sites of the folders by name, as `read_sites`; raises SiteError for the first file that cannot be used."""
    read = read_sites(folders)
    for error in read.broken.values():
        raise error
    return list(read.sites)


def find_site(sites: Iterable[Site], name: str) -> Site:
    """The site of that name. Raises SiteError with the nearest right names."""
    by_name = {site.name: site for site in sites}
    if name in by_name:
        return by_name[name]
    known = f"{len(by_name)} sites are known" if by_name else "no site is known"
    raise SiteError(
        f"site {name[:80]!r} is unknown ({known});{nearest(name, by_name)} `nightdesk sites list` names all"
    )


class _Claims:
    """The hosts that sites have: no page may belong to two, for politeness and the ledger count by site."""

    def __init__(self, files: dict[str, Path]) -> None:
        self._files = files
        self._hosts: dict[str, Site] = {}  # with and without *.
        self._domains: dict[str, Site] = {}  # with *.
        self._above: dict[str, Site] = {}  # domains that some host is below

    def add(self, site: Site) -> None:
        """Take a site's hosts. Raises SiteError if another site has one of them."""
        for pattern in site.hosts:
            if (other := self._holder(pattern)) is not None:
                raise SiteError(
                    f"{self._files[site.name]}: hosts: {pattern!r} belongs to site {other.name!r} too"
                    f" ({self._files[other.name]}); give each site hosts of its own, or name the file"
                    f" {other.name}.toml to replace that site"
                )
        for pattern in site.hosts:
            name = pattern.removeprefix("*.")
            self._hosts[name] = site
            if pattern != name:
                self._domains[name] = site
            self._above |= dict.fromkeys(_parents(name), site)

    def _holder(self, pattern: str) -> Site | None:
        name = pattern.removeprefix("*.")
        below = self._above.get(name) if pattern != name else None
        above = next((self._domains[parent] for parent in _parents(name) if parent in self._domains), None)
        return self._hosts.get(name) or below or above


def _parents(name: str) -> list[str]:
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(1, len(labels))]
