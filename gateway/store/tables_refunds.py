"""Money that goes back: refunds that people ask for, and disputes that payers win or lose."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY

from gateway.store.columns import belongs, instant, metadata, money, of_agency, own, words

refund: Final = Table(
    "refund",
    metadata,
    *own(
        Column("serial", BigInteger, Identity(always=True), nullable=False),
        words("payment_id", optional=True),  # Unknown money has no payment.
        words("capture_id"),
        words("source"),  # debt | surplus | suspended | on_account: what it is given back from.
        words("route"),  # provider | transfer | treasury
        words("state"),
        money("amount"),
        words("reason"),
        words("requested_by"),
        words("decided_by", optional=True),  # Who approved or rejected it; never who asked.
        Column("payee_sealed", LargeBinary, nullable=True),  # Bank, account, name: for a transfer.
        words("document", optional=True),  # What proves that a transfer was made.
        words("provider_txn_id", optional=True),
        words("code", optional=True),  # The provider's last word.
        Column("parts", ARRAY(BigInteger), nullable=False),  # Of each fee line, once approved.
        instant("created_at"),
        instant("decided_at", optional=True),
        instant("sent_at", optional=True),
        instant("ended_at", optional=True),
        instant("ask_at", optional=True),  # When it is sent or asked about next.
        Column("asked", Integer, nullable=False),
    ),
    of_agency(),
    belongs("payment", "payment_id"),
    belongs("capture", "capture_id"),
    CheckConstraint(
        "state IN ('requested','approved','rejected','sent','in_doubt','done','failed')",
        name="state",
    ),
    CheckConstraint("source IN ('debt','surplus','suspended','on_account')", name="source"),
    CheckConstraint("route IN ('provider','transfer','treasury')", name="route"),
    CheckConstraint("amount > 0", name="amount"),
    CheckConstraint(
        "decided_by IS NULL OR decided_by <> requested_by", name="maker_is_not_checker"
    ),
    Index("ix_refund_payment", "agency_id", "payment_id"),
    Index("ix_refund_capture", "agency_id", "capture_id"),
    Index("ix_refund_ask", "ask_at", postgresql_where="ask_at IS NOT NULL"),
)

dispute: Final = Table(
    "dispute",
    metadata,
    *own(
        words("provider"),
        words("account"),
        words("provider_dispute_id"),
        words("capture_id"),
        words("payment_id", optional=True),
        words("state"),
        money("amount"),
        money("fee"),
        # Once lost: by the agency, or the fee is owed again; null where it had paid no debt.
        Column("is_borne", Boolean, nullable=True),
        instant("opened_at"),
        instant("ended_at", optional=True),
    ),
    of_agency(),
    belongs("capture", "capture_id"),
    belongs("payment", "payment_id"),
    UniqueConstraint("provider", "account", "provider_dispute_id"),
    CheckConstraint("state IN ('opened','won','lost')", name="state"),
    CheckConstraint("amount > 0 AND fee >= 0", name="amount"),
    Index("ix_dispute_capture", "agency_id", "capture_id"),
)
