"""Receipts: their series, what is signed and proved, put right, and told to the authority."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from gateway.store.columns import belongs, instant, metadata, money, of_agency, own, words

series: Final = Table(
    "series",
    metadata,
    words("agency_id"),
    words("branch_id"),
    words("form"),
    words("series"),
    Column("last_number", Integer, nullable=False),
    words("kind", optional=True),  # Of one that is taken over; else its first receipt says it.
    Column("taken_over", Integer, nullable=False, server_default="0"),  # Given elsewhere up to it.
    PrimaryKeyConstraint("agency_id", "form", "series"),
    UniqueConstraint("agency_id", "branch_id", "form", "series"),
    belongs("branch", "branch_id"),
    CheckConstraint("last_number BETWEEN 0 AND 99999999", name="last_number"),
    CheckConstraint(
        "taken_over BETWEEN 0 AND last_number AND (kind IS NOT NULL) = (taken_over > 0)",
        name="taken_over",
    ),
)

receipt: Final = Table(
    "receipt",
    metadata,
    *own(
        words("payment_id"),
        words("kind"),
        words("form"),
        words("series"),
        Column("number", Integer, nullable=False),
        money("amount"),
        Column("issued_on", Date, nullable=False),
        instant("numbered_at"),
        instant("signed_at", optional=True),
        words("verify_code"),
        words("token"),
        Column("salts_sealed", LargeBinary, nullable=True),
        Column("content", JSONB, nullable=False),  # What is sealed, frozen when numbered.
        Column("xml", LargeBinary, nullable=True),
        Column("pdf", LargeBinary, nullable=True),
        Column("leaf_index", BigInteger, nullable=True),  # Its place in the transparency log.
        instant("proof_due_at", optional=True),  # When evidence is to be added; NULL: never.
        words("replaces_id", optional=True),  # The receipt that this one stands instead of.
        words("transmission_id", optional=True),  # The summary that told the authority of it.
    ),
    belongs("payment", "payment_id"),
    ForeignKeyConstraint(
        ["agency_id", "form", "series"], ["series.agency_id", "series.form", "series.series"]
    ),
    UniqueConstraint("agency_id", "form", "series", "number"),
    belongs("receipt", "replaces_id"),
    belongs("transmission", "transmission_id"),
    Index(
        "ix_receipt_untold",
        "agency_id",
        "issued_on",
        postgresql_where="transmission_id IS NULL AND xml IS NOT NULL",
    ),
    UniqueConstraint("verify_code"),
    UniqueConstraint("token"),
    CheckConstraint("number BETWEEN 1 AND 99999999", name="number"),
    # All of it given back: only what replaces another may come to nothing.
    CheckConstraint("amount > 0 OR (amount = 0 AND replaces_id IS NOT NULL)", name="amount"),
    CheckConstraint("replaces_id <> id", name="replaces"),
    Index(
        "uq_receipt_first",
        "agency_id",
        "payment_id",
        "kind",
        unique=True,
        postgresql_where="replaces_id IS NULL",
    ),
    Index(
        "uq_receipt_replaces",
        "agency_id",
        "replaces_id",
        unique=True,
        postgresql_where="replaces_id IS NOT NULL",
    ),
    Index("ix_receipt_unsigned", "numbered_at", postgresql_where="xml IS NULL"),
    Index(
        "ix_receipt_unlogged",
        "agency_id",
        "id",
        postgresql_where="xml IS NOT NULL AND leaf_index IS NULL",
    ),
    Index("ix_receipt_undrawn", "id", postgresql_where="xml IS NOT NULL AND pdf IS NULL"),
    Index("ix_receipt_proof", "proof_due_at", postgresql_where="proof_due_at IS NOT NULL"),
)

# Evidence beside a sealed receipt, one step after the other; append-only.
receipt_proof: Final = Table(
    "receipt_proof",
    metadata,
    words("agency_id"),
    words("receipt_id"),
    Column("step", Integer, nullable=False),
    instant("made_at"),
    Column("xml", LargeBinary, nullable=False),
    Column("pdf", LargeBinary, nullable=True),  # What the step appends to a PDF that is signed.
    PrimaryKeyConstraint("agency_id", "receipt_id", "step"),
    belongs("receipt", "receipt_id"),
    CheckConstraint("step > 0", name="step"),
)

# A receipt on other paper than its PDF: the web process asks, the worker draws.
receipt_paper: Final = Table(
    "receipt_paper",
    metadata,
    *own(
        words("receipt_id"),
        words("shape"),
        instant("asked_at"),
        words("asked_by"),  # The officer who converted it; empty: whoever has the link.
        Column("pdf", LargeBinary, nullable=True),
        Column("is_failed", Boolean, nullable=False),
    ),
    belongs("receipt", "receipt_id"),
    CheckConstraint("shape IN ('strip','copy')", name="shape"),
    CheckConstraint("pdf IS NULL OR NOT is_failed", name="failed"),
    Index(
        "uq_receipt_paper", "agency_id", "receipt_id", "shape", unique=True,
        postgresql_where=text("asked_by = ''"),
    ),
    Index("ix_receipt_paper_copies", "agency_id", "receipt_id"),
    Index(
        "ix_receipt_paper_wanted", "asked_at",
        postgresql_where=text("pdf IS NULL AND NOT is_failed"),
    ),
)  # fmt: skip

# A receipt that is to go by e-mail, to an address that was typed or to the payer's own.
receipt_mail: Final = Table(
    "receipt_mail",
    metadata,
    *own(
        words("receipt_id"),
        Column("to_sealed", LargeBinary, nullable=True),  # Typed; NULL again once it is over.
        words("state"),
        Column("tries", Integer, nullable=False),
        instant("asked_at"),
        words("asked_by"),  # payer | agency | staff:...
        instant("ask_at", optional=True),  # When it is tried next; NULL once it is over.
        instant("ended_at", optional=True),
        words("code", optional=True),  # Why it was given up.
    ),
    belongs("receipt", "receipt_id"),
    CheckConstraint("state IN ('queued','sent','given_up')", name="state"),
    CheckConstraint("(state = 'queued') = (ask_at IS NOT NULL)", name="ask"),
    CheckConstraint("state = 'queued' OR to_sealed IS NULL", name="forgotten"),
    Index("ix_receipt_mail_receipt", "agency_id", "receipt_id"),
    Index("ix_receipt_mail_ask", "ask_at", postgresql_where=text("ask_at IS NOT NULL")),
)  # fmt: skip

# What an agency adds to its receipts' face, beside what the law wants there.
brand: Final = Table(
    "brand",
    metadata,
    words("agency_id"),
    words("logo"),  # SVG that was cleaned; empty: none.
    words("footer"),
    words("paper_words"),  # What a converted copy says of itself; empty: our words.
    PrimaryKeyConstraint("agency_id"),
    of_agency(),
)

correction: Final = Table(
    "correction",
    metadata,
    *own(
        words("receipt_id"),  # The one that is wrong; for a refund, the one in force when asked.
        words("cause"),  # text: a notice of error; the others: a replacement.
        words("state"),  # asked | agreed | refused
        words("reason"),
        # The lines as they should be (code, amount); of a text, only which of them is wrong.
        Column("said", JSONB, nullable=False),
        Column("text_sealed", LargeBinary, nullable=True),  # The right words: they may name people.
        words("refund_id", optional=True),
        words("successor_id", optional=True),  # The replacement, once it has its number.
        Column("noticed_on", Date, nullable=True),  # The Hanoi day of a notice of error.
        words("transmission_id", optional=True),  # The message that told of it.
        words("asked_by"),
        words("decided_by", optional=True),
        instant("asked_at"),
        instant("decided_at", optional=True),
    ),
    of_agency(),
    belongs("receipt", "receipt_id"),
    ForeignKeyConstraint(
        ["agency_id", "successor_id"], ["receipt.agency_id", "receipt.id"],
        name="fk_correction_successor",
    ),
    belongs("refund", "refund_id"),
    belongs("transmission", "transmission_id"),
    CheckConstraint("cause IN ('text','amount','tax_code','refund')", name="cause"),
    CheckConstraint("state IN ('asked','agreed','refused')", name="state"),
    CheckConstraint("(decided_by IS NOT NULL) = (state <> 'asked')", name="decided"),
    CheckConstraint("decided_by <> asked_by", name="maker_is_not_checker"),
    CheckConstraint("(refund_id IS NOT NULL) = (cause = 'refund')", name="refund"),
    # The worker numbers it, some time after it was agreed to.
    CheckConstraint(
        "successor_id IS NULL OR (state = 'agreed' AND cause <> 'text')", name="successor"
    ),
    # One that waits is enough.
    Index(
        "uq_correction_asked", "agency_id", "receipt_id", "cause", unique=True,
        postgresql_where=text("state = 'asked' AND cause <> 'refund'"),
    ),
    Index(
        "uq_correction_refund", "agency_id", "receipt_id", "refund_id", unique=True,
        postgresql_where=text("state <> 'refused' AND cause = 'refund'"),
    ),
    Index("ix_correction_receipt", "agency_id", "receipt_id"),
    Index("ix_correction_refund", "agency_id", "refund_id"),
    Index(
        "ix_correction_untold", "agency_id", "decided_at",
        postgresql_where=text("state = 'agreed' AND cause = 'text' AND transmission_id IS NULL"),
    ),
    Index("ix_correction_waits", "agency_id", "id", postgresql_where=text("state = 'asked'")),
)  # fmt: skip

# How an agency's messages reach the tax authority: its own line, or a provider that passes them on.
channel: Final = Table(
    "channel",
    metadata,
    words("agency_id"),
    words("kind"),
    Column("values_sealed", LargeBinary, nullable=False),  # Address, user name, secret.
    instant("since_at"),
    PrimaryKeyConstraint("agency_id"),
    of_agency(),
    CheckConstraint("kind IN ('folder','https','vnpt','viettel')", name="kind"),
)

transmission: Final = Table(
    "transmission",
    metadata,
    *own(
        words("kind"),  # summary: 01/TH-BLDT | notice: 04/SS-CTDT
        Column("told_on", Date, nullable=False),  # The Hanoi day that it tells of.
        Column("part", Integer, nullable=False),  # A day is told in parts, as it goes on.
        words("state"),
        Column("count", Integer, nullable=False),  # Receipts in it.
        money("amount"),
        Column("xml", LargeBinary, nullable=False),
        instant("made_at"),
        instant("due_at"),
        Column("tries", Integer, nullable=False),
        instant("ask_at", optional=True),  # When it is sent next; NULL once it is answered.
        instant("accepted_at", optional=True),
        words("reference", optional=True),  # What the receiver calls it.
        words("code", optional=True),  # The receiver's last word.
    ),
    of_agency(),
    UniqueConstraint("agency_id", "kind", "told_on", "part"),
    CheckConstraint("kind IN ('summary','notice')", name="kind"),
    CheckConstraint("state IN ('queued','in_doubt','accepted','refused')", name="state"),
    Index("ix_transmission_ask", "ask_at", postgresql_where=text("ask_at IS NOT NULL")),
    Index("ix_transmission_due", "agency_id", "due_at",
          postgresql_where=text("state <> 'accepted'")),
)  # fmt: skip

# While the line to the receiver fails; what it holds up is due some working days after its repair.
outage: Final = Table(
    "outage",
    metadata,
    *own(
        instant("began_at"),
        instant("ended_at", optional=True),
        instant("told_at", optional=True),  # When an officer told the tax authority of it.
        words("told_by", optional=True),
    ),
    of_agency(),
    Index("uq_outage_open", "agency_id", unique=True, postgresql_where=text("ended_at IS NULL")),
)
