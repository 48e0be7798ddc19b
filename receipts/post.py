"""A receipt by e-mail: who carries it, what it says, and how it is handed over (RFC 5321).

The library is Python's own. Outside of this machine a line is encrypted or not used.
"""

import re
import smtplib
import ssl
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any, Final, Self
from urllib.parse import unquote, urlsplit

timeout_s: Final = 20.0  # A mail server that says nothing for so long is asked again later.
address_chars_max: Final = 254  # RFC 5321.
_PORTS: Final = {"smtp": 587, "smtps": 465}
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
# What every mail server takes; who has another address downloads the receipt.
_ADDRESS: Final = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@([A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}")


class NotTakenError(Exception):
    """The server will never take this message; trying again helps nobody."""


class NotNowError(Exception):
    """The server could not be reached, or will perhaps take it later."""


def is_address(text: str) -> bool:
    """Tell whether it can be written to; also, that it cannot end a header."""
    return len(text) <= address_chars_max and _ADDRESS.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class MailPlace:
    """The mail server, and in whose name it is used."""

    host: str
    port: int
    is_tls: bool  # From the first byte; else STARTTLS, but for this machine.
    sender: str
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @classmethod
    def of(cls, url: str, sender: str, password: str) -> Self:
        """Read ``smtp://user@host:port`` or ``smtps:``. Raises ValueError with one sentence."""
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
        if not (port and parts.hostname) or parts.path.strip("/") or parts.query:
            raise ValueError("must be like smtps://user@mail.example.vn:465")
        if parts.password is not None:
            raise ValueError("has no place for a password: put it into a file of its own")
        if bool(parts.username) != bool(password):
            raise ValueError("needs a user and a password file, or neither")
        if not is_address(sender):
            raise ValueError("needs a sender such as bien-lai@example.vn")
        user = unquote(parts.username or "")
        return cls(parts.hostname, port, parts.scheme == "smtps", sender, user, password)

    def hand_over(self, message: EmailMessage) -> None:
        """Give one message to the server. Raises NotTakenError and NotNowError."""
        try:
            with self._line() as line:
                if self.user:
                    line.login(self.user, self.password)
                line.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            codes = {code for code, _ in error.recipients.values()}
            raise (NotTakenError if min(codes) >= 500 else NotNowError)(f"{codes}") from None  # noqa: PLR2004 - SMTP's permanent answers.
        except smtplib.SMTPDataError as error:
            raise (NotTakenError if error.smtp_code >= 500 else NotNowError)(  # noqa: PLR2004 - the same.
                f"{error.smtp_code}"
            ) from None
        except (smtplib.SMTPException, OSError) as error:
            # Neither quotes the server: it may name the payer's address.
            raise NotNowError(type(error).__name__) from None

    def _line(self) -> smtplib.SMTP:
        if self.is_tls:
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=timeout_s, context=context)
        line = smtplib.SMTP(self.host, self.port, timeout=timeout_s)
        if self.host not in _LOOPBACK:
            line.starttls(context=ssl.create_default_context())
        return line


def letter(
    place: MailPlace, to: str, shown: dict[str, Any], link: str, pdf: bytes, message_id: str
) -> EmailMessage:
    """Write the message: what it is, where it stays, and the PDF; in both languages."""
    made = EmailMessage()
    user, _, domain = place.sender.rpartition("@")
    made["From"] = Address(shown["agency"], user, domain)
    made["To"] = to
    made["Subject"] = (
        f"{shown['sandbox']} {shown['title']} {shown['series']} {shown['number']}".strip()
    )
    made["Message-ID"] = f"<{message_id}@{domain}>"  # One that comes twice is seen to be one.
    made["Auto-Submitted"] = "auto-generated"  # So that nobody's absence answers it.
    made.set_content(
        f"{shown['sandbox']}\n\n{shown['title']} {shown['series']} số {shown['number']},"
        f" {shown['day']}, {shown['total']} đồng.\n"
        f"{shown['agency']} gửi kèm bản PDF. Xem và tải lại trong mười năm tại:\n{link}\n\n"
        f"Receipt {shown['series']} no. {shown['number']}, {shown['total']} VND, is attached as a"
        " PDF.\nIt can be viewed and downloaded for ten years at the address above.\n".lstrip()
    )
    name = f"bien-lai-{shown['series']}-{shown['number']}.pdf"
    made.add_attachment(pdf, maintype="application", subtype="pdf", filename=name)
    return made
