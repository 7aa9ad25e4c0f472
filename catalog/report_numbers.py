"""The yearly numbers of reports, which anybody may read: what was reported, what was decided, how long it took."""

from dataclasses import dataclass
from datetime import datetime
from statistics import median

from django.db.models import Count, F, Q

from catalog.report_models import Appeal, Lifting, Report, ReportDecision
from members import clock

HOURS_A_DAY = 24


@dataclass(frozen=True, kw_only=True)
class Category:
    """How many reports of a year were about one thing."""

    key: str
    name: str
    reports: int


@dataclass(frozen=True, kw_only=True)
class Year:
    """A year of the co-op's time zone. Reports count in the year they came, decisions in the year they were made.

    `median_days` is from a report to the decision about it, for those decided in the year; None without any.
    """

    year: int
    categories: list[Category]
    reports: int
    open: int
    dismissed: int
    suspended: int
    median_days: int | None
    appeals: int
    appeals_upheld: int
    appeals_lifted: int
    liftings: int


def years(*, now: datetime) -> list[Year]:
    """Return the numbers of every year from the first report's to this one, newest first. Six queries a year."""
    first = Report.objects.order_by("filed_at").values_list("filed_at", flat=True).first()
    this_year = clock.day(now).year
    since = this_year if first is None else clock.day(first).year
    return [_numbers(year) for year in range(this_year, since - 1, -1)]


def _numbers(year: int) -> Year:
    begins, ends = (clock.start_of(clock.day(datetime(y, 1, 1, 12, tzinfo=clock.zone()))) for y in (year, year + 1))

    def within(column: str) -> Q:
        return Q(**{f"{column}__gte": begins, f"{column}__lt": ends})

    filed = Report.objects.filter(within("filed_at"))
    by_category = dict(filed.values_list("category").annotate(Count("id")))
    made = dict(ReportDecision.objects.filter(within("decided_at")).values_list("outcome").annotate(Count("id")))
    waits = list(
        Report.objects.filter(within("decision__decided_at")).values_list(F("decision__decided_at") - F("filed_at"))
    )
    appeals = Appeal.objects.filter(within("filed_at")).count()
    answered = dict(
        Appeal.objects.filter(within("decision__decided_at")).values_list("decision__outcome").annotate(Count("id"))
    )
    return Year(
        year=year,
        categories=[
            Category(key=key, name=name, reports=by_category.get(key, 0)) for key, name in Report.Category.choices
        ],
        reports=sum(by_category.values()),
        open=filed.filter(decision=None).count(),
        dismissed=made.get("dismissed", 0),
        suspended=made.get("suspended", 0),
        median_days=round(median(wait.days * HOURS_A_DAY + wait.seconds // 3600 for (wait,) in waits) / HOURS_A_DAY)
        if waits
        else None,
        appeals=appeals,
        appeals_upheld=answered.get("upheld", 0),
        appeals_lifted=answered.get("lifted", 0),
        liftings=Lifting.objects.filter(within("lifted_at")).count(),
    )
