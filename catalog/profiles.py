"""Creator profiles: founding one, and who runs which."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from catalog import naming
from catalog.models import Creator, CreatorRole
from members.problems import Invalid, NotFound

NAME_MOST = 120
ABOUT_MOST = 4_000
LINKS_MOST, LINK_MOST = 8, 300
PROFILES_MOST = 20
LINK = URLValidator(schemes=["https"])


def run_by(person_id: UUID) -> list[Creator]:
    """Return the open profiles the person runs as owner or editor, by name. One query."""
    roles = [CreatorRole.Role.OWNER, CreatorRole.Role.EDITOR]
    run = Creator.objects.filter(roles__person_id=person_id, roles__role__in=roles, closed_at=None)
    return list(run.order_by("name", "id"))


def found(*, person_id: UUID, name: str, now: datetime) -> Creator:
    """Found a profile under `name`, owned by the person, with an address of its own. Raises Invalid."""
    title = naming.clean(name, most=NAME_MOST)
    if not title:
        raise Invalid("A profile needs a name.")
    if CreatorRole.objects.filter(person_id=person_id, creator__closed_at=None).count() >= PROFILES_MOST:
        raise Invalid(f"One person runs at most {PROFILES_MOST} profiles.")
    slug = slugify(title)[:60] or "creator"
    try:
        with transaction.atomic():
            return _make(title, slug, person_id, now)
    except IntegrityError:  # the address is taken
        with transaction.atomic():
            return _make(title, f"{slug}-{uuid4().hex[:8]}", person_id, now)


def describe(*, creator_id: UUID, person_id: UUID, name: str, about: str, links: Sequence[str]) -> Creator:
    """Change what a profile says of itself; its address stays. For who runs it. Raises NotFound, Invalid.

    Links are addresses with https alone: what a stranger follows from a page of ours should at least be who it says.
    """
    wrong: dict[str, list[str]] = {}
    title, text = naming.clean(name, most=NAME_MOST), about.strip()
    if not title:
        wrong["name"] = ["A profile needs a name."]
    if len(text) > ABOUT_MOST:
        wrong["about"] = [f"This has at most {ABOUT_MOST} characters."]
    kept = list(dict.fromkeys(link.strip() for link in links if link.strip()))
    if len(kept) > LINKS_MOST:
        wrong["links"] = [f"A profile has at most {LINKS_MOST} links."]
    elif bad := next((link for link in kept if not _is_link(link)), ""):
        wrong["links"] = [f"“{bad[:80]}” is no address that begins with https://."]
    if wrong:
        raise Invalid(" ".join(said[0] for said in wrong.values()), fields=wrong)
    with transaction.atomic():
        runs = CreatorRole.objects.filter(person_id=person_id, role__in=["owner", "editor"])
        creator = (
            Creator.objects.select_for_update(of=("self",))
            .filter(id=creator_id, roles__in=runs, closed_at=None)
            .first()
        )
        if creator is None:
            raise NotFound("there is no such profile of yours")
        creator.name, creator.about, creator.links = title, text, kept
        creator.save(update_fields=["name", "about", "links"])
    return creator


def _is_link(link: str) -> bool:
    """Tell whether a link leads somewhere by https, to a host by name, without a sign-in in it."""
    try:
        LINK(link)
        parts = urlsplit(link)
        return len(link) <= LINK_MOST and not parts.username and parts.port is None and "\\" not in link
    except (ValidationError, ValueError):
        return False


def _make(name: str, slug: str, person_id: UUID, now: datetime) -> Creator:
    creator = Creator.objects.create(name=name, slug=slug, created_at=now)
    CreatorRole.objects.create(creator=creator, person_id=person_id, role=CreatorRole.Role.OWNER)
    return creator
