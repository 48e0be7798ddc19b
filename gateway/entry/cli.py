"""The command line: ``thuphi``. Exit 0 done, 1 the answer is no, 2 bad usage (CONTRACT 4)."""

import argparse
import asyncio
import logging
import os
import secrets
import signal
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from gateway.entry import cli_accounts as accounts
from gateway.entry import (
    cli_adapters,
    cli_agency,
    cli_log,
    cli_pack,
    cli_people,
    cli_privacy,
    cli_profiles,
    cli_prove,
    cli_receipts,
    cli_rules,
    cli_sources,
    cli_statement,
    cli_verify,
    cli_vouchers,
)
from gateway.entry import cli_books as books
from gateway.entry import cli_values as values
from gateway.entry.bootstrap import (
    Parts,
    clock_of,
    prepare,
    require_agency,
    require_sandbox,
    running,
)
from gateway.entry.cli_day import do_day
from gateway.entry.cli_said import say
from gateway.entry.demo import do_demo, simulated, simulating, simulator_port_default
from gateway.entry.doctor import do_doctor
from gateway.entry.ends import ended
from gateway.entry.logs import start_logs
from gateway.entry.plugins import adapters, setting_names
from gateway.entry.registry import kept_fresh
from gateway.entry.settings import (
    SettingError,
    Settings,
    environment,
    make_folder,
    read_settings,
    secret_in,
)
from gateway.infra.embedded import Embedded
from gateway.services.reseal import Reseal
from gateway.services.seed import seed
from gateway.store.migrate import keep_roles
from gateway.store.roles import AUDITOR, WEB, WORKER

port_default: Final = 8080
interrupted: Final = 130  # As a shell says of what Ctrl-C ended.
pipe_closed: Final = 141  # As a shell says of what wrote to nobody.
address_default: Final = "127.0.0.1"  # A container serves on 0.0.0.0, behind a TLS proxy.
Command = Callable[[argparse.Namespace], Awaitable[int]]


def settings_now() -> Settings:
    """Read the settings; on loopback a missing master key is made and kept in the data folder."""
    settings = read_settings(environment(Path.cwd()), setting_names(adapters()))
    if settings.database_url:
        return settings
    make_folder(settings.data_dir)
    if settings.master_key or not settings.is_loopback:
        return settings
    path = settings.data_dir / "master.key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(b64encode(secrets.token_bytes(32)).decode(), "ascii")
    return replace(settings, master_key=secret_in(path, f"{path}"))


@asynccontextmanager
async def opened(role: str = "", *, makes_agencies: bool = False) -> AsyncIterator[Parts]:
    """Give the parts on the configured database, starting the embedded one when it is ours.

    Whatever works afterwards has taken a role; only a migration stays who it is.
    """
    settings = settings_now()
    embedded = None if settings.database_url else Embedded(settings.data_dir)
    url = settings.database_url or (embedded.url() if embedded else "")
    try:
        await prepare(settings, url)
        async with running(settings, url, role) as parts:
            await require_sandbox(parts)
            if role and not makes_agencies:
                await require_agency(parts)
            if role != AUDITOR:  # An auditor opens nothing that is sealed.
                await parts.registry.refresh()
            yield parts
    finally:
        if embedded:
            embedded.stop()


async def do_migrate(args: argparse.Namespace) -> int:
    """Bring the database to the newest shape, and its roles to what they may do."""
    async with opened() as parts:
        await keep_roles(parts.engine)
        say(args, {"migrated": True})
    return 0


async def do_seed(args: argparse.Namespace) -> int:
    """Make the sandbox agency, and the live one when asked."""
    async with opened(WORKER, makes_agencies=True) as parts:
        if args.live and parts.settings.clock_at:
            raise SettingError("THUPHI_CLOCK is set: an installation with it has no live agency.")
        say(args, {"agencies": await seed(parts.store, live=args.live)})
    return 0


async def do_reseal(args: argparse.Namespace) -> int:
    """Seal everything with the present master key; cut short, it goes on at the next call."""
    async with opened() as parts:
        work = Reseal(parts.store, parts.vault)
        moved = await work.run()
        say(args, {"moved": sum(moved.values()), "left": await work.left(), **moved})
    return 0


async def do_worker(args: argparse.Namespace) -> int:
    """Run the jobs until stopped."""
    from gateway.entry.scheduler import scheduler_of

    start_logs()
    stop = stopped()  # Whoever sees us at work may also end us politely.
    async with opened(WORKER) as parts, kept_fresh(parts.registry):
        await scheduler_of(parts).run(stop)
    say(args, {"stopped": True})
    return 0


async def do_serve(args: argparse.Namespace) -> int:
    """Serve the API and the pages until stopped."""
    from gateway.entry.web.app import build_app
    from gateway.entry.web.serving import serving

    start_logs()
    stop = stopped()  # Whoever sees us answer may also end us politely.
    async with (
        opened(WEB) as parts,
        kept_fresh(parts.registry),
        serving(build_app(parts), args.port, args.address),
    ):
        host = f"[{args.address}]" if ":" in args.address else args.address
        say(args, {"listens_on": f"http://{host}:{args.port}", "for": parts.settings.public_url})
        await stop.wait()
    return 0


