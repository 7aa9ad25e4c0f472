"""Dues: a year at a time, from the wallet or by bank; grace; one instrument, one membership; what the books say."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from members import clock
from members.belonging import dues, memberships
from members.belonging.dues import DuesNotDue
from members.belonging.instruments import InstrumentTaken
from members.belonging.memberships import MembershipStands
from members.belonging.models import DuesPayment, Instrument, Membership
from members.models import Notice
from members.problems import Invalid, NotAllowed
from playback import wallets
from playback.dues_models import DuesTaken
from playback.models import GatewayEvent
from playback.wallets import InsufficientFunds, WalletFrozen
from royalties import accounts, ledger, posting, reconciliation
from tests import cast
from tests.members import belonging

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
TEN = 10_000_000


def by_bank(found, *, now=NOW, covers_from=None, iban="", staff=None):
    return dues.confirm_by_bank(
        membership_id=found.id,
        staff_id=(staff or cast.treasurer()).id,
        covers_from=covers_from or dues.due_from(found, now=now),
        iban=iban or belonging.iban(),
        now=now,
    )


def wallet_member(name="lena", *, cents=1_500, card=""):
    """Return somebody approved, whose wallet was filled with a card of their own unless one is named."""
    who = cast.person(name)
    paid = cast.top_up(who, cents)
    GatewayEvent.objects.create(
        id=f"seen-{paid.id}",
        type="checkout.settled",
        top_up=paid,
        content={"checkout": {"instrument": card or f"card-of-{who.email}"}},
        received_at=clock.now(),
    )
    return who, belonging.approved(who, now=clock.now())


def test_the_first_dues_make_a_member_with_a_number():
    lena = cast.person("lena")
    found = belonging.approved(lena, now=NOW)
    assert not memberships.is_member(lena.id)
    paid = by_bank(found)
    assert (paid.covers_from, paid.covers_until, paid.amount_micros) == (TODAY, date(2027, 3, 2), TEN)
    standing = memberships.standing(lena.id, now=NOW)
    assert (standing.state, standing.number, standing.joined_at, standing.dues) == ("joined", 1, NOW, "paid")
    assert standing.is_good
    lars = belonging.member("lars", now=NOW)
    assert memberships.standing(lars.id, now=NOW).number == 2
    assert Notice.objects.filter(person=lars, subject="You are member number 2").count() == 1


def test_dues_are_not_for_who_is_not_approved():
    found = belonging.applicant(cast.person("nora"), now=NOW)
    with pytest.raises(DuesNotDue):
        by_bank(found)
    assert not DuesPayment.objects.exists()


def test_a_year_follows_the_year_before_also_in_the_days_of_grace_and_not_after_them():
    found = Membership.objects.get(person=belonging.member("lena", now=NOW))
    end = datetime(2027, 3, 2, 10, 0, tzinfo=UTC)
    with pytest.raises(DuesNotDue):
        by_bank(found, now=end - timedelta(days=61))
    assert by_bank(found, now=end - timedelta(days=60)).covers_from == date(2027, 3, 2)
    late = datetime(2028, 3, 31, 9, 0, tzinfo=UTC)
    assert by_bank(found, now=late).covers_from == date(2028, 3, 2)
    overdue = datetime(2029, 4, 1, 9, 0, tzinfo=UTC)
    assert memberships.standing_of(found, now=overdue).dues == "overdue"
    assert by_bank(found, now=overdue).covers_from == date(2029, 4, 1)


@pytest.mark.parametrize(
    ("until", "day", "expected"),
    [
        (None, date(2026, 1, 1), "none"),
        (date(2026, 5, 1), date(2026, 4, 30), "paid"),
        (date(2026, 5, 1), date(2026, 5, 1), "grace"),
        (date(2026, 5, 1), date(2026, 5, 30), "grace"),
        (date(2026, 5, 1), date(2026, 5, 31), "overdue"),
    ],
)
def test_standing_of_dues(until, day, expected):
    assert memberships.dues_at(until, day) == expected


def test_a_year_that_begins_on_a_leap_day_ends_before_march():
    assert dues.a_year_after(date(2028, 2, 29)) == date(2029, 3, 1)
    assert dues.a_year_after(date(2027, 3, 1)) == date(2028, 3, 1)


def test_only_another_treasurer_confirms_with_an_account_and_for_the_year_that_is_due():
    tess = cast.treasurer()
    found = belonging.approved(tess, now=NOW)
    for staff, changed, problem in (
        (cast.person("nora"), {}, NotAllowed),
        (tess, {}, NotAllowed),
        (cast.treasurer("tom"), {"iban": "DE00123"}, Invalid),
        (cast.treasurer("tom"), {"covers_from": date(2026, 3, 3)}, MembershipStands),
    ):
        with pytest.raises(problem):
            by_bank(found, staff=staff, **changed)
    assert not DuesPayment.objects.exists()
    assert not Instrument.objects.exists()
    by_bank(found)
    with pytest.raises(MembershipStands):
        by_bank(found, covers_from=TODAY)


def test_an_account_carries_one_membership_until_that_ends():
    iban = belonging.iban()
    lena, lars = cast.person("lena"), cast.person("lars")
    by_bank(belonging.approved(lena, now=NOW), iban=iban)
    second = belonging.approved(lars, now=NOW)
    with pytest.raises(InstrumentTaken):
        by_bank(second, iban=f"{iban[:4]} {iban[4:]}")
    assert not memberships.is_member(lars.id)
    assert DuesPayment.objects.count() == 1
    assert iban not in Instrument.objects.get().digest
    memberships.leave(person_id=lena.id, now=NOW)
    by_bank(second, iban=iban)
    assert memberships.is_member(lars.id)


def test_the_wallet_pays_once_and_its_history_says_so():
    lena, found = wallet_member()
    now = clock.now()
    due = dues.due_from(found, now=now)
    first = dues.pay_from_wallet(person_id=lena.id, covers_from=due, now=now)
    again = dues.pay_from_wallet(person_id=lena.id, covers_from=due, now=now)
    assert first == again
    assert memberships.is_member(lena.id)
    assert (cast.wallet(lena).balance_micros, cast.entries_sum(lena)) == (5_000_000, (5_000_000, 0))
    entry = wallets.entries(person_id=lena.id)[0]
    assert (entry.kind, entry.row_id, entry.amount_micros) == ("dues", first.id, -TEN)
    assert entry.balance_after_micros == 5_000_000


def test_a_wallet_that_cannot_pay_changes_nothing():
    lena, found = wallet_member(cents=999)
    cast.promo(lena, 5_000_000)
    lars, other = wallet_member("lars")
    frozen = cast.wallet(lars)
    frozen.frozen_at = clock.now()
    frozen.save()
    for who, mine, problem in ((lena, found, InsufficientFunds), (lars, other, WalletFrozen)):
        with pytest.raises(problem):
            dues.pay_from_wallet(person_id=who.id, covers_from=dues.due_from(mine, now=clock.now()), now=clock.now())
        assert not memberships.is_member(who.id)
    assert not DuesPayment.objects.exists()
    assert not DuesTaken.objects.exists()
    assert not Instrument.objects.exists()
    assert cast.wallet(lena).balance_micros == 9_990_000


def test_a_card_that_filled_two_wallets_carries_one_membership():
    for name, joins in (("lena", True), ("lars", False)):
        who, found = wallet_member(name, card="play-card-1")
        pays = {"person_id": who.id, "covers_from": dues.due_from(found, now=clock.now()), "now": clock.now()}
        if joins:
            dues.pay_from_wallet(**pays)
        else:
            with pytest.raises(InstrumentTaken):
                dues.pay_from_wallet(**pays)
        assert memberships.is_member(who.id) == joins
    assert cast.wallet(who).balance_micros == 15_000_000


def test_the_books_take_dues_out_of_wallets_and_are_clean():
    lena, found = wallet_member()
    dues.pay_from_wallet(person_id=lena.id, covers_from=dues.due_from(found, now=clock.now()), now=clock.now())
    posting.post(now=clock.now())
    assert ledger.balance(accounts.DUES) == TEN
    assert ledger.balance(accounts.WALLETS) == 5_000_000
    assert reconciliation.check(now=clock.now()) == []


def test_what_was_paid_is_written_once():
    lena, found = wallet_member()
    paid = dues.pay_from_wallet(person_id=lena.id, covers_from=dues.due_from(found, now=clock.now()), now=clock.now())
    for change in (
        lambda: DuesPayment.objects.filter(id=paid.id).update(covers_until=date(2099, 1, 1)),
        lambda: DuesPayment.objects.filter(id=paid.id).delete(),
        lambda: DuesTaken.objects.filter(id=paid.id).update(amount_micros=1),
        lambda: DuesTaken.objects.filter(id=paid.id).delete(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_whose_year_ends_is_reminded_once():
    lena = belonging.member("lena", now=NOW)
    belonging.member("lars", now=NOW + timedelta(days=90))
    soon = datetime(2027, 2, 20, 9, 0, tzinfo=UTC)
    assert [dues.remind(now=moment) for moment in (soon - timedelta(days=10), soon, soon)] == [0, 1, 1]
    assert list(Notice.objects.filter(subject="Your next year in the co-op").values_list("person", flat=True)) == [
        lena.id
    ]
