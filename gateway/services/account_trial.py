"""Tries a provider account: it is asked about an order that nobody opened, and nothing moves."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from gateway.domain.errors import DeclinedError, InDoubtError
from gateway.ports.clock import Clock
from gateway.ports.provider import Inquires, Order, Provider

trial_amount: Final = 10_000
_LIFETIME: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Trial:
    """How it went; ``is_right`` is None where the provider cannot be asked anything."""

    is_right: bool | None
    code: str  # answered | unreachable | disbelieved | mute
    verdict: str = ""


async def try_account(provider: Provider, clock: Clock, public_url: str) -> Trial:
    """Ask; an answer that we believe proves address, code and secret at once."""
    if not isinstance(provider, Inquires):
        return Trial(None, "mute")
    now = clock.now()
    order = Order(
        reference=clock.new_id("att").removeprefix("att_"), serial=1,
        payment_reference="000000000000", amount=trial_amount, text="Kiem tra tai khoan",
        return_url=public_url, created_at=now, expires_at=now + _LIFETIME,
    )  # fmt: skip
    try:
        said = await provider.ask(order, now)
    except DeclinedError:
        return Trial(is_right=False, code="unreachable")
    except InDoubtError:
        return Trial(is_right=False, code="disbelieved")
    return Trial(is_right=True, code="answered", verdict=str(said.verdict))
