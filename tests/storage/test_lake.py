"""The store of several machines: a lake that queues its writers, shows whole loads, and forgets what is taken down."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
import sqlalchemy

from extraction.urls import url_key
from flows.config import load_settings
from flows.upkeep import tidy
from storage import backup, database, learned, takedown
from storage.errors import StoreBusyError, StoreError
from storage.lake import LakeUnreachableError, extension
from storage.load import load, pending_folders
from storage.place import Lake, lake_of, mistake
from tests.lakes import Postgres, make_lake, object_storage
from tests.storage.invariants import broken
from tests.storage.made import article, discovered, extraction, folder, page
from tests.storage.test_crash import make_segments

SITE = "https://harbour.example"
Lakes = Callable[..., None]
HOLD = """
import sys
from pathlib import Path
from storage import database
with database.writer(Path(sys.argv[1])) as store:
    store.execute("BEGIN; UPDATE load_lock SET n = n + 100")
    print("held", flush=True)
    input()
    store.execute("COMMIT")
"""


@pytest.fixture
def data(tmp_path: Path, lakes: Lakes) -> Path:
    """A data folder whose store is a lake with the two nights."""
    home = tmp_path / "here"
    lakes(home, True)
    return home


def asked(data: Path, query: str) -> list[tuple]:
    with database.connect(data) as connection:
        assert broken(connection) == []
        return connection.execute(query).fetchall()


def holder(data: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def other_machine(data: Path, tmp_path: Path) -> Path:
    """Another data folder, of another machine, whose store is the same lake."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "nightdesk.toml").write_text((data / "nightdesk.toml").read_text())
    return other


def test_the_second_machine_queues_behind_the_first_and_sees_what_it_wrote(data: Path, tmp_path: Path) -> None:
    """Two loads at once from two data folders: the second begins when the first has committed, and both are whole."""
    other = other_machine(data, tmp_path)
    first = holder(data)
    url = f"{SITE}/2026/from-the-other"
    waiting = folder(other, [(page(url, 5000, run="run-9"), extraction(article(url)))], run="run-9")
    program = "import sys; from pathlib import Path; from storage.load import load; load(*[Path(sys.argv[1])], [Path(sys.argv[2])], publish=True)"
    second = subprocess.Popen([sys.executable, "-c", program, str(other), str(waiting)])
    time.sleep(2)
    assert second.poll() is None
    assert asked(data, "SELECT count(*) FROM articles") == [(2,)]  # and nobody who reads waits
    first.communicate("\n", timeout=60)
    assert second.wait(60) == 0
    assert asked(data, "SELECT count(*) FROM articles") == [(3,)]
    assert asked(other, "SELECT max(number) > 100 FROM loads") == [(True,)]  # after the first had committed


def test_a_writer_that_may_not_wait_is_told_who_writes_and_one_that_is_killed_lets_go(data: Path) -> None:
    """The message names machine and process; with a SIGKILL lock and work are gone, and the next goes on at once."""
    first = holder(data)
    with pytest.raises(StoreBusyError, match=rf"nightdesk-.*-{first.pid} at .* has been writing for over 0.5 s"):
        load(data, [], wait_s=0.5)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert load(data, [], wait_s=20).load_id is None
    assert asked(data, "SELECT n < 100 FROM load_lock") == [(True,)]


def test_a_reader_stays_where_it_was_and_can_neither_write_nor_look_elsewhere(data: Path) -> None:
    """One connection is one snapshot; files, other settings and changes are refused, the catalogue's own tables too."""
    with database.connect(data) as old:
        url = f"{SITE}/2026/new-story"
        load(data, [folder(data, [discovered(url, 3000)], run="run-3")], publish=True)
        assert old.execute("SELECT count(*) FROM urls").fetchone() == (5,)
        assert asked(data, "SELECT count(*) FROM urls") == [(6,)]
        for query in (
            "DELETE FROM urls",
            "SELECT * FROM read_text('/etc/passwd')",
            "SET memory_limit = '9GB'",
            "CALL postgres_execute('__ducklake_metadata_store', 'DELETE FROM ducklake_table')",
            "ATTACH '/tmp/other.duckdb' AS other",
        ):
            with pytest.raises(duckdb.Error, match=r"read-only|disabled|locked|configuration"):
                old.execute(query)


