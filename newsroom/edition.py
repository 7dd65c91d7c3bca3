"""One edition of the three sites, whole: every address and what it answers, a function of date, edition and port."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from types import ModuleType

from newsroom import feeds, specials
from newsroom.houses import House, houses
from newsroom.markup import Listing, Planted, escape, picture, picture_path
from newsroom.stories import MONTHS, Story, daily, edited, late
from newsroom.templates import bote, courier, lanterne

DAYS = 32
MOST_DAYS = 4000
_HTML, _XML = "text/html; charset=utf-8", "application/xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What an address answers."""

    body: bytes
    content_type: str = _HTML
    status: int = 200
    last_modified: datetime | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """The sites as they stand. `pages` is by host name (without port) and path with query."""

    houses: tuple[House, ...]
    stories: tuple[Story, ...]  # those that a reader of the sources gets to, and those that are kept from readers
    pages: dict[str, dict[str, Resource]]
    missing: dict[str, Resource]  # by host name, for every other path
    planted: dict[str, tuple[tuple[str, str], ...]]  # by URL of an article: (kind, line)
    outcomes: dict[str, str]  # by URL that is named by a source and is no article to be had
    aliases: dict[str, str]  # by URL that is named by a source: the article's own URL


@dataclass(slots=True)
class _Desk:
    """What grows while an edition is made up."""

    pages: dict[str, dict[str, Resource]] = field(default_factory=dict)
    planted: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)

    def put(self, house: House, path: str, text: str | bytes, at: datetime | None = None, **fields: object) -> None:
        body = text.encode() if isinstance(text, str) else text
        resource = replace(Resource(body=body, last_modified=at), **fields)  # type: ignore[arg-type]  # fields of Resource
        self.pages.setdefault(house.host.partition(":")[0], {})[path] = resource


def build(anchor: date, edition: int, port: int, *, days: int = DAYS, started: datetime | None = None) -> Edition:
    """Make up edition 1 or 2 of the `days` days before `anchor`.

    `started` is when the edited article of edition 2 was edited (UTC; midnight of the anchor if not given): a server
    gives the time of its own start, which is later than any crawl of edition 1. Raises ValueError for other editions
    or for days out of 14-4000, fewer of which do not hold the hand-written articles.
    """
    if edition not in (1, 2):
        raise ValueError(f"edition {edition}: there are two, 1 and 2")
    if not 14 <= days <= MOST_DAYS:
        raise ValueError(f"days {days}: from 14 to {MOST_DAYS}")
    sites = houses(port)
    parts = specials.cast(sites, anchor)
    if edition == 2:
        position, text = specials.BRIDGE_EDIT
        at = (started or datetime.combine(anchor, time(), UTC)).replace(microsecond=0)
        parts = replace(parts, bridge=edited(parts.bridge, position=position, text=text, at=at))
    desk = _Desk()
    stories: list[Story] = []
    for house, template in zip(sites, (courier, bote, lanterne), strict=True):
        own = [*daily(house, anchor - timedelta(days=days), anchor - timedelta(days=1)), *parts.of(house)]
        own += [late(house, anchor - timedelta(days=1))] if edition == 2 else []
        own.sort(key=lambda story: story.published, reverse=True)
        _make_up(desk, house, template, own)
        stories += own
    _courier_extras(desk, sites[0], parts, [story for story in stories if story.house is sites[0]])
    _bote_extras(desk, sites[1], parts, [story for story in stories if story.house is sites[1]])
    _lanterne_extras(desk, sites[2], parts)
    _others(desk, sites, port)
    return Edition(
        houses=sites,
        stories=tuple(stories),
        pages=desk.pages,
        missing={
            house.host.partition(":")[0]: Resource(body=template.missing(house).encode(), status=404)
            for house, template in zip(sites, (courier, bote, lanterne), strict=True)
        },
        planted=desk.planted,
        outcomes=desk.outcomes,
        aliases=desk.aliases,
    )


