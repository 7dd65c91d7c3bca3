"""Lindenauer Bote: microdata and OpenGraph, a lead above the picture, boxes inside the body, articles behind a wall."""

from collections.abc import Sequence

from newsroom import specials
from newsroom.houses import House
from newsroom.markup import Listing, Planted, body_html, escape, insert, picture_path
from newsroom.stories import MONTHS, Story

SKY = ("#e9d7b0", "#c7d9c1", "#f2ead6", "#b9cfd9", "#e8b98a")
GROUND = ("#a9b98d", "#86a06e", "#658652", "#466b3d", "#2d4f2b")

STYLE = """
*{box-sizing:border-box}body{margin:0;background:#eceeea;color:#1d1f1c;font:17px/1.62 Helvetica,"DejaVu Sans",sans-serif}
a{color:#7a1220}.kopf{background:#7a1220;color:#fff;padding:16px 28px;display:flex;align-items:baseline;gap:26px}
.kopf .titel{font:700 32px/1 Georgia,"DejaVu Serif",serif;margin:0}.kopf a{color:#fff;text-decoration:none}.kopf nav a{margin-right:16px;font-size:15px}
.blatt{max-width:820px;margin:0 auto;background:#fff;padding:26px 54px 46px}h1{font:700 38px/1.18 Georgia,"DejaVu Serif",serif;margin:.2em 0}
.dachzeile{color:#7a1220;font-weight:700;margin:0}.vorspann{font-weight:700;font-size:19px}.autorzeile{color:#5b6058;font-size:14px}
figure{margin:20px 0}img{width:100%;display:block}figcaption{font-size:13.5px;color:#5b6058;padding-top:6px}
.text h2{font:700 22px Georgia,"DejaVu Serif",serif;margin:1.3em 0 .3em}blockquote{margin:22px 34px;font:italic 20px/1.45 Georgia,"DejaVu Serif",serif}blockquote p{margin:0}
.anzeige{background:#f1f2ef;text-align:center;font-size:12px;color:#80857c;padding:8px 0 56px;margin:22px 0}
.lesen{border-left:4px solid #7a1220;background:#f7f3ee;padding:8px 18px;margin:22px 0}.brief{border:2px solid #7a1220;padding:12px 20px;margin:24px 0}
.teilen span{display:inline-block;border:1px solid #cfd3cb;padding:3px 11px;margin-right:6px;font-size:13px}.schlagworte a{margin-right:12px}
.autor,.kommentare{border-top:1px solid #dfe2da;padding-top:10px;font-size:15px}.schranke{background:linear-gradient(#fff0,#f7ecd9 40%);padding:60px 30px 26px;text-align:center}
.schranke button,.brief button{background:#7a1220;color:#fff;border:0;padding:10px 20px;font-size:16px}.karte{border-bottom:1px solid #dfe2da;padding:14px 0}.karte h2{margin:.1em 0;font:700 23px Georgia,"DejaVu Serif",serif}.karte a{text-decoration:none;color:inherit}
.galerie{display:grid;grid-template-columns:1fr 1fr;gap:14px}.hinweis{position:fixed;right:18px;bottom:18px;width:330px;background:#fff;border:1px solid #999;box-shadow:0 4px 20px #0003;padding:14px 18px;font-size:14px}
.fuss{text-align:center;padding:22px;color:#5b6058;font-size:14px}
"""


def article(story: Story, newer: Sequence[Story], popular: Sequence[Story], planted: Planted) -> str:
    """An article's page; a closed one ends at the wall."""
    text = _wall(story, planted) if story.access == "closed" else _text(story, newer, planted)
    return _page(
        story.house,
        title=f"{story.headline} | Lindenauer Bote",
        head=_head(story),
        main=f'<article itemscope itemtype="https://schema.org/NewsArticle">{_header(story, planted)}{text}{_foot(story, planted)}</article>'
        + _most_read(popular, planted),
        planted=planted,
    )


