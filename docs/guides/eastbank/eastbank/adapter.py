"""East Bank: an invented bank that must be called before the citizen is sent away.

Checkout  POST /orders, answers with a link. Repeating it with the same key is safe.
Notice    JSON body, HMAC-SHA256 of the body in ``X-Sign``; answer 204, retried for a day.
Ask       GET /orders/{id}, answered in the words of a notice.
Refund    POST /refunds with a key of its own, asked about by GET /refunds/{id}.
Answers   carry ``X-Sign`` as notices do.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, TypeGuard

from gateway.domain.errors import DeclinedError, ForgedError, InDoubtError
from gateway.ports.plugin import AdapterSpec
from gateway.ports.provider import (
    Ack,
    Can,
    Checkout,
    Notice,
    Order,
    Outcome,
    RawNotice,
    RefundOrder,
    RefundRule,
    RefundSaid,
    RefundVerdict,
    Verdict,
)
from gateway.ports.wire import Wire

message_bytes_max: Final = 65_536  # A genuine message is under 1 KB; longer is an attack.
second_min: Final = 1_577_836_800  # 2020: nothing was paid through us before.
second_max: Final = 4_102_444_800  # 2100.
amount_dong_max: Final = 500_000_000
# A word that East Bank may add one day is pending: it is asked about, and never taken for money.
VERDICTS: Final = MappingProxyType(
    {
        "SUCCESS": Verdict.CAPTURED,
        "PROCESSING": Verdict.PENDING,
        "DECLINED": Verdict.DECLINED,
        "CANCELLED": Verdict.CANCELLED,
        "EXPIRED": Verdict.EXPIRED,
    }
)
REFUNDS: Final = MappingProxyType({"DONE": RefundVerdict.DONE, "REFUSED": RefundVerdict.REFUSED})


@dataclass(frozen=True, slots=True)
class EastBank:
    """East Bank's order API, version 2."""

    wire: Wire = field(repr=False)
    shop: str
    key: str = field(repr=False)
    base_url: str
    account: str = "default"
    name: str = "eastbank"

    @property
    def can(self) -> Can:
        """Declare what East Bank can do."""
        return Can(
            title_vi="Ngân hàng Đông",
            title_en="East Bank",
            amount_max=amount_dong_max,
            inquires=True,
            refund=RefundRule(amount_max=amount_dong_max),
            notice_names=("eastbank",),
        )

    async def checkout(self, order: Order) -> Checkout:
        """Open the order there; the same order gives the same link."""
        if not 1 <= order.amount <= amount_dong_max:
            raise DeclinedError(f"East Bank takes 1 to {amount_dong_max} đồng.")
        asked = {
            "id": order.reference, "vnd": order.amount, "text": order.text,
            "back": order.return_url, "tell": order.notice_url,
            "until": int(order.expires_at.timestamp()),
        }  # fmt: skip
        said = await self._call("POST", "/orders", order.reference, asked)
        if said.get("refused"):
            raise DeclinedError("East Bank refused the order.")
        link = said.get("link")
        if not isinstance(link, str) or not re.fullmatch(r"https?://[!-~]+", link):
            raise InDoubtError("East Bank did not say where to pay.")
        return Checkout(redirect_url=link)

    def read(self, raw: RawNotice) -> Notice:
        """Verify, then parse."""
        if raw.method != "POST":
            raise ForgedError("East Bank sends a POST.")
        return self._notice(self._verified(raw.headers, raw.body))

    def acknowledge(self, outcome: Outcome) -> Ack:
        """Answer 204; anything else is tried again for a day."""
        return Ack({Outcome.FORGED: 401, Outcome.FAILED: 500}.get(outcome, 204), b"")

    async def ask(self, order: Order, at: datetime) -> Notice:
        """Ask; an order that East Bank never heard of can come until it expires."""
        said = await self._asked(f"/orders/{order.reference}", order.reference)
        if said.get("status") == "UNKNOWN":
            verdict = Verdict.EXPIRED if at >= order.expires_at else Verdict.PENDING
            return Notice(verdict, "", 0, order_reference=order.reference)
        try:
            return self._notice(said)
        except ForgedError as error:
            raise InDoubtError("East Bank's answer cannot be believed.") from error

    async def refund(self, order: RefundOrder) -> RefundSaid:
        """Give money back, once for each reference."""
        if not 1 <= order.amount <= min(order.captured, amount_dong_max):
            raise DeclinedError("East Bank gives back at most what it took.")
        asked = {"id": order.reference, "txn": order.txn_id, "vnd": order.amount}
        return self._refunded(await self._call("POST", "/refunds", order.reference, asked), order)

    async def ask_refund(self, order: RefundOrder, at: datetime) -> RefundSaid:  # noqa: ARG002 - East Bank forgets nothing.
        """Ask what became of a refund."""
        return self._refunded(
            await self._asked(f"/refunds/{order.reference}", order.reference), order
        )

    def _refunded(self, said: Mapping[str, Any], order: RefundOrder) -> RefundSaid:
        verdict = REFUNDS.get(str(said.get("status")), RefundVerdict.PENDING)
        return RefundSaid(verdict, order.reference, str(said.get("txn") or ""))

    def _notice(self, said: Mapping[str, Any]) -> Notice:
        name, txn, amount, at = (said.get(k) for k in ("id", "txn", "vnd", "at"))
        if not (isinstance(name, str) and isinstance(txn, str) and type(amount) is int):
            raise ForgedError("The notice names no order, number or amount.")
        verdict = VERDICTS.get(str(said.get("status")), Verdict.PENDING)
        if verdict is Verdict.CAPTURED and not txn:
            verdict = Verdict.PENDING  # Money without a number cannot be told from its repeat.
        return Notice(
            verdict,
            txn,
            amount,
            order_reference=name,
            paid_at=datetime.fromtimestamp(at, UTC) if _is_instant(at) else None,
            merchant=self.shop,
            code=str(said.get("status")),
        )

    async def _asked(self, path: str, reference: str) -> dict[str, Any]:
        try:
            return await self._call("GET", path, reference)
        except DeclinedError as error:  # It did not arrive, so nothing was learned.
            raise InDoubtError("East Bank could not be reached.") from error

    async def _call(
        self, method: str, path: str, reference: str, asked: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        """Call, and believe only a signed answer about this very order or refund."""
        body = json.dumps({"shop": self.shop, **asked}).encode() if asked else b""
        headers = {
            "content-type": "application/json",
            "idempotency-key": reference,
            "x-sign": self._sign(body or path.encode()),
        }
        reply = await self.wire.send(method, f"{self.base_url}{path}", headers=headers, body=body)
        if reply.status >= 500:  # noqa: PLR2004 - HTTP's own word.
            raise InDoubtError("East Bank failed, perhaps after it obeyed.")
        try:
            said = self._verified(reply.headers, reply.body)
        except ForgedError as error:
            raise InDoubtError("East Bank's answer cannot be believed.") from error
        if said.get("id") != reference:
            raise InDoubtError("East Bank answered about something else.")
        return said

    def _verified(self, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """Verify in constant time, then read strictly. Raises ForgedError."""
        given = headers.get("x-sign", "").encode(errors="replace")
        if len(body) > message_bytes_max or not hmac.compare_digest(
            given, self._sign(body).encode()
        ):
            raise ForgedError("The signature does not hold.")
        try:
            said = json.loads(body.decode(), object_pairs_hook=_once)
        except (ValueError, RecursionError) as error:
            raise ForgedError("The message cannot be read.") from error
        if not isinstance(said, dict) or said.get("shop") != self.shop:
            raise ForgedError("The message is for another shop.")
        return said

    def _sign(self, body: bytes) -> str:
        return hmac.new(self.key.encode(), body, hashlib.sha256).hexdigest()


def _is_instant(at: object) -> TypeGuard[int]:
    """Tell whether seconds are a time of ours; a bad one is no reason to lose the money."""
    return type(at) is int and second_min <= at <= second_max


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object in which a name stands twice: two readers would differ."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("A name stands twice.")
    return made


def _build(values: Mapping[str, str], wire: Wire, account: str) -> EastBank:
    """Check the settings: one sentence that names the setting, and never a secret's value."""
    key, url = values["EASTBANK_KEY"], values["EASTBANK_BASE_URL"].rstrip("/")
    if len(key) < 16:  # noqa: PLR2004 - East Bank's own rule.
        raise ValueError("THUPHI_EASTBANK_KEY must be at least 16 characters.")
    if not re.fullmatch(r"https?://[^/?#@\s]+[^?#\s]*", url):
        raise ValueError("THUPHI_EASTBANK_BASE_URL must be an http or https address.")
    return EastBank(wire, values["EASTBANK_SHOP"], key, url, account)


EASTBANK: Final = AdapterSpec(
    name="eastbank",
    fields=("EASTBANK_SHOP", "EASTBANK_KEY", "EASTBANK_BASE_URL"),
    secret_fields=("EASTBANK_KEY",),
    build=_build,
    suite="eastbank.vectors:EastBankConformance",
)
