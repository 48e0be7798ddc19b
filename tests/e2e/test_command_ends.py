"""Whatever can be expected to go wrong with a command is one sentence and the right exit code."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from commands import KEY, Ended, Terminal
from front_door import AGENCY, Site, free_port
from sqlalchemy import make_url

from gateway.infra.embedded import Embedded

OURS = ("--agency", AGENCY)
DAY = "2026-11-18"


def is_one_sentence(end: Ended) -> bool:
    """Tell whether it is ours: one line, no traceback, and something to do or a rule."""
    return end.said.startswith("thuphi: ") and end.said.count("\n") == 1 and end.out == ""


async def test_what_is_named_wrongly_is_two_and_what_is_not_so_is_one(
    site: Site, database_url: str, terminal: Terminal
) -> None:
    """CONTRACT 4: a script tells «not reconciled» from «no such agency» by the exit code alone."""
    (terminal.folder / "lines").write_text("not,a,header\n", "utf-8")
    header = (
        "account,line_id,booked_on,value_on,amount,currency,counterparty,reference,memo,balance"
    )
    (terminal.folder / "bad").write_text(f"{header}\n1,2,3\n", "utf-8")
    await site.parts.access.add_staff("an", "clerk", AGENCY)
    table: Sequence[tuple[int, str, str]] = (
        (2, "no agency nope; run seed first", "staff add u --role clerk --agency nope"),
        (2, "name is taken: choose another", f"staff add an --role clerk --agency {AGENCY}"),
        (2, "no agency nope", "clients add x --agency nope"),
        (2, "no agency nope", f"reconcile --date {DAY} --agency nope"),
        (2, "no agency nope", f"trial-balance --date {DAY} --agency nope"),
        (2, "exchange them", f"trial-balance --date {DAY} --since 2026-11-19"),
        (2, "no agency nope", "import lines --profile canonical-statement --agency nope"),
        (2, "/nope cannot be used (No such file", "import /nope --profile canonical-statement"),
        (2, "Line 1: must be the header", "import lines --profile canonical-statement"),
        (2, "Line 2:", "import bad --profile canonical-statement"),
        (2, "The profiles are:", "import lines --profile nope"),
        (2, "no agency nope", "accounts list --agency nope"),
        (2, "see thuphi accounts list", "accounts close vnpay nope"),
        (2, "no agency nope", "agency settings --agency nope"),
        (2, "10 digits", f"agency settings --agency {AGENCY} --tax-code 7"),
        (1, "2190-01-01 has not begun", "reconcile --date 2190-01-01"),
    )  # fmt: skip
    wrong = []
    for code, said, words in table:
        end = await terminal.run(*words.split(), DATABASE_URL=database_url, MASTER_KEY=KEY)
        if end.code != code or said not in end.said or not is_one_sentence(end):
            wrong.append((words, end))

    assert wrong == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("serve --port 0", "a port is a whole number from 1 to 65535"),
        ("serve --port 99999", "a port is a whole number from 1 to 65535"),
        ("simulate --port -1", "a port is a whole number"),
        ("demo --simulator-port x", "a port is a whole number"),
        ("demo --port 8090 --simulator-port 8090", "must differ"),
        ("day --payments -5", "from 1 to"),
        ("day --faults 5", "from 0 to 1"),
        ("day --faults nan", "from 0 to 1"),
        ("day --date 2020-01-01", "covers 2020-01-01. Choose another --date"),
        ("day --date 9999-12-31", "of the years 2000 to 2199"),
        ("reconcile --date 0001-01-01", "of the years 2000 to 2199"),
        ("trial-balance --date 20261118", "YYYY-MM-DD"),
        ("trial-balance --date 2026-W47-3", "YYYY-MM-DD"),
        ("accounts rotate vnpay x --fields - --overlap-hours 99999999", "a whole number from 0"),
        ("accounts rotate vnpay x --fields - --overlap-hours -1", "a whole number from 0"),
        ("verify /nope", "/nope cannot be used (No such file or directory): check its path"),
        ("clients add \t --agency x", "1 to 100 printable"),
        ("adapters check nope", "There are momo"),
    ],
)
async def test_a_wrong_argument_is_two_before_anything_starts(
    terminal: Terminal, words: str, said: str
) -> None:
    end = await terminal.run(*words.split(" "), DATABASE_URL="postgresql://u@127.0.0.1:1/x")

    assert (end.code, "Traceback" in end.said) == (2, False)
    assert said in end.said


@pytest.fixture
def taken_port() -> Iterator[int]:
    """Listen somewhere."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield int(server.getsockname()[1])


