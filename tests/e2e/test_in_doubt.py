"""No answer is a state: we ask until it is known, and nobody is told to pay again."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import pytest_asyncio
from fastapi import FastAPI, Request, Response
from front_door import VNPAY_SECRET, Site, free_port, vnpay_query
from sqlalchemy import text

from gateway.entry.web.serving import serving
from gateway.services.attempts import Attempts
from gateway.services.invariants import violations

_SIGNED = [
    "ResponseId", "Command", "ResponseCode", "Message", "TmnCode", "TxnRef", "Amount", "BankCode",
    "PayDate", "TransactionNo", "TransactionType", "TransactionStatus", "OrderInfo",
    "PromotionCode", "PromotionAmount",
]  # fmt: skip

_IDLE = text(
    "SELECT query FROM pg_stat_activity WHERE datname = current_database()"
    " AND state = 'idle in transaction'"
)


@dataclass
class Bank:
    """The bank's inquiry desk; ``says`` is laid over the answer, None breaks it."""

    url: str
    asked: list[Any] = field(default_factory=list)
    says: Mapping[str, str] | None = None
    meanwhile: Callable[[], Awaitable[object]] | None = None  # Done before it answers.


@pytest_asyncio.fixture
async def bank() -> AsyncIterator[Bank]:
    app = FastAPI()
    port = free_port()
    made = Bank(f"http://127.0.0.1:{port}/api")

    @app.post("/api")
    async def querydr(request: Request) -> Response:
        asked = await request.json()
        made.asked.append(asked)
        if made.meanwhile:
            await made.meanwhile()
        if made.says is None:
            return Response(status_code=502)
        said = {
            "vnp_ResponseId": "1", "vnp_Command": "querydr", "vnp_ResponseCode": "00",
            "vnp_Message": "ok", "vnp_TmnCode": "TESTTMN1", "vnp_TxnRef": asked["vnp_TxnRef"],
            "vnp_Amount": "1000000", "vnp_BankCode": "NCB", "vnp_PayDate": "20261118081000",
            "vnp_TransactionNo": "14831393", "vnp_TransactionType": "01",
            "vnp_TransactionStatus": "00", "vnp_OrderInfo": "x", **made.says,
        }  # fmt: skip
        joined = "|".join(said.get(f"vnp_{name}", "") for name in _SIGNED)
        mac = hmac.new(VNPAY_SECRET.encode(), joined.encode(), hashlib.sha512).hexdigest()
        return Response(json.dumps(said | {"vnp_SecureHash": mac}))

    async with serving(app, port):
        yield made


def asking(site: Site, bank: Bank) -> Attempts:
    """Point the adapter's inquiry at the bank's desk."""
    key = ("vnpay", "default")
    adapter: Any = site.parts.providers[key]
    providers = {**site.parts.providers, key: replace(adapter, api_url=bank.url)}
    return replace(site.parts.attempts, providers=providers)


async def cancelled(site: Site, bank: Bank, payment: Mapping[str, Any]) -> tuple[int, str, str]:
    """Withdraw a payment while the bank can be asked; give status, problem and its state then."""
    key = ("vnpay", "default")
    site.parts.providers[key] = asking(site, bank).providers[key]
    answer = await site.ask(f"/payments/{payment['id']}/cancel", {})
    after = await site.get(f"/payments/{payment['id']}")
    return answer.status_code, answer.json().get("type", ""), after["state"]


async def returned(site: Site, payment: Mapping[str, Any], attempt: Mapping[str, Any]) -> None:
    """Let the citizen's browser come back before the notice."""
    token = str(payment["links"]["pay"]).rsplit("/", 1)[1]
    async with site.parts.store.begin() as tx:
        held = await tx.payment_by_token(token)
    assert held is not None
    await site.parts.attempts.returned(held, vnpay_query(attempt))


async def test_a_return_before_the_notice_is_doubt_until_the_bank_answers(
    site: Site, bank: Bank
) -> None:
    """SCENARIOS 21: the browser's word proves nothing, and must not be thrown away either."""
    payment = await site.payment()
    await returned(site, payment, await site.attempt(payment))
    seen = await site.get(f"/payments/{payment['id']}")
    assert (seen["state"], seen["in_doubt"]) == ("open", True)
    again = await site.ask(f"/payments/{payment['id']}/attempts", {"provider": "vnpay"})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/payment-in-doubt")
    cancel = await site.ask(f"/payments/{payment['id']}/cancel", {})
    assert cancel.status_code == 409

    desk = asking(site, bank)
    assert await desk.ask() == 1
    assert (await site.get(f"/payments/{payment['id']}"))["in_doubt"] is True
    bank.says = {}
    site.clock.move(timedelta(minutes=2))
    await desk.ask()

    seen = await site.get(f"/payments/{payment['id']}")
    assert (seen["state"], seen["in_doubt"]) == ("paid", False)
    assert len(bank.asked) == 2


