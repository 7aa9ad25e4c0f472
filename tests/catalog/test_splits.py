"""Split sheets: proposed, accepted by each payee, in force from a midnight, never changed and never backdated."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from catalog import publishing, shares, sharing, splits
from catalog.models import SplitLine, SplitSheet, Work
from catalog.sharing import Payee, SheetOver
from members import clock, notices
from members.models import Notice, Person
from members.problems import Invalid, NotFound
from tests import cast

pytestmark = pytest.mark.django_db
NINETY = timedelta(days=90)


@pytest.fixture
def ana(db: None) -> Person:
    person = cast.person("ana")
    cast.confirm(person)
    return person


@pytest.fixture
def ben(db: None) -> Person:
    person = cast.person("ben")
    cast.confirm(person)
    return person


@pytest.fixture
def cleo(db: None) -> Person:
    person = cast.person("cleo")
    cast.confirm(person)
    return person


@pytest.fixture
def song(ana: Person) -> Work:
    """Give a draft of Ana's, without a sheet."""
    return cast.track(cast.creator(ana), state="draft")


def propose(work: Work, by: Person, *payees: tuple[str, int], now: datetime | None = None) -> SplitSheet:
    lines = [Payee(email=email, share_ppm=ppm) for email, ppm in payees]
    return sharing.propose(work_id=work.id, person_id=by.id, payees=lines, now=now or clock.now())


def accept(sheet: SplitSheet, by: Person) -> SplitSheet:
    return sharing.accept(sheet_id=sheet.id, person_id=by.id)


def states(work: Work, now: datetime | None = None) -> list[str]:
    """Return how the sheets of a work stand, oldest first."""
    found = sharing.states(work_id=work.id, now=now or clock.now())
    return [found[sheet.id] for sheet in work.split_sheets.order_by("version")]


def mails(to: str = "", subject: str = "") -> list[Notice]:
    return [
        notice
        for notice in Notice.objects.order_by("created_at", "id")
        if to in (notice.address or (notice.person.email if notice.person else "")) and subject in notice.subject
    ]


def half_and_half(work: Work, ana: Person, ben: Person) -> SplitSheet:
    return propose(work, ana, (ana.email, 600_000), (ben.email, 400_000))


