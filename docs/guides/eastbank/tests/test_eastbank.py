"""The common suite on East Bank; tests of the bank's own traps stand beside it."""

from eastbank.vectors import EastBankConformance


class TestEastBank(EastBankConformance):
    """Every test of the suite is collected here."""
