"""Capital of who leaves: paid half a year after the year's end, by two treasurers, to them or to who has their code."""

from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from members import clock
from members.belonging import memberships
from members.belonging.models import Membership
from members.erasing import erasures
from members.models import Notice
from members.problems import NotAllowed
from royalties import accounts, alarms, claims, ledger, payouts, reconciliation
from royalties.claims import NothingOwed
from royalties.id_shares import IdShare
from royalties.ledger_models import Transfer
from royalties.payouts import BatchStands, NothingDue
from royalties.year import booking, leaving, parts
from royalties.year.models import CapitalRelease, FinancialYear, Patronage, ReleasedLine
from tests import callers, cast
from tests.callers import Caller
from tests.members import belonging
from tests.members.test_erasures import post
from tests.royalties import years
from tests.royalties.test_treasury_pages import browser, text
from tests.royalties.test_treasury_pages import post as post_form
from tests.royalties.treasury import IBANS
from tests.royalties.years import YEAR

pytestmark = pytest.mark.django_db
State = FinancialYear.State
PAID = "Your capital account is paid"
TURN = f"Your capital of {YEAR} is paid"


@pytest.fixture
def made():
    """Give a small year that is drawn and not voted on."""
    callers.forget_counts()
    found = years.small_year()
    years.close(found.tess)
    return found


def stand(moment):
    cast.set_clock(datetime.fromisoformat(moment))


def divide(made):
    """Let members accept the motion, and book it."""
    years.decide(years.put(made.tess), made.voters, "yyyyy")
    return years.finish()


def next_year_is_closed(made):
    """Say that the year after was closed, in which those left who leave here."""
    said = {"closed_at": clock.now(), "closed_by": made.tess, "result_micros": 0, "shortfall_micros": 0, "words": ""}
    FinancialYear.objects.create(year=YEAR + 1, state=State.NOTHING, **said)


def capital(who):
    return ledger.balance(accounts.capital(who.id))


def owed(who):
    return ledger.payable([who.id])[who.id]


def retained(who):
    return sum(one.retained_cents * 10_000 for one in Patronage.objects.filter(person_id=who.id))


def differences():
    """Name what differs of the money of years. The listeners of such a year have no wallets."""
    found = reconciliation.check(now=clock.now())
    return [one.words for one in found if one.key.startswith(("patronage", "capital", "payouts", "balance"))]


def release(made):
    begun = leaving.begin(staff_id=made.tess.id, now=clock.now())
    return leaving.confirm(release_id=begun.id, staff_id=made.tom.id, now=clock.now())


def test_who_left_is_paid_after_the_year_of_leaving_and_the_year_s_turn_pays_the_others(made):
    lin, lou = made.people["lin"], made.people["lou"]
    divide(made)
    cash, kept = owed(lin), capital(lin)
    assert kept == retained(lin) > 0
    memberships.leave(person_id=lin.id, now=clock.now())
    assert (leaving.due(now=clock.now()), leaving.owed_by(lin.id).isoformat()) == ([], "2028-06-30")
    with pytest.raises(NothingDue):
        leaving.begin(staff_id=made.tess.id, now=clock.now())
    stand("2028-02-01T12:00+01:00")
    next_year_is_closed(made)
    (due,) = leaving.due(now=clock.now())
    assert (due.left_in, due.people, due.cents * 10_000, due.pay_by.isoformat()) == (2027, 1, kept, "2028-06-30")
    for moment, is_late in (("2028-06-30T23:00+02:00", False), ("2028-07-01T01:00+02:00", True)):
        assert [one.is_late for one in leaving.due(now=datetime.fromisoformat(moment))] == [is_late]
    release(made)
    assert (owed(lin), capital(lin), leaving.due(now=clock.now())) == (cash + kept, 0, [])
    assert capital(lou) == retained(lou)
    assert [(one.capital_is_paid, one.is_given) for one in parts.of_person(lin.id)] == [(True, True)]
    assert [one.capital_is_paid for one in parts.of_person(lou.id)] == [False]
    assert payouts.due(month=years.DECEMBER, now=clock.now(), whose=IdShare.one(lin.id))[lin.id].payable_micros == (
        cash + kept
    )
    assert differences() == []
    # The turn of the year, when it comes, books nothing of hers again and tells her nothing.
    booking.begin_redeeming(year=YEAR, staff_id=made.tess.id, now=clock.now())
    booking.confirm_redeeming(year=YEAR, staff_id=made.tom.id, now=clock.now())
    assert years.finish().state == State.REDEEMED
    assert (owed(lin), capital(lou), differences()) == (cash + kept, 0, [])
    assert list(Notice.objects.filter(subject=PAID).values_list("person_id", flat=True)) == [lin.id]
    assert lin.id not in set(Notice.objects.filter(subject=TURN).values_list("person_id", flat=True))


def test_nothing_is_due_of_a_year_that_members_have_not_accepted(made):
    lin = made.people["lin"]
    assert retained(lin) > 0
    memberships.leave(person_id=lin.id, now=clock.now())
    stand("2028-02-01T12:00+01:00")
    next_year_is_closed(made)
    assert leaving.due(now=clock.now()) == []
    with pytest.raises(NothingDue):
        leaving.begin(staff_id=made.tess.id, now=clock.now())


