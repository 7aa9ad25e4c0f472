"""Ways of paying: each carries one membership, so that nobody votes twice by paying twice.

Kept is a keyed digest of what the gateway or the bank calls the card or account; nobody can read the account from it.
"""

from collections.abc import Iterable
from datetime import datetime

from django.utils.crypto import salted_hmac

from members.belonging.models import Instrument, Membership
from members.problems import Problem


class InstrumentTaken(Problem):
    """A card or bank account pays for one membership, and this one pays for another."""

    slug, status, title = "instrument-taken", 409, "This way of paying carries another membership"


def note(membership: Membership, named: Iterable[str], *, now: datetime) -> None:
    """Keep with which instruments a locked membership is paid. Two queries. Raises InstrumentTaken."""
    digests = sorted({_digest(one) for one in named})
    if not digests:
        return
    Instrument.objects.bulk_create(
        [Instrument(membership=membership, digest=digest, noted_at=now) for digest in digests], ignore_conflicts=True
    )
    taken = Instrument.objects.filter(digest__in=digests, freed_at=None).exclude(membership=membership)
    if taken.exists():
        raise InstrumentTaken("It pays for somebody else’s membership. Pay with a card or account of your own.")


def _digest(named: str) -> str:
    return salted_hmac("members.belonging.instruments", named, algorithm="sha256").hexdigest()
