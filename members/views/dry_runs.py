"""What asked figures mean, told while they are typed and on a proposal's page: bounds, diff, and the dry run."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from members import figures, money, policies
from members.forms import FiguresForm
from members.requests import moment_of, signed_in_id
from members.voting import dry_runs, proposals
from members.voting.dry_runs import Preview, Row
from members.voting.proposal_models import Proposal

TOO_FEW = "too few to tell"


@dataclass(frozen=True, kw_only=True)
class ShownRow:
    """A figure of a dry run in words, and how far it would have moved; `is_own` is one's own."""

    label: str
    before: str
    after: str
    change: str
    is_own: bool = False


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A dry run as a page shows it."""

    preview: Preview
    rows: tuple[ShownRow, ...]
    is_frozen: bool = False

    @property
    def has_changes(self) -> bool:
        """Whether a change is told of any figure: of votes that end as they did there is none."""
        return any(row.change for row in self.rows)


@dataclass(frozen=True, kw_only=True)
class Refused:
    """Why figures cannot be asked for, and which those are; several if they break a bound together."""

    names: list[str]
    labels: list[str]
    words: str


@never_cache
@login_required
@require_safe
def trial(request: HttpRequest, key: str) -> HttpResponse:
    """Tell what the figures in the address mean for this policy: a part of the page on which they are typed."""
    now, policy = moment_of(request), policies.registered(key)
    form = FiguresForm(policy, request.GET)
    context = tried(form, now=now, person_id=signed_in_id(request))
    return render(request, "members/proposals/_trial.html", context)


def tried(form: FiguresForm, *, now: datetime, person_id: UUID) -> dict[str, Any]:
    """Return what a page tells of figures that were typed: what is wrong with them, or what they would change."""
    policy = form.policy
    if not form.is_valid():
        return {"tried": True, "refused_figures": list(_refused(form))}
    asked, held = form.cleaned_data, policies.versions(policy.key, now)[-1].params
    changes = [one for one in figures.changes(policy, held, asked) if not one.stays]
    if not changes:
        return {"tried": True, "same": True}
    return {
        "tried": True,
        "trial_changes": changes,
        "trial_words": policy.explain(asked),
        "trial_kind": proposals.kind_of(policy.key, asked, now=now),
        "dry_run": shown(dry_runs.preview(policy.key, asked, now=now, person_id=person_id)),
    }


def _refused(form: FiguresForm) -> Iterator[Refused]:
    for name, errors in form.errors.items():
        figures = form.policy.figures
        names = [name] if name in figures else form.together
        for error in errors:
            yield Refused(names=names, labels=[figures[name] for name in names], words=str(error))


def of_proposal(found: Proposal, *, now: datetime, person_id: UUID | None) -> Shown | None:
    """Return the dry run of what a proposal asks, with the figures of whoever looks."""
    preview = dry_runs.of_proposal(found, now=now, person_id=person_id)
    return shown(preview, is_frozen=found.dry_run is not None) if preview else None


def shown(preview: Preview, *, is_frozen: bool = False) -> Shown:
    """Return a dry run as a page shows it, the figures of whoever looks last."""
    rows = [*(_row(one) for one in preview.rows), *(_row(one, is_own=True) for one in preview.own)]
    return Shown(preview=preview, rows=tuple(rows), is_frozen=is_frozen)


def _row(row: Row, *, is_own: bool = False) -> ShownRow:
    before, after = _said(row.before, row.unit), _said(row.after, row.unit)
    return ShownRow(label=row.label, before=before, after=after, change=_change(row), is_own=is_own)


def _said(figure: int | str | None, unit: str) -> str:
    if figure is None or isinstance(figure, str):
        return TOO_FEW if figure is None else figure
    if unit == "micros":
        return money.show(figure)
    return money.show_cents(figure) if unit == "cents" else f"{figure:,}"


def _change(row: Row) -> str:
    """Return how far a figure would have moved: in per cent, or as a number where it is one."""
    if not isinstance(row.before, int) or not isinstance(row.after, int):
        return "" if row.before is None or row.before == row.after else "changed"
    moved = row.after - row.before
    if not moved:
        return "0"
    sign = "+" if moved > 0 else "\N{MINUS SIGN}"
    if row.unit == "count" or not row.before:
        return f"{sign}{_said(abs(moved), row.unit)}"
    # Tenths of a per cent, rounded to the nearest.
    tenths = (abs(moved) * 2_000 + row.before) // (2 * row.before)
    return f"{sign}{tenths // 10}.{tenths % 10}\N{NO-BREAK SPACE}%"
