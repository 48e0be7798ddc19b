"""Who asks decides what an error is: a page that says what to do, or a problem document."""

from urllib.parse import urlsplit

import httpx
import pytest
from front_door import Site, vnpay_query
from receipt_days import paid

PERSON = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
NOWHERE = {
    "/pay/nothing": ("Không tìm thấy khoản thanh toán này", "There is no such payment link"),
    "/receipts/nothing.pdf": ("Không tìm thấy biên lai này", "There is no such receipt"),
    "/receipts/%00.html": ("Không tìm thấy biên lai này", "There is no such receipt"),
    "/pay/%00": ("Không tìm thấy khoản thanh toán này", "There is no such payment link"),
    "/static/nothing.css": ("Không có trang này", "There is no such page"),
    "/console/nothing": ("Không có trang này", "There is no such page"),
    "/nothing/at/all": ("Không có trang này", "There is no such page"),
    "//elsewhere.example/x": ("Không có trang này", "There is no such page"),
}


def is_page(answer: httpx.Response) -> bool:
    """Tell whether it is one of our pages, strict as all of them."""
    policy = answer.headers.get("content-security-policy", "")
    return (
        answer.headers["content-type"] == "text/html; charset=utf-8"
        and policy.startswith("default-src 'none'")
        and "script" not in policy
        and answer.headers["cache-control"] == "no-store"
    )


@pytest.mark.parametrize("path", NOWHERE)
async def test_a_person_gets_a_page_that_says_what_to_do(site: Site, path: str) -> None:
    vietnamese = await site.http.get(path, headers=PERSON)
    english = await site.http.get(f"{path}?lang=en", headers=PERSON)

    for answer, said, lang in zip((vietnamese, english), NOWHERE[path], ("vi", "en"), strict=True):
        assert answer.status_code == 404
        assert is_page(answer)
        assert f'<html lang="{lang}">' in answer.text
        assert said in answer.text
        assert 'class="action"' in answer.text, "there is a way on"
        assert "elsewhere.example" not in answer.text


@pytest.mark.parametrize("path", ["/pay/nothing", "/receipts/nothing.xml", "/nothing"])
async def test_a_program_gets_a_problem_document(site: Site, path: str) -> None:
    answer = await site.http.get(path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/not-found"


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/payments/pay_x", 404), ("/v1/nothing", 404), ("/v1/payments?state=x", 422),
     ("/notices/nobank/default", 404), ("/notices/nothing", 404), ("/metrics/x", 404)],
)  # fmt: skip
async def test_what_programs_call_answers_them_whatever_they_accept(
    site: Site, path: str, status: int
) -> None:
    """A library that says it accepts HTML, as some do, must still be able to read the problem."""
    headers = PERSON | {"authorization": f"Bearer {site.key}"}

    answer = await site.http.get(path, headers=headers)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_when_we_are_at_fault_a_person_is_told_that_no_money_is_lost(site: Site) -> None:
    payment = await site.payment()
    await site.as_owner("ALTER TABLE payment RENAME TO gone")

    person = await site.http.get(f"{payment['links']['pay']}?lang=vi", headers=PERSON)
    program = await site.http.get(payment["links"]["pay"])

    assert (person.status_code, program.status_code) == (503, 503)
    assert is_page(person)
    assert "đừng nộp lại" in person.text
    assert '<a class="action" href="">Thử lại</a>' in person.text, "the same page, once more"
    assert program.json()["type"] == "/problems/unavailable"


async def test_the_first_page_leads_everywhere_and_keeps_the_language(site: Site) -> None:
    vietnamese = await site.http.get("/")
    english = await site.http.get("/?lang=en")

    assert is_page(vietnamese)
    assert "Nộp tiền bằng liên kết đã nhận" in vietnamese.text
    assert "Pay with the link" in english.text
    assert '<input type="hidden" name="lang" value="en">' in english.text
    for link in ("/console", "/docs", "?lang=en"):
        assert f'href="{link}"' in vietnamese.text
    assert (await site.http.get("/?lang=xx")).text == vietnamese.text


