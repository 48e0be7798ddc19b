"""Every field wrong in every way: a problem that names the field and the rule, never a 5xx."""

import json
from typing import Any

import pytest
from front_door import Site, payment_body
from wrong_bodies import WRONG


@pytest.mark.parametrize(("name", "value"), WRONG, ids=lambda v: repr(v)[:30])
async def test_a_wrong_field_is_named(site: Site, name: str, value: Any) -> None:
    answer = await site.ask("/payments", payment_body() | {name: value})

    assert 400 <= answer.status_code < 500, answer.text
    said = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    pointers = [e["pointer"] for e in said.get("errors", [])]
    assert any(p.startswith((f"/{name}", "/facts")) for p in pointers), said


@pytest.mark.parametrize(
    ("change", "blamed"),
    [
        ({"lines": []}, ["/lines"]), ({"lines": 5}, ["/lines"]),
        ({"lines": [{}]}, [f"/lines/0/{n}" for n in
                           ("code", "kind", "name", "amount", "budget_line")]),
        ({"facts": None}, ["/facts"]), ({}, ["/facts"]),
        ({"facts": {}, "lines": []}, ["/lines", "/facts"]),
    ],
    ids=repr,
)  # fmt: skip
async def test_only_what_is_wrong_is_blamed(
    site: Site, change: dict[str, Any], blamed: list[str]
) -> None:
    """Whoever sent lines and is told of facts looks in the wrong place."""
    body = payment_body() | change
    if "facts" not in change:
        del body["facts"]

    answer = await site.ask("/payments", body)

    assert [e["pointer"] for e in answer.json()["errors"]] == blamed


async def test_a_cancellation_has_no_fields(site: Site) -> None:
    """Who believes that a reason was kept, and is wrong, learns it too late."""
    payment = await site.payment()

    answer = await site.ask(f"/payments/{payment['id']}/cancel", {"reason": "x"})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/reason"
    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "open"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"null", b"{", b'{"a":NaN}', b'{"a":1,"a":2}', b"\xff\xfe", b"1" * 70_000,
        b"[" * 60_000, b'{"agency": "\\ud800"}',
        b'{"\\ud800": 1}', b'{"metadata": {"\\ud800": "v"}}', b'{"facts": {"\\udfff": 1}}',
        b'{"payer": {"\\ud800": "v"}}', b'{"lines": [{"\\ud800": 1}]}',
    ],
    ids=lambda b: repr(b[:12]),
)  # fmt: skip
async def test_a_body_that_is_no_plain_json_is_refused(site: Site, body: bytes) -> None:
    headers = {"authorization": f"Bearer {site.key}", "idempotency-key": "k"}

    answer = await site.http.post("/v1/payments", content=body, headers=headers)

    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "amount", ["true", '"150000"', "1.5e5", "1.0", "-1", "1000000000000001", "null", "[1]"]
)
async def test_an_amount_that_is_not_a_plain_whole_number_is_refused(
    site: Site, amount: str
) -> None:
    """CONTRACT 1, through the front door and by a client that may price."""
    _, key = await site.parts.access.add_client(
        "pricer", "hn-tthcc-test", may_price=True, return_origins=[]
    )
    body = payment_body() | {
        "lines": [{"code": "x", "kind": "phi", "name": "Phí", "amount": 77, "budget_line": "2767"}]
    }
    del body["facts"]
    text = json.dumps(body).replace("77", amount, 1)
    headers = {"authorization": f"Bearer {key}", "idempotency-key": "k"}

    answer = await site.http.post("/v1/payments", content=text.encode(), headers=headers)

    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == "/lines/0/amount"


@pytest.mark.parametrize("key", ["x", "nonsense", "tp_test_" + "x" * 43])
async def test_a_key_that_is_none_gets_401_and_nothing_else(site: Site, key: str) -> None:
    for path in ("/payments", "/payments/pay_1", "/events", "/receipts/rcp_1"):
        answer = await site.http.get(f"/v1{path}", headers={"authorization": f"Bearer {key}"})
        assert answer.status_code == 401


async def test_a_post_without_an_idempotency_key_is_refused(site: Site) -> None:
    answer = await site.http.post(
        "/v1/payments", json=payment_body(), headers={"authorization": f"Bearer {site.key}"}
    )

    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/idempotency-key-missing")


async def test_another_agencys_payment_answers_as_one_that_does_not_exist(site: Site) -> None:
    from gateway.services.seed import seed

    payment = await site.payment()
    await seed(site.parts.store, live=True)
    _, key = await site.parts.access.add_client(
        "other", "hn-tthcc", may_price=False, return_origins=[]
    )
    assert key.startswith("tp_live_")

    answers = [
        await site.http.get(f"/v1/payments/{p}", headers={"authorization": f"Bearer {key}"})
        for p in (payment["id"], "pay_00000000000000000000000000")
    ]

    assert [a.status_code for a in answers] == [404, 404]
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1e3", "limit=٣", "limit=0000000000000000001000000", "limit=",
     "state=x", "created_from=x"],
)  # fmt: skip
async def test_a_wrong_query_parameter_is_refused(site: Site, query: str) -> None:
    answer = await site.http.get(
        f"/v1/payments?{query}", headers={"authorization": f"Bearer {site.key}"}
    )

    assert answer.status_code == 422


@pytest.mark.parametrize("query", ["after=12345678901234567890", "after=-1", "limit=501"])
async def test_a_position_that_no_event_can_have_is_refused(site: Site, query: str) -> None:
    answer = await site.http.get(
        f"/v1/events?{query}", headers={"authorization": f"Bearer {site.key}"}
    )

    assert answer.status_code == 422


async def test_the_last_position_that_an_event_can_have_is_taken(site: Site) -> None:
    assert await site.get(f"/events?after={2**63 - 1}") == {"data": []}


async def test_a_payment_is_found_by_its_reference_however_it_is_typed(site: Site) -> None:
    """Clerks copy it from a bank's memo or type it from a slip: any case, I and L for 1, O for 0.

    What is no reference finds nothing, which is no mistake of the asker.
    """
    payment = await site.payment()
    reference = payment["reference"]
    forms = (
        reference, reference.lower(), f"TP{reference}", f"tp{reference}".lower(),
        reference.replace("1", "I").replace("0", "o"), reference.replace("1", "l"),
    )  # fmt: skip

    for typed in forms:
        found = await site.get(f"/payments?reference={typed}")
        assert [p["id"] for p in found["data"]] == [payment["id"]], typed
    for typed in ("nothing", "0" * 12, "", "TP"):
        assert await site.get(f"/payments?reference={typed}") == {"data": [], "next_cursor": None}
