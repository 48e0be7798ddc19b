"""A closed day as one file for an auditor: gathered, written, and checked by whoever holds it."""
