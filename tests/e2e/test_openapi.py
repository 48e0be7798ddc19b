"""``/openapi.json`` against a long story: whatever is sent and answered is as it is described."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import httpx
from books import reconciliation, written
from front_door import AGENCY, Site, payment_body
from schemas import wrong
from sqlalchemy import text
from story import STATES, in_state
from wrong_bodies import WRONG

from gateway.domain.states import State
from gateway.entry.web.app import build_app
from gateway.entry.web.openapi import OPERATIONS, Operation, refusals_of
from gateway.entry.web.problems import STATUS


async def test_every_route_is_described_and_no_other(site: Site) -> None:
    """FastAPI lists the routes that it has; what each takes and gives is ours to say."""
    paths = build_app(site.parts).openapi()["paths"]

    assert {(m.upper(), path) for path, said in paths.items() for m in said} == set(OPERATIONS)


@dataclass
class Clerk:
    """Reads every call of the API and notes what is not as it is described."""

    wrong: list[str] = field(default_factory=list)
    answered: set[tuple[str, int]] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    given: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))

    async def read(self, answer: httpx.Response) -> None:
        """Hold a call against the description."""
        path = urlsplit(str(answer.request.url)).path
        if not path.startswith("/v1/"):
            return
        await answer.aread()
        method, operation = self._operation(answer.request.method, path)
        said = answer.json()
        self.answered.add((operation.name, answer.status_code))
        if answer.status_code == operation.status:
            self.wrong += wrong(operation.answer, said, is_closed=True)
            self.given[operation.answer].append(said)
            sent = await answer.request.aread()
            if operation.body and sent:
                self.wrong += wrong(operation.body, json.loads(sent))
            return
        code = said["type"].removeprefix("/problems/")
        self.refused.add(code)
        self.wrong += wrong("Problem", said, is_closed=True)
        if answer.status_code != STATUS[code] or code not in refusals_of(method, operation):
            self.wrong.append(f"{operation.name} says {answer.status_code} {code}")

    def _operation(self, method: str, path: str) -> tuple[str, Operation]:
        for (its_method, its_path), operation in OPERATIONS.items():
            form = re.sub("{[a-z_]+}", "[^/]+", its_path)
            if its_method == method and re.fullmatch(form, path):
                return method, operation
        raise LookupError(path)


@contextmanager
def clerk_at(site: Site) -> Iterator[Clerk]:
    """Let a clerk read along; what was noted fails the test at the end."""
    clerk = Clerk()
    site.http.event_hooks["response"].append(clerk.read)
    yield clerk
    assert clerk.wrong == []


async def test_a_long_story_is_as_it_is_described(site: Site) -> None:
    """Paid, part paid, too much, in doubt, cancelled, expired, waived, given back, told of."""
    with clerk_at(site) as clerk:
        made = {state: await in_state(site, state, n) for n, state in enumerate(STATES, 1)}
        await priced_by_the_client(site)
        await site.parts.receipts.issue()
        await ask_back(site, made["paid"], 4_000)
        await ask_back(site, made["paid"], 6_000)
        await bring_a_file(site)
        await degrade_vnpay(site)
        await site.parts.outbox.sequence()
        shown = await site.get(f"/payments/{made['paid']['id']}")
        await site.get(f"/receipts/{shown['receipts'][0]['id']}")
        for path in (
            "/providers", "/events", "/payments?limit=3&state=paid", "/payments?limit=2",
            *(f"/payments/{payment['id']}{more}" for payment in made.values()
              for more in ("", "/refunds")),
        ):  # fmt: skip
            await site.get(path)

    done = {name for name, status in clerk.answered if status < HTTPStatus.BAD_REQUEST}
    assert done == {operation.name for operation in OPERATIONS.values()}
    told = {e["type"].split(".")[0] for e in clerk.given["EventList"][0]["data"]}
    assert told == {"payment", "receipt", "refund", "provider"}
    assert {p["state"] for p in clerk.given["Payment"]} >= set(State) - {State.SETTLED}


async def test_a_no_is_one_that_is_described(site: Site) -> None:
    with clerk_at(site) as clerk:
        payment = await in_state(site, "open", 1)
        paid = await in_state(site, "paid", 2)
        doubt = await in_state(site, "doubt", 3)
        for name, value in WRONG:
            await site.ask("/payments", payment_body(4) | {name: value})
        await site.ask("/payments", payment_body(1))
        await site.ask("/payments", own_lines(payment_body(7)))
        await site.http.post("/v1/payments", headers={"authorization": f"Bearer {site.key}"})
        for ended in (paid, doubt):
            await site.ask(f"/payments/{ended['id']}/cancel", {})
            await site.ask(f"/payments/{ended['id']}/attempts", {"provider": "vnpay"})
        await site.ask(f"/payments/{payment['id']}/attempts", {"provider": "gold"})
        for amount, expected in ((1, 1), (20_000, 10_000)):
            body = {"amount": amount, "reason": "x", "expected_refundable": expected}
            await site.ask(f"/payments/{paid['id']}/refunds", body)
            await site.ask(f"/payments/{payment['id']}/refunds", body)
        for n in (5, 6):
            await site.ask("/payments", payment_body(n), key="twice")
        await site.http.post("/v1/payments", content=b"{")
        await site.http.post("/v1/payments", content=b" " * 70_000, headers=bearer(site, "x"))
        for path in (
            "/payments/x", "/refunds/x", "/receipts/x", "/payments/x/refunds", "/payments?state=x",
            "/payments?created_from=x", "/events?limit=0", "/files/x",
        ):  # fmt: skip
            await site.get(path)
            assert (await site.http.get(f"/v1{path}")).status_code == HTTPStatus.UNAUTHORIZED
        for path in ("cancel", "attempts", "refunds"):
            await site.ask(f"/payments/x/{path}", BODIES[path])

    described = {code for (method, _), o in OPERATIONS.items() for code in refusals_of(method, o)}
    assert described - clerk.refused == {
        "unavailable", "too-slow", "provider-failed", "payment-disputed",
    }  # fmt: skip


BODIES = {
    "cancel": {}, "attempts": {"provider": "vnpay"},
    "refunds": {"amount": 1, "reason": "x", "expected_refundable": 1},
}  # fmt: skip


def bearer(site: Site, key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {site.key}", "idempotency-key": key}


def own_lines(body: dict[str, Any]) -> dict[str, Any]:
    """Price it, in place of the facts."""
    del body["facts"]
    line = {"code": "x", "kind": "phi", "name": "Phí", "amount": 5, "budget_line": "2767"}
    return body | {"lines": [line]}


async def priced_by_the_client(site: Site) -> None:
    """Let a client that may price send lines of its own."""
    _, key = await site.parts.access.add_client("own", AGENCY, may_price=True, return_origins=[])
    headers = {"authorization": f"Bearer {key}", "idempotency-key": "own"}
    asked = own_lines(payment_body(90))
    answer = await site.http.post("/v1/payments", json=asked, headers=headers)
    assert answer.status_code == HTTPStatus.CREATED


async def ask_back(site: Site, payment: dict[str, Any], amount: int) -> None:
    """Ask for money back, let another agree and prove it, and look at it."""
    owed = (await site.get(f"/payments/{payment['id']}"))["amount_refundable"]
    body = {"amount": amount, "reason": "nộp nhầm", "expected_refundable": owed}
    asked = (await site.ask(f"/payments/{payment['id']}/refunds", body)).json()
    await site.parts.refunds.decide(AGENCY, asked["id"], "staff:b", agree=True)
    await site.as_owner(f"UPDATE refund SET route = 'transfer' WHERE id = '{asked['id']}'")
    await site.parts.sender.prove(AGENCY, asked["id"], "UNC-1", "staff:c")
    await site.get(f"/refunds/{asked['id']}")


async def bring_a_file(site: Site) -> None:
    """Let a client that may bring a statement, and look at it before and after it is read."""
    _, key = await site.parts.access.add_client(
        "files", AGENCY, may_price=False, return_origins=[], may_bring_files=True
    )
    asked = {"authorization": f"Bearer {key}", "idempotency-key": "file"}
    told = await site.http.post(
        "/v1/files?profile=canonical-statement&name=a.csv", headers=asked,
        content=written("statement", {"line_id": "1", "balance": 10_000}),
    )  # fmt: skip
    assert told.status_code == HTTPStatus.CREATED
    await reconciliation(site).intake.take_all()
    await site.http.get(f"/v1/files/{told.json()['id']}", headers=asked)


async def degrade_vnpay(site: Site) -> None:
    """Let so many calls fail that procedure systems are told."""
    async with site.parts.store.begin() as tx:
        await tx.run(
            text("INSERT INTO provider_call (agency_id, provider, account, what, at, is_ok,"
                 " took_ms) SELECT :agency, 'vnpay', 'default', 'checkout', :now, false, 9"
                 " FROM generate_series(1, 9)"),
            {"agency": AGENCY, "now": site.clock.now()},
        )  # fmt: skip
    assert await site.parts.attempts.health.judge() == 1
