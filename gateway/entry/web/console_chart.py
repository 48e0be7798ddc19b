"""The month as bars: laid out here, drawn as SVG by the template, read as a table beside it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from reconciliation.day_sheets import Figures

chart_width: Final = 620  # In the units of the template's view box.
chart_height: Final = 140
bar_gap: Final = 4
days_min: Final = 12  # With fewer days a bar is as wide as one of so many.


def chart(days: Sequence[Figures]) -> list[dict[str, Any]]:
    """Lay out a bar for each day: confirmed by the treasury below, then arrived, then missing."""
    highest = max((d.expected for d in days), default=0)
    if not highest:
        return []
    step = min(chart_width / len(days), chart_width / days_min)
    bars = []
    for n, day in enumerate(days):
        arrived = min(day.received, day.expected)
        confirmed = min(day.treasury, arrived)
        parts, upto = {}, 0
        for name, amount in (("treasury", confirmed), ("received", arrived - confirmed),
                             ("missing", day.expected - arrived)):  # fmt: skip
            top = upto + amount
            parts[name] = {
                "y": round(chart_height * (1 - top / highest), 1),
                "height": round(chart_height * amount / highest, 1),
            }
            upto = top
        bars.append(asdict(day) | {
            "x": round(n * step, 1), "width": round(step - bar_gap, 1), "parts": parts,
            "difference": day.difference,
        })  # fmt: skip
    return bars
