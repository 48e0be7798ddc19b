"""A webhook's address can never be turned inwards (SCENARIOS, measured traps)."""

import ipaddress

import pytest

from gateway.domain.errors import DeclinedError
from gateway.infra.wire import GuardedWire, is_public


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.1", "224.0.0.1", "::1",
        "fe80::1", "fc00::1", "64:ff9b::7f00:1", "2002:7f00:1::", "::ffff:10.0.0.1",
        "::127.0.0.1", "2001:0:1::1", "100.64.0.1", "fec0::1", "::ffff:0:7f00:1",
        "64:ff9b:1:7f00:0:100:808:808", "192.88.99.1", "3fff::1", "5f00::1", "::8.8.8.8",
        "2001:db8::1", "100::1", "198.18.0.1", "240.0.0.1", "2002:c058:6301::1",
    ],
)  # fmt: skip
def test_special_addresses_are_not_public_in_any_disguise(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "2001:200::1", "2002:808:808::1"]
)
def test_public_addresses_are(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://2130706433/",
        "file:///etc/passwd", "http://user@8.8.8.8/", "http:///x",
        "http://8.8.8.8:99999/", "http://[bad", "http://8.8.8.8:port/", "not an address",
        f"http://{'a' * 70}.example.vn/", "http://a..b/", "http://\ud800/",
    ],
)  # fmt: skip
async def test_an_address_inside_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(DeclinedError):
        await GuardedWire().send("POST", url)
