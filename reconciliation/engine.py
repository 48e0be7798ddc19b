"""Runs the rules, in the order of their names, on DuckDB over Arrow tables.

A rule is a SELECT that says which line proves which capture, and why; it sees what the rules before
it matched. The text is plain SQL, so that it also runs on PostgreSQL and Spark.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Final

from gateway.domain.till import bag_number
from reconciliation.inputs import Inputs, Rows
from reconciliation.marks import is_possible, marks

BREAKS: Final = "90-breaks.sql"
version_chars: Final = 12  # Of a rule's hash: no two texts of one rule share them by chance.
_T: Final = "string"
SHAPES: Final[Mapping[str, Mapping[str, str]]] = {
    "capture": {
        "id": _T, "provider_account": _T, "txn_id": _T, "amount": "int64", "value_on": "date32",
        "day_no": "int64", "business_on": "date32", "business_no": "int64",
        "paid_at": "timestamp[us, tz=UTC]", "bank_account": _T, "bank_reference": _T,
        "is_cash": "bool",
    },
    "share": {"capture_id": _T, "payment_id": _T},
    "payment": {"id": _T, "reference": _T},
    "due": {
        "payment_id": _T, "capture_id": _T, "budget_line": _T, "kind": _T, "amount": "int64",
        "booked_on": "date32", "day_no": "int64", "confirm_by_no": "int64",
    },
    "line": {
        "id": _T, "source": _T, "account": _T, "booked_on": "date32", "day_no": "int64",
        "line_no": "int64", "kind": _T, "gross": "int64", "fee": "int64", "net": "int64",
        "txn_id": _T, "reference": _T, "batch_id": _T, "obligation_id": _T, "budget_line": _T,
        "value_on": "date32", "value_no": "int64",
    },
    "taken_back": {
        "id": _T, "capture_id": _T, "provider_account": _T, "kind": _T, "reference": _T,
        "amount": "int64",
    },
    "bag": {
        "id": _T, "shift_id": _T, "bag": _T, "number": _T, "amount": "int64", "left_on": "date32",
        "seen_by_no": "int64",
    },
    "in_bag": {"bag_id": _T, "capture_id": _T, "amount": "int64"},
    "bag_named": {"line_id": _T, "number": _T},
    "candidate": {"line_id": _T, "reference": _T},
    "advised": {"line_id": _T, "capture_id": _T},
    "attempt": {"provider_account": _T, "reference": _T},
    "declared_charge": {
        "provider_account": _T, "rate_ppm": "int64", "fixed": "int64", "slack": "int64",
    },
    "owed_by_agency": {"voucher": _T, "amount": "int64"},
    "mark": {"line_id": _T, "kind": _T, "provider_account": _T},
    "kept": {"rule": _T, "line_id": _T, "capture_id": _T, "amount": "int64", "why": _T},
}  # fmt: skip


@dataclass(eq=False, slots=True)
class RuleError(Exception):
    """A rule that does not run, and why."""

    rule: str
    why: str


@dataclass(frozen=True, slots=True)
class Match:
    """One line proves one capture (or a whole batch, where ``capture_id`` is None)."""

    rule: str
    line_id: str
    capture_id: str | None
    amount: int
    why: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What should match and does not."""

    kind: str
    subject: str
    amount: int
    line_id: str | None
    capture_id: str | None
    why: str
    since_on: date


