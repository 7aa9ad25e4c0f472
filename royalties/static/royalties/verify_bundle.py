#!/usr/bin/env python3
"""Recompute a month of Refrain from its bundle: offline, with nothing but Python 3.8 or later.

    python3 verify_bundle.py refrain-2026-10.zip [refrain-2026-09.zip ...] --key PUBLIC_KEY [--proof my-proof.json]

PUBLIC_KEY is the co-op's, 64 hexadecimal digits, from /.well-known/refrain-keys.json or from anybody who kept it; such
a file of keys goes with --keys. Of bundles of several months each is checked, and that each names the one before it.
With --proof it is checked too that your own month is counted in.

It answers 0 when every line agrees, 1 when something differs (and names it), 2 where it cannot tell.

A signature is Ed25519 (RFC 8032, whose section 6 this arithmetic follows) over canonical JSON (RFC 8785); the tree of
listeners is that of RFC 6962. Nothing secret is handled here, so that nothing has to take the same time.
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
from itertools import chain
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence, Tuple

FORMAT = "refrain-period/1"
MANIFEST = "manifest.json"
OUTER = {"manifest", "sha256", "key", "signature"}
PPM = 1000000
READ_BYTES, LINE_LETTERS, JSON_BYTES_MOST = 1048576, 4096, 4000000
AGREES, DIFFERS, CANNOT_TELL = 0, 1, 2
# How a zip, or a file in it, shows that it was damaged.
UNREADABLE = (
    *(OSError, EOFError, ValueError, RuntimeError, LookupError, struct.error, zlib.error),
    *(zipfile.BadZipFile, NotImplementedError, OverflowError, MemoryError),
)
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
WHOLE, COUNT, MONTH, NAME = "(0|[1-9][0-9]{0,17})", "([1-9][0-9]{0,8})", "([0-9]{4}-[0-9]{2})", "([0-9a-f]{32})"
# Each table: its head, and what a row looks like. Key columns first; rows stand in the order of their keys.
WORKS = (
    "work,sheet,revenue,gross_micros,creators_micros,coop_micros,purchases,plays",
    f"({UUID}),([1-9][0-9]{{0,8}}|),{COUNT},{WHOLE},{WHOLE},{WHOLE},{WHOLE},((?:[0-9]+(?: [0-9]+)*)?)",
)
LINES = (
    "work,sheet,revenue,line,payee,share_ppm,net_micros",
    f"({UUID}),{COUNT},{COUNT},{WHOLE},{NAME},{WHOLE},{WHOLE}",
)
RELEASED = ("of_month,work,revenue,sheet,creators_micros", f"{MONTH},({UUID}),{COUNT},{COUNT},{WHOLE}")
RELEASED_LINES = (
    "of_month,work,revenue,sheet,line,payee,share_ppm,net_micros",
    f"{MONTH},({UUID}),{COUNT},{COUNT},{WHOLE},{NAME},{WHOLE},{WHOLE}",
)
TABLES = {"works.csv": WORKS, "lines.csv": LINES, "released.csv": RELEASED, "released-lines.csv": RELEASED_LINES}
FILES = {*TABLES, "listeners.txt", "policies.json", "totals.json"}
# X, Y, Z, T with x = X/Z, y = Y/Z, x*y = T/Z.
Point = Tuple[int, int, int, int]
Row = Tuple[str, ...]
Numbered = Tuple[int, Row]

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


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Divide `total` (not negative) by the largest remainder; ties to the larger weight, then to the earlier one."""
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), -weights[i], i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts


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


def root_from(leaf: bytes, index: int, count: int, path: Sequence[bytes]) -> bytes | None:
    """Return the root that `path` leads to from a leaf's hash (RFC 9162, 2.1.3.2); None for one of another length."""
    at, last, here = index, count - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            here = _node(sibling, here)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            here = _node(here, sibling)
        at, last = at >> 1, last >> 1
    return None if last else here


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


def _spaced(number: int) -> str:
    return f"{number:,}".replace(",", " ")


