"""A re-extraction: captures read again, compared with the store, promoted or discarded, rolled back. Free of Prefect.

Its folder `<data>/reextractions/<id>/` says how far it is: `reextraction.json`, `plan.parquet`, `rows/`,
`cases.parquet`, `before/`. Whether it is promoted only the store says.
"""

import fcntl
import hashlib
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final, Literal

import msgspec

from extraction.article import EXTRACTOR_VERSION
from extraction.learned import Learned
from flows.desk import Desk
from flows.gate import Thresholds, hold
from flows.pool import Pool, cores
from flows.replay import replay, rows_folder
from storage import index, learned, promotion
from storage.comparison import CASES, Case, Frequent, Gone, SiteChange, compare, frequent, worst
from storage.promotion import Promoted
from storage.rereading import PLAN, Wanted, read_plan, write_plan

FOLDER: Final = "reextractions"
FILE: Final = "reextraction.json"
ROWS: Final = "rows"
LOCK: Final = Path("locks", "reextract.lock")
WORST: Final = 30  # cases of a report
FREQUENT: Final = 8  # blocks of a report

Stage = Literal["replaying", "compared", "discarded"]
Say = Callable[[str, str], None]  # (level, message)
Show = Callable[[int, int], object]  # (pages done, of all)


class ReextractionError(ValueError):
    """Raised for what cannot be done with a re-extraction; the message says why, and the mend."""


class StoppedError(Exception):
    """Raised when a re-extraction was told to stop; it goes on when it is asked for again."""


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """What `reextraction.json` says: what was asked for, read by what, and what came of it."""

    reextraction_id: str
    stage: Stage
    wanted: Wanted
    extractor_version: str
    version: str
    reading: str  # digest of program, rules and learned lines: only like goes on with like
    plan: str  # digest
    pages: int
    started_at: datetime
    compared_at: datetime | None = None
    seconds: float = 0.0  # of work, over all tries
    sites: tuple[SiteChange, ...] = ()
    gone: tuple[Gone, ...] = ()
    reasons: tuple[str, ...] = ()  # why the gate holds it

    @property
    def passes(self) -> bool:
        """Whether the gate lets it pass."""
        return self.stage == "compared" and not self.reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A re-extraction as people are shown it. `state` is that of the store, "replaying" before it is there."""

    dossier: Dossier
    state: str
    cases: tuple[Case, ...]  # those that lose most
    frequent: tuple[Frequent, ...]  # blocks that several texts lose or gain


def carry_out(
    desk: Desk, wanted: Wanted, say: Say, show: Show, *, stopped: Callable[[], bool] = lambda: False
) -> Report:
    """Read captures again and compare; nothing changes in the store but the rows about re-extractions.

    One that was begun with the same words, program, rules and learned lines goes on; one that is compared already, of
    the same pages, is shown again.

    Raises:
        ReextractionError: another one is at work, or there is nothing to read.
        StoppedError: `stopped` said so; what is read stays.
        NotPublishedError, StoreError, WorkerError, OSError: as they are; asked for again it goes on.
    """
    with _alone(desk.data):
        lines = _learned(desk.data)
        dossier = _begun(desk, wanted, _reading(desk, lines), say)
        if dossier.stage == "replaying":
            began = time.monotonic()

            def heard(done: int) -> None:
                show(done, dossier.pages)
                if stopped():
                    _write(desk.data, msgspec.structs.replace(dossier, seconds=_so_far(dossier, began)))
                    raise StoppedError(f"{dossier.reextraction_id} was stopped at page {done} of {dossier.pages}")

            say("info", f"{dossier.reextraction_id}: {dossier.pages:,} captured pages are read again")
            _read_again(desk, dossier, lines, heard)
            say("info", f"{dossier.reextraction_id}: comparing")
            dossier = _compare(desk, dossier, began)
        return _report(desk.data, dossier)


def promote(desk: Desk, name: str | None, *, despite_gate: bool = False) -> tuple[str, Promoted]:
    """Bring a compared re-extraction into the store (the last one if none is named); return its id and counts.

    Raises ReextractionError where the gate holds it and nobody overrules that, PromotionError, and as the store does.
    """
    with _alone(desk.data):
        dossier = _named(desk.data, name)
        if dossier.stage != "compared":
            raise ReextractionError(f"{dossier.reextraction_id} is {dossier.stage}; run `nightdesk reextract` first")
        if dossier.reasons and not despite_gate:
            raise ReextractionError(
                f"{dossier.reextraction_id}: the gate holds it: {'; '.join(dossier.reasons[:3])}. Look at"
                " `nightdesk reextract --show`; to promote it all the same, add --despite-gate"
            )
        _tell_store(desk.data, dossier)
        done = promotion.promote(desk.data, dossier.reextraction_id, _home(desk.data, dossier.reextraction_id))
        index.update(desk.data)
        return dossier.reextraction_id, done


def roll_back(desk: Desk, name: str) -> tuple[str, Promoted]:
    """Bring back what a promotion replaced; return its id and counts. Raises PromotionError, and as the store does."""
    with _alone(desk.data):
        dossier = _named(desk.data, name)
        done = promotion.roll_back(desk.data, dossier.reextraction_id, _home(desk.data, dossier.reextraction_id))
        index.update(desk.data)
        return dossier.reextraction_id, done


def discard(desk: Desk, name: str) -> str:
    """Delete the rows of a re-extraction that is not promoted; what it would have changed stays on record."""
    with _alone(desk.data):
        dossier = _named(desk.data, name)
        state = _states(desk.data).get(dossier.reextraction_id)
        if state == "promoted":
            raise ReextractionError(
                f"{dossier.reextraction_id} is promoted: `nightdesk reextract --roll-back {dossier.reextraction_id}`"
                " brings the former texts back"
            )
        discarded = msgspec.structs.replace(dossier, stage="discarded")
        if dossier.compared_at is not None:
            promotion.record(desk.data, _row(discarded), map(_columns, dossier.sites))
        _write(desk.data, discarded)
        for part in (ROWS, promotion.BEFORE):
            shutil.rmtree(_home(desk.data, dossier.reextraction_id) / part, ignore_errors=True)
        return dossier.reextraction_id


def show(desk: Desk, name: str | None) -> Report:
    """Return the report of a re-extraction, of the last one if none is named. Raises ReextractionError."""
    return _report(desk.data, _named(desk.data, name))


def everything(desk: Desk) -> list[tuple[Dossier, str]]:
    """Return all re-extractions with their states, newest first."""
    states = _states(desk.data)
    return [(each, states.get(each.reextraction_id, each.stage)) for each in _dossiers(desk.data)]


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Hold the lock of re-extractions; one process at a time."""
    path = data / LOCK
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ReextractionError("another re-extraction is at work in this data folder; wait for it") from None
        yield


