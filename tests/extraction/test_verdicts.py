"""What markup and neighbours say of a block, on pages that hold one telling thing each."""

import pytest

from extraction.article import extract
from extraction.marks import mark, marks_in
from extraction.records import Article, Extraction

URL = "https://daily.example/2026/03/05/bridge"
PARAGRAPHS = (
    "The council voted on Thursday to keep the old bridge, ending a dispute of almost three years over its costs.",
    "Engineers had warned that the piers would not last another winter unless the river bed was secured with stones.",
    "Shopkeepers on both banks welcomed the vote, which they said had come late but still in time for the summer.",
    "Work is to begin in May, and the last of the stones should be laid before the floods that October brings.",
)
BODY = [f"<p>{text}</p>" for text in PARAGRAPHS]


def read(*parts: str, head: str = "") -> Extraction:
    body = "".join(parts)
    return extract(
        f"<html><head><title>Bridge stays</title></head><body>{head}<article><h1>Bridge stays</h1>{body}</article></body></html>".encode(),
        URL,
    )


def texts(found: Extraction) -> list[str]:
    assert isinstance(found.result, Article)
    return [block.text for block in found.result.blocks]


def rule_of(found: Extraction, text: str) -> str | None:
    return next((removed.rule for removed in found.removed if text in removed.text), None)


@pytest.mark.parametrize(
    "line",
    [
        '<p style="text-align: center">The bridge at dawn, seen from the northern bank of the river.</p>',
        "<p><em>The bridge at dawn, seen from the northern bank of the river.</em></p>",
        '<p align="center"><font size="2">The bridge at dawn, seen from the northern bank of the river.</font></p>',
    ],
)
def test_line_set_off_under_a_picture_is_its_caption(line: str) -> None:
    """A centred or slanted line after a picture goes; the same line where no picture stands, stays."""
    found = read(*BODY[:2], "<p><img src='/a.jpg'></p>", line, *BODY[2:])
    assert texts(found) == list(PARAGRAPHS)
    assert rule_of(found, "at dawn") == "caption.set_off"
    assert rule_of(read(*BODY[:2], line, *BODY[2:]), "at dawn") != "caption.set_off"


def test_article_told_twice_is_kept_once() -> None:
    """A block that holds all paragraphs again, for printing, goes; a sentence that an article repeats, stays."""
    found = read(*BODY, f"<div>{' '.join(PARAGRAPHS)}</div>")
    assert texts(found) == list(PARAGRAPHS)
    assert rule_of(found, PARAGRAPHS[3]) == "text.repeated"
    assert texts(read(*BODY, BODY[0])) == [*PARAGRAPHS, PARAGRAPHS[0]]


def test_author_named_after_the_article_is_no_part_of_it() -> None:
    """The byline says who is meant; a source of another name who works as a reporter stays."""
    bio = "<p>Jane Doe is a reporter for the Daily and writes about rivers.</p>"
    source = (
        "<p>Mary Roe, a reporter who writes about rivers elsewhere, called the vote a relief for the whole valley.</p>"
    )
    found = read("<p>By Jane Doe</p>", *BODY, source, bio)
    assert texts(found)[-1].startswith("Mary Roe")
    assert rule_of(found, "Jane Doe is") == "byline.bio"


@pytest.mark.parametrize(
    "line", ["Text goes on below the ad", "Continúa tras la publicidad", "يتبع المقال بعد الإعلان"]
)
def test_line_on_where_the_text_goes_on_is_an_ad_label(line: str) -> None:
    """Whatever its wording; a subhead on advertising is none."""
    assert rule_of(read(*BODY[:2], f"<p>{line}</p>", *BODY[2:]), line) in ("ad_label.call", "advertising.label")
    assert "Life after advertising" in texts(read(*BODY[:2], "<h2>Life after advertising</h2>", *BODY[2:]))


