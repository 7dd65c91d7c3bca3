"""What the forms offer: the sites that this installation knows, enabled ones first."""

from enum import Enum
from typing import TYPE_CHECKING

from flows.desk import open_desk

if TYPE_CHECKING:
    SiteName = str
else:

    def _site_names() -> type:
        sites = sorted(open_desk().sites, key=lambda site: (not site.enabled, site.name))
        # An Enum without members cannot be made; then any text is taken, and refused with the mend by the run.
        return Enum("SiteName", {site.name: site.name for site in sites}, type=str) if sites else str

    SiteName = _site_names()


def names(sites: list[SiteName]) -> tuple[str, ...]:
    """Return the names that were chosen as plain text."""
    return tuple(site.value if isinstance(site, Enum) else site for site in sites)
