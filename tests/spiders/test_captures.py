"""Segments: what is written is read back, whatever a crash or a bad disk did to the files."""

import fcntl
import gzip
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator

from extraction.records import Capture, Discovery, Outcome
from spiders import journal
from spiders.captures import (
    SegmentWriter,
    closed_segments,
    read_journal,
    read_page,
    read_pages,
    records,
    recover,
    warc_of,
)

AT = datetime(2026, 11, 23, 4, 30, 0, 123456, tzinfo=UTC)
HEADERS = (("Content-Type", "text/html"), ("X-Twice", "1"), ("X-Twice", "2"), ("Content-Encoding", "gzip"))


def discovery(number: int = 0) -> Discovery:
    return Discovery(
        url=f"http://harbour.localhost/a/{number}",
        site="harbour",
        found_in="http://harbour.localhost/feed",
        found_by="feed",
        lastmod=AT,
        title_hint="Straße, “naïve” \u2028 日本",
    )


def writer(data: Path, **limits: float) -> SegmentWriter:
    return SegmentWriter(data / "captures" / "r1", "s0", data=data, software="Nightdesk/test", **limits)  # type: ignore[arg-type]


def write_pages(target: SegmentWriter, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        target.note(journal.discovered(discovery(number), AT))
        target.write(
            discovery(number),
            final_url=f"http://harbour.localhost/final/{number}",
            status=200,
            headers=HEADERS,
            body=gzip.compress(f"<p>{number}</p>".encode() * 50),
            fetched_at=AT,
            attempts=2,
            address="127.0.0.1",
            rights={"x_robots_tag": "noarchive"},
        )


def test_a_page_comes_back_as_it_was_received(tmp_path: Path) -> None:
    """Body, header order and repetition, status, discovery, rights and place are the same after the round trip."""
    target = writer(tmp_path)
    write_pages(target, 3)
    path = target.rotate()
    assert path is not None
    warc = warc_of(path)
    assert warc is not None
    pages = list(read_pages(warc, data=tmp_path))
    assert [gzip.decompress(page.body) for page in pages] == [f"<p>{n}</p>".encode() * 50 for n in range(3)]
    page = pages[1]
    assert page.headers == HEADERS
    assert page.discovery == discovery(1)
    assert (page.final_url, page.status, page.attempts) == ("http://harbour.localhost/final/1", 200, 2)
    assert page.fetched_at == AT
    assert page.rights == {"x_robots_tag": "noarchive"}
    assert page.capture.file == "captures/r1/s0-00000.warc.gz"
    with (tmp_path / page.capture.file).open("rb") as file:
        file.seek(page.capture.offset)
        record = next(iter(ArchiveIterator(file)))
    assert record.headers["WARC-Target-URI"] == page.final_url


def test_a_chunked_answer_is_read_by_other_tools(tmp_path: Path) -> None:
    """The body is stored without chunks, so no header field may promise them to a WARC reader that would undo them."""
    target = writer(tmp_path)
    target.write(
        discovery(),
        final_url="http://harbour.localhost/",
        status=200,
        headers=(("Transfer-Encoding", "chunked"),),
        body=b"5 is no chunk length here",
        fetched_at=AT,
    )
    warc = warc_of(target.rotate() or Path())
    assert warc is not None
    records = [r.reader.read() for r in ArchiveIterator(str(warc), auto_decode="all") if r.is_http]
    assert records == [b"5 is no chunk length here"]


def test_a_rendered_page_is_read_where_a_browser_made_it(tmp_path: Path) -> None:
    """The response stands as received, the conversion behind it refers to it and is the page; a torn one is no page."""
    target = writer(tmp_path)
    html = "<p>Grüße</p>".encode() * 40
    place = target.write(
        discovery(),
        final_url="http://harbour.localhost/a",
        status=200,
        headers=(*HEADERS, ("ETag", '"7"')),
        body=gzip.compress(b"<script></script>", mtime=0),
        fetched_at=AT,
        rights={"x_robots_tag": "noai"},
        rendered=html,
    )
    target_journal = target.rotate() or Path()
    warc = warc_of(target_journal)
    assert warc is not None
    [page] = read_pages(warc, data=tmp_path)
    assert page.capture == place
    assert (page.body, page.status, page.discovery, page.rights) == (html, 200, discovery(), {"x_robots_tag": "noai"})
    assert page.headers == (("Content-Type", "text/html; charset=utf-8"), ("ETag", '"7"'))
    assert list(records(warc, data=tmp_path, damaged=print)) == [place]
    assert told_places(target_journal, warc, tmp_path) == [place]
    assert read_page(place, data=tmp_path) == page
    with warc.open("rb") as file:
        response, conversion = list(ArchiveIterator(file))[1:]
        assert conversion.headers["WARC-Type"] == "conversion"
        assert conversion.headers["WARC-Refers-To"] == response.headers["WARC-Record-ID"]
    with warc.open("rb+") as file:
        file.truncate(place.offset)
    assert list(read_pages(warc, data=tmp_path)) == []


def test_a_segment_is_open_until_it_is_closed(tmp_path: Path) -> None:
    """While a segment is written its files end in .open; rotation renames both, and the next has the next number."""
    target = writer(tmp_path, max_age_s=0)
    folder = tmp_path / "captures" / "r1"
    write_pages(target, 1)
    assert {path.name for path in folder.iterdir()} == {"s0-00000.warc.gz.open", "s0-00000.journal.jsonl.open"}
    assert closed_segments(folder) == []
    assert target.is_due
    target.rotate()
    assert not target.is_due
    assert target.rotate() is None
    target.note(journal.finished("finished", AT))
    second = target.rotate()
    assert second is not None
    assert second.name == "s0-00001.journal.jsonl"
    assert warc_of(second) is None
    assert [path.name for path in closed_segments(folder)] == ["s0-00000.journal.jsonl", "s0-00001.journal.jsonl"]


def test_a_segment_is_due_by_its_size(tmp_path: Path) -> None:
    """A segment is due as soon as its two files together have the given size."""
    target = writer(tmp_path, max_bytes=2000)
    target.note(b'{"kind":"x"}\n')
    assert not target.is_due
    write_pages(target, 4)
    assert target.is_due


def test_the_journal_reads_back(tmp_path: Path) -> None:
    """Each line is one JSON object, kind first, with times in UTC ending in Z."""
    target = writer(tmp_path)
    target.note(journal.discovered(discovery(), AT))
    target.note(journal.outcome(discovery(), Outcome.GONE, "404", AT, status=404, attempts=1))
    target.note(journal.source("http://h/f", "harbour", "feed", AT, result="ok", entries=3, new=2, known=1))
    path = target.rotate()
    assert path is not None
    text = path.read_text("utf-8").removesuffix("\n").split("\n")
    assert all(line.startswith('{"kind":') for line in text)
    assert json.loads(text[0])["at"] == "2026-11-23T04:30:00.123456Z"
    entries = list(read_journal(path))
    assert [entry["kind"] for entry in entries] == ["discovered", "outcome", "source"]
    assert entries[0]["url_key"] == entries[1]["url_key"]
    assert entries[1]["outcome"] == "gone"


def test_a_bad_journal_line_is_named(tmp_path: Path) -> None:
    """A line that is no JSON object raises an error with file and line number; a torn last line is left out."""
    path = tmp_path / "x.journal.jsonl"
    path.write_bytes(b'{"kind":"a"}\n{"kind":"torn')
    assert list(read_journal(path)) == [{"kind": "a"}]
    path.write_bytes(b'{"kind":"a"}\nnonsense\n')
    with pytest.raises(journal.JournalError, match=r"x\.journal\.jsonl: line 2"):
        list(read_journal(path))


def told_places(closed: Path, warc: Path, data: Path) -> list[Capture]:
    """Where the journal says that the pages stand."""
    *_, last = read_journal(closed)
    assert last["kind"] == "pages"
    return list(records(warc, data=data, damaged=print, offsets=last["offsets"]))


def test_the_journal_of_a_closed_segment_tells_where_its_pages_stand(tmp_path: Path) -> None:
    """The same places as a search of the WARC finds, so that nobody needs to unpack it for them; each segment has its own."""
    target = writer(tmp_path)
    for number in (3, 2):
        write_pages(target, number)
        target.write_revisit(discovery(), final_url="http://h/r", status=304, headers=(), fetched_at=AT)
        closed = target.rotate()
        assert closed is not None
        warc = warc_of(closed)
        assert warc is not None
        found = list(records(warc, data=tmp_path, damaged=lambda *what: pytest.fail(str(what))))
        assert len(found) == number
        assert told_places(closed, warc, tmp_path) == found


@pytest.mark.parametrize("cut", [1, 7, 100, 180])
def test_a_torn_tail_is_cut(tmp_path: Path, cut: int) -> None:
    """A crash in the middle of a write costs the record that was being written and nothing else."""
    write_pages(_killed(tmp_path), 3)
    folder = tmp_path / "captures" / "r1"
    opened = folder / "s0-00000.warc.gz.open"
    os.truncate(opened, opened.stat().st_size - cut)
    with (folder / "s0-00000.journal.jsonl.open").open("ab") as file:
        file.write(b'{"kind":"outco')
    [closed] = recover(folder)
    assert [entry["kind"] for entry in read_journal(closed)] == ["discovered"] * 3
    warc = warc_of(closed)
    assert warc is not None
    damage: list[tuple[int, str]] = []
    pages = list(read_pages(warc, data=tmp_path, damaged=lambda *at: damage.append(at)))
    assert [page.final_url[-1] for page in pages] == ["0", "1"]
    assert damage == []
    assert not list(folder.glob("*.open"))
    assert recover(folder) == []


def test_a_kill_between_the_two_renames_is_mended(tmp_path: Path) -> None:
    """If only the WARC was renamed, recovery closes the journal and keeps the WARC."""
    write_pages(_killed(tmp_path), 1)
    folder = tmp_path / "captures" / "r1"
    (folder / "s0-00000.warc.gz.open").rename(folder / "s0-00000.warc.gz")
    [closed] = recover(folder)
    assert warc_of(closed) == folder / "s0-00000.warc.gz"


@pytest.mark.parametrize("size", [0, 20])
def test_a_warc_without_a_page_goes(tmp_path: Path, size: int) -> None:
    """A WARC that was killed before its first whole page is removed; its journal stays."""
    write_pages(_killed(tmp_path), 1)
    folder = tmp_path / "captures" / "r1"
    os.truncate(folder / "s0-00000.warc.gz.open", size)
    [closed] = recover(folder)
    assert warc_of(closed) is None
    assert len(list(read_journal(closed))) == 1


def test_the_segment_of_a_living_writer_is_left_alone(tmp_path: Path) -> None:
    """Recovery beside a running crawl takes nothing away from it."""
    target = writer(tmp_path)
    write_pages(target, 1)
    script = "import sys, pathlib; from spiders.captures import recover; print(recover(pathlib.Path(sys.argv[1])), flush=True)"
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "captures" / "r1")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
    write_pages(target, 1, start=1)
    warc = warc_of(target.rotate() or Path())
    assert warc is not None
    assert len(list(read_pages(warc, data=tmp_path))) == 2


