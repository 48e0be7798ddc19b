"""A bank with SePay: a citizen transfers money with a text, the bank mangles it, SePay tells."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from adapters.simulator.config import SimulatorConfig
from adapters.simulator.faults import Fault, FaultScript, Variant, plan, wrong
from adapters.simulator.journal import BudgetLine, Journal, JournalEntry
from adapters.simulator.post import Letter, Post, Request
from gateway.domain.calendar import HANOI
from gateway.ports.clock import Clock

# Eight deliveries in all, Fibonacci minutes apart.
RETRIES: Final = tuple(timedelta(minutes=m) for m in (1, 1, 2, 3, 5, 8, 13))
FIRST_ID: Final = 92_000
FOREIGN_ACCOUNT: Final = "9999999999"


def settings(_origin: str, secret: Callable[[str], str]) -> dict[str, str]:
    """Give our settings for the simulated bank account and its SePay."""
    return {
        "VIETQR_BANK_BIN": "970436", "VIETQR_ACCOUNT": "0123456789",
        "VIETQR_ACCOUNT_NAME": "TRUNG TAM PHUC VU HANH CHINH CONG",
        "SEPAY_SECRET": secret("SEPAY_SECRET"),
    }  # fmt: skip


class TransferError(ValueError):
    """The bank cannot make this transfer, and says why."""


def read_qr(text: str) -> dict[str, str]:
    """Read a VietQR as a bank app does: account, amount and text."""
    if len(text) < 8 or f"{_crc(text[:-4].encode()):04X}" != text[-4:]:  # noqa: PLR2004 - tag and CRC.
        raise TransferError("The QR is damaged.")
    root = _fields(text)
    to = _fields(_fields(root["38"])["01"])
    return {
        "bank_bin": to["00"],
        "account": to["01"],
        "amount": root.get("54", ""),
        "memo": _fields(root.get("62", "")).get("08", ""),
    }


def _fields(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    while text:
        size = int(text[2:4])
        found[text[:2]], text = text[4 : 4 + size], text[4 + size :]
    return found


def _crc(data: bytes) -> int:
    """CRC-16/CCITT-FALSE by long division, written apart from our adapter on purpose."""
    bits = int.from_bytes(data, "big") << 16 ^ 0xFFFF << (8 * len(data))
    for shift in range(8 * len(data) - 1, -1, -1):
        if bits >> (shift + 16) & 1:
            bits ^= 0x11021 << shift
    return bits & 0xFFFF


def draw_qr(values: Mapping[str, str], amount: int, memo: str) -> str:
    """Draw a VietQR of the account, as a bank's own system does."""
    to = _tlv("00", values["VIETQR_BANK_BIN"]) + _tlv("01", values["VIETQR_ACCOUNT"])
    holder = _tlv("00", "A000000727") + _tlv("01", to) + _tlv("02", "QRIBFTTA")
    text = _tlv("00", "01") + _tlv("01", "12") + _tlv("38", holder) + _tlv("53", "704")
    text += _tlv("54", str(amount)) + _tlv("58", "VN") + _tlv("62", _tlv("08", memo)) + "6304"
    return f"{text}{_crc(text.encode()):04X}"


def _tlv(tag: str, value: str) -> str:
    return f"{tag}{len(value):02d}{value}"


def noisy(memo: str, number: int, account: str) -> str:
    """Mangle a transfer's text in the ways that banks do."""
    ways = (
        memo,
        f"MBVCB.{number}.{memo.lower()}.CT tu 0351000646393 NGUYEN THE HUNG toi {account}",
        f"{memo[:7]}\n{memo[7:]} FT{number}",
        " ".join(memo[i : i + 4] for i in range(0, len(memo), 4)),
        f"NGUYỄN THỊ HOÀ chuyển khoản {memo}-{number}",
    )
    return ways[number % len(ways)]


