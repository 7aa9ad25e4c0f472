"""Profiles and their people: invited by mail, in once they accepted, never without an owner, closed without loss."""

from datetime import timedelta

import pytest

from catalog import people, profiles, publishing
from catalog.models import Creator, CreatorRole, RoleInvitation, Work
from catalog.people import InvitationOver, LastOwner
from catalog.publishing import ProfileClosed
from members import clock
from members.models import Notice, Person
from members.problems import Invalid, NotFound
from playback import sessions
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def ben(db: None) -> Person:
    person = cast.person("ben")
    cast.confirm(person)
    return person


def invite(band: Creator, by: Person, email: str, role: str = "editor") -> RoleInvitation:
    return people.invite(creator_id=band.id, person_id=by.id, email=email, role=role, now=clock.now())


def accept(invitation: RoleInvitation, by: Person) -> Creator:
    return people.accept(invitation_id=invitation.id, person_id=by.id, now=clock.now())


def roles(band: Creator) -> dict[str, str]:
    return {member.name: member.role for member in people.members_of(band.id)}


class TestInviting:
    def test_they_are_in_once_they_accepted(self, ana: Person, band: Creator, ben: Person) -> None:
        made = invite(band, ana, f" {ben.email.upper()} ")
        assert roles(band) == {"Ana": "owner"}
        mail = Notice.objects.get()
        assert (mail.address, mail.person) == (ben.email, None)
        assert f"/studio/invitations/{made.id}" in mail.body
        assert f"/studio/invitations/{made.id}" in mail.html
        assert [one.id for one in people.waiting_for(ben.id)] == [made.id]
        accept(made, ben)
        assert roles(band) == {"Ana": "owner", "Ben": "editor"}
        assert publishing.manages(creator_id=band.id, person_id=ben.id)
        with pytest.raises(InvitationOver):
            accept(made, ben)

    def test_only_the_address_it_went_to_confirmed(self, ana: Person, band: Creator, ben: Person) -> None:
        made = invite(band, ana, "label@ben.example", "owner")
        unconfirmed = cast.person("dora")
        for person in (ben, unconfirmed, ana):
            with pytest.raises(NotFound):
                accept(made, person)
        cast.confirm(ben, "Label@ben.example")
        accept(made, ben)
        assert roles(band)["Ben"] == "owner"

    def test_declining_and_withdrawing_end_it(self, ana: Person, band: Creator, ben: Person) -> None:
        first = invite(band, ana, ben.email)
        people.decline(invitation_id=first.id, person_id=ben.id, now=clock.now())
        second = invite(band, ana, ben.email)
        people.withdraw(creator_id=band.id, invitation_id=second.id, person_id=ana.id, now=clock.now())
        for over in (first, second):
            with pytest.raises(InvitationOver):
                accept(over, ben)
        assert roles(band) == {"Ana": "owner"}

    def test_once_is_enough_and_another_role_takes_its_place(self, ana: Person, band: Creator, ben: Person) -> None:
        first = invite(band, ana, ben.email)
        assert invite(band, ana, ben.email).id == first.id
        second = invite(band, ana, ben.email, "viewer")
        with pytest.raises(InvitationOver):
            accept(first, ben)
        accept(second, ben)
        assert roles(band)["Ben"] == "viewer"
        assert Notice.objects.count() == 2

    def test_who_does_not_own_it_invites_nobody(self, ana: Person, ben: Person) -> None:
        viv = cast.person("viv")
        band = cast.creator(ana, editors=(ben,), viewers=(viv,))
        for person in (ben, viv, cast.person("lars")):
            with pytest.raises(NotFound):
                invite(band, person, "x@y.example")
            with pytest.raises(NotFound):
                people.change_role(
                    creator_id=band.id, member_id=ana.id, role="viewer", person_id=person.id, now=clock.now()
                )
            with pytest.raises(NotFound):
                people.close(creator_id=band.id, person_id=person.id, now=clock.now())
        assert (RoleInvitation.objects.count(), Notice.objects.count()) == (0, 0)

    @pytest.mark.parametrize(("email", "role"), [("nobody", "editor"), ("a@b.example", "boss"), ("", "owner")])
    def test_what_is_no_invitation(self, ana: Person, band: Creator, email: str, role: str) -> None:
        with pytest.raises(Invalid):
            invite(band, ana, email, role)


class TestRoles:
    def test_a_profile_keeps_an_owner(self, ana: Person, band: Creator, ben: Person) -> None:
        asked = {"creator_id": band.id, "person_id": ana.id, "now": clock.now()}
        with pytest.raises(LastOwner):
            people.remove(member_id=ana.id, **asked)
        with pytest.raises(LastOwner):
            people.change_role(member_id=ana.id, role="editor", **asked)
        accept(invite(band, ana, ben.email, "owner"), ben)
        people.change_role(member_id=ana.id, role="editor", **asked)
        assert roles(band) == {"Ben": "owner", "Ana": "editor"}
        with pytest.raises(NotFound):
            people.remove(member_id=ben.id, **asked)

    def test_everybody_may_leave_and_keeps_their_shares(self, ana: Person, ben: Person) -> None:
        band = cast.creator(ana, editors=(ben,))
        people.remove(creator_id=band.id, member_id=ben.id, person_id=ben.id, now=clock.now())
        assert roles(band) == {"Ana": "owner"}
        assert not Notice.objects.exists()

    def test_who_is_taken_out_is_told(self, ana: Person, ben: Person) -> None:
        band = cast.creator(ana, editors=(ben,))
        people.remove(creator_id=band.id, member_id=ben.id, person_id=ana.id, now=clock.now())
        assert Notice.objects.get().person_id == ben.id

    def test_accepting_a_lesser_role_does_not_leave_the_profile_ownerless(self, ana: Person, band: Creator) -> None:
        cast.confirm(ana)
        made = invite(band, ana, ana.email, "viewer")
        with pytest.raises(LastOwner):
            accept(made, ana)
        assert roles(band) == {"Ana": "owner"}
        made.refresh_from_db()
        assert made.answered_at is None