class Bundle:
    """One month: the zip, what its manifest says, and what was found while its lines were recomputed."""

    kind, tables, needed = FORMAT, TABLES, FILES

    def __init__(self, path: str, keys: Dict[str, bytes]) -> None:
        self.path = path
        self.faults: List[str] = []
        self.found: Dict[str, int] = {}
        self.held: Dict[Row, int] = {}
        self.released: Dict[Row, int] = {}
        self.archive = _opened(path)
        self.said, self.manifest_sha256 = self._manifest(keys)
        self.month: str = self.said.get("month", "")

    def _manifest(self, keys: Dict[str, bytes]) -> Tuple[Dict[str, Any], str]:
        """Return what the manifest says, once its signature and form were found genuine. Raises Differs, CannotTell."""
        document = parsed(self.all_of(MANIFEST), MANIFEST)
        if not isinstance(document, dict) or set(document) != OUTER or not isinstance(document["manifest"], dict):
            raise Differs(f"{MANIFEST} was changed: it has not exactly the fields {', '.join(sorted(OUTER))}")
        said, key = document["manifest"], document["key"]
        if said.get("format") != self.kind:
            raise Differs(f"{MANIFEST} is none of the kind {self.kind}")
        message = canonical(said)
        if document["sha256"] != hashlib.sha256(message).hexdigest():
            raise Differs(f"{MANIFEST} was changed: the SHA-256 of what it says is another")
        try:
            signature = bytes.fromhex(document["signature"])
            written_once = signature.hex() == document["signature"]
        except (TypeError, ValueError):
            written_once = False
        if not written_once:
            raise Differs(f"{MANIFEST} was changed: its signature is no text of hexadecimal digits")
        signed_by = [name for name, public in keys.items() if is_signed(public, message, signature)]
        if signed_by and key != signed_by[0]:
            raise Differs(f"{MANIFEST} was changed: it names another key than the one that signed it")
        if key not in list(keys):
            raise CannotTell(f"{MANIFEST} was signed with the key {_plain(key)}, which was not given")
        if not signed_by:
            raise Differs(f"{MANIFEST} was changed: the signature is not of what it says")
        return said, document["sha256"]

    def all_of(self, name: str) -> bytes:
        """Return the content of a small file. Raises Differs."""
        try:
            with self.archive.open(name) as file:
                content = file.read(JSON_BYTES_MOST + 1)
        except KeyError:
            raise Differs(f"{name} is missing") from None
        except UNREADABLE as error:
            raise Differs(f"{name} was changed: it cannot be unpacked ({_plain(error)})") from None
        if len(content) > JSON_BYTES_MOST:
            raise Differs(f"{name} was changed: it is larger than any such file")
        return content

    def check(self) -> None:
        """Check every file against the manifest, then recompute all lines; what differs goes to `faults`."""
        named = re.fullmatch("refrain-([0-9]{4}-[0-9]{2})[.]zip", Path(self.path).name)
        if named and named[1] != self.month:
            self.faults.append(f"{Path(self.path).name} holds the month {_plain(self.month)}: one was put for another")
        for part in (self.check_files, self._check_works, self._check_released, self._check_tree, self._check_totals):
            try:
                part()
            except Differs as fault:
                self.faults.append(str(fault))

    def check_files(self) -> None:
        """Check that the files are those of the manifest; what differs goes to `faults`."""
        signed = {file["name"]: file for file in self.said["files"]}
        names = [entry.filename for entry in self.archive.infolist()]
        for name in sorted(self.needed - set(signed)):
            self.faults.append(f"{name} is not in the manifest")
        for name in sorted(set(names) - set(signed) - {MANIFEST}):
            self.faults.append(f"{_plain(name)} is in the zip and not in the manifest")
        for name in sorted(set(names)):
            if names.count(name) > 1:
                self.faults.append(f"{_plain(name)} is in the zip twice")
        for name, file in signed.items():
            if name not in names:
                self.faults.append(f"{_plain(name)} is missing")
                continue
            try:
                digest, size = self._digest(name, file["size_bytes"])
            except UNREADABLE as error:
                self.faults.append(f"{_plain(name)} was changed: it cannot be unpacked ({_plain(error)})")
                continue
            if (digest, size) != (file["sha256"], file["size_bytes"]):
                self.faults.append(f"{_plain(name)} was changed: its SHA-256 is not the one in the manifest")

    def _digest(self, name: str, size_bytes: int) -> Tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        with self.archive.open(name) as file:
            while size <= size_bytes and (block := file.read(READ_BYTES)):
                digest.update(block)
                size += len(block)
        return digest.hexdigest(), size

    def _lines_of(self, name: str) -> Iterator[str]:
        """Yield the lines of a file, without their ends. Raises Differs."""
        number = 0
        try:
            with io.TextIOWrapper(self.archive.open(name), encoding="ascii", newline="\n") as file:
                while line := file.readline(LINE_LETTERS):
                    number += 1
                    if not line.endswith("\n"):
                        raise Differs(f"{name}, line {number}: it has no end")
                    yield line[:-1]
        except KeyError:
            raise Differs(f"{name} is missing") from None
        except UNREADABLE as error:
            raise Differs(f"{name}, after line {number}: it cannot be read ({_plain(error)})") from None

    def rows(self, name: str) -> Iterator[Numbered]:
        """Yield the rows of a table with the numbers of their lines. Raises Differs."""
        head, pattern = self.tables[name]
        matches = re.compile(pattern).fullmatch
        number = 0
        for number, line in enumerate(self._lines_of(name), start=1):
            if number == 1:
                if line != head:
                    raise Differs(f"{name}, line 1: it does not say {head}")
                continue
            row = matches(line)
            if row is None:
                raise Differs(f"{name}, line {number}: this is no such row")
            yield number, row.groups()
        if not number:
            raise Differs(f"{name} is empty")

    def _groups(self, groups: str, lines: str, keys: int) -> Iterator[Tuple[Numbered, List[Numbered]]]:
        """Yield each group with its lines; both tables stand in the order of their first `keys` columns."""
        following = chain(self.rows(lines), [(0, ())])
        number, row = next(following)
        before: Tuple[Any, ...] = ()
        for place, group in self.rows(groups):
            key = _order(group[:keys])
            if key <= before:
                raise Differs(f"{groups}, line {place}: it stands twice, or out of its order")
            before, its = key, []
            while number and _order(row[:keys]) == key:
                its.append((number, row))
                number, row = next(following)
            if number and _order(row[:keys]) < key:
                raise Differs(f"{lines}, line {number}: it belongs to no group of {groups}")
            yield (place, group), its
        if number:
            raise Differs(f"{lines}, line {number}: it belongs to no group of {groups}")

    def _check_works(self) -> None:
        parts = revenue_parts(self.all_of("policies.json"))
        sums = dict.fromkeys(("works", "groups", "groups_held", "lines", "plays_counted", "purchases_counted"), 0)
        sums.update(dict.fromkeys(("gross_micros", "creators_micros", "coop_micros", "held_micros", "lines_micros"), 0))
        work = ""
        for (place, group), lines in self._groups("works.csv", "lines.csv", 3):
            gross, creators, coop = map(int, group[3:6])
            if int(group[2]) not in parts:
                raise Differs(f"works.csv, line {place}: policies.json has no version {group[2]} of revenue")
            right = allocate(gross, parts[int(group[2])])
            if [creators, coop] != right:
                raise Differs(
                    f"works.csv, line {place}: of {gross} micros the creators’ part is {right[0]} and the"
                    f" co-op’s {right[1]}, not {creators} and {coop}"
                )
            if group[1]:
                sums["lines_micros"] += _check_lines("lines.csv", lines, creators, f"works.csv, line {place}")
            else:
                sums["groups_held"] += 1
                sums["held_micros"] += creators
                self.held[(group[0], group[2])] = creators
            sums["works"] += group[0] != work
            work = group[0]
            sums["groups"] += 1
            sums["lines"] += len(lines)
            sums["plays_counted"] += sum(map(int, group[7].split()))
            sums["purchases_counted"] += int(group[6])
            sums["gross_micros"] += gross
            sums["creators_micros"] += creators
            sums["coop_micros"] += coop
        self.found.update(sums)

    def _check_released(self) -> None:
        sums = dict.fromkeys(("released_groups", "released_lines", "released_micros"), 0)
        for (place, group), lines in self._groups("released.csv", "released-lines.csv", 4):
            if group[0] >= self.month:
                raise Differs(f"released.csv, line {place}: what is released was held in an earlier month")
            if group[:3] in self.released:
                raise Differs(f"released.csv, line {place}: it is released twice")
            self.released[group[:3]] = int(group[4])
            sums["released_groups"] += 1
            sums["released_lines"] += len(lines)
            sums["released_micros"] += _check_lines(
                "released-lines.csv", lines, int(group[4]), f"released.csv, line {place}"
            )
        self.found.update(sums)

    def _check_tree(self) -> None:
        tree, before = Tree(), ""
        for number, line in enumerate(self._lines_of("listeners.txt"), start=1):
            if not re.fullmatch("[0-9a-f]{64}", line):
                raise Differs(f"listeners.txt, line {number}: this is no hash")
            if line <= before:
                raise Differs(f"listeners.txt, line {number}: it stands twice, or out of its order")
            tree.add(bytes.fromhex(line))
            before = line
        self.found["listeners"] = tree.count
        signed = self.said["listeners"]
        if (tree.count, tree.root().hex()) != (signed["count"], signed["root"]):
            raise Differs("listeners.txt: the root of its tree is not the one in the manifest")

    def _check_totals(self) -> None:
        totals = parsed(self.all_of("totals.json"), "totals.json")
        if not isinstance(totals, dict) or any(type(figure) is not int for figure in totals.values()):
            raise Differs("totals.json: it holds more than whole numbers by their names")
        for name, figure in sorted(self.found.items()):
            if totals.get(name) != figure:
                raise Differs(f"totals.json: {name} is {totals.get(name)}, and the lines sum to {figure}")
        try:
            charged = totals["plays_micros"] + totals["purchases_micros"] - totals["given_back_micros"]
            shared = totals["lines_micros"] + totals["held_micros"] + totals["coop_micros"]
            live = totals["plays"] + totals["purchases"] - totals["given_back"]
            counted = totals["plays_counted"] + totals["purchases_counted"]
        except KeyError as error:
            raise Differs(f"totals.json: it does not say {_plain(error)}") from None
        if not charged == totals["gross_micros"] == shared:
            raise Differs(f"totals.json: {charged} micros were charged and {shared} shared out")
        if live != counted:
            raise Differs(f"totals.json: {live} charges stand and {counted} are counted")

    def tell(self) -> None:
        """Print what was found."""

        def line(name: str, fact: str) -> None:
            print(f"{name:24}{fact:>10}")

        if not self.faults:
            line("lines recomputed", _spaced(self.found["lines"] + self.found["released_lines"]))
            line("groups in balance", _spaced(self.found["groups"] + self.found["released_groups"]))
            line("listeners’ root", "agrees")
        for fault in self.faults:
            print(f"DIFFERS: {fault}.")


