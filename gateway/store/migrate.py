"""Bring a database to the newest shape; safe to call at every start, by many at once."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.store import roles

_migration_lock = 7_413_001  # Any constant: two starting nodes must not migrate together.


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def migrate(engine: AsyncEngine) -> None:
    """Run what is missing, under a lock."""
    await _alone(engine, _upgrade)


async def keep_roles(engine: AsyncEngine) -> None:
    """Make the roles and their rights again, for whoever could not make them before."""
    await _alone(engine, roles.keep)


async def _alone(engine: AsyncEngine, change: Callable[[Connection], None]) -> None:
    async with engine.connect() as connection:
        await connection.execute(text("SELECT pg_advisory_lock(:k)"), {"k": _migration_lock})
        await connection.commit()
        try:
            await connection.run_sync(change)
            await connection.commit()
        finally:
            await connection.execute(text("SELECT pg_advisory_unlock(:k)"), {"k": _migration_lock})
            await connection.commit()
