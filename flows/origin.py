"""The options of `nightdesk backfill` that say where pages come from, if not from the sites' own archives."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flows.span import EARLIEST

if TYPE_CHECKING:
    from flows.sources import PagesFrom

Flag = Parameter(negative="")


class OriginError(ValueError):
    """Raised for options that exclude each other, or that lack another; the text says which."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Origin:
    """At most one of `warc`, `cdx` and `urls` is given; the others belong to `cdx`."""

    warc: Annotated[
        list[Path] | None,
        Parameter(help="Take the pages out of this WARC file, or folder of them; can be given several times."),
    ] = None
    cdx: Annotated[str | None, Parameter(help="Take them from the web archive whose CDX index is at this URL.")] = None
    replay: Annotated[
        str | None, Parameter(help="With --cdx: what its replay URLs begin with, as https://web.archive.org/web/.")
    ] = None
    warc_url: Annotated[
        str | None, Parameter(help="With --cdx: where its WARC files are, as https://data.commoncrawl.org/.")
    ] = None
    numbered_pages: Annotated[
        bool, Flag, Parameter(help="With --cdx: its index answers in numbered pages, as pywb and Common Crawl.")
    ] = False
    every_capture: Annotated[
        bool, Flag, Parameter(help="With --cdx: all captures of a page that differ, not only the first.")
    ] = False
    urls: Annotated[Path | None, Parameter(help="Fetch the URLs of this text file, one a line.")] = None

    def days(self, first: date | None, last: date | None) -> tuple[date, date]:
        """Return the days; only files and lists can do without. Raises OriginError."""
        if (first is None or last is None) and not (self.warc or self.urls):
            raise OriginError("--first-day and --last-day are both needed; write them as 2026-11-01")
        return first or EARLIEST, last or datetime.now(UTC).date()

    @property
    def asks_sites(self) -> bool:
        """Whether the sites themselves are asked."""
        return not (self.warc or self.cdx)

    def pages_from(self) -> "PagesFrom":
        """Return the same as the form's fields, the files given here trusted. Raises OriginError."""
        from flows.sources import TRUSTED, PagesFrom  # noqa: PLC0415 - pydantic

        given = [name for name in ("warc", "cdx", "urls") if getattr(self, name)]
        if len(given) > 1:
            raise OriginError(f"--{given[0]} and --{given[1]}: one at a time")
        if not self.cdx and (self.replay or self.warc_url or self.numbered_pages or self.every_capture):
            raise OriginError("--replay, --warc-url, --numbered-pages and --every-capture belong to --cdx URL")
        files = [path.expanduser().resolve() for path in self.warc or ([self.urls] if self.urls else [])]
        TRUSTED.set(frozenset(files))
        if self.warc:
            return PagesFrom(kind="WARC files", files=[str(path) for path in files])
        if self.urls:
            return PagesFrom(kind="a list of URLs", url_file=str(files[0]))
        if self.cdx:
            return PagesFrom(
                kind="a web archive",
                index=self.cdx,
                replay=self.replay or "",
                warc_url=self.warc_url or "",
                style="pages" if self.numbered_pages else "wayback",
                every=self.every_capture,
            )
        return PagesFrom()
