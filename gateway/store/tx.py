"""One ``async with`` is one transaction; record(steps) writes payment, entries, outbox together."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import Select, Table
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.domain.calendar import booking_day, hanoi_day
from gateway.domain.ledger import Entry
from gateway.domain.payment import Break, Capture, Payment, Step
from gateway.ports.clock import Clock
from gateway.store import locks
from gateway.store import statements as known
from gateway.store import tables as t
from gateway.store.views import entry_row, payment_of, payment_row, payment_view
from gateway.store.writes import Waiting

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Store:
    """The database, the clock, and the address that links begin with."""

    engine: AsyncEngine
    clock: Clock
    public_url: str

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["Tx"]:
        """Open one transaction; it commits at the end and rolls back on any error."""
        async with self.engine.begin() as connection:
            tx = Tx(connection, self.clock, self.public_url)
            yield tx
            await tx.send()

    @asynccontextmanager
    async def once(self) -> AsyncIterator["Tx"]:
        """Give room for one statement, which is a transaction by itself: two round trips less."""
        async with self.engine.connect() as connection:
            tx = Tx(
                await connection.execution_options(isolation_level="AUTOCOMMIT"),
                self.clock, self.public_url,
            )  # fmt: skip
            yield tx
            await tx.send()


@dataclass(frozen=True, slots=True)
class Tx:
    """One transaction. ``rows`` and ``row`` are for what has no name of its own yet."""

    connection: AsyncConnection
    clock: Clock
    public_url: str
    _waiting: Waiting = field(default_factory=Waiting, repr=False)
    _held_days: set[str] = field(default_factory=set, repr=False)  # Agencies; closing waits.
    _last_closed: dict[str, date | None] = field(default_factory=dict, repr=False)

    async def send(self) -> None:
        """Send what waits, as one statement."""
        if self._waiting:
            await self.connection.exec_driver_sql(*self._waiting.statement())

    async def put(self, table: Table, *rows: Row) -> None:
        """Add rows of one shape to a table; they leave with whatever else this step writes."""
        waiting = self._waiting.puts.get(table.name)
        if table.name in self._waiting.changes or (waiting and waiting[0].keys() != rows[0].keys()):
            await self.send()
        self._waiting.puts.setdefault(table.name, []).extend(rows)

    async def change(self, table: Table, key: Row, values: Row) -> None:
        """Change one row; it leaves with whatever else this step writes."""
        if self._waiting.touches(table):
            await self.send()
        self._waiting.changes[table.name] = (tuple(key), {**key, **values})

    async def rows(self, statement: Any, values: Any = None) -> Sequence[Row]:  # noqa: ANN401 - SQLAlchemy's own width.
        """Run a statement and give its rows."""
        await self.send()
        found = await self.connection.execute(statement, values)
        return [dict(r) for r in found.mappings()]

    async def row(self, statement: Any, values: Any = None) -> Row | None:  # noqa: ANN401 - the same.
        """Run a statement and give its only row, or None."""
        found = await self.rows(statement, values)
        return found[0] if found else None

    async def run(self, statement: Any, values: Any = None) -> int:  # noqa: ANN401 - the same.
        """Run a statement for its effect; give the number of rows."""
        await self.send()
        return (await self.connection.execute(statement, values)).rowcount

    async def payment(
        self, agency_id: str, payment_id: str, *, lock: bool = False
    ) -> Payment | None:
        """Load one payment of one agency."""
        wanted = known.LOCKED if lock else known.PAYMENTS["id"]
        return await self._one_payment(wanted, {"agency": agency_id, "payment": payment_id})

    async def payment_by_reference(self, reference: str) -> Payment | None:
        """Load the payment that a transfer names."""
        return await self._one_payment(known.PAYMENTS["reference"], {"payment": reference})

    async def payment_by_token(self, token: str) -> Payment | None:
        """Load the payment that a link opens."""
        return await self._one_payment(known.PAYMENTS["token"], {"payment": token})

    async def _one_payment(self, wanted: Select[Any], named: Row) -> Payment | None:
        row = await self.row(wanted, named)
        if row is None:
            return None
        lines = await self.rows(
            known.LINES_OF_ONE, {"agency": row["agency_id"], "payment": row["id"]}
        )
        return payment_of(row, lines)

    async def payments_of(self, rows: Sequence[Row]) -> list[Payment]:
        """Turn payment rows of one agency into values, with their lines."""
        if not rows:
            return []
        found = await self.rows(
            known.LINES, {"agency": rows[0]["agency_id"], "ids": [r["id"] for r in rows]}
        )
        by_payment: dict[str, list[Row]] = {}
        for x in found:
            by_payment.setdefault(x["payment_id"], []).append(x)
        return [payment_of(r, by_payment.get(r["id"], [])) for r in rows]

    async def receipts(self, agency_id: str, payment_ids: Sequence[str]) -> Sequence[Row]:
        """Load what a payment shows of its receipts."""
        return await self.rows(known.RECEIPTS, {"agency": agency_id, "ids": list(payment_ids)})

    async def view(
        self, payment: Payment, *, is_new: bool = False, elsewhere: str = ""
    ) -> dict[str, Any]:
        """Show a payment as the API does; a new one has no receipts to look for.

        ``elsewhere`` names the provider whose platform receipts it, where that is known already.
        """
        receipts = [] if is_new else await self.receipts(payment.agency_id, [payment.id])
        if payment.paid_at and not receipts and not is_new:
            asked = {"agency": payment.agency_id, "payment": payment.id}
            elsewhere = (await self.row(known.ELSEWHERE, asked) or {}).get("provider", "")
        return payment_view(payment, receipts, self.public_url, elsewhere)

    async def open_day(self, agency_id: str, on: date) -> date:
        """Give the day on which to book what belongs to this one, and keep it open.

        The shared lock keeps that day open until this transaction ends; closing takes it alone.
        Whoever locks a payment and may post asks for the day before that (locks.py).
        """
        if agency_id not in self._held_days:
            await self.run(locks.POSTING, {"agency": agency_id})
            self._held_days.add(agency_id)
        if agency_id not in self._last_closed:
            (last,) = await self.rows(known.LAST_CLOSED, {"agency": agency_id})
            self.learn_closed(agency_id, last["closed_on"])
        return booking_day(on, hanoi_day(self.clock.now()), self._last_closed[agency_id])

    async def hold(self, agency_id: str, key: str, alike: str | None = None) -> None:
        """Keep an agency's days open, and let nobody else tell of the same money, until the end.

        ``alike`` is a bank movement's key beside its transaction number's.
        """
        values = {"agency": agency_id, "key": key}
        if alike is None:
            await self.run(locks.DAY_AND_MONEY[0], values)
        else:
            await self.run(locks.DAY_AND_MONEY[1], values | {"alike": alike})
        self._held_days.add(agency_id)

    def learn_closed(self, agency_id: str, last: date | None) -> None:
        """Remember the last closed day, where it was read under the lock: it cannot move now."""
        if agency_id in self._held_days:
            self._last_closed[agency_id] = last

    async def record(self, steps: Iterable[Step]) -> list[Payment | None]:
        """Write what each decision wants: payment, capture, entries, breaks, events."""
        return [await self._record(step) for step in steps]

    async def _record(self, step: Step) -> Payment | None:
        payment = step.payment
        if step.entries:  # Ask for the day first, so that all of the step leaves as one statement.
            day = step.capture.booked_on if step.capture else hanoi_day(self.clock.now())
            await self.open_day(step.agency_id, day)
        if payment:
            payment = replace(payment, sequence=payment.sequence + len(step.events))
            await self._write_payment(payment, is_new=step.is_new)
        if step.capture:
            await self._write_capture(step.agency_id, step.capture, step)
        await self.post(step.agency_id, step.entries, step.capture, payment)
        for found in step.breaks:
            await self.open_break(step.agency_id, found)
        if payment:
            platform = step.capture and step.capture.receipt_elsewhere and step.capture.provider
            await self.emit(payment, step.events, elsewhere=platform or "")
        return payment

    async def save(self, payment: Payment) -> None:
        """Write what changed about a payment."""
        await self.change(
            t.payment,
            {"agency_id": payment.agency_id, "id": payment.id},
            {k: v for k, v in payment_row(payment).items() if k not in known.FIXED},
        )

    async def _write_payment(self, payment: Payment, *, is_new: bool) -> None:
        if not is_new:
            await self.save(payment)
            return
        row = payment_row(payment)
        await self.put(t.payment, row)
        await self.put(
            t.fee_line,
            *(
                {"agency_id": payment.agency_id, "payment_id": payment.id, "n": n, "code": x.code,
                 "kind": x.kind, "name": x.name, "amount": x.amount, "budget_line": x.budget_line}
                for n, x in enumerate(payment.lines, 1)
            ),
        )  # fmt: skip

    async def _write_capture(self, agency_id: str, capture: Capture, step: Step) -> None:
        await self.put(
            t.capture,
            {
                "agency_id": agency_id, "id": capture.id, "provider": capture.provider,
                "account": capture.account, "txn_id": capture.txn_id,
                "attempt_id": capture.attempt_id, "amount": capture.amount, "result": step.result,
                "booked_on": capture.booked_on, "value_on": capture.value_on,
                "paid_at": capture.paid_at, "taken_at": capture.taken_at,
                "bank_reference": capture.bank_reference,
                "receipt_elsewhere": capture.receipt_elsewhere,
            },
        )  # fmt: skip
        await self.add_evidence(agency_id, capture.id, capture)
        for share in step.allocations:
            await self.put(
                t.allocation,
                {"agency_id": agency_id, "capture_id": capture.id,
                 "payment_id": share.payment_id, "use": share.use, "amount": share.amount},
            )  # fmt: skip

    async def add_evidence(self, agency_id: str, capture_id: str, of: Capture) -> None:
        """Keep one more word for a capture; the same word again adds nothing."""
        await self.put(
            t.evidence,
            {"agency_id": agency_id, "capture_id": capture_id, "source": of.evidence_source,
             "source_id": of.evidence_id, "hash": of.evidence_hash, "at": of.taken_at},
        )  # fmt: skip

    async def post(
        self,
        agency_id: str,
        entries: Sequence[Entry],
        capture: Capture | None = None,
        payment: Payment | None = None,
        on: date | None = None,
    ) -> None:
        """Book entries on the first open day; the true day stays in ``value_on``."""
        if not entries:
            return
        now = self.clock.now()
        value_on = capture.value_on if capture else (on or hanoi_day(now))
        booked_on = await self.open_day(agency_id, capture.booked_on if capture else value_on)
        await self.put(
            t.entry,
            *(entry_row(e, agency_id, booked_on, value_on, capture, payment)
              | {"created_at": now} for e in entries),
        )  # fmt: skip

    async def open_break(self, agency_id: str, found: Break) -> None:
        """Open a case; the same case again changes nothing."""
        now = self.clock.now()
        await self.put(
            t.break_,
            {"agency_id": agency_id, "id": self.clock.new_id("brk"), "kind": found.kind,
             "state": "open", "owner_role": "accountant", "subject": found.subject,
             "amount": found.amount, "payment_id": found.payment_id,
             "capture_id": found.capture_id, "line_id": found.line_id,
             "proposal": found.proposal, "why": found.why, "opened_at": now,
             "since_on": found.since_on or hanoi_day(now)},
        )  # fmt: skip

    async def emit(
        self, payment: Payment, types: Sequence[str], data: Mapping[str, Any] | None = None,
        elsewhere: str = "",
    ) -> None:  # fmt: skip
        """Put events into the outbox; ``payment.sequence`` already counts them."""
        if not types:
            return
        is_new = types[0] in known.BEFORE_RECEIPTS
        if data is None:
            data = await self.view(payment, is_new=is_new, elsewhere=elsewhere)
        first = payment.sequence - len(types) + 1
        await self.put(
            t.event,
            *(
                {"agency_id": payment.agency_id, "id": self.clock.new_id("evt"), "type": kind,
                 "payment_id": payment.id, "sequence": first + n,
                 "occurred_at": self.clock.now(), "data": data}
                for n, kind in enumerate(types)
            ),
        )  # fmt: skip

    async def note(self, agency_id: str, actor: str, action: str, object_id: str) -> None:
        """Write the audit trail, reads of personal data included."""
        await self.put(
            t.audit,
            {"id": self.clock.new_id("aud"), "at": self.clock.now(), "agency_id": agency_id,
             "actor": actor, "action": action, "object_id": object_id, "details": {}},
        )  # fmt: skip
