"""A command's result on standard output: lines for a person, one object with ``--json``."""

import argparse
import json
from collections.abc import Mapping
from typing import Any


def say(args: argparse.Namespace, values: Mapping[str, Any]) -> None:
    """Print a result at once, for who waits at the other end of a pipe."""
    if args.json:
        print(json.dumps(values, ensure_ascii=False), flush=True)
        return
    for name, value in values.items():
        shown = ", ".join(value) if isinstance(value, list) else value
        print(f"{name:20} {shown}", flush=True)
