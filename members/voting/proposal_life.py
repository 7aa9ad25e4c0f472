"""How a proposal goes on: each part of its life ends by itself, and beat takes it to the next.

Sponsoring, deliberation, notice, voting, counting, contest, queue, enactment. Each step is one transaction on a locked
row that looks at the time and at what is written, so it does not matter who takes it, how late, or how often. Whatever
is decided begins at a moment that is still to come: a late beat makes a policy later and never earlier than announced.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from members import deadlines, governance, lineage, policies, seals
from members.policies import PolicyRefused
from members.voting import dry_runs, elections, electorate, proposal_letters, proposals, urns
from members.voting.proposal_models import Contest, Proposal
from members.voting.tally import Kind, Verdict
from members.voting.urns import UrnDiffers

State, Ruling = Proposal.State, Contest.Ruling
# An inquorate vote is called once more, so many days later, and needs half the heads.
SECOND_CALL_DAYS = 14
# Of what was found wrong with an urn, so much is told in a sentence.
WORDS_MOST = 300
# A version is written down so long before it begins; until then its figures may still turn out not to be possible.
RECORDED_BEFORE = timedelta(hours=24)
logger = logging.getLogger(__name__)


def advance(*, now: datetime) -> int:
    """Move every proposal on whose time has come, as far as it goes; return how many steps that were.

    None while a restored backup has not recovered: what it lost of a vote is not to be counted, nor decided by.
    """
    if lineage.is_closed():
        return 0
    steps = 0
    for proposal_id in list(
        Proposal.objects.filter(state__in=Proposal.LIVE).order_by("number").values_list("id", flat=True)
    ):
        try:
            while step(proposal_id=proposal_id, now=now):
                steps += 1
        except Exception:
            # One proposal that cannot go on must not hold up the others; it is tried again at the next beat.
            logger.exception("proposal %s could not go on", proposal_id)
    return steps


def seal_urns(*, now: datetime) -> int:
    """Sign what lies in the urns of open votes, where a checkpoint is due; return how many were signed."""
    voting = Proposal.objects.filter(state=State.VOTING).values_list("election_id", flat=True)
    return sum(elections.checkpoint(election_id=one, now=now) is not None for one in voting if one is not None)


def step(*, proposal_id: UUID, now: datetime) -> bool:
    """Take one proposal's next step if its time has come, and return whether it went on."""
    with transaction.atomic():
        proposal = Proposal.objects.select_for_update().get(id=proposal_id)
        before = (proposal.state, proposal.election_id)
        if proposal.state in _STEPS:
            _STEPS[State(proposal.state)](proposal, now)
        return (proposal.state, proposal.election_id) != before


def _sponsoring(proposal: Proposal, now: datetime) -> None:
    if proposals.is_sponsored(proposal, now=now):
        days = proposals.timings(proposal, now=now).deliberation
        proposals.go_to(proposal, State.DELIBERATION, ends_at=deadlines.after(now, days), now=now)
    elif _is_over(proposal, now):
        proposals.end(proposal, State.LAPSED, "Too few members stood behind it in time.", now=now)


def _deliberation(proposal: Proposal, now: datetime) -> None:
    """Freeze what is asked, and call the vote."""
    if not _is_over(proposal, now):
        return
    if not proposals.is_sponsored(proposal, now=now):
        proposals.end(proposal, State.LAPSED, "Too few members stand behind what it came to.", now=now)
        return
    if _fails(proposal, now):
        return
    proposal.versions.filter(accepted_at=None, declined_at=None).update(declined_at=now)
    proposal.kind = proposals.kind_now(proposal, now=now)
    proposal.frozen_sha256 = seals.sha256_of(question(proposal))
    proposal.dry_run = dry_runs.frozen(proposal, now=now)
    proposal.governance_seq = governance.in_force(now).seq
    _call(proposal, now, notice_days=proposals.timings(proposal, now=now).notice)


def _fails(proposal: Proposal, now: datetime) -> bool:
    """End a proposal whose figures cannot be a policy, or would not follow the last one; return whether it did."""
    try:
        proposals.check_figures(proposal, now=now)
    except PolicyRefused as refused:
        proposals.end(proposal, State.FAILED, refused.detail, now=now)
        return True
    return False


def question(proposal: Proposal) -> dict[str, object]:
    """Return what is voted on, as its hash was made; everybody can make it again."""
    motion = {"motion": proposal.motion_sha256} if proposal.motion_sha256 else {}
    return {
        **motion,
        "domain": "refrain-question/1",
        "proposal": str(proposal.id),
        "number": proposal.number,
        "version": proposal.version,
        "kind": str(proposal.kind),
        "policy": proposal.key,
        "base": proposal.base_seq,
        "params": proposal.params,
        "title": proposal.title,
        "reasons": proposal.reasons,
    }


def _call(proposal: Proposal, now: datetime, *, notice_days: int, words: str = "") -> None:
    """Draw the roll and announce the vote."""
    rules = proposals.rules_of(proposal).params
    kind = Kind(proposal.kind)
    opens_at = deadlines.after(now, notice_days)
    election = elections.announce(
        question_sha256=proposal.frozen_sha256,
        kind=kind,
        rules=governance.rules(rules),
        opens_at=opens_at,
        closes_at=deadlines.after(opens_at, governance.timings(kind, rules).voting),
        roll=(roll := electorate.of(moment=now)),
        is_second_call=proposal.is_second_call,
        now=now,
    )
    proposal.election = election
    proposals.go_to(proposal, State.NOTICE, ends_at=opens_at, now=now, words=words)
    on_it = [person for person, _ in roll]
    proposal_letters.tell_of_call(proposal, election, roll=on_it, words=words, now=now)


