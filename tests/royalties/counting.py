"""A month counted by hand, row by row, as a patient bookkeeper would: what the run's SQL must come to as well.

Charges and reversals are written as rows, at moments of the test's choosing; groups and lines follow from them by
`money.allocate`, one after the other.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from uuid import uuid4

from django.db import transaction

from catalog.models import SplitLine, SplitSheet, Work
from members import money, months, policies
from members.models import Month, Person
from playback.models import Charge, Reversal
from royalties import periods, transparency
from royalties.publication_models import Publication
from royalties.run_models import Group, Line, Run
from tests import cast

_numbers = count(1)


def work(payees: Sequence[tuple[Person, int]], *, since: datetime) -> Work:
    """Make a work with a split sheet in force `since` a moment; without payees it has none."""
    made = cast.track(cast.creator(cast.person("maker")), state=Work.State.DRAFT, now=since)
    if payees:
        put_in_force(made, payees, since=since)
    return made


@transaction.atomic
def put_in_force(of: Work, payees: Sequence[tuple[Person, int]], *, since: datetime) -> SplitSheet:
    """Put the next version of a work's split sheet in force."""
    sheet = SplitSheet.objects.create(
        work=of, version=of.split_sheets.count() + 1, created_at=since, in_force_from=since
    )
    SplitLine.objects.bulk_create(
        SplitLine(sheet=sheet, line_number=n, person=payee, email=payee.email, share_ppm=ppm, accepted_at=since)
        for n, (payee, ppm) in enumerate(payees, start=1)
    )
    return sheet


def charge(by: Person, of: Work, micros: int, *, at: datetime, number: int | None = None, promo: int = 0) -> Charge:
    """Write a charge for the play of that number, or for a purchase."""
    return Charge.objects.create(
        listener=by,
        work=of,
        session_id=uuid4() if number else None,
        kind=Charge.Kind.PLAY if number else Charge.Kind.PURCHASE,
        play_number=number,
        amount_micros=micros,
        promo_micros=promo,
        charged_at=at,
        pricing_version=1,
        paid_after_micros=micros,
        cap_after_micros=micros,
        balance_after_micros=0,
        promo_after_micros=0,
    )


def give_back(charged: Charge, *, at: datetime) -> None:
    """Write the reversal of a charge."""
    given = Reversal.objects.create(
        listener=charged.listener,
        charge_id=charged.id,
        staff=cast.treasurer(),
        reason="A test gives it back.",
        amount_micros=charged.amount_micros,
        promo_micros=charged.promo_micros,
        reversed_at=at,
        balance_after_micros=0,
        promo_after_micros=0,
    )
    Charge.objects.filter(listener=charged.listener, id=charged.id).update(reversal_id=given.id)


def run(month: date, *, closed_at: datetime | None = None) -> Run:
    """Close a month and write its run, groups and lines; the month is `closing` then."""
    begins, ends = periods.bounds(month)
    closed_at = closed_at or ends + timedelta(days=2)
    Month.objects.create(starts_on=month, state=Month.State.CLOSING, closed_at=closed_at)
    groups = _groups(month, begins=begins, ends=ends, closed_at=closed_at)
    lines = [line for group in groups if group.sheet_id for line in _lines(group, month, group.sheet_id)]
    released = []
    for held in Group.objects.filter(sheet_id=None, released_in=None).order_by("month", "work_id"):
        sheet = SplitSheet.objects.filter(work=held.work_id, in_force_from__lt=ends).order_by("in_force_from").first()
        if sheet and held.month < month:
            held.released_in = month
            held.save()
            released += _lines(held, month, sheet.id)
    Group.objects.bulk_create(groups)
    Line.objects.bulk_create(lines + released)
    creators = sum(group.creators_micros for group in groups)
    coop = sum(group.coop_micros for group in groups)
    return Run.objects.create(
        month=month,
        step=Run.Step.PUBLISHING,
        begun_at=closed_at,
        gross_micros=creators + coop,
        creators_micros=creators,
        coop_micros=coop,
        held_micros=sum(group.creators_micros for group in groups if not group.sheet_id),
        released_micros=sum(line.net_micros for line in released),
        refunds_borne_micros=_borne(begins, ends),
    )


def _groups(month: date, *, begins: datetime, ends: datetime, closed_at: datetime) -> list[Group]:
    found: dict[tuple[object, ...], Group] = {}
    listeners = defaultdict(set)
    for row in Charge.objects.filter(charged_at__gte=begins, charged_at__lt=ends):
        given = Reversal.objects.filter(id=row.reversal_id).first() if row.reversal_id else None
        if given and given.reversed_at < closed_at:
            continue
        sheet = (
            SplitSheet.objects.filter(work=row.work_id, in_force_from__lte=row.charged_at)
            .order_by("-in_force_from", "-version")
            .first()
        )
        revenue = policies.policy_at("revenue", row.charged_at)
        key = (row.work_id, sheet and sheet.id, revenue.seq)
        group = found.setdefault(
            key,
            Group(
                month=month,
                work_id=row.work_id,
                sheet_id=sheet and sheet.id,
                sheet_version=sheet and sheet.version,
                revenue_seq=revenue.seq,
                since=begins,
                gross_micros=0,
                promo_micros=0,
                plays_by_number=[],
                purchases=0,
                refunded_micros=0,
            ),
        )
        listeners[key].add(row.listener_id)
        group.gross_micros += row.amount_micros
        group.promo_micros += row.promo_micros
        if row.play_number:
            plays = group.plays_by_number + [0] * (row.play_number - len(group.plays_by_number))
            plays[row.play_number - 1] += 1
            group.plays_by_number = plays
        else:
            group.purchases += 1
        parts = [int(revenue.params[name]) for name in ("creators_ppm", "coop_ppm")]
        group.creators_micros, group.coop_micros = money.allocate(group.gross_micros, parts)
        group.listeners = len(listeners[key])
    return list(found.values())


def _lines(group: Group, month: date, sheet_id: object) -> list[Line]:
    payees = list(SplitLine.objects.filter(sheet=sheet_id).order_by("line_number"))
    parts = money.allocate(group.creators_micros, [payee.share_ppm for payee in payees])
    return [
        Line(
            month=month,
            of_month=group.month,
            work_id=group.work_id,
            sheet_id=payee.sheet_id,
            revenue_seq=group.revenue_seq,
            line_number=payee.line_number,
            payee_id=payee.person_id,
            share_ppm=payee.share_ppm,
            net_micros=part,
        )
        for payee, part in zip(payees, parts, strict=True)
    ]


def _borne(begins: datetime, ends: datetime) -> int:
    borne = 0
    for given in Reversal.objects.filter(reversed_at__gte=begins, reversed_at__lt=ends):
        charged = Charge.objects.get(listener=given.listener_id, id=given.charge_id)
        closed = months.period(charged.charged_at.date().replace(day=1))
        borne += given.amount_micros if closed and given.reversed_at >= closed.closed_at else 0
    return borne


def seal(month: date, *, closed_at: datetime | None = None) -> Publication:
    """Count a month, publish it and seal it."""
    counted = run(month, closed_at=closed_at)
    now = counted.begun_at + timedelta(minutes=5)
    published = transparency.publish(month, now)
    Run.objects.filter(month=month).update(state=Run.State.SEALED, step=Run.Step.SEALING, percent=100, sealed_at=now)
    months.seal(month=month, now=now)
    return published


def noon(day: int, month: int = 10) -> datetime:
    """Return noon (UTC) of a day of 2026, of October unless told otherwise."""
    return datetime(2026, month, day, 12, tzinfo=UTC)
