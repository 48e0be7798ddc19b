"""Recorded messages of each provider: what its adapter is checked against, here and installed."""
