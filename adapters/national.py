"""The national payment platform, version 1.0.6, as provinces speak it (DOMAIN 4.1, 4.2).

Checkout  POST INIT with both lists of fees; answers error_code "0" and UrlThanhToan, unsigned.
Notice    POST CONFIRM. MaXacThuc is SHA-256 of the values joined by | with the secret last: too
          weak to be believed, so a notice only makes us ask (``Can.notice_is_hint``).
Ask       POST QUERY; TrangThaiGD 1 paid, 3 not known there yet and asked again, 4 failed.
Receipt   POST GET_BILL gives a PDF, where the platform is who issues the receipt.

Assumed: the paths below the base address; any code but "0" and "00"; the secret as bearer where
THUPHI_NATIONAL_TOKEN is not set. INIT names no address to come back to: register
/pay/back/national of our public address with the platform.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from adapters import national_messages as messages
from adapters import settings_rules, strict_json
from gateway.domain.errors import DeclinedError, ForgedError, InDoubtError
from gateway.domain.money import amount_dong_max
from gateway.ports.plugin import AdapterSpec
from gateway.ports.provider import (
    Ack,
    Bill,
    Can,
    Checkout,
    Notice,
    Order,
    Outcome,
    RawNotice,
    Verdict,
)
from gateway.ports.wire import Reply, Wire

body_bytes_max: Final = 65_536  # A genuine message is under 4 KB; longer is an attack.
bill_bytes_max: Final = 1_048_576  # As much as the wire takes; a receipt is a page or two.
PATHS: Final = MappingProxyType({"INIT": "/init", "QUERY": "/query", "GET_BILL": "/get_bill"})
_STATES: Final = MappingProxyType(
    {"1": Verdict.CAPTURED, "3": Verdict.PENDING, "4": Verdict.DECLINED}
)
_ACKS: Final = MappingProxyType(
    {
        Outcome.RECORDED: (200, "00", "Da nhan"),
        Outcome.REPEATED: (200, "00", "Da biet"),
        Outcome.UNKNOWN_ORDER: (200, "01", "Khong co ma tham chieu"),
        Outcome.WRONG_AMOUNT: (200, "04", "Sai so tien"),
        Outcome.FORGED: (401, "97", "Sai ma xac thuc"),
        Outcome.FAILED: (500, "99", "Loi he thong"),
    }
)
# What stands on the platform's receipt of the agency: its field there, and our setting.
_UNIT: Final = MappingProxyType(
    {
        "MaDonVi": "NATIONAL_UNIT_CODE",
        "TenDonVi": "NATIONAL_UNIT_NAME",
        "TKThuHuong": "NATIONAL_UNIT_ACCOUNT",
        "MaNHThuHuong": "NATIONAL_UNIT_BANK",
        "TenTKThuHuong": "NATIONAL_UNIT_ACCOUNT_NAME",
        "KhoBac": "NATIONAL_TREASURY",
        "TaiKhoanThuNSNN": "NATIONAL_TREASURY_ACCOUNT",
    }
)


@dataclass(frozen=True, slots=True)
class National:
    """One partner (MaDoiTac) at the platform."""

    wire: Wire = field(repr=False)
    partner_id: str
    secret: str = field(repr=False)
    base_url: str
    token: str = field(repr=False)
    unit: Mapping[str, str] = field(default_factory=dict)
    issues_receipt: bool = False
    account: str = "default"
    name: str = "national"

    @property
    def can(self) -> Can:
        """Declare what the platform can do."""
        return Can(
            title_vi="Nền tảng thanh toán quốc gia",
            title_en="National payment platform",
            amount_max=amount_dong_max,
            inquires=True,
            wants_payer=True,
            issues_receipt=self.issues_receipt,
            notice_is_hint=True,
            notice_names=("national",),
        )

    async def checkout(self, order: Order) -> Checkout:
        """Open the order there; the same order is opened with the same message."""
        if not 1 <= order.amount <= amount_dong_max:
            raise DeclinedError(f"The platform takes 1 to {amount_dong_max} đồng.")
        if order.lines and sum(x.amount for x in order.lines) != order.amount:
            raise DeclinedError("The fee lines do not add up to the amount.")
        said = messages.init(order, self.partner_id, self.secret, self.unit)
        reply = await self._send("INIT", said)
        try:
            answer = strict_json.read_object(reply.body)
            code = strict_json.text_of(answer.get("error_code"))
            if code == "0":
                return Checkout(
                    redirect_url=messages.address_to_pay(answer), provider_id=order.reference
                )
        except ValueError as error:
            raise InDoubtError("The platform's answer to INIT cannot be read.") from error
        # No code for a repeat is known, so any other code may mean that the order is there.
        if not code or await self._is_there(order):
            raise InDoubtError("The platform did not open the order, and may know it.")
        raise DeclinedError("The platform refused the order.")

    async def _is_there(self, order: Order) -> bool:
        said = await self._query(order)
        return said["MaLoi"] == "00" and said["TrangThaiGD"] != "4"

    def read(self, raw: RawNotice) -> Notice:
        """Verify, then parse, CONFIRM. Whoever guesses its hash makes us ask, and no more."""
        if raw.method != "POST" or len(raw.body) > body_bytes_max:
            raise ForgedError("The platform sends a POST, and a short one.")
        try:
            said = self._verified("CONFIRM", raw.body)
            amount = messages.amount(said["SoTien"])
        except ValueError as error:
            raise ForgedError("The notice cannot be read.") from error
        if (said["LoaiBanTin"], said["MaTienTe"]) != ("CONFIRM", "VND"):
            raise ForgedError("The notice is no CONFIRM in đồng.")
        paid = said["MaLoi"] == "00" and said["MaGiaoDich"]
        return Notice(
            Verdict.CAPTURED if paid else Verdict.PENDING,
            said["MaGiaoDich"],
            amount,
            order_reference=said["MaThamChieu"],
            merchant=said["MaDoiTac"],
            code=said["MaLoi"],
        )

    def _verified(self, message: str, body: bytes) -> dict[str, str]:
        values = messages.opened(message, strict_json.read_object(body), self.secret)
        if values["MaDoiTac"] != self.partner_id or not values["MaThamChieu"]:
            raise ForgedError("The message is for another partner, or about no order.")
        return values

    def acknowledge(self, outcome: Outcome) -> Ack:
        """Answer with MaLoi; "00" is the one code that is known to mean thanks."""
        status, code, words = _ACKS[outcome]
        said = {"MaLoi": code, "MoTaLoi": words, "MaDoiTac": self.partner_id}
        return Ack(status, json.dumps(said).encode())

    async def ask(self, order: Order, at: datetime) -> Notice:
        """Ask by QUERY; only a signed answer about this very order is believed."""
        said = await self._query(order)
        code = f"{said['MaLoi']}/{said['TrangThaiGD']}"
        if said["MaLoi"] != "00":
            if order.provider_id:  # The citizen has its link: an error there is no outcome.
                raise InDoubtError("The platform could not say what became of the order.")
            verdict = Verdict.EXPIRED if at >= order.expires_at else Verdict.PENDING
            return Notice(verdict, "", 0, order_reference=order.reference, code=code)
        verdict = _STATES.get(said["TrangThaiGD"], Verdict.PENDING)
        if verdict is not Verdict.CAPTURED:
            return Notice(verdict, "", 0, order_reference=order.reference, code=code)
        try:
            amount = messages.amount(said["SoTien"])
        except ValueError as error:
            raise InDoubtError("The platform says paid, and not how much.") from error
        if said["MaTienTe"] != "VND" or not said["MaGiaoDich"]:
            raise InDoubtError("Money without a number cannot be told from its repeat.")
        return Notice(
            verdict,
            said["MaGiaoDich"],
            amount,
            order_reference=order.reference,
            paid_at=messages.instant(said["ThoiGianGD"], order.created_at, at),
            merchant=self.partner_id,
            code=code,
        )

    async def _query(self, order: Order) -> dict[str, str]:
        try:
            question = messages.about("QUERY", order, self.partner_id, self.secret)
            reply = await self._send("QUERY", question)
            said = self._verified("answer", reply.body)
        except DeclinedError as error:  # It did not arrive, so nothing was learned.
            raise InDoubtError("The platform could not be reached.") from error
        except (ForgedError, ValueError) as error:
            raise InDoubtError("The platform's answer cannot be believed.") from error
        if said["MaThamChieu"] != order.reference:
            raise InDoubtError("The platform's answer is about another order.")
        return said

    async def bill(self, order: Order) -> Bill:
        """Fetch the platform's receipt by GET_BILL."""
        try:
            question = messages.about("GET_BILL", order, self.partner_id, self.secret)
            reply = await self._send("GET_BILL", question, bill_bytes_max)
        except DeclinedError as error:
            raise InDoubtError("The platform could not be reached.") from error
        if not reply.body.startswith(b"%PDF-"):
            raise InDoubtError("The platform gave no receipt.")
        return Bill(reply.body)

    async def _send(
        self, message: str, said: Mapping[str, Any], bytes_max: int = body_bytes_max
    ) -> Reply:
        """Send one message; anything but an answer of 200 may have been obeyed."""
        reply = await self.wire.send(
            "POST",
            self.base_url + PATHS[message],
            headers={"content-type": "application/json", "authorization": f"Bearer {self.token}"},
            body=json.dumps(said, ensure_ascii=False).encode(),
        )
        if reply.status != 200 or len(reply.body) > bytes_max:  # noqa: PLR2004 - HTTP's own word for success.
            raise InDoubtError(f"The platform did not answer {message}.")
        return reply


