"""Provider accounts as rows: of one agency each, sealed, rotated without losing a notice."""

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlsplit

import pytest
from front_door import AGENCY, VNPAY_SECRET, Site
from sqlalchemy import text

from gateway.domain.errors import Refusal
from gateway.services.seed import seed

FIELDS = {
    "VNPAY_TMN_CODE": "TAYHO001", "VNPAY_SECRET": "tay-ho-secret-one",
    "VNPAY_BASE_URL": "http://127.0.0.1:9/pay", "VNPAY_API_URL": "http://127.0.0.1:9/api",
}  # fmt: skip


async def opened(site: Site, agency: str = AGENCY, name: str = "tay-ho") -> None:
    accounts = site.parts.registry.accounts
    await accounts.add(agency, "vnpay", name, FIELDS, "test")
    await site.parts.registry.refresh()


def notice(attempt: dict[str, Any], secret: str) -> str:
    asked = dict(parse_qsl(urlsplit(attempt["redirect_url"]).query))
    values = {
        "vnp_Amount": asked["vnp_Amount"], "vnp_PayDate": "20261118081000",
        "vnp_ResponseCode": "00", "vnp_TmnCode": asked["vnp_TmnCode"],
        "vnp_TransactionNo": str(int(attempt["id"][-6:], 36)),
        "vnp_TransactionStatus": "00", "vnp_TxnRef": asked["vnp_TxnRef"],
    }  # fmt: skip
    query = "&".join(f"{quote_plus(k)}={quote_plus(v)}" for k, v in sorted(values.items()))
    mac = hmac.new(secret.encode(), query.encode(), hashlib.sha512).hexdigest()
    return f"{query}&vnp_SecureHash={mac}"


async def told(site: Site, attempt: dict[str, Any], secret: str, name: str = "tay-ho") -> str:
    answer = await site.http.get(f"/notices/vnpay/{name}?{notice(attempt, secret)}")
    code: str = answer.json()["RspCode"]
    return code


async def test_an_agencys_own_account_is_offered_before_the_environments(site: Site) -> None:
    await opened(site)
    payment = await site.payment()

    attempt = await site.attempt(payment)

    assert "vnp_TmnCode=TAYHO001" in attempt["redirect_url"]
    assert await told(site, attempt, VNPAY_SECRET, "default") == "97"  # Another merchant's secret.
    assert await told(site, attempt, FIELDS["VNPAY_SECRET"]) == "00"
    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "paid"


async def test_another_agencys_account_is_never_offered(site: Site) -> None:
    await seed(site.parts.store, live=True)
    await opened(site, "hn-tthcc", "live")

    attempt = await site.attempt(await site.payment())

    assert "vnp_TmnCode=TESTTMN1" in attempt["redirect_url"]


async def test_two_secrets_are_believed_during_a_rotation_and_one_afterwards(site: Site) -> None:
    """Notices that were signed before the change are still on their way."""
    await opened(site)
    accounts = site.parts.registry.accounts
    attempts = [await site.attempt(await site.payment(n)) for n in (1, 2, 3)]
    fresh = {"VNPAY_SECRET": "tay-ho-secret-two"}

    await accounts.rotate("vnpay", "tay-ho", fresh, timedelta(hours=72), "test")
    await site.parts.registry.refresh()

    assert await told(site, attempts[0], "tay-ho-secret-one") == "00"
    assert await told(site, attempts[1], "tay-ho-secret-two") == "00"
    assert await told(site, attempts[1], "tay-ho-secret-six") == "97"
    site.clock.move(timedelta(hours=73))
    await site.parts.registry.refresh()
    assert await told(site, attempts[2], "tay-ho-secret-one") == "97"
    assert await told(site, attempts[2], "tay-ho-secret-two") == "00"


async def test_a_closed_account_takes_no_new_payer_and_every_notice(site: Site) -> None:
    """Money that has moved is never refused."""
    await opened(site)
    attempt = await site.attempt(await site.payment(1))

    await site.parts.registry.accounts.close("vnpay", "tay-ho", "test")
    await site.parts.registry.refresh()

    other = await site.attempt(await site.payment(2))
    assert "vnp_TmnCode=TESTTMN1" in other["redirect_url"]
    assert await told(site, attempt, FIELDS["VNPAY_SECRET"]) == "00"


async def test_credentials_are_sealed_in_their_own_cell_and_shown_nowhere(site: Site) -> None:
    await opened(site)
    await opened(site, name="hoan-kiem")

    async with site.parts.store.begin() as tx:
        rows = await tx.rows(text("SELECT name, sealed FROM provider_account ORDER BY name"))
        assert not any(b"secret" in bytes(r["sealed"]) for r in rows)
        await tx.run(  # Two cells swapped: neither opens.
            text("UPDATE provider_account SET sealed = :sealed WHERE name = 'tay-ho'"),
            {"sealed": rows[0]["sealed"]},
        )
    shown = repr(site.parts.registry) + repr(await site.parts.registry.accounts.listed())
    assert "tay-ho-secret-one" not in shown
    with pytest.raises(ValueError, match="changed or moved"):
        await site.parts.registry.accounts.all()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"VNPAY_SECRET": "short"}, "VNPAY_SECRET must be"),
        ({"VNPAY_SECRET": None}, "vnpay needs VNPAY_SECRET"),
        ({"VNPAY_TYPO": "x"}, "no field VNPAY_TYPO"),
    ],
)
async def test_wrong_fields_are_named_before_anything_is_kept(
    site: Site, changes: dict[str, Any], said: str
) -> None:
    values = {k: v for k, v in (FIELDS | changes).items() if v is not None}

    with pytest.raises(Refusal) as caught:
        site.parts.registry.build("vnpay", "tay-ho", values)

    assert said in caught.value.detail
    assert "THUPHI_" not in caught.value.detail


@pytest.mark.parametrize("name", ["default", "X", "a b", "", "a" * 33])
async def test_a_name_that_cannot_stand_in_an_address_is_refused(site: Site, name: str) -> None:
    with pytest.raises(Refusal):
        await site.parts.registry.accounts.add(AGENCY, "vnpay", name, FIELDS, "test")


async def test_the_same_name_twice_is_refused_in_one_sentence(site: Site) -> None:
    await opened(site)

    with pytest.raises(Refusal) as caught:
        await opened(site)

    assert "already" in caught.value.detail
    with pytest.raises(Refusal, match="no agency"):
        await site.parts.registry.accounts.add("nobody", "vnpay", "x1", FIELDS, "test")
    assert json.dumps(caught.value.detail)
