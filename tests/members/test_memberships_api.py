"""Belonging over the API: applying, paying, asking, recording; unknown fields and other types refused."""

import pytest

from members import clock
from members.belonging import dues, memberships
from members.belonging.models import DuesPayment, Membership, ShareHolding, WorkedTime
from tests import cast
from tests.callers import Caller, slug
from tests.members import belonging

pytestmark = pytest.mark.django_db
APPLICATION = {
    "legal_name": "Lena Example",
    "postal_address": "Ring 1",
    "member_classes": ["listener", "worker"],
    "voting_class": "listener",
}


@pytest.fixture
def lena():
    return cast.person("lena")


def test_from_an_application_to_recorded_hours(lena):
    cast.top_up(lena, 2_000)
    caller = Caller(lena)
    assert caller.get("memberships").json() == {"results": [], "next": None}
    made = caller.post("memberships", APPLICATION)
    assert (made.status_code, made.json()["state"]) == (201, "applied")
    assert slug(caller.post("memberships", APPLICATION)) == "already-a-member"
    memberships.approve(membership_id=Membership.objects.get().id, staff_id=belonging.secretary().id, now=clock.now())
    due = dues.due_from(Membership.objects.get(), now=clock.now()).isoformat()
    paid = [caller.post("dues", {"covers_from": due}).json() for _ in range(2)]
    assert paid[0] == paid[1]
    assert (paid[0]["amount_micros"], paid[0]["currency"], paid[0]["way"]) == (10_000_000, "EUR", "wallet")
    assert caller.get("dues").json()["results"] == [paid[0]]
    asked = caller.post("shares", {"count": 2})
    assert (asked.status_code, asked.json()["amount_micros"]) == (201, 40_000_000)
    assert slug(caller.post("shares", {"count": 2})) == "membership-stands"
    today = clock.day(clock.now()).isoformat()
    worked = caller.post("hours", {"worked_on": today, "minutes": 90, "words": "Sorted the mail"})
    assert (worked.status_code, worked.json()["approved"]) == (201, None)
    assert slug(caller.post(f"hours/{worked.json()['id']}/approve", {})) == "not-allowed"
    dora = Caller(cast.person("dora", staff=("director",)))
    assert dora.post(f"hours/{worked.json()['id']}/approve", {}).json()["approved"] is True
    standing = caller.get("memberships").json()["results"][0]
    assert (standing["state"], standing["number"], standing["dues"]) == ("joined", 1, "paid")
    assert [place["member_class"] for place in standing["places"] if place["since"]] == ["listener"]
    # Nobody else sees any of it.
    for path in ("memberships", "dues", "shares", "hours"):
        assert dora.get(path).json()["results"] == []


@pytest.mark.parametrize(
    ("path", "good", "wrong"),
    [
        ("memberships", APPLICATION, {"legal_name": 1}),
        ("memberships", APPLICATION, {"member_classes": "listener"}),
        ("memberships", APPLICATION, {"voting_class": "king"}),
        ("memberships", APPLICATION, {"number": 1}),
        ("dues", {"covers_from": "2026-01-01"}, {"covers_from": "soon"}),
        ("dues", {"covers_from": "2026-01-01"}, {"amount_micros": 1}),
        ("shares", {"count": 1}, {"count": 1.0}),
        ("shares", {"count": 1}, {"count": "1"}),
        ("shares", {"count": 1}, {"count": True}),
        ("shares", {"count": 1}, {"count": 501}),
        ("hours", {"worked_on": "2026-01-01", "minutes": 1, "words": "W"}, {"minutes": 1.5}),
        ("hours", {"worked_on": "2026-01-01", "minutes": 1, "words": "W"}, {"words": ["W"]}),
    ],
)
def test_what_cannot_be_read_changes_nothing(lena, path, good, wrong):
    answer = Caller(lena).post(path, {**good, **wrong})
    assert (answer.status_code, slug(answer)) == (400, "invalid")
    for rows in (Membership, DuesPayment, ShareHolding, WorkedTime):
        assert not rows.objects.exists()
