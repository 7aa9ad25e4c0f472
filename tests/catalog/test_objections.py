"""Works that are public when members vote a stricter rule: told at once, off sixty days later, and heard before."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog import objections, publishing
from catalog.content import CannotPublish
from catalog.models import Work
from catalog.objection_models import ContentLook, Objection, ObjectionAppeal
from catalog.objections import ObjectionOver
from catalog.publishing import WorkUnavailable
from members import clock, policies
from members.models import Notice
from members.problems import Invalid, NotFound
from members.voting.panels import PanelOver
from playback import sessions
from tests import cast
from tests.callers import Caller, slug
from tests.members import assembly

pytestmark = pytest.mark.django_db
State, Outcome, Ruling = Work.State, Objection.Outcome, ObjectionAppeal.Ruling
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _fresh_policies():
    """Forget versions that a test recorded and rolled back."""
    policies.forget()
    yield
    policies.forget()


@pytest.fixture
def ana():
    """Give a creator."""
    return cast.person("ana")


@pytest.fixture
def machine(ana):
    """Give a published work that a machine made."""
    return made_by_machine(cast.creator(ana))


def made_by_machine(profile):
    work = cast.track(profile)
    Work.objects.filter(id=work.id).update(origin=Work.Origin.AI_GENERATED)
    work.refresh_from_db()
    return work


def forbid(after=timedelta(days=1)):
    return cast.vote("content", after=after, ai_generated="forbidden")


def beat():
    return objections.look(now=clock.now()) + objections.settle(now=clock.now())


def later(days):
    cast.set_clock(clock.now() + timedelta(days=days))
    beat()


def sessions_begin(person, work):
    sessions.begin(person_id=person.id, work_id=work.id, now=clock.now())


def buy(person, work):
    cast.buy(person, work, price_micros=1_022_000)


def state(work):
    return Work.objects.values_list("state", flat=True).get(id=work.id)


def test_its_people_are_told_at_once_and_it_goes_off_after_sixty_days(ana, machine):
    human = cast.track(machine.creator)
    lena, lars, mia = (cast.person(name) for name in ("lena", "lars", "mia"))
    cast.top_up(lena, 1_000)
    cast.buy(lena, machine, price_micros=1_022_000)
    begun, _ = sessions.begin(person_id=mia.id, work_id=machine.id, now=clock.now())
    forbid()
    assert beat() == 1
    found = Objection.objects.get()
    assert (found.work_id, found.policy_seq, found.rule) == (machine.id, 2, "ai_generated")
    assert timedelta(days=59, hours=23) < found.leaves_at - clock.now() <= 60 * DAY
    told = Notice.objects.get(person=ana, subject__contains="does not fit a rule")
    assert "content, version 2" in told.body
    assert f"/works/{machine.id}/objection" in told.body
    assert beat() == 0
    later(59)
    assert state(machine) == State.PUBLISHED
    later(1.1)
    assert (state(machine), state(human)) == (State.OFF, State.PUBLISHED)
    machine.refresh_from_db()
    assert machine.state_reason == "Members voted: Works made by machines alone are not admitted."
    assert Notice.objects.filter(person=ana, subject__contains="went off the catalogue").count() == 1
    # Owners keep it, nobody new begins it, and nothing that it earned is held.
    sitting, _ = sessions.begin(person_id=lena.id, work_id=machine.id, now=clock.now())
    assert sitting.basis == sessions.OWNED
    for ask in (
        lambda: sessions_begin(lars, machine),
        lambda: buy(lars, machine),
        lambda: sessions.requote(person_id=mia.id, session_id=begun.id, now=clock.now()),
    ):
        with pytest.raises(WorkUnavailable) as refused:
            ask()
        assert refused.value.extra == {"policy": {"key": "content", "seq": 2, "href": "/policies/content#v2"}}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM catalog_suspension_facts")
        assert cursor.fetchone() == (0,)
    with pytest.raises(CannotPublish) as refused:
        publishing.publish(work_id=machine.id, person_id=ana.id, now=clock.now())
    assert refused.value.extra["policy"] == {"key": "content", "seq": 2, "href": "/policies/content#v2"}


def test_who_had_begun_it_plays_on_for_ninety_days(machine):
    lena = cast.person("lena")
    cast.top_up(lena, 1_000)
    cast.play(lena, machine)
    forbid()
    beat()
    later(61)
    assert state(machine) == State.OFF
    assert cast.play(lena, machine).play_number == 2
    later(91)
    with pytest.raises(WorkUnavailable):
        sessions.begin(person_id=lena.id, work_id=machine.id, now=clock.now())


def test_it_never_goes_before_the_version_holds(machine):
    begins = forbid(after=timedelta(days=100))
    beat()
    assert Objection.objects.get().leaves_at == begins
    later(61)
    assert state(machine) == State.PUBLISHED


def test_a_work_that_came_while_the_rule_was_still_to_come_is_met_as_well(ana):
    forbid(after=timedelta(days=2))
    assert beat() == 0
    late = made_by_machine(cast.creator(ana))
    assert beat() == 1
    assert not ContentLook.objects.exists()
    later(2.1)
    assert list(ContentLook.objects.values_list("policy_seq", flat=True)) == [2]
    assert Objection.objects.get().work_id == late.id


def test_only_rules_that_became_stricter_object(machine):
    forbid()
    beat()
    keep(machine)
    cast.set_clock(clock.now() + 2 * DAY)
    cast.vote("content", photo_edge_min=2_000)
    photo = cast.photo(machine.creator)
    assert beat() == 1
    assert Objection.objects.get(policy_seq=3).work_id == photo.id
    later(70)
    assert (state(machine), state(photo)) == (State.PUBLISHED, State.OFF)


def owner(work):
    return work.creator.roles.get(role="owner").person


def keep(work):
    """Decide the appeal of a work for it, without a panel."""
    Objection.objects.filter(work=work).update(outcome=Outcome.KEPT, ended_at=clock.now())


@pytest.mark.parametrize(
    ("rule", "change", "figures"),
    [
        ("lossless", {"lossless": False}, {"lossless": "required"}),
        ("sample_rate_min", {}, {"sample_rate_min": 48_000}),
        ("photo_edge_min", {"kind": "photo", "width": 1_600, "height": 900}, {"photo_edge_min": 1_601}),
    ],
)  # fmt: skip
def test_every_rule_meets_what_it_refuses_and_nothing_else(ana, rule, change, figures):
    profile = cast.creator(ana)
    met = cast.track(profile)
    Work.objects.filter(id=met.id).update(**change)
    spared = cast.track(profile)
    Work.objects.filter(id=spared.id).update(historic=True, lossless=True)
    cast.vote("content", **figures)
    assert beat() == 1
    assert list(Objection.objects.values_list("work_id", "rule")) == [(met.id, rule)]


def test_a_work_that_was_mended_stays(machine):
    forbid()
    beat()
    Work.objects.filter(id=machine.id).update(origin=Work.Origin.AI_ASSISTED)
    later(61)
    assert (state(machine), Objection.objects.get().outcome) == (State.PUBLISHED, Outcome.MENDED)


def test_a_later_vote_that_admits_it_again_ends_the_objection(machine):
    forbid()
    beat()
    cast.set_clock(clock.now() + 2 * DAY)
    cast.vote("content", ai_generated="labelled")
    later(61)
    assert (state(machine), Objection.objects.get().outcome) == (State.PUBLISHED, Outcome.MENDED)


# Appeals.


def appeal(work, person, text):
    found = Objection.objects.get(work=work)
    return objections.appeal(objection_id=found.id, person_id=person.id, text=text, now=clock.now())


@pytest.fixture
def panel(ana):
    """Give an appealed work, and who was drawn to decide it, of six members one of whom is a director."""
    people = assembly.members("ada", "bo", "cem", "dora", "emil", "fay")
    people[0].staff_roles.create(role="director")
    profile = cast.creator(ana)
    profile.roles.create(person=people[1], role="viewer")
    work = made_by_machine(profile)
    forbid()
    beat()
    filed = appeal(work, ana, "A choir sang it.")
    drawn = [one.person for one in filed.panel.select_related("person")]
    assert len(drawn) == 3
    assert not {people[0].id, people[1].id} & {one.id for one in drawn}
    return work, filed, drawn


def say(filed, person, ruling):
    return objections.rule(
        appeal_id=filed.id, person_id=person.id, ruling=ruling, reasons="We listened.", now=clock.now()
    )


def test_an_appeal_stops_it_and_two_of_three_let_it_stay(ana, panel):
    work, filed, drawn = panel
    assert Notice.objects.filter(subject__startswith="You were drawn").count() == 3
    say(filed, drawn[0], Ruling.STAYS)
    assert not Objection.objects.get().outcome
    assert say(filed, drawn[1], Ruling.STAYS).ruling == Ruling.STAYS
    assert Objection.objects.get().outcome == Outcome.KEPT
    assert Notice.objects.filter(person=ana, subject__contains="stays: your appeal").count() == 1
    with pytest.raises(PanelOver):
        say(filed, drawn[2], Ruling.GOES)
    later(90)
    assert state(work) == State.PUBLISHED


def test_two_of_three_let_it_go_and_its_sixty_days_stay(panel):
    work, filed, drawn = panel
    for one in drawn[:2]:
        say(filed, one, Ruling.GOES)
    later(58)
    assert state(work) == State.PUBLISHED
    later(3)
    assert state(work) == State.OFF


def test_where_they_are_silent_the_vote_stands(panel):
    work, _, _ = panel
    ObjectionAppeal.objects.update(decide_until=Objection.objects.get().leaves_at + 5 * DAY)
    later(61)
    assert state(work) == State.PUBLISHED
    later(5)
    assert state(work) == State.OFF


def test_nobody_else_appeals_or_decides(ana, panel):
    work, filed, drawn = panel
    with pytest.raises(NotFound):
        appeal(work, drawn[0], "Mine.")
    with pytest.raises(ObjectionOver):
        appeal(work, ana, "Again.")
    with pytest.raises(NotFound):
        say(filed, ana, Ruling.STAYS)
    with pytest.raises(Invalid):
        say(filed, drawn[0], "maybe")
    assert not ObjectionAppeal.objects.get().panel.exclude(ruling="").exists()


# Pages.


def signed_in(person):
    client = Client()
    client.force_login(person)
    return client


def test_the_studio_says_so_and_the_panel_decides_on_its_page(ana, panel):
    work, filed, drawn = panel
    for address in ("/studio", f"/studio/works/{work.id}", f"/works/{work.id}/objection"):
        page = signed_in(ana).get(address).content.decode()
        assert "Works made by machines alone are not admitted." in page, address
        assert 'href="/policies/content#v2"' in page, address
    address = f"/objections/{filed.id}"
    assert "A choir sang it." in signed_in(drawn[0]).get(address).content.decode()
    assert signed_in(ana).get(address).status_code == 404
    assert signed_in(drawn[0]).get(f"/works/{work.id}/objection").status_code == 404
    assert signed_in(drawn[0]).post(address, {"reasons": "Because."}).status_code == 400
    for one in drawn[:2]:
        answer = signed_in(one).post(address, {"ruling": "goes", "reasons": "Machines."})
        assert (answer.status_code, answer.headers["Location"]) == (302, address)
    page = signed_in(ana).get(f"/works/{work.id}/objection").content.decode()
    assert "It goes. Machines." in page
    assert all(one.name not in page for one in drawn)
    later(61)
    page = Client().get(f"/works/{work.id}").content.decode()
    assert "Members voted: Works made by machines alone are not admitted." in page
    assert 'href="/policies/content#v2"' in page


def test_an_appeal_is_filed_on_the_page(ana, machine):
    forbid()
    beat()
    address = f"/works/{machine.id}/objection"
    browser = signed_in(ana)
    assert browser.post(address, {"text": " "}).status_code == 400
    assert browser.post(address, {"text": "A choir sang it."}).status_code == 302
    assert ObjectionAppeal.objects.get().text == "A choir sang it."
    assert browser.post(address, {"text": "Again."}).status_code == 409


def test_looking_again_asks_once_and_the_studio_asks_as_much_for_many(ana, machine):
    forbid()
    beat()
    later(2)
    now = clock.now()
    with CaptureQueriesContext(connection) as asked:
        assert objections.look(now=now) + objections.settle(now=now) == 0
    assert len(asked) == 2
    browser = signed_in(ana)
    browser.get("/studio")
    with CaptureQueriesContext(connection) as few:
        browser.get("/studio")
    for _ in range(3):
        work = made_by_machine(machine.creator)
        Objection.objects.create(
            work=work, policy_seq=2, rule="ai_generated", words="No.", made_at=clock.now(),
            leaves_at=clock.now() + DAY,
        )  # fmt: skip
    with CaptureQueriesContext(connection) as many:
        assert browser.get("/studio").content.decode().count("What you can do") == 4
    assert len(many) == len(few)


# Over the API.


def test_who_runs_a_work_lists_what_objects_and_appeals(ana, machine):
    forbid()
    beat()
    program, stranger = Caller(ana, "publish"), Caller(cast.person("lars"), "publish")
    (found,) = program.get("objections").json()["results"]
    leaves_at = Objection.objects.get().leaves_at.astimezone(clock.zone())
    assert (found["work"], found["title"], found["outcome"], found["ended_at"]) == (
        str(machine.id), machine.title, "", None,
    )  # fmt: skip
    assert found["policy"] == {"key": "content", "seq": 2, "href": "/policies/content#v2"}
    assert (found["rule"], found["words"]) == ("ai_generated", "Works made by machines alone are not admitted.")
    assert (found["leaves_at"], found["appeal"]) == (leaves_at.isoformat(), None)
    address = f"objections/{found['id']}/appeal"
    assert stranger.get("objections").json()["results"] == []
    assert slug(stranger.post(address, {"text": "Mine."})) == "not-found"
    assert slug(Caller(ana, "vote").post(address, {"text": "A choir sang it."})) == "scope-missing"
    for body in ({}, {"text": " "}, {"text": "x" * 4_001}, {"text": "A choir.", "work": str(machine.id)}):
        assert slug(program.post(address, body)) == "invalid"
    assert not ObjectionAppeal.objects.exists()
    filed = program.post(address, {"text": "A choir sang it."})
    assert filed.status_code == 201
    again = program.post(address, {"text": "Again."})
    assert (again.status_code, slug(again)) == (409, "objection-over")
    assert again.json()["detail"] == "There is one appeal against an objection, and it was filed."
    (found,) = program.get("objections").json()["results"]
    assert (found["appeal"]["id"], found["appeal"]["text"]) == (filed.json()["id"], "A choir sang it.")
    assert (found["appeal"]["ruling"], found["appeal"]["rulings"]) == ("", [])


def test_the_three_decide_over_the_api_and_the_people_of_the_work_read_no_names(ana, panel):
    work, filed, drawn = panel
    address = f"panels/{filed.id}"
    (duty,) = Caller(drawn[0], "vote").get("panels").json()["results"]
    assert (duty["title"], duty["path"]) == (f"a work: “{work.title}”", f"/objections/{filed.id}")
    shown = Caller(drawn[0], "vote").get(address).json()
    assert (shown["may_say"], shown["text"]) == (["stays", "goes"], "A choir sang it.")
    assert shown["decision"] == "Works made by machines alone are not admitted."
    assert Caller(ana, "vote").get(address).status_code == 404
    refused = Caller(drawn[0], "vote").post(f"{address}/rule", {"ruling": "lifted", "reasons": "Hm."})
    assert refused.json()["detail"] == "Say one of stays, goes."
    for one in drawn[:2]:
        answer = Caller(one, "vote").post(f"{address}/rule", {"ruling": "stays", "reasons": "It is a choir."})
        assert answer.status_code == 200
    late = Caller(drawn[2], "vote").post(f"{address}/rule", {"ruling": "goes", "reasons": "No."})
    assert (late.status_code, slug(late)) == (409, "panel-over")
    text = Caller(ana, "publish").get("objections").content.decode()
    assert text.count("It is a choir.") == 2
    assert '"outcome":"kept"' in text.replace(" ", "")
    assert not any(one.name in text or str(one.id) in text for one in drawn)
    ended = Caller(ana, "publish").post(f"objections/{Objection.objects.get().id}/appeal", {"text": "More."})
    assert (slug(ended), ended.json()["detail"].startswith("It has ended")) == ("objection-over", True)


def test_everybody_reads_by_which_vote_a_work_went_off(ana, machine):
    anybody = Caller(None)
    forbid()
    beat()
    assert anybody.get(f"works/{machine.id}/objections").json() == {"results": []}
    later(61)
    (found,) = anybody.get(f"works/{machine.id}/objections").json()["results"]
    assert (found["rule"], found["policy"]["href"]) == ("ai_generated", "/policies/content#v2")
    assert found["words"] == "Works made by machines alone are not admitted."
    assert set(found) == {"policy", "rule", "words", "ended_at"}
    draft = cast.track(machine.creator, state=State.DRAFT)
    assert anybody.get(f"works/{draft.id}/objections").status_code == 404


def test_two_rules_object_and_each_has_its_appeal(ana, machine):
    Work.objects.filter(id=machine.id).update(lossless=False)
    forbid()
    beat()
    cast.set_clock(clock.now() + 2 * DAY)
    cast.vote("content", lossless="required")
    beat()
    browser, address = signed_in(ana), f"/works/{machine.id}/objection"
    for text in ("A choir sang it.", "The tape is lost."):
        assert browser.post(address, {"text": text}).status_code == 302
    assert browser.post(address, {"text": "Again."}).status_code == 409
    filed = {one.objection.rule: one.text for one in ObjectionAppeal.objects.select_related("objection")}
    assert filed == {"ai_generated": "A choir sang it.", "lossless": "The tape is lost."}


def test_a_list_of_objections_asks_as_much_for_many(ana, machine, django_assert_num_queries):
    program = Caller(ana, "publish")
    forbid()
    beat()
    program.get("objections")
    with CaptureQueriesContext(connection) as few:
        program.get("objections")
    for _ in range(4):
        made_by_machine(machine.creator)
    beat()
    with django_assert_num_queries(len(few)):
        answer = program.get("objections?page_size=3").json()
    assert len(answer["results"]) == 3
    assert len(program.get(answer["next"].partition("/api/v1/")[2]).json()["results"]) == 2
