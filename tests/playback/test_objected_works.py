"""A work goes off by a voted rule: owners play and download it on, and what it earned is paid, to the micro."""

from datetime import date, timedelta

import pytest

from catalog import objections
from catalog.copies import downloads
from catalog.models import Download, Work
from members import clock
from members.months import after
from royalties import payout_accounts, payouts
from royalties.holds import Held
from tests import callers, cast
from tests.callers import Caller, slug
from tests.playback.kept_files import keep
from tests.playback.story import said
from tests.royalties import running, treasury
from tests.royalties.treasury import at

pytestmark = pytest.mark.django_db
AUGUST, SEPTEMBER, OCTOBER, NOVEMBER = (date(2026, month, 1) for month in (8, 9, 10, 11))
# Seven tenths of it are 14.000007.
PRICE = 20_000_010


def close(*months):
    for month in months:
        running.start_of_next(month)
        running.close(month)


def beat():
    objections.look(now=clock.now())
    objections.settle(now=clock.now())


def due(person, month):
    return payouts.due(month=month, now=clock.now())[person.id]


def test_owners_keep_it_and_what_was_held_is_paid_with_the_next_batch(store):
    callers.forget_counts()
    cast.set_clock(at("2026-08-01 12:00"))
    ana, lars, lena, mona = (cast.person(name) for name in ("ana", "lars", "lena", "mona"))
    payout_accounts.enter(person_id=ana.id, holder="Ana", iban=treasury.IBANS[0], now=clock.now())
    work = cast.track(cast.creator(ana), price_micros=PRICE)
    Work.objects.filter(id=work.id).update(origin=Work.Origin.AI_GENERATED)
    cast.top_up(lars, 3_000)
    cast.buy(lars, work, price_micros=PRICE)

    close(AUGUST)
    cast.vote("content", after=timedelta(days=1), ai_generated="forbidden")
    beat()
    close(SEPTEMBER)
    # Bought in its last days, with credit so fresh that its royalties wait a month.
    cast.set_clock(at("2026-10-25 12:00"))
    cast.top_up(lena, 3_000)
    cast.buy(lena, work, price_micros=PRICE)
    cast.set_clock(at("2026-11-02 04:30"))
    assert Work.objects.get(id=work.id).state == Work.State.PUBLISHED
    beat()
    assert Work.objects.get(id=work.id).state == Work.State.OFF

    # What was earned before is paid with the batch of the month in which it went, and the fresh part with the next.
    close(OCTOBER)
    tess, tom = cast.treasurer("tess"), cast.treasurer("tom")
    for month in (AUGUST, SEPTEMBER, OCTOBER):
        treasury.agree(month, tess, tom)
    assert treasury.owed(ana) == 28_000_014
    assert due(ana, OCTOBER).held == Held(fresh_micros=14_000_007)
    assert treasury.pay(OCTOBER, tess, tom).total_cents == 1_400
    assert treasury.owed(ana) == 14_000_014
    close(NOVEMBER)
    treasury.agree(NOVEMBER, tess, tom)
    assert (due(ana, NOVEMBER).held, due(ana, NOVEMBER).carried_micros) == (Held(), 14)
    assert treasury.pay(NOVEMBER, tess, tom).total_cents == 1_400
    assert treasury.owed(ana) == 14
    assert clock.now().date() > after(NOVEMBER)

    # Lena plays and downloads it as before; nobody new gets anything by it.
    file = keep(store, work, format="mp3")
    Download.objects.filter(id=file.id).update(fingerprint=downloads._fingerprint(file.upload))
    program = Caller(lena)
    session = said(program.post("sessions", {"work": str(work.id)}), 201)
    assert (session["owned"], session["price_micros"]) == (True, 0)
    assert said(program.get(f"library/{work.id}/download?format=mp3"))["sha256"] == file.sha256
    cast.top_up(mona, 3_000)
    stranger = Caller(mona)
    assert slug(stranger.post("sessions", {"work": str(work.id)})) == "work-unavailable"
    refused = stranger.post(f"works/{work.id}/purchase", {"price_micros": PRICE}, Idempotency_Key="one")
    assert (slug(refused), refused.json()["policy"]["href"]) == ("work-unavailable", "/policies/content#v2")
    assert slug(stranger.get(f"library/{work.id}/download?format=mp3")) == "not-found"
