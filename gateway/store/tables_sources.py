"""Where statement files come from by themselves, and what came."""

from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Index, LargeBinary, Table, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import UniqueConstraint

from gateway.store.columns import belongs, instant, metadata, of_agency, own, words

source: Final = Table(
    "source",
    metadata,
    *own(
        words("name"),
        words("kind"),  # folder | sftp | upload
        words("profile"),
        Column("place", JSONB, nullable=False),  # What reaches it and is no secret.
        Column("secret_sealed", LargeBinary, nullable=True),
        words("every"),  # day | working_day
        words("due_at"),  # The hour in Hanoi by which a file must be there: 08:30.
        words("state"),  # open | closed
        words("trouble", optional=True),  # Why it could not be looked at last time.
        instant("opened_at"),
        instant("looked_at", optional=True),
    ),
    of_agency(),
    Index(
        "uq_source_name", "agency_id", "name", unique=True, postgresql_where=text("state = 'open'")
    ),
    CheckConstraint("kind IN ('folder','sftp','upload')", name="kind"),
    CheckConstraint("every IN ('day','working_day')", name="every"),
    CheckConstraint("state IN ('open','closed')", name="state"),
)

source_file: Final = Table(
    "source_file",
    metadata,
    *own(
        words("source_id"),
        words("name"),
        Column("size", BigInteger, nullable=False),
        instant("changed_at"),
        Column("due_on", Date, nullable=False),  # The day whose file it is.
        words("file_id", optional=True),  # None: it could not be kept, and ``trouble`` says why.
        words("trouble", optional=True),
        instant("at"),
    ),
    belongs("source", "source_id"),
    belongs("statement_file", "file_id"),
    # The same name with another content is another file; the same file is looked at once.
    UniqueConstraint("agency_id", "source_id", "name", "size", "changed_at"),
    Index("ix_source_file_due", "agency_id", "source_id", "due_on"),
    Index("ix_source_file_file", "agency_id", "file_id"),
)
