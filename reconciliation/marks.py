"""The words by which a statement tells what is no citizen's transfer, and how far a run looks."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def marks() -> dict[str, Any]:
    """Read the marks and the run's limits."""
    return tomllib.loads(files("reconciliation").joinpath("marks.toml").read_text("utf-8"))


def marks_in(folded: str) -> tuple[str, ...]:
    """Name the marks that a folded text carries: all that is kept of it in the open."""
    return tuple(m["text"] for m in marks()["mark"] if m["text"] in folded)
