"""Articles that somebody else extracted: one a line (JSON) or one a file, read under the names that others give fields.

What trafilatura, news-please, newspaper and Fundus write is understood as it is. The text is cleaned by the same rules
as a page's blocks; a date that cannot be read stays null.
"""

import gzip
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final, cast

import msgspec

from extraction import authors, dates
from extraction.article import EXTRACTOR_VERSION, content_hash, render_text
from extraction.plaintext import TextTooLongError, clean_text
from extraction.records import Article, Block, BlockKind, Extraction, Image, Metadata, PageClass
from extraction.rules import NO_CHANGES, SiteRules
from extraction.text import ends_sentence, tidy
from extraction.urls import BadUrlError, canonicalize

#: Names of each field, in the order in which they are tried.
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "url": ("url", "canonical_url", "link", "source_url", "requested_url"),
    "text": ("article_body", "articleBody", "text", "maintext", "plaintext", "body", "content", "full_text"),
    "site": ("site",),
    "headline": ("headline", "title", "name"),
    "alternative_headline": ("alternative_headline", "alternativeHeadline", "subtitle"),
    "description": ("description", "excerpt", "lead", "summary", "abstract"),
    "authors": ("authors", "author", "byline"),
    "published": (
        "date_published",
        "datePublished",
        "date_publish",
        "publish_date",
        "publishing_date",
        "published",
        "date",
    ),
    "modified": ("date_modified", "dateModified", "date_modify"),
    "had_at": ("date_downloaded", "date_download", "download_date", "fetched_at", "crawl_date", "retrieved_at"),
    "language": ("in_language", "inLanguage", "language", "lang"),
    "publisher": ("publisher", "sitename", "site_name"),
    "section": ("article_section", "articleSection", "section", "category"),
    "keywords": ("keywords", "tags", "topics"),
    "image": ("main_image", "image", "image_url", "top_image"),
    "extracted_by": ("extracted_by", "extractor"),
}
LINES: Final = (".jsonl", ".ndjson", ".jl")
SUFFIXES: Final = (*LINES, ".json", ".txt", ".md")
#: Longest line, and largest file of one article, bytes: a text of `plaintext.MAX_CHARS` with what belongs to it.
LARGEST: Final = 32 << 20

_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Source:
    """Where an article stands: the file, and its line from 1; None where the file holds one article."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class CorpusError(ValueError):
    """An article of a corpus that cannot be taken: an outcome in a word, and a sentence that says why and the mend."""

    def __init__(self, outcome: str, reason: str, url: str | None = None) -> None:
        self.outcome, self.url = outcome, url
        super().__init__(reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An article as a corpus gives it. `had_at` is when it was downloaded, as the corpus says, UTC; else None."""

    source: Source
    url: str  # canonical
    site: str | None
    text: str
    had_at: datetime | None
    extracted_by: str | None
    fields: Mapping[str, Any]


def corpus_files(paths: Iterable[Path]) -> list[Path]:
    """Return the files of a corpus, those of folders in order of their names.

    Raises:
        CorpusError: a path is not there, or a file is of a kind that is not understood.
    """
    found = []
    for path in paths:
        if path.is_dir():
            inside = sorted(each for each in path.rglob("*") if each.is_file() and _kind(each) in SUFFIXES)
            if not inside:
                raise CorpusError("bad_record", f"{path}: no file in it ends in one of {', '.join(SUFFIXES)}")
            found += inside
        elif not path.exists():
            raise CorpusError("bad_record", f"{path}: is not there")
        elif _kind(path) not in SUFFIXES:
            raise CorpusError("bad_record", f"{path}: not understood; name a folder or a file in {', '.join(SUFFIXES)}")
        else:
            found.append(path)
    return found


