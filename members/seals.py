"""Seals: how a published fact is made checkable. Canonical JSON, SHA-256, Merkle trees, Ed25519. No Django.

Sources: RFC 8785 (canonical JSON), RFC 6962 section 2.1 (trees), RFC 8032 (Ed25519).
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY_BYTES = 32


class CannotSeal(ValueError):
    """The value or the key cannot be used; the message says why."""


def canonical(value: Any) -> bytes:
    """Return the one byte string that stands for `value` in JSON (RFC 8785).

    Raises CannotSeal for what JSON cannot say exactly: floats that are not numbers, integers beyond 2**53.
    """
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise CannotSeal(str(error)) from error


def sha256(content: bytes) -> str:
    """Return the SHA-256 of `content` in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def sha256_of(value: Any) -> str:
    """Return the SHA-256 of the canonical JSON of `value` in hexadecimal."""
    return sha256(canonical(value))


def leaf_hash(content: bytes) -> bytes:
    """Return the hash of a leaf (RFC 6962: 0x00 before the content)."""
    return hashlib.sha256(b"\x00" + content).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree whose leaves come one by one: only the roots of its perfect subtrees are kept, however many there are."""

    def __init__(self) -> None:
        self.count = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Take the hash of the next leaf, or of a subtree where all but the last are perfect and of one size."""
        self.count += 1
        rising = self.count
        while not rising & 1:
            leaf, rising = _node(self._peaks.pop(), leaf), rising >> 1
        self._peaks.append(leaf)

    def root(self) -> bytes:
        """Return the root of what was taken."""
        if not self._peaks:
            return root([])
        found = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            found = _node(peak, found)
        return found


def hashes_root(hashes: Sequence[bytes]) -> bytes:
    """Return the Merkle tree hash over leaves of which only the hashes are known."""
    tree = Tree()
    for one in hashes:
        tree.add(one)
    return tree.root()


def hashes_proof(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """Return the audit path of the leaf at `index`, lowest first, where only hashes are known. Raises CannotSeal."""
    if not 0 <= index < len(hashes):
        raise CannotSeal(f"there is no leaf {index} in a tree of {len(hashes)}")
    first, last, path = 0, len(hashes), []
    while last - first > 1:
        k = first + _split(last - first)
        if index < k:
            path.append(hashes_root(hashes[k:last]))
            last = k
        else:
            path.append(hashes_root(hashes[first:k]))
            first = k
    return path[::-1]


def _split(count: int) -> int:
    """Return the largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the Merkle tree hash of `leaves` (contents, not hashes), 32 bytes."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    k = _split(len(leaves))
    return _node(root(leaves[:k]), root(leaves[k:]))


def proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the audit path of leaf `index`, lowest first. Raises CannotSeal for an index that is not there."""
    if not 0 <= index < len(leaves):
        raise CannotSeal(f"there is no leaf {index} in a tree of {len(leaves)}")
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return [*proof(leaves[:k], index), root(leaves[k:])]
    return [*proof(leaves[k:], index - k), root(leaves[:k])]


def root_from_proof(*, content: bytes, index: int, count: int, path: Sequence[bytes]) -> bytes:
    """Return the root that `path` leads to from the leaf `content` at `index` of `count` (RFC 9162, 2.1.3.2).

    Raises CannotSeal when the path is not as long as the tree is deep.
    """
    at, last, here = index, count - 1, leaf_hash(content)
    for sibling in path:
        if last == 0:
            raise CannotSeal("the proof is longer than the tree is deep")
        if at & 1 or at == last:
            here = _node(sibling, here)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            here = _node(here, sibling)
        at, last = at >> 1, last >> 1
    if last:
        raise CannotSeal("the proof is shorter than the tree is deep")
    return here


def load_key(path: str) -> Ed25519PrivateKey:
    """Return the signing key kept as 64 hexadecimal digits in the file `path`, which only its owner may read."""
    file = Path(path)
    if not path or not file.is_file():
        raise CannotSeal("REFRAIN_SIGNING_KEY_FILE names no file: nothing can be signed without the key")
    if file.stat().st_mode & 0o077:
        raise CannotSeal(f"{path} can be read by others; its mode must be 0600")
    try:
        seed = bytes.fromhex(file.read_text().strip())
    except ValueError as error:
        raise CannotSeal(f"{path} does not hold hexadecimal digits") from error
    if len(seed) != KEY_BYTES:
        raise CannotSeal(f"{path} holds {len(seed)} bytes; an Ed25519 key has {KEY_BYTES}")
    return Ed25519PrivateKey.from_private_bytes(seed)


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """Return the 32 bytes of the public key."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def key_id(public: bytes) -> str:
    """Return the name of a public key: the first 16 hexadecimal digits of its SHA-256."""
    return sha256(public)[:16]


def sign(value: Any, *, key: Ed25519PrivateKey) -> dict[str, str]:
    """Return `{key, signature}` over the canonical JSON of `value`, both in hexadecimal."""
    return {"key": key_id(public_bytes(key)), "signature": key.sign(canonical(value)).hex()}


def secret(key: Ed25519PrivateKey, *, purpose: str) -> bytes:
    """Return 32 bytes that follow from the key and the purpose, and from which neither can be found (RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(key.private_bytes_raw())
