"""The rows of attempts: which may still bring money, and how what is known of one is changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, select, text

from gateway.domain.payment import Break, Payment
from gateway.domain.states import LIVE, AttemptState
from gateway.store import tables as t
from gateway.store.tx import Row, Tx

_CLEAR: Final = text(
    "UPDATE break SET state = 'resolved', resolved_at = :now, resolution = :how"
    " WHERE agency_id = :agency AND subject = :subject AND kind = 'status_conflict'"
    " AND state = 'open'"
)
# What closed by itself opens again; what a person has closed stays closed.
_AGAIN: Final = text(
    "UPDATE break SET state = 'open', resolved_at = NULL, resolution = NULL"
    " WHERE agency_id = :agency AND subject = :subject AND kind = 'status_conflict'"
    " AND state = 'resolved' AND resolution LIKE :how"
)
_WHY: Final = text(
    "SELECT why FROM break WHERE agency_id = :agency AND subject = :subject"
    " AND kind = 'status_conflict' AND state = 'open'"
)
_ENDED: Final = "the attempt ended: "
# Unless they were asked about, no case was opened about these: most attempts are paid from here.
_PLAIN: Final = frozenset({AttemptState.STARTED, AttemptState.REDIRECTED})
Account = tuple[str, str]  # A provider, and one of its accounts.
_A: Final = t.attempt.c
_DUE: Final = select(_A.provider, _A.account).where(_A.ask_at <= bindparam("now")).distinct()
_NEXT: Final = (
    select(t.attempt)
    .where(
        _A.ask_at <= bindparam("now"),
        _A.provider == bindparam("name"), _A.account == bindparam("holder"),
    )
    .order_by(_A.ask_at)
    .limit(1)
    .with_for_update(skip_locked=True, key_share=True)
)  # fmt: skip


async def live_attempts(
    tx: Tx, agency_id: str, payment_id: str, *, lock: bool = False, if_free: bool = False
) -> Sequence[Row]:
    """List the attempts through which money may still come for a payment.

    ``lock`` is for whoever has not locked the payment yet; after that, only those that are free
    may be locked (locks.py): who holds another is being told its end, and may wait for the payment.
    """
    a, s = t.attempt.c, t.attempt_share.c
    live = (
        select(t.attempt)
        .join(t.attempt_share, (s.agency_id == a.agency_id) & (s.attempt_id == a.id))
        .where(
            s.agency_id == agency_id, s.payment_id == payment_id,
            a.state.in_([str(x) for x in LIVE]),
        )
        .order_by(a.id)
    )  # fmt: skip
    if lock or if_free:
        live = live.with_for_update(of=t.attempt, key_share=True, skip_locked=if_free)
    return await tx.rows(live)


async def set_attempt(tx: Tx, attempt: Row, **values: object) -> None:
    """Change what is known of an attempt; where a person was to look, its end clears that up.

    Whoever locks the payment too does so before: a case comes after it (locks.py).
    """
    key = {"agency_id": attempt["agency_id"], "id": attempt["id"]}
    await tx.change(t.attempt, key, values)
    told, was = values.get("state"), AttemptState(attempt["state"])
    state = AttemptState(str(told or was))
    if told and state not in LIVE and (was not in _PLAIN or attempt["asked"]):
        await tx.run(
            _CLEAR,
            {"agency": attempt["agency_id"], "subject": f"attempt:{attempt['id']}",
             "now": tx.clock.now(), "how": f"{_ENDED}{state}"},
        )  # fmt: skip


async def let_look(
    tx: Tx, attempt: Row, payment: Payment | None, why: str, amount: int | None = None
) -> None:
    """Have a person look at an attempt, once; again where an end had cleared that up."""
    subject = f"attempt:{attempt['id']}"
    found = Break(
        "status_conflict", subject, amount or attempt["amount"], why,
        payment.id if payment else None, proposal="ask the provider",
    )  # fmt: skip
    await tx.open_break(attempt["agency_id"], found)
    await tx.run(_AGAIN, {"agency": attempt["agency_id"], "subject": subject, "how": f"{_ENDED}%"})


async def why_looked_at(tx: Tx, attempt: Row) -> str | None:
    """Give why a person is to look at an attempt, or None."""
    named = {"agency": attempt["agency_id"], "subject": f"attempt:{attempt['id']}"}
    row = await tx.row(_WHY, named)
    return row["why"] if row else None


async def accounts_due(tx: Tx, now: datetime) -> list[Account]:
    """List the accounts that are to be asked about something by now."""
    rows = await tx.rows(_DUE, {"now": now})
    return [(row["provider"], row["account"]) for row in rows]


async def next_due(tx: Tx, account: Account, now: datetime) -> Row | None:
    """Give the attempt that an account is to be asked about first; lock it, and wait for nobody."""
    name, holder = account
    return await tx.row(_NEXT, {"now": now, "name": name, "holder": holder})