async def test_the_notice_after_the_inquiry_adds_evidence_and_no_money(
    site: Site, bank: Bank
) -> None:
    payment = await site.payment()
    attempt = await site.attempt(payment)
    await returned(site, payment, attempt)
    bank.says = {}
    await asking(site, bank).ask()

    assert await site.vnpay_says(attempt) == "02"
    assert (await site.get(f"/payments/{payment['id']}"))["amount_suspended"] == 0


async def test_the_page_says_what_came_and_what_is_missing_in_doubt_too(site: Site) -> None:
    """A part is on account; whoever looks must see that it is not lost."""
    payment = await site.payment()
    attempt = await site.attempt(payment)
    await site.sepay_says(f"TP{payment['reference']}", 4_000, 1)
    part = (await site.http.get(payment["links"]["pay"])).text
    await returned(site, payment, attempt)
    doubt = (await site.http.get(f"{payment['links']['pay']}?lang=en")).text

    assert "Đã nhận 4.000\u00a0đ. Hãy chuyển nốt 6.000\u00a0đ còn thiếu" in part
    assert "We are checking with the bank" in doubt
    for words in (
        'Received</th><td class="money">4.000 đ',
        'Still due</th><td class="money">6.000',
    ):
        assert words in doubt.replace("\u00a0", " ")


async def test_a_silent_attempt_is_asked_about_by_itself(site: Site, bank: Bank) -> None:
    """SCENARIOS 30: the confirmation never came, and the money did."""
    payment = await site.payment()
    await site.attempt(payment)
    bank.says = {}
    site.clock.move(timedelta(minutes=16))

    await asking(site, bank).ask()

    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "paid"


async def test_expiry_asks_first_and_obeys_the_answer(site: Site, bank: Bank) -> None:
    """SCENARIOS 9: we must not expire while money is being taken."""
    payment = await site.payment(expires_at="2026-11-18T02:00:00Z")
    attempt = await site.attempt(payment)
    desk = asking(site, bank)
    site.clock.move(timedelta(hours=2))
    await site.parts.payments.expire(site.parts.can_ask)
    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "open", "nobody asked yet"

    bank.says = {"vnp_ResponseCode": "91"}
    await desk.ask()
    await site.parts.payments.expire(site.parts.can_ask)

    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "expired"
    assert (
        dict(parse_qsl(urlsplit(attempt["redirect_url"]).query))["vnp_TxnRef"]
        == (bank.asked[0]["vnp_TxnRef"])
    )


async def test_cancelling_asks_first_and_what_was_paid_is_paid(site: Site, bank: Bank) -> None:
    """Else a citizen who paid a minute ago has money at the bank and no payment."""
    payment = await site.payment()
    await site.attempt(payment)
    bank.says = {}
    waiting: list[object] = []

    async def look() -> None:
        async with site.owner.begin() as connection:
            waiting.extend(await connection.execute(_IDLE))

    bank.meanwhile = look

    said = await cancelled(site, bank, payment)

    assert said == (409, "/problems/payment-not-open", "paid")
    assert (len(bank.asked), waiting) == (1, []), "nothing is open while the bank answers"
    assert await violations(site.parts.store) == []


async def test_cancelling_waits_for_a_bank_that_does_not_answer(site: Site, bank: Bank) -> None:
    payment = await site.payment()
    await site.attempt(payment)

    silent = await cancelled(site, bank, payment)
    bank.says = {"vnp_ResponseCode": "91"}
    unpaid = await cancelled(site, bank, payment)

    assert silent == (409, "/problems/payment-in-doubt", "open")
    assert unpaid == (200, "", "cancelled")


async def test_cancelling_does_not_trust_an_answer_about_another_attempt(
    site: Site, bank: Bank
) -> None:
    """While the bank was asked, the citizen began once more; nobody has asked about that."""
    payment = await site.payment()
    await site.attempt(payment)
    bank.says = {"vnp_ResponseCode": "91"}

    async def begin_another() -> None:
        site.clock.move(timedelta(minutes=16))  # The first is too old to be given back.
        await site.attempt(payment)

    bank.meanwhile = begin_another

    said = await cancelled(site, bank, payment)

    assert said == (409, "/problems/payment-in-doubt", "open")


