"""Alarms: what a treasurer has to look at. One rings from the moment it was found until it was looked for in vain."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from royalties.ledger_models import Alarm


@dataclass(frozen=True, kw_only=True)
class Ringing:
    """An alarm that rings, or rang until `cleared_at`."""

    key: str
    words: str
    raised_at: datetime
    cleared_at: datetime | None


def ring(*, key: str, words: str, now: datetime) -> None:
    """Let an alarm ring; one that rings already gets the newer words and keeps its moment."""
    with transaction.atomic():
        if not Alarm.objects.filter(key=key, cleared_at=None).update(words=words):
            Alarm.objects.bulk_create([Alarm(key=key, words=words, raised_at=now)], ignore_conflicts=True)


def clear(*, key: str, now: datetime) -> bool:
    """End an alarm; return whether it rang."""
    return bool(Alarm.objects.filter(key=key, cleared_at=None).update(cleared_at=now))


def keep(*, about: str, found: Mapping[str, str], now: datetime) -> None:
    """Let exactly the alarms of `found` (words by key) ring among those whose key begins with `about`."""
    with transaction.atomic():
        for key, words in found.items():
            assert key.startswith(about), key
            ring(key=key, words=words, now=now)
        over = Alarm.objects.filter(key__startswith=about, cleared_at=None).exclude(key__in=found.keys())
        over.update(cleared_at=now)


def ringing() -> list[Ringing]:
    """Return the alarms that ring, oldest first. One query."""
    return [
        Ringing(key=one.key, words=one.words, raised_at=one.raised_at, cleared_at=None)
        for one in Alarm.objects.filter(cleared_at=None).order_by("raised_at", "id")
    ]
