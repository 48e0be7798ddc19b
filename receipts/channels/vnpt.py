"""VNPT's e-receipt service: SOAP 1.1, many receipts in one call, in the shape that was seen.

Request   ``ImportInv`` with ``xmlInvData``: ``Invoices/Inv(key)/Invoice(CusCode, CusName, …,
          Products/Product(FEEID, Code, ProdName, …))``, VATRate 0, PaymentMethod ``TTO``.
Answer    ``OK:…`` or ``ERR:<n>``; ``ERR:13`` says that a key is there already.
Assumed: the payload was read in a public system (DOMAIN 1.6), the envelope and its codes were not.
Try it with the provider's own test service before it is used.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from gateway.domain.errors import InDoubtError
from gateway.ports.wire import Wire
from receipts.channels.https import refusal_of, shown
from receipts.channels.parcel import Answer, Parcel, Said
from receipts.receipt import Line, Receipt

_OK: Final = 200
_THERE_ALREADY: Final = "ERR:13"
_RESULT: Final = re.compile(r"<ImportInvResult>([^<]{0,500})</ImportInvResult>")
_ENVELOPE: Final = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    '<ImportInv xmlns="http://tempuri.org/"><xmlInvData>%s</xmlInvData><username>%s</username>'
    "<password>%s</password><convert>0</convert></ImportInv></soap:Body></soap:Envelope>"
)


@dataclass(frozen=True, slots=True)
class Vnpt:
    """One account."""

    wire: Wire
    url: str
    user: str
    secret: str = field(repr=False)

    async def send(self, parcel: Parcel) -> Said:
        """Hand the receipts over; what tells of errors goes along as it is sealed."""
        data = _invoices(parcel)
        body = _ENVELOPE % (escape(data), escape(self.user), escape(self.secret))
        headers = {
            "content-type": "text/xml; charset=utf-8",
            "soapaction": '"http://tempuri.org/ImportInv"',
        }
        reply = await self.wire.send("POST", self.url, headers=headers, body=body.encode())
        if reply.status != _OK:
            raise refusal_of(reply.status)
        found = _RESULT.search(reply.body.decode("utf-8", "replace"))
        if found is None:
            raise InDoubtError("The answer cannot be read.")
        said = shown(found.group(1))
        is_taken = said.startswith("OK") or said == _THERE_ALREADY
        return Said(Answer.ACCEPTED if is_taken else Answer.REFUSED, parcel.id, said)


def _invoices(parcel: Parcel) -> str:
    if not parcel.receipts:
        sealed = base64.b64encode(parcel.xml).decode()
        return f"<Errors><Message key={quoteattr(parcel.id)}>{sealed}</Message></Errors>"
    return f"<Invoices>{''.join(map(_invoice, parcel.receipts))}</Invoices>"


def _invoice(r: Receipt) -> str:
    key = f"{r.form}-{r.series}-{r.number}"
    related = f"{r.replaces.form}-{r.replaces.series}-{r.replaces.number}" if r.replaces else ""
    fields = {
        "CusCode": r.dossier_id, "CusName": r.payer_name or "", "CusTaxCode": "",
        "ArisingDate": f"{r.issued_on:%d/%m/%Y}", "Total": str(r.amount),
        "Amount": str(r.amount), "AmountInWords": r.amount_in_words, "VATRate": "0",
        "PaymentMethod": "TTO", "PaymentStatus": "1", "Extra": related,
    }  # fmt: skip
    lines = "".join(f"<Product>{_tags(_product(line))}</Product>" for line in r.lines)
    return (
        f"<Inv><key>{escape(key)}</key><Invoice>{_tags(fields)}"
        f"<Products>{lines}</Products></Invoice></Inv>"
    )


def _product(line: Line) -> dict[str, str]:
    return {
        "FEEID": line.code, "Code": line.budget_line, "ProdName": line.name,
        "ProdQuantity": "1", "ProdPrice": str(line.amount), "Amount": str(line.amount),
    }  # fmt: skip


def _tags(fields: Mapping[str, str]) -> str:
    return "".join(f"<{name}>{escape(text)}</{name}>" for name, text in fields.items())


def channel(values: Mapping[str, str], wire: Wire) -> Vnpt:
    """Make it of its values."""
    return Vnpt(wire, values["url"], values["user"], values["secret"])
