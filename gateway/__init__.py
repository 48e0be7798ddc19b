"""The core: payments, ledger, and the ways in."""
