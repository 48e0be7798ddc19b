"""Our adapters against the simulated banks, over real sockets: two codes that must agree."""

import csv
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
from town import REFERENCE, SECRETS, START, Town

from adapters.simulator import (
    BudgetLine,
    Choice,
    Fault,
    SimulatorConfig,
    build_simulator,
    sandbox_settings,
)
from adapters.vnpay import Vnpay
from gateway.domain.errors import InDoubtError
from gateway.domain.ids import find_references
from gateway.infra.clock import TestClock
from gateway.ports.provider import Inquires, ReadsReturn, Verdict

DAY = date(2026, 11, 18)
ACCOUNT = "0123456789"


def vnpay(town: Town) -> Vnpay:
    provider = town.providers["vnpay"]
    assert isinstance(provider, Vnpay)
    return provider


async def test_a_paid_order_is_told_answered_and_shown_alike(town: Town) -> None:
    """Notice, query and browser return are three words for one transaction."""
    order = town.order()

    chosen = town.simulator.pay(await town.open(order))
    await town.simulator.pump()
    asked = await vnpay(town).ask(order, town.clock.now())
    shown = vnpay(town).read_return(chosen.return_url.partition("?")[2])

    assert isinstance(vnpay(town), Inquires)
    assert isinstance(vnpay(town), ReadsReturn)
    told = town.office.read[0]
    assert len(town.office.read) == 1
    assert told == shown == asked
    assert (told.verdict, told.amount, told.order_reference) == (
        Verdict.CAPTURED,
        150_000,
        order.reference,
    )
    assert told.paid_at == town.clock.now()
    entry = town.simulator.journal.entries()[0]
    assert (entry.txn_id, entry.amount) == (told.txn_id, told.amount)


async def test_the_page_shows_the_order_and_sends_the_citizen_back(town: Town) -> None:
    """A person pays with a browser: no script, nothing inline, and a form that may redirect."""
    async with httpx.AsyncClient(base_url=town.origin, trust_env=False) as http:
        url = await town.open(town.order(1_250_000))
        page = await http.get(url)
        css = await http.get("/simulator.css")
        (order,) = town.simulator.sides["vnpay"].orders.known
        form = {"side": "vnpay", "reference": order, "choice": "pay", "fault": ""}
        back = await http.post("/choose", data=form)

    assert page.status_code == 200
    assert "1.250.000 đ" in page.text
    assert "Thanh toán" in page.text
    assert "Walk away" in page.text
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert "form-action 'self' http://127.0.0.1:9" in page.headers["content-security-policy"]
    assert css.headers["content-type"].startswith("text/css")
    assert back.status_code == 303
    location = back.headers["location"]
    assert location.startswith("http://127.0.0.1:9/return?l=vi&")
    assert vnpay(town).read_return(location.partition("?")[2]).verdict is Verdict.CAPTURED


async def test_an_address_with_one_changed_digit_is_refused_by_the_page(town: Town) -> None:
    """The citizen can edit the address bar; the amount is signed."""
    url = (await town.open(town.order())).replace("vnp_Amount=15000000", "vnp_Amount=1000000")

    async with httpx.AsyncClient(trust_env=False) as http:
        page = await http.get(url)

    assert page.status_code == 400
    assert len(town.simulator.journal) == 0


@pytest.mark.parametrize(
    ("choice", "verdict"),
    [(Choice.DECLINE, Verdict.DECLINED), (Choice.CANCEL, Verdict.CANCELLED)],
)
async def test_a_refused_order_is_told_and_moves_no_money(
    town: Town, choice: Choice, verdict: Verdict
) -> None:
    """A failed payment is told and acknowledged like a good one."""
    town.simulator.pay(await town.open(town.order()), choice)

    assert await town.wait(timedelta(hours=2)) == 1
    assert [n.verdict for n in town.office.read] == [verdict]
    assert len(town.simulator.journal) == 0


async def test_choices_move_what_they_say(town: Town) -> None:
    """Less, twice and late are real money that the books must find."""
    less, twice, late, left = (town.order() for _ in range(4))
    town.simulator.pay(await town.open(less), Choice.PAY_LESS)
    town.simulator.pay(await town.open(twice), Choice.PAY_TWICE)
    town.simulator.pay(await town.open(late), Choice.PAY_LATE)
    town.simulator.pay(await town.open(left), Choice.LEAVE)

    early = await vnpay(town).ask(late, town.clock.now())
    await town.wait(timedelta(hours=1))

    taken = sorted((n.order_reference or "", n.amount) for n in town.office.read)
    assert early.verdict is Verdict.PENDING
    assert taken == [
        (less.reference, 149_000),
        (twice.reference, 150_000),
        (twice.reference, 150_000),
        (late.reference, 150_000),
    ]
    assert len({n.txn_id for n in town.office.read}) == 4
    assert (await vnpay(town).ask(left, town.clock.now())).verdict is Verdict.EXPIRED
    assert (await vnpay(town).ask(late, town.clock.now())).verdict is Verdict.CAPTURED


