"""The ledger as files: complete, exact, and added up by somebody else's program."""

import csv
import io
import json
import shutil
import subprocess
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from sys import executable
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members import clock
from royalties import accounts, ledger, ledger_exports, posting
from royalties.ledger import Entry
from royalties.ledger_models import Account, Transfer
from tests import cast

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
ANA = UUID("abcdef00-0000-4000-8000-00000000000f")


def entry(debit: str, credit: str, micros: int, key: str, *, reason: str = "", at: datetime = NOW) -> Entry:
    return Entry(
        debit=debit,
        credit=credit,
        amount_micros=micros,
        kind="test",
        key=key,
        happened_at=at,
        month=date(2026, 11, 1),
        reason=reason,
        group="group 1",
    )


@pytest.fixture
def books() -> None:
    """Book a few entries of every shape, words that a spreadsheet or Beancount could take for their own among them."""
    ledger.book(
        [
            entry(accounts.PROVIDER, accounts.WALLETS, 10_000_001, "one", at=datetime(2026, 11, 3, tzinfo=UTC)),
            entry(accounts.WALLETS, accounts.PLAYS, 1, "two"),
            entry(accounts.ROYALTIES, accounts.payable(ANA), 123_456_789_012, "=three", reason='+He said "no" \\ \n;'),
            entry(accounts.COSTS, accounts.BANK, 5_400_000, "hosting"),
        ],
        now=NOW,
    )
    ledger.reverse(key="hosting", reason="Typed wrong.", now=NOW)


