"""What a page says of its article, field by field, with the evidence for each."""

import json
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extraction import metadata
from extraction.page import UnreadablePageError, parse
from extraction.records import Metadata

URL = "https://www.daily.example/politics/a-plan-agreed-at-last"
SEEN = datetime(2026, 11, 23, 12, tzinfo=UTC)
BODY = "<h1>A plan agreed at last</h1><p>" + "The ministers met for the third time this week. " * 20 + "</p>"


def read(head: str = "", body: str = BODY, *, lang: str = "en", url: str = URL) -> Metadata:
    html = f'<!doctype html><html lang="{lang}"><head>{head}</head><body>{body}</body></html>'
    return metadata.read(parse(html.encode("utf-8", "surrogatepass"), url), seen=SEEN)


def ld(**fields: object) -> str:
    text = json.dumps({"@type": "NewsArticle", **fields}).replace("</", "<\\/")
    return f'<script type="application/ld+json">{text}</script>'


def meta(**fields: str) -> str:
    return "".join(f'<meta property="{name.replace("__", ":")}" content="{value}">' for name, value in fields.items())


FULL = ld(
    headline="A plan agreed at last",
    alternativeHeadline="What the plan means",
    description="Ministers found a way.",
    author=[{"@type": "Person", "name": "Jane Doe"}, {"@type": "Organization", "name": "Reuters"}],
    datePublished="2026-11-22T23:30:00+01:00",
    dateModified="2026-11-23T08:00:00Z",
    publisher={"@type": "Organization", "name": "The Daily Example"},
    articleSection="Politics",
    keywords=["Budget", "Coalition, the", "budget"],
    image={"@type": "ImageObject", "url": "/img/plan.jpg"},
    inLanguage="en_GB",
    isAccessibleForFree="False",
)


def test_json_ld_fills_every_field() -> None:
    """Names of schema.org, times in UTC, URLs absolute."""
    found = read(
        FULL + f'<link rel="canonical" href="{URL}?utm_source=x"><meta name="robots" content="noindex, NoArchive">',
        lang="en-gb",
    )
    assert found.headline == "A plan agreed at last"
    assert found.alternative_headline == "What the plan means"
    assert found.description == "Ministers found a way."
    assert (found.authors, found.author_organisations) == (("Jane Doe",), ("Reuters",))
    assert found.date_published == datetime(2026, 11, 22, 22, 30, tzinfo=UTC)
    assert (found.date_published_raw, found.date_published_zone_known) == ("2026-11-22T23:30:00+01:00", True)
    assert found.date_published_source == "json_ld:NewsArticle.datePublished"
    assert found.date_modified == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert found.in_language == "en-GB"
    assert found.publisher == "The Daily Example"
    assert found.article_section == "Politics"
    assert found.keywords == ("Budget", "Coalition, the")
    assert found.main_image == "https://www.daily.example/img/plan.jpg"
    assert found.canonical_url == URL
    assert found.is_accessible_for_free is False
    assert found.article_type == "NewsArticle"
    assert found.robots == ("noindex", "noarchive")
    assert found.dates_disagree is False


def test_meta_elements_serve_where_json_ld_is_silent() -> None:
    found = read(
        meta(
            og__title="A plan agreed at last | The Daily Example",
            og__site_name="The Daily Example",
            og__description="Ministers found a way.",
            article__published_time="2026-11-22T10:00:00",
            article__author="https://www.facebook.com/jane",
            author="By Jane Doe and John Roe",
            article__section="Politics",
            news_keywords="Budget, Coalition; Tax",
            og__image="https://cdn.example/i.jpg",
            article__content_tier="locked",
            og__type="article",
        )
    )
    assert found.headline == "A plan agreed at last"
    assert found.authors == ("Jane Doe", "John Roe")
    assert (found.date_published, found.date_published_zone_known) == (datetime(2026, 11, 22, 10, tzinfo=UTC), False)
    assert found.keywords == ("Budget", "Coalition", "Tax")
    assert (found.is_accessible_for_free, found.article_type, found.publisher) == (
        False,
        "article",
        "The Daily Example",
    )


