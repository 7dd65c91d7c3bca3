"""What answers mean: statuses, redirects, waiting, rights."""

from datetime import UTC, datetime

import pytest

from extraction.records import Discovery, Outcome
from spiders.asks import Ask, Kind
from spiders.rights import demands_licence, forbids_indexing, header_rights
from spiders.site import Site
from spiders.verdict import MOST_HOPS, Ended, Moved, follow, judge_page, retry_after_s

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SITE = Site(
    name="s",
    title="S",
    url="https://news.example.org/",
    country="be",
    languages=("en",),
    time_zone="Europe/Brussels",
    hosts=("*.example.org",),
)


def page(url: str = "https://news.example.org/2026/a", hops: tuple[str, ...] = (), **more: object) -> Ask:
    found = Discovery(url=url, site="s", found_in="f", found_by="feed")
    return Ask(kind=Kind.PAGE, url=url, site=SITE, discovery=found, hops=hops, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "headers", "outcome"),
    [
        (404, {}, Outcome.GONE),
        (410, {}, Outcome.GONE),
        (401, {}, Outcome.BLOCKED),
        (403, {}, Outcome.BLOCKED),
        (451, {}, Outcome.BLOCKED),
        (401, {"WWW-Authenticate": 'License error="invalid_request"'}, Outcome.LICENCE_REQUIRED),
        (429, {}, Outcome.RATE_LIMITED),
        (503, {"Retry-After": "5"}, Outcome.RATE_LIMITED),
        (503, {}, Outcome.SERVER_ERROR),
        (500, {}, Outcome.SERVER_ERROR),
        (504, {}, Outcome.SERVER_ERROR),
        (400, {}, Outcome.HTTP_ERROR),
        (418, {}, Outcome.HTTP_ERROR),
        (999, {}, Outcome.HTTP_ERROR),
        (204, {}, Outcome.HTTP_ERROR),
        (304, {}, Outcome.HTTP_ERROR),
        (301, {}, Outcome.HTTP_ERROR),
        (300, {"Location": "/b"}, Outcome.HTTP_ERROR),
        (200, {"X-Robots-Tag": "noindex"}, Outcome.NOINDEX),
        (200, {"X-Robots-Tag": "googlebot: noindex"}, None),
        (200, {"X-Robots-Tag": "Nightdesk: none"}, Outcome.NOINDEX),
        (200, {"X-Robots-Tag": "noarchive, nofollow"}, None),
        (200, {"Content-Type": "video/mp4"}, Outcome.NOT_HTML),
        (200, {"Content-Type": "text/plain"}, None),
        (200, {}, None),
    ],
)
def test_each_status_has_its_outcome(status: int, headers: dict[str, str], outcome: Outcome | None) -> None:
    """None means that the page is captured."""
    fields = tuple(headers.items())
    verdict = judge_page(page(), status, fields, header_rights(fields))
    assert (verdict.outcome if isinstance(verdict, Ended) else verdict) == outcome


def test_304_after_asking_means_unchanged() -> None:
    """Only where we asked with a validator."""
    verdict = judge_page(page(headers={"If-None-Match": '"1"'}), 304, (), {})
    assert isinstance(verdict, Ended)
    assert verdict.outcome is Outcome.UNCHANGED


@pytest.mark.parametrize(
    ("location", "end"),
    [
        ("/2026/b", "https://news.example.org/2026/b"),
        ("https://amp.example.org/2026/b#x", "https://amp.example.org/2026/b"),
        ("http://news.example.org/2026/a", "http://news.example.org/2026/a"),
        ("/2026/\xc3\xbc", "https://news.example.org/2026/%C3%BC"),
        ("/2026/\xfc", "https://news.example.org/2026/%FC"),
        ("http://b\xc3\xbccher.example.org/", Outcome.REDIRECTED_HOME),
        (" c d ", "https://news.example.org/2026/c%20d"),
        ("?page=b", "https://news.example.org/2026/a?page=b"),
        ("https:\\\\news.example.org\\b", "https://news.example.org/b"),
        ("#part", Outcome.REDIRECT_LIMIT),
        ("https://[::1", Outcome.BAD_URL),
        ("/2026/a", Outcome.REDIRECT_LIMIT),
        ("/old", Outcome.REDIRECT_LIMIT),
        ("https://elsewhere.net/a", Outcome.OFF_SITE),
        ("//example.org.evil.net/a", Outcome.OFF_SITE),
        ("/", Outcome.REDIRECTED_HOME),
        ("https://www.example.org/", Outcome.REDIRECTED_HOME),
        ("file:///etc/passwd", Outcome.REFUSED_SCHEME),
        ("javascript:alert(1)", Outcome.REFUSED_SCHEME),
        ("data:text/html,x", Outcome.REFUSED_SCHEME),
        ("http://user:pw@news.example.org/x", Outcome.BAD_URL),
    ],
)
def test_a_redirect_is_followed_within_the_site_only(location: str, end: str | Outcome) -> None:
    """Another site, the home page, a loop and other schemes are ends of their own."""
    verdict = follow(page(hops=("https://news.example.org/old",)), location)
    assert (verdict.url if isinstance(verdict, Moved) else verdict.outcome) == end


def test_a_chain_of_redirects_has_an_end() -> None:
    """After the most hops the URL has come to its end."""
    hops = tuple(f"https://news.example.org/{n}" for n in range(MOST_HOPS))
    verdict = follow(page(hops=hops), "/one-more")
    assert isinstance(verdict, Ended)
    assert verdict.outcome is Outcome.REDIRECT_LIMIT
    assert isinstance(follow(page(hops=hops[1:]), "/one-more"), Moved)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("999999999999", 86_400),
        ("Mon, 23 Nov 2026 12:00:30 GMT", 30),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("9" * 400, 86_400),
        ("1.5", 1.5),
        ("10s", 10),
        ("1e3", None),
        ("-1.5", None),
        ("Sunday, 23-Nov-26 12:00:30 GMT", 30),
        ("Mon Nov 23 12:00:30 2026", 30),
    ],
)
def test_retry_after_is_read_and_capped(value: str, seconds: float | None) -> None:
    """Seconds or a date, never more than a day."""
    assert retry_after_s((("Retry-After", value),), NOW) == seconds


def test_rights_are_one_flat_record() -> None:
    """All that a response says of use, each under its own name; directives for other crawlers are not ours."""
    rights = header_rights(
        [
            ("X-Robots-Tag", "noarchive"),
            ("x-robots-tag", "noai, noimageai"),
            ("X-Robots-Tag", "otherbot: noindex"),
            ("X-Robots-Tag", "unavailable_after: 25 Jun 2027 15:00:00 PST"),
            ("TDM-Reservation", "1"),
            ("TDM-Policy", "https://x/p.json"),
            ("Content-Signal", "ai-train=no"),
        ]
    )
    assert rights == {
        "x_robots_tag": "noarchive, noai, noimageai, unavailable_after: 25 jun 2027 15:00:00 pst",
        "tdm_reservation": "1",
        "tdm_policy": "https://x/p.json",
        "content_signal": "ai-train=no",
    }
    assert not forbids_indexing(rights)
    assert not demands_licence(200, [("WWW-Authenticate", "License")])
