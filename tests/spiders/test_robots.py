"""robots.txt by RFC 9309: which answer means what, what is allowed, and how much of a hostile file is read."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from spiders.robots import MOST_BYTES, RobotsCache, parse, read

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HERE = "http://site.localhost"


def allows(text: str | bytes, path: str) -> bool:
    return parse(text.encode() if isinstance(text, str) else text).allows(HERE + path)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_an_unavailable_file_forbids_nothing(status: int) -> None:
    """RFC 9309 2.3.1.3."""
    assert read(status, b"User-agent: *\nDisallow: /").allows(HERE + "/a")


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599, 429])
def test_an_unreachable_file_forbids_all(status: int) -> None:
    """RFC 9309 2.3.1.4; 429 says that the server cannot answer now."""
    rules = read(status, b"")
    assert not rules.allows(HERE + "/a")
    assert str(status) in (rules.unreachable or "")


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        ("User-agent: *\nDisallow: /a", "/a/b", False),
        ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", True),
        ("User-agent: *\nAllow: /a\nDisallow: /a", "/a", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: Nightdesk\nDisallow: /x", "/a", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: nightDESK/2.0\nDisallow: /x", "/a", True),
        ("User-agent: Nightdesk\nDisallow: /x\n\nUser-agent: nightdesk\nDisallow: /y", "/y", False),
        ("User-agent: Nightdesk\nDisallow: /x\n\nUser-agent: nightdesk\nDisallow: /y", "/x", False),
        ("User-agent: Nightdeskbot\nDisallow: /", "/a", True),
        ("User-agent: other\nUser-agent: *\nDisallow: /a", "/a", False),
        ("User-agent: *\rDisallow: /a\r", "/a", False),
        ("User-agent: *\r\nDisallow: /a # why\r\n", "/a", False),
        ("\ufeffUser-agent: *\nDisallow: /a", "/a", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/a.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/a.pdf?x", True),
        ("User-agent: *\nDisallow: /a%C3%A9", "/aé", False),
        ("User-agent: *\nDisallow: /aé", "/a%C3%A9", False),
        ("User-agent: *\nDisallow:", "/a", True),
        ("Disallow: /a", "/a", True),
        ("<html><body>Not found</body></html>", "/a", True),
        ("", "/a", True),
    ],
)
def test_the_rules_of_the_file_hold(text: str, path: str, allowed: bool) -> None:
    """Longest match, allow wins a tie, groups of one agent are one, our product token is ours."""
    assert allows(text, path) is allowed


def test_a_file_in_utf_16_is_read() -> None:
    """Some editors save it so; the rules are meant all the same."""
    assert not allows("User-agent: *\nDisallow: /a".encode("utf-16"), "/a")


def test_nul_bytes_do_not_hide_a_rule() -> None:
    """NULs are left out before the lines are read."""
    assert not allows(b"User-agent: *\x00\nDis\x00allow: /a", "/a")


def test_only_the_first_500_kib_count() -> None:
    """RFC 9309 2.5: what stands behind is not read, and that is said."""
    head = b"User-agent: *\nDisallow: /a\n"
    rules = parse(head + b"#" * MOST_BYTES + b"\nDisallow: /b\n")
    assert not rules.allows(HERE + "/a")
    assert rules.allows(HERE + "/b")
    assert rules.notes


@pytest.mark.parametrize(
    "body",
    [
        b"".join(b"User-agent: bot%d\nDisallow: /%d\n" % (n, n) for n in range(10_000)),
        b"User-agent: *\nDisallow: /" + b"a" * (1 << 20),
        b"User-agent: *\n" + b"Disallow: /" + b"*a" * 4000 + b"$\n",
        b"User-agent: *\n" + b"Disallow: /*a*a*a*a*a*a*a*a*a*a*a*a*b$\n" * 5000,
        b"\x00" * (600 << 10),
    ],
    ids=["10,000 groups", "a line of 1 MB", "8,000 stars", "5,000 patterns that explode", "zeros"],
)
def test_a_hostile_file_costs_less_than_a_second(body: bytes) -> None:
    """Parsing and one match, CPU seconds."""
    began = time.process_time()
    parse(body).allows(HERE + "/" + "a" * 2000)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("value", "delay"),
    [
        ("2", 2.0),
        ("0.5", 0.5),
        ("10s", 10.0),
        ("86400", 60.0),
        ("-1", None),
        ("soon", None),
        ("1e9", None),
        ("nan", None),
    ],
)
def test_crawl_delay_is_taken_within_reason(value: str, delay: float | None) -> None:
    """Capped at a minute; what is no number of seconds is ignored; both are said."""
    rules = parse(f"User-agent: *\nCrawl-delay: {value}\n".encode())
    assert rules.delay_s == delay
    assert bool(rules.notes) == (value in {"86400", "-1", "soon", "1e9", "nan"})


def test_the_delay_of_our_own_group_holds() -> None:
    """The group that names us replaces that of everybody."""
    text = b"User-agent: *\nCrawl-delay: 9\n\nUser-agent: nightdesk\nCrawl-delay: 2\nCrawl-delay: 1"
    assert parse(text).delay_s == 2.0


def test_rights_are_read_from_the_file() -> None:
    """Content-Signal of our group, the licence of the file."""
    text = b"License: https://x/l.xml\nUser-agent: *\nContent-Signal: search=yes, ai-train=no\nDisallow: /a\n"
    assert parse(text).rights == {"content_signal": "search=yes, ai-train=no", "licence": "https://x/l.xml"}


def test_a_cached_file_holds_for_a_day(tmp_path: Path) -> None:
    """Fresh for 24 hours, then good only while the site is unreachable; unreachable answers are not kept."""
    cache = RobotsCache(tmp_path / "robots")
    origin = "http://site.localhost:8080"
    assert cache.fresh(origin, NOW) is None
    cache.keep(origin, 200, b"User-agent: *\nDisallow: /a", NOW)
    cache.keep(origin, 503, b"", NOW + timedelta(hours=1))
    fresh = cache.fresh(origin, NOW + timedelta(hours=23))
    assert fresh is not None
    assert not fresh.allows(HERE + "/a")
    assert cache.fresh(origin, NOW + timedelta(hours=25)) is None
    assert cache.fresh(origin, NOW - timedelta(hours=1)) is None  # the clock was set back
    stale = cache.stale(origin)
    assert stale is not None
    assert not stale.allows(HERE + "/a")
    assert cache.fresh("http://site.localhost:8081", NOW) is None


def test_a_damaged_cache_is_no_cache(tmp_path: Path) -> None:
    """A torn file means that robots.txt is asked for again."""
    cache = RobotsCache(tmp_path)
    cache.keep("http://a.localhost", 200, b"", NOW)
    [path] = tmp_path.iterdir()
    path.write_bytes(b"{")
    assert cache.fresh("http://a.localhost", NOW) is None
