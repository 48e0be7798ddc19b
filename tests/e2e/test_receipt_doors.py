"""The doors to a receipt: what they give, what they refuse, and what never comes out of them."""

import io
import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from front_door import Site
from payers import cells_of
from receipt_days import PAYER, paid
from sqlalchemy import text

from gateway.entry.logs import JsonLines
from receipts.draft import secrets_of
from receipts.receipt import commit
from receipts.xml import read_sealed

NEVER = (PAYER["phone"], PAYER["email"], PAYER["citizen_id"], PAYER["address"], PAYER["tax_code"])


async def issued(site: Site, **changes: Any) -> dict[str, Any]:
    """Pay and issue; give the receipt as the API shows it."""
    payment = await paid(site, **changes)
    await site.parts.receipts.issue()
    shown: dict[str, Any] = (await site.get(f"/payments/{payment['id']}"))["receipts"][0]
    return shown


async def change(site: Site, statement: str) -> None:
    async with site.parts.engine.begin() as connection:
        await connection.execute(text(statement))


def text_of(pdf: bytes, folder: Path) -> str:
    """Give everything in a PDF that can be read: its text, and the file that is attached."""
    file = folder / "r.pdf"
    file.write_bytes(pdf)
    done = subprocess.run(["/usr/bin/pdftotext", str(file), "-"], capture_output=True, check=True)  # noqa: S603 - our own words.
    subprocess.run(  # noqa: S603 - the same.
        ["/usr/bin/pdfdetach", "-saveall", "-o", str(folder), str(file)], check=True
    )
    return done.stdout.decode() + (folder / "bien-lai.xml").read_text("utf-8")


@pytest.mark.parametrize("shows_name", [True, False])
async def test_of_the_payer_only_the_name_is_shown_and_only_when_the_agency_says_so(
    site: Site, tmp_path: Path, shows_name: bool
) -> None:
    """Contact data in no shape; the rest as salted commitments; and nothing in the log."""
    caught = io.StringIO()
    handler = logging.StreamHandler(caught)
    handler.setFormatter(JsonLines())
    logging.getLogger().addHandler(handler)
    setting = json.dumps({"receipt_shows_payer_name": shows_name})
    await change(site, f"UPDATE agency SET settings = '{setting}'")

    shown = await issued(site, payer=PAYER)
    links = shown["links"]
    xml = (await site.http.get(links["xml"])).text
    html = (await site.http.get(links["html"])).text
    pdf = text_of((await site.http.get(links["pdf"])).content, tmp_path)
    check = (await site.http.get(f"/verify/{shown['verify_code']}")).text
    logging.getLogger().removeHandler(handler)

    for door in (xml, html, pdf):
        assert (PAYER["name"] in door) == shows_name
    for door in (xml, html, pdf, check, json.dumps(shown)):
        assert not any(value in door for value in NEVER)
    assert PAYER["name"] not in check
    assert ("C••• N••• T••• H•••" in check) == shows_name
    assert "Canary" not in caught.getvalue()
    assert links["xml"].rsplit("/", 1)[1].removesuffix(".xml") not in caught.getvalue()
    assert shown["verify_code"] not in caught.getvalue()
    names = {c.name for c in read_sealed(xml.encode()).commitments}
    assert names == {"citizen_id", "tax_code", "address"} | (set() if shows_name else {"name"})


async def test_a_commitment_can_be_opened_with_the_salt_that_the_vault_keeps(site: Site) -> None:
    """Without the salt twelve digits could be tried out; with it a dispute can be settled."""
    shown = await issued(site, payer=PAYER)
    async with site.parts.store.begin() as tx:
        row = await tx.row(
            text("SELECT id, payment_id, salts_sealed, content::text AS content FROM receipt")
        )
    assert row is not None
    assert not any(value in row["content"] for value in PAYER.values())

    secrets = secrets_of(row, await cells_of(site, row["payment_id"]))

    signed = read_sealed((await site.http.get(shown["links"]["xml"])).content).commitments
    opened = commit("citizen_id", PAYER["citizen_id"], secrets.salts["citizen_id"])
    assert opened in signed
    assert "Canary" not in repr(secrets)


async def test_the_pages_are_strict_kept_by_no_cache_and_named(site: Site) -> None:
    shown = await issued(site)
    kinds = {"xml": "application/xml", "pdf": "application/pdf", "html": "text/html"}
    for kind, media_type in kinds.items():
        answer = await site.http.get(shown["links"][kind])
        assert answer.headers["content-type"].startswith(media_type)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "script" not in answer.headers["content-security-policy"]
    for page in (shown["links"]["html"], f"/verify/{shown['verify_code']}"):
        body = (await site.http.get(page)).text
        assert "<script" not in body
        assert "style=" not in body
    name = (await site.http.get(shown["links"]["xml"])).headers["content-disposition"]
    assert name == 'inline; filename="bien-lai-26TAA-1.xml"'


