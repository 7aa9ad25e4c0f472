#!/usr/bin/env python3
"""Count a vote of Refrain again from its bundle: offline, with nothing but Python 3.8 or later.

    python3 recount.py refrain-vote-ID.zip --key PUBLIC_KEY [--receipt my-receipt.json ...]
                       [--notice notice.json] [--checkpoint checkpoint.json ...]

PUBLIC_KEY is the co-op's, 64 hexadecimal digits, from /.well-known/refrain-keys.json or from anybody who kept it; such
a file of keys goes with --keys. A receipt is what you got when you voted: its ballot has to be in the urn. A notice and
checkpoints are those that you kept while the vote was open: the bundle has to hold the same.

It answers 0 when everything agrees, 1 when something differs (and names it), 2 where it cannot tell.

A tracker is the SHA-256 of a ballot's canonical JSON (RFC 8785), a signature is Ed25519 (RFC 8032, whose section 6 this
arithmetic follows), a tree that of RFC 6962. Nothing secret is handled here, so nothing has to take the same time.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
import struct
import sys
import zipfile
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any, Dict, Iterable, List, Tuple

FORMAT, NOTICE, CHECKPOINT, RECEIPT = (
    *("refrain-ballots/1", "refrain-election/1", "refrain-checkpoint/1", "refrain-receipt/1"),
)
MANIFEST = "manifest.json"
FILES = {"notice.json", "corrections.json", "roll.csv", "ballots.csv", "checkpoints.json", "result.json"}
HEADS_ONLY, HALF = "supporter", Fraction(1, 2)
FILE_BYTES_MOST = 400000000
AGREES, DIFFERS, CANNOT_TELL = 0, 1, 2
# How a zip, or a file in it, shows that it was damaged.
UNREADABLE = (
    *(OSError, EOFError, ValueError, RuntimeError, LookupError, struct.error, zlib.error),
    *(zipfile.BadZipFile, NotImplementedError, OverflowError, MemoryError),
)
# How a file shows that it holds other fields than it should.
MISSHAPEN = (KeyError, TypeError, AttributeError, IndexError, ValueError, ZeroDivisionError)
CLASS, HASH = "[a-z][a-z-]{0,15}", "[0-9a-f]{64}"
ROLL = ("name,class", "([0-9a-f]{32}),(" + CLASS + ")")
BALLOTS = (
    "tracker,class,choice,nonce,checkpoint",
    "(" + HASH + "),(" + CLASS + "),(yes|no|abstain),([0-9a-f]{32}),([1-9][0-9]{0,4}|)",
)
SAID = {"yes": "yes", "no": "no", "abstain": "abstained"}
# X, Y, Z, T with x = X/Z, y = Y/Z, x*y = T/Z.
Point = Tuple[int, int, int, int]

# Ed25519: the field's prime, the group's order, the curve's constant, a root of -1.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


class Differs(Exception):
    """Something is not as it was signed, or does not follow from what stands beside it."""


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


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """The root of a tree whose leaves come one by one: of each perfect subtree so far, only its root is kept."""

    def __init__(self) -> None:
        self.count = 0
        self.peaks: List[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Take the hash of the next leaf."""
        self.count += 1
        rising = self.count
        while not rising & 1:
            leaf, rising = _node(self.peaks.pop(), leaf), rising >> 1
        self.peaks.append(leaf)

    def root(self) -> bytes:
        """Return the root of what was taken."""
        found = self.peaks[-1] if self.peaks else hashlib.sha256(b"").digest()
        for peak in reversed(self.peaks[:-1]):
            found = _node(peak, found)
        return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field stands in it twice")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"it holds {text[:40]}, which is no whole number that JSON can say exactly")


def _whole(text: str) -> int:
    if len(text) > 17 or abs(int(text)) >= 2**53:
        _no_number(text)
    return int(text)


