"""The pages of statements: all of them, and one month's with what each line was made of."""

import csv
from itertools import groupby
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from members import money, months, seals
from members.requests import signed_in_id
from royalties import earned, ledger, statement_pdf, statements, transparency
from royalties.run_models import Statement

# Amounts of a statement stand beneath each other to the millionth.
PLACES = 6


@never_cache
@login_required
@require_safe
def all_of_mine(request: HttpRequest) -> HttpResponse:
    """List one's statements, newest first, and what is owed now."""
    who = signed_in_id(request)
    context = {
        "statements": list(earned.months_of(who)),
        "payable_micros": ledger.payable([who])[who],
        "places": PLACES,
    }
    return render(request, "royalties/statements.html", context)


@never_cache
@login_required
@require_safe
def page(request: HttpRequest, month: str) -> HttpResponse:
    """Show one month's statement."""
    found = _found(request, month)
    others = set(statements.of_person(found.person_id).values_list("month", flat=True))
    earlier, later = months.before(found.month), months.after(found.month)
    context = {
        "statement": found,
        "parts": _parts(found),
        "payout": found.content["payout"],
        "payouts_version": statements.cited(found)[-1].seq,
        "why_not": statement_pdf.WHY_NOT.get(found.content["payout"]["why_not"], ""),
        "places": PLACES,
        "listeners_least": found.content["listeners_least"],
        "earlier": earlier if earlier in others else None,
        "later": later if later in others else None,
    }
    return render(request, "royalties/statement.html", context)


@never_cache
@login_required
@require_safe
def table(request: HttpRequest, month: str) -> HttpResponse:
    """Give the statement's lines as CSV."""
    found = _found(request, month)
    answer = _file(found, "csv", "text/csv; charset=utf-8")
    csv.writer(answer).writerows(statements.csv_rows(found))
    return answer


@never_cache
@login_required
@require_safe
def document(request: HttpRequest, month: str) -> HttpResponse:
    """Give the statement as JSON, in the very bytes of which its SHA-256 is."""
    found = _found(request, month)
    answer = _file(found, "json", "application/json")
    answer.write(seals.canonical(found.content))
    return answer


@never_cache
@login_required
@require_safe
def paper(request: HttpRequest, month: str) -> HttpResponse:
    """Give the statement as PDF, made now; it names the statement's hash."""
    found = _found(request, month)
    answer = _file(found, "pdf", "application/pdf")
    answer.write(statement_pdf.write(found))
    return answer


def _found(request: HttpRequest, month: str) -> Statement:
    return statements.of_month(person_id=signed_in_id(request), month=transparency.month_of(month))


def _file(found: Statement, ending: str, kind: str) -> HttpResponse:
    answer = HttpResponse(content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="refrain-statement-{found.month:%Y-%m}.{ending}"'
    return answer


def _parts(found: Statement) -> list[dict[str, Any]]:
    """Return the lines by the month they were charged in, the statement's own first, each as the page shows it."""
    own = found.content["month"]
    lines = sorted(found.content["lines"], key=lambda line: (line["of_month"] != own, line["of_month"], line["title"]))
    return [
        {
            "is_own": of_month == own,
            "month": transparency.month_of(of_month),
            "lines": [
                line | {"plays": sum(line["plays_by_number"]), "share": money.percent(line["share_ppm"])}
                for line in some
            ],
        }
        for of_month, some in groupby(lines, key=lambda line: line["of_month"])
    ]
