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
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from gateway.store.columns import belongs, instant, metadata, money, of_agency, own, words
from gateway.store.tables_accounts import provider_account
from gateway.store.tables_cases import case_action, case_file
from gateway.store.tables_counter import counter_take, display, shift, shift_difference
from gateway.store.tables_health import provider_call, provider_standing
from gateway.store.tables_log import log_checkpoint, log_leaf, log_push, receipt_log
from gateway.store.tables_privacy import erasure, year_key
from gateway.store.tables_receipts import (
    brand,
    channel,
    correction,
    outage,
    receipt,
    receipt_mail,
    receipt_paper,
    receipt_proof,
    series,
    transmission,
)
from gateway.store.tables_refunds import dispute, refund
from gateway.store.tables_remittances import remittance
from gateway.store.tables_sources import source, source_file

# And every table below.
__all__ = [
    "brand", "case_action", "case_file", "channel", "correction", "counter_take", "display",
    "dispute", "erasure", "log_checkpoint", "log_leaf", "log_push", "metadata", "outage",
    "provider_account", "provider_call", "provider_standing", "receipt", "receipt_log",
    "receipt_mail", "receipt_paper", "receipt_proof", "refund", "remittance", "series", "shift",
    "shift_difference", "source", "source_file", "transmission", "year_key",
]  # fmt: skip

agency = Table(
    "agency",
    metadata,
    Column("id", Text, primary_key=True),
    words("name"),
    words("tax_code"),
    words("address"),
    words("budget_chapter"),
    Column("is_sandbox", Boolean, nullable=False),
    Column("settings", JSONB, nullable=False),  # receipt_shows_payer_name: bool, treasury_code, ...
)


branch = Table("branch", metadata, *own(words("name")), of_agency())

client = Table(
    "client",
    metadata,
    *own(
        words("name"),
        Column("may_price", Boolean, nullable=False),
        Column("may_bring_files", Boolean, nullable=False),
        Column("return_origins", ARRAY(Text), nullable=False),
        instant("created_at"),
    ),
    of_agency(),
)

client_key = Table(
    "client_key",
    metadata,
    Column("key_hash", Text, primary_key=True),  # SHA-256 of 256 random bits: nothing to guess.
    words("agency_id"),
    words("client_id"),
    instant("created_at"),
    instant("revoked_at", optional=True),
    belongs("client", "client_id"),
)

staff = Table(
    "staff",
    metadata,
    *own(
        words("username"),
        words("password_hash"),  # Argon2id
        words("role"),
        instant("created_at"),
        instant("disabled_at", optional=True),
    ),
    of_agency(),
    UniqueConstraint("username"),
    CheckConstraint("role IN ('accountant','approver','clerk','operator','auditor')", name="role"),
)

staff_session = Table(
    "staff_session",
    metadata,
    Column("token_hash", Text, primary_key=True),
    words("agency_id"),
    words("staff_id"),
    words("csrf"),
    instant("created_at"),
    instant("expires_at"),
    instant("revoked_at", optional=True),
    belongs("staff", "staff_id"),
)

sign_in_try = Table(
    "sign_in_try",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    words("username"),
    words("source"),
    instant("at"),
    Index("ix_sign_in_try_recent", "username", "at"),
)

payment = Table(
    "payment",
    metadata,
    *own(
        words("reference"),
        words("branch_id"),
        words("client_id"),
        words("dossier_id"),
        words("procedure"),
        Column("instalment", Integer, nullable=False),
        Column("price_on", Date, nullable=False),
        words("state"),
        money("amount"),
        money("amount_received"),
        money("amount_on_account"),
        money("amount_suspended"),
        money("amount_refunded"),
        money("amount_refunding"),  # Asked back, and not yet done or refused.
        # Of what paid, won back in disputes; the default is for processes of before it was there.
        Column("amount_charged_back", BigInteger, nullable=False, server_default="0"),
        money("amount_settled"),
        Column("in_doubt", Boolean, nullable=False),
        Column("late", Boolean, nullable=False),
        Column("payer_sealed", LargeBinary, nullable=True),
        Column("key_sealed", LargeBinary, nullable=True),  # Its payer's own, by its year's key.
        instant("erased_at", optional=True),  # When that key was destroyed, at somebody's wish.
        words("return_url", optional=True),
        Column("metadata", JSONB, nullable=False),
        words("token"),  # Opens the payment page to whoever holds it; 128 random bits.
        Column("sequence", Integer, nullable=False),  # Of its events.
        instant("created_at"),
        instant("expires_at"),
        instant("paid_at", optional=True),
    ),
    belongs("branch", "branch_id"),
    belongs("client", "client_id"),
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
    CheckConstraint(
        "amount_refunding >= 0 AND amount_refunded + amount_refunding <= amount_received",
        name="refunds",
    ),
    CheckConstraint("amount_charged_back BETWEEN 0 AND amount_received", name="charged_back"),
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
    Index("ix_payment_due", "agency_id", "amount", postgresql_where="state = 'open'"),
)

