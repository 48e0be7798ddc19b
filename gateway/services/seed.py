"""The first agencies, branches and receipts' keys, so that a new installation can work at once."""

from typing import Final

from sqlalchemy.dialects.postgresql import insert

from gateway.store import tables as t
from gateway.store.tx import Store

TITLE: Final = "Trung tâm Phục vụ hành chính công Hà Nội"
BRANCHES: Final = {
    "online": "Trực tuyến",
    "hoan-kiem": "Chi nhánh Hoàn Kiếm",
    "tay-ho": "Chi nhánh Tây Hồ",
}
# Ours, for demonstrations: the real codes and address are the agency's to enter.
_SAMPLE: Final = {
    "tax_code": "0100000000",
    "address": "Hà Nội",
    "budget_chapter": "412",
    "settings": {"receipt_shows_payer_name": True},
}

_SANDBOX_SETTINGS: Final = {
    "receipt_shows_payer_name": True,
    "treasury_code": "1057757",  # What the simulated treasury writes.
}


async def seed(store: Store, *, live: bool) -> list[str]:
    """Make the sandbox agency, and its live twin when asked; what is there stays as it is."""
    agencies = [("hn-tthcc-test", True)] + ([("hn-tthcc", False)] if live else [])
    async with store.begin() as tx:
        for agency, is_sandbox in agencies:
            name = f"{TITLE} (thử nghiệm)" if is_sandbox else TITLE
            await tx.run(
                insert(t.agency).on_conflict_do_nothing(),
                {
                    "id": agency,
                    "name": name,
                    "is_sandbox": is_sandbox,
                    **_SAMPLE,
                    **({"settings": _SANDBOX_SETTINGS} if is_sandbox else {}),
                },
            )
            await tx.run(
                insert(t.branch).on_conflict_do_nothing(),
                [{"agency_id": agency, "id": k, "name": v} for k, v in BRANCHES.items()],
            )
    return [agency for agency, _ in agencies]
