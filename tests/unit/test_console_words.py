"""Every code and every sentence that can reach a page has words in both languages."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.domain.ledger import TITLES
from gateway.domain.states import AttemptState, State
from gateway.entry.web.console_advice import ADVICE
from gateway.entry.web.console_reasons import REASONS
from gateway.entry.web.console_reasons import TABLES as REASON_TABLES
from gateway.entry.web.console_words import ACCOUNTS, TABLES, actor, sentence, word
from reconciliation.checks import CHECKS
from reconciliation.engine import BREAKS, rules
from reconciliation.readers.profile import PROFILES, load_profile

ROOT = Path(__file__).parents[2]
_TEXT = r"'(?:[^']|'')*'"
# A value that is joined to a text: a column, a cast of one, or a choice between two texts.
_VALUE = r"CAST\([a-z_.]+ AS VARCHAR\(\d+\)\)|CASE WHEN (?:(?!CASE|END).)*END|[a-z_]+\.[a-z_]+"
_CHAIN = re.compile(rf"{_TEXT}(?:\s*\|\|\s*(?:{_TEXT}|{_VALUE}))*", re.DOTALL)
_LINK = re.compile(rf"{_TEXT}|{_VALUE}", re.DOTALL)
# What «l.kind» of a provider's line may be, where it is not a payment.
_KINDS = tuple(
    v for c in load_profile("canonical-provider").columns if c.name == "kind" for v in c.values[1:]
)


def sentences(sql: str) -> Iterator[str]:
    """Give every sentence that a rule can write, with a value in each gap."""
    plain = re.sub(r"--[^\n]*", "", sql)
    for chain in _CHAIN.finditer(plain):
        said = [""]
        for link in _LINK.finditer(chain.group()):
            said = [head + tail for head in said for tail in _values(link.group())]
        yield from (s for s in said if re.search(r"[a-z] [a-z]", s))


def _values(link: str) -> list[str]:
    if link.startswith("'"):
        return [link[1:-1].replace("''", "'")]
    if link.startswith("CASE"):
        return [t[1:-1].replace("''", "'") for t in re.findall(rf"(?:THEN|ELSE) ({_TEXT})", link)]
    return list(_KINDS) if link == "l.kind" else ["X7"]


WRITTEN = [(name, said) for name, sql in rules().items() for said in sentences(sql)]


@pytest.mark.parametrize("code", [*State, *AttemptState])
def test_every_state_has_a_word(code: str) -> None:
    assert word("state", code, "vi") != code


def test_every_rule_and_every_kind_of_break_has_a_word_and_advice() -> None:
    for name in rules():
        if name != BREAKS:
            assert name.removesuffix(".sql") in TABLES["rule"]
    kinds = set(re.findall(r"'([a-z]+_?[a-z_]*)'", rules()[BREAKS])) & set(TABLES["break"])
    assert {"missing_at_provider", "batch_total", "amount", "duplicate"} <= kinds
    assert kinds | {"double", "late", "surplus", "unknown_money"} <= set(ADVICE)
    assert set(ADVICE) <= set(TABLES["break"])


@pytest.mark.parametrize(("rule", "said"), WRITTEN)
def test_every_reason_that_a_rule_can_give_is_read_in_vietnamese(rule: str, said: str) -> None:
    """A reason is written once, in the rule; a new one must be named in the console's words."""
    read = sentence(said, "vi")

    assert read != said, f"{rule} says «{said}»"
    assert ("X7" in read) == ("X7" in said)
    assert not re.search(r"\b(the|is|of|not|refund|charge|reversal)\b", read)
    assert sentence(said, "en") == said


def test_the_reasons_are_found_in_every_rule_and_none_is_translated_for_nothing() -> None:
    """The search itself is tested: each text of several words in a rule is in some sentence."""
    assert {rule for rule, _ in WRITTEN} == set(rules())
    for name, sql in rules().items():
        mine = " ".join(said for rule, said in WRITTEN if rule == name)
        for text in re.findall(_TEXT, re.sub(r"--[^\n]*", "", sql)):
            plain = text[1:-1].replace("''", "'")
            assert plain in mine or not re.search(r"[a-z] [a-z]", plain), plain
    code = "".join(
        (ROOT / path).read_text("utf-8")
        for path in ("gateway/domain/payment.py", "gateway/domain/endings.py",
                     "gateway/services/captures.py",
                     "gateway/services/disputes.py", "gateway/services/refund_rows.py",
                     "gateway/services/refund_sender.py",
                     "gateway/domain/till.py", "gateway/services/attempt_rows.py",
                     "gateway/services/withdrawals.py",
                     "reconciliation/casework.py", "reconciliation/retold.py",
                     "reconciliation/sources.py", "reconciliation/collecting.py",
                     "reconciliation/places.py")
    )  # fmt: skip
    everything = [said for _, said in WRITTEN]
    for english in REASONS:
        pattern = re.compile("(.+?)".join(map(re.escape, english.split("{}"))))
        parts = [part for part in english.split("{}") if part]
        assert any(pattern.fullmatch(x) for x in everything) or all(p in code for p in parts)


