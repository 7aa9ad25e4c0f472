"""Bundles: every line that made a month's figures, in one zip that anybody can recompute with `verify_bundle.py`.

Written in one stream, a block at a time. The files' order, the rows' order and every date are fixed, so the same month
makes the same bytes however often and wherever it is written. What is in which file is said in `bundle.txt`.
"""

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import IO, Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.contrib.staticfiles import finders
from django.db import connection
from django.template.loader import render_to_string

from catalog.copies.parcels import Parcel
from members import policies, seals
from royalties import listener_months, periods, signing

FORMAT = "refrain-period/1"
MANIFEST = "manifest.json"
VERIFIER = "royalties/verify_bundle.py"
ROWS_AT_ONCE = 5_000
# The first moment that a zip can say.
DATED = (1980, 1, 1, 0, 0, 0)

_WORKS = """
SELECT work_id::text, coalesce(sheet_version::text, ''), revenue_seq, gross_micros, creators_micros, coop_micros,
       purchases, array_to_string(plays_by_number, ' ')
  FROM royalties_group WHERE month = %(month)s ORDER BY work_id, sheet_version NULLS FIRST, revenue_seq
"""
_LINES = """
SELECT l.work_id, s.version, l.revenue_seq, l.line_number, l.payee_id, l.share_ppm, l.net_micros
  FROM royalties_line l JOIN catalog_sheet_facts s ON s.work_id = l.work_id AND s.sheet_id = l.sheet_id
 WHERE l.month = %(month)s AND l.of_month = %(month)s ORDER BY l.work_id, s.version, l.revenue_seq, l.line_number
"""
_RELEASED = """
SELECT to_char(g.month, 'YYYY-MM'), g.work_id::text, g.revenue_seq, max(s.version), g.creators_micros
  FROM royalties_group g
  JOIN royalties_line l ON l.month = %(month)s AND l.work_id = g.work_id AND l.of_month = g.month
                       AND l.revenue_seq = g.revenue_seq
  JOIN catalog_sheet_facts s ON s.work_id = l.work_id AND s.sheet_id = l.sheet_id
 WHERE g.released_in = %(month)s GROUP BY g.id ORDER BY g.month, g.work_id, g.revenue_seq
"""
_RELEASED_LINES = """
SELECT l.work_id, to_char(l.of_month, 'YYYY-MM'), l.revenue_seq, s.version, l.line_number, l.payee_id, l.share_ppm,
       l.net_micros
  FROM royalties_line l JOIN catalog_sheet_facts s ON s.work_id = l.work_id AND s.sheet_id = l.sheet_id
 WHERE l.month = %(month)s AND l.of_month < %(month)s
 ORDER BY l.of_month, l.work_id, l.revenue_seq, s.version, l.line_number
"""
# What of the sums nobody has to hold every row for.
_TOTALS = """
SELECT (SELECT count(DISTINCT work_id) FROM royalties_group WHERE month = %(month)s), count(*),
       count(*) FILTER (WHERE sheet_id IS NULL), coalesce(sum(gross_micros), 0)::bigint,
       coalesce(sum(creators_micros), 0)::bigint, coalesce(sum(coop_micros), 0)::bigint,
       coalesce(sum(creators_micros) FILTER (WHERE sheet_id IS NULL), 0)::bigint,
       coalesce(sum((SELECT sum(n) FROM unnest(plays_by_number) n)), 0)::bigint, coalesce(sum(purchases), 0)::bigint
  FROM royalties_group WHERE month = %(month)s
"""
_LINE_TOTALS = """
SELECT count(*) FILTER (WHERE of_month = month), coalesce(sum(net_micros) FILTER (WHERE of_month = month), 0)::bigint,
       count(*) FILTER (WHERE of_month < month), coalesce(sum(net_micros) FILTER (WHERE of_month < month), 0)::bigint,
       count(DISTINCT payee_id),
       (SELECT count(*) FROM royalties_group WHERE released_in = %(month)s)
  FROM royalties_line WHERE month = %(month)s
"""


