"""Ask for payments, read them, let them expire."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import select, text, tuple_
from sqlalchemy.exc import IntegrityError

from gateway.domain import endings
from gateway.domain import payment as rules
from gateway.domain.calendar import hanoi_day
from gateway.domain.errors import Refusal
from gateway.domain.ids import letters, make_reference, read_typed
from gateway.domain.payment import FeeLine, Payment, Step
from gateway.domain.states import State
from gateway.ports.vault import Cells
from gateway.services.access import Client
from gateway.services.attempt_rows import live_attempts
from gateway.services.expiry import CanAsk, expire
from gateway.services.payer_keys import PayerKeys
from gateway.store import locks
from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx

begun_status: Final = 202  # HTTP's word for what was taken up and is not answered yet.
page_size_max: Final = 100

# One look at all that may stand in the way of a new payment.
_BEFORE: Final = text(
    "SELECT i.body_hash, i.status, i.answer, p.id, p.token, EXISTS (SELECT 1 FROM payment x"
    " WHERE x.agency_id = :agency AND x.dossier_id = :dossier AND x.procedure = :procedure"
    " AND x.instalment = :instalment AND x.state = 'expired') AS expired"
    " FROM (SELECT 1) one LEFT JOIN idempotency i ON i.agency_id = :agency"
    " AND i.client_id = :client AND i.route = :route AND i.key = :key"
    " LEFT JOIN payment p ON p.agency_id = :agency AND p.state = 'open'"
    " AND p.dossier_id = :dossier AND p.procedure = :procedure AND p.instalment = :instalment"
)
_EXPIRED_TWINS: Final = text(
    "SELECT * FROM payment p WHERE p.agency_id = :agency AND p.dossier_id = :dossier"
    " AND p.procedure = :procedure AND p.instalment = :instalment AND p.state = 'expired'"
    " AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.agency_id = p.agency_id"
    " AND e.payment_id = p.id AND e.debit = 'M4') ORDER BY p.id FOR NO KEY UPDATE"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One request for a payment, already checked at the door."""

    branch_id: str
    dossier_id: str
    procedure: str
    price_on: date
    lines: tuple[FeeLine, ...]
    expires_at: datetime
    instalment: int = 1
    payer: Mapping[str, str] = field(default_factory=dict, repr=False)
    return_url: str | None = field(default=None, repr=False)
    metadata: dict[str, str] = field(default_factory=dict, repr=False)
    key: str = ""
    route: str = "POST /v1/payments"
    body_hash: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client gets: status and bytes, replayed byte for byte for the same key."""

    status: int
    body: bytes = field(repr=False)
    replayed: bool = False


def render(shown: Mapping[str, Any]) -> bytes:
    """Write JSON the one way we write it."""
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Payments:
    """Payments as clients ask for them."""

    store: Store
    keys: PayerKeys

    async def request_many(
        self, client: Client, wanted: Sequence[Wanted]
    ) -> list[Answer | Refusal]:
        """Open payments, each with its idempotency key; a refused one refuses only itself."""
        return [await self._request(client, one) for one in wanted]

    async def _request(self, client: Client, wanted: Wanted) -> Answer | Refusal:
        year = None
        if wanted.payer:
            year = await self.keys.of_year(self.store, client.agency_id, self.store.clock.now())
        try:
            async with self.store.begin() as tx:
                return await self._open(tx, client, wanted, year)
        except IntegrityError as error:
            if "uq_payment_owed_once" not in str(error.orig):
                raise
        except Refusal as refusal:
            return refusal
        async with self.store.begin() as tx:
            return await self._already_open(tx, client.agency_id, wanted) or Refusal(
                "payment-already-open", "It was open a moment ago; ask again."
            )

    async def _open(self, tx: Tx, client: Client, wanted: Wanted, year: Cells | None) -> Answer:
        await tx.run(locks.REQUEST, {"key": _once(client, wanted.route, wanted.key)})
        before = await tx.row(
            _BEFORE,
            {"agency": client.agency_id, "client": client.id, "route": wanted.route,
             "key": wanted.key, "dossier": wanted.dossier_id, "procedure": wanted.procedure,
             "instalment": wanted.instalment},
        )  # fmt: skip
        if before and before["status"] is not None:
            return _stored(before, wanted.body_hash)
        if before and before["id"] is not None:
            raise self._owed_already(before)
        payment = self._new(client, wanted, year)
        expired = await self._expired(tx, payment) if before and before["expired"] else ()
        steps = [endings.replace_expired(twin) for twin in expired]
        (*_, opened) = await tx.record([*steps, rules.open_payment(payment)])
        if opened is None:
            raise LookupError(payment.id)
        answer = Answer(201, render(await tx.view(opened, is_new=True)))
        await self.remember(tx, client, wanted.route, wanted.key, wanted.body_hash, answer)
        return answer

    def _new(self, client: Client, wanted: Wanted, year: Cells | None) -> Payment:
        clock = self.store.clock
        payment_id = clock.new_id("pay")
        sealed = key = None
        if year is not None:
            own, key = self.keys.fresh(year, payment_id)
            sealed = own.seal(f"payment|{payment_id}|payer", render(wanted.payer))
        token = letters(clock.chance(32))  # 160 bits.
        return Payment(
            id=payment_id, agency_id=client.agency_id, branch_id=wanted.branch_id,
            client_id=client.id, reference=make_reference(clock.chance(7)),
            dossier_id=wanted.dossier_id, procedure=wanted.procedure, price_on=wanted.price_on,
            lines=wanted.lines, created_at=clock.now(), expires_at=wanted.expires_at, token=token,
            instalment=wanted.instalment, return_url=wanted.return_url,
            metadata=wanted.metadata, payer_sealed=sealed, key_sealed=key,
        )  # fmt: skip

    async def _expired(self, tx: Tx, payment: Payment) -> Sequence[Payment]:
        """Lock what this payment replaces: after the day, for its debt is written off."""
        await tx.open_day(payment.agency_id, hanoi_day(payment.created_at))
        rows = await tx.rows(
            _EXPIRED_TWINS,
            {"agency": payment.agency_id, "dossier": payment.dossier_id,
             "procedure": payment.procedure, "instalment": payment.instalment},
        )  # fmt: skip
        return await tx.payments_of(rows)

    async def _already_open(self, tx: Tx, agency_id: str, wanted: Wanted) -> Refusal | None:
        c = t.payment.c
        row = await tx.row(
            select(c.id, c.token).where(
                c.agency_id == agency_id,
                c.state == "open",
                tuple_(c.dossier_id, c.procedure, c.instalment)
                == tuple_(wanted.dossier_id, wanted.procedure, wanted.instalment),
            )
        )
        return self._owed_already(row) if row else None

    def _owed_already(self, row: Row) -> Refusal:
        link = f"{self.store.public_url}/pay/{row['token']}"
        return Refusal(
            "payment-already-open",
            "This dossier and procedure already has an open payment; use its link.",
            extra={"payment_id": row["id"], "pay": link},
        )

    async def stored(self, client: Client, once: tuple[str, str, str]) -> Answer | None:
        """Give the stored answer of a key, if there is one."""
        async with self.store.begin() as tx:
            return await self.replay(tx, client, *once)

    async def claim(self, tx: Tx, client: Client, route: str, key: str, body_hash: str) -> None:
        """Hold a key for one body, with what is begun under it; another body is refused.

        It is a row of its own, as an answer is never changed, and is not there if nothing began.
        """
        once = (f"{route} begun", key, body_hash)
        if await self.replay(tx, client, *once) is None:
            await self.remember(tx, client, *once, Answer(begun_status, b""))

    async def answered(self, client: Client, once: tuple[str, str, str], answer: Answer) -> Answer:
        """Keep an answer, or give the one that a twin kept before."""
        async with self.store.begin() as tx:
            stored = await self.replay(tx, client, *once)
            if stored is None:
                await self.remember(tx, client, *once, answer)
        return stored or answer

    async def replay(
        self, tx: Tx, client: Client, route: str, key: str, body_hash: str
    ) -> Answer | None:
        """Wait for a twin that is still running, then give the stored answer if there is one."""
        await tx.run(locks.REQUEST, {"key": _once(client, route, key)})
        c = t.idempotency.c
        row = await tx.row(
            select(t.idempotency).where(
                c.agency_id == client.agency_id, c.client_id == client.id,
                c.route == route, c.key == key,
            )
        )  # fmt: skip
        return _stored(row, body_hash) if row else None

    async def remember(
        self, tx: Tx, client: Client, route: str, key: str, body_hash: str, answer: Answer
    ) -> None:
        """Keep the answer for as long as the payment is kept."""
        await tx.put(
            t.idempotency,
            {"agency_id": client.agency_id, "client_id": client.id, "route": route, "key": key,
             "body_hash": body_hash, "status": answer.status, "answer": answer.body,
             "created_at": self.store.clock.now()},
        )  # fmt: skip

    async def payer_of(self, payment: Payment) -> dict[str, str]:
        """Open what was said of the payer, only for whoever must have it; nothing once erased."""
        if payment.payer_sealed is None:
            return {}
        async with self.store.begin() as tx:
            cells = (await self.keys.of(tx, payment.agency_id, [payment.id]))[payment.id]
        plain = cells.open(f"payment|{payment.id}|payer", payment.payer_sealed)
        payer: dict[str, str] = json.loads(plain) if plain is not None else {}
        return payer

    async def get(self, agency_id: str, payment_id: str) -> dict[str, Any]:
        """Show one payment; another agency's answers as one that does not exist."""
        async with self.store.begin() as tx:
            payment = await tx.payment(agency_id, payment_id)
            if payment is None:
                raise Refusal("not-found", "There is no such payment.")
            return await tx.view(payment)

    async def search(
        self, agency_id: str, limit: int, cursor: str | None, **by: object
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Find payments, newest first; the cursor is the last id of the page before."""
        c = t.payment.c
        found = select(t.payment).where(c.agency_id == agency_id)
        for name, value in by.items():
            if value is None:
                continue
            if name == "created_from":
                found = found.where(c.created_at >= value)
            elif name == "created_to":
                found = found.where(c.created_at < value)
            elif name == "reference":
                read = read_typed(str(value))
                found = found.where(c.reference == (read.reference if read else ""))
            else:
                found = found.where(c[name] == value)
        if cursor:
            found = found.where(c.id < cursor)  # Ids are time-ordered.
        async with self.store.begin() as tx:
            rows = await tx.rows(found.order_by(c.id.desc()).limit(limit + 1))
            payments = await tx.payments_of(rows[:limit])
            shown = [await tx.view(p) for p in payments]
        return shown, (rows[limit - 1]["id"] if len(rows) > limit else None)

    async def expire(self, can_ask: CanAsk) -> int:
        """End the links whose time is over; gives how many."""
        return await expire(self.store, can_ask)

    async def settle_doubt(self, tx: Tx, payment: Payment) -> None:
        """Make ``in_doubt`` say what the attempts say."""
        doubtful = False
        if payment.state is State.OPEN:
            live = await live_attempts(tx, payment.agency_id, payment.id)
            doubtful = any(a["state"] == "in_doubt" for a in live)
        if doubtful != payment.in_doubt:
            await tx.record([Step(payment.agency_id, replace(payment, in_doubt=doubtful))])


def _once(client: Client, route: str, key: str) -> str:
    return f"{client.agency_id}|{client.id}|{route}|{key}"


def _stored(row: Row, body_hash: str) -> Answer:
    if row["body_hash"] != body_hash:
        raise Refusal("idempotency-key-reused", "This key was used with another body.")
    return Answer(row["status"], bytes(row["answer"]), replayed=True)