def _make_up(desk: _Desk, house: House, template: ModuleType, own: Sequence[Story]) -> None:
    """The pages that every site has: articles and their pictures, front page, sections, months."""
    listed = [story for story in own if not story.hidden]
    for place, story in enumerate(own):
        planted = Planted()
        newer = [other for other in own[max(0, place - 3) : place + 4] if other is not story and not other.hidden][:3]
        popular = [other for other in listed[place % 7 :: 7] if other is not story and other not in newer][:4]
        page = template.article(story, newer, popular, planted)
        desk.put(house, story.path, page, feeds.moment(story))
        desk.planted[story.url] = tuple(planted.lines)
        image = picture(story.path, template.SKY, template.GROUND)
        desk.put(house, picture_path(story), image, story.published, content_type="image/svg+xml")
    months = [(f"/archive/{year}/{month:02}/", list(group)) for (year, month), group in groupby(listed, _month)]
    names = [(path, f"{MONTHS[house.languages[0]][group[0].local.month - 1]} {path[9:13]}") for path, group in months]
    newest = max(map(feeds.moment, listed))
    listings = [Listing(path="/", heading=house.title, stories=listed[:20], archives=names)]
    listings += [
        Listing(path=path, heading=name, stories=[story for story in listed if story.section == name], archives=names)
        for name, path in house.sections.items()
    ]
    listings += [
        Listing(path=path, heading=name, stories=group) for (path, group), (_, name) in zip(months, names, strict=True)
    ]
    for listing in listings:
        desk.put(house, listing.path, template.listing(house, listing), newest)
    desk.put(house, "/style.css", template.STYLE, content_type="text/css; charset=utf-8")


def _month(story: Story) -> tuple[int, int]:
    return story.local.year, story.local.month


def _courier_extras(desk: _Desk, house: House, parts: specials.Cast, own: Sequence[Story]) -> None:
    """RSS, news sitemap and sitemap index, and the pages that are no articles."""
    listed = [story for story in own if not story.hidden]
    newest = max(map(feeds.moment, listed))
    live_day = parts.members.local.date()
    live_path = f"/weather/live-storm-agatha-{parts.members.number}/"
    desk.put(house, live_path, courier.live(house, live_path, live_day.isoformat()), parts.members.published)
    desk.put(house, "/interactive/flood-map/", courier.script_only(house), parts.members.published)
    script = 'document.getElementById("root").textContent = "Flood map";\n'
    desk.put(house, "/assets/flood-map.js", script, content_type="text/javascript")
    topic = Listing(path="/topics/ferries/", heading="All about: ferries", stories=listed[2:40:3])
    desk.put(house, topic.path, courier.listing(house, topic), newest)
    old, moved = f"/news.php?story={listed[4].number}", listed[4]
    desk.put(house, old, "", status=301, headers=(("Location", moved.url),))
    desk.outcomes |= {
        house.origin + live_path: "live",
        house.origin + "/interactive/flood-map/": "script_only",
        house.origin + topic.path: "index",
        house.origin + old: "duplicate",
        house.origin + "/town-hall/plans-for-the-old-library-4711/": "gone",
        parts.members.url: "robots",
        _advertisement(house): "off_site",
    }
    months = [(f"/sitemaps/{year}-{month:02}.xml", list(group)) for (year, month), group in groupby(listed, _month)]
    children: list[tuple[str, datetime]] = []
    for place, (path, group) in enumerate(months):
        text = feeds.sitemap([(story.url, feeds.moment(story)) for story in group])
        at = max(map(feeds.moment, group))
        if place:
            desk.put(house, f"{path}.gz", feeds.zipped(text), at, content_type="application/x-gzip")
        else:
            desk.put(house, path, text, at, content_type=_XML)
        children.append((f"{house.origin}{path}{'.gz' if place else ''}", at))
    others = [url for url in desk.outcomes if url.startswith(house.origin)]
    desk.put(house, "/sitemaps/pages.xml", feeds.sitemap([(url, None) for url in others]), newest, content_type=_XML)
    children.append((house.origin + "/sitemaps/pages.xml", newest))
    desk.put(house, "/sitemap-index.xml", feeds.sitemap_index(children), newest, content_type=_XML)
    recent = [story for story in listed if story.published > listed[0].published - timedelta(days=2)]
    desk.put(house, "/news-sitemap.xml", feeds.news_sitemap(house, recent), newest, content_type=_XML)
    tagged = listed[6]
    desk.aliases[tagged.url + feeds.TRACKING] = tagged.url
    feed = feeds.rss(house, listed[:20], tagged=tagged, advertisement=_advertisement(house))
    desk.put(house, "/feed.rss", feed, newest, content_type="application/rss+xml")
    robots = f"User-agent: *\nDisallow: /members/\nCrawl-delay: 0.05\n\nSitemap: {house.origin}/sitemap-index.xml\nSitemap: {house.origin}/news-sitemap.xml\n"
    desk.put(house, "/robots.txt", robots, content_type="text/plain")


