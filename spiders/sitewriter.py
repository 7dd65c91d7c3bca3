"""A site's file written: the text of a Site, and the file made whole or not at all."""

import json
import tempfile
from pathlib import Path

import msgspec

from spiders.site import Site, SiteError, load_site

_REQUIRED = ("name", "title", "url", "country", "languages", "time_zone")


def site_toml(site: Site) -> str:
    """The site's file as text; keys that stand at their defaults are left out."""
    plain = msgspec.to_builtins(site)
    blank = msgspec.to_builtins(Site(**{key: plain[key] for key in _REQUIRED}))
    lines = [_line(key, plain[key]) for key in _REQUIRED]
    tables = [key for key, value in plain.items() if isinstance(value, dict)]
    lines += [_line(key, value) for key, value in plain.items() if key not in tables and value != blank[key]]
    for table in tables:
        keys = [_line(key, value) for key, value in plain[table].items() if value != blank[table][key]]
        lines += ["", f"[{table}]", *keys] if keys else []
    return "\n".join(lines) + "\n"


def write_site(site: Site, folder: Path) -> Path:
    """Write `<folder>/<name>.toml`, read back before it takes its name. Raises SiteError if it exists or is unsound."""
    path = folder / f"{site.name}.toml"
    if path.exists():
        raise SiteError(f"{path}: exists already; give another name, or edit that file")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as draft:
            trial = Path(draft) / path.name
            trial.write_text(site_toml(site), encoding="utf-8")
            load_site(trial)
            trial.replace(path)
    except OSError as error:
        raise SiteError(f"{path}: cannot be written ({error.strerror}); choose a data folder that is yours") from error
    return path


def _line(key: str, value: object) -> str:
    return f"{key} = {_toml(value)}"


def _toml(value: object) -> str:
    """A TOML value: JSON's strings, numbers and booleans are TOML's, but for DEL and unpaired surrogates."""
    if isinstance(value, list | tuple):
        entries = [_toml(entry) for entry in value]
        return "[\n" + "".join(f"    {e},\n" for e in entries) + "]" if len(entries) > 1 else f"[{', '.join(entries)}]"
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("\x7f", "\\u007f").encode("utf-8", "replace").decode()
