"""Dates are read exactly or not at all."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extraction.dates import AHEAD, Moment, read, read_url

NOON = datetime(2024, 4, 28, 12, tzinfo=UTC)

# text, language, moment in UTC, has time, zone known
READ = [
    ("2024-04-28T12:00:00Z", None, NOON, True, True),
    ("2024-04-28T14:00:00+02:00", None, NOON, True, True),
    ("2024-04-28 14:00:00 +0200", None, NOON, True, True),
    ("2024-04-28T12:00:00.123Z", None, NOON.replace(microsecond=123000), True, True),
    ("2024-04-28T12:00:00Z[Europe/Paris]", None, NOON, True, True),
    ("20240428T120000", None, NOON, True, False),
    ("20240428120000", None, NOON, True, False),
    ("2024-04-28 12:00", None, NOON, True, False),
    ("2024/04/28 12:00", None, NOON, True, False),
    ("2024-4-28", None, NOON.replace(hour=0), False, False),
    ("Sun, 28 Apr 2024 14:00:00 +0200", None, NOON, True, True),
    ("Sun, 28 Apr 2024 12:00:00 GMT", None, NOON, True, True),
    ("Sun Apr 28 2024 14:00:00 GMT+0200 (CEST)", None, NOON, True, True),
    ("1714305600", None, NOON, True, True),
    ("1714305600000", None, NOON, True, True),
    ("April 28, 2024 8:00 AM EDT", "en", NOON, True, True),
    ("Sunday, April 28, 2024 at 8:00 a.m. ET", "en", NOON, True, True),
    ("28th of April, 2024", "en", NOON.replace(hour=0), False, False),
    ("28-Apr-2024 17:30 IST", "en", NOON, True, True),
    ("28.04.2024 | 12:00 Uhr", "de", NOON, True, False),
    ("28. April 2024, 12.00 Uhr", "de", NOON, True, False),
    ("28 avril 2024 à 12h00", "fr", NOON, True, False),
    ("28 de abril de 2024", "es", NOON.replace(hour=0), False, False),
    ("28 kwietnia 2024, 12:00", "pl", NOON, True, False),
    ("28. dubna 2024", "cs", NOON.replace(hour=0), False, False),
    ("2024. április 28. 12:00", "hu", NOON, True, False),
    ("28 апреля 2024, 12:00", "ru", NOON, True, False),
    ("28 Απριλίου 2024", "el", NOON.replace(hour=0), False, False),
    ("28 Nisan 2024 Pazar 12:00", "tr", NOON, True, False),
    ("28. huhtikuuta 2024", "fi", NOON.replace(hour=0), False, False),
    ("2024年4月28日 12時00分", "ja", NOON, True, False),
    ("2024. 4. 28. 오후 12:00", "ko", NOON, True, False),
    ("2024年04月28日 下午 03:00", "zh", NOON.replace(hour=15), True, False),
    ("٢٨ أبريل ٢٠٢٤", "ar", NOON.replace(hour=0), False, False),
    ("२८ अप्रैल २०२४", "hi", NOON.replace(hour=0), False, False),
    ("28 เมษายน 2567", "th", NOON.replace(hour=0), False, False),
    ("28 เม.ย. 2567 12:00", "th", NOON, True, False),
    ("2567-04-28", "th-TH", NOON.replace(hour=0), False, False),
    ("1403-02-09", "fa", NOON.replace(hour=0), False, False),
    ("۹ اردیبهشت ۱۴۰۳", "fa", NOON.replace(hour=0), False, False),
    ("13/05/2024", "en", datetime(2024, 5, 13, tzinfo=UTC), False, False),
    ("05/13/2024", "en", datetime(2024, 5, 13, tzinfo=UTC), False, False),
    ("04/05/2024", "en-US", datetime(2024, 4, 5, tzinfo=UTC), False, False),
    ("04/05/2024", "en-GB", datetime(2024, 5, 4, tzinfo=UTC), False, False),
    ("04/05/2024", "it", datetime(2024, 5, 4, tzinfo=UTC), False, False),
]


@pytest.mark.parametrize(("text", "language", "at", "has_time", "zone_known"), READ)
def test_dates_are_read_as_they_are_written(text, language, at, has_time, zone_known) -> None:
    """Each spelling gives its moment in UTC, and says whether it had a time and a zone."""
    assert read(text, language=language) == Moment(at, read(text, language=language).day, has_time, zone_known)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("", None),
        ("yesterday", "en"),
        ("2 May", "en"),
        ("04/05/2024", "en"),
        ("04/05/2024", None),
        ("1970-01-01T00:00:00Z", None),
        ("0", None),
        ("0000-00-00", None),
        ("0001-01-01", None),
        ("2024-02-30", None),
        ("2024-13-01", None),
        ("2023-02-29", None),
        ("2099-01-01", None),
        ("9999-12-31T23:59:59+14:00", None),
        ("2567-04-28", "en"),
        ("1403-02-09", "en"),
        ("31 Foo 2024", "en"),
        ("30 February 2024", "en"),
        ("12:30", "en"),
        ("null", None),
        ("9" * 500, None),
    ],
)
def test_what_names_no_possible_day_is_no_date(text: str, language: str | None) -> None:
    """Nothing is guessed: not the order of two numbers, not a year, not a calendar."""
    assert read(text, language=language) is None


def test_the_day_is_kept_as_it_was_written() -> None:
    """A moment in UTC can fall on another day than the reader saw."""
    moment = read("2024-04-29T00:30:00+02:00")
    assert moment.at == datetime(2024, 4, 28, 22, 30, tzinfo=UTC)
    assert moment.day == date(2024, 4, 29)


def test_a_date_after_the_fetch_is_refused() -> None:
    """Tomorrow is impossible; a morning paper dated a few hours ahead is not."""
    seen = datetime(2026, 11, 23, 4, tzinfo=UTC)
    assert read("2026-11-24T04:30:00Z", seen=seen) is None
    assert read("2026-11-25", seen=seen) is None
    assert read((seen + AHEAD - timedelta(minutes=1)).isoformat(), seen=seen) is not None
    assert read("2026-11-23", seen=seen) is not None


@pytest.mark.parametrize(
    ("url", "day"),
    [
        ("https://a.example/2024/04/28/a-story", date(2024, 4, 28)),
        ("https://a.example/news/2024-04-28-a-story.html", date(2024, 4, 28)),
        ("https://a.example/a-story-20240428.html", date(2024, 4, 28)),
        ("https://a.example/2024/4/8/a-story", date(2024, 4, 8)),
    ],
)
def test_a_day_in_the_url_is_read(url: str, day: date) -> None:
    assert read_url(url).day == day


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/story-20241399",
        "https://a.example/2024/04/a",
        "https://a.example/12345678",
        "https://a.example/2024/04/28/to/2024/04/30/",
    ],
)
def test_numbers_that_are_no_day_are_not_read_from_the_url(url: str) -> None:
    assert read_url(url) is None


NAIVE = st.datetimes(min_value=NOON.replace(year=1900, tzinfo=None), max_value=NOON.replace(tzinfo=None))


@settings(deadline=None)  # other processes share the machine
@given(NAIVE, st.timezones())
def test_iso_dates_come_back_as_the_same_moment(naive: datetime, zone) -> None:
    """Any ISO 8601 moment is read exactly."""
    when = naive.replace(tzinfo=zone)
    moment = read(when.isoformat())
    if naive.date() != date(1970, 1, 1):
        assert moment.at == when
        assert moment.day == naive.date()


@given(st.text(max_size=60))
def test_any_text_is_a_date_or_none(text: str) -> None:
    """No text raises, and no date lies outside the possible."""
    moment = read(text)
    assert moment is None or (moment.at.tzinfo is UTC and 1800 <= moment.at.year <= datetime.now(UTC).year + 1)


@given(
    st.from_regex(
        r"\A[0-9]{1,4}[-/. ][0-9]{1,2}[-/. ][0-9]{1,4}( [0-9]{1,2}:[0-9]{2}( ?[ap]m)?( [+-][0-9]{2}:?[0-9]{2})?)?\Z"
    )
)
def test_any_three_numbers_are_a_date_or_none(text: str) -> None:
    read(text, language="de")
    read(text, language="fa")
    read(text, language="th")