def parsed(content: bytes, name: str) -> Any:
    """Return what JSON says that is written in its canonical form alone. Raises Differs."""
    try:
        found = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_once,
            parse_float=_no_number,
            parse_constant=_no_number,
            parse_int=_whole,
        )
        is_canonical = canonical(found) == content
    except (ValueError, RecursionError) as error:
        raise Differs(f"{name} was changed: it is not JSON ({_plain(error)})") from None
    if not is_canonical:
        raise Differs(f"{name} was changed: it is not in the one form that is signed")
    return found


def _plain(text: object) -> str:
    """Return a text that cannot steer a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(text))[:200]


def root_of(leaves: Iterable[bytes]) -> str:
    """Return the root over leaves in their order, in hexadecimal."""
    tree = Tree()
    for leaf in leaves:
        tree.add(hashlib.sha256(b"\x00" + leaf).digest())
    return tree.root().hex()


def tracker_of(election: str, class_name: str, choice: str, nonce: str) -> str:
    """Return the tracker of a ballot: the SHA-256 of its canonical JSON, of which no word needs an escape."""
    said = '{"choice":"%s","class":"%s","domain":"refrain-ballot/1","election":"%s","nonce":"%s"}'
    return hashlib.sha256((said % (choice, class_name, election, nonce)).encode("ascii")).hexdigest()


def signed(document: Any, name: str, about: str, kind: str, keys: Dict[str, bytes]) -> Dict[str, Any]:
    """Return what a document says under `about`, once its form and signature were found genuine. Raises both."""
    if not isinstance(document, dict) or set(document) != {about, "sha256", "key", "signature"}:
        raise Differs(f"{name} was changed: it has not exactly the fields {about}, key, sha256 and signature")
    said, key = document[about], document["key"]
    if not isinstance(said, dict) or said.get("format") != kind:
        raise Differs(f"{name} was changed: it is none of the kind {kind}")
    message = canonical(said)
    if document["sha256"] != hashlib.sha256(message).hexdigest():
        raise Differs(f"{name} was changed: the SHA-256 of what it says is another")
    if not isinstance(key, str) or key not in keys:
        raise CannotTell(f"{name} was signed with the key {_plain(key)}, which was not given")
    if not is_signed(keys[key], message, _hex(document["signature"])):
        raise Differs(f"{name} was changed: the signature is not of what it says")
    return said


def _hex(text: object) -> bytes:
    try:
        return bytes.fromhex(text) if isinstance(text, str) and text == text.lower() else b""
    except ValueError:
        return b""


def count(notice: Dict[str, Any], votes: Dict[str, Any]) -> Dict[str, Any]:
    """Return the tally of the votes by class (members, marks, yes, no, abstained), with every step of it."""
    rules, kind = notice["rules"], notice["kind"]
    members, yes, no = (sum(one[name] for one in votes.values()) for name in ("members", "yes", "no"))
    turnout = yes + no + sum(one["abstained"] for one in votes.values())
    share = Fraction(*rules["heads_share"])
    quorum = min(members, max(rules["heads_least"], min(_up(members * share), rules["heads_most"])))
    if notice["is_second_call"]:
        quorum = _up(quorum * HALF)
    classes = [_class(name, votes.get(name), rules) for name in sorted(rules["weights_ppm"])]
    if kind == "constitutional":
        _share_out(classes)
    support = sum((one["weight"] * one["share"] for one in classes), Fraction(0)) / 1000000
    heads = Fraction(yes, yes + no) if yes + no else None
    conditions = [
        {"name": "quorum", "needed": quorum, "exceeded": False, "reached": turnout, "holds": turnout >= quorum}
    ]
    if kind == "statutory":
        conditions.append(_reached("heads", HALF, heads, exceeded=True))
    else:
        bar = rules["bars"]["ordinary" if kind == "advisory" else kind]
        conditions.append(_reached("support", Fraction(*bar["support"]), support, exceeded=bar["support_exceeded"]))
        conditions.append(_reached("heads", Fraction(*bar["heads"]), heads, exceeded=bar["heads_exceeded"]))
    if kind == "special":
        conditions.append(_by_class("no-class-objects", [one["name"] for one in classes if one["objects"]]))
    if kind == "constitutional":
        silent = [one["name"] for one in classes if one["members"] and not one["consents"]]
        conditions.append(_by_class("every-class-consents", silent))
    verdict = "passed" if all(one["holds"] for one in conditions) else "defeated"
    return {
        "votes": votes,
        "verdict": verdict if conditions[0]["holds"] else "inquorate",
        "turnout": turnout,
        "head_quorum": quorum,
        "support": _pair(support),
        "heads": None if heads is None else _pair(heads),
        "classes": [
            {
                "name": one["name"],
                "weight_ppm": _pair(one["weight"]),
                "quorum": one["quorum"],
                "empty_chairs": one["empty"],
                "support": _pair(one["share"]),
                "objects": one["objects"],
                "consents": one["consents"],
            }
            for one in classes
        ],
        "conditions": [{"classes": [], **one} for one in conditions],
    }


def _class(name: str, votes: Dict[str, int] | None, rules: Dict[str, Any]) -> Dict[str, Any]:
    one = votes or {"members": 0, "yes": 0, "no": 0}
    wanted = max(rules["class_least"], _up(one["members"] * Fraction(*rules["class_share"])))
    quorum = min(one["members"], wanted, rules["class_most"])
    empty = max(0, quorum - one["yes"] - one["no"])
    chairs = one["yes"] + one["no"] + empty
    return {
        "name": name,
        "members": one["members"],
        "weight": Fraction(rules["weights_ppm"][name]),
        "quorum": quorum,
        "empty": empty,
        "share": (one["yes"] + empty * HALF) / chairs if chairs else HALF,
        "objects": one["no"] > one["yes"] + empty,
        "consents": one["yes"] > one["no"] + empty,
    }


def _share_out(classes: List[Dict[str, Any]]) -> None:
    """Share out the weights of classes that nobody is in, in proportion."""
    whole = sum(one["weight"] for one in classes)
    peopled = sum(one["weight"] for one in classes if one["members"])
    for one in classes if peopled else ():
        one["weight"] = one["weight"] * whole / peopled if one["members"] else Fraction(0)


def _reached(name: str, needed: Fraction, reached: Fraction | None, *, exceeded: bool) -> Dict[str, Any]:
    holds = reached is not None and (reached > needed if exceeded else reached >= needed)
    shown = None if reached is None else _pair(reached)
    return {"name": name, "needed": _pair(needed), "exceeded": exceeded, "reached": shown, "holds": holds}


def _by_class(name: str, against: List[str]) -> Dict[str, Any]:
    said = {"name": name, "needed": None, "exceeded": False, "reached": None, "holds": not against}
    return {**said, "classes": sorted(against)}


def _pair(number: Fraction) -> List[int]:
    return [number.numerator, number.denominator]


def _up(number: Fraction) -> int:
    return -(-number.numerator // number.denominator)


class Bundle:
    """A vote: the zip, what was announced, its ballots, and what was found while they were counted."""

    def __init__(self, path: str, keys: Dict[str, bytes]) -> None:
        self.faults: List[str] = []
        self.files = _unpacked(path)
        self.said = signed(self._json(MANIFEST), MANIFEST, "manifest", FORMAT, keys)
        notice = self._json("notice.json")
        self.notice = signed(notice, "notice.json", "notice", NOTICE, keys)
        self.election: str = self.notice["election"]
        if (self.said["election"], self.said["notice_sha256"]) != (self.election, notice["sha256"]):
            raise Differs("notice.json is about another vote than manifest.json")
        public = _hex(self.notice["public_key"])
        self.own = {hashlib.sha256(public).hexdigest()[:16]: public}
        self.ballots: Dict[str, Tuple[str, str]] = {}
        self.checkpoints: List[Dict[str, Any]] = []

    def _json(self, name: str) -> Any:
        if name not in self.files:
            raise Differs(f"{name} is missing")
        return parsed(self.files[name], name)

    def check(self) -> None:
        """Check every file against the manifest, then count everything; what differs goes to `faults`."""
        for part in (
            self._check_files,
            self._check_roll,
            self._check_ballots,
            self._check_checkpoints,
            self._check_tally,
        ):
            try:
                part()
            except Differs as fault:
                self.faults.append(str(fault))
            except MISSHAPEN as error:
                self.faults.append(f"a file has not the fields it should have ({_plain(repr(error))})")

    def _check_files(self) -> None:
        named = {file["name"]: file["sha256"] for file in self.said["files"]}
        self.faults += [f"{name} is not in the manifest" for name in sorted(FILES - set(named))]
        for name in sorted(set(self.files) - set(named) - {MANIFEST}):
            self.faults.append(f"{_plain(name)} is in the zip and not in the manifest")
        for name, digest in sorted(named.items()):
            if name not in self.files:
                self.faults.append(f"{_plain(name)} is missing")
            elif hashlib.sha256(self.files[name]).hexdigest() != digest:
                self.faults.append(f"{_plain(name)} was changed: its SHA-256 is not the one in the manifest")

    def _rows(self, name: str, shape: Tuple[str, str]) -> List[Tuple[str, ...]]:
        """Return the rows of a table, each once and in the order of its first column. Raises Differs."""
        head, matches = shape[0], re.compile(shape[1]).fullmatch
        lines = self.files.get(name, b"").decode("ascii", "replace").split("\n")
        if lines[0] != head or lines[-1]:
            raise Differs(f"{name} is missing, or does not begin with {head} and end with a whole line")
        rows: List[Tuple[str, ...]] = []
        for number, line in enumerate(lines[1:-1], start=2):
            row = matches(line)
            if row is None:
                raise Differs(f"{name}, line {number}: this is no such row")
            if rows and row[1] <= rows[-1][0]:
                raise Differs(f"{name}, line {number}: it stands twice, or out of its order")
            rows.append(row.groups())
        return rows

    def _check_roll(self) -> None:
        """Check that the roll, with its corrections taken back, is the one that was announced."""
        roll = {row[0]: row[1] for row in self._rows("roll.csv", ROLL)}
        self.members = _by_count(roll.values())
        self._agree(roll, self.roll_root(), "roll.csv: it is not the roll")
        for one in reversed(self._json("corrections.json")):
            if roll.pop(one["name"], "") != one["class_after"]:
                raise Differs(f"corrections.json: correction {one['number']} is not what the roll says")
            if one["class_before"]:
                roll[one["name"]] = one["class_before"]
            self._agree(roll, one["root_before"], f"roll.csv: without correction {one['number']} it is not the roll")
        self._agree(roll, self.notice["roll"]["root"], "roll.csv: it is not the roll")
        if _by_count(roll.values()) != self.notice["roll"]["members"]:
            raise Differs("notice.json: it announces other numbers of members than the roll has")

    def roll_root(self) -> str:
        """Return the root of the roll as it stood last: the announced one, or that of the last correction."""
        corrections = self._json("corrections.json")
        last: str = corrections[-1]["root_after"] if corrections else self.notice["roll"]["root"]
        return last

    def _agree(self, roll: Dict[str, str], root: str, words: str) -> None:
        leaf = '{"class":"%s","election":"%s","name":"%s"}'
        leaves = ((leaf % (roll[name], self.election, name)).encode("ascii") for name in sorted(roll))
        if root_of(leaves) != root:
            raise Differs(f"{words} that was announced: the root of its tree is another")

    def _check_ballots(self) -> None:
        """Check that every tracker is that of its ballot, so that none says anything else than it said."""
        self.named: Dict[str, int] = {}
        for number, row in enumerate(self._rows("ballots.csv", BALLOTS), start=2):
            tracker, class_name, choice, nonce, checkpoint = row
            if tracker_of(self.election, class_name, choice, nonce) != tracker:
                self.faults.append(f"ballots.csv, line {number}: the tracker is of another ballot than this one")
            self.ballots[tracker] = (class_name, choice)
            if checkpoint:
                self.named[tracker] = int(checkpoint)

    def _check_checkpoints(self) -> None:
        documents = self._json("checkpoints.json")
        before: str | None = None
        for number, document in enumerate(documents, start=1):
            name = f"checkpoints.json, checkpoint {number}"
            said = signed(document, name, "checkpoint", CHECKPOINT, self.own)
            if (said["election"], said["number"], said["previous"]) != (self.election, number, before):
                raise Differs(f"{name} does not follow the one before it")
            before = document["sha256"]
            its = sorted(tracker for tracker, first in self.named.items() if first <= number)
            if (len(its), root_of(map(bytes.fromhex, its))) != (said["count"], said["root"]):
                raise Differs(f"{name}: a ballot that it named is not in ballots.csv, or one that it did not name is")
            self.checkpoints.append(document)
        if any(first > len(documents) for first in self.named.values()):
            raise Differs("ballots.csv names a checkpoint that is not there")

    def _check_tally(self) -> None:
        result = self._json("result.json")
        votes = result["votes"]
        found = {name: dict.fromkeys(("yes", "no", "abstained"), 0) for name in votes}
        for class_name, choice in self.ballots.values():
            if class_name not in found:
                raise Differs(f"result.json: it has no votes of the class {class_name}, and ballots.csv has")
            found[class_name][SAID[choice]] += 1
        members = getattr(self, "members", {})
        for name, one in sorted(votes.items()):
            _check_class(_plain(name), one, found[name], members.get(name, 0))
        if set(votes) != set(members):
            raise Differs("result.json: it has other classes than the roll")
        right = count(self.notice, votes)
        for name in sorted(set(right) | set(result)):
            if canonical(right.get(name)) != canonical(result.get(name)):
                raise Differs(f"result.json: {_plain(name)} is not what follows from the votes")
        self.verdict: str = right["verdict"]

    def tell(self, path: str) -> None:
        """Print what was found."""
        print(f"{path}  SHA-256 {hashlib.sha256(Path(path).read_bytes()).hexdigest()}")
        for fault in self.faults:
            print(f"DIFFERS: {fault}.")
        if not self.faults:
            print(f"{'trackers recomputed':24}{len(self.ballots):>10}")
            print(f"{'roll':24}{sum(self.members.values()):>10}")
            for words in ("ballots = marks", "checkpoints contained", "tally and verdict"):
                print(f"{words:24}{'agrees':>10}")
            print(f"{self.verdict}: every ballot agrees")

    def find(self, path: str) -> None:
        """Check that the ballot of a receipt is in the urn, and print it. Raises Differs."""
        kept = _kept(path)
        said = kept.get("receipt")
        signature, public = _hex(kept.get("signature")), next(iter(self.own.values()))
        if not isinstance(said, dict) or set(said) != {"format", "election", "tracker"} or said["format"] != RECEIPT:
            raise Differs(f"{path} is no receipt")
        if said["election"] != self.election:
            raise CannotTell(f"{path} is a receipt of another vote")
        if not is_signed(public, canonical(said), signature):
            raise Differs(f"{path} was not signed with this vote’s key")
        if said["tracker"] not in self.ballots:
            raise Differs(
                f"{path} is genuine, and its ballot {_plain(said['tracker'])} is not in the urn: it was dropped"
            )
        place = sorted(self.ballots).index(said["tracker"]) + 1
        print(f"{path}: ballot {place} of {len(self.ballots)}, {', '.join(self.ballots[said['tracker']])}")

    def compare(self, path: str, about: str, keys: Dict[str, bytes]) -> None:
        """Check that the bundle holds the notice or the checkpoint that somebody kept. Raises Differs, CannotTell."""
        kept = _kept(path)
        signed(kept, path, about, {"notice": NOTICE, "checkpoint": CHECKPOINT}[about], keys)
        ours = self.checkpoints if about == "checkpoint" else [self._json("notice.json")]
        if canonical(kept) not in [canonical(one) for one in ours]:
            raise Differs(f"{path} is genuine, and the bundle does not hold it")
        print(f"{path}: agrees")


def _by_count(words: Iterable[str]) -> Dict[str, int]:
    found: Dict[str, int] = {}
    for word in words:
        found[word] = found.get(word, 0) + 1
    return found


def _check_class(name: str, said: Dict[str, int], found: Dict[str, int], members: int) -> None:
    """Check what is said of a class against its ballots and the roll. Raises Differs."""
    ballots, marks = sum(found.values()), said["marks"]
    if ballots != marks:
        raise Differs(f"the class {name} has {ballots} ballots and {marks} marks on the roll")
    if said["members"] != members:
        raise Differs(f"the class {name} has {members} on the roll, not {said['members']}")
    if marks > members:
        raise Differs(f"the class {name} has {marks} marks and {members} members")
    if any(said[word] != number for word, number in found.items()):
        raise Differs(f"result.json: the class {name} did not vote like that")


def _kept(path: str) -> Dict[str, Any]:
    try:
        found = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise CannotTell(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise Differs(f"{path} is no JSON") from None
    return found if isinstance(found, dict) else {}


def _unpacked(path: str) -> Dict[str, bytes]:
    """Return every file of a zip by its name. Raises Differs and CannotTell."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len({entry.filename for entry in entries}) != len(entries):
                raise Differs(f"{path} holds a file twice")
            if sum(entry.file_size for entry in entries) > FILE_BYTES_MOST:
                raise Differs(f"{path} holds more than any vote")
            return {entry.filename: archive.read(entry) for entry in entries}
    except FileNotFoundError as error:
        raise CannotTell(f"{path} cannot be read: {error.strerror}") from None
    except UNREADABLE as error:
        raise Differs(f"{path} was changed: it cannot be unpacked ({_plain(error)})") from None


