"""JSON-LD of a page: its nodes, flat, however broken or nested they arrive (schema.org, JSON-LD 1.1 as pages write it).

Nothing here raises: what cannot be read is left out, and the rest of the page still counts.
"""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from lxml.html import HtmlElement

Node = dict[str, Any]

#: Most scripts read, characters of one and of all together, nodes kept, and levels followed. Real pages stay below
#: 30 scripts, 200 kB and 60 nodes.
MAX_SCRIPTS: Final = 100
MAX_CHARS: Final = 2_000_000
MAX_NODES: Final = 2000
#: Characters up to which a broken script is repaired; beyond, single fields are salvaged.
MAX_REPAIRED: Final = 300_000
MAX_DEPTH: Final = 12

ARTICLE_TYPES: Final = frozenset(
    "Article NewsArticle ReportageNewsArticle AnalysisNewsArticle OpinionNewsArticle BackgroundNewsArticle"
    " ReviewNewsArticle AskPublicNewsArticle AdvertiserContentArticle SatiricalArticle BlogPosting LiveBlogPosting"
    " Report TechArticle ScholarlyArticle SocialMediaPosting DiscussionForumPosting".split()
)

_WRAPPER = re.compile(
    r"^\s*(?:<!--|//\s*<!\[CDATA\[|/\*\s*<!\[CDATA\[\s*\*/|<!\[CDATA\[)|(?:-->|//\s*\]\]>|/\*\s*\]\]>\s*\*/|\]\]>)\s*;?\s*$"
)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_COMMENT = re.compile(r"/\*.*?\*/|(?m:(?<!:)//[^\n]*$)", re.DOTALL)
_SPARE_COMMA = re.compile(r",(?=\s*[}\]])|(?<=[\[{])\s*,+|,(?=\s*,)")
_MISSING_COMMA = re.compile(r'(?<=["}\]])(?=\s*\n\s*")')
_BAD_ESCAPE = re.compile(r'\\(?!["\\/bfnrtu])|\\u(?![0-9a-fA-F]{4})')
_FIELDS = (
    "headline|alternativeHeadline|description|datePublished|dateModified|dateCreated|articleSection|inLanguage"
    "|isAccessibleForFree|url"
)
_SALVAGE = re.compile(rf'"({_FIELDS})"\s*:\s*(?:"((?:[^"\\\n]|\\.|"(?!\s*[,}}\]])){{0,4000}})"|(true|false))')
_SALVAGE_TYPE = re.compile(r'"@type"\s*:\s*\[?\s*"([A-Za-z]{3,40})"')
_SALVAGE_AUTHOR = re.compile(
    r'"author"\s*:\s*[\[{\s]*(?:"@type"\s*:\s*"(\w+)"\s*,\s*)?"name"\s*:\s*"((?:[^"\\\n]|\\.){1,200})"'
)


@dataclass(frozen=True, slots=True)
class Graph:
    """The typed nodes of a page in its order, those with an @id by it, and how many scripts could not be read whole."""

    nodes: tuple[Node, ...] = ()
    by_id: dict[str, Node] = field(default_factory=dict)
    broken: int = 0


def read(tree: HtmlElement) -> Graph:
    """Return the JSON-LD of a page, within the limits of this module. Never raises."""
    nodes: list[Node] = []
    by_id: dict[str, Node] = {}
    broken = 0
    room = MAX_CHARS
    scripts = (s for s in tree.iter("script") if "ld+json" in (s.get("type") or "").lower())
    for _, script in zip(range(MAX_SCRIPTS), scripts, strict=False):
        text = script.text or ""
        if len(text) > room:
            broken += 1
            continue
        room -= len(text)
        values, whole = parse(text)
        broken += not whole
        for value in values:
            _collect(value, nodes, by_id)
    return Graph(tuple(nodes), by_id, broken)


def parse(text: str) -> tuple[list[Any], bool]:
    """Return the JSON values in a text, and whether it was read without loss. Broken JSON is repaired or salvaged."""
    text = _WRAPPER.sub("", text.strip("\ufeff \t\r\n;")).strip(" \t\r\n;")
    if not text:
        return [], True
    for mend in (str, html.unescape, _repaired) if len(text) <= MAX_REPAIRED else (str,):
        values = _values(mend(text))
        if values is not None:
            return values, True
    return _salvaged(text), False


def _values(text: str) -> list[Any] | None:
    """Decode strictly, then leniently, then as several values in a row; None if all fail."""
    try:
        return [_twice(msgspec.json.decode(text))]
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        pass
    decoder = json.JSONDecoder(strict=False)
    values: list[Any] = []
    at = 0
    try:
        while at < len(text) and len(values) < MAX_SCRIPTS:
            value, at = decoder.raw_decode(text, at)
            values.append(_twice(value))
            while at < len(text) and text[at] in " \t\r\n,;":
                at += 1
    except (ValueError, RecursionError):
        return None
    return values