async def test_a_port_that_is_taken_is_named(terminal: Terminal, taken_port: int) -> None:
    end = await terminal.run("simulate", "--port", str(taken_port))

    assert (end.code, is_one_sentence(end)) == (2, True)
    assert f"Port {taken_port} cannot be used; choose another with --port" in end.said


async def test_a_database_that_is_not_there_is_a_sentence_for_every_command(
    terminal: Terminal, database_url: str
) -> None:
    here = make_url(database_url)  # The folder of its socket may hold any letters.
    no_database = here.set(database=f"no_{here.database}").render_as_string(hide_password=False)
    no_user = database_url.replace("postgres@", "nobody@")
    table = [
        ("postgresql://u:secret-word@127.0.0.1:1/x", "cannot be reached (Connection refused)"),
        ("postgresql://u:secret-word@nowhere.invalid/x", "cannot be reached ("),
        ("postgresql://u@/x?host=/nowhere", "cannot be reached (No such file or directory)"),
        (no_database, "no such database: create it"),
        *([(no_user, "refuses this user")] if no_user != database_url else []),
    ]
    ends = [(await terminal.run("migrate", DATABASE_URL=url, MASTER_KEY=KEY), said)
            for url, said in table]  # fmt: skip
    for words in ("worker", "seed", "doctor", "reseal", f"reconcile --date {DAY}"):
        end = await terminal.run(*words.split(), DATABASE_URL=table[0][0], MASTER_KEY=KEY)
        ends.append((end, table[0][1]))

    for end, said in ends:
        assert (end.code, is_one_sentence(end), said in end.said) == (2, True, True), end
        assert "THUPHI_DATABASE_URL" in end.said
        assert "secret-word" not in end.said


@pytest.mark.parametrize("folder", ["/dev/null", "/proc/nope", "{here}/file", "{here}/file/below"])
@pytest.mark.parametrize("words", ["migrate", "doctor", "worker", "demo", "simulate"])
async def test_a_data_folder_that_cannot_be_one_is_a_sentence(
    terminal: Terminal, folder: str, words: str
) -> None:
    (terminal.folder / "file").touch()

    end = await terminal.run(words, DATA_DIR=folder.format(here=terminal.folder))

    assert (end.code, is_one_sentence(end)) == (2, True), end
    assert "THUPHI_DATA_DIR" in end.said
    assert "name another" in end.said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"THUPHI_CLOCK=\xff\xfe", ".env is not UTF-8"),
        (b"\xef\xbb\xbfTHUPHI_NOPE=1", "There is no setting THUPHI_NOPE"),
        (b"THUPHI_CLOCK", "Line 1 of .env is not NAME=value"),
        (None, ".env cannot be read: Is a directory"),
    ],
)
@pytest.mark.parametrize("words", ["migrate", "adapters list", "demo"])
async def test_settings_that_cannot_be_read_are_a_sentence(
    terminal: Terminal, content: bytes | None, said: str, words: str
) -> None:
    """One that begins with a byte order mark is read, and not passed over without a word."""
    path = terminal.folder / ".env"
    path.write_bytes(content) if content is not None else path.mkdir()

    end = await terminal.run(*words.split())

    assert (end.code, is_one_sentence(end), said in end.said) == (2, True, True), end


