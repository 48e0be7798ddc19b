"""Receipts and signers for tests, made without any database."""

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from receipts.receipt import Line, Receipt, commit, total_in_words
from receipts.seal import Signer, make_test_certificate

MADE_AT = datetime(2026, 11, 18, tzinfo=UTC)


@cache
def signer(name: str = "Trung tâm Phục vụ hành chính công Hà Nội") -> Signer:
    """Make a signer once; a key of 2048 bits takes a while."""
    return Signer.of("key_1", *make_test_certificate(name, "0100000000", MADE_AT))


def receipt(**changes: Any) -> Receipt:
    """Give a receipt of two lines whose names are as unfriendly as XML allows."""
    lines = (
        Line("1.004222", 'Lệ phí «cư trú» <& "quoted">', 10_000, "2767"),
        Line("1.004222", "Tab\tand line\nand return\rđồng ợ", 5, "2771"),
    )  # fmt: skip
    amount, in_words = total_in_words(lines)
    made = Receipt(
        rules="vn-2026", kind="le_phi", title="Biên lai thu lệ phí", form="EBL01", series="26TAA",
        number=1, issued_on=date(2026, 11, 18), is_sandbox=True,
        agency_name="Trung tâm Phục vụ hành chính công Hà Nội", agency_tax_code="0100000000",
        agency_address="Hà Nội", branch_name="Chi nhánh Hoàn Kiếm",
        dossier_id="H26.14-261118-0001", procedure="1.004222",
        procedure_name="Đăng ký thường trú", reference="ABCDEFGHJKMN", lines=lines, amount=amount,
        amount_in_words=in_words, verify_code="0123456789ABCDEF",
        verify_url="http://127.0.0.1:8080/verify/0123456789ABCDEF",
        certificate_sha256=signer().fingerprint, payer_name="Nguyễn Thị Hoà",
        commitments=(commit("citizen_id", "001190000001", b"s" * 32),),
    )  # fmt: skip
    return replace(made, **changes)