@pytest.fixture
def groups() -> dict[str, tuple[str, str]]:
    """Say how people write a code: what stands between its groups, and around all of it."""
    return {
        "as printed": ("-", ""), "in one word": ("", ""), "with spaces": (" ", "  "),
        "with both": (" - ", "\t"), "with long dashes": ("–", ""), "with dots": (".", "."),
        "with slashes": ("/", "/"), "with breaks": ("\n", "\r\n"),
    }  # fmt: skip


async def test_a_typed_code_is_read_as_people_type_it(
    site: Site, groups: dict[str, tuple[str, str]]
) -> None:
    """Any case, with signs between the groups, and with the letters that look like figures."""
    payment = await paid(site)
    await site.parts.receipts.issue()
    code: str = (await site.get(f"/payments/{payment['id']}"))["receipts"][0]["verify_code"]

    for name, (between, around) in groups.items():
        grouped = between.join(code[i : i + 4] for i in range(0, 16, 4))
        for typed in (grouped, grouped.lower(), grouped.replace("0", "o").replace("1", "l")):
            sent = {"code": f"{around}{typed}{around}", "lang": "en"}
            answer = await site.http.get("/verify", params=sent)
            assert answer.status_code == 303
            assert answer.headers["location"] == f"/verify/{code}?lang=en", name
    found = await site.http.get(f"/verify/{code}?lang=en")
    assert "The test receipt is valid" in found.text


@pytest.mark.parametrize("typed", ["", " ", "-–-", "..", "/", "\x00", "%", "?&#", "\ufffd"])
async def test_what_is_no_code_at_all_leads_back_to_the_form(site: Site, typed: str) -> None:
    answer = await site.http.get("/verify", params={"code": typed, "lang": "en"})

    assert (answer.status_code, answer.headers["location"]) == (303, "/?lang=en")


@pytest.mark.parametrize(
    ("typed", "counted"),
    [("4T9K-2M7Q", 8), ("9" * 5_000, 32), ("é" * 16, 16), ("mã tra cứu", 8), ("٣" * 17, 17),
     ("A\x00B", 2), ("<script>alert(1)</script>", 18)],
)  # fmt: skip
async def test_another_text_is_looked_up_and_said_to_be_unknown(
    site: Site, typed: str, counted: int
) -> None:
    """Whatever it is: no fault of ours, the same text back in the form, and how long a code is."""
    sent = await site.http.get("/verify", params={"code": typed})
    answer = await site.http.get(sent.headers["location"], headers=PERSON)

    assert sent.status_code == 303
    assert sent.headers["location"].isascii()
    assert answer.status_code == 404
    assert is_page(answer)
    assert "Không có biên lai với mã này" in answer.text
    if counted != 16:
        assert f"mã vừa nhập có {counted}." in answer.text
    assert "<script" not in answer.text


async def test_a_code_without_a_parameter_asks_for_one(site: Site) -> None:
    answer = await site.http.get("/verify")

    assert (answer.status_code, answer.headers["location"]) == (303, "/?lang=vi")


@pytest.mark.parametrize("lang", ["en", "vi"])
async def test_who_leaves_for_a_bank_comes_back_in_the_same_language(site: Site, lang: str) -> None:
    """A bank gives our address back as it knows it, so the browser remembers."""
    payment, other = await site.payment(1), await site.payment(2)
    page = payment["links"]["pay"]
    left = await site.http.get(f"{page}/vnpay?lang={lang}")
    attempt = {"redirect_url": left.headers["location"]}

    back = await site.http.get(f"{page}?{vnpay_query(attempt)}")
    stranger = await site.http.get(f"{other['links']['pay']}?{vnpay_query(attempt)}")

    assert (back.status_code, back.headers["location"]) == (
        303,
        f"{urlsplit(page).path}?lang={lang}",
    )
    assert stranger.headers["location"].endswith("?lang=vi")


async def test_a_way_to_pay_that_nobody_offers_is_said_on_the_page(site: Site) -> None:
    page = (await site.payment())["links"]["pay"]

    answer = await site.http.get(f"{page}/nosuch?lang=en", follow_redirects=True)

    assert 'role="alert"' in answer.text
    assert "could not be opened" in answer.text
