"""``thuphi day``: a whole day with everything that goes wrong, and witnesses who can tell."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from front_door import Site

from gateway.entry.day import live
from gateway.entry.day_witness import Inbox, differences


async def test_a_day_on_which_half_of_all_goes_wrong_ends_with_closed_books() -> None:
    """Every kind of fault, every provider, two counters; the banks' journal agrees."""
    said = await live(payments=40, seed_number=3, on=date(2026, 11, 18), faults=0.5)

    assert said["violations"] == []
    assert said["payments"] == 40
    assert said["settled"] == said["paid"] > 20
    assert said["receipts"] == said["paid"]
    assert said["ledger_sum"] == 0
    assert said["accounts_proved"] > 10  # A second calculator comes to the same books.
    assert said["unexplained_dong_days"] == 0
    assert said["at_counters"] > 5
    assert said["unanswered"] > 0  # The answer to our own call broke off, or was no answer.
    assert said["suspense"] > 0  # Wrong amounts and second payments are kept, and named.
    assert said["breaks"] > 0


def test_the_command_prints_one_object_and_says_with_its_exit_code_that_all_holds(
    tmp_path: Path,
) -> None:
    """CONTRACT 4; and what it prints is what its users rely on."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway.entry.cli", "day", "--payments", "8", "--seed", "1",
         "--date", "2026-12-31", "--json"],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)},
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert set(said) >= {
        "payments", "paid", "amount", "receipts", "events_delivered", "notices", "matched",
        "breaks", "suspense", "ledger_sum", "violations", "seconds",
    }  # fmt: skip
    assert list(tmp_path.glob("thuphi-day-*")) == []


async def test_the_journal_names_one_dong_that_the_books_do_not_have(site: Site) -> None:
    """The witness is worth something only if it can say no."""
    attempt = await site.attempt(await site.payment())
    await site.vnpay_says(attempt)
    truth = {"provider": "vnpay", "txn_id": "14831393", "amount": 10_000, "bank_reference": ""}

    async with site.parts.store.begin() as tx:
        assert await differences(tx, [truth]) == []
        assert len(await differences(tx, [truth | {"amount": 10_001}])) == 2
        assert len(await differences(tx, [truth, truth])) == 1
        assert len(await differences(tx, [])) == 1


async def test_a_webhook_that_we_did_not_sign_is_not_heard(site: Site) -> None:
    inbox = Inbox("whsec_c2VjcmV0")
    headers = {"webhook-id": "evt_1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}

    assert not inbox.hear(headers, b"{}")

    async with site.parts.store.begin() as tx:
        assert await inbox.undelivered(tx) == ["a webhook's signature does not hold: evt_1"]


@pytest.mark.parametrize("wrong", ["--date=2026-13-01", "--payments=many"])
def test_a_wrong_option_is_bad_usage(wrong: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own command, with a parameter of this test.
        [sys.executable, "-m", "gateway.entry.cli", "day", wrong],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip

    assert done.returncode == 2
    assert "usage" in done.stderr