def _order(key: Row) -> Tuple[Any, ...]:
    """Return a key as it is ordered: numbers by their size, nothing before everything."""
    return tuple((-1 if not part else int(part)) if len(part) < 10 and "-" not in part else part for part in key)


def _check_lines(name: str, lines: List[Numbered], creators: int, where: str) -> int:
    """Return the sum of a group's lines once each was found to follow from the creators' part. Raises Differs."""
    shares = [int(row[-2]) for _, row in lines]
    if not lines and not creators:
        return 0
    if sum(shares) != PPM:
        raise Differs(f"{where}: the shares of its payees in {name} sum to {sum(shares)} ppm, not to {PPM}")
    if len({row[-3] for _, row in lines}) != len(lines):
        raise Differs(f"{where}: a payee stands twice among its lines in {name}")
    before = -1
    for (place, row), right in zip(lines, allocate(creators, shares)):
        if int(row[-4]) <= before:
            raise Differs(f"{name}, line {place}: it stands twice, or out of its order")
        before = int(row[-4])
        if int(row[-1]) != right:
            raise Differs(f"{name}, line {place}: {row[-2]} ppm of {creators} micros are {right}, not {row[-1]}")
    return creators


def revenue_parts(content: bytes) -> Dict[int, List[int]]:
    """Return how each version of the policy `revenue` divides a euro, in ppm. Raises Differs."""
    name, parts = "policies.json", {}
    try:
        for version in parsed(content, name):
            said = {field: version[field] for field in ("key", "seq", "params", "effective_from")}
            if hashlib.sha256(canonical(said)).hexdigest() != version["sha256"]:
                raise Differs(f"{name}: version {said['seq']} of {_plain(said['key'])} is not what its SHA-256 names")
            if said["key"] == "revenue":
                parts[said["seq"]] = [said["params"]["creators_ppm"], said["params"]["coop_ppm"]]
                if sum(parts[said["seq"]]) != PPM or min(parts[said["seq"]]) < 0:
                    raise Differs(f"{name}: version {said['seq']} of revenue does not sum to {PPM} ppm")
    except (KeyError, TypeError):
        raise Differs(f"{name}: it does not name versions of policies") from None
    return parts


