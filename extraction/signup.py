"""Boxes that ask for an e-mail address: a newsletter's or an account's, whatever they are called."""

from typing import Final

from lxml.etree import _Element

#: Characters of text, at most, in a box that asks for an e-mail address: a heading, a promise, a line on the terms.
MAX_SIGN_UP_CHARS: Final = 300
#: What is never such a box, however short its text.
_WHOLE: Final = frozenset(("body", "main", "article", "html"))
#: The mark, among a frame's tags, of a box that asks for an e-mail address.
SIGN_UP: Final = "sign-up"


def sign_up_boxes(body: _Element) -> frozenset[_Element]:
    """The elements around fields for an e-mail address that hold little else: boxes for a newsletter or an account."""
    boxes = []
    for field in body.iter("input"):
        if _takes_email(field):
            box, around = None, field.getparent()
            while around is not None and around.tag not in _WHOLE and _is_short(around):
                box, around = around, around.getparent()
            if box is not None:
                boxes.append(box)
    return frozenset(boxes)


def _takes_email(field: _Element) -> bool:
    if field.get("type", "text").lower() not in ("email", "text"):
        return False
    return field.get("type", "").lower() == "email" or any(
        "mail" in field.get(name, "").lower() for name in ("name", "id", "placeholder", "autocomplete")
    )


def _is_short(element: _Element) -> bool:
    room = MAX_SIGN_UP_CHARS
    for text in element.itertext("*"):
        room -= len(text.strip())
        if room < 0:
            return False
    return True
