"""Commands, run as a person would, in an environment of their own and in this process."""

import asyncio
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.entry import cli

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    said: str


@dataclass
class Terminal:
    """An empty folder to stand in, with settings; what is printed is caught."""

    folder: Path
    patch: pytest.MonkeyPatch
    caught: pytest.CaptureFixture[str]

    async def run(self, *words: str, **settings: str) -> Ended:
        """Run one command; a setting that is given empty is empty, and not unset."""
        for name, value in settings.items():
            self.patch.setenv(f"THUPHI_{name}", value)
        self.caught.readouterr()
        code = await asyncio.to_thread(_code, words)
        said = self.caught.readouterr()
        for name in settings:
            self.patch.delenv(f"THUPHI_{name}")
        return Ended(code, said.out, said.err)


def _code(words: tuple[str, ...]) -> int:
    try:
        return cli.main(words)
    except SystemExit as end:  # argparse's own.
        return int(str(end.code))


@pytest.fixture
def terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Terminal]:
    """Stand in an empty folder without any setting of ours."""
    monkeypatch.chdir(tmp_path)
    for name in [n for n in os.environ if n.startswith("THUPHI_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(cli, "stopped", asyncio.Event)  # Only a main thread is told of signals.
    handlers = logging.getLogger().handlers
    yield Terminal(tmp_path, monkeypatch, capsys)
    logging.getLogger().handlers = handlers
