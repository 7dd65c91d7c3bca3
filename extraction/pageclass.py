"""What a page is: an article, or one of the things that stand where an article was expected.

Judged by four kinds of evidence together: how much text was found, what the page's own data calls itself, what its
title and sentences say (rules/pageclass.toml), and its address. Text decides first: a page with a body of several
paragraphs and the data of an article is one, whatever words it uses.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import islice
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from extraction import jsonld
from extraction.calls import call_of
from extraction.page import ParsedPage
from extraction.records import Block, BlockKind, Metadata, PageClass, Removed, RemovedKind
from extraction.shown import HEADLINE_WORDS, entries, headline_links, pieces, stamped_lines
from extraction.text import fold, word_count

#: Words of a body from where on it is taken for one; the shortest news briefs of real sites have about 40.
BRIEF: Final = 40
#: Words up to which a page may be an error page, a login or a challenge: their texts are short.
NOTICE: Final = 120
#: Words of paragraphs up to which a paywalled page is a stub: a lead and an opening paragraph.
STUB: Final = 140
#: Paragraphs of such a stub that does not declare itself: deck, and an opening.
_OPENING: Final = 3
#: Words of a paragraph that is a sentence or more, at least.
_SENTENCE_WORDS: Final = 12
#: Words of a prompt's paragraph, at most.
_PROMPT_WORDS: Final = 25
_TEXT: Final = frozenset(
    {BlockKind.PARAGRAPH, BlockKind.QUOTE, BlockKind.LIST_ITEM, BlockKind.LIVE_POST, BlockKind.TABLE}
)

_LIVE_PATH = re.compile(
    r"(?:^|[/_-])(?:live|liveblog|live-blog|liveticker|live-ticker|ticker|minute-by-minute|en-direct|en-vivo|ao-vivo|diretta)(?:[/_-]|$)"
)
_MEDIA_PATH = re.compile(
    r"/(?:(?:photo-?)?galler(?:y|ies)|galerien?|galerie-photos?|galerias?|fotogaler\w*|fotostrecken?|bildstrecken?|bilder|diaporamas?|slideshows?|photos|fotos"
    r"|in-pictures|videos?|watch|mediathek|podcasts?|audio)(?:/|-|$)"
)
_SECTION_PATH = re.compile(
    r"/?(?:[a-z]{2}(?:-[a-z]{2})?/?)?(?:(?:tag|tags|topic|topics|category|section|thema|themen|author|archive|search|suche|page)s?/[^/]+/?)?(?:index\.\w+)?"
)
_SLUG_PATH = re.compile(r"(?:[^/-]+-){3}|\d{5}|/\d{4}/\d{1,2}/")
_CONSENT_HOST = re.compile(r"^(?:consent|cmp|cookie|privacy|datenschutz|myprivacy)\b[\w-]*\.")
_SHELL_ROOTS: Final = frozenset(
    {"root", "app", "__next", "__nuxt", "main-app", "react-root", "app-root", "svelte", "q-app", "gatsby-focus-wrapper"}
)


@dataclass(frozen=True)  # no slots: the cached properties need a place
class _Facts:
    """What the judgements below look at."""

    page: ParsedPage
    metadata: Metadata
    path: str
    titles: tuple[str, ...]  # folded: headline, title element, first h1
    words: int  # of the body
    paragraphs: int  # of at least a sentence's length
    says_article: bool  # by its own data
    removed: Sequence[Removed]
    blocks: Sequence[Block]

    @cached_property
    def pieces(self) -> tuple[tuple[str, bool], ...]:
        """The texts that the page shows; only short pages are asked."""
        return tuple(pieces(self.page))

    @cached_property
    def sentences(self) -> str:
        """Body, what was taken out of it and notices beside it, folded: only short pages are asked."""
        removed = (r.text for r in self.removed if r.kind is not RemovedKind.NAVIGATION)
        texts = (block.text for block in self.blocks if block.kind in _TEXT)
        notices = (text for text, inside in self.pieces if inside)
        return fold(" . ".join([*islice(texts, 40), *islice(removed, 60), *islice(notices, 200)])[:30_000])

    @cached_property
    def prompts(self) -> str:
        """What stands after the body's first block and is neither prose nor a list of links, folded."""
        first = min((block.position for block in self.blocks), default=0)
        short = (b.text for b in self.blocks if b.kind in _TEXT and word_count(b.text) < _PROMPT_WORDS)
        asking = {RemovedKind.PAYWALL, RemovedKind.NEWSLETTER, RemovedKind.OTHER}
        removed = (r.text for r in self.removed if r.kind in asking and r.position > first)
        return fold(" . ".join([*islice(short, 40), *islice(removed, 60)])[:30_000])


