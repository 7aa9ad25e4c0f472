"""The demo's first financial year: a December with some plays, closed by the treasurer, put to the members, divided.

Its figures are drawn and its money is booked by the turns that the workers take.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta

from infra.demonstration.proposals import Asked
from infra.demonstration.votes import Assembly
from members import clock
from members.voting import proposals
from royalties.year import closing, motion, work
from royalties.year.models import FinancialYear

DECEMBER = 12
FOUNDED_ON, BEGINS_ON, EVENINGS_ON = 24, 4, (6, 13, 20)
# From the third of January on the year can be closed; then it is talked about, voted on, and may be contested.
OVER_FOR = timedelta(days=60)
MOTION = Asked(
    day=-1,
    title="",
    reasons="",
    author="Tess",
    sponsors=("Tess", "Ana", "Wen"),
    remarks=(("Sam", "Most of it is our own dues. All the same: it is the first that we have to divide."),),
    ballots={"creator": "yyy", "listener": "yyyyyynyy", "worker": "yy", "supporter": "y"},
)


def december(until: datetime) -> date:
    """Return the first of the December that is the co-op's first year, for a demo that begins at a moment."""
    return date(clock.day(until - OVER_FOR).year - 1, DECEMBER, 1)


def founded_on(until: datetime, *, latest: date) -> date:
    """Return the day on which the co-op is founded: in the November before, or on `latest` if that comes first."""
    return min(latest, (december(until) - timedelta(days=1)).replace(day=FOUNDED_ON))


def begins_on(until: datetime) -> date:
    """Return the day from which on there is something to hear in that December."""
    return december(until).replace(day=BEGINS_ON)


def is_heard_on(day: date, *, until: datetime) -> bool:
    """Return whether people came together to hear and buy works on an evening of that December."""
    return day.replace(day=1) == december(until) and day.day in EVENINGS_ON


def look_after(assembly: Assembly, *, now: datetime) -> None:
    """Close the year once it can be, take the workers' turns at it, and put its motion once its figures are drawn."""
    year = closing.may_close(now)
    tess = assembly.coop.id("Tess")
    if year is not None:
        closing.close(year=year, staff_id=tess, now=now)
    for one in work.waiting():
        while work.advance(year=one, now=now):
            pass
        found = FinancialYear.objects.get(year=one)
        if found.state == FinancialYear.State.READY and not motion.outcome(found):
            proposal = motion.put(year=one, staff_id=tess, now=now)
            for name in MOTION.sponsors:
                proposals.sponsor(proposal_id=proposal.id, person_id=assembly.coop.id(name), now=now)
            assembly.listed.append(replace(MOTION, title=proposal.title, reasons=proposal.reasons))
            assembly.made[len(assembly.listed) - 1] = proposal.id
