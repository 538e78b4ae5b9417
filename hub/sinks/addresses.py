"""Which addresses a sink may connect to. Pure.

In: an address, and the networks that the configuration allows. Out: why not, in words; "" when it may be.
Private, loopback and link-local addresses, and with them the metadata services of clouds, need to be named.
"""

import ipaddress
from collections.abc import Sequence
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Public by number, yet of the inside: Azure's metadata service.
_INSIDE: Final = frozenset({ipaddress.ip_address("168.63.129.16")})
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


def refusal(address: Address, allowed: Sequence[Network]) -> str:
    """Why this address is not to be connected to; "" when it may be."""
    real = _meant(address)
    if any(real in network or address in network for network in allowed):
        return ""
    if real.is_global and not real.is_multicast and real not in _INSIDE:
        return ""
    return f"{address} is no public address: name its network in allow_networks"


def _meant(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that stands for it."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
