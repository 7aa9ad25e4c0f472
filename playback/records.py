"""Records: everything that is kept about a listener's library and money, in one document that they take with them."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from catalog.copies import kept
from members import admission
from playback import certificates, library, wallets
from playback.certificates import moment
from playback.following_models import Favourite, Follow
from playback.library import Shelved
from playback.models import TopUp, Wallet

FORMAT = "refrain-library/1"
PAGE = 500


def everything(*, person_id: UUID, now: datetime) -> dict[str, Any]:
    """Return what is known of the person's library, wallet and consent, as JSON has it. Amounts in micros.

    A few queries for each five hundred works and lines.
    """
    return {
        "format": FORMAT,
        "made_at": moment(now),
        "made_by": settings.BASE_URL,
        "currency": settings.CURRENCY,
        "amounts_are": "whole millionths of the currency",
        "listener": {"name": admission.name_of(person_id), "email": admission.email_of(person_id)},
        "consent": _consent(person_id),
        "wallet": _plain(asdict(wallets.overview(person_id=person_id, now=now))),
        "library": _library(person_id, now),
        "history": _history(person_id),
        "top_ups": [_plain(row) for row in TopUp.objects.filter(listener_id=person_id).order_by("created_at").values()],
        "favourites": [
            {"work": str(row.work_id), "title": row.work.title, "creator": row.work.creator.name}
            for row in Favourite.objects.filter(listener_id=person_id)
            .select_related("work__creator")
            .order_by("work__title", "work_id")
        ],
        "follows": [
            {"creator": row.creator.slug, "name": row.creator.name}
            for row in Follow.objects.filter(listener_id=person_id).select_related("creator").order_by("creator__name")
        ],
        "certificates": certificates.issued_to(person_id),
    }


def _consent(person_id: UUID) -> dict[str, Any] | None:
    row = Wallet.objects.filter(listener_id=person_id, consented_at__isnull=False).first()
    if row is None or row.consented_at is None:
        return None
    return {"to": "supply at once", "given_at": moment(row.consented_at), "version": row.consent_version}


def _library(person_id: UUID, now: datetime) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = library.shelf(person_id=person_id, now=now, sort=library.Sort.CREATOR, cursor=cursor, limit=PAGE)
        files = kept.of([work.facts.work_id for work in page.works])
        found += [_work(work, files.get(work.facts.work_id, {})) for work in page.works]
        cursor = page.next_cursor
        if cursor is None:
            return found


def _work(work: Shelved, files: dict[str, kept.Kept]) -> dict[str, Any]:
    known = work.facts
    return {
        "work": str(known.work_id),
        "kind": known.kind,
        "title": known.title,
        "creator": known.creator,
        "release": known.release,
        "position": known.position,
        "state": known.state,
        "licence": known.licence,
        "isrc": known.isrc,
        "credits": known.credits,
        "alternative_text": known.alternative_text,
        "tags": known.tags,
        "duration_ms": known.duration_ms,
        "owned_since": moment(work.owned_at) if work.owned_at else None,
        "kept_free": work.kept_free,
        "paid_micros": work.paid_micros,
        "price_micros": work.cap_micros,
        "plays": work.plays,
        "paid_plays": sorted(work.paid_plays),
        "sent_sha256": known.original_sha256,
        "files": [
            {"format": one.format, "filename": one.filename, "size_bytes": one.size_bytes, "sha256": one.sha256}
            for one in files.values()
            if one.is_ready
        ],
    }


def _history(person_id: UUID) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    before, before_id = None, None
    while True:
        page = wallets.entries(person_id=person_id, before=before, before_id=before_id, limit=PAGE)
        found += [_plain(asdict(entry)) for entry in page]
        if len(page) < PAGE:
            return found
        before, before_id = page[-1].at, page[-1].row_id


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as JSON has it."""
    return {
        name: moment(value) if isinstance(value, datetime) else str(value) if isinstance(value, UUID) else value
        for name, value in row.items()
    }