def _head(story: Story) -> str:
    properties = {
        "og:type": "article",
        "og:site_name": story.house.title,
        "og:title": story.headline,
        "og:description": story.lead,
        "og:url": story.url,
        "og:image": story.house.origin + picture_path(story),
        "article:published_time": story.local.isoformat(),
        "article:section": story.section,
    }
    if story.modified:
        properties["article:modified_time"] = story.modified.isoformat()
    metas = "".join(f'<meta property="{name}" content="{escape(value)}">' for name, value in properties.items())
    return f'<link rel="canonical" href="{escape(story.url)}">{metas}<meta name="description" content="{escape(story.lead)}">'


def _header(story: Story, planted: Planted) -> str:
    moment = story.local
    when = f"{moment.day}. {MONTHS['de'][moment.month - 1]} {moment.year}, {moment:%H:%M} Uhr"
    names = [author.name for author in story.authors]
    planted("byline", "Von " + " und ".join(names))
    people = " und ".join(
        f'<span itemprop="author" itemscope itemtype="https://schema.org/Person"><span itemprop="name">{escape(name)}</span></span>'
        for name in names
    )
    free = "True" if story.access == "free" else "False"
    shares = "".join(
        f"<span>{planted('share', label)}</span>" for label in ("Beitrag teilen", "Beitrag drucken", "Link kopieren")
    )
    return (
        f'<meta itemprop="isAccessibleForFree" content="{free}"><p class="dachzeile" itemprop="articleSection">{escape(story.section)}</p>'
        f'<h1 itemprop="headline">{escape(story.headline)}</h1><p class="vorspann" itemprop="description">{escape(story.lead)}</p>'
        f'<p class="autorzeile">Von {people} · <time itemprop="datePublished" datetime="{moment.isoformat()}">{planted("timestamp", when)}</time></p>'
        f'<div class="teilen">{shares}</div><figure><img itemprop="image" src="{picture_path(story)}" alt="{escape(story.caption)}">'
        f"<figcaption>{planted('caption', story.caption)} <small>{planted('credit', story.credit)}</small></figcaption></figure>"
    )


def _text(story: Story, newer: Sequence[Story], planted: Planted) -> str:
    parts = body_html(story.blocks)
    middle = len(parts) // 2
    insert(parts, middle + 1, _newsletter(planted))
    insert(parts, middle, f'<div class="anzeige">{planted("ad_label", "– Anzeige –")}</div>')
    insert(parts, 2, _read_too(newer[:1], planted))
    return (
        f'<div class="text" itemprop="articleBody">{"".join(parts)}{_newer(story.number % 2, newer[1:], planted)}</div>'
    )


def _read_too(stories: Sequence[Story], planted: Planted) -> str:
    links = "".join(f'<a href="{escape(story.path)}">{planted("related", story.headline)}</a>' for story in stories)
    return f'<div class="lesen"><p><b>{planted("related", "Lesen Sie auch:")}</b> {links}</p></div>'


def _newer(form: int, stories: Sequence[Story], planted: Planted) -> str:
    heading = planted("related", "Neuere Artikel")
    links = [f'<a href="{escape(story.path)}">{planted("related", story.headline)}</a>' for story in stories]
    if form == 0:
        return f"<h4>{heading}</h4><ul>" + "".join(f"<li>{link}</li>" for link in links) + "</ul>"
    return f"<p>{heading}</p>" + "".join(f"<p>{link}</p>" for link in links)


def _newsletter(planted: Planted) -> str:
    heading = planted("newsletter", "Post vom Boten: unser Newsletter am Abend")
    promise = "Was heute wichtig war, in fünf Minuten gelesen. Mit der Anmeldung stimmen Sie den Bedingungen zu."
    return (
        f'<div class="brief"><p><b>{heading}</b></p><p>{planted("newsletter", promise)}</p>'
        '<form><input type="email" placeholder="Ihre E-Mail-Adresse"> <button>Jetzt anmelden</button></form></div>'
    )


def _wall(story: Story, planted: Planted) -> str:
    return (
        f'<div class="text" itemprop="articleBody">{"".join(body_html(story.blocks))}</div><div class="schranke paywall">'
        f"<h3>{planted('paywall', 'Weiterlesen mit Bote plus')}</h3><p>{planted('paywall', 'Sie haben bereits ein Abonnement? Dann melden Sie sich bitte an.')}</p>"
        f"<button>{planted('paywall', 'Vier Wochen für einen Euro testen')}</button></div>"
    )


