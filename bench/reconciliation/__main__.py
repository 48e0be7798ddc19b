"""``python -m bench.reconciliation``: how exact and how fast matching is, where the truth is known.

Give ``--truth DIR`` for data of your own, in CONTRACT 6's format; else a month is made of a seed.
Each step runs in a process of its own, so that one's memory is not another's.
"""

import argparse
import multiprocessing
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from bench.reconciliation.judge import Verdict
from bench.reconciliation.measure import Measured, Took, bare, measure
from bench.reconciliation.world import PROFILES, World
from bench.result import machine

T = TypeVar("T")
kinds_share_min: Final = 0.99
keyed_share_min: Final = 0.999
bare_ratio_max: Final = 3.0
ratio_from_payments: Final = 1_000_000  # Below, both are over before a ratio says much.
growth_max: Final = 1.2  # No worse than linear by a fifth.
growth_sizes: Final = (100_000, 10_000_000)
match_s_max: Final = 12.0
resident_mb_max: Final = 2_048.0
large_payments: Final = 10_000_000  # What the two limits above are meant for.


def alone(call: Callable[..., T], *given: object) -> T:
    """Call a function in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(call, given)


def show(name: str, run: Measured, plain: Took, payments: int) -> bool:
    """Print one run; tell whether every target that applies is met."""
    ratio = (run.read + run.match).cpu_s / plain.cpu_s
    said = run.verdict
    print(f"\n{name}: {payments:,} payments, {run.lines:,} lines")
    met = [_exact(said)] if said else []
    rows: list[tuple[str, str, str, bool | None]] = [
        ("read, s (processors)", _seconds(run.read), "", None),
        ("match, s (processors)", _seconds(run.match), f"<= {match_s_max:.0f} at 10,000,000",
         run.match.clock_s <= match_s_max if payments >= large_payments else None),
        ("bare read and join, s (processors)", _seconds(plain), "", None),
        ("read and match / bare, processors", f"{ratio:.2f}",
         f"<= {bare_ratio_max:.0f} at 1,000,000",
         ratio <= bare_ratio_max if payments == ratio_from_payments else None),
        ("peak resident, MB", f"{run.peak_mb:.0f}", f"<= {resident_mb_max:.0f} at 10,000,000",
         run.peak_mb <= resident_mb_max if payments >= large_payments else None),
    ]  # fmt: skip
    for row in rows:
        _line(*row)
    return all([*met, *(ok for *_, ok in rows if ok is not None)])


def _seconds(said: Took) -> str:
    return f"{said.clock_s:.2f} ({said.cpu_s:.2f})"


def _exact(said: Verdict) -> bool:
    kinds = min(said.kinds_found, said.kinds_right)
    rows = [
        ("money closed wrongly, đồng", f"{said.wrong_dong}", "0", said.wrong_lines == 0),
        ("right kind of break", f"{kinds:.4%}", f">= {kinds_share_min:.0%}",
         kinds >= kinds_share_min),
        ("  of the true breaks, found", f"{said.kinds_found:.4%}", "", None),
        ("  of the breaks told, true", f"{said.kinds_right:.4%}", "", None),
        ("matched of what has a usable key", f"{said.keyed:.4%}", f">= {keyed_share_min:.1%}",
         said.keyed >= keyed_share_min),
        ("matched of everything", f"{said.everything:.4%}", "", None),
    ]  # fmt: skip
    for row in rows:
        _line(*row)
    for kind, (good, wanted) in said.by_class.items():
        print(f"    {kind:22}{good:>10,} of {wanted:,}")
    for kind, count in sorted(said.unfounded.items()):
        print(f"    not so: {kind}: {count:,}")
    for rule, count in said.wrong_rules.items():
        print(f"    closed wrongly by {rule}: {count:,}")
    return all(ok for *_, ok in rows if ok is not None)


def _line(name: str, value: str, target: str, ok: bool | None) -> None:
    word = {True: "ok", False: "MISSED", None: ""}[ok]
    print(f"  {name:36}{value:>16}  {target:18} {word}".rstrip())


def run_one(folder: Path, name: str, payments: int, spill: Path) -> tuple[Measured, bool]:
    """Measure one folder and print it."""
    run = alone(measure, folder, spill)
    return run, show(name, run, alone(bare, folder, spill), payments)


def main(said: list[str]) -> int:
    """Measure, print; 1 when a target is missed."""
    ask = argparse.ArgumentParser(prog="python -m bench.reconciliation", description=__doc__)
    ask.add_argument("--truth", type=Path, help="a folder in the format of CONTRACT 6")
    ask.add_argument("--payments", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--profile", choices=list(PROFILES), help="one of them; else all")
    ask.add_argument("--folder", type=Path, help="where what is made is put; else a temporary one")
    ask.add_argument("--rivals", action="store_true", help="beside recordlinkage and reconcile-py")
    given = ask.parse_args(said)
    print(machine("one process, two threads, DuckDB's memory bounded"))
    with tempfile.TemporaryDirectory(dir=given.folder, prefix="thuphi-bench-") as place:
        room = Path(place)
        if given.truth:
            payments = sum(1 for _ in (given.truth / "truth.csv").open("rb")) - 1
            return 0 if run_one(given.truth, str(given.truth), payments, room)[1] else 1
        met = [
            _made(World(many, given.seed, profile), room)
            for profile in ([given.profile] if given.profile else PROFILES)
            for many in given.payments
        ]
        if given.rivals:
            from bench.reconciliation import rivals

            met.append(rivals.compare(room, given.seed))
    return 0 if all(met) else 1


def _made(world: World, room: Path) -> bool:
    with tempfile.TemporaryDirectory(dir=room) as place:
        folder = Path(place)
        alone(world.write, folder)
        name = f"{world.profile}, seed {world.seed}"
        return run_one(folder, name, world.payments, folder / "spill")[1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
