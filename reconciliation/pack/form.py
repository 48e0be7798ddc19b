"""What an audit pack consists of: the names of its files, and the one way in which each is written.

Rows are JSON, a line each, with sorted names: the same day gives the same bytes.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from reconciliation.acts import canonical, read
from reconciliation.open_items import GATEWAY, NEW, OPENING, Proof, added_up

VERSION: Final = "thuphi-audit-pack-1"
MANIFEST, NOTE, KEY = "manifest.json", "manifest.note", "log-key"
DAY, PROOF, BALANCE, ENTRIES = "day.json", "proof.json", "trial-balance.jsonl", "entries.jsonl"
FILES, RUNS, LINES, CAPTURES = "files.jsonl", "runs.jsonl", "lines.jsonl", "captures.jsonl"
MATCHES, BREAKS, ACTS = "matches.jsonl", "breaks.jsonl", "acts.jsonl"
SIGNATURES: Final = "signatures.jsonl"
ALWAYS: Final = (
    DAY, SIGNATURES, PROOF, BALANCE, ENTRIES, FILES, RUNS, LINES, CAPTURES, MATCHES, BREAKS, ACTS,
    KEY,
)  # fmt: skip
INPUTS, RESULTS, MARKS = "run/inputs.json", "run/results.json", "rules/marks.toml"
RULES, STATEMENTS = "rules/", "statements/"
file_bytes_max: Final = 536_870_912  # A day of a million payments has about so much.
# By name and in this order, as a day's seal is made of them.
SEALED: Final = (
    "agency_id", "id", "booked_on", "value_on", "debit", "credit", "amount", "voucher_kind",
    "voucher_id", "payment_id", "branch_id", "provider_account", "batch_id", "budget_line",
    "evidence_hash", "rule", "storno", "created_at",
)  # fmt: skip
# What officers write in their own words: a payer's name may stand in it.
_OWN_WORDS: Final = frozenset({"text", "reason", "name"})


def written(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Write rows, a line each."""
    return "".join(f"{canonical(plain(row))}\n" for row in rows).encode()


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give a row as JSON says it."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds.
    if isinstance(value, datetime):
        return instant(value)
    return value.isoformat() if isinstance(value, date) else value


def instant(at: datetime) -> str:
    """Write an instant to the microsecond, as the seals of acts have it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def rows_in(content: bytes) -> list[dict[str, Any]]:
    """Read rows. Raises ValueError."""
    found = [json.loads(line) for line in content.decode().splitlines()]
    if not all(isinstance(row, dict) for row in found):
        raise ValueError("a line of it is no row")
    return found


def has_own_words(said: str) -> bool:
    """Tell whether an act holds what somebody wrote in words of their own."""
    return _has_words(read(said))


def _has_words(said: Any) -> bool:  # noqa: ANN401 - whatever JSON holds.
    if isinstance(said, list):
        return any(map(_has_words, said))
    if not isinstance(said, dict):
        return False
    return any((name in _OWN_WORDS and value) or _has_words(value) for name, value in said.items())


def sha256(content: bytes) -> str:
    """Give the digest as all of these files name it."""
    return hashlib.sha256(content).hexdigest()


def vouched_for(agency_id: str, on: str, manifest: bytes) -> str:
    """Write what the agency signs; it reads like no checkpoint of its log."""
    return f"{VERSION}\n{agency_id}\n{on}\n{sha256(manifest)}\n"


def proof_of(
    lines: Iterable[Mapping[str, Any]], captures: Iterable[Mapping[str, Any]],
    matches: Iterable[Mapping[str, Any]],
) -> Proof:  # fmt: skip
    """Add up per source what was open, came, was matched and stays open, as each run does."""
    named = {m["line_id"] for m in matches}, {m["capture_id"] for m in matches}
    told = [(x["source"], x["came"], x["net"], x["id"] in named[0]) for x in lines]
    ours = [(GATEWAY, x["came"], x["amount"], x["id"] in named[1]) for x in captures]
    return added_up(x for x in told + ours if x[1] in (OPENING, NEW))
