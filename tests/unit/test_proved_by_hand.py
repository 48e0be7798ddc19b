"""Money that two people took out of suspense is nobody's there any more, whatever happens later."""

from reconciliation.proving.walks import Debt, Event, Order, Walk

DAY = 20_775  # Days are only handed on here.


def events(*moves: int) -> list[Event]:
    """Tell of money that names no payment, of what was moved, and of a dispute lost at the end."""
    came = {"id": "cap", "amount": 10_000, "is_fixed": False, "expected": None, "is_cash": False}
    lost = {"id": "dis", "capture_id": "cap", "amount": 10_000, "is_borne": True, "on_day": DAY}
    return [
        Event(0, Order.CAPTURED, "cap", "cap", came | {"on_day": DAY}),
        *(Event(n + 1, Order.MOVED, "act", "cap", {"capture_id": "cap", "amount": amount})
          for n, amount in enumerate(moves)),
        Event(9, Order.LOST, "dis", "cap", lost),
    ]  # fmt: skip


def lost_out_of(*moves: int) -> list[tuple[str, str]]:
    walk = Walk({"cap": Debt("cap", ())})
    walk.tell(events(*moves))
    return [(entry[2], entry[3]) for entry in walk.entries if entry[0] == "dispute"]


def test_a_dispute_takes_from_suspense_only_what_lies_there() -> None:
    lost = [("6430", "1381"), ("1383", "4900")]
    assert lost_out_of() == [("3310", "1381")]
    assert lost_out_of(-10_000) == lost
    assert lost_out_of(-10_000, 10_000) == [("3310", "1381")], "an undo puts it back"
