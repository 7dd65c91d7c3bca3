"""Where a backfill takes its pages from: the form's fields, and what they come to. Files only from allowed folders."""

from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from extraction.urls import BadUrlError, canonicalize
from flows.desk import Desk
from spiders.archives.oldnews import ARCHIVE_DELAY_S, Source, UrlList, WarcFiles, WebArchive
from spiders.guard import is_loopback_host
from spiders.site import Site

MOST_FILES: Final = 10_000
MOST_URLS: Final = 100_000
MOST_LIST_BYTES: Final = 50 << 20
INBOX: Final = "inbox"
WARC_ENDINGS: Final = (".warc", ".warc.gz", ".warc.zst")

#: Files that a person named in a terminal: whoever has a shell has the files.
TRUSTED: ContextVar[frozenset[Path]] = ContextVar("trusted", default=frozenset())

Text = Annotated[str, Field(max_length=4096)]


class SourceError(ValueError):
    """Raised for a source that makes no sense or may not be used; the text names the field and the mend."""


class PagesFrom(BaseModel):
    """Where the pages come from; each field says for which kind it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["the sites", "WARC files", "a web archive", "a list of URLs", "our own captures"] = Field(
        default="the sites",
        title="Kind",
        description="The sites' own archives, or another: then the days are those on which pages were captured. Our own"
        " captures are read again, and nothing is fetched.",
    )
    files: Annotated[list[Text], Field(max_length=MOST_FILES)] = Field(
        default=[],
        title="WARC files",
        description="Paths of .warc, .warc.gz or .warc.zst files, or of folders of them: below the inbox of the data"
        " folder, or a folder of file_roots in nightdesk.toml.",
    )
    index: Text = Field(
        default="https://web.archive.org/cdx/search/cdx",
        title="Web archive: CDX index",
        description="URL of its CDX server. Of Common Crawl: https://index.commoncrawl.org/CC-MAIN-2026-43-index or the"
        " like.",
    )
    style: Literal["wayback", "pages"] = Field(
        default="wayback",
        title="Web archive: answers come",
        description="wayback: with a key to go on by. pages: in numbered pages, as of pywb and Common Crawl.",
    )
    replay: Text = Field(
        default="https://web.archive.org/web/",
        title="Web archive: replay",
        description="What stands before the timestamp in the URLs of its captures. Empty if its WARC files are read.",
    )
    warc_url: Text = Field(
        default="",
        title="Web archive: WARC files",
        description="Where the files are that its index names, as https://data.commoncrawl.org/. Empty: captures are"
        " replayed.",
    )
    every: bool = Field(
        default=False,
        title="Web archive: every capture",
        description="Of each page all captures that differ, as versions. Else the first of the days.",
    )
    urls: Annotated[str, Field(max_length=1_000_000)] = Field(
        default="", title="List: URLs", description="Of articles, one a line; their days do not matter."
    )
    url_file: Text = Field(
        default="", title="List: file", description="A text file with a URL a line, where WARC files may be too."
    )


def resolve(asked: PagesFrom, desk: Desk, sites: Sequence[Site]) -> Source | None:
    """Return the source that the fields come to, None for the sites themselves. Raises SourceError."""
    if asked.kind == "WARC files":
        files = tuple(str(file) for path in asked.files for file in _warcs(_allowed(path, desk, "files")))
        if not files:
            raise SourceError("pages_from.files: no file was named; write the path of a .warc, .warc.gz or .warc.zst")
        return WarcFiles(tuple(dict.fromkeys(files)))
    if asked.kind == "a web archive":
        return _archive(asked, desk)
    if asked.kind == "a list of URLs":
        return UrlList(tuple(_listed(asked, desk, sites)))
    return None


def allowed_folders(desk: Desk) -> list[Path]:
    """Return the folders that files may be in, the inbox of the data folder first."""
    return [desk.data / INBOX, *(Path(root).expanduser() for root in desk.settings.file_roots)]


def _allowed(text: str, desk: Desk, field: str) -> Path:
    """The real path of a file or folder, symbolic links followed; refused outside the allowed folders."""
    folders = [folder.resolve() for folder in allowed_folders(desk)]
    path = Path(text).expanduser()
    real = (path if path.is_absolute() else folders[0] / path).resolve()
    trusted = TRUSTED.get()
    if not any(real.is_relative_to(folder) for folder in folders) and real not in trusted:
        raise SourceError(
            f"pages_from.{field}: {text[:200]!r} is in none of the folders that files may be in"
            f" ({', '.join(map(str, folders))}); move it there, or name its folder in file_roots of nightdesk.toml"
        )
    if not real.exists():
        raise SourceError(f"pages_from.{field}: {text[:200]!r}: there is no such file; name one in {folders[0]}")
    return real


def _warcs(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    found = sorted(file for file in path.iterdir() if file.name.endswith(WARC_ENDINGS) and file.is_file())
    if not found:
        raise SourceError(f"pages_from.files: {path} holds no file that ends with {', '.join(WARC_ENDINGS)}")
    root = path.resolve()
    yield from (file for file in found if file.resolve().is_relative_to(root))  # no link leads out


def _archive(asked: PagesFrom, desk: Desk) -> WebArchive:
    for name in ("index", "replay", "warc_url"):
        value = getattr(asked, name)
        if (value or name == "index") and not _is_web_url(value):
            raise SourceError(f"pages_from.{name}: {value[:200]!r} is no http(s) URL; see docs/old-news.md")
    if not (asked.replay or asked.warc_url):
        raise SourceError("pages_from.replay: neither it nor warc_url is set; one of them says where captures are")
    if not desk.settings.contact and not is_loopback_host(urlsplit(asked.index).hostname or ""):
        raise SourceError('contact is not set in nightdesk.toml; an archive must be able to reach you: contact = "…"')
    return WebArchive(
        index=asked.index,
        replay=asked.replay or None,
        data=asked.warc_url or None,
        style=asked.style,
        every=asked.every,
        delay_s=0.05 if is_loopback_host(urlsplit(asked.index).hostname or "") else ARCHIVE_DELAY_S,
        allow=desk.settings.archive_networks,
    )


def _is_web_url(text: str) -> bool:
    try:
        canonicalize(text)
    except BadUrlError:
        return False
    return True


def _listed(asked: PagesFrom, desk: Desk, sites: Sequence[Site]) -> Iterator[tuple[str, str]]:
    """The URLs of the field and of the file, each with its site. A line that is none refuses the whole list."""
    text = asked.urls
    if asked.url_file:
        path = _allowed(asked.url_file, desk, "url_file")
        if path.stat().st_size > MOST_LIST_BYTES:
            raise SourceError(f"pages_from.url_file: {path.name} is larger than {MOST_LIST_BYTES >> 20} MiB; part it")
        text += "\n" + path.read_text(encoding="utf-8-sig", errors="replace")
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    lines = [(number, line) for number, line in lines if line and not line.startswith("#")]
    if not lines:
        raise SourceError("pages_from.urls: no URL was given; write one a line, or name a url_file")
    if len(lines) > MOST_URLS:
        raise SourceError(f"pages_from.urls: {len(lines)} URLs, {MOST_URLS} are taken at once; part the list")
    found: dict[str, str] = {}
    wrong: list[str] = []
    for number, line in lines:
        try:
            url = canonicalize(line)
        except BadUrlError as error:
            wrong.append(f"line {number}: {error}")
            continue
        site = next((site for site in sites if site.owns(url)), None)
        if site is None:
            wrong.append(f"line {number}: {url[:200]} is of none of the sites chosen")
        else:
            found.setdefault(url, site.name)
    if wrong:
        more = f"; and {len(wrong) - 5} lines more" if len(wrong) > 5 else ""
        raise SourceError(f"pages_from.urls: {'; '.join(wrong[:5])}{more}; correct or delete them")
    yield from ((site, url) for url, site in found.items())
