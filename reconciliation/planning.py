"""What a proposal would do, worked out anew each time: when it is made, shown, and agreed to.

A plan is refused where the books do not allow it. It writes nothing; ``settling`` does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import text

from gateway.domain.errors import Refusal
from gateway.domain.homes import require_home
from gateway.domain.payment import Payment
from gateway.store.tx import Tx
from reconciliation import acts, evidence
from reconciliation.evidence import Scene, Side

LINK, WRITE_OFF, UNDO = WHATS = ("link", "write_off", "undo")
# How a link is booked, by whose money it is and what it is for.
HOME, SAME_MONEY, ARRIVAL, LOSS, BACK = "home", "same_money", "arrival", "write_off", "undo"
FOR_GOOD: Final = frozenset({HOME, BACK})  # These are never undone.
_DONE: Final = text(
    "SELECT a.id, a.break_id, a.said FROM case_action a WHERE a.agency_id = :agency"
    " AND a.id = :id AND a.kind = 'agree'"
)
_UNDONE: Final = text(
    "SELECT 1 AS yes FROM case_action a WHERE a.agency_id = :agency AND a.break_id = :break"
    " AND a.kind = 'agree' AND a.said::jsonb -> 'done' ->> 'of' = :id"
)
_MARKED: Final = text(
    "SELECT 1 AS yes FROM allocation a JOIN payment p ON p.agency_id = a.agency_id"
    " AND p.id = a.payment_id WHERE a.agency_id = :agency AND a.capture_id = ANY(:ids)"
    " AND p.state = 'settled' LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody proposes. ``of`` is the agreement that an undo takes back."""

    what: str
    reason: str = ""
    sources: tuple[Side, ...] = ()
    targets: tuple[Side, ...] = ()
    of: str = ""

    def as_json(self) -> dict[str, Any]:
        """Give it as it is sealed."""
        return {
            "what": self.what, "reason": self.reason, "of": self.of,
            "sources": [[s.kind, s.id, s.amount] for s in self.sources],
            "targets": [[s.kind, s.id, s.amount] for s in self.targets],
        }  # fmt: skip


