"""More templates, written by hand and after the rules, to check them against: see `planted.py`.

    python benchmarks/houses.py [--first 0] [--templates 36] [--show | --write FOLDER]
    python benchmarks/houses.py --set systems [--show]

A house says how each piece of a page is marked up; there are twelve. A template is one house's page with some of its
pieces from another house, as grown sites have them, and the places of the furniture, all drawn from its number.
Templates below 100 take the first two wordings of each kind (`houses.json`), those from 100 on the third. `--write`
makes the pages that train the model: those of the first eight houses alone, so that the others stay unknown to it.

`--set systems` takes another set: the markup of 36 content management systems (`systems.toml`), a template each, with
words of its own (`systems.json`); `--set presses` 36 more, written later, in part in other languages (`presses.toml`,
`presses.json`); `--set desks` 30 of news sites' own making, with the words of `presses`. None of them trains the model.
"""

# ruff: noqa: E501, Q000 - markup reads better as it stands
import argparse
import json
import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from planted import Planted, report, write

Pieces = dict[str, str]
Wording = dict[str, dict[str, list[str]]]
#: How houses mark up what is not theirs alone; `@` is the text, `#` a number, `~` entries or buttons.
COMMON: Pieces = {
    "subhead": "<h2>@</h2>",
    "quote": "<blockquote><p>@</p></blockquote>",
    "list": "<ul>~</ul>",
    "item": "<li>@</li>",
    "escaped": "<p>@</p>",
    "shortcode": "<p>@</p>",
}
HOUSES: tuple[Pieces, ...] = (
    {  # utility classes
        "page": '<div id="__x"><header class="sticky top-0"><a href="/">SITE</a></header><div class="mx-auto max-w-7xl px-4">'
        '<div class="grid grid-cols-12 gap-8"><div class="col-span-8">KICKER<h1 class="text-4xl font-bold">TITLE</h1>LEAD'
        '<div class="flex mt-4 text-sm text-gray-500">BYLINETIME</div>SHAREFIGURE<div class="font-serif">BODY</div>TAGSBIO'
        'COMMENTS</div><div class="col-span-4">RELATED</div></div></div>COOKIE</div>',
        "p": '<p class="mb-6 text-lg leading-8">@</p>', "lead": '<p class="mt-2 text-xl">@</p>',
        "kicker": '<a href="/k" class="text-xs uppercase tracking-wide">@</a>', "byline": '<div class="font-medium">@</div>',
        "time": '<div class="ml-2">@</div>', "ad": '<div class="my-8 h-64 text-center text-xs">@</div>',
        "newsletter": '<div class="my-8 border p-4"><p class="font-semibold">@</p><input type="email"><button>OK</button></div>',
        "pointer": '<div class="my-4 border-l-4 pl-4"><span class="font-bold">@</span> <a href="/n">%</a></div>',
        "figure": '<div class="relative"><img src="/a.jpg"><div class="text-xs text-gray-400">@ <span>%</span></div></div>',
        "tags": '<div class="mt-8 flex gap-2"><span class="text-xs">@</span>~</div>', "tag": '<a href="/t#" class="rounded">@</a>',
        "share": '<div class="mt-4 flex gap-2">~</div>', "button": '<button class="rounded p-2">@</button>',
        "related": '<div class="mt-8"><h3 class="text-xl">@</h3>~</div>', "entry": '<a href="/r#" class="block py-2">@</a>',
        "bio": '<div class="mt-8 flex border-t pt-4"><img src="/m.jpg"><p class="text-sm">@</p></div>',
        "comments": '<div class="mt-8"><button class="w-full">@</button></div>',
        "paywall": '<div class="my-8 bg-gray-100 p-8 text-center"><p>@</p><a href="/join">→</a></div>',
        "cookie": '<div class="fixed bottom-0 w-full"><p class="text-sm">@</p></div>',
    },
    {  # modules of CSS, German names
        "page": '<div class="Rahmen_rahmen__1aB"><nav><a href="/">SITE</a></nav><main class="Seite_seite__Zx9"><article class="Stueck_stueck__k2">'
        '<header>KICKER<h1 class="Stueck_zeile__77">TITLE</h1>LEADBYLINETIME</header>FIGURE<div class="Stueck_inhalt__pQ">BODY</div>'
        "SHARETAGSBIO</article>RELATEDCOMMENTS</main>COOKIE</div>",
        "p": '<p class="Absatz_absatz__3d">@</p>', "lead": '<p class="Vorspann_vorspann__8u">@</p>',
        "kicker": '<span class="Dachzeile_dachzeile__a1">@</span>', "byline": '<p class="Autor_autor__q0">@</p>',
        "time": '<p class="Zeit_zeit__z3">@</p>', "ad": '<div class="Flaeche_flaeche__m4"><span>@</span></div>',
        "newsletter": '<section class="Brief_brief__b7"><h3>@</h3></section>',
        "pointer": '<p class="Hinweis_hinweis__y5"><strong>@: </strong><a href="/n">%</a></p>',
        "figure": '<figure class="Bild_bild__r2"><img src="/a.jpg"><figcaption>@<span class="Bild_quelle__r3">%</span></figcaption></figure>',
        "tags": '<ul class="Worte_worte__h5"><li>@</li>~</ul>', "tag": '<li><a href="/t#">@</a></li>',
        "share": '<ul class="Knoepfe_knoepfe__v1">~</ul>', "button": '<li><a href="#">@</a></li>',
        "related": '<section class="Reihe_reihe__n8"><h2>@</h2>~</section>',
        "entry": '<div class="Karte_karte__n9"><a href="/r#"><h3>@</h3></a></div>',
        "bio": '<div class="Person_person__l3"><p>@</p></div>', "comments": '<section class="Forum_forum__u6"><h2>@</h2></section>',
        "paywall": '<div class="Schranke_schranke__g2"><h3>@</h3></div>', "cookie": '<div class="Leiste_leiste__w9"><p>@</p></div>',
    },
    {  # a blog engine
        "page": '<body class="single single-post postid-77"><div id="page"><header id="masthead"><p>SITE</p></header><div id="primary">'
        '<article id="post-77" class="post hentry"><header class="entry-head">KICKER<h1 class="entry-name">TITLE</h1><div class="post-info">'
        'BYLINETIME</div></header>FIGURE<div class="entry">LEADBODYSHARERELATED</div><footer>TAGS</footer>BIO</article>COMMENTS</div></div>COOKIE',
        "p": "<p>@</p>", "lead": "<p><strong>@</strong></p>", "kicker": '<a href="/c" rel="category">@</a>',
        "byline": '<span class="vcard">@</span>', "time": '<span class="posted-on"><a href="/d">@</a></span>',
        "ad": '<div class="code-block code-block-2"><center>@</center></div>',
        "newsletter": '<div class="wp-block-group has-background"><p class="has-text-align-center">@</p></div>',
        "pointer": '<p><em>@: <a href="/n">%</a></em></p>',
        "figure": '<div class="wp-caption aligncenter"><img src="/a.jpg"><p class="wp-caption-text">@ %</p></div>',
        "tags": '<span class="tags-links">@ ~</span>', "tag": '<a href="/t#" rel="tag">@</a> ',
        "share": '<div class="sd-block"><h3 class="sd-title">@</h3></div><ul>~</ul>'.replace('<h3 class="sd-title">@</h3>', ""),
        "button": '<li><a href="#" class="sd-button"><span>@</span></a></li>',
        "related": '<div class="yarpp"><h3>@</h3><ol>~</ol></div>', "entry": '<li><a href="/r#" rel="bookmark">@</a></li>',
        "bio": '<div class="saboxplugin-wrap"><div class="saboxplugin-desc"><p>@</p></div></div>',
        "comments": '<div id="respond"><h3 id="reply-title">@</h3></div>',
        "paywall": '<div class="pmpro_content_message"><p>@</p></div>', "cookie": '<div id="catapult-bar"><div>@</div></div>',
    },
    {  # Spanish names, block and element
        "page": '<div class="portada"><div class="cabecera"><a href="/">SITE</a></div><section class="nota"><div class="nota__cabeza">KICKER'
        '<h1 class="nota__titular">TITLE</h1>LEADFIGURE<div class="nota__pie">BYLINETIMESHARE</div></div><div class="nota__cuerpo">BODY</div>'
        "TAGSBIOCOMMENTS</section>RELATEDCOOKIE</div>",
        "p": '<p class="nota__parrafo">@</p>', "lead": '<h2 class="nota__entradilla">@</h2>',
        "kicker": '<p class="nota__antetitulo">@</p>', "byline": '<p class="nota__firma">@</p>', "time": '<p class="nota__fecha">@</p>',
        "ad": '<div class="robapaginas"><p>@</p></div>', "newsletter": '<div class="boletin-caja"><p>@</p></div>',
        "pointer": '<div class="despiece"><p>@</p><p><a href="/n">%</a></p></div>',
        "figure": '<div class="nota__foto"><img src="/a.jpg"><p class="nota__leyenda">@</p><p class="nota__autoria">%</p></div>',
        "tags": '<div class="nota__temas"><p>@</p><p>~</p></div>', "tag": '<a href="/t#">@</a> · ',
        "share": '<div class="nota__redes">~</div>', "button": '<a href="#">@</a>',
        "related": '<div class="carril"><p class="carril__nombre">@</p>~</div>', "entry": '<div class="carril__pieza"><p><a href="/r#">@</a></p></div>',
        "bio": '<div class="nota__semblanza"><p>@</p></div>', "comments": '<div class="nota__foro"><p>@</p></div>',
        "paywall": '<div class="muro"><p>@</p></div>', "cookie": '<div class="aviso-legal"><p>@</p></div>',
    },
    {  # tables, as once was
        "page": '<table width="980"><tr><td width="160"><a href="/">SITE</a></td><td><table><tr><td>KICKER<h1>TITLE</h1>LEADBYLINETIME</td></tr>'
        "<tr><td>FIGUREBODY</td></tr><tr><td>SHARETAGSBIO</td></tr><tr><td>RELATEDCOMMENTS</td></tr></table></td></tr></table>COOKIE",
        "p": "<p>@</p>", "lead": "<p><b>@</b></p>", "kicker": '<font size="1">@</font><br>', "byline": "<p><i>@</i></p>",
        "time": "<p><small>@</small></p>", "ad": '<table align="center"><tr><td><font size="1">@</font></td></tr></table>',
        "newsletter": '<table border="1"><tr><td><b>@</b></td></tr></table>', "pointer": '<p>» @: <a href="/n"><b>%</b></a></p>',
        "figure": '<table align="right" width="200"><tr><td><img src="/a.jpg"></td></tr><tr><td><font size="1">@ (%)</font></td></tr></table>',
        "tags": "<p><small>@: ~</small></p>", "tag": '<a href="/t#">@</a>, ', "share": "<p>~</p>", "button": '<a href="#">@</a> | ',
        "related": '<table bgcolor="#eee"><tr><th>@</th></tr>~</table>', "entry": '<tr><td><a href="/r#">@</a></td></tr>',
        "bio": "<hr><p><i>@</i></p>", "comments": '<p><a href="/forum"><b>@</b></a></p>',
        "paywall": '<table bgcolor="#ffc"><tr><td align="center">@</td></tr></table>', "cookie": "<table><tr><td>@</td></tr></table>",
    },
    {  # elements of its own
        "page": "<story-page><site-bar>SITE</site-bar><story-head>KICKER<h1>TITLE</h1>LEADBYLINETIMESHARE</story-head>FIGURE"
        "<story-text>BODY</story-text>TAGSBIORELATEDCOMMENTS</story-page>COOKIE",
        "p": "<p>@</p>", "lead": "<story-intro>@</story-intro>", "kicker": "<story-label>@</story-label>",
        "byline": "<story-credits>@</story-credits>", "time": "<story-clock>@</story-clock>", "ad": "<ad-box><span>@</span></ad-box>",
        "newsletter": "<mail-box><p>@</p></mail-box>", "pointer": '<link-out><b>@</b> <a href="/n">%</a></link-out>',
        "figure": '<pic-box><img src="/a.jpg"><p>@</p><p>%</p></pic-box>', "tags": "<topic-list><b>@</b>~</topic-list>",
        "tag": '<topic-chip><a href="/t#">@</a></topic-chip>', "share": "<share-bar>~</share-bar>", "button": "<share-item>@</share-item>",
        "related": "<more-list><h2>@</h2>~</more-list>", "entry": '<more-item><a href="/r#">@</a></more-item>',
        "bio": "<writer-box><p>@</p></writer-box>", "comments": "<talk-box><h2>@</h2></talk-box>",
        "paywall": "<gate-box><p>@</p></gate-box>", "cookie": "<legal-bar><p>@</p></legal-bar>",
    },
    {  # nothing but elements
        "page": "<body><header><a href='/'>SITE</a></header><main><article><header>KICKER<h1>TITLE</h1>LEADBYLINETIME</header>FIGURE"
        "<section>BODY</section><footer>SHARETAGSBIO</footer></article><section>RELATED</section><section>COMMENTS</section></main>COOKIE",
        "p": "<p>@</p>", "lead": "<p>@</p>", "kicker": "<p>@</p>", "byline": "<p>@</p>", "time": "<p><time>@</time></p>",
        "ad": "<aside>@</aside>", "newsletter": "<aside><p>@</p></aside>", "pointer": '<p><strong>@</strong> <a href="/n">%</a></p>',
        "figure": '<figure><img src="/a.jpg"><figcaption>@ <small>%</small></figcaption></figure>', "tags": "<p>@: ~</p>",
        "tag": '<a href="/t#">@</a> ', "share": "<p>~</p>", "button": "<button>@</button> ", "related": "<h2>@</h2><ul>~</ul>",
        "entry": '<li><a href="/r#">@</a></li>', "bio": "<p><em>@</em></p>", "comments": "<h2>@</h2>",
        "paywall": "<section><h3>@</h3></section>", "cookie": "<dialog open><p>@</p></dialog>",
    },
    {  # line breaks for paragraphs
        "page": '<div class="ramme"><div class="topp">SITE</div><div class="sak">KICKER<h1>TITLE</h1>LEAD<div class="linje">BYLINE<br><br>TIME</div>FIGURE'
        '<div class="brodtekst">BODY</div>SHARETAGSBIO</div>RELATEDCOMMENTSCOOKIE</div>',
        "p": "@<br><br>", "lead": '<div class="ingress">@</div>', "kicker": '<div class="stikktittel">@</div>', "byline": "@", "time": "@",
        "ad": "<center><small>@</small></center>", "newsletter": '<div class="ramme2"><b>@</b></div>', "pointer": '<b>@:</b> <a href="/n">%</a><br><br>',
        "figure": '<div class="bilde"><img src="/a.jpg"><br><i>@</i><br><i>%</i></div>', "tags": "<div>@: ~</div>", "tag": '<a href="/t#">@</a>, ',
        "share": "<div>~</div>", "button": '<a href="#">[@]</a> ', "related": "<b>@</b><br><br>~", "entry": '<a href="/r#">@</a><br><br>',
        "bio": "<i>@</i><br><br>", "comments": '<div class="debatt"><b>@</b></div>', "paywall": '<div class="ramme3"><b>@</b></div>',
        "cookie": '<div class="beskjed">@</div>', "escaped": "@<br><br>", "subhead": "<b>@</b><br><br>", "quote": "@<br><br>",
        "list": "<ul>~</ul>",
    },
    {  # attributes for testers
        "page": '<div data-qa="shell"><div data-qa="bar">SITE</div><div data-qa="leaf"><div data-qa="top">KICKER<h1 data-qa="name">TITLE</h1>LEADFIGURE'
        'BYLINETIME</div><div data-qa="prose">BODY</div><div data-qa="end">TAGSSHAREBIO</div></div><div data-qa="rail">RELATED</div>COMMENTSCOOKIE</div>',
        "p": '<div data-qa="par"><span data-text="true">@</span></div>', "lead": '<div data-qa="sub"><span>@</span></div>',
        "kicker": '<div data-qa="cat">@</div>', "byline": '<div data-qa="who"><span>@</span></div>', "time": '<div data-qa="when"><span>@</span></div>',
        "ad": '<div data-qa="slot-3"><div>@</div></div>', "newsletter": '<div data-qa="nl"><div>@</div></div>',
        "pointer": '<div data-qa="ref"><span>@</span><a href="/n"><span>%</span></a></div>',
        "figure": '<div data-qa="pic"><img src="/a.jpg"><div><span>@</span></div><div><span>%</span></div></div>',
        "tags": '<div data-qa="chips"><div>@</div>~</div>', "tag": '<div><a href="/t#">@</a></div>', "share": '<div data-qa="act">~</div>',
        "button": '<div role="button">@</div>', "related": '<div data-qa="reco"><div>@</div>~</div>',
        "entry": '<div data-qa="reco-item"><a href="/r#"><div>@</div></a></div>', "bio": '<div data-qa="vita"><div>@</div></div>',
        "comments": '<div data-qa="talk"><div role="button">@</div></div>', "paywall": '<div data-qa="gate"><div>@</div></div>',
        "cookie": '<div data-qa="cmp"><div>@</div></div>',
    },
    {  # hashed names
        "page": '<div class="css-0"><div class="css-1yk">SITE</div><div class="css-q2z"><div class="css-77p">KICKER<h1 class="css-9ot">TITLE</h1>LEAD'
        'BYLINETIMEFIGURE</div><section class="css-1rr">BODY</section><div class="css-3dd">SHARETAGSBIORELATEDCOMMENTS</div></div>COOKIE</div>',
        "p": '<p class="css-at9">@</p>', "lead": '<p class="css-w6y">@</p>', "kicker": '<p class="css-k1r">@</p>',
        "byline": '<p class="css-1by">@</p>', "time": '<p class="css-1ti">@</p>', "ad": '<div class="css-7ad"><p class="css-7ae">@</p></div>',
        "newsletter": '<div class="css-8nl"><p class="css-8nm">@</p></div>', "pointer": '<p class="css-at9"><a href="/n">@: %</a></p>',
        "figure": '<div class="css-4im"><img src="/a.jpg"><span class="css-4ca">@</span><span class="css-4cr">%</span></div>',
        "tags": '<div class="css-5tg"><p class="css-5th">@</p>~</div>', "tag": '<a class="css-5ti" href="/t#">@</a>',
        "share": '<div class="css-6sh">~</div>', "button": '<button class="css-6si">@</button>',
        "related": '<div class="css-2re"><p class="css-2rh">@</p>~</div>', "entry": '<div class="css-2ri"><a href="/r#"><p class="css-2rj">@</p></a></div>',
        "bio": '<p class="css-bio">@</p>', "comments": '<div class="css-xco"><p class="css-xcp">@</p></div>',
        "paywall": '<div class="css-pay"><p class="css-pax">@</p></div>', "cookie": '<div class="css-cok"><p class="css-cop">@</p></div>',
    },
    {  # roles and labels
        "page": '<div role="banner"><a href="/">SITE</a></div><div role="main" aria-labelledby="h"><div>KICKER<h1 id="h">TITLE</h1>LEAD</div><div>BYLINETIME</div>'
        'FIGURE<div>BODY</div><div>BIOTAGSSHARE</div></div><div role="complementary">RELATED</div><div role="region">COMMENTS</div>COOKIE',
        "p": "<p>@</p>", "lead": "<div><p>@</p></div>", "kicker": "<div>@</div>", "byline": "<div>@</div>", "time": "<div>@</div>",
        "ad": '<div role="note">@</div>', "newsletter": '<div role="form"><p>@</p></div>',
        "pointer": '<div role="note"><p>@ – <a href="/n">%</a></p></div>',
        "figure": '<div role="figure"><img src="/a.jpg"><div>@</div><div>%</div></div>', "tags": '<div role="list"><div>@</div>~</div>',
        "tag": '<div role="listitem"><a href="/t#">@</a></div>', "share": '<div role="toolbar">~</div>', "button": '<span role="button">@</span> ',
        "related": '<div role="heading">@</div><div role="list">~</div>', "entry": '<div role="listitem"><a href="/r#">@</a></div>',
        "bio": "<div><p>@</p></div>", "comments": '<div role="heading">@</div>', "paywall": '<div role="dialog"><p>@</p></div>',
        "cookie": '<div role="alertdialog"><p>@</p></div>',
    },
    {  # a page for telephones
        "page": '<html amp4><body><amp-bar>SITE</amp-bar><div class="m-wrap"><div class="m-cat">KICKER</div><h1 class="m-h">TITLE</h1><div class="m-std">LEAD</div>'
        '<div class="m-by">BYLINETIME</div>FIGURE<div class="m-txt">BODY</div>SHARE<div class="m-tp">TAGS</div>BIO<div class="m-rel">RELATED</div>'
        '<div class="m-dis">COMMENTS</div></div>COOKIE',
        "p": '<p class="m-p">@</p>', "lead": "@", "kicker": "@", "byline": '<div class="m-au">@</div>', "time": '<div class="m-dt">@</div>',
        "ad": '<div class="m-as"><span>@</span><amp-ad></amp-ad></div>', "newsletter": '<div class="m-cta"><p>@</p></div>',
        "pointer": '<div class="m-in"><a href="/n"><span>@</span><span>%</span></a></div>',
        "figure": '<div class="m-fig"><amp-img src="/a.jpg"></amp-img><div class="m-cap">@</div><div class="m-src">%</div></div>',
        "tags": "<span>@</span>~", "tag": '<a href="/t#">@</a>', "share": '<div class="m-sh">~</div>', "button": '<amp-social-share>@</amp-social-share>',
        "related": '<div class="m-rh">@</div>~', "entry": '<div class="m-ri"><a href="/r#"><amp-img src="/b.jpg"></amp-img><span>@</span></a></div>',
        "bio": '<div class="m-bio">@</div>', "comments": '<a href="/c">@</a>', "paywall": '<div class="m-pw"><p>@</p></div>',
        "cookie": '<amp-consent><div>@</div></amp-consent>',
    },
)  # fmt: skip


