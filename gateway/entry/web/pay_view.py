"""What the payment page shows: how a payment stands, in words, and what can be done about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.domain.calendar import HANOI
from gateway.domain.money import figures
from gateway.domain.payment import Payment
from gateway.domain.states import State
from gateway.entry.web.citizen_words import PAY, spoken
from gateway.ports.provider import Checkout, Method
from gateway.services import catalogue
from gateway.services.ways import Offer
from receipts.words import in_words

_PAID = (State.PAID, State.SETTLED)
_TONES = {"paid": "good", "waived": "good", "refunded": "", "open": ""}


@dataclass(frozen=True, slots=True)
class Seen:
    """All that the page is made of.

    ``told`` is what became of the last try, ``elsewhere`` who else issues the receipt; or nothing.
    """

    payment: Payment
    agency: str
    is_sandbox: bool
    now: datetime
    receipts: Sequence[dict[str, Any]]
    offers: Sequence[tuple[Offer, Sequence[Method]]] = ()
    transfer: Checkout | None = None
    told: str = ""
    elsewhere: str = ""


def standing(payment: Payment, now: datetime) -> str:
    """Name how it stands for the citizen, who need not wait for our clock's jobs."""
    if payment.state in _PAID:
        return "paid"
    if payment.state is not State.OPEN:
        return str(payment.state)
    if payment.in_doubt:
        return "doubt"
    if payment.expires_at <= now:
        return "expired"
    return "partly" if payment.amount_on_account else "open"


def news(payment: Payment, now: datetime, receipts: int) -> str:
    """Give the words by which an open page sees that something is new: money, or a receipt."""
    came = payment.amount_on_account + payment.amount_suspended
    return f"{standing(payment, now)} {came} {receipts}"


def view(seen: Seen, lang: str) -> dict[str, Any]:
    """Give everything that the page says."""
    payment, shown = seen.payment, spoken(lang, PAY)
    words = shown["t"]
    stands = standing(payment, seen.now)
    is_open = stands in ("open", "partly")
    received = payment.amount_on_account if is_open or stands == "doubt" else 0
    wanted = {line.kind for line in payment.lines if line.amount}
    first = sum(1 for x in seen.receipts if x["replaces"] is None)
    receipt_soon = stands == "paid" and not seen.elsewhere and first < len(wanted)
    return shown | {
        "agency": seen.agency,
        "is_sandbox": seen.is_sandbox, "here": f"/pay/{payment.token}",
        "procedure": catalogue.name_of(payment.agency_id, payment.procedure)[lang == "en"],
        "dossier": payment.dossier_id, "reference": payment.reference,
        "is_open": is_open, "headline": words[stands], "tone": _TONES.get(stands, "warn"),
        "told": words[f"told_{seen.told}"] if seen.told and is_open else "",
        "advice": _advice(payment, stands, words),
        "until": _at(payment.expires_at) if is_open else "",
        "paid_at": _at(payment.paid_at) if payment.paid_at and stands == "paid" else "",
        "lines": [
            {"name": x.name, "kind": _kind(x.name, words[x.kind], lang), "amount": x.amount}
            for x in payment.lines
        ],
        "total": payment.amount, "received": received, "due": payment.amount - received,
        "in_words": in_words(payment.amount - received),
        "qr": seen.transfer.beneficiary if seen.transfer else None,
        "memo": f"TP{payment.reference}",
        "ways": [
            _way(offer, methods, lang, words)
            for offer, methods in seen.offers
            # These take the whole amount, so they are no way to pay the rest of one.
            if offer.provider.can.redirects and not received
        ],
        "receipts": [_receipt(x, words) for x in seen.receipts if x["status"] == "valid"],
        "replaced": [_receipt(x, words) for x in seen.receipts if x["status"] == "replaced"],
        "elsewhere": words["elsewhere"].format(seen.elsewhere) if seen.elsewhere else "",
        "receipt_soon": receipt_soon, "back": payment.return_url,
        "check_again": payment.state is State.OPEN or receipt_soon,
        "state": news(payment, seen.now, len(seen.receipts)),
    }  # fmt: skip


def _at(at: datetime) -> str:
    return at.astimezone(HANOI).strftime("%H:%M, %d/%m/%Y")


def _advice(payment: Payment, stands: str, words: dict[str, str]) -> list[str]:
    """Say what to do, and where money is that did not pay this."""
    held = payment.amount_suspended
    if stands in ("expired", "cancelled"):
        held += payment.amount_on_account
    about = words["extra" if stands == "paid" else "held"].format(_dong(held))
    came, missing = payment.amount_on_account, payment.amount - payment.amount_on_account
    advice = words[f"{stands}_advice"].format(_dong(came), _dong(missing))
    return [x for x in (advice, about if held else "") if x]


def _dong(amount: int) -> str:
    return f"{figures(amount)}\u00a0đ"


def _kind(name: str, kind: str, lang: str) -> str:
    """Name the kind of a fee line whose own name does not begin with it."""
    return "" if lang == "vi" and name.lower().startswith(kind) else kind


def _way(
    offer: Offer, methods: Sequence[Method], lang: str, words: dict[str, str]
) -> dict[str, Any]:
    """Show one way to pay; one that does not work says why, and when it is tried again."""
    n, can, retry = lang == "en", offer.provider.can, offer.health.retry_at
    hour = retry.astimezone(HANOI).strftime("%H:%M") if retry else ""
    return {
        "name": offer.provider.name, "title": (can.title_vi, can.title_en)[n],
        "is_open": offer.is_open, "why": words["not_now"].format(hour) if hour else "",
        "abroad": words["abroad"] if can.needs_abroad else "",
        "receipt": words["will_be_elsewhere"].format((can.title_vi, can.title_en)[n])
        if can.issues_receipt else "",
        "methods": [{"code": m.code, "title": (m.title_vi, m.title_en)[n]} for m in methods],
    }  # fmt: skip


def _receipt(shown: dict[str, Any], words: dict[str, str]) -> dict[str, Any]:
    title = words[f"receipt_{shown['kind']}"]
    # A title that stands in the middle of a sentence begins with a small letter.
    download = words["get_pdf"].format(title[0].lower() + title[1:])
    return {
        "title": title, "series": shown["series"], "number": shown["number"],
        "amount": shown["amount"], "download": download, **shown["links"],
    }  # fmt: skip
