"""Lines that speak to the reader, and lines that are a date and nothing else, known without a list of their wordings."""

import pytest

from extraction.calls import call_of
from extraction.stamps import has_time, is_stamp
from extraction.text import fold


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("Only 2 free articles are left for you this month: log in or become a subscriber.", "paywall"),
        ("Sie haben diesen Monat noch 2 Artikel frei. Bitte anmelden.", "paywall"),
        ("Un email chaque matin : inscrivez-vous, c'est notre lettre quotidienne.", "newsletter"),
        ("Wir und 90 Partner speichern Informationen auf Ihrem Gerät.", "cookie"),
        ("Показать 14 комментариев", "comments"),
        ("Ada Fenn is our harbour reporter. You can email her at a.fenn@post.example.", "byline"),
    ],
)
def test_a_call_to_the_reader_is_known_by_what_it_speaks_of(line: str, kind: str) -> None:
    """A call addresses the reader and says two things that only calls of its kind say together."""
    assert str(call_of(line, fold(line))) == kind


@pytest.mark.parametrize(
    "line",
    [
        "The publisher has two million subscribers, of whom most pay by the month.",
        "“You can log in and read two free articles,” said the minister of the new account.",
        "The court found that the site had used cookies without consent.",
    ],
)
def test_the_news_on_such_things_is_no_call(line: str) -> None:
    """A sentence that addresses nobody, or quotes somebody who does, stays."""
    assert call_of(line, fold(line)) is None


@pytest.mark.parametrize("line", ["Tue 3 Feb 2026 11.40 GMT", "mardi 3 février 2026 à 11h40", "2026年2月3日 11:40"])
def test_a_bare_time_is_a_stamp_in_any_language(line: str) -> None:
    assert is_stamp(line, fold(line))
    assert has_time(line)


@pytest.mark.parametrize("line", ["The train left at 11:40 on 3 February 2026", "3 bridges", "In 2026"])
def test_a_line_with_other_words_or_no_date_is_no_stamp(line: str) -> None:
    assert not (is_stamp(line, fold(line)) and has_time(line))
