"""Policies: which version holds when, what cannot be one, and that reading one costs no query."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from members import policies, seals
from members.models import PolicyVersion
from members.policies import OneOf, Policy, PolicyRefused, UnknownPolicy, Whole

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    policies.forget()
    yield
    policies.forget()


def test_every_founding_version_holds_from_the_beginning() -> None:
    assert {"content", "opening", "pricing", "revenue"} <= set(policies.names())
    for key in policies.names():
        founding = policies.policy_at(key, NOW)
        assert (founding.seq, founding.params) == (1, policies.registered(key).founding)
        assert policies.versions(key, NOW) == [founding]


def test_the_founding_figures() -> None:
    assert policies.policy_at("opening", NOW).params == {"seconds": 45}
    assert policies.policy_at("revenue", NOW).params == {"creators_ppm": 700_000, "coop_ppm": 300_000}


def test_a_version_holds_from_its_moment_on_and_never_before() -> None:
    later = NOW + 30 * HOUR
    version = policies.add_version(key="opening", params={"seconds": 30}, effective_from=later, now=NOW)
    assert version.seq == 2
    assert policies.policy_at("opening", later - timedelta(microseconds=1)).params["seconds"] == 45
    assert policies.policy_at("opening", later).params["seconds"] == 30
    assert policies.policy_at("opening", later + 1000 * HOUR).params["seconds"] == 30
    assert policies.policy_at("pricing", later).seq == 1


def test_a_version_takes_effect_an_hour_after_it_was_recorded_at_the_soonest() -> None:
    with pytest.raises(PolicyRefused):
        policies.add_version(
            key="opening", params={"seconds": 30}, effective_from=NOW + HOUR - timedelta(microseconds=1), now=NOW
        )
    assert PolicyVersion.objects.filter(key="opening").count() == 1
    assert policies.add_version(key="opening", params={"seconds": 30}, effective_from=NOW + HOUR, now=NOW).seq == 2


def test_a_version_never_comes_between_two_others() -> None:
    policies.add_version(key="opening", params={"seconds": 30}, effective_from=NOW + 9 * HOUR, now=NOW)
    for moment in (NOW + 8 * HOUR, NOW + 9 * HOUR):
        with pytest.raises(PolicyRefused):
            policies.add_version(key="opening", params={"seconds": 31}, effective_from=moment, now=NOW)
    assert policies.add_version(key="opening", params={"seconds": 31}, effective_from=NOW + 10 * HOUR, now=NOW).seq == 3


@pytest.mark.parametrize(
    "params",
    [{}, {"seconds": 19}, {"seconds": 61}, {"seconds": True}, {"seconds": 45.0}, {"seconds": "45"}, {"second": 45},
     {"seconds": 45, "minutes": 0}],
)  # fmt: skip
def test_figures_out_of_bounds_are_never_recorded(params: dict[str, object]) -> None:
    with pytest.raises(PolicyRefused):
        policies.add_version(key="opening", params=params, effective_from=NOW + 9 * HOUR, now=NOW)
    assert policies.policy_at("opening", NOW + 99 * HOUR).seq == 1


def test_yes_is_no_whole_number_where_one_would_do() -> None:
    figures = {"least_cents": 500, "yearly_least_cents": 1}
    policies.check("payouts", figures)
    with pytest.raises(PolicyRefused):
        policies.check("payouts", {**figures, "yearly_least_cents": True})


def test_who_records_a_version_waits_for_who_records_another() -> None:
    said: dict[str, Any] = {"key": "opening", "params": {"seconds": 30}, "effective_from": NOW + 9 * HOUR, "now": NOW}
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtext('policy opening'))")
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '100ms'")
            with pytest.raises(OperationalError, match="lock timeout"):
                policies.add_version(**said)
            transaction.set_rollback(True)
    assert policies.add_version(**said).seq == 2


@pytest.mark.parametrize(
    ("creators", "coop", "admitted"),
    [
        (600_000, 400_000, True),
        (900_000, 100_000, True),
        (599_999, 400_001, False),
        (900_001, 99_999, False),
        (700_000, 299_999, False),
        (700_000, 300_001, False),
    ],
)
def test_the_shares_of_revenue_sum_to_the_whole(creators: int, coop: int, *, admitted: bool) -> None:
    params = {"creators_ppm": creators, "coop_ppm": coop}
    if admitted:
        policies.check("revenue", params)
    else:
        with pytest.raises(PolicyRefused):
            policies.check("revenue", params)


def test_words_are_words_of_the_policy() -> None:
    founding = dict(policies.registered("content").founding)
    policies.check("content", {**founding, "ai_generated": "forbidden", "lossless": "required"})
    for wrong in ({"ai_generated": "maybe"}, {"lossless": 1}, {"sample_rate_min": 7_999}, {"photo_edge_min": 99}):
        with pytest.raises(PolicyRefused):
            policies.check("content", {**founding, **wrong})


def test_reading_a_policy_costs_no_query() -> None:
    policies.policy_at("pricing", NOW)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        for seconds in range(0, 60, 5):
            policies.policy_at("pricing", NOW + timedelta(seconds=seconds))
            policies.policy_at("opening", NOW)
    assert len(queries) == 0


def test_a_process_looks_again_after_a_minute() -> None:
    policies.policy_at("opening", NOW)
    # Another process recorded it: this one was not told.
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO members_policyversion (key, seq, params, effective_from, recorded_at, base_seq, sha256)"
            " VALUES ('opening', 2, '{\"seconds\": 20}', %s, %s, 1, '')",
            [NOW, NOW - HOUR],
        )
    assert policies.policy_at("opening", NOW + timedelta(seconds=59)).seq == 1
    assert policies.policy_at("opening", NOW + timedelta(seconds=61)).seq == 2


def test_what_nobody_obeys_is_unknown() -> None:
    with pytest.raises(UnknownPolicy):
        policies.registered("weather")
    with pytest.raises(UnknownPolicy):
        policies.policy_at("weather", NOW)
    with pytest.raises(UnknownPolicy):
        policies.policy_at("pricing", datetime(1999, 12, 31, tzinfo=UTC))
    with pytest.raises(UnknownPolicy):
        policies.versions("weather", NOW)


def test_a_policy_whose_founding_figures_break_its_bounds_is_not_registered() -> None:
    schema = {"figure": Whole(least=1, most=9), "word": OneOf(words=("a", "b"))}
    for founding in ({"figure": 0, "word": "a"}, {"figure": 1, "word": "c"}, {"figure": 1}):
        with pytest.raises(PolicyRefused):
            policies.register(
                Policy(
                    key="odd",
                    title="Odd",
                    figures=dict.fromkeys(schema, "A figure"),
                    schema=schema,
                    founding=founding,
                    bounds=lambda _: None,
                    explain=lambda _: [],
                )
            )
    assert "odd" not in policies.names()


def test_every_policy_explains_itself_in_whole_amounts() -> None:
    words = " ".join(policies.registered("pricing").explain(policies.registered("pricing").founding))
    assert "9 plays" in words
    assert "€1.022: €0.002 for the first play, €0.512 the last" in words
    for key in policies.names():
        assert policies.registered(key).explain(policies.registered(key).founding)


def test_a_versions_hash_is_that_of_its_content() -> None:
    later = NOW + 2 * HOUR
    version = policies.add_version(key="opening", params={"seconds": 30}, effective_from=later, now=NOW)
    content = {"key": "opening", "seq": 2, "params": {"seconds": 30}, "effective_from": later.isoformat()}
    assert version.sha256 == seals.sha256_of(content)
    assert PolicyVersion.objects.get(key="opening", seq=2).base_seq == 1


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE members_policyversion SET params = '{}'",
        "DELETE FROM members_policyversion",
        "TRUNCATE members_policyversion",
    ],
)
def test_a_version_is_never_changed(sql: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert PolicyVersion.objects.filter(seq=1).count() == len(policies.names())
