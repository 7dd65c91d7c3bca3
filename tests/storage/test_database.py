"""The store's file: created, upgraded, refused when newer, named when damaged."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from storage import database
from storage.load import load
from tests.storage.made import article, extraction, folder, page

pytestmark = pytest.mark.files

SITE = "https://harbour.example"


def test_a_newer_store_is_refused_and_left_alone(newsdesk: Path) -> None:
    """A store with a migration that this program does not know is neither opened nor changed."""
    with database.writer(newsdesk) as connection:
        connection.execute("INSERT INTO schema_migrations VALUES (999, 'far_future', 'x', now()::TIMESTAMP)")
    before = (newsdesk / database.STORE).read_bytes()
    with pytest.raises(database.NewerStoreError, match="its schema is at 999, far_future"), database.writer(newsdesk):
        pass
    assert (newsdesk / database.STORE).read_bytes() == before


def test_an_older_store_with_rows_is_upgraded(newsdesk: Path) -> None:
    """A store of the first schema gets what later migrations bring, for the rows that it has."""
    known = database.migrations()
    old = newsdesk / "store" / "old.duckdb"
    with duckdb.connect() as store:
        store.execute(f"ATTACH '{newsdesk / database.STORE}' AS now (READ_ONLY)")
        store.execute(f"ATTACH '{old}' AS old (STORAGE_VERSION '{database.STORAGE_VERSION}'); USE old")
        store.execute(known[1][1])
        store.execute(
            "CREATE TABLE schema_migrations (number INTEGER, name VARCHAR, sha256 VARCHAR, applied_at TIMESTAMP)"
        )
        store.execute("INSERT INTO schema_migrations VALUES (1, 'articles', 'x', now()::TIMESTAMP)")
        tables = store.execute(
            "SELECT table_name, list(column_name) FROM duckdb_columns() WHERE database_name = 'old' AND NOT internal GROUP BY ALL"
        )
        for table, columns in tables.fetchall():
            if table not in ("schema_migrations", "load_lock"):
                names = ", ".join(f'"{column}"' for column in columns)
                store.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM now.{table}")
    old.replace(newsdesk / database.STORE)
    with database.writer(newsdesk) as connection:
        rows = connection.execute("SELECT characters, article_body FROM article_versions ORDER BY 1").fetchall()
        assert [number for number, _ in rows] == [len(text) for _, text in rows] == [15, 16, 18]
        applied = connection.execute("SELECT number, name FROM schema_migrations ORDER BY 1").fetchall()
        assert applied == [(0, "views"), *((number, name) for number, (name, _) in sorted(known.items()))]


def test_a_view_has_the_columns_that_a_migration_gave_its_table(newsdesk: Path) -> None:
    """`articles` shows a new column of `article_versions`, although the views' own text is as it was."""
    with duckdb.connect(newsdesk / database.STORE) as store:
        store.execute("ALTER TABLE article_versions DROP author_organisations")
        store.execute("DELETE FROM schema_migrations WHERE number = 4")
    with database.writer(newsdesk) as connection:
        assert connection.execute("SELECT author_organisations FROM articles").fetchall() == [(None,)] * 2


def test_views_are_written_anew_when_they_change(newsdesk: Path) -> None:
    """A store with older views gets the program's own at the next opening; one that is up to date is not touched."""
    with database.writer(newsdesk) as connection:
        connection.execute("UPDATE schema_migrations SET sha256 = 'older' WHERE number = 0")
        connection.execute("DROP VIEW missed")
    with database.writer(newsdesk) as connection:
        assert connection.execute("SELECT count(*) FROM missed").fetchone() == (4,)
    before = (newsdesk / database.STORE).read_bytes()
    with database.writer(newsdesk):
        pass
    assert (newsdesk / database.STORE).read_bytes() == before


def test_text_is_stored_compressed(tmp_path: Path) -> None:
    """A store's bodies stand as zstd, which DuckDB does only for files of its newest format and if it is told."""
    texts = [
        (f"{SITE}/2026/story-{n}-today", f"Story {n}. " + "The harbour is quiet tonight. " * 120) for n in range(500)
    ]
    load(
        tmp_path,
        [folder(tmp_path, [(page(url, n), extraction(article(url, text))) for n, (url, text) in enumerate(texts)])],
    )
    with duckdb.connect(tmp_path / database.STORE, read_only=True) as store:
        rows = store.execute("""SELECT DISTINCT compression FROM pragma_storage_info('article_versions')
            WHERE column_name = 'article_body' AND segment_type = 'VARCHAR'""").fetchall()
    assert rows == [("ZSTD",)]


@pytest.mark.parametrize("harm", ["empty", "text", "torn", "flipped header"])
def test_a_damaged_store_is_named(newsdesk: Path, harm: str) -> None:
    """A file that is no database any more ends in an error with its name and what to do, not in a traceback of DuckDB's."""
    for path in (newsdesk / database.STORE, newsdesk / database.PUBLISHED):
        content = path.read_bytes()
        hurt = {
            "empty": b"",
            "text": b"not a database at all\n" * 1000,
            "torn": content[:5000],
            "flipped header": content[:4100] + bytes([content[4100] ^ 1]) + content[4101:],
        }[harm]
        path.write_bytes(hurt)
    with pytest.raises(database.StoreDamagedError, match=r"published\.duckdb: DuckDB cannot read this file"):
        database.connect(newsdesk)
    if harm != "empty":  # DuckDB makes an empty file a new database, and so a new store
        with pytest.raises(database.StoreDamagedError, match=r"nightdesk\.duckdb: DuckDB cannot read this file"):
            load(newsdesk, [folder(newsdesk, [], segment="b-00001")])


def test_a_full_disk_costs_nothing_but_a_second_try(newsdesk: Path) -> None:
    """A limit on the size of files stands in for the disk: the error names the file, and with room all goes on."""
    url = f"{SITE}/2026/long-story"
    text = "\n\n".join(f"Paragraph {n} {hash((n, url))}." for n in range(20_000))
    path = folder(newsdesk, [(page(url, 5000, run="run-3"), extraction(article(url, text)))], run="run-3")
    program = f"""
import resource, signal
from pathlib import Path
from storage.load import load
from storage.database import StoreError
data = Path({str(newsdesk)!r})
size = (data / "store" / "nightdesk.duckdb").stat().st_size
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 300_000, size + 300_000))
try:
    load(data, [Path({str(path)!r})])
except StoreError as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert "StoreFullError" in done.stdout, done.stdout + done.stderr
    assert "nightdesk.duckdb" in done.stdout
    with database.connect(newsdesk) as connection:
        assert connection.execute("SELECT count(*) FROM articles").fetchone() == (2,)
    load(newsdesk, [path], publish=True)  # it can stand in the write-ahead log already: then it is known, not twice
    with database.connect(newsdesk) as connection:
        assert connection.execute(f"SELECT length(article_body) FROM articles WHERE url = '{url}'").fetchone() == (
            len(text),
        )


def test_readers_of_one_process_are_many_at_once(newsdesk: Path) -> None:
    """Threads that read at the same time, one opening while another is open: each has its answer, in UTC."""

    def read(_: int) -> tuple:
        with database.connect(newsdesk) as connection:
            return connection.execute("SELECT count(*), current_setting('TimeZone') FROM articles").fetchone()

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(read, range(40))) == {(2, "UTC")}