fee_line = Table(
    "fee_line",
    metadata,
    words("agency_id"),
    words("payment_id"),
    Column("n", Integer, nullable=False),
    words("code"),
    words("kind"),
    words("name"),
    money("amount"),
    words("budget_line"),
    PrimaryKeyConstraint("agency_id", "payment_id", "n"),
    belongs("payment", "payment_id"),
    CheckConstraint("kind IN ('phi','le_phi')", name="kind"),
    CheckConstraint("amount BETWEEN 0 AND 1000000000000000", name="amount"),
)

idempotency = Table(
    "idempotency",
    metadata,
    words("agency_id"),
    words("client_id"),
    words("route"),
    words("key"),
    words("body_hash"),
    Column("status", Integer, nullable=False),
    Column("answer", LargeBinary, nullable=False),  # Replayed byte for byte.
    instant("created_at"),
    PrimaryKeyConstraint("agency_id", "client_id", "route", "key"),
    belongs("client", "client_id"),
)

attempt = Table(
    "attempt",
    metadata,
    *own(
        Column("serial", BigInteger, Identity(always=True), nullable=False),
        words("provider"),
        words("account"),
        words("provider_reference"),
        words("state"),
        money("amount"),
        words("redirect_url", optional=True),
        words("qr_text", optional=True),
        words("method", optional=True),  # One of the provider's methods, when one was chosen.
        words("provider_id", optional=True),  # What the provider calls the order.
        words("payer_address"),
        words("locale"),
        instant("created_at"),
        instant("expires_at"),
        instant("ask_at", optional=True),  # When the provider is asked next; null: no need.
        Column("asked", Integer, nullable=False),
    ),
    of_agency(),
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
    words("agency_id"),
    words("attempt_id"),
    words("payment_id"),
    money("amount"),
    PrimaryKeyConstraint("agency_id", "attempt_id", "payment_id"),
    belongs("attempt", "attempt_id"),
    belongs("payment", "payment_id"),
    CheckConstraint("amount > 0", name="amount"),
    Index("ix_attempt_share_payment", "agency_id", "payment_id"),
)

capture = Table(
    "capture",
    metadata,
    *own(
        words("provider"),
        words("account"),
        words("txn_id"),
        words("attempt_id", optional=True),
        money("amount"),
        words("result"),  # paid | on_account | surplus | amount | double | late | unknown_money
        Column("booked_on", Date, nullable=False),
        Column("value_on", Date, nullable=False),
        instant("paid_at"),
        instant("taken_at"),
        words("movement_key", optional=True),  # Of rows before 0011; nothing reads it any more.
        words("bank_reference", optional=True),
        # The provider's platform issues the receipt, and we must not: no debt gets two.
        Column("receipt_elsewhere", Boolean, nullable=False, server_default="false"),
    ),
    of_agency(),
    belongs("attempt", "attempt_id"),
    UniqueConstraint("provider", "account", "txn_id"),
    UniqueConstraint("account", "movement_key"),
    CheckConstraint("amount > 0", name="amount"),
    Index("ix_capture_booked", "agency_id", "booked_on"),
    Index("ix_capture_attempt", "agency_id", "attempt_id"),
)

evidence = Table(
    "evidence",
    metadata,
    words("agency_id"),
    words("capture_id"),
    words("source"),  # notice | inquiry | statement | provider_report
    words("source_id"),
    words("hash"),
    instant("at"),
    PrimaryKeyConstraint("agency_id", "capture_id", "source", "source_id"),
    belongs("capture", "capture_id"),
)

