"""What the books know of the money that a provider tells of: one statement, under its locks.

A notice is the path that must be quick, and a round trip costs more than what it carries. So the
locks that go by a name are one statement (``Tx.hold``), and all that a word about an attempt needs
is the next one: it sees what was committed while the first waited.
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import JSON, Label, Select, Table, bindparam, select, type_coerce
from sqlalchemy.sql import func, literal_column

from gateway.domain.payment import Payment
from gateway.store import tables as t
from gateway.store.statements import LAST_CLOSED
from gateway.store.tx import Row, Tx
from gateway.store.views import payment_of

_A, _S, _P, _L, _C = t.attempt.c, t.attempt_share.c, t.payment.c, t.fee_line.c, t.capture.c
_attempt, _payment, _capture = "a.", "p.", "c."


@dataclass(frozen=True, slots=True)
class Found:
    """The attempt and its payment, both locked until the end; the capture of this very money."""

    attempt: Row | None = None
    payment: Payment | None = None
    known: Row | None = None


def _labelled(table: Table, mark: str) -> list[Label[Any]]:
    return [column.label(f"{mark}{column.name}") for column in table.c]


_SAME_MONEY: Final = (
    (_C.provider == bindparam("name"))
    & (_C.account == bindparam("holder"))
    & (_C.txn_id == bindparam("txn"))
)
_KNOWN: Final = select(t.capture).where(_SAME_MONEY)
_LINES: Final = (
    select(func.json_agg(literal_column("fee_line ORDER BY fee_line.n")))
    .where(_L.agency_id == _P.agency_id, _L.payment_id == _P.id)
    .correlate(t.payment)
    .scalar_subquery()
)


def _where(named: Any) -> Select[Any]:  # noqa: ANN401 - SQLAlchemy's own width.
    return (
        select(
            *_labelled(t.attempt, _attempt),
            *_labelled(t.payment, _payment),
            *_labelled(t.capture, _capture),
            type_coerce(_LINES, JSON).label("lines"),
            LAST_CLOSED.scalar_subquery().label("closed_on"),
        )
        .select_from(
            t.attempt.join(
                t.attempt_share, (_S.agency_id == _A.agency_id) & (_S.attempt_id == _A.id)
            )
            .join(t.payment, (_P.agency_id == _S.agency_id) & (_P.id == _S.payment_id))
            .outerjoin(t.capture, _SAME_MONEY)
        )
        .where(_A.provider == bindparam("name"), _A.account == bindparam("holder"), named)
        .with_for_update(key_share=True, of=(t.attempt, t.payment))
    )


_BY_REFERENCE: Final = _where(_A.provider_reference == bindparam("reference"))
_BY_SERIAL: Final = _where(_A.serial == bindparam("serial"))


async def find_told(
    tx: Tx, agency_id: str, holder: tuple[str, str], txn_id: str,
    order: tuple[str | None, int | None],
) -> Found:  # fmt: skip
    """Find what a word of a provider's account is about, by our reference or by our number.

    The attempt and its payment are locked, in this order. A word about no attempt of ours finds
    the capture of its money at most.
    """
    (name, account), (reference, serial) = holder, order
    about = {"name": name, "holder": account, "txn": txn_id}
    row: Row | None = None
    if reference is not None:
        named = {"agency": agency_id, "reference": reference}
        row = await tx.row(_BY_REFERENCE, about | named)
    elif serial is not None:
        row = await tx.row(_BY_SERIAL, about | {"agency": agency_id, "serial": serial})
    if row is None:
        return Found(known=await tx.row(_KNOWN, about) if txn_id else None)
    tx.learn_closed(agency_id, row["closed_on"])
    known = _cut(row, _capture)
    return Found(
        _cut(row, _attempt), payment_of(_cut(row, _payment), row["lines"] or ()),
        known if known["id"] else None,
    )  # fmt: skip


def _cut(row: Row, mark: str) -> dict[str, Any]:
    return {k.removeprefix(mark): v for k, v in row.items() if k.startswith(mark)}
