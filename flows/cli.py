# ruff: noqa: PLC0415 - `nightdesk --help` must not wait for Prefect, nor `sql` for Scrapy
# ruff: noqa: T201 - a command speaks by printing
"""The command line. Whatever is slow to import is imported by the command that needs it.

One list of commands, in the order in which `nightdesk --help` shows them: that is why it is longer than other modules.
"""

import codecs
import errno
import io
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, CycloptsError, Parameter

from flows.origin import Origin

if TYPE_CHECKING:
    from datetime import date

USER_ERROR = 2  # exit code: the command, a file or the settings are to be mended by whoever gave them
FAILED = 1
NO_OTHER = Origin()

app = App(
    name="nightdesk",
    help="Fetch news sites every night, clean the articles, and ask questions of them in SQL.",
    help_format="plaintext",
    version_flags=["--version"],
    result_action="return_value",
)

Data = Annotated[Path | None, Parameter(name="--data", help="Data folder. [default: NIGHTDESK_DATA, else ./data]")]
Sites = Annotated[
    list[str] | None,
    Parameter(name="--site", help="A site by name; can be given several times. [default: all enabled]"),
]
Refetch = Annotated[bool, Parameter(negative="", help="Fetch known pages again; what changed becomes a new version.")]
Limit = Annotated[int, Parameter(help="The most pages to fetch; 0: no limit but the sites' own.")]


@app.command
def crawl(*, site: Sites = None, refetch: Refetch = False, limit: Limit = 0, data: Data = None) -> int:
    """Run the nightly crawl now: fetch what is new, clean it, load it."""
    from flows.terminal import run_nightly

    return run_nightly(data, site or [], refetch=refetch, limit_pages=limit)


@app.command
def backfill(
    *,
    first_day: Annotated[
        str | None, Parameter(help="First day to fill, as 2026-11-01, in each site's time zone. [needed but for files]")
    ] = None,
    last_day: Annotated[str | None, Parameter(help="Last day to fill, itself included.")] = None,
    site: Sites = None,
    preview: Annotated[bool, Parameter(negative="", help="Say what there is to fetch, and how long it takes.")] = False,
    every_day: Annotated[bool, Parameter(negative="", help="Look also at days that a backfill has finished.")] = False,
    refetch: Refetch = False,
    doubtful: Annotated[bool, Parameter(negative="", help="Fetch also pages whose day no source tells.")] = False,
    limit: Limit = 0,
    origin: Origin = NO_OTHER,
    data: Data = None,
) -> int:
    """Fetch the articles of past days from the sites' own archives; the same again goes on with what is missing."""
    from flows.terminal import run_backfill

    first = _day("--first-day", first_day) if first_day is not None else None
    last = _day("--last-day", last_day) if last_day is not None else None
    return run_backfill(
        data,
        site or [],
        *origin.days(first, last),
        origin=origin,
        preview_only=preview,
        days="all" if every_day else "missing",
        doubtful=doubtful,
        refetch=refetch,
        limit_pages=limit,
    )


@app.command
def up(
    *,
    port: Annotated[
        int | None, Parameter(help="Port of the user interface. [default: `port` of nightdesk.toml, 4200]")
    ] = None,
    data: Data = None,
) -> int:
    """Serve Prefect's user interface and run the nightly crawl on its schedule, until Ctrl-C."""
    from flows.terminal import run_up

    return run_up(data, port)


@app.command
def demo(*, data: Annotated[Path | None, Parameter(help="Data folder. [default: ./demo-data]")] = None) -> int:
    """Run the nightly crawl over three bundled news sites. Run it twice: the second time an article has changed."""
    from flows.demo import demo as run_demo

    return run_demo(data)


@app.command
def sql(
    query: Annotated[str | None, Parameter(help="One or more statements. [default: asks for them]")] = None,
    /,
    *,
    json: Annotated[bool, Parameter(negative="", help="Print a JSON array of objects.")] = False,
    csv: Annotated[bool, Parameter(negative="", help="Print CSV.")] = False,
    data: Data = None,
) -> int:
    """Ask the store in SQL, read-only; without a query, one after the other."""
    from flows import shell
    from flows.folder import data_folder
    from storage.query import Session

    folder = data_folder(data)
    form: shell.Form = "json" if json else "csv" if csv else "table"
    if query is None and sys.stdin.isatty():
        shell.interactive(folder, form, folder / "sql-history")
        return 0
    with Session(folder) as session:
        shell.show(session.ask(query if query is not None else sys.stdin.read()), form, sys.stdout)
    return 0