class TestProposing:
    def test_alone_it_is_in_force_at_once_and_nobody_is_mailed(self, song: Work, ana: Person) -> None:
        now = clock.now()
        sheet = propose(song, ana, (ana.email, 1_000_000), now=now)
        assert (sheet.version, sheet.in_force_from, sheet.proposed_by_id) == (1, now, ana.id)
        line = sheet.lines.get()
        assert (line.person_id, line.accepted_at, line.line_number) == (ana.id, now, 1)
        assert states(song) == ["in-force"]
        assert mails() == []

    def test_with_others_it_waits_and_they_are_asked_by_mail(self, song: Work, ana: Person) -> None:
        sheet = propose(song, ana, (ana.email, 666_667), ("Ben@Elsewhere.example", 333_333))
        assert sheet.in_force_from is None
        first, second = sheet.lines.order_by("line_number")
        assert (first.person_id, first.accepted_at is not None) == (ana.id, True)
        assert (second.email, second.person_id, second.accepted_at) == ("ben@elsewhere.example", None, None)
        assert states(song) == ["waiting"]
        (mail,) = mails()
        assert mail.address == "ben@elsewhere.example"
        assert mail.subject == f"33.3333 % of “{song.title}” by Ana: do you accept?"
        for text in (mail.body, mail.html):
            assert f"/splits/{sheet.id}" in text
            assert "is held" in text
            assert "never backwards" in text
        assert "Your share: 33.3333 %" in mail.body

    def test_the_mail_goes_out_as_text_and_html(self, song: Work, ana: Person, mailoutbox: list, settings) -> None:
        propose(song, ana, (ana.email, 500_000), ("ben@elsewhere.example", 500_000))
        assert notices.send_waiting(now=clock.now()) == 1
        (mail,) = mailoutbox
        assert mail.to == ["ben@elsewhere.example"]
        (html,) = mail.alternatives
        assert html[1] == "text/html"
        assert "<table" in html[0]
        assert "http" not in html[0].replace(settings.BASE_URL, "")  # it loads nothing from anywhere

    def test_saying_the_same_again_invites_nobody_again(self, song: Work, ana: Person, ben: Person) -> None:
        first = half_and_half(song, ana, ben)
        assert half_and_half(song, ana, ben).id == first.id
        assert (SplitSheet.objects.count(), len(mails())) == (1, 1)

    def test_another_takes_the_place_of_one_that_waits(self, song: Work, ana: Person, ben: Person) -> None:
        first = half_and_half(song, ana, ben)
        second = propose(song, ana, (ana.email, 500_000), (ben.email, 500_000))
        assert (second.version, states(song)) == (2, ["replaced", "waiting"])
        with pytest.raises(SheetOver, match="replaced"):
            accept(first, ben)
        with pytest.raises(SheetOver, match="replaced"):
            sharing.decline(sheet_id=first.id, person_id=ben.id)
        assert not SplitLine.objects.filter(sheet=first, person=ben).exists()

    @pytest.mark.parametrize(
        ("payees", "words"),
        [
            ([], "1 to 50 payees"),
            ([("a@b.example", 999_999)], "0.0001 % is still to be given"),
            ([("a@b.example", 600_000), ("c@d.example", 400_001)], "0.0001 % is too much"),
            ([("a@b.example", 500_000), ("A@B.example", 500_000)], "twice"),
            ([("nobody", 1_000_000)], "no e-mail"),
            ([("a@b.example", 1_000_000), ("c@d.example", 0)], "more than nothing"),
            ([("a@b.example", 1_000_001), ("c@d.example", -1)], "more than nothing"),
            ([(f"p{n}@b.example", 20_000) for n in range(51)], "1 to 50 payees"),
        ],
    )
    def test_what_is_no_sheet(self, song: Work, ana: Person, payees: list, words: str) -> None:
        with pytest.raises(Invalid) as refused:
            propose(song, ana, *payees)
        assert words in refused.value.detail
        assert (SplitSheet.objects.count(), mails()) == (0, [])

    def test_only_who_edits_the_profile_proposes(self, ana: Person, ben: Person, cleo: Person) -> None:
        song = cast.track(cast.creator(ana, editors=(ben,), viewers=(cleo,)), state="draft")
        assert propose(song, ben, (ben.email, 1_000_000)).in_force_from is not None
        for person in (cleo, cast.person("lars")):
            with pytest.raises(NotFound):
                propose(song, person, (person.email, 1_000_000))

    def test_an_address_that_was_not_confirmed_accepts_nothing_by_itself(self) -> None:
        """Whoever signs up with a stranger's address is alone on a sheet at most, and on nobody else's behalf."""
        dora = cast.person("dora")
        song = cast.track(cast.creator(dora), state="draft")
        sheet = propose(song, dora, (dora.email, 500_000), ("ben@elsewhere.example", 500_000))
        assert not sheet.lines.exclude(accepted_at=None).exists()
        with pytest.raises(NotFound):
            accept(sheet, dora)
        assert propose(song, dora, (dora.email, 1_000_000)).in_force_from is not None


