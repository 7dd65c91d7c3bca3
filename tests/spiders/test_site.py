"""A site's file: what it may say, what it means, and how it is refused."""

import tomllib
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import msgspec
import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from extraction.records import PageClass
from spiders.site import SiteError, load_site
from spiders.sitefiles import find_site, load_sites, read_sites

REQUIRED = """\
name = "morgenblatt"
title = "Morgenblatt"
url = "https://www.morgenblatt-probe.org/"
country = "de"
languages = ["de"]
time_zone = "Europe/Berlin"
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a site's file: the required keys, more lines, and replacements of words."""

    def write(more: str = "", *, base: str = REQUIRED, **replaced: str) -> Path:
        lines = [
            f"{key} = {replaced[key]}" if (key := line.partition(" =")[0]) in replaced else line
            for line in base.splitlines()
        ]
        path = tmp_path / "morgenblatt.toml"
        path.write_text("\n".join([*lines, more]), encoding="utf-8")
        return path

    return write


def refusal(path: Path) -> str:
    with pytest.raises(SiteError) as caught:
        load_site(path)
    return str(caught.value)


def test_the_required_keys_are_enough(write: Callable[..., Path]) -> None:
    """A file of six lines is a site: not enabled, polite, its hosts the whole domain."""
    site = load_site(write())
    assert site.hosts == ("*.morgenblatt-probe.org",)
    assert (site.enabled, site.politeness.delay_s, site.politeness.budget_pages) == (False, 1.0, 2000)
    assert list(site.seeds()) == []


def test_every_key_is_read(write: Callable[..., Path]) -> None:
    """Each key of the file lands in its field, URLs in canonical form, doubles once."""
    site = load_site(
        write(
            """
enabled = true
hosts = ["blatt.example", "*.Archiv.example"]
[sources]
feeds = ["https://WWW.morgenblatt-probe.org:443/a/../rss#top", "https://www.morgenblatt-probe.org/rss"]
news_sitemaps = ["https://www.morgenblatt-probe.org/news.xml"]
sitemaps = ["https://cdn.example/map.xml"]
sections = ["https://www.morgenblatt-probe.org/politik/"]
[articles]
include = ["/\\\\d{4}/"]
exclude = ["^/anzeige"]
[politeness]
delay_s = 3
budget_pages = 7
[network]
allow = ["127.0.0.0/8", "::1/128"]
[extraction]
rules_off = ["related.heading"]
keep_classes = ["live", "paywall"]
"""
        )
    )
    assert site.enabled
    assert site.hosts == ("www.morgenblatt-probe.org", "blatt.example", "*.archiv.example")
    assert list(site.seeds()) == [
        ("feed", "https://www.morgenblatt-probe.org/rss"),
        ("news_sitemap", "https://www.morgenblatt-probe.org/news.xml"),
        ("sitemap", "https://cdn.example/map.xml"),
        ("section", "https://www.morgenblatt-probe.org/politik/"),
    ]
    assert site.wants("https://www.morgenblatt-probe.org/2026/brand") is None
    assert "include" in str(site.wants("https://www.morgenblatt-probe.org/brand"))
    assert "^/anzeige" in str(site.wants("https://www.morgenblatt-probe.org/anzeige/2026/"))
    assert (site.politeness.delay_s, site.politeness.budget_pages) == (3.0, 7)
    assert site.network.allow == ("127.0.0.0/8", "::1/128")
    assert site.extraction.rules_off == ("related.heading",)
    assert site.extraction.keep_classes == (PageClass.LIVE, PageClass.PAYWALL)


@pytest.mark.parametrize(
    ("host", "owned"),
    [
        ("www.morgenblatt-probe.org", True),
        ("morgenblatt-probe.org", True),
        ("sport.morgenblatt-probe.org", True),
        ("notmorgenblatt-probe.org", False),
        ("morgenblatt-probe.org.evil.example", False),
    ],
)
def test_a_site_owns_its_whole_domain(write: Callable[..., Path], host: str, *, owned: bool) -> None:
    """Without `hosts`, the registrable domain and all below it belong to the site, and no name that only looks like it."""
    assert load_site(write()).owns(f"https://{host}/x") is owned