credit_advice = Table(
    "credit_advice",
    metadata,
    words("agency_id"),
    words("reporter"),  # statement, or the provider account whose notices or answers tell.
    words("report_id"),  # The reporter's own name of the credit.
    words("bank_account"),
    Column("booked_on", Date, nullable=False),
    money("amount"),
    words("bank_reference"),  # Empty where the reporter does not know it.
    words("payment_id", optional=True),  # The payment that it names.
    words("capture_id"),
    instant("at"),
    PrimaryKeyConstraint("agency_id", "reporter", "report_id"),
    belongs("capture", "capture_id"),
    belongs("payment", "payment_id"),
    Index("ix_credit_advice_alike", "agency_id", "bank_account", "booked_on", "amount", "reporter"),
    Index("ix_credit_advice_reference", "agency_id", "bank_account", "bank_reference"),
    Index("ix_credit_advice_capture", "agency_id", "capture_id"),
)

allocation = Table(
    "allocation",
    metadata,
    words("agency_id"),
    words("capture_id"),
    words("payment_id"),
    words("use"),  # debt | on_account | surplus | suspended
    money("amount"),
    PrimaryKeyConstraint("agency_id", "capture_id", "payment_id", "use"),
    belongs("capture", "capture_id"),
    belongs("payment", "payment_id"),
    CheckConstraint("amount > 0", name="amount"),
    Index("ix_allocation_payment", "agency_id", "payment_id"),
)

