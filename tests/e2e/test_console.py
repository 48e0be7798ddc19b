"""The console's doors: who may come in, what they may see, and what never leaves."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio
from books import DAY, reconcile, take, written
from front_door import AGENCY, Site
from officers import csrf, signed_in
from sqlalchemy import text
from statement_samples import SAMPLES

from gateway.services.seed import seed
from reconciliation.readers.xlsx import sheet_rows


@pytest_asyncio.fixture
async def desk(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """Give an accountant's browser."""
    async with signed_in(site) as browser:
        yield browser


@pytest.mark.parametrize(
    "path",
    ["", "/payments", "/payments/x", "/breaks", "/breaks/x", "/receipts", "/trial-balance", "/days",
     "/runs/x", "/refunds", "/refunds/x"],
)  # fmt: skip
async def test_nobody_sees_a_page_without_signing_in(site: Site, path: str) -> None:
    answer = await site.http.get(f"/console{path}")

    assert (answer.status_code, answer.headers["location"]) == (303, "/console/login")


async def test_a_session_is_a_cookie_that_no_script_reads_and_a_row_that_can_be_revoked(
    site: Site,
) -> None:
    password = await site.parts.access.add_staff("an", "accountant", AGENCY)
    answer = await site.http.post("/console/login", data={"username": "an", "password": password})
    cookie = answer.headers["set-cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/console" in cookie
    page = await site.http.get("/console")
    assert page.status_code == 200
    kept = dict(site.http.cookies)
    await site.http.post("/console/logout", data={"csrf": csrf(page.text)})
    site.http.cookies.update(kept)
    assert (await site.http.get("/console")).status_code == 303


async def test_a_session_that_somebody_planted_is_not_continued(site: Site) -> None:
    password = await site.parts.access.add_staff("an", "accountant", AGENCY)
    site.http.cookies.set("thuphi_session", "planted", path="/console")

    answer = await site.http.post("/console/login", data={"username": "an", "password": password})

    assert "planted" not in answer.headers["set-cookie"]


async def test_wrong_passwords_are_slowed_down_and_even_the_right_one_waits(site: Site) -> None:
    password = await site.parts.access.add_staff("an", "accountant", AGENCY)
    for _ in range(5):
        answer = await site.http.post("/console/login", data={"username": "an", "password": "no"})
        assert answer.status_code == 401

    late = await site.http.post("/console/login", data={"username": "an", "password": password})
    assert (late.status_code, late.headers["retry-after"]) == (429, "900")
    site.clock.move(timedelta(minutes=16))
    again = await site.http.post("/console/login", data={"username": "an", "password": password})
    assert again.status_code == 303


@pytest.mark.parametrize(
    ("headers", "token"),
    [({}, "wrong"), ({}, ""), ({"origin": "https://evil.example"}, None),
     ({"sec-fetch-site": "cross-site"}, None)],
)  # fmt: skip
async def test_a_post_from_elsewhere_changes_nothing(
    desk: httpx.AsyncClient, headers: dict[str, str], token: str | None
) -> None:
    right = csrf((await desk.get("/console")).text)

    answer = await desk.post(
        "/console/logout", data={"csrf": right if token is None else token}, headers=headers
    )

    assert answer.status_code == 403
    assert (await desk.get("/console")).status_code == 200


async def test_one_agency_never_sees_anothers_payment(site: Site) -> None:
    """Not by its id, not by a search, not by opening the payer."""
    payment = await site.payment()
    await seed(site.parts.store, live=True)
    async with signed_in(site, agency="hn-tthcc") as other:
        token = csrf((await other.get("/console")).text)
        assert (await other.get(f"/console/payments/{payment['id']}")).status_code == 404
        found = await other.get("/console/payments", params={"q": payment["reference"]})
        assert payment["id"] not in found.text
        opened = await other.post(f"/console/payments/{payment['id']}/payer", data={"csrf": token})
        assert opened.status_code == 404
        assert "Nguyễn" not in opened.text


@pytest.mark.parametrize("what", ["reference", "id", "dossier_id", "txn"])
async def test_a_payment_is_found_by_whatever_a_person_has_in_hand(
    site: Site, desk: httpx.AsyncClient, what: str
) -> None:
    payment = await site.payment()
    await site.vnpay_says(await site.attempt(payment))
    words = "14831393" if what == "txn" else payment[what]
    if what == "reference":
        words = f"tp{words.lower()}"

    answer = await desk.get("/console/payments", params={"q": words})

    assert answer.headers["location"] == f"/console/payments/{payment['id']}"


async def test_a_payments_page_tells_everything_that_happened_to_it_in_words(
    site: Site,
) -> None:
    payment = await site.payment()
    attempt = await site.attempt(payment)
    await site.vnpay_says(attempt)
    await site.parts.receipts.issue()
    await site.parts.outbox.sequence()
    site.clock.move(timedelta(hours=18))
    await take(site, "provider", {"merchant_reference": attempt["provider_reference"]})
    await reconcile(site)

    async with signed_in(site) as desk:
        page = (await desk.get(f"/console/payments/{payment['id']}")).text
        english = (await desk.get(f"/console/payments/{payment['id']}?lang=en")).text

    for said in (
        "Hệ thống thủ tục lập khoản thanh toán", "Người nộp chọn", "Tiền đã vào", "Bằng chứng",
        "Phải thu tổ chức thanh toán", "Khoản thanh toán được lập", "Biên lai lệ phí",
        "Mã giao dịch của ngân hàng, ví", "Mười nghìn đồng",
    ):  # fmt: skip
        assert said in page, said
    assert "Money came in" in english


async def test_the_payers_data_is_shown_on_request_and_the_reading_is_written_down(
    site: Site, desk: httpx.AsyncClient
) -> None:
    payment = await site.payment()
    path = f"/console/payments/{payment['id']}"
    page = (await desk.get(path)).text
    assert "Nguyễn Thị Hoà" not in page

    shown = await desk.post(f"{path}/payer", data={"csrf": csrf(page)})

    assert "Nguyễn Thị Hoà" in shown.text
    async with site.parts.store.begin() as tx:
        rows = await tx.rows(
            text("SELECT actor, action, object_id FROM audit WHERE actor LIKE 'staff:%'")
        )
    assert [tuple(r.values()) for r in rows] == [
        ("staff:accountant-hn-tthcc-test", "payer.read", payment["id"])
    ]


async def test_an_auditor_reads_the_books_and_not_the_payer(site: Site) -> None:
    payment = await site.payment()
    async with signed_in(site, "auditor") as auditor:
        page = (await auditor.get("/console")).text
        opened = await auditor.post(
            f"/console/payments/{payment['id']}/payer", data={"csrf": csrf(page)}
        )
        sent = await auditor.post(
            "/console/files", data={"csrf": csrf(page), "profile": "canonical-statement"},
            files={"file": ("x.csv", b"x")},
        )  # fmt: skip

        assert (opened.status_code, sent.status_code) == (403, 403)
        assert (await auditor.get("/console/trial-balance")).status_code == 200


async def test_what_a_client_wrote_is_shown_as_text_and_never_as_a_page(
    site: Site, desk: httpx.AsyncClient
) -> None:
    """A dossier's name is somebody else's word."""
    await site.payment(metadata={"k": "<script>alert(1)</script>"})

    for path in ("/console/payments", "/console/payments?q=%3Cscript%3Ealert(1)%3C/script%3E"):
        answer = await desk.get(path)
        assert "<script" not in answer.text
        assert "script-src" not in answer.headers["content-security-policy"]
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["cache-control"] == "no-store"


async def test_a_file_is_queued_at_the_door_read_by_the_worker_and_refused_by_its_line(
    site: Site, desk: httpx.AsyncClient
) -> None:
    token = csrf((await desk.get("/console/days")).text)
    good = written("statement", {"line_id": "1"})
    for name, content in (("good.csv", good), ("bad.csv", good.replace(b"10000", b"10.000"))):
        sent = await desk.post(
            "/console/files", data={"csrf": token, "profile": "canonical-statement"},
            files={"file": (name, content)},
        )  # fmt: skip
        assert sent.headers["location"] == "/console/days?told=queued"

    from gateway.entry.reconciling import reconciliation_of

    own = (SAMPLES / "vietcombank.csv").read_bytes()
    await desk.post(
        "/console/files", data={"csrf": token, "profile": "vietcombank"},
        files={"file": ("vcb.csv", own)},
    )  # fmt: skip
    assert await reconciliation_of(site.parts).intake.take_all() == 3
    page = (await desk.get("/console/days")).text
    assert "Sao kê Vietcombank (giả định)" in page
    assert re.search("số dư 1.000.000.{0,9} → 1.000.000", page), "what the bank's own file says"
    assert "Dòng 2: amount không phải số đồng nguyên" in page
    assert "good.csv" in page
    english = (await desk.get("/console/days?lang=en")).text
    assert "Line 2: amount is not a whole number" in english


async def test_a_form_with_a_character_that_no_database_keeps_is_only_odd(
    site: Site, desk: httpx.AsyncClient
) -> None:
    token = csrf((await desk.get("/console/days")).text)
    payment = await site.payment()

    sent = await desk.post(
        "/console/files", data={"csrf": token, "profile": "canonical-\0"},
        files={"file": ("a.csv", b"\0")},
    )  # fmt: skip
    asked = await desk.post(
        f"/console/payments/{payment['id']}/refunds",
        data={"csrf": token, "amount": "1", "expected": "0", "reason": "a\0b"},
    )

    assert sent.status_code in (303, 400)
    assert asked.status_code in (303, 400)


async def test_a_wrong_address_is_a_page_that_says_what_to_do(desk: httpx.AsyncClient) -> None:
    for path in ("/console/payments/nobody", "/console/breaks/nobody", "/console/runs/nobody"):
        answer = await desk.get(path)
        assert answer.status_code == 404
        assert "Hãy tìm lại" in answer.text
    for query in ("date=x", "date=2026-02-30&since=9", "date=0001-01-01"):
        assert (await desk.get(f"/console/trial-balance?{query}")).status_code == 200
    for query in ("number=%D9%A1", "number=" + "9" * 30, "series=%25", "before=%27"):
        assert (await desk.get(f"/console/receipts?{query}")).status_code == 200
    for query in ("q=%25%5C_", "q=" + "x" * 9_000, "since=x&upto=9999-12-31&state=zz&branch=zz"):
        assert (await desk.get(f"/console/payments?{query}")).status_code == 200


async def test_the_trial_balance_has_equal_columns(site: Site, desk: httpx.AsyncClient) -> None:
    await site.vnpay_says(await site.attempt(await site.payment()))

    page = (await desk.get(f"/console/trial-balance?date={DAY}")).text

    totals = re.findall(r"<tfoot>.*?</tfoot>", page, re.DOTALL)
    assert len(totals) == 2
    for total in totals:
        figures = re.findall(r'<td class="num"[^>]*>([0-9.]*)</td>', total)
        assert len(figures) == 6
        assert figures[2] == figures[3] != "0"
        assert figures[4] == figures[5]

    assert f'href="/console/trial-balance.xlsx?since={DAY}&amp;date={DAY}"' in page
    sheet = await desk.get(f"/console/trial-balance.xlsx?date={DAY}")
    titles, *lines = (row for _, row in sheet_rows(sheet.content))
    assert titles[:3] == ["Tài khoản", "Tên tài khoản", "Đầu kỳ, Nợ"]
    (owed,) = (x for x in lines if x[0] == "M1")
    assert (owed[1], owed[4:6]) == ("Còn phải thu", [10_000, 10_000])
    assert sum(x[4] for x in lines) == sum(x[5] for x in lines) > 0
    file = await desk.get(f"/console/trial-balance.csv?date={DAY}&since=2026-11-01")
    assert file.text.removeprefix("\ufeff").startswith("account,title,opening_debit")
    assert f"trial-balance-2026-11-01-{DAY}.csv" in file.headers["content-disposition"]
