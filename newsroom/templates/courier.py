"""The Saltmarsh Courier: JSON-LD, a body in several containers with advertisements between them, link-heavy paragraphs."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from newsroom import specials
from newsroom.houses import House
from newsroom.markup import Listing, Planted, body_html, escape, json_ld, picture_path
from newsroom.stories import MONTHS, Story

SKY = ("#f3c58f", "#9cc3d5", "#dfe7ea", "#f0a07c", "#6f9fb8")
GROUND = ("#7fa3b0", "#5b8697", "#3f6c80", "#2b5468", "#173c50")

STYLE = """
:root{--ink:#10242f;--sea:#0b5563;--sand:#f6f1e7}*{box-sizing:border-box}
body{margin:0;font:18px/1.6 Georgia,"DejaVu Serif",serif;color:var(--ink);background:#fff}
a{color:var(--sea)}.top{border-bottom:4px double var(--ink);text-align:center;padding:22px 16px 0;background:var(--sand)}
.top .name{font-size:46px;letter-spacing:-1px;font-weight:700;margin:0}.top .name a{color:inherit;text-decoration:none}
.top .motto{font-style:italic;margin:0 0 12px}.nav{font:600 14px/1 Helvetica,"DejaVu Sans",sans-serif;padding:12px 0}
.nav a{margin:0 11px;text-decoration:none;text-transform:uppercase;letter-spacing:.06em}
main{max-width:1080px;margin:28px auto;padding:0 18px;display:grid;grid-template-columns:minmax(0,1fr) 280px;gap:48px}
h1{font-size:42px;line-height:1.15;margin:.2em 0}h2{font-size:25px;margin:1.4em 0 .3em}figure{margin:22px 0}img{width:100%;display:block}
figcaption,.article__meta,.credit{font:14px/1.45 Helvetica,"DejaVu Sans",sans-serif;color:#53656e}
.byline{font-weight:700;margin-right:12px}.credit{margin-left:8px}.kicker{font:700 13px/1 Helvetica,"DejaVu Sans",sans-serif;letter-spacing:.12em;text-transform:uppercase;color:#b3442e;margin:0}
.share{display:flex;gap:8px;list-style:none;padding:0}.share a{font:13px Helvetica,"DejaVu Sans",sans-serif;border:1px solid #c9d3d6;padding:5px 11px;border-radius:14px;text-decoration:none}
blockquote{border-left:4px solid #b3442e;margin:24px 0;padding-left:20px;font-size:21px;font-style:italic}blockquote p{margin:0}
.ad{background:#eef1f2;text-align:center;padding:12px 0 44px;margin:26px 0;font:12px Helvetica,"DejaVu Sans",sans-serif;color:#7b8a91}
.newsletter{background:var(--sand);border:1px solid #e2d8c2;padding:16px 22px;margin:28px 0}.newsletter button{background:var(--sea);color:#fff;border:0;padding:9px 18px}
.bio,.tags,.comments{border-top:1px solid #dbe2e4;padding:12px 0;font-size:16px}.rail h3{font-size:18px;border-bottom:2px solid var(--ink)}.rail ol{padding-left:20px}.rail li{margin-bottom:10px;font-size:16px}
.card{border-bottom:1px solid #dbe2e4;padding:16px 0}.card h2{margin:.1em 0;font-size:25px}.card a{text-decoration:none;color:inherit}
.consent{position:fixed;bottom:0;left:0;right:0;background:var(--ink);color:#fff;padding:14px 28px;font:15px Helvetica,"DejaVu Sans",sans-serif}.consent button{margin-left:10px}
footer{background:var(--ink);color:#cfdade;padding:26px;text-align:center;font-size:15px}footer a{color:#fff}
"""


def article(story: Story, newer: Sequence[Story], popular: Sequence[Story], planted: Planted) -> str:
    """An article's page."""
    return _page(
        story.house,
        title=f"{story.headline} – The Saltmarsh Courier",
        head=_head(story),
        main=f'<article class="article">{_header(story, planted)}{_contents(story, newer, planted)}{_foot(story, planted)}</article>'
        + _rail(popular, planted),
        planted=planted,
    )


def _head(story: Story) -> str:
    image = story.house.origin + picture_path(story)
    return (
        f'<link rel="canonical" href="{escape(story.url)}"><meta name="description" content="{escape(story.lead)}">'
        f'<meta property="og:image" content="{image}">' + json_ld(_news_article(story, image))
    )


def _news_article(story: Story, image: str) -> dict[str, Any]:
    people = [{"@type": "Person", "name": author.name} for author in story.authors]
    publisher = {"@type": "NewsMediaOrganization", "name": story.house.title, "url": story.house.origin + "/"}
    caption = f"<p>{story.caption}</p>" if story.escaped_caption else story.caption
    return {
        "@context": "https://schema.org",
        "@graph": [
            {"@type": "WebSite", "name": story.house.title, "url": story.house.origin + "/"},
            {
                "@type": "NewsArticle",
                "headline": story.headline,
                "description": story.lead,
                "url": story.url,
                "mainEntityOfPage": story.url,
                "datePublished": story.local.isoformat(),
                "dateModified": (story.modified or story.published).astimezone(story.local.tzinfo).isoformat(),
                "author": people or [{"@type": "Organization", "name": story.agency}],
                "publisher": publisher,
                "articleSection": story.section,
                "keywords": list(story.tags),
                "inLanguage": "en-GB",
                "isAccessibleForFree": True,
                "image": [{"@type": "ImageObject", "url": image, "caption": caption, "creditText": story.credit}],
            },
        ],
    }


def _header(story: Story, planted: Planted) -> str:
    names = " and ".join(author.name for author in story.authors) or str(story.agency)
    moment = story.local
    published = f"Published {moment.day} {MONTHS['en'][moment.month - 1]} {moment.year} at {moment:%H:%M}"
    marks = f' data-caption="{escape(f"<p>{story.caption}</p>")}"' if story.escaped_caption else ""
    shares = "".join(f'<li><a href="#">{planted("share", label)}</a></li>' for label in _SHARES)
    return (
        f'<header class="article__header"><p class="kicker">{escape(story.section)}</p><h1 class="article__title">{escape(story.headline)}</h1>'
        f'<p class="article__meta"><span class="byline">{planted("byline", f"By {names}")}</span> '
        f'<time datetime="{story.local.isoformat()}">{planted("timestamp", published)}</time></p><ul class="share">{shares}</ul></header>'
        f'<figure class="article__figure"><img src="{picture_path(story)}" alt="{escape(story.caption)}"{marks}>'
        f'<figcaption>{planted("caption", story.caption)} <span class="credit">{planted("credit", story.credit)}</span></figcaption></figure>'
    )


_SHARES = ("Share on Mastodon", "Send by e-mail", "Copy this link")


def _contents(story: Story, newer: Sequence[Story], planted: Planted) -> str:
    """The body, cut into three containers; the last also holds what an editor or a script appended to it."""
    sections = list(story.house.sections.values())
    parts = body_html(story.blocks, links=sections if story.number % 2 else ())
    cuts = (0, len(parts) // 3, 2 * len(parts) // 3, len(parts))
    chunks = ["".join(parts[low:high]) for low, high in pairwise(cuts)]
    if story.escaped_caption:
        planted("escaped_markup", f"<p>{story.escaped_caption}</p>")
        chunks[2] += f"<p>{escape(f'<p>{story.escaped_caption}</p>')}</p>"
    chunks[2] += _newer(story.number % 4, newer, planted)
    containers = [f'<div class="article__content">{chunk}</div>' for chunk in chunks]
    return containers[0] + _advertisement(planted) + containers[1] + _newsletter(planted) + containers[2]


def _advertisement(planted: Planted) -> str:
    return f'<aside class="ad"><span>{planted("ad_label", "Advertisement – story continues below")}</span></aside>'


def _newsletter(planted: Planted) -> str:
    return (
        f'<section class="newsletter"><h3>{planted("newsletter", "The Tide Table, our morning letter")}</h3>'
        f"<p>{planted('newsletter', 'Sign up and read the day’s news in one letter, before breakfast. You can leave at any time.')}</p>"
        '<form><input type="email" placeholder="Your e-mail address"> <button>Sign up</button></form></section>'
    )


def _newer(form: int, newer: Sequence[Story], planted: Planted) -> str:
    """The list of newer articles in the four forms in which it turns up at the end of a body."""
    links = [f'<a href="{escape(story.path)}">{planted("related", story.headline)}</a>' for story in newer]
    heading = planted("related", "Newer articles")
    if form == 0:
        return f"<h3>{heading}</h3><ul>" + "".join(f"<li>{link}</li>" for link in links) + "</ul>"
    if form == 1:
        return f"<ul><li>{heading}</li>" + "".join(f"<li>{link}</li>" for link in links) + "</ul>"
    if form == 2:
        return f"<p>{heading}</p>" + "".join(f"<p>{link}</p>" for link in links)
    return f"<p><strong>{heading}:</strong> {' | '.join(links)}</p>"


def _foot(story: Story, planted: Planted) -> str:
    bios = "".join(f'<p class="bio">{planted("byline", author.bio)}</p>' for author in story.authors)
    tags = ", ".join(
        f'<a rel="tag" href="{story.house.sections[story.section]}">{planted("tag", tag)}</a>' for tag in story.tags
    )
    talk = planted("comments", f"Join the conversation: {story.number % 37 + 2} readers have written to us")
    return f'{bios}<p class="tags">Filed under {tags}</p><div class="comments"><p>{talk}</p></div>'


def _rail(popular: Sequence[Story], planted: Planted) -> str:
    items = "".join(
        f'<li><a href="{escape(story.path)}">{planted("related", story.headline)}</a></li>' for story in popular
    )
    return f'<aside class="rail"><h3>{planted("related", "Most read this week")}</h3><ol>{items}</ol></aside>'


def listing(house: House, page: Listing) -> str:
    """The front page, a section, a topic or a month's archive."""
    cards = "".join(
        f'<div class="card"><p class="kicker">{escape(story.section)}</p><h2><a href="{escape(story.path)}">{escape(story.headline)}</a></h2><p>{escape(story.lead)}</p></div>'
        for story in page.stories
    )
    months = "".join(f'<li><a href="{path}">{escape(name)}</a></li>' for path, name in page.archives)
    rail = f'<aside class="rail"><h3>Archive</h3><ol>{months}</ol></aside>'
    return _page(
        house,
        title=f"{page.heading} – The Saltmarsh Courier",
        head=f'<link rel="canonical" href="{house.origin}{page.path}">',
        main=f"<section><h1>{escape(page.heading)}</h1>{cards}</section>{rail}",
        planted=Planted(),
    )


def live(house: House, path: str, day: str) -> str:
    """A live blog: posts with times, newest first."""
    posts = "".join(
        f'<article class="live-post"><time datetime="{day}T{clock}:00+00:00">{clock}</time><p>{escape(text)}</p></article>'
        for clock, text in specials.LIVE_POSTS
    )
    updates = [
        {"@type": "BlogPosting", "datePublished": f"{day}T{clock}:00+00:00", "articleBody": text}
        for clock, text in specials.LIVE_POSTS
    ]
    blog = {
        "@context": "https://schema.org",
        "@type": "LiveBlogPosting",
        "headline": specials.LIVE_HEADLINE,
        "coverageStartTime": f"{day}T18:45:00+00:00",
        "coverageEndTime": f"{day}T23:40:00+00:00",
        "liveBlogUpdate": updates,
    }
    return _page(
        house,
        title=f"{specials.LIVE_HEADLINE} – The Saltmarsh Courier",
        head=f'<link rel="canonical" href="{house.origin}{path}">' + json_ld(blog),
        main=f'<div class="live-blog"><p class="kicker">Live</p><h1>{escape(specials.LIVE_HEADLINE)}</h1>{posts}</div>',
        planted=Planted(),
    )


def script_only(house: House) -> str:
    """A page that is empty until its script has run."""
    return (
        '<!doctype html><html lang="en-GB"><head><meta charset="utf-8"><title>Flood map</title>'
        f'<link rel="stylesheet" href="{house.origin}/style.css"></head><body><div id="root"></div>'
        "<noscript>You need to enable JavaScript to run this app.</noscript>"
        '<script src="/assets/flood-map.js" defer></script></body></html>'
    )


def missing(house: House) -> str:
    """The page that goes with status 404."""
    return _page(
        house,
        title="Page not found – The Saltmarsh Courier",
        head="",
        main="<section><h1>Page not found</h1><p>It may have been moved, or it may never have been. Try the front page.</p></section>",
        planted=Planted(),
    )


def _page(house: House, *, title: str, head: str, main: str, planted: Planted) -> str:
    nav = "".join(f'<a href="{path}">{escape(name)}</a>' for name, path in house.sections.items())
    cookies = planted("cookie", "We use cookies to count readers and to remember that you have seen this sentence.")
    return (
        f'<!doctype html><html lang="en-GB"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title>{head}<link rel="stylesheet" href="/style.css"><link rel="alternate" type="application/rss+xml" href="/feed.rss"></head><body>'
        f'<div class="consent" role="dialog" aria-label="Cookies"><p>{cookies} <button>Accept all</button><button>Only what is needed</button></p></div>'
        f'<header class="top"><p class="name"><a href="/">The Saltmarsh Courier</a></p><p class="motto">With the tide since 1871</p><nav class="nav">{nav}</nav></header>'
        f"<main>{main}</main>"
        f'<footer><p>{planted("navigation", "The Saltmarsh Courier is printed on the Ropewalk and read wherever the ferry goes.")}</p><p><a href="/">Front page</a></p></footer></body></html>'
    )