class TestAnswering:
    def test_the_last_acceptance_puts_it_in_force_from_the_next_midnight(
        self, song: Work, ana: Person, ben: Person, cleo: Person
    ) -> None:
        cast.set_clock(datetime.fromisoformat("2027-03-27T22:30:00+00:00"))  # 23:30 in Berlin, before summer time
        sheet = propose(song, ana, (ana.email, 500_000), (ben.email, 300_000), (cleo.email, 200_000))
        assert accept(sheet, ben).in_force_from is None
        accepted = accept(sheet, cleo)
        midnight = datetime.fromisoformat("2027-03-27T23:00:00+00:00")
        assert accepted.in_force_from == midnight
        assert (states(song), states(song, midnight)) == (["accepted"], ["in-force"])
        moment = midnight - timedelta(microseconds=1)
        assert not splits.is_payee(work_id=song.id, person_id=ben.id, now=moment)
        assert splits.is_payee(work_id=song.id, person_id=ben.id, now=midnight)
        told = {notice.person_id for notice in mails(subject="Who is paid")}
        assert told == {ana.id, ben.id, cleo.id}

    def test_accepting_twice_is_accepting_once(self, song: Work, ana: Person, ben: Person) -> None:
        sheet = half_and_half(song, ana, ben)
        first = accept(sheet, ben)
        moment = SplitLine.objects.get(sheet=sheet, person=ben).accepted_at
        assert accept(sheet, ben).in_force_from == first.in_force_from
        assert SplitLine.objects.get(sheet=sheet, person=ben).accepted_at == moment
        assert len(mails(subject="Who is paid")) == 2

    def test_only_a_sign_in_with_that_address_confirmed_accepts(self, song: Work, ana: Person, ben: Person) -> None:
        sheet = propose(song, ana, (ana.email, 500_000), ("second@ben.example", 500_000))
        for person in (ben, cast.person("lars")):
            with pytest.raises(NotFound):
                accept(sheet, person)
            with pytest.raises(NotFound):
                sharing.asked_of(sheet_id=sheet.id, person_id=person.id)
        cast.confirm(ben, "Second@Ben.example")
        assert accept(sheet, ben).in_force_from is not None
        assert SplitLine.objects.get(sheet=sheet, email="second@ben.example").person_id == ben.id

    def test_an_older_one_stays_in_force_while_a_newer_one_waits(self, song: Work, ana: Person, ben: Person) -> None:
        publishing.publish(work_id=song.id, person_id=ana.id, now=clock.now())
        newer = half_and_half(song, ana, ben)
        assert states(song) == ["in-force", "waiting"]
        assert "stays as it is" in mails(ben.email)[0].body
        accept(newer, ben)
        assert states(song) == ["in-force", "accepted"]
        now = clock.now()
        assert splits.is_payee(work_id=song.id, person_id=ana.id, now=now)
        assert not splits.is_payee(work_id=song.id, person_id=ben.id, now=now)
        assert states(song, now + timedelta(days=1)) == ["past", "in-force"]

    def test_who_falls_off_a_sheet_is_told(self, song: Work, ana: Person, ben: Person) -> None:
        accept(half_and_half(song, ana, ben), ben)
        cast.set_clock(clock.now() + timedelta(days=2))
        alone = propose(song, ana, (ana.email, 1_000_000))
        assert states(song) == ["past", "in-force"]
        words = next(notice.body for notice in mails(ben.email) if str(alone.id) in notice.key)
        assert "your share ends then" in words

    def test_a_sheet_of_one_never_comes_before_one_that_was_accepted(
        self, song: Work, ana: Person, ben: Person
    ) -> None:
        """Accepted today for midnight; who is alone on a newer one is in force from that midnight too, and stays so."""
        accepted = accept(half_and_half(song, ana, ben), ben)
        alone = propose(song, ana, (ana.email, 1_000_000))
        assert alone.in_force_from == accepted.in_force_from
        assert states(song, alone.in_force_from) == ["past", "in-force"]
        assert states(song) == ["accepted", "accepted"]

    def test_declining_ends_it_and_tells_who_proposed_it(
        self, song: Work, ana: Person, ben: Person, cleo: Person
    ) -> None:
        sheet = propose(song, ana, (ana.email, 500_000), (ben.email, 300_000), (cleo.email, 200_000))
        accept(sheet, cleo)
        sharing.decline(sheet_id=sheet.id, person_id=ben.id)
        assert states(song) == ["declined"]
        (told,) = mails(ana.email)
        assert (told.person_id, told.subject) == (ana.id, f"{ben.email} declined the split sheet of “{song.title}”")
        with pytest.raises(SheetOver, match="declined"):
            accept(sheet, ben)
        assert propose(song, ana, (ana.email, 1_000_000)).version == 2

    def test_what_one_accepted_one_does_not_decline(self, song: Work, ana: Person, ben: Person) -> None:
        sheet = propose(song, ana, (ana.email, 500_000), (ben.email, 300_000), ("c@d.example", 200_000))
        accept(sheet, ben)
        with pytest.raises(SheetOver, match="You accepted it"):
            sharing.decline(sheet_id=sheet.id, person_id=ben.id)
        assert states(song) == ["waiting"]

    def test_a_published_work_whose_sheet_waits_has_none_in_force(self, song: Work, ana: Person, ben: Person) -> None:
        half_and_half(song, ana, ben)
        publishing.publish(work_id=song.id, person_id=ana.id, now=clock.now())
        assert states(song) == ["waiting"]
        assert not splits.is_payee(work_id=song.id, person_id=ana.id, now=clock.now())

    def test_asking_who_is_a_payee_is_one_query(
        self, song: Work, ana: Person, ben: Person, django_assert_num_queries
    ) -> None:
        accept(half_and_half(song, ana, ben), ben)
        now = clock.now() + timedelta(days=2)
        with django_assert_num_queries(1):
            assert splits.is_payee(work_id=song.id, person_id=ben.id, now=now)


