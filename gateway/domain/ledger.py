"""The chart of accounts in code: an entry, and the posting recipes of LEDGER.md.

One debit, one credit, one positive amount: an entry cannot fail to balance. Balance is debit less
credit; assets are never below zero, liabilities never above. Nothing is edited: a correction is
the reverse entry marked ``storno``.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

CASH: Final = "1110"
BANK: Final = "1120"
TREASURY_DEPOSIT: Final = "1125"
IN_TRANSIT: Final = "1130"
CLEARING: Final = "1380"
DISPUTED: Final = "1381"
SHORTAGE: Final = "1382"
DUE_FROM_AGENCY: Final = "1383"
CLAIM_ON_TREASURY: Final = "1388"
UNIDENTIFIED: Final = "3310"
SURPLUS: Final = "3320"
DUE_TO_BUDGET: Final = "3330"
PHI_TO_APPORTION: Final = "3370"
REFUNDS_PAYABLE: Final = "3380"
DUTY_TO_FUND: Final = "4900"
PROVIDER_CHARGES: Final = "6420"
LOSSES: Final = "6430"
OWED: Final = "M1"
COLLECTED: Final = "M2"
WAIVED: Final = "M3"
CANCELLED: Final = "M4"
REFUNDED: Final = "M5"
ASSESSED: Final = "M9"

TITLES: Final = {
    CASH: "Tiền mặt tại quầy",
    BANK: "Tài khoản thu tại ngân hàng",
    TREASURY_DEPOSIT: "Tài khoản tiền gửi tại kho bạc",
    IN_TRANSIT: "Tiền đang chuyển",
    CLEARING: "Phải thu tổ chức thanh toán",
    DISPUTED: "Giao dịch đang tranh chấp",
    SHORTAGE: "Thiếu quỹ chờ xử lý",
    DUE_FROM_AGENCY: "Cơ quan phải bù phí và tổn thất",
    "1386": "Phải thu cơ quan khác",
    CLAIM_ON_TREASURY: "Phải thu kho bạc",
    UNIDENTIFIED: "Tiền chưa xác định, nộp một phần",
    SURPLUS: "Tiền nộp thừa",
    DUE_TO_BUDGET: "Phải nộp ngân sách",
    PHI_TO_APPORTION: "Phí chờ phân bổ",
    "3375": "Phí được để lại",
    REFUNDS_PAYABLE: "Phải hoàn trả",
    "3386": "Phải trả cơ quan khác",
    DUTY_TO_FUND: "Nghĩa vụ bù phí và tổn thất",
    PROVIDER_CHARGES: "Phí dịch vụ thanh toán",
    LOSSES: "Tổn thất được duyệt",
    OWED: "Còn phải thu",
    COLLECTED: "Đã thu",
    WAIVED: "Được miễn",
    CANCELLED: "Đã huỷ",
    REFUNDED: "Đã hoàn",
    ASSESSED: "Tổng phải thu",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One debit, one credit, one positive amount in đồng."""

    debit: str
    credit: str
    amount: int
    voucher_kind: str = ""
    voucher_id: str = ""
    rule: str = ""
    payment_id: str | None = None
    branch_id: str | None = None
    provider_account: str | None = None
    batch_id: str | None = None
    budget_line: str | None = None
    evidence_hash: str | None = None
    storno: bool = False

    def __post_init__(self) -> None:
        """Refuse what could not be a booking."""
        if self.amount <= 0 or self.debit == self.credit:
            raise ValueError("An entry moves a positive amount between two accounts.")


@dataclass(frozen=True, slots=True)
class Line:
    """A fee line as the ledger sees it."""

    kind: str  # phi | le_phi
    amount: int
    budget_line: str

    @property
    def account(self) -> str:
        """Lệ phí is due to the budget at once; phí waits to be apportioned."""
        return DUE_TO_BUDGET if self.kind == "le_phi" else PHI_TO_APPORTION


def assessed(payment_id: str, lines: Iterable[Line]) -> tuple[Entry, ...]:
    """D M1 K M9: what the tariff says is owed."""
    return tuple(
        Entry(OWED, ASSESSED, line.amount, "payment", payment_id, "assessed", payment_id,
              budget_line=line.budget_line)
        for line in lines
        if line.amount
    )  # fmt: skip