async def test_paying_again_on_the_same_page_takes_nothing_again(town: Town) -> None:
    """The back button is not a second payment."""
    url = await town.open(town.order())

    for _ in range(3):
        town.simulator.pay(url)

    assert len(town.simulator.journal) == 1


async def test_vnpay_calls_ten_times_five_minutes_apart_and_stops(town: Town) -> None:
    """A gateway that is down for half an hour still learns of the money."""
    town.office.failing = True
    town.simulator.pay(await town.open(town.order()))

    calls = [await town.simulator.pump()]
    calls += [await town.wait(timedelta(minutes=5)) for _ in range(12)]

    assert calls == [1] * 10 + [0] * 3
    assert town.simulator.post.next_due is None


async def test_sepay_delivers_eight_times_in_fibonacci_minutes(town: Town) -> None:
    """Each delivery is signed afresh, or the later ones would be too old to believe."""
    town.office.failing = True
    town.simulator.bank.transfer_by_qr(await town.qr(town.order()))

    calls = [await town.simulator.pump()]
    calls += [await town.wait(timedelta(minutes=m)) for m in (1, 1, 2, 3, 5, 8)]
    town.office.failing = False
    calls.append(await town.wait(timedelta(minutes=13)))

    assert calls == [1] * 8
    assert town.office.forged == 0
    assert len(town.office.read) == 1
    assert await town.wait(timedelta(days=1)) == 0


@pytest.mark.parametrize(
    ("fault", "believed", "forged"),
    [
        (Fault.DUPLICATE, 2, 0),
        (Fault.BURST, 20, 0),
        (Fault.LATE, 1, 0),
        (Fault.OUT_OF_ORDER, 2, 0),
        (Fault.SILENT, 0, 0),
        (Fault.FORGED, 1, 1),
        (Fault.WRONG_MERCHANT, 1, 1),
        (Fault.WRONG_AMOUNT, 1, 0),
        (Fault.SERVER_ERROR, 1, 0),
        (Fault.SLOW, 1, 0),
    ],
)
async def test_each_fault_does_what_its_name_says(
    town: Town, fault: Fault, believed: int, forged: int
) -> None:
    """A fault that does nothing proves nothing; both banks know each."""
    order = town.order()
    memo = f"TP{REFERENCE}"
    town.simulator.faults.set(order.reference, fault)
    town.simulator.faults.set(memo, fault)
    chosen = town.simulator.pay(await town.open(order))
    town.simulator.bank.transfer_by_qr(await town.qr(order))

    at_once = await town.simulator.pump()
    await town.wait(timedelta(hours=4))

    assert (len(town.office.read), town.office.forged) == (2 * believed, 2 * forged)
    assert (at_once == 0) == (fault in {Fault.LATE, Fault.SILENT})
    wrong = fault is Fault.WRONG_AMOUNT
    amounts = {e.amount for e in town.simulator.journal.entries()}
    assert amounts == {149_000 if wrong else 150_000}
    assert chosen.is_broken == (fault is Fault.SERVER_ERROR)
    if fault is Fault.SERVER_ERROR:
        with pytest.raises(InDoubtError):
            await vnpay(town).ask(order, town.clock.now())
    assert (await vnpay(town).ask(order, town.clock.now())).verdict is Verdict.CAPTURED


async def test_a_transfer_arrives_with_its_reference_in_a_noisy_text(town: Town) -> None:
    """Banks change case, break lines and add words; the reference must still be found."""
    for _ in range(10):
        town.simulator.bank.transfer_by_qr(await town.qr(town.order()))

    await town.simulator.pump()

    assert len({n.memo for n in town.office.read}) >= 5
    for said in town.office.read:
        assert [r.reference for r in find_references(said.memo or "")] == [REFERENCE]
        assert said.movement
        assert said.movement.booked_on == "2026-11-18"


def test_the_same_seed_draws_the_same_faults_at_the_share_asked_for() -> None:
    """A day that failed must fail again, to be mended."""
    simulators = [
        build_simulator(TestClock(START), make_config(seed=seed, share=0.2)) for seed in (7, 7, 8)
    ]

    drawn = [[s.faults.of(f"ATT{i}") for i in range(2_000)] for s in simulators]

    assert drawn[0] == drawn[1] != drawn[2]
    faulty = [f for f in drawn[0] if f]
    assert 340 < len(faulty) < 460
    assert set(faulty) == set(Fault)


