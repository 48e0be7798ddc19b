"""The counter: cash in a drawer, or a card at a terminal, taken by a clerk at a branch.

Nobody is called and nobody calls: the clerk's word, inside an open shift, is the capture. Cash lies
in the drawer; a card's money comes later from the terminal's bank, matched by its slip.
"""

from dataclasses import dataclass

from gateway.ports.provider import Can, Method

CASH = Method("cash", "Tiền mặt", "Cash")
CARD = Method("card", "Thẻ tại máy POS", "Card at the terminal")


@dataclass(frozen=True, slots=True)
class Counter:
    """The counters of one agency, which is its account."""

    account: str
    name: str = "counter"

    @property
    def can(self) -> Can:
        """Declare what a counter can do."""
        return Can(
            title_vi="Quầy một cửa", title_en="One-stop counter", methods=(CASH, CARD),
            fixed_amount=False, redirects=False, at_counter=True,
        )  # fmt: skip
