"""The acts around works that a voted rule does not admit any more: the looks, the appeals, the panels."""

from typing import Any

from catalog import objections
from catalog.models import Work
from catalog.objection_models import Objection as ObjectionRow
from catalog.objection_models import ObjectionAppeal
from members.models import Person
from tests.simulation.acts_of_leaving import ActsOfLeaving
from tests.simulation.audit import _agree, _rows
from tests.simulation.rulings_of_objections import Catalogue, Objection, refuses

OBJECTIONS = """
SELECT o.id, o.work_id, o.policy_seq, o.rule, o.leaves_at, o.outcome, a.ruling
  FROM catalog_objection o LEFT JOIN catalog_objectionappeal a ON a.objection_id = o.id
"""
OFF = "SELECT id FROM catalog_work WHERE state = 'off'"


class ActsOfObjections(ActsOfLeaving):
    """The whole stage of a co-op."""

    auditing = Catalogue
    auditor: Catalogue

    def audit(self) -> None:
        """Compare everything, what members' rules say of works too."""
        super().audit()
        compare_objections(self.auditor)

    def describe(self, work: Work, *, origin: str = "human", lossless: bool = True) -> None:
        """Let a work be made by a machine, or come from a lossy file."""
        known = self.auditor.works[work.id]
        Work.objects.filter(id=work.id).update(origin=origin, lossless=lossless if known.kind == "track" else None)
        known.origin, known.lossless = origin, lossless

    def set_state(self, work: Work, state: str) -> None:
        """Publish, take off, suspend, bring back; what no rule admits is not published again."""
        known = self.auditor.works[work.id]
        content = self.auditor.in_force("content", self.now)[1]
        if state == "published" and known.state == "off" and refuses(content, known):
            return
        super().set_state(work, state)
        known.voted_off = known.voted_off if known.state == "off" and state == "off" else None

    def look_at_catalogue(self) -> None:
        """Let beat hold new rules against all public works, and take off whose time has come."""
        self._act(
            "look at the catalogue",
            lambda: {"made": objections.look(now=self.now)},
            lambda: {"made": self.auditor.look_at_catalogue(self.now)},
        )
        names = {(row.work_id, row.policy_seq): row.id for row in ObjectionRow.objects.all()}
        for one in self.auditor.objections:
            one.id = names.get((one.work, one.version))
        self._act(
            "settle objections",
            lambda: {"ended": objections.settle(now=self.now)},
            lambda: {"ended": self.auditor.settle_objections(self.now)},
        )
        compare_objections(self.auditor)

    def appeal_for(self, one: Objection, person: Person) -> None:
        """Say why a work should stay."""

        def call() -> None:
            objections.appeal(objection_id=one.id, person_id=person.id, text="It is good.", now=self.now)

        # Made again it would be a second one.
        self.crash = None
        answer = self._act(
            f"{person} appeals for a work", call, lambda: self.auditor.appeal_for(one, person.id, self.now)
        )
        if answer is None:
            assert one.appeal is not None
            row = ObjectionAppeal.objects.get(objection_id=one.id)
            one.appeal.id, one.appeal.panel = row.id, list(row.panel.values_list("person_id", flat=True))
            self.check_panel(one.appeal.panel, self.auditor.may_judge(one, self.now))

    def rule_on_work(self, one: Objection, person: Person, ruling: str) -> Any:
        """Say as one of the panel whether a work stays."""
        filed = one.appeal
        assert filed is not None

        def call() -> None:
            objections.rule(
                appeal_id=filed.id, person_id=person.id, ruling=ruling, reasons="We heard it.", now=self.now
            )

        # Said again it may come after the decision.
        self.crash = None
        return self._act(
            f"{person} says of a work: {ruling}",
            call,
            lambda: self.auditor.rule_on_work(one, person.id, ruling, self.now),
        )


def compare_objections(auditor: Catalogue) -> None:
    """Compare every objection, what a panel said, and which works are off."""
    expected = {
        one.id: (one.work, one.version, one.rule, one.leaves, one.outcome, one.appeal.ruling if one.appeal else None)
        for one in auditor.objections
    }
    _agree("objections", expected, {row[0]: row[1:] for row in _rows(OBJECTIONS)})
    off = {work for work, known in auditor.works.items() if known.state == "off"}
    _agree("works that are off", off, {row[0] for row in _rows(OFF)})