@dataclass(frozen=True, kw_only=True)
class Before:
    """The month before, as the manifest names it."""

    month: date
    manifest_sha256: str


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What was written: the signed manifest as it lies in the zip, and the month's sums (`bundle.txt` says which)."""

    document: dict[str, Any]
    totals: dict[str, int]
    root: bytes


@dataclass
class Writer:
    """Writes files into the zip and remembers what the manifest says of each."""

    archive: zipfile.ZipFile
    files: list[dict[str, Any]] = field(default_factory=list)

    def write(self, name: str, blocks: Iterable[bytes]) -> None:
        """Write a file from its blocks."""
        digest, size = hashlib.sha256(), 0
        with self.archive.open(zip_entry(name), "w") as target:
            for block in blocks:
                target.write(block)
                digest.update(block)
                size += len(block)
        self.files.append({"name": name, "size_bytes": size, "sha256": digest.hexdigest()})


def zip_entry(name: str) -> zipfile.ZipInfo:
    """Return how a file stands in a zip that has the same bytes wherever it is written."""
    entry = zipfile.ZipInfo(name, DATED)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    return entry


def write(
    parcel: Parcel,
    *,
    month: date,
    closed_at: datetime,
    before: Before | None,
    key: Ed25519PrivateKey,
    tree_key: str,
    now: datetime,
) -> Bundle:
    """Write the bundle of a month whose run is done into `parcel`, and its listeners' tree under `tree_key`.

    Seven queries, of which no more than a few thousand rows are held at a time; of listeners 32 bytes each.
    """
    secret = signing.secret_of(month, key=key)
    # It asks for writing and flushing alone, and cannot seek: what follows of a file is written behind it.
    with zipfile.ZipFile(cast("IO[bytes]", parcel), "w", zipfile.ZIP_DEFLATED) as archive:
        writer = Writer(archive)
        for name, head, rows in _tables(month, secret):
            writer.write(name, csv_blocks(head, rows))
        leaves, paid = _listeners(month, closed_at, secret)
        root = listener_months.keep_tree(tree_key, leaves)
        writer.write("listeners.txt", _hexadecimal(leaves))
        totals = {**_totals(month), **paid, "listeners": len(leaves)}
        writer.write("policies.json", [seals.canonical(policies_of(month, now))])
        writer.write("totals.json", [seals.canonical(totals)])
        writer.write("README.txt", [_readme(month)])
        writer.write("verify_bundle.py", [program(VERIFIER)])
        said = {
            "format": FORMAT,
            "month": f"{month:%Y-%m}",
            "issuer": settings.BASE_URL,
            "currency": settings.CURRENCY,
            "files": sorted(writer.files, key=lambda file: file["name"]),
            "listeners": {"count": len(leaves), "root": root.hex()},
            "previous": {"month": f"{before.month:%Y-%m}", "manifest_sha256": before.manifest_sha256}
            if before
            else None,
        }
        document = {"manifest": said, "sha256": seals.sha256_of(said), **seals.sign(said, key=key)}
        archive.writestr(zip_entry(MANIFEST), seals.canonical(document))
    return Bundle(document=document, totals=totals, root=root)


def _tables(month: date, secret: signing.MonthSecret) -> Iterator[tuple[str, str, Iterator[tuple[Any, ...]]]]:
    """Yield the name, the head and the rows of each table."""
    yield (
        "works.csv",
        "work,sheet,revenue,gross_micros,creators_micros,coop_micros,purchases,plays",
        _rows(_WORKS, month),
    )
    yield (
        "lines.csv",
        "work,sheet,revenue,line,payee,share_ppm,net_micros",
        ((row[0], *row[1:4], secret.payee(row[0], row[4]), *row[5:]) for row in _rows(_LINES, month)),
    )
    yield "released.csv", "of_month,work,revenue,sheet,creators_micros", _rows(_RELEASED, month)
    yield (
        "released-lines.csv",
        "of_month,work,revenue,sheet,line,payee,share_ppm,net_micros",
        ((row[1], row[0], *row[2:5], secret.payee(row[0], row[5]), *row[6:]) for row in _rows(_RELEASED_LINES, month)),
    )


