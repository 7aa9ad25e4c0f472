"""Reversals and promo: as it was paid, once, with a reason, never to oneself or for one's own work."""

from uuid import uuid4

import pytest

from members import clock
from members.models import Notice
from members.problems import Invalid, NotAllowed, NotFound
from playback import reversals, sessions
from playback.charging import KeyReused
from playback.models import Charge, Holding, PromoBudget, PromoGrant, Reversal, ReversalAsk
from playback.reversals import BudgetSpent
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def lena():
    """Give a listener with 100.00 of credit."""
    listener = cast.person("lena")
    cast.top_up(listener, 10_000)
    return listener


@pytest.fixture
def song():
    """Give a track at the default price."""
    return cast.track(cast.creator(cast.person("ana")))


def reverse(charge, staff, *, reason="The sound broke off.", listener_id=None):
    return reversals.reverse(
        listener_id=listener_id or charge.listener_id,
        charge_id=charge.id,
        staff_id=staff.id,
        reason=reason,
        now=clock.now(),
    )


def unchanged(charge):
    return (
        not Reversal.objects.exists()
        and Charge.objects.get(id=charge.id).reversal_id is None
        and cast.wallet(charge.listener).balance_micros == 100_000_000 - charge.amount_micros
    )


def test_a_charge_is_given_back_into_the_pockets_it_came_from(lena, song):
    cast.promo(lena, 1_500)
    cast.play(lena, song)
    given = reverse(cast.last_charge(lena), tess := cast.treasurer())
    assert (given.amount_micros, given.waits) == (2_000, False)
    row = Reversal.objects.get()
    assert (row.id, row.amount_micros, row.promo_micros, row.staff_id) == (given.reversal_id, 2_000, 1_500, tess.id)
    assert (row.second_id, row.reason) == (None, "The sound broke off.")
    wallet = cast.wallet(lena)
    assert (wallet.balance_micros, wallet.promo_micros) == (100_000_000, 1_500)
    assert cast.entries_sum(lena) == (100_000_000, 1_500)
    assert Charge.objects.get().reversal_id == given.reversal_id
    assert Notice.objects.get(key=f"reversal:{row.id}").person_id == lena.id


def test_a_reversal_lowers_what_is_paid_and_ends_ownership(lena, song):
    cast.play(lena, song)
    cast.buy(lena, song, price_micros=1_022_000)
    reverse(Charge.objects.get(kind="purchase"), cast.treasurer())
    held = Holding.objects.get()
    assert (held.paid_micros, held.paid_plays, held.owned_at, held.cap_micros) == (2_000, 1, None, 1_022_000)
    assert sessions.begin(person_id=lena.id, work_id=song.id, now=clock.now())[0].play_number == 2


def test_asked_again_a_charge_is_given_back_once(lena, song):
    cast.play(lena, song)
    charge, tess, tom = cast.last_charge(lena), cast.treasurer(), cast.treasurer("tom")
    first = reverse(charge, tess)
    assert reverse(charge, tess) == first
    assert reverse(charge, tom) == first
    assert Reversal.objects.count() == 1
    assert cast.wallet(lena).balance_micros == 100_000_000


def test_a_number_given_back_can_be_paid_and_given_back_again(lena, song):
    for _ in range(3):
        cast.play(lena, song)
        reverse(cast.last_charge(lena), cast.treasurer())
    assert Reversal.objects.count() == 3
    assert Charge.objects.filter(play_number=1).count() == 3
    assert cast.wallet(lena).balance_micros == 100_000_000


@pytest.mark.parametrize("role", [(), ("secretary",), ("catalogue",)])
def test_only_treasurers_and_directors_give_back(lena, song, role):
    cast.play(lena, song)
    charge = cast.last_charge(lena)
    with pytest.raises(NotAllowed):
        reverse(charge, cast.person("sam", staff=role))
    assert unchanged(charge)
    assert not reverse(charge, cast.person("dora", staff=("director",))).waits


def test_nobody_gives_back_to_themselves(song):
    tess = cast.treasurer()
    cast.top_up(tess, 10_000)
    cast.play(tess, song)
    charge = cast.last_charge(tess)
    with pytest.raises(NotAllowed):
        reverse(charge, tess)
    assert unchanged(charge)


