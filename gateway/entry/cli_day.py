"""``thuphi day``: prints what a day came to; exit 1 if anything that must hold does not."""

import argparse
import json
from datetime import date

from gateway.domain.errors import Refusal
from gateway.entry.day import live
from gateway.entry.day_plan import PROCEDURES
from gateway.entry.demo import agency
from gateway.services import catalogue


def _require_tariffs(on: date) -> None:
    """Refuse a day on which nothing has a price, before anything starts."""
    for procedure, facts in PROCEDURES:
        priced = catalogue.Facts(channel=facts.get("channel", "online"))
        try:
            catalogue.price(agency, procedure, priced, on)
        except Refusal as refusal:
            raise Refusal(refusal.code, f"{refusal.detail} Choose another --date.") from None


async def do_day(args: argparse.Namespace) -> int:
    """Live a day; exit 1 if anything that must hold does not."""
    _require_tariffs(args.date)
    said = await live(args.payments, args.seed, args.date, args.faults)
    if args.json:
        print(json.dumps(said, ensure_ascii=False))
    else:
        for name, value in said.items():
            if name != "violations":
                shown = f"{value:,}".replace(",", ".") if isinstance(value, int) else value
                print(f"{name.replace('_', ' '):20} {shown:>16}")
        print("\n".join(f"BROKEN  {v}" for v in said["violations"]) or "Every invariant holds.")
    return 1 if said["violations"] else 0
