"""What an agency says of itself: the name and tax code on its receipts, and how it wants them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from gateway.domain.calendar import hanoi_day
from gateway.domain.errors import Refusal
from gateway.domain.texts import one_line
from gateway.store import tables as t
from gateway.store.tx import Row, Store

words_max: Final = 300  # A line of a receipt; the longest name of an agency that we met has 120.
_RULES: Final[Mapping[str, tuple[re.Pattern[str], str]]] = {
    "tax_code": (re.compile(r"[0-9]{10}(-[0-9]{3})?"), "10 digits, or 10-3"),
    "budget_chapter": (re.compile(r"[0-9]{3}"), "3 digits"),
    "treasury_code": (re.compile(r"[0-9]{7}"), "7 digits"),
    "treasury_account": (re.compile(r"[0-9A-Z.]{4,34}"), "4 to 34 digits, letters and points"),
    "area_code": (re.compile(r"[0-9A-Z]{2,10}"), "2 to 10 digits and letters"),
    "payer_years": (re.compile(r"[1-9][0-9]?"), "1 to 99, in years"),
    "write_off_max": (re.compile(r"0|[1-9][0-9]{0,11}"), "1 to 12 digits, in whole đồng"),
}
SHOWS_NAME: Final = "receipt_shows_payer_name"
SIGNS_PDF: Final = "receipt_pdf_signed"
MAILS: Final = "receipt_mailed"  # To whoever gave an address, without being asked.
CLOSED_BY_TWO: Final = "days_closed_by_two"  # Locked when two have signed; else by itself.
# Refunds that end on or after this Hanoi day get replacements; absent: receipts stand as they are.
REPLACED_FROM: Final = "refunds_replace_receipts_from"
# For how many years after the end of a payment's year what is kept of its payer can be opened.
PAYER_YEARS: Final = "payer_years"
payer_years_default: Final = 10  # As long as a receipt is kept by law.
# The largest loss that two people may write off; 0, none, until an agency says otherwise.
WRITE_OFF_MAX: Final = "write_off_max"
TREASURY_CODE: Final = "treasury_code"  # By which the treasury names the agency in its files.
# What a slip to the budget says of where the money goes (DOMAIN 3.3).
TREASURY_NAME: Final = "treasury_name"
TREASURY_ACCOUNT: Final = "treasury_account"
AREA: Final = "area_code"
_WANTS: Final = (SHOWS_NAME, SIGNS_PDF, MAILS, CLOSED_BY_TWO)
_KEPT: Final = (TREASURY_CODE, TREASURY_NAME, TREASURY_ACCOUNT, AREA)


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
        self, agency_id: str, words: Mapping[str, str], wants: Mapping[str, bool], actor: str
    ) -> dict[str, Any]:
        """Change what is given and leave the rest; give all as it then stands.

        Receipts that have a number keep what they were numbered with. What is wanted of
        refunds counts for those that end from today on.
        """
        changes: dict[str, Any] = {name: _checked(name, value) for name, value in words.items()}
        async with self.store.begin() as tx:
            wanted = select(t.agency).where(t.agency.c.id == agency_id)
            row = await tx.row(wanted.with_for_update())
            if row is None:
                raise Refusal("not-found", f"There is no agency {agency_id}; run seed first.")
            settings = {**row["settings"], **{n: v for n, v in wants.items() if n != REPLACED_FROM}}
            settings |= {name: changes.pop(name) for name in _KEPT if name in changes}
            for number in (PAYER_YEARS, WRITE_OFF_MAX):
                if number in changes:
                    settings[number] = int(changes.pop(number))
            if wants.get(REPLACED_FROM) is False:
                settings.pop(REPLACED_FROM, None)
            elif wants.get(REPLACED_FROM):
                settings.setdefault(REPLACED_FROM, hanoi_day(self.store.clock.now()).isoformat())
            if settings != row["settings"]:
                changes["settings"] = settings
            if changes:
                here = t.agency.c.id == agency_id
                await tx.run(t.agency.update().where(here).values(changes))
                await tx.note(agency_id, actor, "agency.change", ",".join(sorted(changes)))
        return _shown({**row, **changes})


def _shown(row: Row) -> dict[str, Any]:
    names = ("id", "name", "tax_code", "address", "budget_chapter", "is_sandbox")
    settings = row["settings"]
    wants = {n: bool(settings.get(n, False)) for n in _WANTS}
    return {n: row[n] for n in names} | wants | {
        **{name: settings.get(name, "") for name in _KEPT},
        PAYER_YEARS: settings.get(PAYER_YEARS, payer_years_default),
        WRITE_OFF_MAX: settings.get(WRITE_OFF_MAX, 0),
        REPLACED_FROM: settings.get(REPLACED_FROM),
    }  # fmt: skip


def _checked(name: str, value: str) -> str:
    clean = one_line(value)
    pattern, rule = _RULES.get(name, (None, ""))
    if pattern and not pattern.fullmatch(clean):
        raise Refusal("invalid-request", f"The {name.replace('_', ' ')} has {rule}.")
    if not clean or len(clean) > words_max or not clean.isprintable():
        raise Refusal("invalid-request", f"The {name} has 1 to {words_max} printable characters.")
    return clean
