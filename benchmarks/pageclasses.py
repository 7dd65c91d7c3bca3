"""What extraction takes pages for: pages of every class in twelve languages, and what each was taken for.

    python benchmarks/pageclasses.py [--show] [--json]

A specimen is a page that a reader would give one class of, made from the markup of 87 templates (`pageclasses.toml`)
and words of its own (`pageclasses.json`), the same on every run. Among the articles are those that are easily taken for
something else: briefs, lists and interviews, full texts with an offer to subscribe, pages under /video/ and /live/, and
pieces on cookie banners and on error 404. Words and markup were written without a look at the rules. Real pages of each
class would tell more; of those we have articles alone.
"""

import argparse
import html
import json
import random
import re
import sys
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

HERE = Path(__file__).resolve().parent
#: Classes in the order of the table.
CLASSES = "article live gallery index teaser consent_wall paywall error_page script_only empty".split()
TOKEN = re.compile(r"\{\{([a-z_0-9]+)(?: ([^{}]*))?\}\}")
DAYS = ("2024-02-06", "2024-05-17", "2024-09-23", "2025-01-11")
MINUTES = ("90+4", "90", "82", "71", "63", "46", "45", "28", "1")
FIRST_CLOCK = 21 * 60 + 40
FORMS = ("brief", "interview", "listicle", "recipe")
SPECIAL_LETTERS = str.maketrans({"ł": "l", "Ł": "L", "\u0131": "i", "ß": "ss", "ø": "o", "\u2019": "-", "œ": "oe"})
RIGHT_TO_LEFT = ("ar",)


@dataclass(frozen=True)
class Specimen:
    """One page with the class a reader would give it."""

    name: str
    url: str
    html: bytes
    page_class: str


@dataclass(frozen=True)
class Story:
    """A headline, a lead and the paragraphs below it."""

    head: str
    lead: str
    paras: tuple[str, ...] = ()
    subs: tuple[str, ...] = ()


@cache
def words() -> dict[str, dict[str, Any]]:
    """All words by language."""
    loaded: dict[str, dict[str, Any]] = json.loads((HERE / "pageclasses.json").read_text("utf-8"))
    return loaded


@cache
def markup() -> dict[str, Any]:
    """All templates and the parts they are made of."""
    return tomllib.loads((HERE / "pageclasses.toml").read_text("utf-8"))


def clock(minutes: int) -> str:
    """The time of day that many minutes after midnight."""
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def slug_of(text: str, number: int) -> str:
    """An address made of a headline, or a number where the headline has no Latin letters."""
    plain = unicodedata.normalize("NFKD", text.translate(SPECIAL_LETTERS)).encode("ascii", "ignore").decode("ascii")
    parts = re.findall(r"[a-z0-9]+", plain.lower())
    letters = sum(len(part) for part in parts if not part.isdigit())
    return "-".join(parts[:9]) if letters > 12 else f"a{number}"


def read_story(entry: dict[str, Any]) -> Story:
    """A story from its entry in the word list."""
    paras = entry.get("paras", entry.get("text", ()))
    return Story(entry["head"], entry.get("lead", ""), tuple(paras), tuple(entry.get("subs", ())))


def stories_for(template: dict[str, Any], lang_words: dict[str, Any]) -> list[Story]:
    """The stories a template can be made of in one language; none if the language has no such text."""
    wanted = template.get("story", "")
    media = template.get("set", "")
    if media == "ticker":
        return [Story(lang_words["live"]["ticker_head"], lang_words["live"]["ticker_lead"])]
    if media:
        entry = lang_words[media]
        return [Story(entry["head"], entry["lead"] if "lead" in entry else entry["text"])]
    if not wanted:
        return [Story(lang_words["sites"][0][0], "")]
    if wanted in FORMS:
        if wanted not in lang_words:
            return []
        entry = lang_words[wanted]
        return [read_story(entry if "lead" in entry else {**entry, "lead": entry["paras"][0]})]
    told = [read_story(entry) for entry in lang_words["stories"]]
    kinds = [entry["kind"] for entry in lang_words["stories"]]
    if wanted == "any":
        return told
    if wanted in ("long", "second"):
        return [told[0 if wanted == "long" else 1]]
    return [story for story, kind in zip(told, kinds, strict=True) if kind == wanted]


