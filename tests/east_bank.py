"""East Bank: an invented bank at the level of the port; it gives money back, and can be silent."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from front_door import AGENCY, Site
from sqlalchemy import text

from gateway.domain.errors import DeclinedError, ForgedError, InDoubtError
from gateway.entry.bootstrap import Parts
from gateway.ports.provider import (
    Ack,
    Can,
    Checkout,
    Dispute,
    DisputeState,
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
from gateway.services.invariants import violations


@dataclass
class EastBank:
    """Keeps what it was asked to give back; the same reference moves money once."""

    name: str = "eastbank"
    account: str = "default"
    rule: RefundRule | None = field(default_factory=RefundRule)
    given: dict[str, int] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)  # done | pending | refused | silent |
    # lost | away | crash

    @property
    def can(self) -> Can:
        return Can(
            title_vi="Ngân hàng Đông", title_en="East Bank", refund=self.rule,
            notice_names=("eastbank",),
        )  # fmt: skip

    async def checkout(self, order: Order) -> Checkout:
        return Checkout(redirect_url=f"http://127.0.0.1:9/east/{order.reference}")

    def read(self, raw: RawNotice) -> Notice:
        """Read ``reference|txn|amount`` or ``dispute|txn|id|state|amount|fee``."""
        said = raw.body.decode().split("|")
        if said[0] == "dispute":
            _, txn, name, state, amount, fee = said
            about = Dispute(name, DisputeState(state), int(amount), int(fee))
            return Notice(Verdict.REVIEW, txn, 0, dispute=about)
        if len(said) != 3:
            raise ForgedError("This is not ours.")
        return Notice(Verdict.CAPTURED, said[1], int(said[2]), order_reference=said[0])

    def acknowledge(self, outcome: Outcome) -> Ack:
        return Ack(200, str(outcome).encode(), "text/plain")

    async def refund(self, order: RefundOrder) -> RefundSaid:
        self.calls.append(f"refund {order.reference}")
        answer = self.answers.pop(0) if self.answers else "done"
        if answer == "lost":
            raise DeclinedError("It never arrived.")
        if answer == "away":
            raise DeclinedError("Nobody answers the door.", is_unreachable=True)
        if answer != "refused":
            self.given[order.reference] = order.amount
        if answer == "silent":
            raise InDoubtError("No answer.")
        if answer == "crash":
            raise RuntimeError("We fall over before we have read the answer.")
        return self._said(order, answer)

    async def ask_refund(self, order: RefundOrder, at: datetime) -> RefundSaid:
        self.calls.append(f"ask {order.reference} {at:%H:%M}")
        answer = self.answers.pop(0) if self.answers else "done"
        if answer == "silent":
            raise InDoubtError("No answer.")
        return self._said(order, answer)

    def _said(self, order: RefundOrder, answer: str) -> RefundSaid:
        verdict = {
            "done": RefundVerdict.DONE, "pending": RefundVerdict.PENDING,
            "refused": RefundVerdict.REFUSED,
        }[answer]  # fmt: skip
        return RefundSaid(verdict, order.reference, f"R{order.serial}", answer)


def with_east_bank(parts: Parts, agency: str, bank: EastBank) -> None:
    """Let a site know this bank too."""
    parts.providers[bank.name, bank.account] = bank
    agencies, paths = parts.captures.agencies, parts.notices.by_path
    assert isinstance(agencies, dict)
    assert isinstance(paths, dict)
    agencies[bank.name, bank.account] = agency
    paths[bank.name, bank.account] = bank


DUE = 10_000


async def told(site: Site, body: str) -> str:
    """Let East Bank say something; give its thanks."""
    answer = await site.http.post("/notices/eastbank/default", content=body.encode())
    assert answer.status_code == 200
    return answer.text


async def paid(site: Site, n: int = 1, txn: str = "E1") -> dict[str, Any]:
    """Ask for a payment and let East Bank capture it."""
    payment = await site.payment(n)
    attempt = await site.attempt(payment, "eastbank")
    assert await told(site, f"{attempt['provider_reference']}|{txn}|{DUE}") == "recorded"
    return payment


async def ask(
    site: Site, payment: dict[str, Any], amount: int, expected: int, key: str | None = None
) -> Any:
    """Ask for a refund over the API."""
    body = {"amount": amount, "reason": "nộp nhầm hồ sơ", "expected_refundable": expected}
    return await site.ask(f"/payments/{payment['id']}/refunds", body, key)


async def holds(site: Site) -> None:
    """Say that every invariant holds."""
    await site.parts.outbox.sequence()
    assert await violations(site.parts.store) == []


async def rows(site: Site, query: str) -> list[dict[str, Any]]:
    """Read rows."""
    async with site.parts.store.begin() as tx:
        return [dict(r) for r in await tx.rows(text(query))]


async def quarrel(site: Site, txn: str, state: DisputeState, amount: int) -> None:
    """Let the bank of the agency's account say something about a transfer."""
    said = Notice(Verdict.REVIEW, txn, 0, dispute=Dispute(f"D{txn}", state, amount, 0))
    (took,) = await rows(site, f"SELECT provider, account FROM capture WHERE txn_id = '{txn}'")
    async with site.parts.store.begin() as tx:
        provider = site.parts.providers[took["provider"], took["account"]]
        await site.parts.notices.disputes.told(tx, provider, said, said.dispute, AGENCY)


async def last_event(site: Site, amount: str = "amount_suspended") -> tuple[str, int]:
    """Give what clients were told last, and an amount as it says it."""
    *_, last = await rows(site, "SELECT type, data FROM event ORDER BY serial")
    return last["type"], last["data"][amount]
