"""Our calls to providers, kept for a while, and where each provider stands because of them."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
)

from gateway.store.columns import instant, metadata, of_agency, words

provider_call: Final = Table(
    "provider_call",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    words("agency_id"),
    words("provider"),
    words("account"),
    words("what"),  # checkout | ask | refund
    instant("at"),
    Column("is_ok", Boolean, nullable=False),
    Column("took_ms", Integer, nullable=False),
    of_agency(),
    Index("ix_provider_call_at", "provider", "account", "at"),
)

provider_standing: Final = Table(
    "provider_standing",
    metadata,
    words("agency_id"),
    words("provider"),
    words("account"),
    words("standing"),
    words("why"),
    instant("since_at", optional=True),
    instant("retry_at", optional=True),
    Column("rests", Integer, nullable=False),
    PrimaryKeyConstraint("agency_id", "provider", "account"),
    of_agency(),
    CheckConstraint("standing IN ('healthy','demoted','hidden')", name="standing"),
)
