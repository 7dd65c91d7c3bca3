"""Write `expected.json` of every golden case anew: `python tests/extraction/regenerate_cases.py [CASE …]`.

What it writes is what the code does now. Read the difference before it is committed: a golden is right because someone
looked at it, not because it was generated.
"""

import json
import sys
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from extraction.article import extract
from extraction.records import Article

CASES = Path(__file__).parent / "cases"


def outcome(case: Path) -> dict[str, object]:
    """What extraction makes of a case's page: the blocks kept as [kind, text], those removed as [kind, rule, text]."""
    url = tomllib.loads((case / "meta.toml").read_text("utf-8"))["url"]
    extraction = extract((case / "page.html").read_bytes(), url)
    removed = [[str(r.kind), r.rule, r.text] for r in extraction.removed]
    if not isinstance(extraction.result, Article):
        return {"rejected": str(extraction.result.outcome), "removed": removed}
    return {"blocks": [[str(b.kind), b.text] for b in extraction.result.blocks], "removed": removed}


if __name__ == "__main__":
    for folder in sorted(CASES.iterdir()):
        if len(sys.argv) == 1 or folder.name in sys.argv[1:]:
            (folder / "expected.json").write_text(
                json.dumps(outcome(folder), ensure_ascii=False, indent=1) + "\n", "utf-8"
            )
            print(folder.name)  # noqa: T201 - a command