def wanted_of(said: Mapping[str, Any]) -> Wanted:
    """Read a proposal back."""
    return Wanted(
        said["what"], said["reason"], tuple(Side(*s) for s in said["sources"]),
        tuple(Side(*s) for s in said["targets"]), said["of"],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done, and all that it rests on."""

    how: str
    wanted: Wanted
    scene: Scene
    payments: Mapping[str, Payment]
    pairs: Sequence[tuple[Side, Side, int]] = ()
    done: Mapping[str, Any] | None = None  # What an undo takes back.

    def seen(self) -> dict[str, Any]:
        """Give what is shown and signed: the proposal, and each thing as it stands now."""
        said: dict[str, Any] = evidence.shown({
            "how": self.how, "wanted": self.wanted.as_json(),
            "breaks": [*self.scene.breaks.values()], "captures": [*self.scene.captures.values()],
            "lines": [*self.scene.lines.values()], "done": self.done or {},
            "pairs": [[s.id, t.kind, t.id, amount] for s, t, amount in self.pairs],
            "payments": [
                {"id": p.id, "reference": p.reference, "dossier": p.dossier_id,
                 "state": str(p.state), "amount": p.amount, "on_account": p.amount_on_account,
                 "in_doubt": p.in_doubt}
                for p in self.payments.values()
            ],
        })  # fmt: skip
        return said


async def plan(tx: Tx, agency_id: str, break_id: str, wanted: Wanted) -> Plan:
    """Work out what a proposal does now; everything that it touches is locked. Raises Refusal."""
    if wanted.what == UNDO:
        return await _undo(tx, agency_id, break_id, wanted)
    if wanted.what == WRITE_OFF:
        return await _loss(tx, agency_id, break_id, wanted)
    if wanted.what != LINK:
        raise Refusal("invalid-request", "Propose a link, a loss to write off, or an undo.")
    return await _link(tx, agency_id, break_id, wanted)


async def _link(tx: Tx, agency_id: str, break_id: str, wanted: Wanted) -> Plan:
    if break_id not in {s.id for s in wanted.sources}:
        raise Refusal("case-not-fit", "The break itself is not among its parts.")
    names = [t.id for t in wanted.targets if t.kind == "payment"]
    payments: dict[str, Payment] = {}
    for payment_id in await evidence.payment_ids(tx, agency_id, names):
        found = await tx.payment(agency_id, payment_id, lock=True)
        if found:
            payments[found.id] = found
    captures = [t.id for t in wanted.targets if t.kind == "capture"]
    scene = await evidence.load(tx, agency_id, [s.id for s in wanted.sources], captures)
    by_name = {n: p for p in payments.values() for n in (p.id, p.reference)}
    targets = tuple(
        replace(t, id=_payment(by_name, t.id).id) if t.kind == "payment" else t
        for t in wanted.targets
    )
    whole = replace(wanted, targets=targets)
    for sides in (whole.sources, targets):
        if len({s.id for s in sides}) != len(sides):
            raise Refusal("case-not-fit", "Each part is named once.")
    how = _how(scene, whole)
    for source in whole.sources:
        _free(scene, source)
    for target in targets:
        _fits(scene, payments, target, how)
    if how == SAME_MONEY:
        _twins(scene, whole)
    return Plan(how, whole, scene, payments, evidence.filled(whole.sources, targets))


def _payment(by_name: Mapping[str, Payment], name: str) -> Payment:
    found = by_name.get(name)
    if found is None:
        raise Refusal("case-not-fit", "No payment of this agency has that reference.")
    return found


def _how(scene: Scene, wanted: Wanted) -> str:
    """Say how a link is booked; money in suspense and lines of a bank are never mixed."""
    lines = {"net" in scene.money_of(s.id) for s in wanted.sources}
    kinds = {t.kind for t in wanted.targets}
    named = {(False, "payment"): HOME, (False, "capture"): SAME_MONEY, (True, "capture"): ARRIVAL}
    how = named.get((lines.pop(), kinds.pop())) if len(lines) == len(kinds) == 1 else None
    if how is None:
        raise Refusal("case-not-fit", "These do not belong to one link: resolve them in turns.")
    return how


def _free(scene: Scene, source: Side) -> None:
    """Refuse money that is not this break's to give any more."""
    case, money = scene.breaks[source.id], scene.money_of(source.id)
    whole = money["net"] if "net" in money else money["amount"]
    if case["state"] != "open" or case["amount"] != source.amount or whole != source.amount:
        raise Refusal("case-changed", "The break is not what it was; look again.")
    if "net" in money:
        if money["source"] != "statement" or money["is_matched"]:
            raise Refusal("case-not-fit", "Only a bank's credit that nothing explains is linked.")
        return
    if case["kind"] != "unknown_money" or money["receipt_elsewhere"]:
        raise Refusal("case-not-fit", "Only money that nobody has claimed is linked.")
    if money["is_refunded"] or money["is_disputed"]:
        raise Refusal("case-not-fit", "This money goes back to its payer.")


def _fits(scene: Scene, payments: Mapping[str, Payment], target: Side, how: str) -> None:
    """Refuse what cannot take the money."""
    if how == HOME:
        require_home(payments[target.id], target.amount)
        return
    capture = scene.captures[target.id]
    if capture["amount"] != target.amount:
        raise Refusal("case-not-fit", "A capture is linked whole.")
    if capture["line"] or capture["is_cash"] or capture["written_off"]:
        raise Refusal("case-not-fit", "Its money has arrived already, or was written off.")


def _twins(scene: Scene, wanted: Wanted) -> None:
    """Refuse unless the statement proves the one word and lacks the other, on one account."""
    ours = [scene.money_of(s.id) for s in wanted.sources]
    theirs = [scene.captures[t.id] for t in wanted.targets]
    accounts = {(c["provider"], c["account"]) for c in (*ours, *theirs)}
    is_proved = all(c["line"] for c in ours) and all(c["missing_break"] for c in theirs)
    if not is_proved or len(accounts) > 1:
        raise Refusal("case-not-fit", "The statement must list the one and lack the other.")


async def _loss(tx: Tx, agency_id: str, break_id: str, wanted: Wanted) -> Plan:
    scene = await evidence.load(tx, agency_id, [break_id])
    case, money = scene.breaks[break_id], scene.money_of(break_id)
    most = await evidence.write_off_max(tx, agency_id)
    if case["state"] != "open":
        raise Refusal("case-changed", "The break is not what it was; look again.")
    if case["amount"] > most:
        raise Refusal("case-not-fit", f"The agency lets at most {most} đồng be written off.")
    if "net" in money:
        is_fit = money["source"] == "statement" and money["net"] < 0 and not money["is_matched"]
    else:
        is_fit = case["kind"] == "missing_at_provider" and not (
            money["line"] or money["is_cash"] or money["is_refunded"] or money["is_disputed"]
            or money["amount"] != case["amount"] or money["written_off"]
        )  # fmt: skip
    if not is_fit:
        raise Refusal("case-not-fit", "Only money that never came, or a bank's charge, is a loss.")
    return Plan(LOSS, wanted, scene, {})


async def _undo(tx: Tx, agency_id: str, break_id: str, wanted: Wanted) -> Plan:
    row = await tx.row(_DONE, {"agency": agency_id, "id": wanted.of})
    if row is None or row["break_id"] != break_id:
        raise Refusal("not-found", "Nothing of the kind was agreed about this break.")
    done = acts.read(row["said"])["done"]
    if done["how"] in FOR_GOOD:
        raise Refusal(
            "case-not-fit", "The payment is paid and has its receipt: ask for a refund instead."
        )
    again = {"agency": agency_id, "break": break_id, "id": wanted.of}
    if await tx.row(_UNDONE, again):
        raise Refusal("case-changed", "It was undone already.")
    captures = sorted({capture for _, capture, _ in done["matches"] if capture})
    scene = await evidence.load(tx, agency_id, done["closed"], captures)
    if await tx.row(_MARKED, {"agency": agency_id, "ids": captures}):
        raise Refusal("case-not-fit", "A closed day rests on it: reopen that day first.")
    if any(scene.breaks[k]["state"] == "open" for k in done["closed"]):
        raise Refusal("case-changed", "The break is not what it was; look again.")
    return Plan(BACK, wanted, scene, {}, done=done)
