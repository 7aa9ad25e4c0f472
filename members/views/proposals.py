"""The pages of proposals: the front room, what is asked, its way, the vote, and how it was counted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members import figures, governance, policies
from members.acts import carry_out
from members.belonging import memberships
from members.forms import FiguresForm, GroundsForm, RemarkForm, TrackerForm, WordsForm
from members.policies import Params, Policy, Version
from members.problems import Problem
from members.requests import moment_of, person_id_of, signed_in_id
from members.views import dry_runs
from members.voting import contests, discussion, elections, electorate, panels, proposals, tally_words, urns
from members.voting.election_models import Election
from members.voting.proposal_models import Proposal
from members.voting.tally import Kind, Tally, Verdict

ON_A_PAGE, REMARKS_SHOWN = 20, 200
State = Proposal.State
# What asks most of members stands first.
ON_THE_TABLE = (
    State.VOTING,
    State.SPONSORING,
    State.DELIBERATION,
    State.NOTICE,
    State.CONTEST,
    State.COUNTING,
    State.QUEUED,
)
WAY = (
    (State.SPONSORING, "Sponsors"),
    (State.DELIBERATION, "Deliberation"),
    (State.NOTICE, "Notice"),
    (State.VOTING, "Voting"),
    (State.CONTEST, "Contest"),
    (State.QUEUED, "Waits for its day"),
    (State.ENACTED, "In force"),
)


@require_safe
def front_room(request: HttpRequest) -> HttpResponse:
    """Show what is on the table, what holds today and who decides."""
    now, me = moment_of(request), person_id_of(request)
    live = sorted(
        proposals.public().filter(state__in=Proposal.LIVE).select_related("election"),
        key=lambda one: ON_THE_TABLE.index(one.state),
    )
    params = governance.in_force(now).params
    sizes = electorate.sizes(moment=now)
    needed = governance.sponsors_needed(sum(sizes.values()), params)
    context = {
        "live": [(one, _short(one, needed, now), _is_open(one, now)) for one in live],
        "decided": proposals.public().exclude(state__in=Proposal.LIVE).order_by("-ended_at")[:5],
        "holds": [_held(policies.registered(key), policies.policy_at(key, now), live) for key in policies.names()],
        "members": sum(sizes.values()),
        "classes": [
            (tally_words.NAMES[name], figures.show("_ppm", int(params[f"weight_{name}_ppm"])), sizes.get(name, 0))
            for name in governance.CLASSES
        ],
        "supporters": sizes.get("supporter", 0),
        "my_class": electorate.class_of(me, moment=now) if me else None,
        "is_member": bool(me and memberships.is_member(me)),
    }
    return render(request, "members/proposals/front_room.html", context)


def _held(policy: Policy, version: Version, live: Sequence[Proposal]) -> dict[str, Any]:
    """Return what a policy says first, the version that holds, and the vote that will change it."""
    voted = next((one for one in live if one.key == policy.key and one.state == State.QUEUED), None)
    return {"policy": policy, "words": policy.explain(version.params)[:2], "version": version, "voted": voted}


def _short(proposal: Proposal, needed: int, now: datetime) -> str:
    """Return in a line how far a live proposal is."""
    if proposal.state == State.SPONSORING:
        return f"{proposals.sponsors(proposal).count()} of {needed} stand behind it."
    if proposal.state == State.DELIBERATION:
        return f"Version {proposal.version} of the text. Only its author can accept an amendment."
    if proposal.state == State.QUEUED:
        return "It passed. Nobody has to do anything more."
    return _short_of_vote(proposal, proposal.election, now) if proposal.election else ""


def _short_of_vote(proposal: Proposal, election: Election, now: datetime) -> str:
    if proposal.state == State.CONTEST:
        came = "passed" if (election.result or {}).get("verdict") == Verdict.PASSED else "did not pass"
        if _is_open(proposal, now):
            return f"It {came}. A member may still contest how it was held."
        return f"It {came}. A panel hears who contests it."
    turnout = elections.turnout(election.id)
    if proposal.state == State.VOTING:
        return f"{turnout.voted:,} of {turnout.members:,} have voted; results stay closed until the end."
    return f"{turnout.members:,} are on the roll."


def _is_open(proposal: Proposal, now: datetime) -> bool:
    """Return whether the part of its life has not ended yet. A contest goes on after it, as long as a panel sits."""
    return proposal.ends_at is not None and now < proposal.ends_at


@require_safe
def all_of_them(request: HttpRequest) -> HttpResponse:
    """List every proposal ever put before the members, and one's own drafts."""
    me = person_id_of(request)
    drafts = Proposal.objects.filter(author_id=me, state=State.DRAFT).order_by("-created_at") if me else []
    page = Paginator(proposals.public(), ON_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "members/proposals/all.html", {"page": page, "drafts": drafts})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Choose what a proposal is about (`?policy=`), then write it; a POST keeps it as a draft."""
    key = request.GET.get("policy")
    if key is None:
        known = [policies.registered(name) for name in policies.names()]
        return render(request, "members/proposals/choose.html", {"policies": known})
    policy = policies.registered(key) if key else None
    now, me = moment_of(request), signed_in_id(request)

    def keep(said: dict[str, Any], params: dict[str, Any] | None) -> Proposal:
        return proposals.draft(author_id=me, key=key, params=params, now=now, **said)

    return _write(request, policy, keep, begun={}, params=policies.policy_at(key, now).params if policy else None)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Change one's draft, or suggest an amendment while it is deliberated."""
    now, me = moment_of(request), signed_in_id(request)
    found = proposals.get(proposal_id, person_id=me)
    policy = policies.registered(found.key) if found.key else None
    is_draft = found.state == State.DRAFT

    def keep(said: dict[str, Any], params: dict[str, Any] | None) -> Proposal:
        if is_draft:
            return proposals.rewrite(proposal_id=found.id, author_id=me, params=params, now=now, **said)
        discussion.amend(proposal_id=found.id, person_id=me, params=params, now=now, **said)
        return found

    begun = {"title": found.title, "reasons": found.reasons}
    return _write(request, policy, keep, begun=begun, params=found.params, amends=None if is_draft else found)


