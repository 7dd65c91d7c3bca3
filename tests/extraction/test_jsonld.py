"""JSON-LD is read however it arrives, and its bounds hold."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html
from lxml.html import HtmlElement

from extraction.jsonld import MAX_NODES, is_article, parse, read, text, texts, types

ARTICLE = {
    "@context": "https://schema.org",
    "@type": "NewsArticle",
    "headline": "A plan agreed",
    "datePublished": "2024-04-28",
}


def page(*scripts: str, kind: str = "application/ld+json") -> HtmlElement:
    return html.fromstring(
        "<html><head>"
        + "".join(f'<script type="{kind}">{s}</script>' for s in scripts)
        + "</head><body><p>x</p></body></html>"
    )


def headline(*scripts: str) -> str | None:
    nodes = [node for node in read(page(*scripts)).nodes if is_article(node)]
    return nodes[0].get("headline") if nodes else None


PLAIN = json.dumps(ARTICLE)


@pytest.mark.parametrize(
    "script",
    [
        PLAIN,
        json.dumps([{"@type": "WebSite"}, ARTICLE]),
        json.dumps({"@context": "https://schema.org", "@graph": [{"@type": "Organization"}, ARTICLE]}),
        json.dumps({"@type": "WebPage", "mainEntity": ARTICLE}),
        json.dumps({"@type": "WebPage", "mainEntityOfPage": {"@graph": [[ARTICLE]]}}),
        json.dumps({**ARTICLE, "@type": ["Article", "http://schema.org/NewsArticle"]}),
        json.dumps({**ARTICLE, "@type": "schema:NewsArticle"}),
        f"<!-- {PLAIN} -->",
        f"//<![CDATA[\n{PLAIN}\n//]]>",
        f"\ufeff \n{PLAIN};",
        PLAIN.replace('"datePublished"', '\n // a comment\n "datePublished"'),
        PLAIN.replace("{", "{ /* generated */ ", 1),
        PLAIN[:-1] + ",}",
        PLAIN.replace('", "', '"\n "'),
        PLAIN.replace("plan agreed", "plan agreed").replace(
            '"datePublished"', '"description": "line one\nline two\tand \\\'three\\\'", "datePublished"'
        ),
        PLAIN[: PLAIN.index(', "datePublished"')],
        PLAIN[: PLAIN.index('"2024')],
        json.dumps({**ARTICLE, "author": {"@type": "Person", "name": "Jane Doe"}})[:-3],
        PLAIN + PLAIN,
        PLAIN + ",\n" + json.dumps({"@type": "Person"}),
        json.dumps(PLAIN),
        PLAIN.replace('"', "&quot;"),
    ],
)
def test_an_article_is_found_in_broken_and_nested_scripts(script: str) -> None:
    """Graphs, arrays, comments, spare and missing commas, raw line breaks, cut ends, twice encoded: all are read."""
    assert headline(script) == "A plan agreed"


def test_unescaped_quotes_lose_nothing_of_the_headline() -> None:
    """What no repair can parse is read field by field."""
    broken = '{"@type":"NewsArticle","headline":"A "great" plan agreed","datePublished":"2024-04-28","author":{"@type":"Person","name":"Jane"}}'
    graph = read(page(broken))
    assert graph.broken == 1
    assert graph.nodes[0] == {
        "@type": "NewsArticle",
        "headline": 'A "great" plan agreed',
        "datePublished": "2024-04-28",
        "author": {"@type": "Person", "name": "Jane"},
    }


def test_one_broken_script_does_not_hide_the_others() -> None:
    assert headline("{{{ not json", "window.x = 1", PLAIN) == "A plan agreed"
    assert read(page("{{{ not json", PLAIN)).broken == 1


def test_types_of_the_wrong_kind_are_passed_over() -> None:
    """Wrong types everywhere: numbers, lists and objects where strings belong."""
    odd = [
        {"@type": 7},
        {"@type": {"a": 1}},
        {"@type": [None, 3, "NewsArticle"], "headline": ["A plan agreed", 4]},
        5,
        None,
        "x",
        True,
    ]
    nodes = read(page(json.dumps(odd))).nodes
    assert [types(node) for node in nodes] == [(), (), ("NewsArticle",)]
    assert text(nodes[2]["headline"]) == "A plan agreed"
    assert list(texts({"name": [{"@value": "a"}, {"name": "b"}, 3, None]})) == ["a", "b", "3"]


@pytest.mark.parametrize(
    "script",
    [
        "[" * 200_000,
        '{"a":' * 100_000,
        '{"@graph":' * 50 + PLAIN + "}" * 50,
        json.dumps({"@graph": [{"@type": "Thing", "@graph": [{"@type": "Thing"}] * 20}] * 1000}),
        '"' * 1_900_000,
        "{" + '"a":"b" ' * 200_000 + "}",
        "/*" * 900_000,
        '{"@type":"NewsArticle","headline":"' + "\\" * 1_000_001,
    ],
    ids=["brackets", "objects", "graphs", "wide", "quotes", "commas", "comments", "backslashes"],
)
def test_hostile_scripts_are_bounded(script: str) -> None:
    """No depth, width or garbage takes more than two seconds of CPU or hides the script after it."""
    start = time.process_time()
    graph = read(page(script, PLAIN))
    assert time.process_time() - start < 2
    assert len(graph.nodes) <= MAX_NODES
    assert any(node.get("headline") == "A plan agreed" for node in graph.nodes)


def test_ten_megabytes_are_left_out() -> None:
    graph = read(page(json.dumps({**ARTICLE, "articleBody": "x" * 10_000_000}), PLAIN))
    assert (graph.broken, len(graph.nodes)) == (1, 1)


def test_a_reference_that_names_itself_ends() -> None:
    graph = read(page(json.dumps({"@graph": [{"@id": "#a", "@type": "Person", "name": {"@id": "#a"}}]})))
    assert list(texts(graph.by_id["#a"])) == []


@settings(deadline=None)  # other processes share the machine
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda c: (
            st.lists(c, max_size=4)
            | st.dictionaries(st.sampled_from(["@type", "@graph", "@id", "name", "headline"]), c, max_size=4)
        ),
        max_leaves=20,
    )
)
def test_any_json_is_read(value) -> None:
    """Every value that JSON can hold gives nodes with readable types."""
    graph = read(page(json.dumps(value).replace("<", "\\u003c")))
    for node in graph.nodes:
        assert all(isinstance(name, str) for name in types(node))


@given(st.text(alphabet='{}[]",:\\ntue0123@ap/*<!->', max_size=120))
def test_any_text_is_json_or_salvaged(script: str) -> None:
    values, _ = parse(script)
    assert isinstance(values, list)
