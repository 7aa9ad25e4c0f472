"""The panel of three: who is drawn, who may rule, how two decide, what silence does; on pages and over the API."""

from datetime import timedelta

import pytest
from django.test import Client

from members import admission, clock, deadlines, policies
from members.admission import Staff
from members.belonging import expulsions, memberships
from members.belonging.models import Expulsion, ExpulsionAppeal, Membership
from members.models import Notice
from members.problems import Invalid, NotAllowed, NotFound
from members.tasks import look_at_members
from members.voting import electorate, panels
from members.voting.panels import PanelOver
from members.voting.proposal_models import Contest
from tests import cast
from tests.callers import Caller
from tests.members import assembly

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def people():
    """Give eight members who may vote, of whom the first two are directors."""
    made = assembly.members("ada", "bo", "cem", "dora", "emil", "fay", "gus", "hana")
    for one in made[:2]:
        one.staff_roles.create(role="director")
    return made


def expelled(people, *, by=None):
    """Let the board expel the last of some people; return the person."""
    board, gone = by or people[:2], people[-1]
    membership = Membership.objects.get(person=gone)
    asked = expulsions.open_question(
        membership_id=membership.id, staff_id=board[0].id, reasons="Sold the register.", now=clock.now()
    )
    expulsions.answer(person_id=gone.id, words="It was not me.")
    cast.set_clock(clock.now() + 15 * DAY)
    for one in board:
        expulsions.say(expulsion_id=asked.id, staff_id=one.id, yes=True, now=clock.now())
    assert not memberships.is_member(gone.id)
    return gone


@pytest.fixture
def appealed(people):
    """Give an appeal, who filed it, and who was drawn for it."""
    gone = expelled(people)
    filed = expulsions.appeal(person_id=gone.id, words="Hear me.", now=clock.now())
    return filed, gone, [one.person for one in filed.panel.select_related("person").order_by("id")]


def rule(filed, person, ruling, reasons="We asked around."):
    return expulsions.rule(appeal_id=filed.id, person_id=person.id, ruling=ruling, reasons=reasons, now=clock.now())


def test_it_is_drawn_from_voters_who_had_no_part_in_it(people, appealed):
    filed, gone, drawn = appealed
    assert len(drawn) == 3
    assert not {one.id for one in drawn} & {people[0].id, people[1].id, gone.id}
    days = int(policies.policy_at("governance", clock.now()).params["contest_days"])
    assert days * DAY <= filed.decide_until - filed.filed_at < (days + 2) * DAY
    asked = Notice.objects.filter(subject=f"You were drawn to decide about the expulsion of {gone.name} Example")
    assert {one.person_id for one in asked} == {one.id for one in drawn}
    assert all(f"/membership/appeals/{filed.id}" in one.body for one in asked)


def test_who_decided_and_has_left_the_board_since_is_not_drawn(people):
    # Nobody is left for the lot but those two, and one who had no part in it.
    for one in people[3:-1]:
        memberships.leave(person_id=one.id, now=clock.now())
    gone = expelled(people)
    for one in people[:2]:
        one.staff_roles.all().delete()
    filed = expulsions.appeal(person_id=gone.id, words="Hear me.", now=clock.now())
    assert list(filed.panel.values_list("person_id", flat=True)) == [people[2].id]


def test_the_lot_is_the_same_for_who_draws_it_again(people, appealed):
    filed, gone, drawn = appealed
    but = {people[0].id, people[1].id, gone.id}
    again = electorate.draw(f"expulsion {filed.expulsion_id}", many=3, but=but, moment=filed.filed_at)
    assert again == [one.id for one in drawn]


def test_two_lift_it_and_the_member_never_was_away(people, appealed):
    filed, gone, drawn = appealed
    membership = Membership.objects.get(person=gone)
    assert not rule(filed, drawn[0], "lifted").ruling
    assert not rule(filed, drawn[1], "upheld").ruling
    # Until two agree, one may say something else.
    assert rule(filed, drawn[1], "lifted").ruling == "lifted"
    again = Membership.objects.get(person=gone)
    assert (again.state, again.number, again.ended_at) == ("joined", membership.number, None)
    with pytest.raises(PanelOver):
        rule(filed, drawn[2], "upheld")
    told = Notice.objects.filter(person=gone, subject="Your appeal is decided")
    assert [one.body.count("lifted your expulsion") for one in told] == [1]
    board = Notice.objects.filter(subject=f"The appeal of {gone.name} Example is decided")
    secretaries = admission.people_in(Staff.SECRETARY)
    assert secretaries
    assert {one.person_id for one in board} == {people[0].id, people[1].id, *secretaries}


