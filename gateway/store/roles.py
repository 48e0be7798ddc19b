"""The database's roles: what each may do with each table, and whether a process may take one.

A process connects as the configured user, lays that user's power down before its first statement,
and works as the role of its kind. Only a migration works as the owner of the tables.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

WEB, WORKER, AUDITOR = ROLES = ("thuphi_web", "thuphi_worker", "thuphi_auditor")
_SEE: Final = "SELECT"
_ADD: Final = "SELECT, INSERT"
_CHANGE: Final = "SELECT, INSERT, UPDATE"
_PLAIN: Final = "SELECT of what is plain"  # The columns that hold nothing sealed and open nothing.
_SECRET: Final = ["sealed", "hash", "token", "csrf", "content", "xml", "pdf", "answer", "data"]

# What web and worker may do with a table; auditors see what is plain in every one.
RIGHTS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "agency": (_SEE, _CHANGE),
        "branch": (_SEE, _CHANGE),
        "client": (_SEE, _CHANGE),
        "client_key": (_SEE, _CHANGE),
        "staff": (_SEE, _CHANGE),
        "staff_session": (_CHANGE, _CHANGE),
        "sign_in_try": (f"{_ADD}, DELETE", _CHANGE),
        "payment": (_CHANGE, _CHANGE),
        "year_key": (_ADD, _CHANGE),  # Only the worker destroys a year's.
        "erasure": (_CHANGE, _CHANGE),
        "fee_line": (_ADD, _CHANGE),
        "idempotency": (_ADD, _CHANGE),
        "attempt": (_CHANGE, _CHANGE),
        "attempt_share": (_ADD, _CHANGE),
        "capture": (_ADD, _CHANGE),
        "evidence": (_ADD, _ADD),
        "credit_advice": (_ADD, _ADD),
        "allocation": (_ADD, _ADD),
        "refund": (_CHANGE, _CHANGE),
        "dispute": (_CHANGE, _CHANGE),
        "shift": (_CHANGE, _CHANGE),
        "counter_take": (_ADD, _ADD),
        "shift_difference": (_CHANGE, _CHANGE),
        "display": (f"{_CHANGE}, DELETE", _SEE),
        "provider_account": (_CHANGE, _CHANGE),
        "provider_call": (_ADD, f"{_ADD}, DELETE"),
        "provider_standing": (_CHANGE, _CHANGE),
        "entry": (_ADD, _ADD),
        "day": (_SEE, _CHANGE),
        "day_signature": (_ADD, _ADD),
        "event": (_ADD, _CHANGE),
        "endpoint": (_SEE, _CHANGE),
        "delivery": (_SEE, _CHANGE),
        "notice": (_ADD, f"{_ADD}, DELETE"),
        "notice_work": (_CHANGE, f"{_CHANGE}, DELETE"),
        "delivery_log": (_SEE, _ADD),
        "audit": (_ADD, _ADD),
        "job_run": (_SEE, _CHANGE),
        "signing_key": (_PLAIN, _CHANGE),  # Whoever holds the web process signs no receipt.
        "series": (_SEE, _CHANGE),
        "receipt": (_SEE, _CHANGE),
        "receipt_paper": (_ADD, _CHANGE),
        "receipt_mail": (_ADD, _CHANGE),
        "brand": (_SEE, _CHANGE),
        "correction": (_CHANGE, _CHANGE),
        "channel": (_PLAIN, f"{_CHANGE}, DELETE"),
        "transmission": (_CHANGE, _CHANGE),
        "outage": (_CHANGE, _CHANGE),
        "receipt_proof": (_SEE, _ADD),
        "receipt_log": (_PLAIN, _CHANGE),
        "log_leaf": (_SEE, _ADD),
        "log_checkpoint": (_SEE, _ADD),
        "log_push": (_SEE, _CHANGE),
        "remittance": (_CHANGE, _CHANGE),
        "source": (_PLAIN, _CHANGE),
        "source_file": (_SEE, _CHANGE),
        "statement_file": (_ADD, _CHANGE),
        "statement_line": (_SEE, _CHANGE),
        "recon_run": (_SEE, _CHANGE),
        # What two people agreed to is a match; a trigger lets no other be taken back.
        "recon_match": (f"{_ADD}, DELETE", f"{_CHANGE}, DELETE"),
        "break": (_CHANGE, _CHANGE),
        "case_action": (_ADD, _ADD),
        "case_file": (_ADD, _CHANGE),
        "alembic_version": (_SEE, _SEE),  # So that a start finds nothing to migrate.
    }
)
# A partition needs the owner's power; this function lends the worker just that.
_LENT: Final = "make_partition(text, date)"

# Since PostgreSQL 16 a membership may come without the right to SET ROLE.
_IS_OURS: Final = (
    "pg_has_role(session_user, {role}, CASE WHEN"
    " current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)"
)
_MAKE: Final = """
DO $do$ BEGIN
  CREATE ROLE {role} NOLOGIN;