def checked(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Let bean-check add it up."""
    path = folder / "ledger.beancount"
    path.write_text(text, encoding="utf-8")
    program = shutil.which("bean-check", path=str(Path(executable).parent))
    assert program is not None
    return subprocess.run([program, str(path)], check=False, capture_output=True, text=True, timeout=60)


@pytest.mark.usefixtures("books")
def test_beancount_adds_the_books_up_and_finds_the_same(tmp_path: Path) -> None:
    text = "".join(ledger_exports.as_beancount())
    found = checked(text, tmp_path)
    assert (found.returncode, found.stderr + found.stdout) == (0, "")
    assert text.count(" open ") == text.count(" balance ") == Account.objects.count() == 7
    assert text.count(" * ") == Transfer.objects.count() == 5
    assert "Liabilities:Payable:ABCDEF00-0000-4000-8000-00000000000F" in text
    # Half past midnight in Berlin.
    assert '2026-11-21 * "test" "+He said \\"no\\" \\\\ ;"' in text
    assert "  Expenses:Royalties  123456.789012 EUR\n" in text


@pytest.mark.usefixtures("books")
def test_beancount_finds_a_single_micro(tmp_path: Path) -> None:
    text = "".join(ledger_exports.as_beancount())
    wrong = text.replace("Assets:Provider 10.000001 ~", "Assets:Provider 10.000002 ~")
    assert wrong != text
    found = checked(wrong, tmp_path)
    assert found.returncode == 1
    assert "Balance failed for 'Assets:Provider'" in found.stderr + found.stdout
    lost = text.replace("  Assets:Provider  10.000001 EUR", "  Assets:Provider  10.000000 EUR")
    assert lost != text
    assert checked(lost, tmp_path).returncode == 1


def test_beancount_of_an_empty_ledger_is_right_too(tmp_path: Path) -> None:
    assert checked("".join(ledger_exports.as_beancount()), tmp_path).returncode == 0


def test_beancount_adds_up_what_was_posted(tmp_path: Path) -> None:
    lena = cast.person("lena")
    cast.top_up(lena, 1_210, vat_ppm=210_000)
    cast.promo(lena, 3_001)
    work = cast.track(cast.creator(cast.person("ana")))
    for _ in range(3):
        cast.play(lena, work)
    cast.give_back(cast.last_charge(lena))
    posting.post(now=clock.now())
    text = "".join(ledger_exports.as_beancount())
    found = checked(text, tmp_path)
    assert (found.returncode, found.stderr + found.stdout) == (0, "")
    assert "  Assets:Provider  10.000000 EUR\n  Liabilities:Wallets  -10.000000 EUR\n" in text


@pytest.mark.usefixtures("books")
def test_the_table_has_every_entry_exactly_and_no_formula() -> None:
    rows = list(csv.DictReader(io.StringIO("".join(ledger_exports.as_csv()), newline="")))
    assert list(rows[0]) == list(ledger_exports.COLUMNS)
    assert [row["key"] for row in rows] == ["one", "two", "'=three", "hosting", "reversal:hosting"]
    numbers = list(Transfer.objects.order_by("id").values_list("id", flat=True))
    assert rows[2] == {
        "number": str(numbers[2]),
        "key": "'=three",
        "kind": "test",
        "group": "group 1",
        "month": "2026-11",
        "happened_at": "2026-11-20T23:30:00+00:00",
        "recorded_at": "2026-11-20T23:30:00+00:00",
        "debit": accounts.ROYALTIES,
        "credit": accounts.payable(ANA),
        "amount": "123456.789012",
        "currency": "EUR",
        "amount_micros": "123456789012",
        "reverses": "",
        "reason": '\'+He said "no" \\ \n;',
    }
    assert (rows[4]["reverses"], rows[4]["amount"]) == (str(numbers[3]), "5.400000")
    assert [row["amount"] for row in rows[:2]] == ["10.000001", "0.000001"]


@pytest.mark.usefixtures("books")
def test_json_lines_tell_accounts_and_entries_from_which_the_balances_follow() -> None:
    told = [json.loads(line) for line in ledger_exports.as_json_lines()]
    entries = [one for one in told if one["type"] == "transfer"]
    assert len(entries) == 5
    assert entries[2]["reason"] == '+He said "no" \\ \n;'
    sums: dict[str, int] = {}
    for one in entries:
        sums[one["debit"]] = sums.get(one["debit"], 0) + one["amount_micros"]
        sums[one["credit"]] = sums.get(one["credit"], 0) - one["amount_micros"]
    for one in told:
        if one["type"] == "account":
            sign = 1 if one["kind"] in ("asset", "expense") else -1
            assert one["balance_micros"] == sign * sums[one["code"]]
            assert one["balance_micros"] == ledger.balance(one["code"])


@pytest.mark.parametrize("name", sorted(ledger_exports.FORMATS))
def test_an_older_export_is_the_beginning_of_a_newer_one_and_takes_as_many_queries(name: str) -> None:
    lines = ledger_exports.FORMATS[name]
    ledger.book([entry(accounts.PROVIDER, accounts.WALLETS, 5, f"key {n}") for n in range(10)], now=NOW)
    with CaptureQueriesContext(
        connection,
    ) as few:
        before = list(lines())
    ledger.book([entry(accounts.PROVIDER, accounts.WALLETS, 7, f"key {n}") for n in range(10, 400)], now=NOW)
    with CaptureQueriesContext(connection) as many:
        after = list(lines())
    told = [line for line in before if "key " in line]
    assert len(told) == 10
    assert [line for line in after if "key " in line][:10] == told
    assert len(many) == len(few) <= 3


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize("name", sorted(ledger_exports.FORMATS))
def test_the_command_writes_each_format(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    expected = "".join(ledger_exports.FORMATS[name]())
    call_command("export_ledger", name, str(tmp_path / "out"))
    assert (tmp_path / "out").read_bytes().decode() == expected
    call_command("export_ledger", name)
    assert capfd.readouterr().out.replace("\r\n", "\n") == expected.replace("\r\n", "\n")


def test_amounts_are_exact_whatever_their_size() -> None:
    for micros in (0, 1, -1, 999_999, 1_000_000, -1_000_001, 9_223_372_036_854_775_807):
        assert Decimal(ledger_exports._amount(micros)) * 1_000_000 == micros
