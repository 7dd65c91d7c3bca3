"""One canonical form, one key an article."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extraction.records import Outcome
from extraction.urls import (
    MAX_URL,
    BadUrlError,
    RefusedSchemeError,
    authority,
    canonicalize,
    host,
    registrable_domain,
    same_site,
    url_key,
)

SAME_RESOURCE = [
    ("HTTP://WWW.Example.COM:80", "http://www.example.com/"),
    ("https://example.com:443/a", "https://example.com/a"),
    ("https://example.com:0443/a", "https://example.com/a"),
    ("https://example.com:8443/a", "https://example.com:8443/a"),
    ("https://example.com./a", "https://example.com/a"),
    ("https://example.com/a/./b/../c", "https://example.com/a/c"),
    ("https://example.com/../../etc", "https://example.com/etc"),
    ("https://example.com/a/..", "https://example.com/"),
    ("https://example.com/%7euser/%e4%ff", "https://example.com/~user/%E4%FF"),
    ("https://example.com/%2e%2e/a", "https://example.com/a"),
    ("https://example.com/100%-sure", "https://example.com/100%25-sure"),
    ("https://example.com/a b?q=ü", "https://example.com/a%20b?q=%C3%BC"),
    ("https://example.com/a#part", "https://example.com/a"),
    ("https://example.com/a#!/b?c", "https://example.com/a"),
    ("https://example.com/a?", "https://example.com/a"),
    ("https://example.com/a?&&b=1&", "https://example.com/a?b=1"),
    ("https://example.com/a?b=&c", "https://example.com/a?b=&c"),
    ("https://example.com/a?z=1&a=2", "https://example.com/a?z=1&a=2"),
    ("https://example.com/a?id=7&utm_source=x&fbclid=y&gclid=z&xtor=RSS-1", "https://example.com/a?id=7"),
    ("https://example.com/a?UTM_Medium=x", "https://example.com/a"),
    ("https://example.com/a;jsessionid=0A1B?x=1", "https://example.com/a?x=1"),
    ("https://example.com/a?PHPSESSID=abc&x=1", "https://example.com/a?x=1"),
    ("https://example.com/(S(lit3py55t21z5v55vlm25s55))/a.aspx", "https://example.com/a.aspx"),
    ("http:\\\\example.com\\a\\b", "http://example.com/a/b"),
    ("https://münchen.example/straße", "https://xn--mnchen-3ya.example/stra%C3%9Fe"),
    ("https://BÜCHER.example/", "https://xn--bcher-kva.example/"),
    ("https://раураl.example/", "https://xn--l-7sba6dbr.example/"),
    ("  \n https://example.com/a\n/b\t ", "https://example.com/a/b"),
    ("https://%65xample.com/", "https://example.com/"),
    ("http://2130706433/", "http://127.0.0.1/"),
    ("http://0x7f.1/", "http://127.0.0.1/"),
    ("http://0177.0.0.01/", "http://127.0.0.1/"),
    ("http://127.1:8080/", "http://127.0.0.1:8080/"),
    ("http://[::FFFF:127.0.0.1]/", "http://[::ffff:7f00:1]/"),
    ("http://[2001:DB8:0:0::1]:80/", "http://[2001:db8::1]/"),
]


@pytest.mark.parametrize(("given_url", "canonical"), SAME_RESOURCE)
def test_spellings_of_one_resource_have_one_form(given_url: str, canonical: str) -> None:
    """What RFC 3986 and the URL Standard call equal is spelled alike."""
    assert canonicalize(given_url) == canonical


@pytest.mark.parametrize(
    ("reference", "absolute"),
    [
        ("/a", "https://example.com/a"),
        ("b?c", "https://example.com/news/b?c"),
        ("../d", "https://example.com/d"),
        ("//other.example/e", "https://other.example/e"),
        ("", None),
        ("\\f", "https://example.com/f"),
        ("http://x.example/", "http://x.example/"),
    ],
)
def test_a_reference_is_joined_with_its_base(reference: str, absolute: str | None) -> None:
    """A relative link is read as a browser reads it; an empty one names nothing new."""
    base = "https://example.com/news/today?x=1"
    if absolute is None:
        with pytest.raises(BadUrlError, match="empty"):
            canonicalize(reference, base)
    else:
        assert canonicalize(reference, base) == absolute


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("www.example.com/a", "without a scheme"),
        ("//example.com/a", "without a scheme"),
        ("http://", "without a host"),
        ("http:///a", "without a host"),
        ("http://user:secret@example.com/", "user information"),
        ("http://example.com@evil.example/", "user information"),
        ("http://example.com:0/", "bad port"),
        ("http://example.com:65536/", "bad port"),
        ("http://example.com:http/", "bad port"),
        ("http://exa mple.com/", "bad host"),
        ("http://exa<mple.com/", "bad host"),
        ("http://..example.com/", "bad host"),
        ("http://example..com/", "bad host"),
        ("http://%00/", "bad host"),
        ("http://" + "a" * 64 + ".com/", "bad host"),
        ("http://1.2.3.4.5/", "bad host"),
        ("http://256.256.256.256/", "bad IPv4"),
        ("http://99999999999/", "bad IPv4"),
        ("http://09.1.1.1/", "bad IPv4"),
        ("http://[::1/", "bad IPv6"),
        ("http://[fe80::1%25eth0]/", "bad IPv6"),
        ("http://[not::an::address]/", "bad IPv6"),
        ("http://example.com/\x00a", "control character"),
        ("http://example.com/a\x1b[2Jb", "control character"),
        ("http://example.com/%00", "NUL"),
        ("http://example.com/\ud800", "surrogate"),
        ("http://example.com/" + "a" * 60_000, "60019 characters"),
        ("http://example.com/" + "ü" * 2_000, "once encoded"),
    ],
)
def test_what_is_no_url_says_why(text: str, reason: str) -> None:
    """The error names the fault and quotes the text, shortened and without raw control characters."""
    with pytest.raises(BadUrlError, match=reason) as raised:
        canonicalize(text)
    assert raised.value.url == text
    assert raised.value.outcome is Outcome.BAD_URL
    assert len(str(raised.value)) < 400
    assert "\x1b" not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["file:///etc/hostname", "ftp://a.example/b", "data:text/html,x", "javascript:alert(1)", "mailto:a@b.c"]
)
@pytest.mark.parametrize("base", [None, "https://example.com/"])
def test_other_schemes_are_refused_by_name(url: str, base: str | None) -> None:
    """Only http and https exist here, and the outcome says so."""
    with pytest.raises(RefusedSchemeError) as raised:
        canonicalize(url, base)
    assert raised.value.outcome is Outcome.REFUSED_SCHEME


@settings(deadline=None)  # other processes share the machine
@given(
    st.text(max_size=300),
    st.sampled_from(["", "http://example.com/", "https://a.b.example", "https://", "http://[::1]", "//"]),
    st.one_of(st.none(), st.just("https://base.example/dir/page?x#y")),
)
def test_canonical_form_is_a_fixed_point(tail: str, head: str, base: str | None) -> None:
    """Any text is either refused as BadUrlError or has a form that canonicalize returns unchanged, in plain ASCII."""
    try:
        first = canonicalize(head + tail, base)
    except BadUrlError:
        return
    assert canonicalize(first) == first
    assert first.isascii()
    assert first.isprintable()
    assert " " not in first
    assert len(first) <= MAX_URL
    assert host(first)
    assert len(url_key(first)) == 24


@given(
    st.lists(
        st.sampled_from(
            [
                "%2e",
                "%2F",
                "%",
                "%4",
                "%zz",
                ".",
                "..",
                "/",
                "\\",
                "?",
                "&",
                "=",
                "#",
                ";jsessionid=a",
                "é",
                "a",
                ":",
                "@",
            ]
        ),
        max_size=20,
    )
)
def test_canonical_form_is_a_fixed_point_for_hostile_pieces(pieces: list[str]) -> None:
    """Half-encoded dots, percent signs and session ids settle in one step."""
    try:
        first = canonicalize("https://example.com/" + "".join(pieces))
    except BadUrlError:
        return
    assert canonicalize(first) == first


@given(
    st.text(alphabet=string.ascii_letters + string.digits + "-._~ü%/", max_size=60),
    st.permutations(["id=1", "cat=a", "x"]),
)
def test_the_key_does_not_read_the_order_of_parameters(path: str, parameters: list[str]) -> None:
    """Two orders of the same parameters are one page."""
    one = canonicalize(f"https://example.com/{path.lstrip('/')}?{'&'.join(parameters)}")
    two = canonicalize(f"https://example.com/{path.lstrip('/')}?{'&'.join(sorted(parameters))}")
    assert url_key(one) == url_key(two)


@pytest.mark.parametrize(
    "twin",
    [
        "http://www.example.com/politics/a-long-story-here/",
        "https://example.com/politics/a-long-story-here",
        "https://m.example.com/politics/a-long-story-here",
        "https://mobile.example.com/politics/a-long-story-here",
        "https://amp.example.com/politics/a-long-story-here",
        "https://www.example.com/politics/a-long-story-here/amp/",
        "https://www.example.com/amp/politics/a-long-story-here",
        "https://www.example.com/politics/a-long-story-here?amp",
        "https://www.example.com/politics/a-long-story-here?amp=1&utm_source=x",
        "https://www.example.com/politics/a-long-story-here?outputType=amp",
        "https://www.example.com/politics/a-long-story-here/print",
        "https://www.example.com/politics/a-long-story-here?print=true",
        "https://www.example.com/politics/a-long-story-here?page=2",
        "https://www.example.com/politics/a-long-story-here/2/",
        "https://www.example.com/politics/a-long-story-here/page/3",
        "https://www.example.com/politics/a-long-story-here/index.html",
        "https://www.example.com/politics/a-long-story-here;jsessionid=77AB#comments",
    ],
)
def test_twins_of_an_article_share_its_key(twin: str) -> None:
    """http, www, AMP, mobile, print and page variants meet in one row."""
    assert url_key(canonicalize(twin)) == url_key(canonicalize("https://www.example.com/politics/a-long-story-here/"))


@pytest.mark.parametrize("host", ["h", "http", "tp.example.com"])
def test_a_host_that_is_part_of_its_scheme_has_one_key(host: str) -> None:
    """A scheme is no part of the key, whatever the host is called."""
    assert url_key(f"http://{host}/a") == url_key(f"https://{host}/a")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.com/?id=1", "https://example.com/?id=2"),
        ("https://example.com/?p=12", "https://example.com/?p=13"),
        ("https://example.com/story.php?page=12", "https://example.com/story.php?page=13"),
        ("https://example.com/2026/11/1", "https://example.com/2026/11/2"),
        ("https://example.com/news/1", "https://example.com/news/2"),
        ("https://example.com/a?ref=1", "https://example.com/a?ref=2"),
        ("https://example.com/a?source=1", "https://example.com/a?source=2"),
        ("https://example.com/A", "https://example.com/a"),
        ("https://example.com:8080/a", "https://example.com/a"),
        ("https://de.example.com/a", "https://fr.example.com/a"),
        ("https://m.com/a", "https://com/a"),
        ("https://example.com/new-amp-for-guitarists", "https://example.com/new-for-guitarists"),
        ("https://example.com/a?x=1&x=2", "https://example.com/a?x=1"),
        ("https://example.com/a-long-story/2026", "https://example.com/a-long-story/2025"),
    ],
)
def test_different_articles_keep_different_keys(one: str, other: str) -> None:
    """No rule for twins may merge two articles."""
    assert url_key(canonicalize(one)) != url_key(canonicalize(other))


def test_parts_of_a_url() -> None:
    """Host, authority and registrable domain are read from the canonical form, the suffix list from its bundled copy."""
    assert host("https://news.example.co.uk:8443/a:b") == "news.example.co.uk"
    assert host("http://[2001:db8::1]:81/") == "2001:db8::1"
    assert authority("https://news.example.co.uk:8443/a") == "news.example.co.uk:8443"
    assert authority("https://example.com?x=/") == "example.com"
    assert registrable_domain("https://a.b.example.co.uk/x") == "example.co.uk"
    assert registrable_domain("https://www.politico.eu/") == "politico.eu"
    assert registrable_domain("http://127.0.0.1:80/") == "127.0.0.1"
    assert registrable_domain("http://[::1]/") == "::1"
    assert registrable_domain("http://a.localhost:9/") == "a.localhost"
    assert registrable_domain("co.uk") == "co.uk"
    assert registrable_domain("https://one.blogspot.com/") == "one.blogspot.com"


def test_sites_are_told_by_registrable_domain() -> None:
    """Subdomains of one publisher are one site; demo sites on *.localhost and blogs of one hoster are not."""
    assert same_site("https://www.example.com/", "https://edition.example.com/x")
    assert not same_site("https://example.com/", "https://example.org/")
    assert not same_site("http://a.localhost:1/", "http://b.localhost:1/")
    assert not same_site("https://a.blogspot.com/", "https://b.blogspot.com/")
