"""The payer's display at a counter: a browser that a clerk pairs by the code it shows."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import select, text

from gateway.domain.errors import Refusal
from gateway.domain.payment import Payment
from gateway.services.access import Officer, digest
from gateway.store import tables as t
from gateway.store.tx import Row, Store

code_digits: Final = 6
code_lives: Final = timedelta(minutes=10)  # Then the display shows another one.
kept: Final = timedelta(hours=16)  # A counter's day; the next morning it is paired again.
_PAIR: Final = text(
    "UPDATE display SET agency_id = :agency, staff_id = :staff, paired_at = :now, payment_id = NULL"
    " WHERE code = :code AND staff_id IS NULL AND code_until > :now RETURNING token_hash"
)
_UNPAIR: Final = text(
    "DELETE FROM display WHERE agency_id = :agency AND staff_id = :staff"
    " AND token_hash <> ALL(:fresh)"
)
_SHOW: Final = text(
    "UPDATE display SET payment_id = :payment WHERE agency_id = :agency AND staff_id = :staff"
)


@dataclass(frozen=True, slots=True)
class Displays:
    """Displays and whose counter each belongs to."""

    store: Store

    async def fresh(self) -> str:
        """Begin a display that belongs to nobody yet; give its token."""
        token, now = secrets.token_urlsafe(32), self.store.clock.now()
        async with self.store.begin() as tx:
            await tx.run(text("DELETE FROM display WHERE created_at < :old"), {"old": now - kept})
            await tx.run(
                t.display.insert(),
                {"token_hash": digest(token), "code": _code(), "created_at": now,
                 "code_until": now + code_lives},
            )  # fmt: skip
        return token

    async def of(self, token: str) -> tuple[Row, Payment | None] | None:
        """Give a display and what it shows; a code that is too old is replaced."""
        now, c = self.store.clock.now(), t.display.c
        async with self.store.begin() as tx:
            row = await tx.row(
                select(t.display).where(c.token_hash == digest(token)).with_for_update()
            )
            if row is None:
                return None
            if row["staff_id"] is None and row["code_until"] <= now:
                fresh = {"code": _code(), "code_until": now + code_lives}
                await tx.run(
                    t.display.update().where(c.token_hash == row["token_hash"]).values(fresh)
                )
                row = {**row, **fresh}
            if row["payment_id"] is None:
                return row, None
            return row, await tx.payment(row["agency_id"], row["payment_id"])

    async def pair(self, officer: Officer, code: str) -> None:
        """Take a display for one's own counter; the one of before is let go."""
        typed = "".join(c for c in code if c.isdigit())
        who = {"agency": officer.agency_id, "staff": officer.id}
        async with self.store.begin() as tx:
            rows = await tx.rows(_PAIR, who | {"code": typed, "now": self.store.clock.now()})
            if not rows:
                raise Refusal(
                    "invalid-request", "No display shows this code now; look at it again."
                )
            await tx.run(_UNPAIR, who | {"fresh": [r["token_hash"] for r in rows]})

    async def show(self, officer: Officer, payment_id: str | None) -> bool:
        """Show a payment to the payer, or nothing; tells whether there is a display."""
        async with self.store.begin() as tx:
            return bool(
                await tx.run(
                    _SHOW,
                    {"agency": officer.agency_id, "staff": officer.id, "payment": payment_id},
                )
            )

    async def is_paired(self, officer: Officer) -> bool:
        """Tell whether this clerk has a display."""
        c = t.display.c
        async with self.store.begin() as tx:
            row = await tx.row(
                select(c.code)
                .where(c.agency_id == officer.agency_id, c.staff_id == officer.id)
                .limit(1)
            )
        return row is not None


def _code() -> str:
    return f"{secrets.randbelow(10**code_digits):0{code_digits}}"