def test_it_takes_two_treasurers_and_one_payment_at_a_time(made):
    lin, tess, tom = made.people["lin"], made.tess, made.tom
    divide(made)
    memberships.leave(person_id=lin.id, now=clock.now())
    next_year_is_closed(made)
    now = clock.now()
    with pytest.raises(NotAllowed):
        leaving.begin(staff_id=lin.id, now=now)
    begun = leaving.begin(staff_id=tess.id, now=now)
    booked, told = Transfer.objects.count(), Notice.objects.count()
    with pytest.raises(BatchStands):
        leaving.begin(staff_id=tom.id, now=now)
    for who in (tess, lin):
        with pytest.raises(NotAllowed):
            leaving.confirm(release_id=begun.id, staff_id=who.id, now=now)
    assert (Transfer.objects.count(), Notice.objects.count()) == (booked, told)
    shown = leaving.begun()
    assert (shown.id, shown.people, shown.cents * 10_000) == (begun.id, 1, capital(lin))
    leaving.confirm(release_id=begun.id, staff_id=tom.id, now=now)
    booked = Transfer.objects.count()
    leaving.confirm(release_id=begun.id, staff_id=tom.id, now=now)
    with pytest.raises(BatchStands):
        leaving.confirm(release_id=begun.id, staff_id=cast.treasurer("theo").id, now=now)
    assert (Transfer.objects.count(), leaving.begun(), capital(lin)) == (booked, None, 0)


def test_the_year_s_turn_between_beginning_and_confirming_pays_once(made):
    lin = made.people["lin"]
    divide(made)
    cash, kept = owed(lin), capital(lin)
    memberships.leave(person_id=lin.id, now=clock.now())
    next_year_is_closed(made)
    begun = leaving.begin(staff_id=made.tess.id, now=clock.now())
    booking.begin_redeeming(year=YEAR, staff_id=made.tess.id, now=clock.now())
    booking.confirm_redeeming(year=YEAR, staff_id=made.tom.id, now=clock.now())
    assert years.finish().state == State.REDEEMED
    leaving.confirm(release_id=begun.id, staff_id=made.tom.id, now=clock.now())
    assert (owed(lin), capital(lin), differences()) == (cash + kept, 0, [])


def test_an_expelled_member_is_paid_as_well_and_who_belongs_again_waits_with_the_others(made):
    lin, lou, leo = (made.people[name] for name in ("lin", "lou", "leo"))
    divide(made)
    now = clock.now()
    Membership.objects.filter(person=lin).update(state="expelled", ended_at=now)
    for who in (lou, leo):
        memberships.leave(person_id=who.id, now=now)
    # One is a member again, the other has only applied.
    belonging.pay(belonging.approved(lou, now=now), now=now)
    belonging.applicant(leo, now=now)
    next_year_is_closed(made)
    (due,) = leaving.due(now=now)
    assert (due.people, due.cents * 10_000) == (2, capital(lin) + capital(leo))
    release(made)
    assert (capital(lin), capital(leo), capital(lou)) == (0, 0, retained(lou))
    assert (leaving.owed_by(lou.id), differences()) == (None, [])
    # An expulsion that is lifted afterwards: what was paid is paid, and no line is paid twice.
    Membership.objects.filter(person=lin).update(state="joined", ended_at=None)
    assert ReleasedLine.objects.count() == 2
    assert differences() == []


def test_where_nobody_closes_the_year_it_is_due_all_the_same_and_an_alarm_rings(made):
    lin = made.people["lin"]
    divide(made)
    memberships.leave(person_id=lin.id, now=clock.now())
    stand("2028-06-30T23:59:59+02:00")
    assert (leaving.ring(now=clock.now()), leaving.due(now=clock.now())) == (0, [])
    stand("2028-07-01T00:00+02:00")
    assert leaving.ring(now=clock.now()) == 1
    (ringing,) = (one for one in alarms.ringing() if one.key == "capital-due:2027")
    assert "due to 1 who left in 2027: by 30 June 2028 at the latest." in ringing.words
    release(made)
    assert leaving.ring(now=clock.now()) == 0
    assert not [one for one in alarms.ringing() if one.key.startswith("capital-due:")]


