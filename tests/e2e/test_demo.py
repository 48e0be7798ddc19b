"""``thuphi demo`` on a fresh folder: a link that works, a clean end, a quick return."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import psutil
import pytest
from front_door import free_port

second_start_s_max = 5


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demonstration, what it printed, and how long that took."""

    said: dict[str, Any]
    took_s: float
    process: psutil.Process


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder with a short name: PostgreSQL's socket has at most 107 characters."""
    with tempfile.TemporaryDirectory(prefix="td") as name:
        yield Path(name)


@asynccontextmanager
async def running(folder: Path, port: int, banks: int) -> AsyncIterator[Demo]:
    """Start it, wait for its link, and end it with Ctrl-C."""
    began = monotonic()
    values = {k: v for k, v in os.environ.items() if not k.startswith("THUPHI_")}
    with (folder / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway.entry.cli", "demo", "--json", "--port", str(port),
            "--simulator-port", str(banks), cwd=folder,
            env=values | {"THUPHI_DATA_DIR": str(folder / "data")},
            stdout=asyncio.subprocess.PIPE, stderr=log,
        )  # fmt: skip
    assert process.stdout
    line = await asyncio.wait_for(process.stdout.readline(), 60)
    assert line, "it ended without a word"
    try:
        yield Demo(json.loads(line), monotonic() - began, psutil.Process(process.pid))
    finally:
        process.send_signal(signal.SIGINT)
        code = await asyncio.wait_for(process.wait(), 30)
    assert code == 0


def processes_of(folder: Path) -> list[str]:
    """Name every process that works in the folder or was told of it: PostgreSQL's above all."""
    found = []
    for process in psutil.process_iter(["pid", "name", "cmdline", "cwd"]):
        told = [*(process.info["cmdline"] or []), process.info["cwd"] or ""]
        if any(str(folder) in word for word in told):
            found.append(f"{process.info['pid']} {process.info['name']}")
    return found


async def test_the_demo_starts_fresh_ends_clean_and_comes_back_with_its_data(folder: Path) -> None:
    port, banks = free_port(), free_port()

    async with running(folder, port, banks) as first, httpx.AsyncClient() as http:
        bearer = {"authorization": f"Bearer {first.said['api_key']}"}
        page = await http.get(first.said["pay"])
        bank = await http.get(first.said["banks"], follow_redirects=True)
        (payment,) = (await http.get(f"{first.said['api']}/payments", headers=bearer)).json()[
            "data"
        ]
        family = first.process.children(recursive=True)
        at_work = processes_of(folder)
    assert (page.status_code, bank.status_code) == (200, 200)
    lines = [json.loads(x) for x in (folder / "log").read_text("utf-8").splitlines()]
    told = next(x for x in lines if x.get("path") == "/pay/{token}")
    assert (told["from"], told["status"], len(told["request_id"])) == ("thuphi.web", 200, 16)
    assert payment["reference"] in page.text
    assert any("postgres" in name for name in at_work), "the search sees PostgreSQL at work"

    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    assert processes_of(folder) == []

    async with running(folder, port, banks) as second, httpx.AsyncClient() as http:
        kept = await http.get(f"{second.said['api']}/payments/{payment['id']}", headers=bearer)
        again = await http.get(second.said["pay"])
    assert kept.json() == payment
    assert again.status_code == 200
    assert second.said["pay"] != first.said["pay"], "a new link each time"
    for name in ("api_key", "client_id", "username", "password"):
        assert second.said[name] == first.said[name]
    assert second.took_s < second_start_s_max
    assert processes_of(folder) == []


async def test_a_taken_port_is_one_sentence_and_leaves_nothing_behind(folder: Path) -> None:
    port = free_port()
    taken = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", port)

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.entry.cli", "demo", "--port", str(port),
        "--simulator-port", str(free_port()), cwd=folder,
        env=os.environ | {"THUPHI_DATA_DIR": str(folder / "data")},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, err = await asyncio.wait_for(process.communicate(), 30)
    finally:
        taken.close()
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            await process.wait()

    assert (process.returncode, out) == (2, b"")
    assert err.decode() == f"thuphi: Port {port} cannot be used; choose another with --port.\n"
    assert processes_of(folder) == []
