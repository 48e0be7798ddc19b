"""payOS: a payment request with a page and a QR of its own; each transfer to it is told by itself.

Checkout  POST /v2/payment-requests, HMAC-SHA256 over five fields; ``orderCode`` is our number. The
          signed answer has the page's address and the QR text.
Notice    POST JSON, HMAC-SHA256 over every key of ``data`` as sent; what stands beside ``data`` is
          not signed and not believed. Answer 2xx, also about an order that nobody knows: payOS
          tries the address with a sample when it is registered [D].
Ask       GET by ``orderCode``: how the order stands, and the transfers that came for it.
Cancel    POST .../cancel; a paid order stays paid.
Marks     [D] the documentation, [L] other people's code only: codes 101 and 231 come with HTTP 200.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from adapters import payos_fields, settings_rules, signing, strict_json
from adapters.payos_signature import sign_data, sign_request
from gateway.domain.errors import DeclinedError, ForgedError, InDoubtError
from gateway.domain.ids import TRANSFER_PREFIX
from gateway.ports.plugin import AdapterSpec
from gateway.ports.provider import (
    Ack,
    Can,
    Checkout,
    Movement,
    Notice,
    Order,
    Outcome,
    RawNotice,
    Verdict,
)
from gateway.ports.wire import Wire

amount_dong_max: Final = 9_999_999_999_999  # payOS draws a VietQR, whose tag 54 ends here.
body_bytes_max: Final = 65_536  # A genuine notice or answer is under 4 KB; longer is an attack.
notice_query_chars_max: Final = 1_024  # payOS sends none.
description_chars_max: Final = 25  # What a bank carries [L]; our code has 14.
description_chars_min: Final = 9  # The limit of an account that payOS has not linked [D].
PATH: Final = "/v2/payment-requests"
OK: Final = "00"
NO_SUCH_ORDER: Final = "101"
ORDER_EXISTS: Final = "231"
# The documentation's sample transfer, which payOS sends when an address is registered: no money.
SAMPLE: Final = ("124c33293c43417ab7879e14c8d9eb18", "TF230204212323")
_STATUSES: Final = MappingProxyType(
    {"CANCELLED": Verdict.CANCELLED, "EXPIRED": Verdict.EXPIRED, "FAILED": Verdict.DECLINED}
)
_WITHDRAWN: Final = frozenset(_STATUSES)
_STATUSES_OF_ACK: Final = MappingProxyType({Outcome.FORGED: 401, Outcome.FAILED: 500})
# payOS's own name of a transfer where it knows none of the bank's [L].
_REFERENCE: Final = re.compile(r"[!-~]{1,64}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Payos:
    """One payment channel at payOS, on one bank account of the agency."""

    wire: Wire = field(repr=False)
    client_id: str
    api_key: str = field(repr=False)
    checksum_key: str = field(repr=False)
    base_url: str
    account_number: str = ""  # As statements name it; empty: whatever a notice says.
    description_max: int = description_chars_max
    account: str = "default"
    name: str = "payos"

    @property
    def can(self) -> Can:
        """Declare what payOS can do."""
        return Can(
            title_vi="payOS (chuyển khoản VietQR)",
            title_en="payOS (VietQR transfer)",
            amount_max=amount_dong_max,
            fixed_amount=False,
            inquires=True,
            notice_names=("payos",),
        )

    async def checkout(self, order: Order) -> Checkout:
        """Open the order; one that is there already is our own, and is looked up."""
        if not 1 <= order.amount <= amount_dong_max:
            raise DeclinedError(f"payOS takes 1 to {amount_dong_max} đồng.")
        said = await self._call("POST", PATH, self._request(order))
        if said["code"] == ORDER_EXISTS:
            return await self._there_already(order)
        if said["code"] != OK and said.get("data") is None:  # Else it contradicts itself.
            raise DeclinedError("payOS refused the order.")
        data = self._believed(said, order)
        page, qr_text = data.get("checkoutUrl"), data.get("qrCode")
        if not isinstance(page, str) or not page.startswith(("https://", "http://")):
            raise InDoubtError("payOS gave no page.")
        return Checkout(
            redirect_url=page,
            qr_text=qr_text if isinstance(qr_text, str) and qr_text else None,
            provider_id=payos_fields.name(data.get("paymentLinkId")),
        )

    def _request(self, order: Order) -> dict[str, Any]:
        memo = f"{TRANSFER_PREFIX}{order.payment_reference}"[: self.description_max]
        signed = {
            "amount": order.amount,
            "cancelUrl": order.return_url,
            "description": memo,
            "orderCode": order.serial,
            "returnUrl": order.return_url,
        }
        expired_at = int(order.expires_at.timestamp())
        signature = sign_request(self.checksum_key, signed)
        return signed | {"expiredAt": expired_at, "signature": signature}

    async def _there_already(self, order: Order) -> Checkout:
        """Give the page of an order whose first answer was lost."""
        data = self._believed(await self._call("GET", f"{PATH}/{order.serial}"), order)
        if data.get("status") != "PENDING":
            raise InDoubtError("payOS has this order, and it is no longer waiting.")
        link = payos_fields.name(data.get("id"))
        # The page's address as the documentation's sample shows it [D].
        host = self.base_url.replace("://api-merchant.", "://pay.", 1)
        return Checkout(redirect_url=f"{host}/web/{link}", provider_id=link)

    def read(self, raw: RawNotice) -> Notice:
        """Verify, then parse, one transfer."""
        if raw.method != "POST" or len(raw.query) > notice_query_chars_max:
            raise ForgedError("payOS sends a POST without a query.")
        if len(raw.body) > body_bytes_max:
            raise ForgedError("The body is too long.")
        try:
            data = self._signed(strict_json.read_object(raw.body))
            return self._read(data, raw.received_at)
        except ValueError as error:
            raise ForgedError("The notice cannot be read.") from error

    def _read(self, data: Mapping[str, Any], received_at: datetime) -> Notice:
        serial, code = data.get("orderCode"), data.get("code")
        if type(serial) is not int or serial <= 0 or not isinstance(code, str):
            raise ValueError("The notice names no order.")
        sample = (data.get("paymentLinkId"), data.get("reference")) == SAMPLE
        if sample or (self.account_number and self.account_number not in _accounts(data)):
            return Notice(Verdict.PENDING, "", 0, code="not ours")  # Thanked, and no money of ours.
        if code != OK:
            return Notice(Verdict.PENDING, "", 0, order_serial=serial, code=code)
        return self._transfer(data, serial, received_at, code)

    def _transfer(
        self, said: Mapping[str, Any], serial: int, noted_at: datetime, code: str = ""
    ) -> Notice:
        """Read one transfer, as a notice or an answer tells it."""
        amount, reference = said.get("amount"), payos_fields.text(said.get("reference"))
        if type(amount) is not int or not 0 < amount <= amount_dong_max:
            raise ValueError("The amount is not a whole number of đồng.")
        if not _REFERENCE.fullmatch(reference):
            raise ValueError("A transfer without a name cannot be told from its repeat.")
        number = payos_fields.text(said.get("accountNumber"))
        if self.account_number and self.account_number in _accounts(said):
            number = self.account_number
        if not number:
            raise ValueError("The transfer names no account.")
        paid_at, day = payos_fields.paid(said.get("transactionDateTime"), noted_at)
        return Notice(
            Verdict.CAPTURED if said.get("currency") in (None, "", "VND") else Verdict.REVIEW,
            f"{serial}-{reference}",
            amount,
            order_serial=serial,
            memo=payos_fields.text(said.get("description")),
            movement=Movement(
                account=number,
                booked_on=day.isoformat(),
                amount=amount,
                bank_reference="" if _UUID.fullmatch(reference) else reference,
            ),
            paid_at=paid_at,
            merchant=number,
            code=code,
        )

    def acknowledge(self, outcome: Outcome) -> Ack:
        """Answer by status alone: payOS wants 2xx, also about what we do not know."""
        status = _STATUSES_OF_ACK.get(outcome, 200)
        return Ack(status, b'{"success":true}' if status == 200 else b'{"success":false}')  # noqa: PLR2004 - HTTP's own word.

    async def ask(self, order: Order, at: datetime) -> Notice:
        """Ask how the order stands; every transfer that the answer names is a word of its own."""
        try:
            said = await self._call("GET", f"{PATH}/{order.serial}")
            if said["code"] == NO_SUCH_ORDER:
                verdict = Verdict.EXPIRED if at >= order.expires_at else Verdict.PENDING
                return Notice(verdict, "", 0, order_serial=order.serial, code=NO_SUCH_ORDER)
            return self._told(self._believed(said, order), order, at)
        except DeclinedError as error:  # It did not arrive, so nothing was learned.
            raise InDoubtError("payOS could not be reached.") from error
        except ValueError as error:
            raise InDoubtError("payOS's answer cannot be believed.") from error

    def _told(self, data: Mapping[str, Any], order: Order, at: datetime) -> Notice:
        """Read an answer. Money that is summed up but not named is for a person, never booked.

        A sum has no bank reference and no day, so it could not be told from the transfers of
        which it is made.
        """
        listed, paid, status = data.get("transactions"), data.get("amountPaid"), data.get("status")
        if type(paid) is not int or not isinstance(listed, list) or not isinstance(status, str):
            raise ValueError("The answer says neither how it stands nor what came.")
        came = tuple(self._transfer(one, order.serial, at) for one in listed)
        named = sum(one.amount for one in came)
        if paid > named or (status == "PAID" and not came):
            verdict = Verdict.REVIEW
        elif status == "PAID":
            return replace(came[-1], also=came[:-1], code=status)
        else:
            verdict = _STATUSES.get(status, Verdict.PENDING)
        return Notice(verdict, "", 0, order_serial=order.serial, code=status, also=came)

    async def cancel(self, order: Order) -> None:
        """Withdraw the order; where payOS says no, how it stands decides."""
        why = {"cancellationReason": "Withdrawn by the agency"}
        try:
            said = await self._call("POST", f"{PATH}/{order.serial}/cancel", why)
            if said["code"] != OK:
                said = await self._call("GET", f"{PATH}/{order.serial}")
            status = self._believed(said, order).get("status")
        except DeclinedError as error:
            raise InDoubtError("payOS could not be reached.") from error
        if status == "PAID":
            raise DeclinedError("The order was paid already.")
        if status not in _WITHDRAWN:
            raise InDoubtError("payOS still has the order open.")

    async def _call(
        self, method: str, path: str, said: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        keys = {"x-client-id": self.client_id, "x-api-key": self.api_key}
        headers = {"content-type": "application/json"} | keys
        body = json.dumps(said).encode() if said else b""
        reply = await self.wire.send(method, self.base_url + path, headers=headers, body=body)
        if reply.status >= 500 or len(reply.body) > body_bytes_max:  # noqa: PLR2004 - HTTP's own word.
            raise InDoubtError("payOS failed.")
        try:
            answer = strict_json.read_object(reply.body)
        except ValueError as error:
            raise InDoubtError("payOS's answer cannot be read.") from error
        if not isinstance(answer.get("code"), str):
            raise InDoubtError("payOS's answer has no code.")
        return answer

    def _believed(self, answer: Mapping[str, Any], order: Order) -> Mapping[str, Any]:
        """Take the data of an answer that is signed and about this very order."""
        try:
            data = self._signed(answer)
        except (ForgedError, ValueError) as error:
            raise InDoubtError("payOS's answer cannot be believed.") from error
        named = (answer["code"], data.get("orderCode"), data.get("amount"))
        if named != (OK, order.serial, order.amount):
            raise InDoubtError("payOS's answer is about something else.")
        return data

    def _signed(self, said: Mapping[str, Any]) -> Mapping[str, Any]:
        data = said.get("data")
        if not isinstance(data, dict):
            raise ValueError("There is no data.")  # noqa: TRY004 - one kind of refusal.
        signing.require(
            payos_fields.text(said.get("signature")), sign_data(self.checksum_key, data)
        )
        return data


def _accounts(said: Mapping[str, Any]) -> tuple[object, object]:
    """Give the account a transfer went to, and the virtual one that stands for it."""
    return said.get("accountNumber"), said.get("virtualAccountNumber")


def _build(values: Mapping[str, str], wire: Wire, account: str) -> Payos:
    """Check the settings and build the adapter."""
    limits = f"{description_chars_min} to {description_chars_max}"
    longest = settings_rules.optional(values, "PAYOS_DESCRIPTION_MAX", r"9|1[0-9]|2[0-5]", limits)
    return Payos(
        wire=wire,
        client_id=settings_rules.matching(
            values, "PAYOS_CLIENT_ID", r"[!-~]{1,128}", "1 to 128 printable characters, no spaces"
        ),
        api_key=settings_rules.secret(values, "PAYOS_API_KEY"),
        checksum_key=settings_rules.secret(values, "PAYOS_CHECKSUM_KEY"),
        base_url=settings_rules.web_address(values, "PAYOS_BASE_URL").rstrip("/"),
        account_number=settings_rules.optional(
            values, "PAYOS_ACCOUNT", r"[0-9A-Za-z]{4,19}", "4 to 19 letters or digits"
        ),
        description_max=int(longest or description_chars_max),
        account=account,
    )


PAYOS: Final = AdapterSpec(
    name="payos",
    fields=("PAYOS_CLIENT_ID", "PAYOS_API_KEY", "PAYOS_CHECKSUM_KEY", "PAYOS_BASE_URL"),
    secret_fields=("PAYOS_API_KEY", "PAYOS_CHECKSUM_KEY"),
    build=_build,
    optional_fields=("PAYOS_ACCOUNT", "PAYOS_DESCRIPTION_MAX"),
    suite="adapters.vectors.payos:PayosConformance",
)
