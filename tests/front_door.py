"""A whole gateway on real sockets, with its worker driven by hand."""

import hashlib
import hmac
import json
import socket
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import timedelta
from inspect import ismethod
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlsplit

import httpx
import pytest_asyncio
from lock_watch import LockWatch
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.entry.bootstrap import Parts, build, engine_of
from gateway.entry.plugins import adapters, setting_names
from gateway.entry.settings import read_settings
from gateway.entry.web.app import build_app
from gateway.entry.web.serving import serving
from gateway.infra.clock import TestClock
from gateway.services.seed import seed
from gateway.store.roles import WEB, WORKER

VNPAY_SECRET = "VNPTESTSECRET0123456789ABCDEFGH"
SEPAY_SECRET = "sepay-test-secret-0123456789"
AGENCY = "hn-tthcc-test"


def free_port() -> int:
    """Find a port nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@dataclass
class Site:
    """A running gateway, its web process and its worker each in its role, and a client of it."""

    parts: Parts  # The worker's.
    owner: AsyncEngine  # For what neither may do.
    clock: TestClock
    http: httpx.AsyncClient
    key: str
    asked: int = 0

    async def ask(
        self, path: str, body: Mapping[str, Any], key: str | None = None
    ) -> httpx.Response:
        """Send a POST with an idempotency key."""
        self.asked += 1
        headers = {
            "authorization": f"Bearer {self.key}",
            "idempotency-key": key or f"key-{self.asked}",
        }
        return await self.http.post(f"/v1{path}", json=dict(body), headers=headers)

    async def get(self, path: str) -> Any:
        """Send a GET and read its JSON."""
        answer = await self.http.get(f"/v1{path}", headers={"authorization": f"Bearer {self.key}"})
        return answer.json()

    async def payment(self, n: int = 1, **changes: Any) -> dict[str, Any]:
        """Ask for one payment of 10,000 đồng."""
        answer = await self.ask("/payments", payment_body(n) | changes)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def attempt(self, payment: Mapping[str, Any], provider: str = "vnpay") -> dict[str, Any]:
        """Begin an attempt."""
        answer = await self.ask(f"/payments/{payment['id']}/attempts", {"provider": provider})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def as_owner(self, *statements: str) -> None:
        """Change what no process may change."""
        async with self.owner.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))

    async def vnpay_says(self, attempt: Mapping[str, Any], **changes: str) -> str:
        """Call back as VNPAY does, signed here and not by the adapter; give the reply code."""
        answer = await self.http.get(f"/notices/vnpay/default?{vnpay_query(attempt, **changes)}")
        assert answer.status_code == 200, answer.text
        code: str = answer.json()["RspCode"]
        return code

    async def sepay_says(
        self, memo: str, amount: int, number: int, secret: str = SEPAY_SECRET, **changes: Any
    ) -> int:
        """Call back as SePay does for a credit; give the status."""
        now = self.clock.now()
        body = json.dumps(
            {
                "id": number, "gateway": "Vietcombank",
                "transactionDate": (now + timedelta(hours=7)).strftime("%Y-%m-%d %H:%M:%S"),
                "accountNumber": "0123456789", "code": None, "content": memo,
                "transferType": "in", "transferAmount": amount, "accumulated": 0,
                "subAccount": None, "referenceCode": f"FT{number}", "description": memo,
            } | changes
        ).encode()  # fmt: skip
        stamp = str(int(now.timestamp()))
        mac = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256)
        headers = {
            "content-type": "application/json", "x-sepay-timestamp": stamp,
            "x-sepay-signature": f"sha256={mac.hexdigest()}",
        }  # fmt: skip
        answer = await self.http.post("/notices/sepay/default", content=body, headers=headers)
        return answer.status_code


def payment_body(n: int = 1) -> dict[str, Any]:
    """Give the body of a request for 10,000 đồng."""
    return {
        "agency": AGENCY, "branch": "hoan-kiem", "dossier_id": f"H26.14-261118-{n:04}",
        "procedure": "1.004222", "price_on": "2026-11-18",
        "facts": {"channel": "online", "quantity": 1},
        "payer": {"name": "Nguyễn Thị Hoà", "phone": "0912345678"}, "metadata": {"k": "v"},
    }  # fmt: skip


def vnpay_query(attempt: Mapping[str, Any], **changes: str) -> str:
    """Write VNPAY's callback for an attempt."""
    asked = dict(parse_qsl(urlsplit(attempt["redirect_url"]).query))
    values = {
        "vnp_Amount": asked["vnp_Amount"], "vnp_BankCode": "NCB", "vnp_OrderInfo": "x",
        "vnp_PayDate": "20261118081000", "vnp_ResponseCode": "00",
        "vnp_TmnCode": asked["vnp_TmnCode"], "vnp_TransactionNo": "14831393",
        "vnp_TransactionStatus": "00", "vnp_TxnRef": asked["vnp_TxnRef"], **changes,
    }  # fmt: skip
    query = "&".join(f"{quote_plus(k)}={quote_plus(v)}" for k, v in sorted(values.items()))
    mac = hmac.new(VNPAY_SECRET.encode(), query.encode(), hashlib.sha512).hexdigest()
    return f"{query}&vnp_SecureHash={mac}"


