"""Which rules a receipt follows: dated files, chosen by the receipt's own date; a gap is an error.

The law changes on a day and old receipts stay what they were, so form, series and numbers are data
with a validity. ``rulesets/*.toml`` says of each rule where it was read and how surely.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Final

KINDS: Final = ("phi", "le_phi")
year_digits: Final = 100


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Form, series and numbers of receipts of some years."""

    name: str
    valid_from: date
    valid_to: date | None
    form: str
    series: str
    series_pattern: re.Pattern[str]
    letters: str
    number_max: int
    number_width: int
    titles: tuple[tuple[str, str], ...]
    repair_working_days: int | None  # None: a day's receipts are told to nobody the same day.

    def covers(self, on: date) -> bool:
        """Tell whether a receipt of that day follows these rules."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)

    def title(self, kind: str) -> str:
        """Name the receipt of a fee kind."""
        return dict(self.titles)[kind]

    def series_of(self, year: int) -> Iterator[str]:
        """List every series symbol of a year, in the order in which they are given out."""
        for first in self.letters:
            for second in self.letters:
                yield self.series.format(yy=f"{year % year_digits:02}", letters=first + second)

    def is_of(self, series: str, year: int) -> bool:
        """Tell whether a series symbol is one of a year; its only digits are the year's."""
        digits = "".join(sign for sign in series if sign.isdigit())
        is_one = self.series_pattern.fullmatch(series) is not None
        return is_one and digits == f"{year % year_digits:02}"

    def shown(self, number: int) -> str:
        """Write a number the way the face of the receipt shows it."""
        return f"{number:0{self.number_width}}"


def rules_on(on: date) -> RuleSet:
    """Find the rules of a day. Raises LookupError where none or two cover it."""
    return _the_one((r for r in _all() if r.covers(on)), f"on {on}")


def rules_named(name: str) -> RuleSet:
    """Find the rules that an old receipt names. Raises LookupError when they are not here."""
    return _the_one((r for r in _all() if r.name == name), f"under the name {name!r}")


def _the_one(found: Iterable[RuleSet], where: str) -> RuleSet:
    rules = list(found)
    if len(rules) != 1:
        raise LookupError(f"There are {len(rules)} receipt rule sets {where}; one is needed.")
    return rules[0]


@cache
def _all() -> tuple[RuleSet, ...]:
    folder = files("receipts") / "rulesets"
    texts = [f.read_text("utf-8") for f in folder.iterdir() if f.name.endswith(".toml")]
    return tuple(_read(tomllib.loads(text)) for text in texts)


def _read(said: dict[str, Any]) -> RuleSet:
    """Check a file whole: what the code does not know how to do must not be silently done."""
    rules = RuleSet(
        name=said["name"], valid_from=said["valid_from"], valid_to=said.get("valid_to"),
        form=said["form"], series=said["series"], letters=said["letters"],
        series_pattern=re.compile(said["series_pattern"]), number_max=said["number_max"],
        number_width=said["number_width"],
        titles=tuple((kind, said[f"title_{kind}"]) for kind in KINDS),
        repair_working_days=said.get("transmission", {}).get("repair_working_days"),
    )  # fmt: skip
    if said["restart"] != "year":
        raise ValueError(f"{rules.name}: numbers can only restart with the year.")
    if not re.fullmatch(said["form_pattern"], rules.form):
        raise ValueError(f"{rules.name}: the form does not follow its own pattern.")
    if not all(rules.series_pattern.fullmatch(s) for s in rules.series_of(rules.valid_from.year)):
        raise ValueError(f"{rules.name}: a series does not follow its own pattern.")
    if not said["source"]:
        raise ValueError(f"{rules.name}: no source is named.")
    return rules