def test_silence_upholds_it_and_says_so_once(people, appealed):
    filed, gone, drawn = appealed
    rule(filed, drawn[0], "lifted")
    assert expulsions.settle(now=filed.decide_until - timedelta(seconds=1)) == 0
    assert not Notice.objects.filter(person=gone, subject="Your appeal is decided").exists()
    cast.set_clock(filed.decide_until)
    for _ in range(2):
        look_at_members()
    with pytest.raises(PanelOver):
        rule(filed, drawn[1], "lifted")
    assert not memberships.is_member(gone.id)
    told = Notice.objects.get(person=gone, subject="Your appeal is decided")
    assert "did not come to a decision in its time. Your expulsion stands." in told.body
    assert [one.id for one in expulsions.decided(now=clock.now())] == [filed.id]
    assert expulsions.appeals(now=clock.now()) == []


def test_who_may_not_rule(people, appealed):
    filed, gone, drawn = appealed
    outside = next(one for one in people[2:-1] if one not in drawn)
    for one in (people[0], gone, outside):
        with pytest.raises(NotFound):
            rule(filed, one, "lifted")
    with pytest.raises(Invalid, match="Say one of upheld, lifted"):
        rule(filed, drawn[0], "voided")
    with pytest.raises(Invalid, match="Say it in 1 to 4000 letters"):
        rule(filed, drawn[0], "lifted", reasons=" ")
    drawn[0].staff_roles.create(role="director")
    memberships.leave(person_id=drawn[1].id, now=clock.now())
    for one in drawn[:2]:
        with pytest.raises(NotAllowed, match="members who are no directors"):
            rule(filed, one, "lifted")
    assert not filed.panel.exclude(ruling="").exists()


def test_an_appeal_is_filed_once_and_within_thirty_days(people):
    gone = expelled(people)
    with pytest.raises(NotFound):
        expulsions.appeal(person_id=people[3].id, words="For him.", now=clock.now())
    too_late = Expulsion.objects.get().expelled_at + 30 * DAY
    theirs = Client()
    theirs.force_login(gone)
    page = theirs.get("/membership").content.decode()
    assert f"until {deadlines.on_the_wall(too_late):%-d %B %Y, %H:%M}" in page
    assert 'action="/membership/appeal"' in page
    cast.set_clock(too_late)
    page = theirs.get("/membership").content.decode()
    assert "thirty days, and they are over" in page
    assert 'action="/membership/appeal"' not in page
    with pytest.raises(memberships.MembershipStands):
        expulsions.appeal(person_id=gone.id, words="Late.", now=too_late)
    in_time = too_late - timedelta(seconds=1)
    expulsions.appeal(person_id=gone.id, words="In time.", now=in_time)
    with pytest.raises(memberships.MembershipStands):
        expulsions.appeal(person_id=gone.id, words="Again.", now=in_time)
    assert ExpulsionAppeal.objects.count() == 1


def test_a_panel_on_which_nobody_sits_is_drawn_when_somebody_can_be(people, appealed):
    """As appeals are that were filed when the secretary still seated the panel."""
    filed, _, drawn = appealed
    filed.panel.all().delete()
    expulsions.settle(now=clock.now())
    assert [one.person_id for one in filed.panel.order_by("id")] == [one.id for one in drawn]


# Over the API.


