"""The national payment platform: INIT, the page, CONFIRM with its weak hash, QUERY, GET_BILL.

While the bank's word is late (Fault.LATE) the platform does not know either, and says 3. A forged
CONFIRM has a hash that holds: whoever learns the one secret can write it.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.requests import Request as Asked
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.simulator import pages
from adapters.simulator.config import SimulatorConfig
from adapters.simulator.faults import Fault, FaultScript, Variant, plan, wrong
from adapters.simulator.journal import Journal
from adapters.simulator.orders import Orders, PageError, PayOrder, Txn, TxnState, with_query
from adapters.simulator.post import Letter, Post, Request
from gateway.domain.calendar import HANOI
from gateway.ports.clock import Clock

ROOT: Final = "/national"
FOREIGN_PARTNER: Final = "OTHERPARTNER"
patience: Final = timedelta(minutes=15)  # Illustrative: INIT has no field for it.
RETRIES: Final = (timedelta(minutes=1),) * 3  # Illustrative: no rule is public.
_LEDGER: Final = {TxnState.TAKEN: "1", TxnState.WAITING: "3"}
_PDF: Final = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)


def settings(origin: str, secret: Callable[[str], str]) -> dict[str, str]:
    """Give our settings for a simulator at this origin; ``secret`` makes one for a field."""
    return {
        "NATIONAL_PARTNER_ID": "THUPHI", "NATIONAL_SECRET": secret("NATIONAL_SECRET"),
        "NATIONAL_TOKEN": secret("NATIONAL_TOKEN"), "NATIONAL_BASE_URL": origin + ROOT,
    }  # fmt: skip


def sealed(secret: str, values: Sequence[object]) -> str:
    """Hash as the platform does; written apart from our adapter on purpose."""
    joined = "|".join("" if v is None else f"{v}" for v in (*values, secret))
    return hashlib.new("sha256", joined.encode("utf-8")).digest().hex()


@dataclass(slots=True)
class NationalSide:
    """The platform, as one partner meets it."""

    clock: Clock
    config: SimulatorConfig
    journal: Journal
    post: Post
    faults: FaultScript
    name: str = "national"
    orders: Orders = field(init=False)

    def __post_init__(self) -> None:
        """Open the order book."""
        self.orders = Orders(self.clock, self.journal, self.post, self.faults, self, self._partner)

    @property
    def _partner(self) -> str:
        return self.config.values["NATIONAL_PARTNER_ID"]

    @property
    def _secret(self) -> str:
        return self.config.values["NATIONAL_SECRET"]

    def routes(self) -> Sequence[Route]:
        """Give the API and the page."""
        return [
            Route(f"{ROOT}/init", self.init, methods=["POST"]),
            Route(f"{ROOT}/query", self.query, methods=["POST"]),
            Route(f"{ROOT}/get_bill", self.get_bill, methods=["POST"]),
            Route(f"{ROOT}/pay", self.page, methods=["GET"]),
        ]

    async def page(self, request: Asked) -> Response:
        """Show the page of an order that was opened."""
        return pages.order(self.name, "Payment Platform", self.opened(str(request.url)))

    def opened(self, redirect_url: str) -> PayOrder:
        """Find the order behind an address of the page."""
        named = parse_qs(urlsplit(redirect_url).query).get("ma", [""])[0]
        if named not in self.orders.known:
            raise PageError("There is no such order.")
        return self.orders.known[named]

    async def init(self, request: Asked) -> Response:
        """Open an order and say where it is paid."""
        try:
            said = await self._asked(request, "INIT")
            order = self.orders.open(self._fresh(said))
        except PageError as error:
            return JSONResponse({"error_code": "1", "message": str(error)})
        await self.orders.open_early(order)
        if self.orders.is_slow(order):
            await asyncio.sleep(self.config.slow_s)
        url = f"{request.url.scheme}://{request.url.netloc}{ROOT}/pay?"
        inner = json.dumps({"UrlThanhToan": url + urlencode({"ma": order.reference})})
        return self.orders.misbehaved(order) or JSONResponse({"error_code": "0", "message": inner})

    def _fresh(self, said: Mapping[str, Any]) -> PayOrder:
        bill = said["ThongTinBienLai"]
        fees, owed = (
            sum(int(x["SoTien"]) for x in bill[name]) for name in ("PhiLePhi", "DSKhoanNop")
        )
        if not fees == owed == int(said["SoTien"]):
            raise PageError("The lists do not add up to SoTien.")
        began = datetime.strptime(said["ThoiGianGD"], "%Y%m%d%H%M%S").replace(tzinfo=HANOI)
        return PayOrder(
            reference=said["MaThamChieu"],
            amount=int(said["SoTien"]),
            info=said["ThongTinGiaoDich"],
            return_url=self.config.return_url(self.name),
            expires_at=began.astimezone(UTC) + patience,
            more={"payer": bill["HoTenNguoiNop"], "payer_id": bill["SoCMNDNguoiNop"]},
        )

    async def _asked(self, request: Asked, message: str) -> dict[str, Any]:
        """Check the bearer and the hash of what the partner sent."""
        if request.headers.get("authorization") != f"Bearer {self.config.values['NATIONAL_TOKEN']}":
            raise PageError("The bearer is not known.")
        said: dict[str, Any] = await request.json()
        names = "LoaiBanTin PhienBan MaDoiTac MaThamChieu ThoiGianGD"
        if message == "INIT":
            names = (
                "LoaiBanTin PhienBan MaDoiTac MaThamChieu SoTien LoaiHinhThanhToan MaKenhThanhToan"
                " MaThietBi NgonNgu MaTienTe MaNganHang ThongTinGiaoDich ThoiGianGD Ip"
            )
        mine = sealed(self._secret, [said.get(name) for name in names.split()])
        kind = (said.get("LoaiBanTin"), said.get("PhienBan"), said.get("MaDoiTac"))
        if said.get("MaXacThuc") != mine or kind != (message, "1.0.6", self._partner):
            raise PageError("The hash, the message or the partner is wrong.")
        return said

    async def query(self, request: Asked) -> Response:
        """Answer what became of an order, as far as the platform knows."""
        try:
            said = await self._asked(request, "QUERY")
        except PageError:
            return JSONResponse(self._answer({"MaLoi": "97"}, None, None))
        order = self.orders.known.get(said["MaThamChieu"])
        if self.orders.is_slow(order):
            await asyncio.sleep(self.config.slow_s)
        return self.orders.misbehaved(order) or JSONResponse(self._state(said, order))

    def _state(self, asked: Mapping[str, Any], order: PayOrder | None) -> dict[str, Any]:
        about = {"MaThamChieu": asked["MaThamChieu"], "ThoiGianGD": asked["ThoiGianGD"]}
        if order is None:
            return self._answer(about | {"MaLoi": "01"}, None, None)
        txn, now = order.last, self.clock.now()
        if txn is None:
            state = "3" if now < order.expires_at else "4"
        elif txn.state is TxnState.TAKEN and now < txn.at + self._late(order):
            state = "3"
        else:
            state = _LEDGER.get(txn.state, "4")
        about |= {"MaLoi": "00", "TrangThaiGD": state}
        return self._answer(about, order, txn if state == "1" else None)

    def _late(self, order: PayOrder) -> timedelta:
        """Say how long the bank keeps the platform waiting: as long as it keeps us."""
        fault = self.orders.fault_of(order)
        return plan(fault)[0].after if fault is Fault.LATE else timedelta(0)

    def _answer(
        self, said: dict[str, Any], order: PayOrder | None, txn: Txn | None
    ) -> dict[str, Any]:
        said = {"LoaiBanTin": "QUERY", "MoTaLoi": "", "MaDoiTac": self._partner} | said
        if order and txn:
            said |= self._money(order, txn, txn.amount)
        names = (
            "LoaiBanTin MaLoi MoTaLoi MaDoiTac MaThamChieu SoTien MaTienTe MaGiaoDich MaNganHang"
            " ThoiGianGD ThongTinGiaoDich TrangThaiGD"
        )
        mine = sealed(self._secret, [said.get(name) for name in names.split()])
        return said | {"MaXacThuc": mine}

    def _money(self, order: PayOrder, txn: Txn, amount: int) -> dict[str, Any]:
        clock = "%I" if self.orders.fault_of(order) is Fault.TWELVE_HOURS else "%H"
        return {
            "SoTien": amount,
            "MaTienTe": "VND",
            "MaGiaoDich": txn.number,
            "MaNganHang": "VCB",
            "ThoiGianGD": txn.at.astimezone(HANOI).strftime(f"%Y%m%d{clock}%M%S"),
            "ThongTinGiaoDich": order.info,
        }

    async def get_bill(self, request: Asked) -> Response:
        """Give the receipt of a paid order."""
        try:
            said = await self._asked(request, "GET_BILL")
        except PageError as error:
            return JSONResponse({"MaLoi": "97", "MoTaLoi": str(error)})
        order = self.orders.known.get(said["MaThamChieu"])
        if order is None or order.taken is None:
            return JSONResponse({"MaLoi": "01", "MoTaLoi": "There is no receipt."})
        return self.orders.misbehaved(order) or Response(_PDF, media_type="application/pdf")

    def letter(self, order: PayOrder, txn: Txn, variant: Variant) -> Letter | None:
        """Write CONFIRM; an old one names another amount, a forged one has a hash that holds."""
        said: dict[str, Any] = {
            "LoaiBanTin": "CONFIRM",
            "MaLoi": "00" if txn.state is TxnState.TAKEN else "24",
            "MaDoiTac": FOREIGN_PARTNER if variant is Variant.FOREIGN else self._partner,
            "MaThamChieu": order.reference,
        } | self._money(order, txn, wrong(txn.amount) if variant is Variant.STALE else txn.amount)
        if variant is Variant.FORGED:
            said["MaGiaoDich"] = "FORGED"
        said["MaXacThuc"] = sealed(self._secret, list(said.values()))
        body = json.dumps(said, ensure_ascii=False).encode()
        url = self.config.notice_url("national")
        return Letter(_Post(url, body), _understood, RETRIES)

    def back(self, order: PayOrder, txn: Txn) -> str:
        """Send the browser to the registered address; what it says there proves nothing."""
        return with_query(order.return_url, urlencode({"ma": order.reference, "gd": txn.number}))


@dataclass(frozen=True, slots=True)
class _Post:
    """CONFIRM: the same bytes at every try."""

    url: str
    body: bytes = field(repr=False)

    def __call__(self, _now: datetime) -> Request:
        """Make the request."""
        return Request("POST", self.url, {"content-type": "application/json"}, self.body)


def _understood(status: int, body: bytes) -> bool:
    """Stop when thanked."""
    try:
        return status == 200 and json.loads(body)["MaLoi"] == "00"  # noqa: PLR2004 - HTTP's own word.
    except (ValueError, KeyError, TypeError):
        return False
