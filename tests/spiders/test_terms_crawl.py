"""Whole crawls that go by the terms of use which sites and pages name."""

from pathlib import Path

import pytest

from spiders import tdmrep
from tests.spiders.conftest import site_file
from tests.spiders.licences import PAYMENT, PERMITS, PROHIBITS, XML, content, licence
from tests.spiders.origin import Origin, Reply, moved
from tests.spiders.served import Crawl

PAGE = Reply("<html><head><title>T</title></head><body>" + "<p>A paragraph.</p>" * 50)


def serve_licence(origin: Origin, body: bytes, path: str = "/l.xml") -> None:
    origin.routes |= {
        "/robots.txt": Reply(f"License: {origin.url(path)}\nUser-agent: *\nDisallow: /private/\n", type="text/plain"),
        path: Reply(body, type=XML),
    }


def test_terms_are_read_before_the_first_page_and_stand_with_each(origin: Origin, crawl: Crawl, tmp_path: Path) -> None:
    """tdmrep.json and the licence are asked for once, politely, before any page; a second run within the day asks no more."""
    serve_licence(
        origin,
        licence(content("/", PERMITS.format("search")), content("/paid/", PAYMENT.format("crawl"))),
    )
    rules = '[{"location": "/", "tdm-reservation": 0}, {"location": "/a/1", "tdm-reservation": 1}]'
    origin.routes |= {tdmrep.PATH: Reply(rules, type="application/json"), "/a/0": PAGE, "/a/1": PAGE}
    urls = [["s", origin.url(path)] for path in ("/a/0", "/a/1", "/paid/1")]
    crawled = crawl({"s": {"url": origin.url()}}, urls=urls)
    assert crawled.outcomes == {"/a/0": "page", "/a/1": "page", "/paid/1": "licence_required"}
    assert "payment (crawl)" in crawled.reasons["/paid/1"]
    assert sorted(origin.paths()) == [tdmrep.PATH, "/a/0", "/a/1", "/l.xml", "/robots.txt"]
    assert set(origin.paths()[:3]) == {"/robots.txt", tdmrep.PATH, "/l.xml"}
    assert origin.most_at_once == {"site.localhost": 1}
    rights = {page.final_url[-4:]: page.rights for page in crawled.pages}
    assert rights["/a/0"]["tdm_reservation"] == "0"
    assert rights["/a/1"]["tdm_reservation"] == "1"
    assert rights["/a/1"]["licence_search"] == "yes"
    assert rights["/a/1"]["licence_train"] == "no"
    [refused] = [e for e in crawled.entries if e.get("outcome") == "licence_required"]
    assert refused["rights"]["licence_search"] == "crawl"
    crawled.assert_sums()
    again = crawl({"s": {"url": origin.url()}}, run_id="r2", urls=urls[:1])
    assert again.outcomes == {"/a/0": "page"}
    assert origin.paths()[5:] == ["/a/0"]


def test_a_licence_that_the_operator_holds_is_recorded_only(origin: Origin, crawl: Crawl) -> None:
    """`[rights] licence = "held"`: the page is fetched, its terms stand with it."""
    serve_licence(origin, licence(content("/", PROHIBITS.format("all"))))
    origin.routes["/a"] = PAGE
    crawled = crawl({"s": {"url": origin.url(), "rights": {"licence": "held"}}}, urls=[["s", origin.url("/a")]])
    assert crawled.outcomes == {"/a": "page"}
    assert crawled.pages[0].rights["licence_search"] == "no"


def test_a_page_that_names_its_own_licence_is_kept_only_by_it(origin: Origin, crawl: Crawl) -> None:
    """A licence in the page's header, link or script is read before the page is kept, once for all of its pages."""
    terms = licence(content("/a/closed", PROHIBITS.format("all")), content("/a/open", PERMITS.format("all")))
    link = '<link rel="license" type="application/rsl+xml" href="/own.xml">'
    inline = f'<script type="application/rsl+xml">{terms.decode()}</script>'
    header = {"Link": f'</own.xml>; rel="license"; type="{XML}"'}
    sites, urls = {}, []
    for name, head, fields in (("header", "", header), ("link", link, {}), ("inline", inline, {})):
        host = f"{name}.localhost"
        sites[name] = {"url": origin.url(host=host)}
        origin.routes[f"{host}/own.xml"] = Reply(terms, type=XML)
        for path in ("/a/closed", "/a/open"):
            origin.routes[host + path] = Reply(f"<html><head>{head}</head><body><p>x</p>", headers=fields)
            urls.append([name, origin.url(path, host)])
    crawled = crawl(sites, urls=urls)
    for name in sites:
        closed, opened = (origin.url(path, f"{name}.localhost") for path in ("/a/closed", "/a/open"))
        assert crawled.outcomes_by_url[closed] == "licence_required", name
        assert crawled.outcomes_by_url[opened] == "page", name
        assert origin.paths(f"{name}.localhost").count("/own.xml") == (0 if name == "inline" else 1)
    assert {page.rights["licence_train"] for page in crawled.pages} == {"yes"}
    assert set(origin.most_at_once.values()) == {1}
    crawled.assert_sums()


