"""How a console page is made: one layout, one stylesheet, two languages, a strict policy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi.responses import Response

from gateway.entry.web.console_words import TABLES, actor, sentence, word
from gateway.entry.web.page import SCRIPTED, page
from gateway.services.access import Officer


@dataclass(frozen=True, slots=True)
class Look:
    """For whom a page is made, and in which language."""

    lang: str
    officer: Officer | None
    path: str
    other: str  # The same page in the other language.


def render(
    name: str, look: Look, values: Mapping[str, Any], status: int = 200, *, has_script: bool = False
) -> Response:
    """Make a page that no cache keeps and no other site frames."""

    def say(vietnamese: str, english: str) -> str:
        return english if look.lang == "en" else vietnamese

    def said(table: str, code: object) -> str:
        return word(table, str(code), look.lang)

    shown = {
        "look": look, "say": say, "word": said, "tables": TABLES,
        "sentence": lambda text: sentence(text, look.lang),
        "actor": lambda code: actor(code, look.lang), **values,
    }  # fmt: skip
    # Without a referrer a browser sends «Origin: null» with a form, and we could not tell our own.
    more = {"referrer-policy": "same-origin", **(SCRIPTED if has_script else {})}
    return page(f"console_{name}.html", shown, status, more)
