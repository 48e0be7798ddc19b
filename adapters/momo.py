"""MoMo AIO v2: the MoMo wallet, ATM and foreign cards on MoMo's own page.

Checkout  POST create answers with payUrl. ``requestId`` is the idempotency key: a final answer is
          given again, one that is not final gives 40, and 41 says that the order is there.
Notice    POST JSON, HMAC-SHA256 over thirteen fields in a-z order, our access key among them;
          answer 204 without a body within 15 s. How often MoMo repeats is not published.
Ask       POST query. No signature of an answer is documented: the echo of our ids is compared.
Refund    POST refund with an id of its own; what became of it stands in query's ``refundTrans``.
          Its repeat is the same refund.
Captured  0, and 9000 too: we take in one step.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from adapters import json_call, settings_rules, signing, strict_json, strict_query
from gateway.domain.errors import DeclinedError, ForgedError, InDoubtError
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

amount_dong_min: Final = 1_000
amount_dong_max: Final = 50_000_000
card_dong_max: Final = 10_000_000  # payWithCC, on one page of MoMo's documents.
notice_body_bytes_max: Final = 65_536  # A genuine notice is under 2 KB; longer is an attack.
remembered: Final = timedelta(days=30)  # MoMo keeps a requestId for at least 31 days.
_NUMBER: Final = re.compile(r"[0-9]{1,20}")
_AMOUNT: Final = re.compile(r"[0-9]{1,15}")
_NAME: Final = re.compile(r"[!-~]{1,200}")
_PATH: Final = "/v2/gateway/api/"
_ANY_METHOD: Final = "payWithMethod"  # The payer picks on MoMo's page.
METHODS: Final = (
    Method("captureWallet", "Ví MoMo", "MoMo wallet", amount_dong_min, amount_dong_max),
    Method("payWithATM", "Thẻ ATM qua MoMo", "ATM card by MoMo", amount_dong_min, amount_dong_max),
    Method("payWithCC", "Thẻ quốc tế qua MoMo", "Card by MoMo", amount_dong_min, card_dong_max),
)
# What each message signs, in a-z order; optional fields are never signed.
_SIGNED: Final = MappingProxyType(
    {
        "create": "accessKey amount extraData ipnUrl orderId orderInfo partnerCode redirectUrl"
        " requestId requestType",
        "ipn": "accessKey amount extraData message orderId orderInfo orderType partnerCode payType"
        " requestId responseTime resultCode transId",
        "query": "accessKey orderId partnerCode requestId",
        "refund": "accessKey amount description orderId partnerCode requestId transId",
    }
)
# Made once: a notice comes 300 times a second, and its canonical text has thirteen parts.
_CANONICAL: Final = MappingProxyType(
    {k: (tuple(v.split()), "=%s&".join(v.split()) + "=%s") for k, v in _SIGNED.items()}
)
_DECLINED: Final = frozenset(
    {"1001", "1002", "1004", "1007", "1026", "2019", "4001", "4002", "4100", "98", "99"}
)
_VERDICTS: Final = MappingProxyType(
    {"0": Verdict.CAPTURED, "9000": Verdict.CAPTURED, "1005": Verdict.EXPIRED}
    | dict.fromkeys(("1000", "7000", "7002"), Verdict.PENDING)
    | dict.fromkeys(("1003", "1006", "1017"), Verdict.CANCELLED)
    | dict.fromkeys(_DECLINED, Verdict.DECLINED)
)
# The request itself was refused, so it did nothing; of the order it says nothing.
_BAD_REQUEST: Final = frozenset({"10", "11", "12", "13", "20", "21", "22", "45", "47"})
_NO_ORDER: Final = "42"  # Our guess [G]: the id is malformed, or MoMo never heard of it.
_UNKNOWN_ERROR: Final = "99"
# 1080 failed and may be asked for anew in an hour, 1088 cannot be given back. 1081, 40, 41 and 43
# may speak of our own earlier asking, and 99 of nothing: they are asked about.
_NO_REFUND: Final = _BAD_REQUEST | {"1080", "1088", _NO_ORDER}
_STATUSES: Final = MappingProxyType({Outcome.FORGED: 400, Outcome.FAILED: 500})


@dataclass(frozen=True, slots=True)
class Momo:
    """One partner code at MoMo."""

    wire: Wire = field(repr=False)
    partner_code: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    base_url: str
    account: str = "default"
    name: str = "momo"

    @property
    def can(self) -> Can:
        """Declare what MoMo can do."""
        return Can(
            title_vi="MoMo (ví, thẻ ATM, thẻ quốc tế)",
            title_en="MoMo (wallet, ATM card, foreign card)",
            amount_min=amount_dong_min,
            amount_max=amount_dong_max,
            methods=METHODS,
            inquires=True,
            refund=RefundRule(amount_min=amount_dong_min, amount_max=amount_dong_max),
            notice_names=("momo",),
        )

    async def checkout(self, order: Order) -> Checkout:
        """Open the order at MoMo; the same order is opened with the same bytes."""
        kind = _method(order)
        said = await self._post(
            "create",
            {
                "requestId": order.reference, "amount": order.amount, "orderId": order.reference,
                "orderInfo": order.text, "redirectUrl": order.return_url,
                "ipnUrl": order.notice_url, "requestType": kind, "extraData": "",
                "lang": "en" if order.locale == "en" else "vi",
            },
        )  # fmt: skip
        code, url = _text(said, "resultCode"), strict_json.address_of(said.get("payUrl"))
        if code in _BAD_REQUEST | {_NO_ORDER, "98"}:
            raise DeclinedError(f"MoMo refused the order (its code {code}).")
        self._require_echo(said, order.reference, order.reference)
        if code != "0" or said.get("amount") != order.amount or not url:
            raise InDoubtError("MoMo did not say where to pay, and may know the order.")
        return Checkout(redirect_url=url)

    def read(self, raw: RawNotice) -> Notice:
        """Verify, then believe, the JSON that MoMo sends."""
        if raw.method != "POST" or len(raw.body) > notice_body_bytes_max:
            raise ForgedError("MoMo sends a POST, and a short one.")
        try:
            return self._verified(strict_json.read_object(raw.body))
        except ValueError as error:
            raise ForgedError("The notice cannot be read.") from error

    def read_return(self, query: str) -> Notice:
        """Verify and read the way back; it carries the same signed fields."""
        return self._verified(strict_query.read(query))

    def _verified(self, said: Mapping[str, Any]) -> Notice:
        try:
            expected = self._signature("ipn", said)
        except (KeyError, ValueError) as error:
            raise ForgedError("A signed field is missing or no text.") from error
        given = said.get("signature")
        signing.require(given if isinstance(given, str) else "", expected)
        if said["partnerCode"] != self.partner_code:
            raise ForgedError("The notice is for another partner.")
        return _notice(said, strict_json.instant_of(_text(said, "responseTime")))

    def acknowledge(self, outcome: Outcome) -> Ack:
        """Answer 204 without a body; only what we could not take has another status."""
        return Ack(_STATUSES.get(outcome, 204), b"")

    async def ask(self, order: Order, at: datetime) -> Notice:
        """Ask by query; only an answer with our own ids in it is believed."""
        said = await self._query(order, at)
        code = _text(said, "resultCode")
        if code == _NO_ORDER:  # It can still come until the order expires.
            verdict = Verdict.EXPIRED if at >= order.expires_at else Verdict.PENDING
            return Notice(verdict, "", 0, order_reference=order.reference, code=code)
        unsure = code == _UNKNOWN_ERROR and at < order.expires_at  # Of the question, perhaps.
        if unsure or code in _BAD_REQUEST | {"40", "41", "43", ""}:
            raise InDoubtError(f"MoMo could not say what became of the order (its code {code}).")
        try:
            return _notice(said)
        except ForgedError as error:
            raise InDoubtError("MoMo's answer cannot be believed.") from error

    async def _query(self, order: Order, at: datetime) -> dict[str, Any]:
        seed = f"{self.partner_code}|{order.reference}|{at.isoformat()}".encode()
        question = hashlib.sha256(seed).hexdigest()[:32]  # Each question has an id of its own.
        asked = {"requestId": question, "orderId": order.reference, "lang": "vi"}
        try:
            said = await self._post("query", asked)
        except DeclinedError as error:  # It did not arrive, so nothing was learned.
            raise InDoubtError("MoMo could not be reached.") from error
        self._require_echo(said, order.reference, question)
        return said

    async def refund(self, order: RefundOrder) -> RefundSaid:
        """Give money back; its reference is its orderId and requestId, so a repeat is the same."""
        if not amount_dong_min <= order.amount <= min(amount_dong_max, order.captured):
            raise DeclinedError(f"MoMo gives back {amount_dong_min} đồng to what it took.")
        if not _NUMBER.fullmatch(order.txn_id):
            raise DeclinedError("MoMo does not know this transaction.")
        said = await self._post(
            "refund",
            {
                "orderId": order.reference, "requestId": order.reference, "amount": order.amount,
                "transId": int(order.txn_id), "lang": "vi", "description": order.text,
            },
        )  # fmt: skip
        code = _text(said, "resultCode")
        if code not in _BAD_REQUEST:
            self._require_echo(said, order.reference, order.reference)
        return _refunded(said, order, code)

    async def ask_refund(self, order: RefundOrder, at: datetime) -> RefundSaid:
        """Look the refund up among those of its payment; one that never came is sent again.

        To MoMo it is the same refund for as long as it remembers its requestId.
        """
        said = await self._query(order.original, at)
        if _text(said, "resultCode") != "0":
            raise InDoubtError("MoMo could not say what became of the refund.")
        listed = said.get("refundTrans")
        # The names in it are those of public clients [L]: orderId, amount, resultCode, transId.
        for row in listed if isinstance(listed, list) else []:
            if isinstance(row, dict) and row.get("orderId") == order.reference:
                return _refunded(row, order, _text(row, "resultCode"))
        if at - order.asked_at >= remembered:
            return RefundSaid(RefundVerdict.PENDING, order.reference)
        try:
            return await self.refund(order)
        except DeclinedError as error:
            raise InDoubtError("MoMo could not be reached.") from error

    async def _post(self, kind: str, asked: Mapping[str, object]) -> dict[str, Any]:
        asked = {"partnerCode": self.partner_code, **asked}
        signed = {**asked, "signature": self._signature(kind, asked)}
        url = f"{self.base_url.rstrip('/')}{_PATH}{kind}"
        reply, said = await json_call.post(self.wire, url, signed)
        if reply.status != 200 and _text(said, "resultCode") not in _BAD_REQUEST:  # noqa: PLR2004 - HTTP's own word.
            raise InDoubtError("MoMo answered in a way that it does not document.")
        return said

    def _signature(self, kind: str, fields: Mapping[str, Any]) -> str:
        return sign(self.secret_key, kind, {**fields, "accessKey": self.access_key})

    def _require_echo(self, said: Mapping[str, Any], order_id: str, request_id: str) -> None:
        """Require that an answer is about what we asked, for no signature says so."""
        echo = (said.get("partnerCode"), said.get("orderId"), said.get("requestId"))
        if echo != (self.partner_code, order_id, request_id):
            raise InDoubtError("MoMo answered about something else.")


def sign(secret_key: str, kind: str, fields: Mapping[str, Any]) -> str:
    """Sign a message: raw values, names in a-z order."""
    names, template = _CANONICAL[kind]
    texts = tuple([strict_json.text_of(fields[name]) for name in names])
    return signing.hmac_sha256(secret_key, (template % texts).encode())


def _notice(said: Mapping[str, Any], paid_at: datetime | None = None) -> Notice:
    code, number = _text(said, "resultCode"), _text(said, "transId").lstrip("0")
    verdict = _VERDICTS.get(code, Verdict.PENDING)
    if verdict is Verdict.CAPTURED and not _NUMBER.fullmatch(number):
        verdict = Verdict.PENDING  # Money without a number cannot be told from its repeat.
    amount, reference = _text(said, "amount"), _text(said, "orderId")
    if not _AMOUNT.fullmatch(amount) or not _NAME.fullmatch(reference):
        raise ForgedError("The notice has no readable order or amount.")
    return Notice(
        verdict,
        number,
        int(amount),
        order_reference=reference,
        paid_at=paid_at,
        merchant=_text(said, "partnerCode"),
        code=code,
    )


def _refunded(said: Mapping[str, Any], order: RefundOrder, code: str) -> RefundSaid:
    """Read a refund's code; one that is done has a number of its own and the amount asked for."""
    number, verdict = _text(said, "transId"), RefundVerdict.PENDING
    if code == "0" and said.get("amount") == order.amount and number.strip("0"):
        verdict = RefundVerdict.DONE
    elif code in _NO_REFUND or code in _DECLINED - {_UNKNOWN_ERROR}:
        verdict = RefundVerdict.REFUSED
    return RefundSaid(verdict, order.reference, number, code)