#: Houses whose pages train the model; those of the others are for checking alone.
TRAINING = 8


@cache
def wording(name: str = "houses") -> Wording:
    return json.loads((Path(__file__).parent / f"{name}.json").read_text("utf-8"))


@dataclass(frozen=True)
class Template:
    """How one site's pages are marked up, and which of the wordings of each kind it takes."""

    name: str
    pieces: Pieces
    wordings: tuple[int, ...]
    words: Wording

    def page(self, language: str) -> Planted:
        """Make the page of a language."""
        return _Maker(self, language).make()


def house(number: int) -> Template:
    """The template of a number."""
    rnd = random.Random(f"house-{number}")
    own, other = HOUSES[number % len(HOUSES)], HOUSES[rnd.randrange(len(HOUSES))]
    pieces = {**COMMON, **own}
    for kind in ("newsletter", "pointer", "figure", "ad", "related", "bio", "paywall", "share", "tags", "comments"):
        if rnd.random() < 0.4:
            pairs = {"related": "entry", "share": "button", "tags": "tag"}
            pieces.update({name: other[name] for name in (kind, pairs.get(kind, kind))})
    return Template(str(number), pieces, (0, 1) if number < 100 else (2,), wording())


#: Sets of templates in a file each, and the file of their words.
SETS = {"systems": "systems", "presses": "presses", "desks": "presses"}


