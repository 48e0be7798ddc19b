"""How an agency looks on its receipts: a logo and a line of its own, beside what the law wants."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from gateway.domain.errors import Refusal
from gateway.domain.texts import one_line
from gateway.store import tables as t
from gateway.store.tx import Store, Tx

words_max: Final = 300  # Three small lines at the foot; more would crowd what the law wants there.


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


async def change_brand(
    store: Store, agency_id: str, changes: Mapping[str, str], actor: str
) -> Brand:
    """Change what is given and leave the rest; a logo was cleaned before. Raises Refusal."""
    clean = {k: v if k == "logo" else _words(k, v) for k, v in changes.items()}
    async with store.begin() as tx:
        if await tx.row(select(t.agency.c.id).where(t.agency.c.id == agency_id)) is None:
            raise Refusal("not-found", f"There is no agency {agency_id}; run seed first.")
        brand = replace(await brand_of(tx, agency_id), **clean)
        if clean:
            row = {"agency_id": agency_id, **asdict(brand)}
            made = insert(t.brand).values(row)
            await tx.run(made.on_conflict_do_update(index_elements=["agency_id"], set_=row))
            await tx.note(agency_id, actor, "agency.brand", ",".join(sorted(clean)))
    return brand


def _words(name: str, value: str) -> str:
    clean = one_line(value)
    if len(clean) > words_max or not clean.isprintable():
        what = name.replace("_", " ")
        raise Refusal("invalid-request", f"The {what} has at most {words_max} letters.")
    return clean