@app.command
def queries(name: str | None = None, /, *, data: Data = None) -> int:
    """List the questions of the cookbook, or ask the one of that name."""
    from flows import shell
    from flows.commands.inspect import recipe
    from flows.folder import data_folder
    from storage.query import Session, cookbook

    if name is None:
        for found in cookbook():
            print(f"{found.name:32} {found.question}")
        return 0
    found = recipe(name)
    print(found.sql)
    with Session(data_folder(data)) as session:
        shell.show(session.ask(found.sql), "table", sys.stdout)
    return 0


@app.command
def search(
    query: Annotated[str, Parameter(help='Words that must all be there, "a phrase", -excluded, OR, (parentheses).')],
    /,
    *,
    site: Annotated[list[str] | None, Parameter(help="Only this site; can be given several times.")] = None,
    language: Annotated[str | None, Parameter(help="Only this language, as en.")] = None,
    first_day: Annotated[
        str | None, Parameter(help="Only what was published then or later, as 2026-11-01, UTC.")
    ] = None,
    last_day: Annotated[
        str | None, Parameter(help="Only what was published then or earlier, as 2026-11-30, UTC.")
    ] = None,
    limit: Annotated[int, Parameter(help="Show so many, 1 to 1000.")] = 10,
    data: Data = None,
) -> int:
    """Find articles by their words, in any form of their language."""
    from flows.commands.lookup import find

    first = _day("--first-day", first_day) if first_day is not None else None
    last = _day("--last-day", last_day) if last_day is not None else None
    if first and last and last < first:
        raise UsageError(f"--first-day {first} is after --last-day {last}; swap them")
    if not 1 <= limit <= 1000:
        raise UsageError(f"--limit {limit}: write a number from 1 to 1000")
    return find(data, query, sites=site or [], language=language, days=(first, last), limit=limit)


@app.command
def diff(
    article: Annotated[str, Parameter(help="Its URL, or its url_key.")],
    /,
    *,
    old: Annotated[int | None, Parameter(help="Version to compare from. [default: the one before --new]")] = None,
    new: Annotated[int | None, Parameter(help="Version to compare to. [default: the last]")] = None,
    data: Data = None,
) -> int:
    """Show what changed between two versions of an article."""
    from flows.commands.lookup import diff as show

    return show(data, article, old, new)


@app.command
def export(
    target: Annotated[Path, Parameter(help="A file that ends in .jsonl or .jsonl.gz, else a folder for Parquet.")],
    /,
    *,
    site: Annotated[list[str] | None, Parameter(help="Only this site; can be given several times.")] = None,
    language: Annotated[str | None, Parameter(help="Only this language, as en.")] = None,
    first_day: Annotated[str | None, Parameter(help="Only what was published then or later, UTC.")] = None,
    last_day: Annotated[str | None, Parameter(help="Only what was published then or earlier, UTC.")] = None,
    rights: Annotated[
        Literal["any", "not_reserved", "allowed"], Parameter(help="What the site said of training on its texts.")
    ] = "any",
    versions: Annotated[bool, Parameter(negative="", help="Every version, not only the current one.")] = False,
    data: Data = None,
) -> int:
    """Write articles as Parquet, a folder a site and month, or as JSON lines."""
    from flows.commands.exporting import run_export
    from storage.export import Wanted

    first = _day("--first-day", first_day) if first_day is not None else None
    last = _day("--last-day", last_day) if last_day is not None else None
    wanted = Wanted(
        sites=site or (), language=language, first_day=first, last_day=last, rights=rights, versions=versions
    )
    return run_export(data, target, wanted)


@app.command(name="import")
def import_corpus(
    paths: Annotated[list[Path], Parameter(help="JSONL, JSON, text files, or folders of them; with .gz too.")],
    /,
    *,
    site: Annotated[str | None, Parameter(help="The site of all. [default: as the record says, or its URL]")] = None,
    extracted_by: Annotated[str | None, Parameter(help="Who extracted the texts, as: trafilatura 1.6.")] = None,
    base_url: Annotated[
        str | None, Parameter(help="Where articles without a URL stand: theirs is this and the file's name.")
    ] = None,
    data: Data = None,
) -> int:
    """Clean and load a corpus of articles that somebody else extracted."""
    from flows.commands.importing import run_import

    return run_import(data, paths, site=site, extracted_by=extracted_by, base_url=base_url)


