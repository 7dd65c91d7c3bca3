"""`nightdesk takedown`: an article or a whole site erased from every file of the data folder, and not fetched again."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from flows.folder import data_folder
from flows.ingest import recover_all, unextracted, unloaded
from flows.living import living_runs, wait_for
from flows.plain import plain
from flows.report import count
from spiders.redaction import Wanted, erase_pages, erase_titles, holds_pages
from storage import index, takedown
from storage.redaction import holds_rows, leftovers, redact_rows
from storage.retention import drop
from storage.takedown import Takedown, Target

Say = Callable[[str], None]
Segments = Iterable[tuple[str, str]]  # run_id and name


def command(data: Path | None, target: str, *, reason: str, yes: bool) -> int:
    """Show what a takedown would erase, or (`yes`) erase it. Raises TakedownError or what the store raises."""
    folder = data_folder(data)
    console = Console(highlight=False)
    found = takedown.find(folder, target)
    for line in preview(found):
        console.print(Text(line), soft_wrap=True)
    if not yes:
        console.print("nothing was erased; `--yes` does it, for good")
        return 0
    ordered = takedown.order(folder, found, reason)
    done = carry_out(folder, ordered, lambda text: console.print(Text(text), soft_wrap=True))
    console.print(
        f"takedown {done.takedown_id}: {count(done.versions, 'version')}, {count(done.removed_blocks, 'removed block')}"
        f" and {count(done.responses or 0, 'captured response')} erased; the search index is rebuilt now"
    )
    index.update(folder)
    return 0


def list_all(data: Path | None) -> int:
    """Print the takedowns that were ever ordered."""
    console = Console(highlight=False)
    found = takedown.takedowns(data_folder(data))
    for each in found:
        state = "lifted" if each.lifted_at else "erased" if each.erased_at else "not finished"
        why = plain(each.reason) or "no reason given"
        line = f"{each.takedown_id}  {state}  {each.kind} {plain(each.target, 2000)}: {why}"
        console.print(Text(line), soft_wrap=True)
    if not found:
        console.print("nothing was ever taken down here")
    return 0


def finish_all(data: Path | None) -> int:
    """Finish what a killed takedown left to be erased."""
    console = Console(highlight=False)
    folder = data_folder(data)
    done = [carry_out(folder, each, console.print) for each in takedown.unfinished(folder)]
    console.print(f"{count(len(done), 'takedown')} finished")
    return 0


def lift(data: Path | None, takedown_id: str) -> int:
    """Let what was taken down be fetched again."""
    lifted = takedown.lift(data_folder(data), takedown_id)
    Console(highlight=False).print(Text(f"{lifted.target} may be fetched again; what was erased stays erased"))
    return 0


def preview(found: Target) -> Iterable[str]:
    """Say in lines what a takedown erases."""
    yield f"{'site' if found.kind == 'site' else 'URL'} {plain(found.target, 2000)}"
    yield (
        f"  to be erased: {count(found.articles, 'article')} in {count(found.versions, 'version')},"
        f" {count(found.removed_blocks, 'removed block')}, {count(found.responses, 'captured response')}"
    )
    for headline in found.headlines:
        yield f"  - {plain(headline or '(no headline)')}"
    if found.kind == "url" and len(found.url_keys) > 1:
        yield f"  with {count(len(found.url_keys) - 1, 'other URL')} that led to the same article"
    for url in found.copies:
        yield f"  the same text stands at {plain(url, 2000)}, which stays: take it down by itself"
    yield "  exports and backups that were made earlier are not touched, nor headlines that other pages quote"


def carry_out(data: Path, ordered: Takedown, say: Say, *, run_id: str | None = None) -> Takedown:
    """Erase what a takedown names, from the store to the last file, and return it as it is then on record.

    Idempotent: killed at any moment and done again, it ends the same. Runs that go on are waited for after the rows
    are gone from what readers see; `run_id` is one that need not be waited for, because it is the caller's own.
    """
    takedown.register(data, ordered)
    index.drop(data)
    wait_for(living_runs(data, but=run_id), say)
    recover_all(data, lambda _, message: say(message))
    responses = _erase_files(data, ordered)
    takedown.compact(data)
    return takedown.finish(data, ordered, responses=responses)


def _erase_files(data: Path, ordered: Takedown) -> int:
    """Erase a takedown from captures, journals, rows and lists; return how many responses that were."""
    site, keys = (ordered.target if ordered.kind == "site" else None), frozenset(ordered.url_keys)
    why = f"takedown {ordered.takedown_id}"

    def wanted(record_site: str, key: str) -> bool:
        return key in keys if site is None else record_site == site

    waiting = {(each.run_id, each.name) for each in unextracted(data)}
    waiting |= {(folder.parent.name, folder.name) for folder in unloaded(data)}
    responses = erase_segments(data, {*takedown.segments_of(data, ordered), *waiting}, wanted, why)
    for run in {run_id for run_id, _ in takedown.segments_of(data, ordered)}:
        _remove_leftovers(data, run)
    for run_id, name in sorted({*takedown.segments_of(data, ordered), *waiting}):
        redact_rows(data / "extracted" / run_id / name, keys, site)
    for replay in sorted((data / "reextractions").glob("*")):  # a roll-back would bring the texts back
        if holds_rows(replay, keys, site):
            shutil.rmtree(replay)
    for listed in sorted((data / "known").glob("*.pending.jsonl")):
        erase_titles(listed, wanted)
    return responses


def erase_segments(data: Path, segments: Segments, wanted: Wanted, why: str) -> int:
    """Erase pages from the captures of segments, and titles from their journals; return how many pages.

    A file in which no page is left goes.
    """
    responses = 0
    empty = []
    for run_id, name in sorted(segments):
        warc = data / "captures" / run_id / f"{name}.warc.gz"
        if warc.exists() and (erased := erase_pages(warc, wanted, why)):
            responses += erased
            if not holds_pages(warc):
                empty.append(warc)
        journal = warc.with_name(f"{name}.journal.jsonl")
        if journal.exists():
            erase_titles(journal, wanted)
    if empty:
        drop(data, {warc.relative_to(data).as_posix(): why for warc in empty})
    return responses


def _remove_leftovers(data: Path, run: str) -> None:
    folder = data / "extracted" / run
    for path in leftovers(folder) if folder.is_dir() else ():
        shutil.rmtree(path)


def erase_refused(data: Path) -> int:
    """Erase the pages that the loader refused because they were taken down; return how many.

    They came in by another address: a mobile page, a shortened link, a file of somebody else's.
    """
    found = takedown.refused(data)
    if not found:
        return 0
    keys = frozenset(key for _, key, _, _ in found)
    files = sorted({file for _, _, file, _ in found})
    segments = {(Path(file).parent.name, Path(file).name.removesuffix(".warc.gz")) for file in files}
    responses = erase_segments(data, segments, lambda _, key: key in keys, "refused: it was taken down")
    for run_id, name in segments:
        redact_rows(data / "extracted" / run_id / name, keys, None)
    takedown.forget_responses(data, files)
    return responses
