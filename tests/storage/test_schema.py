"""The schema explains itself, and the page in docs/ says what it says."""

from pathlib import Path

import pytest

from storage import schema
from storage.database import connect

PAGE = Path(__file__).parents[2] / "docs" / "schema.md"


@pytest.mark.files
def test_every_table_view_column_and_macro_says_what_it_means(newsdesk: Path) -> None:
    """Nothing in the store is without a comment, on the published copy as well."""
    with connect(newsdesk) as connection:
        relations, macros = schema.relations(connection), schema.macros(connection)
    assert {"articles", "urls", "fetches", "missed", "run_summary"} <= {relation.name for relation in relations}
    silent = [relation.name for relation in relations if not relation.meaning]
    silent += [f"{relation.name}.{name}" for relation in relations for name, _, text in relation.columns if not text]
    silent += [macro.name for macro in macros if not macro.meaning]
    assert silent == []


def test_docs_schema_is_the_schema() -> None:
    """docs/schema.md is what `python -m storage.schema` prints now."""
    assert PAGE.read_text(encoding="utf-8") == schema.current(), "run: python -m storage.schema > docs/schema.md"
