"""Sealed months as everybody sees them: over the API, on the pages; and the proof that is one's own."""

import json
import re
from datetime import date

import pytest
from django.test import Client

from members import money, seals
from members.models import Person
from royalties import ledger, transparency, whereabouts
from royalties.publication_models import Publication
from tests import callers, cast
from tests.royalties import counting
from tests.royalties.counting import noon

pytestmark = pytest.mark.django_db
SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)


def world(*months: int) -> Person:
    """Let one listener play something in each of the months, and seal them; return who it was."""
    lena, ana = cast.person("lena"), cast.person("ana")
    played = counting.work([(ana, 1_000_000)], since=noon(1, min(months)))
    for number, month in enumerate(months, start=1):
        counting.charge(lena, played, 12_000 + month, at=noon(5, month), number=number)
        counting.charge(cast.person("lars"), played, 50_000, at=noon(6, month))
        counting.seal(date(2026, month, 1))
    return lena


def test_months_are_listed_newest_first_with_their_sums(django_assert_num_queries) -> None:
    world(8, 9)
    with django_assert_num_queries(1):
        few = Client().get("/api/v1/periods").json()
    assert [period["month"] for period in few["results"]] == ["2026-09", "2026-08"]
    assert few["next"] is None
    first = few["results"][0]
    assert (first["gross_micros"], first["creators_micros"], first["coop_micros"]) == (62_009, 43_406, 18_603)
    published = Publication.objects.get(month=SEPTEMBER)
    assert first["bundle_sha256"] == published.zip_sha256
    assert first["bundle_url"].endswith("/api/v1/periods/2026-09/bundle.zip")
    # However many there are, it is one query.
    counting.seal(OCTOBER)
    with django_assert_num_queries(1):
        more = Client().get("/api/v1/periods?page_size=2").json()
    assert [period["month"] for period in more["results"]] == ["2026-10", "2026-09"]
    with django_assert_num_queries(1):
        rest = Client().get(more["next"]).json()
    assert [period["month"] for period in rest["results"]] == ["2026-08"]


def test_a_month_says_its_sums_and_carries_its_signed_manifest() -> None:
    world(9, 10)
    said = Client().get("/api/v1/periods/2026-10").json()
    assert said["signed"] == Publication.objects.get(month=OCTOBER).document
    assert said["signed"]["sha256"] == said["manifest_sha256"] == seals.sha256_of(said["signed"]["manifest"])
    september = Client().get("/api/v1/periods/2026-09").json()
    assert said["signed"]["manifest"]["previous"] == {
        "month": "2026-09",
        "manifest_sha256": september["manifest_sha256"],
    }
    assert said["totals"]["plays_micros"] == 12_010
    assert september["signed"]["manifest"]["previous"] is None


def test_the_bundle_is_where_the_api_leads_to() -> None:
    world(9)
    answer = Client().get("/api/v1/periods/2026-09/bundle.zip")
    assert answer.status_code == 302
    zipped = Client().get(answer["Location"])
    assert b"".join(zipped.streaming_content)[:4] == b"PK\x03\x04"
    assert zipped["Content-Disposition"] == 'attachment; filename="refrain-2026-09.zip"'


def test_a_month_that_is_not_sealed_is_not_there() -> None:
    world(9)
    counting.run(OCTOBER)
    transparency.publish(OCTOBER, noon(3, 11))
    assert Publication.objects.filter(month=OCTOBER).exists()
    for path in ("", "/bundle.zip"):
        answer = Client().get(f"/api/v1/periods/2026-10{path}")
        assert answer.status_code == 404
        assert callers.slug(answer) == "not-found"
    assert Client().get("/periods/2026-10").status_code == 404
    assert [period["month"] for period in Client().get("/api/v1/periods").json()["results"]] == ["2026-09"]
    for nonsense in ("2026-13", "2026-9", "soon", "2026-09-01"):
        assert Client().get(f"/api/v1/periods/{nonsense}").status_code == 404
        assert Client().get(f"/periods/{nonsense}").status_code == 404


def test_a_listener_fetches_the_proof_of_their_own_month() -> None:
    lena = world(9)
    proof = callers.Caller(lena, "listen").get("periods/2026-09/my-proof").json()
    assert proof["leaf"]["listener"] == str(lena.id)
    assert (proof["leaf"]["plays"], proof["leaf"]["plays_micros"]) == (1, 12_009)
    path = [bytes.fromhex(step) for step in proof["path"]]
    led_to = seals.root_from_proof(
        content=seals.canonical(proof["leaf"]), index=proof["index"], count=proof["count"], path=path
    )
    assert led_to.hex() == proof["root"] == Publication.objects.get().root
    # The same on the page, to save.
    saved = callers.Caller(lena, by_cookie=True).get("/periods/2026-09/my-proof.json")
    assert json.loads(saved.content) == proof
    assert saved["Content-Disposition"] == 'attachment; filename="refrain-2026-09-my-proof.json"'


def test_who_was_charged_nothing_has_no_proof() -> None:
    world(9)
    answer = callers.Caller(cast.person("mallory"), "listen").get("periods/2026-09/my-proof")
    assert answer.status_code == 404
    assert callers.slug(answer) == "not-found"


def test_the_page_tells_where_every_euro_went(django_assert_max_num_queries) -> None:
    world(9, 10)
    with django_assert_max_num_queries(12):
        said = Client().get("/periods/2026-10").content.decode()
    for words in (
        "Where every euro went",
        "October 2026, sealed on 3 November 2026",
        '<span class="money">€0.062010</span>',
        '<span class="money">€0.043407</span>',
        '<span class="money">€0.018603</span>',
        "no batch of this month is released yet",
        "pricing 1",
        "revenue 1",
        Publication.objects.get(month=OCTOBER).zip_sha256,
        'href="/periods/2026-09"',
    ):
        assert words in said, words
    assert said.count('<rect class="node') == 7 + 6
    table = Client().get("/periods/2026-10/account.csv").content.decode().splitlines()
    assert table[0] == "name,figure"
    assert "gross_micros,62010" in table


def test_a_month_without_charges_is_published_too() -> None:
    cast.person()
    counting.seal(OCTOBER)
    said = Client().get("/periods/2026-10").content.decode()
    assert "Nothing was charged in this month" in said
    assert "<figure" not in said


def test_the_list_of_months_is_written_before_there_is_one() -> None:
    assert "No month is sealed yet." in Client().get("/periods").content.decode()
    world(8, 9)
    said = Client().get("/periods").content.decode()
    assert re.findall(r'href="/periods/(\d{4}-\d{2})"', said) == ["2026-09", "2026-08"]


def test_what_the_co_op_spent_is_told_once_its_books_are_locked() -> None:
    world(9)
    assert whereabouts.costs(SEPTEMBER) is None
    booked = [
        ledger.Entry(
            debit=debit,
            credit="assets.bank",
            amount_micros=micros,
            kind="test",
            key=f"test:{debit}:{micros}",
            happened_at=noon(20, 9),
            month=SEPTEMBER,
        )
        for debit, micros in (("expenses.costs", 7_000), ("expenses.costs", 1_000), ("expenses.provider-fees", 2_000))
    ]
    ledger.book(booked, now=noon(20, 9))
    ledger.lock_month(SEPTEMBER, now=noon(20, 10))
    assert [(cost.short, cost.micros) for cost in whereabouts.costs(SEPTEMBER) or []] == [
        ("Costs", 8_000),
        ("Card fees", 2_000),
    ]
    said = Client().get("/periods/2026-09").content.decode()
    left = money.show(18_603 - 10_000, places=6)
    assert f'<span class="money">{left}</span>' in said
