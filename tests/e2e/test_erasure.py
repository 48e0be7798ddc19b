"""Erasing a payer destroys a key and nothing else; who looked before is written down."""

import json
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from east_bank import EastBank, ask, holds, paid, quarrel, rows, with_east_bank
from front_door import AGENCY, Site
from officers import send, signed_in
from payers import cells_of
from receipt_days import LE_PHI, pay

from gateway.domain.errors import Refusal
from gateway.entry.cli import parser
from gateway.entry.cli_log import do_audit, do_export
from gateway.entry.cli_privacy import do_erase
from gateway.ports.provider import DisputeState
from gateway.services.agencies import PAYER_YEARS, SHOWS_NAME, Agencies
from gateway.services.erasure import Erasure
from gateway.services.payer_cells import held
from receipts.authority import Authority
from receipts.corrections import Corrections, Wanted
from receipts.draft import secrets_of
from receipts.verify import Verdict, verify
from receipts.xml import read_sealed

PAYER = {"name": "Nguyễn Thị Hoà", "citizen_id": "001190999999"}
ONE, OTHER = "staff:mai", "staff:nam"


async def finish(site: Site) -> None:
    """Let the worker number, seal and log what waits."""
    while await site.parts.replacing.run() + await site.parts.receipts.issue():
        pass


def of(site: Site) -> Corrections:
    return Corrections(site.parts.store, site.parts.vault)


def wanted(cause: str, **texts: str) -> Wanted:
    return Wanted(cause, "ghi nhầm", texts, ())


async def agreed(site: Site, receipt_id: str, what: Wanted) -> None:
    asked = await of(site).ask(AGENCY, receipt_id, what, ONE)
    await of(site).decide(AGENCY, asked, OTHER, agree=True)


def erasing(site: Site) -> Erasure:
    return Erasure(site.parts.store, site.parts.vault)


async def erase(site: Site, payment_id: str) -> None:
    (asked,) = await erasing(site).ask(AGENCY, [payment_id], "theo yêu cầu của công dân", ONE)
    await erasing(site).decide(AGENCY, asked, OTHER, agree=True)


async def receipted(site: Site) -> dict[str, Any]:
    """Pay a payment whose payer is known; give its receipt as a row."""
    await pay(site, "online", (LE_PHI,), PAYER)
    await finish(site)
    (receipt,) = await rows(site, "SELECT * FROM receipt")
    return receipt


async def payer_rows(site: Site, payment_id: str) -> list[tuple[str, bytes]]:
    """Copy all that is kept of a payer, with the places."""
    async with site.parts.store.begin() as tx:
        cells = await held(tx, AGENCY, [payment_id])
    return [(c.place, c.sealed) for c in cells if c.sealed]


async def test_erased_data_says_nothing_to_whoever_has_the_master_key_and_every_row(
    site: Site,
) -> None:
    """The wrapped key goes, and nothing else: each other column is as it was."""
    receipt = await receipted(site)
    payment_id = receipt["payment_id"]
    await agreed(site, receipt["id"], wanted("text", payer="Nguyễn Thị Hòa"))
    copies = await payer_rows(site, payment_id)
    assert [place.rpartition("|")[2] for place, _ in copies] == ["salts", "payer", "text"]
    (before,) = await rows(site, "SELECT * FROM payment")

    await erase(site, payment_id)

    (after,) = await rows(site, "SELECT * FROM payment")
    assert after == before | {"key_sealed": None, "erased_at": site.clock.now()}
    assert await payer_rows(site, payment_id) == copies
    cells, vault = await cells_of(site, payment_id), site.parts.vault
    (year,) = await rows(site, "SELECT * FROM year_key")
    place = f"year_key|{AGENCY}/{year['year']}|key"
    of_year = vault.under(vault.open(place, bytes(year["key_sealed"])))
    for place, sealed in copies:
        assert cells.open(place, sealed) is None
        for key in (vault, of_year):
            with pytest.raises(ValueError, match="another key"):
                key.open(place, sealed)
    async with signed_in(site) as desk:
        page = await desk.get(f"/console/payments/{payment_id}")
        assert "Đã xoá" in page.text
        seen = await send(desk, f"/console/payments/{payment_id}",
                          f"/console/payments/{payment_id}/payer")  # fmt: skip
        assert PAYER["name"] not in seen.text