def test_whoever_is_erased_between_the_motion_and_the_money_is_paid_by_their_code():
    """In the year of the contract: Wim claims what is paid at once and, when it is due, his capital. Wen never does."""
    callers.forget_counts()
    made = years.worked_year()
    years.close(made.tess)
    wim, wen = made.people["wim"], made.people["wen"]
    proposal, codes = years.put(made.tess), {}
    for who in (wim, wen):
        _, codes[who] = erasures.ask(person_id=who.id, now=clock.now())
    cast.set_clock(clock.now() + erasures.CAN_BE_TAKEN_BACK)
    for _ in range(3):
        erasures.advance(now=clock.now())
        post()
    assert set(erasures.erased()) == {wim.id, wen.id}
    years.decide(proposal, made.voters, "yyyyy")
    assert years.finish().state == State.DONE
    assert (owed(wim), capital(wim), owed(wen), capital(wen)) == (172_430_000, 402_310_000, 295_580_000, 689_680_000)

    def claim():
        return claims.claim(code=codes[wim], holder="A. Heir", iban=IBANS[0], now=clock.now())

    assert claim().cents == 17_243
    pay_out(wim)
    with pytest.raises(
        NothingOwed, match=r"€402\.31 of a capital account can be claimed by 30 June 2028 at the latest"
    ):
        claim()
    stand("2028-07-02T12:00+02:00")
    release(made)
    assert (capital(wim), capital(wen), claim().cents) == (0, 0, 40_231)
    # What was divided in 2027 lapses when 2030 is over, the capital, paid in 2028, a year later.
    stand("2031-01-01T00:30+01:00")
    claims.tidy(now=clock.now())
    assert owed(wen) == 689_680_000
    stand("2032-01-01T00:30+01:00")
    claims.tidy(now=clock.now())
    assert (owed(wen), owed(wim)) == (0, 0)
    assert ledger.balance(accounts.DISPUTES) == -(295_580_000 + 689_680_000 + 402_310_000)


def pay_out(who):
    """Take off somebody's account what it holds, as payouts do."""
    entry = ledger.Entry(
        debit=accounts.payable(who.id),
        credit=accounts.PAYOUTS,
        amount_micros=owed(who),
        kind="payout",
        key=f"test-payout:{who.id}",
        happened_at=clock.now(),
        month=clock.month(clock.now()),
    )
    ledger.book([entry], now=clock.now())


def test_two_treasurers_pay_it_on_their_page_and_who_left_reads_by_when(made):
    lin, tess, tom = made.people["lin"], browser(made.tess), browser(made.tom)
    divide(made)
    assert "the oldest year" in text(browser(lin).get("/membership"))
    memberships.leave(person_id=lin.id, now=clock.now())
    assert "all of it is paid to you by 30 June 2028 at the latest" in text(browser(lin).get("/membership"))
    assert "members who left" not in text(tess.get("/treasury/years"))
    text(tess.post("/treasury/years/leavers"), 409)
    stand("2028-07-01T12:00+02:00")
    shown = text(tess.get("/treasury/years"))
    assert "Left in 2027" in shown
    assert "30 June 2028: that is over" in shown
    post_form(tess, "/treasury/years/leavers")
    assert "You began it. Another treasurer confirms it." in text(tess.get("/treasury/years"))
    begun = str(leaving.begun().id)
    assert begun not in text(tess.get("/treasury/years"))
    text(tess.post("/treasury/years/leavers", {"confirm": begun}), 403)
    for nothing in ("x", str(lin.id)):
        text(tom.post("/treasury/years/leavers", {"confirm": nothing}), 404)
    text(browser(lin).post("/treasury/years/leavers", {"confirm": begun}), 403)
    assert begun in text(tom.get("/treasury/years"))
    assert capital(lin) == retained(lin)
    post_form(tom, "/treasury/years/leavers", confirm=begun)
    assert (capital(lin), "members who left" in text(tom.get("/treasury/years"))) == (0, False)
    assert "paid since" in text(browser(lin).get("/membership"))
    said = Caller(lin, "listen")("GET", f"surplus/{YEAR}/mine").json()
    assert (said["capital_micros"], [one["capital_is_paid"] for one in said["parts"]]) == (0, [True])


CHANGES = (
    "UPDATE royalties_capitalrelease SET state = 'begun', confirmed_by_id = NULL, confirmed_at = NULL",
    "UPDATE royalties_capitalrelease SET left_by = left_by + 1",
    "DELETE FROM royalties_capitalrelease",
    "UPDATE royalties_releasedline SET line = line + 100",
    "DELETE FROM royalties_releasedline",
    "INSERT INTO royalties_releasedline SELECT year, 99, release_id FROM royalties_releasedline",
    "INSERT INTO royalties_releasedline SELECT year, line, release_id FROM royalties_releasedline",
)


def test_what_was_released_stands(made):
    divide(made)
    memberships.leave(person_id=made.people["lin"].id, now=clock.now())
    next_year_is_closed(made)
    release(made)
    for change in CHANGES:
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
    with pytest.raises(DatabaseError), transaction.atomic():
        CapitalRelease.objects.create(
            state="confirmed",
            left_by=2027,
            begun_by=made.tess,
            begun_at=clock.now(),
            confirmed_by=made.tess,
            confirmed_at=clock.now() + timedelta(hours=1),
        )


def test_capital_that_no_line_explains_is_a_difference(made):
    divide(made)
    lin = made.people["lin"]
    entry = ledger.Entry(
        debit=accounts.capital(lin.id),
        credit=accounts.payable(lin.id),
        amount_micros=10_000,
        kind="patronage-redeemed",
        key="by-hand",
        happened_at=clock.now(),
        month=clock.month(clock.now()),
    )
    ledger.book([entry], now=clock.now())
    found = {one.key: (one.expected_micros, one.found_micros) for one in reconciliation.check(now=clock.now())}
    assert found[f"capital:{lin.id}"] == (retained(lin), retained(lin) - 10_000)
