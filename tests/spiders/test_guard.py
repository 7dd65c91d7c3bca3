"""Addresses: only public ones are reached, whatever their spelling, unless a site's own file opens a network."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction.urls import BadUrlError, canonicalize, host
from spiders.guard import RefusedAddressError, guarded_socket, is_loopback_host, refuse_address

REFUSED = [
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1"),
    *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "192.88.99.1"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1", "100::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::"),
    *("2001::1", "fd00:ec2::254", "not an address", ""),
]
PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "2a00:1450:4001::200e", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", REFUSED)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    """The reason names the address."""
    reason = refuse_address(address)
    assert reason is not None
    assert address in reason


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_reached(address: str) -> None:
    """News is on public addresses."""
    assert refuse_address(address) is None


@pytest.mark.parametrize("url", ["http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/"])
def test_other_spellings_of_an_address_are_the_address(url: str) -> None:
    """Decimal, hexadecimal, octal and short forms are canonical before they are judged."""
    try:
        assert refuse_address(host(canonicalize(url)))
    except BadUrlError:
        return


def test_a_site_opens_only_the_networks_that_it_names() -> None:
    """`[network] allow` is per network, and holds for an address in disguise too."""
    assert refuse_address("127.0.0.5", ["127.0.0.0/8"]) is None
    assert refuse_address("::ffff:127.0.0.5", ["127.0.0.0/8"]) is None
    assert refuse_address("10.0.0.1", ["127.0.0.0/8"])
    assert refuse_address("::1", ["127.0.0.0/8"])


def test_no_socket_is_made_for_a_refused_address() -> None:
    """The check stands where the connection is made, after the name was resolved."""
    info = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))
    with pytest.raises(RefusedAddressError, match="loopback"):
        guarded_socket((), info)
    guarded_socket(("127.0.0.0/8",), info).close()


@given(
    st.ip_addresses(network="127.0.0.0/8") | st.ip_addresses(network="10.0.0.0/8") | st.ip_addresses(network="fc00::/7")
)
def test_no_private_address_passes(address: object) -> None:
    """Any address of a private network is refused."""
    assert refuse_address(str(address))


def test_names_that_mean_this_machine() -> None:
    """RFC 6761: localhost and all below it."""
    assert all(map(is_loopback_host, ["localhost", "a.localhost", "A.LocalHost.", "127.0.0.1", "[::1]", "::1"]))
    assert not any(map(is_loopback_host, ["localhost.example.org", "example.org", "128.0.0.1", "notlocalhost"]))
