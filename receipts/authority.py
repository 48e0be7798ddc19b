"""What an agency sees of its duty to tell: the line, what is due when, and the quarter's report."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from gateway.domain.errors import Refusal
from gateway.ports.vault import Vault
from gateway.store import tables as t
from gateway.store.tx import Row, Store
from receipts.channels import KINDS

shown_max: Final = 100
red: Final = timedelta(hours=2)  # So long before it is late it is red.
value_chars_max: Final = 500
_QUARTER: Final = re.compile(r"(20\d\d)-Q([1-4])")

_LIST: Final = text(
    "SELECT id, kind, told_on, part, state, count, amount, made_at, due_at, accepted_at,"
    " reference, code, tries FROM transmission WHERE agency_id = :agency"
    " AND (state <> 'accepted' OR made_at >= :since)"
    " ORDER BY state = 'accepted', due_at, made_at DESC LIMIT :rows"
)
_UNTOLD: Final = text(
    "SELECT r.issued_on, count(*) AS count, sum(r.amount)::bigint AS amount FROM receipt r"
    " WHERE r.agency_id = :agency AND r.transmission_id IS NULL AND r.xml IS NOT NULL"
    " GROUP BY r.issued_on ORDER BY r.issued_on"
)
_OUTAGES: Final = text(
    "SELECT * FROM outage WHERE agency_id = :agency AND (ended_at IS NULL OR told_at IS NULL)"
    " ORDER BY began_at"
)
_TELL: Final = text(
    "UPDATE outage SET told_at = :now, told_by = :actor"
    " WHERE agency_id = :agency AND id = :id AND told_at IS NULL"
)
_RETRY: Final = text(
    "UPDATE transmission SET ask_at = :now, state = 'queued'"
    " WHERE agency_id = :agency AND id = :id AND state <> 'accepted'"
)
# Of each series: what was there before the quarter, what was issued in it, and what stands.
_USAGE: Final = text(
    "SELECT s.form, s.series,"
    " coalesce(max(r.number) FILTER (WHERE r.issued_on < :from), s.taken_over) AS opening,"
    " coalesce(min(r.number) FILTER (WHERE r.issued_on >= :from), 0) AS first,"
    " coalesce(max(r.number), 0) AS closing,"
    " count(*) FILTER (WHERE r.issued_on >= :from) AS issued,"
    " count(*) FILTER (WHERE r.issued_on >= :from AND r.replaces_id IS NOT NULL) AS replacements,"
    " count(*) FILTER (WHERE EXISTS (SELECT 1 FROM receipt n WHERE n.agency_id = r.agency_id"
    " AND n.replaces_id = r.id AND n.issued_on >= :from AND n.issued_on < :upto)) AS replaced,"
    " coalesce(sum(r.amount) FILTER (WHERE r.issued_on >= :from), 0)::bigint AS amount"
    " FROM series s JOIN receipt r ON r.agency_id = s.agency_id AND r.form = s.form"
    " AND r.series = s.series WHERE s.agency_id = :agency AND r.issued_on < :upto"
    " GROUP BY s.form, s.series, s.taken_over HAVING max(r.issued_on) >= :from"
    " ORDER BY s.form, s.series"
)
_LATE: Final = text(
    "SELECT m.agency_id, count(*) AS n FROM transmission m WHERE m.state <> 'accepted'"
    " AND m.due_at < :now AND NOT EXISTS (SELECT 1 FROM outage o WHERE o.agency_id = m.agency_id"
    " AND o.ended_at IS NULL AND o.began_at <= m.due_at) GROUP BY m.agency_id"
)
_SILENT: Final = text(
    "SELECT a.id FROM agency a WHERE NOT a.is_sandbox AND EXISTS (SELECT 1 FROM receipt r"
    " WHERE r.agency_id = a.id) AND NOT EXISTS (SELECT 1 FROM channel c WHERE c.agency_id = a.id)"
    " ORDER BY a.id"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is due, and over which line."""

    kind: str | None
    messages: Sequence[Mapping[str, Any]]
    untold: Sequence[Row]
    outages: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Authority:
    """The agency's side of telling."""

    store: Store
    vault: Vault

    async def standing(self, agency_id: str) -> Standing:
        """Say what is due when; what is urgent first."""
        now = self.store.clock.now()
        asked = {"agency": agency_id, "since": now - timedelta(days=7), "rows": shown_max}
        async with self.store.begin() as tx:
            line = await tx.row(select(t.channel.c.kind).where(t.channel.c.agency_id == agency_id))
            messages = await tx.rows(_LIST, asked)
            untold = await tx.rows(_UNTOLD, {"agency": agency_id})
            outages = await tx.rows(_OUTAGES, {"agency": agency_id})
        is_broken = any(o["ended_at"] is None for o in outages)
        shown = [{**m, "tone": tone(m, now, is_broken=is_broken)} for m in messages]
        return Standing(line["kind"] if line else None, shown, untold, outages)

    async def message(self, agency_id: str, message_id: str, actor: str) -> tuple[str, bytes]:
        """Give a message as it is sealed; it may name payers, so the reading is written down."""
        c = t.transmission.c
        async with self.store.begin() as tx:
            row = await tx.row(
                select(c.told_on, c.part, c.xml).where(c.agency_id == agency_id, c.id == message_id)
            )
            if row is None:
                raise Refusal("not-found", "There is no such message in this agency.")
            await tx.note(agency_id, actor, "transmission.read", message_id)
        return f"{row['told_on']}-{row['part']}.xml", bytes(row["xml"])

    async def retry(self, agency_id: str, message_id: str, actor: str) -> None:
        """Send a message again now. Raises Refusal when it is accepted already."""
        asked = {"agency": agency_id, "id": message_id, "now": self.store.clock.now()}
        async with self.store.begin() as tx:
            if not await tx.run(_RETRY, asked):
                raise Refusal("invalid-request", "It is accepted already, or not there.")
            await tx.note(agency_id, actor, "transmission.retry", message_id)

    async def tell(self, agency_id: str, outage_id: str, actor: str) -> None:
        """Note that the authority was told of a broken line."""
        now = self.store.clock.now()
        asked = {"agency": agency_id, "id": outage_id, "now": now, "actor": actor}
        async with self.store.begin() as tx:
            if await tx.run(_TELL, asked):
                await tx.note(agency_id, actor, "outage.tell", outage_id)

    async def connect(
        self, agency_id: str, kind: str | None, values: Mapping[str, str], actor: str
    ) -> None:
        """Choose the line; None takes it away. Raises Refusal."""
        row = None if kind is None else self._line(agency_id, kind, values)
        async with self.store.begin() as tx:
            if await tx.row(select(t.agency.c.id).where(t.agency.c.id == agency_id)) is None:
                raise Refusal("not-found", f"There is no agency {agency_id}; run seed first.")
            if row is None:
                await tx.run(t.channel.delete().where(t.channel.c.agency_id == agency_id))
            else:
                changed = {k: v for k, v in row.items() if k != "agency_id"}
                line = insert(t.channel).values(row)
                await tx.run(line.on_conflict_do_update(index_elements=["agency_id"], set_=changed))
            await tx.note(agency_id, actor, "channel.change", kind or "none")

    def _line(self, agency_id: str, kind: str, values: Mapping[str, str]) -> dict[str, Any]:
        if kind not in KINDS:
            raise Refusal("invalid-request", f"The lines are: {', '.join(KINDS)}.")
        wanted = KINDS[kind][1]
        missing = [name for name in wanted if not values.get(name)]
        if missing:
            raise Refusal("invalid-request", f"A {kind} line needs: {', '.join(missing)}.")
        kept = {name: values[name] for name in wanted}
        if any(len(v) > value_chars_max or not v.isprintable() for v in kept.values()):
            raise Refusal("invalid-request", "A value is too long, or cannot be printed.")
        if "url" in kept and urlsplit(kept["url"]).scheme not in ("https", "http"):
            raise Refusal("invalid-request", "The address begins with https://.")
        plain = json.dumps(kept, sort_keys=True).encode()
        return {
            "agency_id": agency_id, "kind": kind, "since_at": self.store.clock.now(),
            "values_sealed": self.vault.seal(f"channel|{agency_id}|values", plain),
        }  # fmt: skip

    async def late(self) -> dict[str, int]:
        """Count what is overdue, by agency; what a broken line holds up is not."""
        async with self.store.begin() as tx:
            rows = await tx.rows(_LATE, {"now": self.store.clock.now()})
        return {r["agency_id"]: r["n"] for r in rows}

    async def silent(self) -> list[str]:
        """Name the live agencies that have receipts and no line to tell of them."""
        async with self.store.begin() as tx:
            rows = await tx.rows(_SILENT)
        return [r["id"] for r in rows]

    async def usage(self, agency_id: str, quarter: str) -> Sequence[Row]:
        """Give the use of receipts in a quarter, such as «2026-Q4», series by series.

        TT 303/2016/TT-BTC art. 6.4 asked for it; kept since as the agency's own check. Nothing is
        void or lost: a number that was given is finished. Raises Refusal.
        """
        first, after = days_of(quarter)
        asked = {"agency": agency_id, "from": first, "upto": after}
        async with self.store.begin() as tx:
            return await tx.rows(_USAGE, asked)


def tone(message: Mapping[str, Any], now: datetime, *, is_broken: bool) -> str:
    """Say how urgent a message is: done, calm, held (by a broken line), red, late."""
    if message["state"] == "accepted":
        return "done"
    if message["due_at"] <= now:
        return "held" if is_broken else "late"
    if message["state"] == "refused" or message["due_at"] - now <= red:
        return "red"
    return "held" if is_broken else "calm"


def days_of(quarter: str) -> tuple[date, date]:
    """Give a quarter's first day, and the first day after it. Raises Refusal."""
    found = _QUARTER.fullmatch(quarter)
    if found is None:
        raise Refusal("invalid-request", "Write a quarter as 2026-Q4.")
    year, n = int(found.group(1)), int(found.group(2))
    after = date(year + 1, 1, 1) if n == 4 else date(year, 3 * n + 1, 1)  # noqa: PLR2004 - quarters of a year.
    return date(year, 3 * n - 2, 1), after


def quarter_of(on: date) -> str:
    """Name the quarter of a day."""
    return f"{on.year}-Q{(on.month + 2) // 3}"
