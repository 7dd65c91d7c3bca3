"""The names of the months as news writes them, in all languages: rules/months.txt, read once."""

from functools import cache
from pathlib import Path


@cache
def calendars() -> tuple[tuple[tuple[str, ...], bool], ...]:
    """Return each line of names, January first, casefolded and without a last dot, and whether it is Persian."""
    found = []
    for line in (Path(__file__).parent / "rules" / "months.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            words = line.split()
            persian = words[0] == "persian"
            names = (word.replace("_", " ").rstrip(".").casefold() for word in (words[1:] if persian else words))
            found.append((tuple(names), persian))
    return tuple(found)
