"""Canary names, phones, numbers and secrets go in at every door and never come out in a log."""

import asyncio
import io
import json
import logging
import warnings
from collections.abc import Iterator

import pytest
from front_door import SEPAY_SECRET, VNPAY_SECRET, Site, payment_body, vnpay_query
from payers import cells_of
from sqlalchemy import Engine, event, text

from gateway.domain.errors import REFUSALS
from gateway.entry.logs import start_logs
from gateway.entry.web.problems import STATUS

CANARIES = (
    "Canary Nguyễn", "0987654321", "001190999999", "canary@example.vn", "sekretcanary",
    VNPAY_SECRET, SEPAY_SECRET,
)  # fmt: skip


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Catch every line that any logger writes, in the form that a process writes it."""
    root, ours = logging.getLogger(), logging.getLogger("thuphi")
    before = (root.handlers, root.level, ours.level)
    out = io.StringIO()
    start_logs(to=out)
    yield out
    logging.captureWarnings(capture=False)
    root.handlers = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])


async def test_no_canary_is_in_a_log_or_in_an_error(site: Site, log: io.StringIO) -> None:
    payer = {
        "name": CANARIES[0], "phone": CANARIES[1], "citizen_id": CANARIES[2], "email": CANARIES[3],
    }  # fmt: skip
    payment = await site.payment(payer=payer)
    attempt = await site.attempt(payment)
    answers = [
        await site.ask("/payments", payment_body(2) | {"payer": payer, "price_on": "x"}),
        await site.ask("/payments", payment_body(3) | {"dossier_id": f" {CANARIES[2]}"}),
        await site.ask("/payments", payment_body(4) | {"agency": CANARIES[4]}),
        await site.http.get(f"/v1/payments?phone={CANARIES[1]}&token={CANARIES[4]}"),
        await site.http.get(f"/pay/{CANARIES[4]}"),
        await site.http.get(f"/notices/vnpay/default?{vnpay_query(attempt)}x{CANARIES[4]}"),
        await site.http.get("/v1/events", headers={"authorization": f"Bearer {CANARIES[4]}"}),
        await site.http.post(
            "/console/login", data={"username": CANARIES[3], "password": CANARIES[4]}
        ),
        await site.http.get("/console/payments", params={"q": CANARIES[1]}),
        await site.http.post("/console/files", files={"file": (CANARIES[3], CANARIES[0])}),
    ]
    await site.vnpay_says(attempt, vnp_OrderInfo=CANARIES[4])
    await site.sepay_says(f"{CANARIES[0]} {CANARIES[1]}", 5_000, 3)
    # And the database itself falls over in the middle of a request.
    await site.as_owner("ALTER TABLE payment RENAME TO gone")
    broken = await site.ask("/payments", payment_body(5) | {"payer": payer})

    assert broken.status_code == 503
    written = log.getvalue() + "".join(a.text for a in [*answers, broken])
    assert "request" in written, "the log must have been caught"
    for canary in CANARIES:
        assert canary not in written
    token = payment["links"]["pay"].rsplit("/", 1)[1]
    assert token not in log.getvalue()
    for line in log.getvalue().splitlines():
        assert isinstance(json.loads(line), dict)


async def test_payer_data_is_stored_only_sealed(site: Site) -> None:
    payment = await site.payment(payer={"name": CANARIES[0]})

    async with site.parts.store.begin() as tx:
        row = await tx.row(text("SELECT payment::text AS all, payer_sealed FROM payment"))

    assert row is not None
    assert CANARIES[0] not in row["all"]
    place = f"payment|{payment['id']}|payer"
    cells, sealed = await cells_of(site, payment["id"]), bytes(row["payer_sealed"])
    assert json.loads(cells.open(place, sealed) or "") == {"name": CANARIES[0]}
    with pytest.raises(ValueError, match="changed or moved"):
        cells.open("payment|pay_other|payer", sealed)
    with pytest.raises(ValueError, match="another key"):
        site.parts.vault.open(place, sealed)


async def test_the_metrics_are_prometheus_text(site: Site) -> None:
    await site.payment()

    answer = await site.http.get("/metrics")

    assert 'thuphi_answers_total{door="v1",method="POST",status="201"} 1' in answer.text
    assert "thuphi_events_unstamped 1" in answer.text


async def test_a_form_that_cannot_be_read_is_the_senders_mistake_and_one_json_line(
    site: Site, log: io.StringIO
) -> None:
    """The form's parser writes into its own log what it stumbled over."""
    logging.getLogger("python_multipart.multipart").setLevel(logging.NOTSET)
    form = {"content-type": "multipart/form-data; boundary=x"}

    answer = await site.http.post("/console/login", content=b"--sekretcanary", headers=form)

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-request")
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    told = [x for x in lines if x["from"].startswith("python_multipart")]
    assert [x["message"].partition(":")[0] for x in told] == ["multipart"]
    assert "canary" not in log.getvalue()


