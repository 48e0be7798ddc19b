"""The month as bars: laid out here, drawn as SVG by the template, read as a table beside it."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

from reconciliation.day_sheets import Figures

chart_width: Final = 620  # In the units of the template's view box.
chart_height: Final = 140
bar_gap: Final = 4
days_min: Final = 12  # With fewer days a bar is as wide as one of so many.


def chart(days: Sequence[Figures]) -> list[dict[str, Any]]:
    """Lay out a bar for each day: confirmed by the treasury below, then arrived, then missing.

    Days on which nothing came have their place too.
    """
    highest = max((d.expected for d in days), default=0)
    if not highest:
        return []
    first, known = days[0].on, {d.on: d for d in days}
    span = (days[-1].on - first).days + 1
    step = min(chart_width / span, chart_width / days_min)
    bars = []
    for n in range(span):
        on = first + timedelta(days=n)
        day = known.get(on, Figures(on, 0, 0, 0, 0, 0))
        bars.append(asdict(day) | {
            "x": round(n * step, 1), "width": round(step - bar_gap, 1),
            "parts": _parts(day, highest),
        })  # fmt: skip
    return bars


def _parts(day: Figures, highest: int) -> dict[str, dict[str, float]]:
    """Stack what a day comes to, from the ground up."""
    arrived = min(day.received, day.expected)
    confirmed = min(day.treasury, arrived)
    parts, upto = {}, 0
    for name, amount in (("treasury", confirmed), ("received", arrived - confirmed),
                         ("missing", day.expected - arrived)):  # fmt: skip
        upto += amount
        parts[name] = {
            "y": round(chart_height * (1 - upto / highest), 1),
            "height": round(chart_height * amount / highest, 1),
        }
    return parts
