"""What is kept of payers, opened as a worker would."""

from front_door import AGENCY, Site

from gateway.services.payer_keys import PayerCells, PayerKeys


async def cells_of(site: Site, payment_id: str) -> PayerCells:
    """Give what opens the cells of a payment."""
    async with site.parts.store.begin() as tx:
        return (await PayerKeys(site.parts.vault).of(tx, AGENCY, [payment_id]))[payment_id]
