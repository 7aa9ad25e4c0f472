"""Payouts: who gets what and when, two people, the bank's answers, and every micro that comes back."""

import re
import threading
from contextlib import suppress
from datetime import timedelta

import pytest
from defusedxml.ElementTree import fromstring
from django.db import connection, connections, transaction
from django.db.utils import DatabaseError, IntegrityError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from members import clock, ibans, money, sepa
from members.models import Notice
from members.problems import Invalid, NotAllowed, NotFound, Problem
from royalties import accounts, bank, ledger, payout_accounts, payouts, settling
from royalties.ledger_models import Transfer
from royalties.payout_models import Payout, PayoutAccount, PayoutBatch
from royalties.payouts import BatchStands, BooksOpen, NothingDue
from tests import cast
from tests.royalties import treasury
from tests.royalties.treasury import OCTOBER, SEPTEMBER, agree, owed, pay, payee, seal

AT = {"": sepa.NAMESPACE}


@pytest.fixture
def treasurers(db):
    """Give two treasurers on the fourth of October, when September is sealed."""
    seal(SEPTEMBER)
    return cast.treasurer("tess"), cast.treasurer("tom")


def take(content, by):
    return bank.take_in(content=content, staff_id=by.id, now=clock.now())


def due(person, month=SEPTEMBER):
    return payouts.due(month=month, now=clock.now())[person.id]


def balances():
    return {code: ledger.balance(code) for code in (accounts.BANK, accounts.PAYOUTS)}


# The example of the contract.


def test_12_345678_pays_12_34_and_carries_0_005678_and_comes_back_whole(treasurers):
    tess, tom = treasurers
    ana = payee("ana", 12_345_678)
    found = due(ana)
    assert (found.cents, found.carried_micros, found.why_not) == (1_234, 5_678, "")
    agree(SEPTEMBER, tess, tom)
    batch = pay(SEPTEMBER, tess, tom)
    assert owed(ana) == 5_678
    assert balances() == {accounts.BANK: 0, accounts.PAYOUTS: 12_340_000}
    paid = Payout.objects.get()
    assert take(treasury.booked(paid), tess).booked == 1
    assert balances() == {accounts.BANK: -12_340_000, accounts.PAYOUTS: 0}
    assert owed(ana) == 5_678
    assert take(treasury.returned(paid), tess).came_back == 1
    assert owed(ana) == 12_345_678
    assert balances() == {accounts.BANK: 0, accounts.PAYOUTS: 0}
    paid.refresh_from_db()
    assert (paid.state, paid.reason) == ("returned", "the account is closed.")
    assert (batch.month, batch.total_cents) == (SEPTEMBER, 1_234)


# Who is due what.


@pytest.mark.parametrize(
    ("micros", "cents", "why_not"),
    [
        (10_000_000, 1_000, ""),
        (9_999_999, 0, "below-threshold"),
        (10_009_999, 1_000, ""),
        (5_000, 0, "nothing-owed"),
        (123_456_789_012, 12_345_678, ""),
    ],
)
def test_it_pays_whole_cents_from_10_00(treasurers, micros, cents, why_not):
    found = due(payee("ana", micros))
    assert (found.cents, found.why_not, found.carried_micros) == (cents, why_not, micros - cents * 10_000)


def test_with_december_it_pays_from_2_00(db):
    december = SEPTEMBER.replace(month=12)
    seal(december)
    ana, ben = payee("ana", 2_000_000), payee("ben", 1_999_999)
    assert due(ana, december).cents == 200
    assert due(ben, december).why_not == "below-threshold"


def test_a_vote_changes_from_how_much_on(treasurers):
    ana = payee("ana", 6_000_000)
    effective = cast.vote("payouts", least_cents=500)
    assert due(ana).why_not == "below-threshold"
    assert payouts.due(month=SEPTEMBER, now=effective)[ana.id].cents == 600


def test_without_an_account_it_stays_owed(treasurers):
    ana = cast.person("ana")
    treasury.owe(ana, 20_000_000)
    assert due(ana).why_not == "no-account"
    with pytest.raises(NothingDue):
        payouts.prepare(month=SEPTEMBER, staff_id=treasurers[0].id, now=clock.now())
    payout_accounts.enter(person_id=ana.id, holder="Ana", iban=treasury.IBANS[0], now=clock.now())
    assert due(ana).cents == 2_000
    payout_accounts.remove(person_id=ana.id, now=clock.now())
    assert due(ana).why_not == "no-account"


