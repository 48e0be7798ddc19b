"""``thuphi day``: a whole day, unattended, on one test clock and a database of its own.

Citizens pay over real HTTP at the simulated banks, which misbehave at the given share, or at two
counters, whose drawers are counted and differ; receipts are issued, files written and imported,
days reconciled and closed. At the end the books are compared with the banks' own journal.
"""

import asyncio
import tempfile
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from random import Random
from secrets import token_bytes
from time import monotonic
from typing import Any, Final

import httpx

from adapters.simulator.app import build_simulator
from gateway.domain.calendar import day_start, hanoi_day
from gateway.entry.bootstrap import Parts, build, engine_of, prepare
from gateway.entry.cli_prove import proving_of, wrong_in
from gateway.entry.day_counter import METHODS, Booths
from gateway.entry.day_plan import AT_CHECKOUT, NOT_NOW, PAID, drawn, for_treasury
from gateway.entry.day_witness import TOTALS, Inbox, differences, free_port, inbox_app
from gateway.entry.demo import agency, simulated, simulator_config
from gateway.entry.plugins import adapters, setting_names
from gateway.entry.reconciling import reconciliation_of
from gateway.entry.settings import PREFIX, Settings, read_settings
from gateway.infra.clock import TestClock
from gateway.infra.embedded import Embedded
from gateway.services.invariants import violations
from gateway.services.seed import seed
from gateway.services.unexplained import unexplained
from gateway.store.roles import WEB, WORKER

at_once: Final = 8  # Citizens who pay at the same moment.


