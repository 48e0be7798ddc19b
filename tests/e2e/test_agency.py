"""``thuphi agency settings``: what an agency says of itself, and what stands on its receipts."""

import json
from contextlib import nullcontext
from typing import Any

import pytest
from front_door import AGENCY, Site
from receipt_days import LE_PHI, PAYER, pay
from sqlalchemy import text

from gateway.domain.errors import Refusal
from gateway.entry import cli_agency
from gateway.entry.cli import parser


async def settings(site: Site, *words: str) -> dict[str, Any]:
    """Run ``agency settings``."""
    args = parser().parse_args(["agency", "settings", "--agency", AGENCY, "--json", *words])
    assert await cli_agency.do_settings(args, nullcontext(site.parts)) == 0
    async with site.parts.store.begin() as tx:
        return dict(await tx.row(text("SELECT * FROM agency")) or {})


@pytest.mark.parametrize(("word", "is_named"), [("shown", True), ("hidden", False)])
async def test_the_payers_name_stands_on_receipts_when_the_agency_says_so(
    site: Site, word: str, is_named: bool
) -> None:
    await settings(site, "--payer-name", word)
    await pay(site, "online", (LE_PHI,), PAYER)
    await site.parts.receipts.issue()

    async with site.parts.store.begin() as tx:
        row = await tx.row(text("SELECT xml FROM receipt"))
    assert row is not None
    assert (PAYER["name"].encode() in bytes(row["xml"])) is is_named


async def test_an_agency_enters_what_stands_on_its_receipts(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    before = await settings(site)
    assert json.loads(capsys.readouterr().out)["tax_code"] == "0100000000"
    after = await settings(
        site, "--tax-code", "0109999999-001", "--address", " 258  Võ Chí Công,\u00a0Hà Nội "
    )

    assert after == before | {
        "tax_code": "0109999999-001", "address": "258 Võ Chí Công, Hà Nội",
    }  # fmt: skip
    async with site.parts.store.begin() as tx:
        noted = await tx.rows(
            text("SELECT actor, action, object_id FROM audit WHERE action LIKE 'agency.%'")
        )
    assert [dict(n) for n in noted] == [
        {"actor": "command line", "action": "agency.change", "object_id": "address,tax_code"}
    ]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--tax-code", "010999999"), "The tax code has 10 digits, or 10-3."),
        (("--tax-code", "٠١٠٩٩٩٩٩٩٩"), "The tax code has 10 digits, or 10-3."),
        (("--write-off-max", "-1"), "The write off max has 1 to 12 digits, in whole đồng."),
        (("--budget-chapter", "41"), "The budget chapter has 3 digits."),
        (("--name", " "), "The name has 1 to 300 printable characters."),
        (("--name", "x" * 301), "The name has 1 to 300 printable characters."),
        (("--address", "Hà Nội\u0007"), "The address has 1 to 300 printable characters."),
    ],
)
async def test_what_no_receipt_can_carry_is_refused(
    site: Site, words: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(Refusal) as caught:
        await settings(site, *words)

    assert caught.value.detail == sentence
