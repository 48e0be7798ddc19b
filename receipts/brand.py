"""How an agency looks on its receipts: a logo and a line of its own, beside what the law wants."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from gateway.store import tables as t
from gateway.store.tx import Tx


@dataclass(frozen=True, slots=True)
class Brand:
    """What an agency adds to its receipts' face."""

    logo: str = ""  # SVG that was cleaned.
    footer: str = ""
    paper_words: str = ""  # What a converted copy says of itself; empty: our words.


PLAIN: Final = Brand()


async def brand_of(tx: Tx, agency_id: str) -> Brand:
    """Give how an agency's receipts look."""
    row = await tx.row(select(t.brand).where(t.brand.c.agency_id == agency_id))
    return Brand(row["logo"], row["footer"], row["paper_words"]) if row else PLAIN
