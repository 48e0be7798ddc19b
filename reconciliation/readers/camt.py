"""Reads ISO 20022 statements (camt.053) and notifications (camt.054), versions 2 to 8.

An entry is one movement, and a line. A batch whose transactions are told with amounts is a line for
each, and they must add up to it. ``CdtDbtInd`` is the way the money went, of a reversal too: a
reversed credit is a debit. Entries that are not booked are left out. What a statement says of its
balances and sums is held against its entries.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from gateway.domain.calendar import hanoi_day
from reconciliation.readers.line import Row, Rows, refuse
from reconciliation.readers.profile import Profile
from reconciliation.readers.strict_xml import chunks_of, fed, parser
from reconciliation.readers.totals import Totals, differs

_NAMESPACE: Final = re.compile(r"urn:iso:std:iso:20022:tech:xsd:camt\.05[34]\.001\.0[2-8]")
_MONEY: Final = re.compile(r"([0-9]{1,16})(?:\.0{0,5})?")
_OPENING: Final = ("OPBD", "PRCD")
_CLOSING: Final = "CLBD"
_SIGNS: Final = {"CRDT": 1, "DBIT": -1}
_ENTRY_NAMES: Final = ("booked", "value", "reference", "more")
_NO_REFERENCE: Final = "NOTPROVIDED"
# What is read of a statement: path -> the name it is kept by. «|» stands for either of two names,
# as later versions renamed or nested them.
_STATEMENT: Final = {
    "Acct/Id/IBAN|Acct/Id/Othr/Id": "account",
    "Bal/Tp/CdOrPrtry/Cd": "b.kind", "Bal/Amt": "b.amount", "Bal/CdtDbtInd": "b.way",
    "TxsSummry/TtlNtries/NbOfNtries": "s.count", "TxsSummry/TtlNtries/Sum": "s.sum",
    "TxsSummry/TtlCdtNtries/Sum": "s.credits", "TxsSummry/TtlDbtNtries/Sum": "s.debits",
    "TxsSummry/TtlCdtNtries/NbOfNtries": "s.n_credits",
    "TxsSummry/TtlDbtNtries/NbOfNtries": "s.n_debits",
    "Ntry/Amt": "amount", "Ntry/CdtDbtInd": "way", "Ntry/Sts|Ntry/Sts/Cd": "state",
    "Ntry/BookgDt/Dt|Ntry/BookgDt/DtTm": "booked", "Ntry/ValDt/Dt|Ntry/ValDt/DtTm": "value",
    "Ntry/AcctSvcrRef": "reference", "Ntry/AddtlNtryInf": "more",
}  # fmt: skip
_DETAIL: Final = {
    "Refs/AcctSvcrRef": "d.bank", "Refs/TxId": "d.id", "Refs/EndToEndId": "d.end",
    "Amt|AmtDtls/TxAmt/Amt": "d.amount", "CdtDbtInd": "d.way", "RmtInf/Ustrd": "d.memo",
    "RmtInf/Strd/CdtrRefInf/Ref": "d.ref", "AddtlTxInf": "d.more",
}  # fmt: skip
_REPEATED: Final = frozenset({"d.memo", "d.ref"})
_ROOTS: Final = ("BkToCstmrStmt/Stmt", "BkToCstmrDbtCdtNtfctn/Ntfctn")
Node = dict[str | None, Any]
_NOWHERE: Final[Node] = {}


def rows(_: Profile, content: bytes, totals: Totals) -> Rows:
    """Give the entries of a file as rows of the canonical statement."""
    message = _Message(totals)
    for _pause in fed(message.parser, chunks_of(content), message.pieces, message.above):
        made, message.made = message.made, []
        yield from made
    if not message.statements:
        raise refuse(1, "", "has no statement")


class _Message:
    """One file on its way through the parser."""

    def __init__(self, totals: Totals) -> None:
        self.totals = totals
        self.made: list[tuple[int, Row]] = []
        self.pieces: list[str] = []
        self.statements = 0
        self.said: dict[str, str] = {}
        self.details: list[dict[str, str]] = []
        self.entry_at = 0
        self.above: list[Node] = [_NOWHERE]
        self.parser = parser()
        self.parser.StartElementHandler = self._root
        self.parser.CharacterDataHandler = self.pieces.append
        self._open_statement()

    def _open_statement(self) -> None:
        self.balances: dict[str, int] = {}
        self.sums: dict[str, int] = dict.fromkeys(("CRDT", "DBIT"), 0)
        self.counts: dict[str, int] = dict.fromkeys(("CRDT", "DBIT"), 0)
        self.moved = 0
        self.waiting = 0  # Entries that are not booked.

    def _root(self, tag: str, said: Mapping[str, str]) -> None:
        """Look at the first element, and go on with what is read of its version."""
        prefix, _, name = tag.rpartition(":")
        namespace = said.get(f"xmlns:{prefix}" if prefix else "xmlns", "")
        if name != "Document" or not _NAMESPACE.fullmatch(namespace):
            detail = "is no camt.053 or camt.054 of a version from 2 to 8"
            raise refuse(self.parser.CurrentLineNumber, "", detail)
        self._listen(_tree(f"{prefix}:" if prefix else "", self))

    def _listen(self, root: Node) -> None:
        """Set handlers that walk the tree; they are closures, for they run a million times."""
        of, pieces, said, above = self.parser, self.pieces, self.said, self.above
        node, push, pop, clear = root, above.append, above.pop, pieces.clear

        def start(tag: str, attributes: Mapping[str, str]) -> None:
            nonlocal node
            push(node)
            node = node.get(tag, _NOWHERE)
            clear()
            if attributes and node and "Ccy" in attributes:
                name = node[None]
                said[f"{name}.in"] = attributes["Ccy"]
                if name == "amount":  # What an entry begins with.
                    self.entry_at = of.CurrentLineNumber

        def end(_: str) -> None:
            nonlocal node
            name = node.get(None) if node else None
            node = pop()
            if name is None:
                return
            if name.__class__ is not str:
                name()
                return
            text = pieces[0] if len(pieces) == 1 else "".join(pieces)
            if name in said and name in _REPEATED:
                text = f"{said[name]} {text}"
            said[name] = text

        of.StartElementHandler, of.EndElementHandler = start, end

    def detail_ends(self) -> None:
        """Keep what one transaction of an entry says."""
        said = self.said
        self.details.append({k: said.pop(k) for k in _DETAIL_NAMES if k in said})

    def balance_ends(self) -> None:
        """Keep a balance of the books."""
        kind, way = self.said.pop("b.kind", ""), self.said.pop("b.way", "")
        amount = self._money("b.amount") * self._sign(way)
        if kind in _OPENING:
            self.balances["opening"] = amount
        elif kind == _CLOSING:
            self.balances["closing"] = amount

    def entry_ends(self) -> None:
        """Make the lines of an entry."""
        said, at = self.said, self.entry_at
        way = said.pop("way", "")
        amount = self._money("amount") * self._sign(way)
        self.counts[way] += 1
        self.sums[way] += abs(amount)
        details, self.details = self.details, []
        if said.pop("state", "").strip() == "BOOK":
            self.moved += amount
            row = [
                said.get("account", ""), "", _day(at, said.pop("booked", "")),
                _day(at, said.pop("value", "")), "", "VND", "",
                said.pop("reference", "").strip(), said.pop("more", ""), "",
            ]  # fmt: skip
            for made in _lines(at, row, amount, details):
                self.made.append((at, made))
            return
        self.waiting += 1
        for name in _ENTRY_NAMES:
            said.pop(name, "")

    def statement_ends(self) -> None:
        """Hold a statement's own figures against its entries."""
        said, at = self.said, self.parser.CurrentLineNumber
        self.statements += 1
        found = {
            "s.count": sum(self.counts.values()), "s.sum": sum(self.sums.values()),
            "s.credits": self.sums["CRDT"], "s.debits": self.sums["DBIT"],
            "s.n_credits": self.counts["CRDT"], "s.n_debits": self.counts["DBIT"],
        }  # fmt: skip
        for name, made in found.items():
            if name in said and not self.waiting:
                written = _MONEY.fullmatch(said[name])
                if written is None or int(written[1]) != made:
                    raise refuse(at, "", _differs(_SUMMARY[name], said[name], made))
            said.pop(name, "")
        if len(self.balances) == 2:  # noqa: PLR2004 - the opening and the closing one.
            opening, closing = self.balances["opening"], self.balances["closing"]
            if opening + self.moved != closing:
                raise refuse(at, "", differs("the closing balance", closing, opening + self.moved))
            self.totals.section(at, said.get("account", ""), opening, closing)
        said.clear()
        self._open_statement()

    def _money(self, name: str) -> int:
        found = _MONEY.fullmatch(self.said.pop(name, ""))
        currency = self.said.pop(f"{name}.in", "")
        if found is None or currency != "VND":
            detail = "has an amount that is not whole đồng (VND)"
            raise refuse(self.parser.CurrentLineNumber, "", detail)
        return int(found[1])

    def _sign(self, way: str) -> int:
        if way not in _SIGNS:
            detail = "says neither CRDT nor DBIT beside an amount"
            raise refuse(self.parser.CurrentLineNumber, "", detail)
        return _SIGNS[way]