@pytest.mark.parametrize(
    ("name", "words"), [("master.key", "migrate"), ("simulator.json", "simulate")]
)
async def test_a_damaged_file_of_the_data_folder_is_named(
    terminal: Terminal, name: str, words: str
) -> None:
    data = terminal.folder / ".data"
    data.mkdir()
    (data / name).write_bytes(b"\xc3\xa9{")

    end = await terminal.run(words)

    assert (end.code, is_one_sentence(end)) == (2, True), end
    assert str(data / name) in end.said


async def test_a_database_that_will_not_start_says_where_its_reason_stands(
    terminal: Terminal,
) -> None:
    folder = Path(terminal.folder / "d")
    Embedded(folder).stop()
    (folder / "postgres" / "postgresql.conf").write_text("nonsense\n", "ascii")

    end = await terminal.run("migrate", DATA_DIR=str(folder))

    assert (end.code, is_one_sentence(end)) == (2, True), end
    assert f"{folder / 'postgres' / 'log'}" in end.said


async def test_what_seed_made_is_a_list(database_url: str, terminal: Terminal) -> None:
    settings = {"DATABASE_URL": database_url, "MASTER_KEY": KEY}

    told = await terminal.run("seed", "--json", **settings)
    shown = await terminal.run("seed", "--live", **settings)

    assert told == Ended(0, '{"agencies": ["hn-tthcc-test"]}\n', "")
    assert shown.out.split(maxsplit=1) == ["agencies", "hn-tthcc-test, hn-tthcc\n"]


@pytest.mark.usefixtures("site")
async def test_accounts_of_an_agency_that_is_not_there_stop_the_start(
    database_url: str, terminal: Terminal
) -> None:
    """Money would come in for nobody; «seed» alone works, for it makes agencies."""
    settings = {"DATABASE_URL": database_url, "MASTER_KEY": KEY, "DEFAULT_AGENCY": "hn-tthcc"}
    stopped = [await terminal.run(w, **settings) for w in ("worker", "doctor")]

    made = await terminal.run("seed", "--live", **settings)

    assert made.code == 0, made
    for end in stopped:
        assert end == Ended(
            2, "", "thuphi: THUPHI_DEFAULT_AGENCY is hn-tthcc, which is no agency here; there are"
            " hn-tthcc-test.\n",
        )  # fmt: skip


async def test_a_providers_address_that_cannot_be_is_named_with_its_setting(
    database_url: str, terminal: Terminal
) -> None:
    end = await terminal.run(
        "worker", DATABASE_URL=database_url, MASTER_KEY=KEY, VNPAY_TMN_CODE="TESTTMN1",
        VNPAY_SECRET="x" * 32, VNPAY_BASE_URL="https://sandbox.vnpayment.vn:99999/pay",
        VNPAY_API_URL="https://sandbox.vnpayment.vn/api",
    )  # fmt: skip

    assert (end.code, is_one_sentence(end)) == (2, True), end
    assert "THUPHI_VNPAY_BASE_URL must be an http or https address" in end.said


async def test_serve_says_where_it_listens_and_ends_politely(
    database_url: str, tmp_path: Path
) -> None:
    port = free_port()
    settings = {"THUPHI_DATABASE_URL": database_url, "THUPHI_MASTER_KEY": KEY}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.entry.cli", "serve", "--json", "--port", str(port),
        env=os.environ | settings, cwd=tmp_path, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout
    said = await asyncio.wait_for(process.stdout.readline(), 60)

    process.send_signal(signal.SIGTERM)
    code = await asyncio.wait_for(process.wait(), 30)

    assert code == 0
    assert json.loads(said) == {
        "listens_on": f"http://127.0.0.1:{port}", "for": "http://127.0.0.1:8080",
    }  # fmt: skip


async def test_whoever_stops_reading_is_told_nothing_of_a_database(tmp_path: Path) -> None:
    """«thuphi adapters list | head -1»."""
    reading, writing = os.pipe()
    os.close(reading)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.entry.cli", "adapters", "list", cwd=tmp_path,
        stdout=writing, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    os.close(writing)

    _, said = await process.communicate()

    assert (process.returncode, said) == (141, b"")
