"""The ways in; they translate and decide nothing."""