def test_a_licence_that_cannot_be_read_reserves_training_and_stops_nothing(origin: Origin, crawl: Crawl) -> None:
    """The page is fetched; that there is a licence nobody could read stands with it, and why is said."""
    troubles = {
        "missing": Reply(status=500),
        "broken": Reply("<rsl"),
        "entities": Reply('<!DOCTYPE a [<!ENTITY b "c">]><rsl><content url="/"/></rsl>'),
        "loop": moved("/l.xml"),
        "disallowed": Reply(licence(content("/", PERMITS.format("all")))),
        "refused": Reply(""),
    }
    sites, urls = {}, []
    for name, reply in troubles.items():
        host = f"{name}.localhost"
        path = "/private/l.xml" if name == "disallowed" else "/l.xml"
        where = origin.url(path, "127.0.0.2" if name == "refused" else host)
        robots = f"License: {where}\nUser-agent: *\nDisallow: /private/\n"
        origin.routes |= {f"{host}/robots.txt": Reply(robots, type="text/plain"), host + path: reply, f"{host}/a": PAGE}
        sites[name] = {"url": origin.url(host=host), "network": {"allow": ["127.0.0.1/32"]}}
        urls.append([name, origin.url("/a", host)])
    crawled = crawl(sites, urls=urls)
    assert {page.discovery.site for page in crawled.pages} == set(troubles)
    assert {page.rights["licence_train"] for page in crawled.pages} == {"unread"}
    why = {page.discovery.site: page.rights["licence_terms"] for page in crawled.pages}
    assert "status 500" in why["missing"]
    assert "document type" in why["entities"]
    assert "disallows" in why["disallowed"]
    assert "loopback address" in why["refused"]
    assert "/private/l.xml" not in origin.paths()
    crawled.assert_sums()


def test_noindex_in_the_page_is_never_captured(origin: Origin, crawl: Crawl) -> None:
    """A page that says noindex or none of itself ends so, without a copy of it being kept."""
    origin.routes |= {
        "/a/1": Reply('<head><meta name="robots" content="noindex"></head>'),
        "/a/2": Reply('<head><meta name="robots" content="noarchive,noai"></head><body>x'),
    }
    crawled = crawl({"s": {"url": origin.url()}}, urls=[["s", origin.url(f"/a/{n}")] for n in (1, 2)])
    assert crawled.outcomes == {"/a/1": "noindex", "/a/2": "page"}
    assert crawled.pages[0].rights["robots_meta"] == "noarchive, noai"


def test_links_of_a_nofollow_section_are_left(origin: Origin, crawl: Crawl) -> None:
    """A section page whose head says nofollow names no URLs."""
    links = "".join(f'<a href="/news/2026/11/2{n}/a-long-slug-of-words">x</a>' for n in range(3))
    origin.routes["/s"] = Reply(f'<html><head><meta name="robots" content="nofollow"></head><body>{links}')
    crawled = crawl({"s": {"url": origin.url(), "sources": {"sections": [origin.url("/s")]}}})
    assert crawled.sources["/s"]["outcome"] == "robots"
    assert "robots meta says nofollow" in crawled.sources["/s"]["reason"]
    assert crawled.discovered == []


def test_the_files_words_for_rights_are_checked(tmp_path: Path) -> None:
    """A wrong word is told with what is allowed."""
    from spiders.site import SiteError, load_site

    path = site_file(tmp_path, "s", "http://s.localhost/", rights={"licence": "hold"})
    with pytest.raises(SiteError, match=r'\[rights\] licence: .hold. was read; allowed: "honour" or "held"'):
        load_site(path)
