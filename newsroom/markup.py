"""What the three templates share: escaping, the record of what is no body text, blocks as HTML, pictures."""

import html
import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from newsroom.prose import Block
from newsroom.stories import Story


@dataclass(slots=True)
class Planted:
    """Collects the lines that a template puts around a body, while it puts them there."""

    lines: list[tuple[str, str]] = field(default_factory=list)  # kind, text

    def __call__(self, kind: str, text: str) -> str:
        """Note `text` as a line of `kind` and give it back as HTML."""
        self.lines.append((kind, text))
        return escape(text)


def escape(text: str) -> str:
    """Text as HTML, for elements and quoted attributes."""
    return html.escape(text, quote=True)


def json_ld(value: dict[str, Any]) -> str:
    """A JSON-LD script element; `<` is written so that no text can close it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/ld+json">{text}</script>'


def body_html(blocks: Sequence[Block], *, links: Sequence[str] = (), drop_cap: bool = False) -> list[str]:
    """Blocks as HTML, one element each, the items of a list together. `links` makes the second paragraph link-heavy."""
    parts: list[str] = []
    items: list[str] = []
    paragraphs = 0
    for block in blocks:
        if items and block.kind != "list_item":
            parts.append(_list(items))
            items = []
        text = escape(block.text)
        if block.kind == "list_item":
            items.append(text)
        elif block.kind == "subhead":
            parts.append(f"<h2>{text}</h2>")
        elif block.kind == "quote":
            parts.append(f"<blockquote><p>{text}</p></blockquote>")
        else:
            paragraphs += 1
            if links and paragraphs == 2:
                text = _linked(block.text, links)
            if drop_cap and paragraphs == 1:
                text = f'<span class="lettrine">{escape(block.text[0])}</span>{escape(block.text[1:])}'
            parts.append(f"<p>{text}</p>")
    return [*parts, *([_list(items)] if items else [])]


def insert(parts: list[str], at: int, box: str) -> None:
    """Put a box between two blocks, not between a subhead and what it heads."""
    parts.insert(at + 1 if 0 < at < len(parts) and parts[at - 1].startswith("<h2") else at, box)


def _list(items: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>"


def _linked(text: str, targets: Sequence[str]) -> str:
    """The first words of each sentence as a link: a paragraph in which more stands inside links than outside."""
    sentences = re.findall(r"\S.*?(?:[.!?][”“»]?(?=\s|$)|$)", text)
    parts = []
    for place, sentence in enumerate(sentences):
        words = sentence.split(" ")
        cut = max(1, len(words) * 2 // 3)
        href = targets[place % len(targets)]
        rest = " ".join(["", *words[cut:]]) if words[cut:] else ""
        parts.append(f'<a href="{escape(href)}">{escape(" ".join(words[:cut]))}</a>{escape(rest)}')
    return " ".join(parts)


def picture(seed: str, sky: Sequence[str], ground: Sequence[str]) -> bytes:
    """A landscape as SVG: a sky, a sun, five rows of hills or waves; the same seed gives the same one."""
    dice = random.Random(seed)
    shapes = [
        f'<linearGradient id="s" x2="0" y2="1"><stop stop-color="{dice.choice(sky)}"/><stop offset="1" stop-color="{dice.choice(sky)}"/></linearGradient>',
        '<rect width="1200" height="675" fill="url(#s)"/>',
        f'<circle cx="{dice.randrange(150, 1050)}" cy="{dice.randrange(90, 300)}" r="{dice.randrange(28, 90)}" fill="#fff7e0" opacity=".85"/>',
    ]
    for row in range(5):
        level = 300 + row * 70
        points = " ".join(f"{x},{level + dice.randrange(-60, 60)}" for x in range(0, 1201, dice.choice((75, 100, 150))))
        shade = ground[row % len(ground)]
        shapes.append(
            f'<polygon points="0,675 {points} 1200,{level} 1200,675" fill="{shade}" opacity="{0.55 + row * 0.1:.2f}"/>'
        )
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1200 675">{"".join(shapes)}</svg>'
    return svg.encode()


def picture_path(story: Story) -> str:
    """Where a story's picture is served."""
    return f"/images/{story.number}.svg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page that lists stories: front page, section, archive, topic."""

    path: str
    heading: str
    stories: Sequence[Story]
    archives: Sequence[tuple[str, str]] = ()  # path, name of the month
