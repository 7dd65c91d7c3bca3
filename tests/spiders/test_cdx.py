"""CDX: each format that its servers speak is read to the same captures, and each query asks for the right days."""

import json
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiders.archives.cdx import Entry, query, read_answer, read_pages, scopes
from spiders.archives.oldnews import Days, WebArchive
from spiders.site import load_site
from tests.spiders.conftest import site_file

URL = "http://harbour.example/a?x=1"
DIGEST = "Q4YULN754FHV2U6Q5JUT6Q2P57WEWNNY"
SEVEN = ["example,harbour)/a?x=1", "20261120100000", URL, "text/html", "200", DIGEST, "1415"]
NAMES = ["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"]
PLACE = {"filename": "crawl-data/x.warc.gz", "offset": "81614902", "length": "5365"}
CDXJ = {"url": URL, "mime": "text/html", "status": "200", "digest": DIGEST, **PLACE}


@pytest.mark.parametrize(
    ("text", "placed", "key"),
    [
        (" ".join(SEVEN) + "\n", False, None),
        (
            " ".join(SEVEN) + "\n\nexample%2Charbour%29%2Fa+20261120100000%21\n",
            False,
            "example,harbour)/a 20261120100000!",
        ),
        (json.dumps([NAMES, SEVEN]), False, None),
        (json.dumps([NAMES, SEVEN, [], ["example%2Charbour+1%21"]]), False, "example,harbour 1!"),
        (json.dumps([list(reversed(NAMES)), list(reversed(SEVEN))]), False, None),
        (json.dumps({"urlkey": SEVEN[0], "timestamp": SEVEN[1], **CDXJ}) + "\n", True, None),
        (f"{SEVEN[0]} {SEVEN[1]} {json.dumps(CDXJ)}\n", True, None),
        (f"{' '.join(SEVEN[:6])} - - 5365 81614902 crawl-data/x.warc.gz\n", True, None),
        (f" CDX N b a m s k r M S V g\n{' '.join(SEVEN[:6])} - - 5365 81614902 crawl-data/x.warc.gz\n", True, None),
        (f" CDX b a m s k g V S\n{' '.join(SEVEN[1:6])} crawl-data/x.warc.gz 81614902 5365\n", True, None),
    ],
)
def test_a_capture_is_read_from_every_format(text: str, placed: bool, key: str | None) -> None:
    """Wayback lines and JSON, pywb's CDXJ and JSON lines, CDX files with and without a header give one capture."""
    answer = read_answer(text.encode())
    place = {"filename": "crawl-data/x.warc.gz", "offset": 81614902, "length": 5365} if placed else {"length": 1415}
    expected = Entry(timestamp=SEVEN[1], url=URL, mime="text/html", status="200", digest=DIGEST, **place)  # type: ignore[arg-type]
    assert (answer.entries, answer.resume_key, answer.unreadable) == ([expected], key, 0)


@pytest.mark.parametrize("text", ["", "[]", "[[]]", "\n\n", json.dumps([NAMES])])
def test_an_answer_without_captures_is_empty(text: str) -> None:
    """No capture is no error."""
    assert read_answer(text.encode()) == read_answer(b"")


def test_what_is_no_capture_is_counted() -> None:
    """An error page or a broken line among captures costs itself alone."""
    answer = read_answer(f"<html>busy</html>\n{' '.join(SEVEN)}\nx y {{broken\n".encode())
    assert ([entry.url for entry in answer.entries], answer.unreadable) == ([URL], 2)


@given(st.binary(max_size=300))
def test_no_answer_whatever_raises(body: bytes) -> None:
    """An index may answer anything."""
    read_answer(body)
    read_pages(body)


def test_the_number_of_pages_is_read_as_both_servers_tell_it() -> None:
    """An object from pywb, a number from the Wayback server."""
    assert read_pages(b'{"pages": 4, "pageSize": 5, "blocks": 17}\n') == 4
    assert read_pages(b"85\n") == 85
    assert read_pages(b"no pages here") is None


def test_a_query_asks_for_the_days_of_the_sites_own_zone(tmp_path: Path) -> None:
    """Both days are whole in the site's zone, also where clocks are changed; each host of the site is asked for."""
    site = load_site(
        site_file(tmp_path, "harbour", "http://www.harbour.example/", hosts=["*.harbour.example", "h.example"])
    )
    assert {("harbour.example", "domain"), ("h.example", "host")} <= set(scopes(site))
    archive = WebArchive(index="http://archive.example/cdx?fixed=1")
    days = Days(date(2026, 10, 24), date(2026, 10, 25))  # summer time ends in the second night
    asked = parse_qs(urlsplit(query(archive, site, ("harbour.example", "domain"), days, resume_key="k 1")).query)
    assert (asked["from"], asked["to"]) == (["20261023220000"], ["20261025225959"])
    assert (asked["url"], asked["matchType"], asked["fixed"]) == (["harbour.example"], ["domain"], ["1"])
    assert (asked["resumeKey"], asked["showResumeKey"], asked["filter"][0]) == (["k 1"], ["true"], "statuscode:200")
    paged = WebArchive(index="http://archive.example/cdx", style="pages")
    asked = parse_qs(urlsplit(query(paged, site, ("h.example", "host"), Days(), page=3)).query)
    assert (asked["page"], "from" in asked, "limit" in asked) == (["3"], False, False)
