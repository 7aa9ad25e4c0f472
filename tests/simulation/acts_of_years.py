"""The acts of a year's end: closing it, the motion about its surplus, the work on it, and capital that is paid."""

from typing import Any

from members.models import Person
from royalties.year import booking, closing, motion, work
from royalties.year.models import FinancialYear
from tests.simulation.acts_of_votes import ActsOfVotes
from tests.simulation.audit import _agree, _rows
from tests.simulation.auditor import Refused
from tests.simulation.rulings_of_years import Years

PARTS = "SELECT member_class, number, person_id, patronage, cents, cash_cents FROM royalties_patronage WHERE year = %s"


class ActsOfYears(ActsOfVotes):
    """The whole stage, to the year's end."""

    auditing = Years
    auditor: Years

    def audit(self) -> None:
        """Compare everything, the years too."""
        super().audit()
        for year in self.auditor.years:
            self._compare_year(year)

    def close_year(self, year: int, staff: Person) -> Any:
        """Close a year, or ask for one whose time has not come."""

        def call() -> None:
            closing.close(year=year, staff_id=staff.id, now=self.now)

        return self._act(
            f"close the year {year} by {staff}", call, lambda: self.auditor.close_year(year, staff.id, self.now)
        )

    def put_motion(self, year: int, staff: Person) -> None:
        """Put a year's figures before the members."""

        def call() -> None:
            motion.put(year=year, staff_id=staff.id, now=self.now)

        # Put again it would be refused.
        self.crash = None
        answer = self._act(
            f"motion about {year} by {staff}", call, lambda: self.auditor.put_motion(year, staff.id, self.now)
        )
        made = self.auditor.motion(year)
        if not isinstance(answer, Refused) and made is not None:
            found = motion.proposal(closing.get(year))
            assert found is not None
            made.id = found.id

    def work_on_years(self) -> None:
        """Let the workers take every turn there is."""

        def call() -> dict[str, Any]:
            for year in work.waiting():
                while work.advance(year=year, now=self.now):
                    pass
            return {"states": dict(FinancialYear.objects.values_list("year", "state"))}

        self._act("work on years", call, lambda: {"states": self.auditor.work_on_years(self.now)})
        for year in self.auditor.years:
            self._compare_year(year)

    def redeem(self, year: int, staff: Person, *, confirms: bool) -> None:
        """Begin to pay a year's capital, or confirm it."""

        def call() -> None:
            act = booking.confirm_redeeming if confirms else booking.begin_redeeming
            act(year=year, staff_id=staff.id, now=self.now)

        # Confirmed again it would be refused.
        self.crash = None
        self._act(f"capital of {year} by {staff}", call, lambda: self.auditor.redeem(year, staff.id, confirms=confirms))

    def _compare_year(self, year: int) -> None:
        """Compare a year's result, pools and every member's part."""
        one, found = self.auditor.years[year], FinancialYear.objects.get(year=year)
        _agree(f"result of {year}", (one.result, one.shortfall), (found.result_micros, found.shortfall_micros))
        parts = {(part.name, part.number, part.person, part.brought, part.cents, part.cash) for part in one.parts}
        _agree(f"parts of {year}", parts, set(_rows(PARTS, year)))
        if one.pools and found.figures:
            classes = found.figures["classes"]
            _agree(f"pools of {year}", one.pools, {name: of["pool_cents"] for name, of in classes.items()})
            _agree(
                f"guard of {year}",
                (one.scale, one.common_good),
                (found.figures["guard"]["scale_ppm"], found.figures["common_good_cents"]),
            )
