"""What the simulated banks know of us: our settings, where notices go, how to misbehave."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

# What a provider keeps of each payment: so many đồng, and so many per mille; illustrative.
FEES: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {
        "vnpay": (1_000, 8),
        "momo": (0, 11),
        "zalopay": (500, 6),
        "national": (2_000, 0),
        "counter": (0, 9),
        "stripe": (1_000, 29),
    }
)
NO_FEE: Final = (0, 0)


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """One account at each provider, and one bank account; figures are illustrative.

    ``values`` are our adapters' settings without ``THUPHI_``: the other side of each secret.
    ``notices`` is where our doors for notices begin, up to and without the provider's name.
    """

    values: Mapping[str, str] = field(repr=False)
    notices: str
    seed: int = 7
    fault_share: float = 0.0
    faults_by_amount: bool = False  # On where people try it out; a day draws its own.
    journal_path: Path | None = None
    pump_every_s: float | None = None  # Set when it runs alone; else whoever drives it pumps.
    slow_s: float = 0.3
    fees: Mapping[str, tuple[int, int]] = field(default_factory=lambda: FEES)
    opening_balance: int = 0
    remittance_lag_days: int = 1  # Days from capture to the treasury's confirmation.
    counter: str = "counter/hn-tthcc-test"  # The sandbox's agency, whose counters they are.
    agency_code: str = "1057757"
    chapter: str = "412"
    tieu_muc: str = "2716"

    @property
    def bank_account(self) -> str:
        """Give the agency's account."""
        return self.values["VIETQR_ACCOUNT"]

    def notice_url(self, name: str) -> str:
        """Give the door where a provider's notices go."""
        return f"{self.notices}/{name}/default"

    def return_url(self, name: str) -> str:
        """Give the page that is registered with a provider whose orders name none."""
        return f"{self.notices.removesuffix('/notices')}/pay/back/{name}"