def cancelled(payment_id: str, lines: Iterable[Line]) -> tuple[Entry, ...]:
    """D M4 K M1: withdrawn, or expired and replaced."""
    return tuple(
        Entry(CANCELLED, OWED, line.amount, "payment", payment_id, "cancelled", payment_id,
              budget_line=line.budget_line)
        for line in lines
        if line.amount
    )  # fmt: skip


def _home(payment_id: str, lines: Iterable[Line], debit: str) -> Iterator[Entry]:
    for line in lines:
        if line.amount:
            yield Entry(debit, line.account, line.amount, rule="captured", payment_id=payment_id,
                        budget_line=line.budget_line)  # fmt: skip
            yield Entry(COLLECTED, OWED, line.amount, rule="captured", payment_id=payment_id,
                        budget_line=line.budget_line)  # fmt: skip


def captured(payment_id: str, lines: Iterable[Line], into: str = CLEARING) -> tuple[Entry, ...]:
    """D 1380 (cash: D 1110) K 3330 or 3370, D M2 K M1, for each fee line: the money fits."""
    return tuple(_home(payment_id, lines, into))


def assigned(payment_id: str, lines: Iterable[Line]) -> tuple[Entry, ...]:
    """D 3310 K 3330 or 3370, D M2 K M1: unidentified money is given a home."""
    return tuple(_home(payment_id, lines, UNIDENTIFIED))


def unidentified(
    payment_id: str | None, amount: int, rule: str, into: str = CLEARING
) -> tuple[Entry, ...]:
    """D 1380 (cash: D 1110) K 3310: money came and has no home yet."""
    return (Entry(into, UNIDENTIFIED, amount, rule=rule, payment_id=payment_id),)


def surplus(payment_id: str, amount: int, into: str = CLEARING) -> tuple[Entry, ...]:
    """D 1380 (cash: D 1110) K 3320: more came than was due."""
    return (Entry(into, SURPLUS, amount, rule="surplus", payment_id=payment_id),)


def to_surplus(payment_id: str, amount: int) -> tuple[Entry, ...]:
    """D 3310 K 3320: what was on account is no longer needed."""
    return (Entry(UNIDENTIFIED, SURPLUS, amount, rule="surplus", payment_id=payment_id),)


def charge(voucher: str, amount: int, account: str, batch: str) -> tuple[Entry, ...]:
    """D 6420 K 1380 and D 1383 K 4900: the provider's charge, which the agency makes good."""
    return (
        Entry(PROVIDER_CHARGES, CLEARING, amount, "statement_line", voucher, "charge",
              provider_account=account, batch_id=batch),
        Entry(DUE_FROM_AGENCY, DUTY_TO_FUND, amount, "statement_line", voucher, "charge",
              provider_account=account, batch_id=batch),
    )  # fmt: skip


def payout(voucher: str, amount: int, account: str, batch: str) -> tuple[Entry, ...]:
    """D 1120 K 1380: a batch, net, is on the agency's account."""
    return (
        Entry(BANK, CLEARING, amount, "statement_line", voucher, "payout",
              provider_account=account, batch_id=batch),
    )  # fmt: skip


def topped_up(voucher: str, amount: int) -> tuple[Entry, ...]:
    """D 1120 K 1383: the agency makes charges good."""
    return (Entry(BANK, DUE_FROM_AGENCY, amount, "statement_line", voucher, "topped_up"),)


def apportioned(voucher: str, amount: int, budget_line: str) -> tuple[Entry, ...]:
    """D 3370 K 3330: the budget's part of a phí."""
    return (
        Entry(PHI_TO_APPORTION, DUE_TO_BUDGET, amount, "remittance", voucher, "apportioned",
              budget_line=budget_line),
    )  # fmt: skip


def remitted(voucher: str, amount: int) -> tuple[Entry, ...]:
    """D 1130 K 1120: the bank debited what is on its way to the treasury."""
    return (Entry(IN_TRANSIT, BANK, amount, "remittance", voucher, "remitted"),)


