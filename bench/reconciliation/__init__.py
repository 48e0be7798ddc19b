"""How exactly, and how fast, the rules of reconciliation match data whose truth is known."""
