"""Reports: filed by anybody, answered with reasons, suspension with a statement, an appeal decided by somebody else."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, transaction
from django.db.utils import DatabaseError

from catalog import people, publishing, report_numbers, reports
from catalog.models import CreatorRole, Work
from catalog.publishing import CannotPublish
from catalog.report_models import Appeal, Lifting, Report, ReportDecision, Suspension
from catalog.reports import AlreadyDecided, AppealFiled, NotSuspended
from members import clock
from members.models import Notice
from members.problems import Invalid, NotAllowed, NotFound
from playback import sessions
from tests import callers, cast
from tests.callers import Caller, slug

pytestmark = pytest.mark.django_db
STATEMENT = {"facts": "It is a recording of Ben's.", "rule": "Section 97 of the copyright act.", "scope": "Everywhere."}


@pytest.fixture
def ana():
    """Give a musician."""
    return cast.person("ana")


@pytest.fixture
def work(ana):
    """Give a published track of hers."""
    return cast.track(cast.creator(ana))


@pytest.fixture
def wen():
    """Give somebody who looks after the catalogue."""
    return cast.person("wen", staff=("catalogue",))


@pytest.fixture
def wim():
    """Give somebody else who does."""
    return cast.person("wim", staff=("catalogue",))


def report(work, *, by=None, category="rights", text="It is mine.", contact="", now=None):
    return reports.file(
        work_id=work.id,
        person_id=by.id if by else None,
        category=category,
        text=text,
        contact=contact,
        now=now or clock.now(),
    )


def suspend(work, by):
    return reports.suspend(work_id=work.id, staff_id=by.id, now=clock.now(), **STATEMENT)


def decide(appeal, by, *, lifts=True):
    return reports.decide_appeal(
        appeal_id=appeal.id, staff_id=by.id, lifts=lifts, reasons="We listened again.", now=clock.now()
    )


def appeal_by(person, work, text="It is a cover, and licensed."):
    return reports.appeal(work_id=work.id, person_id=person.id, text=text, now=clock.now())


def state_of(work):
    return Work.objects.get(id=work.id).state


# Filing.


def test_anybody_may_report_and_is_told_that_we_have_it(work):
    filed = report(work, contact="nobody@elsewhere.example")
    told = Notice.objects.get(key=f"report:{filed.id}")
    assert (told.address, told.person) == ("nobody@elsewhere.example", None)
    assert "It is mine." in told.body
    assert "It is mine." in told.html
    assert state_of(work) == "published"


def test_a_report_without_an_address_is_answered_to_nobody(work):
    report(work)
    assert not Notice.objects.exists()


def test_who_is_signed_in_is_answered_where_they_sign_in(work):
    lena = cast.person("lena")
    first = report(work, by=lena)
    assert Notice.objects.get(key=f"report:{first.id}").person_id == lena.id
    assert report(work, by=lena).id == first.id
    assert report(work, by=lena, category="details").id != first.id


def test_a_report_is_about_something_that_is_there(ana, work):
    draft = cast.track(cast.creator(ana), state="draft")
    for wrong in ({"text": " "}, {"text": "x" * 4_001}, {"category": "taste"}, {"contact": "not an address"}):
        with pytest.raises(Invalid):
            report(work, **wrong)
    with pytest.raises(NotFound):
        report(draft, by=ana)
    assert not Report.objects.exists()


# Deciding.


def test_a_dismissal_answers_all_open_reports_and_changes_nothing_else(work, wen):
    report(work, contact="a@elsewhere.example")
    report(work, by=cast.person("lena"), category="other")
    decision = reports.dismiss(work_id=work.id, staff_id=wen.id, reasons="The credit is right.", now=clock.now())
    assert set(Report.objects.values_list("decision", flat=True)) == {decision.id}
    assert state_of(work) == "published"
    told = Notice.objects.filter(key__startswith="report-decided:")
    assert {notice.address or notice.person.name for notice in told} == {"a@elsewhere.example", "Lena"}
    assert all("The credit is right." in notice.body for notice in told)
    with pytest.raises(AlreadyDecided):
        reports.dismiss(work_id=work.id, staff_id=wen.id, reasons="Again.", now=clock.now())


def test_a_suspension_states_its_reasons_to_the_people_of_the_work(ana, wen):
    ben = cast.person("ben")
    work = cast.track(cast.creator(ana, editors=(ben,), viewers=(cast.person("vera"),)))
    report(work)
    suspension = suspend(work, wen)
    assert (state_of(work), suspension.state_before) == ("suspended", "published")
    told = Notice.objects.filter(key__startswith="suspension:")
    assert {notice.person_id for notice in told} == {ana.id, ben.id}
    for notice in told:
        for words in (*STATEMENT.values(), f"/works/{work.id}/appeal", "somebody else"):
            assert words in notice.body.replace("&#x27;", "'")
        assert notice.html


def test_nothing_is_sold_of_a_suspended_work_and_its_owner_hears_it(ana, wen, work):
    lena, lars = cast.person("lena"), cast.person("lars")
    cast.top_up(lena, 500)
    cast.buy(lena, work, price_micros=1_022_000)
    report(work)
    suspend(work, wen)
    with pytest.raises(publishing.WorkUnavailable):
        sessions.begin(person_id=lars.id, work_id=work.id, now=clock.now())
    sitting, _ = sessions.begin(person_id=lena.id, work_id=work.id, now=clock.now())
    assert sitting.basis == sessions.OWNED
    with pytest.raises(CannotPublish):
        publishing.publish(work_id=work.id, person_id=ana.id, now=clock.now())


def test_a_work_whose_profile_was_closed_meanwhile_is_off_when_its_suspension_is_lifted(ana, wen, work):
    lars = cast.person("lars")
    report(work)
    suspend(work, wen)
    people.close(creator_id=work.creator_id, person_id=ana.id, now=clock.now())
    lifted_at = clock.now()
    reports.lift(work_id=work.id, staff_id=wen.id, reasons="It was a mistake.", now=lifted_at)
    work.refresh_from_db()
    assert (work.state, work.off_at) == (Work.State.OFF, lifted_at)
    assert "is taken off by its people again" in Notice.objects.get(key__startswith="lifting:", person=ana).body
    with pytest.raises(publishing.WorkUnavailable):
        sessions.begin(person_id=lars.id, work_id=work.id, now=clock.now())


@pytest.mark.parametrize("part", ["facts", "rule", "scope"])
def test_a_suspension_without_a_whole_statement_is_none(work, wen, part):
    report(work)
    with pytest.raises(Invalid):
        reports.suspend(work_id=work.id, staff_id=wen.id, now=clock.now(), **{**STATEMENT, part: " "})
    assert state_of(work) == "published"
    assert not ReportDecision.objects.exists()


def test_a_work_is_suspended_only_after_a_report_and_once(work, wen):
    with pytest.raises(AlreadyDecided):
        suspend(work, wen)
    report(work)
    suspend(work, wen)
    report(work)
    with pytest.raises(AlreadyDecided):
        suspend(work, wen)
    assert Suspension.objects.count() == 1


@pytest.mark.parametrize("roles", [(), ("treasurer",), ("director",), ("secretary",)])
def test_only_the_catalogues_staff_decides(work, wen, ana, roles):
    other = cast.person("sam", staff=roles)
    report(work)
    suspend(work, wen)
    filed = appeal_by(ana, work)
    report(work)
    before = callers.digest()
    for attempt in (
        lambda: reports.queue(staff_id=other.id),
        lambda: reports.appeals_waiting(staff_id=other.id),
        lambda: reports.suspended_works(staff_id=other.id),
        lambda: reports.dismiss(work_id=work.id, staff_id=other.id, reasons="x", now=clock.now()),
        lambda: suspend(work, other),
        lambda: decide(filed, other),
        lambda: reports.lift(work_id=work.id, staff_id=other.id, reasons="x", now=clock.now()),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    assert callers.digest() == before


@pytest.mark.parametrize("role", ["owner", "editor", "viewer", "payee"])
def test_nobody_decides_about_a_work_of_their_own(ana, wen, wim, work, role):
    report(work)
    if role == "payee":
        line = work.split_sheets.get().lines.get()
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("UPDATE catalog_splitline SET person_id = %s WHERE id = %s", [wen.id, line.id])
            cursor.execute("SET LOCAL session_replication_role = origin")
    else:
        CreatorRole.objects.create(creator=work.creator, person=wen, role=role)
    assert [case.own for case in reports.queue(staff_id=wen.id)] == [True]
    for attempt in (
        lambda: suspend(work, wen),
        lambda: reports.dismiss(work_id=work.id, staff_id=wen.id, reasons="x", now=clock.now()),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    suspend(work, wim)
    filed = appeal_by(ana, work)
    with pytest.raises(NotAllowed):
        decide(filed, wen)
    with pytest.raises(NotAllowed):
        reports.lift(work_id=work.id, staff_id=wen.id, reasons="x", now=clock.now())
    assert state_of(work) == "suspended"


# Appeal and lifting.


@pytest.mark.parametrize("before", ["published", "off"])
def test_lifting_restores_what_was_before(ana, wen, wim, work, before):
    if before == "off":
        publishing.take_off(work_id=work.id, person_id=ana.id, now=clock.now())
    off_at = Work.objects.get(id=work.id).off_at
    report(work)
    suspend(work, wen)
    decided = decide(appeal_by(ana, work), wim)
    assert decided.outcome == "lifted"
    stands = Work.objects.get(id=work.id)
    assert (stands.state, stands.state_reason, stands.off_at) == (before, "", off_at)
    assert Notice.objects.filter(person=ana, key__startswith="lifting:").count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT suspended_at < lifted_at FROM catalog_work_suspension WHERE work_id = %s", [work.id])
        assert cursor.fetchall() == [(True,)]


def test_an_appeal_is_decided_by_another_and_once(ana, wen, wim, work):
    report(work)
    suspend(work, wen)
    filed = appeal_by(ana, work)
    with pytest.raises(NotAllowed):
        decide(filed, wen)
    assert decide(filed, wim, lifts=False).outcome == "upheld"
    assert state_of(work) == "suspended"
    with pytest.raises(AlreadyDecided):
        decide(filed, wim)
    with pytest.raises(AppealFiled):
        appeal_by(ana, work)
    assert "We listened again." in Notice.objects.get(key__startswith="appeal-decided:").body


def test_only_who_runs_the_work_appeals_and_only_while_it_is_suspended(ana, wen, work):
    vera = cast.person("vera")
    CreatorRole.objects.create(creator=work.creator, person=vera, role="viewer")
    with pytest.raises(NotSuspended):
        appeal_by(ana, work)
    report(work)
    suspend(work, wen)
    for stranger in (vera, cast.person("lars"), wen):
        with pytest.raises(NotFound):
            appeal_by(stranger, work)
    with pytest.raises(Invalid):
        appeal_by(ana, work, text="")
    assert not Appeal.objects.exists()


def test_a_mistake_is_lifted_without_an_appeal_and_may_be_suspended_anew(ana, wen, work):
    report(work)
    suspend(work, wen)
    reports.lift(work_id=work.id, staff_id=wen.id, reasons="I mistook it.", now=clock.now())
    assert state_of(work) == "published"
    with pytest.raises(NotSuspended):
        reports.lift(work_id=work.id, staff_id=wen.id, reasons="Again.", now=clock.now())
    report(work)
    suspend(work, wen)
    assert (Suspension.objects.count(), Lifting.objects.count(), state_of(work)) == (2, 1, "suspended")
    appeal_by(ana, work)


def test_an_appeal_against_what_was_lifted_waits_for_nobody(ana, wen, wim, work):
    report(work)
    suspend(work, wen)
    filed = appeal_by(ana, work)
    assert list(reports.appeals_waiting(staff_id=wim.id)) == [filed]
    reports.lift(work_id=work.id, staff_id=wen.id, reasons="I mistook it.", now=clock.now())
    assert list(reports.appeals_waiting(staff_id=wim.id)) == []
    for lifts in (True, False):
        with pytest.raises(AlreadyDecided, match="lifted meanwhile"):
            decide(filed, wim, lifts=lifts)
    assert not Notice.objects.filter(key__startswith="appeal-decided:").exists()


# The record.


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE catalog_report SET text = 'x'",
        "UPDATE catalog_report SET decision_id = NULL",
        "DELETE FROM catalog_report",
        "UPDATE catalog_reportdecision SET reasons = 'x'",
        "DELETE FROM catalog_reportdecision",
        "UPDATE catalog_suspension SET suspended_at = now()",
        "DELETE FROM catalog_suspension",
        "UPDATE catalog_appeal SET text = 'x'",
        "DELETE FROM catalog_appeal",
        "UPDATE catalog_appealdecision SET outcome = 'upheld'",
        "UPDATE catalog_lifting SET lifted_at = now()",
        "DELETE FROM catalog_lifting",
    ],
)
def test_the_record_stays_as_it_was_written(ana, wen, wim, work, change):
    report(work)
    suspend(work, wen)
    decide(appeal_by(ana, work), wim)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


def test_the_database_refuses_an_appeal_decided_by_who_suspended(ana, wen, work):
    report(work)
    suspend(work, wen)
    filed = appeal_by(ana, work)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO catalog_appealdecision (appeal_id, outcome, staff_id, reasons, decided_at)"
            " VALUES (%s, 'lifted', %s, 'x', now())",
            [filed.id, wen.id],
        )


def test_the_yearly_numbers(ana, wen, wim):
    profile, now = cast.creator(ana), datetime(2026, 3, 10, 12, tzinfo=UTC)
    one, two, three = (cast.track(profile) for _ in range(3))
    report(one, now=now)
    report(one, category="other", now=now + timedelta(days=1))
    report(two, now=now)
    report(three, category="minors", now=datetime(2025, 12, 31, 23, 30, tzinfo=UTC))  # 2026 in Berlin
    reports.dismiss(work_id=one.id, staff_id=wen.id, reasons="x", now=now + timedelta(days=3))
    reports.suspend(work_id=two.id, staff_id=wen.id, now=now + timedelta(days=9), **STATEMENT)
    filed = reports.appeal(work_id=two.id, person_id=ana.id, text="x", now=now + timedelta(days=10))
    reports.decide_appeal(appeal_id=filed.id, staff_id=wim.id, lifts=True, reasons="x", now=now + timedelta(days=300))
    found = report_numbers.years(now=datetime(2027, 1, 2, tzinfo=UTC))
    assert [year.year for year in found] == [2027, 2026]
    assert (found[0].reports, found[0].appeals_lifted, found[0].liftings, found[0].median_days) == (0, 1, 1, None)
    year = found[1]
    assert {one.key: one.reports for one in year.categories if one.reports} == {"rights": 2, "other": 1, "minors": 1}
    assert (year.reports, year.open, year.dismissed, year.suspended) == (4, 1, 1, 1)
    assert (year.median_days, year.appeals, year.appeals_lifted) == (3, 1, 0)


def test_the_queue_asks_as_often_for_many_as_for_one(ana, wen, django_assert_num_queries):
    profile = cast.creator(ana)
    for count in (1, 4):
        for _ in range(count):
            work = cast.track(profile)
            report(work, by=cast.person("lena"))
            report(work)
        with django_assert_num_queries(4):
            found = reports.queue(staff_id=wen.id)
    assert [len(case.reports) for case in found] == [2] * 5


# Over HTTP.


def test_the_whole_of_it_over_http(ana, wen, wim, work):
    callers.forget_counts()
    nobody, at_wens, at_wims, at_anas = Caller(None), Caller(wen), Caller(wim), Caller(ana)
    filed = nobody.post(f"works/{work.id}/report", {"category": "rights", "text": "It is mine."})
    assert filed.status_code == 201
    (case,) = at_wens.get("staff/reports").json()["results"]
    assert (case["work"], case["own"], case["reports"][0]["text"]) == (str(work.id), False, "It is mine.")
    assert at_wens.post(f"staff/works/{work.id}/suspend", STATEMENT).json()["facts"] == STATEMENT["facts"]
    assert at_wens.get("staff/reports").json()["results"] == []
    appeal = at_anas.post("appeals", {"work": str(work.id), "text": "It is licensed."})
    assert (appeal.status_code, appeal.json()["decision"]) == (201, None)
    (waiting,) = at_wims.get("staff/appeals").json()["results"]
    decision = {"lifts": True, "reasons": "It is."}
    refused = at_wens.post(f"staff/appeals/{waiting['id']}/decide", decision)
    assert (refused.status_code, slug(refused)) == (403, "not-allowed")
    assert at_wims.post(f"staff/appeals/{waiting['id']}/decide", decision).json()["outcome"] == "lifted"
    assert at_anas.get("appeals").json()["results"][0]["decision"]["outcome"] == "lifted"
    assert state_of(work) == "published"
    year = nobody.get("reports").json()["results"][0]
    assert (year["reports"], year["suspended"], year["appeals_lifted"]) == (1, 1, 1)


def test_nobody_reports_without_end(work):
    callers.forget_counts()
    ask = Caller(None)
    told = [ask.post(f"works/{work.id}/report", {"category": "other", "text": f"{n}"}).status_code for n in range(21)]
    assert told == [201] * 20 + [429]
    assert Report.objects.count() == 20
    callers.forget_counts()


def test_the_pages(ana, wen, wim, work, client):
    callers.forget_counts()
    page = client.post(f"/works/{work.id}/report", {"category": "rights", "text": "<b>mine</b>", "contact": ""})
    assert (page.status_code, b"&lt;b&gt;mine&lt;/b&gt;" in page.content) == (200, True)
    assert client.post(f"/works/{work.id}/report", {"text": "x"}).status_code == 400
    client.force_login(wen)
    assert b"It is mine" not in client.get("/staff/reports").content
    assert client.post(f"/staff/works/{work.id}/suspend", {"facts": "x"}).status_code == 400
    assert client.post(f"/staff/works/{work.id}/suspend", STATEMENT).status_code == 302
    client.force_login(ana)
    assert b"Section 97" in client.get(f"/works/{work.id}/appeal").content
    assert client.post(f"/works/{work.id}/appeal", {"text": "It is licensed."}).status_code == 302
    client.force_login(wim)
    appeal = Appeal.objects.get()
    assert b"It is licensed." in client.get("/staff/reports").content
    done = client.post(f"/staff/appeals/{appeal.id}/decide", {"lifts": "1", "reasons": "It is."})
    assert (done.status_code, state_of(work)) == (302, "published")
    client.force_login(cast.person("lars"))
    assert client.get("/staff/reports").status_code == 403
    assert client.get(f"/works/{work.id}/appeal").status_code == 404
    client.logout()
    assert b"Suspensions lifted in all" in client.get("/reports").content
    with pytest.raises(ObjectDoesNotExist):
        Suspension.objects.get(lifting=None)
