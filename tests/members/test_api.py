"""Policies over HTTP: what is in force, what was, and what will be."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from members import clock, policies
from tests import callers
from tests.callers import Caller, slug

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    callers.forget_counts()
    policies.forget()
    yield
    policies.forget()


def said(answer: Any) -> Any:
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content)


def test_what_is_in_force_and_what_was_and_will_be() -> None:
    now = clock.now()
    found = {version["key"]: version for version in said(Caller(None).get("policies"))}
    assert {"pricing", "opening", "content", "revenue"} <= set(found)
    assert found["opening"]["params"] == {"seconds": 45}
    assert found["opening"]["explained"] == ["The first 45 seconds of a track, at most half of it, are free."]
    later = now + timedelta(hours=2)
    policies.add_version(key="opening", params={"seconds": 30}, effective_from=later, now=now)
    one = said(Caller(None).get("policies/opening"))
    assert (one["key"], one["in_force"]["seq"]) == ("opening", 1)
    assert [(version["seq"], version["params"]["seconds"]) for version in one["versions"]] == [(1, 45), (2, 30)]
    clock.set_offset(timedelta(hours=3))
    assert said(Caller(None).get("policies/opening"))["in_force"]["seq"] == 2
    answer = Caller(None).get("policies/weather")
    assert (answer.status_code, slug(answer)) == (404, "not-found")
