"""The counter: shifts of a drawer, what was taken in them and by whom, and the payer's display."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from gateway.store.columns import belongs, instant, metadata, money, of_agency, own, words

shift: Final = Table(
    "shift",
    metadata,
    *own(
        words("branch_id"),
        words("drawer"),
        words("staff_id"),  # Whose shift it is; only they take money in it.
        words("state"),  # open | counted | closed
        money("float_amount"),
        Column("booked_on", Date, nullable=False),
        # Counted blind: before anybody is shown what is expected.
        Column("counted_amount", BigInteger, nullable=True),
        Column("expected_amount", BigInteger, nullable=True),
        words("bag", optional=True),  # The cash left in it; its number, as banks write it.
        words("signed_by", optional=True),  # The second person; never whose shift it is.
        instant("opened_at"),
        instant("counted_at", optional=True),
        instant("closed_at", optional=True),
    ),
    belongs("branch", "branch_id"),
    belongs("staff", "staff_id"),
    CheckConstraint("state IN ('open','counted','closed')", name="state"),
    CheckConstraint("float_amount >= 0 AND counted_amount >= 0", name="amounts"),
    CheckConstraint("signed_by IS NULL OR signed_by <> staff_id", name="maker_is_not_checker"),
    CheckConstraint("state = 'open' OR counted_amount IS NOT NULL", name="counted"),
    CheckConstraint("state <> 'closed' OR signed_by IS NOT NULL", name="signed"),
    Index(
        "uq_shift_drawer", "agency_id", "branch_id", "drawer", unique=True,
        postgresql_where="state <> 'closed'",
    ),
    Index("uq_shift_clerk", "agency_id", "staff_id", unique=True,
          postgresql_where="state = 'open'"),
    UniqueConstraint("agency_id", "bag"),
)  # fmt: skip

# A capture at a counter has a person, a branch and a shift, or it is not written at all.
counter_take: Final = Table(
    "counter_take",
    metadata,
    words("agency_id"),
    words("capture_id"),
    words("shift_id"),
    words("branch_id"),
    words("staff_id"),
    words("method"),  # cash | card
    words("slip", optional=True),  # The terminal's slip, by which its file is matched.
    PrimaryKeyConstraint("agency_id", "capture_id"),
    of_agency(),
    belongs("capture", "capture_id"),
    belongs("shift", "shift_id"),
    belongs("branch", "branch_id"),
    belongs("staff", "staff_id"),
    CheckConstraint("method IN ('cash','card')", name="method"),
    CheckConstraint("(method = 'card') = (slip IS NOT NULL)", name="slip"),
    Index("ix_counter_take_shift", "agency_id", "shift_id"),
)

# A clerk's shortage or a found surplus after its shift: made good, or borne by two people's word.
shift_difference: Final = Table(
    "shift_difference",
    metadata,
    *own(
        words("shift_id"),
        words("state"),  # open | made_good | written_off
        money("amount"),  # Missing; what is too much is a case of its own (cash_over).
        words("decided_by", optional=True),
        words("agreed_by", optional=True),
        instant("opened_at"),
        instant("ended_at", optional=True),
    ),
    belongs("shift", "shift_id"),
    UniqueConstraint("agency_id", "shift_id"),
    CheckConstraint("state IN ('open','made_good','written_off')", name="state"),
    CheckConstraint("amount > 0", name="amount"),
    CheckConstraint("agreed_by IS NULL OR agreed_by <> decided_by", name="maker_is_not_checker"),
)

display: Final = Table(
    "display",
    metadata,
    Column("token_hash", Text, primary_key=True),  # The browser's cookie, hashed.
    words("agency_id", optional=True),  # Nobody's, until a clerk types its code.
    words("staff_id", optional=True),  # Whose counter it belongs to, once it is paired.
    words("code"),  # Shown on the display, typed by the clerk; short-lived.
    words("payment_id", optional=True),  # What it shows now.
    instant("created_at"),
    instant("code_until"),
    instant("paired_at", optional=True),
    of_agency(),
    belongs("staff", "staff_id"),
    belongs("payment", "payment_id"),
    Index("ix_display_code", "code"),
    Index("ix_display_staff", "agency_id", "staff_id"),
)
