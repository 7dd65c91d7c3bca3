"""Terms of use: what tdmrep.json, RSL licences and a page's head say."""

import contextlib
import gzip
import json
import os
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import brotli
import pytest
import time_machine
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from spiders import pagehead, rsl, tdmrep
from spiders.daycache import DayCache
from spiders.pathpattern import matches
from spiders.rights import forbids_archiving, forbids_following, forbids_indexing, header_rights, licence_links
from spiders.robots import parse
from spiders.terms import Terms, demand
from tests.spiders.licences import PAYMENT, PERMITS, PROHIBITS, content, licence

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("/", "/anything", True),
        ("/a", "/ab", True),
        ("/a$", "/ab", False),
        ("/a$", "/a", True),
        ("/*.html", "/a/b.html?x=1", True),
        ("/*.html$", "/a/b.html?x=1", False),
        ("/a*b*c$", "/aXbYc", True),
        ("/*bc$", "/bcbc", True),
        ("/a*a$", "/a", False),
        ("*", "/", True),
        ("/b", "/a/b", False),
    ],
)
def test_patterns_are_those_of_robots_txt(pattern: str, path: str, fits: bool) -> None:
    """A pattern fits the beginning of a path; * is any text and a last $ the end."""
    assert matches(pattern, path) is fits


@given(st.text("ab*$/", max_size=40), st.text("ab/", max_size=40))
def test_a_pattern_is_its_regular_expression(pattern: str, path: str) -> None:
    """Whatever the pattern: the same answer as the regular expression that it stands for."""
    ends = pattern.endswith("$")
    expression = ".*".join(map(re.escape, pattern.removesuffix("$").split("*"))) + (r"\Z" if ends else "")
    assert matches(pattern, path) is bool(re.match(expression, path, re.DOTALL))


def test_no_pattern_explodes() -> None:
    """Nine hundred stars against a long path cost hundredths of a second of CPU."""
    began = time.process_time()
    assert not matches("/" + "*a" * 900 + "$", "/" + "a" * 999 + "b" * 1000)
    assert time.process_time() - began < 0.05


def test_the_longest_location_of_tdmrep_decides() -> None:
    """As with robots.txt, the most particular location wins, whatever the order; a policy comes with it."""
    rules = tdmrep.read(
        json.dumps(
            [
                {"location": "/news/*.html", "tdm-reservation": 1, "tdm-policy": "https://x.localhost/policy.json"},
                {"location": "/", "tdm-reservation": 0},
                {"location": "/news", "tdm-reservation": "1"},
                {"location": "/odd", "tdm-reservation": 7},
                {"tdm-reservation": 1},
                "no rule",
            ]
        ).encode()
    )
    assert len(rules) == 3
    assert tdmrep.said_of(rules, "/") == {"tdm_reservation": "0"}
    assert tdmrep.said_of(rules, "/news/x") == {"tdm_reservation": "1"}
    assert tdmrep.said_of(rules, "/news/a.html") == {
        "tdm_reservation": "1",
        "tdm_policy": "https://x.localhost/policy.json",
    }
    assert tdmrep.said_of(tdmrep.read(b'{"location": "/in", "tdm-reservation": 1}'), "/out") == {}


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps).map(str.encode)
)
def test_no_bytes_break_the_readers(body: bytes) -> None:
    """Any bytes are rules or none, terms or LicenceError, a head or nothing."""
    assert all(rule.reservation in "01" for rule in tdmrep.read(body))
    with contextlib.suppress(rsl.LicenceError):
        rsl.read(body)
    for coding in ("gzip", "br", "zstd", "deflate", "x", ""):
        pagehead.read(body, [("Content-Encoding", coding)], "https://x.localhost/")


@pytest.mark.parametrize(
    ("contents", "search", "train"),
    [
        (content("/", PERMITS.format("search")), "yes", "no"),
        (content("/", PERMITS.format("all")), "yes", "yes"),
        (content("/", PROHIBITS.format("ai-train")), "yes", "no"),
        (content("/", PROHIBITS.format("train-genai")), "yes", "no"),
        (content("/", PROHIBITS.format("all")), "no", "no"),
        (content("/", PERMITS.format("all") + PROHIBITS.format("ai-all")), "yes", "no"),
        (content("/", PERMITS.format("search, ai-train") + PAYMENT.format("attribution")), "yes", "yes"),
        (content("/", PERMITS.format("ai-all") + PAYMENT.format("crawl")), "no", "crawl"),
        (
            content("/", PERMITS.format("search"), PERMITS.format("ai-train") + PAYMENT.format("training")),
            "yes",
            "training",
        ),
        (content("/", PAYMENT.format("subscription")), "subscription", "subscription"),
        (content("/", PERMITS.format("all") + '<permits type="user">education</permits>'), "limited", "limited"),
        (content("/", PERMITS.format("all"), more=' server="https://licences.localhost"'), "server", "server"),
        (content("/", PROHIBITS.format("all")) + content("/free/", PERMITS.format("all")), "no", "no"),
        (content("https://x.localhost/a*", PERMITS.format("search")), "yes", "no"),
    ],
)
def test_what_a_licence_lets_us_do(contents: str, search: str, train: str) -> None:
    """Usages, payments, users and servers, as RSL 1.0 words them and as its drafts did."""
    said = rsl.terms_of(rsl.read(licence(contents)), "https://x.localhost/a")
    assert (said["licence_search"], said["licence_train"]) == (search, train)
    assert (
        demand({"licence": "L", **said}) is None if search == "yes" else "L" in (demand({"licence": "L", **said}) or "")
    )


