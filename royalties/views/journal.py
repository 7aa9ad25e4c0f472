"""The treasurers' journal: the bank's files, its lines that nobody explained, and entries by two people."""

from functools import partial
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from members import clock, money, months
from members.acts import carry_out
from members.problems import Problem
from members.requests import moment_of, signed_in_id
from royalties import bank, bankfiles, journal
from royalties.forms import BankFileForm, EntryForm, LineForm
from royalties.journal_models import JournalEntry
from royalties.payout_models import BankLine
from royalties.views.treasury import room, show

ON_A_PAGE, LINES_SHOWN = 30, 50
JOURNAL = "royalties:treasury-journal"
ENTERED = "Entered. Another treasurer confirms it."


@require_safe
@room
def journal_page(request: HttpRequest) -> HttpResponse:
    """Show the journal."""
    return _page(request)


def _page(request: HttpRequest, *, refused: Problem | None = None, status: int = 200, **asked: Any) -> HttpResponse:
    me, present = signed_in_id(request), clock.month(moment_of(request))
    waiting = journal.entries().filter(state=JournalEntry.State.WAITING)
    ended = journal.entries().exclude(state=JournalEntry.State.WAITING)
    lines = list(bank.unexplained()[:LINES_SHOWN])
    return show(
        request,
        "journal",
        status=status,
        refused=refused,
        lines=[
            {
                "line": line,
                "form": asked["line_form"]
                if asked.get("line_id") == line.id
                else LineForm(auto_id=f"{line.id}-%s", comes_in=line.cents > 0),
            }
            for line in lines
        ],
        more_lines=bank.unexplained().count() - len(lines),
        waiting=[
            {"entry": one, "kind": journal.KINDS[one.kind], "is_mine": one.entered_by_id == me} for one in waiting
        ],
        page=Paginator(ended, ON_A_PAGE).get_page(request.GET.get("page")),
        kinds=journal.KINDS,
        bank_months=[months.before(present), present],
        form=asked.get("form") or EntryForm(),
        file_form=asked.get("file_form") or BankFileForm(),
    )


@require_POST
@room
def take_file(request: HttpRequest) -> HttpResponse:
    """Take in a file of the bank."""
    form, me, now = BankFileForm(request.POST, request.FILES), signed_in_id(request), moment_of(request)
    if not form.is_valid():
        return _page(request, file_form=form, status=400)
    content = form.cleaned_data["file"].read(bankfiles.BYTES_MOST + 1)
    return carry_out(
        request,
        lambda: bank.take_in(content=content, staff_id=me, now=now),
        said=_taken_in,
        then=JOURNAL,
        page=_page,
    )


def _taken_in(done: bank.TakenIn) -> str:
    """Return what a file was and did, in words."""
    new, booked = f"{done.new_lines} new {_plural('line', done.new_lines)}", _plural("payout", done.booked)
    words = f"Read as {done.kind}: {new} of {done.lines}, {done.booked} {booked} booked, {done.came_back} came back."
    if done.balance_cents is not None and done.balance_on is not None:
        words += f" The bank's balance on {done.balance_on:%-d %B %Y} is {money.show_cents(done.balance_cents)}."
    return words


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"


@require_POST
@room
def enter(request: HttpRequest) -> HttpResponse:
    """Enter something."""
    form, me, now = EntryForm(request.POST), signed_in_id(request), moment_of(request)
    if not form.is_valid():
        return _page(request, form=form, status=400)
    return carry_out(
        request,
        lambda: journal.enter(staff_id=me, now=now, **form.cleaned_data),
        said=ENTERED,
        then=JOURNAL,
        page=partial(_page, form=form),
    )


@require_POST
@room
def explain(request: HttpRequest, line_id: UUID) -> HttpResponse:
    """Say what a line of the bank is."""
    line = BankLine.objects.filter(id=line_id).first()
    form = LineForm(request.POST, auto_id=f"{line_id}-%s", comes_in=line is not None and line.cents > 0)
    if not form.is_valid():
        return _page(request, line_id=line_id, line_form=form, status=400)
    me, now = signed_in_id(request), moment_of(request)
    return carry_out(
        request,
        lambda: journal.enter(
            staff_id=me,
            # Day and sum are the line's own.
            amount_micros=0,
            happened_on=clock.day(now),
            now=now,
            bank_line_id=line_id,
            **form.cleaned_data,
        ),
        said=ENTERED,
        then=JOURNAL,
        page=_page,
    )


@require_POST
@room
def confirm(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """Confirm what another treasurer entered."""
    me, now = signed_in_id(request), moment_of(request)
    return carry_out(
        request,
        lambda: journal.confirm(entry_id=entry_id, staff_id=me, now=now),
        said="Confirmed and booked.",
        then=JOURNAL,
        page=_page,
    )


@require_POST
@room
def drop(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """Drop what was not confirmed."""
    me = signed_in_id(request)
    return carry_out(
        request,
        lambda: journal.drop(entry_id=entry_id, staff_id=me),
        said="Dropped. Nothing was booked.",
        then=JOURNAL,
        page=_page,
    )
