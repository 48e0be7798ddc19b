"""The web process stays light: a slow PDF must not delay a bank's notice (ARCHITECTURE 2)."""

import asyncio
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from front_door import AGENCY, SEPAY_SECRET, VNPAY_SECRET, free_port, payment_body, vnpay_query

from gateway.entry.bootstrap import Parts, build, engine_of
from gateway.entry.plugins import adapters
from gateway.entry.settings import read_settings
from gateway.infra.clock import SystemClock
from gateway.services.seed import seed

HEAVY = frozenset(
    {"duckdb", "pyarrow", "typst", "reconciliation.engine", "receipts.pdf",
     "pyhanko", "pkcs11", "asn1crypto",
     "stripe"}  # Until somebody pays by it.
)  # fmt: skip
# At its end the process writes down what it has imported in its whole life.
WITNESS = """
import atexit, os, sys


def _tell():
    with open(os.environ["MODULES_TO"], "w") as file:
        file.write("\\n".join(sorted(sys.modules)))


atexit.register(_tell)
"""


def environment(url: str, port: int) -> dict[str, str]:
    return {
        "THUPHI_DATABASE_URL": url, "THUPHI_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "THUPHI_MASTER_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "THUPHI_VNPAY_TMN_CODE": "TESTTMN1", "THUPHI_VNPAY_SECRET": VNPAY_SECRET,
        "THUPHI_VNPAY_BASE_URL": "http://127.0.0.1:9/pay",
        "THUPHI_VNPAY_API_URL": "http://127.0.0.1:9/api",
        "THUPHI_VIETQR_BANK_BIN": "970436", "THUPHI_VIETQR_ACCOUNT": "0123456789",
        "THUPHI_VIETQR_ACCOUNT_NAME": "TT PHUC VU HANH CHINH CONG HN",
        "THUPHI_SEPAY_SECRET": SEPAY_SECRET,
        "THUPHI_STRIPE_SECRET_KEY": "sk_test_0123456789",
        "THUPHI_STRIPE_WEBHOOK_SECRET": "whsec_0123456789",
        "THUPHI_STRIPE_BASE_URL": "http://127.0.0.1:9",
    }  # fmt: skip


async def until_ready(http: httpx.AsyncClient, web: asyncio.subprocess.Process) -> None:
    """Wait until the process answers, or has ended."""
    while True:
        assert web.returncode is None, "the web process ended by itself"
        try:
            if (await http.get("/readyz")).status_code == 200:
                return
        except httpx.TransportError:
            await asyncio.sleep(0.05)


async def knock(http: httpx.AsyncClient, parts: Parts, key: str) -> dict[str, int]:
    """Use each door once as it is meant to be used; give the answers' statuses."""
    bearer = {"authorization": f"Bearer {key}"}
    made = await http.post(
        "/v1/payments", json=payment_body(), headers=bearer | {"idempotency-key": "a"}
    )
    payment = made.json()
    attempts = f"/v1/payments/{payment['id']}/attempts"
    begun = await http.post(
        attempts, json={"provider": "vnpay"}, headers=bearer | {"idempotency-key": "b"}
    )
    page = urlsplit(payment["links"]["pay"]).path
    answers = {"create": made.status_code, "begin": begun.status_code}
    for path in (page, f"{page}/vnpay", f"/notices/vnpay/default?{vnpay_query(begun.json())}"):
        answers[path.split("/")[1] + f" {len(answers)}"] = (await http.get(path)).status_code
    answers["stripe"] = (await http.post("/notices/stripe/default", content=b"{}")).status_code
    while await parts.receipts.issue():  # The worker's task, done by this process.
        pass
    shown = (await http.get(f"/v1/payments/{payment['id']}", headers=bearer)).json()
    (receipt,) = shown["receipts"]
    paths = [urlsplit(link).path for link in receipt["links"].values()]
    paths += [f"/verify/{receipt['verify_code']}", f"/v1/receipts/{receipt['id']}"]
    paths += [f"/log/{AGENCY}/checkpoint", f"/log/{AGENCY}/proof?leaf=0"]
    paths += ["/v1/events?after=0", "/healthz", "/readyz", "/metrics", "/openapi.json"]
    for path in paths:
        answers[path] = (await http.get(path, headers=bearer)).status_code
    for path in ("/docs", "/console", "/console/login", "/static/none"):
        answers[path] = min((await http.get(path)).status_code, 404)  # Here or not, it answers.
    return answers


async def test_a_web_process_that_used_every_door_never_loaded_what_is_heavy(
    database_url: str, tmp_path: Path
) -> None:
    port = free_port()
    values = environment(database_url, port) | {"THUPHI_HIGH_WATER_DIR": f"{tmp_path}"}
    (tmp_path / "sitecustomize.py").write_text(WITNESS, "utf-8")
    told = tmp_path / "modules"
    settings = read_settings(values, [f for spec in adapters() for f in spec.known_fields])
    engine = engine_of(database_url)
    parts = build(settings, engine, SystemClock())
    await seed(parts.store, live=False)
    _, key = await parts.access.add_client("dvc", AGENCY, may_price=False, return_origins=[])
    web = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.entry.cli", "serve", "--port", str(port),
        env=os.environ | values | {"PYTHONPATH": str(tmp_path), "MODULES_TO": str(told)},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip

    async with httpx.AsyncClient(base_url=settings.public_url, timeout=20) as http:
        await until_ready(http, web)
        answers = await knock(http, parts, key)
    web.terminate()
    assert await web.wait() == 0
    await engine.dispose()

    assert {k: v for k, v in answers.items() if v > 404} == {}
    assert len(answers) > 15
    loaded = set(told.read_text("utf-8").splitlines())
    assert "gateway.entry.web.app" in loaded, "the witness is awake"
    assert loaded & HEAVY == set()
