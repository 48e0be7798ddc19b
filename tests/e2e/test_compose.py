"""docker-compose.yml and Dockerfile, checked against the code that they start."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.entry.bootstrap import build, clock_of, engine_of
from gateway.entry.cli import parser, port_default
from gateway.entry.demo import simulator_port_default
from gateway.entry.plugins import adapters
from gateway.entry.settings import PREFIX, read_settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: said for name, said in SERVICES.items() if "build" in said}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
FIELDS = [f for spec in adapters() for f in spec.known_fields]
MASTER_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
# Writes every path that Python opens for writing to a file; loaded before anything else.
WITNESS = """
import os, sys

_to = os.open(os.environ["WRITES_TO"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
_writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


def _look(event, given):
    opened = event == "open" and isinstance(given[2], int) and given[2] & _writing
    if opened or event in ("os.mkdir", "os.rename", "os.symlink"):
        os.write(_to, os.fsencode(given[0]) + b"\\n" if not isinstance(given[0], int) else b"")


sys.addaudithook(_look)
"""


def filled(text: str) -> str:
    """Fill in what compose takes from the shell: the default, or an example where it is asked."""
    return re.sub(r"\$\{(\w+):([?-])([^}]*)\}", _fill, text)


def _fill(found: re.Match[str]) -> str:
    return "https://pay.example.vn" if found[2] == "?" else found[3]


def settings_of(name: str, folder: Path) -> dict[str, str]:
    """Give a service's variables, with its secret files standing in ``folder``."""
    secrets = {"master_key": MASTER_KEY, "database_password": "word/of@the:day"}
    for secret, content in secrets.items():
        (folder / secret).write_text(content, "ascii")
    return {
        k: filled(v).replace("/run/secrets", str(folder))
        for k, v in OURS[name]["environment"].items()
    }


def instructions() -> Iterator[tuple[str, str]]:
    """Give each instruction of the Dockerfile with its words."""
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            word, _, rest = line.partition(" ")
            yield word, " ".join(rest.split())


def test_the_shape_is_a_database_a_migration_that_runs_once_web_and_worker() -> None:
    assert set(OURS) == {"migrate", "web", "worker", "simulator"}
    assert set(SERVICES) == {*OURS, "postgres"}
    assert [n for n, said in SERVICES.items() if said.get("profiles")] == ["simulator"]
    once = {"migrate": {"condition": "service_completed_successfully"}}
    assert SERVICES["web"]["depends_on"] == once
    assert SERVICES["worker"]["depends_on"] == once
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}


@pytest.mark.parametrize("name", OURS)
def test_each_command_is_one_that_the_program_has(name: str) -> None:
    """Argparse ends the test with its own sentence if it is not."""
    args = parser().parse_args(OURS[name]["command"])

    called = {"migrate": "migrate", "web": "serve", "worker": "worker", "simulator": "simulate"}
    assert args.command == called[name]


@pytest.mark.parametrize("name", OURS)
def test_each_variable_is_a_setting_with_a_value_that_we_take(name: str, tmp_path: Path) -> None:
    values = settings_of(name, tmp_path)

    settings = read_settings(values, FIELDS)

    assert [k for k in values if not k.startswith(PREFIX)] == []
    if name != "simulator":
        assert settings.database_url == (
            "postgresql://thuphi:word%2Fof%40the%3Aday@postgres:5432/thuphi"
        )
        assert settings.master_key == MASTER_KEY


async def test_the_program_can_be_put_together_from_these_settings(tmp_path: Path) -> None:
    """Nothing that a start needs is missing: no provider is set, and none is needed to start."""
    settings = read_settings(settings_of("web", tmp_path), FIELDS)
    assert settings.database_url
    engine = engine_of(settings.database_url)

    parts = build(settings, engine, clock_of(settings))

    assert parts.providers == {}
    await engine.dispose()


def test_the_settings_that_the_comments_name_exist() -> None:
    """An operator copies them, so a wrong name would stop the start."""
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    known = {v for n in OURS for v in OURS[n]["environment"]} | {PREFIX + f for f in FIELDS}

    assert set(re.findall(r"THUPHI_[A-Z_]+", text)) - known == set()


def test_every_image_is_an_exact_version() -> None:
    """The same file gives the same system next year."""
    images = {said["image"] for said in SERVICES.values()}
    images |= {rest.split()[0] for word, rest in instructions() if word == "FROM"}

    assert images >= {f"thuphi:{PROJECT['version']}"}
    loose = [i for i in images if not re.fullmatch(r"[a-z]+:\d+\.\d+(\.\d+)?(-[a-z-]+)?", i)]
    assert loose == []
    assert any(i.startswith("python:3.11.") for i in images)
    assert 15 <= int(SERVICES["postgres"]["image"].split(":")[1].split(".")[0]) <= 18


def test_no_secret_stands_in_the_file() -> None:
    """Passwords and keys come as files, which ``docker inspect`` does not show."""
    secret = {PREFIX + f for spec in adapters() for f in spec.secret_fields}
    secret |= {"THUPHI_MASTER_KEY", "POSTGRES_PASSWORD", "PGPASSWORD"}

    for name, said in SERVICES.items():
        assert not secret & set(said["environment"]), name
        named = [v for k, v in said["environment"].items() if k.endswith("_FILE")]
        assert sorted(named) == sorted(f"/run/secrets/{s}" for s in said.get("secrets", [])), name
    assert all(s["file"].startswith("./secrets/") for s in COMPOSE["secrets"].values())
    assert "secrets/" in (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert (ROOT / ".dockerignore").read_text("utf-8").startswith("*\n"), "all but what is named"


def test_ports_agree_with_the_code_and_are_open_to_this_machine_only() -> None:
    """A TLS proxy stands in front; PostgreSQL publishes nothing."""
    published = {n: said["ports"] for n, said in SERVICES.items() if "ports" in said}

    assert published == {
        "web": [f"127.0.0.1:{port_default}:{port_default}"],
        "simulator": [f"127.0.0.1:{simulator_port_default}:{simulator_port_default}"],
    }
    for name, port in (("web", port_default), ("simulator", simulator_port_default)):
        args = parser().parse_args(OURS[name]["command"])
        assert (args.port, args.address) == (port, "0.0.0.0")  # noqa: S104 - inside a container.
    probe = " ".join(SERVICES["web"]["healthcheck"]["test"])
    assert f"http://127.0.0.1:{port_default}/readyz" in probe
    assert SERVICES["simulator"]["environment"]["THUPHI_PUBLIC_URL"] == f"http://web:{port_default}"


def test_every_container_is_read_only_without_powers_and_starts_again() -> None:
    for name, said in SERVICES.items():
        assert said["read_only"] is True, name
        assert said["cap_drop"] == ["ALL"], name
        assert said["security_opt"] == ["no-new-privileges:true"], name
        assert said["restart"] == ("on-failure:3" if name == "migrate" else "unless-stopped")
        assert any(t.split(":")[0] == "/tmp" for t in said["tmpfs"]), name  # noqa: S108 - see above.
        assert not said.get("privileged"), name
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert SERVICES["postgres"]["networks"] == ["inside"]


def test_the_image_installs_only_what_is_locked_and_runs_as_nobody() -> None:
    said = list(instructions())
    installs = [rest for word, rest in said if word == "RUN" and "pip install" in rest]

    assert "--require-hashes" in installs[0]
    assert "-r requirements.lock" in installs[0]
    assert "--no-index" in installs[1], "our own wheel brings nothing along"
    assert "--no-deps --no-build-isolation" in installs[1]
    (user,) = [rest for word, rest in said if word == "USER"]
    assert user.isdigit()
    assert int(user) > 0
    assert ("WORKDIR", "/srv/thuphi") in said
    last = {word: rest for word, rest in said if word in ("ENTRYPOINT", "CMD")}
    assert json.loads(last["ENTRYPOINT"]) == list(PROJECT["scripts"])
    assert parser().parse_args(json.loads(last["CMD"])).command == "serve"
    assert json.loads(last["CMD"]) == SERVICES["web"]["command"]


def test_the_providers_settings_are_where_the_program_looks() -> None:
    """``.env`` is read from the present folder, which is the image's working directory."""
    for name, said in OURS.items():
        kept = f"high-water:{said['environment'].get('THUPHI_HIGH_WATER_DIR')}"
        mine = {"worker": [kept], "web": [f"{kept}:ro"]}.get(name, [])
        assert said["volumes"] == ["./secrets/thuphi.env:/srv/thuphi/.env:ro", *mine], name


def test_every_folder_that_the_image_copies_is_there_and_every_package_is_copied() -> None:
    copied = {
        part
        for word, rest in instructions()
        if word == "COPY" and not rest.startswith("--from")
        for part in shlex.split(rest)[:-1]
    }
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]

    assert {p.rstrip("*") for p in tool["packages"]["find"]["include"]} <= copied
    assert all((ROOT / path).exists() for path in copied)
    allowed = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert {f"!{path}" for path in copied} <= set(allowed)


def test_a_whole_day_writes_nothing_outside_its_temporary_folder(tmp_path: Path) -> None:
    """A read-only root needs no more than the tmpfs: pages, receipts, files and matching at once.

    The audit hook sees what Python writes, and the empty home and working folders what
    libraries would leave there.
    """
    home, short, hook = tmp_path / "home", tmp_path / "t", tmp_path / "hook"
    for folder in (home, short, hook):
        folder.mkdir()
    (hook / "sitecustomize.py").write_text(WITNESS, "utf-8")
    written = tmp_path / "written"

    ended = subprocess.run(
        [sys.executable, "-m", "gateway.entry.cli", "day", "--payments", "4", "--json"],
        cwd=home, check=False, capture_output=True, timeout=100,
        env={
            "PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(short),
            "PYTHONPATH": str(hook), "PYTHONDONTWRITEBYTECODE": "1", "WRITES_TO": str(written),
        },
    )  # fmt: skip

    assert ended.returncode == 0, ended.stderr.decode()[-2000:]
    paths = [p for p in written.read_text("utf-8").splitlines() if p]
    assert any("simulator-journal" in p for p in paths), "the witness is awake"
    inside = (str(short), "/dev/")
    assert [p for p in paths if not p.startswith(inside)] == []
    assert list(home.iterdir()) == []
