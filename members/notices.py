"""Notices: mail to a person. The row is the queue; it is written in the transaction whose news it carries."""

import logging
import uuid
from datetime import datetime

from django.core.mail import send_mail
from django.db import transaction

from members.models import Notice

ATTEMPTS_MOST = 10
logger = logging.getLogger(__name__)


def write(*, person_id: uuid.UUID, key: str, subject: str, body: str, now: datetime) -> None:
    """Write a notice once per `key`; the worker sends it. Writing it again changes nothing."""
    Notice.objects.bulk_create(
        [Notice(person_id=person_id, key=key, subject=subject, body=body, created_at=now)], ignore_conflicts=True
    )


def send_waiting(*, now: datetime, limit: int = 100) -> int:
    """Send unsent notices, oldest first, and return how many went out. One that fails is tried again later."""
    sent = 0
    for notice_id in list(
        Notice.objects.filter(sent_at=None, attempts__lt=ATTEMPTS_MOST)
        .order_by("created_at")
        .values_list("id", flat=True)[:limit]
    ):
        with transaction.atomic():
            notice = (
                Notice.objects.select_for_update(skip_locked=True, of=("self",))
                .select_related("person")
                .filter(id=notice_id, sent_at=None)
                .first()
            )
            if notice is None:
                continue
            notice.attempts += 1
            try:
                send_mail(notice.subject, notice.body, None, [notice.person.email])
            except OSError:
                logger.exception("notice %s could not be sent", notice.id)
            else:
                notice.sent_at = now
                sent += 1
            notice.save(update_fields=["attempts", "sent_at"])
    return sent
