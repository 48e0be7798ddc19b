"""Every table, and every rule that a database can keep, as a named constraint.

``agency_id`` is in every row that belongs to an agency and in every foreign key, so no row of one
agency can ever point at another's. Business times have no default: they come from the one clock.
Append-only tables refuse UPDATE and DELETE by trigger (see the first migration).
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.schema import SchemaItem

metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
    }
)
_at: Final = DateTime(timezone=True)


def _belongs(to: str, *columns: str, key: str = "id") -> ForeignKeyConstraint:
    """Point at another row of the same agency."""
    (column,) = columns
    return ForeignKeyConstraint(["agency_id", column], [f"{to}.agency_id", f"{to}.{key}"])


def _text(name: str, *, optional: bool = False) -> "Column[str]":
    return Column(name, Text, nullable=optional)


def _money(name: str) -> "Column[int]":
    return Column(name, BigInteger, nullable=False)


def _instant(name: str, *, optional: bool = False) -> "Column[object]":
    return Column(name, _at, nullable=optional)


def _own(*rest: SchemaItem) -> list[SchemaItem]:
    """Begin a table whose rows belong to an agency: (agency_id, id)."""
    return [_text("agency_id"), _text("id"), PrimaryKeyConstraint("agency_id", "id"), *rest]


agency = Table(
    "agency",
    metadata,
    Column("id", Text, primary_key=True),
    _text("name"),
    _text("tax_code"),
    _text("address"),
    _text("budget_chapter"),
    Column("is_sandbox", Boolean, nullable=False),
    Column("settings", JSONB, nullable=False),  # receipt_shows_payer_name: bool, ...
)


def _agency() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["agency_id"], ["agency.id"])


branch = Table("branch", metadata, *_own(_text("name")), _agency())

client = Table(
    "client",
    metadata,
    *_own(
        _text("name"),
        Column("may_price", Boolean, nullable=False),
        Column("return_origins", ARRAY(Text), nullable=False),
        _instant("created_at"),
    ),
    _agency(),
)

client_key = Table(
    "client_key",
    metadata,
    Column("key_hash", Text, primary_key=True),  # SHA-256 of 256 random bits: nothing to guess.
    _text("agency_id"),
    _text("client_id"),
    _instant("created_at"),
    _instant("revoked_at", optional=True),
    _belongs("client", "client_id"),
)

staff = Table(
    "staff",
    metadata,
    *_own(
        _text("username"),
        _text("password_hash"),  # Argon2id
        _text("role"),
        _instant("created_at"),
        _instant("disabled_at", optional=True),
    ),
    _agency(),
    UniqueConstraint("username"),
    CheckConstraint("role IN ('accountant','approver','clerk','operator','auditor')", name="role"),
)

staff_session = Table(
    "staff_session",
    metadata,
    Column("token_hash", Text, primary_key=True),
    _text("agency_id"),
    _text("staff_id"),
    _text("csrf"),
    _instant("created_at"),
    _instant("expires_at"),
    _instant("revoked_at", optional=True),
    _belongs("staff", "staff_id"),
)

sign_in_try = Table(
    "sign_in_try",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    _text("username"),
    _text("source"),
    _instant("at"),
    Index("ix_sign_in_try_recent", "username", "at"),
)

payment = Table(
    "payment",
    metadata,
    *_own(
        _text("reference"),
        _text("branch_id"),
        _text("client_id"),
        _text("dossier_id"),
        _text("procedure"),
        Column("instalment", Integer, nullable=False),
        Column("price_on", Date, nullable=False),
        _text("state"),
        _money("amount"),
        _money("amount_received"),
        _money("amount_on_account"),
        _money("amount_suspended"),
        _money("amount_refunded"),
        _money("amount_settled"),
        Column("in_doubt", Boolean, nullable=False),
        Column("late", Boolean, nullable=False),
        Column("payer_sealed", LargeBinary, nullable=True),
        _text("return_url", optional=True),
        Column("metadata", JSONB, nullable=False),
        _text("token"),  # Opens the payment page to whoever holds it; 128 random bits.
        Column("sequence", Integer, nullable=False),  # Of its events.
        _instant("created_at"),
        _instant("expires_at"),
        _instant("paid_at", optional=True),
    ),
    _belongs("branch", "branch_id"),
    _belongs("client", "client_id"),
    UniqueConstraint("reference"),
    UniqueConstraint("token"),
    CheckConstraint(
        "state IN ('open','paid','settled','expired','cancelled','refunded','waived')",
        name="state",
    ),
    CheckConstraint("amount BETWEEN 0 AND 1000000000000000", name="amount"),
    CheckConstraint(
        "amount_received >= 0 AND amount_on_account >= 0 AND amount_suspended >= 0"
        " AND amount_refunded >= 0 AND amount_settled >= 0",
        name="sums",
    ),
    CheckConstraint("state NOT IN ('paid','settled') OR amount_received = amount", name="covered"),
    Index(
        "uq_payment_owed_once",
        "agency_id",
        "dossier_id",
        "procedure",
        "instalment",
        unique=True,
        postgresql_where="state = 'open'",
    ),
    Index("ix_payment_dossier", "agency_id", "dossier_id"),
    Index("ix_payment_created", "agency_id", "created_at", "id"),
    Index("ix_payment_expiry", "expires_at", postgresql_where="state = 'open'"),
)

fee_line = Table(
    "fee_line",
    metadata,
    _text("agency_id"),
    _text("payment_id"),
    Column("n", Integer, nullable=False),
    _text("code"),
    _text("kind"),
    _text("name"),
    _money("amount"),
    _text("budget_line"),
    PrimaryKeyConstraint("agency_id", "payment_id", "n"),
    _belongs("payment", "payment_id"),
    CheckConstraint("kind IN ('phi','le_phi')", name="kind"),
    CheckConstraint("amount BETWEEN 0 AND 1000000000000000", name="amount"),
)

idempotency = Table(
    "idempotency",
    metadata,
    _text("agency_id"),
    _text("client_id"),
    _text("route"),
    _text("key"),
    _text("body_hash"),
    Column("status", Integer, nullable=False),
    Column("answer", LargeBinary, nullable=False),  # Replayed byte for byte.
    _instant("created_at"),
    PrimaryKeyConstraint("agency_id", "client_id", "route", "key"),
    _belongs("client", "client_id"),
)

attempt = Table(
    "attempt",
    metadata,
    *_own(
        Column("serial", BigInteger, Identity(always=True), nullable=False),
        _text("provider"),
        _text("account"),
        _text("provider_reference"),
        _text("state"),
        _money("amount"),
        _text("redirect_url", optional=True),
        _text("qr_text", optional=True),
        _text("payer_address"),
        _text("locale"),
        _instant("created_at"),
        _instant("expires_at"),
        _instant("ask_at", optional=True),  # When the provider is asked next; null: no need.
        Column("asked", Integer, nullable=False),
    ),
    _agency(),
    UniqueConstraint("provider", "account", "provider_reference"),
    CheckConstraint(
        "state IN ('started','redirected','in_doubt','captured','declined','cancelled','expired')",
        name="state",
    ),
    CheckConstraint("amount > 0", name="amount"),
    Index("ix_attempt_ask", "ask_at", postgresql_where="ask_at IS NOT NULL"),
)

attempt_share = Table(
    "attempt_share",
    metadata,
    _text("agency_id"),
    _text("attempt_id"),
    _text("payment_id"),
    _money("amount"),
    PrimaryKeyConstraint("agency_id", "attempt_id", "payment_id"),
    _belongs("attempt", "attempt_id"),
    _belongs("payment", "payment_id"),
    CheckConstraint("amount > 0", name="amount"),
    Index("ix_attempt_share_payment", "agency_id", "payment_id"),
)

capture = Table(
    "capture",
    metadata,
    *_own(
        _text("provider"),
        _text("account"),
        _text("txn_id"),
        _text("attempt_id", optional=True),
        _money("amount"),
        _text("result"),  # paid | on_account | surplus | amount | double | late | unknown_money
        Column("booked_on", Date, nullable=False),
        Column("value_on", Date, nullable=False),
        _instant("paid_at"),
        _instant("taken_at"),
        _text("movement_key", optional=True),
        _text("bank_reference", optional=True),
    ),
    _agency(),
    _belongs("attempt", "attempt_id"),
    UniqueConstraint("provider", "account", "txn_id"),
    UniqueConstraint("account", "movement_key"),
    CheckConstraint("amount > 0", name="amount"),
    Index("ix_capture_booked", "agency_id", "booked_on"),
    Index("ix_capture_attempt", "agency_id", "attempt_id"),
)

evidence = Table(
    "evidence",
    metadata,
    _text("agency_id"),
    _text("capture_id"),
    _text("source"),  # notice | inquiry | statement | provider_report
    _text("source_id"),
    _text("hash"),
    _instant("at"),
    PrimaryKeyConstraint("agency_id", "capture_id", "source", "source_id"),
    _belongs("capture", "capture_id"),
)

allocation = Table(
    "allocation",
    metadata,
    _text("agency_id"),
    _text("capture_id"),
    _text("payment_id"),
    _text("use"),  # debt | on_account | surplus | suspended
    _money("amount"),
    PrimaryKeyConstraint("agency_id", "capture_id", "payment_id", "use"),
    _belongs("capture", "capture_id"),
    _belongs("payment", "payment_id"),
    CheckConstraint("amount > 0", name="amount"),
    Index("ix_allocation_payment", "agency_id", "payment_id"),
)

entry = Table(
    "entry",
    metadata,
    _text("agency_id"),
    Column("id", BigInteger, Identity(always=True), nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("value_on", Date, nullable=False),
    _text("debit"),
    _text("credit"),
    _money("amount"),
    _text("voucher_kind"),
    _text("voucher_id"),
    _text("payment_id", optional=True),
    _text("branch_id", optional=True),
    _text("provider_account", optional=True),  # provider/account
    _text("batch_id", optional=True),
    _text("budget_line", optional=True),
    _text("evidence_hash", optional=True),
    _text("rule"),
    Column("storno", Boolean, nullable=False),
    _instant("created_at"),
    PrimaryKeyConstraint("agency_id", "id"),
    _agency(),
    _belongs("payment", "payment_id"),
    CheckConstraint("amount > 0", name="amount"),
    CheckConstraint("debit <> credit", name="two_accounts"),
    Index("ix_entry_day", "agency_id", "booked_on"),
    Index("ix_entry_voucher", "agency_id", "voucher_kind", "voucher_id"),
    Index("ix_entry_payment", "agency_id", "payment_id"),
)

day = Table(
    "day",
    metadata,
    _text("agency_id"),
    Column("booked_on", Date, nullable=False),
    _text("state"),  # closed | reopened
    _text("closed_by"),
    _instant("closed_at"),
    _text("run_id", optional=True),
    _text("seal"),  # SHA-256 over the day's entries.
    PrimaryKeyConstraint("agency_id", "booked_on"),
    _agency(),
    CheckConstraint("state IN ('closed','reopened')", name="state"),
)

event = Table(
    "event",
    metadata,
    _text("agency_id"),
    _text("id"),
    Column("serial", BigInteger, Identity(always=True), nullable=False),
    _text("type"),
    _text("payment_id", optional=True),
    Column("sequence", Integer, nullable=False),
    _instant("occurred_at"),
    Column("data", JSONB, nullable=False),
    Column("position", BigInteger, nullable=True),  # Stamped after commit, dense per agency.
    _instant("handled_at", optional=True),  # By our own listeners (receipts).
    PrimaryKeyConstraint("agency_id", "id"),
    _belongs("payment", "payment_id"),
    UniqueConstraint("agency_id", "position"),
    UniqueConstraint("agency_id", "payment_id", "sequence"),
    Index("ix_event_unstamped", "serial", postgresql_where="position IS NULL"),
    Index(
        "ix_event_unhandled",
        "serial",
        postgresql_where="handled_at IS NULL AND type = 'payment.paid'",
    ),
)

endpoint = Table(
    "endpoint",
    metadata,
    *_own(
        _text("client_id"),
        _text("url"),
        Column("secret_sealed", LargeBinary, nullable=False),
        Column("signing_key_sealed", LargeBinary, nullable=False),
        _text("public_key"),
        _instant("created_at"),
        _instant("disabled_at", optional=True),
    ),
    _belongs("client", "client_id"),
)

delivery = Table(
    "delivery",
    metadata,
    _text("agency_id"),
    _text("event_id"),
    _text("endpoint_id"),
    _text("payment_id", optional=True),
    Column("sequence", Integer, nullable=False),
    _text("state"),  # waiting | done | stuck
    Column("tries", Integer, nullable=False),
    _instant("due_at"),
    _instant("leased_until", optional=True),
    _instant("created_at"),
    PrimaryKeyConstraint("agency_id", "event_id", "endpoint_id"),
    _belongs("event", "event_id"),
    _belongs("endpoint", "endpoint_id"),
    CheckConstraint("state IN ('waiting','done','stuck')", name="state"),
    Index("ix_delivery_due", "due_at", postgresql_where="state = 'waiting'"),
    Index("ix_delivery_head", "endpoint_id", "payment_id", "sequence"),
)

# Append-only and partitioned by month; the first migration and a job make the partitions.
notice = Table(
    "notice",
    metadata,
    _text("id"),
    _instant("received_at"),
    _text("agency_id"),
    _text("provider"),
    _text("account"),
    _text("source"),
    Column("sealed", LargeBinary, nullable=False),
    _text("hash"),
    PrimaryKeyConstraint("id", "received_at"),
    Index("ix_notice_received", "provider", "account", "received_at"),
    postgresql_partition_by="RANGE (received_at)",
)

# What became of a notice; apart from it, because the notice itself is never touched again.
notice_work = Table(
    "notice_work",
    metadata,
    Column("notice_id", Text, primary_key=True),
    _instant("received_at"),
    _text("state"),  # stored | done | refused
    _text("outcome", optional=True),
    _text("capture_id", optional=True),
    Column("tries", Integer, nullable=False),
    _instant("due_at"),
    CheckConstraint("state IN ('stored','done','refused')", name="state"),
    Index("ix_notice_work_due", "due_at", postgresql_where="state = 'stored'"),
)

delivery_log = Table(
    "delivery_log",
    metadata,
    _text("id"),
    _instant("at"),
    _text("agency_id"),
    _text("event_id"),
    _text("endpoint_id"),
    Column("status", Integer, nullable=True),
    _text("error", optional=True),
    Column("took_ms", Integer, nullable=False),
    PrimaryKeyConstraint("id", "at"),
    postgresql_partition_by="RANGE (at)",
)

audit = Table(
    "audit",
    metadata,
    _text("id"),
    _instant("at"),
    _text("agency_id"),
    _text("actor"),  # client:… | staff:… | job:…
    _text("action"),
    _text("object_id"),
    Column("details", JSONB, nullable=False),
    PrimaryKeyConstraint("id", "at"),
    Index("ix_audit_object", "agency_id", "object_id", "at"),
    postgresql_partition_by="RANGE (at)",
)

job_run = Table(
    "job_run",
    metadata,
    _text("job"),
    _instant("scheduled_for"),
    _text("worker"),
    _text("state"),  # running | done | failed
    _instant("leased_until"),
    _instant("ended_at", optional=True),
    _text("result", optional=True),
    PrimaryKeyConstraint("job", "scheduled_for"),
    CheckConstraint("state IN ('running','done','failed')", name="state"),
)

signing_key = Table(
    "signing_key",
    metadata,
    *_own(
        _text("certificate"),  # PEM
        Column("key_sealed", LargeBinary, nullable=False),
        _instant("created_at"),
        _instant("retired_at", optional=True),
    ),
    _agency(),
)

series = Table(
    "series",
    metadata,
    _text("agency_id"),
    _text("branch_id"),
    _text("form"),
    _text("series"),
    Column("last_number", Integer, nullable=False),
    PrimaryKeyConstraint("agency_id", "form", "series"),
    UniqueConstraint("agency_id", "branch_id", "form", "series"),
    _belongs("branch", "branch_id"),
    CheckConstraint("last_number BETWEEN 0 AND 99999999", name="last_number"),
)

receipt = Table(
    "receipt",
    metadata,
    *_own(
        _text("payment_id"),
        _text("kind"),
        _text("form"),
        _text("series"),
        Column("number", Integer, nullable=False),
        _money("amount"),
        Column("issued_on", Date, nullable=False),
        _instant("numbered_at"),
        _instant("signed_at", optional=True),
        _text("verify_code"),
        _text("token"),
        Column("salts_sealed", LargeBinary, nullable=True),
        Column("content", JSONB, nullable=False),  # What is sealed, frozen when numbered.
        Column("xml", LargeBinary, nullable=True),
        Column("pdf", LargeBinary, nullable=True),
    ),
    _belongs("payment", "payment_id"),
    ForeignKeyConstraint(
        ["agency_id", "form", "series"], ["series.agency_id", "series.form", "series.series"]
    ),
    UniqueConstraint("agency_id", "form", "series", "number"),
    UniqueConstraint("agency_id", "payment_id", "kind"),
    UniqueConstraint("verify_code"),
    UniqueConstraint("token"),
    CheckConstraint("number BETWEEN 1 AND 99999999", name="number"),
    CheckConstraint("amount > 0", name="amount"),
    Index("ix_receipt_unsigned", "numbered_at", postgresql_where="xml IS NULL"),
    Index("ix_receipt_undrawn", "id", postgresql_where="xml IS NOT NULL AND pdf IS NULL"),
)

statement_file = Table(
    "statement_file",
    metadata,
    *_own(
        _text("profile"),
        _text("name"),
        _text("sha256"),
        Column("content_sealed", LargeBinary, nullable=False),
        _text("state"),  # queued | taken | refused
        _text("refusal", optional=True),
        Column("line_count", Integer, nullable=True),
        Column("line_sum", BigInteger, nullable=True),
        _text("uploaded_by"),
        _instant("uploaded_at"),
        _instant("taken_at", optional=True),
    ),
    _agency(),
    UniqueConstraint("agency_id", "profile", "sha256"),
    CheckConstraint("state IN ('queued','taken','refused')", name="state"),
)

statement_line = Table(
    "statement_line",
    metadata,
    *_own(
        _text("file_id"),
        Column("line_no", Integer, nullable=False),
        _text("source"),  # provider | statement | treasury
        _text("account"),  # Provider account, bank account or treasury agency code.
        _text("line_key"),  # Names the movement, so that overlapping files add nothing.
        Column("booked_on", Date, nullable=False),
        Column("value_on", Date, nullable=False),
        _text("kind"),  # payment | refund | charge | reversal | credit | debit | revenue
        Column("gross", BigInteger, nullable=False),
        Column("fee", BigInteger, nullable=False),
        Column("net", BigInteger, nullable=False),
        _text("txn_id", optional=True),
        _text("reference", optional=True),
        _text("batch_id", optional=True),
        _text("obligation_id", optional=True),
        _text("budget_line", optional=True),
        _text("memo_folded", optional=True),
        Column("candidates", ARRAY(Text), nullable=False),  # Payment references, best first.
    ),
    _belongs("statement_file", "file_id"),
    UniqueConstraint("agency_id", "source", "account", "line_key"),
    CheckConstraint("source IN ('provider','statement','treasury')", name="source"),
    Index("ix_statement_line_day", "agency_id", "source", "booked_on"),
)

recon_run = Table(
    "recon_run",
    metadata,
    *_own(
        Column("business_on", Date, nullable=False),
        _instant("as_of"),
        _text("inputs_hash"),
        _text("rules_hash"),
        _text("result_hash"),
        Column("summary", JSONB, nullable=False),
        _instant("started_at"),
        _instant("ended_at"),
    ),
    _agency(),
    Index("ix_recon_run_day", "agency_id", "business_on"),
)

recon_match = Table(
    "recon_match",
    metadata,
    *_own(
        _text("run_id"),
        _text("rule"),
        _text("why"),
        _text("capture_id", optional=True),
        _text("line_id"),
        _money("amount"),
    ),
    _belongs("recon_run", "run_id"),
    _belongs("statement_line", "line_id"),
    _belongs("capture", "capture_id"),
    Index("ix_recon_match_capture", "agency_id", "capture_id"),
    Index("ix_recon_match_line", "agency_id", "line_id"),
)

break_ = Table(
    "break",
    metadata,
    *_own(
        _text("kind"),
        _text("state"),  # open | resolved
        _text("subject"),  # What it is about: capture:… | line:… | payment:…; one open break each.
        _money("amount"),
        _text("payment_id", optional=True),
        _text("capture_id", optional=True),
        _text("line_id", optional=True),
        _text("proposal", optional=True),
        _text("why"),
        _text("owner_role"),
        _instant("opened_at"),
        Column("since_on", Date, nullable=False),
        _instant("resolved_at", optional=True),
        _text("resolution", optional=True),
    ),
    _agency(),
    UniqueConstraint("agency_id", "kind", "subject"),
    CheckConstraint("state IN ('open','resolved')", name="state"),
    Index("ix_break_open", "agency_id", "since_on", postgresql_where="state = 'open'"),
)

APPEND_ONLY: Final = ("entry", "evidence", "allocation", "delivery_log", "audit")
PARTITIONED: Final = {"notice": "received_at", "delivery_log": "at", "audit": "at"}
