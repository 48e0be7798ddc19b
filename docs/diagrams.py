"""Draws docs/diagrams/*.md from the code: the states, the imports and the tables."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from gateway.domain.states import LIVE, MOVES, REFUND_MOVES, AttemptState, RefundState, State
from gateway.store.tables import metadata

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "docs" / "diagrams"
PACKAGES: Final = ("gateway", "adapters", "reconciliation", "receipts")
_HEAD: Final = "Made from the code by `python docs/diagrams.py`; a test fails when it is stale.\n"


def page(title: str, words: str, lines: list[str]) -> str:
    """Write one page around one mermaid picture."""
    return "\n".join([f"# {title}", "", words, "", "```mermaid", *lines, "```", "", _HEAD])


def payment_states() -> str:
    """Draw MOVES; a state that nothing leaves ends the life."""
    lines = ["stateDiagram-v2", f"  [*] --> {State.OPEN}"]
    lines += [f"  {here} --> {there}: {move}" for (here, move), there in MOVES.items()]
    left = {here for here, _ in MOVES}
    lines += [f"  {state} --> [*]" for state in State if state not in left]
    unreached = sorted({*State} - {*MOVES.values(), State.OPEN})
    words = "Each arrow is a line of `MOVES` in `gateway/domain/states.py`."
    if unreached:
        words += f" No move leads to {', '.join(unreached)} yet."
    return page("The life of a payment", words, lines)


def refund_states() -> str:
    """Draw REFUND_MOVES."""
    lines = ["stateDiagram-v2", f"  [*] --> {RefundState.REQUESTED}"]
    lines += [f"  {here} --> {there}: {move}" for (here, move), there in REFUND_MOVES.items()]
    left = {here for here, _ in REFUND_MOVES}
    lines += [f"  {state} --> [*]" for state in RefundState if state not in left]
    words = "Each arrow is a line of `REFUND_MOVES` in `gateway/domain/states.py`."
    return page("The life of a refund", words, lines)


def attempt_states() -> str:
    """Draw the states of an attempt, the live ones together."""
    ended = [state for state in AttemptState if state not in LIVE]
    lines = ["stateDiagram-v2", "  state live {"]
    lines += [f"    {state}" for state in AttemptState if state in LIVE]
    lines += ["  }", f"  [*] --> {AttemptState.STARTED}"]
    lines += [f"  live --> {state}" for state in ended]
    lines += [f"  {state} --> {AttemptState.CAPTURED}: money after all" for state in ended[1:]]
    words = (
        "`LIVE` and the rest of `AttemptState` in `gateway/domain/states.py`. A word without money"
        " ends only a live attempt; money is taken whatever the attempt's state."
    )
    return page("The life of an attempt", words, lines)


def part_of(module: str) -> str:
    """Give the part that a module belongs to: ``gateway.store``, ``adapters``, ..."""
    names = module.split(".")
    return ".".join(names[:2]) if names[0] == "gateway" and len(names) > 1 else names[0]


def imports() -> Mapping[tuple[str, str], int]:
    """Count, for each pair of parts, the files of one that import the other."""
    found: dict[tuple[str, str], int] = {}
    for path in sorted(p for name in PACKAGES for p in (ROOT / name).rglob("*.py")):
        here = part_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for there in {part_of(m) for m in _imported(path)} - {here}:
            found[here, there] = found.get((here, there), 0) + 1
    return dict(sorted(found.items()))


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        named: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module:
            whole = [f"{node.module}.{a.name}" for a in node.names]
            named = whole if node.module == "gateway" else [node.module]
        elif isinstance(node, ast.Import):
            named = [a.name for a in node.names]
        yield from (m for m in named if m.split(".")[0] in PACKAGES)


def import_graph() -> str:
    """Draw who imports whom; how thick is not said, so that a new file changes nothing."""
    lines = ["flowchart TD"]
    lines += [f"  {here} --> {there}" for here, there in imports()]
    words = (
        "All arrows point inwards; `lint-imports` holds them to the contracts of pyproject.toml."
    )
    return page("Who imports whom", words, lines)


def tables() -> str:
    """Draw the tables with their keys, and who points at whom."""
    lines = ["erDiagram"]
    for table in sorted(metadata.tables.values(), key=lambda t: t.name):
        lines.append(f"  {table.name} {{")
        pointing = {c.name for key in table.foreign_keys for c in [key.parent]}
        for column in table.columns:
            if column.primary_key or column.name in pointing:
                marks = ["PK"] * column.primary_key + ["FK"] * (column.name in pointing)
                kind = str(column.type).split("(")[0].split(" ")[0].lower().replace("[]", "_array")
                lines.append(f"    {kind} {column.name} {', '.join(marks)}")
        lines.append("  }")
    pairs = {
        (key.referred_table.name, table.name)
        for table in metadata.tables.values()
        for key in table.foreign_key_constraints
        if key.referred_table.name != "agency"
    }
    lines += [f'  {whom} ||--o{{ {who} : ""' for whom, who in sorted(pairs)]
    words = (
        "Keys only; every column and rule is in `gateway/store/tables.py`. The arrows to `agency`"
        " are left out: every row of an agency names it in its key."
    )
    return page("The tables", words, lines)


def pages() -> dict[str, str]:
    """Give every page by its file's name."""
    return {
        "payment-states.md": payment_states(),
        "attempt-states.md": attempt_states(),
        "imports.md": import_graph(),
        "tables.md": tables(),
    }


def main() -> None:
    """Write every page."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
