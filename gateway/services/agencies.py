"""What an agency says of itself: the name and tax code on its receipts, and how it wants them."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from gateway.domain.errors import Refusal
from gateway.store import tables as t
from gateway.store.tx import Row, Store

words_max: Final = 300  # A line of a receipt; the longest name of an agency that we met has 120.
_RULES: Final[Mapping[str, tuple[re.Pattern[str], str]]] = {
    "tax_code": (re.compile(r"[0-9]{10}(-[0-9]{3})?"), "10 digits, or 10-3"),
    "budget_chapter": (re.compile(r"[0-9]{3}"), "3 digits"),
    "treasury_code": (re.compile(r"[0-9]{7}"), "7 digits"),
}
SHOWS_NAME: Final = "receipt_shows_payer_name"
TREASURY_CODE: Final = "treasury_code"  # By which the treasury names the agency in its files.


@dataclass(frozen=True, slots=True)
class Agencies:
    """The agencies' own facts."""

    store: Store

    async def require(self, agency_id: str) -> str:
        """Give the agency back that is there. Raises Refusal, which names those that are."""
        async with self.store.begin() as tx:
            known = [r["id"] for r in await tx.rows(select(t.agency.c.id).order_by(t.agency.c.id))]
        if agency_id in known:
            return agency_id
        there = f"there are {', '.join(known)}" if known else "run thuphi seed first"
        raise Refusal("not-found", f"There is no agency {agency_id}; {there}.")

    async def change(
        self, agency_id: str, words: Mapping[str, str], shows_name: bool | None, actor: str
    ) -> dict[str, Any]:
        """Change what is given and leave the rest; give all as it then stands.

        Receipts that have a number keep what they were numbered with.
        """
        changes: dict[str, Any] = {name: _checked(name, value) for name, value in words.items()}
        settings = {} if shows_name is None else {SHOWS_NAME: shows_name}
        if TREASURY_CODE in changes:
            settings[TREASURY_CODE] = changes.pop(TREASURY_CODE)
        async with self.store.begin() as tx:
            wanted = select(t.agency).where(t.agency.c.id == agency_id)
            row = await tx.row(wanted.with_for_update())
            if row is None:
                raise Refusal("not-found", f"There is no agency {agency_id}; run seed first.")
            if settings:
                changes["settings"] = {**row["settings"], **settings}
            if changes:
                here = t.agency.c.id == agency_id
                await tx.run(t.agency.update().where(here).values(changes))
                await tx.note(agency_id, actor, "agency.change", ",".join(sorted(changes)))
        return _shown({**row, **changes})


def _shown(row: Row) -> dict[str, Any]:
    names = ("id", "name", "tax_code", "address", "budget_chapter", "is_sandbox")
    settings = row["settings"]
    return {n: row[n] for n in names} | {
        TREASURY_CODE: settings.get(TREASURY_CODE, ""),
        SHOWS_NAME: bool(settings.get(SHOWS_NAME, False)),
    }  # fmt: skip


def _checked(name: str, value: str) -> str:
    clean = " ".join(unicodedata.normalize("NFC", value).split())
    pattern, rule = _RULES.get(name, (None, ""))
    if pattern and not pattern.fullmatch(clean):
        raise Refusal("invalid-request", f"The {name.replace('_', ' ')} has {rule}.")
    if not clean or len(clean) > words_max or not clean.isprintable():
        raise Refusal("invalid-request", f"The {name} has 1 to {words_max} printable characters.")
    return clean
