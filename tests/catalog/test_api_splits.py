"""Split sheets, and every field of a work, over HTTP: what comes in, what comes out, what is refused."""

import json
from typing import Any
from uuid import uuid4

import pytest

from catalog.models import Creator, SplitSheet, Work
from members.models import Notice, Person
from tests import callers, cast
from tests.callers import Caller, slug

pytestmark = pytest.mark.django_db
RECORDING = "8f3471b5-7e6a-48da-86a9-c1c07a0f47ae"


@pytest.fixture(autouse=True)
def _patience() -> None:
    callers.forget_counts()


@pytest.fixture
def ben(db: None) -> Person:
    person = cast.person("ben")
    cast.confirm(person)
    return person


@pytest.fixture
def draft(ana: Person, band: Creator) -> Work:
    cast.confirm(ana)
    return cast.track(band, state="draft")


def said(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.content
    return json.loads(answer.content)


def put(ask: Caller, work: Work, *payees: dict[str, Any]) -> Any:
    return ask("PUT", f"works/{work.id}/split-sheet", {"payees": list(payees)})


def test_from_a_proposal_to_a_sheet_that_is_accepted(ana: Person, ben: Person, draft: Work) -> None:
    ask, bens = Caller(ana, "publish"), Caller(ben, "publish")
    payees = [{"email": ana.email, "share_ppm": 600_000, "part": "song"}, {"email": ben.email, "share_ppm": 400_000}]
    sheet = said(put(ask, draft, *payees))
    assert (sheet["work"], sheet["version"], sheet["state"]) == (str(draft.id), 1, "waiting")
    assert [(line["line_number"], line["part"], line["share_ppm"]) for line in sheet["lines"]] == [
        (1, "song", 600_000),
        (2, "", 400_000),
    ]
    assert said(put(ask, draft, *payees)) == sheet
    assert Notice.objects.filter(address=ben.email).count() == 1
    assert said(bens.get(f"works/{draft.id}/split-sheets"))["results"] == [sheet]
    accepted = said(bens.post(f"split-sheets/{sheet['id']}/accept"))
    assert (accepted["state"], accepted["in_force_from"] is not None) == ("accepted", True)
    assert said(bens.post(f"split-sheets/{sheet['id']}/accept")) == accepted
    assert slug(bens.post(f"split-sheets/{sheet['id']}/decline")) == "split-sheet-over"
    newer = said(put(ask, draft, {"email": "x@y.example", "share_ppm": 1_000_000}))
    listed = said(ask.get(f"works/{draft.id}/split-sheets"))
    assert [one["state"] for one in listed["results"]] == ["waiting", "accepted"]
    assert listed["next"] is None
    # A payee sees the sheets that are theirs, and no other.
    assert [one["id"] for one in said(bens.get(f"works/{draft.id}/split-sheets"))["results"]] == [sheet["id"]]
    assert slug(bens.post(f"split-sheets/{newer['id']}/accept")) == "not-found"


def test_declining(ana: Person, ben: Person, draft: Work) -> None:
    sheet = said(put(Caller(ana), draft, {"email": ben.email, "share_ppm": 1_000_000}))
    declined = said(Caller(ben).post(f"split-sheets/{sheet['id']}/decline"))
    assert (declined["state"], declined["ended_at"] is not None) == ("declined", True)
    assert slug(Caller(ben).post(f"split-sheets/{sheet['id']}/accept")) == "split-sheet-over"


@pytest.mark.parametrize(
    "payees",
    [
        [],
        [{"email": "a@b.example", "share_ppm": 999_999}],
        [{"email": "a@b.example", "share_ppm": 1e6}],
        [{"email": "a@b.example", "share_ppm": "1000000"}],
        [{"email": "a@b.example", "share_ppm": True}],
        [{"email": "a@b.example", "share_ppm": 1_000_000, "person": "me"}],
        [{"email": "nobody", "share_ppm": 1_000_000}],
        [{"share_ppm": 1_000_000}],
        [{"email": "a@b.example", "share_ppm": 500_000}] * 2,
        [{"email": "a@b.example", "share_ppm": 1_000_000, "part": "x" * 81}],
        "everybody",
        [None],
    ],
)
def test_what_is_no_sheet(ana: Person, draft: Work, payees: Any) -> None:
    before = callers.digest()
    answer = Caller(ana, "publish")("PUT", f"works/{draft.id}/split-sheet", {"payees": payees})
    assert (answer.status_code, slug(answer)) == (400, "invalid")
    assert {name for name, now in callers.digest().items() if now != before[name]} <= {"members_token"}
    assert not SplitSheet.objects.exists()


def test_listing_costs_the_same_for_many_as_for_few(
    ana: Person, draft: Work, django_assert_max_num_queries: Any
) -> None:
    ask = Caller(ana, "publish")
    for number in range(6):
        put(ask, draft, {"email": ana.email, "share_ppm": 1_000_000, "part": f"version {number}"})
    with django_assert_max_num_queries(12):
        assert len(said(ask.get(f"works/{draft.id}/split-sheets"))["results"]) == 6


def test_every_field_of_a_work_is_changed_and_shown(ana: Person, band: Creator, draft: Work) -> None:
    ask = Caller(ana, "publish")
    release = band.releases.create(title="Dunst")
    change = {
        "credits": [{"role": "mix", "name": "Ben"}],
        "isrc": "QZES71200074",
        "language": "pt-BR",
        "tags": ["ambient"],
        "alternative_text": "Fog",
        "musicbrainz_recording": RECORDING,
        "release": str(release.id),
        "position": 3,
    }
    found = said(ask("PATCH", f"works/{draft.id}", change))
    assert {name: found[name] for name in change} == change
    assert said(ask("PATCH", f"works/{draft.id}", {"release": None}))["position"] is None
    for wrong in (
        {"isrc": "QZ-ES7-12-0074"},
        {"language": "german"},
        {"tags": "ambient"},
        {"tags": [f"tag {n}" for n in range(13)]},
        {"credits": ["Ben"]},
        {"credits": [{"role": "mix"}]},
        {"musicbrainz_recording": "8f34"},
        {"release": str(uuid4())},
        {"position": 0},
        {"alternative_text": 7},
    ):
        answer = ask("PATCH", f"works/{draft.id}", wrong)
        assert (answer.status_code, slug(answer)) == (400, "invalid"), wrong


def test_the_ladder_of_another_price(ana: Person, draft: Work) -> None:
    ask = Caller(ana, "publish")
    asked = said(ask.get(f"works/{draft.id}/ladder?price_micros=2044000"))
    assert (asked["price_micros"], asked["steps_micros"][0], asked["steps_micros"][-1]) == (2_044_000, 4_000, 1_024_000)
    assert said(ask.get(f"works/{draft.id}/ladder?price_micros=0"))["steps_micros"] == []
    for wrong in ("199999", "-1", "x", "1.5"):
        assert slug(ask.get(f"works/{draft.id}/ladder?price_micros={wrong}")) == "invalid"
    assert said(ask.get(f"works/{draft.id}/ladder"))["price_micros"] == 1_022_000
