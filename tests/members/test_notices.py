"""Notices to many: once to each person per topic, and nothing in a subject that could be taken for a header."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members import notices
from members.models import Notice
from tests.cast import person

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 5, 12, tzinfo=UTC)


def tell(people, *, topic="vote:1", subject="A vote begins"):
    ids = [one.id for one in people]
    notices.write_to_people(ids, topic=topic, subject=subject, body="Words.", html="<p>Words.</p>", now=NOW)


def test_each_is_told_once_per_topic_and_all_with_one_query():
    people = [person(name) for name in ("ana", "ben", "cleo")]
    with CaptureQueriesContext(connection) as asked:
        tell(people[:2])
    tell(people)
    assert len(asked) == 1
    told = Notice.objects.order_by("key")
    assert {one.key for one in told} == {f"vote:1:{one.id}" for one in people}
    assert {(one.subject, one.body, one.html, one.address, one.created_at, one.sent_at) for one in told} == {
        ("A vote begins", "Words.", "<p>Words.</p>", "", NOW, None)
    }
    tell(people, topic="vote:2")
    assert Notice.objects.count() == 6


def test_a_title_with_ends_of_lines_begins_no_other_header(settings, tmp_path):
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = "django.core.mail.backends.filebased.EmailBackend", tmp_path
    tell([person("lena")], subject="Shorter\r\nBcc: all@elsewhere.example\n openings " + "x" * 300)
    assert notices.send_waiting(now=NOW) == 1
    (mail,) = tmp_path.iterdir()
    headers = mail.read_bytes().split(b"\n\n")[0].decode()
    assert not [line for line in headers.splitlines() if line.startswith("Bcc:")]
    assert len(Notice.objects.get().subject) == notices.SUBJECT_MOST
