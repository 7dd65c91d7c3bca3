"""`nightdesk import`: a corpus that somebody else extracted, cleaned by our rules, loaded with where it came from."""

import secrets
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from extraction.corpus import CorpusError, Given, Source, corpus_files, extraction_of, file_time, read_file
from extraction.rules import SiteRules
from extraction.urls import registrable_domain, url_key
from flows.desk import Desk, open_desk, require_writable
from flows.ingest import unloaded
from flows.living import come_to_life
from flows.plain import plain
from flows.report import count
from spiders.site import Site
from spiders.sitefiles import find_site
from storage import index, runs
from storage.batches import SegmentRows
from storage.corpus import MOST_PROBLEMS, Held, Problem, held, record_problems
from storage.load import load
from storage.rows import PageRows, imported_rows
from storage.takedown import held_sites, takedowns

CHUNK = 2_000  # articles of a segment
LOADED_TOGETHER = 10  # segments of a load: about what a night brings
SHOWN = 10  # problems on the terminal; the table has more

Item = tuple[Source, Given | CorpusError]


@dataclass(slots=True)
class Tally:
    """What became of the articles of a corpus."""

    read: int = 0
    taken: int = 0
    known: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)  # hashes of URL key and time: 60 bytes an article

    def refuse(self, source: Source, url: str | None, outcome: str, reason: str) -> None:
        """Count an article that is not taken, and keep why."""
        self.refused[outcome] += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(
                Problem(source_file=source.file, source_line=source.line, url=url, outcome=outcome, reason=reason)
            )


@dataclass(frozen=True, slots=True)
class Plan:
    """How the articles of a corpus are to be taken. `site`: all are of this one; None: of the one that owns the URL."""

    desk: Desk
    site: Site | str | None
    extracted_by: str | None
    rules: Mapping[str, SiteRules]
    erased_keys: frozenset[str]
    erased_sites: frozenset[str]

    @classmethod
    def of(cls, desk: Desk, site: str | None, extracted_by: str | None) -> "Plan":
        """Make a plan, with what may not come in again. Raises SiteError for a site that is none."""
        ordered = [each for each in takedowns(desk.data) if not each.lifted_at]
        keys = frozenset(key for each in ordered for key in each.url_keys)
        found = find_site(desk.sites, site) if site and any(each.name == site for each in desk.sites) else site
        return cls(desk, found, extracted_by, desk.rules(), keys, frozenset(held_sites(ordered)))

    def site_of(self, given: Given) -> str:
        """Return the site of an article: as the command says, as the record says, whose host it is, or the domain."""
        if self.site is not None:
            return self.site.name if isinstance(self.site, Site) else self.site
        if given.site:
            return given.site
        owner = next((site.name for site in self.desk.sites if site.owns(given.url)), None)
        return owner or registrable_domain(given.url).replace(".", "-")


def run_import(
    data: Path | None, paths: Sequence[Path], *, site: str | None, extracted_by: str | None, base_url: str | None
) -> int:
    """Import files and folders; return 0 if anything was taken or known, else 1. Raises CorpusError or SiteError."""
    desk = open_desk(data)
    require_writable(desk.data)
    files = corpus_files(paths)
    plan = Plan.of(desk, site, extracted_by)
    console = Console(highlight=False)
    began = time.monotonic()
    parameters = {"files": [str(path) for path in paths], "site": site, "extracted_by": extracted_by}
    tally = _carry_out(plan, files, base_url, parameters)
    for problem in tally.problems[:SHOWN]:
        place = str(Source(problem.source_file, problem.source_line))
        console.print(Text(f"{plain(place, 500)}: {problem.outcome}: {plain(problem.reason, 500)}"), soft_wrap=True)
    if (more := tally.refused.total() - SHOWN) > 0:
        console.print(f"… and {more:,} more; the table import_problems has them")
    refused = ", ".join(f"{number:,} {word}" for word, number in tally.refused.most_common()) or "none"
    console.print(
        f"{count(tally.read, 'article')} read in {time.monotonic() - began:.1f} s: {tally.taken:,} taken,"
        f" {tally.known:,} known already, refused: {refused}"
    )
    return 0 if tally.taken or tally.known else 1


