"""What is written to people about a proposal on its way.

Everybody on the roll is told what concerns everybody: that a vote is called, that it is open, how it ended, and what
came of what they decided. Its author and who stands behind it are told each other step. A letter is written in the
transaction that takes the step, once to each person per step: a step that is not committed has told nobody, and one
that is taken again tells nobody twice.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from members import admission, deadlines, letters, policies
from members.admission import Staff
from members.letters import Letter
from members.models import Person
from members.voting import elections
from members.voting.election_models import Election
from members.voting.proposal_models import Proposal, ProposalVersion
from members.voting.tally import Verdict

State = Proposal.State
READ = "Read the proposal"
# What ended it, as a subject says it.
ENDED = {
    State.RETRACTED: "It was taken back",
    State.LAPSED: "It lapsed",
    State.FAILED: "It cannot hold",
    State.DEFEATED: "It was voted down",
    State.INQUORATE: "Too few voted",
    State.VOIDED: "The vote is void",
}
SAID = {Verdict.PASSED: "passed", Verdict.DEFEATED: "did not pass", Verdict.INQUORATE: "could not be decided"}


def tell_of_step(proposal: Proposal, *, now: datetime) -> None:
    """Tell whoever it concerns of the part of its life that a proposal has come to."""
    state = State(proposal.state)
    if state == State.DELIBERATION:
        assert proposal.ends_at is not None
        words = f"Members talk about it until {time_of(proposal.ends_at)}, and its author may accept amendments."
        said = [f"Enough members stand behind proposal {proposal.number}. {words}"]
        _tell(proposal, f"It is deliberated: {proposal.title}", said, parties(proposal), now=now)
    elif state == State.VOTING:
        assert proposal.ends_at is not None
        until = time_of(proposal.ends_at)
        said = [f"Members vote on proposal {proposal.number} until {until}. If you have voted by then, all is done."]
        _tell(proposal, f"The vote is open: {proposal.title}", said, on_the_roll(proposal), now=now)
    elif state == State.QUEUED:
        assert proposal.effective_from is not None
        begins = proposal.effective_from
        said = [f"Nobody can contest the vote on proposal {proposal.number} any more. It holds from {time_of(begins)}."]
        subject = f"It holds from {day_of(begins)}: {proposal.title}"
        _tell(proposal, subject, said, parties(proposal), now=now, step=f"queued {begins.isoformat()}")
    elif state == State.ENACTED:
        _tell_of_enactment(proposal, now)
    elif state in ENDED:
        _tell_of_end(proposal, state, now)


def tell_of_call(proposal: Proposal, election: Election, *, roll: Collection[UUID], words: str, now: datetime) -> None:
    """Tell everybody on the roll when they vote; `words` say why again, if it is not the first time."""
    until = time_of(election.closes_at)
    letter = Letter(
        subject=f"A vote begins on {day_of(election.opens_at)}: {proposal.title}",
        paragraphs=[
            *([words] if words else []),
            f"Members vote on proposal {proposal.number} from {time_of(election.opens_at)} until {until}.",
            "You are on the roll. Your ballot is secret, and you can check that it was counted.",
        ],
        facts=[
            ("Kind", proposal.kind),
            ("On the roll", f"{len(roll):,}"),
            ("SHA-256 of what is asked", proposal.frozen_sha256),
        ],
        act=READ,
        path=path(proposal),
    )
    letters.send_to_people(letter, roll, topic=f"{election.id}:called", now=now)


def tell_who_voted(proposal: Proposal, election_id: UUID, verdict: Verdict, *, now: datetime) -> None:
    """Tell everybody on the roll how it ended, and whether a ballot of theirs was counted."""
    for voted, words in ((True, "You voted."), (False, "You did not vote.")):
        letter = Letter(
            subject=f"{proposal.title}: it {SAID[verdict]}",
            paragraphs=[
                f"The vote on proposal {proposal.number} is counted: it {SAID[verdict]}. {words}",
                "If this is not as you remember it, contest the vote; a panel of three members decides.",
            ],
            act="Read the result",
            path=path(proposal),
        )
        people = elections.people(election_id=election_id, voted=voted)
        letters.send_to_people(letter, people, topic=f"{election_id}:counted", now=now)


def tell_of_a_void_vote(proposal: Proposal, election_id: UUID, words: str, *, is_last: bool, now: datetime) -> None:
    """Tell everybody on the roll that nothing was counted; the board and the secretary have to look."""
    again = "It is not held again." if is_last else "It is held again, with a new roll."
    subject, where = f"{proposal.title}: the vote is void", path(proposal)
    told = Letter(subject=subject, paragraphs=[f"{words} {again}", "What was said stays secret."], act=READ, path=where)
    letters.send_to_people(told, sorted(on_the_roll(proposal), key=str), topic=f"{election_id}:voided", now=now)
    looks = "You are told as one of the board or as secretary: find out who changed it. Urn and roll are kept as found."
    asked = Letter(subject=f"Look at it: {subject}", paragraphs=[words, looks], act=READ, path=where)
    staff = admission.people_in(Staff.DIRECTOR) | admission.people_in(Staff.SECRETARY)
    letters.send_to_people(asked, sorted(staff, key=str), topic=f"{election_id}:look", now=now)


def ask_again(proposal: Proposal, *, now: datetime) -> None:
    """Ask who stood behind other figures whether they stand behind these."""
    older = proposal.sponsorships.filter(withdrawn_at=None, version__lt=proposal.params_version)
    people = set(older.values_list("person_id", flat=True)) - {
        one.person_id for one in proposal.sponsorships.filter(withdrawn_at=None, version__gte=proposal.params_version)
    }
    said = [f"Proposal {proposal.number} asks for other figures now than when you stood behind it."]
    subject = f"Do you stand behind it still? {proposal.title}"
    _tell(proposal, subject, said, people, now=now, step=f"figures {proposal.params_version}")


def tell_of_amendment(proposal: Proposal, suggested: ProposalVersion, *, now: datetime) -> None:
    """Tell the author that somebody suggests a change."""
    said = [f"{suggested.written_by} suggests a change to proposal {proposal.number}. You accept it, or you do not."]
    subject = f"A change is suggested: {proposal.title}"
    _tell(proposal, subject, said, {proposal.author_id}, now=now, step=f"suggested {suggested.number}")


def tell_of_answer(proposal: Proposal, suggested: ProposalVersion, *, now: datetime) -> None:
    """Tell who suggested a change whether the author accepted it; the author of both knows."""
    answer = "accepted" if suggested.accepted_at else "declined"
    said = [f"The change that you suggested to proposal {proposal.number} was {answer} by its author."]
    people = {suggested.written_by_id} - {proposal.author_id}
    subject = f"Your change was {answer}: {suggested.title}"
    _tell(proposal, subject, said, people, now=now, step=f"answered {suggested.number}")


def parties(proposal: Proposal) -> set[UUID]:
    """Return its author and everybody who stands behind it, whichever figures they knew; without the erased."""
    behind = proposal.sponsorships.filter(withdrawn_at=None).values("person_id")
    here = Person.objects.filter(Q(id=proposal.author_id) | Q(id__in=behind), is_active=True)
    return set(here.values_list("id", flat=True))


def on_the_roll(proposal: Proposal) -> set[UUID]:
    """Return everybody on the roll of its last vote."""
    assert proposal.election_id is not None
    return set(elections.on_the_roll(proposal.election_id))


def path(proposal: Proposal) -> str:
    """Return where a proposal is read."""
    return f"/proposals/{proposal.id}"


def day_of(moment: datetime) -> str:
    """Return a day as letters name it, by the co-op's wall."""
    return f"{deadlines.on_the_wall(moment):%-d %B %Y}"


