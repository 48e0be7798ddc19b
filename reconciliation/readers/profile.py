"""How one kind of file is laid out, said in a TOML file: ours, or an operator's own."""

import hashlib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from functools import cache
from importlib.resources import files
from typing import Any, Final, TypeVar

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
# What a column may fill; two columns or a word beside them may make an amount.
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "provider": ("provider", "provider_txn_id", "merchant_reference", "kind", "gross", "fee", "net",
                 "currency", "txn_at", "settled_on", "batch_id"),
    "statement": ("account", "line_id", "booked_on", "value_on", "amount", "credit", "debit",
                  "direction", "currency", "counterparty", "reference", "memo", "balance"),
    "treasury": ("document_ref", "obligation_id", "booked_on", "agency_code", "chapter", "tieu_muc",
                 "amount", "currency", "content"),
}  # fmt: skip
# What a word of theirs may stand for, in the fields that are words of ours.
WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "kind": ("payment", "refund", "charge", "reversal"), "direction": ("credit", "debit"),
}  # fmt: skip
# Of the formats that say what they are, the source.
_SOURCES_OF: Final = {"mt940": "statement", "camt": "statement", "stripe-payouts": "provider"}
profile_chars_max: Final = 65_536  # The longest of ours has 2,000; an own one is kept in the audit.
digest_chars: Final = 12  # Enough to tell an operator's versions of one profile apart.
_LAYOUT: Final = re.compile("dd|mm|yyyy|hh|ss")
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
    currency_labels: tuple[str, ...] = ()
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
    text: str = ""  # Of an operator's own, as it stands in its file.

    @property
    def kept_as(self) -> str:
        """Name it beside a file; an own one by its text too, for its file may change."""
        digest = hashlib.sha256(self.text.encode()).hexdigest()[:digest_chars]
        return f"{self.name}#{digest}" if self.text else self.name


@dataclass(frozen=True, slots=True)
class _About:
    """What every profile says of itself."""

    source: str = ""
    format: str = "canonical"
    status: str = "confirmed"
    basis: str = ""


@dataclass(frozen=True, slots=True)
class _Fixed:
    """All else that a profile of a format of its own may say."""

    fixed: Mapping[str, str] = field(default_factory=dict)


@cache
def load_profile(name: str) -> Profile:
    """Load a profile by its name; an unknown one is refused with the names there are."""
    if name not in PROFILES:
        raise Refusal("file-refused", f"The profiles are: {', '.join(PROFILES)}.")
    return read_profile(name, profile_text(name))


def profile_text(name: str) -> str:
    """Give a shipped profile as it stands in its file."""
    return files("reconciliation").joinpath("profiles", f"{name}.toml").read_text("utf-8")


def own_profile(name: str, text: str) -> Profile:
    """Read an operator's own profile, and keep its text: it says later how a file was read."""
    if len(text) > profile_chars_max:
        raise _wrong(name, f"is longer than {profile_chars_max} characters")
    return replace(read_profile(name, text), text=text)


def read_profile(name: str, text: str) -> Profile:
    """Read a profile, ours or an operator's; raises Refusal with what is wrong in it."""
    try:
        said = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _wrong(name, f"is not TOML ({error})") from None
    own = {f.name for f in fields(_About)} & said.keys()
    about = _made(name, _About, {key: said.pop(key) for key in own})
    source, kind = about.source, about.format
    _one_of(name, "source", source, SOURCES)
    _one_of(name, "format", kind, FORMATS)
    _one_of(name, "status", about.status, STATUSES)
    if _SOURCES_OF.get(kind, source) != source:
        raise _wrong(name, f"has the format {kind}, whose source is {_SOURCES_OF[kind]}")
    named = said.pop("column", [])
    if not isinstance(named, list):
        raise _wrong(name, "needs a list of tables for the key column")
    if kind != "table":
        layout = Layout((), fixed=_made(name, _Fixed, said).fixed)
        if any(key != "provider" or kind != "stripe-payouts" for key in layout.fixed):
            raise _wrong(name, "fixes what its files say themselves")
        columns = _columns(name, about, named)
        return Profile(name, source, kind, about.status, about.basis, columns, layout)
    said["picks"] = [_made(name, Pick, c) for c in named]
    if "rows" in said:
        said["status"] = _made(name, Status, said.pop("rows"))
    layout = _made(name, Layout, said)
    _check(name, source, layout)
    return Profile(name, source, kind, about.status, about.basis, layout=layout)


