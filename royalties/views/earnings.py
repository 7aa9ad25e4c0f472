"""The pages of a creator's money: the front of it, the month so far as a table, and a year for the tax return."""

import csv
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from members import money, policies
from members.requests import moment_of, signed_in_id
from playback.privacy import FLOOR
from royalties import earned, payouts, statements, year_pdf, years
from royalties import earnings_drawing as drawing
from royalties.earned import MonthSoFar
from royalties.run_models import Statement
from royalties.years import Year

# Amounts stand beneath each other to the millionth.
PLACES = 6
WORKS_SHOWN, MONTHS_LISTED, PAYOUTS_LISTED, WORKS_ON_A_PAGE = 10, 6, 5, 100


@never_cache
@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show what one is owed, the month so far, and what the months earned."""
    who = signed_in_id(request)
    known = list(earned.months_of(who)[: earned.MONTHS_SHOWN])
    running = earned.so_far(who)
    context: dict[str, Any] = {
        "owed": earned.owed(who),
        "months": known[:MONTHS_LISTED],
        "years": years.known(who),
        "running": [_running(month) for month in running],
        "payouts": list(payouts.of_person(who)[:PAYOUTS_LISTED]),
        "floor": FLOOR,
        "places": PLACES,
    }
    if known:
        context |= _charts(known) | {"last": known[0]}
    return render(request, "royalties/earnings.html", context)


def _running(month: MonthSoFar) -> dict[str, Any]:
    """Return a month so far as the page shows it: the largest works by name, all others together."""
    rest = month.works[WORKS_SHOWN:]
    return {
        "of": month,
        "works": [{"of": work, "share": money.percent(work.share_ppm)} for work in month.works[:WORKS_SHOWN]],
        "more": len(rest),
        "more_gross_micros": sum(work.gross_micros for work in rest),
        "more_creators_micros": sum(work.creators_micros for work in rest),
        "more_net_micros": sum(work.net_micros for work in rest),
        "held": month.held[:WORKS_SHOWN],
        "held_more": len(month.held) - WORKS_SHOWN,
    }


def _charts(known: Sequence[Statement]) -> dict[str, Any]:
    last = known[0]
    lines = last.content["lines"]
    works = earned.by_work(lines)
    numbers = earned.by_number(lines)
    sheets = {work.sheet_id for work in works[:WORKS_SHOWN]}
    bars = drawing.earned_by_month(
        {one.month: one.added_micros for one in known}, last=last.month, number=earned.MONTHS_SHOWN
    )
    return {
        "bars": bars,
        "bars_finding": drawing.finding_of_months(bars),
        "works": drawing.lines_of_works(works),
        "works_finding": drawing.finding_of_works(works),
        "numbers": drawing.bars_of_numbers(numbers) if any(numbers) else [],
        "numbers_finding": drawing.finding_of_numbers(numbers),
        "shared": [
            {
                "of": one,
                "mine": money.percent(one.work.share_ppm),
                "others": [(other.name, money.percent(other.share_ppm)) for other in one.others],
            }
            for one in drawing.shared_works(works[:WORKS_SHOWN], earned.partners(last.person_id, sheets))
        ],
    }


@never_cache
@login_required
@require_safe
def months_table(request: HttpRequest) -> HttpResponse:
    """Give the sums of all one's months as CSV, in micros."""
    rows = (
        [
            f"{one.month:%Y-%m}",
            one.opening_micros,
            one.earned_micros,
            one.released_micros,
            one.paid_out_micros,
            one.returned_micros,
            one.closing_micros,
            one.sha256,
        ]
        for one in earned.months_of(signed_in_id(request))
    )
    head = ["month", "opening_micros", "earned_micros", "released_micros", "paid_out_micros", "returned_micros"]
    return _table("refrain-earnings", [*head, "closing_micros", "statement_sha256"], rows)


@never_cache
@login_required
@require_safe
def so_far_table(request: HttpRequest) -> HttpResponse:
    """Give the months that are not divided yet as CSV: every work that is told of."""
    head = ["month", "counted_until", "told_until", "work", "title", "sheet_version", "revenue_version"]
    rows = (
        [
            f"{month.month:%Y-%m}",
            month.counted_until,
            work.until,
            work.work_id,
            statements.cell(work.title),
            work.sheet_version or "held",
            work.revenue_version,
            work.gross_micros,
            work.creators_micros,
            work.share_ppm,
            work.net_micros,
            policies.address("revenue", work.revenue_version),
        ]
        for month in earned.so_far(signed_in_id(request))
        for work in [*month.works, *month.held]
    )
    head += ["gross_micros", "creators_micros", "share_ppm", "net_micros", "revenue_address"]
    return _table("refrain-so-far", head, rows)


@never_cache
@login_required
@require_safe
def year_page(request: HttpRequest, year: int) -> HttpResponse:
    """Show a year: what was earned, released and paid out."""
    who = signed_in_id(request)
    found = years.of(person_id=who, year=year)
    known = years.known(who)
    context = {
        "year": found,
        "works": Paginator(found.works, WORKS_ON_A_PAGE).get_page(request.GET.get("page")),
        "earlier": year - 1 if year - 1 in known else None,
        "later": year + 1 if year + 1 in known else None,
        "places": PLACES,
    }
    return render(request, "royalties/earnings_year.html", context)


@never_cache
@login_required
@require_safe
def year_table(request: HttpRequest, year: int) -> HttpResponse:
    """Give a year as CSV, in micros: sums, months, works and payouts."""
    return _table(f"refrain-{year}", years.HEAD, years.rows(_year(request, year)))


@never_cache
@login_required
@require_safe
def year_document(request: HttpRequest, year: int) -> HttpResponse:
    """Give a year as PDF."""
    content = year_pdf.write(_year(request, year), person_id=signed_in_id(request), now=moment_of(request))
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="refrain-{year}.pdf"'
    return answer


def _year(request: HttpRequest, year: int) -> Year:
    return years.of(person_id=signed_in_id(request), year=year)


def _table(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    writer = csv.writer(answer)
    writer.writerow(head)
    writer.writerows(rows)
    return answer