async def test_receipt_books_and_log_are_verified_as_before(site: Site, tmp_path: Path) -> None:
    """And the receipt can still be replaced: its commitments stay, its salts are gone."""
    receipt = await receipted(site)
    old = bytes(receipt["xml"])

    await erase(site, receipt["payment_id"])

    trusted = await site.parts.receipts.trusted(AGENCY)
    assert verify(old, trusted).verdict is Verdict.VALID
    assert "hợp lệ" in (await site.http.get(f"/verify/{receipt['verify_code']}")).text
    await Agencies(site.parts.store).change(AGENCY, {"tax_code": "0101248142"}, {}, "test")
    await agreed(site, receipt["id"], wanted("tax_code"))
    await finish(site)
    _, new = await rows(site, "SELECT * FROM receipt ORDER BY numbered_at, id")
    assert verify(bytes(new["xml"]), trusted).verdict is Verdict.VALID
    assert read_sealed(bytes(new["xml"])).commitments == read_sealed(old).commitments
    assert new["salts_sealed"] is None
    assert secrets_of(receipt, await cells_of(site, receipt["payment_id"])).salts == {}
    await holds(site)
    for words in (["export", f"{tmp_path}/log"], ["audit", "--checkpoint", f"{tmp_path}/log"]):
        args = parser().parse_args(["log", *words, "--agency", AGENCY])
        done = do_export if words[0] == "export" else do_audit
        assert await done(args, lambda _: nullcontext(site.parts)) == 0


async def test_two_people_erase_and_are_told_that_a_name_stays_on_its_receipt(site: Site) -> None:
    await Agencies(site.parts.store).change(AGENCY, {}, {SHOWS_NAME: True}, "test")
    receipt = await receipted(site)
    payment_id = receipt["payment_id"]
    path = f"/console/payments/{payment_id}/privacy"
    async with signed_in(site) as one, signed_in(site, "approver") as other:
        asked = await send(one, path, path, reason="công dân yêu cầu")
        assert "phải giữ mười năm theo luật" in asked.text
        assert f"số {receipt['number']}" in asked.text
        (waits,) = await erasing(site).waiting(AGENCY)
        own = await send(one, path, f"/console/erasures/{waits['id']}", decision="agree")
        assert own.status_code == 400, "whoever asked does not decide"
        assert payment_id in (await other.get("/console/erasures")).text
        done = await send(other, path, f"/console/erasures/{waits['id']}", decision="agree")
        assert "Không ai đọc lại được" in done.text
        again = await send(one, "/console/payments", path, reason="lần nữa")
        assert again.status_code == 400

    assert PAYER["name"].encode() in receipt["xml"], "the law keeps it"
    assert (await rows(site, "SELECT xml FROM receipt"))[0]["xml"] == receipt["xml"]
    noted = await rows(site, "SELECT actor, action, object_id FROM audit WHERE action LIKE 'erasu%'"
                             " ORDER BY id")  # fmt: skip
    assert [tuple(n.values()) for n in noted] == [
        ("staff:accountant-" + AGENCY, "erasure.ask", payment_id),
        ("staff:approver-" + AGENCY, "erasure.agree", payment_id),
    ]


async def refused(site: Site, payment_id: str) -> str:
    with pytest.raises(Refusal) as why:
        await erasing(site).ask(AGENCY, [payment_id], "xoá", ONE)
    return why.value.detail


