"""What a creator sees of their money: owed, so far, month by month, as a year and on paper, and nobody else's."""

import csv
import io
import json
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pypdf import PdfReader

from members.models import Person
from royalties import earned, earnings_drawing, statements, years
from royalties.earned import WorkEarned
from royalties.payout_models import Payout
from tests import callers, cast
from tests.callers import Caller
from tests.royalties.earning import OCTOBER, SEPTEMBER, Summer

pytestmark = pytest.mark.django_db


def signed_in(person: Person) -> Client:
    browser = Client()
    browser.force_login(person)
    return browser


def table(person: Person, address: str) -> list[dict[str, str]]:
    """Return a table of a person's as rows by name."""
    return list(csv.DictReader(io.StringIO(signed_in(person).get(address).content.decode())))


def text_of(content: bytes) -> tuple[str, PdfReader]:
    """Return what stands in a PDF, its lines one after the other, and the document."""
    read = PdfReader(io.BytesIO(content))
    return "\n".join(page.extract_text() for page in read.pages), read


def test_the_api_says_what_is_owed_so_far_and_of_which_months() -> None:
    summer = Summer()
    told = json.loads(Caller(summer.ana).get("earnings").content)
    # July: 4 * 6 132 000, of which 0.7 and of that 0.6 are hers; September: 1 022 000 * 0.7; less 10.30 paid out.
    assert told["payable_micros"] == 10_301_760 - 10_300_000 + 715_400
    assert (told["in_transit_micros"], told["held_micros"], told["held_works"]) == (0, 7_000, 1)
    assert [(one["month"], one["earned_micros"], one["paid_out_micros"]) for one in told["months"]] == [
        ("2026-09", 715_400, 10_300_000),
        ("2026-08", 0, 0),
        ("2026-07", 10_301_760, 0),
    ]
    assert told["last_statement"] == told["months"][0]
    (october,) = told["so_far"]
    assert (october["month"], october["counted_until"], october["is_over"]) == ("2026-10", "2026-10-06", False)
    # Five paid on the fifth and five on the sixth: told to the fifth's end. The shared work had one listener: not told.
    assert [(one["work"], one["until"], one["gross_micros"], one["net_micros"]) for one in october["works"]] == [
        (str(summer.alone.id), "2026-10-05", 100_000, 70_000)
    ]
    assert [(one["work"], one["creators_micros"], one["sheet_version"]) for one in october["held"]] == [
        (str(summer.held.id), 11, None)
    ]
    assert (october["gross_micros"], october["net_micros"], october["held_micros"]) == (100_000, 70_000, 11)


def test_a_partner_sees_their_own_and_no_held_work_of_a_profile_that_is_not_theirs() -> None:
    summer = Summer()
    told = json.loads(Caller(summer.ben).get("earnings").content)
    assert told["payable_micros"] == 6_867_840
    assert (told["held_micros"], told["held_works"]) == (0, 0)
    assert [(one["net_micros"], one["works"], one["held"]) for one in told["so_far"]] == [(0, [], [])]
    shown = signed_in(summer.ben).get("/earnings").content.decode()
    assert "€6.867840" in shown
    for hers in ("€10.301760", "€0.715400", "Ñandú", "Nobody’s yet"):
        assert hers not in shown, hers
    stranger = signed_in(cast.person()).get("/earnings").content.decode()
    assert "No month is divided for you yet" in stranger
    assert "Nothing can be told of October yet" in stranger


