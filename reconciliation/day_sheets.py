"""A day's sheet: what its checklist says, what it comes to, and the two people who sign it.

What they sign is the day's entries, by their seal, and its trial balance. Signatures lapse when the
day is opened again, and count only for the entries that they were given for. Whether a day is
locked as soon as its checks hold, or only when two people have signed it, is the agency's to say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import insert, text

from gateway.domain.calendar import hanoi_day
from gateway.domain.errors import Refusal
from gateway.services.agencies import CLOSED_BY_TWO
from gateway.services.books import trial_balance
from gateway.services.desk import page_rows_max
from gateway.store import locks
from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx
from reconciliation.acts import digest
from reconciliation.checks import BANK_RULES, CHECKS, TREASURY_RULES, failing
from reconciliation.holders import Holders
from reconciliation.seals import seal_now

people: Final = 2
# Of each day that money came on: what was taken, what of it has arrived, and what the treasury has
# confirmed. Cash has arrived when it is in the drawer.
_FIGURES: Final = text(
    "SELECT c.booked_on AS on, count(*) AS captures, sum(c.amount)::bigint AS expected,"
    " coalesce(sum(c.amount) FILTER (WHERE x.came OR c.provider = 'counter'), 0)::bigint"
    " AS received, coalesce(sum(x.confirmed), 0)::bigint AS treasury"
    f" FROM capture c LEFT JOIN LATERAL (SELECT bool_or(m.rule IN {BANK_RULES}) AS came,"
    f" sum(m.amount) FILTER (WHERE m.rule IN {TREASURY_RULES}) AS confirmed FROM recon_match m"
    " WHERE m.agency_id = c.agency_id AND m.capture_id = c.id) x ON true"
    " WHERE c.agency_id = :agency AND c.booked_on BETWEEN :since AND :upto GROUP BY 1 ORDER BY 1"
)
_CAPTURES: Final = (
    "SELECT * FROM (SELECT c.id, c.provider, c.txn_id, c.amount, c.paid_at,"
    " c.provider = 'counter' OR EXISTS (SELECT 1 FROM recon_match m"
    " WHERE m.agency_id = c.agency_id AND m.capture_id = c.id"
    f" AND m.rule IN {BANK_RULES}) AS came, EXISTS (SELECT 1 FROM recon_match m"
    " WHERE m.agency_id = c.agency_id AND m.capture_id = c.id"
    f" AND m.rule IN {TREASURY_RULES}) AS confirmed, (SELECT min(a.payment_id) FROM allocation a"
    " WHERE a.agency_id = c.agency_id AND a.capture_id = c.id) AS payment_id FROM capture c"
    " WHERE c.agency_id = :agency AND c.booked_on = :on AND c.id > :after) x"
)
_SHOWN: Final = {"received": " WHERE came", "treasury": " WHERE confirmed",
                 "missing": " WHERE NOT came"}  # fmt: skip
_OLDEST: Final = text(
    "SELECT since_on AS on, count(*) AS breaks FROM break WHERE agency_id = :agency"
    " AND state = 'open' AND since_on BETWEEN :since AND :upto GROUP BY 1"
)
_DAY: Final = text("SELECT * FROM day WHERE agency_id = :agency AND booked_on = :on")
_SIGNED: Final = text(
    "SELECT s.* FROM day_signature s LEFT JOIN day d ON d.agency_id = s.agency_id"
    " AND d.booked_on = s.booked_on WHERE s.agency_id = :agency AND s.booked_on = :on"
    " AND s.seal = :seal AND s.signed_at > coalesce(d.reopened_at, '-infinity') ORDER BY s.n"
)
_NEXT: Final = text(
    "SELECT coalesce(max(n), 0) + 1 AS n FROM day_signature WHERE agency_id = :agency"
    " AND booked_on = :on"
)
_SIGNED_AND_OPEN: Final = text(
    "SELECT s.agency_id, s.booked_on AS on FROM day_signature s LEFT JOIN day d"
    " ON d.agency_id = s.agency_id AND d.booked_on = s.booked_on"
    " WHERE coalesce(d.state, '') <> 'closed' AND s.signed_at > coalesce(d.reopened_at,"
    " '-infinity') GROUP BY 1, 2, s.seal HAVING count(*) = 2 ORDER BY 1, 2"
)
_WISH: Final = text(
    "SELECT coalesce((settings ->> :setting)::boolean, false) AS yes FROM agency WHERE id = :agency"
)


@dataclass(frozen=True, slots=True)
class Figures:
    """One day's money."""

    on: date
    captures: int
    expected: int
    received: int
    treasury: int
    breaks: int

    @property
    def difference(self) -> int:
        """What was taken and has not arrived."""
        return self.expected - self.received


