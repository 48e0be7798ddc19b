"""``/verify`` for anybody with a receipt's file, and how little guessing helps."""

import tracemalloc
import zlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from front_door import Site, free_port, serving
from receipt_days import paid
from receipt_samples import receipt, signer
from sqlalchemy import text

from gateway.entry.web.app import build_app
from gateway.entry.web.arrival import Limits
from gateway.entry.web.checking import form_bytes_max
from receipts.attached import attached
from receipts.papers import Papers
from receipts.proof import proven_bytes_max
from receipts.xml import read_sealed, write


async def issued(site: Site) -> dict[str, Any]:
    """Pay and issue; give the receipt."""
    payment = await paid(site)
    await site.parts.receipts.issue()
    shown: dict[str, Any] = (await site.get(f"/payments/{payment['id']}"))["receipts"][0]
    return shown


async def look(site: Site, data: bytes, lang: str = "vi") -> httpx.Response:
    """Send a file as the form does."""
    return await site.http.post(f"/verify?lang={lang}", files={"file": ("b.pdf", data)})


async def test_a_file_is_checked_as_its_code_is(site: Site) -> None:
    """The XML proves itself; of a PDF it is said whether it is the very one that was made."""
    shown = await issued(site)
    xml = (await site.http.get(shown["links"]["xml"])).content
    pdf = (await site.http.get(shown["links"]["pdf"])).content
    strip = shown["links"]["pdf"].replace(".pdf", ".strip.pdf")
    await site.http.get(strip)
    await Papers(site.parts.store).draw()

    answers = [await look(site, x) for x in (xml, pdf, (await site.http.get(strip)).content)]
    by_code = await site.http.get(f"/verify/{shown['verify_code']}")
    english = await look(site, xml, "en")
    changed = await look(site, pdf + b"\n% saved anew")

    assert [a.status_code for a in answers] == [200] * 3
    assert all("Biên lai thử nghiệm hợp lệ" in a.text for a in answers)
    assert "giống từng byte với bản gốc" in answers[0].text
    assert all("giống từng byte với bản mà hệ thống" in a.text for a in answers[1:])
    facts = by_code.text.partition('<dl class="facts">')[2].partition("</dl>")[0]
    assert facts
    assert facts in answers[0].text
    assert "byte for byte, the original" in english.text
    assert "đừng tin các trang của tệp PDF" in changed.text
    assert facts in changed.text


async def test_what_is_not_one_of_ours_is_never_called_valid(site: Site) -> None:
    shown = await issued(site)
    xml = (await site.http.get(shown["links"]["xml"])).content
    pdf = (await site.http.get(shown["links"]["pdf"])).content
    total = f"<TgTTTBSo>{shown['amount']}<".encode()
    stranger = signer().seal(write(receipt()))
    # The same receipt, signed by somebody else: whole, and not what we keep.
    own = replace(read_sealed(xml), certificate_sha256=signer().fingerprint)
    resigned = signer().seal(write(own))
    inside = zlib.compress(resigned)
    forged = b"%PDF-1.7\n1 0 obj<</Type/EmbeddedFile/Filter/FlateDecode>>stream\n" + inside

    said = {
        "altered": [xml.replace(total, total.replace(b">", b">9")), xml[:-1] + b" "],
        "foreign": [stranger, resigned, forged],
        "unreadable": [b"", b"x", pdf[:300], b"%PDF-1.7\n" + b"/EmbeddedFile stream\n" * 40_000],
    }
    words = {
        "altered": "Tệp đã bị sửa đổi", "foreign": "Tệp này không do hệ thống này lập",
        "unreadable": "Không có biên lai trong tệp này",
    }  # fmt: skip

    assert total in xml
    for what, files in said.items():
        for data in files:
            answer = await look(site, data)
            assert answer.status_code == 404
            assert words[what] in answer.text
            assert "hợp lệ</h1>" not in answer.text


