"""A small installation over a loopback origin: a data folder with two sites of a dozen articles, for whole runs of the line."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import duckdb

from tests.faults.cases import NONE
from tests.spiders.conftest import site_file
from tests.spiders.origin import Origin, Reply

SITES, ARTICLES = ("north", "south"), 12
TOWNS = "Aldermere Brackwater Coldharbour Dunmoor Eastwick Fenby Garrow Hexholm Inverlay Jarrow Kelso Lanrick".split()


def furnish(data: Path, origin: Origin, *, delay_s: float = 0.02) -> Path:
    """Give a data folder the two sites, and the origin their articles."""
    (data / "sites").mkdir(parents=True, exist_ok=True)
    (data / "nightdesk.toml").write_text("catalogue = false\nworkers = 1\n", "utf-8")
    for site in SITES:
        host = f"{site}.localhost"
        links = [origin.url(f"/2026/{site}-votes-on-the-harbour-of-{town.lower()}", host) for town in TOWNS]
        origin.routes |= {f"{host}/robots.txt": NONE, f"{host}/feed": site_feed(dict(zip(TOWNS, links, strict=True)))}
        for town, link in zip(TOWNS, links, strict=True):
            origin.routes[host + "/" + link.split("/", 3)[3]] = Reply(article(site, town, link))
        keys = {"politeness": {"delay_s": delay_s}, "sources": {"feeds": [origin.url("/feed", host)]}}
        site_file(data / "sites", site, origin.url(host=host), **keys)
    return data


def site_feed(links: Mapping[str, str]) -> Reply:
    """Return a feed of these titles and their links."""
    items = "".join(f"<item><title>{title}</title><link>{link}</link></item>" for title, link in links.items())
    return Reply(f"<rss version='2.0'><channel>{items}</channel></rss>", type="text/xml")


def article(site: str, town: str, url: str) -> str:
    said = "".join(
        f"<p>The council of {town} heard on the {day}th that the harbour in the {site} is to be dredged before winter, "
        f"and that {day * 37} boats are to be moved to the new basin while the work goes on, at a cost which nobody named.</p>"
        for day in range(4, 12)
    )
    return (
        f"<html lang=en><head><title>{town} votes on its harbour</title><link rel=canonical href='{url}'>"
        f"<meta property='og:type' content='article'><meta property='article:published_time' content='2026-11-20T08:00:00Z'></head>"
        f"<body><article><h1>{town} votes on its harbour</h1>{said}</article></body></html>"
    )


def titles(data: Path) -> list[tuple[str, str]]:
    """Return site and headline of each article that readers find, sorted."""
    with duckdb.connect(str(data / "store" / "published.duckdb"), read_only=True) as connection:
        return connection.execute("SELECT site, headline FROM articles ORDER BY ALL").fetchall()


def whole() -> list[tuple[str, str]]:
    """Return what `titles` must be in the end."""
    return sorted((site, f"{town} votes on its harbour") for site in SITES for town in TOWNS)


class SmallDisk:
    """A tmpfs of its own over a folder, which can be made larger and read-only. Needs root, and Linux."""

    def __init__(self, folder: Path, size: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._mount("-t", "tmpfs", "-o", f"size={size}", "none")

    def grow(self, size: str) -> None:
        """Make room."""
        self._mount("-o", f"remount,size={size}")

    @property
    def free(self) -> int:
        """Bytes that are left."""
        return shutil.disk_usage(self.folder).free

    def remove(self) -> None:
        """Unmount it, with what is in it."""
        subprocess.run(["umount", "-l", str(self.folder)], check=True)

    def _mount(self, *options: str) -> None:
        subprocess.run(["mount", *options, str(self.folder)], check=True, capture_output=True)