def classify(
    page: ParsedPage, metadata: Metadata, blocks: Sequence[Block], removed: Sequence[Removed]
) -> tuple[PageClass, str]:
    """Return the class of a page and a sentence that says why.

    Args:
        page: parsed.
        metadata: as read from it.
        blocks: its body, boilerplate taken out.
        removed: what was taken out.
    """
    facts = _facts(page, metadata, blocks, removed)
    for judge in (_missing, _consent, _listing, _paywall, _live, _media, _index, _nothing, _teaser):
        if verdict := judge(facts):
            return verdict
    return PageClass.ARTICLE, f"a body of {facts.words} words in {facts.paragraphs} paragraphs"


def _facts(page: ParsedPage, metadata: Metadata, blocks: Sequence[Block], removed: Sequence[Removed]) -> _Facts:
    texts = [block.text for block in blocks if block.kind in _TEXT]
    counts = [word_count(text) for text in texts]
    title = next((element.text or "" for element in page.tree.iter("title")), "")
    h1 = next((" ".join(str(element.text_content()[:500]).split()) for element in page.tree.iter("h1")), "")
    return _Facts(
        page=page,
        metadata=metadata,
        path=urlsplit(page.url).path.lower(),
        titles=tuple(dict.fromkeys(f for text in (metadata.headline or "", title[:500], h1) if (f := fold(text)))),
        words=sum(counts),
        paragraphs=sum(count >= _SENTENCE_WORDS for count in counts),
        says_article=_says_article(metadata),
        removed=removed,
        blocks=blocks,
    )


def _says_article(metadata: Metadata) -> bool:
    return metadata.article_type in jsonld.ARTICLE_TYPES or (metadata.article_type or "").lower() in {
        "article",
        "news",
        "newsarticle",
        "blog",
    }


@cache
def _phrases(name: str) -> tuple[str, ...]:
    source = tomllib.loads((Path(__file__).parent / "rules" / "pageclass.toml").read_text("utf-8"))
    return tuple(phrase for line in source[name].splitlines() for part in line.split("|") if (phrase := fold(part)))


@cache
def _pattern(name: str) -> re.Pattern[str]:
    """Return a vocabulary as one pattern: whole words, but in scripts without spaces anywhere."""
    phrases = sorted(_phrases(name), key=len, reverse=True)
    spaced = "|".join(re.escape(p) for p in phrases if not _UNSPACED.search(p))
    unspaced = "|".join(re.escape(p) for p in phrases if _UNSPACED.search(p))
    return re.compile(rf"(?<!\w)(?:{spaced})(?!\w)" + (f"|{unspaced}" if unspaced else ""))


_UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def _says(name: str, text: str) -> str | None:
    """Return the phrase of a vocabulary that stands in a folded text, or None."""
    match = _pattern(name).search(text)
    return match[0] if match else None


def _titled(facts: _Facts, name: str) -> str | None:
    """Return the phrase of a vocabulary that a short title of the page is, or begins or ends with, or None."""
    for title in facts.titles:
        words = len(title.split())
        for phrase in _phrases(name):
            size = len(phrase.split())
            inside = title == phrase or (
                words <= size + 5 and (title.startswith(f"{phrase} ") or title.endswith(f" {phrase}"))
            )
            if inside or (_UNSPACED.search(phrase) and phrase in title):
                return phrase
    return None


def _missing(facts: _Facts) -> tuple[PageClass, str] | None:
    """Soft 404, challenge, login, maintenance and parking pages."""
    if facts.words > NOTICE or (facts.says_article and facts.words >= BRIEF and facts.metadata.date_published):
        return None
    for name, meaning in (
        ("missing", "a page that says it is not there"),
        ("challenge", "a challenge or a refusal"),
        ("maintenance", "a maintenance or server error page"),
        ("parked", "a parked or empty domain"),
    ):
        if phrase := _titled(facts, name):
            return PageClass.ERROR_PAGE, f"{meaning}: its title has “{phrase}”"
    if phrase := _says("missing_text", facts.sentences):
        return PageClass.ERROR_PAGE, f"a page that says it is not there: “{phrase}”"
    if any(True for _ in facts.page.tree.iterfind(".//input[@type='password']")) and (
        phrase := _titled(facts, "login")
    ):
        return PageClass.ERROR_PAGE, f"a login page: its title has “{phrase}”"
    for name in ("challenge", "parked"):
        if (
            not facts.says_article
            and facts.words < NOTICE
            and (phrase := _says(name, facts.sentences))
            and " " in phrase
        ):
            return PageClass.ERROR_PAGE, f"a notice instead of an article: “{phrase}”"
    return None


