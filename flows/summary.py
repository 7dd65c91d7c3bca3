"""What a run came to, asked of the store: so that the report says what a reader will find, not what was hoped."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec

from flows.report import RunSummary, SiteSummary, together
from spiders.site import Site
from storage.database import NotPublishedError, connect
from storage.runs import Run

#: Among a run's parameters: the sites that could not be crawled at all, with the reason.
UNFIT: Final = "unfit"


def summarise(
    data: Path,
    run_id: str,
    kind: str,
    sites: Sequence[Site],
    started_at: datetime,
    *,
    ended: str,
    problem: str | None,
    unfit: Mapping[str, str] = {},
) -> RunSummary:
    """Return the summary of a run that ended now; a site of which the store knows nothing is there too, as failed.

    `unfit` are sites that were not crawled at all, with the reason.
    """
    found = _site_summaries(data, run_id, {site.name: site.title for site in sites})
    missing = [SiteSummary(site=site.name, title=site.title) for site in sites if site.name not in found]
    return RunSummary(
        run_id=run_id,
        kind=kind,
        started_at=started_at,
        took=datetime.now(UTC) - started_at,
        ended=ended,
        sites=together([*found.values(), *missing, *_failed(unfit)]),
        problem=problem,
    )


def summarise_past(data: Path, run_id: str | None = None) -> RunSummary:
    """Return the summary of a run that the store knows, the latest if none is named.

    Raises NotPublishedError, or UnknownRunError.
    """
    query = """SELECT run_id, kind, state, started_at, finished_at, reason, parameters FROM runs
        WHERE $run_id IS NULL OR run_id = $run_id ORDER BY started_at DESC LIMIT 1"""
    with connect(data) as connection:
        row = connection.execute(query, {"run_id": run_id}).fetchone()
        if row is None:
            latest = connection.execute("SELECT run_id FROM runs ORDER BY started_at DESC LIMIT 5").fetchall()
            known = (
                f"the latest are {', '.join(name for (name,) in latest)}" if latest else "none has been recorded yet"
            )
            raise UnknownRunError(
                f"no run {run_id!r} in the store; {known}" if run_id else f"no run to report: {known}"
            )
    name, kind, state, started_at, finished_at, reason, parameters = row
    unfit = msgspec.json.decode(parameters).get(UNFIT, {}) if parameters else {}
    return RunSummary(
        run_id=name,
        kind=kind,
        started_at=started_at.replace(tzinfo=UTC),
        took=(finished_at or started_at) - started_at,
        ended=state,
        sites=together([*_site_summaries(data, name, {}).values(), *_failed(unfit)]),
        problem=reason,
    )


def unfinished_runs(data: Path) -> list[Run]:
    """Return the runs that the published store takes for running: they run, or their process was killed."""
    query = "SELECT run_id, kind, state, started_at, parameters, version FROM runs WHERE state = 'running'"
    try:
        with connect(data) as connection:
            rows = connection.execute(query).fetchall()
    except NotPublishedError:
        return []
    return [
        Run(
            run_id=run_id,
            kind=kind,
            state=state,
            started_at=started_at.replace(tzinfo=UTC),
            parameters=msgspec.json.decode(parameters) if parameters else {},
            version=version,
        )
        for run_id, kind, state, started_at, parameters, version in rows
    ]


class UnknownRunError(ValueError):
    """Raised for a run that the store does not know; the text names those it does."""


def _failed(unfit: Mapping[str, str]) -> list[SiteSummary]:
    return [SiteSummary(site=name, title=name, problems=(reason,)) for name, reason in unfit.items()]


def _site_summaries(data: Path, run_id: str, titles: dict[str, str]) -> dict[str, SiteSummary]:
    query = files("flows").joinpath("queries", "what_a_run_came_to.sql").read_text(encoding="utf-8")
    try:
        with connect(data) as connection:
            rows = connection.execute(query, {"run_id": run_id}).fetchall()
    except NotPublishedError:
        return {}
    return {
        site: SiteSummary(
            site=site,
            title=titles.get(site, site),
            outcomes=outcomes or {},
            fetched=fetched,
            extracted=extracted,
            new=new,
            versions=versions,
            problems=tuple(problems or ()),
            sources_read=sources_read,
        )
        for site, outcomes, fetched, extracted, new, versions, problems, sources_read in rows
    }