def test_microdata_and_visible_elements_come_next() -> None:
    """Microdata of the article, then the byline and the time that readers see."""
    found = read(
        body='<div itemscope itemtype="https://schema.org/NewsArticle"><h1 itemprop="headline">A plan</h1>'
        '<span itemprop="author" itemscope itemtype="https://schema.org/Person"><span itemprop="name">Jane Doe</span></span>'
        '<meta itemprop="datePublished" content="2026-11-22T10:00:00Z"></div>'
    )
    assert (found.authors, found.date_published_source) == (("Jane Doe",), "microdata:datePublished")
    seen = read(
        body=BODY.replace(
            "<p>",
            '<div class="c-byline">By <a href="/authors/jane">Jane Doe</a></div><time datetime="2026-11-22T10:00Z">x</time><p>',
            1,
        )
    )
    assert (seen.authors, seen.date_published_source) == (("Jane Doe",), "time")


def test_microdata_says_what_is_not_free_and_where_it_belongs() -> None:
    found = read(
        body='<article itemscope itemtype="https://schema.org/NewsArticle"><meta itemprop="isAccessibleForFree" content="False">'
        f'<p itemprop="articleSection">Culture</p>{BODY}</article>'
        '<div itemscope itemtype="https://schema.org/Offer"><meta itemprop="isAccessibleForFree" content="True"></div>'
    )
    assert (found.is_accessible_for_free, found.article_section) == (False, "Culture")


def test_the_section_is_read_from_breadcrumbs_or_the_menu() -> None:
    """The step before the article itself; else the word above the headline that the menu has too."""
    steps = [
        {"@type": "ListItem", "position": n, "item": {"@id": "/", "name": name}}
        for n, name in enumerate(("Home", "Culture", "A plan agreed at last"), 1)
    ]
    crumbs = f'<script type="application/ld+json">{json.dumps({"@type": "BreadcrumbList", "itemListElement": steps})}</script>'
    assert read(crumbs).article_section == "Culture"
    menu = '<nav><a href="/c">Culture</a><a href="/s">Sport</a></nav>'
    assert read(body=f'{menu}<div><p class="rubric">Culture</p>{BODY}</div>').article_section == "Culture"
    assert read(body=f"{menu}<div>{BODY}</div>").article_section is None


def test_the_byline_is_not_a_photographers_or_a_teasers() -> None:
    found = read(
        body=BODY.replace(
            "<p>", '<figure><figcaption>By <a href="/authors/max">Max Photo</a></figcaption></figure><p>', 1
        )
        + '<div class="related-teaser"><a rel="author" href="/authors/x">Xaver Other</a></div>'
        + '<ul class="comments"><li class="comment-author">Troll Reader</li></ul>'
    )
    assert found.authors == ()


def test_references_in_a_graph_are_followed() -> None:
    graph = {
        "@graph": [
            {
                "@type": "NewsArticle",
                "headline": "A plan agreed at last",
                "author": {"@id": "#jane"},
                "publisher": {"@id": "#org"},
            },
            {"@type": "Person", "@id": "#jane", "name": "Jane Doe"},
            {"@type": "Organization", "@id": "#org", "name": "The Daily Example"},
        ]
    }
    found = read(f'<script type="application/ld+json">{json.dumps(graph)}</script>')
    assert (found.authors, found.publisher) == (("Jane Doe",), "The Daily Example")


def test_a_site_that_names_itself_as_author_is_no_person() -> None:
    """The visible byline is asked then, and where there is none the site is an organisation."""
    head = ld(
        headline="A plan agreed at last",
        author={"@type": "Person", "name": "The Daily Example"},
        publisher={"name": "The Daily Example"},
    )
    assert read(head).authors == ()
    assert read(head).author_organisations == ("The Daily Example",)
    shown = read(head, body=BODY.replace("<p>", '<p class="byline">By Jane Doe</p><p>', 1))
    assert (shown.authors, shown.author_organisations) == (("Jane Doe",), ())


