"""A payee's year on paper, for whoever fills in their tax return."""

from datetime import datetime
from uuid import UUID

from django.conf import settings

from members import admission, clock, money
from royalties import years
from royalties.paper import Column, Paper, Row
from royalties.payout_models import Payout
from royalties.run_models import Statement
from royalties.years import Year

PLACES = 6
NAME, SUM = Column(head="", share=0.8, is_figures=False), Column(head=settings.CURRENCY, share=0.2)
MONTHS = (
    Column(head="Month", share=0.22, is_figures=False),
    Column(head="Earned", share=0.2),
    Column(head="Released", share=0.18),
    Column(head="Paid out", share=0.2),
    Column(head="Carried forward", share=0.2),
)
WORKS = (
    Column(head="Work", share=0.46, is_figures=False),
    Column(head="Earned", share=0.18),
    Column(head="Released", share=0.18),
    Column(head="Together", share=0.18),
)
PAYOUTS = (
    Column(head="Reference", share=0.36, is_figures=False),
    Column(head="Released on", share=0.2, is_figures=False),
    Column(head="What became of it", share=0.26, is_figures=False),
    Column(head="Paid", share=0.18),
)
STATES = {
    Payout.State.IN_TRANSIT: "on its way",
    Payout.State.BOOKED: "paid",
    Payout.State.REJECTED: "came back",
    Payout.State.RETURNED: "came back",
}


def write(of: Year, *, person_id: UUID, now: datetime) -> bytes:
    """Return the year as a PDF. One query, for the payee's name."""
    name = admission.names_of([person_id])[person_id]
    until = "" if of.is_whole else f", January to {of.last_month:%B}"
    paper = Paper(
        title=f"Royalties of {of.year}{until}: {name}",
        author=settings.COOP_NAME,
        made_at=now,
        foot=f"{settings.COOP_NAME}, royalties of {of.year}{until}",
    )
    paper.title_line(f"Royalties of {of.year}{until}")
    paper.facts([("Payee", name), ("From", settings.COOP_NAME), ("Statements", _statements(of))])
    paper.ln(2)
    paper.words(years.NO_ADVICE)
    paper.heading("The account")
    paper.rows([NAME, SUM], _account(of))
    paper.heading("By month")
    paper.rows(MONTHS, [_month(one) for one in of.statements] + [_sum_of_months(of)])
    paper.heading("By work")
    together = _show(of.earned_micros), _show(of.released_micros), _show(of.added_micros)
    works = [
        Row(
            cells=[work.title, _show(work.earned_micros), _show(work.released_micros), _show(work.added_micros)],
            note=f"work {work.work_id}",
        )
        for work in of.works
    ]
    paper.rows(WORKS, [*works, Row(cells=["Together", *together], is_sum=True)])
    paper.heading("Paid out")
    if of.payouts:
        paper.rows(PAYOUTS, [*map(_payout, of.payouts), _sum_of_payouts(of)])
    else:
        paper.words("Nothing was paid out within these months.")
    paper.words(
        "Royalties are owed by the co-op for plays of works, wherever somebody listened: nothing here is about a"
        " listener or a country. The statements this is made from, with the SHA-256 of each: "
        + ", ".join(f"{one.month:%Y-%m} {one.sha256}" for one in of.statements),
        is_small=True,
    )
    return paper.content()


def _account(of: Year) -> list[Row]:
    first, last = f"{of.statements[0].month:%B %Y}", f"{of.last_month:%B %Y}"
    return [
        Row(cells=[f"Owed when {first} began", _show(of.opening_micros)]),
        Row(cells=["Earned", _show(of.earned_micros)]),
        Row(cells=["Held in earlier months, released now", _show(of.released_micros)]),
        Row(cells=["Came back from the bank", _show(of.returned_micros)]),
        Row(cells=["Paid out", _show(-of.paid_out_micros)]),
        Row(cells=[f"Owed when {last} ended", _show(of.closing_micros)], is_sum=True),
    ]


def _month(one: Statement) -> Row:
    sums = (one.earned_micros, one.released_micros, one.paid_out_micros, one.closing_micros)
    return Row(cells=[f"{one.month:%B %Y}", *map(_show, sums)])


def _sum_of_months(of: Year) -> Row:
    sums = (of.earned_micros, of.released_micros, of.paid_out_micros, of.closing_micros)
    return Row(cells=["Together", *map(_show, sums)], is_sum=True)


def _payout(one: Payout) -> Row:
    assert one.batch.released_at is not None
    became = STATES.get(Payout.State(one.state), one.state)
    return Row(
        cells=[
            one.end_to_end,
            f"{clock.day(one.batch.released_at):%-d %B %Y}",
            f"{became} on {one.booked_on:%-d %B %Y}" if one.booked_on and became == "paid" else became,
            money.show_cents(one.cents),
        ],
        note=f"to {one.mask}" + (f" · {one.reason}" if one.reason else ""),
    )


def _sum_of_payouts(of: Year) -> Row:
    return Row(cells=["Together", "", "", money.show(of.paid_out_micros)], is_sum=True)


def _statements(of: Year) -> str:
    number = len(of.statements)
    return f"{number} sealed {'month' if number == 1 else 'months'}, to {of.last_month:%B %Y}"


def _show(micros: int) -> str:
    return money.show(micros, places=PLACES)
