"""Dry runs: what asked figures of a policy would have made of the last month that is sealed.

The app that obeys a policy replays what was recorded under the figures that are asked; the setting POLICY_REPLAYS names
how, policy by policy, for some of it lies in higher apps than the one that keeps the rule.
Nothing here knows how people would have acted. What is told of others is told of groups of five or more that are the
same whatever is asked (decision 0034), so that no two dry runs differ by one person's figure.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import OperationalError, transaction
from django.utils.module_loading import import_string

from members import months, patience, policies, seals
from members.policies import Params, PolicyRefused
from members.voting.proposal_models import Proposal

GROUP_LEAST = 5
# An answer is kept for so long; what a month was made of is kept until a few later ones are sealed.
ANSWER_SECONDS, MONTH_SECONDS = 600, 100 * 86_400
CAVEAT = "People may act differently when rules differ; this cannot show that."
# What is kept outlives a release: one that keeps something else has another number here.
SHAPE = 1
MINUTES_MOST = 10
# What a proposal asks is tried anew each time it is looked at, until it is frozen with what was found then.
UNFROZEN = (Proposal.State.DRAFT, Proposal.State.SPONSORING, Proposal.State.DELIBERATION)
logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A figure as it was and as it would have been; None where too few stand behind it for it to be told.

    `unit` says what the two are: `micros`, `cents`, `count`, `ppm` or `words`.
    """

    label: str
    before: int | str | None
    after: int | str | None
    unit: str