def test_a_catalogue_that_goes_away_is_one_clear_error_and_costs_nothing(data: Path, catalogues: Postgres) -> None:
    """Postgres dies in the middle of a load: the error names the lake; started again, the same load comes in whole."""
    make_segments(data, 2)
    catalogues.stop()
    try:
        for ask in (lambda: load(data, pending_folders(data)), lambda: database.connect(data)):
            with pytest.raises(LakeUnreachableError, match=r"postgres:host=.*Nothing is lost: run it again") as caught:
                ask()
            assert "\n" not in str(caught.value)
    finally:
        catalogues.start()
    assert load(data, pending_folders(data), publish=True).new_articles > 0
    with database.writer(data) as store:
        catalogues.ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'nightdesk%'"
        )
        assert store.execute("SELECT count(*) > 0 FROM loads").fetchone() == (True,)
    assert asked(data, "SELECT count(*) > 2 FROM loads") == [(True,)]


def texts(folder: Path, text: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_what_is_taken_down_is_in_no_file_of_the_lake_and_goes_from_the_other_machine_too(
    data: Path, tmp_path: Path, catalogues: Postgres
) -> None:
    """Rows, former snapshots and the extremes in the catalogue are rewritten; each machine erases its own captures."""
    other = other_machine(data, tmp_path)
    url, secret = f"{SITE}/2026/secret", "zzz-the-last-text-of-all"
    rows = folder(other, [(page(url, 5000, run="run-9"), extraction(article(url, secret, secret)))], run="run-9")
    load(other, [rows], publish=True)
    name = data.joinpath("nightdesk.toml").read_text().split("dbname=")[1].split('"')[0]
    extremes = f"SELECT count(*) FROM ducklake_table_column_stats WHERE max_value LIKE '{secret}%'"
    assert catalogues.ask(extremes, name) != [["0"]]
    ordered = takedown.order(data, takedown.find(data, url), "asked")
    takedown.register(data, ordered)
    assert asked(data, f"SELECT count(*) FROM article_versions WHERE url_key = '{url_key(url)}'") == [(0,)]
    takedown.compact(data)
    takedown.finish(data, ordered, responses=0)
    assert catalogues.ask(extremes, name) == [["0"]]
    catalogues.ask("CHECKPOINT", name)
    assert texts(data, secret) == []
    assert texts(catalogues.home / "db" / "base", secret) == []
    assert texts(other, secret) == [rows / "articles.parquet"]
    said: list[str] = []
    tidy(other, load_settings(other, {}), said.append)
    assert texts(other, secret) == []
    assert any("is finished" in line for line in said)
    takedown.lift(data, ordered.takedown_id)
    tidy(other, load_settings(other, {}), said.append)
    assert all(each.lifted_at for each in takedown.takedowns(other))


def test_tidying_merges_the_files_of_small_loads(data: Path) -> None:
    """Many loads leave many small files; after it there are few rows' files, and every answer is as before."""
    make_segments(data, 3)
    for each in pending_folders(data):
        load(data, [each], publish=True)
    assert files(data) > 3
    before = asked(data, "SELECT url, version, article_body FROM article_versions ORDER BY ALL")
    said = database.store_of(data).tidy()
    assert said is not None
    assert said.startswith("the lake: files of ")
    assert asked(data, "SELECT url, version, article_body FROM article_versions ORDER BY ALL") == before
    assert files(data) <= 2


def test_a_lake_of_a_newer_program_is_refused_and_views_that_changed_are_written_anew(data: Path) -> None:
    """Migrations are numbered there too: an unknown one is named, and the views are those of this program."""
    with database.writer(data) as store:
        store.execute("UPDATE schema_migrations SET sha256 = 'another' WHERE number = 0; DROP VIEW articles")
    with database.writer(data):
        pass
    assert asked(data, "SELECT count(*) FROM articles") == [(2,)]
    with database.writer(data) as store:
        store.execute("INSERT INTO schema_migrations VALUES (999, 'from_the_future', '', now()::TIMESTAMP)")
    with pytest.raises(database.NewerStoreError, match=r"postgres:.* at 999, from_the_future; .*Update nightdesk"):
        load(data, [])
    assert asked(data, "SELECT count(*) FROM articles") == [(2,)]


def test_an_empty_catalogue_has_nothing_to_read(tmp_path: Path, catalogues: Postgres) -> None:
    """Before the first load each reader is told so, and nothing is made."""
    make_lake(tmp_path, catalogues.catalogue("untouched"), tmp_path / "rows")
    assert not database.is_published(tmp_path)
    with pytest.raises(database.NotPublishedError, match="nothing has been written into this lake yet"):
        database.connect(tmp_path)
    assert learned.known_lines(tmp_path) == []
    assert catalogues.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", "untouched") == [["0"]]


def files(data: Path) -> int:
    """How many files hold the texts."""
    with database.connect(data) as connection:
        found = connection.execute("SELECT count(*) FROM ducklake_list_files('store', 'article_versions')").fetchone()
    assert found is not None
    return found[0]


def test_a_backup_of_a_lake_is_a_file_and_fills_another_lake_or_a_folder(
    data: Path, tmp_path: Path, lakes: Lakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backup holds a whole store; put back into an empty lake, or a folder of files, all tables are as they were."""
    tables = ("urls", "fetches", "article_versions", "removed_blocks", "loads", "segments", "text_sketches")

    def everything(home: Path) -> dict[str, list[tuple]]:
        return {table: asked(home, f"FROM {table} ORDER BY ALL") for table in tables}

    before = everything(data)
    made = tmp_path / "safe"
    backup.backup(data, made)
    with pytest.raises(StoreError, match="there are loads in this lake"):
        backup.restore(made, tmp_path / "again")
    lakes(tmp_path / "empty", False)
    empty = lake_of(tmp_path / "empty")
    assert empty is not None
    for home, catalogue, rows in (("lake", f"postgres:{empty.catalogue}", empty.data_path), ("files", "", "")):
        monkeypatch.setenv("NIGHTDESK_LAKE_CATALOGUE", catalogue)
        monkeypatch.setenv("NIGHTDESK_LAKE_DATA", rows)
        backup.restore(made, tmp_path / home)
        assert everything(tmp_path / home) == before
        assert (tmp_path / home / database.PUBLISHED).exists() == (home == "files")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket of an object storage on this machine, its keys in the environment."""
    with object_storage() as (endpoint, bucket):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key-of-the-tests")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-tests")
        yield bucket


def test_rows_in_object_storage_with_keys_from_the_environment(
    tmp_path: Path, catalogues: Postgres, bucket: str, nightdesk
) -> None:
    """Loads, readers, the command line and a takedown work over S3; keys are in no file and no line that is printed."""
    make_lake(tmp_path, catalogues.catalogue("in_s3"), f"{bucket}/lake")
    make_segments(tmp_path, 2)
    loaded = load(tmp_path, pending_folders(tmp_path), publish=True)
    assert loaded.new_articles > 5
    assert asked(tmp_path, "SELECT count(*) FROM articles") == [(loaded.new_articles,)]
    done = nightdesk("sql", "--json", "SELECT count(*) AS n FROM articles", data=tmp_path)
    assert json.loads(done.stdout) == [{"n": loaded.new_articles}]
    keys = nightdesk("sql", "FROM duckdb_secrets()", data=tmp_path).stdout
    assert "secret-of-the-tests" not in keys + done.stderr
    with database.connect(tmp_path) as connection, pytest.raises(duckdb.Error, match="disabled by configuration"):
        connection.execute("SELECT * FROM read_text('s3://another/place')")
    takedown.compact(tmp_path)
    assert asked(tmp_path, "SELECT count(*) FROM articles") == [(loaded.new_articles,)]
    assert texts(tmp_path, "secret-of-the-tests") == []


@pytest.mark.parametrize(
    ("catalogue", "rows", "says"),
    [
        ("postgres:dbname=x", "", "lake_data is not set"),
        ("", "/shared/lake", "lake_catalogue is not set"),
        ("mysql:db=x", "/shared", 'write "postgres:host='),
        ("postgres:host=db password=hunter2", "/shared", "PGPASSWORD"),
        ("postgres:host=db dbname=x", "relative/folder", "absolute path"),
        ("postgres:host=db dbname=x", "s3://key@bucket/", "s3://bucket/folder/"),
    ],
)
def test_a_mistake_in_the_settings_says_the_mend(tmp_path: Path, catalogue: str, rows: str, says: str) -> None:
    """Half a lake, another database, a password in the file: one line that names the key and what to write."""
    assert says in str(mistake(catalogue, rows))
    make_lake(tmp_path, catalogue, rows)
    with pytest.raises(StoreError, match="lake_"):
        database.is_published(tmp_path)


def test_the_environment_names_the_lake_of_a_folder_that_has_no_settings(tmp_path: Path) -> None:
    """As with every setting the environment wins over the file."""
    environment = {"NIGHTDESK_LAKE_CATALOGUE": "postgres:dbname=x", "NIGHTDESK_LAKE_DATA": "s3://bucket/folder"}
    assert lake_of(tmp_path, environment) == Lake("dbname=x", "s3://bucket/folder/")
    assert lake_of(tmp_path, {}) is None


def documented(language: str, data: Path) -> str:
    """The lines of docs/several-machines.md in a language, with this lake and these wheels for the ones there."""
    lake = lake_of(data)
    assert lake is not None
    text = (Path(__file__).parents[2] / "docs" / "several-machines.md").read_text(encoding="utf-8")
    [block] = re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    for name, written in (("ducklake", "LOAD ducklake"), ("postgres_scanner", "LOAD postgres")):
        block = block.replace(written, f"LOAD {database.quoted(extension(name))}")
    analyst = lake.catalogue.replace("user=nightdesk", "user=analyst")
    return block.replace("host=db.example.org dbname=nightdesk user=analyst", analyst).replace(
        '"data"', repr(str(data))
    )


def test_the_doors_that_are_documented_open(data: Path, catalogues: Postgres) -> None:
    """The role of the page may read and no more; command line, Python and SQLAlchemy give one answer."""
    lake = lake_of(data)
    assert lake is not None
    catalogues.ask(documented("postgres", data), lake.catalogue.split("dbname=")[1])
    script = documented("duckdb", data)
    program = Path(sys.executable).with_name("duckdb")
    done = subprocess.run([program, "-csv", "-bail"], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["site,articles", "harbour,2", "headline,version", "Ferry,1", "Pier,1"]
    python = subprocess.run(
        [sys.executable, "-c", documented("python", data)], capture_output=True, text=True, check=False
    )
    assert python.stdout == "[('harbour', 2)]\n", python.stderr
    start = "".join(script.splitlines(keepends=True)[:3])
    engine = sqlalchemy.create_engine("duckdb:///:memory:")
    sqlalchemy.event.listen(engine, "connect", lambda connection, _: connection.execute(start))
    with engine.connect() as connection:
        found = connection.execute(sqlalchemy.text("SELECT site, count(*) FROM articles GROUP BY site")).fetchall()
        assert [tuple(row) for row in found] == [("harbour", 2)]
        with pytest.raises(sqlalchemy.exc.DBAPIError, match="read-only"):
            connection.execute(sqlalchemy.text("DELETE FROM urls"))
    engine.dispose()
    writes = script.replace(" (READ_ONLY)", "").replace("SELECT site", "DELETE FROM urls; SELECT site")
    refused = subprocess.run([program, "-csv", "-bail"], input=writes, capture_output=True, text=True, check=False)
    assert "permission denied" in refused.stderr
    assert asked(data, "SELECT count(*) FROM urls") == [(5,)]
