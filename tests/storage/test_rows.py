"""Rows: what crosses between processes has the columns of the files, and comes through whole."""

from datetime import UTC, datetime

import msgspec

from extraction.article import extract
from extraction.records import Capture, Discovery, Extraction, Outcome, Page, Rejection
from storage.batches import SCHEMAS
from storage.rows import ARTICLE, ARTICLE_COLUMNS, FETCH, REMOVED, PageRows, encode, page_rows

HTML = """<html lang="en"><head><title>Ferry late again</title></head><body><article><h1>Ferry late again</h1>
<p>The noon ferry left the quay forty minutes late on Monday, the harbour office said, because of the swell.</p>
<p>Nobody was hurt, and the afternoon crossing ran to its timetable once the wind had gone round to the west.</p>
<h3>Newer articles</h3><ul><li><a href="/a">Bridge to close for a week</a></li></ul></article></body></html>"""


def page(url: str = "http://rows.localhost/ferry", headers: tuple[tuple[str, str], ...] = ()) -> Page:
    return Page(
        discovery=Discovery(url=url, site="rows", found_in="list", found_by="list"),
        final_url=url,
        status=200,
        headers=(("Content-Type", "text/html"), *headers),
        fetched_at=datetime(2026, 11, 23, 4, 5, 6, 789, tzinfo=UTC),
        body=HTML.encode(),
        capture=Capture(file="captures/r/a-00000.warc.gz", offset=7),
        rights={"noai": "yes"},
    )


def crossed(rows: PageRows) -> PageRows:
    return msgspec.msgpack.decode(encode(rows), type=PageRows)


def test_rows_have_the_columns_of_the_files() -> None:
    """Each column of a file but the segment's own and an import's is one of the rows', so that none is silently null."""
    of_others = {"run_id", "segment", "extracted_by", "source_file", "source_line"}
    for table, columns in (("fetches", FETCH), ("articles", ARTICLE_COLUMNS), ("removed_blocks", REMOVED)):
        assert set(columns) <= set(SCHEMAS[table].names)
        assert set(SCHEMAS[table].names) - of_others <= set(columns)
        assert len(columns) == len(set(columns))


def test_an_article_crosses_whole() -> None:
    """Texts, times, places of blocks and what was removed are what they were."""
    extraction = extract(HTML.encode(), "http://rows.localhost/ferry")
    rows = crossed(page_rows(page(), extraction))
    article = dict(zip(ARTICLE_COLUMNS, rows.article or (), strict=True))
    fetch = dict(zip(FETCH, rows.fetch, strict=True))
    assert (fetch["outcome"], fetch["ended_at"]) == (ARTICLE, datetime(2026, 11, 23, 4, 5, 6, 789, tzinfo=UTC))
    assert fetch["rights"] == '{"noai":"yes"}'
    body = article["article_body"]
    texts = [body[place["start"] :][: place["length"]] for place in article["blocks"]]
    assert [text.split()[:3] for text in texts] == [["The", "noon", "ferry"], ["Nobody", "was", "hurt,"]]
    removed = [dict(zip(REMOVED, each, strict=True)) for each in rows.removed]
    assert "Newer articles" in {each["text"] for each in removed}
    assert {each["article_key"] for each in removed} == {article["article_key"]}


def test_a_rejection_crosses_with_its_reason() -> None:
    """There is a fetch and no article."""
    rejection = Rejection(outcome=Outcome.INDEX, reason="nothing but links")
    rows = crossed(page_rows(page(), Extraction(result=rejection)))
    assert (rows.site, rows.outcome, rows.article, rows.removed) == ("rows", "index", None, [])
    assert rows.fetch[FETCH.index("reason")] == "nothing but links"


def test_an_unpaired_surrogate_does_not_stop_a_page() -> None:
    """A header that no encoding can hold is written with a question mark instead."""
    rows = crossed(page_rows(page(headers=(("ETag", '"\udcff"'),)), extract(HTML.encode(), "http://rows.localhost/f")))
    assert rows.fetch[FETCH.index("etag")] == '"?"'
