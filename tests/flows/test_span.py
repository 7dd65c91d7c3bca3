"""The days of a backfill are checked before anything is fetched."""

from datetime import date

import pytest

from flows.span import SpanError, check_span

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("first", "last"),
    [(TODAY, TODAY), (date(2026, 2, 27), date(2026, 3, 1)), (date(1990, 1, 1), TODAY), (TODAY, date(2026, 11, 24))],
)
def test_right_spans_pass(first: date, last: date) -> None:
    """One day, a leap border, a long one, and the day that has begun east of Greenwich."""
    check_span(first, last, TODAY)


@pytest.mark.parametrize(
    ("first", "last", "says"),
    [
        (date(2026, 11, 5), date(2026, 11, 4), "swap them"),
        (date(2026, 11, 5), date(2026, 11, 25), "in the future"),
        (date(2026, 11, 5), date(9999, 12, 31), "in the future"),
        (date(1, 1, 1), date(2026, 11, 4), "no news site"),
    ],
)
def test_wrong_spans_say_why(first: date, last: date, says: str) -> None:
    """Last before first, the future, the year 1 and 9999 are refused with the mend."""
    with pytest.raises(SpanError, match=says):
        check_span(first, last, TODAY)