def _begun(desk: Desk, wanted: Wanted, reading: str, say: Say) -> Dossier:
    """Return the re-extraction to go on with: one that was begun alike, else a new one."""
    for dossier in _dossiers(desk.data):
        if dossier.stage == "replaying":
            if (dossier.wanted, dossier.reading) == (wanted, reading):
                say("info", f"{dossier.reextraction_id} goes on where it was")
                return dossier
            say("warning", f"{dossier.reextraction_id} was begun with other words, rules or program; it is given up")
            _write(desk.data, msgspec.structs.replace(dossier, stage="discarded"))
            shutil.rmtree(_home(desk.data, dossier.reextraction_id) / ROWS, ignore_errors=True)
    return _new(desk, wanted, reading, say)


def _new(desk: Desk, wanted: Wanted, reading: str, say: Say) -> Dossier:
    now = datetime.now(UTC)
    name = f"{now:%Y%m%dT%H%M%SZ}-reextract-{secrets.token_hex(2)}"
    home = _home(desk.data, name)
    home.mkdir(parents=True)
    pages, digest = write_plan(desk.data, wanted, home / PLAN)
    if not pages:
        shutil.rmtree(home)
        raise ReextractionError("no captured page is of these sites and days; ask `nightdesk sql` for: from coverage")
    last = next((each for each in _dossiers(desk.data) if each.stage == "compared"), None)
    if last is not None and (last.reading, last.plan) == (reading, digest):
        shutil.rmtree(home)
        say("info", f"{last.reextraction_id} has read these pages alike; nothing is to be read again")
        return last
    dossier = Dossier(
        reextraction_id=name,
        stage="replaying",
        wanted=wanted,
        extractor_version=EXTRACTOR_VERSION,
        version=version("nightdesk"),
        reading=reading,
        plan=digest,
        pages=pages,
        started_at=now,
    )
    _write(desk.data, dossier)
    return dossier


def _read_again(desk: Desk, dossier: Dossier, lines: Mapping[str, Learned], heard: Callable[[int], None]) -> None:
    home = _home(desk.data, dossier.reextraction_id)
    done = 0

    def count(pages: int) -> None:
        nonlocal done
        done += pages
        heard(done)

    with Pool(desk.settings.workers or cores(), desk.rules(), lines, data=desk.data) as pool:
        replay(desk.data, read_plan(home / PLAN), home / ROWS, pool, count)


