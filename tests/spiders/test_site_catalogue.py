"""The sites that ship: every file is whole, and the starter set is a spread of the world's press."""

from collections import Counter

import pytest

from extraction.urls import registrable_domain
from spiders.site import Site
from spiders.sitefiles import catalogue_folder, find_site, load_sites
from spiders.sitevalues import zones


@pytest.fixture(scope="module")
def catalogue() -> list[Site]:
    return load_sites([catalogue_folder()])


def test_every_file_loads_and_names_a_source(catalogue: list[Site]) -> None:
    """All 154 files are strict sites on hosts of their own, each with a source that is read every night."""
    assert len(catalogue) == 154
    assert [
        site.name for site in catalogue if not [found_by for found_by, _ in site.seeds() if found_by != "section"]
    ] == []


def test_the_starter_set_is_spread_over_countries_and_languages(catalogue: list[Site]) -> None:
    """About a dozen well-known sites are enabled, Politico Europe among them, and no country has more than two."""
    enabled = [site for site in catalogue if site.enabled]
    assert 10 <= len(enabled) <= 15
    assert find_site(catalogue, "politico-europe") in enabled
    assert max(Counter(site.country for site in enabled).values()) <= 2
    assert len({language for site in enabled for language in site.languages}) >= 7


def test_sources_stand_on_the_site_and_are_no_placeholders(catalogue: list[Site]) -> None:
    """Feeds and sitemaps are real URLs, https wherever the publisher has it, almost all on the site's own domain."""
    seeds = [(site, url) for site in catalogue for _, url in site.seeds()]
    assert [url for _, url in seeds if "{" in url or "%7B" in url or "example" in url] == []
    assert {site.name for site, url in seeds if url.startswith("http://")} == {"people-cn"}
    assert sum(not site.owns(url) for site, url in seeds) < 10


def test_each_site_owns_its_home_page_and_keeps_the_clock_of_its_country(catalogue: list[Site]) -> None:
    """The home page is the site's; the zone is one of its country's, but for Euronews, which is edited in Lyon."""
    assert [site.name for site in catalogue if not site.owns(site.url) or not registrable_domain(site.url)] == []
    abroad = {site.name for site in catalogue if site.time_zone not in zones(site.country)}
    assert abroad == {"euronews", "euronews-de"}


def test_no_public_site_is_allowed_on_a_private_network(catalogue: list[Site]) -> None:
    """Only a user's own file opens a network, or asks faster than once a second."""
    assert [site.name for site in catalogue if site.network.allow or site.politeness.delay_s < 1] == []
