"""How one kind of file is laid out, said in a TOML file: ours, or an operator's own."""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from importlib.resources import files
from typing import Final, TypeVar

from gateway.domain.errors import Refusal

CANONICAL: Final = ("canonical-provider", "canonical-statement", "canonical-treasury")
PROFILES: Final = (
    *CANONICAL, "stripe-payouts", "mt940", "camt053",
    "vnpay", "momo", "zalopay", "payos",
    "vietcombank", "bidv", "vietinbank", "agribank", "techcombank",
)  # fmt: skip
FORMATS: Final = ("canonical", "stripe-payouts", "mt940", "camt", "table")
STATUSES: Final = ("confirmed", "assumed")
SOURCES: Final = ("provider", "statement", "treasury")
NUMBERS: Final = {"1,234,567": ",", "1.234.567": ".", "1 234 567": " ", "1234567": ""}
ENCODINGS: Final = ("utf-8", "utf-16", "windows-1258", "tcvn3", "vni")
_STATEMENT: Final = (
    "account", "line_id", "booked_on", "value_on", "amount", "credit", "debit", "direction",
    "counterparty", "reference", "memo", "balance",
)  # fmt: skip
# What a column may fill; two columns or a word beside them may make an amount.
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "provider": ("provider", "provider_txn_id", "merchant_reference", "kind", "gross", "fee", "net",
                 "txn_at", "settled_on", "batch_id"),
    "statement": _STATEMENT,
    "treasury": ("document_ref", "obligation_id", "booked_on", "agency_code", "chapter", "tieu_muc",
                 "amount", "content"),
}  # fmt: skip
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a canonical file, or of Stripe's: exactly these, exactly so."""

    name: str
    type: str
    optional: bool = False
    nonzero: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pick:
    """Which cell of a row fills a field of ours: by its heading, or by its place from 1."""

    fills: str
    header: tuple[str, ...] = ()
    position: int = 0
    optional: bool = False  # The file may have no such column, or leave it empty.
    values: Mapping[str, str] = field(default_factory=dict)  # A word of theirs -> ours.
    layout: str = ""  # How this day or time is written, where not as the others.


@dataclass(frozen=True, slots=True)
class Status:
    """The column that says whether a row moved money; a word that is in neither list refuses."""

    header: tuple[str, ...] = ()
    position: int = 0
    keep: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table of somebody else's is written."""

    picks: tuple[Pick, ...]
    fixed: Mapping[str, str] = field(default_factory=dict)  # What the file itself does not say.
    status: Status | None = None
    encodings: tuple[str, ...] = ("utf-8",)
    delimiter: str = ","
    has_header: bool = True
    title_rows: int = 0  # Before the first line, where there is no header to look for.
    number: str = "1,234,567"
    amount_factor: int = 1  # VNPAY writes a hundred times the amount.
    day: str = "dd/mm/yyyy"
    time: str = "dd/mm/yyyy hh:mm:ss"
    debit_is_negative: bool = False  # The column of debits carries its sign.
    back_is_positive: bool = False  # What went back to payers is written without its sign.
    account_labels: tuple[str, ...] = ()
    opening_labels: tuple[str, ...] = ()
    closing_labels: tuple[str, ...] = ()
    totals_labels: tuple[str, ...] = ()
    totals_needed: bool = False  # Without them a file that was cut off looks whole.


@dataclass(frozen=True, slots=True)
class Profile:
    """How one kind of file is laid out."""

    name: str
    source: str
    format: str = "canonical"
    status: str = "confirmed"
    basis: str = ""  # Where this is from.
    columns: tuple[Column, ...] = ()
    layout: Layout = field(default_factory=lambda: Layout(()))  # Of a table.


@cache
def load_profile(name: str) -> Profile:
    """Load a profile by its name; an unknown one is refused with the names there are."""
    if name not in PROFILES:
        raise Refusal("file-refused", f"The profiles are: {', '.join(PROFILES)}.")
    return read_profile(name, profile_text(name))


def profile_text(name: str) -> str:
    """Give a shipped profile as it stands in its file."""
    return files("reconciliation").joinpath("profiles", f"{name}.toml").read_text("utf-8")


def read_profile(name: str, text: str) -> Profile:
    """Read a profile, ours or an operator's; raises Refusal with what is wrong in it."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _wrong(name, f"is not TOML ({error})") from None
    kind = said.pop("format", "canonical")
    about = {k: said.pop(k) for k in ("source", "status", "basis") if k in said}
    named = said.pop("column", [])
    _one_of(name, "source", about.get("source"), SOURCES)
    _one_of(name, "format", kind, FORMATS)
    _one_of(name, "status", about.get("status", "confirmed"), STATUSES)
    if kind in ("canonical", "stripe-payouts"):
        return Profile(name, format=kind, columns=tuple(_made(name, Column, c) for c in named),
                       **about)  # fmt: skip
    layout = Layout(())
    if kind == "table":
        said["picks"] = tuple(_made(name, Pick, c) for c in named)
        if "rows" in said:
            said["status"] = _made(name, Status, said.pop("rows"))
        layout = _made(name, Layout, said)
        _check(name, about["source"], layout)
    return Profile(name, format=kind, layout=layout, **about)


def _made(name: str, kind: type[T], said: object) -> T:
    """Make a part of a profile of a TOML table; a key that nobody knows is a mistake."""
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    if not isinstance(said, dict):
        raise _wrong(name, "has a value where a table is wanted")
    unknown = sorted(set(said) - set(known))
    if unknown:
        raise _wrong(name, f"has a key that is not known: {', '.join(unknown)}")
    missing = [
        f.name
        for f in known.values()
        if f.default is MISSING and f.default_factory is MISSING and f.name not in said
    ]
    if missing:
        raise _wrong(name, f"misses {', '.join(missing)}")
    tuples = {k: tuple(v) if isinstance(v, list) else v for k, v in said.items()}
    return kind(**tuples)


def _check(name: str, source: str, layout: Layout) -> None:
    _one_of(name, "number", layout.number, tuple(NUMBERS))
    for encoding in layout.encodings:
        _one_of(name, "encoding", encoding, ENCODINGS)
    for pick in layout.picks:
        _one_of(name, "field", pick.fills, FIELDS[source])
    places = (*layout.picks, *((layout.status,) if layout.status else ()))
    if any(bool(x.header) == bool(x.position) for x in places):
        raise _wrong(name, "needs a header or a position for each column")
    if not layout.has_header and any(x.header for x in places):
        raise _wrong(name, "names columns by a header that the file does not have")


def _one_of(name: str, key: str, given: object, known: tuple[str, ...]) -> None:
    if given not in known:
        raise _wrong(name, f"needs a {key} of {', '.join(known)}")


def _wrong(name: str, detail: str) -> Refusal:
    return Refusal("file-refused", f"The profile {name} {detail}.")