class Texts(ast.NodeVisitor):
    """Collects the texts of a file, with a value in each gap; its docstrings left out."""

    def __init__(self, path: str) -> None:
        """Read a file."""
        self.found: list[str] = []
        self.visit(ast.parse((ROOT / path).read_text("utf-8")))

    def visit_Expr(self, node: ast.Expr) -> None:
        """Leave docstrings out."""
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Fill the gaps."""
        parts = (str(v.value) if isinstance(v, ast.Constant) else "7" for v in node.values)
        self.found.append("".join(parts))

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """Fill what is added."""
        if isinstance(node.left, ast.Constant) and isinstance(node.left.value, str):
            self.found.append(f"{node.left.value}7")
        else:
            self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """Take a text as it is."""
        if isinstance(node.value, str):
            self.found.append(node.value)


@pytest.mark.parametrize(
    ("path", "least"),
    [("gateway/domain/payment.py", 6), ("gateway/services/captures.py", 2),
     ("gateway/services/disputes.py", 2), ("gateway/domain/till.py", 1),
     ("gateway/services/refund_sender.py", 1), ("reconciliation/casework.py", 1),
     ("reconciliation/retold.py", 1), ("reconciliation/settling.py", 4),
     ("reconciliation/by_hand.py", 2)],
)  # fmt: skip
def test_every_reason_that_a_decision_gives_is_read_in_vietnamese(path: str, least: int) -> None:
    """Those that need no file: of ``take``, of a provider's review, of a run that agrees."""
    given = [x for x in Texts(path).found if re.match(r"[a-z0-9]+ [a-z]+ [a-z]", x)]
    given = [x for x in given if x not in CHECKS and not x.endswith(".")]  # No refusals.

    assert len(given) >= least
    for said in given:
        assert sentence(said, "vi") != said or word("proposal", said, "vi") != said, said


def test_no_sentence_is_read_as_another_that_says_less() -> None:
    """«the sum of entries» is no column called entries, whatever the order of the tables."""
    told = [pair for table in REASON_TABLES for pair in table.items()]

    assert len({english for english, _ in told}) == len(told)
    for english, vietnamese in told:
        names = [f"X{n}" for n in range(english.count("{}"))]
        assert sentence(english.format(*names), "vi") == vietnamese.format(*names), english


def test_every_refusal_of_a_file_is_read_in_vietnamese() -> None:
    paths = [
        f"reconciliation/readers/{p.name}" for p in (ROOT / "reconciliation/readers").glob("*")
    ]
    found = [
        said
        for path in (*paths, "reconciliation/holders.py", "reconciliation/retold.py")
        if path.endswith(".py") and not path.endswith("/profile.py")  # An operator's, in English.
        for said in Texts(path).found
    ]
    verbs = r"(is|has|begins|must|says|stands|nests|closes|of a|contradicts) "
    details = {x for x in found if re.match(verbs, x)}

    assert len(details) >= 60
    for detail in details:  # Of a column, or of the whole line.
        read = [sentence(f"Line 3: {of}{detail}.", "vi") for of in ("amount ", "")]
        left = re.compile(r"\b(is|has|must|says|with|than|of|which)\b")
        assert any(x.startswith("Dòng 3: ") and not left.search(x) for x in read), (detail, read)
    for said in (x for x in found if re.match(r"The [a-z']+ (is|are|has|part|names)", x)):
        assert sentence(said, "vi") != said, said


@pytest.mark.parametrize(
    "path",
    ["gateway/domain/refund.py", "gateway/domain/texts.py", "gateway/services/refunds.py",
     "gateway/services/refund_money.py", "gateway/services/stuck_refunds.py",
     "gateway/services/refund_sender.py", "gateway/entry/web/console_refunds.py",
     "gateway/domain/states.py", "gateway/domain/till.py", "gateway/services/counter.py",
     "gateway/services/displays.py", "gateway/entry/web/console_counter.py",
     "gateway/services/accounts.py", "gateway/entry/web/console_accounts.py",
     "receipts/corrections.py", "gateway/entry/web/console_corrections.py",
     "reconciliation/remittances.py", "gateway/entry/web/console_remittances.py",
     "gateway/domain/homes.py", "reconciliation/evidence.py", "reconciliation/planning.py",
     "reconciliation/resolving.py", "gateway/entry/web/console_cases.py"],
)  # fmt: skip
def test_every_refusal_of_an_officer_is_read_in_vietnamese(path: str) -> None:
    """Those that the page itself words by their code are left out."""
    given = [
        (ast.unparse(call.args[0]).strip("'"), _text_of(call.args[-1]))
        for call in ast.walk(ast.parse((ROOT / path).read_text("utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("Refusal", "_short")
    ]

    assert len(given) >= 1
    for code, said in given:
        if code not in ("not-found", "forbidden") and " " in said:
            assert sentence(said, "vi") != said, said


def _text_of(node: ast.expr) -> str:
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(str(v.value) if isinstance(v, ast.Constant) else "7" for v in parts)


def test_every_account_and_profile_has_a_title_in_both_languages() -> None:
    for code in TITLES:
        vietnamese, english = ACCOUNTS[code]
        assert vietnamese != english, code
    assert set(PROFILES) == set(TABLES["profile"])


def test_who_did_something_is_named_without_the_books_prefix() -> None:
    assert (actor("staff:an", "vi"), actor("client:cli_1", "vi")) == ("an", "cli_1")
    assert actor("an", "en") == "an"
    assert (actor("job:reconcile", "vi"), actor("job:reconcile", "en")) == ("tự động", "by itself")
