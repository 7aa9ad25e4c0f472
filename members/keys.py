"""The co-op's signing key, the ones it had before, and the key of each election, which follows from them.

When the key is changed, its seed stays beside the new one (`*.seed`, readable by its owner alone, as the key is): what
it sealed may have to be proved or signed once more.
"""

import hmac
from dataclasses import dataclass
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
class ElectionKey:
    """What signs an election's receipts and checkpoints, and what its roll's public names are made with."""

    signing: Ed25519PrivateKey
    naming: bytes

    def name(self, person_id: UUID) -> str:
        """Return what a person is called on the roll, 32 hexadecimal digits; nobody can find them without the key."""
        return hmac.digest(self.naming, person_id.bytes, "sha256").hex()[:NAME_DIGITS]


def of_election(election_id: UUID, *, key: Ed25519PrivateKey) -> ElectionKey:
    """Return the key of an election under the key of the co-op that it was announced with."""
    seed = seals.secret(key, purpose=f"refrain election {election_id}")
    return ElectionKey(
        signing=Ed25519PrivateKey.from_private_bytes(seed),
        naming=seals.secret(key, purpose=f"refrain roll {election_id}"),
    )
