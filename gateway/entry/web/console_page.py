"""How a console page is made: one layout, one stylesheet, two languages, a strict policy."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from fastapi.responses import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.domain.calendar import HANOI
from gateway.domain.money import figures
from gateway.entry.web.console_words import TABLES, word
from gateway.services.access import Officer

HERE: Final = Path(__file__).parent
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Look:
    """For whom a page is made, and in which language."""

    lang: str
    officer: Officer | None
    path: str
    other: str  # The same page in the other language.


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters |= {"dong": _dong, "at": _at, "on": _on, "n": figures}
    return made


def _dong(amount: int) -> str:
    return f"{figures(amount)} đ"


def _at(at: datetime) -> str:
    return at.astimezone(HANOI).strftime("%H:%M:%S %d/%m/%Y")


def _on(day: date) -> str:
    return day.strftime("%d/%m/%Y")


def render(name: str, look: Look, values: Mapping[str, Any], status: int = 200) -> Response:
    """Make a page that no cache keeps and no other site frames."""

    def say(vietnamese: str, english: str) -> str:
        return english if look.lang == "en" else vietnamese

    def said(table: str, code: object) -> str:
        return word(table, str(code), look.lang)

    body = (
        _templates()
        .get_template(f"console_{name}.html")
        .render({"look": look, "say": say, "word": said, "tables": TABLES, **values})
    )
    headers = {
        "content-security-policy": POLICY, "cache-control": "no-store",
        "referrer-policy": "same-origin",
    }  # fmt: skip
    return Response(body, status, headers, "text/html; charset=utf-8")
