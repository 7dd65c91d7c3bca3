"""How each URL ends: whole crawls by the real child process, a page or an outcome for everything that was discovered."""

import gzip

from tests.spiders.origin import Origin, Reply, moved
from tests.spiders.served import PAGE, ROBOTS, Crawl, feed


def test_every_discovered_url_has_its_end(origin: Origin, crawl: Crawl) -> None:
    """Pages, refusals and answers of all kinds on one site: one end each, with a reason; only what may be is asked."""
    answers = {
        "/a/good": PAGE,
        "/a/plain": Reply("<p>x</p>", type="text/plain"),
        "/a/gone": Reply("no", status=404),
        "/a/gone2": Reply("no", status=410),
        "/a/blocked": Reply("no", status=403),
        "/a/broken": Reply("no", status=500),
        "/a/odd": Reply("no", status=999),
        "/a/noindex": Reply("<p>x</p>", headers={"X-Robots-Tag": "noindex"}),
        "/a/film": Reply(b"\x00" * 100, type="video/mp4"),
        "/a/304": Reply(status=304),
        "/a/moved": moved("/a/target"),
        "/a/target": PAGE,
        "/a/self": moved("/a/self"),
        "/a/loop1": moved("/a/loop2"),
        "/a/loop2": moved("/a/loop1"),
        "/a/home": moved("/"),
        "/a/away": moved("http://elsewhere.localhost/x"),
        "/a/file": moved("file:///etc/hostname"),
        "/a/twin": moved("/a/good"),
        "/a/to-private": moved("/private/y"),
        **{f"/chain/{n}": moved(f"/chain/{n + 1}") for n in range(20)},
    }
    origin.routes |= answers | {"/robots.txt": ROBOTS}
    listed = [path for path in answers if not path.startswith("/chain") and path not in {"/a/target", "/a/loop2"}]
    origin.routes["/feed"] = feed(*(origin.url(path) for path in [*listed, "/chain/0", "/private/x"]))
    crawled = crawl({"s": {"url": origin.url(), "sources": {"feeds": [origin.url("/feed")]}}})
    assert (crawled.code, crawled.errors) == (0, "")
    assert crawled.outcomes == {
        "/a/good": "page",
        "/a/plain": "page",
        "/a/gone": "gone",
        "/a/gone2": "gone",
        "/a/blocked": "blocked",
        "/a/broken": "server_error",
        "/a/odd": "http_error",
        "/a/noindex": "noindex",
        "/a/film": "not_html",
        "/a/304": "http_error",
        "/a/moved": "page",
        "/a/self": "redirect_limit",
        "/a/loop1": "redirect_limit",
        "/a/home": "redirected_home",
        "/a/away": "off_site",
        "/a/file": "refused_scheme",
        "/a/twin": "duplicate",
        "/a/to-private": "robots",
        "/chain/0": "redirect_limit",
        "/private/x": "robots",
    }
    crawled.assert_sums()
    assert all(crawled.reasons.values())
    assert origin.paths().count("/a/broken") == 2
    assert origin.paths().count("/a/gone") == 1
    assert not {"/private/x", "/private/y", "/"} & set(origin.paths())
    assert origin.asked[0].path == "/robots.txt"
    page = next(page for page in crawled.pages if page.discovery.url.endswith("/moved"))
    assert page.final_url == origin.url("/a/target")
    assert gzip.decompress(page.body) == b"<p>A paragraph.</p>" * 200
    assert dict(page.headers)["Content-Encoding"] == "gzip"
    assert page.rights == {"content_signal": "ai-train=no"}
    assert page.discovery.found_in == origin.url("/feed")
    assert origin.asked[0].headers["user-agent"] == "Nightdesk/test"
    assert crawled.events[-1] == {"event": "finished", "reason": "finished"}
    assert [e["kind"] for e in crawled.entries if e["kind"] != "pages"][-1] == "finished"


