"""What every page asks of its request: the moment it came, read once, and who asks."""

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest

from members import clock


def moment_of(request: HttpRequest) -> datetime:
    """Return the co-op's time at which this request is answered. One query for a request, however often it is asked."""
    if not hasattr(request, "coop_moment"):
        request.coop_moment, request.coop_is_closed = clock.now_and_closed()  # type: ignore[attr-defined]
    moment: datetime = request.coop_moment  # type: ignore[attr-defined]
    return moment


def is_closed_for(request: HttpRequest) -> bool:
    """Return whether money waits until a restored backup has recovered. The same one query."""
    moment_of(request)
    closed: bool = request.coop_is_closed  # type: ignore[attr-defined]
    return closed


def person_id_of(request: HttpRequest) -> UUID | None:
    """Return who is signed in, or None."""
    return request.user.pk if request.user.is_authenticated else None


def signed_in_id(request: HttpRequest) -> UUID:
    """Return who is signed in, on a page that only they reach (`login_required`)."""
    found = person_id_of(request)
    assert found is not None
    return found
