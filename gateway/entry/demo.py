"""``thuphi demo``: the gateway, its worker and the simulated banks, on loopback, at once."""

import argparse
import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from adapters.simulator.app import build_simulator, sandbox_settings
from adapters.simulator.authority import secret as authority_secret
from adapters.simulator.config import SimulatorConfig
from gateway.domain.calendar import hanoi_day
from gateway.entry.bootstrap import Parts, prepare, require_agency, require_sandbox, running
from gateway.entry.registry import kept_fresh
from gateway.entry.settings import SettingError, Settings
from gateway.infra.embedded import Embedded
from gateway.ports.clock import Clock
from gateway.services import catalogue
from gateway.services.payments import Wanted
from gateway.services.seed import seed
from gateway.store.roles import WEB, WORKER
from receipts.authority import Authority

simulator_port_default: Final = 8090
agency: Final = "hn-tthcc-test"
procedure: Final = "1.004222"


def _kept(path: Path) -> dict[str, str] | None:
    """Read what an earlier start has kept; None when there was none."""
    if not path.exists():
        return None
    try:
        kept: dict[str, str] = json.loads(path.read_text("utf-8"))
    except ValueError:
        raise SettingError(f"{path} is damaged: delete it, and start again.") from None
    return kept


def simulated(settings: Settings, folder: Path, origin: str) -> Settings:
    """Point the adapters at the simulated banks, with secrets made once and kept in the folder."""
    path = folder / "simulator.json"
    kept = _kept(path) or {}
    values = sandbox_settings(origin, lambda name: kept.setdefault(name, secrets.token_hex(16)))
    folder.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(kept), "utf-8")
    return replace(settings, adapters={**values, **settings.adapters})


def simulator_config(
    settings: Settings, folder: Path, pump_every_s: float | None = 0.5
) -> SimulatorConfig:
    """Tell the simulated banks who we are and where notices go."""
    return SimulatorConfig(
        values=settings.adapters, notices=f"{settings.public_url}/notices",
        journal_path=folder / "simulator-journal.jsonl", pump_every_s=pump_every_s,
    )  # fmt: skip


@asynccontextmanager
async def simulating(
    settings: Settings, folder: Path, clock: Clock, port: int, address: str = "127.0.0.1"
) -> AsyncIterator[None]:
    """Run the simulated banks until the block ends."""
    from gateway.entry.web.serving import serving

    config = replace(simulator_config(settings, folder), faults_by_amount=True)
    simulator = build_simulator(clock, config)
    app = simulator.app
    async with app.router.lifespan_context(app), serving(app, port, address):
        yield


@asynccontextmanager
async def working(parts: Parts, stop: asyncio.Event) -> AsyncIterator[None]:
    """Run the jobs until the block ends, however it ends: they need what was started before."""
    from gateway.entry.scheduler import scheduler_of

    jobs = asyncio.create_task(scheduler_of(parts).run(stop))
    try:
        yield
    finally:
        stop.set()
        await jobs


async def credentials(parts: Parts, folder: Path) -> dict[str, str]:
    """Make a client and a member of staff once; show the same ones at every later start."""
    path = folder / "demo.json"
    kept = _kept(path)
    if kept:
        return kept
    await seed(parts.store, live=False)
    client_id, key = await parts.access.add_client(
        "Hệ thống thủ tục thử nghiệm", agency, may_price=True, return_origins=[]
    )
    password = await parts.access.add_staff("ketoan", "accountant", agency)
    made = {"client_id": client_id, "api_key": key, "username": "ketoan", "password": password}
    path.touch(mode=0o600)
    path.write_text(json.dumps(made), "utf-8")
    return made


def trust(folder: Path, certificate: str) -> None:
    """Keep the sandbox's certificate where ``thuphi verify`` looks for whom to trust."""
    path = folder / "trust" / f"{agency}.pem"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(certificate, "ascii")


async def line(parts: Parts, banks: str) -> None:
    """Tell the simulated tax authority of receipts, unless another line was chosen."""
    told = Authority(parts.store, parts.vault)
    if (await told.standing(agency)).kind is None:
        values = {"url": f"{banks}/authority/messages", "secret": authority_secret}
        await told.connect(agency, "https", values, "demo")


async def ready_link(parts: Parts, key: str) -> str:
    """Ask for one payment, so that there is something to pay at once."""
    client = await parts.access.client(key)
    clock = parts.clock
    on = hanoi_day(clock.now())
    wanted = Wanted(
        branch_id="online", dossier_id=f"H26.14-{on:%y%m%d}-{clock.new_id('x')[-6:]}",
        procedure=procedure, price_on=on, key=clock.new_id("demo"), body_hash="demo",
        lines=catalogue.price(agency, procedure, catalogue.Facts(), on),
        expires_at=clock.now() + timedelta(days=7), payer={"name": "Nguyễn Thị Hoà"},
    )  # fmt: skip
    (answer,) = await parts.payments.request_many(client, [wanted])
    if isinstance(answer, Exception):
        raise answer
    shown: dict[str, Any] = json.loads(answer.body)
    link: str = shown["links"]["pay"]
    return link


async def do_demo(args: argparse.Namespace) -> int:
    """Run everything until Ctrl-C."""
    from gateway.entry.cli import settings_now, stopped
    from gateway.entry.logs import start_logs
    from gateway.entry.web.app import build_app
    from gateway.entry.web.serving import serving

    if args.port == args.simulator_port:
        raise SettingError("--port and --simulator-port must differ: choose another for one.")
    start_logs()
    base = settings_now()
    folder = base.data_dir
    public_url = f"http://127.0.0.1:{args.port}"
    banks = f"http://127.0.0.1:{args.simulator_port}"
    settings = simulated(replace(base, public_url=public_url), folder, banks)
    async with AsyncExitStack() as stack:
        url = settings.database_url
        if url is None:
            embedded = Embedded(folder)
            stack.callback(embedded.stop)
            url = embedded.url()
        await prepare(settings, url)
        worker = await stack.enter_async_context(running(settings, url, WORKER))
        web = await stack.enter_async_context(running(settings, url, WEB))
        await require_sandbox(worker)
        for parts in (worker, web):
            await parts.registry.refresh()
            await stack.enter_async_context(kept_fresh(parts.registry))
        known = await credentials(worker, folder)
        await require_agency(worker)
        trust(folder, await worker.receipts.certificate(agency))
        await line(worker, banks)
        stop = stopped()
        await stack.enter_async_context(working(worker, stop))
        await stack.enter_async_context(serving(build_app(web), args.port))
        await stack.enter_async_context(
            simulating(settings, folder, web.clock, args.simulator_port)
        )
        _welcome(args, known, public_url, banks, await ready_link(web, known["api_key"]))
        await stop.wait()
    return 0


def _welcome(
    args: argparse.Namespace, known: dict[str, str], public_url: str, banks: str, link: str
) -> None:
    said = {
        "api": f"{public_url}/v1",
        "banks": f"{banks}/bank",
        "pay": link,
        "console": f"{public_url}/console",
        **known,
    }
    if args.json:
        print(json.dumps(said, ensure_ascii=False), flush=True)
        return
    print(
        f"""
Thu Phí is running. Everything below is a sandbox: no real money, no real bank.

  Pay a fee        {link}
  The API          {public_url}/v1   (Authorization: Bearer {known["api_key"]})
  Simulated bank   {banks}/bank
  The console      {public_url}/console   ({known["username"]} / {known["password"]})

Ctrl-C stops all of it; the data stays in the data folder (.data) until you delete it.
""",
        flush=True,
    )