def test_hosts_that_cannot_be_reached_have_their_own_ends(origin: Origin, crawl: Crawl) -> None:
    """Refused connections, unknown names and addresses that the site does not open: distinct outcomes, nothing sent."""
    with Origin() as closed:
        port = closed.port
    secret = {"url": origin.url(host="127.0.0.1"), "network": {"allow": []}, "politeness": {"delay_s": 1}}
    named = {"url": origin.url(host="secret.localhost"), "network": {"allow": ["10.0.0.0/8"]}}
    crawled = crawl(
        {
            "closed": {"url": f"http://closed.localhost:{port}/"},
            "unknown": {"url": "http://no-such-name.invalid/", "politeness": {"delay_s": 1}},
            "secret": secret,
            "named": named,
        },
        contact="mailto:desk@example.org",
        urls=[
            ["closed", f"http://closed.localhost:{port}/a"],
            ["unknown", "http://no-such-name.invalid/a"],
            ["secret", origin.url("/a", "127.0.0.1")],
            ["named", origin.url("/a", "secret.localhost")],
            ["closed", "file:///etc/hostname"],
            ["closed", "http://elsewhere.localhost/"],
            ["closed", "http://[bad/"],
        ],
    )
    assert (crawled.code, crawled.errors) == (0, "")
    ends = {(e["site"], e["outcome"]) for e in crawled.entries if e["kind"] == "outcome"}
    assert ends == {
        ("closed", "connection_failed"),
        ("unknown", "dns_failed"),
        ("secret", "refused_address"),
        ("named", "refused_address"),
        ("closed", "refused_scheme"),
        ("closed", "off_site"),
        ("closed", "bad_url"),
    }
    assert origin.asked == []
    crawled.assert_sums()


def test_a_redirect_to_a_refused_address_is_refused_where_it_connects(origin: Origin, crawl: Crawl) -> None:
    """A page, a feed or a robots.txt that redirects to an address which the site does not open gets nothing there."""
    with Origin(addresses=("127.0.0.2",)) as inner:
        target = f"http://127.0.0.2:{inner.port}/secret"
        origin.routes |= {
            "open.localhost/robots.txt": Reply(status=404),
            "open.localhost/a": moved(target),
            "open.localhost/feed": moved(target),
            "walled.localhost/robots.txt": moved(target),
        }
        allow = {"network": {"allow": ["127.0.0.1/32"]}}
        crawled = crawl(
            {
                "open": {
                    "url": origin.url(host="open.localhost"),
                    "hosts": ["open.localhost", "127.0.0.2"],
                    "sources": {"feeds": [origin.url("/feed", "open.localhost")]},
                    **allow,
                },
                "walled": {"url": origin.url(host="walled.localhost"), **allow},
            },
            urls=[["open", origin.url("/a", "open.localhost")], ["walled", origin.url("/a", "walled.localhost")]],
        )
        assert inner.asked == []
    assert {e["site"]: e["outcome"] for e in crawled.entries if e["kind"] == "outcome"} == {
        "open": "refused_address",
        "walled": "robots_unreachable",
    }
    assert crawled.sources["/feed"]["outcome"] == "refused_address"


def test_of_a_hosts_addresses_only_those_that_are_allowed_are_reached(origin: Origin, crawl: Crawl) -> None:
    """A name with an address that the site does not open and one that it does: only the second hears of us, whatever their order and however the answer changes."""
    resolver = """if True:
        import itertools, socket
        asked, system = itertools.count(), socket.getaddrinfo
        def changing(host, port, *args, **kwargs):
            if not str(host).endswith(".example.org"):
                return system(host, port, *args, **kwargs)
            found = ["127.0.0.2", "127.0.0.1"] if host.startswith("both") else ["127.0.0.2", "127.0.0.1"][next(asked) % 2:][:1]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]
        socket.getaddrinfo = changing
    """
    with Origin(addresses=("127.0.0.2",), port=origin.port) as inner:
        origin.routes |= {"/robots.txt": Reply(status=404), "/a": PAGE}
        allow = {"network": {"allow": ["127.0.0.1/32"]}, "politeness": {"delay_s": 0.1}}
        hosts = ["both.example.org", "changing.example.org"]
        crawled = crawl(
            {host.partition(".")[0]: {"url": origin.url(host=host), **allow} for host in hosts},
            urls=[[host.partition(".")[0], origin.url("/a", host)] for host in hosts],
            contact="mailto:desk@example.org",
            preload=f"exec({resolver!r})",
        )
        assert inner.asked == []
    ends = crawled.outcomes_by_url
    assert ends[origin.url("/a", "both.example.org")] == "page"
    assert ends[origin.url("/a", "changing.example.org")] in {"page", "refused_address"}