def test_a_run_started_again_takes_new_numbers(tmp_path: Path) -> None:
    """A second writer of the same shard never writes into a segment that exists."""
    first = writer(tmp_path)
    write_pages(first, 1)
    first.rotate()
    second = writer(tmp_path)
    write_pages(second, 1)
    closed = second.rotate()
    assert closed is not None
    assert closed.name == "s0-00001.journal.jsonl"


@pytest.mark.parametrize("place", range(40, 3000, 97))
def test_a_flipped_bit_costs_one_page(tmp_path: Path, place: int) -> None:
    """A damaged record is named with its place; the records before and behind it are read, and none is changed."""
    target = writer(tmp_path)
    write_pages(target, 8)
    warc = warc_of(target.rotate() or Path())
    assert warc is not None
    data = bytearray(warc.read_bytes())
    data[place % len(data)] ^= 0x10
    warc.write_bytes(data)
    damage: list[tuple[int, str]] = []
    pages = list(read_pages(warc, data=tmp_path, damaged=lambda *at: damage.append(at)))
    assert len(pages) >= 7
    assert all(gzip.decompress(page.body) == f"<p>{page.final_url[-1]}</p>".encode() * 50 for page in pages)
    assert len(damage) <= 1
    assert len(damage) == 1 or len(pages) == 8