EXCEPTION
  WHEN duplicate_object OR unique_violation THEN NULL;
  WHEN insufficient_privilege THEN
    RAISE WARNING 'the role {role} is missing: this user may not CREATE ROLE';
END $do$
"""
_JOIN: Final = """
DO $do$ BEGIN
  IF NOT {is_ours} THEN
    GRANT {role} TO CURRENT_USER;
  END IF;
EXCEPTION
  WHEN undefined_object THEN NULL;
  WHEN insufficient_privilege THEN
    RAISE WARNING 'this user may not take the role {role}, nor GRANT it';
END $do$
"""
_PLAIN_COLUMNS: Final = text(
    "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
    " WHERE attrelid = to_regclass(:table) AND attnum > 0 AND NOT attisdropped"
    " AND NOT string_to_array(attname, '_') && :secret"
)
_THERE: Final = text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:roles)")
_STANDING: Final = text(
    f"SELECT {_IS_OURS.format(role='oid')} AS is_ours, coalesce("
    "has_any_column_privilege(oid, to_regclass('alembic_version'), 'SELECT'), false) AS is_granted"
    " FROM pg_roles WHERE rolname = :role"
)


def grant(connection: Connection, *tables: str) -> None:
    """Give each role what RIGHTS says for these tables, and no more; a missing role is passed over.

    A migration calls it for the tables that it makes, and for those whose rights or columns change:
    ``grant(op.get_bind(), "refund")``.
    """
    there = connection.scalars(_THERE, {"roles": list(ROLES)}).all()
    for table in tables:
        named = {"table": f'"{table}"', "secret": _SECRET}
        plain = connection.scalar(_PLAIN_COLUMNS, named)
        for role, rights in zip(ROLES, (*RIGHTS[table], _PLAIN), strict=True):
            if role in there:
                what = f"SELECT ({plain})" if rights == _PLAIN else rights
                connection.execute(text(f'REVOKE ALL ON "{table}" FROM {role}'))
                connection.execute(text(f'GRANT {what} ON "{table}" TO {role}'))


def keep(connection: Connection) -> None:
    """Make the roles, join them, and grant; what this user may not do is left out.

    Roles belong to the whole server, so several databases share them: one that is there is kept.
    """
    for role in ROLES:
        connection.execute(text(_MAKE.format(role=role)))
        is_ours = _IS_OURS.format(role=f"'{role}'")
        connection.execute(text(_JOIN.format(role=role, is_ours=is_ours)))
    is_made = text("SELECT to_regclass(:table) IS NOT NULL")
    grant(connection, *(t for t in RIGHTS if connection.scalar(is_made, {"table": f'"{t}"'})))
    if WORKER in connection.scalars(_THERE, {"roles": [WORKER]}):
        connection.execute(text(f"GRANT EXECUTE ON FUNCTION {_LENT} TO {WORKER}"))


async def lacking(engine: AsyncEngine, role: str) -> str:
    """Say why this user cannot take a role, and what to do; empty when it can."""
    async with engine.connect() as connection:
        found = (await connection.execute(_STANDING, {"role": role})).one_or_none()
    if found is None:
        return f"there is no role {role}: CREATE ROLE {role} as a superuser, then thuphi migrate"
    if not found.is_ours:
        return f"this user may not take {role}: GRANT {role} to it as a superuser"
    if not found.is_granted:
        return f"{role} has no rights in this database: thuphi migrate as the tables' owner"
    return ""