def _opened(path: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except FileNotFoundError as error:
        raise CannotTell(f"{path} cannot be read: {error.strerror}") from None
    except UNREADABLE as error:
        raise Differs(f"{path} was changed: it is no zip ({_plain(error)})") from None


def check_chain(bundles: List[Bundle]) -> None:
    """Check that each month names the one before it, and that what it releases was held there. Print what was found."""
    known = {bundle.month: bundle for bundle in bundles}
    released: Dict[Row, str] = {}
    for bundle in sorted(bundles, key=lambda one: one.month):
        print(f"{bundle.path}  SHA-256 {_sha256_of(bundle.path)}")
        before = bundle.said["previous"]
        earlier = known.get(before["month"]) if before else None
        if before and earlier and earlier.manifest_sha256 != before["manifest_sha256"]:
            bundle.faults.append(f"it names another {before['month']} than the one in {earlier.path}")
        if not before and any(month < bundle.month for month in known):
            bundle.faults.append("it names no month before it, and one was given")
        for key, creators in bundle.released.items():
            held_in = known.get(key[0])
            if held_in and not held_in.faults and held_in.held.get(key[1:]) != creators:
                bundle.faults.append(f"released.csv: {' '.join(key)} was not held in {held_in.path} with {creators}")
            if key in released:
                bundle.faults.append(f"released.csv: {' '.join(key)} was released in {released[key]} already")
            released[key] = bundle.month
        bundle.tell()
        if before and not bundle.faults:
            told = "agrees" if earlier else f"not compared: {before['manifest_sha256']}"
            print(f"names period {before['month']}    {told:>7}")
        if not bundle.faults:
            print(f"{bundle.month}: every line agrees")


def _sha256_of(path: str) -> str:
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        for block in iter(lambda: file.read(READ_BYTES), b""):
            digest.update(block)
    return digest.hexdigest()


def check_proof(path: str, bundles: List[Bundle]) -> None:
    """Check that the month of one listener is counted in; print it. Raises Differs, CannotTell."""
    try:
        proof = json.loads(Path(path).read_bytes())
        leaf, month = proof["leaf"], proof["leaf"]["month"]
        index, count, siblings = proof["index"], proof["count"], [bytes.fromhex(word) for word in proof["path"]]
        leads_to = root_from(hashlib.sha256(b"\x00" + canonical(leaf)).digest(), index, count, siblings)
    except OSError as error:
        raise CannotTell(f"{path} cannot be read: {error.strerror}") from None
    except (KeyError, TypeError, ValueError, RecursionError):
        raise Differs(f"{path} is no proof") from None
    signed = [bundle.said["listeners"] for bundle in bundles if bundle.month == month]
    if not signed:
        raise CannotTell(f"{path} is about {_plain(month)}, whose bundle was not given")
    if leads_to is None or (leads_to.hex(), count) != (signed[0]["root"], signed[0]["count"]):
        raise Differs(f"{path}: this listener’s month is not in the tree of {_plain(month)}")
    print(f"{_plain(month)}: counted in, as listener {index + 1} of {count}:")
    for name, fact in sorted(leaf.items()):
        print(f"  {_plain(name):20} {_plain(fact)}")


def given_keys(asked: argparse.Namespace) -> Dict[str, bytes]:
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


def main(arguments: list[str] | None = None) -> int:
    """Check what the command line names; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", metavar="BUNDLE.zip", nargs="+")
    parser.add_argument("--key", metavar="PUBLIC_KEY", action="append")
    parser.add_argument("--keys", metavar="KEYS.json")
    parser.add_argument("--proof", metavar="PROOF.json")
    asked = parser.parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        keys = given_keys(asked)
        bundles = []
        for path in asked.bundles:
            try:
                bundles.append(Bundle(path, keys))
            except Differs as fault:
                raise Differs(f"{path}: {fault}") from None
            bundles[-1].check()
        check_chain(bundles)
        if asked.proof:
            check_proof(asked.proof, bundles)
    except Differs as fault:
        print(f"DIFFERS: {fault}.")
        return DIFFERS
    except CannotTell as refusal:
        print(f"CANNOT TELL: {refusal}.")
        return CANNOT_TELL
    return DIFFERS if any(bundle.faults for bundle in bundles) else AGREES


if __name__ == "__main__":
    sys.exit(main())
