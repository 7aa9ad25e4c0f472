"""Notices: mail to a person, or to an address that was invited. The row is the queue.

It is written in the transaction whose news it carries. `members.letters` lays a notice out as text and as HTML.
"""

import logging
import smtplib
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, transaction
from django.db.models import DurationField, ExpressionWrapper, F, Q, QuerySet

from members.erasing import traces
from members.models import Notice

# A letter that is refused is tried ten times: after 5 minutes, 20, 45 and so on, in all for some seven hours.
ATTEMPTS_MOST = 10
AGAIN_AFTER = timedelta(minutes=5)
SENT_AT_ONCE = 1_000
# What is the letter's fault or its address's, and not that the server is away.
REFUSED = (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused, ValueError)
SUBJECT_MOST = 200
AT_ONCE = 50_000
# What is said goes to the database once, however many are told.
TO_MANY = """
INSERT INTO members_notice (id, person_id, address, key, subject, body, html, created_at, attempts)
SELECT gen_random_uuid(), person_id, '', %(topic)s || ':' || person_id, %(subject)s, %(body)s, %(html)s, %(now)s, 0
  FROM unnest(%(people)s::uuid[]) AS told (person_id)
ON CONFLICT (key) DO NOTHING
"""
logger = logging.getLogger(__name__)


def write(*, person_id: uuid.UUID, key: str, subject: str, body: str, now: datetime, html: str = "") -> None:
    """Write a notice to a person once per `key`; the worker sends it. Writing it again changes nothing."""
    _keep(Notice(person_id=person_id, key=key, subject=subject, body=body, html=html, created_at=now))


def write_to(*, address: str, key: str, subject: str, body: str, now: datetime, html: str = "") -> None:
    """Write a notice to an address, which need be nobody's, once per `key`."""
    _keep(Notice(address=address, key=key, subject=subject, body=body, html=html, created_at=now))


def write_to_people(
    person_ids: Iterable[uuid.UUID], *, topic: str, subject: str, body: str, now: datetime, html: str = ""
) -> None:
    """Write the same notice to many people, once to each per `topic`. One query for each 50 000."""
    left = iter(person_ids)
    said: dict[str, Any] = {"topic": topic, "subject": _one_line(subject), "body": body, "html": html, "now": now}
    while some := list(islice(left, AT_ONCE)):
        with connection.cursor() as cursor:
            cursor.execute(TO_MANY, said | {"people": some})


def _keep(notice: Notice) -> None:
    notice.subject = _one_line(notice.subject)
    Notice.objects.bulk_create([notice], ignore_conflicts=True)


def _one_line(subject: str) -> str:
    """Return a subject without ends of lines: names stand in subjects, and each would begin another header."""
    return " ".join(subject.split())[:SUBJECT_MOST]


def of_person(person_id: uuid.UUID) -> QuerySet[Notice]:
    """Return what was written to a person, newest first, without its layout; what was emptied is left out."""
    return Notice.objects.filter(person_id=person_id).exclude(subject="").defer("html").order_by("-created_at", "id")


def send_waiting(*, now: datetime, limit: int = SENT_AT_ONCE) -> int:
    """Send unsent notices, oldest first, and return how many went out.

    One that is refused is tried again, each time later; what cannot go because the mail server is away just waits.
    """
    tried_again = ExpressionWrapper(F("attempts") * F("attempts") * AGAIN_AFTER, output_field=DurationField())
    due = Q(attempts=0) | Q(created_at__lte=now - tried_again)
    waiting = Notice.objects.filter(due, sent_at=None, attempts__lt=ATTEMPTS_MOST)
    found = list(waiting.order_by("created_at").values_list("id", flat=True)[:limit])
    sent = 0
    if found:
        try:
            with _mail_server() as server:
                for notice_id in found:
                    sent += _send_one(notice_id, server, now)
        except OSError:
            logger.exception("the mail server is away: %d of %d notices went out, the rest waits", sent, len(found))
    return sent


@contextmanager
def _mail_server() -> Iterator[BaseEmailBackend]:
    """Keep one connection for many letters. Raises OSError where the server does not answer."""
    server = get_connection()
    server.open()
    try:
        yield server
    finally:
        server.close()


def _send_one(notice_id: uuid.UUID, server: BaseEmailBackend, now: datetime) -> bool:
    """Send a notice unless others do, and return whether it went. Raises OSError where the server went away."""
    with transaction.atomic():
        notice = (
            Notice.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("person")
            .filter(id=notice_id, sent_at=None)
            .first()
        )
        if notice is None:
            return False
        notice.attempts += 1
        failed: Exception | None = None
        try:
            # Who was erased has no address; what is still written to them goes nowhere and is not kept.
            if _is_to_nobody(notice):
                notice.subject, notice.body, notice.html = "", "", ""
            else:
                _send(notice, server)
        except (OSError, ValueError) as error:
            failed = error
        else:
            notice.sent_at = now
        notice.save(update_fields=["attempts", "sent_at", "subject", "body", "html"])
    if failed and not isinstance(failed, REFUSED):
        raise failed
    if failed:
        logger.warning("notice %s was refused: %s", notice.id, failed)
    return failed is None


def _is_to_nobody(notice: Notice) -> bool:
    return _address(notice).endswith(f"@{traces.SHELL_HOST}")


def _address(notice: Notice) -> str:
    return notice.person.email if notice.person else notice.address


def _send(notice: Notice, server: BaseEmailBackend) -> None:
    """Send one, as text and, where it has it, as HTML beside it.

    A worker may die after the mail went and before that is written down, and it goes again: by the same name, so that
    a mailbox keeps one of the two.
    """
    host = urlsplit(settings.BASE_URL).hostname
    mail = EmailMultiAlternatives(
        notice.subject,
        notice.body,
        to=[_address(notice)],
        connection=server,
        headers={"Message-ID": f"<{notice.id}@{host}>"},
    )
    if notice.html:
        mail.attach_alternative(notice.html, "text/html")
    mail.send()
