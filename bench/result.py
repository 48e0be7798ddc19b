"""One line of the table, and what it ran on."""

import os
import platform
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table; the names are CONTRACT 7's."""

    name: str
    ours: float
    baseline: float
    unit: str
    ratio: float
    target: float
    ok: bool
    machine: str


def machine(said: str) -> str:
    """Name what this ran on, and what else one must know of the figure."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    return f"{platform.machine()}, {os.cpu_count()} cores, {memory} GiB; {said}"


def at_least(
    name: str, ran_on: str, ours: float, theirs: float, unit: str, target: float
) -> Result:
    """Judge a rate: more is better."""
    ratio = ours / theirs
    return Result(
        name, round(ours, 1), round(theirs, 1), unit, round(ratio, 3), target, ratio >= target,
        ran_on,
    )  # fmt: skip


def at_most(name: str, ran_on: str, ours: float, theirs: float, unit: str, target: float) -> Result:
    """Judge a cost: less is better."""
    ratio = ours / theirs
    return Result(
        name, round(ours, 1), round(theirs, 1), unit, round(ratio, 3), target, ratio <= target,
        ran_on,
    )  # fmt: skip
