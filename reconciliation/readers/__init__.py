"""Bytes to statement lines: one format, one file; whole or not at all."""
