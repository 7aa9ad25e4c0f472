"""The pages of belonging over HTTP: from an application to the first dues, hours, the register, expulsions."""

from datetime import timedelta

import pytest
from django.test import Client

from members import clock
from members.belonging import expulsions, memberships, register
from members.belonging.models import Expulsion, Membership, ShareHolding, WorkedTime
from tests import cast
from tests.members import belonging

pytestmark = pytest.mark.django_db


def browser(person):
    made = Client()
    made.force_login(person)
    return made


def text(answer, status=200):
    assert answer.status_code == status, (answer.status_code, answer.content[:400])
    return answer.content.decode()


def post(by, path, status=302, **sent):
    answer = by.post(path, sent)
    assert answer.status_code == status, (answer.status_code, answer.content[:600])
    return answer


def test_from_an_application_to_a_member_who_leaves():
    lena, sam = cast.person("lena"), browser(belonging.secretary())
    cast.top_up(lena, 2_000)
    page = browser(lena)
    assert "Refrain belongs to those who use it" in text(page.get("/membership"))
    form = {"legal_name": "Lena <b>Example", "postal_address": "Ring 1", "member_classes": ["listener", "creator"]}
    assert "Choose at least one class" in text(post(page, "/membership/application", 400, legal_name="L"), 400)
    post(page, "/membership/application", voting_class="listener", **form)
    assert "Your application is with the secretary" in text(page.get("/membership"))
    refused = post(page, "/membership/application", 409, voting_class="listener", **form)
    assert "already-a-member" in text(refused, 409)
    shown = text(sam.get("/secretary"))
    assert "Lena &lt;b&gt;Example" in shown
    assert "creator, listener" in shown
    found = Membership.objects.get(person=lena)
    post(sam, f"/secretary/applications/{found.id}/approve")
    assert "decided or taken back" in text(post(sam, f"/secretary/applications/{found.id}/approve", 409), 409)
    assert "Your first dues make you a member" in text(page.get("/membership"))
    due = clock.day(clock.now()).isoformat()
    assert "named by its first day" in text(post(page, "/membership/dues", 400, covers_from="soon"), 400)
    post(page, "/membership/dues", covers_from=due)
    post(page, "/membership/dues", covers_from=due)
    shown = text(page.get("/membership"))
    assert "You are member number 1" in shown
    assert "agreed, waits for its condition" in shown
    assert cast.wallet(lena).balance_micros == 10_000_000
    assert "Dues of a member" in text(page.get("/wallet"))
    assert "You vote in a class in which you hold a place" in text(
        post(page, "/membership/vote", 400, member_class="creator"), 400
    )
    assert "Tick the box" in text(post(page, "/membership/leave", 400), 400)
    post(page, "/membership/leave", sure="yes")
    assert "You left on" in text(page.get("/membership"))


def test_shares_by_bank_and_back_by_two_treasurers():
    lena = belonging.member("lena", now=clock.now())
    tess, tom, page = browser(cast.treasurer("tess")), browser(cast.treasurer("tom")), browser(lena)
    post(page, "/membership/shares", count="3")
    assert "Pay those first" in text(post(page, "/membership/shares", 409, count="1"), 409)
    held = ShareHolding.objects.get()
    assert "Lena Example: 3 shares" in text(tess.get("/secretary/dues-and-shares"))
    assert "no IBAN" in text(post(tess, f"/secretary/shares/{held.id}/confirm", 400, iban="DE1"), 400)
    post(tess, f"/secretary/shares/{held.id}/confirm", iban=belonging.iban())
    said = page.get("/membership/shares/certificate.json").json()
    assert (said["certificate"]["shares"], said["certificate"]["paid_in_micros"]) == (3, 60_000_000)
    post(tess, f"/secretary/shares/{held.id}/repay", 409)
    memberships.leave(person_id=lena.id, now=clock.now())
    post(tess, f"/secretary/shares/{held.id}/repay")
    post(tess, f"/secretary/shares/{held.id}/repay", 403)
    held.refresh_from_db()
    assert held.repaid_at is None
    post(tom, f"/secretary/shares/{held.id}/repay")
    held.refresh_from_db()
    assert held.repaid_at is not None
    assert page.get("/membership/shares/certificate.json").status_code == 404


def test_hours_are_recorded_by_one_and_approved_by_another():
    now = clock.now()
    dora = browser(cast.person("dora", staff=("director",)))
    wen = belonging.member("wen", classes=("worker",), now=now)
    page, today = browser(wen), clock.day(now).isoformat()
    post(page, "/membership/hours", worked_on=today, hours="8", minutes="30", words="Sorted the mail")
    found = WorkedTime.objects.get()
    assert found.minutes == 510
    post(page, f"/membership/hours/{found.id}/approve", 403)
    assert "Wen: 510 minutes" in text(dora.get("/membership/hours"))
    post(dora, f"/membership/hours/{found.id}/approve")
    assert "Somebody decided this" in text(post(dora, f"/membership/hours/{found.id}/refuse", 409, because="No"), 409)
    shown = text(page.get("/membership/hours"))
    assert "8 whole hours approved" in shown
    more = post(page, "/membership/hours", 400, worked_on=today, hours="8", minutes="0", words="More")
    # What was typed is still there to be put right.
    assert ("16 hours" in text(more, 400), 'value="More"' in text(more, 400)) == (True, True)