def written(name: str) -> Iterator[Template]:
    """The templates of a set: the markup of content management systems."""
    source = tomllib.loads((Path(__file__).parent / f"{name}.toml").read_text("utf-8"))
    for system, pieces in source.items():
        yield Template(system, {**COMMON, **pieces}, (0, 1), wording(SETS[name]))


class _Maker:
    """One page in the making."""

    def __init__(self, house: Template, language: str) -> None:
        self.house = house
        self.language = language
        self.rnd = random.Random(f"{house.name}-{language}")
        self.words = house.words[language]
        self.paragraphs: list[str] = []
        self.furniture: list[tuple[str, str]] = []

    def pick(self, kind: str) -> str:
        variants = self.words[kind]
        return self.rnd.choice([variants[i] for i in self.house.wordings if i < len(variants)] or variants)

    def piece(self, name: str, text: str = "", more: str = "", inside: str = "", number: int = 0) -> str:
        form = self.house.pieces[name]
        filled = form.replace("#", str(number)) if number else form
        return filled.replace("@", escape(text, quote=False)).replace("%", escape(more)).replace("~", inside)

    def plant(self, kind: str, *lines: str) -> None:
        self.furniture.extend((kind, line) for line in lines)

    def simple(self, name: str, kind: str) -> str:
        line = self.pick(name)
        self.plant(kind, line)
        return self.piece(name, line)

    def figure(self) -> str:
        caption, credit = self.pick("captions"), self.pick("credit")
        self.plant("caption", caption)
        self.plant("credit", credit)
        return self.piece("figure", caption, credit)

    def pointer(self) -> str:
        words, headline = self.pick("pointer"), self.rnd.choice(self.words["headlines"])
        self.plant("related", words, headline)
        return self.piece("pointer", words, headline)

    def escaped(self) -> str:
        line = self.pick("captions")
        self.plant("escaped_markup", line)
        return self.piece("escaped", f"<p>{line}</p>")

    def listing(self, name: str, entry: str, kind: str, label: str | None, lines: list[str]) -> str:
        self.plant(kind, *lines, *([label] if label else []))
        inside = "".join(self.piece(entry, line, number=place) for place, line in enumerate(lines, 1))
        return self.piece(name, label or "", inside=inside)

    def explained(self, paragraph: str) -> str:
        """The paragraph, now and then with a box that opens over one of its words."""
        if "hover" not in self.house.pieces or self.rnd.random() < 0.6 or paragraph.count(" ") < 8:
            return paragraph
        return paragraph.replace(", ", f"{self.simple('hover', 'hover')}, ", 1)

    def shortcode(self) -> str:
        return self.simple("shortcode", "escaped_markup")

    def body(self) -> str:
        rnd, words = self.rnd, self.words
        pieces = []
        for place, text in enumerate(words["paragraphs"]):
            self.paragraphs.append(text)
            pieces.append(self.explained(self.piece("p", text)))
            if place == 1 and rnd.random() < 0.5:
                self.paragraphs.append(words["subheads"][0])
                pieces.append(self.piece("subhead", words["subheads"][0]))
            if place == 2 and rnd.random() < 0.4:
                self.paragraphs.append(words["quotes"][0])
                pieces.append(self.piece("quote", words["quotes"][0]))
            if place == 3 and rnd.random() < 0.4:
                self.paragraphs.extend(words["items"])
                items = "".join(self.piece("item", item) for item in words["items"])
                pieces.append(self.piece("list", inside=items))
        for name, kind in (("ad", "ad_label"), ("newsletter", "newsletter"), ("paywall", "paywall")):
            if rnd.random() < 0.7:
                pieces.insert(rnd.randrange(1, len(pieces) + 1), self.simple(name, kind))
        made_by = [self.pointer, self.escaped, self.figure]
        if "shortcode" in words:
            made_by.append(self.shortcode)
        for made in made_by:
            if rnd.random() < 0.6:
                pieces.insert(rnd.randrange(1, len(pieces) + 1), made())
        return "".join(pieces)

    def make(self) -> Planted:
        words, rnd = self.words, self.rnd
        title = self.pick("titles")
        self.plant("repeated_title", title)
        lead = ""
        if rnd.random() < 0.6:
            text = rnd.choice(words["leads"])
            self.paragraphs.append(text)
            lead = self.piece("lead", text)
        buttons = words["share"][rnd.choice(self.house.wordings)]
        parts = {
            "SITE": escape(words["site"]), "KICKER": self.simple("kicker", "tag"), "TITLE": escape(title), "LEAD": lead,
            "BYLINE": self.simple("byline", "byline"), "TIME": self.simple("time", "timestamp"),
            "FIGURE": self.figure() if rnd.random() < 0.7 else "", "BODY": self.body(),
            "SHARE": self.listing("share", "button", "share", None, list(buttons)),
            "TAGS": self.listing("tags", "tag", "tag", self.pick("tags"), list(words["topics"])),
            "BIO": self.simple("bio", "byline") if rnd.random() < 0.5 else "",
            "RELATED": self.listing("related", "entry", "related", self.pick("related"), list(words["headlines"])),
            "COMMENTS": self.simple("comments", "comments"), "COOKIE": self.simple("cookie", "cookie"),
        }  # fmt: skip
        page = self.house.pieces["page"]
        for name, part in parts.items():
            page = page.replace(name, part, 1)
        direction = ' dir="rtl"' if self.language == "ar" else ""
        html = (
            f'<!doctype html><html lang="{self.language}"{direction}><head><meta charset="utf-8"><title>{escape(title)} - '
            f'{escape(words["site"])}</title><meta property="og:title" content="{escape(title)}"></head>{page}</html>'
        )
        name = f"h{self.house.name}-{self.language}"
        url = f"https://house-{self.house.name}.example/{self.language}/2026/02/03/night-buses-return-{self.house.name}"
        return Planted(name, url, html.encode(), tuple(self.paragraphs), tuple(self.furniture))


def pages(templates: Iterator[Template]) -> Iterator[Planted]:
    """The pages of the templates in all languages."""
    for template in templates:
        yield from map(template.page, template.words)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--first", type=int, default=0)
    arguments.add_argument("--templates", type=int, default=36)
    arguments.add_argument("--set", choices=SETS, help="the templates of a file instead of numbered ones")
    arguments.add_argument("--show", action="store_true")
    arguments.add_argument("--write", type=Path, metavar="FOLDER", help="write pages for training instead of checking")
    given = arguments.parse_args()
    numbers = range(given.first, given.first + given.templates)
    if given.write:
        write(given.write, pages(house(n) for n in numbers if n % len(HOUSES) < TRAINING))
        return
    templates = list(written(given.set)) if given.set else [house(n) for n in numbers]
    report(pages(iter(templates)), len(templates), len(templates[0].words), show=given.show)


if __name__ == "__main__":
    main()
