"""Personal data leaves the country only where somebody said so; a sandbox has none (DOMAIN 6)."""

import json
from pathlib import Path
from typing import Any

import pytest
from city import city
from front_door import AGENCY, Site
from officers import signed_in
from watched_city import Watched

from gateway.entry.cli import main
from gateway.entry.doctor import providers as examined
from gateway.infra.clock import TestClock
from gateway.services.ways import ABROAD

LIVE = f"UPDATE agency SET is_sandbox = false WHERE id = '{AGENCY}'"


async def shown(site: Site) -> dict[str, Any]:
    ways = (await site.get("/providers"))["data"]
    return next(way for way in ways if way["provider"] == "stripe")


async def page(site: Site, payment: dict[str, Any]) -> str:
    path = payment["links"]["pay"].removeprefix(str(site.http.base_url).rstrip("/"))
    return (await site.http.get(path)).text


async def test_a_live_agency_is_offered_no_provider_abroad_and_told_why(watched: Watched) -> None:
    """An attempt that began before is still heard: its money has moved."""
    site = watched.site
    before = await site.payment(1)
    attempt = await site.attempt(before, "stripe")
    assert (await shown(site))["offered"]
    text = await page(site, before)
    assert "Stripe" in text
    assert text.count("được gửi ra khỏi Việt Nam") == 1  # Who pays abroad is told first.

    await site.as_owner(LIVE)

    payment = await site.payment(2)
    refused = await site.ask(f"/payments/{payment['id']}/attempts", {"provider": "stripe"})
    again = await site.ask(f"/payments/{before['id']}/attempts", {"provider": "stripe"})
    for answer in (refused, again):
        assert (answer.status_code, answer.json()["type"]) == (
            409, "/problems/provider-unavailable",
        )  # fmt: skip
    way = await shown(site)
    assert (way["needs_abroad"], way["offered"], way["why_not"]) == (True, False, ABROAD)
    text = await page(site, payment)
    assert "Stripe" not in text
    assert "VNPAY" in text
    assert f"stripe is not offered: {ABROAD}" in (await examined(site.parts)).said
    async with signed_in(site, "operator") as browser:
        one = await browser.get("/console/providers/stripe/default")
        every = await browser.get("/console/providers?lang=en")
    assert every.text.count("THUPHI_ALLOW_ABROAD is not set") == 1
    assert "Dữ liệu cá nhân sẽ ra nước ngoài" in one.text
    watched.banks.pay(attempt["redirect_url"])
    await watched.work()
    assert (await watched.shown(before))["state"] == "paid"


async def test_a_live_agency_that_allows_it_is_offered_it(
    database_url: str, clock: TestClock
) -> None:
    async with city(database_url, clock, ALLOW_ABROAD="yes") as there:
        await there.site.as_owner(LIVE)
        payment = await there.site.payment()

        assert (await there.site.attempt(payment, "stripe"))["redirect_url"]
        way = await shown(there.site)
        assert (way["offered"], way["why_not"]) == (True, None)


async def test_a_provider_at_home_asks_nobody(watched: Watched) -> None:
    """What is not abroad is offered as before, to the live agency too."""
    await watched.site.as_owner(LIVE)
    ways = (await watched.site.get("/providers"))["data"]

    home = [way for way in ways if way["provider"] != "stripe"]
    assert len(home) >= 5
    assert all(way["offered"] and not way["needs_abroad"] for way in home)


def test_the_list_of_adapters_says_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("THUPHI_STRIPE_SECRET_KEY", "sk_test_0123456789")
    monkeypatch.setenv("THUPHI_STRIPE_WEBHOOK_SECRET", "whsec_0123456789")
    monkeypatch.setenv("THUPHI_STRIPE_BASE_URL", "https://api.stripe.com")

    for allowed, why in (("no", ABROAD), ("yes", None)):
        monkeypatch.setenv("THUPHI_ALLOW_ABROAD", allowed)
        assert main(["adapters", "list", "--json"]) == 0
        rows = json.loads(capsys.readouterr().out)["adapters"]
        assert {r["name"]: r["why_not"] for r in rows}["stripe"] == why
    monkeypatch.setenv("THUPHI_ALLOW_ABROAD", "maybe")
    assert main(["adapters", "list"]) == 2
    assert "THUPHI_ALLOW_ABROAD must be yes or no" in capsys.readouterr().err
