"""One loads and publishes, many ask: nobody meets an error, a lock or half a load."""

import json
import os
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from storage import database
from storage.load import load, pending_folders
from tests.storage.test_crash import make_segments

SECONDS = float(os.environ.get("NIGHTDESK_READ_S", "0"))
READERS = int(os.environ.get("NIGHTDESK_READERS", "2"))


@pytest.mark.both
def test_readers_never_meet_an_error_or_half_a_load(tmp_path: Path, form: str) -> None:
    """While segments are loaded and published, processes that open and ask see whole loads only, ever newer."""
    make_segments(tmp_path, (7 if form == "files" else 4) + int(SECONDS * 5))
    first, *others = pending_folders(tmp_path)
    load(tmp_path, [first], publish=True)
    command = [sys.executable, "-m", "tests.storage.reader_child", str(tmp_path)]
    readers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(READERS)
    ]
    published = [time.time()]
    deadline = time.monotonic() + SECONDS
    for path in others:
        load(tmp_path, [path], publish=True)
        published.append(time.time())
        if SECONDS and time.monotonic() > deadline:
            break
    reports = [json.loads(reader.communicate(timeout=120)[0]) for reader in readers]
    for report in reports:
        assert report["errors"] == []
        assert report["broken"] == []
        seen = [loads for _, _, loads in report["looks"]]
        assert all(before <= after for before, after in pairwise(seen))
        assert len(seen) > 2
    looks = [look for report in reports for look in report["looks"]]
    assert max(loads for _, _, loads in looks) > 1
    with database.connect(tmp_path) as connection:
        rows = connection.execute("SELECT epoch(loaded_at) FROM loads ORDER BY number").fetchall()
    loaded = [at for (at,) in rows]
    # How old what a reader sees is: since when a load was under way that it does not see yet.
    stale = [max(0.0, began - loaded[loads]) for began, _, loads in looks if loads < len(loaded)] or [0.0]
    print(  # noqa: T201 -- the figure
        f"{READERS} readers, {len(published)} loads, {len(looks)} looks of {sum(t for _, t, _ in looks) / len(looks):.3f} s;"
        f" staleness at most {max(stale):.2f} s, mean {sum(stale) / len(looks):.2f} s"
    )
    assert max(stale) < 60
