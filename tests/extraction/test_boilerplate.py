"""What the rules on words take, and what they leave alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.boilerplate import Line, by_words
from extraction.escaped import unescaped
from extraction.records import RemovedKind
from extraction.rules import phrases, rule_names
from extraction.text import fold, tidy

TAKEN = [
    ("Newer articles", "related"), ("NEUERE ARTIKEL", "related"), ("関連記事", "related"), ("اقرأ أيضا", "related"),
    ("Read more: Ferry strike called off", "related"), ("Lesen Sie auch – Fährstreik abgesagt", "related"),
    ("Photo: Lea Brandt / Quay Pictures", "credit"), ("© Quay Pictures", "credit"), ("写真：エイダ・フェン", "credit"),
    ("Image caption: The bridge at low tide", "caption"), ("Advertisement", "ad_label"), ("La suite après la publicité", "ad_label"),
    ("Sign up for our weekly letter.", "newsletter"), ("Подпишитесь на нашу рассылку", "newsletter"),
    ("Share on Facebook", "share"), ("链接已复制", "share"), ("By Jane Doe and John Roe", "byline"), ("Von Jana Dohm", "byline"),
    ("Published 5 March 2026, 21:40", "timestamp"), ("Stand: 05.03.2026 09:05", "timestamp"), ("4 min read", "timestamp"),
    ("Tags: bridges, harbours", "tag"), ("We use cookies to improve this site.", "cookie"),
    ("Subscribe to continue reading", "paywall"), ("Comments (14)", "comments"), ("Kommentar schreiben", "comments"),
    ("<p>The red carpet has been rolled out.</p>", "escaped_markup"),
    ("We need your consent to load this map. It may set cookies on your device.", "cookie"),
    ("Um diesen Inhalt anzuzeigen, stimmen Sie bitte der Nutzung von Diensten Dritter zu.", "cookie"),
    ("Ce contenu est bloqué car vous n'avez pas accepté les traceurs.", "cookie"), ("Externer Inhalt", "cookie"),
    ("Om deze inhoud te tonen moet je toestemming geven.", "cookie"), ("Para ver este contenido acepte las cookies.", "cookie"),
    ("If you buy a bicycle from here, we may earn a commission.", "ad_label"),
    ("Bei Käufen über unsere Links erhalten wir eine Provision.", "ad_label"),
    ("Se compri da questi negozi potremmo ricevere una commissione.", "ad_label"),
    ("Support independent journalism: become a member from £3 a month.", "appeal"),
    ("Our reporting lives of our readers; please think of a donation today.", "appeal"),
    ("Mit Ihrer Spende bleibt unsere Redaktion unabhängig.", "appeal"), ("Faites un don et soutenez notre rédaction.", "appeal"),
    ("Únete a nuestro canal de WhatsApp", "appeal"), ("Читайте нас в Telegram", "appeal"), ("انضم إلى قناتنا على واتساب", "appeal"),
    ("Нашли ошибку? Выделите её мышью.", "appeal"), ("Do you have a story for us? Write to the newsroom.", "appeal"),
    ("Listen to this article", "share"), ("Artikel anhören", "share"), ("この記事を聴く", "share"),
    ("© Quay Courier 2026. Todos los derechos reservados.", "credit"), ("무단 전재 및 재배포 금지", "credit"),
    ("(Reporting by Lea Brandt and Jon Aske; editing by Ida Voss)", "byline"), ("(Con información de la agencia Quay)", "byline"),
]  # fmt: skip

LEFT = [
    "Advertising on public transport will be banned from May, the council decided.",
    "By Monday the strike had ended.",
    "By the time the ferry arrived, nobody was waiting.",
    "Von den 140 Fahrgästen kamen 120 aus dem Dorf.",
    "Comments by the minister on Tuesday had angered the unions.",
    "Photo finishes have decided the race three times in a row.",
    "The newsletter of the parish has been printed since 1911, and its editor does not want to stop.",
    "Published in 1911, the novel was out of print for a century.",
    "Share prices fell by four percent in early trading.",
    "Related charges against two other men were dropped.",
    "Mehr als hundert Menschen kamen zur Versammlung.",
    "Subscribers to the service had complained for months.",
    "If a < b and b < c, then a < c, the pupils learnt.",
    "Topics discussed at the meeting included the price of bread.",
    "Mit ihrer Zustimmung machten die Abgeordneten den Weg frei für den Neubau.",
    "Le 14 juillet 2026 : la fête sans feu",
    "ニュースレターの編集者は、来年も紙で出し続けると語った。",
    "残り二人の行方は分かっていない。",
    "Ihre Meinung hat sie seitdem nicht geändert, sagte die Ministerin.",
    "Принять все меры к спасению рыбаков потребовал губернатор.",
    "The company uses cookies to follow its customers from shop to shop, the court found.",
    "Bu haberi duyan köylüler meydanda toplandı.",
    "Email addresses of 4,000 patients were found on the open net.",
    "Support for the bridge had been growing since the spring.",
    "Photographs of the accident were shown in court on Tuesday.",
    "Read more slowly, the teachers told the children, and you will read better.",
    "Latest figures show that 1,200 people have left the valley.",
    "Source code for the machine was published in 2019.",
    "Donations to the hospital have doubled since the fire, its director said.",
    "Support for independent candidates has grown in the valley.",
    "Listen to the river long enough, the ferryman says, and it will tell you the hour.",
    "Found guilty on all counts, the two men will be sentenced in June.",
    "Die Spende des Vereins deckt die Kosten für das neue Dach.",
    "Un don de la commune a permis de réparer le toit de la chapelle.",
    "Помимо пожертвований, музей живёт продажей билетов.",
    "Reporting by two local papers led to the arrest of the mayor, the court heard.",
    "Editing by hand takes longer, the printers found.",
    "The bank earns a commission on every ticket that is sold at the quay.",
    "External content firms were hired to write the speeches.",
    "Allowing such content on the wall was a mistake, the school admitted.",
    "Updated rules on fishing come into force in 2027, the ministry said.",
]


@pytest.mark.parametrize(("line", "kind"), TAKEN)
def test_line_is_boilerplate_as_a_whole(line: str, kind: str) -> None:
    """A label, a prompt or a credit is taken, and called by its kind."""
    verdict = by_words(Line.of(line))
    assert verdict is not None
    assert verdict.kind == kind


@pytest.mark.parametrize("line", LEFT)
def test_sentence_that_speaks_of_such_things_stays(line: str) -> None:
    """No rule takes a sentence for a word within it."""
    assert by_words(Line.of(line)) is None


@pytest.mark.parametrize("line", [line for line, _ in TAKEN])
def test_rule_that_is_off_takes_nothing(line: str) -> None:
    """Every rule can be switched off by the name it gives."""
    verdict = by_words(Line.of(line))
    assert verdict is not None
    assert verdict.rule in rule_names()
    again = by_words(Line.of(line), frozenset({verdict.rule}))
    assert again is None or again.rule != verdict.rule


@given(st.text(max_size=300))
def test_any_line_can_be_judged(text: str) -> None:
    """No text raises, and a verdict is of a known rule."""
    verdict = by_words(Line.of(tidy(text)))
    assert verdict is None or verdict.rule in rule_names()


@given(st.text(max_size=200))
def test_tidy_text_is_stable_and_safe(text: str) -> None:
    """Tidying twice is tidying once, and nothing is left that steers a terminal or turns the reading direction."""
    once = tidy(text)
    assert tidy(once) == once
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2066\ufeff\u00ad" for c in once)


def test_every_phrase_is_folded_and_unique() -> None:
    """Phrases are looked up in folded text, so each must be its own folded form; none is empty."""
    known = phrases()
    assert all(phrase == fold(phrase) and phrase for phrase in known.equals)
    assert all(phrase == fold(phrase) and phrase for found in known.starts.values() for phrase, _ in found)
    assert {rule.kind for rule in known.equals.values()} >= {
        RemovedKind.RELATED,
        RemovedKind.AD_LABEL,
        RemovedKind.SHARE,
    }


def test_inline_tags_that_stand_as_text_leave_their_words() -> None:
    """A paragraph that was escaped once too often keeps every word."""
    assert unescaped("The <em>old</em> bridge <a href='/x'>stays</a>, a < b.") == "The old bridge stays, a < b."