def _carry_out(plan: Plan, files: Sequence[Path], base_url: str | None, parameters: Mapping[str, Any]) -> Tally:
    data = plan.desk.data
    began = datetime.now(UTC)
    run_id = f"{began:%Y%m%dT%H%M%SZ}-import-{secrets.token_hex(2)}"
    folder = data / "captures" / run_id
    run = runs.Run(
        run_id=run_id,
        kind="import",
        state="running",
        started_at=began,
        parameters=parameters,
        version=version("nightdesk"),
    )
    with come_to_life(folder, msgspec.json.encode({"kind": "import", **parameters})):
        load(data, unloaded(data), publish=True)  # what a killed import left counts as known
        runs.record_run(data, run, _sites(plan), publish=True)
        tally = Tally()
        try:
            _take_all(plan, run_id, _items(files, base_url, tally), tally)
        except BaseException as error:
            runs.record_run(data, _ended(run, "failed", str(error) or type(error).__name__))
            raise
        record_problems(data, run_id, tally.problems)
        refused = ", ".join(f"{number} {word}" for word, number in tally.refused.most_common())
        said = f"{tally.read} read, {tally.taken} taken, {tally.known} known" + (f"; {refused}" if refused else "")
        runs.record_run(data, _ended(run, "finished", said), publish=True)
    index.update(data)
    return tally


def _sites(plan: Plan) -> list[runs.SiteRow]:
    if not isinstance(plan.site, Site):
        return []
    site = plan.site
    return [
        runs.SiteRow(
            site=site.name,
            title=site.title,
            url=site.url,
            country=site.country,
            languages=site.languages,
            time_zone=site.time_zone,
            enabled=site.enabled,
        )
    ]


def _ended(run: runs.Run, state: str, reason: str) -> runs.Run:
    return runs.Run(
        run_id=run.run_id,
        kind=run.kind,
        state=state,
        started_at=run.started_at,
        finished_at=datetime.now(UTC),
        reason=reason,
        parameters=run.parameters,
        version=run.version,
    )


def _items(files: Iterable[Path], base_url: str | None, tally: Tally) -> Iterator[Item]:
    for path in files:
        try:
            yield from read_file(path, base_url=base_url)
        except OSError as error:  # a torn .gz too; what came before it is taken
            reason = f"cannot be read: {error.strerror or error}; what stands before that is taken"
            tally.refuse(Source(str(path)), None, "bad_record", reason)


def _take_all(plan: Plan, run_id: str, items: Iterator[Item], tally: Tally) -> None:
    """Take the articles a chunk at a time; each chunk is a segment, so what is killed goes on behind it."""
    data = plan.desk.data
    waiting: list[Path] = []
    for number, chunk in enumerate(iter(lambda: list(islice(items, CHUNK)), [])):
        rows = SegmentRows(run_id, f"a-{number:05}")
        before = tally.taken
        _take(plan, chunk, rows, tally)
        if tally.taken > before:
            waiting.append(rows.write(data / "extracted" / run_id / rows.segment))
        if len(waiting) >= LOADED_TOGETHER:
            load(data, waiting, publish=True)
            waiting = []
    if waiting:
        load(data, waiting)


def _take(plan: Plan, chunk: Sequence[Item], rows: SegmentRows, tally: Tally) -> None:
    keys = {url_key(given.url) for _, given in chunk if isinstance(given, Given)}
    known = held(plan.desk.data, keys)
    for source, given in chunk:
        tally.read += 1
        try:
            if isinstance(given, CorpusError):
                raise given
            if (taken := _rows_of(plan, given, known, tally.seen)) is None:
                tally.known += 1
            else:
                rows.add_rows(taken)
                tally.taken += 1
        except CorpusError as error:
            tally.refuse(source, error.url, error.outcome, str(error))


def _rows_of(plan: Plan, given: Given, known: Held, seen: set[int]) -> PageRows | None:
    """Return the rows of an article, None if it is there already. Raises CorpusError if it cannot be taken."""
    key, site = url_key(given.url), plan.site_of(given)
    if key in plan.erased_keys or site in plan.erased_sites:
        raise CorpusError("taken_down", "it was taken down here: `nightdesk takedown --list` says why", given.url)
    at = given.had_at or file_time(Path(given.source.file))
    # Without a time of its own a text cannot be placed in the history of an article that is there.
    if (key, at) in known.imports or (given.had_at is None and key in known.articles) or hash((key, at)) in seen:
        return None
    extraction = extraction_of(given, rules=plan.rules.get(site, SiteRules()))
    seen.add(hash((key, at)))
    source = (given.source.file, given.source.line, given.extracted_by or plan.extracted_by)
    return imported_rows((site, key, at), given.url, extraction, source)
