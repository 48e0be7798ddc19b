"""Does what two people agreed to: entries, matches, payments, and the breaks that it resolves.

All of it in the transaction of the agreement, so that half of it never stands.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from sqlalchemy import insert, text

from gateway.domain import ledger
from gateway.domain.homes import Share, allocations, give_home
from gateway.domain.ledger import Entry
from gateway.store import tables as t
from gateway.store.tx import Tx
from reconciliation.planning import ARRIVAL, BACK, HOME, LOSS, SAME_MONEY, Plan
from reconciliation.posting import arrived

BY_HAND: Final = "by-hand"
_CLOSE: Final = text(
    "UPDATE break SET state = 'resolved', resolved_at = :now, resolution = :how"
    " WHERE agency_id = :agency AND id = ANY(:ids) AND state = 'open'"
)
_REOPEN: Final = text(
    "UPDATE break SET state = 'open', resolved_at = NULL, resolution = NULL"
    " WHERE agency_id = :agency AND id = ANY(:ids)"
)
_TAKE_BACK: Final = text(
    "DELETE FROM recon_match WHERE agency_id = :agency AND action_id = :action AND rule = 'by-hand'"
)
# As a run says it (casework.py): in the books in English, on pages in the reader's language.
WHY: Final[Mapping[str, str]] = {
    HOME: "two people gave this money a home",
    SAME_MONEY: "two people say that both are the same money",
    ARRIVAL: "two people say what this credit brought",
    LOSS: "two people approved the loss",
}


def work_of(plan: Plan) -> dict[str, Any]:
    """Say what an agreement does, as it is sealed; an undo finds there what to take back."""
    scene, matches, homes, closed = plan.scene, [], [], set()
    if plan.how == BACK:
        done = plan.done or {}
        return {**done, "how": BACK, "undoes": done["how"], "of": plan.wanted.of}
    for source, target, amount in plan.pairs:
        money = scene.money_of(source.id)
        if plan.how == HOME:
            homes.append([money["id"], target.id, amount])
        else:
            line = money["id"] if plan.how == ARRIVAL else money["line"]
            matches.append([line, target.id, amount])
            closed.add(scene.captures[target.id]["missing_break"])
        closed.add(source.id)
    losses: list[list[Any]] = []
    if plan.how == LOSS:
        (case,) = scene.breaks.values()
        money = scene.money_of(case["id"])
        closed.add(case["id"])
        if "net" in money:
            matches.append([money["id"], None, case["amount"]])
        losses = [["line" if "net" in money else "capture", money["id"], case["amount"]]]
    return {
        "how": plan.how, "matches": matches, "homes": homes, "losses": losses,
        "twins": [[scene.money_of(s.id)["id"], s.amount] for s in plan.wanted.sources]
        if plan.how == SAME_MONEY else [],
        "closed": sorted(k for k in closed if k),
    }  # fmt: skip


async def carry_out(tx: Tx, agency_id: str, plan: Plan, action_id: str) -> None:
    """Do it. The day, payments and breaks are held already."""
    work = work_of(plan)
    undoes = plan.how == BACK
    for on, entries in _entries(plan, work):
        await tx.post(agency_id, ledger.storno(entries) if undoes else tuple(entries), on=on)
    if undoes:
        await tx.run(_TAKE_BACK, {"agency": agency_id, "action": plan.wanted.of})
        await tx.run(_REOPEN, {"agency": agency_id, "ids": work["closed"]})
        return
    if plan.how == HOME:
        await _give_homes(tx, agency_id, plan)
    why = WHY[plan.how]
    if work["matches"]:
        await tx.run(
            insert(t.recon_match),
            [{"agency_id": agency_id, "id": tx.clock.new_id("mat"), "action_id": action_id,
              "rule": BY_HAND, "why": why, "line_id": line, "capture_id": capture,
              "amount": amount} for line, capture, amount in work["matches"]],
        )  # fmt: skip
    await tx.run(
        _CLOSE,
        {"agency": agency_id, "ids": work["closed"], "how": why, "now": tx.clock.now()},
    )


def _entries(
    plan: Plan, work: Mapping[str, Any]
) -> Iterable[tuple[date | None, tuple[Entry, ...]]]:
    """Give the entries of a link or loss by their true day; an undo takes the same ones back."""
    scene, how = plan.scene, work.get("undoes", work["how"])
    if how == ARRIVAL:
        by_line: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for line, capture, amount in work["matches"]:
            by_line[line].append((amount, _account(plan, capture)))
        for line, parts in by_line.items():
            posting = arrived(scene.lines[line], parts)
            yield posting.on, posting.entries
    for capture, amount in work["twins"]:
        # On the day of the word that falls away: the other has arrived by its line since then.
        yield (
            scene.captures[capture]["booked_on"],
            ledger.same_money(capture, amount, _account(plan, capture)),
        )
    for kind, voucher, amount in work["losses"]:
        if kind == "line":
            line = scene.lines[voucher]
            named = ("statement_line", voucher)
            yield line["booked_on"], ledger.written_off(named, ledger.BANK, amount, None)
        else:
            named, account = ("correction", voucher), _account(plan, voucher)
            yield None, ledger.written_off(named, ledger.CLEARING, amount, account)


def _account(plan: Plan, capture_id: str) -> str:
    capture = plan.scene.captures[capture_id]
    return f"{capture['provider']}/{capture['account']}"


async def _give_homes(tx: Tx, agency_id: str, plan: Plan) -> None:
    """Pay the payments, each whole; what each capture was for is written beside it."""
    shares: dict[str, list[Share]] = defaultdict(list)
    for source, target, amount in plan.pairs:
        capture = plan.scene.money_of(source.id)
        shares[target.id].append(Share(capture["id"], amount, capture["paid_at"]))
    for payment_id, parts in sorted(shares.items()):
        payment = plan.payments[payment_id]
        await tx.record([give_home(payment, parts)])
        for capture_id, share in allocations(payment, parts):
            await tx.put(
                t.allocation,
                {"agency_id": agency_id, "capture_id": capture_id,
                 "payment_id": share.payment_id, "use": share.use, "amount": share.amount},
            )  # fmt: skip
