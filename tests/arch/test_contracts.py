"""Each import contract is broken once on purpose, in a copy, and must be reported by name."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tomllib
from itertools import product
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LINTER: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"][
    "importlinter"
]
CONTRACTS: list[dict[str, Any]] = LINTER["contracts"]


def offences(contract: dict[str, Any]) -> list[tuple[str, str]]:
    """List every import that a contract forbids, as (who, whom)."""
    if contract["type"] == "layers":
        layers = contract["layers"]
        return [(low, high) for n, high in enumerate(layers) for low in layers[n + 1 :]]
    return list(product(contract["source_modules"], contract["forbidden_modules"]))


def lint(folder: Path) -> str:
    """Run the linter on a copy, and give what it says."""
    ended = subprocess.run(  # noqa: S603 - the linter of our own environment.
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=folder, check=False, capture_output=True, text=True, timeout=60,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), "COLUMNS": "500"},
    )  # fmt: skip
    return ended.stdout + ended.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Copy what the linter reads."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in LINTER["root_packages"]:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    return tmp_path


def test_the_contracts_hold_as_the_code_stands(copy: Path) -> None:
    said = lint(copy)

    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in said, said


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: str(c["name"]))
def test_each_forbidden_import_is_reported(contract: dict[str, Any], copy: Path) -> None:
    """A contract that names a module wrongly would keep quiet for ever."""
    wrong = offences(contract)
    for n, (who, whom) in enumerate(wrong):
        file = copy / who.replace(".", "/") / f"offence_{n}.py"
        file.write_text(f'"""Break a contract."""\n\nimport {whom}\n', "utf-8")

    said = lint(copy)

    assert f"{contract['name']} BROKEN" in said, said
    quiet = [
        (who, whom)
        for n, (who, whom) in enumerate(wrong)
        if f"{who}.offence_{n} -> {whom}" not in said
    ]
    assert quiet == []


def test_every_module_that_a_contract_names_exists() -> None:
    """The linter says nothing of a name that it cannot find."""
    named = {module for contract in CONTRACTS for pair in offences(contract) for module in pair}

    assert [m for m in sorted(named) if importlib.util.find_spec(m) is None] == []


def test_every_package_of_ours_is_under_a_contract() -> None:
    """What a new top-level folder may import must be decided, not forgotten."""
    spoken_of = {
        module.split(".")[0]
        for contract in CONTRACTS
        for module in contract.get("source_modules", contract.get("layers", []))
    }

    assert spoken_of == set(LINTER["root_packages"])
