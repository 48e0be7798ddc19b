"""East Bank for Thu Phí: an invented bank, to show a whole adapter."""
