"""Addresses that a crawl must not reach, decided on the address that is connected to and never on the name.

A name can resolve to anything, and to something else a moment later; so the check stands at the socket.
"""

import errno
import socket
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network

# Networks that lead to IPv4 addresses in disguise: judged by the address inside (RFC 6052, 3056, 4380).
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
# Not in the registry of `ipaddress` as unreachable, and no place where news is: multicast, AS112, benchmarks' ORCHID.
_MORE_REFUSED = (IPv4Network("192.88.99.0/24"), IPv6Network("2001::/23"), IPv6Network("fec0::/10"))


class RefusedAddressError(OSError):
    """Raised in place of a connection to an address that is neither public nor allowed by the site's own file."""

    #: Stands in each message: aiohttp hands on the text of the errors of several addresses, not their types.
    PHRASE = "is not allowed by the site's [network] allow"


def refuse_address(address: str, allow: Sequence[str] = ()) -> str | None:
    """Say why a connection to an IP address is refused, None if it may be made.

    `allow` holds the networks (CIDR) that a site's own file opens. Everything that is not globally reachable unicast
    (IANA special-purpose registries, RFC 6890) is refused besides: private, loopback, link-local, multicast, …, also
    where it is wrapped in an IPv6 address. Text that is no address is refused.
    """
    try:
        given = ip_address(address.partition("%")[0])
    except ValueError:
        return f"{address[:80]!r} is no IP address"
    real = _unwrap(given)
    if any(real in network for network in _networks(tuple(allow)) if network.version == real.version):
        return None
    kind = _kind(real)
    return f"{address} is {kind} and {RefusedAddressError.PHRASE}" if kind else None


def is_loopback_host(host: str) -> bool:
    """Whether a host name means this machine whatever the resolver says (RFC 6761 6.3), or is a loopback address."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return _unwrap(ip_address(name.strip("[]"))).is_loopback
    except ValueError:
        return False


def guarded_socket(allow: Sequence[str], address_info: tuple[Any, ...]) -> socket.socket:
    """Make the socket for an address that `getaddrinfo` gave, or raise RefusedAddressError."""
    family, kind, protocol, _, address = address_info
    refusal = refuse_address(str(address[0]), allow)
    if refusal:
        raise RefusedAddressError(errno.EACCES, refusal)  # aiohttp tells no more of it than errno's text
    return socket.socket(family=family, type=kind, proto=protocol)


def _unwrap(address: _Address) -> _Address:
    """Return the IPv4 address that an IPv6 address leads to, else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address.sixtofour:
        return address.sixtofour
    if any(address in network for network in _NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if int(address) >> 32 == 0 and int(address) > 1:  # ::a.b.c.d, deprecated (RFC 4291 2.5.5.1)
        return IPv4Address(int(address))
    return address


def _kind(address: _Address) -> str | None:
    for kind, matches in (
        ("unspecified", address.is_unspecified),
        ("a loopback address", address.is_loopback),
        ("a link-local address", address.is_link_local),
        ("a multicast address", address.is_multicast),
        ("a private address", address.is_private),
        ("reserved", address.is_reserved or not address.is_global),
        ("special", any(address in network for network in _MORE_REFUSED if network.version == address.version)),
    ):
        if matches:
            return kind
    return None


@lru_cache(maxsize=1024)
def _networks(allow: tuple[str, ...]) -> tuple[_Network, ...]:
    return tuple(ip_network(network) for network in allow)
