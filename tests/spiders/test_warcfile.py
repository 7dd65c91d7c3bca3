"""WARC files of others: whatever their container and their faults, each record that is there is read, once."""

import gzip
import io
import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from fastwarc.stream_io import GzipWriter, Lz4Writer, ZstdWriter
from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spiders.archives.container import WarcFileError
from spiders.archives.warcfile import Record, read_records

URL = "http://harbour.localhost/a/{}"


def record(number: int, body: bytes | None = None, **fields: str) -> bytes:
    """A response record as it stands uncompressed."""
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + (body or f"<p>Page {number}</p>".encode())
    named = {
        "WARC-Type": "response",
        "WARC-Target-URI": URL.format(number),
        "WARC-Date": "2026-11-20T10:00:00Z",
        "WARC-Record-ID": f"<urn:uuid:{number:08d}>",
        "Content-Length": str(len(block)),
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    header = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"WARC/1.0\r\n{header}\r\n".encode() + block + b"\r\n\r\n"


def read(path: Path, **options: object) -> tuple[list[Record], list[tuple[int, str]]]:
    damage: list[tuple[int, str]] = []
    records = list(
        read_records(path, lambda _: True, lambda offset, reason: damage.append((offset, reason)), **options)
    )
    return records, damage


def whole(records: list[Record]) -> list[str]:
    """The URLs of the records that were read whole."""
    for each in records:
        if each.block is not None:
            number = each.header.uri.rpartition("/")[2]
            assert each.block.endswith(f"<p>Page {number}</p>".encode()), each
    return [each.header.uri for each in records if each.block is not None]


def urls(*numbers: int) -> list[str]:
    return [URL.format(number) for number in numbers]


def members(*records: bytes) -> bytes:
    return b"".join(gzip.compress(each) for each in records)


def dictionary_file(*records: bytes) -> bytes:
    """A .warc.zst whose first frame is the dictionary of all, itself compressed (IIPC)."""
    samples = [record(number) for number in range(500)]
    dictionary = zstandard.train_dictionary(4096, samples)
    packed = zstandard.ZstdCompressor().compress(dictionary.as_bytes())
    compressor = zstandard.ZstdCompressor(dict_data=dictionary)
    frames = b"".join(compressor.compress(each) for each in records)
    return b"\x5d\x2a\x4d\x18" + len(packed).to_bytes(4, "little") + packed + frames


CONTAINERS: dict[str, Callable[..., bytes]] = {
    "plain": lambda *records: b"".join(records),
    "gzip, a member a record": members,
    "gzip as a whole": lambda *records: gzip.compress(b"".join(records)),
    "gzip, members that cut records": lambda *records: members(
        *(b"".join(records)[at : at + 100] for at in range(0, len(b"".join(records)), 100))
    ),
    "zstd, a frame a record": lambda *records: b"".join(
        zstandard.ZstdCompressor(write_checksum=True).compress(each) for each in records
    ),
    "zstd as a whole": lambda *records: zstandard.compress(b"".join(records)),
    "zstd with a dictionary": dictionary_file,
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_is_read(tmp_path: Path, container: str) -> None:
    """Each record is read whole and in order, whatever the file is compressed by; concatenated files are one."""
    path = tmp_path / "x.warc"
    path.write_bytes(CONTAINERS[container](*(record(number) for number in range(20))))
    records, damage = read(path)
    assert whole(records) == urls(*range(20))
    assert damage == []
    assert [each.header.number for each in records] == list(range(1, 21))
    if container != "zstd with a dictionary":
        path.write_bytes(path.read_bytes() * 2)
        assert whole(read(path)[0]) == urls(*range(20)) * 2


@pytest.mark.parametrize("container", ["plain", "gzip, a member a record", "zstd, a frame a record"])
def test_a_record_can_be_read_again_from_its_offset(tmp_path: Path, container: str) -> None:
    """The offset that a header gives leads to that record."""
    path = tmp_path / "x.warc"
    path.write_bytes(CONTAINERS[container](*(record(number) for number in range(9))))
    for each in read(path)[0]:
        again = next(read_records(path, lambda _: True, lambda *_: None, start=each.header.offset))
        assert (again.header.uri, again.block) == (each.header.uri, each.block)


@pytest.mark.parametrize("writer", [GzipWriter, ZstdWriter])
def test_files_of_fastwarc_are_read_as_fastwarc_reads_them(tmp_path: Path, writer: type) -> None:
    """What another library wrote is read to the same records."""
    path = tmp_path / "x.warc"
    with path.open("wb") as file:
        for number in range(30):
            made = WarcRecord()
            made.init_headers(WarcRecordType.response if number % 3 else WarcRecordType.request)
            made.headers["WARC-Target-URI"] = URL.format(number)
            made.set_bytes_content(random.Random(number).randbytes(50_000 * (number % 2) + number))
            out = writer(file)
            made.write(out)
            out.close()
    theirs = [
        (each.headers["WARC-Target-URI"], each.reader.read()) for each in ArchiveIterator(str(path), parse_http=False)
    ]
    assert [(each.header.uri, each.block) for each in read(path)[0]] == theirs


@pytest.mark.parametrize("container", ["plain", "gzip, a member a record", "gzip as a whole", "zstd, a frame a record"])
@pytest.mark.parametrize("cut", [1, 10, 150])
def test_a_file_that_is_cut_off_gives_what_is_whole(tmp_path: Path, container: str, cut: int) -> None:
    """All but the torn tail is read, and the tail is told."""
    path = tmp_path / "x.warc"
    data = CONTAINERS[container](*(record(number) for number in range(6)))
    path.write_bytes(data[: -cut - 4])
    records, damage = read(path)
    found = whole(records)
    assert found == urls(*range(len(found)))
    assert len(found) >= (0 if "whole" in container else 5)
    assert damage or any(each.fault for each in records)


@pytest.mark.parametrize("container", ["gzip, a member a record", "zstd, a frame a record"])
def test_a_damaged_member_costs_its_record_alone(tmp_path: Path, container: str) -> None:
    """A flipped byte in the middle hides no record behind it."""
    parts = [CONTAINERS[container](record(number, b"<p>Page %d</p>" % number)) for number in range(7)]
    broken = bytearray(parts[3])
    for at in range(len(broken) // 2, len(broken) // 2 + 8):
        broken[at] ^= 0x55
    path = tmp_path / "x.warc"
    path.write_bytes(b"".join([*parts[:3], bytes(broken), *parts[4:]]))
    records, damage = read(path)
    assert [url for url in whole(records) if url != URL.format(3)] == urls(0, 1, 2, 4, 5, 6)
    assert damage


@pytest.mark.parametrize("container", ["plain", "gzip, a member a record", "gzip as a whole", "zstd as a whole"])
@pytest.mark.parametrize("said", [-40, -1, 5, 40, 5_000, 10**7, 70 << 20, 10**15])
def test_a_wrong_content_length_costs_its_record_alone(tmp_path: Path, container: str, said: int) -> None:
    """A record that lies about its length is told with its URL; those before and behind it are whole."""
    liar = record(2)
    length = len(liar.partition(b"\r\n\r\n")[2]) - 4
    lying = record(2, Content_Length=str(length + said))
    path = tmp_path / "x.warc"
    path.write_bytes(CONTAINERS[container](record(0), record(1), lying, record(3), record(4)))
    records, _ = read(path)
    assert whole([each for each in records if each.header.uri != URL.format(2)]) == urls(0, 1, 3, 4)
    assert [each.fault is not None for each in records if each.header.uri == URL.format(2)] == [True]


@pytest.mark.parametrize(
    "junk",
    [
        b"nonsense that is no record\r\n\r\n",
        b"WARC/1.0\r\nno colon here\r\n\r\n",
        b"WARC/1.0\r\nWARC-Type: response\r\n\r\nno length\r\n\r\n",
        b"WARC/1.0\r\nContent-Length: many\r\n\r\n\r\n\r\n",
        b"\0" * 5000,
        b"\r\n" * 999,
        b"WARC/1.0\r\n" + b"X: y\r\n" * 50_000,
    ],
)
@pytest.mark.parametrize("container", ["plain", "gzip as a whole"])
def test_junk_between_records_is_passed_over(tmp_path: Path, junk: bytes, container: str) -> None:
    """What is no record hides none."""
    path = tmp_path / "x.warc"
    path.write_bytes(CONTAINERS[container](record(0), record(1), junk, record(2), record(3)))
    assert whole(read(path)[0]) == urls(0, 1, 2, 3)


def test_header_fields_are_read_however_they_are_written(tmp_path: Path) -> None:
    """Bare line feeds, angle brackets, folded lines, any case and UTF-8 in URLs are taken."""
    path = tmp_path / "x.warc"
    block = "HTTP/1.1 200 OK\n\n<p>Straße</p>".encode()
    header = "WARC/1.1\nwarc-type: Response\nWARC-Target-URI: <http://harbour.localhost/Straße>\nX-Folded: one\n\ttwo\n"
    path.write_bytes(f"{header}content-length:{len(block)}\n\n".encode() + block + b"\n\n" + record(1))
    records, damage = read(path)
    assert records[0].header.type == "response"
    assert records[0].header.uri == "http://harbour.localhost/Straße"
    assert records[0].header.fields["x-folded"] == "one two"
    assert records[0].block == block
    assert (whole(records[1:]), damage) == (urls(1), [])


def test_what_is_no_warc_file_is_refused_with_the_mend(tmp_path: Path) -> None:
    """The message names the file, what it is and what is taken."""
    path = tmp_path / "x.warc"
    packed = io.BytesIO()
    writer = Lz4Writer(packed)
    writer.write(record(1))
    writer.close()
    for data, text in ((b"", "empty"), (b"PK\x03\x04zip", "PK"), (packed.getvalue(), "LZ4: unpack it first")):
        path.write_bytes(data)
        with pytest.raises(WarcFileError, match=rf"x\.warc: no WARC file \(.*{text}.*\.warc\.gz"):
            read(path)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_bomb_stays_small(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """A record of 96 MiB of zeros is passed over, told as too large, and costs no memory but the bound."""
    path = tmp_path / "x.warc"
    size = 96 << 20
    header = f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {URL.format(1)}\r\nContent-Length: {size}\r\n\r\n"
    path.write_bytes(pack(header.encode() + bytes(size) + b"\r\n\r\n") + pack(record(2)))
    tracemalloc.start()
    try:
        records, _ = read(path, largest=4 << 20)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [(each.too_large, each.block is None) for each in records] == [(True, True), (False, False)]
    assert whole(records[1:]) == urls(2)
    assert peak < 48 << 20


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_bytes_whatever_raise_or_hide_the_end(tmp_path: Path, data: st.DataObject) -> None:
    """Any damage to a file, anywhere: reading ends, raises nothing, and the records far from it are whole."""
    container = data.draw(st.sampled_from([*CONTAINERS]))
    raw = bytearray(CONTAINERS[container](*(record(number) for number in range(8))))
    head = 64 if "dictionary" not in container else 0
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(head, len(raw) - 1))
        kind = data.draw(st.sampled_from(["flip", "cut", "insert", "double"]))
        if kind == "flip":
            raw[at] ^= data.draw(st.integers(1, 255))
        elif kind == "cut":
            del raw[at : at + data.draw(st.integers(1, 60))]
        elif kind == "insert":
            raw[at:at] = data.draw(st.binary(min_size=1, max_size=60))
        else:
            raw[at:at] = raw[at : at + 200]
        if at >= len(raw) - 1:
            break
    path = tmp_path / "x.warc"
    path.write_bytes(raw)
    try:
        records, damage = read(path)
    except WarcFileError:
        return  # its first bytes were hit, or its dictionary
    intact = (
        record(0) in raw if container == "plain" else members(record(0)) in raw if "member a" in container else False
    )
    if intact:
        assert any(each.header.uri == URL.format(0) for each in records)
    assert all(offset <= len(raw) for offset, _ in damage)
