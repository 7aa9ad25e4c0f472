"""The acts of those who decide: proposals, ballots, contests, and the beat that moves them on."""

import json
from typing import Any

from members.models import Person
from members.voting import ballots as urn
from members.voting import contests, discussion, elections, proposal_life, proposals, rolls, urns
from members.voting.proposal_models import Contest as ContestRow
from members.voting.proposal_models import Proposal as ProposalRow
from tests.simulation.acts_of_members import ActsOfMembers
from tests.simulation.audit import Objection, _agree, _rows
from tests.simulation.auditor import Refused
from tests.simulation.rulings_of_beat import Beat
from tests.simulation.rulings_of_votes import LIVE, Appeal, Params, Proposal
from tests.simulation.tally_by_hand import support
from tests.simulation.urns_by_hand import CHANGED, SPOILED, change, compare_urns

PROPOSALS = """
SELECT id, params, number, state, kind, version, params_version, base_seq, ends_at, is_second_call, reruns,
       effective_from, made_seq
  FROM members_proposal
"""
RECORDED = "SELECT key, seq, params, effective_from, proposal_id FROM members_policyversion WHERE seq > 1"
COUNTED = ("members", "marks", "yes", "no", "abstained")


class ActsOfVotes(ActsOfMembers):
    """The whole stage of a co-op that decides."""

    def audit(self) -> None:
        """Compare everything, what is decided too."""
        super().audit()
        compare_decisions(self.auditor)
        compare_urns(self.auditor)

    # Writing.

    def draft(self, person: Person, key: str, params: Params | None) -> Any:
        """Write a draft; return the auditor's proposal, or its refusal."""

        def call() -> dict[str, Any]:
            made = proposals.draft(
                author_id=person.id, key=key, title="A change", reasons="We talked.", params=params, now=self.now
            )
            return {"kind": made.kind, "base": made.base_seq}

        # Written again it would be another one.
        self.crash = None
        answer = self._act(
            f"draft {key or 'words'} {params} by {person}",
            call,
            lambda: self.auditor.draft(person.id, key, params, self.now),
        )
        if isinstance(answer, Refused):
            return answer
        known = [one.id for one in self.auditor.proposals if one.id]
        made = self.auditor.proposals[-1]
        made.id = ProposalRow.objects.exclude(id__in=known).get().id
        return made

    def submit(self, one: Proposal, person: Person) -> Any:
        """Put a draft before the members."""

        def call() -> dict[str, Any]:
            made = proposals.submit(proposal_id=one.id, author_id=person.id, now=self.now)
            return {"number": made.number, "ends": made.ends_at}

        return self._act(
            f"submit {one.key or 'words'} by {person}", call, lambda: self.auditor.submit(one, person.id, self.now)
        )

    def retract(self, one: Proposal, person: Person) -> None:
        """Take a proposal back."""

        def call() -> None:
            proposals.retract(proposal_id=one.id, author_id=person.id, now=self.now)

        self._act(f"retract {one.number} by {person}", call, lambda: self.auditor.retract(one, person.id))

    def sponsor(self, one: Proposal, person: Person) -> None:
        """Stand behind a proposal."""

        def call() -> None:
            proposals.sponsor(proposal_id=one.id, person_id=person.id, now=self.now)

        self._act(f"{person} sponsors {one.number}", call, lambda: self.auditor.sponsor(one, person.id, self.now))

    def withdraw(self, one: Proposal, person: Person) -> None:
        """Stand behind it no more."""

        def call() -> None:
            proposals.withdraw_sponsorship(proposal_id=one.id, person_id=person.id, now=self.now)

        self._act(f"{person} leaves {one.number}", call, lambda: self.auditor.withdraw(one, person.id))

    def amend(self, one: Proposal, person: Person, params: Params | None) -> Any:
        """Suggest other figures."""

        def call() -> dict[str, Any]:
            made = discussion.amend(
                proposal_id=one.id,
                person_id=person.id,
                title="Another change",
                reasons="We talked more.",
                params=params,
                now=self.now,
            )
            return {"number": made.number}

        # Suggested again it would be another amendment.
        self.crash = None
        return self._act(
            f"{person} amends {one.number} {params}",
            call,
            lambda: self.auditor.amend(one, person.id, params, self.now),
        )

    def accept_amendment(self, one: Proposal, number: int, person: Person) -> None:
        """Accept an amendment."""

        def call() -> None:
            discussion.accept(proposal_id=one.id, number=number, author_id=person.id, now=self.now)

        self._act(
            f"{person} accepts {number} of {one.number}",
            call,
            lambda: self.auditor.accept(one, number, person.id, self.now),
        )

    # Ballots.

    def cast(self, one: Proposal, person: Person, choice: str, nonce: bytes) -> Any:
        """Cast a ballot: early, in time, late, again."""
        assert one.ballots is not None
        box = one.ballots

        def call() -> dict[str, Any]:
            receipt = urn.cast(election_id=box.id, person_id=person.id, choice=choice, nonce=nonce)
            return {"tracker": receipt.tracker}

        return self._act(
            f"{person} says {choice} to {one.number}",
            call,
            lambda: self.auditor.cast(box, person.id, choice, nonce, self.now),
        )

    def spoil(self, one: Proposal, how: str) -> None:
        """Let somebody change by hand what lies in the urn of a vote that has closed and is not counted yet."""
        box = one.ballots
        assert box is not None
        assert self.now >= box.closes
        self.journal.append(f"{self.now:%Y-%m-%d %H:%M} a ballot or a mark of {one.number} is {how} by hand")
        box.spoiled = change(SPOILED[how], box.id) > 0 or box.spoiled

    def change_counted(self, one: Proposal) -> None:
        """Let somebody change by hand a ballot that was counted and published."""
        box = one.ballots
        assert box is not None
        self.journal.append(f"{self.now:%Y-%m-%d %H:%M} a counted ballot of {one.number} is changed by hand")
        # Changed twice it is as it was.
        if not box.changed:
            box.changed = change(CHANGED, box.id) > 0

    # The roll.

    def correct_roll(self, one: Proposal, number: int, name: str, staff: Person) -> None:
        """Let a secretary put somebody on the roll of a vote, into another class, or off it."""

        def call() -> dict[str, Any]:
            made = rolls.correct(
                proposal_id=one.id,
                number=str(number),
                class_name=name,
                reason="It was not so.",
                staff_id=staff.id,
                now=self.now,
            )
            return {"before": made.class_before, "after": made.class_after}

        # Corrected again it would say so already.
        self.crash = None
        self._act(
            f"{staff} puts member {number} {f'among the {name}s' if name else 'off the roll'} for {one.number}",
            call,
            lambda: self.auditor.correct_roll(one, number, name, staff.id, self.now),
        )
        if one.ballots is not None and not one.ballots.verdict:
            found = _rows("SELECT person_id, class FROM members_roll WHERE election_id = %s", one.ballots.id)
            _agree(f"roll of vote {one.number}", one.ballots.roll, dict(found))

    # Time.

    def beat(self) -> None:
        """Let beat come by: proposals go on, and urns are sealed."""
        self._act(
            "beat",
            lambda: {"steps": proposal_life.advance(now=self.now)},
            lambda: {"steps": self.auditor.advance(self.now)},
        )
        self._learn_votes()
        self._act(
            "seal urns",
            lambda: {"signed": proposal_life.seal_urns(now=self.now)},
            lambda: {"signed": self.auditor.seal_urns(self.now)},
        )
        compare_decisions(self.auditor)

    def _learn_votes(self) -> None:
        """Learn what a vote that was called is named; compare its roll, and a result with the auditor's count."""
        for one in self.auditor.proposals:
            box = one.ballots
            if box is not None and box.id is None:
                box.id = ProposalRow.objects.get(id=one.id).election_id
                found = elections.get(box.id)
                _agree(f"times of vote {one.number}", (box.opens, box.closes), (found.opens_at, found.closes_at))
                roll = _rows("SELECT person_id, class FROM members_roll WHERE election_id = %s", box.id)
                _agree(f"roll of vote {one.number}", box.roll, dict(roll))

    # Contests.

    def contest(self, one: Proposal, person: Person) -> None:
        """Object to how a vote was held."""

        def call() -> None:
            contests.file(proposal_id=one.id, person_id=person.id, grounds="It was odd.", now=self.now)

        self._act(f"{person} contests {one.number}", call, lambda: self.auditor.contest(one, person.id, self.now))
        for filed in one.contests:
            if filed.id is None:
                row = ContestRow.objects.get(person_id=filed.by, election_id=one.ballots and one.ballots.id)
                filed.id, filed.panel = row.id, list(row.panel.values_list("person_id", flat=True))
                self.check_panel(filed.panel, self.auditor.may_sit(one, filed, self.now))

    def check_panel(self, panel: list[Any], may: set[Any]) -> None:
        """Object to a panel of others than may sit on it, or of fewer than could."""
        if not set(panel) <= may or len(panel) != min(3, len(may)):
            raise Objection(f"the panel is {panel}, drawn out of {may}")

    def rule(self, filed: Appeal, person: Person, ruling: str) -> None:
        """Say as one of the panel what is to become of a vote."""

        def call() -> None:
            contests.rule(appeal_id=filed.id, person_id=person.id, ruling=ruling, reasons="We looked.", now=self.now)

        # Said again it may come after the decision.
        self.crash = None
        self._act(f"{person} rules {ruling}", call, lambda: self.auditor.rule(filed, person.id, ruling, self.now))


