"""Certificates: a signed statement of what a listener owned at a moment, and whether it still holds.

The listener's copy is whole: the work, its files, what was paid under which terms, since when, and their name if they
want it there. What is said in public under a certificate's id is less: which work it is of, and whether it holds. It
holds while the work has been owned without a break since the moment it names, so a reversal ends it for good.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from catalog import facts
from catalog.copies import kept
from catalog.copies.kept import Kept
from catalog.facts import Facts
from members import admission, seals
from members.problems import NotFound, Problem
from members.seals import CannotSeal
from playback import library
from playback.library_models import Certificate
from playback.models import Charge, Holding, Reversal

FORMAT = "refrain-certificate/1"
SAYS = (
    "At the moment “as_of” the holder of this certificate owned the work named in it: they may play it and download it,"
    " for ever, whatever becomes of it in the catalogue. It is no licence beyond the one named, and it moves no rights"
    " of its creator."
)


class NoSigningKey(Problem):
    """Certificates are signed, and this installation has no key to sign with."""

    slug, status, title = "no-signing-key", 503, "No certificate can be signed now"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What may be known in public of a certificate, and whether it holds now."""

    id: UUID
    work: Facts
    as_of: datetime
    sha256: str
    key: str
    holds: bool
    ended_at: datetime | None
    checked_at: datetime


def issue(*, person_id: UUID, work_id: UUID, named: bool, now: datetime) -> dict[str, Any]:
    """Return a signed certificate of a work that the person owns, with their name if they want it `named` there.

    What was said before is not said twice: the same certificate comes again until something in it has changed. Some
    ten queries. Raises NotFound for a work that is not theirs, and NoSigningKey.
    """
    library.owned(person_id=person_id, work_id=work_id)
    issued = issue_many(person_id=person_id, work_ids=[work_id], named=named, now=now)
    if work_id not in issued:
        raise NotFound("there is no such work in your library")
    return issued[work_id]


def issue_many(*, person_id: UUID, work_ids: list[UUID], named: bool, now: datetime) -> dict[UUID, dict[str, Any]]:
    """Return a signed certificate of each of these works that the person owns. Ten queries, however many there are.

    Raises NoSigningKey.
    """
    held = {
        row.work_id: row
        for row in Holding.objects.filter(listener_id=person_id, work_id__in=work_ids, owned_at__isnull=False)
    }
    known, files = facts.of(held), kept.of(held)
    holder = admission.name_of(person_id) if named else ""
    said = {work_id: _said(row, known[work_id], files.get(work_id, {}), holder) for work_id, row in held.items()}
    digests = {work_id: seals.sha256_of(content) for work_id, content in said.items()}

    def issued() -> dict[UUID, dict[str, Any]]:
        rows = Certificate.objects.filter(
            listener_id=person_id, work_id__in=held, said_sha256__in=list(digests.values())
        )
        wanted = {(work_id, row.owned_at, digests[work_id]) for work_id, row in held.items()}
        return {row.work_id: row.content for row in rows if (row.work_id, row.owned_at, row.said_sha256) in wanted}

    earlier = issued()
    if len(earlier) == len(held):
        return earlier
    key, made = _key(), []
    for work_id in held.keys() - earlier.keys():
        owned_at = held[work_id].owned_at
        assert owned_at is not None
        one = Certificate(
            id=uuid4(),
            listener_id=person_id,
            work_id=work_id,
            owned_at=owned_at,
            said_sha256=digests[work_id],
            as_of=now,
        )
        one.content = _signed({**said[work_id], **_dated(one)}, key=key)
        made.append(one)
    # Two that ask at once for the same get the one that was first.
    Certificate.objects.bulk_create(made, ignore_conflicts=True)
    return issued()


def standing(*, certificate_id: UUID, now: datetime) -> Standing:
    """Return whether a certificate holds now, for anybody who has its id. At most six queries. Raises NotFound."""
    found = Certificate.objects.filter(id=certificate_id).first()
    if found is None:
        raise NotFound("there is no such certificate")
    holds = Holding.objects.filter(
        listener_id=found.listener_id, work_id=found.work_id, owned_at=found.owned_at
    ).exists()
    return Standing(
        id=found.id,
        work=facts.of_one(found.work_id),
        as_of=found.as_of,
        sha256=found.content["sha256"],
        key=found.content["key"],
        holds=holds,
        ended_at=None if holds else _ended_at(found),
        checked_at=now,
    )


def issued_to(person_id: UUID) -> list[dict[str, Any]]:
    """Return every certificate the person was given, the oldest first. One query."""
    return [row.content for row in Certificate.objects.filter(listener_id=person_id).order_by("as_of", "id")]


def _ended_at(certificate: Certificate) -> datetime | None:
    given_back = Charge.objects.filter(
        listener_id=certificate.listener_id, work_id=certificate.work_id, reversal_id__isnull=False
    ).values_list("reversal_id", flat=True)
    return (
        Reversal.objects.filter(id__in=list(given_back), reversed_at__gte=certificate.owned_at)
        .order_by("reversed_at")
        .values_list("reversed_at", flat=True)
        .first()
    )


def _said(held: Holding, work: Facts, files: dict[str, Kept], holder: str) -> dict[str, Any]:
    """Return what a certificate says beside its id and its moment. Amounts in micros."""
    assert held.owned_at is not None
    sent = {"format": "as sent", "sha256": work.original_sha256, "size_bytes": work.original_bytes}
    made = [
        {"format": one.format, "sha256": one.sha256, "size_bytes": one.size_bytes}
        for one in sorted(files.values(), key=lambda one: one.format)
        if one.is_ready
    ]
    return {
        "format": FORMAT,
        "issuer": settings.BASE_URL,
        "says": SAYS,
        "work": {
            "id": str(work.work_id),
            "kind": work.kind,
            "title": work.title,
            "creator": work.creator,
            "release": work.release,
            "isrc": work.isrc,
            "licence": work.licence,
            "licence_name": work.licence_name,
            "licence_words": work.licence_words,
        },
        "files": [*([sent] if work.original_sha256 else []), *made],
        "holder": holder,
        "owned_since": moment(held.owned_at),
        "kept_free": held.price_micros is None,
        "paid_micros": held.paid_micros,
        "currency": settings.CURRENCY,
        "terms": None
        if held.price_micros is None
        else {
            "price_micros": held.price_micros,
            "plays": held.plays,
            "growth": f"{held.growth_num}/{held.growth_den}",
            "pricing_version": held.pricing_version,
        },
    }


def _dated(certificate: Certificate) -> dict[str, str]:
    return {
        "id": str(certificate.id),
        "as_of": moment(certificate.as_of),
        "standing_url": f"{settings.BASE_URL}/certificates/{certificate.id}",
    }


def moment(at: datetime) -> str:
    """Return a moment as it is signed: UTC, to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _key() -> Ed25519PrivateKey:
    try:
        return seals.load_key(settings.SIGNING_KEY_FILE)
    except CannotSeal as error:
        raise NoSigningKey(f"{error}.") from error


def _signed(content: dict[str, Any], *, key: Ed25519PrivateKey) -> dict[str, Any]:
    return {"certificate": content, "sha256": seals.sha256_of(content), **seals.sign(content, key=key)}