def test_only_the_last_sealed_month_is_paid(treasurers):
    tess, _ = treasurers
    payee("ana", 20_000_000)
    with pytest.raises(BooksOpen):
        payouts.prepare(month=OCTOBER, staff_id=tess.id, now=clock.now())
    seal(OCTOBER)
    with pytest.raises(BooksOpen):
        payouts.prepare(month=SEPTEMBER, staff_id=tess.id, now=clock.now())
    assert payouts.prepare(month=OCTOBER, staff_id=tess.id, now=clock.now()).total_cents == 2_000


# Accounts.


@pytest.mark.parametrize(
    "wrong",
    ["", "DE89370400440532013001", "DE44500105175407324931", "XX00", "BR1800360305000010009795493C1", "x" * 5_000],
)
def test_an_account_that_no_transfer_reaches_is_refused_and_never_repeated(db, wrong):
    ana = cast.person("ana")
    with pytest.raises(Invalid) as refused:
        payout_accounts.enter(person_id=ana.id, holder="Ana", iban=wrong, now=clock.now())
    assert not wrong or wrong not in str(refused.value)
    assert payout_accounts.of_person(ana.id) is None


def test_an_account_is_sealed_for_its_owner_and_shown_by_its_end(db):
    ana, ben = cast.person("ana"), cast.person("ben")
    made = payout_accounts.enter(
        person_id=ana.id, holder=" Ana  Arnold ", iban="de89 3704 0044 0532 0130 00", now=clock.now()
    )
    assert (made.holder, made.mask) == ("Ana Arnold", "DE •••• 3000")
    assert ibans.unseal(made.sealed, owner_id=ana.id) == "DE89370400440532013000"
    with pytest.raises(ibans.CannotOpen):
        ibans.unseal(made.sealed, owner_id=ben.id)
    with pytest.raises(ibans.CannotOpen):
        ibans.unseal(made.sealed[:-8] + "AAAAAAA=", owner_id=ana.id)
    again = payout_accounts.enter(person_id=ana.id, holder="Ana", iban="DE89370400440532013000", now=clock.now())
    assert again.sealed != made.sealed
    assert [one.id for one in PayoutAccount.objects.filter(person=ana, ended_at=None)] == [again.id]
    letter = Notice.objects.filter(person=ana).latest("created_at")
    assert "DE •••• 3000" in letter.body
    assert "0440532" not in letter.body + letter.html


@pytest.mark.parametrize("change", [{"sealed": "v1.x"}, {"mask": "x"}, {"holder": "x"}])
def test_the_database_refuses_to_change_an_account(db, change):
    payee("ana")
    with pytest.raises(DatabaseError), transaction.atomic():
        PayoutAccount.objects.update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        PayoutAccount.objects.create(
            person=cast.person("ben"), holder="Ben", sealed="DE89370400440532013000", mask="x", entered_at=clock.now()
        )


# Two people.


