"""Erasure: a person with a whole life here goes; afterwards no table names them, and books and votes are as before."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connection
from django.test import Client

from catalog import people, reports, sharing
from catalog.models import Creator, CreatorRole, RoleInvitation, SplitLine, Upload, Work
from catalog.sharing import Payee
from members import clock, notices, policies
from members.belonging import expulsions, memberships, shares
from members.belonging.models import Membership
from members.erasing import erasures, traces
from members.erasing.erasures import ErasureRuns, HasDuties, NoErasure
from members.erasing.models import Erasure
from members.models import Person, Token
from members.problems import NotAllowed, NotFound
from members.voting import ballots, elections, urns
from members.voting.election_models import RollLine
from members.voting.tally import Kind
from playback import cashouts, certificates, follows, topups
from playback.models import Charge, Holding
from royalties import bank, ledger, payout_accounts, posting, reconciliation
from royalties.payout_models import Payout
from tests import callers, cast
from tests.callers import Caller
from tests.members import belonging, polls
from tests.playback.till import Till
from tests.royalties import counting, running, treasury
from tests.royalties.treasury import SEPTEMBER, at

pytestmark = pytest.mark.django_db
NAME, EMAIL, STREET = "Zebulon Quaintance", "zebulon@quaint.example", "Quaint Lane 5"
IBAN = "FR1420041010050500013M02606"
# Whatever of these is found anywhere afterwards says who it was.
TELLTALES = ("zebulon", "quaintance", "quaint.example", "quaint lane", IBAN, "FR14 2004 1010")
WEEK = erasures.CAN_BE_TAKEN_BACK


@pytest.fixture(autouse=True)
def _fresh():
    policies.forget()
    callers.forget_counts()
    yield
    policies.forget()


@pytest.fixture
def till(monkeypatch):
    provider = Till()
    monkeypatch.setattr(topups, "gateway", lambda: provider)
    return provider


def named():
    """Return every column of every table in which one of the telltales stands, with how many rows."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns JOIN information_schema.tables"
            " USING (table_schema, table_name) WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        columns = cursor.fetchall()
        assert len(columns) > 500
        patterns = [f"%{one}%" for one in TELLTALES]
        for table, column, kind in columns:
            ours = f"encode({column}, 'escape')" if kind == "bytea" else f'"{column}"::text'
            asked = f'SELECT count(*) FROM "{table}" WHERE {ours} ILIKE ANY(%s)'  # noqa: S608  (our own tables)
            cursor.execute(asked, [patterns])
            if count := cursor.fetchone()[0]:
                found[f"{table}.{column}"] = count
    return found


def post():
    """Let the worker send what waits."""
    while notices.send_waiting(now=clock.now()):
        pass


def state_of(person):
    return Erasure.objects.get(person=person).state


def waits_of(person):
    erasures.advance(now=clock.now())
    return Erasure.objects.get(person=person).waits_for


