"""Publishing: how a work comes before the public, who may change it, and how it stands at a moment."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from catalog import ladder, splits
from catalog.models import CreatorRole, Upload, Work
from catalog.rules import LICENCES
from members import admission, money, policies
from members.problems import Invalid, NotFound, Problem

# After a work was taken off, who has begun it may play on or buy the rest at their terms.
PLAY_ON = timedelta(days=90)


class CannotPublish(Problem):
    """A rule of the policy `content` refuses the work; `rule` names it and `policy_version` the vote that made it."""

    slug, status, title = "cannot-publish", 409, "This work cannot be published yet"


class WorkUnavailable(Problem):
    """The work is not for sale: taken off by its creator, or suspended after a report."""

    slug, status, title = "work-unavailable", 409, "This work cannot be played or bought now"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a work stands for one person at a moment. Lengths are thousandths of a second, `figure` is in micros."""

    work_id: UUID
    kind: str
    state: str
    figure: int | None
    duration_ms: int
    off_at: datetime | None
    own: bool

    def may_begin(self) -> bool:
        """Return whether a holding may begin."""
        return self.state == Work.State.PUBLISHED

    def may_play_on(self, now: datetime) -> bool:
        """Return whether somebody with live charges may play on or buy the rest."""
        if self.state == Work.State.OFF and self.off_at is not None:
            return now < self.off_at + PLAY_ON
        return self.state == Work.State.PUBLISHED


def standing(*, work_id: UUID, person_id: UUID | None, now: datetime) -> Standing:
    """Return how the work stands for the person. At most three queries. Raises NotFound, also for another's draft."""
    work = (
        Work.objects.filter(id=work_id)
        .only("kind", "state", "price_micros", "duration_ms", "off_at", "creator_id")
        .first()
    )
    if work is None:
        raise NotFound("there is no such work")
    own = person_id is not None and (
        manages(creator_id=work.creator_id, person_id=person_id)
        or splits.is_payee(work_id=work_id, person_id=person_id, now=now)
    )
    if work.state == Work.State.DRAFT and not own:
        raise NotFound("there is no such work")
    return Standing(
        work_id=work_id,
        kind=work.kind,
        state=work.state,
        figure=work.price_micros,
        duration_ms=work.duration_ms or 0,
        off_at=work.off_at,
        own=own,
    )


def is_suspended(work_id: UUID) -> bool:
    """Return whether the work is suspended. One query."""
    return Work.objects.filter(id=work_id, state=Work.State.SUSPENDED).exists()


def manages(*, creator_id: UUID, person_id: UUID) -> bool:
    """Return whether the person runs the profile (as owner or editor). One query."""
    return CreatorRole.objects.filter(
        creator_id=creator_id, person_id=person_id, role__in=[CreatorRole.Role.OWNER, CreatorRole.Role.EDITOR]
    ).exists()


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
        _check_content(work, now)
        if not work.split_sheets.exists():
            email = admission.email_of(person_id)
            splits.found_own_sheet(work_id=work.id, person_id=person_id, email=email, now=now)
        work.state, work.off_at = Work.State.PUBLISHED, None
        work.published_at = work.published_at or now
        work.save(update_fields=["state", "off_at", "published_at"])
    return work


def take_off(*, work_id: UUID, person_id: UUID, now: datetime) -> Work:
    """Take a published work off. Owners keep it; who has begun it may play on for 90 days. Raises NotFound."""
    with transaction.atomic():
        work = managed_work(work_id=work_id, person_id=person_id)
        if work.state == Work.State.PUBLISHED:
            work.state, work.off_at = Work.State.OFF, now
            work.save(update_fields=["state", "off_at"])
    return work


def change(*, work_id: UUID, person_id: UUID, now: datetime, **figures: object) -> Work:
    """Change title, price figure, licence, origin, explicit or historic flag of one's own work.

    Raises NotFound, and Invalid for a price outside the policy in force or a licence that is not admitted.
    """
    with transaction.atomic():
        work = managed_work(work_id=work_id, person_id=person_id)
        if "price_micros" in figures:
            check_figure(figures["price_micros"], now=now)  # type: ignore[arg-type]
        if figures.get("licence", work.licence) not in LICENCES:
            raise Invalid(f"The licence is one of {', '.join(LICENCES)}.")
        for name, value in figures.items():
            setattr(work, name, value)
        work.save(update_fields=list(figures))
    return work


def check_figure(figure: int | None, *, now: datetime) -> None:
    """Raise Invalid unless the price figure is none (the default), 0 (free) or within the bounds in force."""
    pricing = policies.policy_at("pricing", now)
    least, most = int(pricing.params["price_min_micros"]), int(pricing.params["price_max_micros"])
    if figure and not least <= figure <= most:
        raise Invalid(
            f"A price is {money.show(least)} to {money.show(most)}, or nothing (pricing version {pricing.seq})."
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


def _check_content(work: Work, now: datetime) -> None:
    upload = Upload.objects.filter(work=work, state=Upload.State.READY).order_by("-created_at").first()
    if upload is None:
        raise CannotPublish("Its file has not been taken in yet.", rule="file")
    content = policies.policy_at("content", now)
    params = content.params
    refusals = {
        "ai_generated": work.origin == Work.Origin.AI_GENERATED and params["ai_generated"] == "forbidden",
        "lossless": params["lossless"] == "required" and not work.lossless,
        "sample_rate_min": work.kind == Work.Kind.TRACK
        and not work.historic
        and int(upload.found.get("sample_rate") or 0) < int(params["sample_rate_min"]),
    }
    words = {
        "ai_generated": "Works made by machines alone are not admitted.",
        "lossless": "A lossless original is required.",
        "sample_rate_min": f"Sound has at least {params['sample_rate_min']} samples a second, unless marked historic.",
    }
    for rule, refused in refusals.items():
        if refused:
            raise CannotPublish(f"{words[rule]} (content version {content.seq})", rule=rule, policy_version=content.seq)