def _write(
    request: HttpRequest,
    policy: Policy | None,
    keep: Any,
    *,
    begun: dict[str, Any],
    params: Any,
    amends: Proposal | None = None,
) -> HttpResponse:
    """Show the form of a proposal, tell what its figures would do (`try=1`), or keep what it says and go on to it."""
    sent = request.POST if request.method == "POST" else None
    words = WordsForm(sent, initial=begun)
    asked = FiguresForm(policy, sent, initial=params) if policy else None
    trial: dict[str, Any] = {}
    # A draft can wait for its turn; whoever writes it should know that it will have to.
    under_way = proposals.live_about(policy.key) if policy and not amends else None

    def page(request: HttpRequest, /, *, refused: Problem | None = None, status: int = 200) -> HttpResponse:
        context = {"policy": policy, "words": words, "asked": asked, "refused": refused, "amends": amends}
        context |= {"under_way": under_way, **trial}
        return render(request, "members/proposals/write.html", context, status=status)

    if sent is None:
        return page(request)
    if "try" in sent and asked is not None:
        # Nothing is kept, and what is not written yet is not missed.
        words = WordsForm(initial={name: sent.get(name, "") for name in WordsForm.base_fields})
        trial = dry_runs.tried(asked, now=moment_of(request), person_id=signed_in_id(request))
        return page(request)
    # Both are looked at, so that every refusal stands beside its field at once.
    if not all([words.is_valid(), asked is None or asked.is_valid()]):
        return page(request, status=400)
    return carry_out(
        request,
        lambda: keep(words.cleaned_data, asked.cleaned_data if asked else None),
        said="Suggested. The author accepts it or does not." if amends else "Kept as a draft. Only you see it.",
        then=lambda done: reverse("members:proposal", args=[done.id]),
        page=page,
    )


