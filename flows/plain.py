"""Text of others made safe to show."""

import unicodedata

LONGEST_TEXT = 200  # characters of a cell: a site's text must not own the page


def plain(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return a text that is safe to print: control, format and bidirectional characters out, bounded in length."""
    text = text[: 2 * longest]
    shown = "".join(" " if c in "\n\r\t" else c for c in text if c in "\n\r\t" or unicodedata.category(c)[0] != "C")
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"
