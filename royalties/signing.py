"""The co-op's signing key, and what follows from it for each month: the names and salts under which rows are public.

The secret of a month is made of the key and the month's name and is kept nowhere, so a stolen database tells nobody
whose a published line is. When the key is changed, its seed stays beside the new one (`*.seed`, readable by its owner
alone, as the key is): the proofs of the months it sealed need it.
"""

import hmac
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from members import seals
from members.problems import Problem
from members.seals import CannotSeal

NAME_DIGITS = 32


class NoSealingKey(Problem):
    """What is published is signed, and this installation does not have the key for it."""

    slug, status, title = "no-signing-key", 503, "Nothing can be sealed now"


def present_key() -> Ed25519PrivateKey:
    """Return the key that seals now. Raises NoSealingKey."""
    try:
        return seals.load_key(settings.SIGNING_KEY_FILE)
    except CannotSeal as error:
        raise NoSealingKey(f"{error}.") from error


def key_named(key_id: str) -> Ed25519PrivateKey:
    """Return the key of that id, the present one or one that was kept beside it. Raises NoSealingKey."""
    present = present_key()
    kept = sorted(Path(settings.SIGNING_KEY_FILE).parent.glob("*.seed"))
    for key in (present, *(seals.load_key(str(file)) for file in kept)):
        if seals.key_id(seals.public_bytes(key)) == key_id:
            return key
    raise NoSealingKey(f"The key {key_id}, which sealed it, is not kept here any more.")


@dataclass(frozen=True, repr=False)
class MonthSecret:
    """Makes the public names of a month; of a name nobody can tell, without the key, whose it is."""

    secret: bytes

    def payee(self, work_id: UUID, payee_id: UUID) -> str:
        """Return how a payee is called on one work's lines: another name on every work, 32 hexadecimal digits."""
        return self._name(b"payee", work_id.bytes, payee_id.bytes)[:NAME_DIGITS]

    def salt(self, listener_id: UUID) -> str:
        """Return what is added to a listener's figures, so that nobody can find them by trying."""
        return self._name(b"listener", listener_id.bytes)

    def _name(self, *parts: bytes) -> str:
        return hmac.digest(self.secret, b"".join(parts), "sha256").hex()


def secret_of(month: date, *, key: Ed25519PrivateKey) -> MonthSecret:
    """Return the secret of a month under the key that seals it."""
    return MonthSecret(seals.secret(key, purpose=f"refrain period {month:%Y-%m}"))
