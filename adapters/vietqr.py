"""VietQR: a transfer from any bank app, by a dynamic QR that we draw ourselves.

Checkout  the QR text (EMVCo TLV, NAPAS GUID, CRC-16/CCITT-FALSE) with account, amount and, as the
          transfer's text, ``TP`` and the payment's reference. Nobody is called.
Notice    the standard has none: the bank's credit is told by SePay, at /notices/sepay/{account}.
          A payer can edit amount and text, so the amount is not fixed.
Virtual   with a prefix that the bank has given us, each payment has an account of its own, the
          prefix and its reference: a credit there needs no text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from adapters import banks, sepay, settings_rules
from gateway.domain.errors import DeclinedError
from gateway.domain.ids import TRANSFER_PREFIX, read_reference, reference_length
from gateway.ports.plugin import AdapterSpec
from gateway.ports.provider import (
    Ack,
    Beneficiary,
    Can,
    Checkout,
    Notice,
    Order,
    Outcome,
    RawNotice,
)
from gateway.ports.wire import Wire

amount_dong_max: Final = 9_999_999_999_999  # Tag 54 holds at most 13 characters.
account_chars_max: Final = 19  # What a bank's account number has at most in a VietQR.
virtual_prefix_chars_max: Final = account_chars_max - reference_length
_NAPAS: Final = "A000000727"
_TO_ACCOUNT: Final = "QRIBFTTA"


@dataclass(frozen=True, slots=True)
class Vietqr:
    """One bank account of the agency, watched by SePay."""

    bank_bin: str
    bank_name: str
    account_number: str
    account_name: str
    secret: str = field(repr=False)
    virtual_prefix: str = ""  # Empty: the bank has given us no virtual accounts.
    account: str = "default"
    name: str = "vietqr"

    @property
    def can(self) -> Can:
        """Declare what a transfer can do."""
        return Can(
            title_vi="Chuyển khoản bằng mã VietQR",
            title_en="Bank transfer by VietQR",
            amount_max=amount_dong_max,
            fixed_amount=False,
            redirects=False,
            notice_names=("sepay",),
        )

    async def checkout(self, order: Order) -> Checkout:
        """Give the QR text and the account; the same order gives the same text."""
        if not 1 <= order.amount <= amount_dong_max:
            raise DeclinedError(f"A VietQR carries 1 to {amount_dong_max} đồng.")
        memo, account = f"{TRANSFER_PREFIX}{order.payment_reference}", self.account_number
        if self.virtual_prefix:
            account = f"{self.virtual_prefix}{order.payment_reference}"
        return Checkout(
            qr_text=qr_text(self.bank_bin, account, order.amount, memo),
            beneficiary=Beneficiary(self.bank_bin, self.bank_name, account, self.account_name),
        )

    def payment_of(self, account: str) -> str:
        """Give the payment that a virtual account of ours stands for; a damaged one is nobody's."""
        prefix, named = self.virtual_prefix, account.upper()
        if not prefix or not named.startswith(prefix):
            return ""
        read = read_reference(named.removeprefix(prefix))
        return read.reference if read and not read.corrected else ""

    def read(self, raw: RawNotice) -> Notice:
        """Verify, then parse, SePay's webhook."""
        return sepay.read(self.secret, self.account_number, raw, self.payment_of)

    def acknowledge(self, outcome: Outcome) -> Ack:
        """Answer in SePay's words."""
        return sepay.acknowledge(outcome)


def qr_text(bank_bin: str, account: str, amount: int | None = None, purpose: str = "") -> str:
    """Write the QR: dynamic for one payment when there is an amount, else static."""
    to = _tlv("00", bank_bin) + _tlv("01", account)
    parts = [
        _tlv("00", "01"),
        _tlv("01", "11" if amount is None else "12"),
        _tlv("38", _tlv("00", _NAPAS) + _tlv("01", to) + _tlv("02", _TO_ACCOUNT)),
        _tlv("53", "704"),
        "" if amount is None else _tlv("54", str(amount)),
        _tlv("58", "VN"),
        _tlv("62", _tlv("08", purpose)) if purpose else "",
    ]
    text = "".join(parts) + "6304"
    return f"{text}{crc16(text.encode()):04X}"


def _tlv(tag: str, value: str) -> str:
    if not 1 <= len(value) <= 99:  # noqa: PLR2004 - two digits of length.
        raise ValueError("A QR field holds 1 to 99 characters.")
    return f"{tag}{len(value):02d}{value}"


def crc16(data: bytes) -> int:
    """CRC-16/CCITT-FALSE: polynomial 1021, start FFFF, nothing reflected."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = ((crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def _build(values: Mapping[str, str], wire: Wire, account: str) -> Vietqr:  # noqa: ARG001 - the plug-in's signature; no call is made.
    """Check the settings and build the adapter."""
    bank_bin = settings_rules.matching(values, "VIETQR_BANK_BIN", r"[0-9]{6}", "6 digits")
    try:
        name = banks.bank_name(bank_bin)
    except ValueError as error:
        raise ValueError(f"THUPHI_VIETQR_BANK_BIN is unknown: {error}") from None
    return Vietqr(
        bank_bin=bank_bin,
        bank_name=name,
        account_number=settings_rules.matching(
            values,
            "VIETQR_ACCOUNT",
            rf"[0-9A-Za-z]{{4,{account_chars_max}}}",
            "4 to 19 letters or digits",
        ),
        account_name=settings_rules.matching(
            values, "VIETQR_ACCOUNT_NAME", r"[^\x00-\x1f]{2,70}", "a name of 2 to 70 characters"
        ),
        secret=settings_rules.secret(values, "SEPAY_SECRET"),
        virtual_prefix=settings_rules.optional(
            values,
            "VIETQR_VIRTUAL_PREFIX",
            rf"[0-9A-Za-z]{{1,{virtual_prefix_chars_max}}}",
            f"1 to {virtual_prefix_chars_max} letters or digits: with a payment's reference"
            f" ({reference_length}) an account has at most {account_chars_max}",
        ).upper(),
        account=account,
    )


VIETQR: Final = AdapterSpec(
    name="vietqr",
    fields=("VIETQR_BANK_BIN", "VIETQR_ACCOUNT", "VIETQR_ACCOUNT_NAME", "SEPAY_SECRET"),
    secret_fields=("SEPAY_SECRET",),
    build=_build,
    suite="adapters.vectors.vietqr:VietqrConformance",
    optional_fields=("VIETQR_VIRTUAL_PREFIX",),
)
