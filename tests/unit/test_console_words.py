"""Every code that can reach a page has a word in both languages."""

import re
from pathlib import Path

import pytest

from gateway.domain.states import AttemptState, State
from gateway.entry.web.console_words import REASONS, TABLES, word
from reconciliation.engine import BREAKS, rules

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("code", [*State, *AttemptState])
def test_every_state_has_a_word(code: str) -> None:
    assert word("state", code, "vi") != code


def test_every_rule_and_every_kind_of_break_has_a_word() -> None:
    for name in rules():
        if name != BREAKS:
            assert name.removesuffix(".sql") in TABLES["rule"]
    kinds = set(re.findall(r"'([a-z]+_?[a-z_]*)'", rules()[BREAKS])) & set(TABLES["break"])
    assert {"missing_at_provider", "batch_total", "amount", "duplicate"} <= kinds


def test_every_reason_that_the_rules_give_is_read_in_vietnamese() -> None:
    """A reason is written once in the rules; a new one must be named here too."""
    code = ("gateway/domain/payment.py", "gateway/services/disputes.py", "gateway/domain/till.py")
    written = rules()[BREAKS] + "".join((ROOT / name).read_text("utf-8") for name in code)
    for english in REASONS:
        assert english.replace("'", "''") in written or english in written, english
    text = rules()[BREAKS]
    for said in re.findall(r"(?:THEN|ELSE|,\n       )\s*'([^']*(?:''[^']*)*)'", text):
        plain = said.replace("''", "'")
        if " " in plain and "we did not ask" not in plain and not plain.endswith(" "):
            assert plain in REASONS, plain
