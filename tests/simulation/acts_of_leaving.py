"""The acts of who goes: expulsion and its appeal, erasure step by step, the claim code, and what nobody claimed."""

from typing import Any

from django.core import mail

from members import notices
from members.belonging import expulsions
from members.belonging.models import Expulsion, ExpulsionAppeal
from members.erasing import erasures
from members.erasing.models import Erasure as ErasureRow
from members.models import Person
from playback.cashout_models import Refund as RefundRow
from royalties import claims
from royalties.year import leaving
from royalties.year.models import CapitalRelease
from tests.simulation.acts_of_years import ActsOfYears
from tests.simulation.audit import _agree, _rows
from tests.simulation.auditor import Refused
from tests.simulation.rulings_of_leaving import Erasure, Leaving, Question, Release
from tests.simulation.rulings_of_membership import Membership

# By what words the house says that somebody waits for something.
WAITS = {
    "payouts": "on their way to the bank",
    "royalties": "which the next payouts take",
    "frozen": "that their bank took back",
    "checkout": "that they began",
    "bounced": "could not take back",
    "refunds": "go back to how they paid",
    "shares": "their shares",
    "letters": "letters to them",
}
KEPT = "SELECT person_id FROM royalties_payoutaccount WHERE person_id = ANY(%s) AND (holder <> '' OR sealed <> 'v1.')"
SHELLS = "SELECT id, email, name, is_active FROM members_person WHERE id = ANY(%s)"


class ActsOfLeaving(ActsOfYears):
    """A stage that people leave."""

    auditing = Leaving
    auditor: Leaving

    def person(self, name: str, *, staff: tuple[str, ...] = ()) -> Person:
        """Let somebody come; the auditor knows who has a role."""
        made = super().person(name, staff=staff)
        if staff:
            self.auditor.on_duty.add(made.id)
        return made

    def audit(self) -> None:
        """Compare everything, who went too."""
        super().audit()
        compare_leavers(self.auditor)

    # Expulsion.

    def ask_to_expel(self, one: Membership, staff: Person) -> None:
        """Ask whether a member must go."""

        def call() -> None:
            expulsions.open_question(membership_id=one.id, staff_id=staff.id, reasons="They shouted.", now=self.now)

        # Asked again it would stand already.
        self.crash = None
        answer = self._act(
            f"{staff} asks whether {self.of(one.person)} must go",
            call,
            lambda: self.auditor.ask_to_expel(one, staff.id, self.now),
        )
        if answer is None:
            known = [asked.id for asked in self.auditor.questions if asked.id]
            self.auditor.questions[-1].id = Expulsion.objects.exclude(id__in=known).get().id

    def say_about(self, asked: Question, staff: Person, *, yes: bool) -> None:
        """Let a director say whether a member must go."""

        def call() -> None:
            expulsions.say(expulsion_id=asked.id, staff_id=staff.id, yes=yes, now=self.now)

        # Said again it would be said twice.
        self.crash = None
        self._act(
            f"{staff} says {yes} about {self.of(asked.about.person)}",
            call,
            lambda: self.auditor.say_about(asked, staff.id, yes=yes, now=self.now),
        )

    def appeal(self, person: Person) -> None:
        """Appeal against one's expulsion."""

        def call() -> None:
            expulsions.appeal(person_id=person.id, words="I whispered.", now=self.now)

        # Made again it would be a second one.
        self.crash = None
        answer = self._act(f"{person} appeals", call, lambda: self.auditor.appeal(person.id, self.now))
        if answer is None:
            (asked,) = [one for one in self.auditor.questions if one.appeal and one.appeal.id is None]
            row = ExpulsionAppeal.objects.get(expulsion_id=asked.id)
            asked.appeal.id, asked.appeal.panel = row.id, list(row.panel.values_list("person_id", flat=True))
            self.check_panel(asked.appeal.panel, self.auditor.may_hear(asked, self.now))

    def rule_on_expulsion(self, asked: Question, person: Person, ruling: str) -> None:
        """Say as one of the panel whether an expulsion stands."""
        filed = asked.appeal
        assert filed is not None

        def call() -> None:
            expulsions.rule(
                appeal_id=filed.id, person_id=person.id, ruling=ruling, reasons="We heard both.", now=self.now
            )

        # Said again it may come after the decision.
        self.crash = None
        self._act(
            f"{person} says of {self.of(asked.about.person)}: {ruling}",
            call,
            lambda: self.auditor.rule_on_expulsion(asked, person.id, ruling, self.now),
        )

    # Erasure.

    def ask_to_be_erased(self, person: Person, *, begun_by: Person | None = None) -> None:
        """Ask to be forgotten, oneself or in writing; who signs in within the week draws a code."""
        codes: list[str] = []

        def call() -> None:
            if begun_by is None:
                codes.append(erasures.ask(person_id=person.id, now=self.now)[1])
            else:
                erasures.begin(email=person.email, staff_id=begun_by.id, now=self.now)
                codes.append(erasures.draw_code(person_id=person.id))

        # Asked again it would run already.
        self.crash = None
        answer = self._act(
            f"{person} asks to be erased{f', begun by {begun_by}' if begun_by else ''}",
            call,
            lambda: (
                self.auditor.begin_erasure(person.id, begun_by.id, self.now)
                if begun_by
                else self.auditor.ask_to_be_erased(person.id, self.now)
            ),
        )
        if answer is None:
            self.auditor.erasures[-1].code = codes[-1]

    def take_back(self, person: Person) -> None:
        """Stay after all."""

        def call() -> None:
            erasures.take_back(person_id=person.id, now=self.now)

        # Taken back again there would be none.
        self.crash = None
        self._act(f"{person} stays after all", call, lambda: self.auditor.take_back(person.id))

    def let_go(self) -> None:
        """Let letters be sent, and beat move on who goes."""

        def call() -> dict[str, Any]:
            notices.send_waiting(now=self.now, limit=1_000_000)
            mail.outbox.clear()
            return {"moved": erasures.advance(now=self.now)}

        self._act("let go who goes", call, lambda: {"moved": self.auditor.let_go(self.now)})
        self._learn_cash_outs()
        compare_leavers(self.auditor)

    def deliver(self, event: dict[str, Any]) -> None:
        """Let a webhook arrive, and learn to the moment when credit came back."""
        super().deliver(event)
        self._learn_returned()

    def pull(self) -> None:
        """Ask the gateway for what no webhook told."""
        super().pull()
        self._learn_returned()

    def _learn_returned(self) -> None:
        ended = {one.id: one for one in self.auditor.refunds() if one.ended_at and not one.ended_at.microsecond}
        for name, moment in RefundRow.objects.filter(id__in=ended).values_list("id", "ended_at"):
            ended[name].ended_at = moment

    # Claims.

    def claim(self, one: Erasure, code: str, iban: str) -> None:
        """Claim with a code what is still owed to somebody who was erased."""

        def call() -> dict[str, Any]:
            return {"cents": claims.claim(code=code, holder="An heir", iban=iban, now=self.now).cents}

        def ruling() -> Any:
            return self.auditor.claim(one.person) if code == one.code else Refused("no-such-claim")

        self._act(f"claim what {self.of(one.person)} is owed with {code}", call, ruling)

    def tidy_claims(self) -> None:
        """Let the daily beat look at claims."""
        self._act(
            "tidy claims", lambda: {"done": claims.tidy(now=self.now)}, lambda: {"done": self.auditor.tidy(self.now)}
        )

    # Capital.

    def begin_release(self, staff: Person) -> None:
        """Begin to pay the capital of who left."""

        def call() -> None:
            leaving.begin(staff_id=staff.id, now=self.now)

        # Begun again it would stand already.
        self.crash = None
        answer = self._act(
            f"capital of who left by {staff}", call, lambda: self.auditor.begin_release(staff.id, self.now)
        )
        if answer is None:
            self.auditor.releases_of_capital[-1].id = CapitalRelease.objects.get(state="begun").id

    def confirm_release(self, one: Release, staff: Person) -> None:
        """Confirm it."""

        def call() -> None:
            leaving.confirm(release_id=one.id, staff_id=staff.id, now=self.now)

        self._act(
            f"capital of who left confirmed by {staff}",
            call,
            lambda: self.auditor.confirm_release(one, staff.id, self.now),
        )


