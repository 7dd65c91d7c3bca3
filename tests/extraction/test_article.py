"""The one door: what goes in, what comes out, and within which bounds."""

import gzip
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extraction.article import content_hash, extract, extract_page, render_markdown, render_text
from extraction.explain import explained, render
from extraction.records import (
    Article,
    Block,
    BlockKind,
    Capture,
    Discovery,
    Metadata,
    Outcome,
    Page,
    PageClass,
    Rejection,
)
from extraction.rules import SiteRules

TEXT = "The council voted on Thursday to keep the old bridge, ending a dispute of almost three years."
HEAD = "<html lang=en><head><title>Bridge stays</title><meta property='og:title' content='Bridge stays'></head><body><article><h1>Bridge stays</h1>"
PARAGRAPHS = [f"{TEXT} This is paragraph {n} of the article, and it has its own words to say." for n in range(5)]
PAGE = (HEAD + "".join(f"<p>{p}</p>" for p in PARAGRAPHS) + "<p>Advertisement</p></article></body></html>").encode()
URL = "https://courier.example/2026/bridge"


def captured(body: bytes, *headers: tuple[str, str], url: str = URL) -> Page:
    return Page(
        discovery=Discovery(url=url, site="courier", found_in="list", found_by="list"),
        final_url=url,
        status=200,
        headers=headers,
        fetched_at=datetime(2026, 3, 5, tzinfo=UTC),
        body=body,
        capture=Capture(file="captures/x.warc.gz", offset=0),
    )


def test_compressed_page_gives_the_same_article_as_its_bytes() -> None:
    """Content codings are undone at the door."""
    packed = extract_page(captured(gzip.compress(PAGE), ("Content-Encoding", "gzip"), ("Content-Type", "text/html")))
    assert packed == extract(PAGE, URL)
    assert isinstance(packed.result, Article)
    assert packed.result.article_body == "\n\n".join(PARAGRAPHS)


def test_cut_compressed_body_is_truncated_not_half_an_article() -> None:
    """A gzip body that ends in its middle is an outcome that is asked for again."""
    result = extract_page(captured(gzip.compress(PAGE)[:-40], ("Content-Encoding", "gzip"))).result
    assert isinstance(result, Rejection)
    assert result.outcome is Outcome.TRUNCATED


@given(st.binary(max_size=400))
@settings(max_examples=60, deadline=None)
def test_no_bytes_raise(junk: bytes) -> None:
    """Any bytes end in an article or a rejection with a reason."""
    for html in (junk, b"<html><body><article>" + junk, PAGE[:700] + junk + PAGE[700:]):
        result = extract(html, URL).result
        assert isinstance(result, Article) or result.reason


@pytest.mark.parametrize(
    "html",
    [
        b"<p>x y z.</p>" * 50_000,
        b'<a href="/x">word</a> ' * 50_000,
        b"<div>" * 100_000 + b"deep" + b"<p>text of a paragraph</p>" * 20,
        b"<p>" + b"word " * 2_000_000 + b"</p>",
        b"<table>" + b"<tr><td>a</td><td>b</td></tr>" * 15_000,
        b"<br>text of a line, with some words." * 50_000,
        b"".join(
            b'<p class="c%d">Some text, that is here for long enough to be prose, really.</p>' % n
            for n in range(20_000)
        ),
    ],
    ids=["paragraphs", "links", "nesting", "line", "table", "breaks", "classes"],
)
def test_huge_pages_end_within_ten_seconds_of_cpu(html: bytes) -> None:
    """Whatever a page holds, its extraction ends, and with an outcome."""
    start = time.process_time()
    result = extract(b"<html><body><article><h1>T</h1>" + html, URL).result
    assert time.process_time() - start < 10
    assert isinstance(result, Article) or result.reason


def test_canonical_url_of_the_same_site_is_the_articles_address() -> None:
    """The page's own canonical URL is taken; a foreign one, and one that names the front page, are not."""
    for named, expected in (
        ("https://courier.example/2026/bridge-stays", "https://courier.example/2026/bridge-stays"),
        ("https://elsewhere.example/2026/bridge", URL),
        ("https://courier.example/", URL),
    ):
        html = PAGE.replace(b"</head>", f'<link rel="canonical" href="{named}"></head>'.encode())
        result = extract(html, URL + "?utm_source=feed").result
        assert isinstance(result, Article)
        assert result.url == expected


