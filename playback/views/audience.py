"""The audience of a work as a page and as a table for a spreadsheet, for the work's own people."""

import csv
from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from members.forms import COUNTRIES
from members.requests import moment_of, signed_in_id
from playback import audience
from playback import audience_drawing as drawing
from playback.audience import Audience, Month
from playback.privacy import FLOOR

COUNTRY_NAMES = {str(code): str(name) for code, name in COUNTRIES}
TABLES = ("paid", "unpaid", "numbers", "sources", "countries")
SUMS = ("plays", "purchases", "unpaid_sessions", "sessions", "listeners", "new_owners")


@never_cache
@login_required
@require_safe
def page(request: HttpRequest, work_id: UUID) -> HttpResponse:
    """Show one month of a work's audience, the newest that has figures unless another is asked for."""
    found = audience.of(work_id=work_id, person_id=signed_in_id(request), now=moment_of(request))
    month = _asked(found, request.GET.get("month", ""))
    context: dict[str, Any] = {"audience": found, "month": month, "floor": FLOOR}
    if month is not None:
        context |= {"days": drawing.days(month.month, month.days), "days_finding": drawing.finding_of_days(month.days)}
        context |= _tables(month)
    return render(request, "playback/audience.html", context)


def _asked(found: Audience, word: str) -> Month | None:
    """Return the month that was asked for, or the newest with tables, or the newest. Raises Http404."""
    if word:
        for month in found.months:
            if month.month.strftime("%Y-%m") == word:
                return month
        raise Http404
    return next((month for month in found.months if month.content), found.months[0] if found.months else None)


def _tables(month: Month) -> dict[str, object]:
    content = month.content
    if content is None:
        return {}
    sources = drawing.lines(content["sources"] or [], drawing.SOURCES)
    countries = drawing.lines(content["countries"] or [], COUNTRY_NAMES)
    return {
        "content": content,
        "went_on": drawing.tenths(content["plays"], content["sessions"]).capitalize() if content["sessions"] else "",
        "funnel": drawing.funnel(content),
        "outcomes": drawing.lines((content["unpaid"] or []) + (content["paid"] or []), drawing.OUTCOMES),
        "numbers": drawing.numbers(content["numbers"]) if content["numbers"] else [],
        "numbers_finding": drawing.finding_of_numbers(content) if content["numbers"] else "",
        "sources": sources,
        "sources_finding": drawing.finding_of(sources, many="{} brought most of them", none="Where they came from"),
        "countries": countries,
        "countries_finding": drawing.finding_of(countries, many="Most live in {}", none="Where they say they live"),
    }


@never_cache
@login_required
@require_safe
def table(request: HttpRequest, work_id: UUID) -> HttpResponse:
    """Give every figure of every month as CSV; an empty count is about fewer than five listeners."""
    found = audience.of(work_id=work_id, person_id=signed_in_id(request), now=moment_of(request))
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="audience-{work_id}.csv"'
    writer = csv.writer(answer)
    writer.writerow(["month", "table", "key", "last_day", "count", "charged_micros"])
    for month in found.months:
        writer.writerows(_rows(month))
    return answer


def _rows(month: Month) -> Iterator[list[object]]:
    name = month.month.strftime("%Y-%m")
    yield [name, "sums", "openings_by_strangers", "", _count(month.openings_by_strangers), ""]
    for span in month.days:
        last = date.fromisoformat(span["last"])
        yield [name, "days", span["first"], last, span["sessions"], span["charged_micros"]]
    if month.content is None:
        return
    yield [name, "sums", "charged", "", "", month.content["charged_micros"]]
    for key in SUMS:
        yield [name, "sums", key, "", _count(month.content[key]), ""]
    for title in TABLES:
        for cell in month.content[title] or []:
            yield [name, title, cell["key"], "", cell["count"], ""]


def _count(number: int | None) -> object:
    return "" if number is None else number
