"""What payOS's side writes and signs, apart from what it does; our adapter shares none of it."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from starlette.responses import JSONResponse, Response

from adapters.simulator.orders import PayOrder
from adapters.simulator.post import Request

SAMPLE: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "orderCode": 123, "amount": 3000, "description": "VQRIO123", "accountNumber": "12345678",
        "reference": "TF230204212323", "transactionDateTime": "2023-02-04 18:25:00",
        "currency": "VND", "paymentLinkId": "124c33293c43417ab7879e14c8d9eb18", "code": "00",
        "desc": "Thành công", "counterAccountBankId": "", "counterAccountBankName": "",
        "counterAccountName": "", "counterAccountNumber": "", "virtualAccountName": "",
        "virtualAccountNumber": "",
    }
)  # fmt: skip


def settings(origin: str, secret: Callable[[str], str]) -> dict[str, str]:
    """Give our settings for a channel on the simulated bank's account."""
    return {
        "PAYOS_CLIENT_ID": "thuphi-mo-phong", "PAYOS_API_KEY": secret("PAYOS_API_KEY"),
        "PAYOS_CHECKSUM_KEY": secret("PAYOS_CHECKSUM_KEY"), "PAYOS_BASE_URL": f"{origin}/payos",
        "PAYOS_ACCOUNT": "0123456789",
    }  # fmt: skip


def signed(key: str, data: Mapping[str, Any]) -> str:
    """Sign as payOS does; written apart from our adapter on purpose."""
    parts = []
    for name in sorted(data):
        value = data[name]
        if isinstance(value, list):
            sorted_items = [{k: item[k] for k in sorted(item)} for item in value]
            value = json.dumps(sorted_items, separators=(",", ":"), ensure_ascii=False)
        parts.append(f"{name}={'' if value is None else value}")
    return hmac.digest(key.encode(), "&".join(parts).encode(), hashlib.sha256).hex()


def code_of(order: PayOrder) -> str:
    """Give what payOS writes before an order's text, to know it again."""
    return f"CS{int(order.reference):07d}"


def link_of(order: PayOrder) -> str:
    """Give payOS's own name of an order; it stands in the page's address."""
    return hashlib.sha256(f"payos|{order.reference}".encode()).hexdigest()[:32]


def no(code: str, why: str, status: int = 200) -> Response:
    """Refuse, with payOS's own code."""
    return JSONResponse({"code": code, "desc": why, "data": None, "signature": None}, status)


@dataclass(frozen=True, slots=True)
class Sender:
    """A notice: the same bytes at every try."""

    url: str
    body: bytes = field(repr=False)

    def __call__(self, _now: datetime) -> Request:
        """Make the request."""
        return Request("POST", self.url, {"content-type": "application/json"}, self.body)


def understood(status: int, _body: bytes) -> bool:
    """Take any 2xx for thanks."""
    return 200 <= status < 300  # noqa: PLR2004 - HTTP's own word for success.