def test_rule_that_a_site_switches_off_takes_nothing_there() -> None:
    """`rules_off` of a site's file reaches the rule; others go on."""
    result = extract(PAGE, URL, rules=SiteRules(rules_off=frozenset({"advertising.label", "model.block"}))).result
    assert isinstance(result, Article)
    assert "Advertisement" in result.article_body
    assert "Bridge stays" not in result.article_body


def test_an_article_says_which_rules_of_its_site_read_it() -> None:
    """Equal changes have one name, other changes another, and a site that changes nothing none."""
    page = (HEAD + "".join(f"<p>{text}</p>" for text in PARAGRAPHS) + "</article>").encode()
    versions = []
    for off in ((), ("related.tail", "title.repeated"), ("title.repeated", "related.tail"), ("related.tail",)):
        result = extract(page, "https://a.example/2026/bridge", rules=SiteRules(rules_off=frozenset(off))).result
        assert isinstance(result, Article)
        versions.append(result.rules_version)
    assert versions[0] is None
    assert versions[1] == versions[2] != versions[3]


def test_content_hash_hears_words_not_ornament() -> None:
    """Case, punctuation and white space change no hash; a word or a headline does."""
    blocks = (Block(kind=BlockKind.PARAGRAPH, text=TEXT, position=0),)
    same = (Block(kind=BlockKind.PARAGRAPH, text=TEXT.upper().replace(",", " –"), position=3),)
    other = (Block(kind=BlockKind.PARAGRAPH, text=TEXT.replace("Thursday", "Friday"), position=0),)
    metadata = Metadata(headline="Bridge stays")
    assert content_hash(metadata, blocks) == content_hash(metadata, same)
    assert (
        len(
            {
                content_hash(metadata, blocks),
                content_hash(metadata, other),
                content_hash(Metadata(headline="Bridge goes"), blocks),
            }
        )
        == 3
    )


def test_markdown_keeps_structure_and_escapes_the_rest() -> None:
    """Subheads, quotes, lists and tables are marked; what looks like Markdown in an article is escaped."""
    kinds = [
        (BlockKind.SUBHEAD, "What *next*", 2),
        (BlockKind.QUOTE, "A street.", 0),
        (BlockKind.LIST_ITEM, "[One](x)", 1),
        (BlockKind.TABLE, "Year | Cost\n1911 | 38", 0),
    ]
    blocks = [Block(kind=kind, text=text, position=n, level=level) for n, (kind, text, level) in enumerate(kinds)]
    assert (
        render_markdown(blocks)
        == "## What \\*next\\*\n\n> A street.\n\n- \\[One\\](x)\n\n| Year | Cost |\n| --- | --- |\n| 1911 | 38 |"
    )
    assert render_text(blocks) == "What *next*\n\nA street.\n\n[One](x)"


def test_dateline_is_read_from_the_first_paragraph() -> None:
    """A place in capitals before a dash is the dateline, an ordinary start is not."""
    for start, expected in (
        ("BERLIN (dpa) — ", "BERLIN"),
        ("NEW YORK, March 5 - ", "NEW YORK, March 5"),
        ("Berlin — ", None),
        ("", None),
    ):
        html = PAGE.replace(b"<p>The council", f"<p>{start}The council".encode(), 1)
        result = extract(html, URL).result
        assert isinstance(result, Article)
        assert result.dateline == expected


def test_explanation_shows_every_block_in_place_and_is_inert() -> None:
    """Kept and removed blocks stand in the page's order with kind and rule; nothing of the page reaches the terminal raw."""
    html = PAGE.replace(b"Advertisement", b"Advertisement\x1b[31m")
    extraction = extract(html, URL)
    lines = explained(extraction)
    assert [line.position for line in lines] == sorted(line.position for line in lines)
    assert [(line.kind, line.rule) for line in lines if not line.kept][-1] == ("ad_label", "advertising.label")
    assert "\x1b" not in render(extraction)
    assert "[advertising.label]" in render(extraction, colour=True)


def test_same_page_gives_the_same_extraction_each_time() -> None:
    """No call leaves anything behind that the next one sees."""
    first = extract(PAGE, URL)
    assert all(extract(PAGE, URL) == first for _ in range(50))