def _keys(asked: argparse.Namespace) -> Dict[str, bytes]:
    """Return the keys that were given by their names. Raises CannotTell."""
    try:
        given = [
            *(asked.key or []),
            *(json.loads(Path(asked.keys).read_bytes())["keys"].values() if asked.keys else []),
        ]
        publics = [bytes.fromhex(text) for text in given]
    except OSError as error:
        raise CannotTell(f"{asked.keys} cannot be read: {error.strerror}") from None
    except (AttributeError, KeyError, TypeError, ValueError):
        raise CannotTell("a key is 64 hexadecimal digits") from None
    if not publics or any(len(public) != 32 for public in publics):
        raise CannotTell("give the co-op’s public key, 64 hexadecimal digits, with --key")
    return {hashlib.sha256(public).hexdigest()[:16]: public for public in publics}


def main(arguments: List[str] | None = None) -> int:
    """Count what the command line names; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", metavar="BUNDLE.zip")
    parser.add_argument("--key", metavar="PUBLIC_KEY", action="append")
    parser.add_argument("--keys", metavar="KEYS.json")
    parser.add_argument("--receipt", metavar="RECEIPT.json", action="append", default=[])
    parser.add_argument("--notice", metavar="NOTICE.json", action="append", default=[])
    parser.add_argument("--checkpoint", metavar="CHECKPOINT.json", action="append", default=[])
    asked = parser.parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        keys = _keys(asked)
        bundle = Bundle(asked.bundle, keys)
        bundle.check()
        bundle.tell(asked.bundle)
        for path in asked.notice:
            bundle.compare(path, "notice", keys)
        for path in asked.checkpoint:
            bundle.compare(path, "checkpoint", bundle.own)
        # Where something else differs, nobody can tell which ballots there are.
        for path in asked.receipt if not bundle.faults else ():
            bundle.find(path)
    except Differs as fault:
        print(f"DIFFERS: {fault}.")
        return DIFFERS
    except CannotTell as refusal:
        print(f"CANNOT TELL: {refusal}.")
        return CANNOT_TELL
    except MISSHAPEN as error:
        print(f"DIFFERS: a signed file has not the fields it should have ({_plain(repr(error))}).")
        return DIFFERS
    return DIFFERS if bundle.faults else AGREES


if __name__ == "__main__":
    sys.exit(main())