def test_nobody_releases_what_they_prepared(treasurers):
    tess, tom = treasurers
    ana = payee("ana", 20_000_000)
    agree(SEPTEMBER, tess, tom)
    batch = payouts.prepare(month=SEPTEMBER, staff_id=tess.id, now=clock.now())
    with pytest.raises(NotAllowed):
        payouts.release(batch_id=batch.id, plan_sha256=batch.plan_sha256, staff_id=tess.id, now=clock.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        PayoutBatch.objects.update(state="released", released_by=tess, released_at=clock.now())
    assert owed(ana) == 20_000_000
    assert PayoutBatch.objects.get().state == "prepared"


@pytest.mark.parametrize("staff", [(), ("director",), ("secretary",), ("catalogue",)])
def test_only_treasurers_touch_payouts(treasurers, staff):
    tess, tom = treasurers
    payee("ana", 20_000_000)
    agree(SEPTEMBER, tess, tom)
    batch = payouts.prepare(month=SEPTEMBER, staff_id=tess.id, now=clock.now())
    who = cast.person("who", staff=staff)
    for tried in (
        lambda: payouts.prepare(month=SEPTEMBER, staff_id=who.id, now=clock.now()),
        lambda: payouts.release(batch_id=batch.id, plan_sha256=batch.plan_sha256, staff_id=who.id, now=clock.now()),
        lambda: payouts.drop(batch_id=batch.id, staff_id=who.id),
        lambda: payouts.bank_file(batch_id=batch.id, staff_id=who.id),
        lambda: take(b"", who),
    ):
        with pytest.raises(NotAllowed):
            tried()
    assert PayoutBatch.objects.get().state == "prepared"


def test_a_month_whose_books_do_not_agree_with_the_bank_is_not_released(treasurers):
    tess, tom = treasurers
    ana = payee("ana", 20_000_000)
    batch = payouts.prepare(month=SEPTEMBER, staff_id=tess.id, now=clock.now())
    with pytest.raises(BooksOpen):
        payouts.release(batch_id=batch.id, plan_sha256=batch.plan_sha256, staff_id=tom.id, now=clock.now())
    assert owed(ana) == 20_000_000
    with pytest.raises(NotFound):
        payouts.bank_file(batch_id=batch.id, staff_id=tom.id)


def test_one_batch_at_a_time_dropped_ones_keep_their_number(treasurers):
    tess, tom = treasurers
    payee("ana", 20_000_000)
    agree(SEPTEMBER, tess, tom)
    first = payouts.prepare(month=SEPTEMBER, staff_id=tess.id, now=clock.now())
    with pytest.raises(BatchStands):
        payouts.prepare(month=SEPTEMBER, staff_id=tom.id, now=clock.now())
    payouts.drop(batch_id=first.id, staff_id=tom.id)
    with pytest.raises(BatchStands):
        payouts.release(batch_id=first.id, plan_sha256=first.plan_sha256, staff_id=tom.id, now=clock.now())
    second = pay(SEPTEMBER, tess, tom)
    assert (first.message_id, second.message_id) == ("RFR-202609-01", "RFR-202609-02")
    with pytest.raises(BatchStands):
        payouts.drop(batch_id=second.id, staff_id=tom.id)
    assert [one.state for one in Payout.objects.order_by("batch__sequence")] == ["dropped", "in-transit"]


def test_who_releases_pays_what_they_looked_at(treasurers):
    tess, tom = treasurers
    payee("ana", 20_000_000, iban=treasury.IBANS[0])
    agree(SEPTEMBER, tess, tom)
    batch = payouts.prepare(month=SEPTEMBER, staff_id=tess.id, now=clock.now())
    with pytest.raises(BatchStands):
        payouts.release(batch_id=batch.id, plan_sha256="0" * 64, staff_id=tom.id, now=clock.now())
    # An account entered after the batch was prepared is not the one that was looked at.
    ana = Payout.objects.get().person
    payout_accounts.enter(person_id=ana.id, holder="Mallory", iban=treasury.IBANS[3], now=clock.now())
    done = payouts.release(batch_id=batch.id, plan_sha256=batch.plan_sha256, staff_id=tom.id, now=clock.now())
    assert treasury.IBANS[3].encode() not in payouts.bank_file(batch_id=done.id, staff_id=tom.id)


def test_released_again_it_is_the_same_and_pays_once(treasurers):
    tess, tom = treasurers
    ana = payee("ana", 20_000_000)
    agree(SEPTEMBER, tess, tom)
    batch = pay(SEPTEMBER, tess, tom)
    again = payouts.release(batch_id=batch.id, plan_sha256=batch.plan_sha256, staff_id=tom.id, now=clock.now())
    assert again.released_at == batch.released_at
    assert owed(ana) == 0
    assert Transfer.objects.filter(kind="payout").count() == 1
    with pytest.raises(NothingDue):
        payouts.prepare(month=SEPTEMBER, staff_id=tess.id, now=clock.now())


# The file.


def test_the_file_is_what_its_schema_says_without_addresses_and_the_same_each_time(treasurers):
    tess, tom = treasurers
    people = [payee(name, (number + 10) * 1_000_000 + 1) for number, name in enumerate(["ana", "ben", "cleo"])]
    agree(SEPTEMBER, tess, tom)
    batch = pay(SEPTEMBER, tess, tom)
    content = payouts.bank_file(batch_id=batch.id, staff_id=tess.id)
    cast.set_clock(clock.now() + timedelta(days=30))
    assert payouts.bank_file(batch_id=batch.id, staff_id=tom.id) == content
    sepa.schema().validate(content.decode())
    document = fromstring(content)
    assert document.tag == "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}Document"
    assert not [one.tag for one in document.iter() if one.tag.endswith(("PstlAdr", "AdrLine"))]
    assert document.findtext(".//GrpHdr/MsgId", namespaces=AT) == "RFR-202609-01"
    assert document.findtext(".//GrpHdr/CtrlSum", namespaces=AT) == "33.00"
    assert document.findtext(".//GrpHdr/NbOfTxs", namespaces=AT) == "3"
    assert document.findtext(".//PmtInf/ReqdExctnDt/Dt", namespaces=AT) == "2026-10-05"
    assert document.findtext(".//DbtrAcct/Id/IBAN", namespaces=AT) == "DE02120300000000202051"
    found = {
        (one.findtext("Cdtr/Nm", namespaces=AT), one.findtext("CdtrAcct/Id/IBAN", namespaces=AT)): one.findtext(
            "Amt/InstdAmt", namespaces=AT
        )
        for one in document.iterfind(".//CdtTrfTxInf", AT)
    }
    assert found == {
        (one.name, ibans.unseal(payout_accounts.of_person(one.id).sealed, owner_id=one.id)): f"{number + 10}.00"
        for number, one in enumerate(people)
    }
    ids = [one.text for one in document.iterfind(".//EndToEndId", AT)]
    assert sorted(ids) == sorted(settling.end_to_end(payee_id=one.id, month=SEPTEMBER, sequence=1) for one in people)
    assert all(len(one) <= 35 for one in ids)


def test_names_are_written_in_letters_that_banks_take(treasurers):
    tess, tom = treasurers
    ana = payee("ana", 20_000_000)
    payout_accounts.enter(
        person_id=ana.id, holder="Søren Ñandú & <b>Zoë</b> \U0001f3b5 株", iban=treasury.IBANS[0], now=clock.now()
    )
    agree(SEPTEMBER, tess, tom)
    content = payouts.bank_file(batch_id=pay(SEPTEMBER, tess, tom).id, staff_id=tess.id)
    name = fromstring(content).findtext(".//Cdtr/Nm", namespaces=AT)
    assert re.fullmatch(r"[A-Za-z0-9/?:().,'+ -]+", name)
    assert name.startswith("Soren Nandu")


# The bank's answers.


@pytest.fixture
def on_the_way(treasurers):
    """Give three payouts that were released, and their batch."""
    tess, tom = treasurers
    for name in ("ana", "ben", "cleo"):
        payee(name, 20_000_001)
    agree(SEPTEMBER, tess, tom)
    batch = pay(SEPTEMBER, tess, tom)
    return batch, list(batch.payouts.order_by("end_to_end"))


def states():
    return [one.state for one in Payout.objects.order_by("end_to_end")]


def test_the_same_file_and_the_same_line_in_another_book_once(treasurers, on_the_way):
    tess, tom = treasurers
    _, found = on_the_way
    content = treasury.booked(*found, reference="L-1")
    assert take(content, tess).booked == 3
    assert take(content, tom).booked == 0
    assert take(treasury.booked(*found, reference="L-1"), tom).new_lines == 0
    assert take(treasury.booked(*found, reference="L-2"), tom).booked == 0
    assert states() == ["booked"] * 3
    assert balances() == {accounts.BANK: -60_000_000, accounts.PAYOUTS: 0}


def test_a_sum_with_the_file_s_name_alone_books_all_of_it(treasurers, on_the_way):
    batch, _ = on_the_way
    details = f"<Btch><PmtInfId>{batch.message_id}</PmtInfId><NbOfTxs>3</NbOfTxs></Btch>"
    assert take(treasury.statement(treasury.entry(-6_000, details=details)), treasurers[0]).booked == 3
    assert states() == ["booked"] * 3


@pytest.mark.parametrize("cents", [-5_999, -6_001, 6_000])
def test_a_sum_that_is_not_the_file_s_books_nothing_and_waits_for_people(treasurers, on_the_way, cents):
    batch, _ = on_the_way
    details = f"<Btch><PmtInfId>{batch.message_id}</PmtInfId></Btch>"
    done = take(treasury.statement(treasury.entry(cents, details=details)), treasurers[0])
    assert (done.booked, done.came_back, done.unexplained) == (0, 0, 1)
    assert states() == ["in-transit"] * 3


def test_another_sum_than_the_payout_s_is_not_believed(treasurers, on_the_way):
    _, found = on_the_way
    wrong = treasury.statement(treasury.entry(-1_999, details=treasury.one(found[0], cents=1_999)))
    assert take(wrong, treasurers[0]).booked == 0
    assert states() == ["in-transit"] * 3


def test_a_status_report_refuses_one_and_it_is_owed_again(treasurers, on_the_way):
    batch, found = on_the_way
    content = treasury.status(batch, refused=(found[1],))
    assert take(content, treasurers[0]).came_back == 1
    assert take(content, treasurers[0]).came_back == 0
    assert states() == ["in-transit", "rejected", "in-transit"]
    assert owed(found[1].person) == 20_000_001
    assert balances()[accounts.PAYOUTS] == 40_000_000
    assert "there is no such account" in Notice.objects.filter(person=found[1].person).latest("created_at").body
    # What is paid later of it is nobody's payout any more, and waits for people.
    assert take(treasury.booked(found[1]), treasurers[0]).booked == 0


def test_a_status_report_refuses_a_whole_file(treasurers, on_the_way):
    batch, found = on_the_way
    assert take(treasury.status(batch, group="RJCT", reason="FF01"), treasurers[0]).came_back == 3
    assert {owed(one.person) for one in found} == {20_000_001}
    assert balances() == {accounts.BANK: 0, accounts.PAYOUTS: 0}


@pytest.mark.parametrize("group", ["ACCP", "ACSP", "ACSC", "PDNG", "PART"])
def test_a_status_report_that_refuses_nothing_moves_nothing(treasurers, on_the_way, group):
    batch, _ = on_the_way
    assert take(treasury.status(batch, group=group), treasurers[0]).came_back == 0
    assert states() == ["in-transit"] * 3


def test_a_return_may_come_before_the_booking_is_told(treasurers, on_the_way):
    _, found = on_the_way
    assert take(treasury.returned(found[0]), treasurers[0]).came_back == 1
    assert take(treasury.booked(found[0]), treasurers[0]).booked == 0
    assert balances() == {accounts.BANK: 0, accounts.PAYOUTS: 40_000_000}
    assert owed(found[0].person) == 20_000_001
    assert bank.unexplained().count() == 0


def test_what_came_back_is_paid_with_the_next_batch_under_another_name(treasurers, on_the_way):
    tess, tom = treasurers
    _, found = on_the_way
    take(treasury.booked(*found), tess)
    take(treasury.returned(found[0]), tess)
    assert [payouts.due(month=SEPTEMBER, now=clock.now())[one.person_id].cents for one in found] == [2_000, 0, 0]
    again = pay(SEPTEMBER, tess, tom)
    second = again.payouts.get()
    assert (second.person_id, second.cents) == (found[0].person_id, 2_000)
    assert second.end_to_end != found[0].end_to_end
    assert owed(found[0].person) == 1


def test_a_line_of_a_locked_month_counts_in_the_open_one(treasurers, on_the_way):
    _, found = on_the_way
    take(treasury.booked(*found, day="2026-09-30"), treasurers[0])
    assert set(Transfer.objects.filter(kind="payout-booked").values_list("month", flat=True)) == {OCTOBER}


def test_after_a_restore_what_the_bank_has_is_booked_and_not_sent_again(treasurers):
    tess, tom = treasurers
    ana, ben = payee("ana", 20_000_000), payee("ben", 30_000_000)
    agree(SEPTEMBER, tess, tom)
    # The bank's line is there before the payout is: a batch was paid, and the backup is older.
    name = settling.end_to_end(payee_id=ana.id, month=SEPTEMBER, sequence=1)
    lost = treasury.one(Payout(end_to_end=name, cents=2_000))
    take(treasury.statement(treasury.entry(-2_000, details=lost)), tess)
    assert bank.unexplained().count() == 1
    batch = pay(SEPTEMBER, tess, tom)
    content = payouts.bank_file(batch_id=batch.id, staff_id=tess.id).decode()
    assert name not in content
    assert settling.end_to_end(payee_id=ben.id, month=SEPTEMBER, sequence=1) in content
    assert Payout.objects.get(person=ana).state == "booked"
    assert Payout.objects.get(person=ben).state == "in-transit"
    assert bank.unexplained().count() == 0
    assert balances() == {accounts.BANK: -20_000_000, accounts.PAYOUTS: 30_000_000}


# What the database refuses whoever asks.


@pytest.mark.parametrize(
    "change",
    [{"cents": 1}, {"end_to_end": "x"}, {"state": "prepared"}, {"state": "dropped"}, {"bank_has_it": True}],
)
def test_the_database_refuses_to_change_a_payout(on_the_way, change):
    with pytest.raises(DatabaseError), transaction.atomic():
        Payout.objects.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        PayoutBatch.objects.update(total_cents=1)
    for model in (Payout, PayoutBatch, PayoutAccount):
        with connection.cursor() as cursor, pytest.raises(DatabaseError), transaction.atomic():
            cursor.execute(f"DELETE FROM {model._meta.db_table}")  # noqa: S608


# Whatever happens, to the micro.


FATES = {
    "booked": lambda _, one: [treasury.booked(one)],
    "returned": lambda _, one: [treasury.booked(one), treasury.returned(one)],
    "refused": lambda batch, one: [treasury.status(batch, refused=(one,))],
    "silent": lambda _, __: [],
    "twice": lambda _, one: [*[treasury.booked(one)] * 2, treasury.returned(one), treasury.returned(one)],
}


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 40_000_000), st.sampled_from(sorted(FATES))), min_size=3, max_size=3),
        min_size=1,
        max_size=3,
    )
)
def test_whatever_the_bank_does_every_micro_is_owed_paid_or_on_its_way(treasurers, rounds):
    tess, tom = treasurers
    people = [payee("ana") for _ in range(3)]
    if not ledger.is_locked(SEPTEMBER):
        agree(SEPTEMBER, tess, tom)
    for turn in rounds:
        for person, (micros, _) in zip(people, turn, strict=True):
            if micros:
                treasury.owe(person, micros, month=OCTOBER)
        with suppress(NothingDue):
            batch = pay(SEPTEMBER, tess, tom)
            for one in batch.payouts.filter(person__in=people):
                for content in FATES[turn[people.index(one.person)][1]](batch, one):
                    take(content, tess)
    for number, person in enumerate(people):
        rows = Payout.objects.filter(person=person)
        gone = sum(one.cents for one in rows.filter(state__in=["in-transit", "booked"]))
        assert owed(person) + money.from_cents(gone) == sum(turn[number][0] for turn in rounds)
        assert owed(person) >= 0
        assert all(one.cents >= 1_000 for one in rows)
    on_their_way = Payout.objects.filter(state="in-transit")
    assert ledger.balance(accounts.PAYOUTS) == money.from_cents(sum(one.cents for one in on_their_way))


