"""The words by which a statement tells what is no citizen's transfer, and how far a run looks.

A payer writes what he likes, so a mark alone books nothing: it says which rule may ask.
"""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Final

from gateway.domain.till import bag_number

_LEAVES: Final = frozenset({"remittance"})  # All others come in.


@cache
def marks() -> dict[str, Any]:
    """Read the marks and the run's limits."""
    return tomllib.loads(files("reconciliation").joinpath("marks.toml").read_text("utf-8"))


def bag_in(folded: str) -> str | None:
    """Give the number of the deposit bag that a folded text names after its mark, if it does."""
    for mark in marks()["mark"]:
        if mark["kind"] == "cash_deposit" and mark["text"] in folded:
            return bag_number(folded.partition(mark["text"])[2]) or None
    return None


def marks_in(folded: str, amount: int) -> tuple[str, ...]:
    """Name the marks that a folded text carries: all that is kept of it in the open."""
    return tuple(
        m["text"] for m in marks()["mark"] if m["text"] in folded and is_possible(m["kind"], amount)
    )


def is_possible(kind: str, amount: int) -> bool:
    """Tell whether money that moved this way can be what a mark says."""
    return (amount < 0) == (kind in _LEAVES)
