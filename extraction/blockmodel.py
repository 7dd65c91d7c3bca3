"""The block model: how likely a block belongs to the article's body, from its measurements.

An ensemble of small decision trees (gradient boosting), four questions deep, read from `blockmodel.json`. It was
trained by `benchmarks/train_blockmodel.py`; nothing but arithmetic is needed to apply it.
"""

import json
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from extraction.features import FEATURES

_FILE: Final = Path(__file__).parent / "blockmodel.json"

_DEPTH: Final = 4
_QUESTIONS: Final = 2 * (2**_DEPTH - 1)  # a measurement's number and a threshold each

#: Feature and threshold of the first question, then what follows where the feature is not over it and where it is: the
#: same again, three more times, and then the values of the leaves.
Tree = tuple[int, float, Any, Any]


class ModelError(RuntimeError):
    """Raised when the model was trained on other measurements than `features` takes; the mend is to train it again."""


@cache
def _trees() -> tuple[Tree, ...]:
    model = json.loads(_FILE.read_text("utf-8"))
    if tuple(model["features"]) != FEATURES:
        raise ModelError(f"{_FILE.name} does not fit extraction/features.py: run benchmarks/train_blockmodel.py")
    return tuple(map(_nested, model["trees"]))


def _nested(tree: list[Any]) -> Tree:
    """The tree of a line of the file: fifteen questions, level by level from the root, then sixteen leaves."""
    questions, below = tree[:_QUESTIONS], tree[_QUESTIONS:]
    for level in reversed(range(_DEPTH)):
        first, last = 2 * (2**level - 1), 2 * (2 ** (level + 1) - 1)
        asked = zip(questions[first:last:2], questions[first + 1 : last : 2], below[::2], below[1::2], strict=True)
        below = list(asked)
    root: Tree = below[0]
    return root


def probability(row: Sequence[float]) -> float:
    """The probability (0 to 1) that the block with these measurements belongs to the body."""
    total = 0.0
    for feature, threshold, low, high in _trees():
        f, at, left, right = low if row[feature] <= threshold else high
        f, at, left, right = left if row[f] <= at else right
        f, at, less, more = left if row[f] <= at else right
        total += less if row[f] <= at else more
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))
