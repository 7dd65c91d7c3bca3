"""Which days a backfill has to plan, and what a plan says of them. Pure: spider and store stand on either side."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from spiders.captures import closed_segments
from spiders.journal import JournalError, read_journal
from spiders.site import Site
from storage.backfills import LEFT_OUT, Chunk, PlannedUrl

DAYLESS = "no source tells their day, or they were changed later; the switch doubtful fetches them too"
FEEDS_ONLY = "the site's file names feeds alone, which hold its newest articles only"

Days = Mapping[str, Sequence[date]]  # by site


class _Line(msgspec.Struct, frozen=True):
    """A line of the spider's plan (spiders/plan.py)."""

    url: str
    url_key: str
    site: str
    found_in: str
    found_by: str
    day: date | None
    known: bool
    lastmod: datetime | None = None
    published_hint: datetime | None = None
    title_hint: str | None = None


def backfill_id(parameters: Mapping[str, object]) -> str:
    """Return the name of the backfill of these parameters: 12 hexadecimal digits."""
    text = json.dumps(dict(parameters), sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def days_between(first: date, last: date) -> list[date]:
    """Return the days from the first to the last, both included."""
    return [date.fromordinal(number) for number in range(first.toordinal(), last.toordinal() + 1)]


def is_over(day: date, site: Site, moment: datetime) -> bool:
    """Whether a day had ended at the site at that moment (aware)."""
    return moment >= datetime.combine(day + timedelta(days=1), time(), ZoneInfo(site.time_zone))


def days_to_plan(
    sites: Iterable[Site], days: Sequence[date], own: Iterable[Chunk], finished: Iterable[Chunk]
) -> tuple[dict[str, list[date]], list[Chunk]]:
    """Return the days of which the indexes are to be read, by site, and those that earlier backfills have finished.

    `own` are the chunks of this backfill, `finished` those of any. A plan that was made before its day was over, or
    while an index could not be read, is made anew.
    """
    planned = {(chunk.site, chunk.day): chunk for chunk in own if chunk.whole}
    done = {(chunk.site, chunk.day): chunk for chunk in finished}
    wanted: dict[str, list[date]] = {}
    taken = []
    for site in sites:
        for day in days:
            mine, other = planned.get((site.name, day)), done.get((site.name, day))
            if mine is not None and is_over(day, site, mine.planned_at):
                continue
            if other is not None and is_over(day, site, other.planned_at):
                taken.append(other)
            else:
                wanted.setdefault(site.name, []).append(day)
    return wanted, taken


def read_plan(
    path: Path, wanted: Days, problems: Mapping[str, str], now: datetime, *, refetch: bool, doubtful: bool
) -> tuple[list[Chunk], list[PlannedUrl]]:
    """Return the chunks of the days that were planned, empty ones too, and the URLs that are to be fetched for them.

    `problems` are the sites of which not all indexes could be read, with the reason. With `refetch` known URLs are to
    be fetched too, with `doubtful` those whose day is not told. Raises OSError, msgspec.MsgspecError.
    """
    counts: dict[tuple[str, date | None], Counter[str]]
    counts = {(site, day): Counter() for site, days in wanted.items() for day in days}
    urls = []
    for line in _lines(path):
        at = (line.site, line.day)
        if line.day is None:
            counts.setdefault(at, Counter())
        elif at not in counts:
            continue
        is_known = line.known and not refetch
        counts[at].update(planned=1, known=is_known)
        if not is_known and (line.day is not None or doubtful):
            urls.append(_url(line))
    return [_chunk(*at, count, problems.get(at[0]), now, doubtful=doubtful) for at, count in counts.items()], urls


def _lines(path: Path) -> Iterator[_Line]:
    decode = msgspec.json.Decoder(_Line).decode
    with path.open("rb") as file:
        yield from map(decode, file)


def _url(line: _Line) -> PlannedUrl:
    fields = msgspec.structs.asdict(line)
    fields.pop("known")
    return PlannedUrl(**fields)


def _chunk(
    site: str, day: date | None, count: Counter[str], problem: str | None, now: datetime, *, doubtful: bool
) -> Chunk:
    left_out = day is None and not doubtful
    return Chunk(
        site=site,
        day=day,
        state=LEFT_OUT if left_out else "planned",
        planned=count["planned"],
        known=count["known"],
        open=count["planned"] - count["known"],
        whole=problem is None,
        reason=DAYLESS if left_out else problem,
        planned_at=now,
    )


def index_problems(folder: Path, shard: str, sites: Iterable[Site]) -> dict[str, str]:
    """Return the sites whose indexes could not all be read by that shard of a run, with the first reason of each.

    A feed that fails is no reason: old articles are not in it.
    """
    problems = {site.name: FEEDS_ONLY for site in sites if not _has_archive(site)}
    for journal in closed_segments(folder):
        if not journal.name.startswith(f"{shard}-"):
            continue
        try:
            for entry in read_journal(journal):
                if entry["kind"] == "source" and entry["found_by"] != "feed" and (problem := _problem(entry)):
                    problems.setdefault(entry["site"], f"{entry['url']}: {problem}")
        except JournalError as error:
            for site in sites:
                problems.setdefault(site.name, str(error))
    return problems


def _problem(entry: Mapping[str, object]) -> str | None:
    """Why a source that was read may name less than there is. One that is gone or empty names nothing: no problem."""
    if entry["bounded"]:
        return f"cut at {entry['bounded']}"
    harmless = entry["outcome"] in {"ok", "empty"} or (entry["outcome"] == "gone" and entry["found_by"] == "section")
    return None if harmless else str(entry["reason"] or entry["outcome"])


def _has_archive(site: Site) -> bool:
    sources = site.sources
    return bool(sources.sitemaps or sources.archives or sources.archive_pages or sources.sections)


def now_utc() -> datetime:
    """Return the time, UTC."""
    return datetime.now(UTC)
