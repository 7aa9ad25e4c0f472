"""Reconciliation: clean books are called clean, and each thing that was tampered with is named where it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from members import clock
from members.models import Person
from playback.models import Wallet
from royalties import accounts, alarms, ledger, posting, reconciliation
from royalties.ledger import Entry
from royalties.ledger_models import Alarm, Posting, Transfer
from royalties.reconciliation import Difference
from royalties.tasks import post_rows, reconcile_books
from tests import cast
from tests.royalties import running

pytestmark = pytest.mark.django_db

OCTOBER = date(2026, 10, 1)
NOON = datetime(2026, 10, 20, 10, 0, tzinfo=UTC)
DAY = "2026-10-20:2026-10"


@pytest.fixture
def lena() -> Person:
    """Give a listener with 10.00 of credit who played twice for 0.006, all of it posted."""
    cast.set_clock(NOON)
    lena = cast.person("lena")
    cast.top_up(lena, 1_000)
    work = cast.track(cast.creator(cast.person("ana")))
    cast.play(lena, work)
    cast.play(lena, work)
    cast.promo(lena, 5_000)
    assert posting.post(now=clock.now()) == 5
    return lena


@contextmanager
def by_a_thief() -> Iterator[None]:
    """Change rows as only a superuser of the database could, past every trigger."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        yield
        cursor.execute("SET session_replication_role = origin")


def tamper(statement: str, *asked: object) -> None:
    with by_a_thief(), connection.cursor() as cursor:
        cursor.execute(statement, asked)
        assert cursor.rowcount == 1


def differences() -> list[Difference]:
    return reconciliation.check(now=clock.now())


def found() -> dict[str, tuple[int, int]]:
    return {one.key: (one.expected_micros, one.found_micros) for one in differences()}


def last_posting() -> int:
    return Posting.objects.latest("id").pk


def test_clean_books_are_clean_posted_or_not(lena: Person) -> None:
    assert differences() == []
    cast.top_up(lena, 500)
    cast.give_back(cast.last_charge(lena))
    assert differences() == []
    posting.post(now=clock.now())
    assert differences() == []


def test_a_wallet_that_was_filled_by_hand_is_named(lena: Person) -> None:
    tamper("UPDATE playback_wallet SET balance_micros = balance_micros + 7 WHERE listener_id = %s", lena.id)
    assert found() == {
        f"wallet:{lena.id}:credit": (9_994_000, 9_994_007),
        "pocket:wallets": (9_994_000, 9_994_007),
    }
    assert differences()[0].words == (
        f"The wallet of listener {lena.id} holds €9.994007 of credit; the rows that moved it sum to €9.994."
    )


def test_promo_that_appeared_and_a_budget_that_shrank_are_named(lena: Person) -> None:
    tamper("UPDATE playback_wallet SET promo_micros = promo_micros - 5 WHERE listener_id = %s", lena.id)
    tamper("UPDATE playback_promobudget SET left_micros = left_micros + 3")
    assert found() == {
        f"wallet:{lena.id}:promo credit": (5_000, 4_995),
        "pocket:promo-wallets": (5_000, 4_995),
        "pocket:promo-budget": (0, 3),
    }


def test_a_wallet_without_a_row_is_named(lena: Person) -> None:
    tamper("DELETE FROM playback_wallet WHERE listener_id = %s", lena.id)
    assert found()[f"wallet:{lena.id}:credit"] == (9_994_000, 0)


def test_a_charge_that_was_changed_is_named_by_its_posting_day_and_kind(lena: Person) -> None:
    tamper("UPDATE playback_charge SET amount_micros = 2001 WHERE play_number = 1")
    assert found() == {
        f"wallet:{lena.id}:credit": (9_993_999, 9_994_000),
        f"posting:{last_posting()}:{DAY}:play:1:bought": (6_001, 6_000),
    }


def test_a_mark_that_is_gone_is_named_before_its_row_is_posted_twice(lena: Person) -> None:
    charge = lena.charges.get(play_number=2)
    tamper("DELETE FROM royalties_postingmark WHERE source = 'charge' AND row_id = %s", charge.id)
    assert found() == {
        f"posting:{last_posting()}:{DAY}:play:1:bought": (2_000, 6_000),
        "pocket:wallets": (9_990_000, 9_994_000),
    }
    assert "its entries say €0.006, the rows marked as posted by it €0.002." in differences()[-1].words