_SUMMARY: Final = {
    "s.count": "the number of entries", "s.sum": "the sum of entries",
    "s.credits": "the sum of credits", "s.debits": "the sum of debits",
    "s.n_credits": "the number of credits", "s.n_debits": "the number of debits",
}  # fmt: skip
_TEXTS: Final = ("d.memo", "d.ref", "d.more")
_AMOUNT, _REFERENCE, _MEMO = 4, 7, 8  # Of the canonical statement's columns.
_DETAIL_NAMES: Final = (*_DETAIL.values(), "d.amount.in")


def _differs(what: str, said: str, made: int) -> str:
    return f"says that {what} is {said}, and the lines make it {made}"


def _lines(at: int, row: list[str], amount: int, details: list[dict[str, str]]) -> list[Row]:
    """Give an entry as one line, or as the transactions that it is made of."""
    if len(details) > 1 and all("d.amount" in x for x in details):
        amounts = [_part(at, detail, amount) for detail in details]
        if sum(amounts) != amount:
            raise refuse(at, "", differs("the entry", amount, sum(amounts)))
        return [_line(row, *pair) for pair in zip(amounts, ([x] for x in details), strict=True)]
    return [_line(row, amount, details)]


def _part(at: int, detail: Mapping[str, str], amount: int) -> int:
    found = _MONEY.fullmatch(detail["d.amount"])
    if found is None or detail.get("d.amount.in") != "VND":
        raise refuse(at, "", "has an amount that is not whole đồng (VND)")
    way = detail.get("d.way", "CRDT" if amount > 0 else "DBIT")
    return int(found[1]) if way == "CRDT" else -int(found[1])


