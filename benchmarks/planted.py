"""Pages with planted boilerplate: templates drawn by a random seed, articles and furniture in twelve languages.

    python benchmarks/planted.py [--templates 40] [--first 0] [--show]

Every page is put together from an article's paragraphs, which must all be in the body, and from furniture of every
kind, none of which may be. A template decides once where each piece stands, in which elements, and under which names
(words,
hashed names, none at all); pages of all languages are made with it. Templates 1000 and up are for training; what is
reported is measured on others. The wording is our own (`planted.json`).
"""

import argparse
import gzip
import json
import random
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "ru", "tr", "ar", "ja")


@dataclass(frozen=True)
class Planted:
    """A page with what its body must hold, line by line, and the (kind, line) pairs that it must not."""

    name: str
    url: str
    html: bytes
    paragraphs: tuple[str, ...]
    furniture: tuple[tuple[str, str], ...]


@cache
def wording() -> dict[str, dict[str, list[str]]]:
    return json.loads((Path(__file__).parent / "planted.json").read_text("utf-8"))


def names(rnd: random.Random, words: list[str], style: str) -> str:
    """A class attribute as a template's author would have it: a word, a compound, a hash or none."""
    word = rnd.choice(words)
    if style == "none":
        return ""
    value = {
        "plain": word,
        "block": f"{rnd.choice(['c', 'm', 'article', 'story'])}-{word}",
        "element": f"{rnd.choice(['post', 'page', 'news'])}__{word}",
        "camel": f"{rnd.choice(['story', 'news'])}{word.title().replace('-', '')}",
        "hash": "".join(rnd.choices("abcdefghijklmnopqrstuvwxyz", k=6)),
    }[style]
    return f' class="{value}"'