entry = Table(
    "entry",
    metadata,
    words("agency_id"),
    Column("id", BigInteger, Identity(always=True), nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("value_on", Date, nullable=False),
    words("debit"),
    words("credit"),
    money("amount"),
    words("voucher_kind"),
    words("voucher_id"),
    words("payment_id", optional=True),
    words("branch_id", optional=True),
    words("provider_account", optional=True),  # provider/account
    words("batch_id", optional=True),
    words("budget_line", optional=True),
    words("evidence_hash", optional=True),
    words("rule"),
    Column("storno", Boolean, nullable=False),
    instant("created_at"),
    PrimaryKeyConstraint("agency_id", "id"),
    of_agency(),
    belongs("payment", "payment_id"),
    CheckConstraint("amount > 0", name="amount"),
    CheckConstraint("debit <> credit", name="two_accounts"),
    Index("ix_entry_day", "agency_id", "booked_on"),
    Index("ix_entry_voucher", "agency_id", "voucher_kind", "voucher_id"),
    Index("ix_entry_payment", "agency_id", "payment_id"),
)

day = Table(
    "day",
    metadata,
    words("agency_id"),
    Column("booked_on", Date, nullable=False),
    words("state"),  # closed | reopened
    words("closed_by"),
    instant("closed_at"),
    words("run_id", optional=True),
    words("seal"),  # SHA-256 over the day's entries.
    instant("reopened_at", optional=True),
    PrimaryKeyConstraint("agency_id", "booked_on"),
    of_agency(),
    CheckConstraint("state IN ('closed','reopened')", name="state"),
)

# What two people signed of a day: as it stood then, and no day that was closed anew.
day_signature = Table(
    "day_signature",
    metadata,
    words("agency_id"),
    Column("booked_on", Date, nullable=False),
    Column("n", Integer, nullable=False),  # 1 and 2; 3 and 4 after a reopening, and so on.
    words("seal"),  # Of the day's entries, as at its closing.
    words("hash"),  # SHA-256 of what was shown.
    Column("said", JSONB, nullable=False),
    words("signed_by"),
    instant("signed_at"),
    PrimaryKeyConstraint("agency_id", "booked_on", "n"),
    of_agency(),
)

event = Table(
    "event",
    metadata,
    words("agency_id"),
    words("id"),
    Column("serial", BigInteger, Identity(always=True), nullable=False),
    words("type"),
    words("payment_id", optional=True),
    Column("sequence", Integer, nullable=False),
    instant("occurred_at"),
    Column("data", JSONB, nullable=False),
    Column("position", BigInteger, nullable=True),  # Stamped after commit, dense per agency.
    instant("handled_at", optional=True),  # By our own listeners (receipts).
    PrimaryKeyConstraint("agency_id", "id"),
    belongs("payment", "payment_id"),
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
    *own(
        words("client_id"),
        words("url"),
        Column("secret_sealed", LargeBinary, nullable=False),
        Column("signing_key_sealed", LargeBinary, nullable=False),
        words("public_key"),
        instant("created_at"),
        instant("disabled_at", optional=True),
    ),
    belongs("client", "client_id"),
)

delivery = Table(
    "delivery",
    metadata,
    words("agency_id"),
    words("event_id"),
    words("endpoint_id"),
    words("payment_id", optional=True),
    Column("sequence", Integer, nullable=False),
    words("state"),  # waiting | done | stuck
    Column("tries", Integer, nullable=False),
    instant("due_at"),
    instant("leased_until", optional=True),
    instant("created_at"),
    PrimaryKeyConstraint("agency_id", "event_id", "endpoint_id"),
    belongs("event", "event_id"),
    belongs("endpoint", "endpoint_id"),
    CheckConstraint("state IN ('waiting','done','stuck')", name="state"),
    Index("ix_delivery_due", "due_at", postgresql_where="state = 'waiting'"),
    Index("ix_delivery_head", "endpoint_id", "payment_id", "sequence"),
)

# Append-only and partitioned by month; the first migration and a job make the partitions.
notice = Table(
    "notice",
    metadata,
    words("id"),
    instant("received_at"),
    words("agency_id"),
    words("provider"),
    words("account"),
    words("source"),
    Column("sealed", LargeBinary, nullable=False),
    words("hash"),
    PrimaryKeyConstraint("id", "received_at"),
    Index("ix_notice_received", "provider", "account", "received_at"),
    postgresql_partition_by="RANGE (received_at)",
)

# What became of a notice; apart from it, because the notice itself is never touched again. Whose it
# is, its account says before it is read; no key leads to the notice, for its months move.
notice_work = Table(
    "notice_work",
    metadata,
    # NULL only from a process of the version before; a later migration closes it.
    words("agency_id", optional=True),
    Column("notice_id", Text, primary_key=True),
    instant("received_at"),
    words("state"),  # stored | done | refused
    words("outcome", optional=True),
    Column("tries", Integer, nullable=False),
    instant("due_at"),
    of_agency(),
    CheckConstraint("state IN ('stored','done','refused')", name="state"),
    Index("ix_notice_work_due", "due_at", postgresql_where="state = 'stored'"),
)

delivery_log = Table(
    "delivery_log",
    metadata,
    words("id"),
    instant("at"),
    words("agency_id"),
    words("event_id"),
    words("endpoint_id"),
    Column("status", Integer, nullable=True),
    words("error", optional=True),
    Column("took_ms", Integer, nullable=False),
    PrimaryKeyConstraint("id", "at"),
    postgresql_partition_by="RANGE (at)",
)

audit = Table(
    "audit",
    metadata,
    words("id"),
    instant("at"),
    words("agency_id"),
    words("actor"),  # client:… | staff:… | job:…
    words("action"),
    words("object_id"),
    Column("details", JSONB, nullable=False),
    PrimaryKeyConstraint("id", "at"),
    Index("ix_audit_object", "agency_id", "object_id", "at"),
    postgresql_partition_by="RANGE (at)",
)

job_run = Table(
    "job_run",
    metadata,
    words("job"),
    instant("scheduled_for"),
    words("worker"),
    words("state"),  # running | done | failed
    instant("leased_until"),
    instant("ended_at", optional=True),
    words("result", optional=True),
    PrimaryKeyConstraint("job", "scheduled_for"),
    CheckConstraint("state IN ('running','done','failed')", name="state"),
)

signing_key = Table(
    "signing_key",
    metadata,
    *own(
        words("certificate"),  # PEM
        words("chain", optional=True),  # PEM: who issued it, and upwards, as far as it is known.
        Column("key_sealed", LargeBinary, nullable=True),
        words("pkcs11_key", optional=True),  # The label of a key that never leaves its token.
        instant("created_at"),
        instant("retired_at", optional=True),
    ),
    of_agency(),
    CheckConstraint("(key_sealed IS NULL) <> (pkcs11_key IS NULL)", name="one_key"),
)

statement_file = Table(
    "statement_file",
    metadata,
    *own(
        words("profile"),
        words("name"),
        words("sha256"),
        Column("content_sealed", LargeBinary, nullable=False),
        words("state"),  # queued | taken | refused
        words("refusal", optional=True),
        Column("line_count", Integer, nullable=True),
        Column("line_sum", BigInteger, nullable=True),
        Column("totals", JSONB, nullable=True),  # Of each account, with its balances where told.
        words("uploaded_by"),
        instant("uploaded_at"),
        instant("taken_at", optional=True),
    ),
    of_agency(),
    UniqueConstraint("agency_id", "profile", "sha256"),
    CheckConstraint("state IN ('queued','taken','refused')", name="state"),
)

statement_line = Table(
    "statement_line",
    metadata,
    *own(
        words("file_id"),
        Column("line_no", Integer, nullable=False),
        words("source"),  # provider | statement | treasury
        words("account"),  # Provider account, bank account or treasury agency code.
        words("line_key"),  # Names the movement, so that overlapping files add nothing.
        Column("booked_on", Date, nullable=False),
        Column("value_on", Date, nullable=False),
        instant("txn_at", optional=True),  # Where the file tells the time, as a provider's does.
        words("kind"),  # payment | refund | charge | reversal | credit | debit | revenue
        Column("gross", BigInteger, nullable=False),
        Column("fee", BigInteger, nullable=False),
        Column("net", BigInteger, nullable=False),
        words("txn_id", optional=True),
        words("reference", optional=True),
        words("batch_id", optional=True),
        words("obligation_id", optional=True),
        words("budget_line", optional=True),
        Column("memo_sealed", LargeBinary, nullable=True),  # A citizen's name may stand in it.
        Column("marks", ARRAY(Text), nullable=False),  # What of it the rules look for.
        Column("candidates", ARRAY(Text), nullable=False),  # Payment references, best first.
    ),
    belongs("statement_file", "file_id"),
    UniqueConstraint("agency_id", "source", "account", "line_key"),
    CheckConstraint("source IN ('provider','statement','treasury')", name="source"),
    Index("ix_statement_line_day", "agency_id", "source", "booked_on"),
)

recon_run = Table(
    "recon_run",
    metadata,
    *own(
        Column("business_on", Date, nullable=False),
        instant("as_of"),
        words("inputs_hash"),
        words("rules_hash"),
        words("result_hash"),
        Column("summary", JSONB, nullable=False),
        instant("started_at"),
        instant("ended_at"),
    ),
    of_agency(),
    Index("ix_recon_run_day", "agency_id", "business_on"),
)

recon_match = Table(
    "recon_match",
    metadata,
    *own(
        words("run_id", optional=True),
        words("action_id", optional=True),  # Two people's agreement, where no run found it.
        words("rule"),
        words("why"),
        words("capture_id", optional=True),
        words("line_id"),
        money("amount"),
    ),
    belongs("recon_run", "run_id"),
    belongs("case_action", "action_id"),
    belongs("statement_line", "line_id"),
    belongs("capture", "capture_id"),
    CheckConstraint(
        "(run_id IS NULL) = (rule = 'by-hand') AND (action_id IS NOT NULL) = (rule = 'by-hand')",
        name="by_hand",
    ),
    Index("ix_recon_match_capture", "agency_id", "capture_id"),
    Index("ix_recon_match_line", "agency_id", "line_id"),
)

break_ = Table(
    "break",
    metadata,
    *own(
        words("kind"),
        words("state"),  # open | resolved
        words("subject"),  # What it is about: capture:… | line:… | payment:…; one open break each.
        money("amount"),
        words("payment_id", optional=True),
        words("capture_id", optional=True),
        words("line_id", optional=True),
        words("proposal", optional=True),
        words("why"),
        words("owner_role"),
        instant("opened_at"),
        Column("since_on", Date, nullable=False),
        instant("resolved_at", optional=True),
        words("resolution", optional=True),
        words("owner", optional=True),  # A person; until then the role.
        Column("due_on", Date, nullable=True),
        Column("waits_until", Date, nullable=True),
        # How many acts are about it, so that one that is taken from the end of the chain lacks.
        Column("action_count", Integer, nullable=False, server_default=text("0")),
    ),
    of_agency(),
    UniqueConstraint("agency_id", "kind", "subject"),
    CheckConstraint("state IN ('open','resolved')", name="state"),
    Index("ix_break_open", "agency_id", "since_on", "id", postgresql_where="state = 'open'"),
    Index(
        "ix_break_open_kind",
        "agency_id",
        "kind",
        "since_on",
        "id",
        postgresql_where="state = 'open'",
    ),
    Index("ix_break_capture", "agency_id", "capture_id"),
)

APPEND_ONLY: Final = (
    "entry", "evidence", "credit_advice", "allocation", "delivery_log", "audit", "log_leaf",
    "log_checkpoint", "case_action",
)  # fmt: skip
PARTITIONED: Final = {"notice": "received_at", "delivery_log": "at", "audit": "at"}
