"""The year's surplus through the real database: the year of the contract to the cent, from its closing to the money."""

from datetime import date
from fractions import Fraction

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from catalog.models import CreatorRole
from infra import grants
from members import clock, money
from members.models import Month, Notice
from members.problems import NotAllowed
from members.voting.proposal_models import Proposal
from members.voting.proposals import OneAtATime
from playback.models import Charge
from royalties import accounts, ledger, payouts, reconciliation, surplus
from royalties.id_shares import IdShare
from royalties.ledger_models import LockedMonth, Transfer
from royalties.year import booking, closing, drawing, motion
from royalties.year.models import Eligible, FinancialYear, Patronage
from royalties.year.motion import YearStands
from tests import cast
from tests.royalties import counting, years
from tests.royalties.years import EURO, YEAR

pytestmark = pytest.mark.django_db
State = FinancialYear.State


def lines(name):
    """Return each member's patronage, cents and cash of a class, by the member's name."""
    rows = Patronage.objects.filter(year=YEAR, member_class=name).order_by("line").select_related("person")
    return {row.person.name: (row.patronage, row.cents, row.cash_cents) for row in rows}


def owed(who):
    return ledger.payable([who.id])[who.id]


def capital(who):
    return ledger.balance(accounts.capital(who.id))


def test_the_year_of_the_contract_comes_to_members_hands_to_the_cent():
    made = years.worked_year()
    assert closing.result_of(YEAR) == 12_000 * EURO
    year = years.close(made.tess)
    assert (year.state, year.result_micros, year.lines) == (State.READY, 12_000 * EURO, 7)
    figures = year.figures
    assert (figures["reserve_cents"], figures["common_good_cents"]) == (360_000, 60_000)
    pools = {name: one["pool_cents"] for name, one in figures["classes"].items()}
    assert pools == {"creators": 351_000, "listeners": 273_000, "workers": 156_000}
    assert figures["classes"]["creators"]["patronage"] == 98_000 * EURO
    assert figures["classes"]["creators"]["others_patronage"] == 7_499_250_000
    assert figures["classes"]["listeners"]["patronage"] == 140_000 * EURO
    left = {name: one["reserve_cents"] for name, one in figures["classes"].items()}
    assert left == {"creators": 26_859, "listeners": 58_500, "workers": 0}
    guard = figures["guard"]
    comes_back = Fraction(guard["comes_back"])
    assert comes_back == Fraction(7, 10) * Fraction(3_510, 98_000) + Fraction(2_730, 140_000)
    assert (round(comes_back * 10_000), guard["coop_ppm"], guard["scale_ppm"]) == (446, 300_000, money.PPM)
    assert lines("creators") == {
        "Ana": (31_000 * EURO, 111_031, 33_310),
        "Ben": (20_500_500_000, 73_425, 22_028),
        "Cleo": (39_000_250_000, 139_685, 41_906),
    }
    assert lines("listeners") == {
        "Lars": (61_234_100_000, 119_406, 35_822),
        "Lena": (48_765_900_000, 95_094, 28_529),
    }
    assert lines("workers") == {"Wen": (72_000, 98_526, 29_558), "Wim": (42_000, 57_474, 17_243)}
    # Until members say, all of it is the reserve's.
    assert ledger.balance(accounts.RESERVE) == 12_000 * EURO
    ana, wim = made.people["ana"], made.people["wim"]
    before = owed(ana)
    proposal = years.decide(years.put(made.tess), made.voters, "yyyyn")
    assert (proposal.state, proposal.kind) == (Proposal.State.ENACTED, "ordinary")
    with pytest.raises(YearStands):
        # Accepted is accepted, also before the workers have looked.
        years.put(made.tom)
    year = years.finish()
    assert (year.state, year.percent) == (State.DONE, 100)
    assert owed(ana) - before == 333_100_000
    assert capital(ana) == 777_210_000
    assert (owed(wim), capital(wim)) == (172_430_000, 402_310_000)
    stays = 360_000 + 26_859 + 58_500
    assert figures["stays_cents"] == stays
    assert ledger.balance(accounts.RESERVE) == money.from_cents(stays)
    assert ledger.balance(accounts.COMMON_GOOD) == 600 * EURO
    assert ledger.balance(accounts.PATRONAGE) == 0
    # No listener of this year has a wallet: what they bought was booked, and nothing else of it.
    aside = ("pocket", "posting", "wallet")
    assert [one for one in reconciliation.check(now=clock.now()) if not one.key.startswith(aside)] == []
    assert Notice.objects.filter(subject=f"The surplus of {YEAR} is divided, and a part of it is yours").count() == 7
    # What is paid at once goes out as royalties do.
    december = payouts.due(month=date(YEAR, 12, 1), now=clock.now(), whose=IdShare.one(wim.id))[wim.id]
    assert (december.payable_micros, december.why_not) == (172_430_000, "no-account")


