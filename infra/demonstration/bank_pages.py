"""Pages that there are only where the money is play money."""

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from infra import play_bank
from members import clock
from members.problems import NotFound
from members.requests import moment_of
from royalties import transparency
from royalties.payout_models import PayoutBatch
from royalties.views.treasury import room


@require_safe
@room
def bank_statement(request: HttpRequest, month: str) -> HttpResponse:
    """Give a treasurer the demo's bank's statement of a month, as a bank's own pages would."""
    _check_play_money()
    content = play_bank.statement(month=transparency.month_of(month), today=clock.day(moment_of(request)))
    return _file(content, month)


@require_safe
@room
def bank_answer(request: HttpRequest, batch_id: UUID) -> HttpResponse:  # noqa: ARG001  (`room` has asked it)
    """Give a treasurer what the demo's bank said when it had read a released batch's file."""
    _check_play_money()
    batch = PayoutBatch.objects.filter(id=batch_id, state=PayoutBatch.State.RELEASED).first()
    if batch is None:
        raise NotFound("the bank has no such file")
    return _file(play_bank.status(batch), batch.message_id)


def _check_play_money() -> None:
    if settings.GATEWAY != "play-money":
        raise NotFound("a real bank has its own pages")


def _file(content: bytes, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="play-bank-{name}.xml"'}
    return HttpResponse(content, content_type="application/xml", headers=headers)
