"""People resolve breaks: one proposes, another signs what was shown; later runs keep it."""

from datetime import timedelta

import pytest
from books import NEXT, balance, breaks, paid_by_vnpay, reconcile, reconciliation, take
from cases import ONE, OTHER, agree, broken, cases, night, resolve, to_payment, unknown_money
from east_bank import rows
from front_door import AGENCY, Site
from officers import officer, signed_in
from sqlalchemy.exc import DBAPIError

from gateway.domain.errors import Refusal
from gateway.entry.cli_prove import proving_of
from gateway.services.agencies import Agencies
from gateway.services.invariants import violations
from reconciliation.evidence import Side
from reconciliation.planning import LINK, UNDO, WRITE_OFF, Wanted


async def sound(site: Site) -> None:
    """See that every rule about money and the chain holds."""
    assert await violations(site.parts.store) == []


async def twins(site: Site) -> tuple[dict[str, str], dict[str, object], dict[str, object]]:
    """Let one transfer be told of twice: its notice, and weeks of cut-off later the statement."""
    payment = await site.payment()
    assert await site.sepay_says(f"TP{payment['reference']}", 10_000, 77) == 200
    site.clock.move(timedelta(days=6))
    await take(
        site, "statement", {"booked_on": "2026-11-23", "memo": "CT"},
        {"booked_on": "2026-11-24", "amount": 5, "memo": "LAI"},
    )  # fmt: skip
    site.clock.move(timedelta(days=1))
    await reconcile(site, NEXT + timedelta(days=5))
    twin = (await rows(site, "SELECT * FROM break WHERE kind = 'unknown_money' AND amount > 5"))[0]
    return payment, twin, await broken(site, "missing_at_provider")


@pytest.mark.usefixtures("proved")
async def test_unknown_money_is_given_a_home_by_two_people_and_the_payment_is_paid(
    site: Site,
) -> None:
    """The whole way: ranked proposal, second person, ledger, receipt, and the next run."""
    payment = await site.payment()
    await night(site)
    case = await unknown_money(site)
    shown = await cases(site).show(AGENCY, case["id"])
    (first,) = shown.proposals
    assert (first.id, first.fits) == (payment["id"], True)
    assert ("only", 0) in first.reasons

    await resolve(site, case, to_payment(case, (payment["reference"], 10_000)))

    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "paid"
    assert (await balance(site, "3310"), await balance(site, "M2")) == (0, 10_000)
    assert await breaks(site) == []
    await sound(site)
    again = await reconcile(site)
    assert again.closed is not None
    assert again.closed.is_closed, again.closed.open_checks
    assert await breaks(site) == []
    assert len((await site.get(f"/payments/{payment['id']}"))["receipts"]) == 1
    site.clock.move(timedelta(days=1))
    await take(
        site, "statement", {"booked_on": "2026-11-19", "amount": -10_000, "reference": "NS20261119",
                            "memo": "NOP NSNN 19/11/2026 NS20261119"},
    )  # fmt: skip
    await take(site, "treasury", {"obligation_id": payment["id"]})
    settled = await reconcile(site, NEXT)
    assert settled.closed is not None
    assert settled.closed.is_closed, settled.closed.open_checks
    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "settled"
    await sound(site)


@pytest.mark.usefixtures("proved")
async def test_money_is_split_and_several_transfers_pay_one_fee(site: Site) -> None:
    """Many to many, poured in order; amounts that are not equal to the đồng are refused."""
    first, second = await site.payment(1), await site.payment(2)
    await night(site)
    await take(site, "statement", {"line_id": "1", "amount": 12_000, "memo": "A"},
               {"line_id": "2", "amount": 8_000, "memo": "B"})  # fmt: skip
    await reconcile(site)
    found = await rows(site, "SELECT * FROM break WHERE kind = 'unknown_money' ORDER BY amount")
    sources = tuple(Side("break", k["id"], k["amount"]) for k in found)
    targets = (Side("payment", first["id"], 10_000), Side("payment", second["id"], 10_000))
    with pytest.raises(Refusal, match="20000 đồng here, 10000 there"):
        await cases(site).propose(
            AGENCY, found[0]["id"], Wanted(LINK, "", sources, targets[:1]), ONE
        )

    await resolve(site, found[0], Wanted(LINK, "", sources, targets))

    uses = await rows(site, "SELECT use, amount FROM allocation ORDER BY amount, use")
    assert [(u["use"], u["amount"]) for u in uses] == [
        ("debt", 2_000), ("on_account", 8_000), ("debt", 10_000)
    ] or [(u["use"], u["amount"]) for u in uses] == [
        ("on_account", 2_000), ("debt", 8_000), ("debt", 10_000)
    ]  # fmt: skip
    states = {(await site.get(f"/payments/{p['id']}"))["state"] for p in (first, second)}
    assert (states, await balance(site, "3310"), await breaks(site)) == ({"paid"}, 0, [])
    await sound(site)


