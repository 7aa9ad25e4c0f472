"""What banks send, and what strangers do: read whole or refused, never a crash, never an account kept in clear."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from members import clock, ibans, sepa
from members.ibans import Account
from members.problems import NotAllowed
from royalties import bank, bankfiles
from royalties.bankfiles import FileNotRead, Part, Refusal
from royalties.payout_models import BankFile, BankLine
from tests import cast
from tests.royalties import treasury

CLOSING = (
    "<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>1250.07</Amt><CdtDbtInd>{}</CdtDbtInd>"
    "<Dt><Dt>2026-09-30</Dt></Dt></Bal>"
)
DETAILS = (
    "<TxDtls><Refs><EndToEndId>{}</EndToEndId></Refs><RltdPties><Dbtr><Nm>Hall Rent Ltd</Nm></Dbtr>"
    "<DbtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></DbtrAcct></RltdPties>"
    "<RmtInf><Ustrd>Invoice 7, pay to DE89 3704 0044 0532 0130 00 soon</Ustrd></RmtInf></TxDtls>"
)


def test_a_statement_is_read_line_by_line(db):
    content = treasury.statement(
        treasury.entry(-12_345, reference="A-1", details=DETAILS.format("NOTPROVIDED")),
        treasury.entry(500, day="2026-09-29", words="Interest"),
        balance=CLOSING.format("CRDT"),
    )
    said = bankfiles.read(content)
    assert (said.kind, said.balance_on, said.balance_cents) == ("camt.053", date(2026, 9, 30), 125_007)
    first, second = said.lines
    assert (first.cents, first.booked_on, first.parts) == (-12_345, date(2026, 10, 5), [])
    assert first.words == "Hall Rent Ltd Invoice 7, pay to DE •••• 0 00 soon"
    assert first.reference == "2026-10-05:-12345:A-1"
    assert (second.cents, second.words) == (500, "Interest")
    assert bankfiles.read(treasury.statement(balance=CLOSING.format("DBIT"))).balance_cents == -125_007


def test_every_version_and_none_is_read_alike(db):
    content = treasury.statement(treasury.entry(100, reference="A"))
    lines = bankfiles.read(content).lines
    for version in (b"urn:iso:std:iso:20022:tech:xsd:camt.053.001.02", b"urn:of:a:bank"):
        changed = content.replace(b"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08", version)
        assert bankfiles.read(changed).lines == lines
    assert bankfiles.read(b"\xef\xbb\xbf\n" + content).lines == lines


def test_lines_that_are_not_booked_yet_are_left(db):
    pending = treasury.entry(100).replace("<Cd>BOOK</Cd>", "<Cd>PDNG</Cd>")
    assert bankfiles.read(treasury.statement(pending)).lines == []


def test_a_line_without_a_name_has_one_that_stays(db):
    nameless = treasury.entry(100, words="x").split("<AcctSvcrRef>")[0] + "<NtryDtls></NtryDtls></Ntry>"
    first, again = (bankfiles.read(treasury.statement(nameless)).lines[0].reference for _ in range(2))
    assert first == again


def test_a_return_says_why(db):
    part = treasury.one(treasury_payout("E-1", 1_234), back="AC04")
    (line,) = bankfiles.read(treasury.statement(treasury.entry(1_234, details=part), kind="054")).lines
    assert line.parts == [Part(end_to_end="E-1", cents=1_234, came_back=True, reason="AC04")]


def treasury_payout(name, cents):
    """Return what a payout is to the bank."""
    return type("Sent", (), {"end_to_end": name, "cents": cents})


def test_a_status_report_names_what_is_refused(db):
    batch = type("Sent", (), {"message_id": "RFR-202609-01"})
    said = bankfiles.read(treasury.status(batch, refused=(treasury_payout("E-1", 1),)))
    assert said.refusals == [Refusal(end_to_end="E-1", reason="AC01")]
    assert said.refused_file == ""
    assert bankfiles.read(treasury.status(batch, group="RJCT")).refused_file == "RFR-202609-01"
    assert bankfiles.read(treasury.status(batch, group="ACSC")).refused_file == ""


# Tables.


@pytest.mark.parametrize(
    ("table", "cents"),
    [
        ("booked_on,amount,words,reference\n2026-09-30,-12.34,Rent,R1\n", [-1_234]),
        ("Buchungstag;Betrag;Verwendungszweck\n30.09.2026;1234,5;Zuschuss\n01.10.2026;-7;Miete\n", [123_450, -700]),
        ("date,amount\n2026-09-30,\N{MINUS SIGN}0.01\n", [-1]),
        ("\ufeffdate,amount\n2026-09-30,+10\n", [1_000]),
    ],
)
def test_a_table_is_read(db, table, cents):
    said = bankfiles.read(table.encode())
    assert (said.kind, [line.cents for line in said.lines]) == ("csv", cents)


def test_two_lines_of_a_table_that_say_the_same_are_two(db):
    content = b"date,amount,words\n2026-09-30,5,A\n2026-09-30,5,A\n2026-09-30,5,B\n"
    names = [line.reference for line in bankfiles.read(content).lines]
    assert len(set(names)) == 3
    assert names == [line.reference for line in bankfiles.read(content).lines]


# What is refused.

BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">'
    b'<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]><Document><BkToCstmrStmt>&d;</BkToCstmrStmt></Document>'
)
FILE = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>'
    b"<Document><BkToCstmrStmt><Stmt><Ntry><AddtlNtryInf>&b;</AddtlNtryInf></Ntry></Stmt></BkToCstmrStmt></Document>"
)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"<",
        b"<a/>",
        b"<Document/>",
        b"<Document><BkToCstmrStmt>",
        b'<?xml version="1.0" encoding="utf-99"?><Document/>',
        b"<!DOCTYPE a><Document><BkToCstmrStmt/></Document>",
        BOMB,
        FILE,
        b"<Document>" + b"<a>" * 5_000 + b"</a>" * 5_000 + b"</Document>",
        b"<Document><BkToCstmrStmt>" + b"x" * bankfiles.BYTES_MOST,
        b"\x1f\x8b\x08\x00nothing",
        b"%PDF-1.7\n",
        b"date,amount\nyesterday,5\n",
        b"date,amount\n2026-09-30,1e5\n",
        b"date,amount\n2026-09-30,0.00\n",
        b"date,amount\n2026-09-30,1.234\n",
        b"date,amount\n2026-09-30\n",
        b"date,amount\n9999-09-30,1.00\n",
        b'date,amount\n"2026-09-30,' + b"x" * 200_000,
    ],
    ids=range(21),
)
def test_what_no_bank_sends_is_refused_and_nothing_is_kept(db, content):
    with pytest.raises(FileNotRead):
        bank.take_in(content=content, staff_id=cast.treasurer().id, now=clock.now())
    assert not BankFile.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    ["1.234", "-1.00", "1,00", "1e3", "NaN", "", " ", "99999999999999", "١٢.00", "0x10"],
)
def test_a_sum_that_is_none_is_refused(db, wrong):
    content = treasury.statement(treasury.entry(100)).replace(b">1.00<", f">{wrong}<".encode())
    with pytest.raises(FileNotRead):
        bankfiles.read(content)


def test_another_currency_is_refused(db):
    with pytest.raises(FileNotRead):
        bankfiles.read(treasury.statement(treasury.entry(100)).replace(b'Ccy="EUR"', b'Ccy="USD"'))


@settings(max_examples=150)
@given(st.binary(max_size=300), st.integers(0, 2_000), st.integers(0, 300))
def test_a_broken_file_is_refused_and_never_a_crash(noise, place, length):
    whole = treasury.statement(
        treasury.entry(-12_345, reference="A", details=DETAILS.format("E-1")), balance=CLOSING.format("CRDT")
    )
    for content in (noise, whole[:place] + noise + whole[place + length :]):
        # Whatever else is raised fails the test.
        with suppress(FileNotRead):
            bankfiles.read(content)


@settings(max_examples=100)
@given(st.text(max_size=400))
def test_any_table_is_read_or_refused(text):
    for content in (text.encode("utf-8", "replace"), b"date,amount,words\n" + text.encode("utf-8", "replace")):
        with suppress(FileNotRead):
            bankfiles.read(content)


# Accounts in words.


@pytest.mark.parametrize("iban", treasury.IBANS)
def test_an_account_is_blotted_out_of_words_however_it_is_written(iban):
    grouped = " ".join(iban[at : at + 4] for at in range(0, len(iban), 4))
    for written in (iban, iban.lower(), grouped):
        for words in (written, f"to {written} for rent", f"({written})", f"x:{written},y"):
            assert iban[4:-4].lower() not in ibans.blot(words).replace(" ", "").lower()


@pytest.mark.parametrize(
    "words", ["Invoice 2026-09 of 12 May", "RFR-202609-01-ABCDEFGHJKLMNPQR", "Rent for HALL 5 AND SIX"]
)
def test_other_words_stay(words):
    assert ibans.blot(words) == words


def test_no_account_of_a_bank_line_is_kept(db):
    content = treasury.statement(
        treasury.entry(-12_345, details=DETAILS.format("E-1"), words="IBAN DE89370400440532013000")
    )
    bank.take_in(content=content, staff_id=cast.treasurer().id, now=clock.now())
    row = BankLine.objects.get()
    assert "0440532" not in repr(vars(row)).replace(" ", "")
    assert (row.end_to_end, row.payouts) == ("E-1", 0)


def test_only_treasurers_give_files(db):
    for staff in ((), ("director",), ("secretary",)):
        with pytest.raises(NotAllowed):
            bank.take_in(content=treasury.statement(), staff_id=cast.person("who", staff=staff).id, now=clock.now())


# Keys.


def test_a_new_key_seals_and_the_old_one_opens(tmp_path, settings):
    ana = cast.Person(email="a@cast.example")
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("11" * 32)
    new.write_text("22" * 32 + "\n" + "11" * 32 + "\n")
    for file in (old, new):
        file.chmod(0o600)
    settings.IBAN_KEY_FILE = str(old)
    sealed = ibans.seal(treasury.IBANS[0], owner_id=ana.id)
    settings.IBAN_KEY_FILE = str(new)
    assert ibans.unseal(sealed, owner_id=ana.id) == treasury.IBANS[0]
    again = ibans.seal(treasury.IBANS[0], owner_id=ana.id)
    settings.IBAN_KEY_FILE = str(old)
    with pytest.raises(ibans.CannotOpen):
        ibans.unseal(again, owner_id=ana.id)


@pytest.mark.parametrize("content", ["", "zz" * 32, "11" * 31])
def test_a_key_that_is_none_is_refused(tmp_path, settings, content):
    file = tmp_path / "key"
    file.write_text(content)
    file.chmod(0o600)
    settings.IBAN_KEY_FILE = str(file)
    with pytest.raises(ibans.CannotOpen):
        ibans.seal(treasury.IBANS[0], owner_id=cast.Person(email="a@cast.example").id)


def test_a_key_that_others_can_read_is_refused(tmp_path, settings):
    file = tmp_path / "key"
    file.write_text("11" * 32)
    file.chmod(0o644)
    settings.IBAN_KEY_FILE = str(file)
    with pytest.raises(ibans.CannotOpen):
        ibans.seal(treasury.IBANS[0], owner_id=cast.Person(email="a@cast.example").id)


# The file for the bank.


def test_a_file_that_its_schema_refuses_is_never_handed_out():
    payment = sepa.Payment(end_to_end="E-1", name="Ana", iban="NO ACCOUNT", cents=1_234, words="x")
    with pytest.raises(sepa.CannotWrite) as refused:
        sepa.write(
            [payment],
            message_id="M-1",
            payer="Refrain",
            account=Account(iban=treasury.IBANS[0], bic=""),
            made_at=treasury.at("2026-10-04 09:00"),
            pay_on=date(2026, 10, 5),
        )
    assert "NO ACCOUNT" not in str(refused.value)
