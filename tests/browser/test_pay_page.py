"""The payment page in a real browser: phone first, both languages, no script, no violation."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import zxingcpp
from front_door import Site, vnpay_query
from looking import opened, readable, weight
from PIL import Image
from playwright.async_api import Browser, Locator
from story import STATES, in_state

page_bytes_max = 20_480


async def link_in(site: Site, state: str, **changes: Any) -> str:
    """Bring a payment into a state; give its link."""
    link: str = (await in_state(site, state, **changes))["links"]["pay"]
    return link


async def top(place: Locator) -> float:
    """Give how far below the top of the page something begins, and see that it is shown."""
    box = await place.bounding_box()
    assert box is not None
    return box["y"]


@pytest.mark.parametrize("state", STATES)
async def test_every_state_is_readable_by_everybody_and_small(
    site: Site, browser: Browser, state: str
) -> None:
    link = await link_in(site, state, return_url="https://dvc.example.vn/xong")
    await site.parts.receipts.issue()
    for width in (360, 1280):
        page = await opened(browser, link, width)
        await readable(page, width)
        await page.goto(f"{link}?lang=en")
        await readable(page, width)
        primary = page.locator("main .action:not(.second):visible")
        assert await primary.count() <= 1, "one clear action"

    assert await weight(site, link) <= page_bytes_max


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (
            "partly",
            (
                "Đã nhận một phần",
                "Đã nhận 4.000\u00a0đ. Hãy chuyển nốt 6.000\u00a0đ",
                "Còn phải nộp",
                "Sáu nghìn đồng",
            ),
        ),
        ("held", ("Chờ nộp", "Đã nhận 9.000", "giữ lại để hoàn trả", "10.000")),
        ("doubt", ("Xin đừng nộp lại", "Mười nghìn đồng")),
        ("surplus", ("Đã nộp đủ", "Số tiền nộp thừa 2.000")),
        ("expired", ("đã hết hạn", "xin liên kết mới")),
        ("cancelled", ("đã được huỷ", "Không phải nộp")),
        ("waived", ("Không phải nộp", "không thu tiền")),
    ],
)
async def test_each_state_says_how_it_stands_and_what_to_do(
    site: Site, browser: Browser, state: str, says: tuple[str, ...]
) -> None:
    page = await opened(browser, await link_in(site, state))
    said = await page.inner_text("main")

    assert [x for x in says if x not in said] == []
    assert "vnp_" not in page.url, "the bank's words are cut from the address"
    is_payable = state in ("partly", "held")
    assert (await page.locator(".qr img").count() == 1) is is_payable


async def test_what_came_for_a_link_that_ended_is_accounted_for(
    site: Site, browser: Browser
) -> None:
    """Four thousand đồng came, and then time was over: the payer must not think them lost."""
    link = await link_in(site, "partly", expires_at="2026-11-18T02:00:00Z")
    site.clock.move(timedelta(hours=2))
    page = await opened(browser, link)
    before = await page.inner_text("main")

    await site.parts.payments.expire(site.parts.can_ask)
    await page.reload()

    assert "đã hết hạn" in before, "the page does not wait for our clock's job"
    assert "Đã nhận 4.000" in before
    assert before.replace("Kiểm tra lại", "").split() == (await page.inner_text("main")).split()


async def test_the_qr_on_the_page_is_the_transfer_that_is_due(
    site: Site, browser: Browser, tmp_path: Path
) -> None:
    """Read from the screen, as a bank's app does; of a part payment only the rest."""
    payment = await in_state(site, "partly")
    page = await opened(browser, payment["links"]["pay"], 1280)
    shot = tmp_path / "qr.png"
    await page.locator(".qr img").screenshot(path=shot)

    (code,) = zxingcpp.read_barcodes(Image.open(shot))

    assert f"TP{payment['reference']}" in code.text
    assert "54046000" in code.text


async def test_on_a_desk_the_qr_code_is_first(site: Site, browser: Browser) -> None:
    page = await opened(browser, await link_in(site, "open"), 1280)

    assert await top(page.locator(".qr img")) < await top(page.locator(".ways .action"))
    box = await page.locator(".qr img").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 800, "it is seen without scrolling"
    assert not await page.is_visible("text=Lưu ảnh mã QR"), "whoever can scan need not save"