def test_several_articles_on_one_page_are_told_apart() -> None:
    """The nodes of teasers and of the next article in an endless page are not the page's own."""
    others = "".join(
        ld(
            headline=f"Other story {n}",
            url=f"https://www.daily.example/other/{n}",
            author={"name": f"Other {n} Person"},
            datePublished="2020-01-01",
        )
        for n in ("one", "two", "three")
    )
    own = ld(headline="A plan agreed at last", url=URL, author={"name": "Jane Doe"}, datePublished="2026-11-22")
    for head in (own + others, others + own):
        found = read(head)
        assert (found.headline, found.authors) == ("A plan agreed at last", ("Jane Doe",))
        assert found.date_published == datetime(2026, 11, 22, tzinfo=UTC)
        assert found.dates_disagree is False


def test_posts_of_a_live_blog_are_not_the_article() -> None:
    found = read(
        ld(headline="Live: the vote", datePublished="2026-11-22T08:00:00Z").replace("NewsArticle", "LiveBlogPosting")
        + ld(headline="x").replace(
            '"headline": "x"',
            '"liveBlogUpdate": [{"@type": "BlogPosting", "headline": "Post", "datePublished": "2026-11-23"}]',
        )
    )
    assert found.date_published == datetime(2026, 11, 22, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("head", "disagree"),
    [
        (
            ld(headline="x", datePublished="2026-11-05T10:00:00Z")
            + meta(article__published_time="2026-05-11T10:00:00Z"),
            True,
        ),
        (ld(headline="x", datePublished="2026-11-22T22:00:00Z") + meta(article__published_time="2026-11-23"), False),
        (ld(headline="x", datePublished="2026-11-22T10:00:00Z", dateModified="2025-11-22T10:00:00Z"), True),
        (ld(headline="x", datePublished="2026-11-22T10:00:00Z", dateModified="2026-11-22T09:59:00Z"), False),
    ],
    ids=["day-and-month-swapped", "time-zones", "modified-before-published", "a-minute"],
)
def test_dates_that_contradict_each_other_are_flagged(head: str, disagree: bool) -> None:
    """Both stay in the evidence; the first source's is taken."""
    found = read(head)
    assert found.dates_disagree is disagree
    assert len([e for e in found.evidence if e.field in {"date_published", "date_modified"}]) == 2


@pytest.mark.parametrize(
    "raw",
    ["1970-01-01T00:00:00Z", "0000-00-00", "2099-01-01T00:00:00Z", "2026-11-24T12:00:00Z", "04/05/2026", "soon", ""],
)
def test_impossible_dates_are_evidence_and_nothing_more(raw: str) -> None:
    """Never taken, and date_published is never filled from date_modified."""
    found = read(
        ld(headline="x", datePublished=raw, dateModified="2026-11-22T10:00:00Z"),
        body="<p>No date here.</p>",
        url="https://daily.example/x",
    )
    assert found.date_published is None
    assert found.date_modified == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert not any(e.chosen for e in found.evidence if e.field == "date_published")
    assert ("json_ld:NewsArticle.datePublished" in {e.source for e in found.evidence}) is bool(raw)


def test_the_urls_day_serves_before_a_guess() -> None:
    found = read(url="https://daily.example/2026/11/22/a-plan")
    assert (found.date_published, found.date_published_source) == (datetime(2026, 11, 22, tzinfo=UTC), "url")
    guessed = read(body=BODY + "<p>Published on 21 November 2026</p>", url="https://daily.example/a-plan")
    assert (guessed.date_published_source, str(guessed.date_published.date())) == ("htmldate", "2026-11-21")


@pytest.mark.parametrize(
    ("head", "canonical"),
    [
        ('<link rel="canonical" href="/politics/a-plan">', "https://www.daily.example/politics/a-plan"),
        ('<link rel="Canonical" href="https://other.example/a">', "https://other.example/a"),
        ('<link rel="canonical" href="/a"><link rel="canonical" href="/b">', None),
        (
            '<link rel="canonical" href="/a"><link rel="canonical" href="http://daily.example/a/">',
            "https://www.daily.example/a",
        ),
        ('<link rel="canonical" href="javascript:x">', None),
        (meta(og__url="https://www.daily.example/og"), "https://www.daily.example/og"),
        ("", None),
    ],
)
def test_the_canonical_url_is_the_one_that_the_page_names(head: str, canonical: str | None) -> None:
    """Relative ones are made absolute, several different ones cancel each other; trust is the caller's."""
    found = read(head).canonical_url
    assert found == canonical or (found is not None and canonical is not None and found.rstrip("/").endswith("/a"))


