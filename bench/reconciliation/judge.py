"""Holds what the engine said against the truth: what is closed wrongly, and each break's kind."""

import re
from collections import Counter
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from gateway.domain.ids import fold

wrong_characters_max: Final = 1  # A reference with more of them is no usable key.


@dataclass(frozen=True, slots=True)
class Verdict:
    """How exact one run was. Shares are of 1; money in đồng."""

    wrong_dong: int
    wrong_lines: int
    kinds_found: float  # Of the breaks that the truth knows, those found and rightly named.
    kinds_right: float  # Of the breaks that were told, those that the truth knows under that name.
    keyed: float  # Matched, of line and payment that a usable key joins.
    everything: float  # Matched, of all that belongs together.
    by_class: dict[str, tuple[int, int]]  # Found and wanted.
    unfounded: dict[str, int]  # Told kinds that are not true, with what is.
    wrong_rules: dict[str, int]


def judge(base: Any, found: Any) -> Verdict:  # noqa: ANN401 - neither library ships types.
    """Judge a result; ``base`` holds the truth and the lines."""
    base.register("matches", found.matches)
    base.register("differences", found.differences)
    text = files("bench.reconciliation").joinpath("judge.sql").read_text("utf-8")
    for statement in text.split(";\n"):
        base.execute(statement)
    ((dong, lines),) = _ask(base, "SELECT coalesce(sum(amount), 0), count(DISTINCT line_id)"
                                  " FROM wrong")  # fmt: skip
    by_class = {
        kind: (int(good), int(wanted))
        for kind, good, wanted in _ask(
            base, "SELECT class, count(*) FILTER (WHERE is_found), count(*) FROM wanted_break"
                  " GROUP BY 1 ORDER BY 1")
    }  # fmt: skip
    ((right, told),) = _ask(base, "SELECT count(*) FILTER (WHERE is_right), count(*)"
                                  " FROM judged_break")  # fmt: skip
    ((whole, matched, everything),) = _ask(
        base, "SELECT count(*) FILTER (WHERE is_whole AND is_matched), count(*) FILTER"
              " (WHERE is_matched), count(*) FROM pair")  # fmt: skip
    open_keyed = sum(_has_key(*row) for row in _ask(
        base, "SELECT source, payment_reference, reference, obligation_id, said, is_marked"
              " FROM open_pair"))  # fmt: skip
    unfounded = Counter(
        {f"{kind}, truly {truly}": n for kind, truly, n in _ask(
            base, "SELECT kind, truly, count(*) FROM judged_break WHERE NOT is_right"
                  " GROUP BY ALL")}
    )  # fmt: skip
    rules = dict(_ask(base, "SELECT rule, count(*) FROM wrong GROUP BY ALL ORDER BY 1"))
    return Verdict(
        int(dong), lines, _share(*map(sum, zip(*by_class.values(), strict=True)))
        if by_class else 1.0, _share(right, told), _share(whole, whole + open_keyed),
        _share(matched, everything), by_class, dict(unfounded), rules,
    )  # fmt: skip


def _ask(base: Any, query: str) -> list[tuple[Any, ...]]:  # noqa: ANN401
    rows: list[tuple[Any, ...]] = base.execute(query).fetchall()
    return rows


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _has_key(
    source: str, payment: str, reference: str | None, obligation: str | None, said: str, *rest: bool
) -> bool:
    """Tell whether anything on an open line names its payment, though the engine did not see it."""
    if source == "provider" or obligation or reference or any(rest):
        return True
    packed = re.sub(r"[^0-9A-Z]", "", fold(said)).translate(str.maketrans("OIL", "011"))
    sizes = range(len(payment) - wrong_characters_max, len(payment) + wrong_characters_max + 1)
    return any(
        _edits(packed[at : at + size], payment) <= wrong_characters_max
        for size in sizes
        for at in range(len(packed) - size + 1)
    )


def _edits(a: str, b: str) -> int:
    """Count insertions, deletions and changes between two short words (Levenshtein)."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]