# Two at once.


def _race(*acts):
    met, start = [], threading.Barrier(len(acts))

    def run(act):
        start.wait()
        try:
            act()
            met.append("done")
        except Problem as problem:
            met.append(problem.slug)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(met)


def test_two_treasurers_racing_prepare_and_release_once(committed):
    seal(SEPTEMBER)
    tess, tom, tim = (cast.treasurer(name) for name in ("tess", "tom", "tim"))
    ana = payee("ana", 20_000_000)
    agree(SEPTEMBER, tess, tom)
    now = clock.now()
    met = _race(*(lambda who=who: payouts.prepare(month=SEPTEMBER, staff_id=who.id, now=now) for who in (tess, tom)))
    assert met == ["batch-stands", "done"]
    batch = PayoutBatch.objects.get()
    others = [who for who in (tess, tom, tim) if who.id != batch.prepared_by_id]
    met = _race(
        *(
            lambda who=who: payouts.release(batch_id=batch.id, plan_sha256=batch.plan_sha256, staff_id=who.id, now=now)
            for who in others
        )
    )
    assert met == ["batch-stands", "done"]
    assert owed(ana) == 0
    assert Transfer.objects.filter(kind="payout").count() == 1
    content = treasury.booked(Payout.objects.get())
    assert _race(*(lambda who=who: take(content, who) for who in (tess, tom))) == ["done", "done"]
    assert ledger.balance(accounts.BANK) == -20_000_000
