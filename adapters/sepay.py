"""SePay: tells us of each credit on a bank account, by a signed webhook.

Notice    POST JSON; ``X-SePay-Signature: sha256=`` and the HMAC-SHA256 of the timestamp, a dot and
          the raw body; refused when ``X-SePay-Timestamp`` is over 5 minutes off.
          Answer 200 ``{"success": true}``; else eight deliveries in Fibonacci minutes.
Money     ``transferType`` ``in`` is a credit; ``out`` is known and ignored.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from adapters import signing, strict_json
from gateway.domain.calendar import HANOI
from gateway.domain.errors import ForgedError
from gateway.domain.money import amount_dong_max
from gateway.ports.provider import Ack, Movement, Notice, Outcome, RawNotice, Verdict

notice_body_bytes_max: Final = 65_536  # A genuine body is under 2 KB; longer is an attack.
notice_query_chars_max: Final = 1_024  # SePay sends none.
tolerance_s: Final = 300  # SePay's own rule against replays.
_ACCOUNTS: Final = ("accountNumber", "subAccount")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_STAMP: Final = re.compile(r"[0-9]{1,12}")
_IDENTITY: Final = re.compile(r"[0-9A-Za-z-]{1,64}")
_STATUSES: Final = MappingProxyType({Outcome.FORGED: 401, Outcome.FAILED: 500})


def read(
    secret: str, account_number: str, raw: RawNotice, payment_of: Callable[[str], str]
) -> Notice:
    """Verify, then parse, one webhook about one of our account's movements.

    ``payment_of`` gives the payment that a virtual account of ours stands for.
    """
    _verify(secret, raw)
    try:
        said = strict_json.read_object(raw.body)
        named = [x for name in _ACCOUNTS if (x := payment_of(_words(said, name)))]
        return _notice(said, account_number, named[0] if named else "")
    except (ValueError, OverflowError) as error:  # The year 1 has no UTC in Hanoi.
        raise ForgedError("The notice cannot be read.") from error


def acknowledge(outcome: Outcome) -> Ack:
    """Answer as SePay expects; an unknown order is still money we have written down."""
    status = _STATUSES.get(outcome, 200)
    return Ack(status, b'{"success":true}' if status == 200 else b'{"success":false}')  # noqa: PLR2004 - HTTP's own word.


def _verify(secret: str, raw: RawNotice) -> None:
    if raw.method != "POST" or len(raw.query) > notice_query_chars_max:
        raise ForgedError("SePay sends a POST without a query.")
    if len(raw.body) > notice_body_bytes_max:
        raise ForgedError("The body is too long.")
    stamp = raw.headers.get("x-sepay-timestamp", "")
    if not _STAMP.fullmatch(stamp):
        raise ForgedError("The timestamp is missing or unreadable.")
    expected = signing.hmac_sha256(secret, stamp.encode() + b"." + raw.body)
    signing.require(raw.headers.get("x-sepay-signature", ""), f"sha256={expected}")
    if abs(raw.received_at.timestamp() - int(stamp)) > tolerance_s:
        raise ForgedError("The notice is too old or from the future.")


def _notice(said: dict[str, Any], account_number: str, payment_reference: str) -> Notice:
    if not payment_reference and account_number not in (said.get(name) for name in _ACCOUNTS):
        raise ForgedError("The notice is about another account.")
    txn_id = f"sepay-{_identity(said.get('id'))}"
    direction = said.get("transferType")
    if direction == "out":
        return Notice(Verdict.PENDING, txn_id, 0, merchant=account_number, code="out")
    if direction != "in":
        raise ValueError("The direction is neither in nor out.")
    amount = said.get("transferAmount")
    if type(amount) is not int or not 0 < amount <= amount_dong_max:
        raise ValueError("The amount is not a whole number of đồng.")
    day, paid_at = _paid(_words(said, "transactionDate"))
    return Notice(
        Verdict.CAPTURED,
        txn_id,
        amount,
        memo=_words(said, "content"),
        payment_reference=payment_reference,
        movement=Movement(
            account=account_number,
            booked_on=day,
            amount=amount,
            bank_reference=_words(said, "referenceCode"),
        ),
        paid_at=paid_at,
        merchant=account_number,
        code="in",
    )


def _identity(value: object) -> str:
    """Take the deduplication key: a positive number, or a short word."""
    text = str(value) if type(value) in (int, str) else ""
    if not _IDENTITY.fullmatch(text) or text.startswith("-") or text == "0":
        raise ValueError("The id is not a number or a short word.")
    return text


def _words(said: dict[str, Any], name: str) -> str:
    """Take a text, empty where absent; NUL cannot be stored, so it becomes a space."""
    value = said.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError("A text is not a text.")  # noqa: TRY004 - one kind of refusal.
    return value.replace("\x00", " ")


def _paid(text: str) -> tuple[str, datetime]:
    """Read Hanoi's day, and the instant."""
    if not _DATE.fullmatch(text):
        raise ValueError("The date is not a date.")
    return text[:10], datetime.fromisoformat(text).replace(tzinfo=HANOI).astimezone(UTC)
