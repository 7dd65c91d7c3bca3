"""One door: the bytes of a page in, an article or the reason why there is none out."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from extraction.body import Body, read_body
from extraction.decoding import BodyError, decode_body
from extraction.images import images
from extraction.learned import Learned
from extraction.metadata import read as read_metadata
from extraction.page import MAX_PAGE_BYTES, ParsedPage, UnreadablePageError, parse
from extraction.pageclass import classify
from extraction.records import Article, Block, BlockKind, Extraction, Metadata, Outcome, Page, PageClass, Rejection
from extraction.rules import NO_CHANGES, SiteRules
from extraction.text import fold
from extraction.urls import BadUrlError, canonicalize, same_site

#: Raised with every change that can change an article; it stands on each row.
EXTRACTOR_VERSION: Final = "5"

#: Directives of robots meta by which a page asks not to be kept (the header's are heeded by the spider).
_FORBIDDING: Final = frozenset(("noindex", "none"))


def extract_page(page: Page, *, rules: SiteRules = NO_CHANGES, learned: Learned | None = None) -> Extraction:
    """Extract a captured response: its content codings undone within bounds, then `extract`. Never raises."""
    try:
        decoded = decode_body(page.body, page.headers, max_bytes=MAX_PAGE_BYTES)
    except BodyError as exc:
        return _rejected(exc.outcome, str(exc))
    content_type = next((value for name, value in page.headers if name.lower() == "content-type"), None)
    return extract(
        decoded.body,
        page.final_url,
        requested_url=page.discovery.url,
        content_type=content_type,
        seen=page.fetched_at,
        rules=rules,
        learned=learned,
    )


def extract(
    html: bytes,
    url: str,
    *,
    requested_url: str | None = None,
    content_type: str | None = None,
    seen: datetime | None = None,
    rules: SiteRules = NO_CHANGES,
    learned: Learned | None = None,
) -> Extraction:
    """Extract the article of a page. Never raises: what goes wrong is a rejection that says so.

    Args:
        html: the page as bytes, content codings undone.
        url: where it was fetched from, after redirects.
        requested_url: the URL that was asked for, if another.
        content_type: the header as received; evidence for the charset, not believed on what the bytes are.
        seen: when it was fetched, UTC: dates after it are not believed. None: now.
        rules: what the site's own file changes.
        learned: what was learned of the site's recurring lines.
    """
    try:
        return _extract(parse(html, url, content_type), requested_url or url, seen, rules, learned)
    except UnreadablePageError as exc:
        return _rejected(exc.outcome, str(exc))
    except (MemoryError, RecursionError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as exc:
        # One page must not end a worker; ingest names its capture beside this reason.
        return _rejected(Outcome.EXTRACTION_FAILED, f"{type(exc).__name__}: {exc}"[:300])


def _rejected(outcome: Outcome, reason: str) -> Extraction:
    return Extraction(result=Rejection(outcome=outcome, reason=reason))


def read_parts(html: bytes, url: str, rules: SiteRules = NO_CHANGES) -> tuple[Metadata, Body]:
    """Metadata and body of a page, whatever its class. Raises UnreadablePageError for bytes that are no page."""
    page = parse(html, url)
    metadata = read_metadata(page)
    return metadata, read_body(page, metadata, rules)


def _extract(
    page: ParsedPage, requested_url: str, seen: datetime | None, rules: SiteRules, learned: Learned | None
) -> Extraction:
    metadata = read_metadata(page, seen=seen)
    if _FORBIDDING & set(metadata.robots):
        return Extraction(
            result=Rejection(outcome=Outcome.NOINDEX, reason="robots meta says noindex", metadata=metadata)
        )
    body = read_body(page, metadata, rules, learned)
    page_class, reason = classify(page, metadata, body.blocks, body.removed)
    if page_class is not PageClass.ARTICLE and page_class not in rules.keep_classes:
        rejection = Rejection(outcome=Outcome(page_class.value), reason=reason, metadata=metadata)
        return Extraction(result=rejection, removed=body.removed)
    article = _article(page, metadata, page_class, body, requested_url=requested_url, learned=learned, rules=rules)
    return Extraction(result=article, removed=body.removed)


def _article(
    page: ParsedPage,
    metadata: Metadata,
    page_class: PageClass,
    body: Body,
    *,
    requested_url: str,
    learned: Learned | None,
    rules: SiteRules,
) -> Article:
    return Article(
        url=_home_of(page.url, requested_url, metadata),
        metadata=metadata,
        page_class=page_class,
        blocks=body.blocks,
        article_body=render_text(body.blocks),
        images=images(body.area, page.url) if body.area is not None else (),
        dateline=_dateline(body.blocks),
        content_hash=content_hash(metadata, body.blocks),
        extractor_version=EXTRACTOR_VERSION,
        learned_version=learned.version if learned else None,
        rules_version=rules.version,
        flags=page.flags + (("dates_disagree",) if metadata.dates_disagree else ()),
    )


#: "BERLIN (Agency) —", "ROME, March 5 -": a place in capitals before a dash, at the start of the first paragraph.
_DATELINE: Final = re.compile(r"^([^\W\d_]{3}[^.!?—–]{0,60}?)(?:\s*\([^)]{2,30}\))?\s*(?:—|–|--|\s-\s)")


def _dateline(blocks: Sequence[Block]) -> str | None:
    """Where an article was written, as its first paragraph says it, None where it says nothing."""
    first = next((block.text for block in blocks if block.kind is BlockKind.PARAGRAPH), "")
    match = _DATELINE.match(first)
    place = match[1].strip(" ,") if match else ""
    return place if place and place.split(",")[0].isupper() else None


def _home_of(url: str, requested_url: str, metadata: Metadata) -> str:
    """Where the article lives: the canonical URL that the page names if it is the site's own, else the final URL.

    A canonical URL that names the site's front page is a template's mistake, not an article's address.
    """
    try:
        home = canonicalize(url)
    except BadUrlError:
        return requested_url
    named = metadata.canonical_url
    trusted = named and same_site(named, home) and _has_path(named) >= _has_path(home)
    return named if named and trusted else home


def _has_path(url: str) -> bool:
    return len(url.split("/", 3)[-1].strip("/")) > 0 if url.count("/") > 2 else False


def render_text(blocks: Iterable[Block]) -> str:
    """The running text of the blocks, parted by blank lines. Tables are none: they are blocks, and Markdown."""
    return "\n\n".join(block.text for block in blocks if block.kind is not BlockKind.TABLE)


def content_hash(metadata: Metadata, blocks: Iterable[Block]) -> str:
    """A hash of what the article says: equal where only case, punctuation, white space or markup differ.

    The lead counts where the page shows none in its body, so that a changed lead is a changed article.
    """
    digest = hashlib.blake2b(digest_size=16)
    for part in (metadata.headline or "", metadata.description or "", *(block.text for block in blocks)):
        digest.update(fold(part).encode("utf-8", "replace"))
        digest.update(b"\n")
    return digest.hexdigest()


def render_markdown(blocks: Iterable[Block]) -> str:
    """The blocks as Markdown: subheads, quotes, lists, tables and code marked up, characters of Markdown escaped."""
    return "\n\n".join(_markdown(block) for block in blocks)


def _markdown(block: Block) -> str:
    if block.kind is BlockKind.TABLE:
        return _markdown_table(block.text)
    text = _escape(block.text)
    if block.kind is BlockKind.SUBHEAD:
        return f"{'#' * max(2, block.level)} {text}"
    if block.kind is BlockKind.QUOTE:
        return "\n".join(f"> {line}" for line in text.splitlines())
    if block.kind is BlockKind.LIST_ITEM:
        return f"{'  ' * max(0, block.level - 1)}- {text}"
    if block.kind is BlockKind.CODE:
        return "\n".join(f"    {line}" for line in block.text.splitlines())
    return text


def _markdown_table(text: str) -> str:
    rows = [f"| {_escape(row).replace(' | ', ' | ')} |" for row in text.splitlines()]
    columns = text.splitlines()[0].count(" | ") + 1
    return "\n".join([rows[0], "|" + " --- |" * columns, *rows[1:]])


def _escape(text: str) -> str:
    for char in "\\`*_[]<>#":
        text = text.replace(char, f"\\{char}")
    return text
