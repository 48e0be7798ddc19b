"""A series that an agency numbered elsewhere, on paper or in another system, goes on here."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, text

from gateway.domain.calendar import hanoi_day
from gateway.domain.errors import Refusal
from gateway.store import locks
from gateway.store import tables as t
from gateway.store.tx import Store
from receipts.outside import Series
from receipts.rules import KINDS, RuleSet, rules_on

# A place has one series at a time, or it would have two numbers for one moment.
_OF_PLACE: Final = text(
    "SELECT s.series FROM series s LEFT JOIN receipt r ON r.agency_id = s.agency_id"
    " AND r.form = s.form AND r.series = s.series AND r.number = 1 WHERE s.agency_id = :agency"
    " AND s.branch_id = :branch AND s.form = :form AND s.series = ANY(:symbols)"
    " AND coalesce(s.kind, r.kind) = :kind AND s.last_number < :max"
)


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What an agency says of its series: for which branch and kind, and its last number."""

    branch_id: str
    kind: str
    series: Series
    last: int


async def take_over(store: Store, agency_id: str, said: TakenOver, actor: str) -> None:
    """Let numbers go on after those that were given elsewhere. Raises Refusal."""
    day = hanoi_day(store.clock.now())
    rules = rules_on(day)
    _require_possible(rules, said, day.year)
    form, series = said.series
    c, b = t.series.c, t.branch.c
    async with store.begin() as tx:
        await tx.run(locks.SERIES, {"agency": agency_id})
        branch = select(b.id).where(b.agency_id == agency_id, b.id == said.branch_id)
        if await tx.row(branch) is None:
            raise Refusal("not-found", f"{agency_id} has no branch {said.branch_id}.")
        ours = select(c.series).where(c.agency_id == agency_id, c.form == form, c.series == series)
        if await tx.row(ours):
            raise Refusal("invalid-request", f"{form} {series} is numbered here already.")
        place = {"agency": agency_id, "branch": said.branch_id, "form": form, "kind": said.kind,
                 "symbols": list(rules.series_of(day.year)), "max": rules.number_max}  # fmt: skip
        if other := await tx.row(_OF_PLACE, place):
            raise Refusal(
                "invalid-request",
                f"{said.branch_id} numbers its {said.kind} in {other['series']} here.",
            )
        await tx.run(t.series.insert(), {
            "agency_id": agency_id, "branch_id": said.branch_id, "form": form, "series": series,
            "kind": said.kind, "last_number": said.last, "taken_over": said.last,
        })  # fmt: skip
        await tx.note(agency_id, actor, "series.take_over", f"{form} {series} {said.last}")


def _require_possible(rules: RuleSet, said: TakenOver, year: int) -> None:
    form, series = said.series
    if said.kind not in KINDS:
        raise Refusal("invalid-request", f"A kind is one of {', '.join(KINDS)}.")
    if form != rules.form or not rules.is_of(series, year):
        example = next(rules.series_of(year))
        raise Refusal("invalid-request", f"This year's series are like {rules.form} {example}.")
    if not 1 <= said.last < rules.number_max:
        raise Refusal("invalid-request", f"The last number is from 1 to {rules.number_max - 1}.")