class Page:
    """One page in the making: fills the tokens of a template with words of one language."""

    def __init__(self, name: str, template: dict[str, Any], lang: str, turn: int) -> None:
        self.name = name
        self.template = template
        self.lang = lang
        self.rng = random.Random(name)
        self.parts: dict[str, str | list[str]] = markup()["parts"]
        self.words = dict(words()[lang])
        told = stories_for(template, self.words)
        self.story = told[turn % len(told)]
        sections = self.words["sections"]
        self.words["sub"] = list(self.story.subs)
        self.words["sectlabel"] = [label for label, _ in sections]
        day = self.rng.randrange(len(DAYS))
        self.iso = DAYS[day]
        sites = self.rng.sample(self.words["sites"], 2)
        section = self.rng.choice(sections)
        self.step = self.rng.randint(70, 90)
        self.author: str = self.rng.choice(self.words["authors"])
        self.site: str = sites[0][0]
        self.scope: dict[str, str] = {
            "lang": lang,
            "site": sites[0][0],
            "host": sites[0][1],
            "other": sites[1][0],
            "otherhost": sites[1][1],
            "sect": section[1],
            "sectname": section[0],
            "head": self.story.head,
            "lead": self.story.lead,
            "author": self.author,
            "date": self.words["dates"][day],
            "iso": self.iso,
            "isopath": self.iso.replace("-", "/"),
            "year": self.iso[:4],
            "slug": slug_of(self.story.head, self.rng.randint(10_000, 9_999_999)),
            "clock": clock(self.rng.randint(420, 1300)),
        }
        picked = self.find(template["pick"]) if "pick" in template else []
        wording: list[str] = picked[turn % len(picked)] if picked else []
        self.scope.update({f"p{index}": text for index, text in enumerate(wording)})
        self.scope = {key: html.escape(value) for key, value in self.scope.items()}
        path = self.render(self.rng.choice(template["urls"]))
        self.url = f"https://{sites[0][1]}{path}"
        self.scope["url"] = html.escape(self.url)

    def find(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """The entry of the word list at a dotted path."""
        entry: Any = self.words
        for key in path.split("."):
            entry = entry[int(key)] if isinstance(entry, list) else entry[key]
        return entry

    def render(self, text: str) -> str:
        """A template with all its tokens filled in."""
        return TOKEN.sub(lambda found: self.token(found.group(1), (found.group(2) or "").split()), text)

    def token(self, name: str, args: list[str]) -> str:
        """What stands in place of one token."""
        if name in self.scope:
            return self.scope[name]
        match name:
            case "num":
                return str(self.rng.randint(10_000, 9_999_999))
            case "w":
                found = self.find(args[0])
                return html.escape(self.rng.choice(found) if isinstance(found, list) else found)
            case "each":
                return self.each(args[0], int(args[1]), args[2])
            case "paras":
                chosen = self.story.paras[int(args[0]) : int(args[1])]
                return "\n".join(self.item(args[2], para, number) for number, para in enumerate(chosen))
            case "cut":
                return html.escape(self.cut(int(args[0]) if args else 0))
            case "ld":
                return self.linked_data(args[0], args[1:])
        return self.part(name)

    def part(self, name: str) -> str:
        """A part of a page; one of its forms where there are several."""
        part = self.parts[name]
        return self.render(part if isinstance(part, str) else self.rng.choice(part))

    def each(self, path: str, count: int, part: str) -> str:
        """A part once for every entry of a list of words."""
        entries = self.find(path)
        chosen = self.rng.sample(entries, min(count, len(entries))) if path == "teasers" else entries[:count]
        return "\n".join(self.item(part, entry, number) for number, entry in enumerate(chosen))

    def item(self, part: str, entry: str | list[str], number: int) -> str:
        """A part filled with one entry of a list."""
        outer = dict(self.scope)
        first, second = (entry, "") if isinstance(entry, str) else (entry[0], entry[1])
        target = slug_of(first, self.rng.randint(10_000, 9_999_999))
        here: dict[str, str] = {
            "a": first,
            "b": second,
            "n": str(number + 1),
            "href": f"/{self.rng.choice(self.words['sections'])[1]}/{target}",
            "clock": clock(FIRST_CLOCK - number * self.step - self.rng.randint(0, 20)),
            "min": MINUTES[number % len(MINUTES)],
            "author": self.rng.choice(self.words["authors"]),
        }
        self.scope.update({key: html.escape(value) for key, value in here.items()})
        made = self.part(part)
        self.scope = outer
        return made

    def cut(self, place: int) -> str:
        """One of the first paragraphs of the story, broken off in the middle of a sentence."""
        first = self.story.paras[place]
        share = self.rng.uniform(0.55, 0.8)
        if self.lang == "ja":
            return first[: int(len(first) * share)].rstrip("。、") + "…"
        kept = first.split()[: int(len(first.split()) * share)]
        return " ".join(kept).rstrip(".,;:") + self.rng.choice(("…", " …", "..."))

    def linked_data(self, kind: str, options: list[str]) -> str:
        """A block of schema.org data that fits the page."""
        data: dict[str, Any] = {"@context": "https://schema.org", "@type": kind}
        publisher = {"@type": "NewsMediaOrganization", "name": self.site}
        published = f"{self.iso}T09:12:00+00:00"
        match kind:
            case "WebSite" | "CollectionPage":
                data.update(name=self.site, url=html.unescape(self.scope["url"]))
            case "ImageGallery" | "VideoObject" | "PodcastEpisode":
                data.update(name=self.story.head, description=self.story.lead, uploadDate=published)
            case _:
                data.update(headline=self.story.head, description=self.story.lead, datePublished=published)
                data.update(author={"@type": "Person", "name": self.author}, publisher=publisher)
        if kind == "LiveBlogPosting":
            posts = self.words["live"]["ticker" if self.template["set"] == "ticker" else "posts"]
            data["coverageStartTime"] = published
            data["liveBlogUpdate"] = [{"@type": "BlogPosting", "articleBody": text} for text in posts]
        if "body" in options and self.template["class"] == "article" and self.story.paras:
            data["articleBody"] = "\n".join(self.story.paras)
        if "locked" in options:
            locked = {"@type": "WebPageElement", "isAccessibleForFree": False, "cssSelector": ".paywall"}
            data.update(isAccessibleForFree=False, hasPart=locked)
        whole: Any = {"@context": data.pop("@context"), "@graph": [data]} if self.rng.random() < 0.25 else data
        text = json.dumps(whole, ensure_ascii=self.rng.random() < 0.3).replace("</", "<\\/")
        return f'<script type="application/ld+json">{text}</script>'

    def document(self) -> bytes:
        """The whole page as it would come from the server."""
        title = self.render(self.template.get("title", "{{head}} | {{site}}"))
        attributes = f' lang="{self.lang}"' if self.rng.random() < 0.9 else ""
        if self.lang in RIGHT_TO_LEFT:
            attributes += ' dir="rtl"'
        chrome = self.template.get("chrome", True)
        pieces = [
            f"<!DOCTYPE html>\n<html{attributes}>\n<head>",
            '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title>",
            self.part(self.template["meta"]),
            self.rng.choice(('<link rel="stylesheet" href="/static/site.css">', "<style>body{margin:0}</style>")),
            f'</head>\n<body class="{self.rng.choice(("page", "tpl-default", "no-js", "desktop"))}">',
            self.render(self.template.get("lead_in", "")),
            self.part("top") if chrome else "",
            self.render(self.template["body"]),
            self.part("bottom") if chrome else "",
            "</body>\n</html>",
        ]
        return "\n".join(piece for piece in pieces if piece).encode("utf-8") + b"\n"


def specimens() -> Iterator[Specimen]:
    """Every page, in the same order on every run."""
    for place, template in enumerate(markup()["template"]):
        for offset, (lang, lang_words) in enumerate(words().items()):
            if not stories_for(template, lang_words):
                continue
            for copy in range(template.get("count", 1)):
                name = f"{template['class']}-{template['name']}-{lang}-{copy + 1}"
                page = Page(name, template, lang, place + offset + copy)
                yield Specimen(name, page.url, page.document(), template["class"])


def taken_for(specimen: Specimen) -> tuple[str, str]:
    """The class that extraction takes a specimen for, and why."""
    from extraction.article import extract
    from extraction.records import Article

    result = extract(specimen.html, specimen.url).result
    return (result.page_class.value, "") if isinstance(result, Article) else (result.outcome.value, result.reason)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--show", action="store_true", help="name every specimen that was taken for something else")
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    found = [(specimen, *taken_for(specimen)) for specimen in specimens()]
    counts = Counter((specimen.page_class, taken) for specimen, taken, _ in found)
    if given.json:
        print(json.dumps({row: {taken: n for (of, taken), n in counts.items() if of == row} for row in CLASSES}))
        return
    for specimen, taken, reason in found if given.show else ():
        if taken != specimen.page_class:
            print(f"{specimen.name} → {taken} {reason}")
    columns = [name for name in CLASSES if any(taken == name for _, taken in counts)]
    columns += sorted({taken for _, taken in counts} - set(columns))
    print("| is \\ taken for | " + " | ".join(columns) + " |\n|---" + "|--:" * len(columns) + "|")
    for row in CLASSES:
        print(f"| {row} | " + " | ".join(str(counts[row, column] or "") for column in columns) + " |")


if __name__ == "__main__":
    main()