def _foot(story: Story, planted: Planted) -> str:
    bios = "".join(f'<p class="autor">{planted("byline", author.bio)}</p>' for author in story.authors)
    tags = "".join(
        f'<a rel="tag" href="{story.house.sections[story.section]}">{planted("tag", tag)}</a>' for tag in story.tags
    )
    talk = planted("comments", f"Diskutieren Sie mit: {story.number % 29 + 3} Kommentare zu diesem Beitrag")
    return f'{bios}<p class="schlagworte">{tags}</p><div class="kommentare"><p>{talk}</p></div>'


def _most_read(stories: Sequence[Story], planted: Planted) -> str:
    items = "".join(
        f'<li><a href="{escape(story.path)}">{planted("related", story.headline)}</a></li>' for story in stories
    )
    return f'<aside class="meistgelesen"><h3>{planted("related", "Am meisten gelesen")}</h3><ol>{items}</ol></aside>'


def listing(house: House, page: Listing) -> str:
    """The front page, a section or a month's archive."""
    cards = "".join(
        f'<div class="karte"><p class="dachzeile">{escape(story.section)}</p><h2><a href="{escape(story.path)}">{escape(story.headline)}</a></h2><p>{escape(story.lead)}</p></div>'
        for story in page.stories
    )
    months = " · ".join(f'<a href="{path}">{escape(name)}</a>' for path, name in page.archives)
    return _page(
        house,
        title=f"{page.heading} | Lindenauer Bote",
        head=f'<link rel="canonical" href="{house.origin}{page.path}"><meta property="og:type" content="website">',
        main=f"<h1>{escape(page.heading)}</h1>{cards}<p>Archiv: {months}</p>",
        planted=Planted(),
    )


def gallery(house: House, path: str) -> str:
    """A page of pictures."""
    pictures = "".join(
        f'<figure><img src="/images/lichterfest-{place}.svg" alt=""><figcaption>Bild {place} von {len(specials.GALLERY_CAPTIONS)}: {escape(caption)}. Foto: Ole Brinkmann</figcaption></figure>'
        for place, caption in enumerate(specials.GALLERY_CAPTIONS, 1)
    )
    return _page(
        house,
        title=f"{specials.GALLERY_HEADLINE} | Lindenauer Bote",
        head=f'<link rel="canonical" href="{house.origin}{path}"><meta property="og:title" content="{specials.GALLERY_HEADLINE}">',
        main=f'<div itemscope itemtype="https://schema.org/ImageGallery"><p class="dachzeile">Fotostrecke</p><h1 itemprop="name">{specials.GALLERY_HEADLINE}</h1><div class="galerie">{pictures}</div></div>',
        planted=Planted(),
    )


def missing(house: House) -> str:
    """The page that goes with status 404."""
    return _page(
        house,
        title="Seite nicht gefunden | Lindenauer Bote",
        head="",
        main="<h1>Seite nicht gefunden</h1><p>Die gewünschte Seite gibt es nicht oder nicht mehr.</p>",
        planted=Planted(),
    )


def _page(house: House, *, title: str, head: str, main: str, planted: Planted) -> str:
    nav = "".join(f'<a href="{path}">{escape(name)}</a>' for name, path in house.sections.items())
    cookies = planted(
        "cookie", "Wir verwenden Cookies, um unser Angebot zu verbessern. Näheres steht in der Datenschutzerklärung."
    )
    return (
        f'<!doctype html><html lang="de"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>{head}'
        '<link rel="stylesheet" href="/style.css"><link rel="alternate" type="application/atom+xml" href="/atom.xml"><link rel="alternate" type="application/feed+json" href="/feed.json"></head><body>'
        f'<header class="kopf"><p class="titel"><a href="/">Lindenauer Bote</a></p><nav>{nav}</nav></header><div class="blatt">{main}</div>'
        f'<div class="hinweis cookie-banner"><p>{cookies}</p><button>Alle akzeptieren</button> <button>Ablehnen</button></div>'
        f'<footer class="fuss"><p>{planted("navigation", "Lindenauer Bote, unabhängige Zeitung für Stadt und Land, gegründet 1848.")}</p></footer></body></html>'
    )
