"""Statements over HTTP: one's own, word by word what was sealed, as a page, a table, a document and by the API."""

import csv
import hashlib
import io
import json
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from members.models import Person
from royalties import signing, statements
from royalties.run_models import Statement
from tests import callers, cast
from tests.callers import Caller
from tests.royalties import counting, running

pytestmark = pytest.mark.django_db
OCTOBER = date(2026, 10, 1)
BEFORE = datetime(2026, 9, 20, 12, tzinfo=UTC)
THE_TENTH = datetime(2026, 10, 10, 12, tzinfo=UTC)


class Earned:
    """Six people buy Ana's and Ben's track in October, and one of them plays another of Ana's twice."""

    def __init__(self, *, works: int = 1) -> None:
        cast.set_clock(BEFORE)
        self.ana, self.ben = cast.person("ana"), cast.person("ben")
        label = cast.creator(cast.person("label"))
        self.works = [cast.track(label, now=BEFORE) for _ in range(works)]
        shares = [(self.ana, 600_000), (self.ben, 400_000)]
        for work in self.works:
            counting.put_in_force(work, shares, since=BEFORE + timedelta(hours=1))
        self.alone = cast.track(cast.creator(self.ana), now=BEFORE)
        self.alone.title = "=HYPERLINK(1)"
        self.alone.save()
        listeners = [cast.person() for _ in range(6)]
        for listener in listeners:
            cast.top_up(listener, 500)
        for work in self.works:
            for listener in listeners:
                counting.charge(listener, work, 1_022_000, at=THE_TENTH)
        for number in (1, 2):
            counting.charge(listeners[0], self.alone, 1_000 << number, at=THE_TENTH, number=number)
        running.start_of_next(OCTOBER)
        running.close(OCTOBER)


def signed_in(person: Person) -> Client:
    browser = Client()
    browser.force_login(person)
    return browser


def test_the_page_shows_every_line_to_the_millionth_and_what_it_was_made_of() -> None:
    earned = Earned()
    shown = signed_in(earned.ana).get("/statements/2026-10").content.decode()
    for words in (
        "<h1>What October 2026 earned you</h1>",
        # 0.7 of 6 132 000 is 4 292 400, of which 0.6 are hers; and 0.7 of 6 000 is 4 200.
        "€6.132000", "€4.292400", "€2.575440", "60&nbsp;%", "€0.004200", "€2.579640",
        "<td class=\"n\">6</td>",
        "fewer than 5",
        "Nothing is due to be paid out now.",
    ):  # fmt: skip
        assert words in shown, words
    secret = signing.secret_of(OCTOBER, key=signing.present_key())
    assert secret.payee(earned.works[0].id, earned.ana.id) in shown
    assert secret.payee(earned.works[0].id, earned.ben.id) not in shown
    assert "€1.716960" not in shown, "Ben's is nobody's business"


def test_the_table_and_the_document_say_the_same_as_the_page() -> None:
    earned = Earned()
    browser = signed_in(earned.ana)
    found = statements.of_month(person_id=earned.ana.id, month=OCTOBER)
    rows = list(csv.DictReader(io.StringIO(browser.get("/statements/2026-10.csv").content.decode())))
    assert sum(int(row["net_micros"]) for row in rows) == found.earned_micros == 2_579_640
    assert {row["title"]: (row["plays"], row["plays_by_number"], row["listeners"]) for row in rows} == {
        "'=HYPERLINK(1)": ("2", "1 1", "fewer than 5"),
        earned.works[0].title: ("0", "", "6"),
    }
    document = browser.get("/statements/2026-10.json")
    assert hashlib.sha256(document.content).hexdigest() == found.sha256
    assert json.loads(document.content) == found.content
    assert document.headers["Content-Disposition"] == 'attachment; filename="refrain-statement-2026-10.json"'


def test_the_api_gives_ones_own_and_nobody_elses() -> None:
    earned = Earned()
    ana, ben = Caller(earned.ana), Caller(earned.ben)
    listed = json.loads(ana.get("statements").content)
    assert [(one["month"], one["earned_micros"], one["closing_micros"]) for one in listed["results"]] == [
        ("2026-10", 2_579_640, 2_579_640)
    ]
    assert listed["next"] is None
    whole = json.loads(ana.get(f"statements/{listed['results'][0]['id']}").content)
    assert [line["net_micros"] for line in whole["lines"] if line["work"] == str(earned.alone.id)] == [4_200]
    assert ben.get(f"statements/{whole['id']}").status_code == 404
    told = json.loads(ben.get("earnings").content)
    assert (told["currency"], told["payable_micros"]) == ("EUR", 1_716_960)
    assert [(one["month"], one["earned_micros"]) for one in told["months"]] == [("2026-10", 1_716_960)]
    stranger = Caller(cast.person())
    assert json.loads(stranger.get("statements").content)["results"] == []
    nothing = dict.fromkeys(("payable_micros", "in_transit_micros", "held_micros", "held_works"), 0)
    none = {"so_far": [], "last_statement": None, "months": []}
    assert json.loads(stranger.get("earnings").content) == {"currency": "EUR", **nothing, **none}


def test_a_statement_is_shown_when_its_month_is_sealed_and_not_before() -> None:
    earned = Earned()
    kept = Statement.objects.get(person=earned.ana)
    # Of a month that is still run.
    kept.id, kept.month = uuid4(), date(2026, 11, 1)
    kept.save(force_insert=True)
    browser, ana = signed_in(earned.ana), Caller(earned.ana)
    assert browser.get("/statements/2026-11").status_code == 404
    assert ana.get(f"statements/{kept.id}").status_code == 404
    assert "November" not in browser.get("/statements").content.decode()
    assert [one["month"] for one in json.loads(ana.get("statements").content)["results"]] == ["2026-10"]


@pytest.mark.parametrize("name", ["2026-13", "2026-1", "x", "2026-10-01", "2026-09", "0000-01", "2026-10.pdf.json"])
def test_what_is_no_month_of_ones_own_is_not_found(name: str) -> None:
    assert signed_in(cast.person()).get(f"/statements/{name}").status_code == 404


def test_who_earned_nothing_reads_how_one_does() -> None:
    shown = signed_in(cast.person()).get("/statements").content.decode()
    assert "No statement yet" in shown


def test_pages_ask_as_much_for_many_works_as_for_one() -> None:
    callers.forget_counts()
    counts = []
    for works in (1, 4):
        before = transaction.savepoint()
        browser = signed_in(Earned(works=works).ana)
        browser.get("/statements")
        for address in ("/statements", "/statements/2026-10", "/statements/2026-10.csv"):
            with CaptureQueriesContext(connection) as asked:
                assert browser.get(address).status_code == 200
            counts.append(len(asked))
        transaction.savepoint_rollback(before)
    assert counts[:3] == counts[3:]
    assert max(counts) <= 12
