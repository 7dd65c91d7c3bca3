"""A hostile origin: whatever a host does, its URLs end as they should, its neighbours' crawl goes on, bounds hold.

The table of faults and ends is docs/faults.md; `WRITE_DOCS=1 pytest tests/faults` writes it anew.
"""

import os
import ssl
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from extraction.decoding import BodyError, decode_body
from extraction.records import Page
from tests.faults.cases import FAULTS, NONE, OK, PAGE, endless, raw, serve
from tests.faults.catalogue import documented
from tests.spiders.conftest import NOTE_PEAK, Crawled, finish, peak_kb, start
from tests.spiders.origin import Origin

pytestmark = pytest.mark.faults
DOCS = Path(__file__).parents[2] / "docs" / "faults.md"
DELAY_S = 0.05


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Origin, Crawled, float]:
    """One crawl of all faulty hosts and ten good ones: the origin, what the crawl left, its wall time."""
    data = tmp_path_factory.mktemp("hostile")
    with Origin() as origin:
        serve(origin)
        sites = {}
        urls = []
        for name in [*FAULTS, *(f"good{n}" for n in range(10))]:
            host = f"{name}.localhost"
            sites[name] = {"url": origin.url(host=host), "politeness": {"delay_s": DELAY_S}}
            paths = ["/a", "/b"] if name in FAULTS else [f"/{n}" for n in range(20)]
            urls += [[name, origin.url(path, host)] for path in paths]
            origin.routes |= {f"{host}/robots.txt": NONE} if name not in FAULTS else {}
            origin.routes |= {host + path: PAGE for path in paths} if name not in FAULTS else {}
        for flood in (f"flood{n}" for n in range(40)):
            sites[flood] = {"url": origin.url(host=f"{flood}.localhost")}
            urls += [[flood, origin.url("/flood", f"{flood}.localhost")]]
            origin.routes |= {f"{flood}.localhost/robots.txt": NONE, "/flood": endless}
        began = time.monotonic()
        crawled = finish(
            start(data, sites, urls=urls, timeout_s=4, patience_s=6, preload=NOTE_PEAK.format(str(data / "peak"))),
            data,
            timeout_s=150,
        )
        took = time.monotonic() - began
    crawled.peak_kb = peak_kb(data / "peak")
    return origin, crawled, took


def end_of(crawled: Crawled, url: str) -> str:
    """The end of a URL, a captured body that cannot be undone being one."""
    for page in crawled.pages:
        if page.discovery.url == url:
            return body_end(page)
    return next((e["outcome"] for e in crawled.entries if e["kind"] == "outcome" and e["url"] == url), "pending")


def body_end(page: Page) -> str:
    try:
        decode_body(page.body, page.headers, max_bytes=16 << 20)
    except BodyError as error:
        return error.outcome.value
    return "page"


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_ends_as_it_should(hostile: tuple[Origin, Crawled, float], name: str) -> None:
    """The URL that meets the fault has its outcome; the host's other URL is fetched unless the host itself is at fault."""
    origin, crawled, _ = hostile
    fault = FAULTS[name]
    host = f"{name}.localhost"
    assert (crawled.code, crawled.errors) == (0, "")
    assert end_of(crawled, origin.url("/a", host)) == fault.end
    assert end_of(crawled, origin.url("/b", host)) == fault.good
    if fault.attempts:
        assert origin.paths(host).count("/a") == fault.attempts
        assert [
            e["attempts"] for e in crawled.entries if e["kind"] == "outcome" and e["url"] == origin.url("/a", host)
        ] == [fault.attempts]


def test_each_attempt_has_its_reason(hostile: tuple[Origin, Crawled, float]) -> None:
    """Where two attempts failed in different ways, the ledger says both."""
    _, crawled, _ = hostile
    [reason] = [e["reason"] for e in crawled.entries if e["kind"] == "outcome" and "in-turn.localhost" in e["url"]]
    assert reason.startswith("status 500 Internal Server Error (before: connection_failed: ")


def test_no_answer_is_taken_for_another(hostile: tuple[Origin, Crawled, float]) -> None:
    """What a host sends behind an answer is none of the next one, and never stored."""
    _, crawled, _ = hostile
    assert not [page.final_url for page in crawled.pages if b"Forged" in page.body]


def test_the_ledger_sums_and_the_neighbours_are_whole(hostile: tuple[Origin, Crawled, float]) -> None:
    """Every URL has exactly one end; the good sites are fetched as if nothing had happened."""
    _, crawled, _ = hostile
    crawled.assert_sums()
    good = Counter(page.discovery.site for page in crawled.pages if page.discovery.site.startswith("good"))
    assert good == {f"good{n}": 20 for n in range(10)}
    assert not [e for e in crawled.events if e["event"] == "log" and e["level"] == "error"]


