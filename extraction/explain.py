"""Why a page became the article it is: blocks and removed blocks in the page's order, each with its reason."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from extraction.records import Article, Extraction

_RESET: Final = "\x1b[0m"
_DIM: Final = "\x1b[2m"
_RED: Final = "\x1b[31m"
_GREEN: Final = "\x1b[32m"
_BOLD: Final = "\x1b[1m"


@dataclass(frozen=True, slots=True)
class Explained:
    """A block in its place: `kept`, its kind (of `BlockKind` or `RemovedKind`), and the rule that removed it."""

    position: int
    kept: bool
    kind: str
    rule: str | None
    text: str


def explained(extraction: Extraction) -> list[Explained]:
    """The blocks of an extraction, kept and removed ones together, in the page's order."""
    blocks = extraction.result.blocks if isinstance(extraction.result, Article) else ()
    kept = [Explained(block.position, True, str(block.kind), None, block.text) for block in blocks]
    gone = [Explained(r.position, False, str(r.kind), r.rule, r.text) for r in extraction.removed]
    return sorted([*kept, *gone], key=lambda e: e.position)


def render(extraction: Extraction, *, colour: bool = False) -> str:
    """The explanation as text for a terminal: what was kept plain, what was removed marked with kind and rule.

    The texts hold no control characters (`extraction.text.tidy`), so nothing of a page can steer the terminal.
    """
    return "\n".join(_lines(extraction, colour=colour)) + "\n"


def _lines(extraction: Extraction, *, colour: bool) -> Iterator[str]:
    result = extraction.result
    if isinstance(result, Article):
        yield _paint(result.metadata.headline or "(no headline)", _BOLD, colour=colour)
        yield _paint(
            f"{result.url}  ·  {result.page_class}  ·  extractor {result.extractor_version}", _DIM, colour=colour
        )
    else:
        yield _paint(f"rejected: {result.outcome}: {result.reason}", _RED, colour=colour)
    yield ""
    for block in explained(extraction):
        if block.kept:
            yield f"{_paint('  ' + block.kind.ljust(14), _GREEN, colour=colour)} {block.text}"
        else:
            yield _paint(f"- {block.kind.ljust(14)} {block.text}  [{block.rule}]", _RED, colour=colour)


def _paint(text: str, style: str, *, colour: bool) -> str:
    return f"{style}{text}{_RESET}" if colour else text
