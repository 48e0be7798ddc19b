"""The shapes of a receipt on paper, and what a converted copy says of itself."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from gateway.domain.calendar import HANOI
from receipts.labels import PAPER_WORDS, PAPER_WORDS_EN

CITIZEN: Final = ""  # Who has the link asked, and nobody knows who that is.


class Shape(StrEnum):
    """A page that a receipt is drawn on."""

    A5 = "a5"
    STRIP = "strip"  # 80 mm wide, for the printer at a counter.
    COPY = "copy"  # A5, as a converted paper copy.


@dataclass(frozen=True, slots=True)
class Converted:
    """Who made a paper copy and when, and what it is worth."""

    at: datetime
    by: str = CITIZEN
    own_words: str = ""  # The agency's, where it has its own.

    def words(self) -> dict[str, str]:
        """Give what is set."""
        return {
            "words": self.own_words or PAPER_WORDS, "english": PAPER_WORDS_EN, "by": self.by,
            "at": self.at.astimezone(HANOI).strftime("%H:%M %d/%m/%Y"),
        }  # fmt: skip