@dataclass(frozen=True, slots=True)
class Result:
    """All that the rules found, in one fixed order; ``digest`` names it."""

    matches: tuple[Match, ...]
    differences: tuple[Difference, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over matches and differences."""
        return hashlib.sha256(self.letters).hexdigest()

    @property
    def letters(self) -> bytes:
        """Write matches and differences, in the one way that is hashed."""
        said = [[asdict(x) for x in self.matches], [asdict(x) for x in self.differences]]
        return json.dumps(said, default=str).encode()


@cache
def rules() -> Mapping[str, str]:
    """Read the rules, in order."""
    folder = files("reconciliation").joinpath("rules")
    found = sorted((f.name, f.read_text("utf-8")) for f in folder.iterdir())
    return {name: text for name, text in found if name.endswith(".sql")}


def rules_digest(texts: Mapping[str, str] | None = None, said: Any = None) -> str:  # noqa: ANN401 - marks.
    """SHA-256 over every rule and mark: of those in force, or of some that are given."""
    given = [dict(rules() if texts is None else texts), marks() if said is None else said]
    return hashlib.sha256(json.dumps(given).encode()).hexdigest()


@cache
def rule_versions() -> Mapping[str, str]:
    """Name the text of each rule as it is now: the first letters of its SHA-256."""
    return {
        name.removesuffix(".sql"): hashlib.sha256(text.encode()).hexdigest()[:version_chars]
        for name, text in rules().items()
    }


def tables_of(given: Inputs) -> dict[str, Rows]:
    """Lay the inputs out as the tables that the rules name."""
    payments = {s["payment_id"]: s["reference"] for s in given.shares}
    return {
        "capture": given.captures,
        "share": given.shares,
        "payment": [{"id": k, "reference": v} for k, v in sorted(payments.items())],
        "due": given.dues,
        "taken_back": given.taken_back,
        "bag": given.bags,
        "in_bag": given.bagged,
        "bag_named": _bags_named(given),
        "line": given.lines,
        "candidate": [
            {"line_id": x["id"], "reference": r} for x in given.lines for r in x["candidates"]
        ],
        "advised": given.advised,
        "owed_by_agency": given.owed_by_agency,
        "mark": list(_marked(given)),
        "kept": given.kept,
        "attempt": [],  # How an attempt ended is not kept by instant, so a run cannot pin it.
        "declared_charge": _declared(given),
    }


def _declared(given: Inputs) -> Rows:
    """Give each account of ours the charges that are declared for its provider."""
    return [
        {"provider_account": account, "rate_ppm": said["rate_ppm"], "fixed": said["fixed"],
         "slack": said["slack"]}
        for said in marks().get("charge", ())
        for account in (a["provider_account"] for a in given.accounts)
        if account.startswith(f"{said['provider']}/")
    ]  # fmt: skip


def _marked(given: Inputs) -> Iterator[dict[str, Any]]:
    """Say what each marked line may be."""
    accounts = [a["provider_account"] for a in given.accounts]
    for line in (x for x in given.lines if x["marks"]):
        yield from marks_of(line["id"], line["marks"], line["net"], accounts)


def marks_of(
    line_id: str, said: Sequence[str], net: int, accounts: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Say what a marked line may be; a payout, of every account of ours at its provider.

    Of a provider where the agency has no account there are no payouts.
    """
    for mark in marks()["mark"]:
        if mark["text"] in said and is_possible(mark["kind"], net):
            at = mark.get("provider")
            for account in [a for a in accounts if a.startswith(f"{at}/")] if at else [None]:
                yield {"line_id": line_id, "kind": mark["kind"], "provider_account": account}


def _bags_named(given: Inputs) -> Rows:
    """Find the lines whose reference is a bag's number: banks write it with their own signs."""
    known = {bag["number"] for bag in given.bags}
    return [
        {"line_id": x["id"], "number": number}
        for x in (given.lines if known else ())
        if x["source"] == "statement" and (number := bag_number(x["reference"] or "")) in known
    ]


@dataclass(frozen=True, slots=True)
class Found:
    """What the rules found, as Arrow tables in one fixed order."""

    matches: Any
    differences: Any


def run(given: Inputs, texts: Mapping[str, str] | None = None) -> Result:
    """Run every rule. CPU work: call it in a thread, and never in the web process."""
    tables = {name: _arrow(rows, SHAPES[name]) for name, rows in tables_of(given).items()}
    found = match(tables, texts)
    return Result(
        tuple(Match(*row) for row in _rows(found.matches)),
        tuple(Difference(*row) for row in _rows(found.differences)),
    )


def match(tables: Mapping[str, Any], texts: Mapping[str, str] | None = None) -> Found:
    """Run every rule over Arrow tables, or streams of Arrow batches; one not given is empty.

    ``texts`` are other rules than those in force. Raises RuleError for one that does not run.
    """
    import duckdb

    texts = texts or rules()

    # Large runs spill to disk. The present folder, DuckDB's own choice, may be read-only; a fixed
    # one may be another user's, and what a run spilled is nobody else's to read or to keep.
    with (
        tempfile.TemporaryDirectory(prefix="thuphi-duckdb-") as spill,
        duckdb.connect(config={"threads": 2, "temp_directory": spill}) as base,
    ):
        base.execute("SET enable_progress_bar = false")  # Or it draws one into the log.
        for name, shape in SHAPES.items():
            base.register(f"{name}_given", tables.get(name, _arrow((), shape)))
            base.execute(f"CREATE TABLE {name} AS SELECT {', '.join(shape)} FROM {name}_given")
            base.unregister(f"{name}_given")
        base.execute(
            "CREATE TABLE matched (rule VARCHAR, line_id VARCHAR, capture_id VARCHAR,"
            " amount BIGINT, why VARCHAR); INSERT INTO matched SELECT * FROM kept"
        )
        for name, text in texts.items():
            if name != BREAKS:
                try:
                    base.execute(
                        "INSERT INTO matched SELECT ?, line_id, capture_id, amount, why"
                        f" FROM ({text}) found",
                        [name.removesuffix(".sql")],
                    )
                except duckdb.Error as error:
                    raise RuleError(name, f"{error}") from error
        matches = base.sql(
            "SELECT rule, line_id, capture_id, amount, why FROM matched"
            " ORDER BY line_id, capture_id, rule"  # One of each: the texts need not be compared.
        ).to_arrow_table()
        try:
            differences = base.sql(
                "SELECT kind, subject, CAST(amount AS BIGINT) AS amount, line_id, capture_id, why,"
                f" since_on FROM ({texts[BREAKS]}) found ORDER BY ALL"
            ).to_arrow_table()
        except duckdb.Error as error:
            raise RuleError(BREAKS, f"{error}") from error
    return Found(matches, differences)


def _rows(table: Any) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401 - pyarrow ships no types.
    return zip(*(column.to_pylist() for column in table.columns), strict=True)


def _arrow(rows: Sequence[Mapping[str, Any]], shape: Mapping[str, str]) -> Any:  # noqa: ANN401 - pyarrow ships no types.
    import pyarrow as pa

    kinds = {
        _T: pa.string(), "int64": pa.int64(), "bool": pa.bool_(), "date32": pa.date32(),
        "timestamp[us, tz=UTC]": pa.timestamp("us", tz="UTC"),
    }  # fmt: skip
    return pa.table(
        {name: pa.array(_column(rows, name), kinds[kind]) for name, kind in shape.items()}
    )


def _column(rows: Iterable[Mapping[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in rows]
