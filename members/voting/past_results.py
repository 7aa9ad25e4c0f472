"""The dry run of `governance`: the last votes counted again by asked rules, from their published numbers.

It changes what was wanted of a vote, and nothing else: who came and what they said stays as it was.
"""

from datetime import date, datetime

from django.db.models import F

from members import governance
from members.policies import Params
from members.voting import election_documents, tally
from members.voting.dry_runs import Preview, Replay, Row
from members.voting.election_models import Election
from members.voting.proposal_models import Proposal
from members.voting.tally import Kind, Rules, Verdict

LOOKED_BACK = 20
CAVEAT = (
    "Under other rules other members may come and say otherwise; this cannot show that. Days are not replayed:"
    " a result does not tell who would have come in more of them."
)
SAID = {Verdict.PASSED: "passes", Verdict.DEFEATED: "does not pass", Verdict.INQUORATE: "too few came"}


def replay(params: Params, _month: date | None, _now: datetime) -> Preview:
    """Count the last votes again under these rules. One query."""
    asked = governance.rules(params)
    votes = list(
        Proposal.objects.exclude(election__result=None)
        .select_related("election")
        .order_by(F("election__closed_at").desc(), "-number")[:LOOKED_BACK]
    )
    if not votes:
        return Preview(words="No vote was counted yet, so there is none to count again.", caveat=CAVEAT)
    rows = tuple(_row(one, asked) for one in votes)
    turned = sum(row.before != row.after for row in rows)
    many = f"The last {len(rows)} votes" if len(rows) > 1 else "The only vote"
    words = f"{many}, counted again from the published numbers. {turned or 'None'} would have ended otherwise."
    return Preview(words=words, caveat=CAVEAT, rows=rows)


def _row(proposal: Proposal, asked: Rules) -> Row:
    election = proposal.election
    assert election is not None
    return Row(
        label=f"Proposal {proposal.number}: {proposal.title}",
        before=SAID[_verdict(election, election_documents.rules_read(election.rules))],
        after=SAID[_verdict(election, asked)],
        unit="words",
    )


def _verdict(election: Election, rules: Rules) -> Verdict:
    by_class, heads_only = election_documents.votes_read(election.votes or {})
    counted = tally.count(
        Kind(election.kind), by_class, rules=rules, heads_only=heads_only, is_second_call=election.is_second_call
    )
    return counted.verdict


REPLAY = Replay(together=replay)