def test_a_row_that_a_mark_of_no_row_hides_from_postings_is_named(lena: Person) -> None:
    charge = lena.charges.get(play_number=2)
    tamper(
        "UPDATE royalties_postingmark SET row_id = gen_random_uuid() WHERE source = 'charge' AND row_id = %s", charge.id
    )
    assert posting.post(now=clock.now()) == 0
    assert found() == {
        f"posting:{last_posting()}:{DAY}:play:1:bought": (2_000, 6_000),
        "pocket:wallets": (9_990_000, 9_994_000),
        "hidden:2026-10-20": (4_000, 0),
    }


def test_a_row_that_was_posted_twice_stays_named(lena: Person) -> None:
    first = last_posting()
    charge = lena.charges.get(play_number=2)
    tamper("DELETE FROM royalties_postingmark WHERE source = 'charge' AND row_id = %s", charge.id)
    assert posting.post(now=clock.now()) == 1
    assert found() == {
        f"posting:{first}:{DAY}:play:1:bought": (2_000, 6_000),
        "pocket:wallets": (9_990_000, 9_994_000),
    }


def test_a_row_that_vanished_is_named(lena: Person) -> None:
    tamper("DELETE FROM playback_charge WHERE play_number = 2")
    assert found() == {
        f"wallet:{lena.id}:credit": (9_998_000, 9_994_000),
        f"posting:{last_posting()}:{DAY}:play:1:bought": (2_000, 6_000),
    }


def test_a_changed_balance_is_named(lena: Person) -> None:
    tamper("UPDATE royalties_account SET balance_micros = balance_micros + 1 WHERE code = 'income.plays'")
    assert found() == {"balance:income.plays": (-6_000, -5_999)}


def test_a_changed_transfer_is_named_by_its_accounts_and_its_posting(lena: Person) -> None:
    tamper("UPDATE royalties_transfer SET amount_micros = amount_micros - 1 WHERE kind = 'play'")
    assert found() == {
        "balance:income.plays": (-5_999, -6_000),
        "balance:liabilities.wallets": (-9_994_001, -9_994_000),
        f"posting:{last_posting()}:{DAY}:play:1:bought": (6_000, 5_999),
    }


def test_a_posting_that_was_reversed_by_hand_is_named(lena: Person) -> None:
    """Rows of playback are given back there; reversing their entry makes the books tell something else."""
    key = Transfer.objects.get(kind="play").key
    ledger.reverse(key=key, reason="I thought so.", now=clock.now())
    assert found() == {
        "pocket:wallets": (10_000_000, 9_994_000),
        f"posting:{last_posting()}:{DAY}:play:1:bought": (6_000, 0),
    }


def test_an_entry_that_breaks_the_promise_about_promo_is_named(lena: Person) -> None:
    wrong = Entry(
        debit=accounts.PROMO_COMMITTED,
        credit=accounts.BANK,
        amount_micros=40,
        kind="journal",
        key="wrong",
        happened_at=clock.now(),
        month=OCTOBER,
    )
    ledger.book([wrong], now=clock.now())
    assert found() == {"promo-committed": (5_000, 5_040)}


def test_what_was_changed_in_a_sealed_month_is_named_without_its_marks(lena: Person) -> None:
    running.start_of_next(OCTOBER)
    running.close(OCTOBER)
    assert differences() == []
    assert posting.forget_marks() == 5
    assert differences() == []
    tamper("UPDATE playback_charge SET amount_micros = 2001 WHERE play_number = 1")
    assert found() == {
        f"wallet:{lena.id}:credit": (9_993_999, 9_994_000),
        f"posting:sealed:{DAY}:play:1:bought": (6_001, 6_000),
    }


def test_royalties_that_were_booked_otherwise_than_found_are_named(lena: Person) -> None:
    """Ana's plays earned 0.0042; somebody takes one micro of a line away, and books a payout that nobody paid."""
    running.start_of_next(OCTOBER)
    running.close(OCTOBER)
    ana = Person.objects.get(name="Ana")
    assert ledger.payable([ana.id]) == {ana.id: 4_200}
    assert differences() == []
    tamper("UPDATE royalties_line SET net_micros = net_micros - 1")
    paid = Entry(
        debit=accounts.payable(ana.id),
        credit=accounts.PAYOUTS,
        amount_micros=200,
        kind="payout",
        key="payout:nobody",
        happened_at=clock.now(),
        month=clock.month(clock.now()),
    )
    ledger.book([paid], now=clock.now())
    assert found() == {f"royalties:{ana.id}": (4_199, 4_200), f"payouts:{ana.id}": (0, 200)}
    assert [one.words for one in differences()] == [
        f"The books credit payee {ana.id} with €0.0042 of royalties; the lines of sealed months sum to €0.004199.",
        f"The books took €0.0002 off the account of payee {ana.id}; the payouts to them sum to €0.00.",
    ]


