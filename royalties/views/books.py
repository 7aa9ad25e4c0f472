"""The co-op's books, open to everybody: income and costs by month, as a page and as CSV."""

import csv

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from members.problems import NotFound
from members.requests import moment_of
from royalties import books_drawing, open_books
from royalties.open_books import HEADINGS, Month
from royalties.year import publication

# Amounts stand beneath each other to the millionth.
PLACES = 6
YEAR_DIGITS = 4


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show a year's books."""
    asked = request.GET.get("year", "")
    if asked and not (asked.isascii() and asked.isdigit() and len(asked) == YEAR_DIGITS):
        raise NotFound("a year is written like 2026")
    found = open_books.year(int(asked) if asked else None, now=moment_of(request))
    context: dict[str, object] = {"books": found, "places": PLACES}
    if found is not None:
        columns = [*([found.together] if found.together else []), *reversed(found.months)]
        context |= {
            "columns": columns,
            "came_in": [row for one in HEADINGS if one.comes_in for row in _rows(one, columns)],
            "went_out": [row for one in HEADINGS if not one.comes_in for row in _rows(one, columns)],
            "picture": books_drawing.picture(found.months),
            "has_surplus": publication.is_published(found.year),
        }
    return render(request, "royalties/books.html", context)


def _rows(heading: open_books.Heading, columns: list[Month]) -> list[dict[str, object]]:
    """Return the row of a heading, or none for a rare one without anything in it."""
    amounts = [column.micros[heading.key] for column in columns]
    return [] if heading.is_rare and not any(amounts) else [{"heading": heading, "amounts": amounts}]


@require_safe
def table(request: HttpRequest) -> HttpResponse:
    """Give all sealed months as CSV, in micros: a line for each heading that is told."""
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="refrain-books.csv"'
    writer = csv.writer(answer)
    writer.writerow(["month", "state", "line", "account", "side", "micros"])
    for month in open_books.all_months(now=moment_of(request)):
        for one in HEADINGS:
            if month.micros[one.key] is not None:
                side = "in" if one.comes_in else "out"
                written = [f"{month.first:%Y-%m}", month.state, one.key, one.account, side, month.micros[one.key]]
                writer.writerow(written)
    return answer
