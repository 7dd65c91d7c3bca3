"""Old news: where a backfill takes pages from besides the sites themselves, and the job of the child that does it."""

import hashlib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from spiders.guard import is_loopback_host
from spiders.job import Job, JobError
from spiders.site import Site, load_site

#: No capture is older (the first web pages, 1990) or of tomorrow; anything else is a clock or a lie.
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


#: Between two requests to an archive: the Wayback Machine's index allows 24 a minute, and then wants five of rest.
ARCHIVE_DELAY_S = 3.0


class WarcFiles(msgspec.Struct, frozen=True, tag="warc", tag_field="kind", forbid_unknown_fields=True):
    """WARC files on this machine, by their paths."""

    files: tuple[str, ...]


class WebArchive(msgspec.Struct, frozen=True, tag="cdx", tag_field="kind", forbid_unknown_fields=True, kw_only=True):
    """An archive with a CDX index: `index` is the URL that is queried.

    `replay` is the beginning of the URLs by which captures are replayed (a timestamp, `id_`, a slash and the captured
    URL follow); `data` that of the archive's WARC files, where the index names file, offset and length. `style` is how
    long answers are cut: by a resumption key (wayback) or in numbered pages (pages, as pywb and Common Crawl).
    Of a URL the first capture of the days is taken, with `every` each that differs. `delay_s` is the least time between
    two requests to the archive's host; `allow` are networks refused otherwise.
    """

    index: str
    replay: str | None = None
    data: str | None = None
    style: Literal["wayback", "pages"] = "wayback"
    every: bool = False
    delay_s: float = ARCHIVE_DELAY_S
    allow: tuple[str, ...] = ()


class UrlList(msgspec.Struct, frozen=True, tag="urls", tag_field="kind", forbid_unknown_fields=True):
    """URLs that somebody listed, as (site, canonical URL): the ordinary spider fetches them."""

    urls: tuple[tuple[str, str], ...]


Source = WarcFiles | WebArchive | UrlList


class OldJob(Job, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one `python -m spiders.archives` is to do: a job as the spider's, and where the pages come from."""

    source: WarcFiles | WebArchive


def load_old_job(path: Path) -> tuple[OldJob, list[Site]]:
    """Read a job and its sites. Raises JobError, or SiteError for a site's file."""
    try:
        job = msgspec.json.decode(path.read_bytes(), type=OldJob)
    except OSError as error:
        raise JobError(f"{path}: cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise JobError(f"{path}: {error}") from error
    if not Path(job.captures).resolve().is_relative_to(Path(job.data).resolve()):
        raise JobError(f"{path}: captures {job.captures!r} is to be a folder below data {job.data!r}")
    if isinstance(job.source, WebArchive) and not job.contact and not _is_here(job.source):
        raise JobError(f"{path}: contact is not set, and an archive's operator must be able to reach you")
    return job, [load_site(Path(name)) for name in job.sites]


def _is_here(archive: WebArchive) -> bool:
    from extraction.urls import BadUrlError, canonicalize, host  # noqa: PLC0415

    try:
        return is_loopback_host(host(canonicalize(archive.index)))
    except BadUrlError:
        return False


class Days(msgspec.Struct, frozen=True):
    """Days of capture, both inclusive, in each site's time zone; None is unbounded."""

    first: date | None = None
    last: date | None = None

    def hold(self, site: Site, at: datetime) -> bool:
        """Whether a time lies in them."""
        day = at.astimezone(ZoneInfo(site.time_zone)).date()
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """How far a WARC file has been taken over: `records` of it are in closed segments, all of them if `done`."""

    name: str
    run_id: str
    records: int = 0
    done: bool = False


class Marks:
    """The marks of one reading (a file's content with these sites, days and mode), below `<data>/harvests`.

    So the same file given again costs a look at its bytes, under whatever name; and one that was cut off goes on.
    """

    def __init__(self, data: Path, digest: str, job: OldJob, sites: list[Site]) -> None:
        asked = (digest, sorted((s.name, s.hosts, s.articles) for s in sites), job.first_day, job.last_day, job.refetch)
        key = hashlib.blake2b(msgspec.json.encode(asked), digest_size=8).hexdigest()
        self._path = data / "harvests" / f"{digest[:16]}-{key}.json"

    def read(self) -> Mark | None:
        """Return the last mark, None if there is none that can be read."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Mark)
        except (OSError, msgspec.MsgspecError):
            return None

    def write(self, mark: Mark) -> None:
        """Replace the mark. Raises OSError."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_suffix(".part")
        part.write_bytes(msgspec.json.encode(mark))
        part.replace(self._path)


def digest_of(path: Path) -> str:
    """Return the BLAKE2b of a file's content, 32 hexadecimal digits. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
