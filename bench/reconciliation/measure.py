"""One measured run: read, match, judge; and DuckDB's bare read and join of the same files."""

import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, Final

from bench.reconciliation.judge import Verdict, judge
from bench.reconciliation.reading import ENGINE_TABLES, csv_of, load
from bench.reconciliation.world import paths
from reconciliation.engine import SHAPES, match

batch_rows: Final = 122_880  # One row group of DuckDB: what flows to the engine at a time.
_BARE: Final = (
    "CREATE TABLE joined AS SELECT t.payment_reference, p.gross, s.amount AS credited,"
    " y.amount AS confirmed, t.class FROM {truth} t"
    " FULL JOIN {provider} p ON p.provider_txn_id = t.provider_txn_id"
    " FULL JOIN {statement} s ON s.line_id = t.statement_line"
    " FULL JOIN {treasury} y ON y.document_ref = t.treasury_ref"
)


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds and mebibytes of one run, and how exact it was.

    Processor seconds, of all threads, stand beside the clock's: a busy machine doubles the latter.
    """

    lines: int
    read: "Took"
    match: "Took"
    peak_mb: float  # Before the judge, who needs memory of his own.
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class Took:
    """What a step took, by the clock and of the processors."""

    clock_s: float
    cpu_s: float

    def __add__(self, other: "Took") -> "Took":
        return Took(self.clock_s + other.clock_s, self.cpu_s + other.cpu_s)


def took(call: Callable[[], Any]) -> tuple[Any, Took]:
    """Call, and time it."""
    clock, cpu = perf_counter(), process_time()
    answer = call()
    return answer, Took(perf_counter() - clock, process_time() - cpu)


def bare(folder: Path, spill: Path) -> Took:
    """Time DuckDB's own read and full join of the files."""
    found = paths(folder)
    with _opened(spill, "bare.duckdb") as base:
        files = {n.removeprefix("canonical-"): csv_of(p) for n, p in found.items()}
        return took(lambda: base.execute(_BARE.format(**files)))[1]


def measure(folder: Path, spill: Path, *, is_judged: bool = True) -> Measured:
    """Run the product's engine and rules over a folder. Call it in a fresh process."""
    spill.mkdir(parents=True, exist_ok=True)
    with _opened(spill, "files.duckdb") as base:
        _, read = took(lambda: load(base, folder))
        found, matched = took(lambda: match(streams(base)))
        peak = _peak_mb()
        ((lines,),) = base.execute("SELECT count(*) FROM line").fetchall()
        verdict = judge(base, found) if is_judged else None
    return Measured(lines, read, matched, peak, verdict)


def streams(base: Any) -> dict[str, Any]:  # noqa: ANN401 - duckdb ships no types for this.
    """Give the engine's tables as streams of Arrow batches."""
    return {
        name: base.cursor().sql(f"SELECT {', '.join(SHAPES[name])} FROM {name}").to_arrow_reader(
            batch_rows)
        for name in ENGINE_TABLES
    }  # fmt: skip


def _opened(spill: Path, name: str) -> Any:  # noqa: ANN401 - duckdb ships no types for this.
    import duckdb

    base = duckdb.connect(str(spill / name), config=_config(spill))
    base.execute("SET enable_progress_bar = false")
    return base


def _config(spill: Path) -> dict[str, str | int]:
    return {"threads": 2, "temp_directory": str(spill / "spilled"), "memory_limit": "500MB"}


def _peak_mb() -> float:
    """Give the largest resident size of this process so far; Linux says it in kibibytes."""
    assert sys.platform == "linux"
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