async def test_a_code_is_read_as_people_type_it(site: Site) -> None:
    """In groups, in small letters, with the letters that look like figures."""
    code = (await issued(site))["verify_code"]
    grouped = "-".join(code[i : i + 4] for i in range(0, 16, 4)).lower()

    for typed in (code, grouped, grouped.replace("1", "l"), code.replace("0", "O")):
        answer = await site.http.get(f"/verify/{typed}")
        assert answer.status_code == 200
        assert "Biên lai thử nghiệm hợp lệ" in answer.text
    assert "The test receipt is valid" in (await site.http.get(f"/verify/{code}?lang=en")).text


@pytest.mark.parametrize("code", ["0" * 16, "x", "9" * 400, "%01" * 16, "é" * 16])
async def test_an_unknown_code_is_said_to_be_unknown(site: Site, code: str) -> None:
    answer = await site.http.get(f"/verify/{code}")

    assert answer.status_code == 404
    assert "Không có biên lai với mã này" in answer.text


@pytest.mark.parametrize("ending", ["xml", "pdf", "html", "svg", "exe"])
async def test_a_link_that_opens_nothing_says_so(site: Site, ending: str) -> None:
    for token in ("nothing", "%00", "0" * 32):
        answer = await site.http.get(f"/receipts/{token}.{ending}")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path",
    ["/receipts/%00.xml", "/verify/%00", "/pay/%00", "/v1/receipts/%00", "/v1/payments/%00",
     "/v1/payments?dossier_id=%00"],
)  # fmt: skip
async def test_a_nul_is_nowhere_and_no_fault_of_ours(site: Site, path: str) -> None:
    """The database cannot hold one, so asking it would be an error of ours: a 5xx."""
    answer = await site.http.get(path, headers={"authorization": f"Bearer {site.key}"})

    assert answer.status_code == 404


async def test_a_pdf_that_is_not_drawn_yet_says_when_to_come_back(site: Site) -> None:
    link = (await issued(site))["links"]["pdf"]
    await change(site, "UPDATE receipt SET pdf = NULL")

    program = await site.http.get(link)
    person = await site.http.get(link, headers={"accept": "text/html,*/*"})

    assert (program.status_code, person.status_code) == (503, 503)
    assert program.headers["retry-after"] == person.headers["retry-after"] == "2"
    assert program.json()["type"] == "/problems/unavailable"
    assert "Đang chuẩn bị bản PDF" in person.text
    await site.parts.receipts.issue()
    assert (await site.http.get(link)).status_code == 200


async def test_a_stored_byte_that_was_changed_is_seen_by_who_looks_it_up(site: Site) -> None:
    """Somebody with a hand in the database makes 10.000 into 90.000."""
    code = (await issued(site))["verify_code"]
    await change(
        site,
        "UPDATE receipt SET xml = convert_to(replace(convert_from(xml, 'UTF8'),"
        " '<TTien>10000<', '<TTien>90000<'), 'UTF8')",
    )

    said = (await site.http.get(f"/verify/{code}")).text

    assert "Bản lưu không còn nguyên vẹn" in said
    assert "hợp lệ" not in said


async def test_another_agencys_receipt_is_not_shown(site: Site) -> None:
    shown = await issued(site)
    await change(
        site,
        "INSERT INTO agency (id, name, tax_code, address, budget_chapter, is_sandbox, settings)"
        " VALUES ('other', 'Other', '1', 'x', '1', true, '{}')",
    )
    _, key = await site.parts.access.add_client("o", "other", may_price=False, return_origins=[])

    answer = await site.http.get(
        f"/v1/receipts/{shown['id']}", headers={"authorization": f"Bearer {key}"}
    )

    assert answer.status_code == 404


def test_the_web_process_stays_light() -> None:
    """One slow PDF must not delay a bank's notice, and memory stays small."""
    ask = (
        "import sys, gateway.entry.web.app, gateway.entry.bootstrap;"
        "print([m for m in ('duckdb', 'pyarrow', 'typst', 'lxml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, check=True)  # noqa: S603 - our own words.
    assert done.stdout == b"[]\n"


async def test_a_real_receipt_is_valid_without_reservation(site: Site) -> None:
    """The sandbox's word is never the live one's: the very headline differs."""
    await site.parts.receipts.certificate("hn-tthcc-test")
    await change(site, "UPDATE agency SET is_sandbox = false")
    code = (await issued(site))["verify_code"]

    said = (await site.http.get(f"/verify/{code}")).text

    assert "Biên lai hợp lệ" in said
    assert "THỬ NGHIỆM" not in said
