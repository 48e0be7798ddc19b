"""Viettel's e-receipt service: one JSON call for each receipt, in the shape that was seen.

Request   POST ``…/createInvoice/<tax code>``, Basic; ``generalInvoiceInfo`` (templateCode,
          invoiceSeries, transactionUuid, adjustmentType), ``buyerInfo``, ``itemInfo``,
          ``taxPercentage`` -2. The transactionUuid is the same at each try: a repeat adds nothing.
Answer    ``{"errorCode": null, "result": {…}}``, or a code.
Assumed: the payload was read in a public system (DOMAIN 1.6), the paths and codes were not. Try it
with the provider's own test service before it is used.
"""

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.ports.wire import Wire
from receipts.channels.https import answer_of, shown
from receipts.channels.parcel import Answer, Parcel, Said
from receipts.receipt import Receipt

_NEW, _REPLACEMENT = "1", "3"
_NO_TAX: Final = -2  # Not subject to VAT.
_NAMESPACE: Final = uuid.UUID("6f1c0f3e-6b0a-5d6d-9d4e-3a4b6f0c2a51")


@dataclass(frozen=True, slots=True)
class Viettel:
    """One account."""

    wire: Wire
    url: str
    user: str
    secret: str = field(repr=False)

    async def send(self, parcel: Parcel) -> Said:
        """Hand the receipts over one by one; the first that is refused stops them."""
        if not parcel.receipts:
            error = {"messageId": parcel.id, "data": base64.b64encode(parcel.xml).decode()}
            return await self._post(f"{self.url}/notifyError/{parcel.tax_code}", error, parcel.id)
        for receipt in parcel.receipts:
            said = await self._post(
                f"{self.url}/createInvoice/{parcel.tax_code}", _invoice(receipt), parcel.id
            )
            if said.answer is Answer.REFUSED:
                named = f"{receipt.series}-{receipt.number}: {said.code}"
                return Said(Answer.REFUSED, parcel.id, named)
        return Said(Answer.ACCEPTED, parcel.id)

    async def _post(self, url: str, body: Mapping[str, Any], name: str) -> Said:
        login = base64.b64encode(f"{self.user}:{self.secret}".encode()).decode()
        headers = {"content-type": "application/json", "authorization": f"Basic {login}"}
        reply = await self.wire.send("POST", url, headers=headers, body=json.dumps(body).encode())
        code = shown(answer_of(reply).get("errorCode"))
        return Said(Answer.REFUSED if code else Answer.ACCEPTED, name, code)


def _invoice(r: Receipt) -> dict[str, Any]:
    identity = f"{r.agency_tax_code}/{r.form}/{r.series}/{r.number}"
    general: dict[str, Any] = {
        "templateCode": r.form, "invoiceSeries": r.series, "invoiceNo": r.number,
        "transactionUuid": str(uuid.uuid5(_NAMESPACE, identity)), "currencyCode": "VND",
        "invoiceIssuedDate": r.issued_on.isoformat(),
        "adjustmentType": _REPLACEMENT if r.replaces else _NEW,
    }  # fmt: skip
    if r.replaces:
        general |= {
            "originalInvoiceId": f"{r.replaces.series}{r.replaces.number}",
            "originalInvoiceIssueDate": r.replaces.issued_on.isoformat(),
        }
    return {
        "generalInvoiceInfo": general,
        "buyerInfo": {"buyerName": r.payer_name or "", "buyerCode": r.dossier_id},
        "itemInfo": [
            {"lineNumber": n, "itemCode": x.code, "itemName": x.name, "quantity": 1,
             "unitPrice": x.amount, "itemTotalAmountWithoutTax": x.amount,
             "taxPercentage": _NO_TAX, "taxAmount": 0}
            for n, x in enumerate(r.lines, 1)
        ],
        "summarizeInfo": {"totalAmountWithTax": r.amount, "totalAmountWithTaxInWords":
                          r.amount_in_words},
    }  # fmt: skip


def channel(values: Mapping[str, str], wire: Wire) -> Viettel:
    """Make it of its values."""
    return Viettel(wire, values["url"].rstrip("/"), values["user"], values["secret"])
