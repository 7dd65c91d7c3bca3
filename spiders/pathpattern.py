"""Patterns of paths as robots.txt has them (RFC 9309 2.2.3): `*` is any text, a last `$` the end. Pure."""

LONGEST = 2000  # of a pattern and of what it is held against, characters


def matches(pattern: str, path: str) -> bool:
    """Whether a path with its query begins as the pattern says. Linear in both: no pattern can make it explode."""
    pattern, path = pattern[:LONGEST], path[:LONGEST]
    ends = pattern.endswith("$")
    first, *rest = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    if not rest:
        return path == first if ends else True
    at = len(first)
    *middle, last = rest
    for part in middle:
        at = path.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return path.endswith(last) and len(path) - len(last) >= at if ends else path.find(last, at) >= 0
