"""A receipt by e-mail, through a real SMTP server on loopback that can refuse and be away."""

import io
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from front_door import AGENCY, Site, free_port, opened
from officers import send, signed_in
from receipt_days import PAYER, paid
from sqlalchemy import text

from gateway.entry.logs import JsonLines
from gateway.entry.settings import SettingError, read_settings
from gateway.infra.clock import TestClock
from receipts.mailing import Mailing, asked_max, tries_max
from receipts.post import is_address

PASSWORD = "a mail server's password"


@dataclass
class Letters:
    """What the server took, and what it answers next."""

    taken: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    users: list[bytes] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - the library's name.
        if self.answers:
            return self.answers.pop(0)
        read = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(read, EmailMessage)
        self.taken.append(read)
        return "250 OK"

    def check(self, _s: Any, _session: Any, _e: Any, _mechanism: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        self.users.append(given.login)
        return AuthResult(success=given.password == PASSWORD.encode())


@dataclass
class Post:
    """A gateway with a mail server."""

    site: Site
    letters: Letters

    async def send(self) -> int:
        """Do what the worker does."""
        parts = self.site.parts
        return await Mailing(parts.store, parts.vault, parts.settings.mail).send()

    async def ask(self, token: str, to: str) -> httpx.Response:
        return await self.site.http.post(f"/receipts/{token}/mail", data={"to": to})


@pytest_asyncio.fixture
async def post(database_url: str, clock: TestClock, tmp_path: Path) -> AsyncIterator[Post]:
    """Run a mail server that wants a password, and a gateway that knows it."""
    letters = Letters()
    server = Controller(
        letters, hostname="127.0.0.1", port=free_port(), authenticator=letters.check,
        auth_require_tls=False,
    )  # fmt: skip
    server.start()
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)
    more = {
        "THUPHI_SMTP_URL": f"smtp://thuphi@127.0.0.1:{server.port}",
        "THUPHI_SMTP_FROM": "bien-lai@example.vn", "THUPHI_SMTP_PASSWORD_FILE": str(secret),
    }  # fmt: skip
    try:
        async with opened(database_url, clock, more) as site:
            yield Post(site, letters)
    finally:
        server.stop()


async def issued(site: Site, n: int = 1) -> dict[str, Any]:
    payment = await paid(site, n, payer=PAYER)
    await site.parts.receipts.issue()
    shown: dict[str, Any] = (await site.get(f"/payments/{payment['id']}"))["receipts"][0]
    return shown | {"token": shown["links"]["pdf"].rsplit("/", 1)[1].removesuffix(".pdf")}


async def mails(site: Site) -> list[dict[str, Any]]:
    async with site.parts.store.begin() as tx:
        return list(await tx.rows(text("SELECT * FROM receipt_mail ORDER BY asked_at, id")))


async def test_who_asks_with_an_address_gets_the_pdf_and_the_address_is_forgotten(
    post: Post,
) -> None:
    caught = io.StringIO()
    handler = logging.StreamHandler(caught)
    handler.setFormatter(JsonLines())
    logging.getLogger().addHandler(handler)
    shown = await issued(post.site)
    page = f"/receipts/{shown['token']}.html"
    form = (await post.site.http.get(page)).text
    wrong = await post.ask(shown["token"], "a@b.vn\r\nBcc: c@d.vn")
    nobody = await post.send()
    asked = await post.ask(shown["token"], "canary@other.vn")
    told = (await post.site.http.get(asked.headers["location"])).text
    post.letters.answers = ["451 later"]
    sent = [await post.send(), await post.send()]
    post.site.clock.move(timedelta(minutes=2))
    sent += [await post.send(), await post.send()]
    logging.getLogger().removeHandler(handler)

    assert [nobody, *sent] == [0, 0, 0, 1, 0]
    assert "Gửi bản PDF qua thư điện tử" in form
    assert wrong.headers["location"] == f"{page}?mailed=no#mail"
    assert "Biên lai sẽ được gửi" in told
    (letter,) = post.letters.taken
    assert post.letters.users == [b"thuphi"] * 2
    assert letter["To"] == "canary@other.vn"
    assert letter["From"].addresses[0].addr_spec == "bien-lai@example.vn"
    assert letter["Subject"].endswith("26TAA 1")
    (pdf,) = letter.iter_attachments()
    assert pdf.get_content() == (await post.site.http.get(shown["links"]["pdf"])).content
    body = letter.get_body()
    assert body is not None
    assert page in body.get_content()
    (row,) = await mails(post.site)
    assert (row["state"], row["to_sealed"], row["tries"]) == ("sent", None, 2)
    assert letter["Message-ID"] == f"<{row['id']}@example.vn>"
    assert "is not sent yet" in caught.getvalue()
    assert "canary" not in caught.getvalue()


