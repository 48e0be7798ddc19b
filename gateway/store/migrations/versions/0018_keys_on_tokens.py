"""A signing key may stay on a token, and a certificate is kept with those who issued it."""

from alembic import op

from gateway.store import roles

revision = "0018"
down_revision = "0015"

_KEYS = """
ALTER TABLE signing_key ADD COLUMN IF NOT EXISTS chain text NOT NULL DEFAULT '';
ALTER TABLE signing_key ALTER COLUMN chain DROP DEFAULT;
ALTER TABLE signing_key ADD COLUMN IF NOT EXISTS pkcs11_key text;
ALTER TABLE signing_key ALTER COLUMN key_sealed DROP NOT NULL;
ALTER TABLE signing_key DROP CONSTRAINT IF EXISTS ck_signing_key_one_key;
ALTER TABLE signing_key ADD CONSTRAINT ck_signing_key_one_key
  CHECK ((key_sealed IS NULL) <> (pkcs11_key IS NULL))
"""


def upgrade() -> None:
    for statement in _KEYS.split(";"):
        op.execute(statement)
    roles.grant(op.get_bind(), "signing_key")