async def test_on_a_phone_the_app_is_first_then_the_image_then_the_lines_to_copy(
    site: Site, browser: Browser, tmp_path: Path
) -> None:
    """Nobody can scan the own screen: the image is saved, and it is one that a gallery shows."""
    payment = await in_state(site, "open")
    page = await opened(browser, payment["links"]["pay"], 360)

    app, copy = page.locator(".ways .action"), page.locator(".copies")
    save = page.get_by_text("Lưu ảnh mã QR", exact=True)
    assert await top(app) < await top(save) < await top(copy)
    assert await top(app) < 800, "the first action is seen without scrolling"
    async with page.expect_download() as coming:
        await save.click()
    saved = await coming.value
    assert saved.suggested_filename == f"VietQR-{payment['reference']}.png"
    kept = tmp_path / saved.suggested_filename
    await saved.save_as(kept)
    (code,) = zxingcpp.read_barcodes(Image.open(kept))
    assert f"TP{payment['reference']}" in code.text


async def test_each_line_is_copied_as_the_banks_app_wants_it(site: Site, browser: Browser) -> None:
    payment = await in_state(site, "open")
    page = await opened(browser, payment["links"]["pay"])
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    copied = []
    for button in await page.locator(".copies button:visible").all():
        await button.click()
        await page.locator(".copies button:focus", has_text="Đã chép").wait_for()
        copied.append(await page.evaluate("navigator.clipboard.readText()"))

    memo = f"TP{payment['reference']}"
    assert copied == ["0123456789", "TT PHUC VU HANH CHINH CONG HN", "10000", memo]


async def test_without_javascript_no_button_is_dead(site: Site, browser: Browser) -> None:
    page = await opened(browser, await link_in(site, "open"), scripts=False)

    assert await page.locator("button:visible").count() == 0
    assert await page.is_visible("text=TT PHUC VU HANH CHINH CONG HN")


async def test_the_keyboard_reaches_the_bank(site: Site, browser: Browser) -> None:
    page = await opened(browser, await link_in(site, "open"), 1280)
    reached = []
    for _ in range(6):
        await page.keyboard.press("Tab")
        reached.append(await page.evaluate("document.activeElement.getAttribute('href') || ''"))

    assert any("/vnpay" in href for href in reached)


async def test_the_page_is_strict_and_leads_to_the_bank(site: Site) -> None:
    link = await link_in(site, "open")
    page = await site.http.get(link)

    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?! src=)|style=|<style|onclick", page.text)
    away = await site.http.get(f"{link}/vnpay")
    assert (away.status_code, urlsplit(away.headers["location"]).path) == (303, "/pay")
    again = await site.http.get(f"{link}/vnpay")
    assert again.headers["location"] == away.headers["location"], "the live attempt is used again"


async def test_a_way_that_cannot_be_opened_says_so_and_what_to_do(
    site: Site, browser: Browser
) -> None:
    link = await link_in(site, "open")
    page = await opened(browser, f"{link}/nobank")

    assert "chưa có khoản tiền nào bị trừ" in await page.inner_text("[role=alert]")
    await page.goto(f"{link}?lang=vi&told=%3Cb%3E")
    assert await page.is_visible(".ways .action")
    assert await page.locator("[role=alert]").count() == 0, "the address cannot put words in"


async def test_who_comes_back_from_a_declined_try_is_told_and_may_try_again(
    site: Site, browser: Browser
) -> None:
    payment = await in_state(site, "open")
    attempt = await site.attempt(payment)
    query = vnpay_query(attempt, vnp_ResponseCode="24", vnp_TransactionStatus="02")

    page = await opened(browser, f"{payment['links']['pay']}?{query}")

    assert "không thành công" in await page.inner_text("[role=alert]")
    assert await page.is_visible(".ways .action")
    assert "vnp_" not in page.url


async def test_an_open_page_turns_by_itself_when_the_money_comes(
    site: Site, browser: Browser
) -> None:
    """The citizen scans with a phone and watches the desk's screen; first a part, then the rest."""
    payment = await in_state(site, "open")
    page = await opened(browser, payment["links"]["pay"], 1280)
    for number, amount, seen in ((1, 4_000, "6.000"), (2, 1_000, "5.000"), (3, 5_000, "Đã nộp đủ")):
        await site.sepay_says(f"TP{payment['reference']}", amount, number)

        await page.wait_for_selector(f"text={seen}", timeout=15_000)


async def test_without_javascript_the_same_is_one_click_away(site: Site, browser: Browser) -> None:
    payment = await in_state(site, "open")
    page = await opened(browser, payment["links"]["pay"], scripts=False)
    await site.sepay_says(f"TP{payment['reference']}", 10_000, 1)

    await page.click("text=Kiểm tra lại")

    assert "Đã nộp đủ" in await page.inner_text("main")