def read_file(path: Path, *, base_url: str | None = None) -> Iterator[tuple[Source, Given | CorpusError]]:
    """Yield each article of a file, or why it cannot be taken, with where it stands.

    Args:
        path: `.jsonl` (also `.ndjson`, `.jl`), `.json` (an object or a list of them), `.txt` or `.md`, with or without
            `.gz`. A text file may begin with lines of `name: value` between two lines of `---`.
        base_url: of articles without a URL: theirs is this with the file's name without its ending.

    Raises OSError if the file cannot be read.
    """
    with _opened(path) as file:
        if _kind(path) in LINES:
            for number, line in enumerate(iter(lambda: file.readline(LARGEST + 1), b""), start=1):
                source = Source(str(path), number)
                if line.strip():
                    yield source, _attempt(source, line, base_url)
                if len(line) > LARGEST:
                    _skip_line(file)
            return
        content = file.read(LARGEST + 1)
    if _kind(path) == ".json" and content.lstrip()[:1] == b"[" and len(content) <= LARGEST:
        yield from _listed(path, content, base_url)
    else:
        yield Source(str(path)), _attempt(Source(str(path)), content, base_url)


def _kind(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).suffix.lower()


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        yield cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if path.suffix == ".gz" else file


def _skip_line(file: IO[bytes]) -> None:
    while (part := file.readline(1 << 20)) and not part.endswith(b"\n"):
        pass


def _listed(path: Path, content: bytes, base_url: str | None) -> Iterator[tuple[Source, Given | CorpusError]]:
    try:
        items = msgspec.json.decode(content, type=list[msgspec.Raw])
    except msgspec.DecodeError as error:
        yield Source(str(path)), CorpusError("bad_record", f"not JSON: {error}")
        return
    for number, item in enumerate(items, start=1):
        source = Source(str(path), number)
        yield source, _attempt(source, bytes(item), base_url)


def _attempt(source: Source, content: bytes, base_url: str | None) -> Given | CorpusError:
    try:
        return _given(source, content, base_url)
    except CorpusError as error:
        return error


def _given(source: Source, content: bytes, base_url: str | None) -> Given:
    if len(content) > LARGEST:
        raise CorpusError("too_large", f"more than {LARGEST >> 20} MiB; is it one article?")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorpusError("bad_record", f"not UTF-8 at byte {error.start}; convert the file, as with iconv") from None
    record = _front_matter(text) if _kind(Path(source.file)) in {".txt", ".md"} else _record(text)
    values = {field: _first(record, names) for field, names in FIELDS.items()}
    body = values.pop("text")
    if not isinstance(body, str) or not body.strip():
        names = ", ".join(FIELDS["text"])
        raise CorpusError("bad_record", f"no text; it should stand in one of {names}, and that be a string")
    url = _url(values.pop("url"), source, base_url)
    had_at = _moment(values.pop("had_at"))
    return Given(
        source=source,
        url=url,
        site=_line(values.pop("site")),
        text=body,
        had_at=had_at,
        extracted_by=_line(values.pop("extracted_by")),
        fields=values,
    )


def _record(text: str) -> Mapping[str, Any]:
    try:
        record = _decode(text)
    except msgspec.DecodeError as error:
        raise CorpusError("bad_record", f"not JSON: {error}; write one object a line") from None
    if not isinstance(record, dict):
        raise CorpusError(
            "bad_record", f"a JSON {type(record).__name__}, not an object; write one article as an object"
        )
    return record


def _front_matter(text: str) -> Mapping[str, Any]:
    """Split a text file into its fields, if it begins with some, and its text."""
    head, separator, body = text.partition("\n---\n") if text.startswith("---\n") else ("", "", text)
    pairs = (line.partition(":") for line in head.splitlines()[1:] if separator)
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs} | {
        "text": body if separator else text
    }


def _first(record: Mapping[str, Any], names: Sequence[str]) -> Any:  # noqa: ANN401 -- any JSON value
    return next((record[name] for name in names if record.get(name) not in (None, "", [])), None)