def _compare(desk: Desk, dossier: Dossier, began: float) -> Dossier:
    home = _home(desk.data, dossier.reextraction_id)
    folders = (rows_folder(home / ROWS, each) for each in read_plan(home / PLAN))
    found = compare(desk.data, home, [folder for folder in folders if folder.exists()])
    compared = msgspec.structs.replace(
        dossier,
        stage="compared",
        compared_at=datetime.now(UTC),
        seconds=_so_far(dossier, began),
        sites=found.sites,
        gone=found.gone,
        reasons=tuple(hold(found.sites, _thresholds(desk))),
    )
    _tell_store(desk.data, compared)
    _write(desk.data, compared)
    return compared


def _so_far(dossier: Dossier, began: float) -> float:
    return dossier.seconds + time.monotonic() - began


def _thresholds(desk: Desk) -> Thresholds:
    settings = desk.settings
    return Thresholds(
        articles_lost=settings.gate_articles_lost,
        articles_gained=settings.gate_articles_gained,
        text_lost=settings.gate_text_lost,
        text_gained=settings.gate_text_gained,
        fields_lost=settings.gate_fields_lost,
    )


def _learned(data: Path) -> dict[str, Learned]:
    sites = {line.site for line in learned.known_lines(data)}
    return learned.stored(data, sorted(sites))


def _reading(desk: Desk, lines: Mapping[str, Learned]) -> str:
    """Digest what the result of an extraction depends on besides its page."""
    digest = hashlib.blake2b(digest_size=8)
    rules = {site: rules.version for site, rules in desk.rules().items() if rules.version}
    said = (EXTRACTOR_VERSION, sorted(rules.items()), sorted((site, each.version) for site, each in lines.items()))
    digest.update(repr(said).encode())
    for content in _sources(files("extraction")):
        digest.update(content)
    return digest.hexdigest()


def _sources(folder: Traversable) -> Iterator[bytes]:
    for each in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if each.is_dir() and each.name != "__pycache__":
            yield from _sources(each)
        elif each.is_file() and not each.name.endswith(".pyc"):
            yield each.read_bytes()


def _home(data: Path, name: str) -> Path:
    return data / FOLDER / name


def _dossiers(data: Path) -> list[Dossier]:
    """Return what stands in the folders, newest first; one that cannot be read is none."""
    found = []
    for path in (data / FOLDER).glob(f"*/{FILE}"):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=Dossier))
        except (OSError, msgspec.MsgspecError):
            continue
    return sorted(found, key=lambda each: each.started_at, reverse=True)


def _named(data: Path, name: str | None) -> Dossier:
    known = _dossiers(data)
    for dossier in known:
        if name is None or dossier.reextraction_id == name:
            return dossier
    if not known:
        raise ReextractionError("nothing was read again in this data folder yet; `nightdesk reextract` does it")
    raise ReextractionError(f"no re-extraction {name!r}; the latest is {known[0].reextraction_id}")


def _write(data: Path, dossier: Dossier) -> None:
    path = _home(data, dossier.reextraction_id) / FILE
    part = path.with_name(FILE + ".part")
    part.write_bytes(msgspec.json.format(msgspec.json.encode(dossier)))
    part.rename(path)


def _states(data: Path) -> dict[str, str]:
    return {name: state for name, (state, _) in promotion.states(data).items()}


def _tell_store(data: Path, dossier: Dossier) -> None:
    """Write its row, unless the store has one: of a store that was made anew from its files, none is left."""
    if dossier.reextraction_id not in _states(data):
        promotion.record(data, _row(dossier), map(_columns, dossier.sites))


def _row(dossier: Dossier) -> promotion.Row:
    assert dossier.compared_at is not None
    return promotion.Row(
        reextraction_id=dossier.reextraction_id,
        state=dossier.stage,
        started_at=dossier.started_at,
        compared_at=dossier.compared_at,
        wanted=msgspec.to_builtins(dossier.wanted),
        extractor_version=dossier.extractor_version,
        version=dossier.version,
        pages=dossier.pages,
        gone=sum(each.pages for each in dossier.gone),
        verdict="hold" if dossier.reasons else "pass",
        reasons=dossier.reasons,
    )


def _columns(site: SiteChange) -> dict[str, object]:
    return asdict(site)


def _report(data: Path, dossier: Dossier) -> Report:
    path = _home(data, dossier.reextraction_id) / CASES
    there = dossier.stage == "compared" and path.exists()
    return Report(
        dossier=dossier,
        state=_states(data).get(dossier.reextraction_id, dossier.stage),
        cases=tuple(worst(path, WORST)) if there else (),
        frequent=tuple(frequent(path, FREQUENT)) if there else (),
    )
