"""Which addresses webhooks may reach: every public one, and the networks that the operator allowed.

The lists are IANA's registries of special-purpose addresses. They are written here, because what Python's `ipaddress`
calls global differs between its versions, and includes multicast.
"""

from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NOT_PUBLIC = [
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # the metadata service of Azure, at a public address
        # Within 2000::/3: protocols of the IETF with Teredo, documentation, 6to4, documentation
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
]
_PUBLIC_V6 = IPv6Network("2000::/3")
#: An address in here stands for the IPv4 address in its last 32 bits.
_NAT64 = IPv6Network("64:ff9b::/96")


def read(text: str) -> Address:
    """Return the address that a socket would connect to. Raise ValueError for other text.

    IPv6 addresses that only carry an IPv4 address become that one. The name of an interface (`%eth0`) is left out.
    """
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_public(address: Address) -> bool:
    """Return whether the address belongs to the public internet."""
    if isinstance(address, IPv6Address) and address not in _PUBLIC_V6:
        return False
    return not any(address in network for network in _NOT_PUBLIC)


def is_listed(address: Address) -> bool:
    """Return whether the operator allowed the address by `WEBHOOK_PRIVATE_NETWORKS`."""
    return any(address in network for network in _listed(tuple(settings.WEBHOOK_PRIVATE_NETWORKS)))


def may_reach(address: Address, *, encrypted: bool) -> bool:
    """Return whether a webhook may be sent to the address. Without TLS, only the operator's networks are reached."""
    return is_listed(address) or (encrypted and is_public(address))


@cache
def _listed(texts: tuple[str, ...]) -> list[Network]:
    return [ip_network(text) for text in texts]