def _build(values: Mapping[str, str], wire: Wire, account: str) -> National:
    """Check the settings and build the adapter."""
    line, word = "1 to 200 characters in one line", "1 to 50 letters, digits, points or dashes"
    secret = settings_rules.secret(values, "NATIONAL_SECRET")
    issues = settings_rules.optional(values, "NATIONAL_ISSUES_RECEIPT", r"yes|no", "yes or no")
    return National(
        wire=wire,
        partner_id=settings_rules.matching(
            values, "NATIONAL_PARTNER_ID", r"[0-9A-Za-z._-]{1,50}", word
        ),
        secret=secret,
        base_url=settings_rules.web_address(values, "NATIONAL_BASE_URL").rstrip("/"),
        token=settings_rules.secret(values, "NATIONAL_TOKEN")
        if "NATIONAL_TOKEN" in values
        else secret,
        unit={
            name: settings_rules.optional(values, setting, r"[^\x00-\x1f]{1,200}", line)
            for name, setting in _UNIT.items()
        },
        issues_receipt=issues == "yes",
        account=account,
    )


NATIONAL: Final = AdapterSpec(
    name="national",
    fields=("NATIONAL_PARTNER_ID", "NATIONAL_SECRET", "NATIONAL_BASE_URL"),
    secret_fields=("NATIONAL_SECRET", "NATIONAL_TOKEN"),
    build=_build,
    suite="adapters.vectors.national:NationalConformance",
    optional_fields=("NATIONAL_TOKEN", "NATIONAL_ISSUES_RECEIPT", *_UNIT.values()),
)
