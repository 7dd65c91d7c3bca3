"""The job of one spider process: a strict JSON file, written by whoever starts it."""

import logging
import re
from datetime import date
from pathlib import Path
from typing import Literal

import msgspec

from extraction.urls import host
from spiders.chromium import missing
from spiders.days import Span
from spiders.guard import is_loopback_host
from spiders.site import Site, SiteError, load_site

_log = logging.getLogger(__name__)


class JobError(ValueError):
    """The job cannot be done as it is written; the text names the file, what is wrong and the mend."""


class Job(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one spider process is to do.

    `captures` is the run's folder, below `data`. `first_day` and `last_day` are inclusive, in each site's time zone:
    sitemaps are pruned by them; a nightly crawl takes feeds whole. `since` is a site's own first day, where it differs
    from `first_day`: the watermark of what was read of it before. With `discover` false no source is read: `urls`
    ([site, URL]) and the pending list are all there is. `timeout_s` bounds one request from its first byte sent to
    its last received, `patience_s` how long a host that asks us to wait (Retry-After, circuit open) is waited for
    before its URLs are deferred to the next crawl. With `plan` (a file to write) no page is asked for: what the sources
    name of the days is written there (spiders/plan.py). `fill` is such a file to read: its URLs are fetched.
    """

    run_id: str
    shard: str
    data: str
    captures: str
    sites: list[str]
    user_agent: str
    contact: str | None = None
    known: str | None = None
    pending: str | None = None
    plan: str | None = None
    fill: str | None = None
    urls: list[tuple[str, str]] = []
    mode: Literal["nightly", "backfill"] = "nightly"
    first_day: date | None = None
    last_day: date | None = None
    since: dict[str, date] = {}
    refetch: bool = False
    limit_pages: int | None = None
    segment_bytes: int = 64 << 20
    segment_s: float = 60.0
    discover: bool = True
    timeout_s: float = 45.0
    patience_s: float = 120.0

    def first_day_of(self, site: str) -> date | None:
        """Return the first day that a site's sitemaps are read for; None: they are read whole."""
        return self.since.get(site, self.first_day)

    def span_of(self, site: str) -> Span:
        """Return the days of a site that a plan is for."""
        first, last = self.first_day_of(site), self.last_day
        assert first is not None, "_check asks for both days"
        assert last is not None, "_check asks for both days"
        return Span(first, last)

    def agent(self) -> str:
        """Return the User-Agent to send: the product with the operator's contact."""
        if not self.contact or self.contact in self.user_agent:
            return self.user_agent
        return f"{self.user_agent} (+{self.contact})"


def load_job(path: Path) -> tuple[Job, list[Site]]:
    """Read a job and its sites. Raises JobError, or SiteError if no site's file can be used."""
    try:
        job = msgspec.json.decode(path.read_bytes(), type=Job)
    except OSError as error:
        raise JobError(f"{path}: cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise JobError(f"{path}: {error}") from error
    _check(job, path)
    sites = _sites(job)
    _check_contact(job, sites, path)
    return job, sites


def _sites(job: Job) -> list[Site]:
    """Read the sites' files; one that was spoilt meanwhile, or lacks its browser, costs its own site only."""
    sites: list[Site] = []
    errors: list[SiteError] = []
    for name in job.sites:
        try:
            site = load_site(Path(name))
            if site.fetch.browser and (reason := missing()):
                raise SiteError(f"{name}: [fetch] browser: {reason}")  # noqa: TRY301 - to be told like the others
            sites.append(site)
        except SiteError as error:
            errors.append(error)
    if errors and not sites:
        raise errors[0]
    for broken in errors:
        _log.error("%s", broken)
    return sites


def _check(job: Job, path: Path) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,99}", job.shard):
        raise JobError(f"{path}: shard {job.shard!r} is to be a file name: letters, digits, dot, dash, underscore")
    if not Path(job.captures).resolve().is_relative_to(Path(job.data).resolve()):
        raise JobError(f"{path}: captures {job.captures!r} is to be a folder below data {job.data!r}")
    if job.first_day and job.last_day and job.last_day < job.first_day:
        raise JobError(f"{path}: last_day {job.last_day} is before first_day {job.first_day}")
    if job.plan and not (job.first_day and job.last_day):
        raise JobError(f"{path}: plan {job.plan!r} needs first_day and last_day")
    if not 1 <= job.timeout_s <= 60:
        raise JobError(f"{path}: timeout_s {job.timeout_s} is to be from 1 to 60 seconds")
    if job.limit_pages is not None and job.limit_pages < 1:
        raise JobError(f"{path}: limit_pages {job.limit_pages} is to be 1 or more, or null")
    if re.search(r"[^\x20-\x7e]", job.agent()) or not job.agent().startswith("Nightdesk"):
        raise JobError(f"{path}: user_agent {job.user_agent!r} is to begin with Nightdesk and hold plain ASCII")


def _check_contact(job: Job, sites: list[Site], path: Path) -> None:
    """Refuse to ask a public host for anything without saying who asks."""
    if job.contact:
        return
    public = [site.name for site in sites if not is_loopback_host(host(site.url))]
    if public:
        raise JobError(
            f"{path}: no contact is set, and {public[0]} is a public site ({len(public)} in all): site owners must be"
            ' able to reach you; write contact = "https://… or an e-mail address" into nightdesk.toml'
        )
