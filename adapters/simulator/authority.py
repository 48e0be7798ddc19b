"""The tax authority's side, and two providers that pass receipts on to it; each can fail.

What it was told is kept by its name, so that a repeat is seen as one.
"""

import base64
import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from xml.etree import ElementTree as ET

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

secret: Final = "simulated-authority"  # noqa: S105 - of a simulator; it opens nothing.
user: Final = "hn-tthcc-test"
message_bytes_max: Final = 4_194_304  # A thousand receipts of many lines.
_ENTITY: Final = re.compile(rb"<!(DOCTYPE|ENTITY)")
_DATA: Final = re.compile(r"<xmlInvData>(.*)</xmlInvData>", re.DOTALL)


class Mood(StrEnum):
    """How it is today."""

    WELL = "well"
    AWAY = "away"  # 503, and nothing kept.
    SILENT = "silent"  # Kept, and then 502: nobody knows.
    STRICT = "strict"  # It refuses everything.


@dataclass(slots=True)
class AuthoritySide:
    """What was told, by its name."""

    mood: Mood = Mood.WELL
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    tries: int = 0

    def routes(self) -> Sequence[Route]:
        """Give the three doors."""
        return [
            Route("/authority/messages", self.message, methods=["POST"]),
            Route("/authority/vnpt", self.vnpt, methods=["POST"]),
            Route("/authority/viettel/{what}/{tax_code}", self.viettel, methods=["POST"]),
        ]

    async def message(self, request: Request) -> Response:
        """Take a sealed message over the direct line."""
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given, f"Bearer {secret}"):
            return JSONResponse({"error": "unknown sender"}, 401)
        body, name = await request.body(), request.headers.get("message-id", "")
        if _ENTITY.search(body) or len(body) > message_bytes_max:
            return JSONResponse({"accepted": False, "code": "XML"}, 422)
        root = ET.fromstring(body)  # noqa: S314 - without entities, and of a bounded length.
        said = {e.tag.rpartition("}")[2]: e.text or "" for e in root.iter() if not len(e)}
        rows = [
            {c.tag.rpartition("}")[2]: c.text or "" for c in e}
            for e in root.iter()
            if e.tag.endswith("}Dong")
        ]
        if said.get("MTDiep") != name:
            return JSONResponse({"accepted": False, "code": "NAME"}, 200)
        kept = {"form": said["MSo"], "on": said["KTHop"], "rows": rows, "xml": body}
        return self._answer(
            name, kept, JSONResponse({"accepted": True, "reference": f"CQT-{name[-8:]}"}),
            JSONResponse({"accepted": False, "code": "STRICT"}),
        )  # fmt: skip

    async def vnpt(self, request: Request) -> Response:
        """Take receipts as VNPT does."""
        text = (await request.body()).decode()
        if f"<password>{secret}</password>" not in text:
            return _soap("ERR:1")
        (data,) = _DATA.findall(text)
        root = ET.fromstring(_unescaped(data))  # noqa: S314 - made by us, of a bounded length.
        for one in root:
            key = one.findtext("key") or one.get("key") or ""
            kept = {e.tag: e.text or "" for e in one.iter() if not len(e)}
            answer = self._answer(f"vnpt:{key}", kept, _soap("OK:1"), _soap("ERR:5"))
        return answer

    async def viettel(self, request: Request) -> Response:
        """Take one receipt, or one error, as Viettel does."""
        login = base64.b64encode(f"{user}:{secret}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {login}":
            return JSONResponse({"errorCode": "UNAUTHORIZED"}, 401)
        said = json.loads(await request.body())
        general = said.get("generalInvoiceInfo", {})
        name = general.get("transactionUuid") or said["messageId"]
        return self._answer(
            f"viettel:{name}", said, JSONResponse({"errorCode": None, "result": {"ok": True}}),
            JSONResponse({"errorCode": "INVALID_INVOICE"}),
        )  # fmt: skip

    def _answer(self, name: str, kept: dict[str, Any], yes: Response, no: Response) -> Response:
        self.tries += 1
        if self.mood is Mood.AWAY:
            return JSONResponse({"error": "maintenance"}, 503)
        if self.mood is Mood.STRICT:
            return no
        self.told.setdefault(name, kept)
        return JSONResponse({"error": "bad gateway"}, 502) if self.mood is Mood.SILENT else yes


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _soap(said: str) -> Response:
    body = (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
        '<ImportInvResponse xmlns="http://tempuri.org/"><ImportInvResult>'
        f"{said}</ImportInvResult></ImportInvResponse></soap:Body></soap:Envelope>"
    )
    return Response(body, media_type="text/xml")
