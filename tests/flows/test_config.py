"""The settings: what is read, which wins, and what a mistake says."""

from pathlib import Path

import pytest

from flows.config import Settings, cron_mistake, load_settings
from flows.folder import SettingsError, data_folder


def write(data: Path, text: str) -> Path:
    (data / "nightdesk.toml").write_text(text, encoding="utf-8")
    return data


def test_an_empty_folder_has_the_defaults(tmp_path: Path) -> None:
    """No file and no variable: every setting has a default that works."""
    assert load_settings(tmp_path, {}) == Settings()


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """A variable replaces the file's value, in the type that the key takes; the others stay."""
    write(tmp_path, 'contact = "desk@example.org"\nworkers = 3\ncatalogue = true\n')
    settings = load_settings(tmp_path, {"NIGHTDESK_WORKERS": "1", "NIGHTDESK_CATALOGUE": "false", "HOME": "/"})
    assert (settings.contact, settings.workers, settings.catalogue) == ("desk@example.org", 1, False)


def test_the_two_settings_of_a_lake_come_together_from_wherever_they_are(tmp_path: Path) -> None:
    """Both from the environment, or one from the file: it is the pair that must make sense."""
    lake = {"NIGHTDESK_LAKE_CATALOGUE": "postgres:dbname=news", "NIGHTDESK_LAKE_DATA": "s3://bucket/news/"}
    assert load_settings(tmp_path, lake).lake_data == "s3://bucket/news/"
    write(tmp_path, 'lake_catalogue = "postgres:dbname=news"\n')
    with pytest.raises(SettingsError, match="lake_data is not set"):
        load_settings(tmp_path, {})
    assert load_settings(tmp_path, {"NIGHTDESK_LAKE_DATA": "/mnt/news"}).lake_catalogue == "postgres:dbname=news"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('contcat = "desk@example.org"', ["nightdesk.toml", "'contcat'", "did you mean 'contact'?"]),
        ("workers = -1", ["nightdesk.toml", "workers = -1", ">= 0"]),
        ('workers = "two"', ["workers = 'two'", "int"]),
        ('contact = "me"', ["contact = 'me'", "e-mail"]),
        ('time_zone = "Europe/Brusels"', ["time_zone", "did you mean 'Europe/Brussels'?"]),
        ('nightly_cron = "61 4 * * *"', ["nightly_cron", "'61' is no minute"]),
        ("workers = = 1", ["not a TOML file", "line 1"]),
        ("zzqx = 1", ["unknown setting 'zzqx'", "known: contact"]),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str, says: list[str]) -> None:
    """The message holds the file, the key, what was read and the mend."""
    with pytest.raises(SettingsError) as caught:
        load_settings(write(tmp_path, text), {})
    for words in says:
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("NIGHTDESK_WORKRES", "1", "did you mean 'workers'?"),
        ("NIGHTDESK_WORKERS", "many", "'many'"),
        ("NIGHTDESK_PORT", "70000", "<= 65535"),
        ("NIGHTDESK_CATALOGUE", "perhaps", "'perhaps'"),
    ],
)
def test_a_mistake_in_the_environment_is_named(tmp_path: Path, name: str, text: str, says: str) -> None:
    """The message holds the variable's name, what was read and the mend."""
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path, {name: text})
    assert says in str(caught.value)
    assert name in str(caught.value)


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    """A file in another encoding is refused with its path, not with a traceback."""
    (tmp_path / "nightdesk.toml").write_bytes(b'contact = "\xff\xfe"')
    with pytest.raises(SettingsError, match=r"nightdesk\.toml: not a TOML file"):
        load_settings(tmp_path, {})


def test_the_data_folder_is_as_given_else_the_variable_else_data(tmp_path: Path) -> None:
    """--data wins over NIGHTDESK_DATA, which wins over ./data; the path is absolute."""
    variable = {"NIGHTDESK_DATA": str(tmp_path / "b")}
    assert data_folder(tmp_path / "a", variable) == tmp_path / "a"
    assert data_folder(None, variable) == tmp_path / "b"
    assert data_folder(None, {}) == Path.cwd() / "data"


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """A file in the folder's place is named with the mend."""
    (tmp_path / "a").write_text("")
    with pytest.raises(SettingsError, match="is a file"):
        data_folder(tmp_path / "a", {})


@pytest.mark.parametrize("line", ["30 4 * * *", "*/15 0-6 1,15 * 1-5", "0 0 29 2 *"])
def test_right_cron_lines_pass(line: str) -> None:
    """Numbers, stars, ranges, lists and steps within their bounds are right."""
    assert cron_mistake(line) is None


@pytest.mark.parametrize(
    "line", ["", "30 4 * *", "30 24 * * *", "5-1 * * * *", "*/0 * * * *", "x 1 1 1 1", "1,,2 1 1 1 1"]
)
def test_wrong_cron_lines_say_what_is_wrong(line: str) -> None:
    """A wrong count, a number out of bounds, a range upside down, a step of nothing: each has its sentence."""
    assert cron_mistake(line)
