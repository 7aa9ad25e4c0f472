"""Transparency: what of each month is public, so that anybody can recompute it and nobody learns who earned what.

A run publishes its month before it seals it: the bundle goes into the store, its seal and its sums into a row, and the
manifest names the month before. Only what is sealed is shown. A listener can fetch the proof that their own month was
counted.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from catalog import delivery, store
from catalog.copies import parcels
from members import months, seals
from members.problems import NotFound
from royalties import bundles, listener_months, signing
from royalties.publication_models import Publication
from royalties.run_models import Run

FOLDER = "publications"


class BundleDiffers(Exception):
    """A sealed month's bundle was lost, and what its rows make now is not what was published."""


def publish(month: date, now: datetime) -> Publication:
    """Write the bundle of a month whose run is done, and say so in its row. Safe to run again: the same bytes come.

    A sealed month's row stays as it is; should the store have lost its files they are made again, and BundleDiffers is
    raised unless they are what was published. Raises NoSealingKey.
    """
    closed = months.period(month)
    assert closed, f"{month:%Y-%m} is still open"
    published = Publication.objects.filter(month=month).first()
    is_sealed = closed.state == months.SEALED
    if published and is_sealed and store.is_there(published.key) and store.is_there(published.tree_key):
        return published
    before = Publication.objects.filter(month__lt=month).order_by("-month").first()
    key = signing.key_named(published.signing_key) if published and is_sealed else signing.present_key()
    made = Publication(
        month=month,
        key=f"{FOLDER}/{file_name(month)}",
        tree_key=f"{FOLDER}/refrain-{month:%Y-%m}.tree",
        closed_at=closed.closed_at,
    )
    with parcels.sending(key=made.key, content_type="application/zip") as parcel:
        bundle = bundles.write(
            parcel,
            month=month,
            closed_at=made.closed_at,
            before=bundles.Before(month=before.month, manifest_sha256=before.manifest_sha256) if before else None,
            key=key,
            tree_key=made.tree_key,
            now=now,
        )
    made.size_bytes, made.zip_sha256 = parcel.size_bytes, parcel.sha256
    made.document, made.totals = bundle.document, bundle.totals
    made.manifest_sha256, made.signature = bundle.document["sha256"], bundle.document["signature"]
    made.signing_key, made.root = bundle.document["key"], bundle.root.hex()
    made.listeners = bundle.totals["listeners"]
    made.previous_manifest_sha256 = before.manifest_sha256 if before else ""
    if published and is_sealed:
        if made.zip_sha256 != published.zip_sha256:
            raise BundleDiffers(f"{month:%Y-%m} makes {made.zip_sha256}; published was {published.zip_sha256}")
        return published
    Publication.objects.bulk_create(
        [made],
        update_conflicts=True,
        unique_fields=["month"],
        update_fields=[field.name for field in Publication._meta.concrete_fields if field.name != "month"],
    )
    return made


def sealed() -> QuerySet[Publication]:
    """Return what was published of sealed months, each with `sealed_at`, in no order."""
    sealed_at = Run.objects.filter(month=OuterRef("month"), state=Run.State.SEALED).values("sealed_at")
    return Publication.objects.annotate(sealed_at=Subquery(sealed_at)).filter(sealed_at__isnull=False)


def period(month: date) -> Publication:
    """Return what was published of a sealed month, with `sealed_at`. One query. Raises NotFound."""
    found = sealed().filter(month=month).first()
    if found is None:
        raise NotFound("no such month is sealed")
    return found


def beside(month: date) -> tuple[date | None, date | None]:
    """Return the sealed months before and after a month. Two queries."""
    others = sealed().values_list("month", flat=True)
    return (
        others.filter(month__lt=month).order_by("-month").first(),
        others.filter(month__gt=month).order_by("month").first(),
    )


def month_of(name: str) -> date:
    """Return the first day of the month that an address names: `2026-10`. Raises NotFound."""
    try:
        return date.fromisoformat(f"{name}-01")
    except ValueError:
        raise NotFound("a month is written like 2026-10") from None


def file_name(month: date) -> str:
    """Return the name under which a month's bundle is saved."""
    return f"refrain-{month:%Y-%m}.zip"


def bundle_url(of: Publication, now: datetime) -> str:
    """Return an address of the bundle, for about an hour. No query."""
    return delivery.keep_url(of.key, now=now, filename=file_name(of.month))


def my_proof(*, person_id: UUID, month: date) -> dict[str, Any]:
    """Return a listener's month as it was counted, and the way from it to the published root (RFC 6962).

    Raises NotFound for a month that is not sealed or in which nothing of theirs was counted, and NoSealingKey.
    """
    publication = period(month)
    counted = listener_months.of_one(person_id, month, closed_at=publication.closed_at)
    if counted is None:
        raise NotFound("nothing of yours was charged in that month")
    secret = signing.secret_of(month, key=signing.key_named(publication.signing_key))
    leaf = counted.leaf(month, secret.salt(person_id))
    found = listener_months.proof(
        publication.tree_key, count=publication.listeners, leaf=seals.leaf_hash(seals.canonical(leaf))
    )
    assert found is not None, f"a listener's month of {month:%Y-%m} is not in its tree"
    index, path = found
    return {
        "leaf": leaf,
        "index": index,
        "count": publication.listeners,
        "path": [step.hex() for step in path],
        "root": publication.root,
        "manifest_sha256": publication.manifest_sha256,
    }
