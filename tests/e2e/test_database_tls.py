"""``sslmode`` and ``sslrootcert`` in the database's address mean what they mean to libpq."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, urlsplit

import pytest
import pytest_asyncio
from commands import KEY, Terminal
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from gateway.infra.clock import SystemClock

ASKS_FOR_TLS = bytes.fromhex("00000008 04d2162f")  # PostgreSQL's SSLRequest.
YES, NO = b"S", b"N"


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = SystemClock().now()
    made = (
        x509.CertificateBuilder().subject_name(called).issuer_name(called)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        ).sign(key, hashes.SHA256())
    )  # fmt: skip
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_bytes(made.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


async def pour(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    """Pass on what comes until it ends."""
    while piece := await source.read(65_536):
        to.write(piece)
        await to.drain()
    to.close()


@dataclass
class Front:
    """PostgreSQL's own door with TLS, or without it, before a server that has none itself."""

    parts: SplitResult
    secure: ssl.SSLContext | None
    encrypted: int = 0

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        folder = parse_qs(self.parts.query).get("host")
        if folder:
            return await asyncio.open_unix_connection(f"{folder[0]}/.s.PGSQL.5432")
        return await asyncio.open_connection(self.parts.hostname, self.parts.port or 5432)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind_reader, behind_writer = await self.open()
        with suppress(ssl.SSLError, ConnectionError):  # Who does not believe us hangs up.
            await self.pass_on(reader, writer, behind_reader, behind_writer)
        for end in (writer, behind_writer):
            end.close()

    async def pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
        behind_reader: asyncio.StreamReader, behind_writer: asyncio.StreamWriter,
    ) -> None:  # fmt: skip
        first = await reader.readexactly(len(ASKS_FOR_TLS))
        if first == ASKS_FOR_TLS:
            writer.write(YES if self.secure else NO)
            await writer.drain()
            if self.secure:
                await writer.start_tls(self.secure)
                self.encrypted += 1
        else:
            behind_writer.write(first)
        await asyncio.gather(
            pour(reader, behind_writer), pour(behind_reader, writer), return_exceptions=True
        )


@pytest.fixture
def ours(tmp_path: Path) -> tuple[Path, Path]:
    return certificate(tmp_path, "ours")


@pytest_asyncio.fixture
async def front(database_url: str, ours: tuple[Path, Path]) -> AsyncIterator[tuple[Front, str]]:
    """Give a door with TLS and the address of the database behind it, without any option."""
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(*ours)
    door = Front(urlsplit(database_url), secure)
    server = await asyncio.start_server(door.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    user = door.parts.netloc.rpartition("@")[0] or "postgres"
    yield door, f"postgresql://{user}@127.0.0.1:{port}{door.parts.path}"
    server.close()


@pytest.mark.parametrize(
    "options",
    ["sslmode=require", "sslmode=verify-ca&sslrootcert={ours}",
     "sslmode=verify-full&sslrootcert={ours}", ""],
)  # fmt: skip
async def test_the_way_to_the_database_is_encrypted_and_its_certificate_believed(
    front: tuple[Front, str], ours: tuple[Path, Path], terminal: Terminal, options: str
) -> None:
    door, url = front

    end = await terminal.run(
        "migrate", DATABASE_URL=f"{url}?{options.format(ours=ours[0])}", MASTER_KEY=KEY
    )

    assert end.code == 0, end
    assert door.encrypted > 0


@pytest.mark.parametrize(
    ("host", "options", "said"),
    [
        ("127.0.0.1", "sslmode=verify-full&sslrootcert={foreign}", "is not believed ("),
        ("127.0.0.1", "sslmode=require&sslrootcert={foreign}", "is not believed ("),
        ("localhost", "sslmode=verify-full&sslrootcert={ours}", "is not believed (Hostname"),
        ("127.0.0.1", "sslmode=require&sslrootcert={key}", "is not believed ("),
    ],
)
async def test_a_server_that_is_not_the_one_is_never_spoken_to(
    front: tuple[Front, str], ours: tuple[Path, Path], terminal: Terminal, tmp_path: Path,
    host: str, options: str, said: str,
) -> None:  # fmt: skip
    """Whoever sits in between would see every payment, and could write what he likes."""
    foreign, _ = certificate(tmp_path, "foreign")
    named = options.format(ours=ours[0], key=ours[1], foreign=foreign)
    url = f"{front[1]}?{named}".replace("127.0.0.1", host)

    end = await terminal.run("migrate", DATABASE_URL=url, MASTER_KEY=KEY)

    assert (end.code, end.said.count("\n")) == (2, 1), end
    assert f"The database's certificate {said}" in end.said
    assert "sslrootcert" in end.said


async def test_a_server_without_tls_is_refused_where_it_is_required(
    front: tuple[Front, str], terminal: Terminal
) -> None:
    door, url = front
    door.secure = None

    end = await terminal.run("migrate", DATABASE_URL=f"{url}?sslmode=require", MASTER_KEY=KEY)
    plain = await terminal.run("migrate", DATABASE_URL=f"{url}?sslmode=disable", MASTER_KEY=KEY)

    assert (end.code, "rejected SSL upgrade" in end.said, end.said.count("\n")) == (2, True, 1), end
    assert (plain.code, door.encrypted) == (0, 0)
