#!/usr/bin/env python3
"""Check a certificate of ownership from Refrain: offline, with nothing but Python 3.8 or later.

    python3 verify_certificate.py CERTIFICATE.json [--keys refrain-keys.json] [FILE ...]

The keys are what the co-op publishes at /.well-known/refrain-keys.json. Without --keys they are looked for beside the
certificate and beside this program. Each FILE is compared with the files that the certificate names.

It answers 0 for a genuine certificate whose files are as named, 1 for one that is not, 2 where it cannot tell.

The signature is Ed25519 (RFC 8032, whose section 6 this arithmetic follows) over the certificate's canonical JSON
(RFC 8785). Nothing secret is handled here, so that nothing has to take the same time.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
from pathlib import Path
from typing import Any, Tuple

FORMAT = "refrain-certificate/1"
OUTER = {"certificate", "sha256", "key", "signature"}
READ_BYTES = 1048576
JSON_BYTES_MOST = 1000000
GENUINE, NOT_GENUINE, CANNOT_TELL = 0, 1, 2
# X, Y, Z, T with x = X/Z, y = Y/Z, x*y = T/Z.
Point = Tuple[int, int, int, int]

# Ed25519: the field's prime, the group's order, the curve's constant, a root of -1.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


class NotGenuine(Exception):
    """The certificate says something that was not signed, or is not the one that was signed."""


class CannotTell(Exception):
    """What is needed to answer is not here."""


def _x_of(y: int, sign: int) -> int | None:
    """Return the x of a point from its y and the sign of x, or None if there is no such point."""
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if x2 == 0:
        return None if sign else 0
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * ROOT % P
    if (x * x - x2) % P:
        return None
    return P - x if (x & 1) != sign else x


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = _x_of(BASE_Y, 0) or 0
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)
NEUTRAL = (0, 1, 1, 0)


def _add(one: Point, other: Point) -> Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _times(number: int, point: Point) -> Point:
    result = NEUTRAL
    while number:
        if number & 1:
            result = _add(result, point)
        point = _add(point, point)
        number >>= 1
    return result


def _same(one: Point, other: Point) -> bool:
    return (one[0] * other[2] - other[0] * one[2]) % P == 0 and (one[1] * other[2] - other[1] * one[2]) % P == 0


def _point(encoded: bytes) -> Point | None:
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = _x_of(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Return whether `signature` (64 bytes) of `message` was made with the key whose public half (32 bytes) this is."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, nonce = _point(public), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or nonce is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    return _same(_times(s, BASE), _add(nonce, _times(k, key)))


def canonical(value: Any) -> bytes:
    """Return the canonical JSON of texts, whole numbers, true, false, null, lists and objects (RFC 8785)."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return b"{" + b",".join(canonical(name) + b":" + canonical(value[name]) for name in names) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(canonical, value)) + b"]"
    return json.dumps(value, ensure_ascii=False).encode("utf-8")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotGenuine("a field stands in it twice")
    return found


def _no_number(text: str) -> Any:
    raise NotGenuine(f"it holds the number {text[:40]}; a certificate has whole numbers alone")


def _whole(text: str) -> int:
    if len(text) > 17 or abs(int(text)) >= 2**53:
        _no_number(text)
    return int(text)


def read(path: str) -> Any:
    """Return the JSON in a file. Raises CannotTell and NotGenuine."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(JSON_BYTES_MOST + 1)
    except OSError as error:
        raise CannotTell(f"{path} cannot be read: {error.strerror}") from None
    if len(content) > JSON_BYTES_MOST:
        raise NotGenuine(f"{path} is larger than any certificate")
    try:
        found = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_once,
            parse_float=_no_number,
            parse_constant=_no_number,
            parse_int=_whole,
        )
        canonical(found)
    except (ValueError, RecursionError):
        raise NotGenuine(f"{path} is not JSON") from None
    return found


def check(document: Any, keys: Any) -> dict[str, Any]:
    """Return what a genuine certificate says. Raises NotGenuine, and CannotTell where its key is not among `keys`."""
    if not isinstance(document, dict) or set(document) != OUTER:
        raise NotGenuine(f"it has not exactly the fields {', '.join(sorted(OUTER))}")
    said, key_id = document["certificate"], document["key"]
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise NotGenuine(f"it is no certificate of the kind {FORMAT}")
    message = canonical(said)
    if document["sha256"] != hashlib.sha256(message).hexdigest():
        raise NotGenuine("its text was changed: the SHA-256 is another")
    try:
        signature = bytes.fromhex(document["signature"])
        written_once = signature.hex() == document["signature"] and isinstance(key_id, str)
    except (TypeError, ValueError):
        written_once = False
    if not written_once:
        raise NotGenuine("its key and signature are not texts of hexadecimal digits")
    known = _known(keys)
    if key_id not in known:
        raise CannotTell(f"it names the key {_plain(key_id)}, which is not in the file of keys")
    if not is_signed(known[key_id], message, signature):
        raise NotGenuine("the signature is not of this text")
    return said


def _known(keys: Any) -> dict[str, bytes]:
    """Return the public keys of a file of keys by their names. Raises CannotTell."""
    try:
        known = {name: bytes.fromhex(public) for name, public in keys["keys"].items()}
    except (AttributeError, KeyError, TypeError, ValueError):
        raise CannotTell("the file of keys cannot be read") from None
    for name, public in known.items():
        if hashlib.sha256(public).hexdigest()[:16] != name:
            raise CannotTell(f"the file of keys calls a key {_plain(name)} that is not called so")
    return known


def _plain(text: object) -> str:
    """Return a text that cannot steer a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(text))