def make_config(journal: Path | None = None, seed: int = 7, share: float = 0.0) -> SimulatorConfig:
    settings = sandbox_settings("http://127.0.0.1:9", lambda name: SECRETS.get(name, name.lower()))
    return SimulatorConfig(
        settings, "http://127.0.0.1:9/notices", seed, share, journal_path=journal
    )


async def test_a_journal_file_outlives_the_simulator(town: Town, tmp_path: Path) -> None:
    """After a restart VNPAY still knows what was paid, and never reuses a number."""
    path = tmp_path / "sim" / "journal.jsonl"
    first = build_simulator(town.clock, make_config(path))
    order, other = town.order(), town.order()
    lines = (BudgetLine("2716", 100_000), BudgetLine("2771", 50_000))
    first.pay(await town.open(order), obligation_id="pay_1", lines=lines)

    second = build_simulator(town.clock, make_config(path))
    second.pay(await town.open(order))
    second.pay(await town.open(other))

    assert second.journal.entries()[0] == first.journal.entries()[0]
    assert len(second.journal) == 2
    assert len({e.txn_id for e in second.journal.entries()}) == 2


async def test_the_days_files_tell_the_journals_money(town: Town, tmp_path: Path) -> None:
    """Three institutions, one truth: what they report adds up to what citizens paid."""
    sim = town.simulator
    lines = (BudgetLine("2716", 100_000), BudgetLine("2771", 50_000))
    sim.pay(await town.open(town.order()), obligation_id="pay_1", lines=lines)
    sim.pay(await town.open(town.order(62_500)))
    sim.pay(await town.open(town.order()), Choice.PAY_LESS, obligation_id="pay_3")
    sim.bank.transfer_by_qr(await town.qr(town.order(20_000)), obligation_id="pay_4")
    sim.bank.transfer(ACCOUNT, 5_000, "khong ro")

    today = sim.write_files(DAY, tmp_path)
    tomorrow = sim.write_files(DAY + timedelta(days=1), tmp_path)

    provider = rows(path_of(today, "vnpay"))
    assert [(r["gross"], r["fee"], r["net"]) for r in provider] == [
        ("150000", "2200", "147800"),
        ("62500", "1500", "61000"),
        ("149000", "2192", "146808"),
    ]
    assert {(r["batch_id"], r["settled_on"]) for r in provider} == {
        ("VNPAY-20261118", "2026-11-19")
    }
    credited = rows(path_of(today, "statement"))
    assert [r["amount"] for r in credited] == ["20000", "5000"]
    assert credited[-1]["balance"] == "25000"
    assert rows(path_of(today, "treasury")) == []
    paid_out = rows(path_of(tomorrow, "statement"))
    assert [r["amount"] for r in paid_out] == ["355608", "5892", "-232500"]
    assert paid_out[-1]["balance"] == str(25_000 + 355_608 + 5_892 - 232_500)
    confirmed = [
        (r["obligation_id"], r["tieu_muc"], r["amount"])
        for r in rows(path_of(tomorrow, "treasury"))
    ]
    assert confirmed == [
        ("pay_1", "2716", "100000"),
        ("pay_1", "2771", "50000"),
        ("pay_4", "2716", "20000"),
        ("", "2716", "62500"),
    ]


def path_of(files: list[tuple[str, Path]], name: str) -> Path:
    return next(path for _, path in files if path.name.startswith(name))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


async def test_a_script_can_drive_everything_over_http(town: Town, tmp_path: Path) -> None:
    """`thuphi day` runs against the simulator as a process of its own."""
    order = town.order()
    async with httpx.AsyncClient(base_url=f"{town.origin}/control", trust_env=False) as http:
        pay = {
            "redirect_url": await town.open(order),
            "obligation_id": "pay_1",
            "fault": "duplicate",
        }
        paid = await http.post("/pay", json=pay)
        moved = await http.post("/transfer", json={"qr_text": await town.qr(order)})
        sent = await http.post("/pump")
        files = await http.post("/files", json={"date": "2026-11-18", "folder": str(tmp_path)})
        journal = await http.get("/journal")
        bad = [
            await http.post("/pay", json={"redirect_url": "http://x/?a=1"}),
            await http.post("/pay", json={}),
            await http.post("/transfer", json={"qr_text": "nonsense"}),
            await http.post("/pump", headers={"content-length": "3"}, content=b"abc"),
        ]

    assert paid.json()["reference"] == order.reference
    assert paid.json()["fault"] == "duplicate"
    assert moved.json()["amount"] == 150_000
    assert sent.json() == {"sent": 2}
    assert {profile for profile, _ in files.json()["files"]} == {
        "canonical-provider",
        "canonical-statement",
        "canonical-treasury",
        "stripe-payouts",
    }
    assert [e["amount"] for e in journal.json()["entries"]] == [150_000, 150_000]
    assert [r.status_code for r in bad] == [400, 400, 400, 200]