# What waits.


def settle(micros: int, key: str) -> None:
    entry = Entry(
        debit=accounts.BANK,
        credit=accounts.PROVIDER,
        amount_micros=micros,
        kind="journal-settlement",
        key=key,
        happened_at=clock.now(),
        month=OCTOBER,
    )
    ledger.book([entry], now=clock.now())


def test_what_the_provider_owes_is_told_by_its_age_the_oldest_settled_first(lena: Person) -> None:
    """10.00 came on the 20th and 5.00 on the 22nd; of it 12.00 are settled, so 3.00 of the second wait."""
    cast.set_clock(NOON + timedelta(days=2))
    cast.top_up(lena, 500)
    posting.post(now=clock.now())

    def waits() -> list[tuple[str, int, int, bool]]:
        now = NOON + timedelta(days=10, minutes=1)
        return [(one.code, one.open_micros, one.days, one.late) for one in reconciliation.waiting(now=now)]

    assert waits() == [
        (accounts.PROVIDER, 10_000_000, 10, False),
        (accounts.PROVIDER, 5_000_000, 8, False),
    ]
    settle(12_000_000, "settlement:1")
    assert waits() == [(accounts.PROVIDER, 3_000_000, 8, False)]
    settle(3_000_000, "settlement:2")
    assert waits() == []
    # The provider paid more than it owed: that waits on the other side.
    settle(40_000, "settlement:3")
    assert waits() == [(accounts.PROVIDER, 40_000, 8, False)]
    assert differences() == []


def test_alarms_ring_while_there_is_a_reason(lena: Person) -> None:
    assert post_rows() == 0
    assert reconcile_books() == 0
    assert alarms.ringing() == []
    tamper("UPDATE playback_wallet SET balance_micros = balance_micros + 7 WHERE listener_id = %s", lena.id)
    assert reconcile_books() == 2
    assert reconcile_books() == 2
    rang = alarms.ringing()
    assert [one.key for one in rang] == [f"reconcile:wallet:{lena.id}:credit", "reconcile:pocket:wallets"]
    tamper("UPDATE playback_wallet SET balance_micros = balance_micros - 7 WHERE listener_id = %s", lena.id)
    cast.set_clock(NOON + timedelta(days=15))
    assert reconcile_books() == 0
    waits = alarms.ringing()
    assert [one.words for one in waits] == [
        f"€10.00 of {Transfer.objects.get(kind='top-up').key} stand on assets.provider since 2026-10-20."
    ]
    assert Alarm.objects.filter(cleared_at=None).count() == 1
    settle(10_000_000, "settlement:1")
    reconcile_books()
    assert alarms.ringing() == []
    assert Alarm.objects.count() == 3


def test_an_alarm_keeps_its_moment_and_gets_newer_words() -> None:
    alarms.ring(key="dispute:1", words="Ten euros.", now=NOON)
    alarms.ring(key="dispute:1", words="Twelve euros.", now=NOON + timedelta(days=1))
    (one,) = alarms.ringing()
    assert (one.words, one.raised_at) == ("Twelve euros.", NOON)
    assert alarms.clear(key="dispute:1", now=NOON + timedelta(days=2))
    assert not alarms.clear(key="dispute:1", now=NOON + timedelta(days=2))
    alarms.ring(key="dispute:1", words="Again.", now=NOON + timedelta(days=3))
    alarms.keep(about="reconcile:", found={}, now=NOON + timedelta(days=3))
    assert [one.words for one in alarms.ringing()] == ["Again."]


def test_the_command_says_so_and_ends_with_one(lena: Person, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("reconcile")
    assert capsys.readouterr().out.splitlines()[-1] == "The books say what happened."
    assert Wallet.objects.filter(listener=lena).count() == 1
    tamper("UPDATE playback_wallet SET balance_micros = balance_micros + 7 WHERE listener_id = %s", lena.id)
    with pytest.raises(CommandError, match="2 differences") as error:
        call_command("reconcile")
    assert error.value.returncode == 1
    said = capsys.readouterr().out
    assert f"DIFFERS  The wallet of listener {lena.id} holds" in said
    assert "waits    €10.00 on assets.provider since 0 days: posting:" in said
