"""docs/settings.md names every setting that there is, and no other."""

import re
from pathlib import Path

from gateway.entry.plugins import installed, setting_names
from gateway.entry.settings import NAMES, PREFIX

PAGE = (Path(__file__).parents[2] / "docs" / "settings.md").read_text("utf-8")
OURS = "thuphi"  # The package; a third party's adapter has a page of its own.


def test_the_page_names_every_setting_and_no_other() -> None:
    fields = set(setting_names(a.spec for a in installed() if a.package == OURS))
    booked = {f for f in fields if f.endswith(("_CUT_OFF", "_WORKING_DAYS"))}

    named = set(re.findall(rf"`{PREFIX}([A-Z0-9_]+)`", PAGE))

    assert named == NAMES | (fields - booked)
    assert booked, "each provider has them, and the page says so once"
