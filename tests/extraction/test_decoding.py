"""Content codings are undone within bounds, and what cannot be read says why."""

import gzip
import random
import resource
import zlib
from functools import partial

import brotli
import pytest
import zstandard
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from extraction.decoding import BodyError, Decoded, TooLargeError, TruncatedError, UndecodableError, decode_body
from extraction.records import Outcome

PAGE = b"<!doctype html><p>" + b"Words of an article, and more of them. " * 500
MIB = 1 << 20


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


def bare_deflate(data: bytes) -> bytes:
    squeeze = zlib.compressobj(wbits=-15)
    return squeeze.compress(data) + squeeze.flush()


CODECS = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", bare_deflate),
    ("br", partial(brotli.compress, quality=4)),
    ("zstd", zstd),
]


def decoded(body: bytes, *codings: str, max_bytes: int = 4 * MIB) -> Decoded:
    return decode_body(body, [("Content-Encoding", c) for c in codings], max_bytes=max_bytes)


@pytest.mark.parametrize(("coding", "compress"), CODECS)
def test_each_coding_is_undone(coding, compress) -> None:
    """The body comes out byte for byte, whatever the case of the header."""
    assert decoded(compress(PAGE), coding.upper()) == Decoded(body=PAGE, codings=(coding,))


def test_no_coding_leaves_the_body_alone() -> None:
    assert decode_body(PAGE, [("content-type", "text/html")], max_bytes=MIB) == Decoded(body=PAGE)
    assert decoded(PAGE, "identity").body == PAGE
    assert decoded(b"", "gzip").body == b""


def test_stacked_codings_are_undone_from_the_outside() -> None:
    """`gzip, br` means gzip was applied first."""
    twice = brotli.compress(gzip.compress(PAGE))
    assert decoded(twice, "gzip, br") == Decoded(body=PAGE, codings=("br", "gzip"))
    assert decoded(twice, "gzip", "br").body == PAGE


def test_gzip_members_and_zstd_frames_are_joined() -> None:
    assert decoded(gzip.compress(b"<p>a") + gzip.compress(b"b") + b"\0\0\0", "gzip").body == b"<p>ab"
    assert decoded(zstd(b"<p>a") + zstd(b"b"), "zstd").body == b"<p>ab"


def test_gzip_that_nobody_declared_is_undone_and_flagged() -> None:
    """A sitemap.xml.gz, or a page compressed twice and declared once."""
    assert decoded(gzip.compress(PAGE)) == Decoded(body=PAGE, codings=("gzip",), flags=("undeclared_gzip",))
    twice = decoded(gzip.compress(gzip.compress(PAGE)), "gzip")
    assert (twice.body, twice.flags) == (PAGE, ("undeclared_gzip",))


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "sdch", "utf-8, gzip"])
def test_a_readable_body_is_used_though_its_header_lies(coding: str) -> None:
    assert decoded(PAGE, coding) == Decoded(body=PAGE, flags=("false_content_encoding",))


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "sdch", "compress"])
def test_noise_under_a_coding_is_undecodable(coding: str) -> None:
    noise = random.Random(5).randbytes(5000)
    with pytest.raises(BodyError) as raised:
        decoded(b"\xfe" + noise, coding)
    assert raised.value.outcome in {Outcome.UNDECODABLE, Outcome.TRUNCATED}


@pytest.mark.parametrize(("coding", "compress"), CODECS)
def test_a_compressed_body_cut_in_the_middle_is_truncated(coding, compress) -> None:
    """A cut body is never taken for a whole page, wherever the cut is."""
    whole = compress(random.Random(1).randbytes(3000).hex().encode())
    for cut in (len(whole) // 3, len(whole) // 2, len(whole) - 9, len(whole) - 1):
        with pytest.raises(TruncatedError):
            decoded(whole[:cut], coding)


def test_a_body_shorter_than_its_content_length_is_truncated() -> None:
    headers = [("Content-Length", str(len(PAGE) + 1))]
    with pytest.raises(TruncatedError, match=f"{len(PAGE)} of {len(PAGE) + 1} bytes"):
        decode_body(PAGE, headers, max_bytes=MIB)
    assert decode_body(PAGE, [*headers, ("Transfer-Encoding", "chunked")], max_bytes=MIB).body == PAGE
    assert decode_body(PAGE, [("Content-Length", "12, x")], max_bytes=MIB).body == PAGE


def test_a_flipped_bit_is_undecodable() -> None:
    """The checksum of gzip is read: a damaged body is not taken for the page."""
    damaged = bytearray(gzip.compress(PAGE))
    damaged[-6] ^= 1
    with pytest.raises(UndecodableError):
        decoded(bytes(damaged), "gzip")


@pytest.mark.parametrize(("coding", "compress"), CODECS)
def test_a_bomb_is_cut_while_it_unfolds(coding, compress) -> None:
    """64 MiB of zeros stop at the cap; memory grows by little more than the cap."""
    bomb = compress(bytes(64 * MIB))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(TooLargeError) as raised:
        decoded(bomb, coding, max_bytes=MIB)
    assert raised.value.outcome is Outcome.TOO_LARGE
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 48 * 1024  # KiB


def test_many_members_share_one_cap() -> None:
    with pytest.raises(TooLargeError):
        decoded(gzip.compress(bytes(MIB)) * 3, "gzip", max_bytes=2 * MIB)
    with pytest.raises(TooLargeError):
        decoded(bytes(2 * MIB + 1), max_bytes=2 * MIB)


def test_layers_are_bounded() -> None:
    onion = PAGE
    for _ in range(4):
        onion = gzip.compress(onion)
    with pytest.raises(UndecodableError, match="layers"):
        decoded(onion, "gzip")
    with pytest.raises(UndecodableError, match="codings"):
        decoded(PAGE, "gzip, gzip, gzip, gzip")


@settings(deadline=None)  # other processes share the machine
@given(st.binary(max_size=400), st.sampled_from(["gzip", "deflate", "br", "zstd", "gzip, br"]))
def test_any_bytes_end_in_a_body_or_a_body_error(body: bytes, coding: str) -> None:
    """No input raises anything but BodyError."""
    try:
        out = decoded(body, coding, max_bytes=MIB)
    except BodyError:
        return
    assert len(out.body) <= MIB


@given(st.binary(max_size=2000), st.sampled_from(CODECS[2:]))
def test_what_was_compressed_comes_back(body: bytes, codec) -> None:
    """Any bytes but those of a gzip file, which would be undone once more."""
    assume(not body.startswith(b"\x1f\x8b"))
    coding, compress = codec
    assert decoded(compress(body), coding).body == body
