"""The measure of extracted text: multisets of 4-word grams, averaged over pages."""

import re
from collections import Counter
from collections.abc import Sequence

WORD = re.compile(r"\w+")

#: Grams shared with the gold text, of the output, of the gold text.
Overlap = tuple[int, int, int]


def grams(text: str) -> Counter[tuple[str, ...]]:
    """Every run of four words (a shorter text is one gram), with its count."""
    words = WORD.findall(text)
    return Counter(tuple(words[i : i + 4]) for i in range(max(1, len(words) - 3))) if words else Counter()


def overlap(gold: str, output: str) -> Overlap:
    wanted, found = grams(gold), grams(output)
    return sum(min(n, found[g]) for g, n in wanted.items()), sum(found.values()), sum(wanted.values())


def rates(pages: Sequence[Overlap]) -> tuple[float, float, float]:
    """Precision over pages with output, recall over pages with gold, and the harmonic mean of both."""
    precisions = [both / out for both, out, _ in pages if out]
    recalls = [both / gold for both, _, gold in pages if gold]
    p, r = sum(precisions) / max(1, len(precisions)), sum(recalls) / max(1, len(recalls))
    return p, r, 2 * p * r / (p + r) if p + r else 0.0