PROVIDERS: Mapping[str, str] = {
    "THUPHI_VNPAY_TMN_CODE": "TESTTMN1", "THUPHI_VNPAY_SECRET": VNPAY_SECRET,
    "THUPHI_VNPAY_BASE_URL": "http://127.0.0.1:9/pay",
    "THUPHI_VNPAY_API_URL": "http://127.0.0.1:9/api",
    "THUPHI_VIETQR_BANK_BIN": "970436", "THUPHI_VIETQR_ACCOUNT": "0123456789",
    "THUPHI_VIETQR_ACCOUNT_NAME": "TT PHUC VU HANH CHINH CONG HN",
    "THUPHI_SEPAY_SECRET": SEPAY_SECRET,
}  # fmt: skip


@asynccontextmanager
async def opened(
    database_url: str, clock: TestClock, more: Mapping[str, str] | None = None
) -> AsyncIterator[Site]:
    """Run a whole gateway on loopback, with some settings more; its providers answer no call."""
    async with open_site(
        database_url, clock, free_port(), {**PROVIDERS, **(more or {})}
    ) as running:
        yield running


@pytest_asyncio.fixture
async def site(database_url: str, clock: TestClock) -> AsyncIterator[Site]:
    """Run a whole gateway for one test."""
    async with opened(database_url, clock) as running:
        yield running


@asynccontextmanager
async def open_site(
    database_url: str, clock: TestClock, port: int, values: Mapping[str, str]
) -> AsyncIterator[Site]:
    """Run a whole gateway on loopback with these settings of providers."""
    with tempfile.TemporaryDirectory(prefix="tp") as folder:
        values = {"THUPHI_HIGH_WATER_DIR": folder, **values}
        async with _site(database_url, clock, port, values) as running:
            yield running


@asynccontextmanager
async def _site(
    database_url: str, clock: TestClock, port: int, values: Mapping[str, str]
) -> AsyncIterator[Site]:
    values = {
        "THUPHI_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "THUPHI_MASTER_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "THUPHI_WIRE_ALLOW": "127.0.0.0/8",
        **values,
    }
    settings = read_settings(values, setting_names(adapters()))
    worker, web, owner = engines = [engine_of(database_url, role) for role in (WORKER, WEB, "")]
    watches = [LockWatch().over(engine) for engine in engines]
    parts = build(settings, worker, clock)
    await seed(parts.store, live=False)
    _, key = await parts.access.add_client(
        "dvc", AGENCY, may_price=False, return_origins=["https://dvc.example.vn"]
    )
    async with (
        serving(build_app(on_engine(parts, web)), port),
        httpx.AsyncClient(base_url=settings.public_url) as http,
    ):
        yield Site(parts, owner, clock, http, key)
    for engine in engines:
        await engine.dispose()
    circles = [back for watch in watches for back in watch.back]
    assert circles == [], "a circle is possible: see gateway/store/locks.py"


def on_engine(part: Any, engine: AsyncEngine) -> Any:
    """Give the same part on other connections; the providers' tables, changed in place, are shared.

    So a test that adds a bank adds it to the web process and to the worker.
    """
    if isinstance(part, AsyncEngine):
        return engine
    if ismethod(part):
        return getattr(on_engine(part.__self__, engine), part.__name__)
    if not is_dataclass(part) or isinstance(part, type):
        return part
    held = {f.name: getattr(part, f.name) for f in fields(part) if f.init}
    moved = {name: on_engine(value, engine) for name, value in held.items()}
    return replace(part, **moved) if any(moved[k] is not held[k] for k in held) else part
