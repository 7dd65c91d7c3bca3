"""La Lanterne: no structured data but a few plain meta elements, a drop cap, lists of newer articles as plain paragraphs."""

from collections.abc import Sequence

from newsroom.houses import House
from newsroom.markup import Listing, Planted, body_html, escape, insert, picture_path
from newsroom.stories import MONTHS, Story

SKY = ("#2b2d52", "#584b7c", "#c98f8a", "#f0c9a0", "#8a6f98")
GROUND = ("#6a5a80", "#514a70", "#3b3a5c", "#282a47", "#171a30")

STYLE = """
*{box-sizing:border-box}body{margin:0;background:#fbf8f2;color:#22203a;font:19px/1.72 "Iowan Old Style",Georgia,"DejaVu Serif",serif}
a{color:#8a3b5c;text-decoration-thickness:1px}.entete{text-align:center;padding:44px 16px 18px}.entete .nom{font-size:54px;font-style:italic;margin:0;letter-spacing:-1px}.entete .nom a{color:inherit;text-decoration:none}
.entete nav a{margin:0 13px;font-size:16px;text-decoration:none}.page{max-width:700px;margin:0 auto;padding:12px 18px 60px}
h1{font-weight:400;font-size:44px;line-height:1.15;margin:.3em 0}h2{font-weight:400;font-style:italic;font-size:27px;margin:1.4em 0 .2em}.rubrique{text-align:center;font-style:italic;margin:0}
.signature{color:#6c6780;font-size:16px}figure{margin:28px -70px}@media(max-width:860px){figure{margin:28px 0}}img{width:100%;display:block}figcaption{font-size:15px;color:#6c6780;padding:8px 70px 0}
.lettrine{float:left;font-size:67px;line-height:.86;padding:6px 9px 0 0;color:#8a3b5c}blockquote{margin:32px 0;text-align:center;font-size:24px;line-height:1.42;font-style:italic}blockquote p{margin:0}
.pub{border:1px dashed #cfc7bb;text-align:center;font-size:13px;color:#8b8594;padding:6px 0 50px;margin:28px 0}.lettre{background:#22203a;color:#fbf8f2;padding:18px 28px;margin:32px 0}.lettre button{background:#f0c9a0;border:0;padding:8px 18px}
.partage a{margin-right:14px;font-size:15px}.apropos,.mots{border-top:1px solid #ded6c8;padding-top:12px;font-size:16px}.carte{padding:14px 0;border-bottom:1px solid #ded6c8}.carte h2{margin:0}.carte a{color:inherit;text-decoration:none}
.temoins{position:fixed;left:0;bottom:0;right:0;background:#f0c9a0;padding:8px 28px;font-size:15px}.bas{text-align:center;font-size:15px;color:#6c6780;padding:30px}
"""

_WORDS = {
    "fr": {
        "by": "Par",
        "and": " et ",
        "share": ("Partager par courriel", "Copier le lien de l’article"),
        "ad": "Publicité – la lecture reprend plus bas",
        "letter": "La lettre du soir, chaque jeudi",
        "letter_text": "Recevez nos récits et nos critiques dans votre boîte, sans bruit et sans frais.",
        "button": "Je m’abonne",
        "newer": "Articles plus récents",
        "talk": "Réagir à cet article, déjà {count} lettres de lecteurs",
    },
    "en": {
        "by": "By",
        "and": " and ",
        "share": ("Share this page by e-mail", "Copy the link to this page"),
        "ad": "Advertisement, reading resumes below",
        "letter": "The evening letter, every Thursday",
        "letter_text": "Receive our stories and reviews in your letter box, quietly and free of charge.",
        "button": "Subscribe",
        "newer": "Newer articles",
        "talk": "Write to us about this article: {count} readers already have",
    },
}


def article(story: Story, newer: Sequence[Story], popular: Sequence[Story], planted: Planted) -> str:
    """An article's page."""
    words = _WORDS[story.language]
    names = str(words["and"]).join(author.name for author in story.authors) or str(story.agency)
    head = (
        f'<link rel="canonical" href="{escape(story.url)}"><meta name="description" content="{escape(story.lead)}">'
        f'<meta name="author" content="{escape(names)}"><meta name="date" content="{story.local.isoformat()}">'
        f'<meta name="keywords" content="{escape(", ".join(story.tags))}">'
    )
    if story.noindex:
        head += '<meta name="robots" content="noindex">'
    body = _body(story, newer, popular, planted)
    main = f'<div class="post">{_header(story, names, planted)}<div class="entry">{body}</div>{_foot(story, planted)}</div>'
    return _page(
        story.house,
        title=f"{story.headline} | La Lanterne",
        language=story.language,
        head=head,
        main=main,
        planted=planted,
    )


