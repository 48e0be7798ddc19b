"""Every text of a citizen's page stands in both languages, and a template can reach it."""

import re

import pytest

from gateway.domain.states import State
from gateway.entry.web import checking_words, citizen_words
from gateway.entry.web.citizen_words import PAY, spoken
from gateway.entry.web.words import Words

TABLES: dict[str, Words] = {
    name: table
    for name, table in (vars(citizen_words) | vars(checking_words)).items()
    if name.isupper()
}
PLAIN = {"Email", "PDF", "XML"}


@pytest.mark.parametrize("table", TABLES)
def test_both_languages_say_it_and_name_the_same(table: str) -> None:
    for key, (vietnamese, english) in TABLES[table].items():
        assert bool(vietnamese) == bool(english), key
        assert vietnamese != english or not vietnamese, key
        assert len(re.findall(r"\{\}", vietnamese)) == len(re.findall(r"\{\}", english)), key


@pytest.mark.parametrize("table", TABLES)
def test_no_key_hides_behind_a_method_of_the_table(table: str) -> None:
    """«t.copy» in a template is the dictionary's own copy, and shows as one."""
    assert set(TABLES[table]) & set(dir(dict)) == set()


@pytest.mark.parametrize("state", [*(set(State) - {State.SETTLED}), "doubt", "partly"])
def test_every_state_of_a_payment_has_a_headline_and_advice(state: str) -> None:
    assert state in PAY
    assert f"{state}_advice" in PAY


def test_a_page_speaks_vietnamese_unless_english_is_asked_for() -> None:
    assert spoken("vi", PAY)["t"]["other_language"] == "English"
    assert spoken("en", PAY)["t"]["paid"] == "Paid in full"
    assert (spoken("vi")["other_lang"], spoken("en")["other_lang"]) == ("en", "vi")