async def test_what_a_library_says_is_told_by_its_place_alone(log: io.StringIO) -> None:
    # The test's own framework may take warnings back between a fixture and its test.
    logging.captureWarnings(capture=False)
    logging.captureWarnings(capture=True)
    logging.getLogger("somebody.else").error("could not read %s", CANARIES[0])
    logging.getLogger("somebody.else").info("https://x/%s", CANARIES[4])
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(CANARIES[2], stacklevel=1)

    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [x["from"] for x in lines] == ["somebody.else", "py.warnings"]
    assert lines[0]["message"].startswith("test_privacy:")
    assert not any(canary in log.getvalue() for canary in CANARIES)


async def raw(site: Site, method: str, path: str) -> bytes:
    """Send a request line as it is: a client would tidy the path up first."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.http.base_url.port)
    writer.write(f"{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer


async def test_only_our_own_words_for_an_address_are_logged(site: Site, log: io.StringIO) -> None:
    """An address that is almost right still opens the page to whoever reads the log."""
    payment = await site.payment()
    token = payment["links"]["pay"].rsplit("/", 1)[1]

    for path in (f"//pay/{token}", f"/PAY/{token}", f"/pay//{token}", f"/./pay/{token}",
                 f"/{token}", f"/pay/{token}", f"/pay/{token}/vnpay", f"/pay/{token}/",
                 f"/v1/payments/{token}", f"/problems/{token}", f"/console/{token}"):  # fmt: skip
        assert (await raw(site, "GET", path)).startswith(b"HTTP/1.1 "), path
    assert b" 405 " in await raw(site, "SEKRETCANARY", "/healthz")
    assert b" 405 " in await raw(site, "DELETE", "/v1/payments")

    assert token not in log.getvalue()
    assert "SEKRETCANARY" not in log.getvalue()
    asked = [json.loads(line) for line in log.getvalue().splitlines()]
    seen = {(x["method"], x["path"]) for x in asked if x["message"] == "request"}
    assert {("GET", "/pay/{token}"), ("GET", "/pay/{token}/{provider}"), ("GET", "…"),
            ("…", "/healthz"), ("DELETE", "/v1/payments")} <= seen  # fmt: skip


def test_every_refusal_has_a_status() -> None:
    assert set(STATUS) == set(REFUSALS)


async def test_a_payers_key_costs_a_payment_no_statement_of_its_own(site: Site) -> None:
    """The year's key is read once in a process; a payment's goes along with the payment."""
    await site.payment(1, payer={"name": CANARIES[0]})
    sent: list[str] = []

    def count(_c: object, _u: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", count)
    await site.payment(2)
    bare, sent[:] = len(sent), []
    await site.payment(3, payer={"name": CANARIES[0]})
    event.remove(Engine, "before_cursor_execute", count)

    assert 0 < len(sent) == bare
    assert not [statement for statement in sent if "year_key" in statement]
