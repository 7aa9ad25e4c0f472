#!/usr/bin/env python3
"""Recompute a year's surplus of Refrain from its bundle: offline, with nothing but Python 3.8 or later.

    python3 verify_year.py refrain-year-2026.zip --key PUBLIC_KEY [--months refrain-2026-01.zip ...]

verify_bundle.py has to lie beside it, as it does in the bundle. PUBLIC_KEY is the co-op's, 64 hexadecimal digits, from
/.well-known/refrain-keys.json. With --months it is checked too that the year names these months, and that no group
counts with more than it was charged.

It answers 0 when every line agrees, 1 when something differs (and names the first), 2 where it cannot tell.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import verify_bundle  # type: ignore[import-not-found]  # it lies beside this file, wherever that is
from verify_bundle import (
    AGREES,
    CANNOT_TELL,
    COUNT,
    DIFFERS,
    MONTH,
    NAME,
    PPM,
    UUID,
    WHOLE,
    Bundle,
    CannotTell,
    Differs,
    allocate,
    parsed,
)

CENT = 10000
CASH_LEAST_CENTS, MEMBERS_LEAST = 100, 5
CLASSES = ("creators", "listeners", "workers")
ELIGIBLE = (
    "month,work,sheet,revenue,eligible_micros,creators_micros",
    f"{MONTH},({UUID}),([1-9][0-9]{{0,8}}|),{COUNT},{WHOLE},{WHOLE}",
)
MEMBERS = ("class,member,patronage,cents,cash_cents", f"({'|'.join(CLASSES)}),{NAME},{WHOLE},{WHOLE},{WHOLE}")
# Of a class: its sums as figures.json has them.
SUMS = (
    *("pool_cents", "patronage", "others_patronage", "members", "members_cents", "reserve_cents", "cash_cents"),
    "retained_cents",
)


class Year(Bundle):
    """A year: the zip, what its manifest says, and what was found while its lines were recomputed."""

    kind = "refrain-year/1"
    tables = {"eligible.csv": ELIGIBLE, "members.csv": MEMBERS}
    needed = {"eligible.csv", "members.csv", "figures.json", "policies.json"}

    def check(self) -> None:
        """Check every file against the manifest, then recompute both pools and all lines; what differs is kept."""
        self.check_files()
        if self.faults:
            return
        try:
            self._check_lines()
        except Differs as fault:
            self.faults.append(str(fault))
        except (KeyError, TypeError, ValueError, ZeroDivisionError) as fault:
            self.faults.append(f"figures.json: it does not say what a year's figures say ({fault!r})")

    def _check_lines(self) -> None:
        figures = parsed(self.all_of("figures.json"), "figures.json")
        if figures["year"] != self.said["year"]:
            raise Differs("figures.json: it is of another year than the manifest")
        policies = self.all_of("policies.json")
        parts = verify_bundle.revenue_parts(policies)
        params = _surplus(policies, figures["surplus_version"])
        if params != figures["params"]:
            raise Differs("figures.json: its params are not those of the version of surplus that it names")
        bases = self._bases(parts)
        for name, base in bases.items():
            _same("figures.json: patronage of " + name, figures["classes"][name]["patronage"], base)
        bases["workers"] = figures["classes"]["workers"]["patronage"]
        self._check_pools(figures, params, parts, bases)
        members: Dict[str, List[Tuple[int, Tuple[str, ...]]]] = {name: [] for name in CLASSES}
        for number, row in self.rows("members.csv"):
            members[row[0]].append((number, row))
        sums = dict.fromkeys(("members_cents", "cash_cents"), 0)
        for name in CLASSES:
            said = {field: int(figures["classes"][name][field]) for field in SUMS}
            _check_class(name, said, members[name], params["cash_ppm"])
            for field in sums:
                sums[field] += said[field]
            self.found[name] = len(members[name])
        _same("figures.json: cash_cents", figures["cash_cents"], sums["cash_cents"])
        stays = figures["result_cents"] - figures["common_good_cents"] - sums["members_cents"]
        _same("figures.json: stays_cents", figures["stays_cents"], stays)

    def _bases(self, parts: Dict[int, List[int]]) -> Dict[str, int]:
        """Return what creators and listeners brought together, once each group's part was recomputed."""
        eligible, creators, groups = 0, 0, 0
        before: Tuple[Any, ...] = ()
        for number, row in self.rows("eligible.csv"):
            key = (row[0], row[1], int(row[2] or 0), int(row[3]))
            if key < before:
                raise Differs(f"eligible.csv, line {number}: it stands out of its order")
            before = key
            if not row[0].startswith(f"{self.said['year']:04d}-"):
                raise Differs(f"eligible.csv, line {number}: the month is none of the year")
            if int(row[3]) not in parts:
                raise Differs(f"eligible.csv, line {number}: policies.json has no version {row[3]} of revenue")
            right = allocate(int(row[4]), parts[int(row[3])])[0]
            if int(row[5]) != right:
                raise Differs(f"eligible.csv, line {number}: the creators’ part of {row[4]} is {right}, not {row[5]}")
            eligible, creators, groups = eligible + int(row[4]), creators + right, groups + 1
        self.found["groups"] = groups
        return {"creators": creators, "listeners": eligible}

    def _check_pools(
        self, figures: Dict[str, Any], params: Dict[str, int], parts: Dict[int, List[int]], bases: Dict[str, int]
    ) -> None:
        result = (figures["result_micros"] - figures["shortfall_micros"]) // CENT
        _same("figures.json: result_cents", figures["result_cents"], result)
        reserve, good = params["reserve_ppm"], params["common_good_ppm"]
        by_rate, given, pool = allocate(result, [reserve, good, PPM - reserve - good])
        _same("figures.json: reserve_cents", figures["reserve_cents"], by_rate)
        _same("figures.json: common_good_cents", figures["common_good_cents"], given)
        pools = dict(zip(CLASSES, allocate(pool, [params[f"{name}_ppm"] for name in CLASSES])))
        creators, coop = min(parts.values(), key=lambda rates: rates[1])
        rates = {name: Fraction(pools[name] * CENT, bases[name]) if bases[name] else Fraction(0) for name in bases}
        back, kept = Fraction(creators, PPM) * rates["creators"] + rates["listeners"], Fraction(coop, PPM)
        scale = PPM if back < kept else -(-kept * PPM // back) - 1
        said = figures["guard"]
        _same(
            "figures.json: guard",
            (said["comes_back"], said["scale_ppm"]),
            (f"{back.numerator}/{back.denominator}", scale),
        )
        _same("figures.json: guard", (said["creators_ppm"], said["coop_ppm"]), (creators, coop))
        to_reserve = 0
        for name in CLASSES:
            scaled = pools[name] if name == "workers" else pools[name] * scale // PPM
            to_reserve += pools[name] - scaled
            _same(f"figures.json: pool of the {name}", figures["classes"][name]["pool_cents"], scaled)
        _same("figures.json: guard_reserve_cents", figures["guard_reserve_cents"], to_reserve)

    def tell(self) -> None:
        """Print what was found."""
        if not self.faults:
            print(f"groups recomputed       {self.found['groups']:>10}")
            for name in CLASSES:
                print(f"{name + ' recomputed':24}{self.found[name]:>10}")
        for fault in self.faults:
            print(f"DIFFERS: {fault}.")


def _check_class(name: str, said: Dict[str, int], lines: Sequence[Tuple[int, Tuple[str, ...]]], cash_ppm: int) -> None:
    """Check a class's lines, or its sums where it has too few members for lines."""
    pool, whole, others = said["pool_cents"], said["patronage"], said["others_patronage"]
    _same(f"figures.json: reserve_cents of the {name}", said["reserve_cents"], pool - said["members_cents"])
    _same(
        f"figures.json: retained_cents of the {name}",
        said["retained_cents"],
        said["members_cents"] - said["cash_cents"],
    )
    if said["members"] < MEMBERS_LEAST:
        if lines:
            raise Differs(f"members.csv, line {lines[0][0]}: fewer than {MEMBERS_LEAST} are told together")
        # Each part is within a cent of exact, so their sum is within as many cents as there are.
        if abs(said["members_cents"] * whole - pool * (whole - others)) > said["members"] * whole:
            raise Differs(f"figures.json: members_cents of the {name} do not follow from their patronage")
        return
    _same(f"figures.json: members of the {name}", said["members"], len(lines))
    weights = [int(row[2]) for _, row in lines]
    if sum(weights) + others != whole:
        raise Differs(f"members.csv: the patronage of the {name} sums to {sum(weights) + others}, not to {whole}")
    right = allocate(pool, [*weights, others]) if whole else [0] * len(lines)
    before: Tuple[int, int] = (2**62, 2**62)
    names, cents, cash = set(), 0, 0
    for (number, row), part in zip(lines, right):
        where = f"members.csv, line {number}"
        if row[1] in names or (int(row[2]), int(row[3])) > before:
            raise Differs(f"{where}: it stands twice, or out of its order")
        names.add(row[1])
        before = (int(row[2]), int(row[3]))
        _same(f"{where}: cents", int(row[3]), part)
        at_once = -(-part * cash_ppm // PPM)
        _same(f"{where}: cash_cents", int(row[4]), at_once if at_once >= CASH_LEAST_CENTS else 0)
        cents, cash = cents + part, cash + int(row[4])
    _same(f"figures.json: members_cents of the {name}", said["members_cents"], cents)
    _same(f"figures.json: cash_cents of the {name}", said["cash_cents"], cash)


def _same(what: str, said: Any, right: Any) -> None:
    if said != right:
        raise Differs(f"{what}: it says {said}, and {right} follows from the rest")


def _surplus(content: bytes, seq: int) -> Dict[str, int]:
    """Return a version of the policy `surplus`; whether it is what its SHA-256 names was asked of all before."""
    for version in parsed(content, "policies.json"):
        if (version["key"], version["seq"]) == ("surplus", seq):
            params: Dict[str, int] = version["params"]
            return params
    raise Differs(f"policies.json: it has no version {seq} of surplus")


def check_months(year: Year, paths: Sequence[str], keys: Dict[str, bytes]) -> None:
    """Check that the year names these months, and that no group counts with more than it was charged."""
    named = {month["month"]: month["manifest_sha256"] for month in year.said["months"]}
    charged: Dict[Tuple[str, ...], int] = {}
    for path in paths:
        month = Bundle(path, keys)
        if named.get(month.month) != month.manifest_sha256:
            raise Differs(f"{path}: the year names another {month.month} than this one")
        for _, row in month.rows("works.csv"):
            charged[(month.month, *row[:3])] = int(row[3])
    given = {key[0] for key in charged}
    for number, row in year.rows("eligible.csv"):
        if row[0] in given and int(row[4]) > charged.get(row[:4], 0):
            raise Differs(f"eligible.csv, line {number}: {row[4]} count and {charged.get(row[:4], 0)} were charged")
    print(f"months named            {len(paths):>10}")


def main(arguments: list[str] | None = None) -> int:
    """Check what the command line names; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", metavar="BUNDLE.zip")
    parser.add_argument("--key", metavar="PUBLIC_KEY", action="append")
    parser.add_argument("--keys", metavar="KEYS.json")
    parser.add_argument("--months", metavar="MONTH.zip", nargs="*", default=[])
    asked = parser.parse_args(arguments)
    try:
        keys = verify_bundle.given_keys(asked)
        year = Year(asked.bundle, keys)
        year.check()
        print(f"{year.path}  SHA-256 {hashlib.sha256(Path(asked.bundle).read_bytes()).hexdigest()}")
        year.tell()
        if year.faults:
            return DIFFERS
        check_months(year, asked.months, keys)
    except Differs as fault:
        print(f"DIFFERS: {fault}.")
        return DIFFERS
    except CannotTell as refusal:
        print(f"CANNOT TELL: {refusal}.")
        return CANNOT_TELL
    print(f"{year.said['year']}: every line agrees")
    return AGREES


if __name__ == "__main__":
    sys.exit(main())
