"""ZaloPay v2: the ZaloPay wallet, ATM and foreign cards on ZaloPay's own page.

Checkout  POST create answers with order_url; app_trans_id is the key and begins with Hanoi's day.
          A repeat is -68: the order is there, and asking tells how it stands.
Notice    POST {data, mac, type}: HMAC-SHA256 by key2 over the string ``data`` as it came. Sent only
          when money was taken; answer return_code 1, else it comes again, at most three times.
Ask       POST query. Answers are signed by nobody and repeat no id; TLS says who speaks.
Refund    POST refund is only an order; query_refund has the last word.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from adapters import json_call, settings_rules, signing, strict_json
from gateway.domain.calendar import HANOI
from gateway.domain.errors import DeclinedError, ForgedError, InDoubtError
from gateway.domain.money import amount_dong_max
from gateway.ports.plugin import AdapterSpec
from gateway.ports.provider import (
    Ack,
    Can,
    Checkout,
    Method,
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

notice_body_bytes_max: Final = 65_536  # A genuine notice is under 4 KB; longer is an attack.
expiry_s_min: Final = 300  # What expire_duration_seconds may be.
expiry_s_max: Final = 2_592_000
# Before that, a refund that ZaloPay cannot find may still be on its way to it.
refund_settles: Final = timedelta(minutes=15)
APP_USER: Final = "citizen"  # ZaloPay wants a name of ours for the payer; we tell it nobody's.
METHODS: Final = (
    Method("zalopayapp", "Ví ZaloPay", "ZaloPay wallet"),
    Method("ATM", "Thẻ ATM qua ZaloPay", "ATM card by ZaloPay"),
    Method("CC", "Thẻ quốc tế qua ZaloPay", "Card by ZaloPay"),
)
_NAME: Final = re.compile(r"[0-9]{6}_[!-~]{1,33}")
_NUMBER: Final = re.compile(r"[0-9]{1,20}")
_DONE: Final = 1
_FAILED: Final = 2
_PROCESSING: Final = 3
# Our own request was wrong (-401 format, -402 app or MAC) or came too fast (-429): of the order
# it says nothing. -500 and -999 are ZaloPay's own failures.
_NOT_TAKEN: Final = frozenset({-401, -402, -429})
_UNSURE: Final = _NOT_TAKEN | {-500, -999}
_ENDINGS: Final = MappingProxyType({-54: Verdict.EXPIRED, -329: Verdict.CANCELLED})
# 1 is documented thanks; -1 and 0 those of the official sample; 2 is of public clients [L].
_ACKS: Final = MappingProxyType(
    dict.fromkeys(Outcome, (1, "success"))
    | {
        Outcome.REPEATED: (2, "success"),
        Outcome.FORGED: (-1, "mac not equal"),
        Outcome.FAILED: (0, "try again"),
    }
)


@dataclass(frozen=True, slots=True)
class Zalopay:
    """One application at ZaloPay: key1 signs what we send, key2 what comes."""

    wire: Wire = field(repr=False)
    app_id: int
    key1: str = field(repr=False)
    key2: str = field(repr=False)
    base_url: str
    account: str = "default"
    name: str = "zalopay"

    @property
    def can(self) -> Can:
        """Declare what ZaloPay can do; it publishes no limits of its own."""
        return Can(
            title_vi="ZaloPay (ví, thẻ ATM, thẻ quốc tế)",
            title_en="ZaloPay (wallet, ATM card, foreign card)",
            amount_max=amount_dong_max,
            methods=METHODS,
            expiry_s_max=expiry_s_max,
            inquires=True,
            refund=RefundRule(amount_max=amount_dong_max),
            notice_names=("zalopay",),
        )

    async def checkout(self, order: Order) -> Checkout:
        """Open the order at ZaloPay; the same order is opened with the same bytes."""
        if not 1 <= order.amount <= amount_dong_max:
            raise DeclinedError(f"We send ZaloPay 1 to {amount_dong_max} đồng.")
        asked = self._order_fields(order)
        said = await self._post("create", {**asked, "mac": sign_order(self.key1, asked)})
        code, sub = _number(said, "return_code"), _sub(said)
        url = strict_json.address_of(said.get("order_url"))
        if code == _FAILED and sub in _NOT_TAKEN:
            raise DeclinedError(f"ZaloPay refused the order (its code {sub}).")
        if code != _DONE or not url:
            raise InDoubtError("ZaloPay did not say where to pay, and may know the order.")
        return Checkout(redirect_url=url)

    def _order_fields(self, order: Order) -> dict[str, object]:
        # The name ``redirecturl`` is that of public clients [L].
        embedded = {"redirecturl": order.return_url}
        if order.method == "ATM":
            embedded["bankgroup"] = "ATM"
        seconds = int((order.expires_at - order.created_at).total_seconds())
        return {
            "app_id": self.app_id,
            "app_user": APP_USER,
            "app_trans_id": _dated(order.created_at, order.reference),
            "app_time": _milliseconds(order.created_at),
            "amount": order.amount,
            "item": "[]",
            "embed_data": json.dumps(embedded, separators=(",", ":")),
            "description": order.text,
            "bank_code": order.method if order.method in {"zalopayapp", "CC"} else "",
            "callback_url": order.notice_url,
            "expire_duration_seconds": min(max(seconds, expiry_s_min), expiry_s_max),
        }

    def read(self, raw: RawNotice) -> Notice:
        """Verify the string ``data`` as it came, then parse it."""
        if raw.method != "POST" or len(raw.body) > notice_body_bytes_max:
            raise ForgedError("ZaloPay sends a POST, and a short one.")
        try:
            outer = strict_json.read_object(raw.body)
            data, mac = outer.get("data"), outer.get("mac")
            if not isinstance(data, str) or not isinstance(mac, str):
                raise ForgedError("The notice has no data or no mac.")
            signing.require(mac, signing.hmac_sha256(self.key2, data.encode()))
            # The type is not signed: only that of an order is one that we asked for.
            if _number(outer, "type") != 1:
                raise ForgedError("The notice is not about an order.")
            return self._notice(strict_json.read_object(data.encode()))
        except ValueError as error:
            raise ForgedError("The notice cannot be read.") from error

    def _notice(self, said: Mapping[str, Any]) -> Notice:
        if _number(said, "app_id") != self.app_id:
            raise ForgedError("The notice is for another application.")
        name, number = str(said.get("app_trans_id")), _number(said, "zp_trans_id")
        amount = _number(said, "amount")
        if not _NAME.fullmatch(name) or number < 1 or amount < 1:
            raise ForgedError("The notice has no readable order, number or amount.")
        return Notice(
            Verdict.CAPTURED,
            str(number),
            amount,
            order_reference=name.partition("_")[2],
            paid_at=strict_json.instant_of(str(_number(said, "server_time"))),
            merchant=str(self.app_id),
            code="1",
        )

    def acknowledge(self, outcome: Outcome) -> Ack:
        """Answer with a return_code; what is written down is thanked for, whatever it was."""
        code, message = _ACKS[outcome]
        return Ack(200, json.dumps({"return_code": code, "return_message": message}).encode())

    async def ask(self, order: Order, at: datetime) -> Notice:  # noqa: ARG002 - ZaloPay knows when an order ends.
        """Ask by query; a failure of the question itself says nothing of the order."""
        name = _dated(order.created_at, order.reference)
        mac = self._mac((str(self.app_id), name, self.key1))
        said = await self._question(
            "query", {"app_id": self.app_id, "app_trans_id": name, "mac": mac}
        )
        code, sub = _number(said, "return_code"), _sub(said)
        words = f"{code}/{sub}"
        if code == _PROCESSING or said.get("is_processing") is True:
            return Notice(Verdict.PENDING, "", 0, order_reference=order.reference, code=words)
        if code == _FAILED and sub not in _UNSURE:
            verdict = _ENDINGS.get(sub, Verdict.DECLINED)
            return Notice(verdict, "", 0, order_reference=order.reference, code=words)
        number, amount = _number(said, "zp_trans_id"), _number(said, "amount")
        if code != _DONE or number < 1 or amount < 1:
            raise InDoubtError(f"ZaloPay could not say what became of the order ({words}).")
        return Notice(
            Verdict.CAPTURED, str(number), amount, order_reference=order.reference,
            merchant=str(self.app_id), code=words,
        )  # fmt: skip

    async def refund(self, order: RefundOrder) -> RefundSaid:
        """Order money back; its id is the key, so a repeat is the same refund."""
        if not 1 <= order.amount <= order.captured or order.amount > amount_dong_max:
            raise DeclinedError("ZaloPay gives back at most what it took.")
        if not _NUMBER.fullmatch(order.txn_id):
            raise DeclinedError("ZaloPay does not know this transaction.")
        stamp = str(_milliseconds(order.asked_at))
        parts = (str(self.app_id), order.txn_id, str(order.amount), order.text, stamp)
        said = await self._post(
            "refund",
            {
                "app_id": self.app_id,
                "m_refund_id": self._refund_id(order),
                "zp_trans_id": order.txn_id,
                "amount": order.amount,
                "timestamp": int(stamp),
                "description": order.text,
                "mac": self._mac(parts),
            },
        )
        sub = _sub(said)
        if _number(said, "return_code") == _FAILED and sub in {-401, -402}:
            return RefundSaid(RefundVerdict.REFUSED, order.reference, code=f"2/{sub}")
        # A repeat may be answered as a failure too, so query_refund has the last word.
        return self._refunded(said, order, RefundVerdict.PENDING)

    async def ask_refund(self, order: RefundOrder, at: datetime) -> RefundSaid:
        """Ask by query_refund; one that never came and one that failed look alike there."""
        name, stamp = self._refund_id(order), str(_milliseconds(at))
        said = await self._question(
            "query_refund",
            {"app_id": self.app_id, "m_refund_id": name, "timestamp": int(stamp),
             "mac": self._mac((str(self.app_id), name, stamp))},
        )  # fmt: skip
        is_old = at - order.asked_at >= refund_settles
        failed = RefundVerdict.REFUSED if is_old else RefundVerdict.PENDING
        return self._refunded(said, order, failed)

    def _refunded(
        self, said: Mapping[str, Any], order: RefundOrder, failed: RefundVerdict
    ) -> RefundSaid:
        code, sub = _number(said, "return_code"), _sub(said)
        if code not in {_DONE, _FAILED, _PROCESSING} or (code == _FAILED and sub in _UNSURE):
            raise InDoubtError(f"ZaloPay could not say what became of the refund ({code}/{sub}).")
        verdict = {_DONE: RefundVerdict.DONE, _FAILED: failed}.get(code, RefundVerdict.PENDING)
        number = max(_number(said, "refund_id"), 0)
        txn_id = str(number or self._refund_id(order)) if verdict is RefundVerdict.DONE else ""
        return RefundSaid(verdict, order.reference, txn_id, f"{code}/{sub}")

    def _refund_id(self, order: RefundOrder) -> str:
        return _dated(order.asked_at, f"{self.app_id}_{order.reference}")

    async def _question(self, path: str, asked: Mapping[str, object]) -> dict[str, Any]:
        try:
            return await self._post(path, asked)
        except DeclinedError as error:  # It did not arrive, so nothing was learned.
            raise InDoubtError("ZaloPay could not be reached.") from error

    async def _post(self, path: str, asked: Mapping[str, object]) -> dict[str, Any]:
        url = f"{self.base_url.rstrip('/')}/v2/{path}"
        reply, said = await json_call.post(self.wire, url, asked)
        if reply.status != 200:  # noqa: PLR2004 - HTTP's own word for success.
            raise InDoubtError("ZaloPay answered in a way that it does not document.")
        return said

    def _mac(self, parts: Iterable[str]) -> str:
        return signing.hmac_sha256(self.key1, signing.piped(parts).encode())


def sign_order(key1: str, asked: Mapping[str, object]) -> str:
    """Sign a create request: raw values in ZaloPay's order."""
    names = "app_id app_trans_id app_user amount app_time embed_data item"
    canonical = signing.piped(str(asked[name]) for name in names.split())
    return signing.hmac_sha256(key1, canonical.encode())