@app.command
def takedown(
    target: Annotated[str | None, Parameter(help="The article's URL, or the name of a site.")] = None,
    /,
    *,
    reason: Annotated[str, Parameter(help="Why; it is kept, the text is not.")] = "",
    yes: Annotated[bool, Parameter(negative="", help="Erase. Without it, only say what would be erased.")] = False,
    everything: Annotated[bool, Parameter(name="--list", negative="", help="List all takedowns.")] = False,
    finish: Annotated[bool, Parameter(negative="", help="Finish takedowns that were killed.")] = False,
    lift: Annotated[str | None, Parameter(help="Let a takedown's URLs be fetched again, by its id.")] = None,
    data: Data = None,
) -> int:
    """Erase an article or a site from every file of the data folder, and never fetch it again."""
    from flows import takedown as takedowns

    if everything:
        return takedowns.list_all(data)
    if finish:
        return takedowns.finish_all(data)
    if lift is not None:
        return takedowns.lift(data, lift)
    if target is None:
        raise UsageError("name an article's URL or a site, or give --list, --finish or --lift ID")
    return takedowns.command(data, target, reason=reason, yes=yes)


@app.command
def backup(
    target: Annotated[Path, Parameter(help="A folder that is not there yet, outside the data folder.")],
    /,
    *,
    data: Data = None,
) -> int:
    """Back the data folder up, also while runs go on; what a backup beside it has already is linked, not copied."""
    from flows.commands.backups import run_backup

    return run_backup(data, target)


@app.command
def restore(
    source: Annotated[Path, Parameter(help="A backup.")],
    /,
    *,
    overwrite: Annotated[bool, Parameter(negative="", help="Replace what is in the data folder.")] = False,
    data: Data = None,
) -> int:
    """Put a backup in the place of the data folder, once every checksum is right."""
    from flows.commands.backups import run_restore

    return run_restore(data, source, overwrite=overwrite)


@app.command
def retention(
    *,
    preview: Annotated[bool, Parameter(negative="", help="Only say what would be dropped.")] = False,
    data: Data = None,
) -> int:
    """Drop captures that are kept longer than the settings say, as each run does at its end."""
    from flows.upkeep import retention as apply

    return apply(data, preview=preview)


@app.command
def reextract(
    *,
    site: Sites = None,
    first_day: Annotated[str | None, Parameter(help="Only what was published then or later, as 2026-11-01.")] = None,
    last_day: Annotated[str | None, Parameter(help="Only what was published then or earlier.")] = None,
    limit: Annotated[int, Parameter(help="The most pages, newest articles first; 0: no limit.")] = 0,
    yes: Annotated[bool, Parameter(negative="", help="Promote the result if the gate lets it pass.")] = False,
    promote: Annotated[str | None, Parameter(help="Bring the re-extraction of that id into the store.")] = None,
    despite_gate: Annotated[bool, Parameter(negative="", help="With --promote: although the gate holds it.")] = False,
    discard: Annotated[str | None, Parameter(help="Delete the re-extraction of that id.")] = None,
    roll_back: Annotated[str | None, Parameter(help="Bring back what a promotion replaced, by its id.")] = None,
    show: Annotated[str | None, Parameter(help="Show the report of that id again.")] = None,
    everything: Annotated[bool, Parameter(name="--list", negative="", help="List all re-extractions.")] = False,
    data: Data = None,
) -> int:
    """Read captured pages again with this program and these rules; show what would change. Nothing is fetched."""
    from flows.commands import rereading

    first = _day("--first-day", first_day) if first_day is not None else None
    last = _day("--last-day", last_day) if last_day is not None else None
    if first and last and last < first:
        raise UsageError(f"--first-day {first} is after --last-day {last}; swap them")
    if limit < 0:
        raise UsageError(f"--limit {limit}: write 0 or more")
    if len([each for each in (promote, discard, roll_back, show, everything or None) if each]) > 1:
        raise UsageError("--promote, --discard, --roll-back, --show and --list: one at a time")
    if promote is not None:
        return rereading.promote(data, promote, despite_gate=despite_gate)
    if discard is not None:
        return rereading.discard(data, discard)
    if roll_back is not None:
        return rereading.roll_back(data, roll_back)
    if show is not None:
        return rereading.show(data, show)
    if everything:
        return rereading.list_all(data)
    return rereading.read_again(data, site or [], first, last, limit, yes=yes)


@app.command
def report(
    run: str | None = None,
    /,
    *,
    calendar: Annotated[Path | None, Parameter(help="Write a picture of the articles of each day, as SVG.")] = None,
    data: Data = None,
) -> int:
    """Show what a run came to: the last one, or that of the given id."""
    if calendar is not None:
        from flows.gaps import write_calendar

        return write_calendar(data, calendar)
    from flows.commands.inspect import report as show

    return show(data, run)


