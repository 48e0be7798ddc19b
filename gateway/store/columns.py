"""What every table is made of: the names of constraints, and the columns that have a rule."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKeyConstraint,
    MetaData,
    PrimaryKeyConstraint,
    Text,
)
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


def belongs(to: str, *columns: str, key: str = "id") -> ForeignKeyConstraint:
    """Point at another row of the same agency."""
    (column,) = columns
    return ForeignKeyConstraint(["agency_id", column], [f"{to}.agency_id", f"{to}.{key}"])


def words(name: str, *, optional: bool = False) -> "Column[str]":
    """Hold a text."""
    return Column(name, Text, nullable=optional)


def money(name: str) -> "Column[int]":
    """Hold an amount in whole đồng."""
    return Column(name, BigInteger, nullable=False)


def instant(name: str, *, optional: bool = False) -> "Column[object]":
    """Hold a moment; no default, for business time comes from the one clock."""
    return Column(name, _at, nullable=optional)


def own(*rest: SchemaItem) -> list[SchemaItem]:
    """Begin a table whose rows belong to an agency: (agency_id, id)."""
    return [words("agency_id"), words("id"), PrimaryKeyConstraint("agency_id", "id"), *rest]


def of_agency() -> ForeignKeyConstraint:
    """Say that the rows belong to an agency."""
    return ForeignKeyConstraint(["agency_id"], ["agency.id"])