class Life:
    """Zebulon's: a member with credit, a profile, a share in somebody's work, an account, and marks everywhere."""

    def __init__(self):
        cast.set_clock(at("2026-09-05 12:00"))
        self.tess, self.tom, self.sam = cast.treasurer("tess"), cast.treasurer("tom"), belonging.secretary()
        self.zeb, self.ben, self.lena = cast.person("zeb"), cast.person("ben"), cast.person("lena")
        Person.objects.filter(id=self.zeb.id).update(name=NAME, email=EMAIL)
        self.zeb.refresh_from_db()
        self.zeb.set_password("a long enough password")
        self.zeb.save()
        cast.confirm(self.zeb)
        cast.confirm(self.zeb, "other@quaint.example")
        cast.confirm(self.ben)
        self.client = Client()
        self.client.force_login(self.zeb)
        self.token = callers.token(self.zeb)
        self._belong()
        self._make()
        self._listen()

    def _belong(self):
        now = clock.now()
        asked = memberships.apply_for(
            person_id=self.zeb.id,
            legal_name=NAME,
            postal_address=STREET,
            member_classes=["listener"],
            voting_class="listener",
            now=now,
        )
        memberships.approve(membership_id=asked.id, staff_id=self.sam.id, now=now)
        asked.refresh_from_db()
        belonging.pay(asked, now=now)

    def _make(self):
        now = clock.now()
        self.profile = cast.creator(self.zeb)
        Creator.objects.filter(id=self.profile.id).update(name="The Vessels", about=f"Songs by {NAME}.")
        self.work = cast.track(self.profile, price_micros=1_000_000)
        Upload.objects.filter(work=self.work).update(filename="Zebulon - demo.flac", folder="Quaintance")
        self.bens = cast.creator(self.ben)
        self.shared = cast.track(self.bens, price_micros=1_000_000)
        counting.put_in_force(self.shared, [(self.ben, 500_000), (self.zeb, 500_000)], since=clock.now())
        self.asked = cast.track(self.bens, price_micros=1_000_000)
        half = [Payee(email=EMAIL, share_ppm=500_000), Payee(email=self.ben.email, share_ppm=500_000)]
        sharing.propose(work_id=self.asked.id, person_id=self.ben.id, payees=half, now=now)
        people.invite(creator_id=self.bens.id, person_id=self.ben.id, email=EMAIL, role="viewer", now=now)
        people.invite(creator_id=self.profile.id, person_id=self.zeb.id, email="x@else.example", role="viewer", now=now)
        payout_accounts.enter(person_id=self.zeb.id, holder=NAME, iban=IBAN, now=now)

    def _listen(self):
        now = clock.now()
        cast.top_up(self.zeb, 500)
        cast.top_up(self.lena, 500)
        cast.buy(self.zeb, self.asked, price_micros=1_000_000)
        cast.buy(self.lena, self.shared, price_micros=1_000_000)
        cast.buy(self.lena, self.work, price_micros=1_000_000)
        follows.mark(person_id=self.zeb.id, work_id=self.asked.id, now=now)
        follows.follow(person_id=self.zeb.id, slug=self.bens.slug, now=now)
        self.certificate = certificates.issue(person_id=self.zeb.id, work_id=self.asked.id, named=True, now=now)
        reports.file(work_id=self.shared.id, person_id=None, category="other", text="Too loud.", contact=EMAIL, now=now)

    def vote(self):
        """Let him vote among four, and the vote be counted."""
        cast.set_clock(polls.NOTICE_AT)
        others = [cast.person(name) for name in ("ida", "ira", "ivo")]
        announced = elections.announce(
            question_sha256=polls.QUESTION,
            kind=Kind.ORDINARY,
            rules=polls.RULES,
            opens_at=polls.OPENS_AT,
            closes_at=polls.CLOSES_AT,
            roll=[(one.id, "listener") for one in (self.zeb, *others)],
            is_second_call=False,
            now=clock.now(),
        )
        cast.set_clock(polls.OPENS_AT + polls.SECOND)
        for one in (self.zeb, others[0]):
            ballots.cast(election_id=announced.id, person_id=one.id, choice="yes", nonce=polls.nonce_of(one))
        cast.set_clock(polls.CLOSES_AT + polls.SECOND)
        urns.close(election_id=announced.id, now=clock.now())
        return announced.id