def test_the_longest_content_decides() -> None:
    """A content of a folder wins over that of the site; one of another host is not about the page."""
    contents = rsl.read(
        licence(
            content("/", PROHIBITS.format("all")),
            content("/free/*", PERMITS.format("all")),
            content("https://other.localhost/free/x", PROHIBITS.format("all")),
        )
    )
    assert rsl.terms_of(contents, "https://x.localhost/free/x")["licence_train"] == "yes"
    assert rsl.terms_of(contents, "https://x.localhost/y")["licence_train"] == "no"
    assert rsl.terms_of(contents[2:], "https://x.localhost/free/x") == {}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'<!DOCTYPE rsl [<!ENTITY a SYSTEM "file:///etc/hostname">]><rsl><content url="&a;"/></rsl>', "no XML"),
        (b'<!DOCTYPE rsl SYSTEM "http://127.0.0.1:9/x.dtd"><rsl><content url="/"/></rsl>', "document type"),
        (b"<html><p>Our licence</html>", "no XML"),
        (b"<rss/>", "no <content>"),
        (b"", "no XML"),
        (b"<rsl>" + b"<content>" * 100_000, "no XML"),
    ],
)
def test_what_is_no_licence_is_refused(body: bytes, why: str) -> None:
    """No entity is expanded, nothing is fetched, nesting is bounded: the file is unread, and the reason says why."""
    with pytest.raises(rsl.LicenceError, match=why):
        rsl.read(body)


HEAD = (
    b'<html><head><META NAME="Robots" content="noarchive, NoAI"><meta name=tdm-reservation content=1>'
    b"<meta content='https://x.localhost/p.json' name='tdm-policy'>"
    b'<link rel="license" type="application/rsl+xml" href="/licence.xml?a=1&amp;b=2"></head><body>'
)


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (HEAD, ""),
        (gzip.compress(HEAD + b"<p>x</p>" * 9999, mtime=0), "gzip"),
        (brotli.compress(HEAD), "br"),
        (zstandard.compress(HEAD), "zstd"),
        (gzip.compress(HEAD + os.urandom(9999))[:5000], "gzip"),
        (HEAD, "gzip"),
    ],
    ids=["plain", "gzip", "br", "zstd", "cut", "false"],
)
def test_a_page_says_its_terms_in_its_head(body: bytes, coding: str) -> None:
    """Robots meta, TDMRep's meta and an RSL link are read from the first bytes, whatever their coding."""
    head = pagehead.read(body, [("Content-Encoding", coding)] if coding else [], "https://x.localhost/a")
    assert head.robots == ("noarchive", "noai")
    assert head.tdm == {"tdm_reservation": "1", "tdm_policy": "https://x.localhost/p.json"}
    assert head.licence == "https://x.localhost/licence.xml?a=1&b=2"


def test_only_the_head_speaks_for_the_page() -> None:
    """What stands in the body (a quoted tag, a comment form) and what names other crawlers is none of its terms."""
    body = b'<head><meta name="googlebot" content="noindex"></head><body><meta name="robots" content="noindex">'
    assert pagehead.read(body, [], "https://x.localhost/") == pagehead.NOTHING
    named = b'<head><meta name="nightdesk" content="noindex">'
    assert pagehead.read(named, [], "https://x.localhost/").robots == ("noindex",)