def test_the_three_read_and_rule_over_the_api(people, appealed):
    filed, gone, drawn = appealed
    callers = [Caller(one, "vote") for one in drawn]
    (duty,) = callers[0].get("panels").json()["results"]
    assert (duty["id"], duty["path"]) == (str(filed.id), f"/membership/appeals/{filed.id}")
    assert duty["title"] == f"the expulsion of {gone.name} Example"
    shown = callers[0].get(f"panels/{filed.id}").json()
    assert (shown["text"], shown["is_open"], shown["sits"], shown["ruling"]) == ("Hear me.", True, True, None)
    assert shown["may_say"] == ["upheld", "lifted"]
    assert shown["decision"] == "Sold the register.\n\nThe answer then: It was not me."
    refused = callers[0].post(f"panels/{filed.id}/rule", {"ruling": "stays", "reasons": "Hm."})
    assert (refused.status_code, refused.json()["detail"]) == (400, "Say one of upheld, lifted.")
    assert callers[0].post(f"panels/{filed.id}/rule", {"ruling": "lifted"}).status_code == 400
    for caller in callers[:2]:
        answer = caller.post(f"panels/{filed.id}/rule", {"ruling": "upheld", "reasons": "It was so."})
        assert answer.status_code == 200
    assert (answer.json()["ruling"], answer.json()["is_open"]) == ("upheld", False)
    late = callers[2].post(f"panels/{filed.id}/rule", {"ruling": "lifted", "reasons": "It was not."})
    assert (late.status_code, late.json()["type"].rsplit("/", 1)[-1]) == (409, "panel-over")
    assert callers[2].get("panels").json() == {"results": []}
    # Who appealed reads the reasons, and nobody's name; others find nothing.
    read = Caller(gone, "vote").get(f"panels/{filed.id}").json()
    assert [(one["ruling"], one["reasons"]) for one in read["rulings"]] == [("upheld", "It was so.")] * 2
    assert read["sits"] is False
    assert not any(one.name in str(read) or str(one.id) in str(read) for one in drawn)
    for stranger in (people[0], next(one for one in people[2:-1] if one not in drawn)):
        assert Caller(stranger, "vote").get(f"panels/{filed.id}").status_code == 404
        answer = Caller(stranger, "vote").post(f"panels/{filed.id}/rule", {"ruling": "lifted", "reasons": "Hm."})
        assert answer.status_code == 404
    assert Caller(drawn[0], "publish").get("panels").status_code == 403


def test_a_contest_is_ruled_over_the_same_addresses_and_read_by_every_member():
    people = assembly.members("ada", "bo", "cem", "dora", "emil", "fay", "gus", "hana", "ivo", "june")
    proposal = assembly.called(people)
    assembly.vote(proposal, "yyyyyyyyyy", people)
    assembly.go_on(proposal)
    address, program = f"proposals/{proposal.id}/contest", Caller(people[9], "vote")
    assert Caller(cast.person("lars"), "vote").post(address, {"grounds": "Mine."}).status_code == 403
    assert program.post(address, {"grounds": " "}).status_code == 400
    filed = Contest.objects.get(id=program.post(address, {"grounds": "I was not told."}).json()["id"])
    assert program.post(address, {"grounds": "Again."}).json()["text"] == "I was not told."
    drawn = [one.person for one in filed.panel.select_related("person")]
    for one in drawn[:2]:
        answer = Caller(one, "vote").post(f"panels/{filed.id}/rule", {"ruling": "recounted", "reasons": "To be sure."})
    assert answer.json()["ruling"] == "recounted"
    shown = Caller(people[0], "vote").get(f"panels/{filed.id}").json()
    assert (shown["title"], shown["sits"]) == (f"a vote: {proposal.title}", False)
    answer = Caller(people[0], "vote").post(f"panels/{filed.id}/rule", {"ruling": "voided", "reasons": "Mine."})
    assert answer.status_code == 404
    assert not panels.duties(drawn[2].id, now=clock.now())


def test_what_waits_for_one_costs_a_query_for_each_kind(appealed, django_assert_num_queries):
    _, _, drawn = appealed
    now = clock.now()
    with django_assert_num_queries(3):
        assert len(panels.duties(drawn[0].id, now=now)) == 1


def test_the_page_tells_a_stranger_to_sign_in_and_others_nothing(people, appealed):
    filed, _, _ = appealed
    address = f"/membership/appeals/{filed.id}"
    assert Client().get(address).status_code == 302
    board = Client()
    board.force_login(people[0])
    assert board.get(address).status_code == 404
    assert board.post(address, {"ruling": "upheld", "reasons": "No."}).status_code == 404
    assert not filed.panel.exclude(ruling="").exists()
