"""The transparency log: what was issued can be proved without us, and not be altered unseen."""
