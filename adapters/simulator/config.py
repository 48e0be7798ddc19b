"""What the simulated banks know of us: secrets, accounts, where notices go, how to misbehave."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

PAY_PATH: Final = "/vnpay/paymentv2/vpcpay.html"
API_PATH: Final = "/vnpay/merchant_webapi/api/transaction"


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """One merchant at VNPAY and one bank account watched by SePay; figures are illustrative."""

    vnpay_tmn_code: str
    vnpay_secret: str = field(repr=False)
    vnpay_notice_url: str
    sepay_secret: str = field(repr=False)
    sepay_notice_url: str
    bank_account: str
    bank_bin: str = "970436"
    account_name: str = "TRUNG TAM PHUC VU HANH CHINH CONG"
    seed: int = 7
    fault_share: float = 0.0
    journal_path: Path | None = None
    pump_every_s: float | None = None  # Set when it runs alone; else whoever drives it pumps.
    slow_s: float = 0.3
    vnpay_fee_fixed: int = 1_000
    vnpay_fee_per_mille: int = 8
    opening_balance: int = 0
    remittance_lag_days: int = 1  # Days from capture to the treasury's confirmation.
    agency_code: str = "1057757"
    chapter: str = "412"
    tieu_muc: str = "2716"


def vnpay_addresses(origin: str) -> tuple[str, str]:
    """Give the pay page and the API of a simulator at this origin, for our settings."""
    return origin.rstrip("/") + PAY_PATH, origin.rstrip("/") + API_PATH