async def test_a_review_books_nothing_and_a_person_sees_it(site: Site, bank: Bank) -> None:
    payment = await site.payment()
    attempt = await site.attempt(payment)

    assert await site.vnpay_says(attempt, vnp_ResponseCode="07") == "00"
    bank.says = {"vnp_TransactionStatus": "01"}
    site.clock.move(timedelta(hours=3))
    await asking(site, bank).ask()  # Undecided for long: a review outlasts that.

    seen = await site.get(f"/payments/{payment['id']}")
    assert (seen["state"], seen["in_doubt"], seen["amount_received"]) == ("open", True, 0)


@pytest.mark.parametrize(
    ("changes", "state"),
    [({}, "captured"), ({"vnp_ResponseCode": "24", "vnp_TransactionStatus": "02"}, "cancelled")],
)
async def test_a_review_is_cleared_up_when_the_attempt_ends(
    site: Site, changes: dict[str, str], state: str
) -> None:
    """Else a person asks the bank again what it has said already."""
    attempt = await site.attempt(await site.payment())
    other = await site.attempt(await site.payment(2))
    for one in (attempt, other):
        await site.vnpay_says(one, vnp_ResponseCode="07")

    await site.vnpay_says(attempt, **changes)

    async with site.parts.store.begin() as tx:
        cases = await tx.rows(text("SELECT subject, state, resolution FROM break ORDER BY subject"))
    assert [tuple(k.values()) for k in cases] == [
        (f"attempt:{attempt['id']}", "resolved", f"the attempt ended: {state}"),
        (f"attempt:{other['id']}", "open", None),
    ]


@pytest.mark.parametrize("amount", ["1000000", "999900"])
@pytest.mark.parametrize("before", [(), ("24",), ("07", "24")])
async def test_a_review_of_what_had_ended_or_of_another_amount_is_a_case_too(
    site: Site, amount: str, before: tuple[str, ...]
) -> None:
    """VNPAY 24, then 07: the citizen was debited after all, and nobody else would look."""
    payment = await site.payment()
    attempt = await site.attempt(payment)
    for code in before:
        status = {"vnp_TransactionStatus": "02"} if code == "24" else {}
        await site.vnpay_says(attempt, vnp_ResponseCode=code, **status)

    for _ in range(2):
        await site.vnpay_says(attempt, vnp_ResponseCode="07", vnp_Amount=amount)

    assert await _cases(site) == [("status_conflict", f"attempt:{attempt['id']}", "open")]
    assert (await site.get(f"/payments/{payment['id']}"))["in_doubt"] is not bool(before)
    await site.vnpay_says(attempt)
    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "paid"
    assert [state for *_, state in await _cases(site)] == ["resolved"]
    await site.vnpay_says(attempt, vnp_ResponseCode="07")
    assert [state for *_, state in await _cases(site)] == ["resolved"]


@pytest.mark.parametrize("later", ["01", "00", "02"])
async def test_what_a_bank_never_decides_is_a_case_and_bars_no_other_way(
    site: Site, bank: Bank, later: str
) -> None:
    """The citizen came back unsure, and the bank says for ever that it is not finished."""
    payment = await site.payment()
    attempt = await site.attempt(payment)
    await returned(site, payment, attempt)
    desk = asking(site, bank)
    bank.says = {"vnp_TransactionStatus": "01"}

    async def stands() -> tuple[str, bool]:
        await desk.ask()
        seen = await site.get(f"/payments/{payment['id']}")
        return seen["state"], seen["in_doubt"]

    site.clock.move(timedelta(minutes=15 + 59))
    assert await stands() == ("open", True), "it may be paid yet"
    site.clock.move(timedelta(hours=1))
    assert await stands() == ("open", False)
    assert await _cases(site) == [("status_conflict", f"attempt:{attempt['id']}", "open")]

    site.clock.move(timedelta(days=2))
    bank.says = {"vnp_TransactionStatus": later}
    assert await stands() == ("paid" if later == "00" else "open", False)
    assert [state for *_, state in await _cases(site)] == ["open" if later == "01" else "resolved"]


async def _cases(site: Site) -> list[tuple[str, str, str]]:
    async with site.parts.store.begin() as tx:
        found = await tx.rows(text("SELECT kind, subject, state FROM break ORDER BY id"))
    return [(k["kind"], k["subject"], k["state"]) for k in found]
