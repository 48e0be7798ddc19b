"""What is doubtful in a file refuses it in one sentence with its line, and nothing else does."""

import zlib
from collections.abc import Callable
from datetime import date

import pytest
from books import written
from statement_samples import ACCOUNT, LINE, OWN, sample, titled
from workbooks import packed

from gateway.domain.errors import Refusal
from reconciliation.readers.profile import load_profile, own_profile, read_profile
from reconciliation.readers.reading import read

MOST = 10**15  # The largest amount of a line.


def refusal(profile: str, content: bytes) -> str:
    """Give the sentence by which a file is refused."""
    with pytest.raises(Refusal) as refused:
        read(load_profile(profile), content)
    return refused.value.detail


def broken_inside() -> bytes:
    """Spoil what is packed of a workbook, so that unpacking it fails midway."""
    whole = bytearray(titled(LINE))
    at = whole.index(b"xl/worksheets/sheet1.xml") + len("xl/worksheets/sheet1.xml")
    whole[at : at + 20] = b"\xff" * 20
    with pytest.raises(zlib.error):
        zlib.decompress(bytes(whole[at:]), -zlib.MAX_WBITS)
    return bytes(whole)


def from_1904() -> bytes:
    """Count the last day there is from the epoch that is four years later."""
    book = (
        '<workbook xmlns:r="r"><workbookPr date1904="1"/>'
        '<sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    return titled([1, date(9999, 12, 31), *LINE[2:]], workbook=book)


@pytest.mark.parametrize(
    ("profile", "content", "why"),
    [
        ("vietcombank", broken_inside, "The file is a damaged workbook ("),
        *(
            ("camt053", lambda name=name: sample("statement-v8.camt053.xml", ("UTF-8", name)),
             "Line 1: is in an encoding that no statement needs.")
            for name in ("UT", "shift_jis", "utf-7")
        ),
        ("vietcombank", from_1904, "Line 5: has a day outside the calendar"),
        ("canonical-provider", lambda: written("provider", {}, {"txn_at": "9999-12-31T23:00:00Z"}),
         "Line 3: txn_at is in no year from 2000 to 2199."),
        ("canonical-statement", lambda: written("statement", {"booked_on": "0001-01-01"}),
         "Line 2: booked_on is in no year from 2000 to 2199."),
        ("camt053", lambda: sample(
            "statement-v8.camt053.xml", ("2026-11-17T18:30:00Z", "9999-12-31T23:00:00Z")
        ), "Line 13: has a time that is not ISO 8601"),
        ("canonical-statement", lambda: written("statement", *[
            {"line_id": f"{n}", "amount": MOST, "account": f"{n % 2}"} for n in range(1_001)
        ]), "Line 1002: makes the sum of the file larger than 1000000000000000000."),
    ],
)  # fmt: skip
def test_a_file_that_no_book_can_hold_is_refused_in_a_sentence(
    profile: str, content: Callable[[], bytes], why: str
) -> None:
    """Whatever else were raised would leave the file waiting for ever."""
    assert why in refusal(profile, content())


DIRECTED = OWN.replace(
    "column = [",
    'column = [\n  { fills = "direction", position = 5, values = { C = "credit", D = "debit" } },',
)
BACK = """
source = "provider"
format = "table"
back_is_positive = true
fixed = { currency = "VND", provider = "momo" }
column = [
  { fills = "kind", header = ["kind"] }, { fills = "provider_txn_id", header = ["id"] },
  { fills = "gross", header = ["gross"] }, { fills = "fee", header = ["fee"], optional = true },
  { fills = "txn_at", header = ["at"] },
]
"""


def computed(kind: str) -> bytes:
    """Give a sheet of one formula whose value is an empty text, or is missing."""
    sheet = f'<row r="1"><c r="A1" {kind}><f>A2</f><v></v></c></row>'
    sheet = f"<worksheet><sheetData>{sheet}</sheetData></worksheet>"
    return packed({"xl/worksheets/sheet1.xml": sheet})


@pytest.mark.parametrize("name", ["vnpay", "momo", "zalopay", "payos"])
def test_without_the_column_of_states_no_transaction_is_a_payment(name: str) -> None:
    """A failed one would be one, where the file calls the column otherwise."""
    state = "status" if name == "zalopay" else "Trạng thái"
    content = sample(f"{name}.csv", (state, "Kết quả xử lý"))

    assert refusal(name, content) == f"Line 1: must have the columns {state}."


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (titled([*LINE[:4], ("SUM(A1)", ""), *LINE[5:]]), "Line 5"),
        (titled(["", "", "", "", ("SUM(A1)", "")], LINE), "Line 5"),
        (computed('t="str"'), ""),
        (computed(""), "Line 1"),
    ],
)
def test_a_formula_that_nobody_computed_is_not_an_empty_cell(content: bytes, why: str) -> None:
    said = "has a formula without its value: open the file in a spreadsheet program and save it"

    assert refusal("vietcombank", content).startswith(f"{why}: {said}." if why else "Line 1: must")


