"""Audit packs taken apart and put together again, and what may be wrong with one."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cases import OTHER

from reconciliation.pack import form
from reconciliation.pack.form import rows_in, written

Files = dict[str, bytes]


def contents(path: Path) -> Files:
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def put(path: Path, files: Files) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)


def changed(name: str, n: int, **values: Any) -> Callable[[Files], Files]:
    """Change one row of one file."""

    def change(files: Files) -> Files:
        found = rows_in(files[name])
        found[n] |= values
        return files | {name: written(found)}

    return change


def without(name: str, n: int) -> Callable[[Files], Files]:
    """Leave one row of one file out."""

    def change(files: Files) -> Files:
        found = rows_in(files[name])
        del found[n]
        return files | {name: written(found)}

    return change


def another_sum(files: Files) -> Files:
    (proof,) = rows_in(files[form.PROOF])
    proof["statement"]["closing"]["sum"] += 1
    return files | {form.PROOF: written([proof])}


def other_totals(files: Files) -> Files:
    (proof,) = rows_in(files[form.PROOF])
    for part in ("opening", "closing"):
        proof["provider"][part] = {"count": 1, "sum": 7}
    return files | {form.PROOF: written([proof])}


def other_opening(files: Files) -> Files:
    found = rows_in(files[form.BALANCE])
    for line in found:
        line["opening_debit"] += 5
        line["closing_debit"] += 5
    return files | {form.BALANCE: written(found)}


def other_result(files: Files) -> Files:
    found = json.loads(files[form.RESULTS])
    found[0] = []
    return files | {form.RESULTS: json.dumps(found).encode()}


CONTRADICTIONS: dict[str, Callable[[Files], Files]] = {
    "does not balance": changed(form.ENTRIES, 0, amount=0),
    "not what the day was sealed with": changed(form.ENTRIES, 0, amount=77),
    "did not turn over so much": changed(form.BALANCE, 0, turnover_debit=1),
    "is not carried on": changed(form.BALANCE, 0, closing_debit=123),
    "its opening does not balance": other_opening,
    "is missing.": without(form.BALANCE, 0),
    "another day than the manifest": changed(form.DAY, 0, booked_on="2026-11-17"),
    "is for another day's sheet": changed(form.SIGNATURES, 0, hash="0" * 64),
    "somebody signed twice": changed(form.SIGNATURES, 0, signed_by=OTHER),
    "the run that closed the day is not there": changed(form.DAY, 0, run_id="run_x"),
    "inputs.json is not what the run saw": lambda f: f | {form.INPUTS: f[form.INPUTS] + b" "},
    "results.json is not what the run found": other_result,
    "run/inputs.json is missing": lambda f: {n: c for n, c in f.items() if n != form.INPUTS},
    "rules/: they are not those of the run": lambda f: f | {"rules/90-breaks.sql": b"SELECT 1"},
    "the run did not find": changed(form.MATCHES, 1, amount=1),
    "matches.jsonl: the line that": without(form.LINES, 0),
    "matches.jsonl: the capture that": without(form.CAPTURES, 0),
    "nobody is there who found": without(form.RUNS, 0),
    "acts.jsonl: an act about": without(form.ACTS, -1),
    "lines.jsonl: the file of": changed(form.LINES, 0, file_id="fil_x"),
    "statement does not add up": another_sum,
    "proof.json is not the sum": other_totals,
    "is not the sum of lines": changed(form.LINES, 0, net=1),
    "the chain is broken at 2": changed(form.ACTS, 0, seal="0" * 64),
    "acts.jsonl: the chain is broken at 3": without(form.ACTS, 1),
    "3 is not as it was sealed": changed(form.ACTS, 2, actor="staff:lan"),
    "is about another break": without(form.BREAKS, 0),
    "other files are there": lambda f: f | {"statements/fil_x": b"x"},
}
