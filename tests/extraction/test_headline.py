"""The headline is the article's, without the site's name, the kicker or markup."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from extraction.headline import MAX_HEADLINE, choose, clean, h1s, without_site

SITES = {"the example", "example com", "example"}


@pytest.mark.parametrize(
    ("h1", "json_ld", "og", "title", "headline"),
    [
        (
            ["Ministers agree on a plan"],
            "Ministers agree on a plan",
            "A plan, at last",
            "x",
            "Ministers agree on a plan",
        ),
        (
            ["Ministers agree on a plan"],
            "Plan: what it means",
            "Ministers agree on a plan",
            "x",
            "Ministers agree on a plan",
        ),
        (
            ["The Example", "Ministers agree on a plan"],
            "",
            "Ministers agree on a plan",
            "x",
            "Ministers agree on a plan",
        ),
        (["Budget: Ministers agree on a plan"], "", "Ministers agree on a plan", "", "Ministers agree on a plan"),
        (
            ["Opinion Ministers agree on a plan"],
            "Ministers agree on a plan",
            "Opinion | Ministers agree on a plan",
            "",
            "Ministers agree on a plan",
        ),
        (
            ["Crisis - Ministers agree on a plan"],
            "",
            "Budget: Ministers agree on a plan",
            "",
            "Ministers agree on a plan",
        ),
        (["A plan agreed"], "Budget: A plan agreed", "Budget: A plan agreed", "", "Budget: A plan agreed"),
        (["Newsletter", "About"], "Ministers agree on a plan", "", "", "Ministers agree on a plan"),
        (
            ["Ministers agree on a big plan"],
            "Ministers agreed on a plan",
            "Search title",
            "Search title",
            "Ministers agree on a big plan",
        ),
        ([], "", "Ministers agree", "Ministers agree - The Example", "Ministers agree"),
        ([], "", "", "Ministers agree", "Ministers agree"),
        (["One two three four"], "", "", "", "One two three four"),
        ([], "", "", "", ""),
    ],
)
def test_the_headline_is_the_one_that_readers_see_and_others_confirm(h1, json_ld, og, title, headline) -> None:
    assert choose(h1, json_ld, og, title)[0] == headline


@pytest.mark.parametrize(
    "title",
    [
        "Ministers agree on a plan | The Example",
        "Ministers agree on a plan - Example.com",
        "Ministers agree on a plan – The Example",
        "Ministers agree on a plan｜The Example",
        "The Example  -  Ministers agree on a plan",
        "The Example | Ministers agree on a plan",
        "Ministers agree on a plan | Politics | The Example",
    ],
)
def test_the_sites_name_is_no_part_of_a_title(title: str) -> None:
    """At either end, with any separator, and with the section between if the h1 proves it."""
    assert without_site(title, SITES, {"ministers agree on a plan"}) == "Ministers agree on a plan"


def test_a_separator_inside_a_title_stays() -> None:
    assert without_site("Paris - Roubaix: the race", SITES) == "Paris - Roubaix: the race"
    assert without_site("The Example", SITES) == "The Example"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("A &amp;#39;quoted&amp;#39; word", "A 'quoted' word"),
        ("&lt;em&gt;Alien&lt;/em&gt; is back", "Alien is back"),
        ("<b>Bold</b> news", "Bold news"),
        ("<script>alert(1)</script>News", "News"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("e\u0301te\u0301", "été"),
        ("a\u202eb\u200bc\x00\x1b[31md\ue000", "abcd"),
        ("two\n  lines\u00a0here", "two lines here"),
        ('=HYPERLINK("x")', '=HYPERLINK("x")'),
        ("| table | [md](x)", "| table | [md](x)"),
        (None, ""),
        ("😀😀", "😀😀"),
    ],
)
def test_titles_become_plain_text(raw: str | None, text: str) -> None:
    """Entities undone, formatting out, controls out, Unicode NFC; what is data stays data."""
    assert clean(raw) == text


def test_a_huge_title_is_cut() -> None:
    assert len(clean("word " * 25_000)) <= MAX_HEADLINE
    assert len(h1s(html.fromstring("<div><h1>" + "word " * 25_000 + "</h1></div>"))[0]) <= MAX_HEADLINE


def test_parts_of_an_h1_do_not_grow_together() -> None:
    """A kicker in its own element keeps its distance; a drop cap does not get one."""
    assert h1s(html.fromstring("<div><h1><span>Budget</span><span>Ministers agree</span></h1></div>")) == [
        "Budget Ministers agree"
    ]
    assert h1s(html.fromstring("<div><h1><b>M</b>inisters agree</h1></div>")) == ["Ministers agree"]


@settings(deadline=None)  # other processes share the machine
@given(st.lists(st.text(max_size=60), max_size=4), st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_the_headline_is_always_one_of_the_candidates_or_an_end_of_one(h1, json_ld, og, title) -> None:
    """Nothing is composed."""
    candidates = [clean(text) for text in h1]
    chosen, _ = choose([c for c in candidates if c], clean(json_ld), clean(og), clean(title))
    assert not chosen or any(c.endswith(chosen) for c in [*candidates, clean(json_ld), clean(og), clean(title)])
