"""Operators open, rotate, try and close provider accounts on the console; no secret comes back."""

import httpx
from east_bank import rows
from front_door import AGENCY, Site
from officers import csrf, signed_in

from gateway.domain.errors import DeclinedError, InDoubtError
from gateway.ports.provider import Order
from gateway.services.seed import seed

HERE = "/console/providers"
FIELDS = {
    "VNPAY_TMN_CODE": "TAYHO001", "VNPAY_SECRET": "tay-ho-secret-one",
    "VNPAY_BASE_URL": "http://127.0.0.1:9/pay", "VNPAY_API_URL": "http://127.0.0.1:9/api",
}  # fmt: skip
SECRETS = ("tay-ho-secret-one", "tay-ho-secret-two")


async def send(browser: httpx.AsyncClient, page: str, path: str, **fields: str) -> httpx.Response:
    token = csrf((await browser.get(page)).text)
    return await browser.post(path, data={"csrf": token, **fields}, follow_redirects=True)


async def add(browser: httpx.AsyncClient, name: str = "tay-ho", **changes: str) -> httpx.Response:
    fields = {"provider": "vnpay", "name": name, **FIELDS, **changes}
    return await send(browser, f"{HERE}/new?provider=vnpay", HERE, **fields)


async def test_an_account_is_opened_rotated_tried_and_closed(site: Site) -> None:
    async with signed_in(site, "operator") as browser:
        form = await browser.get(f"{HERE}/new?provider=vnpay")
        added = await add(browser)
        here = added.url.path
        attempt = await site.attempt(await site.payment())
        tried = await send(browser, here, f"{here}/test")
        rotated = await send(
            browser, here, f"{here}/rotate", VNPAY_SECRET="tay-ho-secret-two", hours="24"
        )
        closed = await send(browser, here, f"{here}/close")
        all_of_them = await browser.get(f"{HERE}?lang=en")

    assert 'type="password"' in form.text
    assert here == f"{HERE}/vnpay/tay-ho"
    assert f"{site.parts.settings.public_url}/notices/vnpay/tay-ho" in added.text
    assert "vnp_TmnCode=TAYHO001" in attempt["redirect_url"]  # The web process knows it at once.
    assert "Không có câu trả lời đáng tin" in tried.text  # Nobody is there.
    assert "còn được tin đến 08:00, 19/11/2026" in rotated.text
    assert "Tài khoản không nhận khoản mới" in closed.text
    assert "It takes nothing new" in all_of_them.text
    for page in (added, tried, rotated, closed, all_of_them):
        assert not any(secret in page.text for secret in SECRETS)
    told = await rows(site, "SELECT actor, action, object_id FROM audit ORDER BY id")
    assert [(t["action"], t["object_id"]) for t in told if t["action"].startswith("account.")] == [
        (f"account.{what}", "vnpay/tay-ho") for what in ("add", "test", "rotate", "close")
    ]
    assert {t["actor"] for t in told if t["action"].startswith("account.")} == {
        f"staff:operator-{AGENCY}"
    }


async def test_what_is_wrong_is_said_and_shows_no_value(site: Site) -> None:
    async with signed_in(site, "operator") as browser:
        short = await add(browser, VNPAY_SECRET="")
        address = await add(browser, VNPAY_API_URL="nowhere/tay-ho-secret-one")
        first, twice = await add(browser), await add(browser)
        nothing = await send(
            browser, first.url.path, f"{first.url.path}/rotate", VNPAY_SECRET="", hours="24"
        )

    for page, said in (
        (short, "vnpay cần đủ các thông số: VNPAY_SECRET."),
        (address, "VNPAY_API_URL"), (twice, "Đã có tài khoản vnpay/tay-ho"),
        (nothing, "Hãy ghi ít nhất một giá trị mới"),
    ):  # fmt: skip
        assert page.status_code == 400
        assert said in page.text
        assert not any(secret in page.text for secret in SECRETS)


async def test_others_look_and_change_nothing(site: Site) -> None:
    """Health is for everybody who is signed in; another agency's accounts are for nobody here."""
    await seed(site.parts.store, live=True)
    async with signed_in(site, "operator") as operator, signed_in(site, "accountant") as other:
        here = (await add(operator)).url.path
        seen = await other.get(here)
        token = csrf(seen.text)
        for path in (HERE, f"{here}/rotate", f"{here}/close", f"{here}/test"):
            refused = await other.post(path, data={"csrf": token, "provider": "vnpay"})
            assert refused.status_code == 403
        no_token = await operator.post(f"{here}/close", data={})
        assert no_token.status_code == 403
        env = await send(operator, here, f"{HERE}/vnpay/default/close")
        async with signed_in(site, "operator", "hn-tthcc") as stranger:
            assert (await stranger.get(here)).status_code == 404
            stolen = await send(stranger, f"{HERE}/new?provider=vnpay", f"{here}/close")
            tried = await send(stranger, f"{HERE}/new?provider=vnpay", f"{here}/test")

    assert seen.status_code == 200
    assert "/rotate" not in seen.text
    assert (env.status_code, stolen.status_code, tried.status_code) == (404, 404, 404)
    (row,) = await rows(site, "SELECT closed_at FROM provider_account")
    assert row["closed_at"] is None


async def test_how_each_provider_works_is_said_with_its_figures(site: Site) -> None:
    """Hidden, with the reason and when it is tried again; the others as they are."""
    health = site.parts.attempts.health
    provider = site.parts.providers["vnpay", "default"]

    async def fail() -> Order:
        raise InDoubtError

    async def refuse() -> Order:
        raise DeclinedError

    for call in (fail, fail, fail, fail, refuse):
        try:
            await health.watched(provider, "ask", call)
        except (InDoubtError, DeclinedError):
            continue
    await health.judge()

    async with signed_in(site, "accountant") as browser:
        page = (await browser.get(HERE)).text
        english = (await browser.get(f"{HERE}/vnpay/default?lang=en")).text

    assert "Tạm ẩn" in page
    assert "Nhiều lần gọi không thành. Người nộp không được đưa sang." in " ".join(page.split())
    assert "08:01, 18/11/2026" in page
    assert "80 %" in page
    assert "Không phải gọi; chỉ nhận thông báo." in page  # The transfer, which is drawn here.
    assert "Nobody is sent there." in english
    assert "environment" in english
