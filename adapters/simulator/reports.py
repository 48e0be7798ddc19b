"""The files of a day: the provider's report, the bank's statement, the treasury's list.

On day T the bank shows T's transfers, each provider's payout of T-1 (net of its fee), what the
agency adds so that the budget gets the gross, and the remittance;
the treasury confirms the same remittance, by obligation where it is known, else by budget line.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from adapters.simulator import stripe_payouts
from adapters.simulator.config import NO_FEE, SimulatorConfig
from adapters.simulator.counter import BAG, CARD, CASH
from adapters.simulator.journal import BudgetLine, Journal, JournalEntry
from gateway.domain.calendar import hanoi_day, rfc3339

Row = dict[str, str | int]
_DAY: Final = timedelta(days=1)
_BATCHES: Final = {stripe_payouts.NAME: "po_"}  # How a batch is called, where not by its provider.
COLUMNS: Final = {
    stripe_payouts.PROFILE: stripe_payouts.COLUMNS,
    "canonical-provider": (
        "provider,provider_txn_id,merchant_reference,kind,gross,fee,net,currency,txn_at,"
        "settled_on,batch_id"
    ),
    "canonical-statement": (
        "account,line_id,booked_on,value_on,amount,currency,counterparty,reference,memo,balance"
    ),
    "canonical-treasury": (
        "document_ref,obligation_id,booked_on,agency_code,chapter,tieu_muc,amount,currency,content"
    ),
}


@dataclass(frozen=True, slots=True)
class Reports:
    """Writes what each institution would send for a day, from the journal alone."""

    config: SimulatorConfig
    journal: Journal
    providers: Sequence[str]  # Those that settle by a batch.

    def write(self, on: date, folder: Path) -> list[tuple[str, Path]]:
        """Write the day's files, one of each provider; each with the profile that reads it."""
        folder.mkdir(parents=True, exist_ok=True)
        rows = {
            name: self._settled(name, on)
            for name in self.providers
            if name != CARD or self.journal.entries(CARD)
        }
        rows["statement"] = ("canonical-statement", self.statement(on))
        rows["treasury"] = ("canonical-treasury", self.treasury(on))
        written: list[tuple[str, Path]] = []
        for name, (profile, lines) in rows.items():
            path = folder / f"{name}-{on.isoformat()}.csv"
            _write(path, COLUMNS[profile].split(","), lines)
            written.append((profile, path))
        return written

    def _settled(self, name: str, on: date) -> tuple[str, list[Row]]:
        """Give a provider's report of a day, with the profile that reads its own layout."""
        lines = self.provider(name, on)
        if name == stripe_payouts.NAME:
            return stripe_payouts.PROFILE, [stripe_payouts.written(line) for line in lines]
        return "canonical-provider", lines

    def fee(self, name: str, gross: int) -> int:
        """Give a provider's fee, rounded half up; an illustrative tariff."""
        fixed, per_mille = self.config.fees.get(name, NO_FEE)
        return fixed + (gross * per_mille + 500) // 1000

    def provider(self, name: str, on: date) -> list[Row]:
        """Give a provider's transactions of a day: payments, then what went back."""
        rows = [
            self._row(e, e.amount, self.fee(name, e.amount)) for e in self.journal.entries(name, on)
        ]
        back = self.journal.entries(name, on, "refund")
        return rows + [self._row(e, -e.amount, 0) for e in back]

    def _row(self, e: JournalEntry, gross: int, fee: int) -> Row:
        on = hanoi_day(e.at)
        return {
            "provider": e.account if e.provider == CARD else e.provider,
            "provider_txn_id": e.txn_id,
            "merchant_reference": e.refund_reference or e.reference,
            "kind": e.kind,
            "gross": gross,
            "fee": fee,
            "net": gross - fee,
            "currency": "VND",
            "txn_at": rfc3339(e.at),
            "settled_on": (on + _DAY).isoformat(),
            "batch_id": _batch(e.provider, on),
        }

    def statement(self, on: date) -> list[Row]:
        """Give the account's lines of a day, with the running balance."""
        days = sorted({hanoi_day(e.at) for e in self.journal.entries()})
        balance = self.config.opening_balance
        at = days[0] if days else on
        while at < on:
            balance += sum(int(line["amount"]) for line in self._lines(at))
            at += _DAY
        lines = self._lines(on)
        for number, line in enumerate(lines, start=1):
            balance += int(line["amount"])
            line |= {"line_id": f"{on:%Y%m%d}-{number:05d}", "balance": balance}
        return lines

    def _lines(self, on: date) -> list[Row]:
        lines: list[Row] = []
        for name in self.providers:
            lines += self._payout(name, on)
        for e in self.journal.entries(CASH, on - _DAY, BAG):
            memo = f"NOP TIEN MAT {e.reference}"
            holder = self.config.values["VIETQR_ACCOUNT_NAME"]
            lines.append(self._line(on, e.amount, holder, e.reference, memo))
        for e in self.journal.entries("bank", on):
            line = self._line(on, e.amount, "NGUYEN THE HUNG", e.bank_reference, e.noisy_memo)
            lines.append(line)
        remitted = sum(int(row["amount"]) for row in self.treasury(on))
        if remitted:
            memo = f"NOP NSNN {on:%d/%m/%Y} {_remittance(on)}"
            lines.append(self._line(on, -remitted, "KHO BAC NHA NUOC", _remittance(on), memo))
        return lines

    def _payout(self, name: str, on: date) -> list[Row]:
        """Give what a provider pays out of the day before, and what the agency adds for its fee."""
        settled, batch = self.provider(name, on - _DAY), _batch(name, on - _DAY)
        net, fees = (sum(int(row[key]) for row in settled) for key in ("net", "fee"))
        lines: list[Row] = []
        if net:
            memo = f"{name.upper()} THANH TOAN {batch}"
            lines.append(self._line(on, net, f"{name.upper()} (MO PHONG)", batch, memo))
        if fees:
            holder = self.config.values["VIETQR_ACCOUNT_NAME"]
            memo = f"BU PHI THANH TOAN {batch}"
            lines.append(self._line(on, fees, holder, f"BP{batch}", memo))
        return lines

    def _line(self, on: date, amount: int, counterparty: str, reference: str, memo: str) -> Row:
        return {
            "account": self.config.bank_account,
            "booked_on": on.isoformat(),
            "value_on": on.isoformat(),
            "amount": amount,
            "currency": "VND",
            "counterparty": counterparty,
            "reference": reference,
            "memo": memo,
        }

    def treasury(self, on: date) -> list[Row]:
        """Give what the treasury confirms on a day: only money whose home is known."""
        day = on - timedelta(days=self.config.remittance_lag_days)
        fitting = [e for e in self.journal.fitting() if hanoi_day(e.at) == day]
        rows: list[Row] = []
        for e in fitting:
            if e.obligation_id:
                content = f"Nop phi, le phi {e.reference or e.memo}"
                rows += [self._confirmed(on, p, e.obligation_id, content) for p in self._parts(e)]
        lumps: dict[str, int] = defaultdict(int)
        for e in fitting:
            for part in self._parts(e):
                lumps[part.tieu_muc] += 0 if e.obligation_id else part.amount
        for tieu_muc, amount in sorted(lumps.items()):
            if amount:
                part = BudgetLine(tieu_muc, amount)
                rows.append(self._confirmed(on, part, "", f"Nop gop tieu muc {tieu_muc}"))
        for number, row in enumerate(rows, start=1):
            row["document_ref"] = f"{_remittance(on)}-{number:05d}"
        return rows

    def _parts(self, entry: JournalEntry) -> Sequence[BudgetLine]:
        return entry.lines or (BudgetLine(self.config.tieu_muc, entry.amount),)

    def _confirmed(self, on: date, part: BudgetLine, obligation_id: str, content: str) -> Row:
        return {
            "obligation_id": obligation_id,
            "booked_on": on.isoformat(),
            "agency_code": self.config.agency_code,
            "chapter": self.config.chapter,
            "tieu_muc": part.tieu_muc,
            "amount": part.amount,
            "currency": "VND",
            "content": content,
        }


def _batch(name: str, on: date) -> str:
    return f"{_BATCHES.get(name, f'{name.upper()}-')}{on:%Y%m%d}"


def _remittance(on: date) -> str:
    return f"NS{on:%Y%m%d}"


def _write(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
