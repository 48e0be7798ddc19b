"""Takes the pictures in docs/screenshots: every page, on a phone and on a desk, on a test clock.

Run it as ``.venv/bin/python docs/screenshots.py``, and look at each picture that changed.
"""

import asyncio
import random
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.async_api import Page

from gateway.entry.bootstrap import engine_of
from gateway.infra.clock import TestClock
from gateway.infra.embedded import Embedded
from gateway.store.migrate import migrate

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "docs" / "screenshots"
WIDTHS: Final = (360, 1280)
# Page of the story -> what is to be seen on its picture.
SEEN_BY_CITIZENS: Final = {
    "home": "The first page",
    "pay-open": "A payment link: on a phone the app first, on a desk the QR code",
    "pay-partly": "A part has come: what is missing",
    "pay-doubt": "In doubt: do not pay again",
    "pay-paid": "Paid, with its receipt",
    "pay-expired": "The link has expired",
    "pay-cancelled": "The payment was withdrawn",
    "pay-waived": "Nothing is due",
    "lost": "A link with a wrong character",
    "receipt": "A receipt",
    "receipt-replaced": "A receipt that another one replaces",
    "verify": "A receipt looked up by its code",
    "verify-replaced": "A code whose receipt was replaced",
    "verify-unknown": "A code with a character too few",
}
SEEN_AT_A_COUNTER: Final = {
    "counter": "The counter: scan or type, and the payer's display",
    "counter-payment": "Taking money",
    "display": "What the payer sees meanwhile",
}
SEEN_BY_STAFF: Final = {
    "console-login": "Sign in",
    "console-today": "Today",
    "console-payments": "Payments",
    "console-payment": "One payment, and everything that happened to it",
    "console-breaks": "Breaks: the list, one of them, and what it may be",
    "console-break": "One break: why, and what to do",
    "console-shifts": "Shifts",
    "console-refunds": "Refunds",
    "console-refund": "One refund, which a second person decides",
    "console-receipts": "Receipts",
    "console-receipt": "One receipt: what replaced it, and what is wrong",
    "console-authority": "What the tax authority is told, and what is due when",
    "console-usage": "The use of receipts in a quarter",
    "console-privacy": "A payer's data: who looked, and its erasure by two people",
    "console-erasures": "Erasures that wait for a second person",
    "console-days": "Days and files",
    "console-day": "One day: its money, its checklist, its signatures",
    "console-run": "One run of the reconciliation",
    "console-balance": "The trial balance",
    "console-statements": "Statements of procedure systems",
    "console-remittances": "What is due to the budget, and the slips",
    "console-remittance": "One slip, which a second person signs",
    "console-providers": "Providers: how each works now",
}
SEEN_BY_OPERATORS: Final = {
    "account": "One account with a provider: try it, rotate it, close it",
    "account-new": "A new account",
}
PICTURES: Final = SEEN_BY_CITIZENS | SEEN_AT_A_COUNTER | SEEN_BY_STAFF | SEEN_BY_OPERATORS
port: Final = 18_787  # Fixed, because receipts print the address: the pictures stay the same.
picture_height_max: Final = 1_400  # A long list is cut: its end shows nothing new.
colours: Final = 96  # A page has few; so many keep the edges of letters smooth.


@dataclass(slots=True)
class RepeatingClock(TestClock):
    """A test clock whose chance repeats, so that codes and ids are the same in every run."""

    chances: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - a sandbox, and gone at the end.

    def chance(self, size: int) -> bytes:
        """Give bytes that repeat."""
        return self.chances.randbytes(size)


def names() -> set[str]:
    """Name every picture that is made."""
    return {f"{name}-{width}.png" for name in PICTURES for width in WIDTHS}


def gallery() -> str:
    """Write the page that shows them all."""
    phone, desk = WIDTHS
    made = (
        "Made by `.venv/bin/python docs/screenshots.py`, on a test clock, of the story that the"
        " browser tests live through. Each page also speaks English."
    )
    lines = [
        "# Every page", "", made, "",
        f"| | on a phone ({phone} px) | on a desk ({desk} px) |", "|---|---|---|",
        *(
            f"| {said} | ![{said}, on a phone]({name}-{phone}.png)"
            f" | ![{said}, on a desk]({name}-{desk}.png) |"
            for name, said in PICTURES.items()
        ), "",
    ]  # fmt: skip
    return "\n".join(lines)


async def taken(page: Page, address: str, path: Path) -> None:
    """Take one picture, and keep it small."""
    await page.goto(address)
    shot = Image.open(BytesIO(await page.screenshot(full_page=True)))
    cut = shot.convert("RGB").crop((0, 0, shot.width, min(shot.height, picture_height_max)))
    cut.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
        path, optimize=True
    )


async def main() -> None:
    """Live through the story on a fresh database, and look at its pages."""
    sys.path.insert(0, str(ROOT / "tests"))  # The story and the browser are those of the tests.
    from front_door import PROVIDERS, open_site
    from looking import at_a_counter, chromium, height, opened, signed_in
    from story import told

    for old in FOLDER.glob("*.png"):
        old.unlink()
    (FOLDER / "README.md").write_text(gallery(), "utf-8")
    clock = RepeatingClock(datetime(2026, 11, 18, 1, 0, tzinfo=UTC))
    with tempfile.TemporaryDirectory(prefix="tp") as folder:
        server = Embedded(Path(folder))
        engine = engine_of(server.url())
        await migrate(engine)
        await engine.dispose()
        async with open_site(server.url(), clock, port, PROVIDERS) as site, chromium() as browser:
            base, pages = site.parts.settings.public_url, await told(site)
            windows = dict.fromkeys(SEEN_BY_CITIZENS, await opened(browser, f"{base}/"))
            clerk, display = await at_a_counter(site, browser)
            windows |= dict.fromkeys(SEEN_AT_A_COUNTER, clerk) | {"display": display}
            windows |= dict.fromkeys(
                SEEN_BY_STAFF, await signed_in(site, browser, scripts=True)
            ) | {"console-login": windows["home"]}
            operator = await signed_in(site, browser, role="operator", scripts=True)
            windows |= dict.fromkeys(SEEN_BY_OPERATORS, operator)
            for name in PICTURES:
                visitor = windows[name]
                for width in WIDTHS:
                    await visitor.set_viewport_size({"width": width, "height": height})
                    await taken(visitor, f"{base}{pages[name]}", FOLDER / f"{name}-{width}.png")
        server.stop()


if __name__ == "__main__":
    asyncio.run(main())
