"""One provider that hangs, or fails, delays no other's attempts, refunds or notices."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from front_door import AGENCY, Site, vnpay_query
from sqlalchemy import text
from watched_city import Watched

from adapters.simulator import Choice, Fault
from gateway.domain.errors import DeclinedError
from gateway.ports.provider import RawNotice
from gateway.ports.wire import Reply, Wire
from gateway.services import lanes
from gateway.services.sweeps import SweepError

DUE = 10_000
MINUTES = timedelta(minutes=2)
CUT = DeclinedError("The other side could not be reached.", is_unreachable=True)


@dataclass
class Line:
    """A wire that fails, or hangs until it is let go; and knows how often it was used."""

    wire: Wire
    fails: list[Exception] = field(default_factory=list)
    free: asyncio.Event = field(default_factory=asyncio.Event)
    taken: asyncio.Event = field(default_factory=asyncio.Event)
    calls: int = 0

    async def send(self, method: str, url: str, **more: Any) -> Reply:
        self.calls += 1
        self.taken.set()
        if self.fails:
            raise self.fails.pop(0)
        await self.free.wait()
        return await self.wire.send(method, url, **more)


def line_of(site: Site, name: str) -> Line:
    """Put such a wire between us and a provider."""
    provider: Any = site.parts.providers[name, "default"]
    line = Line(provider.wire)
    site.parts.providers[name, "default"] = replace(provider, wire=line)
    return line


@asynccontextmanager
async def hanging(line: Line, job: Callable[[], Awaitable[int]]) -> Any:
    """Run a job that hangs on this line while the block looks at the others."""
    doing = asyncio.ensure_future(job())
    async with asyncio.timeout(20):
        await line.taken.wait()
        yield
        assert not doing.done(), "it hangs no more, so the block has proved nothing"
        line.free.set()
        await doing


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Look again until it is so; the block around says how long that may take."""
    while True:
        if await is_so():
            return
        await asyncio.sleep(0.02)


async def untold(watched: Watched, n: int, provider: str) -> dict[str, Any]:
    """Let a citizen pay with a provider that tells nobody."""
    payment = await watched.site.payment(n)
    attempt = await watched.site.attempt(payment, provider)
    await watched.pay(attempt, Choice.PAY, Fault.SILENT)
    return payment


async def test_what_others_know_is_asked_while_one_provider_hangs(watched: Watched) -> None:
    """Also what comes due only after the other began to hang."""
    site = watched.site
    line = line_of(site, "vnpay")
    stuck = await untold(watched, 1, "vnpay")
    told = await untold(watched, 2, "momo")
    site.clock.move(MINUTES)

    async def is_paid(payment: Mapping[str, Any]) -> bool:
        return bool((await watched.shown(payment))["state"] == "paid")

    async with hanging(line, site.parts.attempts.ask):
        await until(lambda: is_paid(told))
        late = await untold(watched, 3, "zalopay")
        site.clock.move(MINUTES)
        await until(lambda: is_paid(late))
        assert not await is_paid(stuck)

    assert await is_paid(stuck)


async def refunds_of(watched: Watched, *providers: str) -> dict[str, str]:
    """Let a payment be paid with each, and its refund be approved; give the refunds' ids."""
    site, found = watched.site, {}
    for n, name in enumerate(providers, 1):
        payment = await site.payment(n)
        await watched.pay(await site.attempt(payment, name))
        body = {"amount": DUE, "reason": "nộp nhầm", "expected_refundable": DUE}
        asked = await site.ask(f"/payments/{payment['id']}/refunds", body)
        found[name] = str(asked.json()["id"])
        await site.parts.refunds.decide(AGENCY, found[name], "staff:b", agree=True)
    return found


async def test_refunds_of_others_go_out_while_one_provider_hangs(watched: Watched) -> None:
    site = watched.site
    refunds = await refunds_of(watched, "zalopay", "momo")

    async def is_done(provider: str) -> bool:
        return bool((await site.get(f"/refunds/{refunds[provider]}"))["state"] == "done")

    line = line_of(site, "zalopay")
    async with hanging(line, site.parts.sender.send):
        await until(lambda: is_done("momo"))
        assert not await is_done("zalopay")


async def test_a_refund_is_not_failed_because_nobody_could_be_reached(watched: Watched) -> None:
    """What was never sent waits; of what was sent, silence says nothing."""
    site = watched.site
    refund = (await refunds_of(watched, "momo"))["momo"]
    line = line_of(site, "momo")
    line.fails = [CUT]
    line.free.set()

    await site.parts.sender.send()
    assert (await site.get(f"/refunds/{refund}"))["state"] == "approved"
    site.clock.move(MINUTES)
    await site.parts.sender.send()

    assert (await site.get(f"/refunds/{refund}"))["state"] == "done"


async def test_a_provider_that_answers_nobody_is_left_alone_until_the_next_tick(
    watched: Watched,
) -> None:
    """Each silence counts as a try of one attempt; the others keep theirs for when it is up."""
    for n in range(1, lanes.silences_max + 3):
        await untold(watched, n, "momo")
    watched.site.clock.move(MINUTES)
    line = line_of(watched.site, "momo")
    line.fails = [CUT] * 9

    assert await watched.site.parts.attempts.ask() == lanes.silences_max

    assert line.calls == lanes.silences_max
    asked = await watched.rows("SELECT asked, count(*) AS n FROM attempt GROUP BY 1 ORDER BY 1")
    assert asked == [{"asked": 0, "n": 2}, {"asked": 1, "n": lanes.silences_max}]


async def test_an_attempt_that_cannot_be_asked_about_stops_no_other(watched: Watched) -> None:
    """A fault of ours in one of them is seen, and the next is asked all the same."""
    site = watched.site
    _, sound = [await untold(watched, n, "momo") for n in (1, 2)]
    site.clock.move(MINUTES)
    line = line_of(site, "momo")
    line.fails = [RuntimeError("a fault in the adapter")]
    line.free.set()

    with pytest.raises(SweepError, match=r"failed: att_\w+$"):
        await site.parts.attempts.ask()

    assert (await watched.shown(sound))["state"] == "paid"


async def test_a_notice_that_cannot_be_read_again_uses_up_nobody_elses_tries(site: Site) -> None:
    """It used to end the replay of all that came after it, until none had a try left."""
    notices = site.parts.notices
    provider = notices.by_path["vnpay", "default"]
    kept, payments = [], []
    for n in (1, 2):
        payments.append(await site.payment(n))
        query = vnpay_query(await site.attempt(payments[-1]), vnp_TransactionNo=f"1483139{n}")
        raw = RawNotice("GET", query, {}, b"", site.clock.now())
        kept.append(await notices._keep(provider, raw, "127.0.0.1"))  # noqa: SLF001 - as if we fell over after it.
    await site.as_owner(f"UPDATE notice SET sealed = '\\x00' WHERE id = '{kept[0]}'")
    site.clock.move(MINUTES)

    with pytest.raises(SweepError, match=kept[0]):
        await notices.replay()

    async with site.parts.store.begin() as tx:
        work = await tx.rows(text("SELECT state, tries FROM notice_work ORDER BY notice_id"))
    assert [(w["state"], w["tries"]) for w in work] == [("stored", 1), ("done", 1)]
    assert (await site.get(f"/payments/{payments[1]['id']}"))["state"] == "paid"