async def do_simulate(args: argparse.Namespace) -> int:
    """Run the simulated banks alone; notices go to THUPHI_PUBLIC_URL."""
    base = settings_now()
    origin = f"http://127.0.0.1:{args.port}"
    settings = simulated(base, base.data_dir, origin)
    stop = stopped()
    async with simulating(settings, base.data_dir, clock_of(settings), args.port, args.address):
        say(args, {"banks": f"{origin}/bank", "notices_go_to": settings.public_url})
        await stop.wait()
    return 0


def stopped() -> asyncio.Event:
    """Give an event that Ctrl-C and a polite kill set."""
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, event.set)
    return event


def parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    top = argparse.ArgumentParser(prog="thuphi", description="Payment gateway for public fees.")
    commands = top.add_subparsers(dest="command", required=True)

    def add(
        name: str,
        run: Command,
        words: str,
        under: Any = commands,  # noqa: ANN401 - argparse's own type is private.
    ) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = under.add_parser(name, help=words, description=words)
        made.add_argument("--json", action="store_true", help="one JSON object on standard output")
        made.set_defaults(run=run)
        return made

    serve = add("serve", do_serve, "serve the API and the pages")
    serve.add_argument("--port", type=values.port, default=port_default)
    serve.add_argument("--address", default=address_default)
    add("worker", do_worker, "run the jobs")
    demo = add("demo", do_demo, "run everything on loopback, with simulated banks")
    demo.add_argument("--port", type=values.port, default=port_default)
    demo.add_argument("--simulator-port", type=values.port, default=simulator_port_default)
    banks = add("simulate", do_simulate, "run the simulated banks alone")
    banks.add_argument("--port", type=values.port, default=simulator_port_default)
    banks.add_argument("--address", default=address_default)
    day = add("day", do_day, "live a whole day on a test clock, and prove the books")
    day.add_argument("--payments", type=values.citizens, default=200)
    day.add_argument("--seed", type=int, default=7)
    day.add_argument("--date", type=values.day_of, default="2026-11-18", metavar="YYYY-MM-DD")
    day.add_argument("--faults", type=values.share, default=0.1, metavar="SHARE")
    add(
        "doctor",
        lambda args: do_doctor(args, opened(WEB)),
        "look at everything, and say what to do",
    )
    add("reseal", do_reseal, "seal everything with the present master key")
    add("migrate", do_migrate, "bring the database to the newest shape")
    add("seed", do_seed, "make the sandbox agency and its branches").add_argument(
        "--live", action="store_true", help="the live agency too"
    )
    cli_verify.describe(add)
    _add_books(add)
    cli_prove.describe(add, opened)
    for group in (
        accounts,
        cli_agency,
        cli_pack,
        cli_people,
        cli_privacy,
        cli_receipts,
        cli_rules,
        cli_sources,
        cli_statement,
        cli_vouchers,
    ):
        group.describe(add, commands, lambda: opened(WORKER))
    cli_log.describe(add, commands, opened)
    cli_adapters.describe(add, commands)
    cli_profiles.describe(add, commands)
    return top


def _add_books(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Describe the accountant's commands."""

    def on_books(
        run: Callable[[argparse.Namespace, books.Opened], Awaitable[int]], role: str = WORKER
    ) -> Command:
        return lambda args: run(args, opened(role))

    taken = add("import", on_books(books.do_import), "take in a file of a bank or the treasury")
    taken.add_argument("file", metavar="FILE")
    taken.add_argument(
        "--profile", required=True, metavar="PROFILE", help="a name, or your own file.toml"
    )
    night = add("reconcile", on_books(books.do_reconcile), "reconcile a day, and close it")
    night.add_argument("--date", type=values.day_of, required=True, metavar="YYYY-MM-DD")
    night.add_argument("--reopen", action="store_true", help="open the last closed day again")
    balance = add(
        "trial-balance", on_books(books.do_trial_balance, AUDITOR), "print the trial balance"
    )
    balance.add_argument("--date", type=values.day_of, required=True, metavar="YYYY-MM-DD")
    balance.add_argument("--since", type=values.day_of, metavar="YYYY-MM-DD")
    for command in (taken, night, balance):
        command.add_argument("--agency", metavar="A", help="the account default's agency if absent")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; give its exit code."""
    args = parser().parse_args(argv)
    start_logs(logging.WARNING)  # What a command has to say is its output.
    try:
        code: int = asyncio.run(args.run(args))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return interrupted
    except BrokenPipeError:  # Whoever read has seen enough, as «head» has.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return pipe_closed
    except Exception as error:
        end = ended(error)
        if end is None:
            raise
        print(f"thuphi: {end.said}", file=sys.stderr)
        return end.code
    return code


if __name__ == "__main__":
    sys.exit(main())