def sha256_of(path: str) -> str:
    """Return the SHA-256 of a file. Raises CannotTell."""
    digest = hashlib.sha256()
    try:
        with Path(path).open("rb") as file:
            for block in iter(lambda: file.read(READ_BYTES), b""):
                digest.update(block)
    except OSError as error:
        raise CannotTell(f"{path} cannot be read: {error.strerror}") from None
    return digest.hexdigest()


def _money(micros: int, currency: str) -> str:
    digits = f"{micros % 1000000:06}".rstrip("0").ljust(2, "0")
    return f"{micros // 1000000}.{digits} {currency}"


def _tell(document: dict[str, Any], said: dict[str, Any]) -> None:
    work = said["work"]
    print(f"GENUINE. The text was signed with the key {document['key']} and not a letter of it has changed since.")
    print()
    facts = [
        ("Work", f"{work['title']}, by {work['creator']}"),
        ("Its id", work["id"]),
        ("Licence", f"{work['licence_name']}: {work['licence_words']}"),
        ("Owned since", said["owned_since"]),
        ("As of", said["as_of"]),
        ("Paid", "nothing, it was free" if said["kept_free"] else _money(said["paid_micros"], said["currency"])),
        ("Named in it", said["holder"] or "nobody"),
        ("Issued by", said["issuer"]),
    ]
    for name, fact in facts:
        print(f"  {name:12} {_plain(fact)}")
    print()


def _limits(said: dict[str, Any]) -> None:
    print("What this proves: the co-op that has the key said this, at the moment after “As of”.")
    print("What it does not prove:")
    print(f"- that it still holds. A charge that is given back ends it; {_plain(said['standing_url'])} says")
    print("  in public whether it does.")
    print("- that whoever shows it is the one who owns the work. It can be copied like any text.")
    print("- that the keys are the co-op's: compare them with those it publishes.")


def _compare(paths: list[str], said: dict[str, Any]) -> bool:
    """Tell whether each file is one of the certificate's; return whether all are."""
    named = {file["sha256"]: file["format"] for file in said["files"]}
    all_are = True
    for path in paths:
        found = sha256_of(path)
        if found in named:
            print(f"  {path}: this is its file “{_plain(named[found])}”, byte for byte.")
        else:
            all_are = False
            print(f"  {path}: this is NONE of its files (SHA-256 {found}).")
    if paths:
        print()
    return all_are


def _find_keys(certificate: str) -> str:
    for folder in (Path(certificate).parent, Path(certificate).parent.parent, Path(__file__).resolve().parent):
        if (folder / "refrain-keys.json").is_file():
            return str(folder / "refrain-keys.json")
    raise CannotTell("there is no refrain-keys.json beside it; name one with --keys")


def main(arguments: list[str] | None = None) -> int:
    """Check what the command line names; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("certificate", metavar="CERTIFICATE.json")
    parser.add_argument("files", metavar="FILE", nargs="*")
    parser.add_argument("--keys", metavar="KEYS.json")
    asked = parser.parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        document = read(asked.certificate)
        said = check(document, read(asked.keys or _find_keys(asked.certificate)))
        _tell(document, said)
        files_are_its = _compare(asked.files, said)
    except NotGenuine as refusal:
        print(f"NOT GENUINE: {refusal}.")
        return NOT_GENUINE
    except CannotTell as refusal:
        print(f"CANNOT TELL: {refusal}.")
        return CANNOT_TELL
    _limits(said)
    return GENUINE if files_are_its else NOT_GENUINE


if __name__ == "__main__":
    sys.exit(main())
