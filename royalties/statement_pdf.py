"""A statement on paper: what the page shows, with the hash of the statement it was made from."""

from typing import Any

from django.conf import settings

from members import admission, clock, money, months, policies
from royalties import payouts, statements
from royalties.paper import Column, Paper, Row
from royalties.run_models import Statement

PLACES = 6
# Why nothing is paid out, as a payee reads it.
WHY_NOT = {
    payouts.NOTHING: "Less than a cent is owed to you; it is carried forward.",
    payouts.NO_ACCOUNT: "You named no bank account yet. What is owed to you waits for it.",
    payouts.HELD_BACK: "It was paid with credit so young that its payments may still be disputed; it is paid later.",
    payouts.TOO_LITTLE: "It is less than is worth a transfer, and carried forward until it is more or the year ends.",
}
COLUMNS = (
    Column(head="Work", share=0.245, is_figures=False),
    Column(head="Plays", share=0.07),
    Column(head="Bought", share=0.075),
    Column(head="Listeners", share=0.115),
    Column(head="Gross", share=0.13),
    Column(head="Creators’ part", share=0.13),
    Column(head="Share", share=0.105),
    Column(head="Yours", share=0.13),
)


def write(of: Statement) -> bytes:
    """Return the statement of a sealed month as a PDF. Three queries, for the payee's name and the month."""
    name = admission.names_of([of.person_id])[of.person_id]
    sealed = months.period(of.month)
    assert sealed is not None
    assert sealed.sealed_at is not None, "only sealed statements are told"
    sealed_at = sealed.sealed_at.astimezone(clock.zone())
    month = f"{of.month:%B %Y}"
    paper = Paper(
        title=f"Statement, {month}: {name}",
        author=settings.COOP_NAME,
        made_at=sealed_at,
        foot=f"{settings.COOP_NAME}, statement {of.month:%Y-%m}, SHA-256 {of.sha256}",
    )
    paper.title_line(f"Statement, {month}")
    paper.facts(
        [
            ("Payee", name),
            ("From", settings.COOP_NAME),
            ("Month", f"{month}, sealed on {sealed_at:%-d %B %Y}; it does not change any more"),
            ("Statement", str(of.id)),
            ("SHA-256 of the statement", of.sha256),
        ]
    )
    paper.heading("The account")
    paper.rows(
        [Column(head="", share=0.8, is_figures=False), Column(head=settings.CURRENCY, share=0.2)],
        [
            Row(cells=["Brought forward from the month before", _show(of.opening_micros)]),
            Row(cells=[f"Earned in {month}", _show(of.earned_micros)]),
            *([Row(cells=["Held before, released now", _show(of.released_micros)])] if of.released_micros else []),
            *([Row(cells=["Came back from the bank", _show(of.returned_micros)])] if of.returned_micros else []),
            Row(cells=[f"Paid out within {of.month:%B}", _show(-of.paid_out_micros)]),
            Row(cells=["Carried forward", _show(of.closing_micros)], is_sum=True),
        ],
    )
    paper.words(_payout(of.content["payout"]))
    paper.heading("Line by line")
    if of.content["lines"]:
        rows = [_row(line, of) for line in of.content["lines"]]
        added = _show(of.added_micros)
        paper.rows(COLUMNS, [*rows, Row(cells=["Together", "", "", "", "", "", "", added], is_sum=True)])
    else:
        paper.words(f"Nothing was paid for your works in {month}.")
    paper.words(
        "Each line is your share of the creators’ part, and that is their part of what was paid, divided once for the"
        " month. The JSON of this statement has the SHA-256 above; the month’s public books let you recompute it.",
        is_small=True,
    )
    paper.heading("Decided by members")
    paper.facts([(f"{one.key} {one.seq}", policies.address(one.key, one.seq)) for one in statements.cited(of)])
    return paper.content()


def _row(line: dict[str, Any], of: Statement) -> Row:
    listeners = line["listeners"]
    of_month = "" if line["of_month"] == of.content["month"] else f"held since {line['of_month']} · "
    given_back = line["given_back_micros"]
    return Row(
        cells=[
            line["title"],
            f"{sum(line['plays_by_number']):,}",
            f"{line['purchases']:,}",
            f"fewer than {of.content['listeners_least']}" if listeners is None else f"{listeners:,}",
            _show(line["gross_micros"]),
            _show(line["creators_micros"]),
            f"{money.percent(line['share_ppm'])} %",
            _show(line["net_micros"]),
        ],
        note=f"{of_month}revenue {line['revenue_version']} · split sheet {line['sheet_version']} · work {line['work']}"
        + (f" · {money.show(given_back)} given back before" if given_back else ""),
    )


def _payout(due: dict[str, Any]) -> str:
    if not due["cents"]:
        return f"Nothing was due to be paid out then. {WHY_NOT.get(due['why_not'], '')}".strip()
    waits = f" {money.show(due['held_micros'])} wait for a later month." if due["held_micros"] else ""
    return f"Of this, {money.show_cents(due['cents'])} was due to be paid out, in whole cents.{waits}"


def _show(micros: int) -> str:
    return money.show(micros, places=PLACES)
