"""Policies: what members vote on, and which version holds when. `policy_at` is the only way to read one.

The app that obeys a policy registers it when it starts. Versions are append-only rows; every process holds all of
them, future ones too, and looks again after a minute at the latest, so that reading one costs no query. A version
takes effect no sooner than an hour after it was recorded, so no process can be late.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from members import clock, money, seals
from members.deadlines import Starts
from members.problems import Problem
from members.voting.tally import Kind

REFRESH_SECONDS = 60
NOTICE_LEAST = timedelta(hours=1)
# A day that every month has.
SHORTEST_MONTH_DAYS = 28
FOUNDED_AT = datetime(2000, 1, 1, tzinfo=UTC)

Params = Mapping[str, int | str]


class PolicyRefused(Problem):
    """The figures of a version break a bound; the detail says which, `figures` name those that break it together."""

    slug, status, title = "policy-refused", 422, "These figures cannot be a policy"


class StaleBase(PolicyRefused):
    """Another version came between: what was voted on would not follow what voters compared it with."""


class UnknownPolicy(Problem):
    """No app obeys a policy of that name, or no version held at that moment."""

    slug, status, title = "not-found", 404, "There is no such policy"


@dataclass(frozen=True, kw_only=True)
class Whole:
    """A whole number within bounds, both included."""

    least: int
    most: int


@dataclass(frozen=True, kw_only=True)
class OneOf:
    """One of some words."""

    words: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Step:
    """How far a figure may go within twelve months before the vote on it weighs more."""

    name: str
    most: int


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What an app says about a policy it obeys.

    `title` and `figures` are what people call it and each of its figures. `kind` is how much has to agree to a change
    of it, and a change that goes further than `step` is special. It begins with a day, month or year (`starts`) at
    least `starts_after_days` after nobody can contest the vote any more.
    """

    key: str
    title: str
    figures: Mapping[str, str]
    schema: Mapping[str, Whole | OneOf]
    founding: Params
    bounds: Callable[[Params], None]
    explain: Callable[[Params], list[str]]
    kind: Kind = Kind.ORDINARY
    step: Step | None = None
    starts: Starts = Starts.MONTH
    starts_after_days: int = 14


@dataclass(frozen=True, kw_only=True)
class Version:
    """One recorded version. `params` are whole numbers and words; money is in micros, rates in ppm."""

    key: str
    seq: int
    params: Params
    effective_from: datetime
    recorded_at: datetime
    sha256: str
    proposal_id: UUID | None = None

    @property
    def href(self) -> str:
        """Return where this version is read, with the vote that made it."""
        return href(self.key, self.seq)

    @property
    def citation(self) -> dict[str, int | str]:
        """Return the version as refusals name it."""
        return citation(self.key, self.seq)


@dataclass
class _Known:
    versions: dict[str, list[Version]]
    ticks: float
    moment: datetime


_registry: dict[str, Policy] = {}
_known: _Known | None = None


def register(policy: Policy) -> None:
    """Make a policy known. Called by the obeying app when it starts."""
    check(policy.key, policy.founding, policy=policy)
    assert policy.figures.keys() == policy.schema.keys(), f"{policy.key}: each figure has a name"
    _registry[policy.key] = policy


def registered(key: str) -> Policy:
    """Return what the obeying app registered. Raises UnknownPolicy."""
    try:
        return _registry[key]
    except KeyError:
        raise UnknownPolicy(f"no policy is called {key!r}; there are {', '.join(sorted(_registry))}") from None


def names() -> list[str]:
    """Return the names of all policies."""
    return sorted(_registry)


def check(key: str, params: Mapping[str, Any], *, policy: Policy | None = None) -> None:
    """Raise PolicyRefused unless `params` are exactly the policy's figures, each and jointly within bounds."""
    policy = policy or registered(key)
    missing, unknown = policy.schema.keys() - params.keys(), params.keys() - policy.schema.keys()
    if missing or unknown:
        raise PolicyRefused(f"{key}: missing {sorted(missing)}, unknown {sorted(unknown)}")
    for name, field in policy.schema.items():
        value = params[name]
        if isinstance(field, OneOf):
            if value not in field.words:
                raise PolicyRefused(f"{key}.{name} is {value!r}; it is one of {', '.join(field.words)}")
        elif type(value) is not int or not field.least <= value <= field.most:
            raise PolicyRefused(f"{key}.{name} is {value!r}; it is a whole number from {field.least} to {field.most}")
    policy.bounds(params)


def check_makes_the_whole(params: Params, names: Sequence[str], what: str) -> None:
    """Raise PolicyRefused unless some rates, called `what`, come to 100 % together."""
    together = sum(int(params[name]) for name in names)
    if together != money.PPM:
        said = money.percent(together)
        raise PolicyRefused(f"{what} must sum to the whole, 100 %: these come to {said} %", figures=list(names))


def policy_at(key: str, moment: datetime) -> Version:
    """Return the version of `key` in force at `moment`. No query but once a minute. Raises UnknownPolicy."""
    for version in reversed(_versions(moment).get(key, ())):
        if version.effective_from <= moment:
            return version
    raise UnknownPolicy(f"no version of {key!r} was in force at {moment.isoformat()}")


def versions(key: str, moment: datetime) -> list[Version]:
    """Return all versions of `key`, oldest first, those that hold later too. Raises UnknownPolicy."""
    registered(key)
    return list(_versions(moment).get(key, ()))