def _notice(proposal: Proposal, now: datetime) -> None:
    if _is_over(proposal, now):
        assert proposal.election is not None
        proposals.go_to(proposal, State.VOTING, ends_at=proposal.election.closes_at, now=now)


def _voting(proposal: Proposal, now: datetime) -> None:
    if _is_over(proposal, now):
        proposals.go_to(proposal, State.COUNTING, ends_at=None, now=now)


def _counting(proposal: Proposal, now: datetime) -> None:
    election_id = proposal.election_id
    assert election_id is not None
    try:
        tally = urns.close(election_id=election_id, now=now)
    except UrnDiffers as differs:
        logger.exception("the urn of proposal %s is not what its voters left", proposal.number)
        urns.void(election_id)
        words = f"The urn and the roll did not agree, so nothing was counted: {str(differs)[:WORDS_MOST]}."
        is_last = proposal.reruns >= proposals.RERUNS_MOST
        proposal_letters.tell_of_a_void_vote(proposal, election_id, words, is_last=is_last, now=now)
        _void(proposal, words, now)
        return
    proposal_letters.tell_who_voted(proposal, election_id, tally.verdict, now=now)
    if tally.verdict == Verdict.PASSED and _fails(proposal, now):
        return
    if tally.verdict != Verdict.INQUORATE:
        days = proposals.timings(proposal, now=now).contest
        proposals.go_to(proposal, State.CONTEST, ends_at=deadlines.after(now, days), now=now, words=tally.verdict)
    elif proposal.is_second_call:
        proposals.end(proposal, State.INQUORATE, "Too few members voted, the second time too.", now=now)
    else:
        proposal.is_second_call = True
        _call(proposal, now, notice_days=SECOND_CALL_DAYS, words="Too few members voted; it is called once more.")


def _contest(proposal: Proposal, now: datetime) -> None:
    """Let the result stand once nobody can contest it any more, or do what the panel said."""
    assert proposal.election_id is not None
    if not _is_over(proposal, now):
        return
    open_ones = Contest.objects.filter(election_id=proposal.election_id)
    if open_ones.filter(ruling="", decide_until__gt=now).exists():
        return
    rulings = set(open_ones.exclude(ruling="").values_list("ruling", flat=True))
    if Ruling.VOIDED in rulings:
        _void(proposal, "The panel found that the vote was not held as it should be.", now)
        return
    if Ruling.RECOUNTED in rulings:
        try:
            urns.recount(proposal.election_id)
        except UrnDiffers as differs:
            _void(proposal, f"Counted again, the vote did not come to the same: {differs}.", now)
            return
    if urns.result(proposal.election_id).verdict != Verdict.PASSED:
        proposals.end(proposal, State.DEFEATED, "It was voted down.", now=now)
    elif proposal.motion_sha256:
        proposals.end(proposal, State.ENACTED, "Members accepted it; it is carried out as it was published.", now=now)
    elif not proposal.key:
        proposals.end(proposal, State.ENACTED, "Members said so; the board answers.", now=now)
    else:
        _queue(proposal, now)


def _void(proposal: Proposal, words: str, now: datetime) -> None:
    """Hold the vote again, with a new roll; once."""
    if proposal.reruns >= proposals.RERUNS_MOST:
        proposals.end(proposal, State.VOIDED, words, now=now)
        return
    proposal.reruns += 1
    proposal.is_second_call = False
    days = proposals.timings(proposal, now=now).notice
    _call(proposal, now, notice_days=days, words=f"{words} It is held again.")


def _queue(proposal: Proposal, now: datetime) -> None:
    policy = policies.registered(proposal.key)
    proposal.effective_from = deadlines.effect(
        starts=policy.starts,
        days=policy.starts_after_days,
        moment=now + (RECORDED_BEFORE if policy.starts == deadlines.Starts.AT_ONCE else timedelta(0)),
    )
    proposals.go_to(proposal, State.QUEUED, ends_at=proposal.effective_from, now=now)


def _queued(proposal: Proposal, now: datetime) -> None:
    """Write the version down a day before it begins; when it has begun, the proposal is enacted."""
    assert proposal.effective_from is not None
    if proposal.made_seq is None:
        if now < proposal.effective_from - RECORDED_BEFORE:
            return
        if now > proposal.effective_from - policies.NOTICE_LEAST:
            # Nobody moved it on in time. It begins with the next such moment, never backwards.
            _queue(proposal, now)
            return
        try:
            with transaction.atomic():
                made = policies.add_version(
                    key=proposal.key,
                    params=proposal.params or {},
                    effective_from=proposal.effective_from,
                    now=now,
                    base_seq=proposal.base_seq,
                    proposal_id=proposal.id,
                )
        except PolicyRefused as refused:
            proposals.end(proposal, State.FAILED, refused.detail, now=now)
            return
        proposal.made_seq = made.seq
        proposal.save(update_fields=["made_seq"])
    if now >= proposal.effective_from:
        proposals.end(proposal, State.ENACTED, f"It holds as version {proposal.made_seq}.", now=now)


_STEPS: dict[Proposal.State, Callable[[Proposal, datetime], None]] = {
    State.SPONSORING: _sponsoring,
    State.DELIBERATION: _deliberation,
    State.NOTICE: _notice,
    State.VOTING: _voting,
    State.COUNTING: _counting,
    State.CONTEST: _contest,
    State.QUEUED: _queued,
}


def _is_over(proposal: Proposal, now: datetime) -> bool:
    return proposal.ends_at is not None and now >= proposal.ends_at