@pytest.mark.parametrize(
    "content",
    [b"", b"not a WARC at all", gzip.compress(b"neither is this"), os.urandom(5000)],
    ids=["empty", "text", "gzip", "noise"],
)
def test_a_foreign_file_has_no_pages(tmp_path: Path, content: bytes) -> None:
    """An empty or foreign file in the place of a WARC yields no page and no exception."""
    warc = tmp_path / "x.warc.gz"
    warc.write_bytes(content)
    assert list(read_pages(warc, data=tmp_path, damaged=lambda *_: None)) == []


def test_a_bomb_in_a_warc_is_passed_over(tmp_path: Path) -> None:
    """A record that inflates beyond the bound is named and passed over, and what follows is read."""
    target = writer(tmp_path)
    write_pages(target, 1)
    warc = warc_of(target.rotate() or Path())
    assert warc is not None
    warc.write_bytes(gzip.compress(b"WARC/1.1\r\n" + bytes(70 << 20)) + warc.read_bytes())
    damage: list[tuple[int, str]] = []
    assert len(list(read_pages(warc, data=tmp_path, damaged=lambda *at: damage.append(at)))) == 1
    assert "larger than" in damage[0][1]


def test_a_full_disk_is_a_clear_error(tmp_path: Path) -> None:
    """When the disk refuses, the error names file and bytes, and the file is cut back to whole records."""
    script = f"""
import resource, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_captures import write_pages, writer
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
write_pages(writer(Path({str(tmp_path)!r})), 100)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "bytes more are needed" in done.stderr
    folder = tmp_path / "captures" / "r1"
    [closed] = recover(folder)
    damage: list[tuple[int, str]] = []
    warc = warc_of(closed)
    assert warc is not None
    assert len(list(read_pages(warc, data=tmp_path, damaged=lambda *at: damage.append(at)))) >= 3
    assert damage == []


def _killed(data: Path) -> SegmentWriter:
    """Return a writer whose segment can be recovered in this process, as if its own had been killed."""
    target = writer(data)
    target.note(b"")
    original = target._open_journal

    def unlocked():  # type: ignore[no-untyped-def]  # noqa: ANN202
        file = original()
        fcntl.flock(file, fcntl.LOCK_UN)
        return file

    target._open_journal = unlocked  # type: ignore[method-assign]
    return target
