"""Small functions, small files, and names that say something (ARCHITECTURE 1.14, 1.15)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("gateway", "adapters", "reconciliation", "receipts", "tests", "bench", "docs")
function_lines_max = 70
file_lines_max = 330
# Each is longer for a reason; the figure is its own limit.
LONG_FILES = {
    # One look says who points at whom; in two files the constraints would be out of sight.
    "gateway/store/tables.py": 750,
    # The chart of accounts and every posting: one file to hold beside the treasurer's list.
    "gateway/domain/ledger.py": 400,
    # All that a third party's adapter may see of the core, in one file.
    "gateway/ports/provider.py": 420,
    # One protocol's vectors stand beside each other; each test is short.
    "tests/contract/test_simulator.py": 350,
    # The story of a day and its next, told once for every kind of break.
    "tests/e2e/test_reconciliation.py": 400,
}
VAGUE = frozenset({"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"})


def files() -> Iterator[Path]:
    """Give every Python file of ours."""
    for folder in FOLDERS:
        yield from sorted((ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    """Name a file from the root."""
    return path.relative_to(ROOT).as_posix()


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in files()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > function_lines_max
    ]

    assert long == []


def test_no_file_is_longer_than_one_reading() -> None:
    lengths = {name_of(p): len(p.read_text("utf-8").splitlines()) for p in files()}

    long = {n: k for n, k in lengths.items() if k > LONG_FILES.get(n, file_lines_max)}

    assert long == {}
    needless = [n for n in LONG_FILES if lengths.get(n, 0) <= file_lines_max]
    assert needless == [], "an exception that nobody needs any more is deleted"


def test_no_file_or_folder_has_a_name_that_says_nothing() -> None:
    named = {part.removesuffix(".py") for p in files() for part in p.relative_to(ROOT).parts}

    assert named & VAGUE == set()


@pytest.mark.parametrize("folder", FOLDERS[:4])
def test_every_file_says_its_job_in_its_first_line(folder: str) -> None:
    silent = [
        name_of(p)
        for p in (ROOT / folder).rglob("*.py")
        if not ast.get_docstring(ast.parse(p.read_text("utf-8")))
    ]

    assert silent == []