def test_the_page_shows_months_works_numbers_partners_and_the_month_so_far() -> None:
    summer = Summer()
    shown = " ".join(signed_in(summer.ana).get("/earnings").content.decode().split())
    for words in (
        "<h1>Your earnings</h1>", "€0.717160", "September 2026 added", "€0.715400",
        "Held, no split sheet", "€0.007000", "<h2 id=\"so-far-2026-10\"> October so far </h2>",
        "Counted to the end of 6 October, and not final", "five more people", "€0.070000", "held</td>",
        "The best month was July 2026", "One work brought all of it",
        "Three tenths of the plays, or more, are a first, second or third",
        "Ñandú &amp; Größe", "/statements/2026-09", "paid on 7 Sep 2026", "€10.30",
        "/earnings/years/2026",
    ):  # fmt: skip
        assert words in shown, words
    assert shown.count("<h1") == 1
    assert summer.works[0].title not in shown, "nothing of it is told: one listener"
    rows = table(summer.ana, "/earnings/months.csv")
    assert [(row["month"], row["earned_micros"], row["closing_micros"]) for row in rows] == [
        ("2026-09", "715400", "717160"),
        ("2026-08", "0", "10301760"),
        ("2026-07", "10301760", "10301760"),
    ]
    told = {
        row["title"]: (row["sheet_version"], row["net_micros"]) for row in table(summer.ana, "/earnings/so-far.csv")
    }
    assert told == {"Ñandú & Größe": ("1", "70000"), "Nobody’s yet": ("held", "0")}


def test_partners_are_told_by_their_share_and_never_by_a_sum() -> None:
    summer = Summer()
    july = statements.of_month(person_id=summer.ana.id, month=date(2026, 7, 1))
    works = earned.by_work(july.content["lines"])
    sheets = {work.sheet_id for work in works}
    found = earned.partners(summer.ana.id, sheets)
    assert {tuple((one.name, one.share_ppm, one.is_me) for one in some) for some in found.values()} == {
        (("Ana", 600_000, True), ("Ben", 400_000, False))
    }
    assert len(found) == 4
    assert earned.partners(cast.person().id, sheets) == {}, "of sheets that one does not stand on, nothing"
    shared = earnings_drawing.shared_works(works, found)
    assert [(one.mine, [other.name for other in one.others]) for one in shared] == [(0.6, ["Ben"])] * 4


def test_a_statement_on_paper_says_all_of_it_and_names_its_hash() -> None:
    summer = Summer()
    found = statements.of_month(person_id=summer.ana.id, month=SEPTEMBER)
    browser = signed_in(summer.ana)
    answer = browser.get("/statements/2026-09.pdf")
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="refrain-statement-2026-09.pdf"'
    text, read = text_of(answer.content)
    for words in (
        "Statement, September 2026", "Ana", "Ñandú & Größe", "€1.022000", "€0.715400", "€0.717160", "−€10.300000",
        "fewer than 5", "100 %", found.sha256, str(summer.alone.id),
    ):  # fmt: skip
        assert words in text, words
    assert (read.metadata.title, read.root_object["/Lang"]) == ("Statement, September 2026: Ana", "en-GB")
    fonts: Any = read.pages[0]["/Resources"]["/Font"]
    for font in fonts.values():
        descendant = font.get_object()["/DescendantFonts"][0].get_object()
        assert "/FontFile2" in descendant["/FontDescriptor"].get_object(), "fonts are embedded"
    whole = Caller(summer.ana).get(f"statements/{found.id}.pdf")
    assert text_of(whole.content)[0] == text
    assert Caller(summer.ben).get(f"statements/{found.id}.pdf").status_code == 404
    assert signed_in(cast.person()).get("/statements/2026-09.pdf").status_code == 404