@pytest.mark.usefixtures("proved")
async def test_two_words_for_one_transfer_are_one_and_an_undo_makes_them_two_again(
    site: Site,
) -> None:
    """Nothing is counted twice, a later run keeps it, and what is undone is found again."""
    payment, twin, missing = await twins(site)
    wanted = Wanted(
        LINK, "", (Side("break", str(twin["id"]), 10_000),),
        (Side("capture", str(missing["capture_id"]), 10_000),),
    )  # fmt: skip
    clearing = await balance(site, "1380")
    on = NEXT + timedelta(days=5)

    await resolve(site, twin, wanted)

    assert await balance(site, "1380") == clearing - 10_000
    assert ("missing_at_provider", "capture") not in await breaks(site)
    await sound(site)
    async with signed_in(site) as desk:
        story = (await desk.get(f"/console/payments/{payment['id']}")).text
    assert "hai người xác nhận đó là cùng một khoản tiền" in story
    (run,) = await rows(site, "SELECT max(id) AS id FROM recon_run")
    night = await reconcile(site, on)
    assert night.closed is not None
    assert list(night.closed.open_checks) == ["earlier days are closed"], "1380 is each capture"
    assert ("missing_at_provider", "capture") not in await breaks(site)
    assert await reconciliation(site).again(AGENCY, run["id"]), "a run before it is as it was"
    (agreed,) = await rows(site, "SELECT id FROM case_action WHERE kind = 'agree'")
    undo = Wanted(UNDO, "nhầm người", of=agreed["id"])
    await resolve(site, twin, undo)
    assert await balance(site, "1380") == clearing
    assert ("missing_at_provider", "capture") in await breaks(site)
    assert await rows(site, "SELECT id FROM recon_match WHERE rule = 'by-hand'") == []
    await sound(site)
    with pytest.raises(Refusal, match="undone already"):
        await cases(site).propose(AGENCY, str(twin["id"]), undo, ONE)
    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "paid"
    report = await reconcile(site, on)
    assert report.breaks["missing_at_provider"] == 1


@pytest.mark.usefixtures("proved")
async def test_a_loss_is_written_off_within_the_agencys_limit_only(site: Site) -> None:
    """LEDGER: an approved loss, which the agency makes good; without a limit there is none."""
    await night(site)
    await take(site, "statement", {"amount": 50_000, "memo": "CT"},
               {"amount": -11_000, "memo": "THU PHI QUAN LY TAI KHOAN"})  # fmt: skip
    await reconcile(site)
    case = await broken(site, "reversed")
    loss = Wanted(WRITE_OFF, "phí ngân hàng")
    with pytest.raises(Refusal, match="at most 0 đồng"):
        await cases(site).propose(AGENCY, case["id"], loss, ONE)
    await Agencies(site.parts.store).change(AGENCY, {"write_off_max": "20000"}, {}, "test")

    await resolve(site, case, loss)

    moved = [await balance(site, account) for account in ("6430", "1383", "4900", "1120")]
    assert moved == [11_000, 11_000, -11_000, 39_000]
    again = await reconcile(site)
    assert again.closed is not None
    assert again.closed.is_closed, again.closed.open_checks
    await sound(site)


async def test_a_credit_is_offered_only_captures_whose_money_may_still_come(site: Site) -> None:
    """Cash was counted in its drawer, and what was written off was given up."""
    await Agencies(site.parts.store).change(AGENCY, {"write_off_max": "10000"}, {}, "test")
    for n in (1, 2):
        await paid_by_vnpay(site, n, f"1483139{n}")
    clerk, counters = await officer(site, "lan"), site.parts.counters
    await counters.open_shift(clerk, "hoan-kiem", "quay-1", 50_000)
    await counters.take(clerk, (await site.payment(3))["id"], "cash")
    site.clock.move(timedelta(hours=17, minutes=30) + timedelta(days=1))
    await take(site, "provider", {"provider_txn_id": "14831391", "fee": 5, "net": 9_995})
    await take(
        site, "statement",
        {"booked_on": "2026-11-19", "reference": "X", "memo": "VNPAY THANH TOAN TESTTMN1 X"},
    )  # fmt: skip
    await reconcile(site, NEXT)
    case, line = await rows(site, "SELECT * FROM break ORDER BY subject")
    before = (await cases(site).show(AGENCY, line["id"])).proposals
    await resolve(site, case, Wanted(WRITE_OFF, "VNPAY không trả"))

    (offered,) = (await cases(site).show(AGENCY, line["id"])).proposals

    assert case["capture_id"] in {p.id for p in before}
    assert len(before) == 2, "cash is not among them"
    assert offered.name == "14831391"


async def test_nobody_agrees_to_their_own_proposal_not_even_past_the_code(site: Site) -> None:
    payment = await site.payment()
    await night(site)
    case = await unknown_money(site)
    await cases(site).propose(
        AGENCY, case["id"], to_payment(case, (payment["id"], 10_000)), ONE
    )  # fmt: skip

    with pytest.raises(Refusal, match="Somebody else must agree"):
        await agree(site, case["id"], ONE)
    for claimed in (ONE, OTHER):  # Whoever the row says made it.
        with pytest.raises(DBAPIError, match=r"maker_is_not_checker|fk_case_action"):
            await site.as_owner(
                "INSERT INTO case_action (agency_id, id, number, break_id, kind, actor, about_id,"
                f" about_actor, said, at, seal_before, seal) SELECT agency_id, 'x', 9, break_id,"
                f" 'agree', '{ONE}', id, '{claimed}', '{{}}', at, '', '' FROM case_action"
            )


