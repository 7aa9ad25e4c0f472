"""Bearer tokens: what a program shows instead of a sign-in. Hashed at rest, scoped, expiring, listed, revocable."""

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings

from members import statements
from members.models import Token
from members.problems import NotFound, Problem

PREFIX = "refrain_"
LIFETIME = timedelta(days=90)
GUARDED_LIFETIME = timedelta(minutes=15)


class Scope(StrEnum):
    """What a token may be used for."""

    LISTEN = "listen"
    SPEND = "spend"
    PUBLISH = "publish"
    EARNINGS = "earnings"
    VOTE = "vote"
    TREASURY = "treasury"


# Asked for with a fresh second factor only, and short-lived.
GUARDED = frozenset({Scope.VOTE, Scope.TREASURY})


class CannotMint(Problem):
    """The token asked for cannot be made; the detail says why."""

    slug, status, title = "token-refused", 403, "This token cannot be made"


@dataclass(frozen=True, kw_only=True)
class Bearer:
    """Who a token speaks for, and what it may be used for."""

    person_id: uuid.UUID
    email: str
    name: str
    is_staff: bool
    scopes: frozenset[str]


def digest(plain: str) -> bytes:
    """Return what is kept of a token."""
    return hashlib.sha256(plain.encode()).digest()


def mint(
    *,
    person_id: uuid.UUID,
    scopes: set[str],
    name: str,
    now: datetime,
    lifetime: timedelta = LIFETIME,
    guarded: bool = False,
    by_shell: bool = False,
) -> tuple[Token, str]:
    """Make a token and return it with its plain text, which is shown once and never kept.

    Raises CannotMint for unknown scopes, and for `vote` and `treasury` unless `guarded` says that the person signed in
    with a second factor within the last 15 minutes; such a token lives no longer than that either. The shell of a demo
    or a test (`by_shell`) needs none and makes longer ones; in production it makes none of these.
    """
    unknown = scopes - set(Scope)
    if unknown or not scopes:
        raise CannotMint(f"scopes are some of {', '.join(Scope)}; not {sorted(unknown) or 'none'}")
    if scopes & GUARDED and not (by_shell and not settings.IN_PRODUCTION):
        if not guarded:
            raise CannotMint(
                "a token for votes or the treasury needs a sign-in with a second factor at most 15 minutes old"
            )
        lifetime = min(lifetime, GUARDED_LIFETIME)
    plain = PREFIX + secrets.token_urlsafe(32)
    token = Token.objects.create(
        person_id=person_id,
        digest=digest(plain),
        name=name[:80],
        scopes=sorted(scopes),
        created_at=now,
        expires_at=now + lifetime,
    )
    return token, plain


_FIND = (
    "SELECT p.id, p.email, p.name, p.is_staff, t.scopes"
    " FROM members_token t JOIN members_person p ON p.id = t.person_id"
    " WHERE t.digest = %s AND t.revoked_at IS NULL AND p.is_active AND t.expires_at > coop_now()"
)


def find(plain: str) -> Bearer | None:
    """Return who a live token speaks for, or None. One query, by the token's hash."""
    row = statements.look_up(_FIND, [digest(plain)])
    if row is None:
        return None
    return Bearer(person_id=row[0], email=row[1], name=row[2], is_staff=row[3], scopes=frozenset(row[4]))


def revoke(*, token_id: uuid.UUID, person_id: uuid.UUID, now: datetime) -> None:
    """End a token of this person at once. Raises NotFound for one that is not theirs."""
    if not Token.objects.filter(id=token_id, person_id=person_id, revoked_at=None).update(revoked_at=now):
        raise NotFound("no such token is yours")