@pytest.mark.parametrize("host", ["127.0.3.4", "press.localhost", "localhost", "[::1]"])
def test_addresses_and_localhost_stand_for_themselves(write: Callable[..., Path], host: str) -> None:
    """A site on an address or a name of localhost owns that host alone."""
    site = load_site(write(url=f'"http://{host}:8080/"'))
    assert site.hosts == (host.strip("[]"),)
    assert site.owns(f"http://{host}:9090/")
    assert not site.owns("http://other.localhost/")


@pytest.mark.parametrize(
    ("more", "replaced", "words"),
    [
        ("tittle = 'x'", {}, ["line 7", "tittle", "unknown key", "did you mean title?"]),
        (
            "[politeness]\ndely_s = 2",
            {},
            ["line 8", "[politeness] dely_s", "delay_s, budget_pages", "did you mean delay_s?"],
        ),
        ("[sorces]\nfeeds = []", {}, ["line 7", "sorces", "did you mean sources?"]),
        ("sources = 3", {}, ["sources: 3 was read", "a table", "[sources]"]),
        (
            "[sources]\nfeeds = 'https://a.example/'",
            {},
            ["[sources] feeds", "a list of text", "feeds = ['https://a.example/']"],
        ),
        ("[sources]\nfeeds = [7]", {}, ["line 8", "[sources] feeds: 7 was read", "text"]),
        ("[sources]\nfeeds = ['/rss']", {}, ["'/rss' was read", "absolute http or https URL"]),
        ("[sources]\nfeeds = ['file:///etc/passwd']", {}, ["file:///etc/passwd", "http or https"]),
        ("[sources]\nfeeds = ['https://user:secret@a.example/']", {}, ["user information"]),
        ("enabled = 'yes'", {}, ["line 7", "enabled: 'yes' was read", "true or false"]),
        ("[politeness]\ndelay_s = true", {}, ["delay_s: true was read", "a number"]),
        ("[politeness]\ndelay_s = -1", {}, ["delay_s", "0.5 to 3600"]),
        ("[politeness]\ndelay_s = 0.1", {}, ["0.1 was read", "[network] allow"]),
        ("[politeness]\ndelay_s = nan", {}, ["nan was read"]),
        ("[politeness]\nbudget_pages = 0", {}, ["budget_pages: 0 was read", "1 to 1000000"]),
        ("[network]\nallow = ['127.0.0.1/8']", {}, ["127.0.0.1/8", "CIDR", "host bits"]),
        ("[articles]\ninclude = ['(a']", {}, ["line 8", "(a", "regular expressions", "unterminated"]),
        ("[articles]\nexclude = ['" + "a" * 501 + "']", {}, ["1 to 500 characters"]),
        ("[extraction]\nkeep_classes = ['lve']", {}, ["'lve' was read", "gallery", "did you mean live?"]),
        ("hosts = ['https://a.example/']", {}, ["host names without scheme"]),
        ("hosts = ['a.example:81']", {}, ["host names without scheme, port"]),
        ("", {"time_zone": '"Europe/Brusels"'}, ["line 6", "Europe/Brusels", "did you mean Europe/Brussels"]),
        ("", {"time_zone": '"../../etc/passwd"'}, ["line 6", "tz database"]),
        ("", {"country": '"uk"'}, ["line 4", "'uk' was read", "the United Kingdom is gb"]),
        ("", {"country": '"DE"'}, ["write 'de'"]),
        ("", {"languages": '["german"]'}, ["line 5", "BCP 47"]),
        ("", {"languages": "[]"}, ["at least one language"]),
        ("", {"name": '"abendblatt"'}, ["line 1", "the file's own name", "morgenblatt"]),
        ("", {"name": '"../up"'}, ["a-z, 0-9 and -"]),
        ("", {"title": '"\\u001b[31mred"'}, ["printable"]),
        ("", {"url": '"www.morgenblatt-probe.org"'}, ["line 3", "absolute http or https URL"]),
        ("", {"country": "= 4"}, ["not TOML", "line 4"]),
        ("name = 'morgenblatt'", {}, ["not TOML", "Cannot overwrite"]),
    ],
)
def test_a_bad_file_is_refused_with_the_mend(
    write: Callable[..., Path], more: str, replaced: dict[str, str], words: list[str]
) -> None:
    """The message names the file, the line, the key, what was read, what is allowed and the nearest right name."""
    path = write(more, **replaced)
    message = refusal(path)
    assert str(path) in message
    for word in words:
        assert word in message