@pytest.mark.parametrize("role", ["owner", "editor"])
def test_nobody_gives_back_for_a_work_they_manage(lena, role):
    tess, ana = cast.treasurer(), cast.person("ana")
    work = cast.track(cast.creator(tess) if role == "owner" else cast.creator(ana, editors=(tess,)))
    cast.play(lena, work)
    charge = cast.last_charge(lena)
    with pytest.raises(NotAllowed):
        reverse(charge, tess)
    assert unchanged(charge)


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_reversal_needs_a_reason(lena, song, reason):
    cast.play(lena, song)
    charge = cast.last_charge(lena)
    with pytest.raises(Invalid):
        reverse(charge, cast.treasurer(), reason=reason)
    assert unchanged(charge)


def test_a_charge_of_somebody_else_or_of_nobody_is_not_there(lena, song):
    cast.play(lena, song)
    charge = cast.last_charge(lena)
    with pytest.raises(NotFound):
        reverse(charge, cast.treasurer(), listener_id=cast.person("lars").id)
    charge.id, known = uuid4(), charge.id
    with pytest.raises(NotFound):
        reverse(charge, cast.treasurer())
    assert Charge.objects.get(id=known).reversal_id is None


@pytest.mark.parametrize(("price", "waits"), [(20_000_000, False), (20_000_001, True)])
def test_above_twenty_a_second_person_has_to_ask(lena, song, price, waits):
    work = cast.track(song.creator, price_micros=price)
    cast.buy(lena, work, price_micros=price)
    charge, tess, tom = cast.last_charge(lena), cast.treasurer(), cast.treasurer("tom")
    first = reverse(charge, tess, reason="It never played.")
    assert (first.waits, first.reversal_id is None) == (waits, waits)
    if not waits:
        return
    assert reverse(charge, tess).waits
    assert unchanged(charge)
    with pytest.raises(NotAllowed):
        reverse(charge, cast.person("sam", staff=("secretary",)))
    second = reverse(charge, tom, reason="I agree.")
    assert not second.waits
    row = Reversal.objects.get()
    assert (row.staff_id, row.second_id, row.reason) == (tess.id, tom.id, "It never played.")
    assert ReversalAsk.objects.count() == 1
    assert cast.wallet(lena).balance_micros == 100_000_000
    assert reverse(charge, tess) == second


# Promo.


def grant(listener, staff, micros, *, reason="Welcome.", key="gift"):
    return reversals.grant(listener_id=listener.id, staff_id=staff.id, amount_micros=micros, reason=reason, key=key)


def budget():
    return PromoBudget.objects.get().left_micros


def test_promo_comes_from_the_budget_which_never_goes_below_zero(lena):
    tess = cast.treasurer()
    reversals.fund_budget(amount_micros=5_000)
    given = grant(lena, tess, 3_000, key="one")
    assert (given.promo_after_micros, given.balance_after_micros, budget()) == (3_000, 100_000_000, 2_000)
    with pytest.raises(BudgetSpent):
        grant(lena, tess, 2_001, key="two")
    assert (cast.wallet(lena).promo_micros, budget()) == (3_000, 2_000)
    grant(lena, tess, 2_000, key="two")
    assert (cast.wallet(lena).promo_micros, budget()) == (5_000, 0)
    assert cast.entries_sum(lena) == (100_000_000, 5_000)


def test_the_same_gift_is_given_once(lena):
    tess, lars = cast.treasurer(), cast.person("lars")
    reversals.fund_budget(amount_micros=9_000)
    first = grant(lena, tess, 3_000)
    assert grant(lena, tess, 3_000).id == first.id
    for listener, micros in ((lena, 3_001), (lars, 3_000)):
        with pytest.raises(KeyReused):
            grant(listener, tess, micros)
    assert (PromoGrant.objects.count(), budget()) == (1, 6_000)
    # A key is its person's: another treasurer's is another gift.
    grant(lena, cast.treasurer("tom"), 3_000)
    assert budget() == 3_000


def test_promo_is_not_granted_by_strangers_to_oneself_for_nothing_or_to_nobody(lena):
    tess = cast.treasurer()
    reversals.fund_budget(amount_micros=9_000)
    for staff in (lena, cast.person("sam", staff=("secretary",))):
        with pytest.raises(NotAllowed):
            grant(cast.person("lars"), staff, 1_000)
    with pytest.raises(NotAllowed):
        grant(tess, tess, 1_000)
    for micros, reason in ((0, "x"), (-5, "x"), (1_000, " ")):
        with pytest.raises(Invalid):
            grant(lena, tess, micros, reason=reason)
    nobody = cast.person("nobody")
    nobody.id = uuid4()
    with pytest.raises(NotFound):
        grant(nobody, tess, 1_000)
    assert (PromoGrant.objects.count(), budget()) == (0, 9_000)
