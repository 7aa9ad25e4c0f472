"""Pages that there are only where the money is play money."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from infra import play_bank
from members import clock
from members.problems import NotFound
from members.requests import moment_of
from royalties import transparency
from royalties.views.treasury import room


@require_safe
@room
def bank_statement(request: HttpRequest, month: str) -> HttpResponse:
    """Give a treasurer the demo's bank's statement of a month, as a bank's own pages would."""
    if settings.GATEWAY != "play-money":
        raise NotFound("a real bank has its own pages")
    content = play_bank.statement(month=transparency.month_of(month), today=clock.day(moment_of(request)))
    return HttpResponse(
        content,
        content_type="application/xml",
        headers={"Content-Disposition": f'attachment; filename="play-bank-{month}.xml"'},
    )
