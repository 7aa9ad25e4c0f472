"""Notices: to many at once, over a mail server that refuses, goes away and comes back, and none is lost."""

import socketserver
import threading
from datetime import UTC, datetime, timedelta

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


class Server(socketserver.ThreadingTCPServer):
    """A mail server that keeps what comes, and refuses addresses that begin so; `hangs_up` leaves in mid-letter."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Talk)
        self.connections, self.letters, self.hangs_up = 0, [], False


class Talk(socketserver.StreamRequestHandler):
    """One connection of it."""

    def handle(self):
        self.server.connections += 1
        self.say("220 ready")
        while line := self.rfile.readline().decode().strip():
            word = line.split(":")[0].split()[0].upper()
            if word == "QUIT" or (word == "DATA" and self.server.hangs_up):
                return
            if word == "RCPT" and "<refused" in line:
                self.say("550 nobody of that name")
            elif word == "DATA":
                self.say("354 go on")
                letter = b""
                while not letter.endswith(b"\r\n.\r\n"):
                    letter += self.rfile.readline()
                self.server.letters.append(letter.decode())
                self.say("250 kept")
            else:
                self.say("250 well")

    def say(self, words):
        self.wfile.write(f"{words}\r\n".encode())


@pytest.fixture
def server(settings):
    """Give a mail server that letters are sent to."""
    with Server() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = made.server_address
        yield made
        made.shutdown()


def waiting():
    return set(Notice.objects.filter(sent_at=None).values_list("person__email", "attempts"))


def test_many_letters_go_over_one_connection_and_one_that_is_refused_stops_no_other(server):
    people = [person(name) for name in ("ana", "refused", "ben", "cleo")]
    tell(people)
    assert notices.send_waiting(now=NOW) == 3
    assert server.connections == 1
    assert len(server.letters) == 3
    assert waiting() == {(people[1].email, 1)}


def test_what_is_refused_is_tried_again_each_time_later_and_at_last_no_more(server):
    refused = person("refused")
    tell([refused])
    for attempt in range(notices.ATTEMPTS_MOST):
        due = NOW + attempt * attempt * notices.AGAIN_AFTER
        if attempt:
            notices.send_waiting(now=due - timedelta(seconds=1))
            assert waiting() == {(refused.email, attempt)}
        notices.send_waiting(now=due)
        assert waiting() == {(refused.email, attempt + 1)}
    connections = server.connections
    assert notices.send_waiting(now=NOW + timedelta(days=30)) == 0
    assert server.connections == connections


def test_while_the_server_is_away_letters_wait_and_no_attempt_counts(server, settings):
    tell([person("ana"), person("ben")])
    there, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    for minute in range(60):
        assert notices.send_waiting(now=NOW + timedelta(minutes=minute)) == 0
    assert {attempts for _, attempts in waiting()} == {0}
    settings.EMAIL_PORT = there
    assert notices.send_waiting(now=NOW + timedelta(hours=1)) == 2


def test_a_server_that_hangs_up_ends_the_sweep_and_the_next_one_goes_on(server):
    people = [person("ana"), person("ben")]
    tell(people)
    server.hangs_up = True
    assert notices.send_waiting(now=NOW) == 0
    assert sum(attempts for _, attempts in waiting()) == 1
    server.hangs_up = False
    assert notices.send_waiting(now=NOW) == 1
    assert notices.send_waiting(now=NOW + notices.AGAIN_AFTER) == 1
    assert waiting() == set()