class Template:
    """The choices of one template, drawn from its seed; `page` makes a page of it."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        rnd = random.Random(seed)
        self.style = rnd.choice(["plain", "block", "element", "camel", "hash", "none"])
        self.outer = rnd.choice(["main", "div", "section", "body"])
        self.article = rnd.choice(["article", "div", "section"])
        self.split = rnd.random() < 0.25  # the body stands in several containers
        self.paragraph = rnd.choice(["p", "p", "p", "p", "div"])
        self.lead = rnd.random() < 0.5
        self.subheads = rnd.random() < 0.5
        self.figure = rnd.choice(["figure", "figure", "div", "aside"])
        self.related = rnd.choice(["list", "list", "cards", "inline", "paragraphs", "section-after"])
        self.heading = rnd.choice(["h2", "h3", "h4", "p", "div", "strong"])
        self.label = rnd.choice(["p", "div", "span", "small"])
        self.box = rnd.choice(["aside", "div", "section", "form"])
        self.meta = rnd.choice(["above", "below", "header"])
        self.comments_inside = rnd.random() < 0.5
        self.list_in_body = rnd.random() < 0.4
        self.quote = rnd.random() < 0.5

    def page(self, language: str) -> Planted:
        """Make the page of a language."""
        return _Maker(self, language).make()


class _Maker:
    """One page in the making."""

    def __init__(self, template: Template, language: str) -> None:
        self.t = template
        self.rnd = random.Random(f"{template.seed}-{language}")
        self.language = language
        self.words = wording()[language]
        self.paragraphs: list[str] = []
        self.furniture: list[tuple[str, str]] = []

    def pick(self, kind: str) -> str:
        return self.rnd.choice(self.words[kind])

    def name(self, *words: str) -> str:
        return names(self.rnd, list(words), self.t.style)

    def plant(self, kind: str, line: str) -> str:
        self.furniture.append((kind, line))
        return escape(line, quote=False)

    def make(self) -> Planted:
        t, title = self.t, self.pick("titles")
        body = self.body()
        head = f"<h1{self.name('title', 'headline')}>{self.plant('repeated_title', title)}</h1>"
        meta = self.meta()
        lead = ""
        if t.lead:
            text = self.pick("leads")
            self.paragraphs.insert(0, text)
            lead = f"<p{self.name('lead', 'standfirst', 'intro')}>{escape(text)}</p>"
        top = (
            f"<header>{head}{meta}{lead}</header>"
            if t.meta == "header"
            else head + (meta if t.meta == "above" else "") + lead
        )
        figure, planted = self.figure() if self.rnd.random() < 0.8 else ("", [])
        self.furniture.extend(planted)
        end = (meta if t.meta == "below" else "") + self.tags() + self.share()
        related, comments = self.related(), self.comments()
        inner = f"<{t.article}{self.name('article', 'story-body', 'post')}>{top}{figure}{body}{end}"
        inner += related if t.related != "section-after" else ""
        inner += comments if t.comments_inside else ""
        inner += (
            f"</{t.article}>"
            + (related if t.related == "section-after" else "")
            + ("" if t.comments_inside else comments)
        )
        if t.outer != "body":
            inner = f"<{t.outer}{self.name('content', 'main', 'page')}>{inner}</{t.outer}>"
        direction = ' dir="rtl"' if self.language == "ar" else ""
        html = (
            f'<!doctype html><html lang="{self.language}"{direction}><head><meta charset="utf-8">'
            f"<title>{escape(title)} | {self.words['site'][0]}</title>"
            f'<meta property="og:title" content="{escape(title)}"><meta property="og:type" content="article">'
            f"</head><body>"
            f"{self.top()}{inner}{self.bottom()}</body></html>"
        )
        return Planted(
            f"{t.seed}-{self.language}", f"https://news-{t.seed}.example/{self.language}/article-{t.seed}",
            html.encode(),
            tuple(self.paragraphs), tuple(self.furniture),
        )  # fmt: skip

    def body(self) -> str:
        t = self.t
        texts = list(self.words["paragraphs"])
        self.rnd.shuffle(texts)
        pieces: list[str] = []
        own = self.name("paragraph", "text")
        for place, text in enumerate(texts):
            self.paragraphs.append(text)
            pieces.append(f"<{t.paragraph}{own}>{self.linked(text)}</{t.paragraph}>")
            if t.subheads and place == 2:
                subhead = self.pick("subheads")
                self.paragraphs.append(subhead)
                pieces.append(f"<h2>{escape(subhead)}</h2>")
            if t.quote and place == 3:
                quote = self.pick("quotes")
                self.paragraphs.append(quote)
                pieces.append(f"<blockquote><p>{escape(quote)}</p></blockquote>")
            if t.list_in_body and place == 4:
                items = self.words["items"]
                self.paragraphs.extend(items)
                pieces.append("<ul>" + "".join(f"<li>{escape(i)}</li>" for i in items) + "</ul>")
        for block in (
            self.label(),
            self.label(),
            self.newsletter(),
            self.pointer(),
            self.escaped(),
            self.figure(),
            self.paywall(),
        ):
            if self.rnd.random() < 0.75:
                pieces.insert(self.rnd.randrange(1, len(pieces) + 1), block[0])
                self.furniture.extend(block[1])
        if not t.split:
            return f"<div{self.name('article-body', 'text', 'content')}>{''.join(pieces)}</div>"
        cut = sorted(self.rnd.sample(range(1, len(pieces)), 2))
        own = self.name("content", "body")
        return "".join(
            f"<div{own}>{''.join(part)}</div>" for part in (pieces[: cut[0]], pieces[cut[0] : cut[1]], pieces[cut[1] :])
        )

    def linked(self, text: str) -> str:
        """The paragraph, now and then with links in it."""
        if self.rnd.random() < 0.7:
            return escape(text)
        words = text.split(" ")
        if len(words) < 6:
            return escape(text)
        place = self.rnd.randrange(len(words) - 3)
        linked = " ".join(words[place : place + 3])
        return escape(text).replace(escape(linked), f'<a href="/x">{escape(linked)}</a>', 1)

    def label(self) -> tuple[str, list[tuple[str, str]]]:
        line = self.pick("ad_label")
        return f"<{self.t.label}{self.name('ad', 'advert', 'slot')}>{escape(line)}</{self.t.label}>", [
            ("ad_label", line)
        ]

    def newsletter(self) -> tuple[str, list[tuple[str, str]]]:
        line = self.pick("newsletter")
        return f"<{self.t.box}{self.name('newsletter', 'signup', 'box')}><p>{escape(line)}</p></{self.t.box}>", [
            ("newsletter", line)
        ]

    def paywall(self) -> tuple[str, list[tuple[str, str]]]:
        line = self.pick("paywall")
        return f"<div{self.name('paywall', 'offer', 'box')}><p>{escape(line)}</p></div>", [("paywall", line)]

    def pointer(self) -> tuple[str, list[tuple[str, str]]]:
        words, headline = self.pick("pointer"), self.pick("headlines")
        html = f'<p><b>{escape(words)}:</b> <a href="/y">{escape(headline)}</a></p>'
        return html, [("related", words), ("related", headline)]

    def escaped(self) -> tuple[str, list[tuple[str, str]]]:
        line = self.pick("captions")
        tag = self.rnd.choice(["p", "div", "figcaption", "span"]) if self.rnd.random() < 0.5 else "p"
        wrapped = f"<{tag}>{line}</{tag}>" if tag != "span" else f"<p><span>{line}</span></p>"
        return f"<p>{escape(wrapped)}</p>", [("escaped_markup", line)]

    def figure(self) -> tuple[str, list[tuple[str, str]]]:
        caption, credit = self.pick("captions"), self.pick("credit")
        name = self.name("caption", "image-caption", "bildunterschrift")
        if self.t.figure == "figure":
            inner = f"<figcaption>{escape(caption)} <span>{escape(credit)}</span></figcaption>"
        elif self.t.style in ("hash", "none"):
            inner = f"<small>{escape(caption)}</small><small>{escape(credit)}</small>"
            return f'<figure><img src="/i.jpg" alt=""><div>{inner}</div></figure>', [
                ("caption", caption),
                ("credit", credit),
            ]
        else:
            inner = f"<div{name}>{escape(caption)}</div><div{self.name('credit', 'copyright')}>{escape(credit)}</div>"
        html = (
            f'<{self.t.figure}{self.name("image", "media", "photo")}><img src="/i.jpg" alt="">{inner}</{self.t.figure}>'
        )
        return html, [("caption", caption), ("credit", credit)]

    def meta(self) -> str:
        byline, stamp = self.plant("byline", self.pick("byline")), self.plant("timestamp", self.pick("timestamp"))
        who = f"<span{self.name('byline', 'author')}>{byline}</span>"
        when = f"<time{self.name('date', 'timestamp')}>{stamp}</time>"
        return f"<div{self.name('meta', 'info')}>{who}<br><br>{when}</div>"

    def tags(self) -> str:
        label, items = self.pick("tag"), self.words["topics"]
        links = ", ".join(f'<a href="/t/{i}">{self.plant("tag", item)}</a>' for i, item in enumerate(items))
        return f"<p{self.name('tags', 'topics')}>{self.plant('tag', label)}: {links}</p>"

    def share(self) -> str:
        buttons = "".join(
            f'<li><a href="#{i}">{self.plant("share", line)}</a></li>' for i, line in enumerate(self.words["share"][:3])
        )
        return f"<ul{self.name('share', 'social')}>{buttons}</ul>"

    def related(self) -> str:
        t, heading = self.t, self.plant("related", self.pick("related"))
        lines = [self.plant("related", line) for line in self.words["headlines"]]
        head = f"<{t.heading}>{heading}</{t.heading}>"
        if t.related == "paragraphs":
            return head + "".join(f"<p>{line}</p>" for line in lines)
        if t.related == "inline":
            return head + "".join(f'<p><a href="/{i}">{line}</a></p>' for i, line in enumerate(lines))
        if t.related == "cards":
            cards = "".join(
                f'<div{self.name("card", "teaser")}><a href="/{i}"><h3>{line}</h3></a></div>'
                for i, line in enumerate(lines)
            )
            return f"<div{self.name('related', 'more')}>{head}{cards}</div>"
        items = "".join(f'<li><a href="/{i}">{line}</a></li>' for i, line in enumerate(lines))
        return f"<section{self.name('related', 'more', 'recommended')}>{head}<ul>{items}</ul></section>"

    def comments(self) -> str:
        prompt = self.plant("comments", self.pick("comments"))
        return f"<div{self.name('comments', 'discussion')}><h3>{prompt}</h3></div>"

    def top(self) -> str:
        items = "".join(f'<li><a href="/s{i}">{escape(item)}</a></li>' for i, item in enumerate(self.words["topics"]))
        return f'<header><a href="/">{self.words["site"][0]}</a><nav><ul>{items}</ul></nav></header>'

    def bottom(self) -> str:
        cookie = self.plant("cookie", self.pick("cookie"))
        footer = f"<footer><p>© 2026 {self.words['site'][0]}</p></footer>"
        return f"{footer}<div{self.name('cookie', 'consent')}><p>{cookie}</p><button>OK</button></div>"


def pages(first: int, templates: int) -> Iterator[Planted]:
    """The pages of `templates` templates from number `first` on, in all languages."""
    for seed in range(first, first + templates):
        template = Template(seed)
        for language in LANGUAGES:
            yield template.page(language)


def write(folder: Path, made: Iterable[Planted]) -> None:
    """Write pages in the form that `train_blockmodel.py` and `extraction.py` read: gold.jsonl and html/ID.html.gz."""
    (folder / "html").mkdir(parents=True, exist_ok=True)
    with (folder / "gold.jsonl").open("w", encoding="utf-8") as out:
        for page in made:
            body, site = "\n\n".join(page.paragraphs), page.url.split("/")[2]
            gold = {
                "id": page.name,
                "url": page.url,
                "body": body,
                "site": site,
                "source": "P",
                "title": None,
                "date": None,
                "authors": None,
            }
            out.write(json.dumps(gold, ensure_ascii=False) + "\n")
            (folder / "html" / f"{page.name}.html.gz").write_bytes(gzip.compress(page.html, mtime=0))


def faults(page: Planted) -> list[tuple[str, str, str]]:
    """What extraction did wrong with a page: (leaked or lost, kind, line)."""
    from extraction.article import extract
    from extraction.records import Article
    from extraction.text import tidy

    result = extract(page.html, page.url).result
    if not isinstance(result, Article):
        return [("rejected", str(result.outcome), result.reason)]
    lines = {line.strip() for line in result.article_body.split("\n")}
    body = result.article_body
    leaked = [("leaked", kind, line) for kind, line in page.furniture if _stands_in(tidy(line), body, lines)]
    return leaked + [("lost", "paragraph", line) for line in page.paragraphs if tidy(line) not in body]


def _stands_in(line: str, body: str, lines: set[str]) -> bool:
    """Short furniture (a topic, a button) counts where it is a line of its own: the article may well say the word."""
    return line in lines or (len(line) > 25 and line in body)


def report(made: Iterable[Planted], templates: int, languages: int, *, show: bool) -> None:
    """Print the faults of pages (the first 20 unless all are to be shown) and how many there are."""
    count, found = 0, []
    for page in made:
        count += 1
        found += [(page.name, *fault) for fault in faults(page)]
    for fault in found if show else found[:20]:
        print(*fault, sep=" | ")
    leaked = sum(kind == "leaked" for _, kind, _, _ in found)
    faulty = len({name for name, *_ in found})
    made_of = f"{count} pages of {templates} templates in {languages} languages"
    print(f"{made_of}: {leaked} leaked, {len(found) - leaked} lost or rejected, on {faulty} pages")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--templates", type=int, default=40)
    arguments.add_argument("--first", type=int, default=0)
    arguments.add_argument("--show", action="store_true")
    arguments.add_argument(
        "--write", type=Path, metavar="FOLDER", help="write the pages there instead of checking them"
    )
    given = arguments.parse_args()
    if given.write:
        write(given.write, pages(given.first, given.templates))
        return
    report(pages(given.first, given.templates), given.templates, len(LANGUAGES), show=given.show)


if __name__ == "__main__":
    main()