@dataclass
class Day:
    """One day in the life of the gateway."""

    parts: Parts
    clock: TestClock
    web: httpx.AsyncClient
    banks: httpx.AsyncClient
    key: str = field(repr=False)
    inbox: Inbox
    booths: Booths
    chance: Random
    folder: Path
    waiting: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = field(default_factory=list)

    async def work(self) -> None:
        """Let the worker do all that is due now, and the banks' post arrive."""
        await self.banks.post("/control/pump")
        while await self.parts.outbox.sequence():
            pass
        while await self.parts.receipts.issue():
            pass
        while await self.parts.attempts.ask():
            pass
        while await self.parts.sender.send():
            pass
        while await self.parts.notices.replay():
            pass
        while await self.parts.webhooks.deliver():
            pass

    async def pass_time(self, by: timedelta) -> None:
        """Move the clock, then let everybody work."""
        self.clock.move(by)
        await self.work()

    async def citizens(self, count: int, faults: float) -> None:
        """Let so many citizens come, a few at a time."""
        for first in range(1, count + 1, at_once):
            batch = range(first, min(first + at_once, count + 1))
            plans = [drawn(self.chance, n, faults) for n in batch]
            await asyncio.gather(*(self._pay(plan) for plan in plans))
            await self.pass_time(timedelta(seconds=20))

    async def _ask(self, path: str, body: Mapping[str, Any], key: str) -> dict[str, Any]:
        answer = await self.web.post(
            f"/v1{path}",
            json=dict(body),
            headers={"authorization": f"Bearer {self.key}", "idempotency-key": key},
        )
        answer.raise_for_status()
        said: dict[str, Any] = answer.json()
        return said

    async def _pay(self, plan: Mapping[str, Any]) -> None:
        on = self.clock.now().date()
        payment = await self._ask(
            "/payments",
            {
                "agency": agency, "branch": plan["branch"], "procedure": plan["procedure"],
                "dossier_id": f"H26.14-{on:%y%m%d}-{plan['n']:05}", "price_on": on.isoformat(),
                "facts": plan["facts"], "payer": {"name": f"Nguyễn Văn Số {plan['n']}"},
            },
            f"day-{plan['n']}",
        )  # fmt: skip
        if plan["provider"] in METHODS:
            if plan["changes_mind"]:  # The counter asks the wallet first.
                online = {**plan, "provider": "momo", "fault": "none"}
                await self._choose(online, payment, f"a{plan['n']}", "leave")
            branch, method = plan["counter"], plan["provider"]
            await self.booths.take(payment, branch, method, for_treasury(plan, payment))
            return
        changes_mind = plan["provider"] != "vietqr" and plan["changes_mind"]
        if changes_mind and not await self._choose(plan, payment, f"a{plan['n']}", "cancel"):
            return
        choice = "pay_twice" if plan["twice"] and plan["fault"] == "none" else "pay"
        await self._choose(plan, payment, f"b{plan['n']}", choice)

    async def _begin(
        self, plan: Mapping[str, Any], payment: Mapping[str, Any], key: str
    ) -> dict[str, Any]:
        """Begin an attempt; where the citizen is told something else, that is its state."""
        text = f"TP{payment['reference']}"
        fault = plan["fault"] if plan["fault"] in AT_CHECKOUT else "none"
        if plan["fault"] in (*AT_CHECKOUT, "none"):
            await self.banks.post("/control/fault", json={"key": text, "fault": fault})
        try:
            return await self._ask(
                f"/payments/{payment['id']}/attempts", {"provider": plan["provider"]}, key
            )
        except httpx.HTTPStatusError as error:
            code = error.response.json()["type"].rpartition("/")[2]
            if code not in (*NOT_NOW, *PAID):
                raise
            return {"state": code, "redirect_url": None}

    async def _choose(
        self, plan: Mapping[str, Any], payment: Mapping[str, Any], key: str, choice: str
    ) -> bool:
        """Choose at a provider; tells whether the citizen can go on now."""
        attempt = await self._begin(plan, payment, key)
        text, said = f"TP{payment['reference']}", for_treasury(plan, payment)
        path, in_app = "/control/pay", {"provider": plan["provider"], "named": text}
        if attempt["state"] in NOT_NOW and not plan["in_app"]:
            self.waiting.append((plan, payment))
            return False
        if attempt["state"] == "payment-not-open":
            return False
        if attempt["state"] in (*PAID, *NOT_NOW):  # The app says what it was, or takes it now.
            said |= in_app
            choice = "pay" if attempt["state"] in PAID else choice
        elif attempt["redirect_url"]:
            said |= {"redirect_url": attempt["redirect_url"], "fault": plan["fault"]}
        else:
            path = "/control/transfer"
            said |= {"qr_text": attempt["qr_text"], "fault_key": text, "fault": plan["fault"]}
        answer = await self.banks.post(path, json=said | {"choice": choice})
        if attempt["state"] in NOT_NOW and answer.status_code == HTTPStatus.BAD_REQUEST:
            self.waiting.append((plan, payment))  # It never reached the provider: no order there.
            return False
        answer.raise_for_status()
        if choice == "cancel":
            await self.work()  # Who tells of a refusal, tells at once that nothing was taken.
        return True

    async def _come_back(self) -> None:
        """Let those whom a provider left in doubt try again, hours later, elsewhere."""
        waiting, self.waiting = self.waiting, []
        for plan, payment in waiting:
            again = {**plan, "provider": "vnpay", "fault": "none", "in_app": False}
            await self._choose(again, payment, f"c{plan['n']}", "pay")

    async def evening(self) -> None:
        """Let late notices come, doubts be asked about, and all deliveries end."""
        for pause in (30, 60, 120, 240, 480, 900, 1_800, 3_600, 7_200):
            await self.pass_time(timedelta(seconds=pause))
        await self._come_back()
        await self.pass_time(timedelta(seconds=3_600))
        await self.booths.close(self.chance)
        await self.parts.payments.expire(self.parts.can_ask)
        await self.work()

    async def close(self, on: date) -> dict[str, Any]:
        """Import a day's files at night, reconcile and close it."""
        at = day_start(on + timedelta(days=1)) + timedelta(hours=1, minutes=30)
        await self.pass_time(at - self.clock.now())
        wanted = {"date": on.isoformat(), "folder": str(self.folder)}
        files = (await self.banks.post("/control/files", json=wanted)).json()["files"]
        books = reconciliation_of(self.parts)
        for profile, path in sorted(files):
            content = await asyncio.to_thread(Path(path).read_bytes)
            await books.intake.import_file(agency, profile, Path(path).name, content, "day")
        report = await books.reconcile(agency, on, "day")
        for _ in range(3):
            await self.pass_time(timedelta(minutes=1))
        return report.as_json()

    async def summary(
        self, first: date, nights: list[dict[str, Any]], began: float
    ) -> dict[str, Any]:
        """Count everything, ask every rule, prove the books, compare with the banks' journal."""
        from reconciliation.seals import broken

        broken_rules = await violations(self.parts.store) + await broken(self.parts.store)
        async with self.parts.store.begin() as tx:
            totals = dict(await tx.row(TOTALS) or {})
            wrong = [f"{v.rule}: {', '.join(v.what)}" for v in broken_rules]
            journal = (await self.banks.get("/control/journal")).json()["entries"]
            wrong += await differences(tx, journal)
            wrong += await self.inbox.undelivered(tx)
        proof = await proving_of(self.parts).prove(agency, first, hanoi_day(self.clock.now()))
        wrong += [f"not proved: {what}" for what in wrong_in(proof)]
        open_items = await unexplained(self.parts.store, agency)
        for night in nights:
            if not night["closed"]:
                wrong.append(f"{night['date']} stays open: {night['open_checks']}")
        return totals | {
            "events_delivered": len(self.inbox.seen),
            "accounts_proved": len(proof.balances),
            "unexplained_dong_days": open_items.dong_days,
            "violations": wrong,
            "seconds": round(monotonic() - began, 1),
        }


