"""Where a backfill takes pages from: what the form may name, and what is refused before anything is read."""

from pathlib import Path

import pytest

from flows.desk import Desk, open_desk
from flows.origin import Origin, OriginError
from flows.sources import TRUSTED, PagesFrom, SourceError, resolve
from spiders.archives.oldnews import ARCHIVE_DELAY_S, UrlList, WarcFiles, WebArchive
from tests.spiders.conftest import site_file


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    data = tmp_path / "data"
    (data / "inbox" / "more").mkdir(parents=True)
    (data / "sites").mkdir()
    shared = tmp_path / "shared"
    shared.mkdir()
    site_file(data / "sites", "harbour", "http://harbour.example/", hosts=["harbour.example"])
    (data / "nightdesk.toml").write_text(
        f'catalogue = false\ncontact = "desk@example.org"\nfile_roots = ["{shared}"]\narchive_networks = ["10.1.0.0/16"]\n'
    )
    for path in (
        data / "inbox/a.warc.gz",
        data / "inbox/more/b.warc",
        data / "inbox/more/c.txt",
        shared / "d.warc.zst",
    ):
        path.write_bytes(b"x")
    (tmp_path / "secret.warc").write_bytes(b"x")
    (data / "inbox" / "more" / "link.warc").symlink_to(tmp_path / "secret.warc")
    return open_desk(data)


def files(desk: Desk, *named: str) -> list[str]:
    source = resolve(PagesFrom(kind="WARC files", files=list(named)), desk, desk.sites)
    assert isinstance(source, WarcFiles)
    return [Path(file).name for file in source.files]


def test_files_may_be_in_the_inbox_and_in_folders_that_the_settings_name(desk: Desk) -> None:
    """Paths are below the inbox, or whole; a folder stands for its WARC files; a file named twice is one."""
    assert files(desk, "a.warc.gz", "more", "more/b.warc") == ["a.warc.gz", "b.warc"]
    assert files(desk, f"{desk.settings.file_roots[0]}/d.warc.zst") == ["d.warc.zst"]


@pytest.mark.parametrize(
    "named",
    ["/etc/passwd", "../nightdesk.toml", "more/../../../secret.warc", "more/link.warc", "~/x.warc", "a.warc.gz/../.."],
)
def test_files_elsewhere_are_refused(desk: Desk, named: str) -> None:
    """No path, however it is spelt, and no symbolic link leads out of the allowed folders; the text says the mend."""
    with pytest.raises(
        SourceError, match=r"pages_from\.files: .*in none of the folders.*file_roots of nightdesk\.toml"
    ):
        files(desk, named)


def test_missing_files_and_none_are_refused(desk: Desk) -> None:
    """The message names the field and the file."""
    with pytest.raises(SourceError, match=r"pages_from\.files: 'nothing\.warc': there is no such file"):
        files(desk, "nothing.warc")
    with pytest.raises(SourceError, match=r"pages_from\.files: no file was named"):
        files(desk)


def test_files_named_in_a_terminal_are_trusted(desk: Desk, tmp_path: Path) -> None:
    """Whoever has a shell has the files; the trust is for those very files."""
    pages_from = Origin(warc=[tmp_path / "secret.warc"]).pages_from()
    try:
        assert resolve(pages_from, desk, desk.sites) == WarcFiles((str(tmp_path / "secret.warc"),))
        with pytest.raises(SourceError):
            files(desk, "/etc/passwd")
    finally:
        TRUSTED.set(frozenset())


def test_a_list_of_urls_gives_each_its_site(desk: Desk) -> None:
    """Lines of the field and of the file, made canonical, each once; empty lines and remarks are none."""
    (desk.data / "inbox" / "list.txt").write_text("\ufeffhttp://harbour.example/b\n\n# old\n", "utf-8")
    asked = PagesFrom(kind="a list of URLs", urls="HTTP://HARBOUR.example/a?utm_source=x\r\n", url_file="list.txt")
    assert resolve(asked, desk, desk.sites) == UrlList(
        (("harbour", "http://harbour.example/a"), ("harbour", "http://harbour.example/b"))
    )


@pytest.mark.parametrize(
    ("urls", "said"),
    [
        ("", "no URL was given"),
        ("http://harbour.example/a\nftp://harbour.example/b", "line 2: scheme 'ftp'"),
        ("http://elsewhere.example/a", "line 1: http://elsewhere.example/a is of none of the sites chosen"),
        ("\n".join("nonsense" for _ in range(9)), "and 4 lines more"),
    ],
)
def test_a_list_with_a_wrong_line_is_refused_as_a_whole(desk: Desk, urls: str, said: str) -> None:
    """The first wrong lines are named by number, with what is wrong."""
    with pytest.raises(SourceError, match=said):
        resolve(PagesFrom(kind="a list of URLs", urls=urls), desk, desk.sites)


def test_an_archive_is_asked_politely_and_only_where_it_is_allowed_to_be(desk: Desk) -> None:
    """The delay is the archive's own, the networks are the settings'; what is no URL is refused by its field."""
    source = resolve(PagesFrom(kind="a web archive"), desk, desk.sites)
    assert isinstance(source, WebArchive)
    assert (source.delay_s, source.allow, source.data) == (ARCHIVE_DELAY_S, ("10.1.0.0/16",), None)
    for field in ("index", "replay", "warc_url"):
        with pytest.raises(SourceError, match=rf"pages_from\.{field}: 'file:///etc/passwd' is no http"):
            resolve(PagesFrom(**{"kind": "a web archive", field: "file:///etc/passwd"}), desk, desk.sites)


def test_options_that_exclude_each_other_are_refused() -> None:
    """One origin at a time; days may be left out for files only."""
    with pytest.raises(OriginError, match="--warc and --cdx: one at a time"):
        Origin(warc=[Path("x")], cdx="http://x.example/").pages_from()
    with pytest.raises(OriginError, match="belong to --cdx"):
        Origin(replay="http://x.example/").pages_from()
    with pytest.raises(OriginError, match="--first-day and --last-day are both needed"):
        Origin(cdx="http://x.example/").days(None, None)
    first, last = Origin(warc=[Path("x")]).days(None, None)
    assert first.year == 1990
    assert last > first


def test_the_sites_themselves_are_no_source(desk: Desk) -> None:
    """Without a choice a backfill is what it was."""
    assert resolve(PagesFrom(), desk, desk.sites) is None
    assert resolve(Origin().pages_from(), desk, desk.sites) is None
