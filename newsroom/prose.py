"""Composes the newsroom's stories from hand-written stocks of sentences (`prose/*.txt`).

A stock file is read line by line:

- `@name: a; b; c` a list of words; `{name}` in a story takes one of them, `{name2}` another one;
- `=== topic | Section | tag; tag` starts a topic;
- `--- stage` starts a stage of the topic, each line below it is one variant of that stage; the first variants of all
  stages tell one story together, and so do the second ones; `--- stage ~` has variants that go with any story; the
  stages `headline` and `lead` are not body;
- `## ` begins a subhead, which ends with its line's first block; `> ` a quote; `* ` a list item;
- `[a|b|c]` takes one of the three; `{n1:3-19}` a number, the same one wherever the story says `{n1}` again.

A story is a function of its number alone: stories of one topic that follow each other take different variants, names
and places, so that no two of them share their paragraphs and no line of a body recurs as a site's boilerplate does.
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

_CHOICE = re.compile(r"\[([^\[\]]+)\]")
_SLOT = re.compile(r"\{([a-z_]+)(\d*)(?::(\d+)-(\d+))?\}")
_KINDS = {"## ": "subhead", "> ": "quote", "* ": "list_item"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block of a body; `kind` is a word of schema's `paragraph`, `subhead`, `quote`, `list_item`."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A story without a place or a time."""

    headline: str
    lead: str
    blocks: tuple[Block, ...]
    caption: str
    section: str
    tags: tuple[str, ...]


@dataclass(slots=True)
class _Topic:
    name: str
    section: str
    tags: tuple[str, ...]
    stages: list[tuple[str, list[tuple[str, ...]]]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """The words and topics of one site."""

    words: Mapping[str, Sequence[str]]
    topics: Sequence[_Topic]


@cache
def stock(site: str) -> Stock:
    """Read the stock of a site, `prose/<site>.txt`."""
    words: dict[str, list[str]] = {}
    topics: list[_Topic] = []
    for line in files(__package__).joinpath("prose", f"{site}.txt").read_text("utf-8").splitlines():
        if line.startswith("@"):
            name, _, values = line[1:].partition(":")
            words[name] = [value.strip() for value in values.split(";")]
        elif line.startswith("==="):
            name, section, tags = (part.strip() for part in line[3:].split("|"))
            topics.append(_Topic(name, section, tuple(tag.strip() for tag in tags.split(";"))))
        elif line.startswith("---"):
            topics[-1].stages.append((line[3:].strip(), []))
        elif line.strip() and topics:
            _add_line(topics[-1].stages[-1][1], line)
    return Stock(words=words, topics=topics)


def _add_line(variants: list[tuple[str, ...]], line: str) -> None:
    """A subhead opens a variant; what follows a subhead, and the items of a list, belong to the variant before."""
    previous = variants[-1] if variants else ()
    after_subhead = len(previous) == 1 and previous[0].startswith("## ")
    in_list = bool(previous) and previous[-1].startswith("* ") and line.startswith("* ")
    if after_subhead or in_list:
        variants[-1] = (*previous, line)
    else:
        variants.append((line,))


def draft(source: Stock, number: int, calendar: Mapping[str, Sequence[str]], topic_name: str | None = None) -> Draft:
    """Compose story `number`; `calendar` holds the words of its day: `weekday` (its own and a later one) and the next `month`."""
    daily = [topic for topic in source.topics if topic.name != "essay"]
    topic = daily[number % len(daily)]
    turn = number // len(daily)
    if topic_name is not None:
        topic = next(topic for topic in source.topics if topic.name == topic_name)
        turn = number
    filler = _Filler(source.words, calendar, topic, turn)
    texts: dict[str, str] = {}
    blocks: list[Block] = []
    for place, (stage, variants) in enumerate(topic.stages):
        shift = turn // len(variants) * place if stage.endswith("~") else 0
        lines = [filler.fill(line) for line in variants[(turn + shift) % len(variants)]]
        if stage in {"headline", "lead"}:
            texts[stage] = lines[0]
        else:
            blocks += [_block(line) for line in lines]
    captions = source.words["caption_en" if topic.name == "essay" else "caption"]
    caption = filler.fill(captions[(turn * 3 + len(topic.name)) % len(captions)])
    return Draft(
        headline=texts["headline"][0].upper() + texts["headline"][1:],
        lead=texts["lead"],
        blocks=tuple(blocks),
        caption=caption,
        section=topic.section,
        tags=topic.tags,
    )


def _block(line: str) -> Block:
    for mark, kind in _KINDS.items():
        if line.startswith(mark):
            return Block(kind=kind, text=line[len(mark) :])
    return Block(kind="paragraph", text=line)


class _Filler:
    """Fills the slots of one story: the same slot has the same words throughout it."""

    def __init__(
        self, words: Mapping[str, Sequence[str]], calendar: Mapping[str, Sequence[str]], topic: _Topic, turn: int
    ) -> None:
        self._dice = random.Random(f"{topic.name} {turn}")
        self._words = words
        self._calendar = calendar
        self._turn = turn
        self._topic = topic
        self._values: dict[str, str] = {}
        self._orders: dict[str, list[str]] = {}

    def fill(self, line: str) -> str:
        chosen = _CHOICE.sub(lambda match: self._dice.choice(match[1].split("|")), line)
        return _SLOT.sub(self._slot, chosen)

    def _slot(self, match: re.Match[str]) -> str:
        name, digit, low, high = match.groups()
        if name + digit not in self._values:
            self._values[name + digit] = self._number(digit, low, high) if name == "n" else self._word(name, digit)
        return self._values[name + digit]

    def _number(self, digit: str, low: str | None, high: str | None) -> str:
        if low is None or high is None:
            low, high = self._range(digit)
        return str(self._dice.randint(int(low), int(high)))

    def _range(self, digit: str) -> tuple[str, str]:
        """Where a variant names a number that another variant would have introduced: that one's range."""
        lines = (line for _, variants in self._topic.stages for variant in variants for line in variant)
        found = re.search(rf"\{{n{digit}:(\d+)-(\d+)\}}", "\n".join(lines))
        if found is None:
            raise ValueError(f"topic {self._topic.name}: {{n{digit}}} has no range")
        return found[1], found[2]

    def _word(self, name: str, digit: str) -> str:
        """The first word of a list goes round with the topic's turns, so that neighbours differ; the others are drawn."""
        if name not in self._orders:
            self._orders[name] = list(self._calendar[name]) if name in self._calendar else self._order(name)
        return self._orders[name][int(digit or 1) - 1]

    def _order(self, name: str) -> list[str]:
        values = list(self._words[name])
        first = values.pop((self._turn * 3 + len(self._topic.name)) % len(values))
        self._dice.shuffle(values)
        return [first, *values]
