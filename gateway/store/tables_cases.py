"""What people do about breaks: each act is a row, never edited, sealed onto the one before."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    text,
)
from sqlalchemy.schema import UniqueConstraint

from gateway.store.columns import belongs, instant, metadata, of_agency, own, words

KINDS: Final = ("comment", "assign", "attach", "wait", "propose", "agree", "refuse")
_KINDS: Final = ",".join(f"'{kind}'" for kind in KINDS)

case_action: Final = Table(
    "case_action",
    metadata,
    *own(
        Column("number", BigInteger, nullable=False),  # 1, 2, 3 … of the agency.
        words("break_id"),
        words("kind"),
        words("actor"),
        words("about_id", optional=True),  # The proposal that is decided.
        words("about_actor", optional=True),  # Who made it.
        words("said"),  # What was said, as canonical JSON: the seal is over these very letters.
        instant("at"),
        words("seal_before"),
        words("seal"),
    ),
    of_agency(),
    belongs("break", "break_id"),
    UniqueConstraint("agency_id", "number"),
    UniqueConstraint("agency_id", "id", "actor"),
    ForeignKeyConstraint(
        ["agency_id", "about_id", "about_actor"],
        ["case_action.agency_id", "case_action.id", "case_action.actor"],
    ),
    CheckConstraint(f"kind IN ({_KINDS})", name="kind"),
    CheckConstraint("(about_id IS NOT NULL) = (kind IN ('agree','refuse'))", name="about"),
    CheckConstraint("(about_id IS NULL) = (about_actor IS NULL)", name="about_whose"),
    CheckConstraint("kind <> 'agree' OR about_actor <> actor", name="maker_is_not_checker"),
    Index("ix_case_action_break", "agency_id", "break_id", "number"),
    Index(
        "uq_case_action_decided", "agency_id", "about_id", unique=True,
        postgresql_where=text("about_id IS NOT NULL"),
    ),
)  # fmt: skip

case_file: Final = Table(
    "case_file",
    metadata,
    *own(
        words("action_id"),
        words("name"),
        words("media_type"),
        Column("size_bytes", Integer, nullable=False),
        Column("content_sealed", LargeBinary, nullable=False),
    ),
    belongs("case_action", "action_id"),
    UniqueConstraint("agency_id", "action_id"),
)
