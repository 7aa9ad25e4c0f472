"""Transparency: what of each month is public, so that anybody can recompute it and nobody learns who earned what.

A run publishes its month before it seals it: the bundle goes into the store, its seal and its sums into a row, and the
manifest names the month before. Only what is sealed is shown. A listener can fetch the proof that their own month was
counted.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from catalog import delivery, store
from catalog.copies import parcels
from members import months, seals
from members.problems import NotFound
from royalties import bundles, listener_months, signing
from royalties.publication_models import Publication
from royalties.run_models import Run

FOLDER = "publications"
PAGE = 24


class BundleDiffers(Exception):
    """A sealed month's bundle was lost, and what its rows make now is not what was published."""


@dataclass(frozen=True, kw_only=True)
class Period:
    """A sealed month, as everybody may see it. `later` and `earlier` are the sealed months beside it."""

    publication: Publication
    sealed_at: datetime
    later: date | None = None
    earlier: date | None = None

    @property
    def month(self) -> date:
        """Return the first day of the month."""
        return self.publication.month

    @property
    def name(self) -> str:
        """Return the month as addresses and files have it: `2026-10`."""
        return f"{self.month:%Y-%m}"

    @property
    def file(self) -> str:
        """Return the name under which the bundle is saved."""
        return f"refrain-{self.name}.zip"


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
        key=f"{FOLDER}/refrain-{month:%Y-%m}.zip",
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


def periods(*, before: date | None = None, limit: int = PAGE) -> tuple[list[Period], date | None]:
    """Return sealed months, the newest first, and the month before which the next page begins. Two queries."""
    sealed = dict(Run.objects.filter(state=Run.State.SEALED).values_list("month", "sealed_at"))
    rows = Publication.objects.filter(month__in=sealed).order_by("-month")
    found = list((rows.filter(month__lt=before) if before else rows)[: limit + 1])
    shown = []
    for row in found[:limit]:
        sealed_at = sealed[row.month]
        assert sealed_at is not None
        shown.append(Period(publication=row, sealed_at=sealed_at))
    return shown, shown[-1].month if len(found) > limit else None


def period(month: date) -> Period:
    """Return a sealed month. Four queries at most. Raises NotFound."""
    sealed_at = Run.objects.filter(month=month, state=Run.State.SEALED).values_list("sealed_at", flat=True).first()
    publication = Publication.objects.filter(month=month).first() if sealed_at else None
    if publication is None or sealed_at is None:
        raise NotFound("no such month is sealed")
    sealed = Run.objects.filter(state=Run.State.SEALED, month__in=Publication.objects.values("month"))
    others = sealed.values_list("month", flat=True)
    return Period(
        publication=publication,
        sealed_at=sealed_at,
        later=others.filter(month__gt=month).order_by("month").first(),
        earlier=others.filter(month__lt=month).order_by("-month").first(),
    )


def month_of(name: str) -> date:
    """Return the first day of the month that an address names: `2026-10`. Raises NotFound."""
    try:
        return date.fromisoformat(f"{name}-01")
    except ValueError:
        raise NotFound("a month is written like 2026-10") from None


def bundle_url(of: Period, now: datetime) -> str:
    """Return an address of the bundle, for about an hour. No query."""
    return delivery.keep_url(of.publication.key, now=now, filename=of.file)


def payee_names(*, month: date, payee_id: UUID, work_ids: list[UUID]) -> dict[UUID, str]:
    """Return how a payee is called on each work's lines in the bundle of a month. Raises NoSealingKey."""
    signed_by = Publication.objects.filter(month=month).values_list("signing_key", flat=True).first()
    key = signing.key_named(signed_by) if signed_by else signing.present_key()
    secret = signing.secret_of(month, key=key)
    return {work_id: secret.payee(work_id, payee_id) for work_id in work_ids}


def my_proof(*, person_id: UUID, month: date) -> dict[str, Any]:
    """Return a listener's month as it was counted, and the way from it to the published root (RFC 6962).

    Raises NotFound for a month that is not sealed or in which nothing of theirs was counted, and NoSealingKey.
    """
    publication = period(month).publication
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
