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
    """Show a policy, every version of it, the newest first."""
    policy, now = policies.registered(key), moment_of(request)
    shown = {"policy": policy, "versions": _versions(policy, now), "voted": None, "under_way": None}
    live = proposals.live_about(key)
    if live is not None and live.state == Proposal.State.QUEUED and live.made_seq is None:
        # It is written down as a version a day before it begins; that it was voted is known long before.
        shown["voted"], shown["voted_words"] = live, policy.explain(live.params or {})
        last = policies.versions(key, now)[-1].params
        shown["voted_changes"] = [one for one in figures.changes(policy, last, live.params or {}) if not one.stays]
    elif live is not None and live.made_seq is None:
        shown["under_way"] = live
    return render(request, "members/policies/one.html", shown)


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
