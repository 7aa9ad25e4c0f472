"""The history of a wallet as CSV: every entry once, exact to the last micro, explained, nobody else's."""

import csv
import io

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Work
from members import money
from members.models import Person
from playback import entries_csv, wallets
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def lena() -> Person:
    return cast.person("lena")


def table_of(person: Person) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(entries_csv.lines(person_id=person.id, currency="EUR")))))


def sign_in(person: Person) -> Client:
    client = Client()
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def track(title: str) -> Work:
    made = cast.track(cast.creator(cast.person("ana")))
    made.title = title
    made.save(update_fields=["title"])
    return made


def test_every_kind_of_entry_stands_in_it_exactly_and_explained(lena: Person) -> None:
    work = track("Tea, for two")
    cast.top_up(lena, 500)
    cast.play(lena, work)
    cast.play(lena, work)
    cast.give_back(cast.last_charge(lena))
    cast.promo(lena, 250_001)

    found = table_of(lena)

    assert [(line["kind"], line["amount"], line["of_it_given"], line["credit_after"]) for line in found] == [
        ("promo", "0.250001", "0.250001", "5.248001"),
        ("reversal", "0.004000", "0.000000", "4.998000"),
        ("play", "-0.004000", "0.000000", "4.994000"),
        ("play", "-0.002000", "0.000000", "4.998000"),
        ("top-up", "5.000000", "0.000000", "5.000000"),
    ]
    assert [line["play_number"] for line in found] == ["", "2", "2", "1", ""]
    assert {line["work"] for line in found} == {"", "Tea, for two"}
    assert all(line["explained"] == entries_csv.KINDS[line["kind"]] for line in found)
    assert [line["id"] for line in found] == [str(entry.row_id) for entry in wallets.entries(person_id=lena.id)]
    assert {line["currency"] for line in found} == {"EUR"}


def test_the_view_knows_no_kind_that_is_not_explained() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_viewdef('playback_wallet_entry'::regclass)")
        (defined,) = cursor.fetchone()
    # The two kinds of a charge come from its own column; all others are written into the view.
    written = {word for word in entries_csv.KINDS if f"'{word}'::text" in defined}
    assert written == set(entries_csv.KINDS) - {"play", "purchase"} - unmade(defined)


def unmade(defined: str) -> set[str]:
    """Return the kinds whose tables are not there yet."""
    return set() if "playback_chargeback" in defined else {"chargeback", "chargeback-won"}


def test_it_is_sent_in_pieces_and_loses_no_entry_between_them(lena: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    work = cast.track(cast.creator(cast.person("ana")))
    cast.top_up(lena, 500)
    for _ in range(4):
        cast.play(lena, work)
    whole = table_of(lena)
    monkeypatch.setattr(entries_csv, "AT_ONCE", 2)
    with CaptureQueriesContext(connection) as queries:
        assert table_of(lena) == whole
    assert (len(whole), len(queries)) == (5, 3)


def test_a_title_is_no_formula_to_a_spreadsheet(lena: Person) -> None:
    work = track('=HYPERLINK("https://evil.example")')
    cast.top_up(lena, 500)
    cast.play(lena, work)
    assert table_of(lena)[0]["work"] == '\'=HYPERLINK("https://evil.example")'


def test_it_is_for_the_listener_alone(lena: Person, client: Client) -> None:
    cast.top_up(lena, 500)
    refused = client.get("/wallet/entries.csv")
    assert (refused.status_code, refused["Location"]) == (302, "/accounts/login/?next=/wallet/entries.csv")
    other = b"".join(sign_in(cast.person("lars")).get("/wallet/entries.csv"))
    assert other.decode().splitlines() == [",".join(entries_csv.COLUMNS)]
    answer = sign_in(lena).get("/wallet/entries.csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "no-store" in answer["Cache-Control"]
    assert len(b"".join(answer).decode().splitlines()) == 2


@pytest.mark.parametrize(
    ("micros", "words"), [(0, "0.000000"), (-1, "-0.000001"), (10**12 + 5, "1000000.000005"), (-2_044_000, "-2.044000")]
)
def test_an_amount_for_machines_is_exact(micros: int, words: str) -> None:
    assert money.exact(micros) == words
