"""The days of a backfill."""

from datetime import UTC, date, datetime, timedelta

EARLIEST = date(1990, 1, 1)  # before the first web page


class SpanError(ValueError):
    """The days asked for make no sense; the text says why, and what would."""


def check_span(first_day: date, last_day: date, today: date | None = None) -> None:
    """Raise SpanError unless first_day <= last_day and neither is in the future. `today` is the current day in UTC."""
    # Days are each site's own: tomorrow is there already somewhere while it is today in UTC.
    latest = (today or datetime.now(UTC).date()) + timedelta(days=1)
    if last_day < first_day:
        raise SpanError(f"last_day {last_day} is before first_day {first_day}; swap them")
    if last_day > latest:
        raise SpanError(f"last_day {last_day} is in the future; the latest day that can be filled is {latest}")
    if first_day < EARLIEST:
        raise SpanError(f"first_day {first_day} is before {EARLIEST}, when no news site was there")