def test_expulsion_and_appeal_go_through_the_rooms():
    long_ago = clock.now() - timedelta(days=60)
    mona = belonging.member("mona", now=long_ago)
    panel = [belonging.member(name, now=long_ago) for name in ("pia", "paul", "petra")]
    dora, dirk = (browser(cast.person(name, staff=("director",))) for name in ("dora", "dirk"))
    sam, page = browser(belonging.secretary()), browser(mona)
    number = Membership.objects.get(person=mona).number
    post(dora, "/secretary/expulsions/new", 404, number="99999", words="?")
    post(dora, "/secretary/expulsions/new", number=number, words="Sold the register.")
    found = Expulsion.objects.get()
    assert "Sold the register." in text(page.get("/membership"))
    post(page, "/membership/answer", words="I did not.")
    assert "The member is heard" in text(post(dora, f"/secretary/expulsions/{found.id}/say", 409, says="yes"), 409)
    later = clock.now() + timedelta(days=15)
    cast.set_clock(later)
    post(dora, f"/secretary/expulsions/{found.id}/say", says="yes")
    assert memberships.is_member(mona.id)
    post(dirk, f"/secretary/expulsions/{found.id}/say", says="yes")
    assert not memberships.is_member(mona.id)
    assert "You were expelled on" in text(page.get("/membership"))
    post(page, "/membership/appeal", words="Hear me.")
    post(page, "/membership/appeal", 409, words="Hear me again.")
    address = f"/membership/appeals/{found.appeal.id}"
    assert address in text(browser(panel[0]).get("/membership"))
    post(browser(panel[0]), address, 400, ruling="lifted", reasons=" ")
    for one, said in zip(panel[:2], ("Two of you decide.", "With it the panel has decided."), strict=True):
        theirs = browser(one)
        assert "Sold the register." in text(theirs.get(address))
        post(theirs, address, ruling="lifted", reasons="The register was never sold.")
        assert f"Your ruling is kept. {said}" in text(theirs.get(address))
    assert "The panel has decided: the expulsion is lifted." in text(page.get(address))
    assert "It is decided." in text(post(browser(panel[2]), address, 409, ruling="upheld", reasons="Hm."), 409)
    assert memberships.is_member(mona.id)
    # Who appealed and the board read the reasons and no names; the three alone see each other.
    for shown in (
        text(page.get(address)),
        text(sam.get("/secretary/expulsions")),
        text(dora.get("/secretary/expulsions")),
    ):
        assert shown.count("The register was never sold.") == 2
        assert not any(one.name in shown for one in panel)
    assert all(one.name in text(browser(panel[2]).get(address)) for one in panel)
    assert dora.get(address).status_code == sam.get(address).status_code == 404
    assert expulsions.appeals(now=clock.now()) == []


def test_the_register_is_searched_paged_and_exported_in_one_query_a_page(django_assert_max_num_queries):
    now = clock.now()
    sam = browser(belonging.secretary())
    for name in ("lena", "lars"):
        belonging.member(name, now=now)
    Membership.objects.filter(legal_name="Lena Example").update(legal_name="=SUM(A1)")
    sam.get("/secretary/register")
    with django_assert_max_num_queries(12):
        shown = text(sam.get("/secretary/register"))
    assert "Lars Example" in shown
    assert "Lars Example" not in text(sam.get("/secretary/register?q=SUM"))
    assert "No entry has that" in text(sam.get("/secretary/register?q=100%25"))
    assert sam.get("/secretary/register?state=nonsense").status_code == 400
    assert sam.get("/secretary/register?q=%00").status_code == 400
    assert sam.get("/secretary/register?after=nonsense").status_code == 400
    table = b"".join(sam.get("/secretary/register.csv").streaming_content).decode().splitlines()
    assert table[0].startswith("number,name,address")
    assert len(table) == 3
    assert any("'=SUM(A1)" in line for line in table)


def test_who_applied_at_one_moment_stands_by_number_and_then_by_name():
    now = clock.now()
    for name in ("zoe", "mia", "ada", "kim", "bo"):
        belonging.member(name, now=now)
    for name in ("yan", "eva", "tim"):
        belonging.applicant(cast.person(name), now=now)
    Membership.objects.update(applied_at=now)
    expected = [f"{name} Example" for name in ("Zoe", "Mia", "Ada", "Kim", "Bo", "Eva", "Tim", "Yan")]
    assert [one.name for one in register.entries(now=now)] == expected
    paged, after = [], None
    while found := register.entries(now=now, after=after, limit=3):
        paged += [one.name for one in found]
        after = found[-1].id
    assert paged == expected
    assert [row[1] for row in register.rows(now=now, at_once=2)][1:] == expected


def test_each_room_is_for_those_who_look_after_it():
    rooms = {
        "/secretary": {"secretary"},
        "/secretary/register": {"secretary"},
        "/secretary/register.csv": {"secretary"},
        "/secretary/dues-and-shares": {"treasurer"},
        "/secretary/expulsions": {"secretary", "director"},
    }
    for role in ("secretary", "treasurer", "director", "catalogue"):
        who = browser(cast.person(role, staff=(role,)))
        answers = {path: who.get(path).status_code for path in rooms}
        assert answers == {path: 200 if role in roles else 403 for path, roles in rooms.items()}
