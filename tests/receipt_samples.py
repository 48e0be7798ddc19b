"""Receipts and signers for tests, made without any database."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from receipts.receipt import Line, Receipt, commit, total_in_words
from receipts.seal import Signer, make_test_certificate
from receipts.signing import SoftKey

MADE_AT = datetime(2026, 11, 18, tzinfo=UTC)


@cache
def signer(name: str = "Trung tâm Phục vụ hành chính công Hà Nội") -> Signer:
    """Make a signer once; a key of 2048 bits takes a while."""
    return Signer.of("key_1", *make_test_certificate(name, "0100000000", MADE_AT))


@cache
def p256_signer() -> Signer:
    """Make a signer on P-256 once."""
    pem, der = new_certificate(MADE_AT, 365)
    return Signer.of("key_2", pem, der)


def new_certificate(begins: datetime, days: int) -> tuple[str, bytes]:
    """Make a self-signed certificate and its key on P-256 (PEM, DER)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Trung tâm")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days)).sign(key, hashes.SHA256())
    )  # fmt: skip
    return made.public_bytes(Encoding.PEM).decode(), SoftKey(key).der


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