def test_hostile_values_are_data() -> None:
    """Markup out of headlines and names, formulas and tables kept as text, controls gone, lengths bounded."""
    found = read(
        ld(
            headline='<script>alert(1)</script><i>A</i> plan =HYPERLINK("x") | a | \x1b[31m\u202eb\u200b',
            author=[
                "<img src=x onerror=alert(1)>Jane Doe",
                *(f"Extra {chr(65 + n % 26)}{chr(97 + n // 26 % 26)}name" for n in range(5000)),
            ],
            description="d" * 200_000,
            keywords=["k" * 5000] + [f"word{n}" for n in range(1000)],
        ),
        body="",
    )
    assert found.headline == 'A plan =HYPERLINK("x") | a | b'
    assert found.authors[0] == "Jane Doe"
    assert len(found.authors) == 50
    assert len(found.description) == metadata.MAX_DESCRIPTION
    assert len(found.keywords) == metadata.MAX_KEYWORDS
    assert len(found.evidence) <= 60
    assert max(len(e.value) for e in found.evidence) <= 300


@pytest.mark.parametrize(
    ("lang", "language"),
    [
        ("de", "de"),
        ("en-us", "en-US"),
        ("zh-hans-cn", "zh-Hans-CN"),
        ("pt_BR", "pt-BR"),
        ("english!", None),
        ("", None),
    ],
)
def test_languages_are_bcp_47(lang: str, language: str | None) -> None:
    assert read(lang=lang).in_language == language


@pytest.mark.parametrize(
    "page",
    [
        b"<html><head>" + b"<meta name='author' content='Jane Doe'>" * 30_000 + b"</head><body><p>x</p>",
        b"<html><body>" + b"<h1>A headline that is long enough</h1>" * 40_000,
        b"<html><body>" + b"<time datetime='2026-01-01'>x</time>" * 40_000,
        b"<html><body>" + b"<a rel='author' href='/author/x'>Jane Doe</a>" * 60_000,
        b"<html><body>" + b"<div class='byline author'>" * 2000 + b"x" + b"</div>" * 2000,
        b"<html><body itemscope itemtype='NewsArticle'>" + b"<span itemprop='author'>Jane</span>" * 60_000,
        b"<html><body><h1>" + b"word " * 1_000_000 + b"</h1>",
        b"<html><head><title>" + b"x - " * 500_000 + b"</title></head><body><h1>x</h1><p>y",
        b"<html><body>" + b"<p>12/12/2024 </p>" * 90_000,
        b"<html><body><p>" + b"2024-01-01 " * 1_000_000,
    ],
    ids=[
        "metas",
        "h1s",
        "times",
        "author-links",
        "nested-bylines",
        "microdata",
        "long-h1",
        "long-title",
        "dates",
        "dates-in-one-line",
    ],
)
def test_hostile_pages_are_read_in_bounded_time(page: bytes) -> None:
    """Ten thousands of anything take less than six seconds of CPU, on a machine that others use too."""
    parsed = parse(page, URL)
    start = time.process_time()
    metadata.read(parsed, seen=SEEN)
    assert time.process_time() - start < 6


PIECES = ["<h1>", "</h1>", "<time datetime='", "'>", "<meta property='og:title' content='", "<div class='author'>", "By ", "2024-01-01", "<a rel=author>", "<script type='application/ld+json'>", '{"@type":"NewsArticle","headline":', '"x"', "}", "</script>", "é\u0301", "<title>", "|", "\0"]  # fmt: skip


@settings(deadline=None)  # the first page imports the suffix list
@given(st.lists(st.sampled_from(PIECES), max_size=25))
def test_any_page_gives_metadata(pieces: list[str]) -> None:
    """Nothing raises, and texts are tidy whatever the markup."""
    try:
        page = parse("".join(["<html>", *pieces]).encode(), URL)
    except UnreadablePageError:
        return
    found = metadata.read(page, seen=SEEN)
    assert found.headline is None or (found.headline == found.headline.strip() and found.headline.isprintable())
