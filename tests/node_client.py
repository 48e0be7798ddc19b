"""Other people's clients: what their generators under tests/clients make, run by node."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "clients"
# Of each kind, true and false: 200 in «make test», 5,000 in «make proof».
count = int(os.environ.get("PROOF_CLIENTS", "200"))


def made_by(script: str, *words: str) -> dict[str, Any]:
    """Run a generator, and give what it printed."""
    node = shutil.which("node")
    assert node, "node is missing: run tests/need.sh"
    assert (FOLDER / "node_modules").is_dir(), "the clients are missing: run tests/need.sh"
    done = subprocess.run(  # noqa: S603 - our own script.
        [node, script, str(count), *words],
        cwd=FOLDER, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made: dict[str, Any] = json.loads(done.stdout)
    return made