def test_a_missing_key_is_named(write: Callable[..., Path]) -> None:
    """A file that lacks a required key says which, and how to add it."""
    message = refusal(write(base=REQUIRED.replace('country = "de"\n', "")))
    assert "country: is missing" in message
    assert "add country =" in message


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"title = \xff", "line 1: byte 8 is not UTF-8"), (b"a" * 300_000, "larger than"), (b"[" * 200_000, "not TOML")],
)
def test_a_file_of_rubbish_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    """Wrong encoding, hugeness and depth end in a message, not in a traceback."""
    path = tmp_path / "rubbish.toml"
    path.write_bytes(content)
    assert words in refusal(path)


def test_a_missing_file_and_a_missing_folder_are_named(tmp_path: Path, write: Callable[..., Path]) -> None:
    """What cannot be opened is named with the reason."""
    assert "No such file" in refusal(tmp_path / "absent.toml")
    with pytest.raises(SiteError, match="does not exist"):
        load_sites([tmp_path / "absent"])
    with pytest.raises(SiteError, match="is a file, not a folder"):
        load_sites([write()])


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    """An editor's BOM before the first key is passed over."""
    path = tmp_path / "morgenblatt.toml"
    path.write_bytes(b"\xef\xbb\xbf" + REQUIRED.encode())
    assert load_site(path).title == "Morgenblatt"


def test_a_later_folder_replaces_a_site(tmp_path: Path) -> None:
    """The user's file of the same name stands for the catalogue's."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder, title in ((ours, "Catalogue"), (theirs, "Mine")):
        folder.mkdir()
        (folder / "morgenblatt.toml").write_text(REQUIRED.replace('"Morgenblatt"', f'"{title}"'))
    assert [site.title for site in load_sites([ours, theirs])] == ["Mine"]


@pytest.mark.parametrize(
    "hosts",
    [
        '["*.morgenblatt-probe.org"]',
        '["sport.morgenblatt-probe.org"]',
        '["morgenblatt-probe.org"]',
        '["*.sub.morgenblatt-probe.org"]',
    ],
)
def test_two_sites_on_one_host_are_refused(tmp_path: Path, write: Callable[..., Path], hosts: str) -> None:
    """A page that could belong to two sites would be counted and asked for by both."""
    write()
    other = REQUIRED.replace("morgenblatt", "abendblatt") + f"hosts = {hosts}\n"
    (tmp_path / "abendblatt.toml").write_text(other, encoding="utf-8")
    with pytest.raises(SiteError, match=r"belongs to site '(\w+)' too .* name the file \1\.toml to replace"):
        load_sites([tmp_path])


def test_a_broken_file_stops_its_own_site_alone(tmp_path: Path, write: Callable[..., Path]) -> None:
    """The others are read; each that cannot be used is named with file, key and mend; a replaced site does not come back."""
    catalogue, own = tmp_path / "catalogue", tmp_path / "own"
    for folder in (catalogue, own):
        folder.mkdir()
    whole = {name: REQUIRED.replace("morgenblatt", name) for name in ("abendblatt", "kurier", "wochenblatt")}
    (catalogue / "abendblatt.toml").write_text(whole["abendblatt"], encoding="utf-8")
    (catalogue / "kurier.toml").write_text(whole["kurier"], encoding="utf-8")
    (own / "kurier.toml").write_text(whole["kurier"] + "colour = 1\n", encoding="utf-8")
    (own / "aa.toml").write_text(whole["abendblatt"].replace('"abendblatt"', '"aa"'), encoding="utf-8")
    (own / "wochenblatt.toml").write_text("name = ", encoding="utf-8")
    read = read_sites([catalogue, own])
    assert [site.name for site in read.sites] == ["abendblatt"]
    assert set(read.broken) == {"kurier", "aa", "wochenblatt"}
    assert "colour: unknown key" in str(read.broken["kurier"])
    assert "belongs to site 'abendblatt' too" in str(read.broken["aa"])
    assert str(own / "wochenblatt.toml") in str(read.broken["wochenblatt"])


def test_an_unknown_name_gets_the_nearest(write: Callable[..., Path]) -> None:
    """Asking for a site that is none names the nearest ones."""
    sites = load_sites([write().parent])
    assert find_site(sites, "morgenblatt") is sites[0]
    with pytest.raises(SiteError, match="did you mean morgenblatt"):
        find_site(sites, "morgnblat")


def test_a_public_site_keeps_its_distance_unless_its_network_is_allowed(write: Callable[..., Path]) -> None:
    """Only a site that is allowed on a network of its own may be asked without a pause."""
    assert load_site(write("[politeness]\ndelay_s = 0\n[network]\nallow = ['127.0.0.0/8']")).politeness.delay_s == 0


@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
def test_any_file_is_a_site_or_a_site_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """No content of a file raises anything but SiteError."""
    path = tmp_path_factory.mktemp("any") / "any.toml"
    path.write_bytes(content)
    refused = ""
    try:
        load_site(path)
    except SiteError as error:
        refused = str(error)
    assert str(path) in refused  # no such content can be a whole site


def test_archives_name_the_sitemaps_of_the_days_asked_for(write: Callable[..., Path]) -> None:
    """A URL with {year} and {month} stands for one sitemap a month, newest first, and each is named once."""
    more = """[sources]