def test_it_is_done_once_however_often_it_is_done():
    def extra(people, made):
        # What is worth no cent moves nothing, at once or later.
        people["lea"] = years.joined(cast.person("lea"))
        counting.charge(people["lea"], made, 100, at=years.at(11, 20), promo=0)

    made = years.small_year(extra=extra)
    years.accept(made)
    assert lines("listeners")["Lea"] == (100, 0, 0)
    booked = Transfer.objects.count()
    year = FinancialYear.objects.get(year=YEAR)
    year.through = 0
    with transaction.atomic():
        assert booking.divide(year, now=clock.now()) == year.lines
    assert Transfer.objects.count() == booked
    assert years.finish().state == State.DONE
    assert closing.close(year=YEAR, staff_id=made.tom.id, now=clock.now()).closed_by_id == made.tess.id


def test_nobody_but_two_treasurers_and_the_members_moves_it():
    made = years.small_year()
    now, lars = clock.now(), made.people["lars"]
    with pytest.raises(NotAllowed):
        closing.close(year=YEAR, staff_id=lars.id, now=now)
    year = years.close(made.tess)
    with pytest.raises(NotAllowed):
        motion.put(year=YEAR, staff_id=lars.id, now=now)
    with pytest.raises(NotAllowed):
        # A treasurer who is no member asks members nothing.
        years.put(cast.treasurer("theo"))
    with pytest.raises(YearStands):
        booking.begin_redeeming(year=YEAR, staff_id=made.tess.id, now=now)
    proposal = years.put(made.tess)
    assert proposal.motion_sha256 == year.manifest_sha256
    with pytest.raises(OneAtATime):
        years.put(made.tom)
    assert years.decide(proposal, made.voters, "nnnny").state == Proposal.State.DEFEATED
    assert years.finish().state == State.READY
    assert ledger.balance(accounts.RESERVE) == year.result_micros
    # The same figures may be asked for again, and nothing is drawn anew.
    again = years.put(made.tom)
    assert (again.motion_sha256, again.number) == (year.manifest_sha256, 2)


CHANGES = (
    "UPDATE royalties_patronage SET cents = cents + 1",
    "DELETE FROM royalties_patronage",
    "UPDATE royalties_eligible SET eligible_micros = 1, creators_micros = 0",
    "UPDATE royalties_patronage SET line = line + 100",
    "UPDATE royalties_financialyear SET figures = '{}'",
    "UPDATE royalties_financialyear SET result_micros = 1",
    "UPDATE royalties_financialyear SET state = 'done'",
    "DELETE FROM royalties_financialyear",
    "UPDATE members_proposal SET motion_sha256 = 'x'",
)


def test_what_was_drawn_stands_whoever_asks():
    made = years.small_year()
    years.close(made.tess)
    years.put(made.tess)
    for change in CHANGES:
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)


@pytest.mark.parametrize("table", ["royalties_eligible", "royalties_patronage"])
def test_the_role_that_serves_pages_may_not_even_try(table):
    grants.grant(settings.DB_WEB_ROLE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, %s, 'UPDATE, DELETE, TRUNCATE')", [settings.DB_WEB_ROLE, table])
        assert cursor.fetchone() == (False,)


