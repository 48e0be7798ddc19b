"""The agency's own counters as the world sees them: cash, cards at a terminal, bags at the bank.

Nobody calls us and we call nobody: what happened at a counter is written down, and stands in the
terminal's report and on the bank's statement of the next day.
"""

from dataclasses import dataclass
from typing import Final

from adapters.simulator.config import SimulatorConfig
from adapters.simulator.journal import BudgetLine, Journal, JournalEntry
from gateway.ports.clock import Clock

CARD: Final = "counter"  # Reported by the terminal's bank, under the name of the counters.
CASH: Final = "cash"  # In nobody's report: it comes to the bank in a bag.
BAG: Final = "bag"


@dataclass(frozen=True, slots=True)
class CounterSide:
    """What citizens hand over at a counter, and what clerks bring to the bank."""

    clock: Clock
    config: SimulatorConfig
    journal: Journal

    def paid(
        self, slip: str, amount: int, memo: str, obligation_id: str = "",
        lines: tuple[BudgetLine, ...] = (),
    ) -> JournalEntry:  # fmt: skip
        """Pay at a counter: by card if there is a slip of the terminal, else in cash."""
        entry = JournalEntry(
            CARD if slip else CASH, slip or memo, "", memo, amount, amount, self.clock.now(),
            self.config.counter, obligation_id=obligation_id, lines=lines,
        )  # fmt: skip
        self.journal.add(entry)
        return entry

    def bagged(self, bag: str, amount: int) -> JournalEntry:
        """Bring a bag to the bank, which counts it and credits it the next day."""
        entry = JournalEntry(
            CASH, bag, bag, "", amount, amount, self.clock.now(), self.config.bank_account,
            kind=BAG,
        )  # fmt: skip
        self.journal.add(entry)
        return entry