async def test_the_payers_own_address_is_used_when_the_agency_or_an_officer_says_so(
    post: Post,
) -> None:
    """By itself an address that came with a payment is not written to."""
    await issued(post.site)
    assert await mails(post.site) == []
    await post.site.as_owner(
        "UPDATE agency SET settings = settings || '{\"receipt_mailed\": true}'"
    )
    second = await issued(post.site, 2)
    page = f"/console/receipts/{second['id']}"
    async with signed_in(post.site) as desk:
        again = await send(desk, page, f"{page}/mail", to="")
        refused = await send(desk, page, f"{page}/mail", to="nobody")
    sent = await post.send()

    assert again.status_code == 200
    assert refused.status_code == 400
    assert sent == 2
    assert [x["To"] for x in post.letters.taken] == [PAYER["email"]] * 2
    assert {r["asked_by"] for r in await mails(post.site)} == {
        "agency", f"staff:accountant-{AGENCY}",
    }  # fmt: skip
    async with post.site.parts.store.begin() as tx:
        notes = await tx.rows(text("SELECT object_id FROM audit WHERE action = 'receipt.mail'"))
    assert [n["object_id"] for n in notes] == [second["id"]]


async def test_what_is_refused_for_good_is_given_up_and_what_is_not_reached_waits(
    post: Post,
) -> None:
    shown = await issued(post.site)
    asked = [await post.ask(shown["token"], "a@example.vn") for _ in range(asked_max + 1)]
    post.letters.answers = ["554 no"] * asked_max
    sent = [await post.send(), await post.send()]
    over = {(r["state"], r["code"], r["to_sealed"]) for r in await mails(post.site)}

    parts = post.site.parts
    assert parts.settings.mail is not None
    gone = replace(parts.settings.mail, port=free_port())
    mailing = Mailing(parts.store, parts.vault, gone)
    await mailing.ask(AGENCY, shown["id"], "a@example.vn", "staff:x")
    for _ in range(tries_max):
        assert (await mails(post.site))[-1]["state"] == "queued"
        await mailing.send()
        post.site.clock.move(timedelta(hours=6, minutes=1))

    assert [a.status_code for a in asked] == [303] * asked_max + [429]
    assert sent == [0, 0]
    assert over == {("given_up", "refused", None)}
    assert (await mails(post.site))[-1]["code"] == "not-reached"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"SMTP_URL": "http://x"}, "must be like smtps"),
        ({"SMTP_URL": "smtp://u:secretword@h"}, "no place for a password"),
        ({"SMTP_URL": "smtp://u@h", "SMTP_FROM": "a@b.vn"}, "a user and a password file"),
        ({"SMTP_URL": "smtps://h", "SMTP_FROM": "nobody"}, "needs a sender"),
    ],
)
def test_a_mail_server_that_is_named_wrongly_is_one_sentence(
    values: dict[str, str], words: str
) -> None:
    with pytest.raises(SettingError, match=words) as found:
        read_settings({f"THUPHI_{k}": v for k, v in values.items()}, ())
    assert "secretword" not in str(found.value)


@pytest.mark.parametrize("words", ["a@b", "a@b.vn\nBcc: c@d.vn", "a b@c.vn", "a@c.vn,d@e.vn"])
def test_what_could_end_a_header_or_name_two_is_no_address(words: str) -> None:
    assert not is_address(words)
    assert is_address("nguyen.van+a@mail.example.vn")