def test_the_most_particular_word_holds(tmp_path: Path) -> None:
    """TDMRep: the page's meta over the header over the file. RSL: the page over its header over robots.txt."""
    terms, url = Terms(DayCache(tmp_path)), "https://x.localhost/a"
    robots = parse(b"License: https://x.localhost/l.xml\nUser-agent: *\nContent-Signal: ai-train=no\n")
    assert terms.missing("https://x.localhost", robots, NOW) == [
        "https://x.localhost/.well-known/tdmrep.json",
        "https://x.localhost/l.xml",
    ]
    terms.take("https://x.localhost" + tdmrep.PATH, 200, (), b'[{"location": "/", "tdm-reservation": 1}]', NOW)
    terms.take("https://x.localhost/l.xml", 200, (), licence(content("/", PERMITS.format("search"))), NOW)
    terms.take("https://x.localhost/own.xml", 200, (), licence(content("/", PERMITS.format("all"))), NOW)
    said = terms.of_page(url, robots)
    assert (said["tdm_reservation"], said["licence"], said["licence_train"]) == ("1", "https://x.localhost/l.xml", "no")
    assert said["content_signal"] == "ai-train=no"
    linked = (("TDM-Reservation", "0"), ("Link", '</own.xml>; rel="license"; type="application/rsl+xml"'))
    said = terms.of_page(url, robots, linked)
    assert (said["tdm_reservation"], said["licence"], said["licence_train"]) == (
        "0",
        "https://x.localhost/own.xml",
        "yes",
    )
    head = pagehead.Head(
        tdm={"tdm_reservation": "1"}, rsl=licence(content("", PROHIBITS.format("all"))), robots=("noai",)
    )
    said = terms.of_page(url, robots, linked, head)
    assert (said["tdm_reservation"], said["licence_search"], said["robots_meta"]) == ("1", "no", "noai")


def test_terms_are_asked_for_once_a_day(tmp_path: Path) -> None:
    """A kept answer holds for 24 hours, and longer only while the file cannot be had; 404 is an answer, 503 is none."""
    robots, url = parse(b""), "https://x.localhost" + tdmrep.PATH
    with time_machine.travel(NOW, tick=False):
        terms = Terms(DayCache(tmp_path))
        terms.take(url, 200, (), b'[{"location": "/", "tdm-reservation": 1}]', NOW)
    later = Terms(DayCache(tmp_path))
    assert later.missing("https://x.localhost", robots, NOW + timedelta(hours=23)) == []
    next_day = Terms(DayCache(tmp_path))
    assert next_day.missing("https://x.localhost", robots, NOW + timedelta(hours=25)) == [url]
    next_day.take(url, 503, (), b"", NOW + timedelta(hours=25))
    assert next_day.of_page("https://x.localhost/a", robots) == {"tdm_reservation": "1"}
    gone = Terms(DayCache(tmp_path))
    gone.take(url, 404, (), b"", NOW + timedelta(hours=26))
    assert gone.of_page("https://x.localhost/a", robots) == {}


def test_robots_directives_are_heeded_wherever_they_stand() -> None:
    """Header and meta forbid the same: keeping (noindex), following (nofollow), archiving (noarchive, nocache)."""
    assert forbids_indexing({"robots_meta": "none"}) == "robots meta says none"
    assert forbids_indexing({"x_robots_tag": "noindex, noai"}) == "X-Robots-Tag says noindex, noai"
    assert forbids_indexing({"robots_meta": "noarchive"}) is None
    assert forbids_following({"robots_meta": "nofollow"})
    assert forbids_archiving({"x_robots_tag": "noarchive"})
    assert forbids_archiving({"robots_meta": "index, nocache"})
    assert not forbids_archiving({"robots_meta": "noindex"})


@pytest.mark.parametrize(
    ("said", "over"),
    [
        ("unavailable_after: 25 Jun 2010 15:00:00 PST", True),
        ("noai, unavailable_after: Wednesday, 03 Sep 2025 15:00:00 GMT", True),
        ("unavailable_after: 2026-11-23T11:59:00Z, noai", True),
        ("unavailable_after: 2026-11-23T12:01:00Z", False),
        ("unavailable_after: some day", False),
    ],
)
def test_a_page_whose_time_is_over_is_not_kept(said: str, over: bool) -> None:
    """unavailable_after a time that is past forbids what noindex forbids, in the header and in the page."""
    header = header_rights([("X-Robots-Tag", said)])
    meta = pagehead.read(f'<head><meta name="robots" content="{said}">'.encode(), [], "https://x.localhost/")
    assert (forbids_indexing(header, NOW) is not None) is over
    assert (forbids_indexing({"robots_meta": ", ".join(meta.robots)}, NOW) is not None) is over


def test_a_licence_is_what_a_link_says_it_is() -> None:
    """A Link of relation license, among others and quoted or not; of an RSL type it is a file to read."""
    fields = [("Link", '</n>; rel=next, <https://x/l.xml>; type="application/rsl+xml"; rel="license author"')]
    assert licence_links(fields) == [("https://x/l.xml", True)]
    assert header_rights(fields) == {"licence": "https://x/l.xml"}
    assert licence_links([("Link", "<https://x/by/4.0>; rel=license")]) == [("https://x/by/4.0", False)]
    assert licence_links([("Link", '<https://x/license>; rel="next"')]) == []
