"""A whole day of 200 payments, from the first request to closed books, by ``thuphi day``."""

import asyncio
import json
import sys
from typing import Final

from bench.result import Result, at_most, machine

seconds_max: Final = 60.0
payments: Final = 200


async def measure() -> list[Result]:
    """Run one day; it must end well to count."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.entry.cli", "day", "--payments", str(payments), "--json",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    said = json.loads(out)
    assert process.returncode == 0, said["violations"]
    ran_on = machine(f"thuphi day --payments {payments}: {said['paid']} paid, books closed")
    return [at_most("a day of 200 payments", ran_on, said["seconds"], seconds_max, "s", 1.0)]
