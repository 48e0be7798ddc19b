"""Whoever only looks changes nothing: a HEAD, a browser that reads ahead, a link checker."""

import pytest
from front_door import Site, vnpay_query
from sqlalchemy import text

AHEAD = (
    {"sec-purpose": "prefetch"}, {"sec-purpose": "prefetch;prerender"}, {"purpose": "prefetch"},
    {"x-moz": "prefetch"}, {"x-purpose": "preview"},
)  # fmt: skip
PAGES = ("/", "/docs", "/healthz", "/readyz", "/metrics", "/openapi.json", "/console/login",
         "/problems/not-found", "/static/console.css")  # fmt: skip


async def attempts(site: Site) -> list[str]:
    async with site.parts.store.begin() as tx:
        return [row["state"] for row in await tx.rows(text("SELECT state FROM attempt"))]


@pytest.mark.parametrize("ahead", AHEAD, ids=repr)
async def test_reading_ahead_begins_no_attempt(site: Site, ahead: dict[str, str]) -> None:
    """A browser that fetches the links of a page would else begin one with every provider."""
    payment = await site.payment()

    answer = await site.http.get(f"{payment['links']['pay']}/vnpay", headers=ahead)

    assert (answer.status_code, answer.headers["cache-control"]) == (204, "no-store")
    assert await attempts(site) == []
    click = await site.http.get(f"{payment['links']['pay']}/vnpay")
    assert click.status_code == 303
    assert await attempts(site) == ["redirected"]


async def test_a_head_of_a_way_to_pay_begins_no_attempt(site: Site) -> None:
    payment = await site.payment()

    answer = await site.http.head(f"{payment['links']['pay']}/vnpay")

    assert answer.status_code == 204
    assert await attempts(site) == []


async def test_a_head_of_a_banks_return_puts_nothing_in_doubt(site: Site) -> None:
    payment = await site.payment()
    back = f"{payment['links']['pay']}?{vnpay_query(await site.attempt(payment))}"

    answer = await site.http.head(back)

    assert answer.status_code == 303
    assert await attempts(site) == ["redirected"]
    await site.http.get(back)
    assert await attempts(site) == ["in_doubt"], "the witness is awake"


async def test_the_head_of_a_page_says_what_the_page_would(site: Site) -> None:
    payment = await site.payment()

    for path in (*PAGES, payment["links"]["pay"]):
        head, whole = await site.http.head(path), await site.http.get(path)
        assert (head.status_code, head.content) == (200, b""), path
        assert head.headers["content-type"] == whole.headers["content-type"]


async def test_a_notice_cannot_be_brought_by_a_head(site: Site) -> None:
    attempt = await site.attempt(await site.payment())

    answer = await site.http.head(f"/notices/vnpay/default?{vnpay_query(attempt)}")

    assert answer.status_code == 405
    assert await attempts(site) == ["redirected"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("DELETE", "/v1/payments", "GET, POST"), ("PUT", "/v1/payments/pay_1/cancel", "POST"),
     ("PATCH", "/pay/x", "GET, HEAD"), ("BREW", "/healthz", "GET, HEAD"),
     ("PUT", "/notices/vnpay/default", "GET, POST"), ("HEAD", "/v1/payments/pay_1", "GET")],
)  # fmt: skip
async def test_a_method_that_is_not_allowed_is_told_which_are(
    site: Site, method: str, path: str, allowed: str
) -> None:
    answer = await site.http.request(method, path)

    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert answer.headers["content-type"] == "application/problem+json"
    if method != "HEAD":
        assert answer.json()["type"] == "/problems/method-not-allowed"
