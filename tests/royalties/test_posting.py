"""Posting: each kind of row as a bookkeeper enters it, exactly once, whenever it is found."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from catalog.models import Work
from members import clock, months
from members.models import Person
from playback import chargebacks, refunds, reversals, topups, transfers
from playback.cashout_models import Refund
from playback.dues import WalletDues
from playback.models import Charge, TopUp
from royalties import accounts, ledger, posting, reconciliation
from royalties.ledger_models import Posting, PostingMark, Transfer
from tests import cast
from tests.playback.till import Till, send, take, tell

pytestmark = pytest.mark.django_db

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
NOON = datetime(2026, 10, 20, 10, 0, tzinfo=UTC)
EURO = 1_000_000
IBAN = "DE89 3704 0044 0532 0130 00"


def post() -> int:
    return posting.post(now=clock.now())


def booked(of: Iterable[Transfer] | None = None) -> list[tuple[str, str, str, int]]:
    """Return kind, debit, credit and micros of entries, in their order."""
    of = Transfer.objects.order_by("id") if of is None else of
    return [(one.kind, one.debit_id, one.credit_id, one.amount_micros) for one in of]


def reconciled() -> None:
    assert reconciliation.check(now=clock.now()) == []


@dataclass
class Stage:
    """Lena with 12.10 paid at 21 %, of which 10.00 are credit; Ana's track at the founding price; a provider."""

    lena: Person
    work: Work
    top_up: TopUp
    till: Till

    def told(self, kind: str) -> None:
        """Let the provider tell of a chargeback of the top-up."""
        said = {
            "id": "dispute-1",
            "reference": str(self.top_up.id),
            "checkout": self.top_up.checkout_id,
            "amount_cents": self.top_up.gross_cents,
            "currency": "EUR",
        }
        event = {"id": f"dispute-event-{kind}", "type": kind, "created": 0, "chargeback": said}
        chargebacks.take_in(event=event, now=clock.now())

    def spend(self, micros: int) -> None:
        """Buy a work of that price."""
        work = cast.track(cast.creator(cast.person("ben")), price_micros=micros)
        cast.buy(self.lena, work, price_micros=micros)

    def by_transfer(self) -> Refund:
        """Cash out 4.00, which the provider will not take back, and pay it by hand."""
        self.till.says = lambda _: "too-old"
        take(self.lena, 400)
        send()
        refund = Refund.objects.get()
        entry = transfers.enter(
            refund_id=refund.id, staff_id=cast.treasurer("tess").id, holder="Lena", iban=IBAN, now=clock.now()
        )
        transfers.release(refund_id=refund.id, transfer_id=entry.id, staff_id=cast.treasurer("tom").id, now=clock.now())
        return refund


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Set the scene on an October day, posted."""
    cast.set_clock(NOON)
    provider = Till()
    monkeypatch.setattr(topups, "gateway", lambda: provider)
    lena = cast.person("lena")
    found = Stage(
        lena=lena,
        work=cast.track(cast.creator(cast.person("ana"))),
        top_up=cast.top_up(lena, 1_210, vat_ppm=210_000),
        till=provider,
    )
    post()
    return found


# What a bookkeeper enters for each kind of row. Each story is told after the top-up was posted.


def a_play(stage: Stage) -> None:
    cast.play(stage.lena, stage.work)


def a_purchase(stage: Stage) -> None:
    stage.spend(3 * EURO)


def a_play_given_back(stage: Stage) -> None:
    cast.play(stage.lena, stage.work)
    post()
    cast.give_back(cast.last_charge(stage.lena))


def a_play_given_back_after_its_month(stage: Stage) -> None:
    cast.play(stage.lena, stage.work)
    post()
    cast.set_clock(clock.start_of(NOVEMBER) + timedelta(days=2))
    months.close(month=OCTOBER)
    cast.give_back(cast.last_charge(stage.lena))


def a_play_given_back_before_its_month_closed(stage: Stage) -> None:
    cast.play(stage.lena, stage.work)
    post()
    cast.set_clock(clock.start_of(NOVEMBER) + timedelta(days=1))
    cast.give_back(cast.last_charge(stage.lena))


def a_budget(stage: Stage) -> None:
    reversals.fund_budget(amount_micros=50 * EURO)


def a_budget_cut(stage: Stage) -> None:
    reversals.fund_budget(amount_micros=50 * EURO)
    post()
    reversals.fund_budget(amount_micros=-20 * EURO)


def a_gift(stage: Stage) -> None:
    reversals.fund_budget(amount_micros=50 * EURO)
    post()
    reversals.grant(
        listener_id=stage.lena.id, staff_id=cast.treasurer().id, amount_micros=2_500, reason="Welcome.", key="gift"
    )


def a_play_half_given(stage: Stage) -> None:
    """Play for 0.002, of which 0.0015 are promo."""
    cast.promo(stage.lena, 1_500)
    post()
    cast.play(stage.lena, stage.work)


def a_play_half_given_taken_back(stage: Stage) -> None:
    a_play_half_given(stage)
    post()
    cast.give_back(cast.last_charge(stage.lena))


def a_play_half_given_taken_back_late(stage: Stage) -> None:
    a_play_half_given(stage)
    post()
    cast.set_clock(clock.start_of(NOVEMBER) + timedelta(days=2))
    months.close(month=OCTOBER)
    cast.give_back(cast.last_charge(stage.lena))


def a_cash_out(stage: Stage) -> None:
    take(stage.lena, 400)


def a_member_s_dues(stage: Stage) -> None:
    WalletDues().pay(person_id=stage.lena.id, amount_micros=4 * EURO, reference=uuid4())


def a_refund(stage: Stage) -> None:
    take(stage.lena, 400)
    post()
    send()


def a_refund_that_failed(stage: Stage) -> None:
    stage.till.says = lambda _: "refused"
    take(stage.lena, 400)
    post()
    send()


def a_refund_that_came_back(stage: Stage) -> None:
    a_refund(stage)
    post()
    tell(stage.till.tells(Refund.objects.get(), "refund.failed"))


def a_refund_by_transfer(stage: Stage) -> None:
    stage.by_transfer()


def a_transfer_that_came_back(stage: Stage) -> None:
    refund = stage.by_transfer()
    post()
    refunds.give_back(refunds.lock(refund.id), reason="The account was closed.")


def a_chargeback(stage: Stage) -> None:
    """Of 10.00 credit 3.00 are spent: the wallet bears 7.00, the co-op 5.10 with the VAT."""
    stage.spend(3 * EURO)
    post()
    stage.told(chargebacks.OPENED)


def a_chargeback_won(stage: Stage) -> None:
    a_chargeback(stage)
    post()
    stage.told(chargebacks.WON)


WORKED: dict[Callable[[Stage], None], list[tuple[str, str, str, int]]] = {
    a_play: [("play", accounts.WALLETS, accounts.PLAYS, 2_000)],
    a_purchase: [("purchase", accounts.WALLETS, accounts.PLAYS, 3_000_000)],
    a_play_given_back: [("reversal", accounts.PLAYS, accounts.WALLETS, 2_000)],
    a_play_given_back_before_its_month_closed: [("reversal", accounts.PLAYS, accounts.WALLETS, 2_000)],
    a_play_given_back_after_its_month: [("refund-borne", accounts.REFUNDS_BORNE, accounts.WALLETS, 2_000)],
    a_budget: [("promo-raised", accounts.PROMO_COMMITTED, accounts.PROMO_BUDGET, 50_000_000)],
    a_budget_cut: [("promo-lowered", accounts.PROMO_BUDGET, accounts.PROMO_COMMITTED, 20_000_000)],
    a_gift: [("promo-grant", accounts.PROMO_BUDGET, accounts.PROMO_WALLETS, 2_500)],
    a_play_half_given: [
        ("play", accounts.WALLETS, accounts.PLAYS, 500),
        ("play", accounts.PROMO_WALLETS, accounts.PLAYS, 1_500),
        ("play", accounts.PROMOTION, accounts.PROMO_COMMITTED, 1_500),
    ],
    a_play_half_given_taken_back: [
        ("reversal", accounts.PLAYS, accounts.WALLETS, 500),
        ("reversal", accounts.PLAYS, accounts.PROMO_WALLETS, 1_500),
        ("reversal", accounts.PROMO_COMMITTED, accounts.PROMOTION, 1_500),
    ],
    a_play_half_given_taken_back_late: [
        ("refund-borne", accounts.REFUNDS_BORNE, accounts.WALLETS, 500),
        ("refund-borne", accounts.REFUNDS_BORNE, accounts.PROMO_WALLETS, 1_500),
        ("refund-borne", accounts.PROMO_COMMITTED, accounts.PROMOTION, 1_500),
    ],
    a_cash_out: [("cash-out", accounts.WALLETS, accounts.CASH_OUTS, 4_000_000)],
    a_member_s_dues: [("dues", accounts.WALLETS, accounts.DUES, 4_000_000)],
    a_refund: [
        ("refund", accounts.CASH_OUTS, accounts.PROVIDER, 4_000_000),
        ("refund", accounts.VAT, accounts.PROVIDER, 840_000),
    ],
    a_refund_that_failed: [("refund-failed", accounts.CASH_OUTS, accounts.WALLETS, 4_000_000)],
    a_refund_that_came_back: [
        ("refund-came-back", accounts.PROVIDER, accounts.WALLETS, 4_000_000),
        ("refund-came-back", accounts.PROVIDER, accounts.VAT, 840_000),
    ],
    a_refund_by_transfer: [
        ("cash-out", accounts.WALLETS, accounts.CASH_OUTS, 4_000_000),
        ("refund-by-transfer", accounts.CASH_OUTS, accounts.BANK, 4_000_000),
        ("refund-by-transfer", accounts.VAT, accounts.BANK, 840_000),
    ],
    a_transfer_that_came_back: [
        ("transfer-came-back", accounts.BANK, accounts.WALLETS, 4_000_000),
        ("transfer-came-back", accounts.BANK, accounts.VAT, 840_000),
    ],
    a_chargeback: [
        ("chargeback", accounts.WALLETS, accounts.PROVIDER, 7_000_000),
        ("chargeback", accounts.DISPUTES, accounts.PROVIDER, 5_100_000),
    ],
    a_chargeback_won: [
        ("chargeback-won", accounts.PROVIDER, accounts.WALLETS, 7_000_000),
        ("chargeback-won", accounts.PROVIDER, accounts.DISPUTES, 5_100_000),
    ],
}


def test_a_top_up_is_credit_and_tax_that_the_provider_owes_us(stage: Stage) -> None:
    assert booked() == [
        ("top-up", accounts.PROVIDER, accounts.WALLETS, 10_000_000),
        ("top-up", accounts.PROVIDER, accounts.VAT, 2_100_000),
    ]
    reconciled()


@pytest.mark.parametrize("story", WORKED, ids=lambda story: story.__name__)
def test_what_happened_is_entered_as_a_bookkeeper_would(stage: Stage, story: Callable[[Stage], None]) -> None:
    story(stage)
    reconciled()
    before = Transfer.objects.latest("id").pk
    assert post() == len({entry[0] for entry in WORKED[story]})
    assert booked(Transfer.objects.filter(id__gt=before).order_by("id")) == WORKED[story]
    assert post() == 0
    reconciled()


def test_every_line_of_the_book_is_worked_in_an_example() -> None:
    worked = Counter((*entry[:3],) for entries in WORKED.values() for entry in entries)
    lines = {
        (line.kind, line.debit, line.credit)
        for line in posting.BOOKED
        if line.kind != "top-up" and (line.kind, line.pocket) not in {("purchase", "promo"), ("purchase", "gift")}
    }
    assert worked.keys() == lines


def test_a_late_refund_counts_in_its_own_month_and_a_timely_one_in_its_charges(stage: Stage) -> None:
    cast.play(stage.lena, stage.work)
    cast.play(stage.lena, stage.work)
    cast.set_clock(clock.start_of(NOVEMBER) + timedelta(days=1))
    cast.give_back(cast.last_charge(stage.lena))
    cast.set_clock(clock.start_of(NOVEMBER) + timedelta(days=2))
    months.close(month=OCTOBER)
    post()
    cast.give_back(_first_charge(stage.lena))
    post()
    found = Transfer.objects.filter(kind__in=["reversal", "refund-borne"]).order_by("id")
    assert [(one.kind, one.month) for one in found] == [("reversal", OCTOBER), ("refund-borne", NOVEMBER)]
    assert ledger.balance(accounts.PLAYS) == 2_000
    assert ledger.balance(accounts.REFUNDS_BORNE) == 2_000
    assert ledger.balance(accounts.WALLETS) == 10_000_000
    reconciled()


def _first_charge(of: Person) -> Charge:
    return of.charges.earliest("charged_at")


def test_rows_are_told_apart_by_day_and_by_the_version_of_revenue(stage: Stage) -> None:
    """Two plays on one day, one on the next, and one under the second version of the policy."""
    cast.play(stage.lena, stage.work)
    cast.play(stage.lena, stage.work)
    cast.set_clock(NOON + timedelta(days=1))
    cast.play(stage.lena, stage.work)
    cast.set_clock(cast.vote("revenue", creators_ppm=800_000, coop_ppm=200_000) + timedelta(minutes=1))
    cast.play(stage.lena, stage.work)
    assert post() == 4
    found = Transfer.objects.filter(kind="play").order_by("id")
    assert [(one.reason, one.amount_micros) for one in found] == [
        ("2 plays on 2026-10-20: bought credit, revenue version 1", 6_000),
        ("1 plays on 2026-10-21: bought credit, revenue version 1", 8_000),
        ("1 plays on 2026-10-21: bought credit, revenue version 2", 16_000),
    ]
    assert len({one.group for one in found}) == 1
    reconciled()


def test_a_whole_gift_costs_the_co_op_what_the_creators_get_of_it(stage: Stage) -> None:
    """Of 0.004, all promo, creators get 0.0028, the co-op 0.0012; promotion costs 0.004: the result is -0.0028."""
    cast.play(stage.lena, stage.work)
    post()
    before = ledger.balance(accounts.PLAYS)
    cast.promo(stage.lena, 4_000)
    cast.play(stage.lena, stage.work)
    post()
    creators = 2_800
    income, expense = ledger.balance(accounts.PLAYS) - before, ledger.balance(accounts.PROMOTION)
    assert (income, expense) == (4_000, 4_000)
    assert income - expense - creators == -2_800
    assert ledger.balance(accounts.PROMO_COMMITTED) == 0
    reconciled()


# Once, and never lost.


def test_a_row_is_marked_by_the_posting_that_took_it_and_by_no_other(stage: Stage) -> None:
    first = Posting.objects.get()
    cast.play(stage.lena, stage.work)
    post()
    second = Posting.objects.latest("id")
    assert (first.rows, second.rows) == (1, 1)
    assert dict(PostingMark.objects.values_list("source", "posting_id")) == {"top-up": first.id, "charge": second.id}


def test_nothing_to_post_leaves_no_trace(stage: Stage) -> None:
    before = Posting.objects.count(), Transfer.objects.count(), PostingMark.objects.count()
    assert post() == 0
    assert (Posting.objects.count(), Transfer.objects.count(), PostingMark.objects.count()) == before


def test_what_dies_before_it_is_committed_is_posted_by_the_next(stage: Stage) -> None:
    def post_and_die() -> None:
        with transaction.atomic():
            assert post() == 1
            raise ZeroDivisionError

    cast.play(stage.lena, stage.work)
    with pytest.raises(ZeroDivisionError):
        post_and_die()
    assert not Transfer.objects.filter(kind="play").exists()
    reconciled()
    assert post() == 1
    assert ledger.balance(accounts.PLAYS) == 2_000
    reconciled()


def test_a_mark_stays_as_it_was_written_until_its_month_is_sealed(stage: Stage) -> None:
    for change in (
        "UPDATE royalties_postingmark SET posting_id = 0",
        "DELETE FROM royalties_postingmark",
        "TRUNCATE royalties_postingmark",
    ):
        with pytest.raises((IntegrityError, DatabaseError)), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
    assert posting.forget_marks() == 0
    assert PostingMark.objects.count() == 1


def test_rows_of_a_sealed_month_count_as_posted_without_their_marks(stage: Stage) -> None:
    cast.play(stage.lena, stage.work)
    cast.set_clock(clock.start_of(NOVEMBER) + timedelta(days=1))
    cast.play(stage.lena, stage.work)
    cast.give_back(_first_charge(stage.lena))
    months.close(month=OCTOBER)
    assert post() == 3
    months.seal(month=OCTOBER, now=clock.now())
    reconciled()
    assert posting.forget_marks() == 2
    assert dict(PostingMark.objects.values_list("source", "day")) == {
        "charge": NOVEMBER + timedelta(days=1),
        "reversal": NOVEMBER + timedelta(days=1),
    }
    assert post() == 0
    assert ledger.balance(accounts.PLAYS) == 4_000
    reconciled()


ACTS = st.lists(
    st.sampled_from(["play", "buy", "gift", "back", "out", "refund", "post", "night"]), min_size=3, max_size=14
)


@effort(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_whatever_happens_and_whenever_it_is_posted_the_books_say_what_happened(stage: Stage, acts: list[str]) -> None:
    """Postings at random places of a random life; at the end the ledger holds what playback's pockets hold."""
    sid = transaction.savepoint()
    try:
        for act in acts:
            if act == "play":
                cast.play(stage.lena, stage.work)
            elif act == "buy":
                stage.spend(200_000)
            elif act == "gift":
                cast.promo(stage.lena, 7_003)
            elif act == "back" and (live := stage.lena.charges.filter(reversal_id=None).order_by("charged_at").last()):
                cast.give_back(live)
            elif act == "out" and cast.wallet(stage.lena).balance_micros >= EURO:
                take(stage.lena, 100)
            elif act == "refund":
                send()
            elif act == "post":
                post()
            elif act == "night":
                cast.set_clock(clock.now() + timedelta(days=1))
            reconciled()
        post()
        wallet = cast.wallet(stage.lena)
        assert ledger.balance(accounts.WALLETS) == wallet.balance_micros
        assert ledger.balance(accounts.PROMO_WALLETS) == wallet.promo_micros
        reconciled()
    finally:
        transaction.savepoint_rollback(sid)