def _method(order: Order) -> str:
    """Name the way to pay, or refuse an amount that it cannot take."""
    high = card_dong_max if order.method == "payWithCC" else amount_dong_max
    if not amount_dong_min <= order.amount <= high:
        raise DeclinedError(f"MoMo takes {amount_dong_min} to {high} đồng this way.")
    return order.method or _ANY_METHOD


def _text(said: Mapping[str, Any], name: str) -> str:
    """Take a field as text; what is neither text nor a whole number is as good as absent."""
    value = said.get(name)
    return str(value) if type(value) in (str, int) else ""


def _build(values: Mapping[str, str], wire: Wire, account: str) -> Momo:
    """Check the settings and build the adapter."""
    return Momo(
        wire=wire,
        partner_code=settings_rules.matching(
            values, "MOMO_PARTNER_CODE", r"[A-Za-z0-9_]{3,50}", "3 to 50 letters or digits"
        ),
        access_key=settings_rules.secret(values, "MOMO_ACCESS_KEY"),
        secret_key=settings_rules.secret(values, "MOMO_SECRET_KEY"),
        base_url=settings_rules.web_address(values, "MOMO_BASE_URL"),
        account=account,
    )


MOMO: Final = AdapterSpec(
    name="momo",
    fields=("MOMO_PARTNER_CODE", "MOMO_ACCESS_KEY", "MOMO_SECRET_KEY", "MOMO_BASE_URL"),
    secret_fields=("MOMO_ACCESS_KEY", "MOMO_SECRET_KEY"),
    build=_build,
    suite="adapters.vectors.momo:MomoConformance",
)