def confirmed(voucher: str, amount: int, budget_line: str) -> tuple[Entry, ...]:
    """D 3330 K 1130: the treasury says that it arrived."""
    return (
        Entry(DUE_TO_BUDGET, IN_TRANSIT, amount, "remittance", voucher, "confirmed",
              budget_line=budget_line),
    )  # fmt: skip


def refund_owed(
    voucher: str, source: str, amount: int, payment_id: str | None
) -> tuple[Entry, ...]:
    """D 3310 or 3320 K 3380: money without a home, or a surplus, is owed to its payer."""
    return (
        Entry(source, REFUNDS_PAYABLE, amount, "refund", voucher, "refund_approved", payment_id),
    )


def uncollected(
    voucher: str, payment_id: str, given: Iterable[Line], *, at_treasury: bool
) -> tuple[Entry, ...]:
    """D 3330 or 3370 (with the treasury: D 1388) K 3380, D M5 K M2, for what each line gives."""
    return tuple(_taken_back(voucher, payment_id, given, at_treasury=at_treasury))


def _taken_back(
    voucher: str, payment_id: str, given: Iterable[Line], *, at_treasury: bool
) -> Iterator[Entry]:
    for line in given:
        if line.amount:
            debit = CLAIM_ON_TREASURY if at_treasury else line.account
            for one, other in ((debit, REFUNDS_PAYABLE), (REFUNDED, COLLECTED)):
                yield Entry(one, other, line.amount, "refund", voucher, "refund_approved",
                            payment_id, budget_line=line.budget_line)  # fmt: skip


def refund_done(
    voucher: str, out_of: str, amount: int, payment_id: str | None, provider_account: str
) -> tuple[Entry, ...]:
    """D 3380 K 1380, 1120 or 1388: it is proved that the payer has it."""
    return (
        Entry(REFUNDS_PAYABLE, out_of, amount, "refund", voucher, "refund_done", payment_id,
              provider_account=provider_account),
    )  # fmt: skip


def dispute_opened(voucher: str, amount: int, account: str) -> tuple[Entry, ...]:
    """D 1381 K 1380: the provider holds the money back while payer and agency quarrel."""
    return (
        Entry(DISPUTED, CLEARING, amount, "dispute", voucher, "dispute_opened",
              provider_account=account),
    )  # fmt: skip


def dispute_fee(voucher: str, amount: int, account: str) -> tuple[Entry, ...]:
    """D 6420 K 1380 and D 1383 K 4900: the provider's fee for it, as any charge."""
    return (
        Entry(PROVIDER_CHARGES, CLEARING, amount, "dispute", voucher, "dispute_fee",
              provider_account=account),
        Entry(DUE_FROM_AGENCY, DUTY_TO_FUND, amount, "dispute", voucher, "dispute_fee",
              provider_account=account),
    )  # fmt: skip


def dispute_won(voucher: str, amount: int, account: str) -> tuple[Entry, ...]:
    """D 1380 K 1381: the agency keeps it."""
    return (
        Entry(CLEARING, DISPUTED, amount, "dispute", voucher, "dispute_won",
              provider_account=account),
    )  # fmt: skip


def dispute_lost_owed_again(
    voucher: str, payment_id: str, lines: Iterable[Line], *, at_treasury: bool
) -> tuple[Entry, ...]:
    """D 3330 or 3370 (with the treasury: D 1388) K 1381, D M1 K M2: the fee is owed again."""
    entries: list[Entry] = []
    for line in lines:
        if line.amount:
            debit = CLAIM_ON_TREASURY if at_treasury else line.account
            entries += [
                Entry(one, other, line.amount, "dispute", voucher, "dispute_lost", payment_id,
                      budget_line=line.budget_line)
                for one, other in ((debit, DISPUTED), (OWED, COLLECTED))
            ]  # fmt: skip
    return tuple(entries)


def dispute_lost_owed(
    voucher: str, payment_id: str | None, owing: str, amount: int, account: str
) -> tuple[Entry, ...]:
    """D 3310 or 3320 K 1381: it had paid no debt, and was owed to the payer, who has it now."""
    return (
        Entry(owing, DISPUTED, amount, "dispute", voucher, "dispute_lost", payment_id,
              provider_account=account),
    )  # fmt: skip


