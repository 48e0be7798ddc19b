"""Files to lines: a million lines of CSV, and a bank's camt.053, against their bare parse.

The bare work is ``csv.reader`` over the same text, and expat over the same bytes with nobody to
listen. Both are work of one core, so the time of the processor counts. Each file is read in a
process of its own, whose greatest memory is a result too.

    python -m bench.reading PROFILE FILE     one file; prints seconds, bare seconds, lines and MB
"""

import csv
import io
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from time import process_time
from typing import Any, Final
from xml.parsers import expat

from bench.result import Result, at_least, at_most, machine
from gateway.domain.ids import make_reference
from reconciliation.readers.profile import load_profile
from reconciliation.readers.reading import Reading

lines: Final = 1_000_000
entries: Final = 100_000
csv_s_max: Final = 5.0
entries_a_second: Final = 50_000.0
memory_mb_max: Final = 256.0
bare_ratio_max: Final = 12.0  # Checked, counted and with its references found, against cells alone.
_AMOUNTS: Final = (10_000, 20_000, 50_000, 75_000, 150_000)
_HEADER: Final = (
    "account,line_id,booked_on,value_on,amount,currency,counterparty,reference,memo,balance"
)
_ENTRY: Final = (
    '<Ntry><NtryRef>{n}</NtryRef><Amt Ccy="VND">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
    "<Sts>BOOK</Sts><BookgDt><Dt>2026-11-19</Dt></BookgDt><ValDt><Dt>2026-11-19</Dt></ValDt>"
    "<AcctSvcrRef>FT{n:09}</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>"
    "ESCT</SubFmlyCd></Fmly></Domn></BkTxCd><NtryDtls><TxDtls><Refs><EndToEndId>E{n}</EndToEndId>"
    '</Refs><Amt Ccy="VND">{amount}</Amt><RltdPties><Dbtr><Nm>NGUYEN VAN A</Nm></Dbtr></RltdPties>'
    "<RmtInf><Ustrd>MBVCB.45250.TP{reference} nop phi</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>\n"
)
_CAMT: Final = (
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><Stmt><Acct>'
    "<Id><Othr><Id>0123456789</Id></Othr></Id></Acct>\n{}</Stmt></BkToCstmrStmt></Document>"
)


def measure() -> list[Result]:
    """Measure, and see that every line came."""
    ran_on = machine("reading: one process a file, the processor's time")
    with tempfile.TemporaryDirectory() as folder:
        table = _told("canonical-statement", _write_csv(Path(folder) / "lines.csv"), lines)
        camt = _told("camt053", _write_camt(Path(folder) / "entries.xml"), entries)
    rate, bare = entries / camt["s"], entries / camt["bare_s"]
    return [
        at_most("CSV of a million lines", ran_on, table["s"], table["bare_s"], "s", bare_ratio_max),
        at_most("CSV of a million lines, limit", ran_on, table["s"], csv_s_max, "s", 1.0),
        at_most("CSV of a million lines, memory", ran_on, table["mb"], memory_mb_max, "MB", 1.0),
        at_least("camt.053", ran_on, rate, bare, "entries a second", 1 / bare_ratio_max),
        at_least("camt.053, limit", ran_on, rate, entries_a_second, "entries a second", 1.0),
    ]


def _told(profile: str, path: Path, expected: int) -> dict[str, Any]:
    words = [sys.executable, "-m", "bench.reading", profile, str(path)]
    told: dict[str, Any] = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)  # noqa: S603 - our own module.
    assert told["lines"] == expected, told
    return told


def _write_csv(path: Path) -> Path:
    chance, balance = Random(7), 0  # noqa: S311 - a draw, not a secret.
    with path.open("w", encoding="ascii") as file:
        file.write(f"{_HEADER}\n")
        for n in range(lines):
            amount = chance.choice(_AMOUNTS)
            balance += amount
            memo = f"MBVCB.45250.TP{make_reference(chance.randbytes(7))} nop phi"
            file.write(
                f"0123456789,FT{n:09},2026-11-19,2026-11-19,{amount},VND,,,{memo},{balance}\n"
            )
    return path


def _write_camt(path: Path) -> Path:
    chance = Random(8)  # noqa: S311 - a draw, not a secret.
    written = (
        _ENTRY.format(
            n=n, amount=chance.choice(_AMOUNTS), reference=make_reference(chance.randbytes(7))
        )
        for n in range(entries)
    )
    path.write_text(_CAMT.format("".join(written)), "ascii")
    return path


def _timed(work: Callable[[], int]) -> tuple[float, int]:
    began = process_time()
    count = work()
    return process_time() - began, count


def _one(name: str, path: Path) -> dict[str, Any]:
    content, profile = path.read_bytes(), load_profile(name)

    def bare_csv() -> int:
        return sum(1 for _ in csv.reader(io.TextIOWrapper(io.BytesIO(content), newline="")))

    def bare_xml() -> int:
        return expat.ParserCreate().Parse(content, True)  # noqa: FBT003 - expat takes no names.

    bare_s, _ = _timed(bare_xml if profile.format == "camt" else bare_csv)
    seconds, count = _timed(lambda: sum(1 for _ in Reading(profile, content)))
    # Of this program alone: what getrusage tells begins with the memory of whoever started it.
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))
    assert peak
    return {"s": seconds, "bare_s": bare_s, "lines": count, "mb": int(peak[1]) / 1024}


if __name__ == "__main__":
    print(json.dumps(_one(sys.argv[1], Path(sys.argv[2]))))