def _line(row: list[str], amount: int, details: list[dict[str, str]]) -> Row:
    made, texts = row[:], []
    for detail in details:
        bank = detail.get("d.bank", "").strip()
        if bank or not made[_REFERENCE]:  # Of several in one entry, each goes by its own.
            made[_REFERENCE] = bank or _named(detail)
        texts += [detail[x] for x in _TEXTS if x in detail]
    made[_AMOUNT] = str(amount)
    if row[_MEMO]:
        texts.append(row[_MEMO])
    made[_MEMO] = " ".join(texts[0].split()) if len(texts) == 1 else _joined(texts)
    return made


def _named(detail: Mapping[str, str]) -> str:
    own = (detail.get(x, "").strip() for x in ("d.id", "d.end"))
    return next((x for x in own if x and x != _NO_REFERENCE), "")


def _joined(texts: list[str]) -> str:
    """Join what several places say, each once."""
    return " ".join(dict.fromkeys(" ".join(x.split()) for x in texts))


def _day(at: int, text: str) -> str:
    """Give the day of a date, or of a time; one with a zone is looked at from here."""
    if len(text) <= len("2026-11-19"):
        return text
    try:
        moment = datetime.fromisoformat(text)
        return (hanoi_day(moment) if moment.tzinfo else moment.date()).isoformat()
    except (ValueError, OverflowError):  # In Hanoi it may be a day after the last of all.
        raise refuse(at, "", "has a time that is not ISO 8601") from None


def _tree(prefix: str, message: _Message) -> Node:
    """Make the tree of what is read, with an act at the end of each part."""
    top: Node = {}
    detail = {
        f"Ntry/NtryDtls/TxDtls/{p}": n for paths, n in _DETAIL.items() for p in paths.split("|")
    }
    read = {p: n for paths, n in _STATEMENT.items() for p in paths.split("|")} | detail
    acts: dict[str, Callable[[], None]] = {
        "": message.statement_ends, "Bal": message.balance_ends, "Ntry": message.entry_ends,
        "Ntry/NtryDtls/TxDtls": message.detail_ends,
    }  # fmt: skip
    for root in _ROOTS:
        for path, leaf in (*read.items(), *acts.items()):
            node = top
            for name in f"{root}/{path}".rstrip("/").split("/"):
                node = node.setdefault(f"{prefix}{name}", {})
            node[None] = leaf
    return top