def _columns(name: str, about: _About, named: list[object]) -> tuple[Column, ...]:
    """Give the columns of a file that is read to the letter; nobody's own are others."""
    shipped = f"canonical-{about.source}" if about.format == "canonical" else about.format
    given = tuple(_made(name, Column, c) for c in named)
    if shipped not in PROFILES or name == shipped:
        return given
    columns = load_profile(shipped).columns
    if given and given != columns:
        raise _wrong(name, f"has other columns than {shipped}: leave them out")
    return columns


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
    for key, value in said.items():
        wanted, fits = _WANTED.get(known[key].type, ("", lambda _: True))
        if not fits(value):
            raise _wrong(name, f"needs {wanted} for the key {key}")
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in said.items()})


def _all_texts(values: Iterable[object]) -> bool:
    return all(isinstance(x, str) and x.strip() for x in values)


# What a key may hold, by the type of its field.
_WANTED: Final[Mapping[object, tuple[str, Callable[[Any], bool]]]] = {
    str: ("a text", lambda x: isinstance(x, str)),
    int: ("a whole number, zero or above,", lambda x: type(x) is int and x >= 0),
    bool: ("true or false", lambda x: isinstance(x, bool)),
    tuple[str, ...]: ("a list of texts", lambda x: isinstance(x, list) and _all_texts(x)),
    Mapping[str, str]: (
        "a table of texts", lambda x: isinstance(x, dict) and _all_texts(x.values())
    ),
}  # fmt: skip


def _check(name: str, source: str, layout: Layout) -> None:
    _one_of(name, "number", layout.number, tuple(NUMBERS))
    for encoding in layout.encodings:
        _one_of(name, "encoding", encoding, ENCODINGS)
    if len(layout.delimiter) != 1 or layout.delimiter in '"\r\n':
        raise _wrong(name, "needs one character for the key delimiter")
    if not layout.amount_factor:
        raise _wrong(name, "needs a whole number above zero for the key amount_factor")
    for key in layout.fixed:
        _one_of(name, "key of fixed", key, FIELDS[source])
    for key, written in (("day", layout.day), ("time", layout.time)):
        _check_moment(name, key, written)
    if layout.status and not layout.status.keep:
        raise _wrong(name, "needs words that mean money for the key keep")
    _check_picks(name, source, layout)


def _check_picks(name: str, source: str, layout: Layout) -> None:
    for pick in layout.picks:
        _one_of(name, "field", pick.fills, FIELDS[source])
        _check_moment(name, "layout", pick.layout or layout.day)
        known = WORDS.get(pick.fills)
        if pick.fills == "direction" and not pick.values:
            raise _wrong(name, "needs the values of direction: a word = credit, a word = debit")
        for word in pick.values.values() if known else ():
            _one_of(name, f"value of {pick.fills}", word, known or ())
    filled = [x.fills for x in layout.picks]
    if len(set(filled)) < len(filled):
        raise _wrong(name, "fills a field by two columns")
    places = (*layout.picks, *((layout.status,) if layout.status else ()))
    if any(bool(x.header) == bool(x.position) for x in places):
        raise _wrong(name, "needs a header or a position for each column")
    if not layout.has_header and any(x.header for x in places):
        raise _wrong(name, "names columns by a header that the file does not have")


def _check_moment(name: str, key: str, written: str) -> None:
    """See that a layout names a day once, and a time after it or none."""
    parts = _LAYOUT.findall(written)
    day, clock = sorted(parts[:3]), parts[3:]
    if day != ["dd", "mm", "yyyy"] or clock not in ([], ["hh", "mm"], ["hh", "mm", "ss"]):
        raise _wrong(name, f"needs a layout as dd/mm/yyyy or dd/mm/yyyy hh:mm:ss for the key {key}")


def _one_of(name: str, key: str, given: object, known: tuple[str, ...]) -> None:
    if given not in known:
        raise _wrong(name, f"needs a {key} of {', '.join(known)}")


def _wrong(name: str, detail: str) -> Refusal:
    return Refusal("file-refused", f"The profile {name} {detail}.")
