"""What the auditor expects of who goes: expulsion and appeals, erasure, and what the claim code leads to.

Part of the auditor: plain Python, the rules alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from tests.simulation.accounts_by_hand import DISPUTES, Entry
from tests.simulation.auditor import DAY, Answer, Id, Refused, Sheet
from tests.simulation.rulings_of_credit import CENT
from tests.simulation.rulings_of_membership import NOT_ALLOWED, NOT_FOUND, STANDS, Membership
from tests.simulation.rulings_of_months import Moved
from tests.simulation.rulings_of_votes import Appeal
from tests.simulation.rulings_of_years import Part, YearEnd, Years

HEARD, APPEAL_WITHIN = 14 * DAY, 30 * DAY
THINKS_AGAIN, TENDED = 7 * DAY, 90 * DAY
YEARS_TO_CLAIM = 3
HALF_YEAR = (6, 30)


@dataclass
class Question:
    """Whether a member must go: who asked, what directors said, and what came of it."""

    about: Membership
    by: Id
    asked: datetime
    voices: dict[Id, bool] = field(default_factory=dict)
    expelled: datetime | None = None
    dropped: bool = False
    # The accounts that carried the membership until then.
    freed: list[str] = field(default_factory=list)
    appeal: Appeal | None = None
    id: Id = None


@dataclass
class Erasure:
    """Somebody's way out: asked, settling, erased; or taken back."""

    person: Id
    ends: datetime
    state: str = "asked"
    waits: tuple[str, ...] = ()
    erased: datetime | None = None
    code: str = ""


@dataclass
class Release:
    """Capital of who left, paid before its years' turn, by two treasurers."""

    by: Id
    parts: list[tuple[YearEnd, Part]]
    confirmed_by: Id = None
    id: Id = None