def time_of(moment: datetime) -> str:
    """Return a moment as letters name it, by the co-op's wall."""
    return f"{deadlines.on_the_wall(moment):%-d %B %Y, %H:%M}"


def _tell_of_end(proposal: Proposal, state: Proposal.State, now: datetime) -> None:
    said = [f"Proposal {proposal.number} ended. {proposal.why}"]
    subject = f"{ENDED[state]}: {proposal.title}"
    if state in {State.FAILED, State.VOIDED} and proposal.election_id is not None:
        # What could be voted on and does not come to hold concerns everybody who could. That nothing was counted they
        # know already where the urn was found out.
        letter = Letter(subject=subject, paragraphs=said, act=READ, path=path(proposal))
        people = sorted(on_the_roll(proposal), key=str)
        letters.send_to_people(letter, people, topic=f"{proposal.election_id}:{state}", now=now)
        return
    people_told = parties(proposal) - ({proposal.author_id} if state == State.RETRACTED else set())
    _tell(proposal, subject, said, people_told, now=now)


def _tell_of_enactment(proposal: Proposal, now: datetime) -> None:
    people = on_the_roll(proposal)
    if proposal.made_seq is None:
        if not proposal.motion_sha256:
            # Advice binds nobody: the board answers it, and so has to know.
            people |= admission.people_in(Staff.DIRECTOR)
        said = [f"Nobody can contest the vote on proposal {proposal.number} any more. {proposal.why}"]
        _tell(proposal, f"It is decided: {proposal.title}", said, people, now=now)
        return
    assert proposal.effective_from is not None
    letter = Letter(
        subject=f"It holds now: {proposal.title}",
        paragraphs=[
            f"What members decided with proposal {proposal.number} holds since {time_of(proposal.effective_from)}.",
            *policies.registered(proposal.key).explain(proposal.params or {}),
        ],
        act="Read what holds, and what held before",
        path=policies.href(proposal.key, proposal.made_seq),
    )
    letters.send_to_people(letter, sorted(people, key=str), topic=f"{proposal.id}:enacted", now=now)


def _tell(
    proposal: Proposal, subject: str, paragraphs: list[str], people: Collection[UUID], *, now: datetime, step: str = ""
) -> None:
    """Write to people, in an order that tells nothing of them."""
    letter = Letter(subject=subject, paragraphs=paragraphs, act=READ, path=path(proposal))
    # A vote that is held again is another one, and its steps are new.
    topic = f"{proposal.id}:{step or proposal.state}:{proposal.reruns}:{int(proposal.is_second_call)}"
    letters.send_to_people(letter, sorted(people, key=str), topic=topic, now=now)
