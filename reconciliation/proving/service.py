"""Proves the books: evidence in, every balance anew, and what differs from what is booked."""

import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.domain.calendar import Calendar
from reconciliation.proving import compare, evidence
from reconciliation.proving.cells import READABLE, Cells, Opens, Reads, rules
from reconciliation.proving.columns import put
from reconciliation.proving.compare import Balance, Difference
from reconciliation.proving.nights import closings, replay
from reconciliation.proving.texts import refer
from reconciliation.proving.walks import walks

_threads: Final = 2
_ASKED: Final = "only an answer to our own question told of it, and answers are not kept"
_FOREIGN: Final = "its provider's notices have no reading here, and no report lists it"


@dataclass(frozen=True, slots=True)
class Account:
    """What the settings say of an account that takes money."""

    name: str  # provider/account
    is_fixed: bool  # The provider sets the amount, and not the payer.
    is_hint: bool = False  # Its notices make us ask, and are no word for money.
    number: str = ""  # Of the bank account that it tells of.
    cut_off_s: int | None = None  # From that second of the day in Hanoi on it is the next day's.
    rests: bool = False  # It books on working days only.


@dataclass(frozen=True, slots=True)
class Terms:
    """The rules beside the evidence: accounts, whose they are, and the working calendar."""

    accounts: Sequence[Account]
    banks: Mapping[str, str]  # Bank account -> the account that holds it.
    # Of a virtual account: the bank account behind it, and the payment that it stands for.
    stands_for: Callable[[str], tuple[str, str] | None]
    reads: Reads  # The notices of adapters that are not ours.
    calendar: Calendar


@dataclass(frozen=True, slots=True)
class Proof:
    """What was proved, and what was not. Amounts in đồng."""

    agency_id: str
    since: date
    upto: date
    balances: Sequence[Balance]
    differences: Sequence[Difference]
    findings: Sequence[str]  # Evidence that contradicts itself, or that nothing was made of.
    underived: Sequence[Mapping[str, Any]]  # What nothing raw was kept of, and how much.
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Tell whether the books are what the evidence says."""
        return not (self.differences or self.findings)

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        return {
            "agency": self.agency_id, "from": self.since.isoformat(), "to": self.upto.isoformat(),
            "equal": self.holds,
            "accounts": [asdict(b) | {"difference": b.booked - b.proved} for b in self.balances],
            "differences": [asdict(d) | {"day": d.day.isoformat()} for d in self.differences],
            "findings": list(self.findings), "underived": list(self.underived), **self.counts,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Proving:
    """The second calculator of one installation."""

    engine: AsyncEngine
    opens: Opens
    terms_of: Callable[[str], Terms]
    notices_batch: int = 20_000  # Some 20 MB of notices at once.

    async def prove(self, agency_id: str, since: date, upto: date) -> Proof:
        """Rebuild all up to a day from one snapshot, and compare; nothing is written."""
        async with self.engine.connect() as connection:
            source: Any = (await connection.get_raw_connection()).driver_connection
            with _room() as (base, folder):
                async with source.transaction(isolation="repeatable_read", readonly=True):
                    counts = await self._read(source, base, agency_id, folder)
                    _rebuild(base, self.terms_of(agency_id))
                    wrong = await compare.differences(source, base, agency_id, upto)
                return Proof(
                    agency_id, since, upto, compare.balances(base, upto), wrong,
                    [w for (w,) in base.execute("SELECT what FROM finding ORDER BY 1").fetchall()],
                    _underived(base), counts,
                )  # fmt: skip

    async def _read(
        self, source: Any, base: Any, agency_id: str, folder: Path  # noqa: ANN401 - asyncpg and duckdb ship no types.
    ) -> dict[str, int]:  # fmt: skip
        terms = self.terms_of(agency_id)
        base.execute(rules("10-days"))
        _lay(base, terms)
        await evidence.copy(source, base, agency_id, folder)
        cells = Cells(source, base, self.opens, terms.reads, agency_id, self.notices_batch)
        return {"notices": await cells.notices(), "files": await cells.files()}


@contextmanager
def _room() -> Iterator[tuple[Any, Path]]:
    """Give a calculator of its own, and a folder that nobody else reads and that is gone after."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="thuphi-prove-") as folder:
        config: dict[str, Any] = {"threads": _threads, "temp_directory": f"{folder}/spill"}
        with duckdb.connect(config=config) as base:
            yield base, Path(folder)


def _marks() -> dict[str, Any]:
    """Read the words by which a bank tells what is no citizen's transfer: they are rules."""
    return tomllib.loads(files("reconciliation").joinpath("marks.toml").read_text("utf-8"))


