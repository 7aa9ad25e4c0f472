"""Claims: whoever has the code of somebody erased is paid what is owed, from a cent on; what nobody claims lapses."""

import pytest
from django.test import Client

from members import clock
from members.erasing import erasures
from members.models import Person
from members.problems import Invalid
from royalties import accounts, bank, claims, ledger, payout_accounts, payouts, reconciliation
from royalties.claims import NoSuchClaim, NothingOwed
from royalties.payout_models import Payout, PayoutAccount
from royalties.payouts import FileForgotten
from tests import callers, cast
from tests.members.test_erasures import go, post
from tests.royalties import treasury
from tests.royalties.treasury import IBANS, OCTOBER, SEPTEMBER, at, owe, owed

pytestmark = pytest.mark.django_db
NOBODY = "AAAAA-BBBBB-CCCCC-DDDDD"


@pytest.fixture
def treasurers():
    callers.forget_counts()
    treasury.seal(SEPTEMBER)
    return cast.treasurer("tess"), cast.treasurer("tom")


def left(micros: int) -> tuple[Person, str]:
    """Return somebody without an account who was erased while they were owed something, and their code."""
    ana = cast.person("ana")
    owe(ana, micros)
    _, code = erasures.ask(person_id=ana.id, now=clock.now())
    cast.set_clock(clock.now() + erasures.CAN_BE_TAKEN_BACK)
    for _ in range(3):
        erasures.advance(now=clock.now())
        post()
    ana.refresh_from_db()
    assert ana.email.endswith("@erased.invalid")
    return ana, code


def claim(code: str, iban: str = IBANS[0]) -> claims.Claimed:
    return claims.claim(code=code, holder="A. Heir", iban=iban, now=clock.now())


def test_a_cent_is_paid_to_whoever_has_the_code_and_the_account_is_forgotten(treasurers):
    tess, tom = treasurers
    ana, code = left(12_345)
    assert owed(ana) == 12_345
    for wrong in (lambda: claim(NOBODY), lambda: claim("")):
        with pytest.raises(NoSuchClaim):
            wrong()
    with pytest.raises(Invalid):
        claim(code, iban="DE00370400440532013000")
    assert not PayoutAccount.objects.exists()
    assert claim(code.lower().replace("-", " ")) == claims.Claimed(cents=1, mask="DE •••• 3000")
    assert payouts.due(month=SEPTEMBER, now=clock.now())[ana.id].cents == 1
    treasury.agree(SEPTEMBER, tess, tom)
    batch = treasury.pay(SEPTEMBER, tess, tom)
    assert b"DE89370400440532013000" in payouts.bank_file(batch_id=batch.id, staff_id=tess.id)
    assert claims.tidy(now=clock.now()) == 0
    bank.take_in(content=treasury.booked(Payout.objects.get()), staff_id=tess.id, now=clock.now())
    assert claims.tidy(now=clock.now()) == 1
    kept = PayoutAccount.objects.get()
    assert (kept.holder, kept.sealed, kept.mask, owed(ana)) == ("", "v1.", "", 2_345)
    with pytest.raises(FileForgotten):
        payouts.bank_file(batch_id=batch.id, staff_id=tess.id)
    assert claims.tidy(now=clock.now()) == 0
    with pytest.raises(NothingOwed):
        claim(code)
    # What a share earns later is claimed with the same code.
    owe(ana, 500_000, month=OCTOBER)
    assert claim(code).cents == 50


def test_a_code_claims_nothing_before_its_person_is_gone(treasurers):
    ana = treasury.payee("ana", 5_000_000)
    _, code = erasures.ask(person_id=ana.id, now=clock.now())
    with pytest.raises(NoSuchClaim):
        claim(code, iban=IBANS[1])
    erasures.take_back(person_id=ana.id, now=clock.now())
    with pytest.raises(NoSuchClaim):
        claim(code, iban=IBANS[1])
    assert payout_accounts.of_person(ana.id).holder == "Ana"


def test_what_nobody_claims_lapses_three_years_after_its_year(treasurers):
    """Of September 2026 and of October, both lapse when 2029 has ended; what came in 2027 a year later."""
    ana, code = left(2_000_000)
    owe(ana, 1_000_000, month=OCTOBER)
    owe(ana, 300_000, month=OCTOBER.replace(year=2027))
    differences = len(reconciliation.check(now=clock.now()))
    cast.set_clock(at("2029-12-31 23:00"))
    assert (claims.tidy(now=clock.now()), owed(ana)) == (0, 3_300_000)
    cast.set_clock(at("2030-01-01 00:30"))
    assert (claims.tidy(now=clock.now()), owed(ana)) == (1, 300_000)
    assert ledger.balance(accounts.DISPUTES) == -3_000_000
    assert (claims.tidy(now=clock.now()), claim(code).cents) == (0, 30)
    cast.set_clock(at("2031-01-01 00:30"))
    assert (claims.tidy(now=clock.now()), owed(ana)) == (2, 0)
    assert len(reconciliation.check(now=clock.now())) == differences


def test_who_stays_loses_nothing(treasurers):
    ana = treasury.payee("ana", 2_000_000)
    cast.set_clock(at("2031-01-01 00:30"))
    assert (claims.tidy(now=clock.now()), owed(ana)) == (0, 2_000_000)


def test_the_page_takes_a_code_and_sends_nothing_back(treasurers):
    ana, code = left(700_000)
    client = Client()
    assert client.get("/claim").status_code == 200
    typed = {"code": NOBODY, "holder": "A. Heir", "iban": IBANS[0]}
    refused = client.post("/claim", typed)
    assert (refused.status_code, PayoutAccount.objects.count()) == (404, 0)
    assert NOBODY not in refused.content.decode()
    assert IBANS[0] not in refused.content.decode()
    assert client.post("/claim", {"code": code}).status_code == 400
    taken = client.post("/claim", typed | {"code": code})
    assert (taken.status_code, payout_accounts.of_person(ana.id).holder) == (200, "A. Heir")
    assert "€0.70 go to DE •••• 3000" in taken.content.decode()
    answers = [client.post("/claim", typed).status_code for _ in range(20)]
    assert answers[:17] == [404] * 17
    assert answers[-1] == 429


def test_who_owes_nothing_to_anybody_leaves_within_the_hour(treasurers):
    lars = cast.person("lars")
    go(lars)
    lars.refresh_from_db()
    assert (lars.is_active, lars.name) == (False, "Somebody who left")