def _number(said: Mapping[str, Any], name: str) -> int:
    """Take a whole number; what is none is -1, which no field of ours can be."""
    value = said.get(name)
    return value if type(value) is int else -1


def _sub(said: Mapping[str, Any]) -> int:
    """Take the finer code; nothing is written where there is none."""
    value = said.get("sub_return_code")
    return value if type(value) is int else 0


def _dated(at: datetime, name: str) -> str:
    """Put Hanoi's day before a name, as ZaloPay wants each to begin."""
    return f"{at.astimezone(HANOI):%y%m%d}_{name}"


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp()) * 1000 + at.microsecond // 1000


def _build(values: Mapping[str, str], wire: Wire, account: str) -> Zalopay:
    """Check the settings and build the adapter."""
    app_id = settings_rules.matching(values, "ZALOPAY_APP_ID", r"[1-9][0-9]{0,9}", "a number")
    return Zalopay(
        wire=wire,
        app_id=int(app_id),
        key1=settings_rules.secret(values, "ZALOPAY_KEY1"),
        key2=settings_rules.secret(values, "ZALOPAY_KEY2"),
        base_url=settings_rules.web_address(values, "ZALOPAY_BASE_URL"),
        account=account,
    )


ZALOPAY: Final = AdapterSpec(
    name="zalopay",
    fields=("ZALOPAY_APP_ID", "ZALOPAY_KEY1", "ZALOPAY_KEY2", "ZALOPAY_BASE_URL"),
    secret_fields=("ZALOPAY_KEY1", "ZALOPAY_KEY2"),
    build=_build,
    suite="adapters.vectors.zalopay:ZalopayConformance",
)