def _url(value: object, source: Source, base_url: str | None) -> str:
    if value is None and base_url is not None:
        name = Path(source.file).name.partition(".")[0]
        value = f"{base_url.rstrip('/')}/{name}" + (f"-{source.line}" if source.line else "")
    if not isinstance(value, str):
        raise CorpusError("bad_url", "no URL; give it in the field url, or give --base-url for all that have none")
    try:
        return canonicalize(value)
    except BadUrlError as error:
        raise CorpusError("bad_url", f"{error}; mend the field url", value[:500]) from None


def _line(value: object) -> str | None:
    return tidy(value) or None if isinstance(value, str) else None


def _moment(value: object) -> datetime | None:
    read = dates.read(str(value)) if isinstance(value, str | int | float) else None
    return read.at if read else None


def extraction_of(given: Given, *, rules: SiteRules = NO_CHANGES) -> Extraction:
    """Clean an article's text and return it as an extraction, what was taken out of it beside it.

    Raises:
        CorpusError: nothing is left of the text, or it is too long.
    """
    headline = _line(given.fields.get("headline"))
    try:
        cleaned = clean_text(given.text, title=headline, rules=rules)
    except TextTooLongError as error:
        raise CorpusError("too_large", f"{error}; is it one article?", given.url) from None
    blocks = tuple(_blocks(cleaned.text))
    if not blocks:
        raise CorpusError("empty", "nothing is left of the text once boilerplate is taken out", given.url)
    metadata = _metadata(given, headline)
    image = _line(given.fields.get("image"))
    article = Article(
        url=given.url,
        metadata=metadata,
        page_class=PageClass.ARTICLE,
        blocks=blocks,
        article_body=render_text(blocks),
        images=(Image(url=image),) if image else (),
        content_hash=content_hash(metadata, blocks),
        extractor_version=EXTRACTOR_VERSION,
        flags=("imported",),
    )
    return Extraction(result=article, removed=cleaned.removed)


def _blocks(text: str) -> Iterator[Block]:
    """Paragraphs: what blank lines part, where the lines between are only wrapped; else each line."""
    inner = [line for group in text.split("\n\n") for line in group.split("\n")[:-1]]
    wrapped = sum(not ends_sentence(line) for line in inner) > len(inner) / 2
    for position, part in enumerate(text.split("\n\n" if wrapped and "\n\n" in text else "\n")):
        if words := tidy(part):
            yield Block(kind=BlockKind.PARAGRAPH, text=words, position=position)


def _metadata(given: Given, headline: str | None) -> Metadata:
    fields = given.fields
    language = _line(fields.get("language"))
    names = authors.read(_texts(fields.get("authors")))
    metadata = Metadata(
        headline=headline,
        alternative_headline=_line(fields.get("alternative_headline")),
        description=_line(fields.get("description")),
        authors=names.persons,
        author_organisations=names.organisations,
        in_language=language,
        publisher=_line(fields.get("publisher")),
        article_section=_line(fields.get("section")),
        keywords=tuple(tidy(each) for each in _texts(fields.get("keywords")) if each.strip())[:100],
        main_image=_line(fields.get("image")),
    )
    for name, of in (("date_published", "published"), ("date_modified", "modified")):
        raw = fields.get(of)
        read = dates.read(str(raw), language=language) if isinstance(raw, str | int | float) else None
        if read is not None:
            known: dict[str, Any] = {
                f"{name}_raw": str(raw),
                f"{name}_source": "import",
                f"{name}_zone_known": read.zone_known,
            }
            metadata = replace(metadata, **known | {name: read.at})
    return metadata


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [part for part in value.split(";") if part.strip()]
    if isinstance(value, list):
        return [
            each["name"] if isinstance(each, dict) and isinstance(each.get("name"), str) else str(each)
            for each in value
        ]
    return []


def file_time(path: Path) -> datetime:
    """Return when a file was last written, UTC: its articles had been downloaded by then."""
    return min(datetime.fromtimestamp(path.stat().st_mtime, UTC), datetime.now(UTC))
