"""What a page shows: headlines that lead elsewhere, posts with a time of their own, and the texts between its tags."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from lxml.html import HtmlElement

from extraction.page import ParsedPage
from extraction.records import Block, BlockKind
from extraction.stamps import has_time, is_stamp
from extraction.text import fold, word_count

#: Words of an entry's headline, at least.
HEADLINE_WORDS: Final = 3


def headline_links(page: ParsedPage) -> int:
    """Count headings that are links to different places, or stand in one."""
    seen: set[str] = set()
    for _, heading in zip(range(400), page.tree.iter("h2", "h3", "h4"), strict=False):
        link = next(heading.iter("a"), None)
        if link is None:
            link = next(heading.iterancestors("a"), None)
        if link is not None and (href := link.get("href")):
            seen.add(href)
    return len(seen)


def entries(page: ParsedPage) -> int:
    """Count list entries and rows in the page's main part that hold a headline which is a link."""
    found = set()
    for _, entry in zip(range(1000), page.tree.iter("li", "tr"), strict=False):
        for link in entry.iter("a"):
            if word_count(" ".join(str(link.text_content()[:300]).split())) > HEADLINE_WORDS and link.get("href"):
                if next(entry.iterancestors("nav", "header", "footer", "aside"), None) is None:
                    found.add(link.get("href"))
                break
    return len(found)


#: What a post of a live page begins with: a time of day, a minute of a match, a date with one.
_STAMPED = re.compile(r"(?:\d{1,2}[:.h]\d{2}\b|\d{1,3}(?:\s?\+\s?\d{1,2})?\s?['’′‘]|\d{1,2}:\d{2}(?=\D))")


def stamped_lines(blocks: Sequence[Block]) -> tuple[int, int]:
    """How many lines of the body begin with a time of their own, and how many there are."""
    lines = [
        (b.kind, line) for b in blocks for line in (b.text.splitlines() if b.kind is BlockKind.TABLE else [b.text])
    ]
    stamps = {m[0] for _, line in lines if (m := _STAMPED.match(line))}
    stamps |= {
        line for kind, line in lines if kind is BlockKind.SUBHEAD and is_stamp(line, fold(line)) and has_time(line)
    }
    return len(stamps), len(lines)


def pieces(page: ParsedPage) -> Iterator[tuple[str, bool]]:
    """Yield the texts of a page between tags, the first thousand, and whether each stands in the page's main part.

    The main part is main and article, and whatever is named after a paywall: prompts stand there, while "subscribe" in
    a header is said on every page.
    """
    body = page.tree.find("body")
    texts = (
        (text, parent)
        for element in (page.tree if body is None else body).iter()
        for text, parent in ((element.text, element), (element.tail, element.getparent()))
        if text and parent is not None and not text.isspace()
    )
    for text, parent in islice(texts, 1000):
        if not any(node.tag in _HIDDEN for node in (parent, *islice(parent.iterancestors(), 12))):
            yield " ".join(text[:2000].split()), _in_main(parent)


_HIDDEN: Final = frozenset({"script", "style", "noscript", "template", "svg", "head"})
_PROMPT_CLASS = re.compile(
    r"paywall|regwall|premium|subscri|piano|barrier|locked|metered|abo[-_]|plus[-_]", re.IGNORECASE
)


def _in_main(element: HtmlElement) -> bool:
    for node in (element, *islice(element.iterancestors(), 12)):
        if node.tag in {"nav", "header", "footer", "form"}:
            return False
        if node.tag in {"main", "article"} or _PROMPT_CLASS.search(node.get("class") or ""):
            return True
    return False
