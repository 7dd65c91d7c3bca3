"""A run whose pages come from elsewhere than the sites: which hosts it holds, which job it gives to which child.

The rest of the line is the same: what the child takes over are segments like the spider's own.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from extraction.urls import canonicalize, host
from spiders.archives.oldnews import OldJob, Source, UrlList, WarcFiles, WebArchive
from spiders.job import Job
from spiders.site import Site

SPIDER: Final = "spiders"
OLD: Final = "spiders.archives"


def asks(source: Source | None) -> bool:
    """Whether the sites themselves are asked for anything."""
    return not isinstance(source, WarcFiles | WebArchive)


def leases(source: Source | None, sites: Iterable[Site]) -> set[str]:
    """Return the hosts that nobody else may ask meanwhile: the archive's, none for files, else the sites'."""
    if isinstance(source, WarcFiles):
        return set()
    if isinstance(source, WebArchive):
        return {host(canonicalize(url)) for url in (source.index, source.replay, source.data) if url}
    return {name for site in sites for name in site.hosts}


def child(source: Source | None) -> str:
    """Return the module whose process takes the pages."""
    return SPIDER if source is None or isinstance(source, UrlList) else OLD


def job_of(job: Job, source: Source) -> Job:
    """Turn the job of a crawl into one that takes its pages from the source."""
    if isinstance(source, UrlList):
        return msgspec.structs.replace(job, urls=list(source.urls), discover=False, first_day=None, last_day=None)
    fields: dict[str, Any] = msgspec.structs.asdict(job)
    return OldJob(**fields, source=source)
