"""The ledger: what it keeps, what it refuses, and that nobody's books are ever a micro off."""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from infra import grants
from members.problems import Invalid, NotFound
from royalties import accounts, ledger
from royalties.accounts import LedgerRefused
from royalties.ledger import Entry
from royalties.ledger_models import Account, LockedMonth, Transfer
from tests import cast

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
NOVEMBER, OCTOBER = date(2026, 11, 1), date(2026, 10, 1)
ANA = UUID("a0000000-0000-4000-8000-000000000001")


def entry(debit: str, credit: str, micros: int, key: str = "", *, month: date = NOVEMBER, reason: str = "") -> Entry:
    return Entry(
        debit=debit,
        credit=credit,
        amount_micros=micros,
        kind="test",
        key=key or f"test:{uuid4()}",
        happened_at=NOW,
        month=month,
        reason=reason,
    )


def book(*entries: Entry) -> int:
    return ledger.book(entries, now=NOW)


@pytest.mark.django_db
def test_a_month_of_a_small_co_op_told_by_its_books() -> None:
    """Lena tops up 12.10 with VAT, plays for 3.00, and Ana is paid whole cents of what her plays earned."""
    ana = accounts.payable(ANA)
    assert book(
        entry(accounts.PROVIDER, accounts.WALLETS, 10_000_000),
        entry(accounts.PROVIDER, accounts.VAT, 2_100_000),
        entry(accounts.WALLETS, accounts.PLAYS, 3_000_000),
        entry(accounts.ROYALTIES, ana, 2_105_678),
        entry(ana, accounts.PAYOUTS, 2_100_000),
        entry(accounts.BANK, accounts.PROVIDER, 12_000_000),
        entry(accounts.PROVIDER_FEES, accounts.PROVIDER, 100_000),
        entry(accounts.PAYOUTS, accounts.BANK, 2_100_000),
    ) == 8
    assert {code: ledger.balance(code) for code in Account.objects.values_list("code", flat=True)} == {
        accounts.BANK: 9_900_000,
        accounts.PROVIDER: 0,
        accounts.WALLETS: 7_000_000,
        accounts.VAT: 2_100_000,
        accounts.PLAYS: 3_000_000,
        accounts.ROYALTIES: 2_105_678,
        ana: 5_678,
        accounts.PAYOUTS: 0,
        accounts.PROVIDER_FEES: 100_000,
    }
    assert ledger.payable([ANA]) == {ANA: 5_678}