@dataclass(frozen=True, slots=True)
class Sheet:
    """A day as it is shown, and signed."""

    on: date
    state: str  # closed | open | running, while the day is not over.
    day: Row | None
    open_checks: Mapping[str, Sequence[str]]
    said: Mapping[str, Any]
    hash: str
    signatures: Sequence[Row]
    is_by_two: bool

    def may_be_signed_by(self, actor: str) -> bool:
        """Tell whether a signature of somebody's is still wanted."""
        has = [row["signed_by"] for row in self.signatures]
        is_due = self.state != "running" and not self.open_checks
        return is_due and len(has) < people and actor not in has

    @property
    def checks(self) -> list[tuple[str, Sequence[str]]]:
        """Every check at close, with what breaks it."""
        return [(name, self.open_checks.get(name, ())) for name in CHECKS]


@dataclass(frozen=True, slots=True)
class DaySheets:
    """The days of the agencies, as people see and sign them."""

    store: Store
    holders: Holders

    async def figures(self, agency_id: str, since: date, upto: date) -> list[Figures]:
        """Give each day's money, the oldest first."""
        asked = {"agency": agency_id, "since": since, "upto": upto}
        async with self.store.begin() as tx:
            breaks = {r["on"]: r["breaks"] for r in await tx.rows(_OLDEST, asked)}
            rows = await tx.rows(_FIGURES, asked)
        return [Figures(**row, breaks=breaks.get(row["on"], 0)) for row in rows]

    async def captures(self, agency_id: str, on: date, show: str, after: str) -> Sequence[Row]:
        """List a day's captures, one more than a page: all, or those that a figure stands for."""
        query = f"{_CAPTURES}{_SHOWN.get(show, '')} ORDER BY id LIMIT {page_rows_max + 1}"
        async with self.store.begin() as tx:
            return await tx.rows(text(query), {"agency": agency_id, "on": on, "after": after[:40]})

    async def sheet(self, agency_id: str, on: date) -> Sheet:
        """Give a day's sheet. Raises Refusal for a day that has not begun."""
        today = hanoi_day(self.store.clock.now())
        if on > today:
            raise Refusal("not-found", f"{on} has not begun.")
        balance = await trial_balance(self.store, agency_id, on)
        async with self.store.begin() as tx:
            day = await tx.row(_DAY, {"agency": agency_id, "on": on})
            is_closed = day is not None and day["state"] == "closed"
            broken: Mapping[str, Sequence[str]] = {}
            if not is_closed:
                broken = await failing(tx, agency_id, on, self.holders.banks(agency_id))
            seal = day["seal"] if day and is_closed else await seal_now(tx, agency_id, on)
            signed = await tx.rows(_SIGNED, {"agency": agency_id, "on": on, "seal": seal})
            by_two = await is_by_two(tx, agency_id)
        said = {
            "agency": agency_id, "day": on.isoformat(), "seal": seal,
            "balance": [asdict(line) for line in balance],
        }  # fmt: skip
        state = "closed" if is_closed else "open" if on < today else "running"
        return Sheet(on, state, day, broken, said, digest(said), signed, by_two)

    async def sign(self, agency_id: str, on: date, actor: str, shown: str) -> int:
        """Sign what was shown; give how many have. Raises Refusal."""
        sheet = await self.sheet(agency_id, on)
        if sheet.state == "running":
            raise Refusal("day-not-ready", f"{on} is not over in Hanoi: sign it tomorrow.")
        if sheet.open_checks:
            wrong = "; ".join(sheet.open_checks)
            raise Refusal("invalid-request", f"This must hold first: {wrong}.")
        if sheet.hash != shown:
            raise Refusal("invalid-request", "This is not what you were shown: read it again.")
        async with self.store.begin() as tx:
            await tx.run(locks.RUN, {"agency": agency_id})
            asked = {"agency": agency_id, "on": on, "seal": sheet.said["seal"]}
            signed = await tx.rows(_SIGNED, asked)
            if actor in {row["signed_by"] for row in signed}:
                raise Refusal("same-person", "You have signed it; somebody else must sign too.")
            if len(signed) == people:
                raise Refusal("invalid-request", "Two people have signed it already.")
            (following,) = await tx.rows(_NEXT, {"agency": agency_id, "on": on})
            await tx.run(insert(t.day_signature), {
                "agency_id": agency_id, "booked_on": on, "n": following["n"],
                "seal": sheet.said["seal"], "hash": sheet.hash, "said": dict(sheet.said),
                "signed_by": actor, "signed_at": self.store.clock.now(),
            })  # fmt: skip
            await tx.note(agency_id, actor, "day.sign", on.isoformat())
        return len(signed) + 1

    async def signed_and_open(self) -> list[tuple[str, date]]:
        """Name the days that two people have signed and nobody has closed."""
        async with self.store.begin() as tx:
            rows = await tx.rows(_SIGNED_AND_OPEN)
        return [(row["agency_id"], row["on"]) for row in rows]


async def is_by_two(tx: Tx, agency_id: str) -> bool:
    """Tell whether the agency's days are locked only when two people have signed them."""
    row = await tx.row(_WISH, {"agency": agency_id, "setting": CLOSED_BY_TWO})
    return bool(row and row["yes"])


async def is_signed(tx: Tx, agency_id: str, on: date, seal: str) -> bool:
    """Tell whether two people have signed these entries of a day."""
    rows = await tx.rows(_SIGNED, {"agency": agency_id, "on": on, "seal": seal})
    return len(rows) == people
