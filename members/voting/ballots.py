"""Ballots: one person's word, which anybody can count and nobody can trace.

A voter makes a number of their own, the nonce, and what they say lies in the urn under a tracker made of both. The
answer is a receipt that the election's key signs: a ballot that is missing afterwards is proved missing by it. What is
said goes to the database beside the statement, never in it, and a refusal is no error there: so no log holds it.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from members import keys, seals, statements
from members.problems import Invalid, NotFound, Problem

CHOICES = ("yes", "no", "abstain")
NONCE_BYTES = 16
DOMAIN, RECEIPT = "refrain-ballot/1", "refrain-receipt/1"
_CAST = "SELECT outcome, cast_tracker, sealed_by FROM members_cast(%s::uuid, %s::uuid, %s::text, %s::bytea)"


class NotOnTheRoll(Problem):
    """Who may vote was written down when the vote was announced."""

    slug, status, title = "not-on-the-roll", 403, "You are not on this vote's roll"


class VotingNotOpen(Problem):
    """A ballot is cast from the moment a vote opens until the moment it closes."""

    slug, status, title = "voting-not-open", 409, "This vote is not open now"


class AlreadyVoted(Problem):
    """One ballot each, and it is not changed later."""

    slug, status, title = "already-voted", 409, "You have voted already"


class NonceTaken(Problem):
    """Somebody of the same class said the same with the same number."""

    slug, status, title = "nonce-taken", 409, "This number was used already"


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """The election's word that a ballot lies in its urn; `tracker` and `signature` in hexadecimal.

    What was said is not in it: the tracker tells it to who knows the nonce.
    """

    election_id: UUID
    tracker: str
    public_key: str
    signature: str

    def document(self) -> dict[str, Any]:
        """Return the receipt as it is kept and given to recount.py."""
        said = receipt_said(self.election_id, self.tracker)
        return {"receipt": said, "public_key": self.public_key, "signature": self.signature}


def receipt_said(election_id: UUID, tracker: str) -> dict[str, str]:
    """Return what a receipt says; its canonical JSON is what is signed."""
    return {"format": RECEIPT, "election": str(election_id), "tracker": tracker}


def tracker(*, election_id: UUID, class_name: str, choice: str, nonce: bytes) -> bytes:
    """Return the 32 bytes under which a ballot lies in the urn; SQL `members_tracker` says the same."""
    said = {
        "domain": DOMAIN,
        "election": str(election_id),
        "class": class_name,
        "choice": choice,
        "nonce": nonce.hex(),
    }
    return bytes.fromhex(seals.sha256_of(said))


def cast(*, election_id: UUID, person_id: UUID, choice: str, nonce: bytes) -> Receipt:
    """Cast a person's ballot and return its receipt; cast again with the same choice and nonce, the same receipt.

    One round trip and one transaction, whose moment is read after the election's lock. `choice` is yes, no or abstain,
    `nonce` 16 bytes that the voter drew.

    Raises Invalid, NotFound, NotOnTheRoll, VotingNotOpen, AlreadyVoted, NonceTaken, and NoSealingKey.
    """
    if choice not in CHOICES or len(nonce) != NONCE_BYTES:
        raise Invalid("A ballot says yes, no or abstain, with a number of 16 bytes.")
    # Looked for first: without it nobody would get a receipt for what is in the urn.
    present = keys.present_key()
    row = statements.ask(_CAST, [election_id, person_id, choice, nonce])
    assert row is not None
    outcome, found, sealed_by = row
    if outcome not in ("cast", "again"):
        raise _refusal(outcome)
    return receipt(election_id, bytes(found), key=_key(present, sealed_by))


def receipt(election_id: UUID, of_tracker: bytes, *, key: Ed25519PrivateKey) -> Receipt:
    """Return the receipt of a tracker under the co-op's key that the election was announced with."""
    signing = keys.of_election(election_id, key=key).signing
    said = receipt_said(election_id, of_tracker.hex())
    return Receipt(
        election_id=election_id,
        tracker=of_tracker.hex(),
        public_key=seals.public_bytes(signing).hex(),
        signature=signing.sign(seals.canonical(said)).hex(),
    )


def _key(present: Ed25519PrivateKey, sealed_by: str) -> Ed25519PrivateKey:
    is_present = seals.key_id(seals.public_bytes(present)) == sealed_by
    return present if is_present else keys.key_named(sealed_by)


def _refusal(outcome: str) -> Problem:
    refusals: dict[str, Problem] = {
        "unknown": NotFound("there is no such vote"),
        "stranger": NotOnTheRoll("The roll was written when the vote was announced, and you are not on it."),
        "early": VotingNotOpen("This vote has not opened yet."),
        "late": VotingNotOpen("This vote has closed. Your ballot was not cast."),
        "voted": AlreadyVoted("You have cast another ballot in this vote. It counts; this one was not cast."),
        "taken": NonceTaken("Nothing was cast. Draw another number and cast your ballot with it."),
    }
    return refusals[outcome]
