"""How a message reaches the tax authority: one way, one file; each only translates."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from gateway.ports.wire import Wire
from receipts.channels import folder, https, viettel, vnpt
from receipts.channels.parcel import Channel

# Kind -> how it is made of its values, and which values it needs.
KINDS: Final[Mapping[str, tuple[Callable[[Mapping[str, str], Wire], Channel], tuple[str, ...]]]] = (
    MappingProxyType(
        {
            "folder": (folder.channel, ("path",)),
            "https": (https.channel, ("url", "secret")),
            "vnpt": (vnpt.channel, ("url", "user", "secret")),
            "viettel": (viettel.channel, ("url", "user", "secret")),
        }
    )
)