def version(key: str, seq: int) -> Version:
    """Return one version, whenever it holds. One query. Raises UnknownPolicy."""
    from members.models import PolicyVersion  # noqa: PLC0415  (as in `_versions`)

    row = PolicyVersion.objects.filter(key=key, seq=seq).first()
    if row is None:
        raise UnknownPolicy(f"there is no version {seq} of {key!r}")
    return _version(row)


def href(key: str, seq: int) -> str:
    """Return where a version is read, by everybody: its place on the policy's page."""
    return f"/policies/{key}#v{seq}"


def address(key: str, seq: int) -> str:
    """Return the same place as it is written in mails, tables and on paper, which are read away from the pages."""
    return f"{settings.BASE_URL.rstrip('/')}{href(key, seq)}"


def citation(key: str, seq: int) -> dict[str, int | str]:
    """Return a version as refusals name it."""
    return {"key": key, "seq": seq, "href": href(key, seq)}


def forget() -> None:
    """Read the versions anew at the next question."""
    global _known  # noqa: PLW0603  (what a process remembers is one thing)
    _known = None


def kind_of(key: str, params: Params, moment: datetime) -> Kind:
    """Return how much has to agree if these figures are to follow. Raises UnknownPolicy.

    Steps are summed over twelve months, so that two small ones are not cheaper than a large one.
    """
    policy = registered(key)
    if policy.step is None:
        return policy.kind
    then = policy_at(key, moment.replace(year=moment.year - 1, day=min(moment.day, SHORTEST_MONTH_DAYS)))
    step = abs(int(params[policy.step.name]) - int(then.params[policy.step.name]))
    return Kind.SPECIAL if step > policy.step.most else policy.kind


def check_follows(key: str, base_seq: int, last_seq: int) -> None:
    """Raise StaleBase unless what was to follow version `base_seq` would follow the last one."""
    if last_seq != base_seq:
        raise StaleBase(
            f"{key}: it was to follow version {base_seq}, and version {last_seq} came between",
            policy=citation(key, last_seq),
        )


def add_version(
    *,
    key: str,
    params: Mapping[str, Any],
    effective_from: datetime,
    now: datetime,
    base_seq: int | None = None,
    proposal_id: UUID | None = None,
) -> Version:
    """Record a version that holds from `effective_from` on, at least an hour away, and the proposal that made it.

    With `base_seq` it follows that version and no other. Raises PolicyRefused, and StaleBase if another came between.
    """
    check(key, params)
    if effective_from < now + NOTICE_LEAST:
        raise PolicyRefused(f"{key}: a version takes effect at least an hour after it is recorded")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('policy ' || %s))", [key])
        cursor.execute("SELECT max(seq), max(effective_from) FROM members_policyversion WHERE key = %s", [key])
        base, latest = cursor.fetchone()
        if base_seq is not None:
            check_follows(key, base_seq, base)
        if latest is not None and effective_from <= latest:
            raise PolicyRefused(
                f"{key}: version {base} already takes effect at {latest.isoformat()} or later",
                policy=citation(key, base),
            )
        version = _insert(cursor, key, (base or 0) + 1, params, effective_from, now, proposal_id)
    forget()
    return version


def record_founding(cursor: Any, *, key: str, params: Params) -> None:
    """Record version 1 of a policy; called by the migration of the app that obeys it."""
    _insert(cursor, key, 1, params, FOUNDED_AT, FOUNDED_AT)


def _insert(  # noqa: PLR0917  (the columns of the row, in their order)
    cursor: Any,
    key: str,
    seq: int,
    params: Mapping[str, Any],
    effective_from: datetime,
    now: datetime,
    proposal_id: UUID | None = None,
) -> Version:
    content = {
        "key": key,
        "seq": seq,
        "params": dict(params),
        "effective_from": effective_from.astimezone(UTC).isoformat(),
    }
    digest = seals.sha256_of(content)
    cursor.execute(
        "INSERT INTO members_policyversion (key, seq, params, effective_from, recorded_at, base_seq, sha256,"
        " proposal_id) VALUES (%s, %s, %s::jsonb, %s, %s, %s, %s, %s)",
        [key, seq, seals.canonical(dict(params)).decode(), effective_from, now, seq - 1 or None, digest, proposal_id],
    )
    return Version(
        key=key,
        seq=seq,
        params=dict(params),
        effective_from=effective_from,
        recorded_at=now,
        sha256=digest,
        proposal_id=proposal_id,
    )


def _version(row: Any) -> Version:
    return Version(
        key=row.key,
        seq=row.seq,
        params=row.params,
        effective_from=row.effective_from,
        recorded_at=row.recorded_at,
        sha256=row.sha256,
        proposal_id=row.proposal_id,
    )


def _versions(moment: datetime) -> dict[str, list[Version]]:
    global _known  # noqa: PLW0603  (what a process remembers is one thing)
    # The co-op's clock may be moved in tests and the demo: a leap of it is a reason to look again, too.
    if (
        _known is None
        or clock.ticks() - _known.ticks > REFRESH_SECONDS
        or abs(moment - _known.moment) > timedelta(seconds=REFRESH_SECONDS)
    ):
        from members.models import PolicyVersion  # noqa: PLC0415  (the registry is filled before models are loaded)

        found: dict[str, list[Version]] = {}
        for row in PolicyVersion.objects.order_by("key", "seq"):
            found.setdefault(row.key, []).append(_version(row))
        _known = _Known(found, clock.ticks(), moment)
    return _known.versions