class TestWhatAProfileSays:
    def describe(self, band: Creator, by: Person, **said: object) -> Creator:
        return profiles.describe(
            creator_id=band.id, person_id=by.id, **{"name": "Ana", "about": "", "links": [], **said}
        )

    def test_name_words_and_links(self, ana: Person, band: Creator) -> None:
        links = ["https://ana.example/", "", " https://ana.example/ ", "https://bandcamp.example/ana?x=1"]
        changed = self.describe(band, ana, name=" Ana\u202e\tM ", about="Two\nlines", links=links)
        assert (changed.name, changed.about) == ("Ana M", "Two\nlines")
        assert changed.links == ["https://ana.example/", "https://bandcamp.example/ana?x=1"]
        assert changed.slug == band.slug

    @pytest.mark.parametrize(
        "link",
        [
            "http://ana.example/",
            "javascript:alert(1)",
            "https://ana.example:8443/",
            "https://ana@evil.example/",
            "https://",
            "//ana.example",
            "ana.example",
            "https://ana.example/\\evil",
            "https://ana.example/ x",
            "https://" + "a" * 300 + ".example/",
        ],
    )
    def test_a_link_is_https_and_says_who_it_is(self, ana: Person, band: Creator, link: str) -> None:
        with pytest.raises(Invalid) as refused:
            self.describe(band, ana, links=[link])
        assert set(refused.value.extra["fields"]) == {"links"}
        band.refresh_from_db()
        assert band.links == []

    def test_everything_that_is_wrong_is_said_at_once(self, ana: Person, band: Creator) -> None:
        with pytest.raises(Invalid) as refused:
            self.describe(band, ana, name=" ", about="x" * 4_001, links=["https://a.example/"] * 1 + ["x"])
        assert set(refused.value.extra["fields"]) == {"name", "about", "links"}

    def test_a_viewer_and_a_stranger_change_nothing(self, ana: Person) -> None:
        viv = cast.person("viv")
        band = cast.creator(ana, viewers=(viv,))
        for person in (viv, cast.person("lars")):
            with pytest.raises(NotFound):
                self.describe(band, person, name="Mine")


class TestClosing:
    def test_its_works_go_off_and_owners_keep_them(self, ana: Person, band: Creator) -> None:
        song, begun, draft = cast.track(band), cast.track(band), cast.track(band, state="draft")
        lena, lars = cast.person("lena"), cast.person("lars")
        cast.top_up(lena, 300)
        cast.buy(lena, song, price_micros=1_022_000)
        cast.play(lena, begun)
        now = clock.now()
        people.close(creator_id=band.id, person_id=ana.id, now=now)
        assert dict(Work.objects.values_list("id", "state")) == {song.id: "off", begun.id: "off", draft.id: "draft"}
        assert set(Work.objects.filter(state="off").values_list("off_at", flat=True)) == {now}
        owned, _ = sessions.begin(person_id=lena.id, work_id=song.id, now=clock.now())
        assert (owned.basis, owned.whole) == ("owned", True)
        going_on, _ = sessions.begin(person_id=lena.id, work_id=begun.id, now=clock.now())
        assert going_on.price_micros == 4_000
        with pytest.raises(publishing.WorkUnavailable):
            sessions.begin(person_id=lars.id, work_id=song.id, now=clock.now())
        cast.set_clock(now + timedelta(days=400))
        owned, _ = sessions.begin(person_id=lena.id, work_id=song.id, now=clock.now())
        assert owned.basis == "owned"

    def test_nothing_new_happens_under_it(self, ana: Person, band: Creator, ben: Person) -> None:
        draft, waiting = cast.track(band, state="draft"), invite(band, ana, ben.email)
        people.close(creator_id=band.id, person_id=ana.id, now=clock.now())
        with pytest.raises(ProfileClosed):
            publishing.publish(work_id=draft.id, person_id=ana.id, now=clock.now())
        with pytest.raises(ProfileClosed):
            publishing.change(work_id=draft.id, person_id=ana.id, now=clock.now(), title="New")
        with pytest.raises(ProfileClosed):
            invite(band, ana, "x@y.example")
        with pytest.raises(ProfileClosed):
            people.close(creator_id=band.id, person_id=ana.id, now=clock.now())
        with pytest.raises(InvitationOver):
            accept(waiting, ben)
        assert profiles.run_by(ana.id) == []

    def test_everybody_in_it_is_told(self, ana: Person, ben: Person) -> None:
        band = cast.creator(ana, editors=(ben,))
        people.close(creator_id=band.id, person_id=ana.id, now=clock.now())
        assert set(Notice.objects.values_list("person_id", flat=True)) == {ana.id, ben.id}

    def test_a_profile_that_is_closed_makes_room_for_another(self, ana: Person) -> None:
        for number in range(profiles.PROFILES_MOST):
            made = profiles.found(person_id=ana.id, name=f"Label {number}", now=clock.now())
        with pytest.raises(Invalid, match="at most 20"):
            profiles.found(person_id=ana.id, name="One more", now=clock.now())
        people.close(creator_id=made.id, person_id=ana.id, now=clock.now())
        assert profiles.found(person_id=ana.id, name="One more", now=clock.now()).slug == "one-more"
        assert CreatorRole.objects.filter(person=ana, creator__closed_at=None).count() == profiles.PROFILES_MOST