def test_a_whole_life_goes_and_no_table_names_it(till):  # noqa: PLR0915  (it is one story)
    life = Life()
    zeb = life.zeb
    running.start_of_next(SEPTEMBER)
    running.close(SEPTEMBER)
    election_id = life.vote()
    tallied, line = urns.result(election_id), RollLine.objects.get(election_id=election_id, person_id=zeb.id)
    before = named()
    assert {"members_person.email", "members_membership.postal_address", "catalog_splitline.email"} <= before.keys()
    assert {"catalog_report.contact", "playback_certificate.content", "members_notice.body"} <= before.keys()

    cast.set_clock(at("2026-10-16 12:00"))
    _, code = erasures.ask(person_id=zeb.id, now=clock.now())
    assert code not in json.dumps(list(Erasure.objects.values_list("code_sha256", flat=True)))
    erasures.advance(now=clock.now() + WEEK - timedelta(seconds=1))
    assert state_of(zeb) == "asked"

    # The week is over: nobody signs in any more, and the money goes first.
    cast.set_clock(at("2026-10-25 12:00"))
    erasures.advance(now=clock.now())
    assert state_of(zeb) == "settling"
    assert life.client.get("/account").status_code == 302
    assert Caller(None).get("wallet", Authorization=f"Bearer {life.token}").status_code == 401
    assert Membership.objects.get(person=zeb).state == "left"
    assert "€4.00 that go back to how they paid" in waits_of(zeb)
    assert cashouts.send_waiting(now=clock.now()) == 1
    assert cast.wallet(zeb).balance_micros == 0
    # His own work's euro and half of Ben's: 0.70 and 0.35.
    assert "€1.05 of royalties, which the next payouts take" in waits_of(zeb)
    treasury.agree(SEPTEMBER, life.tess, life.tom)
    treasury.pay(SEPTEMBER, life.tess, life.tom)
    assert "€1.05 of royalties on their way to the bank" in waits_of(zeb)
    paid = Payout.objects.get(person=zeb)
    bank.take_in(content=treasury.booked(paid, day="2026-10-25"), staff_id=life.tess.id, now=clock.now())
    assert waits_of(zeb) == ["letters to them or about them that are not sent yet"]
    post()
    sent = [one.to for one in mail.outbox]
    assert [EMAIL] in sent
    posting.post(now=clock.now())
    differences = reconciliation.check(now=clock.now())
    assert waits_of(zeb) == []
    assert state_of(zeb) == "erased"

    assert (named(), Session.objects.count()) == ({}, 0)
    # Books and votes are what they were.
    assert reconciliation.check(now=clock.now()) == differences == []
    assert ledger.payable([zeb.id]) == {zeb.id: 0}
    assert urns.recount(election_id) == tallied == urns.result(election_id)
    kept = RollLine.objects.get(election_id=election_id, name=line.name)
    assert (kept.person_id, kept.class_name, kept.voted) == (None, "listener", True)
    # What others own they keep; his profile had nobody else, so its works are off.
    life.work.refresh_from_db()
    assert (life.work.state, Holding.objects.get(listener=life.lena, work=life.work).owned_at is not None) == (
        "off",
        True,
    )
    assert Creator.objects.get(id=life.profile.id).closed_at is not None
    assert Work.objects.get(id=life.shared.id).state == "published"
    assert certificates.standing(certificate_id=life.certificate["certificate"]["id"], now=clock.now()).holds
    assert Charge.objects.filter(listener=zeb).count() == 1
    # Nothing more is sent to anybody who was him.
    mail.outbox.clear()
    notices.write(person_id=zeb.id, key="late", subject="Late", body=f"{NAME}, late.", now=clock.now())
    post()
    assert (mail.outbox, named()) == ([], {})
    assert str(Person.objects.get(id=zeb.id)) == traces.SHELL_NAME
    # The mailbox may begin anew, as somebody else.
    assert Person.objects.create_user(EMAIL).id != zeb.id


def plain(name="lena"):
    made = cast.person(name)
    cast.set_clock(datetime(2026, 10, 1, 12, tzinfo=UTC))
    return made


def go(person):
    """Ask, wait a week, and let everything settle that settles by itself."""
    erasures.ask(person_id=person.id, now=clock.now())
    cast.set_clock(clock.now() + WEEK)
    for _ in range(3):
        erasures.advance(now=clock.now())
        post()


def test_it_can_be_taken_back_for_a_week_and_asked_for_once():
    lena = plain()
    _, code = erasures.ask(person_id=lena.id, now=clock.now())
    with pytest.raises(ErasureRuns):
        erasures.ask(person_id=lena.id, now=clock.now())
    second = erasures.draw_code(person_id=lena.id)
    assert (second != code, erasures.digest(second.lower().replace("-", " ")) == erasures.digest(second)) == (
        True,
        True,
    )
    erasures.take_back(person_id=lena.id, now=clock.now())
    assert erasures.of_person(lena.id) is None
    for act in (
        lambda: erasures.draw_code(person_id=lena.id),
        lambda: erasures.take_back(person_id=lena.id, now=clock.now()),
    ):
        with pytest.raises(NoErasure):
            act()
    erasures.advance(now=clock.now() + 2 * WEEK)
    lena.refresh_from_db()
    assert (lena.is_active, lena.name) == (True, "Lena")
    erasures.ask(person_id=lena.id, now=clock.now())