def _lay(base: Any, terms: Terms) -> None:  # noqa: ANN401 - duckdb ships no types.
    """Lay the rules out as tables."""
    base.execute(
        "CREATE TABLE holder (name VARCHAR, is_fixed BOOLEAN, number VARCHAR, cut_off BIGINT,"
        " rests BOOLEAN); CREATE TABLE bank (account VARCHAR, holder VARCHAR);"
        " CREATE TABLE mark (kind VARCHAR, words VARCHAR, provider VARCHAR);"
        " CREATE TABLE works (day DATE, works DATE); CREATE TABLE readable (provider VARCHAR);"
    )
    put(base, "holder", [
        [a.name, a.is_fixed, a.number, None if a.cut_off_s is None else a.cut_off_s * 1_000_000,
         a.rests] for a in terms.accounts
    ])  # fmt: skip
    put(base, "bank", [list(x) for x in terms.banks.items()])
    put(base, "mark", [[m["kind"], m["text"], m.get("provider")] for m in _marks()["mark"]])
    told = {*READABLE, *(a.name.partition("/")[0] for a in terms.accounts if not a.is_hint)}
    put(base, "readable", [[name] for name in sorted(told)])
    put(base, "works", [[d, _next_working(terms.calendar, d)] for d in _covered(terms.calendar)])


def _covered(calendar: Calendar) -> Iterator[date]:
    for year in sorted(calendar.years):
        first = date(year, 1, 1)
        yield from (first + timedelta(days=n) for n in range((date(year + 1, 1, 1) - first).days))


def _next_working(calendar: Calendar, day: date) -> date | None:
    """Give the working day that a day's money belongs to; none past the calendar's end."""
    while day.year in calendar.years:
        if calendar.is_working(day):
            return day
        day += timedelta(days=1)
    return None


def _rebuild(base: Any, terms: Terms) -> None:  # noqa: ANN401 - the same.
    """Book all of it a second time."""
    known = closings(base)
    _virtual(base, terms)
    base.execute(rules("40-lines"))
    refer(base)
    base.execute(rules("41-plain"))
    base.execute(rules("50-captures"))
    base.execute(rules("55-by-hand"))
    _walk(base)
    base.execute(rules("60-decided"))
    replay(base, known, _marks()["window_days"])
    base.execute(rules("80-owed-again"))
    base.execute(rules("90-proved"))


def _virtual(base: Any, terms: Terms) -> None:  # noqa: ANN401 - the same.
    """Say which accounts of statements and notices stand for one payment."""
    base.execute("CREATE TABLE virtual (account VARCHAR, real VARCHAR, reference VARCHAR)")
    told = base.execute(
        "SELECT DISTINCT account FROM file_line WHERE source = 'statement' UNION SELECT DISTINCT"
        " unnest(string_split(payment_reference, '|')) FROM word"
        " WHERE contains(payment_reference, '|')"
    ).fetchall()
    named = [[a, *found] for (a,) in told if a and (found := terms.stands_for(a))]
    put(base, "virtual", named)
    base.execute(
        "UPDATE word SET payment_reference = (SELECT min(v.reference) FROM virtual v WHERE"
        " v.account IN (split_part(payment_reference, '|', 1),"
        " split_part(payment_reference, '|', 2))) WHERE contains(payment_reference, '|')"
    )


def _walk(base: Any) -> None:  # noqa: ANN401 - the same.
    """Walk through what is not ordinary, and keep what it came to."""
    base.execute(
        "CREATE TABLE owed_again (dispute_id VARCHAR, payment_id VARCHAR);"
        " CREATE TABLE taken (capture_id VARCHAR, amount BIGINT);"
        " CREATE TABLE completed (capture_id VARCHAR, payment_id VARCHAR, since BIGINT);"
    )
    done = list(walks(base))
    put(base, "entry", [entry for walk in done for entry in walk.entries])
    put(base, "owed_again", [x for walk in done for x in walk.owed_again])
    put(base, "taken", [x for walk in done for x in walk.taken])
    put(base, "completed", [x for walk in done for x in walk.paying])
    base.execute(
        "INSERT INTO paying SELECT capture_id, payment_id, NULL, NULL, false, since FROM completed;"
        " UPDATE capture SET amount = t.amount FROM taken t WHERE t.capture_id = capture.id;"
    )


def _underived(base: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - the same.
    """Name the captures whose amount nothing raw tells, and why not."""
    told = base.execute(
        "SELECT id, holder, amount, EXISTS (SELECT 1 FROM readable r WHERE"
        " r.provider = split_part(holder, '/', 1)) FROM capture WHERE is_underived ORDER BY id"
    ).fetchall()
    return [
        {"capture": c, "account": holder, "amount": amount, "why": _ASKED if readable else _FOREIGN}
        for c, holder, amount, readable in told
    ]