class TestReminders:
    def test_after_ninety_days_and_every_ninety(self, song: Work, ana: Person, ben: Person) -> None:
        now = clock.now()
        sheet = propose(song, ana, (ana.email, 500_000), (ben.email, 500_000), now=now)
        assert sharing.remind(now=now + NINETY - timedelta(seconds=1), limit=50) == 0
        assert sharing.remind(now=now + NINETY, limit=50) == 1
        assert sharing.remind(now=now + NINETY + timedelta(hours=1), limit=50) == 0
        assert sharing.remind(now=now + 2 * NINETY, limit=50) == 1
        keys = [notice.key.partition(f"{sheet.id}:")[2] for notice in mails(ben.email)]
        assert keys == ["2:invitation", "2:reminder:1", "2:reminder:2"]
        assert [notice.key.partition(f"{sheet.id}:")[2] for notice in mails(ana.email)] == ["waits:1", "waits:2"]

    def test_written_twice_it_is_sent_once(self, song: Work, ana: Person, ben: Person) -> None:
        now = clock.now()
        sheet = half_and_half(song, ana, ben)
        sharing.remind(now=now + NINETY + timedelta(seconds=9), limit=50)
        SplitSheet.objects.filter(id=sheet.id).update(reminded_at=None)  # the worker died before it was kept
        sharing.remind(now=now + NINETY + timedelta(seconds=99), limit=50)
        assert len(mails(ben.email)) == 2

    def test_whoever_answered_is_left_in_peace(self, song: Work, ana: Person, ben: Person, cleo: Person) -> None:
        now = clock.now()
        sheet = propose(song, ana, (ana.email, 500_000), (ben.email, 300_000), (cleo.email, 200_000))
        accept(sheet, ben)
        sharing.remind(now=now + NINETY + timedelta(seconds=9), limit=50)
        assert (len(mails(ben.email)), len(mails(cleo.email))) == (1, 2)
        accept(sheet, cleo)
        assert sharing.remind(now=now + 3 * NINETY, limit=50) == 0


