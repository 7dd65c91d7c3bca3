"""Writes the sites' own files, as a user of the pipeline would keep them."""

import json
from pathlib import Path

from newsroom.houses import House, houses

_DELAY_S = 0.02  # least seconds between two requests: this machine is asked by itself


def write_sites(folder: Path, port: int) -> list[Path]:
    """Write one TOML file for each of the three sites as served on `port`; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for house in houses(port):
        path = folder / f"{house.name}.toml"
        path.write_text(site_toml(house), "utf-8")
        paths.append(path)
    return paths


def site_toml(house: House) -> str:
    """One site's file. TOML's strings and lists of strings are written as JSON writes them."""
    sources = {
        "feeds": house.feeds,
        "news_sitemaps": house.news_sitemaps,
        "sitemaps": house.sitemaps,
        "sections": house.section_sources,
    }
    lines = [
        f"name = {_toml(house.name)}",
        f"title = {_toml(house.title)}",
        f"url = {_toml(house.origin + '/')}",
        f"country = {_toml(house.country)}",
        f"languages = {_toml(list(house.languages))}",
        f"time_zone = {_toml(house.time_zone)}",
        "enabled = true",
        "",
        "[sources]",
        *(f"{key} = {_toml([house.origin + path for path in paths])}" for key, paths in sources.items()),
        "",
        "[politeness]",
        f"delay_s = {_DELAY_S}",
        "",
        "[network]",
        'allow = ["127.0.0.0/8"]',
        "",
    ]
    return "\n".join(lines)


def _toml(value: str | list[str]) -> str:
    return json.dumps(value, ensure_ascii=False)
