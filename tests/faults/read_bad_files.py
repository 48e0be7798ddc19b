"""Reads each file named on the command line; prints why it is refused, and the memory it took."""

import json
import re
import sys
from pathlib import Path

from gateway.domain.errors import Refusal
from reconciliation.readers.profile import load_profile
from reconciliation.readers.reading import Reading, content_of


def said_of(profile: str, path: str) -> str:
    """Read a file to its end; give its refusal, or how many lines it has."""
    try:
        return f"{sum(1 for _ in Reading(load_profile(profile), content_of(Path(path))))} lines"
    except Refusal as refusal:
        return refusal.detail


said = {
    path: said_of(Path(path).name.rpartition("-")[0].replace("_", "-"), path)
    for path in sys.argv[1:]
}
# Of this program alone: what getrusage tells begins with the memory of whoever started it.
peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))
sys.stdout.write(json.dumps({"said": said, "mb": int(peak[1]) / 1024 if peak else None}))
