"""The writer's bytes are canonical and follow the schema; the reader takes nothing else."""

from importlib.resources import files

import pytest
from lxml import etree
from receipt_samples import receipt, signer

from receipts.receipt import Receipt, commit
from receipts.xml import HEAD, TAIL, NotAReceiptError, document_bytes_max, read, write

LOG = "pay.example.vn/log/hn-tthcc"


@pytest.mark.parametrize(
    "changes", [{}, {"payer_name": None}, {"commitments": ()}, {"log": LOG}], ids=str
)
def test_what_is_written_is_its_own_canonical_form_and_reads_back(
    changes: dict[str, object],
) -> None:
    made = receipt(**changes)
    data = write(made)
    tree = etree.fromstring(data)

    assert etree.tostring(tree, method="c14n") == data
    assert etree.tostring(tree, method="c14n", exclusive=True) == data
    assert read(data) == made
    assert Receipt.of(made.content(), made.payer_name) == made


def test_a_sealed_receipt_follows_the_schema() -> None:
    schema = etree.XMLSchema(etree.fromstring((files("receipts") / "bien-lai-1.xsd").read_bytes()))

    for log in (None, LOG):  # Receipts from before the transparency log stay what they were.
        schema.assertValid(etree.fromstring(signer().seal(write(receipt(log=log)))))
    wrong = signer().seal(write(receipt(series="26XAA")))
    assert not schema.validate(etree.fromstring(wrong))


GOOD = write(receipt())


@pytest.mark.parametrize(
    "data",
    [
        b"", b"<BLai", GOOD[:-1], HEAD + TAIL, GOOD + b"\n", b"\xef\xbb\xbf" + GOOD,
        b'<?xml version="1.0"?>' + GOOD,
        b'<!DOCTYPE BLai [<!ENTITY a "b">]>' + GOOD,
        GOOD.replace(b"<DLBLai>", b"<!-- x --><DLBLai>"),
        GOOD.replace(b"<DLBLai>", b"<?x y?><DLBLai>"),
        GOOD.replace(b"<DLBLai>", b'<DLBLai Id="x">'),
        GOOD.replace(b"H26.14", b"<![CDATA[H26.14]]>"),
        GOOD.replace(b"H26.14", b"&#72;26.14"),
        GOOD.replace(b"<SBLai>1<", b"<SBLai>+1<"),
        GOOD.replace(b"<TTien>5<", b"<TTien>6<"),
        GOOD.replace(b"<STT>2<", b"<STT>3<"),
        GOOD.replace(b"<PBan>1.0</PBan>", b""),
        GOOD.replace(b"<DVTTe>VND</DVTTe>", b"<DVTTe>VND</DVTTe><DVTTe>VND</DVTTe>"),
        HEAD + b"<DLBLai>" * 50 + b"</DLBLai>" * 50 + TAIL,
        HEAD + b"<DLBLai>" + b"<a></a>" * 2_000 + b"</DLBLai>" + TAIL,
        HEAD + b"<DLBLai>" + b"a" * document_bytes_max + b"</DLBLai>" + TAIL,
    ],
    ids=range(21),
)  # fmt: skip
def test_what_we_did_not_write_is_not_read(data: bytes) -> None:
    """No entity, no declaration, no second way to write the same thing, no endless file."""
    assert data != GOOD
    with pytest.raises(NotAReceiptError):
        read(data)


def test_what_xml_cannot_carry_is_refused_and_the_value_is_not_repeated() -> None:
    with pytest.raises(ValueError, match=r"^TTTHC has a character") as caught:
        write(receipt(procedure_name="sekret\x00"))
    assert "sekret" not in str(caught.value)


def test_a_receipt_whose_figures_disagree_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="add up"):
        receipt(amount=10_006)
    with pytest.raises(ValueError, match="add up"):
        receipt(amount=0, lines=())


def test_a_commitment_is_salted_and_the_same_for_the_same_name() -> None:
    """Two ways to type a name are one name; without the salt nobody can guess it."""
    composed, decomposed = "Nguyễn  Hoà", "Nguye\u0302\u0303n Hoa\u0300 "

    assert commit("name", composed, b"1" * 32) == commit("name", decomposed, b"1" * 32)
    assert commit("name", composed, b"1" * 32) != commit("name", composed, b"2" * 32)


def test_the_payers_name_is_in_no_repr_and_not_in_what_is_kept_beside_the_row() -> None:
    made = receipt(payer_name="Canary Nguyễn")

    assert "Canary" not in repr(made)
    assert "Canary" not in str(made.content())