@dataclass(frozen=True, kw_only=True)
class Stairs:
    """A ladder as it is and as it would be: micros and height (0 to 100, one scale) of each step; `words` name it."""

    words: str
    before: tuple[tuple[int, int], ...]
    after: tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A dry run: of which month (its first day, None where it is no month's), in words, figure by figure.

    `own` are the figures of whoever looks. Without any `rows` the `words` say why there is nothing to tell.
    """

    words: str
    caveat: str = CAVEAT
    month: date | None = None
    rows: tuple[Row, ...] = ()
    own: tuple[Row, ...] = ()
    stairs: Stairs | None = None


@dataclass(frozen=True, kw_only=True)
class Replay:
    """How the obeying app tries asked figures of a policy.

    `together(params, month, now)` tells everybody's part, `own(params, month, now, person_id)` one person's, both with
    a number of queries that does not grow. `month` is the last sealed one, None while there is none. `gather(month)`
    counts beforehand what takes long.
    """

    together: Callable[[Params, date | None, datetime], Preview]
    own: Callable[[Params, date | None, datetime, UUID], tuple[Row, ...]] | None = None
    gather: Callable[[date], Any] | None = None


def preview(
    key: str, params: Mapping[str, Any], *, now: datetime, person_id: UUID | None = None, month: date | None = None
) -> Preview:
    """Return what these figures would have made of a month, the last sealed one unless another is given.

    With `person_id` their own figures too. Writes nothing. Raises PolicyRefused and UnknownPolicy.
    """
    policies.check(key, params)
    replay = _replay(key)
    if replay is None:
        return Preview(words="Nothing that was recorded can be replayed under these figures.")
    month = month or last_sealed()
    name = f"dry-run:{SHAPE}:{key}:{month}:{seals.sha256_of(dict(params))}"
    found: Preview | None = cache.get(name)
    try:
        # A savepoint, for whoever asks may have a transaction open that has to go on.
        with transaction.atomic():
            if found is None:
                found = replay.together(params, month, now)
                cache.set(name, found, ANSWER_SECONDS)
    except OperationalError:
        logger.warning("a dry run of %s took too long", key, exc_info=True)
        return Preview(words="There is too much to count while you wait. It is counted in the night; look tomorrow.")
    return replace(found, own=own(key, params, now=now, person_id=person_id, month=month))


def own(key: str, params: Params, *, now: datetime, person_id: UUID | None, month: date | None) -> tuple[Row, ...]:
    """Return one person's own figures of a dry run; none for nobody, and where nothing of theirs was recorded."""
    replay = _replay(key)
    if replay is None or replay.own is None or person_id is None:
        return ()
    try:
        with transaction.atomic():
            return replay.own(params, month, now, person_id)
    except OperationalError:
        logger.warning("one person's part of a dry run of %s took too long", key, exc_info=True)
        return ()


def of_proposal(proposal: Proposal, *, now: datetime, person_id: UUID | None = None) -> Preview | None:
    """Return the dry run of what a proposal asks: as it was frozen with it, or of now while it may still change.

    None for advice, and for what ended before it was frozen.
    """
    if not proposal.key or proposal.params is None:
        return None
    if proposal.dry_run is not None:
        found = from_content(proposal.dry_run)
        mine = own(proposal.key, proposal.params, now=now, person_id=person_id, month=found.month)
        return replace(found, own=mine)
    if proposal.state not in UNFROZEN:
        return None
    try:
        return preview(proposal.key, proposal.params, now=now, person_id=person_id)
    except PolicyRefused as refused:
        # Its bounds were drawn closer since it was written.
        return Preview(words=refused.detail)


def frozen(proposal: Proposal, *, now: datetime) -> dict[str, Any] | None:
    """Return the dry run that stays with a proposal from its freeze on, None for advice. Raises PolicyRefused.

    In the transaction that freezes it, which may take the time: what stays must not be that there was none.
    """
    if not proposal.key or proposal.params is None:
        return None
    patience.take_time(minutes=MINUTES_MOST)
    return as_content(preview(proposal.key, proposal.params, now=now))


def gather() -> int:
    """Count beforehand what dry runs of the last sealed month are made of; return for how many policies."""
    month = last_sealed()
    counted = 0
    for replay in map(_replay, settings.POLICY_REPLAYS):
        if month is not None and replay is not None and replay.gather is not None:
            with transaction.atomic():
                patience.take_time(minutes=MINUTES_MOST)
                replay.gather(month)
            counted += 1
    return counted


def kept(name: str, month: date, count: Callable[[], Any]) -> Any:
    """Return what a sealed month was made of, counted once: a sealed month does not change."""
    return cache.get_or_set(f"dry-run-month:{SHAPE}:{name}:{month}", count, MONTH_SECONDS)


def last_sealed() -> date | None:
    """Return the last month that is sealed. One query."""
    latest = months.latest()
    if latest is None:
        return None
    return latest.starts_on if latest.sealed_at else _sealed_before(latest.starts_on)


def held_at(key: str, moment: datetime, *, now: datetime) -> Params:
    """Return the figures that held at a moment gone by, of the versions known `now`. No query."""
    return [one for one in policies.versions(key, now) if one.effective_from <= moment][-1].params


def as_content(found: Preview) -> dict[str, Any]:
    """Return a dry run as JSON, without anybody's own figures."""
    content = asdict(replace(found, own=()))
    return {**content, "month": found.month.isoformat() if found.month else None}


def from_content(content: Mapping[str, Any]) -> Preview:
    """Return the dry run that JSON was made of."""
    month, stairs = content["month"], content["stairs"]
    return Preview(
        words=content["words"],
        caveat=content["caveat"],
        month=date.fromisoformat(month) if month else None,
        rows=tuple(Row(**row) for row in content["rows"]),
        stairs=Stairs(
            words=stairs["words"],
            before=tuple((micros, height) for micros, height in stairs["before"]),
            after=tuple((micros, height) for micros, height in stairs["after"]),
        )
        if stairs
        else None,
    )


def _replay(key: str) -> Replay | None:
    name = settings.POLICY_REPLAYS.get(key)
    found: Replay | None = import_string(name) if name else None
    return found


def _sealed_before(month: date) -> date | None:
    known = months.period(months.before(month))
    return known.starts_on if known and known.sealed_at else None
