"""What a channel is given, and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Protocol

from receipts.receipt import Receipt


class Answer(StrEnum):
    """What the receiver said."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # It was read, and something in it is wrong.


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, what the receiver calls the message, and its own code."""

    answer: Answer
    reference: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message, and the receipts that it tells of (none, where it tells of errors)."""

    id: str
    form: str
    told_on: date
    part: int
    agency_id: str
    tax_code: str
    xml: bytes = field(repr=False)
    receipts: Sequence[Receipt] = field(repr=False)


class Channel(Protocol):
    """One way to the receiver.

    Raises InDoubtError when it may have arrived, DeclinedError when it surely did not. The same
    parcel may be sent any number of times: its id names it.
    """

    async def send(self, parcel: Parcel) -> Said:
        """Send one message and read the answer."""
        ...