def _settings(folder: Path, port: int, banks: int) -> Settings:
    values = {
        f"{PREFIX}PUBLIC_URL": f"http://127.0.0.1:{port}",
        f"{PREFIX}MASTER_KEY": b64encode(token_bytes(32)).decode(),
        f"{PREFIX}WIRE_ALLOW": "127.0.0.0/8",
        f"{PREFIX}DATA_DIR": str(folder),
    }
    settings = read_settings(values, setting_names(adapters()))
    return simulated(settings, folder, f"http://127.0.0.1:{banks}")


@asynccontextmanager
async def lived(at: datetime, seed_number: int) -> AsyncIterator[Day]:
    """Run gateway, banks and a client's webhook door on loopback, on a fresh database."""
    from gateway.entry.web.app import build_app
    from gateway.entry.web.serving import serving

    clock = TestClock(at)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="thuphi-day-")))
        embedded = Embedded(folder)
        stack.callback(embedded.stop)
        web_port, bank_port, door_port = free_port(), free_port(), free_port()
        settings = _settings(folder, web_port, bank_port)
        await prepare(settings, embedded.url())
        engines = [engine_of(embedded.url(), role) for role in (WORKER, WEB)]
        for engine in engines:
            stack.push_async_callback(engine.dispose)
        parts, front = (build(settings, engine, clock) for engine in engines)
        await seed(parts.store, live=False)
        client_id, key = await parts.access.add_client(
            "day", agency, may_price=False, return_origins=[]
        )
        hook = await parts.webhooks.add(agency, client_id, f"http://127.0.0.1:{door_port}/hook")
        inbox = Inbox(hook.secret)
        config = simulator_config(settings, folder, pump_every_s=None)
        simulator = build_simulator(clock, config)
        stack.push_async_callback(simulator.close)
        for app, port in (
            (build_app(front), web_port), (simulator.app, bank_port), (inbox_app(inbox), door_port),
        ):  # fmt: skip
            await stack.enter_async_context(serving(app, port))
        web = await stack.enter_async_context(
            httpx.AsyncClient(base_url=settings.public_url, timeout=30)
        )
        banks = await stack.enter_async_context(
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{bank_port}", timeout=60)
        )
        booths = Booths(front.counters, banks)
        await booths.open(parts.access)
        yield Day(parts, clock, web, banks, key, inbox, booths, Random(seed_number), folder)  # noqa: S311 - a story, not a secret.


async def live(payments: int, seed_number: int, on: date, faults: float) -> dict[str, Any]:
    """Live the day and the next; give the summary."""
    began = monotonic()
    async with lived(day_start(on) + timedelta(hours=8), seed_number) as day:
        await day.citizens(payments, faults)
        await day.evening()
        # VNPAY pays out, and the treasury confirms, on the next day: two nights close it all.
        nights = [await day.close(on), await day.close(on + timedelta(days=1))]
        return await day.summary(on, nights, began)
