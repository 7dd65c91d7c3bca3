"""Small files that a site answers for the whole of itself (robots.txt, terms of use), kept for a day: one an answer."""

import os
import re
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path

import msgspec

#: RFC 9309 2.4: a cached robots.txt is not used for more than 24 hours; terms of use are held to the same.
FRESH = timedelta(hours=24)
_LONGEST_NAME = 150  # file systems take 255 bytes


class Kept(msgspec.Struct, frozen=True):
    """An answer as it came, and when."""

    fetched_at: datetime
    status: int
    body: bytes


class DayCache:
    """The last answers, by name (an origin, a URL). A folder that cannot be written costs the cache only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fresh(self, name: str, now: datetime) -> Kept | None:
        """Return the answer if it is younger than 24 hours."""
        kept = self.stale(name)
        return kept if kept is not None and timedelta(0) <= now - kept.fetched_at < FRESH else None

    def stale(self, name: str) -> Kept | None:
        """Return the answer whatever its age: for as long as the site cannot be reached."""
        try:
            return msgspec.json.decode(self._path(name).read_bytes(), type=Kept)
        except (OSError, msgspec.MsgspecError, ValueError):
            return None

    def keep(self, name: str, status: int, body: bytes, now: datetime) -> None:
        """Keep an answer."""
        path = self._path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f"{path.name}.{os.getpid()}.part")
            part.write_bytes(msgspec.json.encode(Kept(fetched_at=now, status=status, body=body)))
            part.replace(path)
        except OSError:
            return

    def _path(self, name: str) -> Path:
        plain = re.sub(r"[^A-Za-z0-9.-]+", "_", name)
        if len(plain) > _LONGEST_NAME:
            plain = f"{plain[:_LONGEST_NAME]}-{blake2b(name.encode(), digest_size=8).hexdigest()}"
        return self._folder / f"{plain}.json"
