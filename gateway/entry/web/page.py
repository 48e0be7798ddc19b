"""How a page is made and sent: one set of templates, a strict policy, no cache, no frame."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.domain.calendar import HANOI
from gateway.domain.money import figures

HERE: Final = Path(__file__).parent
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
# For pages that turn by themselves or take keys; no other page may run a script, not even ours.
SCRIPTED: Final = {"content-security-policy": f"{_POLICY}; script-src 'self'; connect-src 'self'"}


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters |= {"dong": _dong, "at": _at, "second": _second, "on": _on, "n": figures}
    return made


def _dong(amount: int) -> str:
    return f"{figures(amount)} đ"


def _at(at: datetime) -> str:
    return at.astimezone(HANOI).strftime("%H:%M, %d/%m/%Y")


def _second(at: datetime) -> str:
    return at.astimezone(HANOI).strftime("%H:%M:%S %d/%m/%Y")


def _on(day: date) -> str:
    return day.strftime("%d/%m/%Y")


def language(request: Request) -> str:
    """Give the language a page is asked for in: Vietnamese unless English is named."""
    return "en" if request.query_params.get("lang") == "en" else "vi"


def wants_page(request: Request) -> bool:
    """Tell whether a person's browser asks: an error is then a page, not a document."""
    return "text/html" in request.headers.get("accept", "")


def send(
    body: bytes | str, media_type: str, status: int = 200, more: Mapping[str, str] | None = None
) -> Response:
    """Send what no cache keeps, no other site frames, and no referrer tells of."""
    headers = {
        "content-security-policy": _POLICY, "cache-control": "no-store",
        "referrer-policy": "no-referrer", "x-robots-tag": "noindex", **(more or {}),
    }  # fmt: skip
    return Response(body, status, headers, media_type)


def page(
    template: str,
    values: Mapping[str, Any],
    status: int = 200,
    more: Mapping[str, str] | None = None,
) -> Response:
    """Make a page of a template."""
    body = _templates().get_template(template).render(values)
    return send(body, "text/html; charset=utf-8", status, more)
