"""At a story's end the second calculator must come to the books' balances (``thuphi prove``).

Asked for where a story books what few others do: each kind of posting is proved somewhere.
"""

from collections.abc import AsyncIterator
from datetime import date

import pytest_asyncio
from front_door import AGENCY, Site

from gateway.entry.cli_prove import proving_of, table


@pytest_asyncio.fixture
async def proved(site: Site) -> AsyncIterator[None]:
    """Prove every balance when the test is over."""
    yield
    proof = await proving_of(site.parts).prove(AGENCY, date(2026, 1, 1), date(2027, 12, 31))
    assert proof.holds, "\n".join(table(proof))
    assert proof.balances