def compare_decisions(auditor: Beat) -> None:
    """Compare every proposal, every count, and every version of a policy with the vote that made it."""
    expected = {
        one.id: (
            *(one.params, one.number, one.state, one.kind, one.version, one.figures, one.base, one.ends),
            *(one.second, one.reruns, one.effect, one.made),
        )
        for one in auditor.proposals
    }
    _agree("proposals", expected, {row[0]: (_read(row[1]), *row[2:]) for row in _rows(PROPOSALS)})
    for one in auditor.proposals:
        if one.ballots is not None and one.ballots.verdict and one.state in {*LIVE, "enacted", "defeated"}:
            counted = {
                name: dict(zip(COUNTED, (said.members, said.voted, said.yes, said.no, said.abstained), strict=True))
                for name, said in one.ballots.counted().items()
            }
            found = elections.get(one.ballots.id)
            _agree(f"count of vote {one.number}", counted, found.votes)
            result, said = urns.result(found.id), one.ballots.counted()
            _agree(f"verdict of vote {one.number}", one.ballots.verdict, str(result.verdict))
            whole = support(said, one.rules or {}, constitutional=one.kind == "constitutional")
            _agree(f"support of vote {one.number}", whole, result.support)
    by = {(one.key, one.made): one.id for one in auditor.proposals if one.made}
    versions = {
        (key, seq): (params, since, by.get((key, seq)))
        for key, known in auditor.policies.items()
        for seq, (since, params) in enumerate(known, 1)
        if seq > 1
    }
    _agree("policies", versions, {row[:2]: (_read(row[2]), *row[3:]) for row in _rows(RECORDED)})


def _read(params: str | None) -> Params | None:
    return None if params is None else json.loads(params)
