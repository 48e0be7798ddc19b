"""A month of payments whose truth is known, made of a seed: the files of CONTRACT 6, by DuckDB.

``gateway.csv`` is the gateway's own side, which CONTRACT 6 has no file for. One row says what was
booked (``kind`` capture, refund or attempt; an attempt ended without money), with the columns:
kind, payment_reference, payment_id, provider, provider_txn_id, amount, at, business_on,
bank_account, bank_reference, budget_line, reference.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from gateway.domain.ids import ALPHABET, make_reference

FILES: Final = ("canonical-provider", "canonical-statement", "canonical-treasury", "truth",
                "gateway")  # fmt: skip
# Fixed tariffs in đồng, and the budget line of each; the last of the lines is confirmed in lumps.
TARIFFS: Final = (
    (5_000, "2716"), (8_000, "2716"), (10_000, "2771"), (20_000, "2771"), (50_000, "2768"),
    (75_000, "2768"), (100_000, "2805"), (150_000, "2805"), (200_000, "2752"), (600_000, "2816"),
)  # fmt: skip

# How many of 100,000 payments meet what; what is not named here happens to nobody.
_EVERYWHERE: Final = {"late_report": 300, "folded": 1_000, "glued": 300, "broken_lines": 300}
_DIRTY: Final = _EVERYWHERE | {
    # Harmless where the rules know them: all these are one payment and its money.
    "letter_changed": 700, "letter_lost": 200, "letters_swapped": 100, "accents": 700,
    "no_obligation": 500, "instalments": 200, "refunded": 400, "refund_first": 100,
    "before_midnight": 400,
    # What must be a break, and of the right kind.
    "missing_at_provider": 200, "missing_at_treasury": 200, "unknown": 200, "amount": 200,
    "amount_at_treasury": 100, "charge": 100, "twice": 200, "twice_at_treasury": 100,
    "double": 100, "partial": 100, "charged_back": 100, "wrong_reference": 50, "conflict": 50,
    "lost": 400,
}  # fmt: skip
PROFILES: Final[dict[str, dict[str, int]]] = {
    "normal": _EVERYWHERE, "dirty": _DIRTY, "adversarial": {},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class World:
    """What is made: how many payments, of which seed and kind."""

    payments: int
    seed: int
    profile: str

    def write(self, folder: Path, threads: int = 2) -> None:
        """Write the files. The same seed gives the same bytes."""
        import duckdb

        folder.mkdir(parents=True, exist_ok=True)
        with duckdb.connect(
            config={"threads": threads, "temp_directory": str(folder / "spill")}
        ) as base:
            base.execute("SET enable_progress_bar = false")
            for statement in self._story().split(";\n"):
                if statement.strip():
                    base.execute(statement)
            for name in FILES:
                target = folder / f"{name}.csv"
                base.execute(
                    f'COPY (SELECT * EXCLUDE (n) FROM "{name}" ORDER BY n)'
                    f" TO '{target}' (HEADER, DELIMITER ',')"
                )

    def _story(self) -> str:
        text = files("bench.reconciliation").joinpath("world.sql").read_text("utf-8")
        pairs, parities = _reference_tables()
        for name, value in {
            "$payments": self.payments, "$seed": self.seed, "$pairs": pairs, "$parities": parities,
            "$is_adversarial": self.profile == "adversarial", "$is_dirty": self.profile == "dirty",
            "$fault": _fault(PROFILES[self.profile]), "$amounts": [a for a, _ in TARIFFS],
            "$lines": [line for _, line in TARIFFS],
        }.items():  # fmt: skip
            text = text.replace(name, str(value))
        return text


def _fault(rates: dict[str, int]) -> str:
    """Write the CASE that deals the faults out by a number below 100,000."""
    below, cases = 0, []
    for name, rate in rates.items():
        below += rate
        cases.append(f"WHEN dice < {below} THEN '{name}'")
    return f"CASE {' '.join(cases)} ELSE '' END" if cases else "''"


@cache
def _reference_tables() -> tuple[list[str], list[list[int]]]:
    """Give two symbols for each ten bits, and what each ten bits of a body add to its check."""
    pairs = [ALPHABET[v & 31] + ALPHABET[v >> 5] for v in range(1024)]
    parities = [[_check(v << (10 * k)) for v in range(1024)] for k in range(5)]
    return pairs, parities


def _check(bits: int) -> int:
    high, low = make_reference(bits.to_bytes(7, "big"))[-2:]
    return ALPHABET.index(high) | ALPHABET.index(low) << 5


def paths(folder: Path) -> dict[str, Path]:
    """Find the files of a truth folder, by CONTRACT 6's profile names or their last word."""
    found: dict[str, Path] = {}
    for name in FILES:
        for file in (folder / f"{name}.csv", folder / f"{name.removeprefix('canonical-')}.csv"):
            if file.exists():
                found[name] = file
    missing = [n for n in FILES[:4] if n not in found]
    if missing:
        raise FileNotFoundError(f"{folder} lacks {', '.join(n + '.csv' for n in missing)}")
    return found


Rows = list[tuple[Any, ...]]