def compare_leavers(auditor: Leaving) -> None:
    """Compare how far everybody is who goes, what they wait for, and that nothing in their row says who they were."""
    expected = {one.person: (one.state, set(one.waits)) for one in auditor.erasures if one.state != "taken-back"}
    found = {
        row.person_id: (str(row.state), {_what(words) for words in row.waits_for})
        for row in ErasureRow.objects.exclude(state="taken-back")
    }
    _agree("erasures", expected, found)
    erased = [one.person for one in auditor.erasures if one.state == "erased"]
    shells = {(person, f"erased-{person}@erased.invalid", "Somebody who left", False) for person in erased}
    _agree("who was erased", shells, set(_rows(SHELLS, erased)))
    kept = {row[0] for row in _rows(KEPT, erased)}
    _agree("accounts of who was erased", set(), kept - auditor.bank_accounts)
    asked = {
        one.id: (one.expelled is not None, one.dropped, one.appeal.ruling if one.appeal else None)
        for one in auditor.questions
    }
    sql = """
SELECT e.id, e.expelled_at IS NOT NULL, e.dropped_at IS NOT NULL, a.ruling
  FROM members_expulsion e LEFT JOIN members_expulsionappeal a ON a.expulsion_id = e.id
"""
    _agree("expulsions", asked, {row[0]: row[1:] for row in _rows(sql)})


def _what(words: str) -> str:
    """Return what it is that words say somebody waits for."""
    return next((what for what, said in WAITS.items() if said in words), words)