def test_a_secretary_begins_it_for_another_and_sees_no_code():
    lena, sam = plain(), belonging.secretary()
    for who, email, refusal in (
        (lena, sam.email, NotAllowed),
        (sam, sam.email, NotAllowed),
        (sam, "nobody@else.example", NotFound),
    ):
        with pytest.raises(refusal):
            erasures.begin(email=email, staff_id=who.id, now=clock.now())
    begun = erasures.begin(email=lena.email, staff_id=sam.id, now=clock.now())
    assert (begun.begun_by_id, begun.code_sha256) == (sam.id, "")
    with pytest.raises(HasDuties):
        erasures.ask(person_id=sam.id, now=clock.now())
    assert Erasure.objects.count() == 1


def test_a_profile_goes_on_with_who_is_left_in_it():
    ana = plain("ana")
    ben, cleo, dora = cast.person("ben"), cast.person("cleo"), cast.person("dora")
    with_owner, with_editor = cast.creator(ana, editors=(ben,)), cast.creator(ana, editors=(cleo,), viewers=(dora,))
    alone = cast.creator(ana, viewers=(dora,))
    works = [cast.track(one) for one in (with_owner, with_editor, alone)]
    CreatorRole.objects.filter(creator=with_owner, person=ben).update(role="owner")
    go(ana)
    assert state_of(ana) == "erased"
    assert [Work.objects.get(id=one.id).state for one in works] == ["published", "published", "off"]
    assert CreatorRole.objects.get(creator=with_editor, person=cleo).role == "owner"
    assert not CreatorRole.objects.filter(person=ana).exists()
    assert SplitLine.objects.get(sheet__work=works[0]).email == traces.shell_address(ana.id)


def test_what_waits_for_their_answer_is_declined():
    ana, ben = plain("ana"), cast.person("ben")
    cast.confirm(ana)
    profile = cast.creator(ben)
    work = cast.track(profile)
    sheet = sharing.propose(
        work_id=work.id,
        person_id=ben.id,
        payees=[Payee(email=ana.email, share_ppm=400_000), Payee(email=ben.email, share_ppm=600_000)],
        now=clock.now(),
    )
    people.invite(creator_id=profile.id, person_id=ben.id, email=ana.email, role="editor", now=clock.now())
    go(ana)
    sheet.refresh_from_db()
    assert (sheet.ending, RoleInvitation.objects.get().answer) == ("declined", "declined")


def test_a_vote_that_closes_later_forgets_them_too():
    lena, others = plain(), [cast.person(name) for name in ("ida", "ira")]
    cast.set_clock(polls.NOTICE_AT)
    announced = elections.announce(
        question_sha256=polls.QUESTION,
        kind=Kind.ORDINARY,
        rules=polls.RULES,
        opens_at=polls.OPENS_AT,
        closes_at=polls.CLOSES_AT,
        roll=[(one.id, "listener") for one in (lena, *others)],
        is_second_call=False,
        now=clock.now(),
    )
    erasures.ask(person_id=lena.id, now=clock.now())
    cast.set_clock(polls.OPENS_AT + polls.SECOND)
    ballots.cast(election_id=announced.id, person_id=lena.id, choice="no", nonce=polls.nonce_of(lena))
    for _ in range(3):
        erasures.advance(now=clock.now())
        post()
    assert state_of(lena) == "erased"
    cast.set_clock(polls.CLOSES_AT + polls.SECOND)
    tallied = urns.close(election_id=announced.id, now=clock.now())
    erasures.advance(now=clock.now())
    assert sorted(RollLine.objects.values_list("person_id", "voted"), key=str) == sorted(
        [(None, True), (others[0].id, False), (others[1].id, False)], key=str
    )
    assert urns.recount(announced.id) == tallied