@dataclass(slots=True)
class BankSide:
    """The agency's bank account as bank and SePay see it."""

    clock: Clock
    config: SimulatorConfig
    journal: Journal
    post: Post
    faults: FaultScript
    # Who else sees the account's credits, beside SePay.
    watchers: list[Callable[[JournalEntry, Fault | None], None]] = field(default_factory=list)

    def transfer_by_qr(
        self,
        qr_text: str,
        amount: int | None = None,
        memo: str | None = None,
        obligation_id: str = "",
        lines: tuple[BudgetLine, ...] = (),
    ) -> JournalEntry:
        """Scan a QR and pay it; amount and text can be edited, as in a bank app."""
        try:
            read = read_qr(qr_text)
            asked = int(read["amount"] or 0)
        except (KeyError, ValueError) as error:
            raise TransferError("This is not a VietQR that can be paid.") from error
        text = read["memo"] if memo is None else memo
        self.faults.set_asked(text)
        paid = asked if amount is None else amount
        if amount is None and self.faults.of(text, asked) is Fault.WRONG_AMOUNT:
            paid = wrong(asked)
        return self.transfer(read["account"], paid, text, asked, obligation_id, lines)

    def transfer(
        self,
        account: str,
        amount: int,
        memo: str,
        expected: int = 0,
        obligation_id: str = "",
        lines: tuple[BudgetLine, ...] = (),
    ) -> JournalEntry:
        """Make a transfer to an account of this bank."""
        if account != self.config.bank_account and not self._is_virtual(account):
            raise TransferError("This bank has no such account.")
        if amount <= 0:
            raise TransferError("An amount is a positive number of đồng.")
        self.faults.set_asked(memo)
        fault = self.faults.of(memo, expected or amount) if memo else None
        return self.credit(amount, memo, expected, fault, obligation_id, lines, account=account)

    def _is_virtual(self, account: str) -> bool:
        """Tell whether an account stands for the agency's, whatever the agency put behind it."""
        prefix = self.config.values.get("VIETQR_VIRTUAL_PREFIX", "")
        return bool(prefix) and account.upper().startswith(prefix)

    def credit(
        self, amount: int, memo: str, expected: int, fault: Fault | None, obligation_id: str,
        lines: tuple[BudgetLine, ...], order: str = "", account: str = "",
    ) -> JournalEntry:  # fmt: skip
        """Move money at once, write it down, and let whoever watches the account tell of it."""
        number, account = FIRST_ID + len(self.journal) + 1, account or self.config.bank_account
        entry = JournalEntry(
            "bank",
            f"sepay-{number}",
            "",
            memo,
            amount,
            expected,
            self.clock.now(),
            account,
            bank_reference=f"FT{number:012d}",
            noisy_memo=noisy(memo, number, account),
            obligation_id=obligation_id,
            lines=lines,
            fault=fault or "",
            order=order,
        )
        self.journal.add(entry)
        self._tell(entry, number, fault)
        for saw in self.watchers:
            saw(entry, fault)
        return entry

    def _tell(self, entry: JournalEntry, number: int, fault: Fault | None) -> None:
        for delivery in plan(fault):
            body = self._body(entry, number, delivery.variant)
            forged = delivery.variant is Variant.FORGED
            secret = "a-forger's own" if forged else self.config.values["SEPAY_SECRET"]
            genuine = delivery.variant is Variant.GENUINE
            signer = _Signer(self.config.notice_url("sepay"), secret, body)
            letter = Letter(signer, _understood, RETRIES if genuine else ())
            for _ in range(delivery.times):
                self.post.later(entry.at + delivery.after, letter)

    def _body(self, entry: JournalEntry, number: int, variant: Variant) -> bytes:
        said = {
            "id": number,
            "gateway": "Vietcombank",
            "transactionDate": entry.at.astimezone(HANOI).strftime("%Y-%m-%d %H:%M:%S"),
            "accountNumber": self.config.bank_account,
            "code": None,
            "content": entry.noisy_memo,
            "transferType": "in",
            "transferAmount": entry.amount,
            "accumulated": sum(e.amount for e in self.journal.entries("bank")),
            "subAccount": entry.account if self._is_virtual(entry.account) else None,
            "referenceCode": entry.bank_reference,
            "description": f"BankAPINotify {entry.noisy_memo}",
        }
        if variant is Variant.FOREIGN:
            said["accountNumber"] = FOREIGN_ACCOUNT
        if variant is Variant.STALE:  # Money that left: known, and nothing to a payment.
            said |= {"id": number + 500_000_000, "transferType": "out"}
        return json.dumps(said, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class _Signer:
    """Sign at each delivery, so that a retry carries its own time."""

    url: str
    secret: str = field(repr=False)
    body: bytes = field(repr=False)

    def __call__(self, now: datetime) -> Request:
        """Make the request of this moment."""
        stamp = str(int(now.timestamp()))
        signed = stamp.encode() + b"." + self.body
        mac = hmac.new(self.secret.encode(), signed, hashlib.sha256).hexdigest()
        headers = {
            "content-type": "application/json",
            "x-sepay-timestamp": stamp,
            "x-sepay-signature": f"sha256={mac}",
        }
        return Request("POST", self.url, headers, self.body)


def _understood(status: int, body: bytes) -> bool:
    try:
        return 200 <= status < 300 and json.loads(body)["success"] is True  # noqa: PLR2004 - HTTP's own words.
    except (ValueError, KeyError, TypeError):
        return False