async def test_nothing_is_proposed_for_a_payment_whose_payer_may_just_have_paid(
    site: Site,
) -> None:
    """What would be refused at the end is refused when it is proposed."""
    payment = await site.payment()
    await night(site)
    case = await unknown_money(site)
    await site.as_owner("UPDATE payment SET in_doubt = true")

    with pytest.raises(Refusal, match="may just have paid"):
        await cases(site).propose(
            AGENCY, case["id"], to_payment(case, (payment["id"], 10_000)), ONE
        )


async def test_what_changed_since_it_was_shown_is_not_signed(site: Site) -> None:
    """The hash is of the payment, the break and the money as the second person saw them."""
    payment = await site.payment()
    await night(site)
    case = await unknown_money(site)
    act = await cases(site).propose(
        AGENCY, case["id"], to_payment(case, (payment["id"], 10_000)), ONE
    )
    shown = await cases(site).show(AGENCY, case["id"])
    assert await site.sepay_says(f"TP{payment['reference']}", 4_000, 78) == 200

    with pytest.raises(Refusal, match="6000 đồng are missing"):
        await cases(site).decide(AGENCY, act, OTHER, agree=True, shown=shown.hash)
    with pytest.raises(Refusal, match="missing"):
        await cases(site).decide(AGENCY, act, OTHER, agree=True, shown="")
    after = await cases(site).show(AGENCY, case["id"])
    assert (after.hash, after.refused[:4]) == ("", "6000")
    await cases(site).decide(AGENCY, act, ONE, agree=False, shown="")
    assert (await cases(site).show(AGENCY, case["id"])).waiting is None
    await sound(site)


@pytest.mark.parametrize(
    ("tampering", "rule"),
    [
        ('UPDATE case_action SET said = \'{"text":"b"}\' WHERE number = 1', "each act"),
        ("UPDATE case_action SET actor = 'staff:x' WHERE number = 2", "each act"),
        ("DELETE FROM case_action WHERE number = 1", "each act"),
        ("DELETE FROM case_action WHERE number = 2", "each break knows"),
    ],
)
async def test_a_row_that_is_changed_or_removed_by_hand_is_found(
    site: Site, tampering: str, rule: str
) -> None:
    await night(site)
    case = await unknown_money(site)
    for said in ("a", "c"):
        await cases(site).comment(AGENCY, case["id"], said, ONE)
    await sound(site)
    with pytest.raises(DBAPIError, match="append-only"):
        await site.as_owner(tampering)

    await site.as_owner("ALTER TABLE case_action DISABLE TRIGGER ALL", tampering)

    assert any(v.rule.startswith(rule) for v in await violations(site.parts.store))


@pytest.mark.usefixtures("proved")
async def test_an_agreement_that_breaks_off_half_way_leaves_nothing(site: Site) -> None:
    """Payment, entries, allocation, act and break are one transaction."""
    payment = await site.payment()
    await night(site)
    case = await unknown_money(site)
    await cases(site).propose(AGENCY, case["id"], to_payment(case, (payment["id"], 10_000)), ONE)
    counted = "SELECT (SELECT count(*) FROM entry), (SELECT count(*) FROM case_action),"
    counted += " (SELECT count(*) FROM allocation), (SELECT count(*) FROM event)"
    before = await rows(site, counted.replace("),", ") AS a,", 1))
    await site.as_owner(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION"
        " ''the power went''; END'",
        "CREATE TRIGGER fails BEFORE UPDATE OF state ON break FOR EACH ROW EXECUTE FUNCTION fail()",
    )

    with pytest.raises(DBAPIError, match="the power went"):
        await agree(site, case["id"])

    assert await rows(site, counted.replace("),", ") AS a,", 1)) == before
    await site.as_owner("DROP TRIGGER fails ON break")
    await agree(site, case["id"])
    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "paid"
    await sound(site)


async def test_a_decision_that_says_other_money_than_came_is_named_by_the_proof(
    site: Site,
) -> None:
    """The second calculator takes amounts from the evidence, and compares what people said."""
    payment = await site.payment()
    await night(site)
    case = await unknown_money(site)
    await resolve(site, case, to_payment(case, (payment["id"], 10_000)))
    prove = proving_of(site.parts).prove
    assert (await prove(AGENCY, NEXT, NEXT)).holds

    await site.as_owner(
        "ALTER TABLE case_action DISABLE TRIGGER ALL",
        "UPDATE case_action SET said = replace(said, '10000', '9000') WHERE kind = 'propose'",
    )

    proof = await prove(AGENCY, NEXT, NEXT)
    assert [f.partition(" says ")[2][:9] for f in proof.findings] == ["9000 of c"]
    assert {d.voucher for d in proof.differences} == {f"capture {case['capture_id']}"}
