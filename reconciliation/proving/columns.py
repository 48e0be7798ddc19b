"""Lays rows into the calculator's tables, column by column."""

from collections.abc import Sequence
from typing import Any


def put(base: Any, table: str, rows: Sequence[Sequence[Any]]) -> None:  # noqa: ANN401 - duckdb ships no types.
    """Add rows to a table that is there."""
    import pyarrow as pa

    if rows:
        columns = {f"c{n}": pa.array(cells) for n, cells in enumerate(zip(*rows, strict=True))}
        base.register("fresh", pa.table(columns))
        base.execute(f"INSERT INTO {table} SELECT * FROM fresh")
        base.unregister("fresh")