class Leaving(Years):
    """An auditor who also sees people go."""

    def __init__(self, **known: object) -> None:
        super().__init__(**known)
        self.questions: list[Question] = []
        self.erasures: list[Erasure] = []
        # Who has a role for the co-op.
        self.on_duty: set[Id] = set()
        # What nobody claimed: whose, how much, and in which month it lapsed.
        self.lapsed: list[tuple[Id, int, date]] = []
        self.releases_of_capital: list[Release] = []

    # Expulsion.

    def ask_to_expel(self, one: Membership, staff: Id, now: datetime) -> Refused | None:
        """Ask as a director whether a member must go, once at a time."""
        if staff not in self.directors:
            return NOT_ALLOWED
        if one.state != "joined":
            return STANDS
        if one.person == staff:
            return NOT_ALLOWED
        if any(asked.about is one and not asked.expelled and not asked.dropped for asked in self.questions):
            return STANDS
        self.questions.append(Question(one, staff, now))
        return None

    def say_about(self, asked: Question, staff: Id, *, yes: bool, now: datetime) -> Refused | None:
        """Say as a director what shall be; most of the board expel, after the member was heard for fourteen days."""
        if staff not in self.directors:
            return NOT_ALLOWED
        if asked.expelled or asked.dropped or asked.about.state != "joined":
            return STANDS
        if asked.about.person == staff:
            return NOT_ALLOWED
        if now < asked.asked + HEARD or staff in asked.voices:
            return STANDS
        asked.voices[staff] = yes
        board = self.directors - {asked.about.person}
        said = list(asked.voices.values())
        if said.count(True) * 2 > len(board):
            self._expel(asked, now)
        elif said.count(False) * 2 >= len(board):
            asked.dropped = True
        return None

    def _expel(self, asked: Question, now: datetime) -> None:
        one = asked.about
        asked.expelled, one.state, one.ended = now, "expelled", now
        asked.freed = [iban for iban, of in self.accounts_of_members.items() if of is one]
        self.accounts_of_members = {iban: of for iban, of in self.accounts_of_members.items() if of is not one}

    def appeal(self, person: Id, now: datetime) -> Refused | None:
        """Appeal against one's expulsion: once, within thirty days."""
        found = [asked for asked in self.questions if asked.about.person == person and asked.expelled]
        if not found:
            return NOT_FOUND
        last = max(found, key=lambda asked: asked.expelled)
        if last.appeal or now >= last.expelled + APPEAL_WITHIN:
            return STANDS
        days = self.in_force("governance", now)[1]["contest_days"]
        last.appeal = Appeal(person, self.evening(now, days), [])
        return None

    def may_hear(self, asked: Question, now: datetime) -> set[Id]:
        """Return out of whom a panel is drawn: who could vote now, no directors, nobody who had a part in it."""
        return set(self.roll(now)) - self.directors - {asked.about.person, asked.by, *asked.voices}

    def rule_on_expulsion(self, asked: Question, person: Id, ruling: str, now: datetime) -> Refused | None:
        """Say as one of the panel whether an expulsion stands; one that is lifted never was."""
        filed, one = asked.appeal, asked.about
        before = dict(filed.rulings)
        if refused := self.rule(filed, person, ruling, now):
            return refused
        if filed.ruling == "lifted":
            if self.of(one.person):
                # They have applied anew: the secretary looks at that first, and nothing was said.
                filed.ruling, filed.rulings = "", before
                return STANDS
            self._restore(asked, now)
        return None

    def _restore(self, asked: Question, now: datetime) -> None:
        one = asked.about
        if one.person in self.gone():
            # They are on their way out, or forgotten: a member no more, as they asked.
            one.state, one.ended = "left", now
            return
        one.state, one.ended = "joined", None
        for iban in asked.freed:
            self.accounts_of_members.setdefault(iban, one)

    # Erasure.

    def erasure_of(self, person: Id) -> Erasure | None:
        """Return somebody's erasure that was not taken back."""
        return next((one for one in self.erasures if one.person == person and one.state != "taken-back"), None)

    def gone(self) -> set[Id]:
        """Return who is on their way out, or erased."""
        return {one.person for one in self.erasures if one.state in {"settling", "erased"}}

    def ask_to_be_erased(self, person: Id, now: datetime) -> Refused | None:
        """Ask to be forgotten; for a week it can be taken back."""
        if person in self.on_duty:
            return Refused("has-duties")
        if self.erasure_of(person):
            return Refused("erasure-runs")
        self.erasures.append(Erasure(person, now + THINKS_AGAIN))
        return None

    def begin_erasure(self, person: Id, staff: Id, now: datetime) -> Refused | None:
        """Begin it for somebody who asked in writing, as secretary."""
        if staff not in self.secretaries or staff == person:
            return NOT_ALLOWED
        return self.ask_to_be_erased(person, now)

    def take_back(self, person: Id) -> Refused | None:
        """Stay after all, within the week."""
        one = self.erasure_of(person)
        if one is None or one.state != "asked":
            return Refused("no-erasure")
        one.state = "taken-back"
        return None

    def let_go(self, now: datetime) -> int:
        """Let beat move every erasure on; return how many moved."""
        moved, told = 0, set()
        for one in [one for one in self.erasures if one.state == "asked" and one.ends <= now]:
            one.state, moved = "settling", moved + 1
            told.add(one.person)
            if self.of(one.person):
                self.leave(one.person, now)
        for one in [one for one in self.erasures if one.state == "settling"]:
            one.waits = tuple(self._settle(one.person, now, told=one.person in told))
            if not one.waits:
                self._forget(one, now)
                moved += 1
        for one in [one for one in self.erasures if one.state == "erased" and one.erased > now - TENDED]:
            self._settle(one.person, now, told=False)
        return moved

    def _settle(self, person: Id, now: datetime, *, told: bool) -> Iterator[str]:
        """Do what comes before forgetting somebody; return what still waits. `told`: a letter to them is not sent."""
        waits = [*self._royalties_wait(person, now)]
        taken = len(self.cash_outs)
        waits += self._credit_waits(person, now)
        told = self._leave_catalogue(person, now) or told or len(self.cash_outs) > taken
        for box in self.boxes():
            if box.verdict and person in box.roll:
                box.forgotten.add(person)
        held = [shares for one in self.register if one.person == person for shares in one.shares]
        waits += ["shares"] if any(shares.paid and not shares.repaid for shares in held) else []
        return iter([*waits, *(["letters"] if told else [])])

    def _leaving(self, person: Id) -> bool:
        payouts = [one for batch in self.batches for one in batch.with_state("prepared", "in-transit")]
        return any(one.payee == person for one in payouts)

    def _royalties_wait(self, person: Id, now: datetime) -> Iterator[str]:
        """Royalties wait for their account; what a suspended work holds may wait for years, and is claimed."""
        if self._leaving(person):
            yield "payouts"
        elif person in self.bank_accounts:
            month = (self.month(now) - DAY).replace(day=1)
            if self.payable()[person] - self.stopped(month)[person] >= CENT:
                yield "royalties"

    def _credit_waits(self, person: Id, now: datetime) -> Iterator[str]:
        """Bought credit goes back; after a refund that bounced, it is tried again in a day."""
        wallet = self.wallet(person)
        if wallet.frozen:
            yield "frozen"
            return
        started = [one for one in self.top_ups if one.listener == person and one.state == "started"]
        if any(one.begun > now - DAY for one in started):
            yield "checkout"
            return
        theirs = [one for one in self.refunds() if one.listener == person]
        if not any(one.state == "returned" and one.ended_at > now - DAY for one in theirs):
            most = min(wallet.balance, sum(rest.micros for rest in self.rests(person))) // CENT * CENT
            if most > 0:
                self.cash_out(person, most, f"erasure-{len(self.cash_outs)}", now)
        elif wallet.balance >= CENT:
            yield "bounced"
        theirs = [one for one in self.refunds() if one.listener == person]
        if any(one.state in {"waiting", "transfer"} and one.net + one.vat for one in theirs):
            yield "refunds"

    def _leave_catalogue(self, person: Id, now: datetime) -> bool:
        """Decline what waits for them, hand over or close what they run; return whether a letter says so."""
        told = False
        for known in self.works.values():
            before = len(known.sheets)
            known.sheets = [sheet for sheet in known.sheets if sheet.since or person not in self._asked(sheet)]
            told = told or len(known.sheets) < before
            if person in known.editors:
                known.editors.remove(person)
            elif known.owner == person:
                told, known.owner = True, known.editors.pop(0) if known.editors else None
                known.closed = known.owner is None
                if known.closed and known.state == "published":
                    known.state, known.off_at = "off", now
        return told

    def _asked(self, sheet: Sheet) -> set[Id]:
        """Return who is asked to agree to a sheet that waits."""
        return {payee for payee, _ in sheet.lines} - {sheet.by}

    def _forget(self, one: Erasure, now: datetime) -> None:
        one.state, one.erased = "erased", now
        self.bank_accounts.discard(one.person)
        wallet = self.wallet(one.person)
        wallet.limits, wallet.raises = ({"day": None, "month": None} for _ in range(2))

    # Claims.

    def claim(self, person: Id) -> Answer | Refused:
        """Let what is owed under a code be paid to an account that somebody names."""
        one = self.erasure_of(person)
        if one is None or one.state != "erased":
            return Refused("no-such-claim")
        if self.payable()[person] < CENT:
            return Refused("nothing-owed-yet")
        self.bank_accounts.add(person)
        return {"cents": self.payable()[person] // CENT}

    def tidy(self, now: datetime) -> int:
        """Let lapse what nobody claimed for three years after its year, and forget accounts that were paid."""
        done = 0
        since = date(self.day(now).year - YEARS_TO_CLAIM, 1, 1)
        for person in [one.person for one in self.erasures if one.state == "erased"]:
            if self._leaving(person):
                continue
            late = self.payable()[person] - self._arose(person, since)
            if late > 0:
                self.lapsed.append((person, late, self.month(now)))
                self.moved.append(Moved(person, self.month(now), -late))
                done += 1
            if person in self.bank_accounts and self.payable()[person] < CENT:
                self.bank_accounts.discard(person)
                done += 1
        return done

    def _arose(self, person: Id, since: date) -> int:
        """Return what somebody was owed anew since a day: what they earned, and what came back."""
        earned = sum(
            line.micros
            for closed in self.closed.values()
            for line in closed.lines
            if closed.booked and line.payee == person and line.paid_in >= since
        )
        return earned + sum(
            one.micros for one in self.moved if one.payee == person and one.micros > 0 and one.month >= since
        )

    # Capital.

    def left_in(self, person: Id) -> int | None:
        """Return the year in which somebody who belonged left for good; nothing for who belongs or never did."""
        times = [one for one in self.register if one.person == person and one.joined]
        if not times or any(one.ended is None for one in times):
            return None
        return self.day(max(one.ended for one in times)).year

    def begin_release(self, staff: Id, now: datetime) -> Refused | None:
        """Begin to pay what is due to who left: when the year of leaving is closed, or its half year is over."""
        if staff not in self.treasurers:
            return NOT_ALLOWED
        if any(one.confirmed_by is None for one in self.releases_of_capital):
            return Refused("batch-stands")
        day = self.day(now)
        left_by = max([day.year - (1 if (day.month, day.day) > HALF_YEAR else 2), *self.years])
        taken = {(year.year, part) for one in self.releases_of_capital for year, part in one.parts}
        due = [
            (year, part)
            for year in self.years.values()
            if year.state == "done"
            for part in year.parts
            if part.capital and (year.year, part) not in taken and (self.left_in(part.person) or left_by + 1) <= left_by
        ]
        if not due:
            return Refused("nothing-due")
        self.releases_of_capital.append(Release(staff, due))
        return None

    def confirm_release(self, one: Release, staff: Id, now: datetime) -> Refused | None:
        """Confirm it as another treasurer; what was paid with its whole year meanwhile is not paid again."""
        if staff not in self.treasurers:
            return NOT_ALLOWED
        if one.confirmed_by is not None:
            return None if one.confirmed_by == staff else Refused("batch-stands")
        if one.by == staff:
            return NOT_ALLOWED
        one.confirmed_by = staff
        for year, part in one.parts:
            if year.redeemed_in is None:
                year.early[part] = self.month(now)
                self.moved.append(Moved(part.person, self.month(now), part.capital * CENT))
        return None

    def entries_by_hand(self) -> Iterator[Entry]:
        """Yield what lapsed, too."""
        yield from super().entries_by_hand()
        for person, micros, month in self.lapsed:
            yield f"liabilities.payable.{person}", DISPUTES, micros, month
