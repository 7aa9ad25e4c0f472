"""What `members` keeps of a person, and what of it stays when they are forgotten.

Membership, classes, dues and shares stay as rows under the member's number; name and postal address go. Past rolls
forget whose line it was. What somebody said in public about a proposal stays said, by nobody in particular.
"""

from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Q

from members.belonging.models import Expulsion, ExpulsionAppeal, ExpulsionSeat, Instrument, Membership, ShareHolding
from members.erasing.traces import SHELL_NAME, Traces
from members.models import Notice, Person, Token
from members.notices import ATTEMPTS_MOST
from members.voting import elections

REMOVED = "(removed)"
AT_ONCE = 500
_NAMED_IN_LETTERS = "subject ~* ANY(%(names)s) OR body ~* ANY(%(names)s)"
_LETTERS_WAIT = f"""
SELECT EXISTS (SELECT FROM members_notice WHERE sent_at IS NULL AND attempts < %(most)s AND ({_NAMED_IN_LETTERS}))
"""  # noqa: S608  (constants)
_EMPTY_LETTERS = f"""
UPDATE members_notice SET subject = '', body = '', html = '' WHERE {_NAMED_IN_LETTERS}
"""  # noqa: S608  (constants)


class MembersKeeper:
    """What `members` does when somebody goes."""

    def settle(self, traces: Traces, *, now: datetime) -> list[str]:  # noqa: ARG002  (as above)
        """Wait for shares to be paid back and for letters to be sent; take them off rolls that have closed."""
        elections.forget(person_id=traces.person_id)
        waits = []
        shares = ShareHolding.objects.filter(
            membership__person_id=traces.person_id, paid_at__isnull=False, repaid_at=None
        ).count()
        if shares:
            waits.append("their shares, which two treasurers pay back")
        if _letters_wait(traces):
            waits.append("letters to them or about them that are not sent yet")
        return waits

    def forget(self, traces: Traces, *, now: datetime) -> None:  # noqa: ARG002  (each keeper is told the moment)
        """Empty the person's row, and take away sign-ins, letters, the register's name and address."""
        whose = traces.person_id
        theirs = _to_them(traces)
        Notice.objects.filter(theirs, address="").update(subject="", body="", html="")
        Notice.objects.filter(theirs).exclude(address="").update(
            subject="", body="", html="", address=traces.shell_address
        )
        with connection.cursor() as cursor:
            if traces.patterns:
                cursor.execute(_EMPTY_LETTERS, {"names": traces.patterns})
        Membership.objects.filter(person_id=whose).update(legal_name="", postal_address="", words="")
        Instrument.objects.filter(membership__person_id=whose).update(digest="")
        _forget_expulsions(traces)
        Token.objects.filter(person_id=whose).delete()
        EmailAddress.objects.filter(user_id=whose).delete()
        Authenticator.objects.filter(user_id=whose).delete()
        _end_sessions(traces)
        person = Person.objects.get(id=whose)
        person.email, person.name, person.country = traces.shell_address, SHELL_NAME, ""
        person.is_active, person.last_login = False, None
        person.set_unusable_password()
        person.save(update_fields=["email", "name", "country", "is_active", "last_login", "password"])


def _to_them(traces: Traces) -> Q:
    to = Q(person_id=traces.person_id)
    for address in traces.addresses:
        to |= Q(address__iexact=address)
    return to


def _letters_wait(traces: Traces) -> bool:
    waiting = Notice.objects.filter(sent_at=None, attempts__lt=ATTEMPTS_MOST)
    if waiting.filter(_to_them(traces)).exists():
        return True
    if not traces.patterns:
        return False
    with connection.cursor() as cursor:
        cursor.execute(_LETTERS_WAIT, {"names": traces.patterns, "most": ATTEMPTS_MOST})
        waits: bool = cursor.fetchone()[0]
    return waits


def _forget_expulsions(traces: Traces) -> None:
    """Keep that there was one and what was decided; what was said about somebody goes with them."""
    about = Expulsion.objects.filter(membership__person_id=traces.person_id)
    about.update(reasons=REMOVED, answer="")
    ExpulsionAppeal.objects.filter(person_id=traces.person_id).update(text=REMOVED)
    ExpulsionSeat.objects.filter(appeal__person_id=traces.person_id).exclude(ruling="").update(reasons=REMOVED)


def _end_sessions(traces: Traces) -> None:
    """Delete the person's sign-ins. A session is opaque to the database, so each is opened."""
    theirs = [
        session.session_key
        for session in Session.objects.iterator(chunk_size=AT_ONCE)
        if session.get_decoded().get("_auth_user_id") == str(traces.person_id)
    ]
    Session.objects.filter(session_key__in=theirs).delete()
