"""Roles with the least they need, where this user may make roles; else a warning says so.

Roles belong to the whole server, so several databases share them: one that is there is kept. What
a role may do is granted in this database alone. A later table brings its own grants.
"""

from alembic import op

from gateway.store.tables import APPEND_ONLY, metadata

revision = "0003"
down_revision = "0002"

_ADDS = (
    "payment", "fee_line", "idempotency", "attempt", "attempt_share", "capture", "evidence",
    "allocation", "entry", "event", "notice", "notice_work", "audit", "break", "staff_session",
    "sign_in_try", "statement_file",
)  # fmt: skip
_CHANGES = ("payment", "attempt", "notice_work", "break", "staff_session")
_SECRET = ("sealed", "hash", "token", "csrf", "content", "xml", "pdf", "answer", "data")

_MAKE = """
DO $do$ BEGIN
  CREATE ROLE {role} NOLOGIN;
EXCEPTION
  WHEN duplicate_object OR unique_violation THEN NULL;
  WHEN insufficient_privilege THEN
    RAISE WARNING 'the role {role} is missing: this user may not CREATE ROLE; grants are left out';
END $do$
"""
_GRANT = """
DO $do$ BEGIN
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{role}') THEN
    EXECUTE $sql$GRANT {what} TO {role}$sql$;
  END IF;
END $do$
"""


def _readable(table: str) -> str:
    """List the columns that hold nothing sealed and open nothing."""
    shown = [
        c.name
        for c in metadata.tables[table].columns
        if not any(word in c.name.split("_") for word in _SECRET)
    ]
    return ", ".join(f'"{name}"' for name in shown)


def _web() -> list[str]:
    most = [f'"{t}"' for t in metadata.tables if t != "signing_key"]
    return [
        f"SELECT ON {', '.join(most)}",
        f"SELECT ({_readable('signing_key')}) ON signing_key",
        "INSERT ON " + ", ".join(f'"{t}"' for t in _ADDS),
        "UPDATE ON " + ", ".join(f'"{t}"' for t in _CHANGES),
        "DELETE ON sign_in_try",
    ]


def _worker() -> list[str]:
    every = [f'"{t}"' for t in metadata.tables]
    kept = {*APPEND_ONLY, "notice"}
    return [
        f"SELECT, INSERT ON {', '.join(every)}",
        "UPDATE ON " + ", ".join(f'"{t}"' for t in metadata.tables if t not in kept),
        "DELETE ON notice, notice_work",
    ]


def _auditor() -> list[str]:
    return [f'SELECT ({_readable(t)}) ON "{t}"' for t in metadata.tables]


def upgrade() -> None:
    granted = {"thuphi_web": _web(), "thuphi_worker": _worker(), "thuphi_auditor": _auditor()}
    for role, rights in granted.items():
        op.execute(_MAKE.format(role=role))
        for what in rights:
            op.execute(_GRANT.format(role=role, what=what))
