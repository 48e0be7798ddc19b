"""The banks' side of the same protocols, able to misbehave; it signs with code of its own."""

from adapters.simulator.app import Simulator, build_simulator, sandbox_settings
from adapters.simulator.config import SimulatorConfig
from adapters.simulator.faults import Fault
from adapters.simulator.journal import BudgetLine, JournalEntry
from adapters.simulator.orders import Choice

__all__ = [
    "BudgetLine",
    "Choice",
    "Fault",
    "JournalEntry",
    "Simulator",
    "SimulatorConfig",
    "build_simulator",
    "sandbox_settings",
]