archives = ["https://WWW.morgenblatt-probe.org/map-{year}-{month}.xml", "https://m.morgenblatt-probe.org/{year}/{month}{day}.xml"]
"""
    site = load_site(write(more))
    assert list(site.seeds(date(2025, 12, 31), date(2026, 1, 1))) == [
        ("sitemap", "https://www.morgenblatt-probe.org/map-2026-01.xml"),
        ("sitemap", "https://www.morgenblatt-probe.org/map-2025-12.xml"),
        ("sitemap", "https://m.morgenblatt-probe.org/2026/0101.xml"),
        ("sitemap", "https://m.morgenblatt-probe.org/2025/1231.xml"),
    ]
    assert site.source_hosts() == {"www.morgenblatt-probe.org", "m.morgenblatt-probe.org"}
    assert list(site.seeds(date(2026, 1, 2), date(2026, 1, 1))) == []
    assert len(list(site.seeds(date.min, date.max))) == 36_600 + 1203  # a hundred years of days and of months


@pytest.mark.parametrize(
    ("now", "months"),
    [
        ("2026-11-23T12:00:00Z", ["2026-11"]),
        ("2026-12-01T12:00:00Z", ["2026-12", "2026-11"]),
        ("2026-10-31T23:30:00Z", ["2026-11", "2026-10"]),
    ],
)
def test_without_days_archives_name_the_last_three(write: Callable[..., Path], now: str, months: list[str]) -> None:
    """A nightly crawl reads this month's sitemap, by the site's own calendar, and just after a month's end the last one's."""
    site = load_site(write('[sources]\narchives = ["https://www.morgenblatt-probe.org/{year}-{month}.xml"]'))
    with time_machine.travel(datetime.fromisoformat(now), tick=False):
        assert [url[-11:-4] for _, url in site.seeds()] == months


@pytest.mark.parametrize(
    "archive",
    [
        "https://a.example/map.xml",
        "https://a.example/{month}.xml",
        "https://a.example/{year}/{week}.xml",
        "/{year}.xml",
        "https://a.example/{year}/{month",
    ],
)
def test_an_archive_is_a_url_with_a_year(write: Callable[..., Path], archive: str) -> None:
    """Other fields than the three, and an archive without a year, are refused."""
    assert "[sources] archives" in refusal(write(f"[sources]\narchives = ['{archive}']"))


def test_the_documented_file_is_a_site_and_names_every_key(tmp_path: Path) -> None:
    """The example in docs/sites.md loads as it stands, and no key of a site is missing from it."""
    page = (Path(__file__).parents[2] / "docs" / "sites.md").read_text(encoding="utf-8")
    example = page.split("```toml\n")[1].split("```")[0]
    path = tmp_path / "morgenblatt.toml"
    path.write_text(example, encoding="utf-8")
    assert load_site(path).sources.archives
    documented = tomllib.loads(example)
    for key, value in msgspec.to_builtins(load_site(path)).items():
        assert key in documented
        assert not isinstance(value, dict) or value.keys() == documented[key].keys()