async def test_what_is_needed_still_is_not_erased(site: Site) -> None:
    """Open, in doubt, being receipted, refunded, disputed, or put right: it waits for the end."""
    with_east_bank(site.parts, AGENCY, EastBank())
    waiting = await site.payment(9, payer=PAYER)
    assert "open" in await refused(site, waiting["id"])
    payment = await paid(site, 1, "E1")
    payment_id = payment["id"]
    assert "receipt is being made" in await refused(site, payment_id)
    await finish(site)
    (receipt,) = await rows(site, f"SELECT id FROM receipt WHERE payment_id = '{payment_id}'")
    wrong = await of(site).ask(AGENCY, receipt["id"], wanted("text", payer="H"), ONE)
    assert "being put right" in await refused(site, payment_id)
    await of(site).decide(AGENCY, wrong, OTHER, agree=False)
    (asked,) = await erasing(site).ask(AGENCY, [payment_id], "xoá", ONE)
    with pytest.raises(Refusal, match="waits"):
        await erasing(site).ask(AGENCY, [payment_id], "xoá", ONE)

    refund = (await ask(site, payment, 1_000, 10_000)).json()["id"]
    assert "refund" in await refused(site, payment_id)
    with pytest.raises(Refusal, match="refund"):  # It was free when it was asked for.
        await erasing(site).decide(AGENCY, asked, OTHER, agree=True)
    await site.parts.refunds.decide(AGENCY, refund, OTHER, agree=False)
    await quarrel(site, "E1", DisputeState.OPENED, 10_000)
    assert "disputes" in await refused(site, payment_id)
    await quarrel(site, "E1", DisputeState.WON, 10_000)
    with pytest.raises(Refusal, match="same-person"):
        await erasing(site).decide(AGENCY, asked, ONE, agree=True)
    await erasing(site).decide(AGENCY, asked, OTHER, agree=True)
    assert "already" in await refused(site, payment_id)


async def test_a_payee_who_is_named_after_the_erasure_has_a_key_of_a_new_one(site: Site) -> None:
    """Money may have to go back later; what was erased stays erased."""
    with_east_bank(site.parts, AGENCY, EastBank())
    payment = await paid(site)
    await finish(site)
    await erase(site, payment["id"])
    before = await payer_rows(site, payment["id"])
    refund = (await ask(site, payment, 1_000, 10_000)).json()["id"]
    payee = {"bank": "VCB", "account": "1", "name": "A"}

    await site.parts.refunds.name_payee(AGENCY, refund, payee, ONE)

    assert await site.parts.refunds.payee(AGENCY, refund, ONE) == payee
    cells = await cells_of(site, payment["id"])
    assert [cells.open(*cell) for cell in before] == [None] * len(before)
    await site.parts.refunds.decide(AGENCY, refund, OTHER, agree=False)
    await erase(site, payment["id"])
    assert await site.parts.refunds.payee(AGENCY, refund, ONE) is None


async def test_a_year_that_no_agency_keeps_loses_its_key_and_so_every_payer_of_it(
    site: Site,
) -> None:
    receipt = await receipted(site)
    payment_id, year = receipt["payment_id"], receipt["issued_on"].year
    await Agencies(site.parts.store).change(AGENCY, {PAYER_YEARS: "1"}, {}, "test")
    waiting = await site.payment(9, payer=PAYER)
    site.clock.move(timedelta(days=365))
    assert await erasing(site).retire() == "0 destroyed, 0 held", "its year is kept for one more"

    site.clock.move(timedelta(days=50))
    assert await erasing(site).retire() == "0 destroyed, 1 held", "a payment of it is open"
    await site.parts.payments.expire(site.parts.can_ask)
    await finish(site)
    assert await erasing(site).retire() == "1 destroyed, 0 held"

    for one in (payment_id, waiting["id"]):
        cells = await cells_of(site, one)
        assert cells.is_erased
        copies = await payer_rows(site, one)
        assert copies
        assert [cells.open(*cell) for cell in copies] == [None] * len(copies)
    noted = await rows(site, "SELECT object_id FROM audit WHERE action = 'payer_key.destroy'")
    assert [n["object_id"] for n in noted] == [str(year)]
    assert await erasing(site).retire() == "0 destroyed, 0 held"
    fresh = await site.payment(10, payer=PAYER)
    assert not (await cells_of(site, fresh["id"])).is_erased