async def test_a_file_that_is_too_long_is_refused_by_its_length(site: Site) -> None:
    answer = await look(site, bytes(form_bytes_max))
    assert answer.status_code == 413
    nothing = await site.http.post("/verify", content=b"x", headers={"content-type": "text/plain"})
    assert nothing.status_code == 404


def test_what_inflates_without_end_is_cut_and_no_receipt() -> None:
    bomb = b"%PDF-1.7\n<</Type/EmbeddedFile>>stream\n" + zlib.compress(bytes(50_000_000), 9)
    tracemalloc.start()

    found = attached(bomb)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found is None
    assert peak < 3 * proven_bytes_max


def test_an_attachment_is_read_deflated_or_as_it_is() -> None:
    xml = signer().seal(write(receipt()))
    head = b"%PDF-1.7\n<</Names(/EmbeddedFiles)>> <</Type /EmbeddedFile /Length 9>>\n"

    assert attached(head + b"stream\r\n" + zlib.compress(xml) + b"\r\nendstream") == xml
    assert attached(head + b"stream\n" + xml + b"\nendstream") == xml
    assert attached(head + b"stream\n" + xml) is None


async def test_every_code_that_opens_nothing_gets_one_answer(site: Site) -> None:
    """One that was given and is not sealed yet is no more to be told from one that never was."""
    shown = await issued(site)
    await site.as_owner("UPDATE receipt SET xml = NULL")
    never, unsealed = "0" * 16, shown["verify_code"]
    answers = [await site.http.get(f"/verify/{code}") for code in (never, unsealed)]

    grouped = ["-".join(c[i : i + 4] for i in range(0, 16, 4)) for c in (never, unsealed)]
    bodies = [a.text.replace(g, "") for a, g in zip(answers, grouped, strict=True)]
    assert [a.status_code for a in answers] == [404, 404]
    assert bodies[0] == bodies[1]
    assert "Không có biên lai với mã này" in bodies[0]


@pytest.mark.parametrize("lang", ["vi", "en"])
async def test_one_who_guesses_is_told_to_wait_and_nobody_else_is(site: Site, lang: str) -> None:
    shown = await issued(site)
    settings = replace(site.parts.settings, trusted_proxies=())
    port, code = free_port(), shown["verify_code"]
    async with (
        serving(
            build_app(replace(site.parts, settings=settings), Limits(quota_checks_max=3)), port
        ),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http,
    ):
        tried = [await http.get(f"/verify/{'0' * 15}{n}") for n in range(2)]
        tried.append(await http.post("/verify", files={"file": b"x"}))
        slow = [await http.get(f"/verify/{code}?lang={lang}"), await http.post("/verify")]
        elsewhere = await site.http.get(f"/verify/{code}")
        site.clock.move(timedelta(seconds=61))
        later = await http.get(f"/verify/{code}")

    assert [x.status_code for x in tried] == [404] * 3
    assert [(x.status_code, x.headers["retry-after"]) for x in slow] == [(429, "60")] * 2
    assert ("Too many checks" if lang == "en" else "Quá nhiều lượt tra cứu") in slow[0].text
    assert shown["verify_code"] not in slow[0].text
    assert elsewhere.status_code == 200
    assert later.status_code == 200


async def test_no_file_is_kept(site: Site) -> None:
    shown = await issued(site)
    xml = (await site.http.get(shown["links"]["xml"])).content
    before = await counts(site)
    await look(site, xml)
    assert await counts(site) == before


async def counts(site: Site) -> dict[str, int]:
    """Count the rows of every table that could hold a file."""
    async with site.parts.store.begin() as tx:
        tables = await tx.rows(
            text("SELECT table_name FROM information_schema.columns WHERE data_type = 'bytea'")
        )
        names = sorted({r["table_name"] for r in tables})
        return {n: (await tx.rows(text(f'SELECT count(*) AS n FROM "{n}"')))[0]["n"] for n in names}