def test_live_blog_is_its_posts_with_their_times() -> None:
    """Where a site keeps live pages, each post is one block with its time in UTC; the introduction stays a paragraph."""
    stream = "".join(
        f"<article class='post'><time datetime='2026-03-05T{21 - n}:05:00+01:00'>{21 - n}:05</time><h3>Post {n}</h3><p>{PARAGRAPHS[n]}</p></article>"
        for n in range(4)
    )
    head = HEAD.replace(
        "</head>",
        '<script type="application/ld+json">{"@type":"LiveBlogPosting","headline":"Bridge stays"}</script></head>',
    )
    html = (
        f"{head}<p>{TEXT} We follow the night.</p><div class='stream'>{stream}</div></article></body></html>".encode()
    )
    assert isinstance(extract(html, URL).result, Rejection)
    result = extract(html, URL, rules=SiteRules(keep_classes=frozenset({PageClass.LIVE}))).result
    assert isinstance(result, Article)
    assert [(b.kind, b.time) for b in result.blocks] == [
        (BlockKind.PARAGRAPH, None),
        *((BlockKind.LIVE_POST, datetime(2026, 3, 5, 20 - n, 5, tzinfo=UTC)) for n in range(4)),
    ]
    assert result.blocks[1].text == f"Post 0\n{PARAGRAPHS[0]}"


@pytest.mark.parametrize(
    ("meta", "kept"),
    [
        ('<meta name="robots" content="NOINDEX, follow">', False),
        ('<meta name="nightdesk" content="none">', False),
        ('<meta name="googlebot-news" content="noindex">', True),
        ('<meta name="robots" content="index, noarchive">', True),
    ],
)
def test_a_page_that_asks_not_to_be_indexed_is_not_kept(meta: str, kept: bool) -> None:
    """`noindex` in the robots meta element for all or for us is obeyed; what is said to others is not ours."""
    text = "".join(
        f"<p>The harbour master counted {n} boats in the basin before the storm came in.</p>" for n in range(9)
    )
    html = f"<html><head>{meta}<title>Boats</title></head><body><article><h1>Boats</h1>{text}</article></body></html>"
    result = extract(html.encode(), "https://courier.example/2026/boats-in-the-basin").result
    assert isinstance(result, Article) is kept
    if not kept:
        assert result.outcome is Outcome.NOINDEX


BOX = (
    '<div class="x1"><p><b>The Tide Table</b></p><p>What the harbour will talk of today, before breakfast.</p>'
    '<form action="/t"><input {field}><button>Send</button></form></div>'
)


def _article_with(inset: str) -> bytes:
    return (
        HEAD + "".join(f"<p>{p}</p>" for p in PARAGRAPHS[:3]) + inset + f"<p>{PARAGRAPHS[3]}</p></article>"
    ).encode()


@pytest.mark.parametrize("field", ['type="email"', 'name="e-mail"', 'type="text" placeholder="Your mail address"'])
def test_a_box_that_asks_for_an_address_goes_whole(field: str) -> None:
    """Whatever its names and words: heading, promise and all; the paragraphs around it stay."""
    extraction = extract(_article_with(BOX.format(field=field)), "https://courier.example/2026/the-old-bridge-stays")
    assert [block.text for block in extraction.result.blocks] == PARAGRAPHS[:4]
    taken = [(removed.kind.value, removed.text) for removed in extraction.removed if removed.rule == "newsletter.form"]
    assert taken == [
        ("newsletter", "The Tide Table"),
        ("newsletter", "What the harbour will talk of today, before breakfast."),
    ]


def test_a_field_for_an_address_takes_no_paragraph_with_it() -> None:
    """A form right in the body, or around all of the page, is no reason to take what stands beside it."""
    field = '<form action="/t"><input type="email"><button>Send</button></form>'
    whole = _article_with(field).replace(b"<article>", b"<form><article>").replace(b"</article>", b"</article></form>")
    for page in (_article_with(field), whole):
        result = extract(page, "https://courier.example/2026/the-old-bridge-stays").result
        assert [block.text for block in result.blocks] == PARAGRAPHS[:4]


def test_links_side_by_side_are_no_paragraph() -> None:
    """Links with no word between them are furniture even in a `<p>`; sentences full of links are the article's."""
    links = '<p><a href="mailto:?x">Send by post</a><a href="#copy">Copy the address of this</a></p>'
    linked = (
        '<p><a href="/a">The council</a> asked <a href="/b">the harbour master</a> and <a href="/c">the ferry</a>.</p>'
    )
    extraction = extract(_article_with(links + linked), "https://courier.example/2026/the-old-bridge-stays")
    [taken] = [removed for removed in extraction.removed if "Copy the address" in removed.text]
    assert taken.rule == "related.link_list"
    texts = [block.text for block in extraction.result.blocks]
    assert texts == [*PARAGRAPHS[:3], "The council asked the harbour master and the ferry.", PARAGRAPHS[3]]
