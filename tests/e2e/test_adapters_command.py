"""``thuphi adapters``: what is installed, what it needs, and whether it does what it must."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from gateway.entry.cli import main
from gateway.entry.plugins import adapters

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "docs" / "guides" / "eastbank"
OURS = [spec.name for spec in adapters()]


def ran(
    *words: str, python: Path = Path(sys.executable), folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run a command of ours in an empty folder, with no setting but these."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("THUPHI_", "PYTHON"))}
    return subprocess.run(  # noqa: S603 - our own command.
        [python, "-m", *words], cwd=folder, env=clean,
        capture_output=True, text=True, check=False, timeout=110,
    )  # fmt: skip


@pytest.fixture
def quiet_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder, with no setting of ours."""
    monkeypatch.chdir(tmp_path)
    for name in [n for n in os.environ if n.startswith("THUPHI_")]:
        monkeypatch.delenv(name)
    return tmp_path


def west_bank(folder: Path, suite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install West Bank, a distribution in a folder of its own, whose suite is this one."""
    module = f"west_{token_hex(4)}"
    text = WEST.format(suite=suite.replace("westbank", module))
    (folder / f"{module}.py").write_text(text, "utf-8")
    about = folder / "westbank-0.9.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: westbank\nVersion: 0.9\n")
    (about / "entry_points.txt").write_text(f"[thuphi.providers]\nwestbank = {module}:WEST\n")
    monkeypatch.syspath_prepend(folder)


WEST = """
from dataclasses import replace
from eastbank.adapter import EASTBANK, EastBank
from eastbank.vectors import EastBankConformance
WEST = replace(EASTBANK, name="westbank", suite={suite!r})
class West(EastBank):
    def acknowledge(self, outcome):
        return replace(super().acknowledge(outcome), status=202)
class Suite(EastBankConformance):
    def provider(self, wire):
        made = super().provider(wire)
        names = ("wire", "shop", "key", "base_url", "account")
        return West(*(getattr(made, n) for n in names), name="westbank")
class Open(EastBankConformance.__mro__[1]):
    pass
"""


@pytest.mark.parametrize("name", OURS)
def test_every_adapter_of_ours_can_be_checked_where_it_is_installed(
    name: str, quiet_place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["adapters", "check", name, "--json"])

    said = json.loads(capsys.readouterr().out)
    assert (code, said["adapter"], said["failed"]) == (0, name, 0)
    assert said["ok"] == sum(c["result"] == "ok" for c in said["checks"]) >= 15
    assert list(quiet_place.iterdir()) == [], "a check leaves nothing behind"


def test_the_table_has_a_sentence_and_a_word_on_each_line(tmp_path: Path) -> None:
    done = ran("gateway.entry.cli", "adapters", "check", "vietqr", folder=tmp_path)

    *lines, last = done.stdout.splitlines()
    assert {line.split()[-1] for line in lines} == {"ok", "-"}
    assert any(line.startswith("every flipped byte is refused  ") for line in lines)
    assert last.startswith("vietqr: ")
    assert last.endswith(" hold, 0 failed.")


def test_the_list_says_what_each_adapter_still_needs(
    quiet_place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert quiet_place.exists()
    for name, value in {
        "PARTNER_CODE": "MOMO", "ACCESS_KEY": "an-access-key", "SECRET_KEY": "a-secret-key",
        "BASE_URL": "https://momo.example",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"THUPHI_MOMO_{name}", value)

    assert main(["adapters", "list", "--json"]) == 0
    as_json = capsys.readouterr().out
    assert main(["adapters", "list"]) == 0
    table = capsys.readouterr().out

    rows: dict[str, Any] = {row["name"]: row for row in json.loads(as_json)["adapters"]}
    assert sorted(rows) == sorted(OURS)
    assert rows["momo"] == {
        "name": "momo", "package": "thuphi", "version": "0.1.0", "offered": True, "missing": [],
        "has_suite": True,
            "why_not": None,
    }  # fmt: skip
    assert rows["zalopay"]["missing"][0] == "THUPHI_ZALOPAY_APP_ID"
    assert "a-secret-key" not in as_json + table
    assert [line.split()[-1] for line in table.splitlines() if "momo" in line] == ["offered"]


def test_an_adapter_that_fails_is_told_by_the_exit_code(
    quiet_place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever installs it reads one line: what is wrong, and no traceback."""
    west_bank(quiet_place, "westbank:Suite", monkeypatch)

    assert main(["adapters", "check", "westbank"]) == 1
    table = capsys.readouterr().out
    assert main(["adapters", "check", "westbank", "--json"]) == 1
    checks = json.loads(capsys.readouterr().out)["checks"]

    (line,) = [x for x in table.splitlines() if "failed  " in x]
    assert line.startswith("it acknowledges in the providers own words")
    assert line.endswith("failed  the words for recorded are others")
    (wrong,) = [c for c in checks if c["result"] == "failed"]
    assert wrong["why"] == "the words for recorded are others"


@pytest.mark.parametrize(
    ("name", "suite", "words"),
    [
        ("vnpy", "", "Did you mean vnpay?"),
        ("bank-of-nowhere", "", "There are "),
        ("westbank", "", "ships no suite"),
        ("westbank", "westbank:Nothing", "cannot be loaded"),
        ("westbank", "nowhere:Suite", "cannot be loaded"),
        ("westbank", "westbank", "cannot be loaded"),
        ("westbank", "westbank:West", "is no ProviderConformance"),
        ("westbank", "westbank:Open", "leaves questions open: acknowledgements, "),
    ],
)
def test_what_cannot_be_checked_is_bad_usage(
    name: str, suite: str, words: str, quiet_place: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """CONTRACT 4: exit 2, one sentence on standard error, with what to do."""
    west_bank(quiet_place, suite, monkeypatch)

    code = main(["adapters", "check", name])

    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert words in said.err
    assert len(said.err.splitlines()) == 1


def test_a_strangers_package_is_found_and_checked_in_a_fresh_environment(tmp_path: Path) -> None:
    """docs/guides/add-a-bank.md, done: built, installed without a network, found by entry point."""
    source, fresh = tmp_path / "source", tmp_path / "fresh"
    shutil.copytree(SAMPLE, source, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    made = ran("venv", "--without-pip", str(fresh), folder=tmp_path)
    assert made.returncode == 0, made.stderr
    python = fresh / "bin" / "python"
    (site,) = fresh.glob("lib/python*/site-packages")
    # It sees what this environment has, as an installation with Thu Phí in it would.
    ours = sysconfig.get_path("purelib")
    (site / "thuphi.pth").write_text(f"import site; site.addsitedir({ours!r})\n", "utf-8")
    before = ran("gateway.entry.cli", "adapters", "list", python=python, folder=tmp_path)

    built = ran(
        "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index",
        "--disable-pip-version-check", str(source), python=python, folder=tmp_path,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr

    shown = ran("gateway.entry.cli", "adapters", "list", python=python, folder=tmp_path)
    checked = ran(
        "gateway.entry.cli", "adapters", "check", "eastbank", "--json", python=python,
        folder=tmp_path,
    )  # fmt: skip
    tested = ran("pytest", "-q", python=python, folder=source)
    assert "eastbank" not in before.stdout
    assert "thuphi-eastbank 1.0.0" in shown.stdout
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert json.loads(checked.stdout)["failed"] == 0
    assert tested.returncode == 0, tested.stdout
    assert (site / "eastbank" / "adapter.py").exists(), "it is a copy, not this folder"
