"""The night after: files imported, the day reconciled and closed.

VNPAY told us of one payment; of the second only its report knows, of the third only the statement.
It all arrives on the day itself, so that one close proves, books and settles everything.
"""

from dataclasses import replace
from datetime import UTC, datetime

from books import DAY, written
from front_door import AGENCY
from sqlalchemy import text

from gateway.entry.bootstrap import Parts
from gateway.entry.reconciling import reconciliation_of
from walks import pay
from walks.walk import Given, Say, Walk

NIGHT = datetime(2026, 11, 18, 18, 30, tzinfo=UTC)  # 01:30 in Hanoi: the day is over.
BATCH = "VNPAY-20261118"
REMITTED = "NS20261118"


async def prepare(parts: Parts) -> Given:
    """Live through the day, and write down what the banks and the treasury will say of it."""
    given = await pay.prepare(parts)
    for n in (1, 2, 3):
        await pay.ask(parts, given["key"], n)
    told, untold = [await pay.begin(parts, n) for n in (1, 2)]
    await pay.tell(parts, told, 1)
    await parts.receipts.issue()
    await parts.outbox.sequence()
    async with parts.store.begin() as tx:
        rows = await tx.rows(text("SELECT id, reference FROM payment ORDER BY dossier_id"))
    files = {
        "provider": [
            {"provider_txn_id": str(1_000 + n), "settled_on": DAY,
             "merchant_reference": attempt["provider_reference"]}
            for n, attempt in enumerate((told, untold), 1)
        ],
        "statement": [
            {"reference": "FT3", "memo": f"TP{rows[2]['reference']}"},
            {"amount": 17_840, "reference": BATCH, "memo": f"VNPAY THANH TOAN TESTTMN1 {BATCH}"},
            {"amount": 2_160, "reference": "BP", "memo": f"BU PHI THANH TOAN {BATCH}"},
            {"amount": -30_000, "reference": REMITTED, "memo": f"NOP NSNN {REMITTED}"},
        ],
        "treasury": [
            {"obligation_id": row["id"], "document_ref": f"{REMITTED}-{n}", "booked_on": DAY}
            for n, row in enumerate(rows, 1)
        ],
    }  # fmt: skip
    return {kind: written(kind, *lines).decode() for kind, lines in files.items()}


async def go(parts: Parts, given: Given, say: Say) -> None:
    """Import the files, then reconcile and close the day."""
    reconciliation = reconciliation_of(parts)
    for kind, content in given.items():
        await reconciliation.intake.import_file(
            AGENCY, f"canonical-{kind}", f"{kind}.csv", content.encode(), "test"
        )
    say("import")

    async def before_close() -> None:
        say("reconciliation")
        await reconciliation.before_close()

    report = await replace(reconciliation, before_close=before_close).reconcile(AGENCY, DAY, "test")
    assert report.closed is not None
    assert report.closed.is_closed, report.closed.open_checks
    say("close")


CLOSE = Walk(
    name="close",
    at=NIGHT,
    phases={
        "import": "SELECT count(*) = 3 FROM statement_file WHERE state = 'taken'",
        "reconciliation": "SELECT count(*) > 0 FROM recon_run",
        "close": "SELECT count(*) = 1 FROM day WHERE state = 'closed'",
    },
    prepare=prepare,
    go=go,
)
