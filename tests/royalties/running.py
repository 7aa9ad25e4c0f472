"""Running a month as the commands and workers do, turn by turn."""

from datetime import date

from members import clock, months, policies
from royalties import runs
from royalties.run_models import Group, Line, Run, Statement

GROUP_COLUMNS = (
    "month", "work_id", "sheet_id", "sheet_version", "revenue_seq", "since", "gross_micros", "promo_micros",
    "creators_micros", "coop_micros", "plays_by_number", "purchases", "listeners", "refunded_micros", "released_in",
)  # fmt: skip
LINE_COLUMNS = (
    "month", "work_id", "of_month", "sheet_id", "revenue_seq", "line_number", "payee_id", "share_ppm", "net_micros",
)  # fmt: skip
STATEMENT_COLUMNS = ("person_id", "month", "closing_micros", "sha256", "content")
RUN_COLUMNS = (
    "month", "state", "step", "percent", "gross_micros", "creators_micros", "coop_micros", "held_micros",
    "released_micros", "refunds_borne_micros",
)  # fmt: skip


def close(month: date) -> Run:
    """Close a month that has ended, and run it to its seal."""
    policies.forget()
    runs.begin(month=month, now=clock.now())
    return finish(month)


def finish(month: date) -> Run:
    """Take turns until there are none."""
    while runs.advance(month=month, now=clock.now()).took:
        pass
    return Run.objects.get(month=month)


def start_of_next(month: date, *, day: int = 3) -> None:
    """Move the clock to the day of the next month on which the month closes by itself, at four in the night."""
    from tests import cast  # noqa: PLC0415  (the cast reads settings, and so does this)

    cast.set_clock(clock.start_of(months.after(month).replace(day=day)).replace(hour=4))


def everything_of(month: date) -> dict[str, list[tuple[object, ...]]]:
    """Return all that a run wrote, in one order, without the ids that chance gave."""
    return {
        "groups": sorted(Group.objects.filter(month=month).values_list(*GROUP_COLUMNS), key=repr),
        "lines": sorted(Line.objects.filter(month=month).values_list(*LINE_COLUMNS), key=repr),
        "statements": sorted(Statement.objects.filter(month=month).values_list(*STATEMENT_COLUMNS), key=repr),
        "run": list(Run.objects.filter(month=month).values_list(*RUN_COLUMNS)),
    }