def _header(story: Story, names: str, planted: Planted) -> str:
    moment = story.local
    if story.language == "en":
        when = f"{MONTHS['en'][moment.month - 1]} {moment.day}, {moment.year}"
    else:
        when = f"{moment.day} {MONTHS['fr'][moment.month - 1]} {moment.year} à {moment.hour} h {moment:%M}"
    words = _WORDS[story.language]
    signature = planted("byline", f"{words['by']} {names}")
    shares = "".join(f'<a href="#">{planted("share", label)}</a>' for label in words["share"])
    return (
        f'<p class="rubrique">{escape(story.section)}</p><h1>{escape(story.headline)}</h1><p class="signature">{signature} — {planted("timestamp", when)}</p>'
        f'<p class="partage">{shares}</p><figure><img src="{picture_path(story)}" alt=""><figcaption>{planted("caption", story.caption)} {planted("credit", story.credit)}</figcaption></figure>'
    )


def _body(story: Story, newer: Sequence[Story], popular: Sequence[Story], planted: Planted) -> str:
    words = _WORDS[story.language]
    parts = body_html(story.blocks, drop_cap=True)
    insert(parts, len(parts) // 2, f'<div class="pub"><span>{planted("ad_label", str(words["ad"]))}</span></div>')
    letter = (
        f'<div class="lettre"><p><b>{planted("newsletter", str(words["letter"]))}</b></p><p>{planted("newsletter", str(words["letter_text"]))}</p>'
        f'<form><input type="email"> <button>{words["button"]}</button></form></div>'
    )
    insert(parts, len(parts) // 2 + 2, letter)
    if story.escaped_caption:
        planted("escaped_markup", f"<p>{story.escaped_caption}</p>")
        parts.append(f"<p>{escape(f'<p>{story.escaped_caption}</p>')}</p>")
    return "".join(parts) + _newer(story, [*newer[:2], *popular[:1]], planted)


def _newer(story: Story, stories: Sequence[Story], planted: Planted) -> str:
    heading = planted("related", str(_WORDS[story.language]["newer"]))
    links = [f'<a href="{escape(other.path)}">{planted("related", other.headline)}</a>' for other in stories]
    if story.number % 2:
        return f"<p>{heading}</p>" + "".join(f"<p>{link}</p>" for link in links)
    colon = " :" if story.language == "fr" else ":"
    return f"<p><em>{heading}{colon}</em> {' · '.join(links)}</p>"


def _foot(story: Story, planted: Planted) -> str:
    bios = "".join(f'<p class="apropos">{planted("byline", author.bio)}</p>' for author in story.authors)
    tags = ", ".join(f'<a href="{story.house.sections[story.section]}">{planted("tag", tag)}</a>' for tag in story.tags)
    talk = planted("comments", str(_WORDS[story.language]["talk"]).format(count=story.number % 17 + 2))
    return f'{bios}<p class="mots">{tags}</p><p class="commentaires">{talk}</p>'


def listing(house: House, page: Listing) -> str:
    """The front page, a section or a month's archive."""
    cards = "".join(
        f'<div class="carte"><h2><a href="{escape(story.path)}">{escape(story.headline)}</a></h2><p>{escape(story.lead)}</p></div>'
        for story in page.stories
    )
    months = " · ".join(f'<a href="{path}">{escape(name)}</a>' for path, name in page.archives)
    return _page(
        house,
        title=f"{page.heading} | La Lanterne",
        language="fr",
        head=f'<link rel="canonical" href="{house.origin}{page.path}">',
        main=f'<p class="rubrique">Sommaire</p><h1>{escape(page.heading)}</h1>{cards}<p>Archives : {months}</p>',
        planted=Planted(),
    )


def missing(house: House) -> str:
    """The page that goes with status 404."""
    return _page(
        house,
        title="Page introuvable | La Lanterne",
        language="fr",
        head="",
        main="<h1>Page introuvable</h1><p>Elle a changé d’adresse, ou de vie. Le sommaire la connaît peut-être.</p>",
        planted=Planted(),
    )


def _page(house: House, *, title: str, language: str, head: str, main: str, planted: Planted) -> str:
    nav = "".join(f'<a href="{path}">{escape(name)}</a>' for name, path in house.sections.items())
    cookies = planted("cookie", "Ce site dépose un seul témoin, pour se souvenir de votre refus des autres.")
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>{head}'
        '<link rel="stylesheet" href="/style.css"></head><body>'
        f'<header class="entete"><p class="nom"><a href="/">La Lanterne</a></p><nav>{nav}</nav></header><div class="page">{main}</div>'
        f'<div class="temoins" id="cookie-consent"><p>{cookies} <button>D’accord</button></p></div>'
        f'<footer class="bas"><p>{planted("navigation", "La Lanterne, revue de culture et de sciences, paraît tous les jours et s’éteint à minuit.")}</p></footer></body></html>'
    )