def dispute_lost_borne(voucher: str, amount: int, account: str) -> tuple[Entry, ...]:
    """D 6430 K 1381 and D 1383 K 4900: the agency bears it; nobody owes the fee again."""
    return (
        Entry(LOSSES, DISPUTED, amount, "dispute", voucher, "dispute_lost",
              provider_account=account),
        Entry(DUE_FROM_AGENCY, DUTY_TO_FUND, amount, "dispute", voucher, "dispute_lost",
              provider_account=account),
    )  # fmt: skip


def _cash(
    debit: str, credit: str, amount: int, shift_id: str, rule: str, branch_id: str
) -> tuple[Entry, ...]:
    if not amount:
        return ()
    return (Entry(debit, credit, amount, "shift", shift_id, rule, branch_id=branch_id),)


def float_issued(shift_id: str, amount: int, branch_id: str) -> tuple[Entry, ...]:
    """D 1110 K 1130: the safe gives the drawer its change."""
    return _cash(CASH, IN_TRANSIT, amount, shift_id, "float_issued", branch_id)


def shift_short(shift_id: str, amount: int, branch_id: str) -> tuple[Entry, ...]:
    """D 1382 K 1110: less lies in the drawer than was taken."""
    return _cash(SHORTAGE, CASH, amount, shift_id, "shift_short", branch_id)


def shift_over(shift_id: str, amount: int, branch_id: str) -> tuple[Entry, ...]:
    """D 1110 K 3310: more lies in the drawer than was taken."""
    return _cash(CASH, UNIDENTIFIED, amount, shift_id, "cash_over", branch_id)


def bagged(shift_id: str, amount: int, branch_id: str) -> tuple[Entry, ...]:
    """D 1130 K 1110: the drawer is empty, its cash is on the way to the bank."""
    return _cash(IN_TRANSIT, CASH, amount, shift_id, "bagged", branch_id)


def shortage_made_good(shift_id: str, amount: int, branch_id: str) -> tuple[Entry, ...]:
    """D 1110 K 1382, D 1130 K 1110: the clerk brings what was missing, and it leaves in a bag.

    The drawer of a closed shift stays at zero, so both are booked at once.
    """
    return (
        *_cash(CASH, SHORTAGE, amount, shift_id, "made_good", branch_id),
        *_cash(IN_TRANSIT, CASH, amount, shift_id, "bagged", branch_id),
    )


def shortage_borne(shift_id: str, amount: int, branch_id: str) -> tuple[Entry, ...]:
    """D 6430 K 1382 and D 1383 K 4900: an approved loss, which the agency makes good."""
    return (
        *_cash(LOSSES, SHORTAGE, amount, shift_id, "shortage_borne", branch_id),
        *_cash(DUE_FROM_AGENCY, DUTY_TO_FUND, amount, shift_id, "shortage_borne", branch_id),
    )


def banked(voucher: str, amount: int) -> tuple[Entry, ...]:
    """D 1120 K 1130: the bank credits a deposit bag."""
    return (Entry(BANK, IN_TRANSIT, amount, "statement_line", voucher, "banked"),)


def written_off(
    voucher: tuple[str, str], out_of: str, amount: int, account: str | None
) -> tuple[Entry, ...]:
    """D 6430 K 1380 or 1120, D 1383 K 4900: a loss that two people approve.

    ``voucher`` is its kind and id: a capture that never arrived, or a statement's own line.
    """
    return tuple(
        Entry(debit, credit, amount, *voucher, "written_off", provider_account=account)
        for debit, credit in ((LOSSES, out_of), (DUE_FROM_AGENCY, DUTY_TO_FUND))
    )


def same_money(capture_id: str, amount: int, account: str) -> tuple[Entry, ...]:
    """D 3310 K 1380, storno: two words that were taken for two movements were about one."""
    return (
        Entry(UNIDENTIFIED, CLEARING, amount, "correction", capture_id, "same_money",
              provider_account=account, storno=True),
    )  # fmt: skip


def storno(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Take entries back: each the other way round, marked, so that turnovers can be shown net."""
    return tuple(replace(e, debit=e.credit, credit=e.debit, storno=True) for e in entries)
