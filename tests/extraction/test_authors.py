"""Persons are persons, agencies are organisations, and nothing else is a name."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extraction.authors import MAX_AUTHORS, Byline, read

SITE = frozenset({"the daily example", "daily example", "example com"})

CASES = [
    ("Jane Doe", ["Jane Doe"], []),
    ("By Jane Doe", ["Jane Doe"], []),
    ("by: Jane Doe", ["Jane Doe"], []),
    ("BY JANE DOE", ["JANE DOE"], []),
    ("Written by Jane Doe and John Roe", ["Jane Doe", "John Roe"], []),
    ("Von Anna Martel und Lea Wagner", ["Anna Martel", "Lea Wagner"], []),
    ("Ein Gastbeitrag von Anna Martel", ["Anna Martel"], []),
    ("Par Anne Dupont et Luc Martin", ["Anne Dupont", "Luc Martin"], []),
    ("Por Juan Pérez y María López", ["Juan Pérez", "María López"], []),
    ("Di Marco Rossi e Anna Bianchi", ["Marco Rossi", "Anna Bianchi"], []),
    ("Autor: Jan Nowak", ["Jan Nowak"], []),
    ("Автор: Иван Петров", ["Иван Петров"], []),
    ("文／山田太郎", ["山田太郎"], []),
    ("Analysis by Jane Doe", ["Jane Doe"], []),
    ("Amie Mock as told to Heather Eastman", ["Amie Mock", "Heather Eastman"], []),
    ("Jane Doe, Daily Example Business", ["Jane Doe"], ["Daily Example Business"]),
    ("Jane Doe, John Roe & Max Poe", ["Jane Doe", "John Roe", "Max Poe"], []),
    ("Jane Doe; John Roe | Max Poe", ["Jane Doe", "John Roe", "Max Poe"], []),
    ("Jane Doe, John Roe, and Max Poe", ["Jane Doe", "John Roe", "Max Poe"], []),
    # parts of names that look like joints or prefixes
    ("Ursula von der Leyen", ["Ursula von der Leyen"], []),
    ("Max von Sydow", ["Max von Sydow"], []),
    ("Byron Smith", ["Byron Smith"], []),
    ("Maria João e Silva", ["Maria João e Silva"], []),
    ("José Ortega y Gasset", ["José Ortega y Gasset"], []),
    ("Colbert I. King", ["Colbert I. King"], []),
    ("Anderson Cooper", ["Anderson Cooper"], []),
    # what stands around names
    ("Elena Oberholzer (obe)", ["Elena Oberholzer"], []),
    ("Lauren Manaker MS, RDN, LD", ["Lauren Manaker"], []),
    ("Robert Moffit, Ph.D.", ["Robert Moffit"], []),
    ("Jane Doe, Senior Editor", ["Jane Doe"], []),
    ("Anna Martel und Lea Wagner, Nairobi", ["Anna Martel", "Lea Wagner"], []),
    ("<a href='/by/jane'>Jane Doe</a>", ["Jane Doe"], []),
    ("Jane &amp;amp; John", ["Jane", "John"], []),
    ("<script>alert('x')</script>Bob Ray", ["Bob Ray"], []),
    ("Jane\u00adDoe\u200b Roe", ["JaneDoe Roe"], []),
    # organisations
    ("dpa", [], ["dpa"]),
    ("Reuters", [], ["Reuters"]),
    ("The Associated Press", [], ["The Associated Press"]),
    ("Jane Doe, dpa", ["Jane Doe"], ["dpa"]),
    ("sid/dpa", [], ["sid/dpa"]),
    ("The Daily Example", [], ["The Daily Example"]),
    ("Redaktion hessen.example.de", [], ["Redaktion hessen.example.de"]),
    ("Guardian staff reporter", [], ["Guardian staff reporter"]),
    ("朝日新聞デジタル", [], ["朝日新聞デジタル"]),
    # nothing
    ("jane.doe@example.com", [], []),
    ("https://www.facebook.com/jane", [], []),
    ("@janedoe", [], []),
    ("105092", [], []),
    ("admin", [], []),
    ("By", [], []),
    ("Read more", [], []),
    ("Published: December 20, 2023", [], []),
    ("Senior Reporter", [], []),
    ("", [], []),
    ("🙂🙂", [], []),
]


@pytest.mark.parametrize(("value", "persons", "organisations"), CASES)
def test_one_string_of_names(value: str, persons: list[str], organisations: list[str]) -> None:
    """Split, cleaned, and never "By", an agency or the site as a person."""
    assert read([value], sites=SITE) == Byline(tuple(persons), tuple(organisations))


def test_a_field_may_say_that_it_names_organisations() -> None:
    assert read(["Field Works"], organisation=True) == Byline((), ("Field Works",))


def test_citations_put_the_family_name_first() -> None:
    assert read(["You, Xiaoying", "Lenharo, Mariana"], inverted=True).persons == ("Xiaoying You", "Mariana Lenharo")


def test_a_name_is_named_once() -> None:
    assert read(["Jane Doe", "JANE DOE", "by Jane Doe"]).persons == ("Jane Doe",)


def test_thousands_of_authors_are_bounded() -> None:
    """5,000 authors, and one name of 100 kB, cost no time and no space."""
    letters = "abcdefghij"
    names = [f"Jane {''.join(letters[int(d)] for d in str(n)).title()}" for n in range(5000)]
    assert len(read(names).persons) == MAX_AUTHORS
    assert len(read([", ".join(names)]).persons) <= MAX_AUTHORS
    assert read(["J" * 100_000]) == Byline()


@settings(deadline=None)  # other processes share the machine
@given(st.lists(st.text(max_size=80), max_size=5))
def test_any_strings_are_names_or_nothing(values: list[str]) -> None:
    """No input raises; what comes out has a letter, one line, and no markup of its own making."""
    found = read(values)
    for name in (*found.persons, *found.organisations):
        assert name == name.strip()
        assert "\n" not in name
        assert any(c.isalpha() for c in name)