def test_list_after_a_pointer_is_the_articles() -> None:
    """Entries without a link do not go with the linked headline that stands before them."""
    pointer = "<div><p>Read more</p><p><a href='/n'>Ferry runs again on Sunday</a></p></div>"
    entries = ["Stones for the river bed", "New lamps on both sides"]
    listed = f"<ul>{''.join(f'<li>{entry}</li>' for entry in entries)}</ul>"
    found = texts(read(*BODY[:2], pointer, listed, *BODY[2:]))
    assert found == [*PARAGRAPHS[:2], *entries, *PARAGRAPHS[2:]]


def test_heading_with_its_links_on_one_line_goes() -> None:
    """'Newer articles: A | B' is a list of links, though it reads as a paragraph."""
    links = " | ".join(f"<a href='/{n}'>{title}</a>" for n, title in enumerate(["Ferry runs again", "Lido stays open"]))
    found = read(*BODY, f"<p>Newer articles: {links}</p>")
    assert texts(found) == list(PARAGRAPHS)
    assert rule_of(found, "Newer articles") == "related.heading"


def test_names_that_speak_of_something_beside_the_text_say_nothing() -> None:
    """Drupal's hidden labels are no hidden text, and AEM's core components no consent."""
    assert not marks_in("field field--name-body field--label-hidden") & (mark("hidden") | mark("tag"))
    assert not marks_in("field-label-above") & mark("tag")
    assert not marks_in("cmp-text") & mark("cookie")


PICTURE = '<div class="shot"><img src="/a.jpg"></div>'
CAPTION_LINE = "Masons at the northern pier of the bridge, on the day of the vote."


def test_line_in_a_style_of_its_own_under_a_picture_is_its_caption() -> None:
    """Amid paragraphs that are all alike, the line that looks otherwise and follows a picture goes."""
    line = f'<p class="tiny">{CAPTION_LINE}</p>'
    found = read(*BODY[:2], PICTURE, line, *BODY[2:])
    assert texts(found) == list(PARAGRAPHS)
    assert rule_of(found, "Masons") == "caption.style"
    for other in (read(*BODY[:2], PICTURE, f"<p>{CAPTION_LINE}</p>", *BODY[2:]), read(*BODY[:2], line, *BODY[2:])):
        assert rule_of(other, "Masons") != "caption.style"


def test_instructions_with_a_picture_for_each_step_stay() -> None:
    """Several such lines that follow pictures are what the article tells, and no captions."""
    steps = [f"Lay stone number {n} of the wall, and mind the water." for n in range(1, 7)]
    shown = [f'{PICTURE}<p class="step">{step}</p>' for step in steps]
    found = read(*BODY, *shown)
    assert not [r for r in found.removed if r.rule == "caption.style"]


@pytest.mark.parametrize(
    "line",
    [
        f"{CAPTION_LINE} Photo: Lea Brandt",
        "Masons at the northern pier – Photo: Lea Brandt",
        "Masons at the northern pier (© Quay Pictures)",
    ],
)
def test_line_under_a_picture_that_ends_in_its_credit_is_its_caption(line: str) -> None:
    """Wherever it stands and whatever it looks like; without a picture it is a line like any other."""
    found = read(PICTURE, f"<p>{line}</p>", *BODY)
    assert texts(found) == list(PARAGRAPHS)
    assert rule_of(found, "Masons") == "caption.credited"
    assert rule_of(read(*BODY[:2], f"<p>{line}</p>", *BODY[2:]), "Masons") != "caption.credited"


LEAD = "<p>Three years of dispute over the costs have ended, and work begins in May, the council says.</p>"


