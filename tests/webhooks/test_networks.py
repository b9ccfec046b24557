"""Which addresses webhooks may reach."""

import ipaddress
import random

import pytest
from django.test import override_settings

from webhooks import networks

PUBLIC = ["1.1.1.1", "93.184.215.14", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
NOT_PUBLIC = [
    *("0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254"),
    *("172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1"),
    *("198.51.100.7", "203.0.113.7", "224.0.0.1", "240.0.0.1", "255.255.255.255", "168.63.129.16"),
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::"),
    *("3fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%lo", "fec0::1", "ff02::1"),
]


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_reached_only_with_tls(text):
    assert networks.may_reach(networks.read(text), encrypted=True)
    assert not networks.may_reach(networks.read(text), encrypted=False)


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_other_addresses_are_not_reached(text):
    assert not networks.may_reach(networks.read(text), encrypted=True)


def test_what_python_calls_private_is_never_public():
    draw = random.Random(1)
    for _ in range(20_000):
        address = draw.choice(
            [ipaddress.IPv4Address(draw.getrandbits(32)), ipaddress.IPv6Address(draw.getrandbits(128))]
        )
        if not address.is_global:
            assert not networks.is_public(address), address


@pytest.mark.long
@override_settings(WEBHOOK_PRIVATE_NETWORKS=["10.20.0.0/16", "fd12:3456::/32"])
def test_the_operator_allows_networks():
    for text in ("10.20.255.1", "::ffff:10.20.0.1", "fd12:3456::9"):
        assert networks.may_reach(networks.read(text), encrypted=False)
    for text in ("10.21.0.1", "127.0.0.1", "fd12:3457::9"):
        assert not networks.may_reach(networks.read(text), encrypted=True)
