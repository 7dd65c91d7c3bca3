"""What is true of a page, without network, database or scheduler. The one door is `extraction.article.extract`.

`extraction.clean_text` is the door for texts without HTML; it is imported when it is asked for.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from extraction.plaintext import clean_text

__all__ = ["clean_text"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attribute is of any type (PEP 562)
    if name == "clean_text":
        from extraction.plaintext import clean_text  # noqa: PLC0415 - so that `import extraction` costs nothing

        return clean_text
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
