"""What `catalog` keeps of a creator or a payee, and what of it stays when they are forgotten.

A profile that others own goes on without them; one that only editors are left in is owned by the first of them; one
without managers is closed, and its works are off. Who owns a work keeps it, and its profile's name on it. Split sheets
stay as they were agreed, with an empty person on the line: what that line earns is payable to the claim code.
"""

from contextlib import suppress
from datetime import datetime

from django.db.models import Q
from django.urls import reverse

from catalog import people, sharing
from catalog.models import Creator, CreatorRole, RoleInvitation, SplitLine, Transfer, Upload
from catalog.report_models import Report
from catalog.sharing import SheetOver
from members import letters
from members.erasing.traces import Traces
from members.letters import Letter
from members.problems import NotFound

FORGOTTEN = "removed"
WAITS = Q(sheet__in_force_from=None, sheet__ended_at=None, accepted_at=None, declined_at=None)


class CatalogKeeper:
    """What `catalog` does when somebody goes."""

    def settle(self, traces: Traces, *, now: datetime) -> list[str]:
        """Decline what waits for their answer, and hand over or close the profiles they run. Nothing holds this up."""
        whose = traces.person_id
        for line in SplitLine.objects.filter(WAITS, _to_them(traces)).order_by("id"):
            # An address that they never proved to be theirs cannot answer; it is taken off below.
            with suppress(NotFound, SheetOver):
                sharing.decline(sheet_id=line.sheet_id, person_id=whose)
        for invitation in RoleInvitation.objects.filter(_to_them(traces), answered_at=None).order_by("id"):
            with suppress(NotFound):
                people.decline(invitation_id=invitation.id, person_id=whose, now=now)
        for role in CreatorRole.objects.filter(person_id=whose).select_related("creator").order_by("creator_id"):
            _leave(role, now=now)
        return []

    def forget(self, traces: Traces, *, now: datetime) -> None:  # noqa: ARG002  (each keeper is told the moment)
        """Take their address off sheets, invitations and reports, and their name out of the names of files."""
        SplitLine.objects.filter(Q(person_id=traces.person_id) | _to_them(traces)).update(email=traces.shell_address)
        RoleInvitation.objects.filter(_to_them(traces)).update(email=traces.shell_address)
        contact = Q(person_id=traces.person_id)
        for address in traces.addresses:
            contact |= Q(contact__iexact=address)
        Report.objects.filter(contact).exclude(contact="").update(contact="")
        named = Q()
        for word in traces.words:
            named |= Q(filename__icontains=word) | Q(folder__icontains=word)
        if traces.words:
            for sent in (Upload, Transfer):
                sent.objects.filter(named, person_id=traces.person_id).update(filename=FORGOTTEN, folder="")


def _to_them(traces: Traces) -> Q:
    to = Q(pk__in=[])
    for address in traces.addresses:
        to |= Q(email__iexact=address)
    return to


def _leave(role: CreatorRole, *, now: datetime) -> None:
    """Take somebody out of a profile that has an owner without them, or close the profile."""
    profile = Creator.objects.select_for_update().get(id=role.creator_id)
    others = profile.roles.exclude(id=role.id)
    if profile.closed_at is None and role.role == CreatorRole.Role.OWNER:
        heir = others.filter(role=CreatorRole.Role.EDITOR).order_by("id").first()
        if others.filter(role=CreatorRole.Role.OWNER).exists():
            pass
        elif heir is not None:
            heir.role = CreatorRole.Role.OWNER
            heir.save(update_fields=["role"])
            letters.send(
                Letter(
                    subject=f"You own “{profile.name}” now",
                    paragraphs=["Its owner has left Refrain. You may do everything, and say who else may do what."],
                    act="The studio",
                    path=reverse("catalog:studio"),
                ),
                person_id=heir.person_id,
                key=f"role:{profile.id}:{heir.person_id}:heir",
                now=now,
            )
        else:
            people.close(creator_id=profile.id, person_id=role.person_id, now=now)
            Creator.objects.filter(id=profile.id).update(about="", links=[])
    role.delete()
