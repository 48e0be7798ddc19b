"""The counter: a clerk takes cash or a card in a shift of their own, and the shift is counted.

A card, a QR and the counter never take the same debt twice: before money is taken here, every
provider that might still take it is asked, and while one is in doubt the counter waits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from gateway.domain import ledger, till
from gateway.domain.calendar import hanoi_day
from gateway.domain.errors import Refusal
from gateway.domain.ids import read_reference
from gateway.domain.payment import Payment
from gateway.domain.states import State
from gateway.domain.till import Shift, ShiftState, ShiftStep
from gateway.ports.provider import Notice, Taker, Verdict
from gateway.services.access import Officer
from gateway.services.attempt_rows import live_attempts
from gateway.services.attempts import Attempts
from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx

MAY_TAKE: Final = frozenset({"clerk", "accountant"})
found_max: Final = 20  # A dossier has few payments; more is a search, not a counter.
_TAKEN: Final = text(
    "SELECT c.amount FROM counter_take k JOIN capture c ON c.agency_id = k.agency_id"
    " AND c.id = k.capture_id WHERE k.agency_id = :agency AND k.shift_id = :shift"
    " AND k.method = 'cash'"
)
_FOUND: Final = text(
    "SELECT p.id FROM payment p WHERE p.agency_id = :agency AND (p.reference = :reference"
    " OR p.token = :token OR p.dossier_id = :words OR p.id = :words)"
    " ORDER BY (p.state = 'open') DESC, p.id DESC LIMIT :rows"
)
_SHIFTS: Final = text(
    "SELECT s.*, b.name AS branch, u.username AS clerk, v.username AS signer,"
    " d.id AS difference_id, d.state AS difference_state, (SELECT count(*) FROM counter_take k"
    " WHERE k.agency_id = s.agency_id AND k.shift_id = s.id) AS takes FROM shift s"
    " JOIN branch b ON b.agency_id = s.agency_id AND b.id = s.branch_id"
    " JOIN staff u ON u.agency_id = s.agency_id AND u.id = s.staff_id"
    " LEFT JOIN staff v ON v.agency_id = s.agency_id AND v.id = s.signed_by"
    " LEFT JOIN shift_difference d ON d.agency_id = s.agency_id AND d.shift_id = s.id"
    " WHERE s.agency_id = :agency ORDER BY (s.state = 'closed'), s.id DESC LIMIT :rows"
)
shifts_max: Final = 100


@dataclass(frozen=True, slots=True)
class Counters:
    """The counters of every agency."""

    store: Store
    attempts: Attempts
    till_of: Callable[[str], Taker]  # The counter of an agency, as the books name it.

    async def open_shift(
        self, officer: Officer, branch_id: str, drawer: str, float_amount: int
    ) -> str:
        """Begin a shift of one's own at a drawer."""
        _require(officer)
        clock = self.store.clock
        fresh = Shift(
            clock.new_id("shf"), officer.agency_id, branch_id, drawer, officer.id, float_amount
        )
        step, on = till.open_shift(fresh), hanoi_day(clock.now())
        row = {
            "agency_id": fresh.agency_id, "id": fresh.id, "branch_id": branch_id, "drawer": drawer,
            "staff_id": officer.id, "state": "open", "float_amount": float_amount,
            "booked_on": on, "opened_at": clock.now(),
        }  # fmt: skip
        try:
            async with self.store.begin() as tx:
                await tx.open_day(fresh.agency_id, on)
                await tx.run(t.shift.insert(), row)
                await tx.post(fresh.agency_id, step.entries)
                await tx.note(fresh.agency_id, f"staff:{officer.username}", "shift.open", fresh.id)
        except IntegrityError as error:
            if "fk_shift_branch" in str(error.orig):
                raise Refusal("not-found", "The agency has no such branch.") from None
            raise Refusal(
                "shift-already-open", "This drawer, or you, have a shift that is not closed."
            ) from None
        return fresh.id

    async def my_shift(self, officer: Officer) -> Row | None:
        """Give the officer's shift that is not closed yet."""
        c = t.shift.c
        async with self.store.begin() as tx:
            return await tx.row(
                select(t.shift)
                .where(c.agency_id == officer.agency_id, c.staff_id == officer.id,
                       c.state != "closed")
                .order_by(c.state.desc(), c.id.desc()).limit(1)
            )  # fmt: skip

    async def find(self, officer: Officer, words: str) -> list[Payment]:
        """Find payments by what a scanner or a clerk enters: link, reference, dossier or id."""
        _require(officer)
        token = (
            words.rstrip("/").rpartition("/pay/")[2].partition("?")[0] if "/pay/" in words else ""
        )
        said = read_reference(words.strip().upper().removeprefix("TP"))
        async with self.store.begin() as tx:
            rows = await tx.rows(
                _FOUND,
                {"agency": officer.agency_id, "reference": said.reference if said else "",
                 "token": token, "words": words.strip(), "rows": found_max},
            )  # fmt: skip
            found = [await tx.payment(officer.agency_id, r["id"]) for r in rows]
        return [p for p in found if p]

    async def ask_first(self, officer: Officer, payment_id: str) -> Payment:
        """Ask every provider that might still take this debt; refuse while one is in doubt."""
        _require(officer)
        async with self.store.begin() as tx:
            payment = await self._payment(tx, officer.agency_id, payment_id)
            live = await live_attempts(tx, payment.agency_id, payment.id)
        for attempt in live:
            await self.attempts.ask_one(attempt, self.store.clock.now())
        async with self.store.begin() as tx:
            payment = await self._payment(tx, officer.agency_id, payment_id)
        if payment.in_doubt:
            raise Refusal(
                "payment-in-doubt", "The payer may just have paid: the bank has not said yet."
                " Wait a moment, do not take money.",
            )  # fmt: skip
        return payment

    async def take(self, officer: Officer, payment_id: str, method: str, slip: str = "") -> int:
        """Take what is still due, in cash or by card; give the amount. Nothing is taken twice."""
        await self.ask_first(officer, payment_id)
        clock, counter = self.store.clock, self.till_of(officer.agency_id)
        async with self.store.begin() as tx:
            await tx.open_day(officer.agency_id, hanoi_day(clock.now()))
            shift = await self._own_shift(tx, officer)
            txn = f"{shift.branch_id}/{slip}" if method == "card" else clock.new_id("csh")
            await self.attempts.captures.lock_money(tx, counter, txn, officer.agency_id)
            payment = await self._payment(tx, officer.agency_id, payment_id, lock=True)
            if payment.state is not State.OPEN or payment.in_doubt:
                raise Refusal("payment-not-open", "It is paid or withdrawn: take no money.")
            due = payment.amount - payment.amount_on_account
            await self._not_twice(tx, counter, txn, due)
            said = Notice(
                Verdict.CAPTURED, txn, due, memo=f"TP{payment.reference}", paid_at=clock.now(),
                is_cash=method == "cash", code=method,
            )  # fmt: skip
            source = "terminal" if method == "card" else "clerk"
            await self.attempts.captures.apply(tx, counter, said, source, txn, "")
            await self._write(tx, officer, shift, counter, txn, (method, slip))
        return due

    async def _not_twice(self, tx: Tx, counter: Taker, txn: str, due: int) -> None:
        """Refuse a slip that is known. A number may come again, of another terminal or year.

        That card is charged too: what is proposed gives its money a record, for a person to match.
        """
        known = await self._known(tx, counter, txn)
        if known is None:
            return
        day, today = hanoi_day(known["taken_at"]), hanoi_day(self.store.clock.now())
        if (known["amount"], day) == (due, today):
            raise Refusal("invalid-request", "This slip is in the books already; check its number.")
        nth = 2
        while await self._known(tx, counter, f"{txn}-{nth}"):
            nth += 1
        slip = f"{txn.partition('/')[2]}-{nth}"
        raise Refusal(
            "invalid-request", "This number is in the books, of a slip of another day or amount;"
            f" if yours is another slip, write {slip}.", extra={"slip": slip},
        )  # fmt: skip

    async def _known(self, tx: Tx, counter: Taker, txn: str) -> Row | None:
        c = t.capture.c
        return await tx.row(
            select(c.id, c.amount, c.taken_at).where(
                c.provider == counter.name, c.account == counter.account, c.txn_id == txn
            )
        )

    async def _write(
        self, tx: Tx, officer: Officer, shift: Shift, counter: Taker, txn: str,
        how: tuple[str, str],
    ) -> None:  # fmt: skip
        method, slip = how
        if (row := await self._known(tx, counter, txn)) is None:
            raise LookupError(txn)
        await tx.run(
            t.counter_take.insert(),
            {"agency_id": officer.agency_id, "capture_id": row["id"], "shift_id": shift.id,
             "branch_id": shift.branch_id, "staff_id": officer.id, "method": method,
             "slip": slip or None},
        )  # fmt: skip

    async def count(self, officer: Officer, shift_id: str, counted: int) -> None:
        """Write down the clerk's own count, made blind."""
        async with self.store.begin() as tx:
            shift = await self._shift(tx, officer.agency_id, shift_id)
            if shift.staff_id != officer.id:
                raise Refusal("forbidden", "Only whose shift it is counts its drawer.")
            taken = await tx.rows(_TAKEN, {"agency": officer.agency_id, "shift": shift_id})
            step = till.count(shift, counted, [r["amount"] for r in taken])
            await self._keep(tx, step, counted_at=self.store.clock.now())

    async def sign(self, officer: Officer, shift_id: str, bag: str) -> None:
        """Sign another clerk's count; the shift is closed and its cash leaves in a bag."""
        now = self.store.clock.now()
        try:
            async with self.store.begin() as tx:
                await tx.open_day(officer.agency_id, hanoi_day(now))
                shift = await self._shift(tx, officer.agency_id, shift_id)
                step = till.sign(shift, officer.id, bag)
                await self._keep(tx, step, closed_at=now)
                if step.missing:
                    await tx.run(
                        t.shift_difference.insert(),
                        {"agency_id": shift.agency_id, "id": self.store.clock.new_id("dif"),
                         "shift_id": shift.id, "state": "open", "amount": step.missing,
                         "opened_at": now},
                    )  # fmt: skip
                actor = f"staff:{officer.username}"
                await tx.note(officer.agency_id, actor, "shift.sign", shift_id)
        except IntegrityError as error:
            if "uq_shift_agency_id_bag" not in str(error.orig):
                raise
            raise Refusal("invalid-request", "This bag's number was used before.") from None

    async def _keep(self, tx: Tx, step: ShiftStep, **more: object) -> None:
        shift, c = step.shift, t.shift.c
        values = {
            "state": str(shift.state), "counted_amount": shift.counted_amount,
            "expected_amount": shift.expected_amount, "signed_by": shift.signed_by,
            "bag": shift.bag, **more,
        }  # fmt: skip
        await tx.run(
            t.shift.update().where(c.agency_id == shift.agency_id, c.id == shift.id).values(values)
        )
        await tx.post(shift.agency_id, step.entries)
        for found in step.breaks:
            await tx.open_break(shift.agency_id, found)

    async def shifts(self, agency_id: str) -> Sequence[Row]:
        """List shifts, those that are not closed first."""
        async with self.store.begin() as tx:
            return await tx.rows(_SHIFTS, {"agency": agency_id, "rows": shifts_max})

    async def settle_shortage(
        self, officer: Officer, difference_id: str, outcome: str
    ) -> None:  # fmt: skip
        """Decide about missing cash: the first says how, a second agrees, and it is booked."""
        now, c = self.store.clock.now(), t.shift_difference.c
        async with self.store.begin() as tx:
            await tx.open_day(officer.agency_id, hanoi_day(now))
            row = await tx.row(
                select(t.shift_difference)
                .where(c.agency_id == officer.agency_id, c.id == difference_id)
                .with_for_update()
            )
            if row is None or row["state"] != "open":
                raise Refusal("not-found", "There is no open difference of that name.")
            shift = await self._shift(tx, officer.agency_id, row["shift_id"])
            wanted = f"{officer.id}:{outcome}"
            values = _agreed(row, officer, outcome, wanted)
            if values["state"] != "open":
                recipe = {
                    "made_good": ledger.shortage_made_good,
                    "written_off": ledger.shortage_borne,
                }[outcome]
                await tx.post(shift.agency_id, recipe(shift.id, row["amount"], shift.branch_id))
                values["ended_at"] = now
            await tx.run(
                t.shift_difference.update()
                .where(c.agency_id == officer.agency_id, c.id == difference_id).values(values)
            )  # fmt: skip

    async def _own_shift(self, tx: Tx, officer: Officer) -> Shift:
        c = t.shift.c
        row = await tx.row(
            select(t.shift)
            .where(c.agency_id == officer.agency_id, c.staff_id == officer.id, c.state == "open")
            .with_for_update()
        )
        if row is None:
            raise Refusal("no-open-shift", "Open a shift at your drawer first.")
        return _shift_of(row)

    async def _shift(self, tx: Tx, agency_id: str, shift_id: str) -> Shift:
        c = t.shift.c
        row = await tx.row(
            select(t.shift).where(c.agency_id == agency_id, c.id == shift_id).with_for_update()
        )
        if row is None:
            raise Refusal("not-found", "There is no such shift.")
        return _shift_of(row)

    async def _payment(
        self, tx: Tx, agency_id: str, payment_id: str, *, lock: bool = False
    ) -> Payment:
        payment = await tx.payment(agency_id, payment_id, lock=lock)
        if payment is None:
            raise Refusal("not-found", "There is no such payment.")
        return payment


def _agreed(row: Row, officer: Officer, outcome: str, wanted: str) -> dict[str, Any]:
    """Take the first word as a proposal, and the same word of somebody else as the decision."""
    proposed = row["decided_by"]
    if proposed is None or proposed.partition(":")[2] != outcome:
        return {"state": "open", "decided_by": wanted}
    if proposed.partition(":")[0] == officer.id:
        raise Refusal("same-person", "Somebody else must agree to what you proposed.")
    return {"state": outcome, "agreed_by": f"{officer.id}:{outcome}"}


def _require(officer: Officer) -> None:
    if officer.role not in MAY_TAKE:
        raise Refusal("forbidden", "Your role takes no money.")


def _shift_of(row: Row) -> Shift:
    return replace(
        Shift(row["id"], row["agency_id"], row["branch_id"], row["drawer"], row["staff_id"]),
        float_amount=row["float_amount"], state=ShiftState(row["state"]),
        counted_amount=row["counted_amount"], expected_amount=row["expected_amount"],
        signed_by=row["signed_by"], bag=row["bag"],
    )  # fmt: skip
