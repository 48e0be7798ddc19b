"""The second calculator: every balance anew, from raw evidence and rules alone (ADR 0032).

It shares no code with what books: an import contract forbids it. What LEDGER.md says of each event
is written here a second time, as SQL over columns and, for what is rare, one payment at a time.
"""
