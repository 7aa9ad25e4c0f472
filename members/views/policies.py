"""The policies: what each one says now, what it will say and did say, and which vote made it so."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from members import figures, policies
from members.figures import Change
from members.policies import Policy, Version
from members.requests import moment_of
from members.voting import proposals
from members.voting.proposal_models import Proposal


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A version as a page shows it: what it says, how it differs from the one before, and whether it holds now."""

    version: Version
    words: list[str]
    changes: list[Change]
    holds: bool
    is_to_come: bool

    @property
    def is_founding(self) -> bool:
        """Return whether no vote made it: the co-op was founded with it."""
        return self.version.proposal_id is None


@require_safe
def all_of_them(request: HttpRequest) -> HttpResponse:
    """Show what holds today, policy by policy."""
    now = moment_of(request)
    shown = [(policies.registered(key), _versions(policies.registered(key), now)) for key in policies.names()]
    rows = [
        (policy, next(one for one in versions if one.holds), [one for one in versions if one.is_to_come])
        for policy, versions in shown
    ]
    return render(request, "members/policies/all.html", {"rows": rows})


@require_safe
def one(request: HttpRequest, key: str) -> HttpResponse:
    """Show a policy, every version of it, the newest first, and whatever else was asked about it."""
    policy, now = policies.registered(key), moment_of(request)
    asked = list(proposals.public().filter(key=key).defer("reasons", "dry_run"))
    votes = {one.made_seq: one for one in asked if one.made_seq is not None}
    versions = _versions(policy, now)
    context = {
        "policy": policy,
        "versions": [(one, votes.get(one.version.seq)) for one in versions],
        # What came of these is read in their own pages: no version did.
        "without_effect": [one for one in asked if one.state not in Proposal.LIVE and one.made_seq is None],
    }
    live = next((one for one in asked if one.state in Proposal.LIVE and one.made_seq is None), None)
    if live is not None and live.state == Proposal.State.QUEUED:
        # It is written down as a version a day before it begins; that it was voted is known long before.
        last = versions[0].version
        context |= {
            "voted": live,
            "voted_words": policy.explain(live.params or {}),
            "voted_changes": [one for one in figures.changes(policy, last.params, live.params or {}) if not one.stays],
            "came_between": last if last.seq != live.base_seq else None,
        }
    else:
        context["under_way"] = live
    return render(request, "members/policies/one.html", context)


def _versions(policy: Policy, now: datetime) -> list[Shown]:
    holding = policies.policy_at(policy.key, now).seq
    found, before = [], None
    for version in policies.versions(policy.key, now):
        compared = figures.changes(policy, (before or version).params, version.params)
        found.append(
            Shown(
                version=version,
                words=policy.explain(version.params),
                changes=[change for change in compared if before is None or not change.stays],
                holds=version.seq == holding,
                is_to_come=version.seq > holding,
            )
        )
        before = version
    return found[::-1]