def _advertisement(house: House) -> str:
    return f"http://adverts.localhost:{house.host.partition(':')[2]}/spring-sale?from=courier"


def _bote_extras(desk: _Desk, house: House, parts: specials.Cast, own: Sequence[Story]) -> None:
    """Atom, a JSON feed and one flat sitemap, a gallery, a page that is gone, an article behind the wall."""
    gallery = f"/fotos/lichterfest-auf-der-lindenau-id{parts.paid_stub.number}.html"
    desk.put(house, gallery, bote.gallery(house, gallery), parts.paid_stub.published)
    for place in range(1, len(specials.GALLERY_CAPTIONS) + 1):
        image = picture(f"lichterfest {place}", ("#1b2440", "#3a2c52"), bote.GROUND)
        desk.put(house, f"/images/lichterfest-{place}.svg", image, content_type="image/svg+xml")
    gone = "/lokales/meldung-ohne-gewaehr-id4711.html"
    desk.put(house, gone, bote.missing(house), status=410)
    desk.outcomes |= {
        parts.paid_stub.url: "paywall",
        house.origin + gallery: "gallery",
        house.origin + gone: "gone",
    }
    newest = max(map(feeds.moment, own))
    pages: list[tuple[str, datetime | None]] = [(story.url, feeds.moment(story)) for story in own]
    pages += [(house.origin + path, parts.paid_stub.published) for path in (gallery, gone)]
    desk.put(house, "/sitemap.xml", feeds.sitemap(pages), newest, content_type=_XML)
    desk.put(house, "/feed.json", feeds.json_feed(house, own[:15]), newest, content_type="application/feed+json")
    desk.put(house, "/atom.xml", feeds.atom(house, own[:20]), newest, content_type="application/atom+xml")
    robots = f"User-agent: *\nDisallow: /suche\nCrawl-delay: 0.03\n\nSitemap: {house.origin}/sitemap.xml\n"
    desk.put(house, "/robots.txt", robots, content_type="text/plain")


def _lanterne_extras(desk: _Desk, house: House, parts: specials.Cast) -> None:
    """Neither feed nor sitemap: everything is found in the section pages. One page asks not to be taken up."""
    host, path = house.host.partition(":")[0], parts.noindex.path
    desk.pages[host][path] = replace(desk.pages[host][path], headers=(("X-Robots-Tag", "noindex"),))
    desk.outcomes[parts.noindex.url] = "noindex"
    robots = "User-agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /\n"
    desk.put(house, "/robots.txt", robots, content_type="text/plain")


def _others(desk: _Desk, sites: Iterable[House], port: int) -> None:
    """The advertiser's page, which nobody should ask for, and a table of contents for people."""
    desk.pages["adverts.localhost"] = {
        "/spring-sale?from=courier": Resource(
            body=b"<!doctype html><title>Spring sale</title><h1>Everything must go</h1>"
        )
    }
    links = "".join(f'<li><a href="{house.origin}/">{escape(house.title)}</a></li>' for house in sites)
    body = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Newsroom</title><h1>The newsroom</h1><p>Three sites on port {port}:</p><ul>{links}</ul></html>'
    desk.pages["localhost"] = {"/": Resource(body=body.encode())}