@pytest.mark.parametrize(
    ("cells", "net", "why"),
    [
        ("1.000;x;C", 1_000, ""), ("1.000;x;D", -1_000, ""), ("-1.000;x;D", -1_000, ""),
        ("1.000;x;", 0, "Line 1: column 5 is empty."),
        ("1.000;x;Z", 0, "Line 1: column 5 is not one of C, D."),
        ("-1.000;x;C", 0, "Line 1: has an amount below zero in a column of its own sign."),
    ],
)  # fmt: skip
def test_a_line_without_its_direction_is_no_credit(cells: str, net: int, why: str) -> None:
    profile, content = read_profile("own", DIRECTED), f"{ACCOUNT};18/11/2026;{cells}\n".encode()

    if not why:
        assert [x.net for x in read(profile, content)] == [net]
        return
    with pytest.raises(Refusal) as refused:
        read(profile, content)
    assert refused.value.detail == why


def test_a_refund_of_which_the_provider_keeps_its_fee_needs_no_column_of_nets() -> None:
    content = b"kind,id,gross,fee,at\nrefund,1,50000,1100,18/11/2026 08:00:00\n"

    (line,) = read(read_profile("own", BACK), content)

    assert (line.gross, line.fee, line.net) == (-50_000, 1_100, -51_100)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"1.234.567"', "1234567", "needs a text for the key number"),
        ('["utf-8"]', '"utf-8"', "needs a list of texts for the key encodings"),
        ('["utf-8"]', "[8]", "needs a list of texts for the key encodings"),
        ("has_header = false", 'has_header = "no"', "needs true or false for the key has_header"),
        ("position = 2", 'position = "2"', "needs a whole number, zero or above, for the key posi"),
        ("position = 2", "position = -2", "needs a whole number, zero or above, for the key posit"),
        ('currency = "VND"', "currency = 704", "needs a table of texts for the key fixed"),
        ('currency = "VND"', 'money = "VND"', "needs a key of fixed of account, line_id"),
        ('delimiter = ";"', 'delimiter = ";;"', "needs one character for the key delimiter"),
        ("has_header", "amount_factor = 0\nhas_header", "above zero for the key amount_factor"),
        ("has_header", 'day = "yyyy"\nhas_header', "needs a layout as dd/mm/yyyy"),
        ("has_header", 'time = "hh:mm:ss dd/mm/yyyy"\nhas_header', "needs a layout as dd/mm/yyyy"),
        ("has_header", "rows = { position = 5 }\nhas_header", "needs words that mean money"),
        ('"a sample of the bank\'s"', "5", "needs a text for the key basis"),
        ('"memo", pos', '"direction", pos', "needs the values of direction"),
        ('"memo", pos', '"direction", values = { C = "in" }, pos', "needs a value of direction of"),
        ('"memo", pos', '"amount", pos', "fills a field by two columns"),
        ("column = [", "column = 5\nx = [", "needs a list of tables for the key column"),
        ('"table"', '"mt940"', "has a key that is not known"),
        ('"table"', '"stripe-payouts"', "has the format stripe-payouts, whose source is provider"),
        (OWN, 'source = "provider"\ncolumn = [{ name = "a", type = "word" }]',
         "has other columns than canonical-provider: leave them out"),
        (OWN, 'source = "statement"\nformat = "camt"\nfixed = { account = "1" }',
         "fixes what its files say themselves"),
    ],
)  # fmt: skip
def test_a_profile_of_ones_own_that_is_wrong_names_its_key(old: str, new: str, why: str) -> None:
    assert old in OWN
    with pytest.raises(Refusal) as refused:
        own_profile("own.toml", OWN.replace(old, new, 1))

    assert refused.value.detail.startswith("The profile own.toml ")
    assert why in refused.value.detail