def _rows(query: str, month: date) -> Iterator[tuple[Any, ...]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(query, {"month": month})
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            yield from rows


def csv_blocks(head: str, rows: Iterator[tuple[Any, ...]]) -> Iterator[bytes]:
    """Yield a table in blocks. No value in it can hold a comma or a quote."""
    block = [head]
    for row in rows:
        block.append(",".join(map(str, row)))
        if len(block) == ROWS_AT_ONCE:
            yield ("\n".join(block) + "\n").encode()
            block = []
    if block:
        yield ("\n".join(block) + "\n").encode()


def _listeners(month: date, closed_at: datetime, secret: signing.MonthSecret) -> tuple[list[bytes], dict[str, int]]:
    """Return the sorted hashes of the listeners' months, and what all of them were charged and given back."""
    leaves, paid = [], dict.fromkeys(listener_months.FIGURES, 0)
    for one in listener_months.of_all(month, closed_at=closed_at):
        leaves.append(one.hash(month, secret.salt(one.listener_id)))
        for name in listener_months.FIGURES:
            paid[name] += getattr(one, name)
    leaves.sort()
    return leaves, paid


def _hexadecimal(leaves: list[bytes]) -> Iterator[bytes]:
    for start in range(0, len(leaves), ROWS_AT_ONCE):
        yield "".join(f"{leaf.hex()}\n" for leaf in leaves[start : start + ROWS_AT_ONCE]).encode()


def _totals(month: date) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS, {"month": month})
        works, groups, groups_held, gross, creators, coop, held, plays, purchases = cursor.fetchone()
        cursor.execute(_LINE_TOTALS, {"month": month})
        lines, lines_micros, released_lines, released_micros, payees, released = cursor.fetchone()
    return {
        "works": works,
        "groups": groups,
        "groups_held": groups_held,
        "gross_micros": gross,
        "creators_micros": creators,
        "coop_micros": coop,
        "held_micros": held,
        "plays_counted": plays,
        "purchases_counted": purchases,
        "lines": lines,
        "lines_micros": lines_micros,
        "released_groups": released,
        "released_lines": released_lines,
        "released_micros": released_micros,
        "payees": payees,
    }


def policies_of(month: date, now: datetime) -> list[dict[str, Any]]:
    """Return the versions of all policies that were in force at some moment of the month, by name and number."""
    return policies_between(*periods.bounds(month), keys=policies.names(), now=now)


def policies_between(starts: datetime, ends: datetime, *, keys: Iterable[str], now: datetime) -> list[dict[str, Any]]:
    """Return the versions of some policies that were in force at some moment of a stretch, by name and number."""
    found = []
    for key in keys:
        versions = policies.versions(key, now)
        for version, until in zip(versions, [*(later.effective_from for later in versions[1:]), None], strict=True):
            if version.effective_from < ends and (until is None or until > starts):
                said = {
                    "key": key,
                    "seq": version.seq,
                    "params": dict(version.params),
                    "effective_from": version.effective_from.astimezone(UTC).isoformat(),
                }
                found.append({**said, "sha256": version.sha256})
    return found


def _readme(month: date) -> bytes:
    words = {"month": f"{month:%Y-%m}", "issuer": settings.BASE_URL, "currency": settings.CURRENCY}
    return render_to_string("royalties/bundle.txt", words).encode()


def program(name: str) -> bytes:
    """Return a program that lies beside what it verifies, as it is served."""
    path = finders.find(name)
    assert isinstance(path, str), name
    with open(path, "rb") as file:  # noqa: PTH123  (the finders speak of paths as texts)
        return file.read()
