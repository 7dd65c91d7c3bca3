"""The intake: URLs that were found or asked for become asks that wait for their hosts, or end at once."""

from collections.abc import Iterable
from dataclasses import replace

from extraction.records import Discovery, Outcome
from extraction.urls import BadUrlError, canonicalize, url_key
from spiders.asks import Ask, Kind
from spiders.known import Known
from spiders.politeness import Frontier
from spiders.robots import now_utc
from spiders.run import Run
from spiders.site import Site

TAKEN_DOWN = "it was taken down: `nightdesk takedown --list` says why"


class Intake:
    """Takes each URL once a crawl. With `refetch`, what is known is asked for again and whole."""

    def __init__(self, frontier: Frontier, run: Run, known: Known, sites: dict[str, Site], *, refetch: bool) -> None:
        self._frontier, self._run, self._known, self._sites, self._refetch = frontier, run, known, sites, refetch

    def admit(
        self, site: Site, found: Iterable[Discovery], *, known: bool = True, listed: bool = False
    ) -> tuple[int, int]:
        """Let new URLs of a site wait for their turn; returns how many are new and how many the store knows well.

        What was taken down is passed over; of `listed` URLs, which somebody asked for, it is said.
        """
        fresh: dict[str, Discovery] = {}
        validators: dict[str, dict[str, str]] = {}
        skipped = 0
        now = now_utc()
        for discovery in found:
            key = url_key(discovery.url)
            if key in fresh or self._run.has_seen(key):
                continue
            row = self._known.find(key)
            if row is not None and row.outcome == Outcome.TAKEN_DOWN:
                skipped += 1
                if listed:
                    self.refuse(discovery, Outcome.TAKEN_DOWN, TAKEN_DOWN)
                continue
            if row is not None and not self._refetch:
                if known and not row.wants_visit(discovery, now):
                    skipped += 1
                    continue
                if fields := row.validators():
                    validators[key] = fields
            fresh[key] = discovery
        self._run.discovered(fresh)
        for key, discovery in fresh.items():
            headers = validators.get(key)
            self._frontier.add(Ask(kind=Kind.PAGE, url=discovery.url, site=site, discovery=discovery, headers=headers))
        return len(fresh), skipped

    def admit_listed(self, listed: Iterable[Discovery], *, known: bool) -> None:
        """Let listed URLs wait; what is no URL of the site ends at once."""
        good: dict[str, list[Discovery]] = {}
        for discovery in listed:
            site = self._sites.get(discovery.site)
            if site is None:
                continue
            try:
                url = canonicalize(discovery.url)
            except BadUrlError as error:
                self.refuse(discovery, error.outcome, str(error))
                continue
            if site.owns(url):
                good.setdefault(site.name, []).append(
                    discovery if url == discovery.url else replace(discovery, url=url)
                )
            else:
                self.refuse(replace(discovery, url=url), Outcome.OFF_SITE, "its host is not the site's")
        for name, discoveries in good.items():
            self.admit(self._sites[name], discoveries, known=known, listed=True)

    def refuse(self, discovery: Discovery, outcome: Outcome, reason: str) -> None:
        """Note a URL that is not asked for, once."""
        key = url_key(discovery.url)
        if not self._run.has_seen(key):
            self._run.discovered({key: discovery})
            self._run.ended(discovery, outcome, reason)

    def is_cared_for(self, url: str) -> bool:
        """Whether a URL has been met in this crawl, or its article is in the store."""
        key = url_key(url)
        known = self._known.find(key)
        return self._run.has_seen(key) or (known is not None and known.outcome in {Outcome.LOADED, Outcome.UNCHANGED})

    def is_taken_down(self, url: str) -> bool:
        """Whether a URL was erased for good."""
        known = self._known.find(url_key(url))
        return known is not None and known.outcome == Outcome.TAKEN_DOWN
