"""A bank's server of files: SFTP, real, with one user who has a password and a key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh


@dataclass
class Bank:
    """Where it is, and what an agency is told of it."""

    folder: Path
    port: int
    host_key: str
    user_key: bytes


@asynccontextmanager
async def open_bank(
    folder: Path, serving: type[asyncssh.SFTPServer] = asyncssh.SFTPServer
) -> AsyncIterator[Bank]:
    """Serve the folder until the end of the block."""
    (folder / "out").mkdir(parents=True)
    own, theirs = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))

    class Door(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:  # noqa: ARG002 - asyncssh calls it so.
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == ("kho-bac", "canary-password")

        def public_key_auth_supported(self) -> bool:
            return True

        def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
            return username == "kho-bac" and key.public_data == theirs.public_data

    def rooted(channel: Any) -> asyncssh.SFTPServer:
        return serving(channel, chroot=str(folder).encode())

    server = await asyncssh.create_server(
        Door, "127.0.0.1", 0, server_host_keys=[own], sftp_factory=rooted
    )
    port = server.sockets[0].getsockname()[1]
    yield Bank(
        folder / "out", port, own.export_public_key().decode().strip(), theirs.export_private_key()
    )
    server.close()
    await server.wait_closed()
