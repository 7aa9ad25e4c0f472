"""Publishing: how a work comes before the public, who may change it, and how it stands at a moment."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import BooleanField, Exists, ExpressionWrapper, Max, OuterRef, Q, QuerySet, Value

from catalog import content, describing, ladder, splits
from catalog.content import CannotPublish
from catalog.models import Creator, CreatorRole, Release, Work
from members import admission, money, policies
from members.problems import Invalid, NotFound, Problem

# After a work was taken off, who has begun it may play on or buy the rest at their terms.
PLAY_ON = timedelta(days=90)
# Which rule of the policy `content` speaks of a field.
RULE_OF = {"origin": "ai_generated", "historic": "sample_rate_min", "alternative_text": "alternative-text"}


class ProfileClosed(Problem):
    """The profile was closed by its owner: nothing new happens under it."""

    slug, status, title = "profile-closed", 409, "This profile is closed"


class WorkUnavailable(Problem):
    """The work is not for sale: taken off by its creator, or suspended after a report."""

    slug, status, title = "work-unavailable", 409, "This work cannot be played or bought now"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a work stands for one person at a moment. Lengths are thousandths of a second, `figure` is in micros."""

    work_id: UUID
    kind: str
    title: str
    state: str
    figure: int | None
    duration_ms: int
    off_at: datetime | None
    own: bool

    @property
    def is_suspended(self) -> bool:
        """Whether it was taken away by staff: nothing is charged or sold, only owners and its people still have it."""
        return self.state == Work.State.SUSPENDED

    def may_begin(self) -> bool:
        """Return whether a holding may begin."""
        return self.state == Work.State.PUBLISHED

    def may_play_on(self, now: datetime) -> bool:
        """Return whether somebody with live charges may play on or buy the rest."""
        if self.state == Work.State.OFF and self.off_at is not None:
            return now < self.off_at + PLAY_ON
        return self.state == Work.State.PUBLISHED


def standing(*, work_id: UUID, person_id: UUID | None, now: datetime) -> Standing:
    """Return how the work stands for the person. One query. Raises NotFound, also for another's draft."""
    found = _standings(Work.objects.filter(id=work_id), person_id=person_id, now=now)
    if not found:
        raise NotFound("there is no such work")
    return found[0]


def standings_in_release(*, release_id: UUID, person_id: UUID | None, now: datetime) -> list[Standing]:
    """Return how the works of a release stand for the person, in their order. One query.

    Drafts of others are left out. Raises NotFound when nothing is left.
    """
    works = Work.objects.filter(release_id=release_id).order_by("position", "created_at", "id")
    found = _standings(works, person_id=person_id, now=now)
    if not found:
        raise NotFound("there is no such release")
    return found


def standings_of(*, work_ids: Collection[UUID], person_id: UUID | None, now: datetime) -> dict[UUID, Standing]:
    """Return how each of these works stands for the person; what they may not know of is missing. One query."""
    found = _standings(Work.objects.filter(id__in=work_ids), person_id=person_id, now=now)
    return {one.work_id: one for one in found}


def _standings(works: QuerySet[Work], *, person_id: UUID | None, now: datetime) -> list[Standing]:
    own: Value | Q = Value(value=False)
    if person_id is not None:
        own = Q(Exists(_managing(OuterRef("creator_id"), person_id))) | Q(
            Exists(splits.lines_in_force(work=OuterRef(OuterRef("id")), now=now).filter(person_id=person_id))
        )
    figures = works.annotate(own=ExpressionWrapper(own, BooleanField())).values_list(
        "id", "kind", "title", "state", "price_micros", "duration_ms", "off_at", "own"
    )
    return [
        Standing(
            work_id=work_id,
            kind=kind,
            title=title,
            state=state,
            figure=figure,
            duration_ms=duration_ms or 0,
            off_at=off_at,
            own=own_work,
        )
        for work_id, kind, title, state, figure, duration_ms, off_at, own_work in figures
        if state != Work.State.DRAFT or own_work
    ]


def is_suspended(work_id: UUID) -> bool:
    """Return whether the work is suspended. One query."""
    return Work.objects.filter(id=work_id, state=Work.State.SUSPENDED).exists()


def manages(*, creator_id: UUID, person_id: UUID) -> bool:
    """Return whether the person runs the profile (as owner or editor). One query."""
    return _managing(creator_id, person_id).exists()


def _managing(creator: UUID | OuterRef, person_id: UUID) -> QuerySet[CreatorRole]:
    return CreatorRole.objects.filter(
        creator_id=creator, person_id=person_id, role__in=[CreatorRole.Role.OWNER, CreatorRole.Role.EDITOR]
    )


def managed_work(*, work_id: UUID, person_id: UUID) -> Work:
    """Return a work that the person may change, locked. Inside a transaction. Raises NotFound."""
    work = Work.objects.select_for_update().filter(id=work_id).first()
    if work is None or not manages(creator_id=work.creator_id, person_id=person_id):
        raise NotFound("there is no such work of yours")
    return work