class TestWhatTheDatabaseRefuses:
    """Whoever writes to the database, and however."""

    def refuse(self, statement: str, *values: object) -> None:
        with pytest.raises(DatabaseError):
            self.write(statement, *values)

    def write(self, statement: str, *values: object) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def test_a_share_never_changes(self, song: Work, ana: Person, ben: Person) -> None:
        sheet = half_and_half(song, ana, ben)
        accept(sheet, ben)
        for column, value in (("share_ppm", 1), ("email", "x@y.example"), ("line_number", 9), ("part", "all")):
            self.refuse(f"UPDATE catalog_splitline SET {column} = %s WHERE sheet_id = %s", value, sheet.id)  # noqa: S608
        self.refuse("UPDATE catalog_splitline SET accepted_at = NULL WHERE sheet_id = %s", sheet.id)
        self.refuse("UPDATE catalog_splitline SET person_id = NULL WHERE sheet_id = %s", sheet.id)
        self.refuse("DELETE FROM catalog_splitline WHERE sheet_id = %s", sheet.id)

    def test_a_sheet_is_in_force_once_and_from_then_on(self, song: Work, ana: Person, ben: Person) -> None:
        sheet = accept(half_and_half(song, ana, ben), ben)
        self.refuse("UPDATE catalog_splitsheet SET in_force_from = in_force_from - interval '1 day'")
        self.refuse("UPDATE catalog_splitsheet SET in_force_from = NULL")
        self.refuse("UPDATE catalog_splitsheet SET ended_at = coop_now(), ending = 'replaced'")
        self.refuse("DELETE FROM catalog_splitsheet WHERE id = %s", sheet.id)

    def test_a_sheet_is_not_in_force_before_it_was_written(self, song: Work, ana: Person, ben: Person) -> None:
        sheet = half_and_half(song, ana, ben)
        self.refuse(
            "UPDATE catalog_splitsheet SET in_force_from = created_at - interval '1 second' WHERE id = %s", sheet.id
        )

    def test_what_is_in_force_was_accepted_by_all(self, song: Work, ana: Person, ben: Person) -> None:
        sheet = half_and_half(song, ana, ben)
        self.refuse("UPDATE catalog_splitsheet SET in_force_from = coop_now() WHERE id = %s", sheet.id)

    def test_the_shares_are_the_whole(self, song: Work, ana: Person, ben: Person) -> None:
        sheet = half_and_half(song, ana, ben)
        self.refuse(
            "INSERT INTO catalog_splitline (sheet_id, line_number, email, part, share_ppm)"
            " VALUES (%s, 3, 'x@y.example', '', 1)",
            sheet.id,
        )
        self.refuse(
            "INSERT INTO catalog_splitsheet (id, work_id, version, created_at, ending)"
            " VALUES (gen_random_uuid(), %s, 9, coop_now(), '')",
            song.id,
        )

    def test_one_sheet_of_a_work_waits(self, song: Work, ana: Person, ben: Person) -> None:
        half_and_half(song, ana, ben)
        with pytest.raises(IntegrityError), transaction.atomic():
            SplitSheet.objects.create(work=song, version=2, created_at=clock.now())


class TestShares:
    @pytest.mark.parametrize(
        ("text", "ppm"),
        [("60", 600_000), ("33.3333", 333_333), ("33,3333", 333_333), (" 0.0001 % ", 1), ("100", 1_000_000)],
    )
    def test_what_is_typed(self, text: str, ppm: int) -> None:
        assert shares.read(text) == ppm
        assert shares.read(shares.show(ppm)) == ppm

    @pytest.mark.parametrize("text", ["", "0", "100.0001", "-1", "1e2", "33.33333", "a", "٣", "1.2.3", "1000"])
    def test_what_is_no_share(self, text: str) -> None:
        with pytest.raises(shares.NotAShare):
            shares.read(text)

    def test_how_far_from_the_whole(self) -> None:
        assert shares.missing(999_999) == "0.0001 % is still to be given."
        assert shares.missing(1_000_001) == "0.0001 % is too much."
        assert shares.missing(1_000_000) == ""


def test_counting_states_needs_no_more_than_one_query(song: Work, ana: Person, ben: Person, django_assert_num_queries):
    accept(half_and_half(song, ana, ben), ben)
    propose(song, ana, (ana.email, 1_000_000))
    now = clock.now()
    with django_assert_num_queries(1):
        assert Counter(sharing.states(work_id=song.id, now=now).values()) == {"accepted": 2}