async def test_every_door_that_shows_a_payer_writes_down_who_looked_and_an_auditor_lists_it(
    site: Site,
) -> None:
    with_east_bank(site.parts, AGENCY, EastBank())
    await Agencies(site.parts.store).change(AGENCY, {}, {SHOWS_NAME: True}, "test")
    await Authority(site.parts.store, site.parts.vault).connect(
        AGENCY, "folder", {"path": "/nowhere"}, "test"
    )
    payment = await paid(site)
    await finish(site)
    await site.parts.transmission.run()
    refund = (await ask(site, payment, 1_000, 10_000)).json()["id"]
    payee = {"bank": "VCB", "account": "1", "name": "Nguyễn Thị Hoà"}
    await site.parts.refunds.name_payee(AGENCY, refund, payee, ONE)
    (receipt,) = await rows(site, "SELECT id, transmission_id FROM receipt")
    wrong = await of(site).ask(AGENCY, receipt["id"], wanted("text", payer="Nguyễn Hoà"), ONE)
    here, files = f"/console/payments/{payment['id']}", f"/console/receipts/{receipt['id']}"
    doors = {
        f"{here}/payer": (here, "payer.read", payment["id"]),
        f"/console/refunds/{refund}/payee-seen": (
            f"/console/refunds/{refund}", "payee.read", refund),
        f"/console/corrections/{wrong}/texts": (files, "correction.read", receipt["id"]),
        **{f"{files}.{x}": ("", "receipt.read", receipt["id"]) for x in ("html", "xml", "pdf")},
        f"/console/authority/{receipt['transmission_id']}": (
            "", "transmission.read", receipt["transmission_id"]),
    }  # fmt: skip
    async with signed_in(site) as desk, signed_in(site, "auditor") as auditor:
        quiet = await desk.get(f"{here}/privacy")
        assert "Chưa ai xem" in quiet.text
        for n, (path, (page, action, subject)) in enumerate(doors.items(), 1):
            seen = await (send(desk, page, path) if page else desk.get(path))
            assert seen.status_code == 200, path
            assert "Hoà" in seen.text or path.endswith(".pdf") or "authority" in path, path
            noted = await rows(site, "SELECT actor, action, object_id FROM audit"
                                     " WHERE action LIKE '%.read' ORDER BY id")  # fmt: skip
            assert len(noted) == n, path
            assert tuple(noted[-1].values()) == (f"staff:accountant-{AGENCY}", action, subject)
        listed = (await auditor.get(f"{here}/privacy")).text
        assert listed.count(f"accountant-{AGENCY}</td>") == len(doors)
        assert (await send(auditor, "/console", f"{here}/privacy", reason="x")).status_code == 403


async def test_the_command_asks_for_a_whole_dossier_and_an_officer_decides(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    receipt = await receipted(site)
    (row,) = await rows(site, "SELECT dossier_id FROM payment")
    words = ["erase", "--agency", AGENCY, "--dossier", row["dossier_id"], "--reason", "xoá"]
    args = parser().parse_args([*words, "--json"])
    capsys.readouterr()

    assert await do_erase(args, nullcontext(site.parts)) == 0

    said = json.loads(capsys.readouterr().out)
    names = [f"{receipt['series']} {receipt['number']}"]
    assert (said["payments"], said["names_stay_on"]) == ([receipt["payment_id"]], names)
    with pytest.raises(Refusal, match="waits"):
        await do_erase(args, nullcontext(site.parts))
    await erasing(site).decide(AGENCY, said["asked"][0], OTHER, agree=True)
    assert (await cells_of(site, receipt["payment_id"])).is_erased
    with pytest.raises(Refusal, match="Nothing is kept"):
        await do_erase(args, nullcontext(site.parts))


async def test_whoever_read_the_payment_before_does_not_write_its_key_back(site: Site) -> None:
    payment_id = (await receipted(site))["payment_id"]
    async with site.parts.store.begin() as tx:
        stale = await tx.payment(AGENCY, payment_id)
    assert stale is not None
    assert stale.key_sealed is not None
    await erase(site, payment_id)

    async with site.parts.store.begin() as tx:
        await tx.save(stale)

    assert (await rows(site, "SELECT key_sealed FROM payment")) == [{"key_sealed": None}]
