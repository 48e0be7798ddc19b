"""What a receipt says: one frozen value, made when it is numbered and never changed after."""

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from typing import Any, Final, Self

from receipts.words import in_words

# What may be committed to; contact data (e-mail, phone) is not in a receipt in any shape.
COMMITTED: Final = ("name", "citizen_id", "tax_code", "address")
salt_bytes: Final = 32


@dataclass(frozen=True, slots=True)
class Line:
    """One fee or charge on a receipt."""

    code: str
    name: str
    amount: int
    budget_line: str


@dataclass(frozen=True, slots=True)
class Commitment:
    """A salted hash of one thing known of the payer: it proves, and tells nothing by itself."""

    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class Replaced:
    """The receipt that another one replaces, named as its face does, and why."""

    form: str
    series: str
    number: int
    issued_on: date
    tax_code: str
    cause: str  # amount | tax_code | refund

    def content(self) -> dict[str, Any]:
        """Give what is kept of it."""
        return asdict(self) | {"issued_on": self.issued_on.isoformat()}

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        """Build the value again from what was kept."""
        return cls(**{**content, "issued_on": date.fromisoformat(content["issued_on"])})


@dataclass(frozen=True, slots=True)
class Receipt:
    """The contents that art. 23.2 of ND 254/2026 asks for, and what leads back to the payment."""

    rules: str
    kind: str
    title: str
    form: str
    series: str
    number: int
    issued_on: date
    is_sandbox: bool
    agency_name: str
    agency_tax_code: str
    agency_address: str
    branch_name: str
    dossier_id: str
    procedure: str
    procedure_name: str
    reference: str
    lines: tuple[Line, ...]
    amount: int
    amount_in_words: str
    verify_code: str
    verify_url: str
    certificate_sha256: str
    payer_name: str | None = field(default=None, repr=False)
    commitments: tuple[Commitment, ...] = ()
    replaces: Replaced | None = None
    log: str | None = None  # The transparency log that it is a leaf of; None before there was one.

    def __post_init__(self) -> None:
        """Refuse a receipt whose own figures disagree; only a replacement may come to nothing."""
        if (
            self.amount < (0 if self.replaces else 1)
            or sum(line.amount for line in self.lines) != self.amount
        ):
            raise ValueError("The lines of a receipt must add up to its amount.")

    def content(self) -> dict[str, Any]:
        """Give what is kept beside the row; the payer's name is kept sealed, not here."""
        kept = {name: getattr(self, name) for name in _KEPT}
        kept["issued_on"] = self.issued_on.isoformat()
        kept["lines"] = [asdict(line) for line in self.lines]
        kept["commitments"] = [asdict(x) for x in self.commitments]
        return kept | ({"replaces": self.replaces.content()} if self.replaces else {})

    @classmethod
    def of(cls, content: Mapping[str, Any], payer_name: str | None) -> Self:
        """Build the value again from what was kept."""
        former = content.get("replaces")
        return cls(
            **{
                **content,
                "replaces": Replaced.of(former) if former else None,
                "issued_on": date.fromisoformat(content["issued_on"]),
                "lines": tuple(Line(**x) for x in content["lines"]),
                "commitments": tuple(Commitment(**x) for x in content["commitments"]),
                "payer_name": payer_name,
            }
        )


# Walking the whole value, as ``asdict`` does, takes as long as signing it.
_KEPT: Final = tuple(f.name for f in fields(Receipt) if f.name not in ("payer_name", "replaces"))


def total_in_words(lines: tuple[Line, ...]) -> tuple[int, str]:
    """Add the lines up, in figures and in words."""
    amount = sum(line.amount for line in lines)
    return amount, in_words(amount)


def canonical(value: str) -> str:
    """Bring a value to the one form that is committed to: NFC, single spaces."""
    return " ".join(unicodedata.normalize("NFC", value).split())


def commit(name: str, value: str, salt: bytes) -> Commitment:
    """Commit to a value: SHA-256 over salt and canonical value."""
    return Commitment(name, hashlib.sha256(salt + canonical(value).encode()).hexdigest())