def test_no_host_is_asked_twice_at_once_or_too_soon(hostile: tuple[Origin, Crawled, float]) -> None:
    """By the origin's own log, robots.txt, redirects and retries counted: one request a host, a delay apart."""
    origin, _, _ = hostile
    assert set(origin.most_at_once.values()) == {1}
    for name in [*FAULTS, *(f"good{n}" for n in range(10))]:
        times = sorted(asked.at for asked in origin.asked if asked.host.split(":")[0] == f"{name}.localhost")
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert gaps or name == "robots-delay-day"
        assert min(gaps, default=DELAY_S) > DELAY_S - 0.002, name
    robots = {
        asked.host.split(":")[0].removesuffix(".localhost") for asked in origin.asked if asked.path == "/robots.txt"
    }
    assert robots >= set(FAULTS)


def test_the_bounds_hold(hostile: tuple[Origin, Crawled, float]) -> None:
    """The whole suite of faults takes a bounded time and the spider bounded memory, also where forty hosts flood it at once."""
    _, crawled, took = hostile
    floods = [end for url, end in crawled.outcomes_by_url.items() if url.endswith("/flood")]
    assert floods == ["too_large"] * 40
    assert took < 100
    assert 0 < crawled.peak_kb < 400 * 1024


def test_the_table_of_hosts_is_the_documented_one(hostile: tuple[Origin, Crawled, float]) -> None:
    """docs/faults.md says how the URLs of each misbehaving host ended."""
    origin, crawled, _ = hostile
    rows = [
        f"| {fault.what} | `{end_of(crawled, origin.url('/a', f'{name}.localhost'))}` "
        f"| `{end_of(crawled, origin.url('/b', f'{name}.localhost'))}` |"
        for name, fault in FAULTS.items()
    ]
    head = "| fault | its URL | another of the host |\n|---|---|---|\n"
    documented(DOCS, "hosts", head + "\n".join(rows) + "\n")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("self-signed", "self-signed certificate"),
        ("wrong host", "Hostname mismatch"),
        ("expired", "certificate has expired"),
        ("good", None),
    ],
)
def test_a_certificate_that_does_not_hold_is_an_end(tmp_path: Path, kind: str, reason: str | None) -> None:
    """A certificate of one's own making, of another host, or out of date: TLS failures have their own outcome, are not tried again and never accepted."""
    file = tmp_path / "certificate.pem"
    name = "other.localhost" if kind == "wrong host" else "secure.localhost"
    file.write_bytes(certificate(name, datetime.now(UTC) - timedelta(days=9 if kind == "expired" else 1)))
    trusted = {} if kind == "self-signed" else {"SSL_CERT_FILE": str(file)}
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    with Origin(ssl=context) as origin:
        origin.routes |= {"/a": PAGE, "/b": PAGE}
        url = f"https://secure.localhost:{origin.port}/"
        process = start(
            tmp_path, {"s": {"url": url}}, urls=[["s", url + "a"], ["s", url + "b"]], env={**os.environ, **trusted}
        )
        crawled = finish(process, tmp_path)
        assert bool(origin.asked) == (kind == "good")
    assert set(crawled.outcomes_by_url.values()) == {"page" if kind == "good" else "tls_failed"}
    ends = [e for e in crawled.entries if e["kind"] == "outcome"]
    assert reason is None or all(reason in e["reason"] for e in ends)
    assert not [e for e in ends if "before:" in e["reason"]]


def certificate(name: str, since: datetime) -> bytes:
    """Return a certificate for a host, its own root, good for a week, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + timedelta(days=7))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return plain + made.public_bytes(Encoding.PEM)


def test_a_dead_host_costs_a_bounded_time(tmp_path: Path) -> None:
    """After repeated failures the host's circuit opens, and what is left of it is deferred, not tried one by one."""
    with Origin() as origin:
        origin.routes |= {"/robots.txt": NONE} | {f"/{n}": raw(stay=True) for n in range(40)}
        began = time.monotonic()
        urls = [["s", origin.url(f"/{n}")] for n in range(40)]
        crawled = finish(start(tmp_path, {"s": {"url": origin.url()}}, urls=urls, timeout_s=1, patience_s=4), tmp_path)
        assert time.monotonic() - began < 40
        assert len(origin.asked) <= 8
    ends = Counter(e["outcome"] for e in crawled.entries if e["kind"] == "outcome")
    assert set(ends) == {"timeout", "deferred"}
    assert ends["deferred"] > 30
    crawled.assert_sums()


def test_a_drip_ends_before_its_deadline(tmp_path: Path) -> None:
    """A body that goes on but slower than anybody's line holds its slot for seconds, not for the whole of its time."""
    with Origin() as origin:
        drip = raw(OK + b"Content-Length: 99999\r\n\r\n", *[b"x" * 20] * 900, pause_s=0.1)
        origin.routes |= {"/robots.txt": NONE, "/drip": drip, "/good": PAGE}
        urls = [["s", origin.url("/drip")], ["s", origin.url("/good")]]
        began = time.monotonic()
        preload = "import spiders.wire; spiders.wire.GRACE_S = 1.0"
        crawled = finish(
            start(tmp_path, {"s": {"url": origin.url()}}, urls=urls, timeout_s=40, patience_s=9, preload=preload),
            tmp_path,
        )
        assert time.monotonic() - began < 20
    assert crawled.outcomes == {"/drip": "timeout", "/good": "page"}
    assert "too slow (before: timeout: " in crawled.reasons["/drip"]
