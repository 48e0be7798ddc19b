"""The messages of the national payment platform: fields, hash, texts and times; no calls.

The fields and their order under MaXacThuc in what we send and in CONFIRM, and the fixed words of
INIT, are confirmed by two public codes of provinces. What QUERY's answer signs is assumed.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from adapters import signing, strict_json
from gateway.domain.calendar import HANOI
from gateway.domain.errors import ForgedError
from gateway.domain.money import amount_dong_max
from gateway.ports.provider import Order

title_chars_max: Final = 250  # Where a province cuts the name of a procedure.
skew: Final = timedelta(minutes=5)  # Two clocks that agree better than this agree.
VERSION: Final = "1.0.6"
STAMP: Final = "%Y%m%d%H%M%S"  # A 24-hour clock: by %I, morning and afternoon are the same minute.
# What is under MaXacThuc, in order; an agreement with the platform that differs changes it here.
SIGNED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "INIT": "LoaiBanTin PhienBan MaDoiTac MaThamChieu SoTien LoaiHinhThanhToan MaKenhThanhToan"
        " MaThietBi NgonNgu MaTienTe MaNganHang ThongTinGiaoDich ThoiGianGD Ip",
        "CONFIRM": "LoaiBanTin MaLoi MaDoiTac MaThamChieu SoTien MaTienTe MaGiaoDich MaNganHang"
        " ThoiGianGD ThongTinGiaoDich",
        "QUERY": "LoaiBanTin PhienBan MaDoiTac MaThamChieu ThoiGianGD",
        "GET_BILL": "LoaiBanTin PhienBan MaDoiTac MaThamChieu ThoiGianGD",
        "answer": "LoaiBanTin MaLoi MoTaLoi MaDoiTac MaThamChieu SoTien MaTienTe MaGiaoDich"
        " MaNganHang ThoiGianGD ThongTinGiaoDich TrangThaiGD",
    }
)
_KINDS: Final = MappingProxyType({"phi": "Phi", "le_phi": "LePhi"})


def seal(message: str, said: Mapping[str, object], secret: str) -> str:
    """Give MaXacThuc of a message: a plain hash, with nothing but the secret behind it."""
    values = [strict_json.text_of(said.get(name)) for name in SIGNED[message].split()]
    return hashlib.sha256(signing.piped([*values, secret]).encode()).hexdigest()


def opened(message: str, said: Mapping[str, object], secret: str) -> dict[str, str]:
    """Check the hash of a message, and that no value holds what separates the values."""
    values = {name: strict_json.text_of(said.get(name)) for name in SIGNED[message].split()}
    signing.require(strict_json.text_of(said.get("MaXacThuc")), seal(message, values, secret))
    if any("|" in value for value in values.values()):
        raise ForgedError("Two messages would have this hash.")
    return values


def about(message: str, order: Order, partner_id: str, secret: str) -> dict[str, str]:
    """Write QUERY or GET_BILL: about one order, by its reference and the time of its INIT."""
    said = {
        "LoaiBanTin": message, "PhienBan": VERSION, "MaDoiTac": partner_id,
        "MaThamChieu": order.reference, "ThoiGianGD": _stamp(order.created_at),
    }  # fmt: skip
    return said | {"MaXacThuc": seal(message, said, secret)}


def init(order: Order, partner_id: str, secret: str, unit: Mapping[str, str]) -> dict[str, Any]:
    """Write INIT; the same order gives the same message."""
    memo = f"THANH TOAN HO SO {order.dossier_id}"
    said: dict[str, Any] = {
        "LoaiBanTin": "INIT", "PhienBan": VERSION, "MaDoiTac": partner_id,
        "MaThamChieu": order.reference, "SoTien": str(order.amount),
        "LoaiHinhThanhToan": "PAY", "MaKenhThanhToan": "1", "MaThietBi": "1",
        "NgonNgu": "vi-VN", "MaTienTe": "VND", "MaNganHang": "PAYMENT",
        "ThongTinGiaoDich": memo, "ThoiGianGD": _stamp(order.created_at),
        "Ip": order.payer_address,
    }  # fmt: skip
    bill = _bill(order, memo) | dict(unit)
    return said | {"MaXacThuc": seal("INIT", said, secret), "ThongTinBienLai": bill}


def _bill(order: Order, memo: str) -> dict[str, Any]:
    """Say what the platform's receipt shows; the payer's data goes here, and nowhere else."""
    title = order.procedure_name[:title_chars_max]
    lines = [x for x in order.lines if x.amount]
    fees = [
        {"LoaiPhiLePhi": _KINDS[x.kind], "MaPhiLePhi": x.code, "TenPhiLePhi": x.name,
         "SoTien": str(x.amount)}
        for x in lines
    ]  # fmt: skip
    owed = [{"NoiDung": x.name, "SoTien": str(x.amount)} for x in lines]
    return {
        "MaDichVu": "2", "MaDVC": f"{order.procedure}.01", "TenDVC": title,
        "MaTTHC": order.procedure, "TenTTHC": title, "MaHoSo": order.dossier_id,
        "NoiDungThanhToan": memo, "HoTenNguoiNop": order.payer.get("name", ""),
        "SoCMNDNguoiNop": order.payer.get("citizen_id", ""), "DiaChiNguoiNop": "",
        "PhiLePhi": fees, "DSKhoanNop": owed or [{"NoiDung": memo, "SoTien": str(order.amount)}],
    }  # fmt: skip


def address_to_pay(said: Mapping[str, object]) -> str:
    """Find UrlThanhToan: beside the code, or in ``message`` as JSON within the JSON."""
    inner = said.get("message")
    more = strict_json.read_object(inner.encode()) if isinstance(inner, str) and inner else inner
    found = said.get("UrlThanhToan") or (isinstance(more, dict) and more.get("UrlThanhToan"))
    address = strict_json.address_of(found)
    if not address:
        raise ValueError("There is no address to pay at.")
    return address


def amount(text: str) -> int:
    """Read đồng: 64 bits, for a land duty is more than 32 can hold."""
    if not re.fullmatch(r"[0-9]{1,16}", text) or not 0 < int(text) <= amount_dong_max:
        raise ValueError("The amount is not a whole number of đồng.")
    return int(text)


def _stamp(at: datetime) -> str:
    return at.astimezone(HANOI).strftime(STAMP)


def instant(stamp: str, opened_at: datetime, now: datetime) -> datetime | None:
    """Read when it was paid. What lies outside the order's life is an old peer's 12-hour clock."""
    if not re.fullmatch(r"[0-9]{14}", stamp):
        return None
    try:
        at = datetime.strptime(stamp, STAMP).replace(tzinfo=HANOI).astimezone(UTC)
    except ValueError:
        return None  # A bad date is no reason to lose money that moved.
    return at if opened_at - skew <= at <= now + skew else None
