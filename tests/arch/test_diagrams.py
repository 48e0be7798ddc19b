"""The diagrams in docs/diagrams are those of the code as it stands."""

import importlib.util
from pathlib import Path
from types import ModuleType

from gateway.domain.states import MOVES
from gateway.store.tables import metadata

ROOT = Path(__file__).parents[2]


def drawing() -> ModuleType:
    """Load docs/diagrams.py, which is a script and no package."""
    spec = importlib.util.spec_from_file_location("diagrams", ROOT / "docs" / "diagrams.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_diagram_is_stale() -> None:
    drawn: dict[str, str] = drawing().pages()
    kept = {p.name: p.read_text("utf-8") for p in (ROOT / "docs" / "diagrams").glob("*.md")}

    assert set(kept) == set(drawn)
    stale = [name for name in drawn if kept[name] != drawn[name]]
    assert stale == [], "run .venv/bin/python docs/diagrams.py, and look at what changed"


def test_the_diagrams_show_every_move_and_every_table() -> None:
    drawn: dict[str, str] = drawing().pages()

    for (here, move), there in MOVES.items():
        assert f"  {here} --> {there}: {move}\n" in drawn["payment-states.md"]
    for name in metadata.tables:
        assert f"  {name} {{\n" in drawn["tables.md"]
    assert "  gateway.services --> gateway.domain\n" in drawn["imports.md"]
    assert "  gateway.domain --> " not in drawn["imports.md"]
