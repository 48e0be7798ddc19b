"""An agency's old series goes on: after its last number, and never twice."""

import pytest
from commands import KEY, Ended, Terminal
from front_door import AGENCY, Site
from receipt_days import pay_many
from sqlalchemy import text

from gateway.services.invariants import violations

RIGHT = {
    "--branch": "online", "--kind": "le_phi", "--form": "EBL01", "--series": "26TXY",
    "--last": "4120",
}  # fmt: skip


async def take_over(site: Site, terminal: Terminal, url: str, **changes: str) -> Ended:
    said = RIGHT | {f"--{name}": value for name, value in changes.items()}
    words = [word for pair in said.items() for word in pair]
    return await terminal.run(
        "receipts", "series", "--agency", AGENCY, *words, DATABASE_URL=url, MASTER_KEY=KEY,
        HIGH_WATER_DIR=str(site.parts.settings.high_water_dir),
        CLOCK=site.clock.now().isoformat(),
    )  # fmt: skip


async def test_numbers_go_on_where_the_old_system_stopped(
    site: Site, terminal: Terminal, database_url: str
) -> None:
    end = await take_over(site, terminal, database_url)
    assert (end.code, end.said) == (0, "")
    assert "4121" in end.out

    await pay_many(site, 2, branch="online", two_kinds=True)
    await site.parts.receipts.issue()

    async with site.parts.store.begin() as tx:
        rows = await tx.rows(text("SELECT kind, series, number FROM receipt ORDER BY 1, 3"))
        noted = await tx.row(text("SELECT object_id FROM audit WHERE action = 'series.take_over'"))
    assert [tuple(r.values()) for r in rows] == [
        ("le_phi", "26TXY", 4121), ("le_phi", "26TXY", 4122), ("phi", "26TAA", 1),
        ("phi", "26TAA", 2),
    ]  # fmt: skip
    assert noted == {"object_id": "EBL01 26TXY 4120"}
    assert await violations(site.parts.store) == []
    for changes, said in (
        ({}, "is numbered here already"),
        ({"kind": "phi", "series": "26TXX"}, "numbers its phi in 26TAA"),
        ({"series": "26TXX"}, "numbers its le_phi in 26TXY"),
    ):
        again = await take_over(site, terminal, database_url, **changes)
        assert again.code == 2
        assert said in again.said


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"form": "01BLP0-001"}, "like EBL01 26TAA"), ({"series": "25TXY"}, "like EBL01 26TAA"),
     ({"series": "26TII"}, "like EBL01 26TAA"), ({"last": "0"}, "from 1 to"),
     ({"last": "99999999"}, "from 1 to"), ({"branch": "nowhere"}, "no branch nowhere")],
)  # fmt: skip
async def test_what_the_rules_do_not_give_is_refused(
    site: Site, terminal: Terminal, database_url: str, changes: dict[str, str], said: str
) -> None:
    end = await take_over(site, terminal, database_url, **changes)

    assert end.code == 2
    assert said in end.said