def test_a_year_is_the_sum_of_its_statements_and_of_its_payouts() -> None:
    summer = Summer()
    year = years.of(person_id=summer.ana.id, year=2026)
    told = list(statements.of_person(summer.ana.id))
    for name in ("earned_micros", "released_micros", "paid_out_micros", "returned_micros"):
        assert getattr(year, name) == sum(getattr(one, name) for one in told), name
    assert year.added_micros == sum(work.added_micros for work in year.works) == 10_301_760 + 715_400
    assert year.paid_out_micros == sum(10_000 * one.cents for one in year.payouts) == 10_300_000
    assert (year.opening_micros, year.closing_micros, year.is_whole) == (0, 717_160, False)
    shown = signed_in(summer.ana).get("/earnings/years/2026").content.decode()
    payout = Payout.objects.get()
    for words in (
        "This is not tax advice.", "January to September", "€11.017160", "€10.30", payout.end_to_end, "4 Sep 2026",
        "paid on 7 Sep 2026", "€2.575440", "€0.715400",
    ):  # fmt: skip
        assert words in shown, words
    rows = [tuple(row.values()) for row in table(summer.ana, "/earnings/years/2026.csv")]
    assert ("sum", "", "closing", "", "717160") in rows
    assert ("payout", payout.end_to_end, payout.account.mask, "2026-09-04", "10300000") in rows
    assert sum(int(row[-1]) for row in rows if row[0] == "work") == year.added_micros
    assert sum(int(row[-1]) for row in rows if row[0] == "month") == year.added_micros
    text, _ = text_of(signed_in(summer.ana).get("/earnings/years/2026.pdf").content)
    for words in ("not tax advice", "€11.017160", "€10.30", payout.end_to_end, "Ñandú & Größe", told[0].sha256):
        assert words in text.replace("\n", " "), words
    for address in ("/earnings/years/2025", "/earnings/years/0.pdf", "/earnings/years/99999.csv"):
        assert signed_in(summer.ana).get(address).status_code == 404
    assert signed_in(cast.person()).get("/earnings/years/2026.csv").status_code == 404


def test_pages_ask_as_much_for_many_works_as_for_one() -> None:
    callers.forget_counts()
    counts = []
    addresses = ("/earnings", "/earnings/so-far.csv", "/earnings/years/2026", "/earnings/years/2026.pdf")
    for works in (4, 12):
        before = transaction.savepoint()
        browser = signed_in(Summer(works=works).ana)
        browser.get("/earnings")
        for address in addresses:
            with CaptureQueriesContext(connection) as asked:
                assert browser.get(address).status_code == 200
            counts.append(len(asked))
        transaction.savepoint_rollback(before)
    assert counts[: len(addresses)] == counts[len(addresses) :]
    assert max(counts) <= 24


def work(title: str, micros: int) -> WorkEarned:
    """Return a work that earned so much."""
    return WorkEarned(
        work_id=uuid4(),
        title=title,
        sheet_id=uuid4(),
        sheet_version=1,
        creators_micros=micros,
        net_micros=micros,
        share_ppm=1_000_000,
        of_month="2026-10",
    )


def test_charts_say_what_they_show() -> None:
    bars = earnings_drawing.earned_by_month({OCTOBER: 5, SEPTEMBER: 7}, last=OCTOBER, number=12)
    assert [bar.name for bar in bars][-2:] == ["Sep", "Oct"]
    assert (bars[-2].height, bars[0].height, len(bars)) == (earnings_drawing.MONTHS_HEIGHT, 0, 12)
    assert earnings_drawing.finding_of_months(bars) == "The best month was September 2026"
    first = earnings_drawing.earned_by_month({OCTOBER: 5}, last=OCTOBER, number=12)
    assert earnings_drawing.finding_of_months(first) == "October 2026 is the first month that earned"
    for counts, words in (
        ([4, 3, 2, 1, 0], "Nine tenths of the plays, or more, are a first, second or third"),
        ([1, 0, 0, 0], "All plays are a first, second or third"),
        ([0, 0, 0, 9, 2], "Hardly a play is a first, second or third"),
        ([0, 2], "Nobody paid for a single play; all of it was bought"),
        ([0], "Nobody paid for a play"),
    ):
        assert earnings_drawing.finding_of_numbers(counts) == words, counts
    lines = earnings_drawing.lines_of_works([work(f"W{n}", 100 - n) for n in range(13)])
    assert (len(lines), lines[-1].name, lines[-1].micros, lines[-1].is_light) == (11, "3 more", 90 + 89 + 88, True)
