"""The block model: how likely a block belongs to the article's body, from its measurements.

An ensemble of small decision trees (gradient boosting), three questions deep, read from `blockmodel.json`. It was
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

#: Seven questions (feature, threshold) from the root downwards, then the eight leaves' values from left to right.
Tree = tuple[Any, ...]


class ModelError(RuntimeError):
    """Raised when the model was trained on other measurements than `features` takes; the mend is to train it again."""


@cache
def _trees() -> tuple[Tree, ...]:
    model = json.loads(_FILE.read_text("utf-8"))
    if tuple(model["features"]) != FEATURES:
        raise ModelError(f"{_FILE.name} does not fit extraction/features.py: run benchmarks/train_blockmodel.py")
    return tuple(map(tuple, model["trees"]))


def probability(row: Sequence[float]) -> float:
    """The probability (0 to 1) that the block with these measurements belongs to the body."""
    x = row
    total = 0.0
    for a, at, b, bt, c, ct, d, dt, e, et, f, ft, g, gt, v0, v1, v2, v3, v4, v5, v6, v7 in _trees():
        if x[a] <= at:
            if x[b] <= bt:
                total += v0 if x[d] <= dt else v1
            else:
                total += v2 if x[e] <= et else v3
        elif x[c] <= ct:
            total += v4 if x[f] <= ft else v5
        else:
            total += v6 if x[g] <= gt else v7
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))