def _consent(facts: _Facts) -> tuple[PageClass, str] | None:
    """Pages that ask for consent and show nothing else."""
    if _CONSENT_HOST.match(urlsplit(facts.page.url).hostname or ""):
        return PageClass.CONSENT_WALL, "the address is that of a consent service"
    if facts.words > 600:
        return None
    asked = sum(word_count(b.text) for b in facts.blocks if b.kind in _TEXT and _asks_consent(b.text))
    if asked and asked >= facts.words * 0.5 and facts.words - asked < 2 * BRIEF:
        return PageClass.CONSENT_WALL, f"{asked} of {facts.words} words ask for consent"
    if facts.words >= (BRIEF // 2 if facts.says_article else BRIEF):
        return None
    shown = [(word_count(text), _asks_consent(text)) for text, _ in facts.pieces]
    asked = sum(size for size, asks in shown if asks)
    if asked >= max(BRIEF // 2, sum(size for size, _ in shown) // 4):
        return PageClass.CONSENT_WALL, f"{asked} words ask for consent, and {facts.words} are an article's"
    return None


def _asks_consent(text: str) -> bool:
    """Whether a text asks for consent: by a phrase, or by what its words speak of."""
    folded = fold(text)
    return _says("consent", folded) is not None or call_of(text, folded) is RemovedKind.COOKIE


def _paywall(facts: _Facts) -> tuple[PageClass, str] | None:
    """Stubs: paid for, and no more than an opening to be read."""
    if _own_paragraphs(facts) > _OPENING or facts.words > STUB:
        return None
    phrase = _says("paywall", facts.sentences)
    prompted = phrase is not None or (
        bool(facts.words)
        and any(r.kind is RemovedKind.PAYWALL and not r.rule.startswith("model") for r in facts.removed)
    )
    if facts.metadata.is_accessible_for_free is False:
        return PageClass.PAYWALL, f"not free, and only {facts.words} words can be read"
    # An offer stands beside many a brief; words on the rest of this article, after its opening, do not.
    limit = STUB if _says("paywall", facts.prompts) else STUB // 2
    if prompted and facts.metadata.is_accessible_for_free is None and facts.words < limit:
        said = f" (“{phrase}”)" if phrase else ""
        return PageClass.PAYWALL, f"a prompt to subscribe{said}, and only {facts.words} words can be read"
    return None


def _own_paragraphs(facts: _Facts) -> int:
    """Count the paragraphs that tell something, and do not ask for money."""
    sizes = ((block.text, word_count(block.text)) for block in facts.blocks if block.kind in _TEXT)
    return sum(size >= _SENTENCE_WORDS and not (size < BRIEF and _says("paywall", fold(text))) for text, size in sizes)


#: Entries of a list of articles, at least, and words of a text under a headline, at most.
_ENTRIES: Final = 5
_ENTRY_WORDS: Final = 45


def _listing(facts: _Facts) -> tuple[PageClass, str] | None:
    """Lists of articles in any markup: headlines that are links, each with a line or two under it, and nothing else."""
    if facts.says_article or facts.metadata.date_published_source not in {None, "htmldate", "time", "url"}:
        return None
    linked = {
        r.position
        for r in facts.removed
        if r.rule in {"related.link_list", "related.pointer_box"} and word_count(r.text) >= HEADLINE_WORDS
    }
    if not facts.words and len(linked) > _ENTRIES:
        return PageClass.INDEX, f"{len(linked)} headlines that lead elsewhere, and no text"
    texts = [block for block in facts.blocks if block.kind in _TEXT]
    under = [b for b in texts if word_count(b.text) <= _ENTRY_WORDS and linked & {b.position - 1, b.position - 2}]
    if len(under) >= _ENTRIES and 3 * len(under) >= len(texts):
        return PageClass.INDEX, f"{len(under)} headlines that lead elsewhere, with a line under each"
    listed = sum(word_count(b.text) for b in texts if b.kind in {BlockKind.LIST_ITEM, BlockKind.TABLE})
    if facts.words and listed >= 0.8 * facts.words and (count := entries(facts.page)) > _ENTRIES:
        return PageClass.INDEX, f"a list of {count} links to articles, and nothing else"
    return None


#: Posts with a time of their own from where on a page is a live one, if they are most of what it has.
_LIVE_POSTS: Final = 5


def _live(facts: _Facts) -> tuple[PageClass, str] | None:
    """Live blogs and tickers: posts with times, not an article."""
    posts = sum(block.kind is BlockKind.LIVE_POST for block in facts.blocks)
    if facts.metadata.article_type == "LiveBlogPosting":
        return PageClass.LIVE, "the page calls itself a LiveBlogPosting"
    times = sum(1 for _ in zip(range(40), facts.page.tree.iter("time"), strict=False))
    if posts >= 3 or (_LIVE_PATH.search(facts.path) and times >= 8 and facts.words >= BRIEF):
        return PageClass.LIVE, f"a live page: {max(posts, times)} dated posts"
    stamped, lines = stamped_lines(facts.blocks)
    if stamped >= _LIVE_POSTS and 5 * stamped >= 2 * lines:
        return PageClass.LIVE, f"a live page: {stamped} of {lines} lines begin with a time"
    return None


def _media(facts: _Facts) -> tuple[PageClass, str] | None:
    """Galleries, videos and podcasts with little text of their own."""
    declared = (facts.metadata.article_type or "").lower()
    if facts.words > STUB or facts.paragraphs > 3:
        return None
    if declared.startswith("video") or (_MEDIA_PATH.search(facts.path) and facts.paragraphs < 3):
        return PageClass.GALLERY, f"a gallery, video or audio page with {facts.words} words of text"
    figures = sum(1 for _ in zip(range(60), facts.page.tree.iter("figure"), strict=False))
    captions = sum(r.kind in {RemovedKind.CAPTION, RemovedKind.CREDIT} for r in facts.removed)
    if max(figures, captions) >= (8 if facts.words >= BRIEF // 2 else 4) and facts.words < BRIEF * 2:
        return PageClass.GALLERY, f"a gallery: {max(figures, captions)} pictures and {facts.words} words of text"
    return None


def _index(facts: _Facts) -> tuple[PageClass, str] | None:
    """Home, section, topic and search pages: headlines that lead elsewhere."""
    if facts.says_article and facts.words >= BRIEF:
        return None
    slug = bool(_SLUG_PATH.search(facts.path))
    if slug and facts.words > STUB:
        return None
    headlines = headline_links(facts.page)
    home = bool(_SECTION_PATH.fullmatch(facts.path)) and not urlsplit(facts.page.url).query
    if home and headlines >= 4:
        return PageClass.INDEX, f"the address of a home or section page, with {headlines} headlines that lead elsewhere"
    described = facts.metadata.date_published_source not in {None, "htmldate", "time", "url"} or bool(
        facts.metadata.authors
    )
    long = sum(word_count(block.text) >= 35 for block in facts.blocks if block.kind in _TEXT)
    if headlines >= 8 and not described and (long < 4 or headlines > 4 * long):
        return PageClass.INDEX, f"{headlines} headlines that lead elsewhere, and no data of an article"
    if headlines >= 8 and facts.words < BRIEF:
        return PageClass.INDEX, f"{headlines} headlines that lead elsewhere and {facts.words} words of text"
    return None


def _nothing(facts: _Facts) -> tuple[PageClass, str] | None:
    """Pages without a body: a script's shell, or nothing at all."""
    if facts.words >= BRIEF // 2:
        return None
    visible = sum(word_count(text) for text, _ in facts.pieces)
    shell = any((element.get("id") or "").lower() in _SHELL_ROOTS for element in facts.page.tree.iterfind(".//*[@id]"))
    asks = any(
        _says("script", fold(str(element.text_content())[:2000])) for element in facts.page.tree.iter("noscript")
    )
    scripts = sum(1 for _ in facts.page.tree.iter("script"))
    if scripts and visible < BRIEF and (shell or asks or _says("script", facts.sentences)):
        return PageClass.SCRIPT_ONLY, f"{visible} words without its scripts, which we do not run"
    if facts.words == 0:
        if scripts and visible < BRIEF // 4 and (facts.page.size > 2000 or not visible):
            return PageClass.SCRIPT_ONLY, f"{visible} words without its {scripts} scripts, which we do not run"
        return PageClass.EMPTY, f"no text of an article among {visible} words"
    return None


def _teaser(facts: _Facts) -> tuple[PageClass, str] | None:
    """The opening of an article that stands elsewhere."""
    if facts.words >= STUB or facts.paragraphs > 2:
        return None
    texts = [block.text for block in facts.blocks if block.kind in _TEXT]
    last = texts[-1].rstrip() if texts else ""
    cut = last.endswith(("…", "...", "[…]", "[...]"))
    more = bool(last) and _says("more", fold(last[-60:])) is not None
    moved = any(_says("more", fold(r.text)) and word_count(r.text) <= 8 for r in facts.removed)
    if cut or more or (moved and facts.words < BRIEF):
        return PageClass.TEASER, f"{facts.words} words that lead to the rest elsewhere"
    if facts.words < BRIEF // 2 and not facts.says_article:
        return PageClass.TEASER, f"only {facts.words} words"
    return None
