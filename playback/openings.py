"""Openings: how much of a work is heard free, under the policy of the moment, and where the gate stands."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from catalog import delivery, publishing
from catalog.publishing import WorkUnavailable
from members import clock, policies

LEAD_MS = 5_000
# Shorter tracks have no opening: the price is pressed.
SHORTEST_MS = 20_000
# How long the address lives at which anyone hears one.
LIVES = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Opening:
    """How much of a work is free, and where the gate stands, in thousandths of a second; nothing of a photo is."""

    free_ms: int
    open_ms: int
    version: int
    kind: str = "track"


def of_work(*, work_id: UUID, duration_ms: int, now: datetime) -> Opening:
    """Return the opening under the policy in force: at most half the work.

    The gate is the first boundary of a segment at least five seconds later, so that the sound goes on while the charge
    is asked.
    """
    version = policies.policy_at("opening", now).seq
    free = free_ms(duration_ms=duration_ms, now=now)
    if free == 0:
        return Opening(free_ms=0, open_ms=0, version=version)
    open_ms = delivery.boundary_ms(work_id=work_id, at_least_ms=free + LEAD_MS)
    return Opening(free_ms=free, open_ms=open_ms, version=version)


def for_anyone(*, work_id: UUID, now: datetime) -> Opening:
    """Return the opening that anyone may hear, and count it. Raises NotFound and WorkUnavailable."""
    standing = publishing.standing(work_id=work_id, person_id=None, now=now)
    if not standing.may_begin():
        raise WorkUnavailable("It was taken off or suspended; only who owns it can hear it.")
    found = of_work(work_id=work_id, duration_ms=standing.duration_ms, now=now)
    count(work_id=work_id, now=now)
    return replace(found, kind=standing.kind)


def count(*, work_id: UUID, now: datetime) -> None:
    """Count an opening heard without signing in, by day; nothing about who is kept."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO playback_openingcount AS c (work_id, day, count) VALUES (%s, %s, 1)"
            " ON CONFLICT (work_id, day) DO UPDATE SET count = c.count + 1",
            [work_id, clock.day(now)],
        )


def free_ms(*, duration_ms: int, now: datetime) -> int:
    """Return how much of a track is free, in thousandths of a second; 0 for one too short to have an opening."""
    if duration_ms < SHORTEST_MS:
        return 0
    return min(int(policies.policy_at("opening", now).params["seconds"]) * 1000, duration_ms // 2)