def test_a_profile_of_ones_own_says_whose_stripes_file_is() -> None:
    text = 'source = "provider"\nformat = "stripe-payouts"\nfixed = { provider = "stripe/cua-lo" }'

    profile = own_profile("own.toml", text)

    assert profile.columns == load_profile("stripe-payouts").columns
    assert profile.layout.fixed["provider"] == "stripe/cua-lo"


MEMO_FIRST = """Tài khoản,{account}
Diễn giải,Ngày giao dịch,Nợ TKTT,Có TKTT,Số dư
{memo},18/11/2026,,"60,000","160,000"
x,19/11/2026,"-10,000",,"150,000"
"""


@pytest.mark.parametrize(
    "memo",
    ["Tài khoản 0123 chuyển tiền", "Số dư cuối kỳ trước", "Tổng cộng 2 bộ hồ sơ", "Số dư đầu kỳ 9"],
)
def test_a_movement_whose_text_begins_as_a_title_does_is_left_out_nowhere(memo: str) -> None:
    content = MEMO_FIRST.format(account=ACCOUNT, memo=memo).encode()

    lines = read(load_profile("techcombank"), content)

    assert [(x.net, x.memo) for x in lines] == [(60_000, memo), (-10_000, "x")]


def test_an_account_below_the_first_lines_is_not_left_out_in_silence() -> None:
    """Its lines would be the first one's."""
    content = MEMO_FIRST.format(account=ACCOUNT, memo="x") + "Tài khoản,9876543210,,,\n"

    why = "Line 5: Ngày giao dịch is not written as dd/mm/yyyy."
    assert refusal("techcombank", content.encode()) == why


@pytest.mark.parametrize(
    ("said", "account"),
    [
        ("Tài khoản: NGUYEN VAN AN 0123456789", ACCOUNT), ("Tài khoản: V3CAS00123", "V3CAS00123"),
        ("Tài khoản thanh toán: THANHTOAN", None),
    ],
)  # fmt: skip
def test_an_account_has_a_digit(said: str, account: str | None) -> None:
    content = MEMO_FIRST.format(account="", memo="x").replace("Tài khoản,", said, 1).encode()

    if account is None:
        assert refusal("techcombank", content) == "Line 3: account is empty."
    else:
        assert {x.account for x in read(load_profile("techcombank"), content)} == {account}


def titled_as(text: str) -> list[tuple[str, str]]:
    """Say something above the account."""
    return [("Số tài khoản,", f"{text}\nSố tài khoản,")]


def in_column(*said: str) -> list[tuple[str, str]]:
    """Give the lines a currency, in the place of their balances."""
    cells = zip(('"160,000"', '"100,000"'), said, strict=True)
    return [(",Số dư\n", ",Loại tiền\n"), *cells]


@pytest.mark.parametrize(
    ("name", "changes", "why"),
    [
        ("techcombank", titled_as("Loại tiền: USD"), "Line 1: Loại tiền is another"),
        ("techcombank", titled_as("Loại tiền/Ccy,EUR"), "Line 1: Loại tiền/Ccy is another"),
        ("techcombank", in_column("VND", "USD"), "Line 4: Loại tiền is another"),
        ("payos", [("Trạng thái", "Trạng thái,Currency"), (",Đã thanh toán", ",Đã thanh toán,usd")],
         "Line 2: Loại tiền is another"),
        ("techcombank", titled_as("Loại tiền gửi: không kỳ hạn\nLoại tiền: VNĐ"), ""),
        ("techcombank", in_column("đồng", ""), ""),
    ],
)  # fmt: skip
def test_money_of_another_currency_is_never_taken_for_dong(
    name: str, changes: list[tuple[str, str]], why: str
) -> None:
    content = sample(f"{name}.csv", *changes)

    if why:
        assert refusal(name, content) == f"{why} currency than VND."
    else:
        assert len(read(load_profile(name), content)) == 2
