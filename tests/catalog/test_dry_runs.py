"""The dry run of what the catalogue admits: as many works as the rules themselves refuse, once they hold."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog import content
from catalog.models import Upload, Work
from members import clock, policies
from members.models import Person
from members.voting import dry_runs
from members.voting.dry_runs import Preview
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    cache.clear()
    policies.forget()
    yield
    cache.clear()
    policies.forget()


@pytest.fixture
def ana() -> Person:
    """Give somebody with seven works: six of them published, one of these in every way doubtful."""
    ana = cast.person("ana")
    profile = cast.creator(ana)
    plain, lossy, slow, historic, off = (cast.track(profile) for _ in range(5))
    small = cast.photo(profile)
    machine = cast.track(profile)
    Work.objects.filter(id=lossy.id).update(lossless=False)
    Work.objects.filter(id=historic.id).update(historic=True)
    Work.objects.filter(id=off.id).update(state=Work.State.OFF, off_at=clock.now(), lossless=False)
    Work.objects.filter(id=small.id).update(width=900, height=1_700)
    Work.objects.filter(id=machine.id).update(origin=Work.Origin.AI_GENERATED, lossless=False)
    Upload.objects.filter(work__in=[slow.id, historic.id, machine.id]).update(found={"sample_rate": 44_100})
    Upload.objects.filter(work__in=[plain.id, lossy.id]).update(found={"sample_rate": 96_000})
    return ana


def tried(person: Person | None = None, **changed: int | str) -> Preview:
    now = clock.now()
    params = {**policies.policy_at("content", now).params, **changed}
    return dry_runs.preview("content", params, now=now, person_id=person.id if person else None)


CLOSER = {"ai_generated": "forbidden", "lossless": "required", "sample_rate_min": 48_000, "photo_edge_min": 2_000}


def test_each_rule_and_all_together(ana: Person) -> None:
    found = tried(ana, **CLOSER)
    # By machines: one. Photos: one. Lossy: two, the third is off. Slow: two, the third is historic. Together: four.
    assert [(row.before, row.after) for row in found.rows] == [(0, 1), (0, 1), (0, 2), (0, 2), (0, 4)]
    assert [(row.label, row.before, row.after) for row in found.own] == [("Of your 6 published works", 0, 4)]
    assert found.words.startswith("All 6 published works")
    assert tried(cast.person("ben"), **CLOSER).own == ()


@pytest.mark.parametrize(
    "asked",
    [
        {"ai_generated": "forbidden"},
        {"lossless": "required"},
        {"sample_rate_min": 48_000},
        {"photo_edge_min": 1_701},
        {"photo_edge_min": 1_700},
        CLOSER,
    ],
)
def test_it_tells_what_the_rules_do_once_they_hold(ana: Person, asked: dict[str, int | str]) -> None:
    told = tried(**asked).rows[-1].after
    begins = cast.vote("content", **asked)
    refused = [
        work.id
        for work in Work.objects.filter(state=Work.State.PUBLISHED)
        if any(finding.refused and finding.policy_version for finding in content.findings(work, now=begins))
    ]
    assert told == len(refused) > 0 or asked == {"photo_edge_min": 1_700}


def test_it_costs_the_same_for_any_number_of_works(ana: Person) -> None:
    def asked() -> int:
        cache.clear()
        policies.forget()
        with CaptureQueriesContext(connection) as asking:
            tried(ana, **CLOSER)
        return len(asking)

    before = asked()
    cast.track(cast.creator(cast.person("ben")))
    assert asked() == before