@pytest.mark.parametrize(
    ("head", "line"),
    [
        ("<p class='meta'>By Lea Brandt | Published 6 May 2026, 8:30 am</p>", "Lea Brandt"),
        ("<div>Lea Brandt, editor for harbours and for rivers, Published 6 May 2026, 8:30 am</div>", "Lea Brandt"),
        (
            "<div><i>·</i><div class='subtitle-2'>Lea Brandt</div> · <div class='s'>Published 6 May 2026, 8:30 am</div></div>",
            "Lea Brandt",
        ),
        ("<p class='intro-meta'>Lea Brandt</p><p class='intro-meta'>6 May 2026, 8:30 am</p>", "Lea Brandt"),
        ("<div><div>Published 6 May 2026, 8:30 am</div><div><h6>Lea Brandt, harbours</h6></div></div>", "Lea Brandt"),
    ],
)
def test_line_over_the_article_that_names_who_and_when_is_no_part_of_it(head: str, line: str) -> None:
    """Whatever it is called and however long it is, under the headline or under the lead."""
    for above in ("", LEAD):
        found = read(above, head, *BODY)
        assert texts(found)[-len(PARAGRAPHS) :] == list(PARAGRAPHS)
        assert rule_of(found, line) == "byline.head", above
        assert not any(line in text for text in texts(found))


def test_section_in_the_headlines_own_box_is_no_part_of_the_article() -> None:
    """A word beside the headline goes; the same word amid the paragraphs may be a subhead."""
    html = f"<article><div><h1>Bridge stays</h1><span>Economy</span><hr></div>{LEAD}{''.join(BODY)}</article>"
    found = extract(f"<html><head><title>Bridge stays</title></head><body>{html}</body></html>".encode(), URL)
    assert rule_of(found, "Economy") == "byline.head"
    assert "Economy" in texts(read(*BODY[:2], "<p>Economy</p>", *BODY[2:]))


def test_last_paragraph_that_opens_with_its_author_speaks_of_its_author() -> None:
    """Whatever it says; but not one that opens with somebody whom only the section over the headline names."""
    last = "<p>Lea Brandt grew up on the northern bank and has known the old bridge since she could walk.</p>"
    signed = read("<p>By Lea Brandt</p>", *BODY, BODY[0].replace("council", "board"), last)
    assert rule_of(signed, "grew up") == "byline.bio"
    about = extract(
        f"<html><head><title>Bridge stays</title></head><body><article><p>Lea Brandt</p><h1>Bridge stays</h1>"
        f"{''.join(BODY)}{BODY[0].replace('council', 'board')}{last}</article></body></html>".encode(),
        URL,
    )
    assert rule_of(about, "Lea Brandt") == "byline.head"
    assert texts(about)[-1].startswith("Lea Brandt grew up")


def test_bio_is_known_by_the_name_over_the_article_beside_a_date() -> None:
    head = "<div>Lea Brandt, editor for harbours, Published 6 May 2026, 8:30 am</div>"
    found = read(
        head, *BODY, "<div><p>Lea Brandt is the harbour editor. Write to her at l.brandt@daily.example.</p></div>"
    )
    assert texts(found) == list(PARAGRAPHS)
    assert rule_of(found, "Write to her") == "byline.bio"


@pytest.mark.parametrize(
    "line",
    [
        '<p class="who">Lea Brandt, harbours</p><p class="who">5 March 2026, 08:30</p>',
        "<ul><li>Lea Brandt, harbours</li><li>5 March 2026, 08:30</li></ul>",
    ],
)
def test_line_beside_the_date_and_alike_is_of_the_author(line: str) -> None:
    """A name under the headline that looks as the date beside it does goes, be they entries or paragraphs."""
    found = read(line, *BODY)
    assert texts(found) == list(PARAGRAPHS)
    assert rule_of(found, "Lea Brandt") == "byline.head"
    assert rule_of(read(*BODY, "<p>Lea Brandt, harbours</p>", *BODY[:1]), "Lea Brandt") != "byline.head"


def test_greek_label_in_capitals_is_the_label() -> None:
    """Greek capitals are written without accents."""
    found = read(*BODY[:2], "<p>ΔΙΑΦΗΜΙΣΗ</p>", *BODY[2:])
    assert rule_of(found, "ΔΙΑΦΗΜΙΣΗ") == "advertising.label"