def _twice(value: Any) -> Any:  # noqa: ANN401 - JSON is of any type
    """Decode once more what was encoded twice."""
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        try:
            return json.loads(value, strict=False)
        except (ValueError, RecursionError):
            return value
    return value


def _repaired(text: str) -> str:
    """Mend what templates do to JSON outside its strings, bad escapes inside them, and an end that is cut off."""
    strings: list[str] = []

    def shelve(match: re.Match[str]) -> str:
        strings.append(_BAD_ESCAPE.sub(lambda m: "\\\\" + m[0][1:], match[0]))
        return f'"{len(strings) - 1}"'

    bare = _STRING.sub(shelve, text)
    bare = _COMMENT.sub("", bare)
    bare = _SPARE_COMMA.sub("", _MISSING_COMMA.sub(",", bare))
    bare = _closed(bare)
    return re.sub(r'"(\d+)"', lambda m: strings[int(m[1])] if int(m[1]) < len(strings) else m[0], bare)


def _closed(text: str) -> str:
    """Close the brackets that are still open at the end of a cut text, after dropping its torn last piece."""
    stack = []
    for char in text:
        if char in "{[":
            stack.append("}" if char == "{" else "]")
        elif char in "}]" and stack and stack[-1] == char:
            stack.pop()
    if not stack or len(stack) > 200:
        return text
    text = re.sub(r'[,:\s]*$|,?\s*"\d*"\s*:\s*$|,\s*"[^"]*$|,?\s*"\d+"\s*:\s*"[^"]*$', "", text)
    return text + "".join(reversed(stack))


def _salvaged(text: str) -> list[Any]:
    """Read single fields by pattern from what is no JSON: the first of each, as one node of the first type named."""
    node: Node = {}
    for match in _SALVAGE.finditer(text):
        node.setdefault(match[1], _unescaped(match[2]) if match[2] is not None else match[3] == "true")
    if author := _SALVAGE_AUTHOR.search(text):
        node["author"] = {"@type": author[1] or "Person", "name": _unescaped(author[2])}
    kinds = [m[1] for m in _SALVAGE_TYPE.finditer(text)]
    kind = next((k for k in kinds if k in ARTICLE_TYPES), kinds[0] if kinds else None)
    return [{"@type": kind, **node}] if node and kind else []


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text


def _collect(value: Any, nodes: list[Node], by_id: dict[str, Node]) -> None:  # noqa: ANN401 - JSON is of any type
    """Flatten lists, @graph and main entities; a node's other parts stay in it."""
    stack: list[tuple[Any, int]] = [(value, 0)]
    full = min(MAX_NODES, len(nodes) + MAX_NODES // 4)  # no script may use up the room of those after it
    while stack and len(nodes) < full:
        item, depth = stack.pop()
        if depth > MAX_DEPTH:
            continue
        if isinstance(item, list):
            stack.extend((part, depth + 1) for part in reversed(item[:MAX_NODES]))
        elif isinstance(item, dict):
            if "@type" in item:
                nodes.append(item)
            if isinstance(name := item.get("@id"), str) and len(item) > 1:
                by_id.setdefault(name, item)
            stack.extend((item[key], depth + 1) for key in ("mainEntityOfPage", "mainEntity", "@graph") if key in item)


def types(node: Node) -> tuple[str, ...]:
    """Return the schema.org types of a node by their bare names."""
    value = node.get("@type")
    names = value if isinstance(value, list) else [value]
    return tuple(re.split(r"[/#:]", name)[-1] for name in names[:10] if isinstance(name, str))


def is_article(node: Node) -> bool:
    """Tell whether a node is an article of any kind."""
    return any(name in ARTICLE_TYPES for name in types(node))


def texts(value: Any, key: str = "name", depth: int = 0) -> Iterator[str]:  # noqa: ANN401 - JSON is of any type
    """Yield the strings that a value holds: itself, its @value or `key`, or those of its items."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bool | int | float):
        yield str(value)
    elif depth < 3 and isinstance(value, list):
        for item in value[:200]:
            yield from texts(item, key, depth + 1)
    elif depth < 3 and isinstance(value, dict):
        yield from texts(value.get("@value", value.get(key)), key, depth + 1)


def text(value: Any, key: str = "name") -> str | None:  # noqa: ANN401 - JSON is of any type
    """Return the first string that a value holds and that is not blank, or None."""
    return next((found for found in texts(value, key) if found.strip()), None)
