"""What a procedure costs: dated tariff files in, fee lines out; a gap is an error that names it."""

import csv
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final

from gateway.domain.errors import FieldError, Refusal
from gateway.domain.payment import FeeLine

quantity_max: Final = 10_000  # More copies than any dossier has; a typing error beyond.
_PER_PAGE: Final = re.compile(
    r"per_page: (?P<first>\d+) for pages 1-(?P<upto>\d+), (?P<then>\d+) from page \d+,"
    r" cap (?P<cap>\d+) per copy"
)
_PERCENT: Final = re.compile(r"percent: (?P<rate>[\d.]+)% of .*, cap (?P<cap>\d+) per dossier")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the price depends on; amounts in đồng."""

    channel: str = "online"
    quantity: int = 1
    pages: int = 1
    value: int = 0


@dataclass(frozen=True, slots=True)
class Tariff:
    """One line of a tariff file."""

    code: str
    name: str
    name_en: str
    kind: str
    fee_name: str
    amount: int | None
    online_amount: int | None
    basis: str
    budget_line: str
    source: str
    status: str


@dataclass(frozen=True, slots=True)
class _File:
    valid_from: date
    valid_to: date
    agencies: frozenset[str]
    lines: Mapping[str, Tariff]


@cache
def _files() -> tuple[_File, ...]:
    folder = files("gateway") / "catalogue"
    index = tomllib.loads((folder / "tariffs.toml").read_text("utf-8"))
    return tuple(
        _File(
            entry["valid_from"],
            entry["valid_to"],
            frozenset(entry["agencies"]),
            {
                row["code"]: _tariff(row)
                for row in csv.DictReader(
                    (folder / entry["file"]).read_text("utf-8").splitlines(), strict=True
                )
            },
        )
        for entry in index["tariff"]
    )


def _tariff(row: Mapping[str, str]) -> Tariff:
    def number(name: str) -> int | None:
        return int(row[name]) if row[name] else None

    return Tariff(
        code=row["code"], name=row["name_vi"], name_en=row["name_en"], kind=row["fee_kind"],
        fee_name=row["fee_name_vi"], amount=number("amount_vnd"),
        online_amount=number("online_amount_vnd"), basis=row["amount_basis"],
        budget_line=row["subsection_tieu_muc"], source=row["source"], status=row["amount_status"],
    )  # fmt: skip


def find(agency_id: str, procedure: str, price_on: date | None = None) -> Tariff:
    """Find the tariff of a procedure on a day (any day when None)."""
    known = False
    for file in _files():
        if agency_id not in file.agencies or procedure not in file.lines:
            continue
        known = True
        if price_on is None or file.valid_from <= price_on <= file.valid_to:
            return file.lines[procedure]
    if known:
        raise Refusal(
            "no-rule-for-date", f"No tariff of {procedure} covers {price_on}.",
            (FieldError("/price_on", "No tariff file covers this day."),),
        )  # fmt: skip
    raise Refusal(
        "unknown-procedure", "The catalogue has no such procedure.",
        (FieldError("/procedure", "Not in the catalogue."),),
    )  # fmt: skip


def name_of(agency_id: str, procedure: str) -> tuple[str, str]:
    """Give a procedure's name in Vietnamese and English; its code where nobody named it."""
    try:
        found = find(agency_id, procedure)
    except Refusal:
        return procedure, procedure
    return found.name, found.name_en


def price(agency_id: str, procedure: str, facts: Facts, price_on: date) -> tuple[FeeLine, ...]:
    """Work out the fee lines. Raises Refusal when no rule covers the day or the facts."""
    tariff = find(agency_id, procedure, price_on)
    amount = _amount(tariff, facts)
    line = FeeLine(tariff.code, tariff.kind, tariff.fee_name, amount, tariff.budget_line)
    return (line,)


def _amount(tariff: Tariff, facts: Facts) -> int:
    if tariff.basis == "exempt":
        return 0
    if pages := _PER_PAGE.fullmatch(tariff.basis):
        first, upto, then, cap = (int(pages[k]) for k in ("first", "upto", "then", "cap"))
        copy = first * min(facts.pages, upto) + then * max(0, facts.pages - upto)
        return min(copy, cap) * facts.quantity
    if percent := _PERCENT.fullmatch(tariff.basis):
        whole, _, part = percent["rate"].partition(".")
        # Half up to 1 đồng: an assumption, for no text read states the rounding (DOMAIN 5).
        scale: int = 100 * 10 ** len(part)
        return min(
            (facts.value * int(whole + part) * 2 + scale) // (2 * scale), int(percent["cap"])
        )
    online = tariff.online_amount if facts.channel == "online" else None
    unit = online if online is not None else tariff.amount
    if unit is None:
        raise Refusal("no-rule-for-date", f"The tariff of {tariff.code} states no amount.")
    return unit * (facts.quantity if tariff.basis == "per_copy" else 1)