def publish(*, work_id: UUID, person_id: UUID, now: datetime) -> Work:
    """Bring a draft, or a work that was taken off, before the public. Raises NotFound and CannotPublish.

    A first split sheet with the publisher alone is in force at once, unless there is a sheet already.
    """
    with transaction.atomic():
        work = managed_work(work_id=work_id, person_id=person_id)
        if work.state == Work.State.PUBLISHED:
            return work
        if work.state == Work.State.SUSPENDED:
            raise CannotPublish("It is suspended after a report; the appeal decides.", rule="suspended")
        _check_open(work.creator_id)
        content.check(work, now=now)
        if not work.split_sheets.exists():
            email = admission.email_of(person_id)
            splits.found_own_sheet(work_id=work.id, person_id=person_id, email=email, now=now)
        work.state, work.off_at, work.state_reason = Work.State.PUBLISHED, None, ""
        work.published_at = work.published_at or now
        work.save(update_fields=["state", "off_at", "published_at", "state_reason"])
    return work


def take_off(*, work_id: UUID, person_id: UUID, now: datetime) -> Work:
    """Take a published work off. Owners keep it; who has begun it may play on for 90 days. Raises NotFound."""
    with transaction.atomic():
        work = managed_work(work_id=work_id, person_id=person_id)
        if work.state == Work.State.PUBLISHED:
            work.state, work.off_at = Work.State.OFF, now
            work.save(update_fields=["state", "off_at"])
    return work


def change(*, work_id: UUID, person_id: UUID, now: datetime, **changes: object) -> Work:
    """Change what a creator says of their own work: any of `describing.FIELDS`, cleaned and checked one by one.

    A work that is public keeps to the rules that made it so. Raises NotFound, Invalid with what is wrong in which
    field, CannotPublish for what the policy in force refuses of a published work, and ProfileClosed.
    """
    with transaction.atomic():
        work = managed_work(work_id=work_id, person_id=person_id)
        _check_open(work.creator_id)
        kept = describing.checked(
            changes,
            ("price_micros", lambda: check_figure(changes.get("price_micros"), now=now)),  # type: ignore[arg-type]
            ("release_id", lambda: _check_release(changes.get("release_id"), work.creator_id)),
        )
        if "release_id" in kept:
            kept.setdefault("position", _next_position(work, kept["release_id"]))
        altered = {name: value for name, value in kept.items() if getattr(work, name) != value}
        for name, value in altered.items():
            setattr(work, name, value)
        rules = frozenset(RULE_OF[name] for name in altered if name in RULE_OF)
        if work.state == Work.State.PUBLISHED and rules:
            content.check(work, now=now, rules=rules)
        if altered:
            work.save(update_fields=list(altered))
    return work


def _check_open(creator_id: UUID) -> None:
    """Raise ProfileClosed if it is."""
    if Creator.objects.filter(id=creator_id, closed_at__isnull=False).exists():
        raise ProfileClosed("Its owner closed this profile. Works of it are not changed or published any more.")


def _check_release(release_id: Any, creator_id: UUID) -> None:
    if release_id is not None and not Release.objects.filter(id=release_id, creator_id=creator_id).exists():
        raise Invalid("There is no such release of this profile.")


def _next_position(work: Work, release_id: UUID | None) -> int | None:
    """Return the place a work takes in the release it comes into: its own where it is there already, else the last."""
    if release_id is None or release_id == work.release_id:
        return work.position if release_id else None
    last = Work.objects.filter(release_id=release_id).aggregate(last=Max("position"))["last"]
    return (last or 0) + 1


def check_figure(figure: int | None, *, now: datetime) -> None:
    """Raise Invalid unless the price figure is none (the default), 0 (free) or within the bounds in force."""
    pricing = policies.policy_at("pricing", now)
    least, most = int(pricing.params["price_min_micros"]), int(pricing.params["price_max_micros"])
    if figure and not least <= figure <= most:
        raise Invalid(
            f"A price is {money.show(least)} to {money.show(most)}, or nothing (pricing version {pricing.seq}).",
            policy=pricing.citation,
        )


def steps_now(*, figure: int | None, now: datetime) -> tuple[list[int], int]:
    """Return the ladder a new listener would meet now, in micros, and the pricing version."""
    pricing = policies.policy_at("pricing", now)
    price = ladder.price_now(
        figure,
        default=int(pricing.params["price_default_micros"]),
        price_min=int(pricing.params["price_min_micros"]),
        price_max=int(pricing.params["price_max_micros"]),
    )
    if price == 0:
        return [], pricing.seq
    shape = (int(pricing.params[name]) for name in ("plays", "growth_num", "growth_den"))
    return ladder.ladder(price, *shape), pricing.seq
