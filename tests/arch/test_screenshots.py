"""Every picture in the docs is made by docs/screenshots.py, and each that is shown is there."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "screenshots"
picture_bytes_max = 100_000  # A clone is for reading code; a picture is a glance.


def taking() -> ModuleType:
    """Load docs/screenshots.py, which is a script and no package."""
    spec = importlib.util.spec_from_file_location("screenshots", ROOT / "docs" / "screenshots.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pictures_are_those_that_the_script_takes() -> None:
    kept = {p.name for p in FOLDER.glob("*.png")}

    assert kept == taking().names(), "run .venv/bin/python docs/screenshots.py"
    gallery = (FOLDER / "README.md").read_text("utf-8")
    assert gallery == taking().gallery(), "run .venv/bin/python docs/screenshots.py"
    large = [p.name for p in FOLDER.glob("*.png") if p.stat().st_size > picture_bytes_max]
    assert large == []


def test_every_picture_that_a_page_shows_is_there() -> None:
    shown = [
        (page.name, page.parent / picture)
        for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
        for picture in re.findall(r"\]\(([^)]+\.png)\)", page.read_text("utf-8"))
    ]

    assert len(shown) >= len(taking().names())
    assert [(page, path.name) for page, path in shown if not path.is_file()] == []