def test_shares_are_waited_for_and_every_token_is_gone_at_once():
    plain("lars")
    lena = belonging.member("lena", now=clock.now())
    asked = shares.ask(person_id=lena.id, count=1, now=clock.now())
    shares.confirm(holding_id=asked.id, staff_id=cast.treasurer().id, iban=belonging.iban(), now=clock.now())
    callers.token(lena)
    go(lena)
    assert (state_of(lena), waits_of(lena)) == ("settling", ["their shares, which two treasurers pay back"])
    assert not Token.objects.filter(person=lena).exists()


def test_what_was_said_about_who_was_expelled_goes_with_them():
    plain("lars")
    mona = belonging.member("mona", now=clock.now())
    dora = cast.person("dora", staff=("director",))
    asked = expulsions.open_question(
        membership_id=Membership.objects.get(person=mona).id, staff_id=dora.id, reasons="Sold it.", now=clock.now()
    )
    expulsions.answer(person_id=mona.id, words="I did not.")
    cast.set_clock(clock.now() + timedelta(days=15))
    expulsions.say(expulsion_id=asked.id, staff_id=dora.id, yes=True, now=clock.now())
    filed = expulsions.appeal(person_id=mona.id, words="Hear me.", now=clock.now())
    go(mona)
    assert state_of(mona) == "erased"
    for row in (asked, filed):
        row.refresh_from_db()
    assert (asked.reasons, asked.answer, asked.expelled_at is not None) == ("(removed)", "", True)
    assert filed.text == "(removed)"
    assert erasures.gone([mona.id, dora.id]) == {mona.id}


# The pages.


def test_the_page_asks_for_the_password_and_shows_the_code_once():
    lena = plain()
    lena.set_password("a long enough password")
    lena.save()
    client = Client()
    client.force_login(lena)
    assert client.get("/account/leaving").status_code == 200
    refused = client.post("/account/leaving/ask", {"password": "not this"})
    assert (refused.status_code, Erasure.objects.count()) == (400, 0)
    asked = client.post("/account/leaving/ask", {"password": "a long enough password"})
    code = asked.content.decode().partition('id="claim-code">')[2].partition("<")[0]
    assert erasures.digest(code) == Erasure.objects.get().code_sha256
    assert code not in client.get("/account/leaving").content.decode()
    drawn = client.post("/account/leaving/code").content.decode()
    assert erasures.digest(code) != Erasure.objects.get().code_sha256
    assert "claim-code" in drawn
    assert client.post("/account/leaving/stay").status_code == 302
    assert state_of(lena) == "taken-back"


def test_the_secretary_sees_what_is_waited_for():
    lena, sam = plain(), belonging.secretary()
    client = Client()
    client.force_login(sam)
    assert "Nobody has asked." in client.get("/secretary/erasures").content.decode()
    assert client.post("/secretary/erasures/begin", {"email": lena.email}).status_code == 302
    cast.set_clock(clock.now() + WEEK)
    erasures.advance(now=clock.now())
    assert "letters to them" in client.get("/secretary/erasures").content.decode()
    client.force_login(lena)
    assert client.get("/secretary/erasures").status_code == 302


def test_everything_kept_about_a_person_is_in_one_file():
    lena, lars = plain(), cast.person("lars")
    work = cast.track(cast.creator(cast.person("ana")), price_micros=1_000_000)
    cast.confirm(lena)
    callers.token(lena)
    for who in (lena, lars):
        cast.top_up(who, 500)
        cast.buy(who, work, price_micros=1_000_000)
    client = Client()
    client.force_login(lena)
    told = json.loads(b"".join(client.get("/account/everything.json").streaming_content))
    assert told["person"]["email"] == lena.email
    assert [one["amount_micros"] for one in told["rows"]["playback.charge"]] == [1_000_000]
    assert [one["gross_cents"] for one in told["rows"]["playback.topup"]] == [500]
    assert [one["email"] for one in told["rows"]["account.emailaddress"]] == [lena.email]
    assert "digest" not in told["rows"]["members.token"][0]
    written = json.dumps(told)
    assert str(lars.id) not in written
