"""Creator profiles: founding one, and who runs which."""

from datetime import datetime
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from catalog import naming
from catalog.models import Creator, CreatorRole
from members.problems import Invalid

NAME_MOST = 120
PROFILES_MOST = 20


def run_by(person_id: UUID) -> list[Creator]:
    """Return the profiles the person runs as owner or editor, by name. One query."""
    roles = [CreatorRole.Role.OWNER, CreatorRole.Role.EDITOR]
    return list(Creator.objects.filter(roles__person_id=person_id, roles__role__in=roles).order_by("name", "id"))


def found(*, person_id: UUID, name: str, now: datetime) -> Creator:
    """Found a profile under `name`, owned by the person, with an address of its own. Raises Invalid."""
    title = naming.clean(name, most=NAME_MOST)
    if not title:
        raise Invalid("A profile needs a name.")
    if CreatorRole.objects.filter(person_id=person_id).count() >= PROFILES_MOST:
        raise Invalid(f"One person runs at most {PROFILES_MOST} profiles.")
    slug = slugify(title)[:60] or "creator"
    try:
        with transaction.atomic():
            return _make(title, slug, person_id, now)
    except IntegrityError:  # the address is taken
        with transaction.atomic():
            return _make(title, f"{slug}-{uuid4().hex[:8]}", person_id, now)


def _make(name: str, slug: str, person_id: UUID, now: datetime) -> Creator:
    creator = Creator.objects.create(name=name, slug=slug, created_at=now)
    CreatorRole.objects.create(creator=creator, person_id=person_id, role=CreatorRole.Role.OWNER)
    return creator
