"""A receipt as XML: a writer that emits canonical bytes at once, and a reader that trusts nothing.

The schema is ours (``bien-lai-1.xsd``); its names follow the family style of Vietnamese
e-documents, and it claims conformance to no published standard, for none was found. The writer
uses no attribute, no prefix, no comment and no space between elements, so its output is its own
canonical form (C14N 1.0, inclusive and exclusive alike), and ``write(read(x)) == x`` or ``x`` is
not ours.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from xml.parsers import expat

from receipts.receipt import Commitment, Line, Receipt, Replaced

NAMESPACE: Final = "urn:thuphi:bien-lai:1"
VERSION: Final = "1.0"
HEAD: Final = f'<BLai xmlns="{NAMESPACE}">'.encode()
TAIL: Final = b"<DSCKS></DSCKS></BLai>"  # Where the signature goes.
document_bytes_max: Final = 262_144  # 50 lines of 300 letters are a tenth of it.
depth_max: Final = 8
elements_max: Final = 1_000

# What XML 1.0 cannot carry at all, not even escaped.
_IMPOSSIBLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"})


class NotAReceiptError(Exception):
    """These bytes are not a receipt of ours; the sentence says why, without quoting them."""


@dataclass(slots=True)
class Element:
    """One element: either text or children."""

    name: str
    text: str = ""
    children: list["Element"] = field(default_factory=list)


def write(receipt: Receipt) -> bytes:
    """Write the canonical bytes, with an empty place for the signature."""
    inner = "".join(emit(e) for e in _elements(receipt))
    return HEAD + f"<DLBLai>{inner}</DLBLai>".encode() + TAIL


def emit(element: Element) -> str:
    """Write one element, canonically. Raises ValueError for a character that XML cannot carry."""
    if _IMPOSSIBLE.search(element.text):
        raise ValueError(f"{element.name} has a character that XML cannot carry.")
    inner = "".join(map(emit, element.children)) or element.text.translate(_ESCAPES)
    return f"<{element.name}>{inner}</{element.name}>"


def _elements(r: Receipt) -> Iterator[Element]:
    yield group(
        "TTChung", ("PBan", VERSION), ("QTac", r.rules), ("LBLai", r.kind), ("TBLai", r.title),
        ("KHMSBLai", r.form), ("KHBLai", r.series), ("SBLai", str(r.number)),
        ("NLap", r.issued_on.isoformat()), ("DVTTe", "VND"),
        ("TNghiem", "1" if r.is_sandbox else "0"), ("MTCuu", r.verify_code),
        ("DCTCuu", r.verify_url), ("VTCTSo", r.certificate_sha256),
        *([("NKMBach", r.log)] if r.log is not None else []),
    )  # fmt: skip
    if x := r.replaces:
        yield group(
            "BLLQuan", ("KHMSBLai", x.form), ("KHBLai", x.series), ("SBLai", str(x.number)),
            ("NLap", x.issued_on.isoformat()), ("MST", x.tax_code), ("LDo", x.cause),
        )  # fmt: skip
    yield group(
        "TCThu", ("Ten", r.agency_name), ("MST", r.agency_tax_code), ("DChi", r.agency_address),
        ("CNhanh", r.branch_name),
    )  # fmt: skip
    payer = [Element("Ten", r.payer_name)] if r.payer_name else []
    payer += [group("CKet", ("Muc", c.name), ("GTri", c.digest)) for c in r.commitments]
    if payer:
        yield Element("NNop", children=payer)
    yield group(
        "HSo", ("MHSo", r.dossier_id), ("MTTHC", r.procedure), ("TTTHC", r.procedure_name),
        ("MTToan", r.reference),
    )  # fmt: skip
    yield Element(
        "DSKThu",
        children=[
            group("KThu", ("STT", str(n)), ("Ma", x.code), ("Ten", x.name),
                   ("MNDKT", x.budget_line), ("TTien", str(x.amount)))
            for n, x in enumerate(r.lines, 1)
        ],
    )  # fmt: skip
    yield group("TToan", ("TgTTTBSo", str(r.amount)), ("TgTTTBChu", r.amount_in_words))


def group(name: str, *fields: tuple[str, str]) -> Element:
    """Make an element of elements that hold a text each."""
    return Element(name, children=[Element(k, v) for k, v in fields])


def read(data: bytes) -> Receipt:
    """Read a document without its signature. Raises NotAReceiptError for anything else.

    What is read is written again and must come out the same, byte for byte: so nothing is
    overlooked, whatever the parser is lenient about.
    """
    root = _parse(data)
    try:
        receipt = _receipt(root)
        same = write(receipt) == data
    except (KeyError, ValueError, IndexError):
        raise NotAReceiptError("Something is missing, twice there or malformed.") from None
    if not same:
        raise NotAReceiptError("It is not written the way we write receipts.")
    return receipt


def _receipt(root: Element) -> Receipt:
    if [e.name for e in root.children] != ["DLBLai", "DSCKS"]:
        raise NotAReceiptError("Its parts are not those of a receipt.")
    parts = {e.name: e for e in root.children[0].children}
    common, agency = _fields(parts["TTChung"]), _fields(parts["TCThu"])
    dossier, total = _fields(parts["HSo"]), _fields(parts["TToan"])
    payer = parts["NNop"].children if "NNop" in parts else []
    commitments = [_fields(e) for e in payer if e.name == "CKet"]
    lines = [_fields(e) for e in parts["DSKThu"].children]
    return Receipt(
        rules=common["QTac"], kind=common["LBLai"], title=common["TBLai"],
        form=common["KHMSBLai"], series=common["KHBLai"], number=int(common["SBLai"]),
        issued_on=date.fromisoformat(common["NLap"]), is_sandbox=common["TNghiem"] == "1",
        agency_name=agency["Ten"], agency_tax_code=agency["MST"],
        agency_address=agency["DChi"], branch_name=agency["CNhanh"],
        dossier_id=dossier["MHSo"], procedure=dossier["MTTHC"],
        procedure_name=dossier["TTTHC"], reference=dossier["MTToan"],
        lines=tuple(Line(x["Ma"], x["Ten"], int(x["TTien"]), x["MNDKT"]) for x in lines),
        amount=int(total["TgTTTBSo"]), amount_in_words=total["TgTTTBChu"],
        verify_code=common["MTCuu"], verify_url=common["DCTCuu"],
        certificate_sha256=common["VTCTSo"],
        payer_name=next((e.text for e in payer if e.name == "Ten"), None),
        commitments=tuple(Commitment(c["Muc"], c["GTri"]) for c in commitments),
        replaces=_replaced(_fields(parts["BLLQuan"])) if "BLLQuan" in parts else None,
        log=common.get("NKMBach"),
    )  # fmt: skip


def _replaced(said: dict[str, str]) -> Replaced:
    return Replaced(
        form=said["KHMSBLai"], series=said["KHBLai"], number=int(said["SBLai"]),
        issued_on=date.fromisoformat(said["NLap"]), tax_code=said["MST"], cause=said["LDo"],
    )  # fmt: skip


def _fields(element: Element) -> dict[str, str]:
    return {e.name: e.text for e in element.children}


def _parse(data: bytes) -> Element:
    """Parse with limits, and with everything forbidden that a receipt never has."""
    if len(data) > document_bytes_max:
        raise NotAReceiptError(f"It is larger than {document_bytes_max} bytes.")
    if not data.startswith(HEAD):
        raise NotAReceiptError("It does not begin as a receipt of ours does.")
    top = Element("")
    path, count = [top], 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > elements_max or len(path) > depth_max:
            raise NotAReceiptError("It has more elements than a receipt can have.")
        if attributes != ({"xmlns": NAMESPACE} if len(path) == 1 else {}):
            raise NotAReceiptError("It has attributes that a receipt never has.")
        made = Element(name)
        path[-1].children.append(made)
        path.append(made)

    def text(piece: str) -> None:
        path[-1].text += piece

    def end(_: str) -> None:
        path.pop()

    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = text
    for name in ("StartDoctypeDecl", "EntityDecl", "ProcessingInstruction", "Comment"):
        setattr(parser, f"{name}Handler", _never)
    try:
        parser.Parse(data, True)  # noqa: FBT003 - expat takes no keyword here.
    except expat.ExpatError:
        raise NotAReceiptError("It is not well-formed XML.") from None
    return top.children[0]


def _never(*_: object) -> None:
    raise NotAReceiptError("It has a part of XML that a receipt never has.")


def read_sealed(data: bytes) -> Receipt:
    """Read what a sealed file says, without asking whether the seal holds."""
    return read(data.partition(b"<DSCKS>")[0] + TAIL)