@pytest.mark.parametrize("table", ["royalties_eligible", "royalties_patronage"])
def test_what_was_drawn_is_never_emptied(table):
    with pytest.raises(DatabaseError, match=f"{table} is append-only"), connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {table} CASCADE")


def test_nothing_is_added_to_what_was_drawn():
    years.close(years.small_year().tess)
    row = Patronage.objects.first()
    with pytest.raises(DatabaseError), transaction.atomic():
        Patronage.objects.create(
            year=YEAR,
            line=99,
            member_class="workers",
            number=1,
            person_id=row.person_id,
            patronage=1,
            cents=1,
            cash_cents=1,
        )
    row = Eligible.objects.first()
    with pytest.raises(DatabaseError), transaction.atomic():
        Eligible.objects.create(
            year=YEAR,
            month=row.month,
            work_id=row.work_id,
            sheet_id=row.work_id,
            revenue_seq=1,
            eligible_micros=1,
            creators_micros=1,
        )


def test_capital_is_paid_the_oldest_year_first_by_two_treasurers():
    made = years.small_year()
    years.accept(made)
    ana, now = made.people["ana"], clock.now()
    before, kept = owed(ana), capital(ana)
    assert kept > 0
    younger = {"year": YEAR + 1, "closed_at": now, "closed_by": made.tess, "result_micros": 1, "shortfall_micros": 0}
    FinancialYear.objects.create(state=State.DONE, figures={}, manifest_sha256="0", **younger)
    with pytest.raises(YearStands):
        booking.begin_redeeming(year=YEAR + 1, staff_id=made.tess.id, now=now)
    with pytest.raises(YearStands):
        booking.confirm_redeeming(year=YEAR, staff_id=made.tom.id, now=now)
    booking.begin_redeeming(year=YEAR, staff_id=made.tess.id, now=now)
    with pytest.raises(NotAllowed):
        booking.confirm_redeeming(year=YEAR, staff_id=made.tess.id, now=now)
    booking.confirm_redeeming(year=YEAR, staff_id=made.tom.id, now=now)
    assert years.finish().state == State.REDEEMED
    assert (owed(ana) - before, capital(ana)) == (kept, 0)
    assert [one for one in reconciliation.check(now=now) if one.key.startswith(("patronage", "payouts"))] == []
    with pytest.raises(YearStands):
        booking.begin_redeeming(year=YEAR, staff_id=made.tess.id, now=now)


# A small year, counted by hand.


def eligible():
    rows = Eligible.objects.order_by("month", "work_id", "sheet_version")
    return list(rows.values_list("eligible_micros", "creators_micros"))


def test_what_counts_is_bought_stands_and_is_of_others_works():
    def extra(people, made):
        # Edited the profile in the first days of November, and not any more: what they heard all year does not count.
        cast.set_clock(years.at(10, 30))
        role = CreatorRole.objects.create(creator=made.creator, person=people["liv"], role="editor")
        cast.set_clock(years.at(11, 2))
        role.delete()
        # Who only looks runs nothing.
        CreatorRole.objects.create(creator=made.creator, person=people["lena"], role="viewer")
        # Paid by a sheet for a day.
        counting.put_in_force(made, [(people["lou"], 1_000_000)], since=years.at(11, 20))
        counting.put_in_force(made, [(people["ana"], 1_000_000)], since=years.at(11, 21))
        counting.charge(people["leo"], made, 1_000_000, at=years.at(11, 25), number=2)
        # Given back in its month, and after its month closed and before the year's last.
        counting.give_back(
            counting.charge(people["lars"], made, 500_000, at=years.at(11, 8), number=1), at=years.at(11, 9)
        )
        counting.give_back(
            counting.charge(people["leo"], made, 700_000, at=years.at(11, 8), number=1), at=years.at(12, 9)
        )

    made = years.small_year(extra=extra)
    # Given back after the year's last month closed: of this year it counts, and another year's books have it.
    counting.give_back(Charge.objects.get(listener=made.people["lin"]), at=clock.now())
    years.close(made.tess)
    # Lars 1, Lena 2, Leo 5 and Lin 6 count, less a hundredth of each that was promo; Liv and Lou do not.
    bought = {name: 1_000_000 * n + n - 10_000 * n for name, n in (("lars", 1), ("lena", 2), ("leo", 5), ("lin", 6))}
    whole = sum(bought.values())
    # What came after the second sheet is a group of its own, and Ana's alone.
    assert eligible() == [(whole, money.allocate(whole, [700_000, 300_000])[0]), (1_000_000, 700_000)]
    bought["leo"] += 1_000_000
    found = lines("listeners")
    assert {name: one[0] for name, one in found.items()} == {name.title(): micros for name, micros in bought.items()}
    creators = money.allocate(eligible()[0][1], [666_667, 333_333])
    assert {name: one[0] for name, one in lines("creators").items()} == {"Ana": creators[0] + 700_000}


