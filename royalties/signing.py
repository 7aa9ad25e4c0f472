"""The co-op's signing key, and what follows from it for each month: the names and salts under which rows are public.

The secret of a month is made of the key and the month's name and is kept nowhere, so a stolen database tells nobody
whose a published line is. When the key is changed, its seed stays beside the new one (`*.seed`, readable by its owner
alone, as the key is): the proofs of the months it sealed need it.
"""

import hmac
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from members import seals
from members.keys import NoSealingKey, key_named, present_key

__all__ = ["MonthSecret", "NoSealingKey", "key_named", "present_key", "secret_of", "secret_of_year"]

NAME_DIGITS = 32


@dataclass(frozen=True, repr=False)
class MonthSecret:
    """Makes the public names of a month; of a name nobody can tell, without the key, whose it is."""

    secret: bytes

    def payee(self, work_id: UUID, payee_id: UUID) -> str:
        """Return how a payee is called on one work's lines: another name on every work, 32 hexadecimal digits."""
        return self._name(b"payee", work_id.bytes, payee_id.bytes)[:NAME_DIGITS]

    def member(self, member_class: str, person_id: UUID) -> str:
        """Return how a member is called on a year's line of one class: 32 hexadecimal digits."""
        return self._name(b"member", member_class.encode(), person_id.bytes)[:NAME_DIGITS]

    def salt(self, listener_id: UUID) -> str:
        """Return what is added to a listener's figures, so that nobody can find them by trying."""
        return self._name(b"listener", listener_id.bytes)

    def _name(self, *parts: bytes) -> str:
        return hmac.digest(self.secret, b"".join(parts), "sha256").hex()


def secret_of_year(year: int, *, key: Ed25519PrivateKey) -> MonthSecret:
    """Return the secret of a financial year under the key that signed its figures."""
    return MonthSecret(seals.secret(key, purpose=f"refrain year {year}"))


def secret_of(month: date, *, key: Ed25519PrivateKey) -> MonthSecret:
    """Return the secret of a month under the key that seals it."""
    return MonthSecret(seals.secret(key, purpose=f"refrain period {month:%Y-%m}"))