@require_safe
def one(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Show a proposal, its way, and what one can do about it now."""
    return _page(request, proposal_id)


def _page(
    request: HttpRequest,
    proposal_id: UUID,
    *,
    refused: Problem | None = None,
    status: int = 200,
    found_ballot: Any = None,
) -> HttpResponse:
    now, me = moment_of(request), person_id_of(request)
    found = proposals.get(proposal_id, person_id=me)
    election, base = found.election, _base(found)
    changes = _changes(base, found.params)
    tally = urns.result(election.id) if election and election.result else None
    context: dict[str, Any] = {
        "proposal": found,
        "refused": refused,
        "parts": found.parts.order_by("began_at", "id"),
        "later": _later(found, tally),
        "changes": changes,
        "unchanged": [one for one in changes if one.stays],
        "dry_run": dry_runs.of_proposal(found, now=now, person_id=me),
        "versions": [
            (one, [change for change in _changes(base, one.params) if not change.stays])
            for one in found.versions.select_related("written_by").order_by("number")
        ],
        "remarks": list(found.remarks.select_related("person").order_by("said_at", "id")[:REMARKS_SHOWN]),
        "sponsors": proposals.sponsors(found).count(),
        "needed": governance.sponsors_needed(
            sum(electorate.sizes(moment=now).values()), governance.in_force(now).params
        )
        if found.state in (State.SPONSORING, State.DELIBERATION)
        else None,
        "mine": found.author_id == me,
        "sponsored": me is not None and proposals.sponsors(found).filter(person_id=me).exists(),
        "can_sponsor": me is not None and electorate.class_of(me, moment=now) is not None,
        "is_member": me is not None and memberships.is_member(me),
        "election": election,
        "turnout": elections.turnout(election.id) if election else None,
        "standing": elections.standing(election_id=election.id, person_id=me) if election and me else None,
        "tally": tally,
        "support": tally_words.percent(tally.support) if tally else "",
        "support_needed": tally_words.needed(tally) if tally else "",
        "lacked": tally_words.lacked(tally) if tally else [],
        "steps": tally_words.steps(tally) if tally else [],
        "rows": tally_words.rows(tally) if tally else [],
        "is_open": _is_open(found, now),
        "contests": list(found.contests.order_by("filed_at")),
        "seats": panels.unheard(found.contests.all(), person_id=me, now=now) if me else [],
        "remark_form": RemarkForm(),
        "grounds_form": GroundsForm(),
        "tracker_form": TrackerForm(),
        "found_ballot": found_ballot,
        "motion": import_string(settings.MEMBERS_MOTION_FRAGMENT)(request, found.motion_sha256)
        if found.motion_sha256
        else "",
    }
    return render(request, "members/proposals/one.html", context, status=status)


def _later(found: Proposal, tally: Tally | None) -> list[tuple[str, int | None]]:
    """Return the parts of its life that are still to come, with how many days each takes."""
    if found.state == State.CONTEST and tally is not None and tally.verdict != Verdict.PASSED:
        return [("It ends, unless a panel has it held again", None)]
    # A draft has all of it before it.
    at = next((place for place, (state, _) in enumerate(WAY) if state == found.state), -1)
    if at == -1 and found.state != State.DRAFT:
        return []
    version = proposals.rules_of(found) if found.governance_seq else None
    params = (version or policies.policy_at("governance", found.created_at)).params
    days = vars(governance.timings(Kind(found.kind), params))
    # What moves no figure waits for no day, and comes into no force.
    end = "In force" if found.key else "It is carried out" if found.motion_sha256 else "The board answers"
    steps = [(state, name) for state, name in WAY[at + 1 :] if found.key or state != State.QUEUED]
    return [(end if state == State.ENACTED else name, days.get(state)) for state, name in steps]


def _base(found: Proposal) -> Version | None:
    """Return the version of its policy that it is compared with, if it is about one. One query."""
    return policies.version(found.key, found.base_seq) if found.key and found.base_seq is not None else None


def _changes(base: Version | None, params: Params | None) -> list[figures.Change]:
    """Return what is asked for, by a proposal or an amendment of it, beside what it is compared with."""
    if base is None or params is None:
        return []
    return figures.changes(policies.registered(base.key), base.params, params)


# What one does about a proposal.


def _act(request: HttpRequest, proposal_id: UUID, act: Any, said: Any, *, then: Any = None) -> HttpResponse:
    """Carry an act out and go on to the proposal, or to `then`; a refusal is shown on the proposal's page."""

    def page(request: HttpRequest, /, *, refused: Problem, status: int) -> HttpResponse:
        return _page(request, proposal_id, refused=refused, status=status)

    then = then or reverse("members:proposal", args=[proposal_id])
    return carry_out(request, act, said=said, then=then, page=page)


@require_POST
@login_required
def submit(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Put one's draft before the members."""
    me, now = signed_in_id(request), moment_of(request)
    return _act(
        request,
        proposal_id,
        lambda: proposals.submit(proposal_id=proposal_id, author_id=me, now=now),
        "It is before the members now. It goes on when enough of them stand behind it.",
    )


@require_POST
@login_required
def retract(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Take one's proposal back, or throw a draft away, which leaves nothing to be read."""
    me, now = signed_in_id(request), moment_of(request)
    return _act(
        request,
        proposal_id,
        lambda: proposals.retract(proposal_id=proposal_id, author_id=me, now=now),
        lambda done: "You took it back." if done.submitted_at else f"The draft “{done.title}” is thrown away.",
        then=lambda done: reverse("members:proposal", args=[done.id]) if done.submitted_at else "members:proposals",
    )


@require_POST
@login_required
def sponsor(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Stand behind a proposal, or no more (`no=1`)."""
    me, now = signed_in_id(request), moment_of(request)
    if request.POST.get("no"):
        return _act(
            request,
            proposal_id,
            lambda: proposals.withdraw_sponsorship(proposal_id=proposal_id, person_id=me, now=now),
            "You do not stand behind it any more.",
        )
    return _act(
        request,
        proposal_id,
        lambda: proposals.sponsor(proposal_id=proposal_id, person_id=me, now=now),
        "You stand behind it as it is now. If its figures change you are asked again.",
    )


@require_POST
@login_required
def remark(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Say something about a proposal."""
    me, now = signed_in_id(request), moment_of(request)
    text = request.POST.get("text", "")
    return _act(
        request,
        proposal_id,
        lambda: discussion.remark(proposal_id=proposal_id, person_id=me, text=text, now=now),
        "Said.",
    )


@require_POST
@login_required
def answer_amendment(request: HttpRequest, proposal_id: UUID, number: int) -> HttpResponse:
    """Accept an amendment to one's proposal, or decline it (`no=1`)."""
    me, now = signed_in_id(request), moment_of(request)
    answer = discussion.decline if request.POST.get("no") else discussion.accept
    return _act(
        request,
        proposal_id,
        lambda: answer(proposal_id=proposal_id, number=number, author_id=me, now=now),
        "Declined." if request.POST.get("no") else "Accepted. This is what is asked now.",
    )


@require_POST
@login_required
def contest(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Object to how a vote was held."""
    me, now = signed_in_id(request), moment_of(request)
    grounds = request.POST.get("grounds", "")
    return _act(
        request,
        proposal_id,
        lambda: contests.file(proposal_id=proposal_id, person_id=me, grounds=grounds, now=now),
        "Filed. Three members, none of them a director, decide.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def find_ballot(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Look for a tracker in the published urn. It is no part of the address: logs keep who asks for those."""
    found = proposals.get(proposal_id, person_id=person_id_of(request))
    if request.method != "POST" or found.election_id is None:
        return redirect("members:proposal", proposal_id)
    tracker = request.POST.get("tracker", "")
    try:
        ballot = urns.find_ballot(election_id=found.election_id, tracker=tracker)
    except Problem as refused:
        return _page(request, proposal_id, refused=refused, status=refused.status)
    return _page(request, proposal_id, found_ballot={"tracker": tracker, "ballot": ballot})