def test_a_loss_is_the_reserve_s_and_later_surpluses_first_make_it_good():
    made = years.small_year(extra=lambda *_: years.spend(date(YEAR, 11, 1), 50 * EURO))
    year = years.close(made.tess)
    assert (year.state, year.result_micros < 0, year.figures) == (State.NOTHING, True, None)
    missing = -year.result_micros
    assert ledger.balance(accounts.RESERVE) == -missing
    with pytest.raises(YearStands):
        years.put(made.tess)
    # A year that leaves as much fills it up, and nothing of it is divided.
    said = {"closed_at": clock.now(), "closed_by": made.tess, "result_micros": missing, "shortfall_micros": missing}
    with transaction.atomic():
        FinancialYear.objects.create(year=YEAR + 1, **said)
        assert years.finish(YEAR + 1).state == State.NOTHING
        transaction.set_rollback(True)
    # Of one that leaves more, no more than that is divided.
    last = date(YEAR + 1, 12, 1)
    years.earn(last, missing + 100 * EURO)
    cast.set_clock(clock.start_of(date(YEAR + 2, 1, 4)))
    now = clock.now()
    Month.objects.create(starts_on=last, state=Month.State.SEALED, closed_at=now, sealed_at=now)
    LockedMonth.objects.create(month=last, locked_at=now)
    later = closing.close(year=YEAR + 1, staff_id=made.tess.id, now=now)
    assert (later.result_micros, later.shortfall_micros) == (missing + 100 * EURO, missing)
    drawn = drawing.draw(later)
    assert (drawn.figures["result_cents"], drawn.figures["common_good_cents"]) == (100_00, 5_00)


POOLS = (
    (351_000, [31_000 * EURO, 20_500_500_000, 39_000_250_000], 7_499_250_000),
    (100, [5, 5, 5, 5, 5, 5, 5], 5),
    (7, [3, 3, 1], 0),
    (10**10, [10**12 + 7, 10**12 + 7, 3], 10**12 + 7),
    (0, [1, 2], 3),
)


def test_the_drawing_shares_as_the_pure_function_does_also_in_numbers_beyond_a_bigint():
    with connection.cursor() as cursor:
        for year, (pool, weights, others) in enumerate(POOLS, start=1000):
            cursor.execute("CREATE TEMP TABLE weighed (number int, person_id uuid, brought bigint)")
            cursor.execute(
                "INSERT INTO weighed SELECT n, gen_random_uuid(), w FROM unnest(%s::bigint[]) WITH ORDINALITY u (w, n)",
                [weights],
            )
            whole = sum(weights) + others
            pots = {"name": "workers", "pool_cents": pool, "whole": whole, "lines": 0, "cash_ppm": 300_000}
            found = drawing.share_out(cursor, year=year, **pots)
            asked = surplus.share(pool, patronage=dict(enumerate(weights)), others=others, cash_ppm=300_000)
            rows = Patronage.objects.filter(year=year).order_by("line")
            assert [(row.cents, row.cash_cents) for row in rows] == [(p.cents, p.cash_cents) for p in asked.parts]
            assert found["reserve_cents"] == asked.to_reserve_cents