@app.command
def gaps(
    *,
    look_back: Annotated[int, Parameter(help="So many days back.")] = 30,
    data: Data = None,
) -> int:
    """Show the days of which articles are missing, and the backfills that would fill them."""
    from datetime import UTC, datetime, timedelta

    from flows.gaps import show

    return show(data, (datetime.now(UTC) - timedelta(days=look_back)).date())


@app.command
def status(*, data: Data = None) -> int:
    """Show what is in the data folder, what runs now, and what waits to be loaded."""
    from flows.commands.inspect import status as show

    return show(data)


@app.command
def doctor(*, data: Data = None) -> int:
    """Check the installation, and say the mend of what is wrong."""
    from flows.commands.doctor import doctor as check

    return check(data)


@app.command
def explain(page: str, /, *, site: str | None = None, data: Data = None) -> int:
    """Show the article of a page, by URL or file, with what was removed from it and why."""
    from flows.commands.inspect import explain as show

    return show(data, page, site)


sites = app.command(App(name="sites", help="List, show, add and check the sites that are crawled."))


@sites.command(name="list")
def list_sites(
    *,
    everything: Annotated[bool, Parameter(name="--all", negative="", help="Also those that are not enabled.")] = False,
    data: Data = None,
) -> int:
    """List the sites."""
    from flows.commands.sites import list_sites as show

    return show(data, everything=everything)


@sites.command(name="show")
def show_site(name: str, /, *, data: Data = None) -> int:
    """Show a site's file."""
    from flows.commands.sites import show_site as show

    return show(data, name)


@sites.command(name="add")
def add_site(url: str, /, *, name: str | None = None, data: Data = None) -> int:
    """Find a site's feeds and sitemaps and write its file."""
    from flows.commands.sites import add_site as add

    return add(data, url, name)


@sites.command(name="check")
def check_sites(names: list[str] | None = None, /, *, data: Data = None) -> int:
    """Read each source of the sites (all enabled ones) and say what it yields now."""
    from flows.commands.sites import check_sites as check

    return check(data, names or [])


learned = app.command(App(name="learned", help="List, revoke and restore the lines that recur on a site's pages."))


@learned.command(name="list")
def list_learned(*, site: str | None = None, data: Data = None) -> int:
    """List the lines that are taken out of the articles of a site, or of all, because they recur on its pages."""
    from flows.commands.lines import list_lines

    return list_lines(data, site)


@learned.command(name="revoke")
def revoke_learned(site: str, fingerprint: str, /, *, data: Data = None) -> int:
    """Leave a line in the articles that are fetched from now on: it is theirs."""
    from flows.commands.lines import set_revoked

    return set_revoked(data, site, fingerprint, revoked=True)


@learned.command(name="restore")
def restore_learned(site: str, fingerprint: str, /, *, data: Data = None) -> int:
    """Take a revoked line out again."""
    from flows.commands.lines import set_revoked

    return set_revoked(data, site, fingerprint, revoked=False)


def _day(option: str, text: str) -> "date":
    from datetime import date

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text!r}: no date; write it as 2026-11-01") from None


_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})


class UsageError(ValueError):
    """Something on the command line makes no sense; the text says what, and the mend."""


def main() -> None:
    """Run a command; end with 0, with 1 if it failed, with 2 and one message if its user is to mend something."""
    _take_any_locale()
    sys.exit(_guarded(lambda: app(exit_on_error=False)))


def _take_any_locale() -> None:
    """Where the locale is not UTF-8: files and pipes get UTF-8 all the same, as arguments are taken to be; a terminal
    shows question marks for what it has no letters for.
    """  # noqa: D205
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and codecs.lookup(stream.encoding).name != "utf-8":
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")
    sys.argv[1:] = [
        os.fsencode(word).decode("utf-8", "replace") if re.search("[\udc80-\udcff]", word) else word
        for word in sys.argv[1:]
    ]


def _guarded(command: Callable[[], Any]) -> int:
    try:
        code = command()
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except CycloptsError:
        return USER_ERROR  # cyclopts has printed its message
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `… | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _DISK and error.filename:
            print(f"nightdesk: {error.strerror}: {error.filename}. Make room and run it again", file=sys.stderr)
            return 1
        if not _is_ours(error):
            raise
        print(f"nightdesk: {error}", file=sys.stderr)
        return USER_ERROR


def _is_ours(error: Exception) -> bool:
    """Whether the error is one that this project words for its user; anything else is a defect and shows its trace."""
    return type(error).__module__.partition(".")[0] in {"flows", "spiders", "storage", "extraction"}
