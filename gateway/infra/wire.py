"""Outbound HTTP that cannot be turned inwards: resolve once, vet every address, dial that one."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final
from urllib.parse import SplitResult, urlsplit

import httpx

from gateway.domain.errors import DeclinedError, InDoubtError
from gateway.ports.wire import Reply

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

reply_body_bytes_max: Final = 1_048_576  # A bank's answer is a few kilobytes.
# Where an IPv6 network hides an IPv4 address: the network, and how far right the address stands.
_EMBEDS_IPV4: Final = (
    (IPv6Network("64:ff9b::/96"), 0),  # NAT64
    (IPv6Network("2002::/16"), 80),  # 6to4
    (IPv6Network("::ffff:0:0/96"), 0),  # IPv4-mapped
)
# All that is given out to the public; what has another meaning lies outside, local NAT64, old
# site-local and IPv4-compatible addresses among it.
_GIVEN_OUT: Final = IPv6Network("2000::/3")
_SPECIAL: Final = (
    IPv6Network("2001::/23"),  # Protocols of their own; Teredo hides its client's address.
    IPv6Network("3fff::/20"),  # Documentation, newer than Python's own list.
    IPv4Network("192.0.0.0/24"),  # Protocols of their own.
    IPv4Network("192.88.99.0/24"),  # 6to4 relays: whoever is nearest takes it.
)


def is_public(address: Address) -> bool:
    """Tell whether an address is on the public Internet, also inside its IPv6 disguises."""
    if isinstance(address, IPv6Address):
        for network, shift in _EMBEDS_IPV4:
            if address in network:
                return is_public(IPv4Address(int(address) >> shift & 0xFFFFFFFF))
        if address not in _GIVEN_OUT:
            return False
    if any(address in network for network in _SPECIAL):
        return False
    return address.is_global and not address.is_multicast


@dataclass(frozen=True, slots=True)
class GuardedWire:
    """The one way out. ``origins`` are configured providers; ``allowed`` are extra networks."""

    origins: frozenset[str] = frozenset()
    allowed: Sequence[Network] = field(default=())

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout_s: float = 15.0,
    ) -> Reply:
        """Send one request to a vetted address; redirects are never followed."""
        parts, name, port = _target(url)
        address = await self._vetted(f"{parts.scheme}://{name}:{port}", name, port)
        host = f"[{address}]" if isinstance(address, IPv6Address) else str(address)
        target = parts._replace(netloc=f"{host}:{port}").geturl()
        sent = {"host": parts.netloc, **(headers or {})}
        try:
            async with (
                asyncio.timeout(timeout_s),
                httpx.AsyncClient(
                    follow_redirects=False, trust_env=False, timeout=timeout_s, verify=_trust()
                ) as client,
            ):
                try:
                    request = client.build_request(
                        method, target, headers=sent, content=body,
                        extensions={"sni_hostname": name},
                    )  # fmt: skip
                except (ValueError, httpx.InvalidURL):
                    raise DeclinedError("The address or a header cannot be written.") from None
                answer = await client.send(request, stream=True)
                return await _read(answer)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise DeclinedError(
                "The other side could not be reached.", is_unreachable=True
            ) from None
        except (httpx.HTTPError, TimeoutError):
            raise InDoubtError("The other side did not answer in time.") from None

    async def _vetted(self, origin: str, host: str, port: int) -> Address:
        """Resolve once; every address must be allowed, and the first is dialled."""
        loop = asyncio.get_running_loop()
        try:
            rows = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):  # A part of the name may be too long to be asked for.
            raise DeclinedError("The address has no such host.", is_unreachable=True) from None
        addresses = [ipaddress.ip_address(str(row[4][0]).partition("%")[0]) for row in rows]
        if origin not in self.origins:
            for address in addresses:
                if not (is_public(address) or any(address in net for net in self.allowed)):
                    raise DeclinedError("The address is not on the public Internet.")
        return addresses[0]


def _target(url: str) -> tuple[SplitResult, str, int]:
    """Take an address apart. Raises DeclinedError when it is not a plain one."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise DeclinedError("The address cannot be read.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise DeclinedError("The address is not a plain http or https address.")
    return parts, parts.hostname, port


@cache
def _trust() -> ssl.SSLContext:
    """Read the certificate authorities once: it takes longer (26 ms) than most requests."""
    return httpx.create_ssl_context(trust_env=False)


async def _read(answer: httpx.Response) -> Reply:
    body = bytearray()
    try:
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > reply_body_bytes_max:
                raise InDoubtError("The answer is longer than any answer should be.")
    finally:
        await answer.aclose()
    return Reply(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, bytes(body))
