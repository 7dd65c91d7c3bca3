"""How fast WARC files of others are read, for all records and for those of one site, beside fastwarc's plain iteration.

    python benchmarks/warcs.py [--records 6000] [--json]

The file is made first: pages of the newsroom's size and kind from 200 made-up hosts, a gzip member a record, as Common
Crawl's news files are. CPU seconds of this process, the best of three; MB are of the compressed file.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from fastwarc.stream_io import GzipWriter
from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # or extraction.py beside this file would be `extraction`

from spiders.archives.harvest import Sieve
from spiders.archives.oldnews import Days
from spiders.archives.warcfile import read_records
from spiders.archives.warcsource import survey_warcs
from spiders.site import Site

HOSTS = 200
# 200 to 500 of these are 90 to 220 KB that deflate to a fifth, like the median page of a news site.
BLOCK = (
    '<div class="article__block article__block--text" data-component="text-block" data-track="body-click">'
    '<a class="article__share share-button share-button--small" href="/share?target=paragraph" rel="nofollow noopener">'
    '</a><p class="article__paragraph paragraph paragraph--body" data-analytics="in-view">{}</p></div>\n'
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=6000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.warc.gz"
        size = make(path, arguments.records)
        figures = {"file_mb": round(path.stat().st_size / 1e6, 1), "unpacked_mb": round(size / 1e6, 1)}
        for name, read in READERS.items():
            seconds = min(timed(read, path) for _ in range(3))
            figures[f"{name}_mb_per_s"] = round(path.stat().st_size / 1e6 / seconds, 1)
            figures[f"{name}_records_per_s"] = round(arguments.records / seconds)
    if arguments.json:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name:32} {value:>12,}" for name, value in figures.items()))


def make(path: Path, records: int) -> int:
    """Write the file; return the bytes of its records uncompressed."""
    drawn = random.Random(1)
    words = ["".join(drawn.choices("abcdefghijklmnopqrstuvwxyz", k=drawn.randint(2, 11))) for _ in range(20_000)]
    size = 0
    with path.open("wb") as file:
        for number in range(records):
            blocks = (BLOCK.format(" ".join(drawn.choices(words, k=12))) for _ in range(drawn.randint(200, 500)))
            body = f"<html><body>{''.join(blocks)}</body></html>".encode()
            record = WarcRecord()
            record.init_headers(WarcRecordType.response)
            record.headers["WARC-Target-URI"] = f"https://www.site{drawn.randrange(HOSTS)}.example/a/story-{number}/"
            record.headers["WARC-Date"] = f"2026-11-{number % 28 + 1:02d}T10:00:00Z"
            record.set_bytes_content(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + body)
            writer = GzipWriter(file, compression_level=6)
            record.write(writer)
            writer.close()
            size += len(body)
    return size


def timed(read: Callable[[Path], object], path: Path) -> float:
    began = time.process_time()
    read(path)
    return time.process_time() - began


def fastwarc(path: Path) -> None:
    """Iterate and look at nothing."""
    for _ in ArchiveIterator(str(path), parse_http=False):
        pass


def fastwarc_bodies(path: Path) -> None:
    """Iterate and read each record."""
    for record in ArchiveIterator(str(path), parse_http=False):
        record.reader.read()


def all_records(path: Path) -> None:
    """Read each record by our reader."""
    for _ in read_records(path, lambda _: True, lambda *_: None):
        pass


def one_site(path: Path) -> None:
    """Pick out the captures of one site and one week."""
    site = Site(
        name="s",
        title="S",
        url="https://www.site7.example/",
        country="be",
        languages=("en",),
        time_zone="UTC",
        hosts=("*.site7.example",),
    )
    sieve = Sieve([site], Days(date(2026, 11, 1), date(2026, 11, 7)), known=lambda _: None)
    assert any(list(survey_warcs((str(path),), sieve))), "the site is in the file"


READERS: dict[str, Callable[[Path], object]] = {
    "fastwarc": fastwarc,
    "fastwarc_bodies": fastwarc_bodies,
    "ours_all": all_records,
    "ours_one_site": one_site,
}

if __name__ == "__main__":
    main()
